"""Recurrent networks, for inference; where a gradient takes what they keep, they are loops of plain operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail.extend import CompositeOp, Dim, Instruction, Shape, TensorType, definitions
from dovetail.extend import Value as ProgramValue
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter, converter_of, find_converter

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
    return [*results, *[None] * (8 - len(results))]


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
    return [*results, *[None] * (4 - len(results))]


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
) -> list[Value | None]:
    """Add the operator for one direction, whose axis it has in weights, states and outputs.

    Raises:
        ConversionError: something takes what is kept for gradients, or ONNX Runtime has no kernel for the dtype.
    """
    kept = to.taken[len(types) :]
    if op_type == "LSTM":
        kept = kept[1:]  # which lengths may give, cells at each step
    if any(kept):
        raise ConversionError(f"the operator {op_type} gives no gates")
    if x.dtype.is_half:
        raise ConversionError(f"ONNX Runtime computes {op_type} in float32 and float64")
    assert recurrent.type is not None
    units = recurrent.type.dims[0]
    if not isinstance(units, int):
        raise ConversionError(f"the operator {op_type} needs a number of units that is known")
    within = None if to.instruction is None else _lengths(to, to.instruction, len(types))
    lengths = None if within is None else to.known(within)
    if lengths is None and any(to.taken[len(types) :]):
        raise ConversionError(f"the operator {op_type} gives the last cell alone")
    if lengths is not None and x in to.masked and to.masked[x][0] is lengths:
        x = to.masked[x][1]
    dims = types[0].dims
    starts = [None if _is_zero(to, one) else to.unsqueeze(one, [0]) for one in states]
    seen = [] if peepholes is None else [to.unsqueeze(_reordered(to, peepholes, units, _PEEPHOLE_ORDER), [0])]
    outputs = to.several(
        op_type,
        x,
        *(to.unsqueeze(_by_gates(to, one, units, order), [0]) for one in (kernel, recurrent)),
        to.unsqueeze(_biases(to, biases, units, order), [0]),
        None if lengths is None else _no_longer(to, lengths, dims[0]),
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
    results: list[Value | None] = [to.squeeze(one, [1 if index == 0 else 0]) for index, one in enumerate(outputs)]
    if lengths is None:
        return results
    every, *last = results
    if op_type == "LSTM":
        results.append(Value(types[0], "cells"))
    for sequence, state in zip([every, *results[len(types) :]], last, strict=True):
        if sequence is not None and state is not None:
            to.walked[sequence] = lengths, state
    return results


def _no_longer(to: Builder, lengths: Value, time: Dim) -> Value:
    """Return lengths as the operators take them: of 32 bits, and none beyond the last step."""
    shape = None if lengths.type is None else lengths.type.shape
    least = to.node("Min", to.cast(lengths, dt.int64, shape), to.size(time))
    return to.cast(least, dt.int32, shape)


def _lengths(to: Builder, instruction: Instruction, states: int) -> ProgramValue | None:
    """Return the lengths within which all looks that takes the sequences, if it is so.

    A further walk along them looks no further than what takes its own.
    """
    wanted: set[Any] = set()
    for index, value in enumerate(instruction.outputs):
        for one in to.takers(value):
            if one is None or 0 < index < states:  # the state after steps beyond the lengths
                return None
            found = find_converter(type(one.op), to.opset)
            if found in (_within, _last_within):
                wanted.add(one.inputs[-1])
            elif found in _STATES and value not in one.inputs[1:]:
                wanted.add(_lengths(to, one, _STATES[found]))
            else:
                return None
    return wanted.pop() if len(wanted) == 1 else None


@converter_of("dovetail_layers", "WithinLengths")
def _within(to: Builder, op: CompositeOp, x: Value, lengths: Value) -> Value:
    """Nothing, after an operator that took the lengths."""
    if x in to.walked and to.walked[x][0] is lengths:
        return to.node("Identity", x, type=x.type)
    assert x.type is not None
    time, *rest = x.type.dims[0], *range(len(x.type.dims) - 2)
    steps = to.node("Range", to.constant(0), to.squeeze(to.size(time), [0]), to.constant(1))
    mask = to.node("Less", to.unsqueeze(steps, [1]), to.cast(lengths, dt.int64))
    mask = to.unsqueeze(mask, [axis + 2 for axis in rest])
    result = to.node("Where", mask, x, to.constant(0, x.dtype), type=x.type)
    to.masked[result] = lengths, x
    return result


@converter_of("dovetail_layers", "LastWithinLengths")
def _last_within(to: Builder, op: CompositeOp, first: Value, after: Value, lengths: Value) -> Value:
    """The last state that an operator gives which took the lengths."""
    if after in to.walked and to.walked[after][0] is lengths:
        return to.node("Identity", to.walked[after][1], type=to.types[0])
    raise ConversionError("no operator gives the states after each step")


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


@converter_of("", "ReverseSequence")
def _reverse_sequence(to: Builder, op: CompositeOp, x: Value, lengths: Value) -> Value:
    """The operator, where steps and sequences are the first two axes."""
    assert x.type is not None
    attributes, rank = op.attributes(), len(x.type.dims)
    along, batch = attributes["seq_axis"] % rank, attributes["batch_axis"] % rank
    if {along, batch} != {0, 1}:
        raise ConversionError("the operator ReverseSequence takes the first two axes")
    return to.node("ReverseSequence", x, to.cast(lengths, dt.int64), time_axis=along, batch_axis=batch, type=x.type)


_STATES: Final[dict[Any, int]] = {_lstm: 3, _gru: 2, _peephole_lstm: 3, _gru_reset_before: 2, _simple_rnn: 2}
"""How many outputs the operations have that the operators have as well: sequences and last states."""
