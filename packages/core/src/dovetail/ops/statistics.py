"""What is made of sums and extremes: means, variances, ``logsumexp``, norms, counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.arithmetic import abs as absolute
from dovetail.ops.arithmetic import add, divide, pow, square, squared_difference, subtract, truncatediv
from dovetail.ops.casting import cast
from dovetail.ops.comparison import is_finite, not_equal
from dovetail.ops.composites import composite
from dovetail.ops.elementary import exp, log, sqrt
from dovetail.ops.passing import stop_gradient
from dovetail.ops.reducing import Max, axes_and_keepdims, reduce_max, reduce_sum
from dovetail.ops.reshaping import reshape, squeeze
from dovetail.ops.scalar import basis
from dovetail.ops.scalars import Scalar, scalar
from dovetail.ops.selection import select
from dovetail.types.dims import product
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, float32, int64
from dovetail.types.shapes import Shape, normalize_axes

__all__ = [
    "count_nonzero",
    "norm",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_mean",
    "reduce_std",
    "reduce_variance",
]

Axes = tuple[int, ...] | None


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """One axis, several, all, none; ``keepdims``, scalars, one element, no groups."""
    x = rng.normal(size=(2, 3, 4))
    yield x, {"axes": (1,)}
    yield x, {"axes": (0, -1), "keepdims": True}
    yield (x,)
    yield x, {"keepdims": True}
    yield x, {"axes": ()}
    yield (np.float64(1.5), {"axes": None})
    yield rng.normal(size=(0, 3)), {"axes": (1,)}


def _varied_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """As ``_samples``, without groups of one element, where the derivative of a root does not exist."""
    for x, *attributes in _samples(rng):
        if np.ndim(x) and attributes != [{"axes": ()}]:
            yield x, *attributes


def _mean_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Integers too."""
    yield from _samples(rng)
    yield rng.integers(-9, 10, (3, 4)).astype(np.int32), {"axes": (1,)}
    yield np.array([200, 100], np.uint8), {}
    yield rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3)), {"axes": (1,)}


def _numeric(label: str) -> Callable[..., tuple[DType, ...]]:
    def rule(dtype: DType) -> tuple[DType, ...]:
        if not dtype.is_number:
            raise DTypeError(f"{label}: the input is {dtype.name}, where a numeric dtype is wanted. Use dt.cast.")
        return (dtype,)

    return rule


def _floating(label: str) -> Callable[..., tuple[DType, ...]]:
    def rule(dtype: DType) -> tuple[DType, ...]:
        if not dtype.is_floating:
            raise DTypeError(f"{label}: the input is {dtype.name}, where a floating dtype is wanted. Use dt.cast.")
        return (dtype,)

    return rule


def _widened(x: Tensor) -> Tensor:
    """Return half floats as float32, in which they are computed."""
    return cast(x, float32) if x.dtype.is_half else x


@composite(name="Mean", dtypes=_numeric("reduce_mean"), samples=_mean_samples)
def _mean(x: Tensor, *, axes: Axes = None, keepdims: bool = False) -> Tensor:
    """The sum, divided by the number of elements."""
    _numeric("reduce_mean")(x.dtype)
    over = normalize_axes(axes, len(x.shape.dims), "reduce_mean")
    count = product(x.shape.dims[axis] for axis in over)
    if x.dtype.is_integer:
        total = reduce_sum(cast(x, int64) if x.dtype.size < 8 else x, over, keepdims)
        return cast(truncatediv(total, count), x.dtype)  # type: ignore[no-any-return]
    return cast(divide(reduce_sum(_widened(x), over, keepdims), count), x.dtype)  # type: ignore[no-any-return]


@composite(name="Variance", dtypes=_floating("reduce_variance"), samples=_samples)
def _variance(x: Tensor, *, axes: Axes = None, keepdims: bool = False) -> Tensor:
    """The mean of the squared differences from the mean."""
    _floating("reduce_variance")(x.dtype)
    over = normalize_axes(axes, len(x.shape.dims), "reduce_variance")
    wide = _widened(x)
    center = reduce_mean(wide, over, True)
    return cast(reduce_mean(squared_difference(wide, center), over, keepdims), x.dtype)  # type: ignore[no-any-return]


@composite(name="Std", dtypes=_floating("reduce_std"), samples=_varied_samples)
def _std(x: Tensor, *, axes: Axes = None, keepdims: bool = False) -> Tensor:
    """The root of the variance."""
    _floating("reduce_std")(x.dtype)
    normalize_axes(axes, len(x.shape.dims), "reduce_std")
    return cast(sqrt(reduce_variance(_widened(x), axes, keepdims)), x.dtype)  # type: ignore[no-any-return]


@composite(name="LogSumExp", dtypes=_floating("reduce_logsumexp"), samples=_samples)
def _logsumexp(x: Tensor, *, axes: Axes = None, keepdims: bool = False) -> Tensor:
    """The largest element is taken out first, unless it is infinite."""
    _floating("reduce_logsumexp")(x.dtype)
    over = normalize_axes(axes, len(x.shape.dims), "reduce_logsumexp")
    wide = _widened(x)
    largest = Max(over, True, -math.inf)(wide)
    largest = stop_gradient(select(is_finite(largest), largest, 0.0))
    total = log(reduce_sum(exp(subtract(wide, largest)), over, True))
    result = add(total, largest)
    if not keepdims:
        result = reshape(result, [dim for axis, dim in enumerate(x.shape.dims) if axis not in over])
    return cast(result, x.dtype)  # type: ignore[no-any-return]


@scalar(name="SafeSqrt", domain=(0.3, 3.0))
def _root(x: Scalar) -> Scalar:
    """The square root, whose derivative at 0 counts as 0."""
    zero = basis.equal(x, 0.0)
    return basis.select(zero, 0.0, basis.sqrt(basis.select(zero, 1.0, x)))


@composite(name="EuclideanNorm", dtypes=_floating("reduce_euclidean_norm"), samples=_varied_samples)
def _euclidean_norm(x: Tensor, *, axes: Axes = None, keepdims: bool = False) -> Tensor:
    """The root of the sum of squares."""
    _floating("reduce_euclidean_norm")(x.dtype)
    normalize_axes(axes, len(x.shape.dims), "reduce_euclidean_norm")
    return cast(_root(reduce_sum(square(_widened(x)), axes, keepdims)), x.dtype)  # type: ignore[no-any-return]


def _made(
    operation: Callable[..., Tensor],
    label: str,
    x: Any,
    name: str | None,
    axis: Any,
    keepdims: bool | None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    tensor = as_tensor(x)
    axes, keep = axes_and_keepdims(label, tensor, axis, keepdims, reduction_indices, keep_dims)
    result = operation(tensor, axes=axes, keepdims=keep, name=name)
    if tensor.shape.rank is None and axes is None and not keep:
        result.set_shape(Shape(()))
    return result


def reduce_mean(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Return means over axes, in the dtype of the tensor; NaN of nothing.

    The mean of integers is an integer, truncated toward zero; cast to a floating dtype first where that is not meant.

    Args:
        input_tensor: a numeric tensor.
        axis: an axis or several to average over; negative ones count from the last, ``None`` is all.
        keepdims: whether the axes stay, of size 1.
        name: name of the node.
        reduction_indices: the old name of ``axis``.
        keep_dims: the old name of ``keepdims``.

    Raises:
        ShapeError: an axis is out of range or named twice.
        DTypeError: the tensor is not numeric.

    Example:
        >>> dt.Session().run(dt.reduce_mean([[1.0, 2.0], [5.0, 6.0]], axis=0))
        array([3., 4.], dtype=float32)
    """
    return _made(_mean, "reduce_mean", input_tensor, name, axis, keepdims, reduction_indices, keep_dims)


def reduce_variance(
    input_tensor: Any, axis: Any = None, keepdims: bool | None = None, name: str | None = None
) -> Tensor:
    """Return variances over axes: the mean squared difference from the mean, for floating dtypes.

    The arguments and errors are those of ``reduce_mean``.

    Example:
        >>> dt.Session().run(dt.reduce_variance([1.0, 3.0]))
        np.float32(1.0)
    """
    return _made(_variance, "reduce_variance", input_tensor, name, axis, keepdims)


def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool | None = None, name: str | None = None) -> Tensor:
    """Return standard deviations over axes: the root of the variance, for floating dtypes.

    The arguments and errors are those of ``reduce_mean``.

    Example:
        >>> dt.Session().run(dt.reduce_std([1.0, 3.0]))
        np.float32(1.0)
    """
    return _made(_std, "reduce_std", input_tensor, name, axis, keepdims)


def reduce_logsumexp(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Return ``log(sum(exp(x)))`` over axes without overflow, for floating dtypes; -infinity of nothing.

    The arguments and errors are those of ``reduce_mean``.

    Example:
        >>> round(float(dt.Session().run(dt.reduce_logsumexp([1000.0, 1000.0]))), 3)
        1000.693
    """
    return _made(_logsumexp, "reduce_logsumexp", input_tensor, name, axis, keepdims, reduction_indices, keep_dims)


def reduce_euclidean_norm(
    input_tensor: Any, axis: Any = None, keepdims: bool | None = None, name: str | None = None
) -> Tensor:
    """Return the root of the sum of squares over axes, for floating dtypes; its gradient at 0 counts as 0.

    The arguments and errors are those of ``reduce_mean``.

    Example:
        >>> dt.Session().run(dt.reduce_euclidean_norm([3.0, 4.0]))
        np.float32(5.0)
    """
    return _made(_euclidean_norm, "reduce_euclidean_norm", input_tensor, name, axis, keepdims)


def count_nonzero(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: DTypeLike = int64,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Return how many elements over axes are not zero (not ``False``, not empty).

    Args:
        input_tensor: a tensor of any dtype.
        axis: an axis or several to count over; negative ones count from the last, ``None`` is all.
        keepdims: whether the axes stay, of size 1.
        dtype: the dtype of the counts.
        name: name of the node.
        reduction_indices: the old name of ``axis``.
        keep_dims: the old name of ``keepdims``.

    Raises:
        ShapeError: an axis is out of range or named twice.

    Example:
        >>> dt.Session().run(dt.count_nonzero([[1, 0, 2], [0, 0, 0]], axis=1))
        array([2, 0])
    """
    x = as_tensor(input_tensor)
    with get_default_graph().name_scope(name or "count_nonzero"):
        zero = b"" if x.dtype.is_string else np.zeros((), x.dtype.numpy)
        return reduce_sum(
            cast(not_equal(x, zero), as_dtype(dtype)),
            axis,
            keepdims,
            reduction_indices=reduction_indices,
            keep_dims=keep_dims,
        )


def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Return norms of vectors or matrices.

    Args:
        tensor: a floating or complex tensor; the norms are real.
        ord: for vectors ``"euclidean"``, 1, 2, infinity, or another positive number; for matrices ``"euclidean"`` or
            ``"fro"`` (both the root of the sum of squares), 1 (the largest sum of a column) or infinity (of a row).
        axis: the axis of vectors, two axes of matrices, or ``None`` to take the whole as one vector.
        keepdims: whether the axes stay, of size 1.
        name: name of the node.
        keep_dims: the old name of ``keepdims``.

    Raises:
        InvalidArgumentError: there is no such norm.
        ShapeError: an axis is out of range or named twice.
        DTypeError: the tensor is neither.

    Example:
        >>> dt.Session().run(dt.norm([[3.0, 4.0], [6.0, 8.0]], axis=1))
        array([ 5., 10.], dtype=float32)
    """
    x = as_tensor(tensor)
    if x.dtype.is_complex:
        x = absolute(x)
    if not x.dtype.is_floating:
        raise DTypeError(f'norm: "{x.name}" is {x.type}, where a floating dtype is wanted; use dt.cast. {x.op.where()}')
    axes, keep = axes_and_keepdims("norm", x, axis, keepdims, None, keep_dims)
    matrix = isinstance(axis, list | tuple) and len(axis) == 2
    if isinstance(axis, list | tuple) and len(axis) not in (1, 2):
        raise InvalidArgumentError(f"norm: axis is {axis!r}; give one axis for vectors, two for matrices, or None.")
    if ord in ("euclidean", "fro") and (matrix or ord == "euclidean"):
        return reduce_euclidean_norm(x, axes, keep, name=name or "norm")
    if matrix and ord in (1, math.inf):
        rank = x.shape.rank
        rows, columns = axis if rank is None else (one % rank for one in axis)
        summed, other = (rows, columns) if ord == 1 else (columns, rows)
        with get_default_graph().name_scope(name or "norm"):
            result = reduce_max(reduce_sum(absolute(x), summed, True), other, True)
            return result if keep else squeeze(result, axes)
    if matrix or isinstance(ord, str | bool) or not isinstance(ord, int | float) or not ord > 0:
        kind, known = ("matrix", "'fro', 1") if matrix else ("vector", "1, 2, another positive number")
        raise InvalidArgumentError(
            f"norm: there is no {kind} norm of order {ord!r}; use 'euclidean', {known} or infinity."
        )
    if ord == 2:
        return reduce_euclidean_norm(x, axes, keep, name=name or "norm")
    with get_default_graph().name_scope(name or "norm"):
        if ord == math.inf:
            return reduce_max(absolute(x), axes, keep)
        if ord == 1:
            return reduce_sum(absolute(x), axes, keep)
        return pow(reduce_sum(pow(absolute(x), float(ord)), axes, keep), 1.0 / ord)
