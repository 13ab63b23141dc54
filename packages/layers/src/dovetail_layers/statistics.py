"""Counts, sums and weighted moments of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dovetail as dt
from dovetail import Tensor

__all__ = ["normalize_moments", "sufficient_statistics", "weighted_moments", "zero_fraction"]


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """Return which part of the elements is zero, a float32 scalar; NaN where there is no element.

    Args:
        value: numbers.
        name: scope of the nodes.

    Example:
        >>> dt.Session().run(dt.nn.zero_fraction([0.0, 3.0, 0.0, 0.0]))
        np.float32(0.75)
    """
    with dt.name_scope(name or "zero_fraction"):
        x = dt.convert_to_tensor(value)
        zeros = dt.cast(dt.equal(x, dt.zeros_like(x)), dt.float32)
        result: Tensor = dt.reduce_sum(zeros) / dt.cast(dt.size(x), dt.float32)
        return result


def sufficient_statistics(
    x: Any,
    axes: Sequence[int] | int,
    shift: Any = None,
    keep_dims: bool | None = None,
    name: str | None = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Return what moments are made of, for `normalize_moments`: it can be added up over parts of the data.

    Args:
        x: a floating tensor.
        axes: the axes to sum over.
        shift: a number near the mean, or a tensor that broadcasts to ``x``, which makes the sums of squares more
            precise; none unless given.
        keep_dims: another name of ``keepdims``.
        name: scope of the nodes.
        keepdims: whether the axes stay, with size 1.

    Returns:
        The number of elements of each sum, the sum of ``x - shift``, that of its squares, and the shift.

    Raises:
        ShapeError: there is no such axis.
        DTypeError: ``x`` is not floating.

    Example:
        >>> count, total, squares, shift = dt.nn.sufficient_statistics([[1.0, 2.0], [3.0, 4.0]], [0])
        >>> dt.Session().run([count, total, squares])
        [np.float32(2.0), array([4., 6.], dtype=float32), array([10., 20.], dtype=float32)]
    """
    keep = bool(keepdims if keepdims is not None else keep_dims)
    with dt.name_scope(name or "sufficient_statistics"):
        tensor = dt.convert_to_tensor(x)
        offset = None if shift is None else dt.convert_to_tensor(shift, tensor.dtype)
        distance = tensor if offset is None else tensor - offset
        total = dt.reduce_sum(distance, axes, keepdims=keep, name="mean_ss")
        squares = dt.reduce_sum(dt.square(distance), axes, keepdims=keep, name="var_ss")
        count = dt.cast(dt.size(tensor), tensor.dtype) / dt.cast(dt.size(total), tensor.dtype)
        return count, total, squares, offset


def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Return mean and variance from what `sufficient_statistics` gave.

    Args:
        counts: the number of elements of each sum.
        mean_ss: the sum of the elements, less the shift.
        variance_ss: the sum of their squares.
        shift: what was subtracted from each element, or ``None``.
        name: scope of the nodes.

    Example:
        >>> statistics = dt.nn.sufficient_statistics([1.0, 3.0], [0], shift=2.0)
        >>> dt.Session().run(dt.nn.normalize_moments(*statistics))
        (np.float32(2.0), np.float32(1.0))
    """
    with dt.name_scope(name or "normalize"):
        total = dt.convert_to_tensor(mean_ss)
        count = dt.cast(counts, total.dtype)
        mean = total / count
        variance = dt.convert_to_tensor(variance_ss) / count - dt.square(mean)
        return (mean if shift is None else mean + shift), variance


def weighted_moments(
    x: Any,
    axes: Sequence[int] | int,
    frequency_weights: Any,
    name: str | None = None,
    keep_dims: bool | None = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor]:
    """Return mean and variance over axes, where elements count as often as their weights say.

    Args:
        x: a floating tensor.
        axes: the axes to average over.
        frequency_weights: numbers that broadcast to ``x``.
        name: scope of the nodes.
        keep_dims: another name of ``keepdims``.
        keepdims: whether the axes stay, with size 1.

    Raises:
        ShapeError: there is no such axis, or the weights do not broadcast.
        DTypeError: ``x`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.weighted_moments([1.0, 3.0], [0], [3.0, 1.0]))
        (np.float32(1.5), np.float32(0.75))
    """
    keep = bool(keepdims if keepdims is not None else keep_dims)
    with dt.name_scope(name or "weighted_moments"):
        tensor = dt.convert_to_tensor(x)
        weights = dt.cast(frequency_weights, tensor.dtype) + dt.zeros_like(tensor)
        count = dt.reduce_sum(weights, axes, keepdims=True)
        mean = dt.reduce_sum(weights * tensor, axes, keepdims=True) / count
        squares = dt.reduce_sum(weights * dt.squared_difference(tensor, mean), axes, keepdims=True)
        variance = squares / count
        if not keep:
            mean, variance = dt.squeeze(mean, axes), dt.squeeze(variance, axes)
        return mean, variance
