"""``export_onnx``: a graph and a session's weights as an ONNX model that has been compared with them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail.errors import InvalidArgumentError, MissingFeedError, UnsupportedOperationError
from dovetail.extend import Array, Feed, Program, Shape, Symbol, TensorType, definitions, lower, needed_operations, optimize
from dovetail_io.onnx.check import check_model
from dovetail_io.onnx.convert import Conversion
from dovetail_io.onnx.packages import load_onnx
from dovetail_io.onnx.passes import improve
from dovetail_io.onnx.report import ExportReport
from dovetail_io.onnx.serialize import model_proto
from dovetail_io.onnx.units import Wanted
from dovetail_io.onnx.verify import Case, Verification, cases, compare
from dovetail_io.onnx.write import EXTERNAL_LIMIT, weight_bytes, write_model, write_with_data

__all__ = ["export_onnx"]

OPSETS: Final = range(18, 26)
_FIRST_PARTY: Final = "dovetail-layers"

Tensors = Any
"""A tensor, its name, or several: a list, or a dict with the names that they are to have in the model."""


def export_onnx(
    session: dt.Session,
    inputs: Tensors,
    outputs: Tensors,
    path: str | os.PathLike[str],
    *,
    opset: int = 21,
    verify: bool = True,
    sample_inputs: Mapping[Any, Any] | None = None,
    feeds: Mapping[Any, Any] | None = None,
    functions: bool | None = None,
    fold_batch_norm: bool = False,
    name: str = "dovetail",
    metadata: Mapping[str, str] | None = None,
) -> ExportReport:
    """Write what ``outputs`` compute of ``inputs``, with the weights that the session holds, as an ONNX model.

    Sizes that the graph leaves open stay open: a placeholder of shape ``["batch", 28]`` becomes an input of shape
    ``[batch, 28]``. Images keep their channels last at the model's inputs and outputs; inside they are transposed once, filters
    and the weights after ``flatten`` at export. Variables become initializers of their names.

    Before anything is written, everything that cannot be exported is listed with its line. The model then passes ONNX's full
    check and strict shape inference, is run by ONNX Runtime at three sizes of every open dimension, and is compared with the
    session. The file appears whole or not at all.

    Args:
        session: holds the variables; they must be initialized.
        inputs: tensors that the model takes, of known rank: placeholders, or any others. As a dict, with their names in the model.
        outputs: tensors that the model gives.
        path: the file. Above 1.8 GB of weights, these are in a file beside it, which has the ending ``.data``.
        opset: the version of ONNX's operators, from 18 to 25.
        verify: whether to compare with the session. A float32 output may differ by 1e-4 of its largest element.
        sample_inputs: arrays to compare on, by input; random numbers by default. They are cut or repeated to other sizes.
        feeds: values of other tensors that become constants, such as ``{is_training: False}``.
        functions: whether layers are functions of the model, with their weights as inputs. By default those of third parties
            are, since their names say what no operator does, and those of dovetail-layers are not: their operators are the
            standard's own, runtimes look for patterns of these, and transpositions cancel only where no function ends.
            ``True`` makes functions of all layers, ``False`` of none.
        fold_batch_norm: whether batch normalisation is folded into the convolution before it; that is faster, but the model can
            then not be trained on.
        name: the name of the model's graph.
        metadata: what the model says of itself, such as class labels.

    Returns:
        What was written, and how large the largest difference was.

    Raises:
        UnsupportedOperationError: operations cannot be exported; all are listed.
        MissingFeedError: a placeholder is needed that is neither among ``inputs`` nor ``feeds``.
        InvalidArgumentError: an input is unknown, used by no output, or of unknown rank; a version is out of range.
        UninitializedVariableError: a variable has no value.
        ExportError: the model does not do what the graph does. Nothing is written.
        PluginError: the package onnx is not installed.

    Example:
        >>> x = dt.placeholder(dt.float32, ["batch", 2], name="x")
        >>> y = dt.nn.softmax(x, name="y")
        >>> dt.io.export_onnx(dt.Session(), [x], [y], "softmax.onnx")
        ExportReport("softmax.onnx", opset 21: x float32[batch, 2] -> y float32[batch, 2]; ...)
    """
    onnx = load_onnx()
    newest = min(OPSETS[-1], onnx.defs.onnx_opset_version())
    if opset not in OPSETS or opset > newest:
        raise InvalidArgumentError(f"export_onnx: opset is {opset!r}; use one from {OPSETS[0]} to {newest}.")
    taken, given = _named(session, inputs, "inputs"), _named(session, outputs, "outputs")
    samples = _samples(session, taken, sample_inputs or {})
    constants = _constants(session, feeds or {}, taken)
    types = _input_types(taken)
    known = {tensor: Feed(types[tensor]) for tensor in taken}
    known.update({tensor: Feed(_type_of(array), array) for tensor, array in constants.items()})
    others = _other_placeholders(given, known)

    conversion = Conversion(opset, _wanted(functions))
    program = optimize(lower(session.graph, list(given), (), known | others), conversion.keeps)
    _check_used(program, taken)
    graph = conversion.graph(program, taken, _variables(session, program))
    if conversion.problems:
        raise UnsupportedOperationError(_listing(conversion))
    improve(graph, fold_batch_norm=fold_batch_norm)

    names = dict(zip(graph.inputs, taken.values(), strict=True))
    model = model_proto(graph, names, given.values(), opset, name, metadata or {})
    chosen: list[Case] = []
    if verify:
        by_name = {label: types[tensor] for tensor, label in taken.items()}
        chosen = cases(by_name, [constraint for constraint, _ in program.constraints], samples)

    def run(arrays: Mapping[str, Array]) -> Sequence[Any]:
        results = session.run(list(given), {**constants, **{tensor: arrays[label] for tensor, label in taken.items()}})
        return [np.asarray(one, tensor.dtype.numpy) for one, tensor in zip(results, given, strict=True)]

    def examine(place: Path | None) -> Verification:
        check_model(model, place)
        if not verify:
            return Verification()
        lines = {node.name: node.doc_string for node in model.graph.node}
        return compare(model, place, run, list(given.values()), chosen, lines)

    target = Path(path)
    if weight_bytes(graph) > EXTERNAL_LIMIT:
        outcome = write_with_data(model, target, examine)
    else:
        outcome = examine(None)
        write_model(model, target)
    signature = [
        {label: value.type for label, value in zip(labels, values, strict=True) if value.type is not None}
        for labels, values in ((taken.values(), graph.inputs), (given.values(), graph.outputs))
    ]
    return ExportReport(target, opset, *signature, outcome)


def _wanted(functions: bool | None) -> Wanted:
    if functions is None:
        return lambda call: call.distribution not in ("", _FIRST_PARTY)
    return lambda call: functions


# Arguments. ----------------------------------------------------------------------------------------------------------


def _named(session: dt.Session, tensors: Tensors, what: str) -> dict[dt.Tensor, str]:
    """Return tensors with their names in the model."""
    if isinstance(tensors, Mapping):
        pairs = [(_tensor(session, one, what), str(label)) for label, one in tensors.items()]
    else:
        many = tensors if isinstance(tensors, list | tuple) else [tensors]
        found = [_tensor(session, one, what) for one in many]
        pairs = [(one, one.op.name if one.value_index == 0 else one.name.replace(":", "_")) for one in found]
    result: dict[dt.Tensor, str] = {}
    for tensor, label in pairs:
        if tensor in result or label in result.values():
            raise InvalidArgumentError(
                f"export_onnx: {what} hold {tensor.name!r} as {label!r}, but a tensor and a name may stand there once only."
            )
        result[tensor] = label
    if not result and what == "outputs":
        raise InvalidArgumentError("export_onnx: outputs is empty; give at least one tensor.")
    return result


def _tensor(session: dt.Session, value: Any, what: str) -> dt.Tensor:
    element = session.graph.as_graph_element(value)
    if isinstance(element, dt.Operation):
        if len(element.outputs) != 1:
            raise InvalidArgumentError(
                f"export_onnx: {what} hold the operation {element.name!r}, which makes {len(element.outputs)} tensors; "
                f"give a tensor, such as '{element.name}:0'."
            )
        return element.outputs[0]
    tensor: dt.Tensor = element
    return tensor


def _samples(session: dt.Session, taken: Mapping[dt.Tensor, str], samples: Mapping[Any, Any]) -> dict[str, Array]:
    by_label = {label: tensor for tensor, label in taken.items()}
    result = {}
    for key, value in samples.items():
        tensor = by_label[key] if isinstance(key, str) and key in by_label else _tensor(session, key, "sample_inputs")
        if tensor not in taken:
            raise InvalidArgumentError(
                f"export_onnx: sample_inputs hold {tensor.name!r}, which is none of the inputs: {', '.join(by_label)}."
            )
        result[taken[tensor]] = _fed(session, tensor, value)
    return result


def _constants(session: dt.Session, feeds: Mapping[Any, Any], taken: Mapping[dt.Tensor, str]) -> dict[dt.Tensor, Array]:
    result = {}
    for key, value in feeds.items():
        tensor = _tensor(session, key, "feeds")
        if tensor in taken:
            raise InvalidArgumentError(f"export_onnx: {tensor.name!r} is both an input and in feeds; leave it out of one.")
        result[tensor] = _fed(session, tensor, value)
    return result


def _fed(session: dt.Session, tensor: dt.Tensor, value: Any) -> Array:
    """Return a value as the session would feed it, checked."""
    return np.asarray(session.run(tensor, {tensor: value}), tensor.dtype.numpy)


def _type_of(array: Array) -> TensorType:
    return TensorType(dt.as_dtype(array.dtype), Shape(array.shape))


def _input_types(taken: Mapping[dt.Tensor, str]) -> dict[dt.Tensor, TensorType]:
    """Return the types of the inputs, in which every open size is a symbol of its own name."""
    for tensor in taken:
        if tensor.shape.rank is None:
            raise InvalidArgumentError(
                f'export_onnx: the rank of input "{tensor.name}" is unknown; give the placeholder a shape, or call set_shape. '
                f"{tensor.op.where()}"
            )
    plain = {dim for tensor in taken for dim in tensor.shape.dims if isinstance(dim, Symbol)}
    made: dict[Any, Symbol] = {}

    def settled(dim: Any) -> Any:
        if isinstance(dim, int | Symbol) or Shape([dim]).symbols <= plain:
            return dim
        return made.setdefault(dim, Symbol(f"size_{len(made)}"))

    return {tensor: TensorType(tensor.dtype, Shape([settled(dim) for dim in tensor.shape.dims])) for tensor in taken}


def _other_placeholders(given: Iterable[dt.Tensor], known: Mapping[dt.Tensor, Feed]) -> dict[dt.Tensor, Feed]:
    """Return the placeholders that the outputs are connected to besides; that they do not matter is seen only later."""
    found = [op for op in needed_operations(given, (), known) if isinstance(op.definition, definitions.Placeholder)]
    others = [op.outputs[0] for op in found if op.outputs[0] not in known]
    unranked = [tensor.op for tensor in others if tensor.shape.rank is None]
    if unranked:
        raise _missing(unranked)
    return {tensor: Feed(tensor.type) for tensor in others}


def _missing(operations: Iterable[Any]) -> MissingFeedError:
    listed = "".join(f'\n  "{op.name}" of type {op.outputs[0].type} {op.where()}' for op in operations)
    return MissingFeedError(
        f"export_onnx: the outputs need placeholders that are neither among inputs nor in feeds:{listed}\n"
        f"Add them to inputs; or give one that is a constant of the model by feeds, as in feeds={{is_training: False}}."
    )


def _check_used(program: Program, taken: Mapping[dt.Tensor, str]) -> None:
    """Make sure that the outputs depend on all inputs, and on no other placeholder; a size of it is enough."""
    uses = program.uses()
    sizes = frozenset[Symbol]().union(*(one.op.symbols for one in program.instructions))
    fed = [given for given in program.inputs if given.kind == "feed"]
    known = frozenset[Symbol]().union(*(one.value.type.shape.symbols for one in fed if one.key in taken))
    missing = []
    for given in fed:
        symbols = given.value.type.shape.symbols
        if given.key not in taken:
            if given.value in uses or not sizes.isdisjoint(symbols - known):
                missing.append(given.key.op)
        elif given.value not in uses and sizes.isdisjoint(symbols):
            raise InvalidArgumentError(
                f'export_onnx: no output depends on input "{taken[given.key]}"; leave it out. {given.origin.where()}'
            )
    if missing:
        raise _missing(missing)


def _variables(session: dt.Session, program: Program) -> dict[str, Array]:
    states = [given for given in program.inputs if given.kind == "state"]
    arrays = session.run([f"{given.key}:0" for given in states])
    return {
        given.key: np.asarray(array, given.value.type.dtype.numpy) for given, array in zip(states, arrays, strict=True)
    }


def _listing(conversion: Conversion) -> str:
    count = len(conversion.problems)
    lines = "".join(f"\n  {problem}" for problem in conversion.problems)
    return (
        f"export_onnx: {count} operation{'s cannot' if count > 1 else ' cannot'} be exported, so nothing was written:{lines}\n"
        f"Choose outputs that do not need them."
    )
