"""Counting by number: ``bincount``, histograms, ``confusion_matrix``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dovetail.errors import DTypeError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.arithmetic import add, clip_by_value, divide, floor, maximum, minimum, multiply, subtract
from dovetail.ops.casting import cast
from dovetail.ops.comparison import less
from dovetail.ops.composites import composite
from dovetail.ops.fills import ones_like
from dovetail.ops.gather import check_indices, scatter_nd
from dovetail.ops.joining import concat, stack
from dovetail.ops.reducing import reduce_max
from dovetail.ops.reshaping import reshape, squeeze
from dovetail.ops.segments import unsorted_segment_sum
from dovetail.ops.selection import select
from dovetail.ops.sizes import as_axis, as_dim
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, int32
from dovetail.types.shapes import demand

__all__ = ["bincount", "confusion_matrix", "histogram_fixed_width", "histogram_fixed_width_bins"]


def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: DTypeLike = int32,
    name: str | None = None,
) -> Tensor:
    """Return how often each of the numbers 0, 1, … appears, or the sum of the weights that stand with it.

    Args:
        arr: integers of any shape; negative ones do not count.
        weights: a tensor of that shape, to sum instead of counting.
        minlength: the least length of the result.
        maxlength: the greatest length; greater numbers do not count.
        dtype: the dtype of counts; sums have that of the weights.
        name: the scope of the nodes.

    Returns:
        A vector as long as the greatest number plus 1, within the bounds: the program is cut there, unless
        ``minlength`` and ``maxlength`` are equal.

    Raises:
        DTypeError: the numbers are no integers.

    Example:
        >>> dt.Session().run(dt.bincount([1, 1, 3], minlength=5))
        array([0, 2, 0, 1, 0], dtype=int32)
    """
    numbers = as_tensor(arr)
    check_indices("bincount", numbers.type)
    with get_default_graph().name_scope(name or "bincount"):
        flat = reshape(numbers, [-1])
        least, most = as_dim(minlength or 0, "bincount: minlength"), None
        if maxlength is not None:
            most = as_dim(maxlength, "bincount: maxlength")
            flat = select(less(flat, as_tensor(maxlength, flat.dtype)), flat, as_tensor(-1, flat.dtype))
        size: Any = most
        if most is None or most != least:
            size = maximum(add(reduce_max(_with_bound(flat)), 1), as_tensor(minlength or 0, flat.dtype))
            size = size if maxlength is None else minimum(size, as_tensor(maxlength, flat.dtype))
        summed = ones_like(flat, as_dtype(dtype)) if weights is None else reshape(as_tensor(weights), [-1])
        return unsorted_segment_sum(summed, flat, size)


def _with_bound(flat: Tensor) -> Tensor:
    """Return the numbers and -1, so that they have a greatest one also where there are none."""
    return concat([flat, as_tensor([-1], flat.dtype)], 0)


def _bins_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Values within and beyond the range, integers, a matrix, none."""
    yield np.array([-1.0, 0.0, 1.5, 2.0, 5.0, 15.0]), np.array([0.0, 5.0]), {"nbins": 5}
    yield np.array([[3, 7], [11, -2]], np.int32), np.array([0, 10], np.int32), {"nbins": 4, "dtype": as_dtype("int64")}
    yield np.zeros((0,)), np.array([0.0, 1.0]), {"nbins": 3}


@composite(name="HistogramFixedWidthBins", samples=_bins_samples, differentiable=False, dtypes=lambda *dtypes: (int32,))
def _bins(values: Tensor, limits: Tensor, *, nbins: int, dtype: DType = int32) -> Tensor:
    """TensorFlow's formula: the place in the range, times the number of bins, rounded down, within the bins."""
    low, high = limits[0], limits[1]
    if values.dtype.is_integer:
        values, low, high = (cast(one, "float64") for one in (values, low, high))
    place = divide(subtract(values, low), subtract(high, low))
    bins = floor(multiply(place, float(nbins)))
    return cast(clip_by_value(bins, 0.0, float(nbins - 1)), dtype)  # type: ignore[no-any-return]


def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: DTypeLike = int32, name: str | None = None
) -> Tensor:
    """Return in which of ``nbins`` bins of equal width each value lies; values beyond the range lie in the outer ones.

    Args:
        values: a numeric tensor.
        value_range: the least and the greatest value, of the dtype of the values.
        nbins: how many bins there are, an int.
        dtype: int32 or int64.
        name: name of the node.

    Raises:
        ShapeError: the range is no pair.
        InvalidArgumentError: the number of bins is not known while the graph is built.

    Example:
        >>> dt.Session().run(dt.histogram_fixed_width_bins([-1.0, 0.0, 1.5, 15.0], [0.0, 5.0], nbins=5))
        array([0, 0, 1, 4], dtype=int32)
    """
    x = as_tensor(values)
    limits = as_tensor(value_range, x.dtype)
    if limits.shape.rank is not None and (limits.shape.rank != 1 or limits.shape.dims != (2,)):
        raise ShapeError(f"histogram_fixed_width: value_range is {limits.type}; give two numbers.")
    count = as_axis(nbins, "histogram_fixed_width: nbins")
    result: Tensor = _bins(x, limits, nbins=count, dtype=as_dtype(dtype), name=name)
    return result


def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: DTypeLike = int32, name: str | None = None
) -> Tensor:
    """Return how many values lie in each of ``nbins`` bins of equal width, those beyond the range in the outer ones.

    The arguments and errors are those of ``histogram_fixed_width_bins``; ``dtype`` is that of the counts.

    Example:
        >>> dt.Session().run(dt.histogram_fixed_width([-1.0, 0.0, 1.5, 15.0], [0.0, 5.0], nbins=5))
        array([2, 1, 0, 0, 1], dtype=int32)
    """
    with get_default_graph().name_scope(name or "histogram_fixed_width"):
        bins = reshape(histogram_fixed_width_bins(values, value_range, nbins), [-1])
        return unsorted_segment_sum(ones_like(bins, as_dtype(dtype)), bins, nbins)


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    dtype: DTypeLike = int32,
    name: str | None = None,
    weights: Any = None,
) -> Tensor:
    """Return a matrix of how often each label (the row) was predicted as each class (the column).

    Args:
        labels: integers, a vector, or a matrix of one column.
        predictions: integers, likewise.
        num_classes: how many classes there are; by default one more than the greatest number among both, which only a
            run tells.
        dtype: the dtype of the matrix.
        name: the scope of the nodes.
        weights: what each pair counts, of the shape of the predictions; 1 by default.

    Raises:
        DTypeError: labels or predictions are no integers.
        ShapeError: they have different shapes.
        OperationError: when run, one of them is negative, or ``num_classes`` or more.

    Example:
        >>> dt.Session().run(dt.confusion_matrix([1, 2, 2], [1, 2, 0], num_classes=3))
        array([[0, 0, 0],
               [0, 1, 0],
               [1, 0, 1]], dtype=int32)
    """
    truth, guess = as_tensor(labels), as_tensor(predictions)
    for one in (truth, guess):
        if not one.dtype.is_integer:
            raise DTypeError(f'confusion_matrix: "{one.name}" is {one.type}; give integers, as dt.argmax does.')
    with get_default_graph().name_scope(name or "confusion_matrix"):
        truth, guess = _as_vector(truth), _as_vector(guess)
        message = f"confusion_matrix: labels are {truth.type}, predictions {guess.type}; give vectors of one length."
        if not {truth.shape.rank, guess.shape.rank} <= {1, None}:
            raise ShapeError(message)
        if truth.shape.rank == guess.shape.rank == 1:
            demand("equal", truth.shape[0], guess.shape[0], message)
        places = stack([cast(truth, "int64"), cast(guess, "int64")], 1)
        size: Any = add(reduce_max(reshape(places, [-1])), 1) if num_classes is None else num_classes
        kind = as_dtype(dtype)
        counted = ones_like(guess, kind) if weights is None else cast(_as_vector(as_tensor(weights, kind)), kind)
        known = as_dim(size, "confusion_matrix: num_classes")
        if known is not None:
            return scatter_nd(places, counted, [known, known])
        number = cast(size, "int64")
        flat = add(multiply(places[:, 0], number), places[:, 1])
        return reshape(unsorted_segment_sum(counted, flat, multiply(number, number)), stack([number, number]))


def _as_vector(x: Tensor) -> Tensor:
    """Drop a last axis of size 1."""
    return squeeze(x, [-1]) if x.shape.rank is not None and x.shape.rank > 1 and x.shape[-1] == 1 else x
