"""Weighed sums of picked elements along an axis, and windows along one: what resizing images is made of.

The gradients are weighed sums too, of other picks: where the picks are known while the graph is built, they are
computed by gathering, and not by scattering.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Array, ArrayAttribute, composite

__all__ = ["as_dtype_on", "module_for", "numbered", "picked_windows", "weighed_picks"]


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Elements picked often, once and never; along each axis."""
    picks = np.array([[0, 2], [2, 2], [3, 0]], np.int32)
    for axis in (0, 1):
        weights = rng.normal(size=picks.shape).astype(np.float32)
        tables = {"picks": ArrayAttribute(picks), "weights": ArrayAttribute(weights)}
        yield rng.normal(size=(4, 5, 2)), {"axis": axis, **tables}


def _window_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Windows that overlap, and leave elements out; along each axis."""
    for axis in (0, 1):
        yield rng.normal(size=(5, 6, 2)), {"axis": axis, "picks": ArrayAttribute(np.array([[0, 1], [1, 2]], np.int32))}


def _gradient(op: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any]) -> list[Tensor]:
    """For each element the results that it is part of, with the same weights."""
    return [_gathered_back(grads[0], inputs[0], op.axis, op.picks.array, op.weights.array)]


def _window_gradient(
    op: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any]
) -> list[Tensor]:
    """For each element the places of windows where it stands."""
    x, axis, picks = inputs[0], op.axis, op.picks.array
    flat = dt.reshape(grads[0], [*x.shape.dims[:axis], picks.size, *x.shape.dims[axis + 1 :]])
    return [_gathered_back(flat, x, axis, picks.reshape(-1, 1), np.ones((picks.size, 1), np.float32))]


def _gathered_back(grad: Tensor, x: Tensor, axis: int, picks: Array, weights: Array) -> Tensor:
    """Return what comes back to each element of ``x``: none to those beyond the last pick."""
    size: Any = x.shape.dims[axis]
    picked = int(picks.max(initial=-1)) + 1
    found, shares = _transposed(picks, weights, picked)
    result: Tensor = _weighed_picks(grad, axis=axis, picks=ArrayAttribute(found), weights=ArrayAttribute(shares))
    if picked == size:
        return result
    return dt.pad(result, [(0, size - picked if one == axis else 0) for one in range(len(x.shape))])


def _transposed(picks: Array, weights: Array, size: int) -> tuple[Array, Array]:
    """Return in which rows each of ``size`` elements is picked, with what weight; shorter lists end in weights of 0."""
    rows, numbers = np.nonzero(weights)
    elements, kept = picks[rows, numbers], weights[rows, numbers]
    order = np.argsort(elements, kind="stable")
    counts = np.bincount(elements, minlength=size)
    begins = np.cumsum(counts) - counts
    places = np.arange(len(order)) - np.repeat(begins, counts)
    found = np.zeros((size, max(1, int(counts.max(initial=0)))), picks.dtype)
    shares = np.zeros(found.shape, weights.dtype)
    found[elements[order], places] = rows[order]
    shares[elements[order], places] = kept[order]
    return found, shares


@composite(name="WeighedPicks", samples=_samples, gradient=_gradient)
def _weighed_picks(x: Tensor, *, axis: int, picks: Any, weights: Any) -> Tensor:
    """The sum over k of the weights [n, k] times the elements that the picks [n, k] name along an axis."""
    return _summed(x, axis, dt.constant(picks.array), dt.constant(weights.array))


@composite(name="PickedWindows", samples=_window_samples, gradient=_window_gradient)
def _picked_windows(x: Tensor, *, axis: int, picks: Any) -> Tensor:
    """The elements that the picks [n, k] name along an axis, as two axes."""
    result: Tensor = dt.gather(x, dt.constant(picks.array), axis=axis)
    return result


def _summed(x: Tensor, axis: int, picks: Any, weights: Any) -> Tensor:
    trailing = [1] * (len(x.shape) - axis - 1)
    shares = dt.reshape(weights, [*weights.shape.dims, *trailing])
    result: Tensor = dt.reduce_sum(dt.gather(x, picks, axis=axis) * dt.cast(shares, x.dtype), axis + 1)
    return result


def weighed_picks(x: Tensor, axis: int, picks: Any, weights: Any) -> Tensor:
    """Return sums of elements picked along an axis.

    Args:
        x: floating.
        axis: which of its axes, not negative.
        picks: which elements, of shape ``[n, k]``: an array, or a tensor that a run computes.
        weights: what each is multiplied by, of the same shape and kind.

    Returns:
        A tensor like ``x``, with ``n`` elements along the axis.
    """
    if isinstance(picks, np.ndarray):
        result: Tensor = _weighed_picks(x, axis=axis, picks=ArrayAttribute(picks), weights=ArrayAttribute(weights))
        return result
    return _summed(x, axis, picks, weights)


def picked_windows(x: Tensor, axis: int, picks: Any) -> Tensor:
    """Return windows along an axis, which becomes two.

    Args:
        x: the tensor.
        axis: which of its axes, not negative.
        picks: the elements of each window, of shape ``[n, k]``: an array, or a tensor that a run computes.
    """
    result: Tensor
    if isinstance(picks, np.ndarray):
        result = _picked_windows(x, axis=axis, picks=ArrayAttribute(picks))
    else:
        result = dt.gather(x, picks, axis=axis)
    return result


def module_for(*sizes: Any) -> Any:
    """Return what computes picks and weights: NumPy where sizes are known, else Dovetail; functions have one name."""
    return np if all(isinstance(size, int) for size in sizes) else dt


def as_dtype_on(on: Any, values: Any, dtype: Any) -> Any:
    """Return numbers in a dtype, by whichever module computes."""
    return np.asarray(values).astype(dtype.numpy) if on is np else dt.cast(values, dtype)


def numbered(on: Any, count: Any, dtype: Any) -> Any:
    """Return 0, 1, … in a dtype, by whichever module computes."""
    return np.arange(count, dtype=dtype.numpy) if on is np else dt.cast(dt.range(count), dtype)
