"""Graphs as TensorBoard draws them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import dovetail as dt
from dovetail.extend import ArrayAttribute, DType, Op, Shape, Subgraph, TensorType, definitions
from dovetail_train.summary.protobufs import protobuf

__all__ = ["graph_def_of"]

_CONSTANT: Final = "Const"  # which TensorBoard draws small, beside what takes it
_DEVICE: Final = "/device:CPU:0"  # of operations for which no device is asked
_LONGEST: Final = 1024
_TYPES: Final = {
    dt.float16: "DT_HALF",
    dt.bfloat16: "DT_BFLOAT16",
    dt.float32: "DT_FLOAT",
    dt.float64: "DT_DOUBLE",
    dt.int8: "DT_INT8",
    dt.int16: "DT_INT16",
    dt.int32: "DT_INT32",
    dt.int64: "DT_INT64",
    dt.uint8: "DT_UINT8",
    dt.uint16: "DT_UINT16",
    dt.uint32: "DT_UINT32",
    dt.uint64: "DT_UINT64",
    dt.complex64: "DT_COMPLEX64",
    dt.complex128: "DT_COMPLEX128",
    dt.bool: "DT_BOOL",
    dt.string: "DT_STRING",
}


def graph_def_of(graph: dt.Graph) -> Any:
    """Return a message ``GraphDef``: nodes with their inputs, devices, shapes and attributes.

    Bodies of control flow stand in scopes below the operation that runs them; what goes into them leads there, and what
    comes out of them leads to the operation, as a control dependency.
    """
    message = protobuf("graph").GraphDef()
    message.versions.producer = 22
    _add(message, graph, lambda name: name, {})
    return message


def _add(message: Any, graph: dt.Graph, rename: Callable[[str], str], given: dict[dt.Tensor, str]) -> None:
    """Add the nodes of a graph, or of a body whose arguments are the inputs that ``given`` names."""
    for op in graph.get_operations():
        node = message.node.add(name=rename(op.name), device=op.device or _DEVICE, op=_type(op.definition))
        if op.outputs and op.outputs[0] in given:
            node.input.append(given[op.outputs[0]])
        node.input.extend(_input(tensor, rename) for tensor in op.inputs)
        for attribute, body in _bodies(op.definition):
            node.input.extend(_add_body(message, op, attribute, body, rename))
        node.input.extend(f"^{rename(other.name)}" for other in op.control_inputs)
        _describe(node, op)


def _add_body(
    message: Any, op: dt.Operation, attribute: str, body: Subgraph, rename: Callable[[str], str]
) -> list[str]:
    """Add the nodes of a body in a scope of the operation; returns what the operation waits for."""

    def inside(name: str) -> str:
        return f"{rename(op.name)}/{attribute}/{name.removeprefix(f'{body.graph.prefix}/')}"

    # A body takes the last inputs of its operation last; before them may be the index of an iteration.
    count = min(len(body.inputs), len(op.inputs))
    pairs = zip(body.inputs[len(body.inputs) - count :], op.inputs[len(op.inputs) - count :], strict=True)
    _add(message, body.graph, inside, {inner: _input(outer, rename) for inner, outer in pairs})
    return list(dict.fromkeys(f"^{inside(tensor.op.name)}" for tensor in body.outputs))


def _bodies(definition: Op) -> list[tuple[str, Subgraph]]:
    return [(name, value) for name, value in definition.attributes().items() if isinstance(value, Subgraph)]


def _type(definition: Op) -> str:
    return _CONSTANT if isinstance(definition, definitions.Constant) else definition.name


def _input(tensor: dt.Tensor, rename: Callable[[str], str]) -> str:
    name = rename(tensor.op.name)
    return f"{name}:{tensor.value_index}" if tensor.value_index else name


def _describe(node: Any, op: dt.Operation) -> None:
    """Add what TensorBoard shows of a node: the types of its outputs, its attributes, the user's line."""
    shapes = node.attr["_output_shapes"].list
    for tensor in op.outputs:
        _fill_shape(shapes.shape.add(), tensor.type.shape)
    if op.outputs:
        node.attr["dtype"].type = _enum(op.outputs[0].dtype)
    for name, value in op.definition.attributes().items():
        if not isinstance(value, Subgraph):
            _fill(node.attr[name], value)
    node.attr["source"].s = str(op.source).encode()


def _enum(dtype: DType) -> int:
    number: int = protobuf("types").DataType.Value(_TYPES[dtype])
    return number


def _fill_shape(message: Any, shape: Shape) -> None:
    if shape.rank is None:
        message.unknown_rank = True
        return
    for dim in shape.dims:
        message.dim.add(size=dim if isinstance(dim, int) else -1, name="" if isinstance(dim, int) else str(dim))


def _fill(message: Any, value: Any) -> None:
    if isinstance(value, bool):
        message.b = value
    elif isinstance(value, int) and abs(value) < 1 << 62:
        message.i = value
    elif isinstance(value, float):
        message.f = value
    elif isinstance(value, DType):
        message.type = _enum(value)
    elif isinstance(value, Shape):
        _fill_shape(message.shape, value)
    elif isinstance(value, TensorType):
        _fill_shape(message.shape, value.shape)
    elif isinstance(value, ArrayAttribute):
        message.s = str(value).encode()[:_LONGEST]
    else:
        message.s = (value if isinstance(value, bytes) else str(value).encode())[:_LONGEST]
