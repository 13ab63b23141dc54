"""Attention by scaled products (Vaswani et al., 2017)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, ShapeError
from dovetail.extend import composite
from dovetail_layers.softmax import softmax

__all__ = ["as_mask", "attention_weights", "scaled_dot_product_attention"]


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """With and without a mask, causal or not, other lengths of keys."""
    q, k, v = rng.normal(size=(2, 2, 3, 4)), rng.normal(size=(2, 2, 3, 4)), rng.normal(size=(2, 2, 3, 2))
    yield q, k, v, {"scale": 0.5, "causal": True}
    yield q, k[:, :, :2], v[:, :, :2], {"scale": 0.5}
    yield q, k, v, np.array([[True, False, True]]), {"scale": 0.25, "causal": True}


def attention_weights(query: Tensor, key: Tensor, mask: Tensor | None, scale: float, causal: bool) -> Tensor:
    """Return how much each query attends to each key: rows that are positive and sum to 1."""
    scores = dt.matmul(query * scale, key, transpose_b=True)
    if causal:
        rows, columns = dt.range(query.shape[-2]), dt.range(key.shape[-2])
        past = dt.less_equal(columns, dt.expand_dims(rows, 1))
        mask = past if mask is None else dt.logical_and(mask, past)
    if mask is not None:
        scores = dt.where(mask, scores, dt.constant(scores.dtype.min, scores.dtype))
    return softmax(scores)


@composite(name="ScaledDotProductAttention", samples=_samples)
def _attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, *, scale: float, causal: bool = False
) -> Tensor:
    """``softmax(scale * query @ keyᵀ) @ value``, the softmax over the keys that the mask and causality admit."""
    return dt.matmul(attention_weights(query, key, mask, scale, causal), value)


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    mask: Any = None,
    causal: bool = False,
    scale: float | None = None,
    name: str | None = None,
) -> Tensor:
    """Return ``softmax(scale * query @ keyᵀ) @ value``: for each query a mean of the values, by how near the keys are.

    Args:
        query: floating, of shape ``[..., queries, depth]``.
        key: of shape ``[..., keys, depth]``.
        value: of shape ``[..., keys, size]``.
        mask: truth values that broadcast to ``[..., queries, keys]``: which key a query may attend to. A query that may
            attend to none gets the mean of all values.
        causal: whether a query may only attend to keys at its own place and before.
        scale: what products are multiplied by; ``1 / sqrt(depth)`` by default.
        name: name of the node.

    Returns:
        A tensor of shape ``[..., queries, size]``.

    Raises:
        ShapeError: the shapes do not fit, or the depth is not known and no scale is given.
        DTypeError: the dtypes differ or are not floating, or the mask holds no truth values.

    Example:
        >>> query, key, value = dt.zeros([8, 4, 10, 16]), dt.zeros([8, 4, 12, 16]), dt.zeros([8, 4, 12, 32])
        >>> dt.nn.scaled_dot_product_attention(query, key, value).shape
        Shape([8, 4, 10, 32])
    """
    operands = [dt.convert_to_tensor(one) for one in (query, key, value)]
    for label, one in zip(("query", "key", "value"), operands, strict=True):
        if not one.dtype.is_floating:
            raise DTypeError(f"scaled_dot_product_attention: {label} is {one.type}, where a floating type is wanted.")
    if mask is not None:
        operands.append(as_mask("scaled_dot_product_attention", mask))
    if scale is None:
        depth = operands[0].shape[-1] if operands[0].shape.rank is not None else None
        if not isinstance(depth, int):
            raise ShapeError(
                f"scaled_dot_product_attention: query is {operands[0].type}, whose depth is not known; give scale."
            )
        scale = depth**-0.5
    result: Tensor = _attention(*operands, scale=float(scale), causal=bool(causal), name=name)
    return result


def as_mask(operation: str, mask: Any) -> Tensor:
    """Return a mask as a tensor.

    Raises:
        DTypeError: it holds no truth values.
    """
    tensor = dt.convert_to_tensor(mask)
    if not tensor.dtype.is_bool:
        raise DTypeError(f"{operation}: mask is {tensor.type}; give truth values, such as dt.sequence_mask makes.")
    return tensor
