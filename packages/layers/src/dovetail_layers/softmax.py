"""Softmax, its logarithm, and the one with zeros."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.extend import Array, composite

__all__ = ["log_softmax", "softmax", "sparsemax", "stable_log_softmax"]


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Vectors, batches of them, another axis, and scores far from zero."""
    yield (rng.normal(size=5),)
    yield (rng.normal(size=(2, 3)),)
    yield rng.normal(size=(2, 3, 2)), {"axis": 1}
    far: Array = rng.normal(size=(2, 3)) + 1000.0
    yield (far,)


def _shifted(logits: Tensor, axis: int) -> Tensor:
    """Scores less their maximum, which is no part of the result and so of no gradient."""
    return logits - dt.stop_gradient(dt.reduce_max(logits, axis, keepdims=True))


def stable_log_softmax(logits: Tensor, axis: int) -> Tensor:
    """Return the operations of ``log_softmax``, for other decompositions."""
    shifted = _shifted(logits, axis)
    return shifted - dt.log(dt.reduce_sum(dt.exp(shifted), axis, keepdims=True))


def _softmax_gradient(op: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Any) -> Sequence[Tensor]:
    """From the output alone, so that exponentials and sums are not kept."""
    weighted = outputs[0] * grads[0]
    return [weighted - outputs[0] * dt.reduce_sum(weighted, op.axis, keepdims=True)]


def _log_softmax_gradient(op: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Any) -> Sequence[Tensor]:
    """From the output alone."""
    return [grads[0] - dt.exp(outputs[0]) * dt.reduce_sum(grads[0], op.axis, keepdims=True)]


@composite(name="Softmax", samples=_samples, gradient=_softmax_gradient)
def _softmax(logits: Tensor, *, axis: int = -1) -> Tensor:
    """``exp(logits) / sum(exp(logits))`` along an axis."""
    exponentials = dt.exp(_shifted(logits, axis))
    return exponentials / dt.reduce_sum(exponentials, axis, keepdims=True)


@composite(name="LogSoftmax", samples=_samples, gradient=_log_softmax_gradient)
def _log_softmax(logits: Tensor, *, axis: int = -1) -> Tensor:
    """``logits - log(sum(exp(logits)))`` along an axis."""
    return stable_log_softmax(logits, axis)


def _sparse_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Vectors of several sizes, another axis."""
    yield (rng.normal(size=5),)
    yield (rng.normal(size=(3, 4)),)
    yield rng.normal(size=(2, 3, 2)), {"axis": 1}


def _sparsemax_gradient(op: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Any) -> Sequence[Tensor]:
    """What is above zero moves together, so that the sum stays (Martins and Astudillo, 2016, section 2.5)."""
    present = dt.cast(outputs[0] > 0.0, outputs[0].dtype)
    count = dt.reduce_sum(present, op.axis, keepdims=True)
    return [present * (grads[0] - dt.reduce_sum(present * grads[0], op.axis, keepdims=True) / count)]


@composite(name="Sparsemax", samples=_sparse_samples, gradient=_sparsemax_gradient)
def _sparsemax(logits: Tensor, *, axis: int = -1) -> Tensor:
    """The point nearest to ``logits`` whose parts are not negative and add up to 1."""
    scores = logits - dt.reduce_max(logits, axis, keepdims=True)
    # Scores above the threshold are the first in descending order; with the i-th, 1 + i * score exceeds their sum.
    falling = dt.sort(scores, axis, "DESCENDING")
    places = dt.cumsum(dt.ones_like(falling), axis)
    present = dt.cast(1.0 + places * falling > dt.cumsum(falling, axis), logits.dtype)
    count = dt.reduce_sum(present, axis, keepdims=True)
    threshold = (dt.reduce_sum(present * falling, axis, keepdims=True) - 1.0) / count
    return dt.relu(scores - threshold)


def softmax(logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """Return ``exp(logits) / sum(exp(logits))``, without overflow.

    Args:
        logits: a floating tensor of rank 1 or more.
        axis: the axis of the sum, the last by default.
        name: name of the node.
        dim: another name of ``axis``.

    Returns:
        A tensor of the same type, positive, with sums of 1 along the axis.

    Raises:
        DTypeError: ``logits`` is not floating.
        ShapeError: there is no such axis.

    Example:
        >>> dt.Session().run(dt.nn.softmax([0.0, 0.0]))
        array([0.5, 0.5], dtype=float32)
    """
    result: Tensor = _softmax(_floating("softmax", logits), axis=one_axis("softmax", axis, dim), name=name)
    return result


def log_softmax(logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """Return ``log(softmax(logits))``, without overflow.

    Args:
        logits: a floating tensor of rank 1 or more.
        axis: the axis of the sum, the last by default.
        name: name of the node.
        dim: another name of ``axis``.

    Returns:
        A tensor of the same type.

    Raises:
        DTypeError: ``logits`` is not floating.
        ShapeError: there is no such axis.

    Example:
        >>> dt.Session().run(dt.nn.log_softmax([0.0, 0.0]))
        array([-0.6931472, -0.6931472], dtype=float32)
    """
    result: Tensor = _log_softmax(_floating("log_softmax", logits), axis=one_axis("log_softmax", axis, dim), name=name)
    return result


def sparsemax(logits: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """Return the probabilities nearest to ``logits``, many of which are 0 (Martins and Astudillo, 2016).

    Args:
        logits: a floating tensor of rank 1 or more.
        axis: the axis of the sum.
        name: name of the node.

    Returns:
        A tensor of the same type, not negative, with sums of 1 along the axis.

    Raises:
        DTypeError: ``logits`` is not floating.
        ShapeError: there is no such axis.

    Example:
        >>> dt.Session().run(dt.nn.sparsemax([1.0, 0.5, -1.0]))
        array([0.75, 0.25, 0.  ], dtype=float32)
    """
    result: Tensor = _sparsemax(_floating("sparsemax", logits), axis=int(axis), name=name)
    return result


def one_axis(operation: str, axis: int | None, dim: int | None) -> int:
    """Return the axis that is given under one of two names, the last by default.

    Raises:
        InvalidArgumentError: it is given under both.
    """
    if axis is not None and dim is not None:
        raise InvalidArgumentError(f"{operation}: axis and dim are both given; dim is the old name of axis, give one.")
    chosen = axis if axis is not None else dim
    return -1 if chosen is None else int(chosen)


def _floating(operation: str, logits: Any) -> Tensor:
    tensor = dt.convert_to_tensor(logits)
    if not tensor.dtype.is_floating:
        raise DTypeError(f"{operation}: the logits are {tensor.type}, where a floating type is wanted; use dt.cast.")
    return tensor
