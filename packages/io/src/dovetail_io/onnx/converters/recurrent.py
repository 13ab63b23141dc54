"""Recurrent networks, for inference; where a gradient takes what they keep, they are loops of plain operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from dovetail.extend import CompositeOp, Dim, Shape, TensorType, definitions
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter, converter_of

__all__: list[str] = []

_LSTM_ORDER: Final = (0, 3, 1, 2)  # the operator has input, output and forget gate, then the candidate
_GRU_ORDER: Final = (0, 1, 2)
_PEEPHOLE_ORDER: Final = (0, 2, 1)  # the operator has input, output and forget gate


@converter(definitions.LSTM)
def _lstm(
    to: Builder,
    op: definitions.LSTM,
    x: Value,
    hidden: Value,
    cell: Value,
    kernel: Value,
    recurrent: Value,
    bias: Value,
) -> Sequence[Value | None]:
    results = _recurrent(
        to, "LSTM", op.reverse, x, [hidden, cell], kernel, recurrent, [bias, None], _LSTM_ORDER, to.types[:3]
    )
    return [*results, *[None] * 5]


@converter(definitions.GRU)
def _gru(
    to: Builder,
    op: definitions.GRU,
    x: Value,
    hidden: Value,
    kernel: Value,
    recurrent: Value,
    bias: Value,
    recurrent_bias: Value,
) -> Sequence[Value | None]:
    biases = [bias, recurrent_bias]
    results = _recurrent(
        to, "GRU", op.reverse, x, [hidden], kernel, recurrent, biases, _GRU_ORDER, to.types[:2], linear_before_reset=1
    )
    return [*results, *[None] * 4]


@converter_of("dovetail_layers", "PeepholeLSTM")
def _peephole_lstm(
    to: Builder,
    op: CompositeOp,
    x: Value,
    hidden: Value,
    cell: Value,
    kernel: Value,
    recurrent: Value,
    bias: Value,
    peepholes: Value,
) -> Sequence[Value | None]:
    results = _recurrent(
        to,
        "LSTM",
        op.attributes()["reverse"],
        x,
        [hidden, cell],
        kernel,
        recurrent,
        [bias, None],
        _LSTM_ORDER,
        to.types[:3],
        peepholes=peepholes,
    )
    return [*results, None]


@converter_of("dovetail_layers", "GRUResetBefore")
def _gru_reset_before(
    to: Builder, op: CompositeOp, x: Value, hidden: Value, kernel: Value, recurrent: Value, bias: Value
) -> Sequence[Value | None]:
    reverse = op.attributes()["reverse"]
    return _recurrent(to, "GRU", reverse, x, [hidden], kernel, recurrent, [bias, None], _GRU_ORDER, to.types)


@converter(definitions.SimpleRNN)
def _simple_rnn(
    to: Builder, op: definitions.SimpleRNN, x: Value, hidden: Value, kernel: Value, recurrent: Value, bias: Value
) -> Sequence[Value | None]:
    activations = [op.activation.capitalize()]
    return _recurrent(
        to, "RNN", op.reverse, x, [hidden], kernel, recurrent, [bias, None], (0,), to.types, activations=activations
    )


def _recurrent(
    to: Builder,
    op_type: str,
    reverse: bool,
    x: Value,
    states: Sequence[Value],
    kernel: Value,
    recurrent: Value,
    biases: Sequence[Value | None],
    order: Sequence[int],
    types: Sequence[TensorType],
    peepholes: Value | None = None,
    **attributes: Any,
) -> list[Value]:
    """Add the operator for one direction, whose axis it has in weights, states and outputs.

    Raises:
        ConversionError: something takes what is kept for gradients, or ONNX Runtime has no kernel for the dtype.
    """
    if any(to.taken[len(types) :]):
        raise ConversionError(f"the operator {op_type} gives no gates")
    if x.dtype.is_half:
        raise ConversionError(f"ONNX Runtime computes {op_type} in float32 and float64")
    assert recurrent.type is not None
    units = recurrent.type.dims[0]
    if not isinstance(units, int):
        raise ConversionError(f"the operator {op_type} needs a number of units that is known")
    dims = types[0].dims
    starts = [None if _is_zero(to, one) else to.unsqueeze(one, [0]) for one in states]
    seen = [] if peepholes is None else [to.unsqueeze(_reordered(to, peepholes, units, _PEEPHOLE_ORDER), [0])]
    outputs = to.several(
        op_type,
        x,
        *(to.unsqueeze(_by_gates(to, one, units, order), [0]) for one in (kernel, recurrent)),
        to.unsqueeze(_biases(to, biases, units, order), [0]),
        None,
        *starts,
        *seen,
        types=[
            _with_dims(x, (dims[0], 1, *dims[1:])),
            *(_with_dims(x, (1, *one.dims)) for one in types[1:]),
        ],
        hidden_size=units,
        direction="reverse" if reverse else "forward",
        **attributes,
    )
    return [to.squeeze(one, [1 if index == 0 else 0]) for index, one in enumerate(outputs)]


def _with_dims(x: Value, dims: Sequence[Dim]) -> TensorType:
    return TensorType(x.dtype, Shape(dims))


def _by_gates(to: Builder, kernel: Value, units: int, order: Sequence[int]) -> Value:
    """Return a kernel with a row for each unit of each gate, the gates in the operator's order."""
    return to.transpose(_reordered(to, kernel, units, order), [1, 0])


def _biases(to: Builder, biases: Sequence[Value | None], units: int, order: Sequence[int]) -> Value:
    """Return the bias of the inputs and that of the recurrent product, which may be missing, as one vector."""
    kind = biases[0]
    assert kind is not None
    parts = [
        to.constant(np.zeros(units * len(order)), kind.dtype) if one is None else _reordered(to, one, units, order)
        for one in biases
    ]
    arrays = [one.array for one in parts if one.array is not None]
    if len(arrays) == len(parts):
        name = kind.name if biases[1] is None else ""
        return Value(_with_dims(kind, (2 * units * len(order),)), name, np.concatenate(arrays))
    return to.concat(parts, 0, _with_dims(kind, (2 * units * len(order),)))


def _reordered(to: Builder, x: Value, units: int, order: Sequence[int]) -> Value:
    """Return gates, which lie along the last axis, in another order; those of a constant are moved here."""
    assert x.type is not None
    if list(order) == list(range(len(order))):
        return x
    if x.array is not None:
        parts = np.split(x.array, len(order), axis=-1)
        return Value(x.type, x.name, np.concatenate([parts[index] for index in order], axis=-1))
    axis = len(x.type.dims) - 1
    kind = _with_dims(x, (*x.type.dims[:-1], units))
    gates = to.several("Split", x, to.ints([units] * len(order)), types=[kind] * len(order), axis=axis)
    return to.concat([gates[index] for index in order], axis, x.type)


def _is_zero(to: Builder, state: Value) -> bool:
    """Whether an initial state is zero, which the operator begins with by itself."""
    if state.array is not None:
        return not state.array.any()
    maker = next((node for node in reversed(to.graph.nodes) if state in node.outputs), None)
    if maker is None or maker.op_type != "Expand" or maker.inputs[0] is None:
        return False
    return maker.inputs[0].array is not None and not maker.inputs[0].array.any()
