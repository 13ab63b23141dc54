"""The arguments of an export: which tensors are meant, what they may be, and what the outputs need of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

import dovetail as dt
from dovetail.errors import InvalidArgumentError, MissingFeedError
from dovetail.extend import Array, Feed, Program, Shape, Symbol, TensorType, definitions, needed_operations

__all__ = [
    "Tensors",
    "check_names",
    "check_used",
    "constant_feeds",
    "input_types",
    "named",
    "other_placeholders",
    "sample_arrays",
    "type_of",
]

Tensors: TypeAlias = Any
"""A tensor, its name, or several: a list, or a dict with the names that they are to have in the model."""


def named(session: dt.Session, tensors: Tensors, what: str) -> dict[dt.Tensor, str]:
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
                f"export_onnx: {what} hold {tensor.name!r} as {label!r}, where a tensor or name may stand once only."
            )
        result[tensor] = label
    if not result and what == "outputs":
        raise InvalidArgumentError("export_onnx: outputs is empty; give at least one tensor.")
    return result


def check_names(taken: Mapping[dt.Tensor, str], given: Mapping[dt.Tensor, str]) -> None:
    """Make sure that no output has the name of an input.

    Raises:
        InvalidArgumentError: one has.
    """
    for label in given.values():
        if label in taken.values():
            raise InvalidArgumentError(
                f"export_onnx: {label!r} names both an input and an output; give a dict of names to outputs."
            )


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


def sample_arrays(session: dt.Session, taken: Mapping[dt.Tensor, str], samples: Mapping[Any, Any]) -> dict[str, Array]:
    """Return arrays to compare on by the names of inputs.

    Raises:
        InvalidArgumentError: one is for something else than an input.
        FeedError: one does not fit its input.
    """
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


def constant_feeds(
    session: dt.Session, feeds: Mapping[Any, Any], taken: Mapping[dt.Tensor, str]
) -> dict[dt.Tensor, Array]:
    """Return values of tensors that become constants.

    Raises:
        InvalidArgumentError: one is for an input.
        FeedError: one does not fit its tensor.
    """
    result = {}
    for key, value in feeds.items():
        tensor = _tensor(session, key, "feeds")
        if tensor in taken:
            raise InvalidArgumentError(
                f"export_onnx: {tensor.name!r} is both an input and in feeds; leave it out of one."
            )
        result[tensor] = _fed(session, tensor, value)
    return result


def _fed(session: dt.Session, tensor: dt.Tensor, value: Any) -> Array:
    """Return a value as the session would feed it, checked."""
    return np.asarray(session.run(tensor, {tensor: value}), tensor.dtype.numpy)


def type_of(array: Array) -> TensorType:
    """Return the type of an array."""
    return TensorType(dt.as_dtype(array.dtype), Shape(array.shape))


def input_types(taken: Mapping[dt.Tensor, str]) -> dict[dt.Tensor, TensorType]:
    """Return the types of the inputs, in which every open size is a symbol of its own name."""
    for tensor in taken:
        if tensor.shape.rank is None:
            raise InvalidArgumentError(
                f'export_onnx: the rank of input "{tensor.name}" is unknown; give the placeholder a shape, or call '
                f"set_shape. {tensor.op.where()}"
            )
    plain = {dim for tensor in taken for dim in tensor.shape.dims if isinstance(dim, Symbol)}
    made: dict[Any, Symbol] = {}

    def settled(dim: Any) -> Any:
        if isinstance(dim, int | Symbol) or Shape([dim]).symbols <= plain:
            return dim
        return made.setdefault(dim, Symbol(f"size_{len(made)}"))

    return {tensor: TensorType(tensor.dtype, Shape([settled(dim) for dim in tensor.shape.dims])) for tensor in taken}


def other_placeholders(given: Iterable[dt.Tensor], known: Mapping[dt.Tensor, Feed]) -> dict[dt.Tensor, Feed]:
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
        f"Add them to inputs; or give one that is a constant of the model by feeds, as in feeds={{is_training: False}} "
        f"or --feed is_training=false."
    )


def check_used(program: Program, taken: Mapping[dt.Tensor, str]) -> None:
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
