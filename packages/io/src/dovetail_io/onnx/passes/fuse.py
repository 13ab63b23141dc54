"""Fuse: neighbours become one node.

A bias goes into the convolution or product before it, a transposition between images and a dense layer into its
weights, and on request batch normalisation into the convolution before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, final

import numpy as np

from dovetail.extend import Shape, TensorType
from dovetail_io.onnx.model import Graph, Node, Value
from dovetail_io.onnx.passes.prune import prune

__all__ = ["fuse"]


def fuse(graph: Graph, *, fold_batch_norm: bool = False) -> None:
    """Join nodes where nothing else takes what is between them."""
    rules: list[Callable[[_Graph, Node], Node | None]] = [_flattened, _whole, _biased]
    rules.append(_product)
    if fold_batch_norm:
        rules.append(_normalized)
    for rule in rules:
        view = _Graph(graph)
        changed = [(node, rule(view, node)) for node in graph.nodes]
        if any(new is not None for _, new in changed):
            graph.nodes = [new or node for node, new in changed]
            prune(graph)


@final
class _Graph:
    """Who makes each value, and how often it is taken."""

    def __init__(self, graph: Graph) -> None:
        self.producers = {value: node for node in graph.nodes for value in node.outputs}
        self.uses = graph.uses()

    def before(self, value: Value | None, *op_types: str) -> Node | None:
        """Return the node that makes a value which nothing else takes, if it is of these operators."""
        node = self.producers.get(value) if value is not None else None
        if node is None or node.domain or node.op_type not in op_types or value is None or self.uses.get(value) != 1:
            return None
        return node


def _constant(like: Value, array: Any, name: str = "") -> Value:
    array = np.ascontiguousarray(array)
    return Value(TensorType(like.dtype, Shape(array.shape)), name or like.name, array)


_PRODUCTS: Final = ("MatMul",)


def _flattened(view: _Graph, node: Node) -> Node | None:
    """``MatMul(Reshape(Transpose(x)), w)`` takes the rows of ``w`` in the order in which ``x`` has them."""
    if node.op_type not in _PRODUCTS or node.domain:
        return None
    x, weights = node.inputs[0], node.inputs[1]
    flat = view.before(x, "Reshape")
    turned = view.before(flat.inputs[0], "Transpose") if flat is not None else None
    if flat is None or turned is None or weights is None or weights.array is None or weights.array.ndim != 2:
        return None
    images, perm, type = turned.inputs[0], turned.attributes["perm"], turned.outputs[0].type
    if images is None or type is None or perm[0] != 0 or flat.outputs[0].rank != 2:
        return None
    inner = [dim for dim in type.dims[1:] if isinstance(dim, int)]
    if len(inner) < len(perm) - 1 or math.prod(inner) != weights.array.shape[0]:
        return None
    back = np.argsort(perm)[1:] - 1
    rows = weights.array.reshape(*inner, -1).transpose(*back, len(inner)).reshape(weights.array.shape)
    flat.inputs = (images, *flat.inputs[1:])
    return node.changed([x, _constant(weights, rows)], node.outputs)


def _whole(view: _Graph, node: Node) -> Node | None:
    """``Reshape(MatMul(Reshape(x), w))``, where rows are those of ``x`` itself: the product takes any rank."""
    if node.op_type != "Reshape" or node.domain:
        return None
    product = view.before(node.inputs[0], "MatMul")
    flat = view.producers.get(product.inputs[0]) if product is not None and product.inputs[0] is not None else None
    if product is None or flat is None or flat.op_type != "Reshape" or flat.domain:
        return None
    x, weights, result = flat.inputs[0], product.inputs[1], node.outputs[0]
    if x is None or x.type is None or result.type is None or weights is None or weights.rank != 2:
        return None
    if flat.outputs[0].rank != 2 or tuple(x.type.dims[:-1]) != tuple(result.type.dims[:-1]) or weights.type is None:
        return None
    if (*x.type.dims[-1:], *result.type.dims[-1:]) != tuple(weights.type.dims):
        return None
    return product.changed([x, weights], node.outputs)


def _per_channel(value: Value | None, rank: int) -> Any:
    """Return the elements of a constant that differ along axis 1 of ``rank`` at most, as a vector or scalar."""
    if value is None or value.array is None:
        return None
    shape = (1,) * (rank - value.array.ndim) + value.array.shape
    if len(shape) != rank or any(size != 1 for axis, size in enumerate(shape) if axis != 1):
        return None
    return value.array.reshape(-1)


def _biased(view: _Graph, node: Node) -> Node | None:
    """``Add(Conv(x, w), b)``: the convolution takes the bias."""
    if node.op_type != "Add" or node.domain:
        return None
    for value, other in (node.inputs, node.inputs[::-1]):
        before = view.before(value, "Conv", "ConvTranspose")
        if before is None or value is None or value.rank is None:
            continue
        bias = _per_channel(other, value.rank)
        channels = _channels(before)
        if bias is None or channels is None or other is None or (value.type != node.outputs[0].type):
            continue
        total = np.broadcast_to(bias, (channels,))
        known = before.inputs[2] if len(before.inputs) > 2 else None
        if known is not None:
            if known.array is None:
                continue
            total = total + known.array
        return before.changed([*before.inputs[:2], _constant(other, total)], node.outputs)
    return None


def _channels(conv: Node) -> int | None:
    weights = conv.inputs[1]
    if weights is None or weights.type is None:
        return None
    count = weights.type.dims[0]
    if conv.op_type == "ConvTranspose":
        count = weights.type.dims[1] * conv.attributes.get("group", 1)
    return count if isinstance(count, int) else None


def _product(view: _Graph, node: Node) -> Node | None:
    """``Add(MatMul(a, b), c)`` of matrices is a ``Gemm``, where ``c`` is a row of constants or weights."""
    if node.op_type != "Add" or node.domain or node.outputs[0].type is None or not node.outputs[0].dtype.is_floating:
        return None
    for value, other in (node.inputs, node.inputs[::-1]):
        before = view.before(value, "MatMul")
        if before is None or other is None or other.type is None or value is None:
            continue
        ranks = [one.rank for one in before.inputs if one is not None]
        if ranks == [2, 2] and len(other.type.dims) == 1 and value.type == node.outputs[0].type:
            return before.changed([*before.inputs, other], node.outputs, op_type="Gemm")
    return None


def _normalized(view: _Graph, node: Node) -> Node | None:
    """``BatchNormalization(Conv(x, w))`` scales the filters; the model can no longer be trained on as it was."""
    if node.op_type != "BatchNormalization" or node.domain or node.attributes.get("training_mode"):
        return None
    before = view.before(node.inputs[0], "Conv", "ConvTranspose", "Gemm", "MatMul")
    if before is None or (weights := before.inputs[1]) is None or weights.array is None:
        return None
    if before.op_type == "MatMul" and (weights.array.ndim != 2 or node.outputs[0].rank != 2):
        return None
    known = before.inputs[2] if len(before.inputs) > 2 else None
    arrays = [value.array if value is not None else None for value in node.inputs[1:]]
    if any(array is None for array in arrays) or (known is not None and known.array is None):
        return None
    scale, offset, mean, variance = (np.asarray(array, np.float64) for array in arrays)
    factor = scale / np.sqrt(variance + node.attributes["epsilon"])
    start = 0.0 if known is None or known.array is None else known.array.astype(np.float64)
    dtype = weights.array.dtype
    filters = (weights.array * _by_filter(before, weights.array, factor)).astype(dtype)
    bias = ((start - mean) * factor + offset).astype(dtype)
    assert node.inputs[2] is not None
    op_type = "Gemm" if before.op_type == "MatMul" else before.op_type
    inputs = [before.inputs[0], _constant(weights, filters), _constant(node.inputs[2], bias)]
    return before.changed(inputs, node.outputs, op_type=op_type)


def _by_filter(before: Node, weights: Any, factor: Any) -> Any:
    """Return a factor for each filter so that it broadcasts to the weights."""
    if before.op_type in ("Gemm", "MatMul"):
        return factor
    window = (1,) * (weights.ndim - 2)
    if before.op_type == "Conv":
        return factor.reshape(-1, 1, *window)
    groups = before.attributes.get("group", 1)  # [channels, filters of a group, *window], groups one after the other
    return np.repeat(factor.reshape(groups, -1), weights.shape[0] // groups, 0).reshape(*weights.shape[:2], *window)
