"""Combining rows into a tensor by index, other than by adding: what ``scatter_*`` and ``segment_*`` are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import numpy as np

from dovetail.errors import DTypeError, ShapeError
from dovetail.graph.op import Array, Op, Sample
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive, register
from dovetail.ops.arithmetic import divide, multiply, negative
from dovetail.ops.broadcasting import broadcast_to
from dovetail.ops.casting import cast
from dovetail.ops.comparison import equal
from dovetail.ops.composites import CompositeOp
from dovetail.ops.fills import fill, ones_like, range, zeros_like
from dovetail.ops.gather import FlatIndex, Scatter, ScatterAdd, gather, picked_axes
from dovetail.ops.reshaping import reshape
from dovetail.ops.selection import select
from dovetail.ops.sizes import Gradients, Tensors
from dovetail.types.dims import Dim, product
from dovetail.types.dtypes import int32
from dovetail.types.shapes import Shape, TensorType, demand

__all__ = [
    "ScatterDiv",
    "ScatterMax",
    "ScatterMin",
    "ScatterMul",
    "ScatterNdSlices",
    "ScatterSlices",
    "ScatterUpdate",
]


@primitive
@final
class ScatterUpdate(Scatter):
    """The first input with rows in place of its own, the last of those at one index."""

    label = "scatter_update"

    def check(self, x: TensorType) -> None:
        """Rows of any dtype are written."""

    def combine(self, x: Array, places: Array, updates: Array) -> None:
        """NumPy assigns in order."""
        x[places] = updates

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """Zero at the rows that were replaced, and at updates that others replaced after them."""
        x, indices, updates = inputs
        rows = gather(grads[0], indices)
        if indices.shape[0] != 1:
            order = range(indices.shape[0], dtype=int32)
            last = ScatterMax()(fill((x.shape[0],), -1), indices, order)
            rows = select(_for_rows(equal(gather(last, indices), order), updates), rows, zeros_like(updates))
        return ScatterUpdate()(grads[0], indices, zeros_like(updates)), None, rows

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Those of all, truth values, strings."""
        yield from super().samples(rng)
        yield Sample(cls(), np.array([True, False]), np.array([1], np.int32), np.array([True]))
        yield Sample(cls(), np.array([b"a", b"b"], object), np.array([1], np.int32), np.array([b"c"], object))


@primitive
@final
class ScatterMul(Scatter):
    """The first input times rows, each multiplied in at an index along the first axis."""

    label = "scatter_mul"
    ufunc = np.multiply

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The product of the other factors; where factors are 0, without division by them."""
        x, indices, updates = inputs
        zero = equal(updates, zeros_like(updates))
        factors = select(zero, ones_like(updates), updates)
        zeros_at = ScatterAdd()(zeros_like(x), indices, cast(zero, x.dtype))
        alone = equal(gather(zeros_at, indices), ones_like(updates))
        rest = gather(ScatterMul()(x, indices, factors), indices)
        rest = select(alone, rest, zeros_like(updates))
        others = select(zero, rest, divide(gather(outputs[0], indices), factors))
        return ScatterMul()(grads[0], indices, updates), None, multiply(gather(grads[0], indices), others)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Those of all, and one or two factors of 0, where the second derivative is not looked at."""
        yield from super().samples(rng)
        holes = np.array([0.0, 2.0, 0.0, 0.0, 3.0])
        yield Sample(cls(), rng.normal(size=3), np.array([0, 0, 1, 1, 2], np.int32), holes, second_order=False)


@primitive
@final
class ScatterDiv(Scatter):
    """The first input divided by rows, each at an index along the first axis."""

    label = "scatter_div"
    ufunc = np.divide

    def check(self, x: TensorType) -> None:
        """Quotients of integers are no integers."""
        if not x.dtype.is_floating:
            raise DTypeError(f"{self.label}: the tensor is {x}, where a floating dtype is wanted. Use dt.cast.")

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """That of a quotient."""
        _, indices, updates = inputs
        rows = gather(multiply(grads[0], outputs[0]), indices)
        return ScatterDiv()(grads[0], indices, updates), None, negative(divide(rows, updates))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Repeated indices, scalar rows, none; divisors that are not near 0."""
        x, rows = rng.normal(size=(4, 2)), rng.uniform(0.5, 2.0, (3, 2))
        yield Sample(cls(), x, np.array([1, 3, 1], np.int32), rows)
        yield Sample(cls(), x[:, 0], np.array([0, 0], np.int64), rows[:2, 0])
        yield Sample(cls(), x, np.zeros((0,), np.int32), np.zeros((0, 2)))


class _Extreme(Scatter):
    """The first input and rows, of which the most extreme stays at each index."""

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """Shared equally among those that are the extreme."""
        x, indices, updates = inputs
        own, hit = equal(x, outputs[0]), equal(updates, gather(outputs[0], indices))
        share = divide(grads[0], ScatterAdd()(cast(own, x.dtype), indices, cast(hit, x.dtype)))
        return (
            select(own, share, zeros_like(x)),
            None,
            select(hit, gather(share, indices), zeros_like(updates)),
        )


@primitive
@final
class ScatterMax(_Extreme):
    """The greatest of the first input and of the rows at each index along the first axis."""

    label = "scatter_max"
    ufunc = np.maximum


@primitive
@final
class ScatterMin(_Extreme):
    """The least of the first input and of the rows at each index along the first axis."""

    label = "scatter_min"
    ufunc = np.minimum


def _for_rows(flags: Tensor, rows: Tensor) -> Tensor:
    """Return a flag for each row, in a shape that broadcasts along the rows."""
    return reshape(flags, (flags.shape[0], *(1,) * (len(rows.shape) - 1)))


# Indices of any shape. -----------------------------------------------------------------------------------------------


class _Scattered(CompositeOp):
    scatter: Op

    @property
    def label(self) -> str:
        """The function's name, with which errors begin."""
        assert isinstance(self.scatter, Scatter)
        return self.scatter.label

    def rows(self, x: Tensor, flat: Tensor, updates: Tensor, rest: tuple[Dim, ...], lead: Shape) -> Tensor:
        """Combine updates of shape ``lead + rest`` into rows of ``x``."""
        wanted = Shape((*lead.dims, *rest))
        message = (
            f"{self.label}: the updates are {updates.type}, but indices of shape {lead} into the tensor need updates "
            f"of shape {wanted}. Reshape them."
        )
        if updates.shape.rank == 0:
            updates = broadcast_to(updates, wanted)
        if updates.shape.rank != wanted.rank:
            raise ShapeError(message)
        for have, want in zip(updates.shape.dims, wanted.dims, strict=True):
            demand("equal", have, want, message)
        result: Tensor = self.scatter(x, flat, reshape(updates, (product(lead.dims), *rest)))
        return result


@register
@final
class ScatterSlices(_Scattered):
    """A primitive scatter with indices of any shape along the first axis; one scalar update serves all of them."""

    def decomposition(self, x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
        """Lay the indices in a row."""
        lead = indices.shape
        flat = reshape(indices, (product(lead.dims),))
        return self.rows(x, flat, updates, x.shape.dims[1:], lead)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Scalar, flat and nested indices; one update for all."""
        x = rng.normal(size=(4, 3))
        yield Sample(cls(ScatterUpdate()), x, np.array([[1, 3], [0, 1]], np.int32), rng.normal(size=(2, 2, 3)))
        yield Sample(cls(ScatterAdd()), x, np.int32(2), rng.normal(size=3))
        yield Sample(cls(ScatterMul()), x, np.array([3, 0], np.int64), np.float64(2.0))


@register
@final
class ScatterNdSlices(_Scattered):
    """A primitive scatter of slices at indices into the leading axes."""

    def decomposition(self, x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
        """One index for each slice."""
        count = picked_axes(self.label, x.shape, indices)
        outer, rest = x.shape.dims[:count], x.shape.dims[count:]
        lead = Shape(indices.shape.dims[:-1])
        flat = reshape(FlatIndex(outer)(indices), (product(lead.dims),))
        whole = reshape(x, (product(outer), *rest))
        return reshape(self.rows(whole, flat, updates, rest, lead), x.shape)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Elements, slices, one slice, none."""
        x = rng.normal(size=(3, 4, 2))
        places = np.array([[2, 0], [1, 3], [2, 0]], np.int32)
        yield Sample(cls(ScatterUpdate()), x, places, rng.normal(size=(3, 2)))
        yield Sample(cls(ScatterMax()), x, np.array([[[2, 3, 1]], [[0, 0, 0]]], np.int64), rng.normal(size=(2, 1)))
        yield Sample(cls(ScatterAdd()), x, np.array([1], np.int64), rng.normal(size=(4, 2)))
        yield Sample(cls(ScatterMin()), x, np.zeros((0, 1), np.int32), np.zeros((0, 4, 2)))
