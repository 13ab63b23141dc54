"""Dropout: what drops elements at random and scales the others becomes the operator."""

from __future__ import annotations

import numpy as np

import dovetail as dt
from dovetail.extend import Shape, TensorType
from dovetail_io.onnx.model import Graph, Node, Value
from dovetail_io.onnx.passes.prune import prune

__all__ = ["join_dropout"]


def join_dropout(graph: Graph) -> None:
    """Join ``x / (1 - rate) * Cast(uniform >= rate)``, where each element is dropped or kept by itself."""
    makers = {value: node for node in graph.nodes for value in node.outputs}
    changed = [_joined(makers, node) or node for node in graph.nodes]
    if changed != graph.nodes:
        graph.nodes = changed
        prune(graph)


def _joined(makers: dict[Value, Node], node: Node) -> Node | None:
    if node.op_type != "Mul" or node.domain:
        return None
    scaled, mask = _maker(makers, node.inputs[0], "Div"), _maker(makers, node.inputs[1], "Cast")
    compared = None if mask is None else _maker(makers, mask.inputs[0], "GreaterOrEqual")
    if scaled is None or compared is None:
        return None
    drawn, rate, kept = compared.inputs[0], _number(compared.inputs[1]), _number(scaled.inputs[1])
    cast = _maker(makers, drawn, "Cast")  # numbers of half types are drawn as float32
    source = _maker(makers, drawn if cast is None else cast.inputs[0], "RandomUniform", "RandomUniformLike")
    if source is None or rate is None or kept is None:
        return None
    x = scaled.inputs[0]
    if x is None or drawn is None or x.type is None or drawn.type != x.type or not np.isclose(1.0 - rate, kept, 1e-2):
        return None
    numbers = [np.asarray(rate, x.dtype.numpy), np.asarray(True)]
    constants = [Value(TensorType(dt.as_dtype(one.dtype), Shape(())), "constant", one) for one in numbers]
    return node.changed([x, *constants], node.outputs, {}, "Dropout")


def _maker(makers: dict[Value, Node], value: Value | None, *op_types: str) -> Node | None:
    """Return the node that makes a value, if it is of these operators."""
    node = None if value is None else makers.get(value)
    return node if node is not None and node.op_type in op_types and not node.domain else None


def _number(value: Value | None) -> float | None:
    return None if value is None or value.array is None or value.array.size != 1 else float(value.array.item())
