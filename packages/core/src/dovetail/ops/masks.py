"""Masks and their relatives: ``boolean_mask``, ``one_hot``, ``sequence_mask``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive, register
from dovetail.ops.composites import CompositeOp
from dovetail.ops.constants import constant
from dovetail.ops.fills import range
from dovetail.ops.gather import check_indices, gather
from dovetail.ops.reshaping import expand_dims, reshape
from dovetail.ops.sizes import as_axis, as_dim, opaque_dim, opaque_name, settled_axis
from dovetail.types.dims import Dim, product
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, bool_, float32, int32, int64
from dovetail.types.shapes import Shape, TensorType, demand, normalize_axis

__all__ = ["MaskIndices", "OneHot", "boolean_mask", "one_hot", "sequence_mask"]


@primitive
@final
class MaskIndices(Op):
    """The places at which a vector of truth values is true, in ascending order; ``symbol`` names how many there are."""

    differentiable = False
    symbol: str

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Always int64."""
        return (int64,)

    def infer(self, mask: TensorType) -> Signature:
        """A vector of opaque length."""
        if not mask.dtype.is_bool:
            raise DTypeError(f"boolean_mask: the mask is {mask}; use truth values, such as a comparison gives.")
        if mask.rank != 1:
            raise ShapeError(f"boolean_mask: the flat mask is {mask}; a vector is expected.")
        return TensorType(int64, Shape((opaque_dim(self.symbol),)))

    def reference(self, mask: Array) -> Array:
        """NumPy's ``flatnonzero``."""
        return np.flatnonzero(mask).astype(np.int64, copy=False)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Some, none, an empty mask."""
        yield Sample(cls("mask.sample"), np.array([True, False, True]))
        yield Sample(cls("mask.sample"), np.array([False, False]))
        yield Sample(cls("mask.sample"), np.zeros((0,), bool))


def boolean_mask(tensor: Any, mask: Any, name: str | None = "boolean_mask", axis: Any = 0) -> Tensor:
    """Return the slices of a tensor at which a mask is true.

    Args:
        tensor: the tensor.
        mask: truth values, of the shape of ``tensor.shape[axis:axis + rank of the mask]``.
        name: name of the node.
        axis: the first axis that the mask goes along.

    Returns:
        A tensor with one axis in place of those of the mask; its size depends on the data.

    Raises:
        ShapeError: the shapes differ, or the rank of the mask is unknown or 0.
        DTypeError: the mask does not hold truth values.

    Example:
        >>> dt.Session().run(dt.boolean_mask([1, 2, 3], [True, False, True]))
        array([1, 3], dtype=int32)
    """
    x, chosen = as_tensor(tensor), as_tensor(mask)
    if not chosen.shape.rank:
        raise ShapeError(
            f'boolean_mask: the mask "{chosen.name}" is {chosen.type}; a known rank of at least 1 is needed.'
        )
    at = settled_axis(as_axis(axis, "boolean_mask: axis"), x.shape.rank)
    count = chosen.shape.rank
    if x.shape.rank is None:
        if count > 1 or at < 0:
            raise ShapeError(
                f'boolean_mask: the rank of "{x.name}" is unknown; use set_shape, or a mask of rank 1. {x.op.where()}'
            )
        return gather(x, MaskIndices(opaque_name("mask"))(chosen), axis=at, name=name)
    normalize_axis(at, len(x.shape), "boolean_mask")
    message = f"boolean_mask: a mask of type {chosen.type} does not go along {x.type} from axis {at} on. Reshape one."
    if at + count > len(x.shape):
        raise ShapeError(message)
    for have, want in zip(chosen.shape, x.shape[at : at + count], strict=True):
        demand("equal", have, want, message)
    size = product(x.shape[at : at + count])
    flat = chosen if count == 1 else reshape(chosen, (size,))
    places = MaskIndices(opaque_name("mask"))(flat)
    rows = x if count == 1 else reshape(x, (*x.shape.dims[:at], size, *x.shape.dims[at + count :]))
    return gather(rows, places, axis=at, name=name)


# One-hot and masks of lengths. ---------------------------------------------------------------------------------------


@register
@final
class OneHot(CompositeOp):
    """``on`` at the place of each index along a new axis of size ``depth``, ``off`` elsewhere."""

    differentiable = False
    depth: Dim
    axis: int = -1
    on: float = 1.0
    off: float = 0.0
    dtype: DType = float32

    def default_name(self) -> str:
        """``one_hot``, as TensorFlow 1 names it."""
        return "one_hot"

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The element type asked for."""
        return (self.dtype,)

    def decomposition(self, indices: Tensor) -> Tensor:
        """Compare with the places along the axis, and choose."""
        places = range(self.depth, dtype=indices.dtype)
        return _one_hot_by(indices, places, self.axis, constant(self.on, self.dtype), constant(self.off, self.dtype))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Indices out of range, another axis, integers, truth values, empty."""
        yield Sample(cls(3), np.array([1, 0, 3, -1], np.int32))
        yield Sample(cls(3, 0, 5, -1, int32), np.array([[1, 0], [2, 2]], np.int64))
        yield Sample(cls(2, on=True, off=False, dtype=bool_), np.int32(1))
        yield Sample(cls(2, 1), np.zeros((0,), np.int32))


def _one_hot_by(indices: Tensor, places: Tensor, axis: int, on: Tensor, off: Tensor) -> Tensor:
    from dovetail.ops.math import equal, where

    rank = len(indices.shape) + 1
    at = normalize_axis(axis, rank, "one_hot")
    hit = equal(expand_dims(indices, at), reshape(places, (1,) * at + (-1,) + (1,) * (rank - 1 - at)))
    result: Tensor = where(hit, on, off)
    return result


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: Any = None,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """Return a tensor with ``on_value`` at the place of each index along a new axis, and ``off_value`` elsewhere.

    Args:
        indices: integers; one outside ``0 … depth - 1`` gives a row of ``off_value``.
        depth: the size of the new axis: an int, a dimension or an integer scalar.
        on_value: a scalar, 1 by default.
        off_value: a scalar, 0 by default.
        axis: where the new axis stands, the last by default.
        dtype: the element type; that of ``on_value`` or ``off_value`` where they are tensors, else float32.
        name: name of the node.

    Raises:
        DTypeError: the indices are no integers.
        ShapeError: there is no such axis.

    Example:
        >>> dt.Session().run(dt.one_hot([2, 0], 3))
        array([[0., 0., 1.],
               [1., 0., 0.]], dtype=float32)
    """
    picks = as_tensor(indices)
    check_indices("one_hot", picks.type)
    at = -1 if axis is None else as_axis(axis, "one_hot: axis")
    values = [value for value in (on_value, off_value) if isinstance(value, Tensor | np.ndarray | np.generic)]
    wanted = as_dtype(dtype) if dtype is not None else as_dtype(values[0].dtype) if values else float32
    size = as_dim(depth, "one_hot: depth")
    on, off = 1 if on_value is None else on_value, 0 if off_value is None else off_value
    plain = all(isinstance(value, bool | int | float) for value in (on, off))
    if size is not None and plain:
        result: Tensor = OneHot(size, at, on, off, wanted)(picks, name=name)
        return result
    if picks.shape.rank is None:
        raise ShapeError(
            f'one_hot: the rank of the indices "{picks.name}" is unknown; use set_shape. {picks.op.where()}'
        )
    places = range(depth if size is None else size, dtype=picks.dtype)
    return _one_hot_by(picks, places, at, as_tensor(on, wanted), as_tensor(off, wanted))


def sequence_mask(
    lengths: Any, maxlen: Any = None, dtype: DTypeLike = bool_, name: str | None = "SequenceMask"
) -> Tensor:
    """Return, for each length, a row that is true at as many places from the first on.

    Args:
        lengths: integers of any shape.
        maxlen: the length of the rows; the greatest of ``lengths`` by default, which then depends on the data.
        dtype: the element type of the result.
        name: name of the node.

    Returns:
        A tensor of shape ``lengths.shape + [maxlen]``.

    Raises:
        DTypeError: the lengths are no integers.

    Example:
        >>> dt.Session().run(dt.sequence_mask([1, 3], 3, dt.int32))
        array([[1, 0, 0],
               [1, 1, 1]], dtype=int32)
    """
    from dovetail.ops.math import cast, less
    from dovetail.ops.reductions import reduce_max

    counts = as_tensor(lengths)
    check_indices("sequence_mask", counts.type)
    places = range(reduce_max(counts) if maxlen is None else maxlen, dtype=counts.dtype)
    wanted = as_dtype(dtype)
    result: Tensor = less(places, expand_dims(counts, -1), name=name if wanted is bool_ else None)
    return result if wanted is bool_ else cast(result, wanted, name=name)
