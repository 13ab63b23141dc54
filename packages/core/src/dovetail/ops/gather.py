"""Picking by index, and adding by index: ``gather``, ``gather_nd``, ``scatter_add_rows``, ``scatter_nd``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.broadcasting import broadcast_to
from dovetail.ops.composites import composite
from dovetail.ops.constants import constant
from dovetail.ops.fills import range, zeros
from dovetail.ops.indexed_slices import IndexedSlices
from dovetail.ops.joining import stack
from dovetail.ops.reshaping import expand_dims, reshape, transpose
from dovetail.ops.sizes import (
    Gradients,
    Tensors,
    Types,
    Values,
    as_axis,
    concrete,
    known_elements,
    settled_axis,
)
from dovetail.types.dims import Dim, SymbolicDim, product
from dovetail.types.dtypes import DType, as_dtype, int64
from dovetail.types.shapes import Shape, TensorType, demand, normalize_axis, unify

__all__ = [
    "batch_gather",
    "gather",
    "gather_nd",
    "invert_permutation",
    "scatter_add_rows",
    "scatter_nd",
]


def check_indices(operation: str, kind: TensorType) -> None:
    """Raise ``DTypeError`` unless a tensor of indices holds integers."""
    if not kind.dtype.is_integer:
        raise DTypeError(f"{operation}: the indices are {kind}; use an integer type, by dt.cast if need be.")


def _in_range(operation: str, indices: Array, size: int, axis: int) -> Array:
    """Return indices as NumPy takes them.

    Raises:
        InvalidArgumentError: one is out of range.
    """
    wrong = (indices < 0) | (indices >= size)
    if wrong.any():
        place = np.unravel_index(int(np.argmax(wrong)), indices.shape)
        raise InvalidArgumentError(
            f"{operation}: index {int(indices[place])} at {[int(one) for one in place]} is out of range for axis "
            f"{axis} of size {size}. Indices are from 0 to {size - 1}; mend the data that they come from."
            if size
            else f"{operation}: index {int(indices[place])} picks from axis {axis}, which is empty."
        )
    return indices.astype(np.intp, copy=False)


# Gather and its transpose. -------------------------------------------------------------------------------------------


@primitive
@final
class Gather(Op):
    """Slices of the first input along an axis, picked by the second; their first ``batch_dims`` axes go together."""

    axis: int = 0
    batch_dims: int = 0

    def _settled(self, params: int, indices: int) -> tuple[int, int]:
        batch = self.batch_dims + indices if self.batch_dims < 0 else self.batch_dims
        if not 0 <= batch <= indices:
            raise ShapeError(
                f"gather: batch_dims is {self.batch_dims}, but the indices have rank {indices}. Use at most that."
            )
        axis = normalize_axis(self.axis, params, "gather")
        if axis < batch:
            raise ShapeError(f"gather: axis {axis} lies within the {batch} batch_dims. Use an axis after them.")
        return axis, batch

    def infer(self, params: TensorType, indices: TensorType) -> Signature:
        """The shape of the first input, with that of the indices in place of the axis."""
        check_indices("gather", indices)
        axis, batch = self._settled(len(params.dims), len(indices.dims))
        message = (
            f"gather: the first {batch} sizes of {params} and of the indices {indices} must be equal. Reshape one."
        )
        lead = [
            unify(mine, theirs, message) for mine, theirs in zip(params.dims[:batch], indices.dims[:batch], strict=True)
        ]
        dims = (*lead, *params.dims[batch:axis], *indices.dims[batch:], *params.dims[axis + 1 :])
        return TensorType(params.dtype, Shape(dims))

    def reference(self, params: Array, indices: Array) -> Array:
        """NumPy's ``take``; an index out of range is an error."""
        axis, batch = self._settled(params.ndim, indices.ndim)
        places = _in_range("gather", indices, params.shape[axis], axis)
        if batch == 0:
            return np.asarray(np.take(params, places, axis), params.dtype)
        lead = np.ix_(*map(np.arange, indices.shape[:batch]))
        lead = tuple([one.reshape(one.shape + (1,) * (indices.ndim - batch)) for one in lead])
        picked = np.moveaxis(params, axis, batch)[(*lead, places)]
        source = tuple(np.arange(batch, indices.ndim))
        return np.moveaxis(picked, source, tuple([one + axis - batch for one in source]))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Sequence[Any]:
        """Rows, where the first axis was picked from; else a sum at the places picked."""
        params, indices = inputs
        axis, batch = self._settled(len(params.shape), len(indices.shape))
        if axis == 0:
            rows = reshape(grads[0], (indices.shape.size, *params.shape.dims[1:]))
            return IndexedSlices(rows, reshape(indices, (indices.shape.size,)), params.shape), None
        return scatter_picked(grads[0], indices, params.shape.dims, axis, batch), None

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The elements picked."""
        params, indices = values
        if params is None or indices is None or self.axis or self.batch_dims:
            return None
        known = indices.reshape(-1).tolist()
        if not all(isinstance(index, int) and 0 <= index < len(params) for index in known):
            return None
        result = np.empty(indices.shape, object)
        result.reshape(-1)[:] = [params[index] for index in known]
        return result if params.ndim == 1 else None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Axes, repeated indices, scalar and empty indices, batches, integers, strings."""
        x = rng.normal(size=(3, 4, 2))
        yield Sample(cls(), x, np.array([2, 0, 2], np.int32))
        yield Sample(cls(), x, np.array([[1, 1], [0, 2]], np.int64))
        yield Sample(cls(-1), x, np.array([1, 0, 1], np.int32))
        yield Sample(cls(1), x, np.int32(3))
        yield Sample(cls(0), x, np.zeros((0,), np.int32))
        yield Sample(cls(1, 1), x, np.array([[0, 3], [1, 1], [2, 0]], np.int32))
        yield Sample(cls(2, 1), x, np.array([[0], [1], [1]], np.int64))
        yield Sample(cls(-1, -1), x[:, :, 0], np.array([[0, 3], [1, 1], [2, 0]], np.int32))
        yield Sample(cls(), np.arange(5, dtype=np.int64), np.array([4, 4], np.int32))
        yield Sample(cls(), np.array([b"a", b"bc"], object), np.array([1, 0], np.int32))


def scatter_picked(grad: Tensor, indices: Tensor, dims: tuple[Dim, ...], axis: int, batch: int) -> Tensor:
    """Return zeros of shape ``dims`` plus ``grad`` at the places gathered along ``axis``, of ranks that are known."""
    kept = len(indices.shape) - batch
    before, after = dims[batch:axis], dims[axis + 1 :]
    lead, picked = dims[:batch], indices.shape.dims[batch:]
    count = product(lead)
    order = [*_span(0, batch), *_span(axis, axis + kept), *_span(batch, axis), *_span(axis + kept, len(grad.shape))]
    rows = reshape(transpose(grad, order), (count * product(picked), *before, *after))
    flat = reshape(indices, (count, product(picked)))
    if batch:
        numbers = broadcast_to(expand_dims(range(count, dtype=flat.dtype), 1), flat.shape)
        flat = FlatIndex((count, dims[axis]))(stack([numbers, flat], -1))
    whole = zeros((count * dims[axis], *before, *after), grad.dtype)
    dense = scatter_add_rows(whole, reshape(flat, (count * product(picked),)), rows)
    dense = reshape(dense, (*lead, dims[axis], *before, *after))
    back = [*_span(0, batch), *_span(batch + 1, axis + 1), batch, *_span(axis + 1, len(dims))]
    return transpose(dense, back)


def _span(start: int, stop: int) -> list[int]:
    return np.arange(start, stop).tolist()


class Scatter(Op):
    """The first input with rows combined into it, one after the other, each at an index along the first axis."""

    label: ClassVar[str]
    ufunc: ClassVar[np.ufunc]

    def infer(self, x: TensorType, indices: TensorType, updates: TensorType) -> Signature:
        """The first input's type."""
        check_indices(self.label, indices)
        self.check(x)
        if updates.dtype is not x.dtype:
            raise DTypeError(
                f"{self.label}: the tensor is {x}, the rows are {updates}. Make the dtypes equal by dt.cast."
            )
        message = f"{self.label}: rows of {x} at indices {indices} cannot be {updates}. Give one row for each index."
        if x.rank == 0 or indices.rank != 1 or updates.rank != x.rank:
            raise ShapeError(message)
        for have, want in zip(updates.dims, (*indices.dims, *x.dims[1:]), strict=True):
            demand("equal", have, want, message)
        return x

    def check(self, x: TensorType) -> None:
        """Raise ``DTypeError`` unless rows of this dtype can be combined."""
        if not x.dtype.is_numeric:
            raise DTypeError(f"{self.label}: the tensor is {x}; only real numbers can be combined. Use dt.cast.")

    def combine(self, x: Array, places: Array, updates: Array) -> None:
        """Change ``x`` at ``places``, which may repeat."""
        self.ufunc.at(x, places, updates)

    def reference(self, x: Array, indices: Array, updates: Array) -> Array:
        """NumPy's unbuffered operation; halves are computed in float32."""
        places = _in_range(self.label, indices, x.shape[0], 0)
        half = as_dtype(x.dtype).is_half
        result = x.astype(np.float32) if half else x.copy()
        with np.errstate(all="ignore"):
            self.combine(result, places, updates.astype(np.float32) if half else updates)
            return result.astype(x.dtype) if half else result

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Repeated indices, scalar rows, none, integers."""
        x = rng.normal(size=(4, 2))
        yield Sample(cls(), x, np.array([1, 3, 1], np.int32), rng.normal(size=(3, 2)))
        yield Sample(cls(), x[:, 0], np.array([0, 0], np.int64), rng.normal(size=(2,)))
        yield Sample(cls(), x, np.zeros((0,), np.int32), np.zeros((0, 2)))
        yield Sample(cls(), np.zeros(3, np.int32), np.array([2, 2], np.int32), np.array([1, 5], np.int32))


@primitive
@final
class ScatterAdd(Scatter):
    """The first input plus rows, each added at an index along the first axis; rows at one index add up."""

    label = "scatter_add_rows"
    ufunc = np.add
    gradient_without_ranks = True

    def check(self, x: TensorType) -> None:
        """Complex rows are added too."""
        if not x.dtype.is_number:
            raise DTypeError(f"{self.label}: the tensor is {x}; only numbers can be added. Use dt.cast.")

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The gradient itself, and its rows."""
        return grads[0], None, gather(grads[0], inputs[1])


@primitive
@final
class FlatIndex(Op):
    """Indices into a tensor of ``sizes``, along the last axis of the input, as one index in row-major order."""

    differentiable = False
    sizes: tuple[Dim, ...]

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Always int64."""
        return (int64,)

    def infer(self, indices: TensorType) -> Signature:
        """The shape without the last axis."""
        check_indices("gather_nd", indices)
        if indices.rank == 0 or indices.dims[-1] != len(self.sizes):
            raise ShapeError(
                f"gather_nd: the indices are {indices}; their last axis must hold {len(self.sizes)} numbers."
            )
        return TensorType(int64, indices.shape[:-1])

    def reference(self, indices: Array) -> Array:
        """NumPy's ``ravel_multi_index``; an index out of range is an error."""
        result = np.zeros(indices.shape[:-1], np.int64)
        for axis, size in enumerate(concrete(self.sizes)):
            result = result * size + _in_range("gather_nd", indices[..., axis], size, axis)
        return np.asarray(result, np.int64)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Several indices, one, none, empty."""
        yield Sample(cls((2, 3)), np.array([[1, 2], [0, 0]], np.int32))
        yield Sample(cls((4,)), np.array([3], np.int64))
        yield Sample(cls(()), np.zeros((2, 0), np.int32))
        yield Sample(cls((2, 3)), np.zeros((0, 2), np.int32))


def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    name: str | None = None,
    axis: Any = 0,
    batch_dims: int = 0,
) -> Tensor:
    """Return slices of a tensor along an axis, picked by index.

    Args:
        params: the tensor to pick from.
        indices: integers from 0 to the size of the axis less one.
        validate_indices: has no effect: indices are always checked; here for TensorFlow 1 programs.
        name: name of the node.
        axis: the axis to pick along.
        batch_dims: how many leading axes of both go together, so that each has its own indices; negative
            numbers count from the rank of ``indices``.

    Returns:
        A tensor of shape ``params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1:]``. The gradient
        with respect to ``params`` is ``IndexedSlices`` where the axis is the first.

    Raises:
        ShapeError: there is no such axis, or the batches differ.
        DTypeError: the indices are no integers.
        OperationError: when run, an index is out of range.

    Example:
        >>> dt.Session().run(dt.gather([10, 20, 30], [2, 0, 2]))
        array([30, 10, 30], dtype=int32)
    """
    x = as_tensor(params)
    result: Tensor = Gather(settled_axis(as_axis(axis, "gather: axis"), x.shape.rank), batch_dims)(
        x, indices, name=name
    )
    return result


def batch_gather(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """Return elements along the last axis of the indices; all axes before it go together. See ``gather``."""
    picks = as_tensor(indices)
    if picks.shape.rank is None or picks.shape.rank == 0:
        raise ShapeError(
            f'batch_gather: the indices "{picks.name}" are {picks.type}; a known rank of at least 1 is needed.'
        )
    return gather(params, picks, axis=picks.shape.rank - 1, batch_dims=picks.shape.rank - 1, name=name)


def scatter_add_rows(x: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """Return a tensor with rows added to it.

    Args:
        x: the tensor, of rank at least 1.
        indices: the place of each row along the first axis, integers of shape ``[k]``; places given twice add up.
        updates: the rows, of shape ``[k, ...]``.
        name: name of the node.

    Raises:
        ShapeError: the rows do not fit.
        OperationError: when run, an index is out of range.

    Example:
        >>> dt.Session().run(dt.scatter_add_rows(dt.zeros([3]), [1, 1], [2.0, 3.0]))
        array([0., 5., 0.], dtype=float32)
    """
    result: Tensor = ScatterAdd()(x, indices, updates, name=name)
    return result


def picked_axes(operation: str, dims: Shape, indices: Tensor) -> int:
    """Return how many axes the last axis of ``indices`` addresses."""
    count = indices.shape[-1] if len(indices.shape) else None
    if not isinstance(count, int) or count > len(dims):
        raise ShapeError(
            f"{operation}: the indices are {indices.type}; their last axis must hold at most {len(dims)} numbers, for "
            f"a tensor of shape {dims}, and their number be known while the graph is built."
        )
    return count


def _nd_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    x = rng.normal(size=(3, 4, 2))
    yield x, np.array([[2, 0], [1, 3], [2, 0]], np.int32)
    yield x, np.array([1], np.int64)
    yield x, np.array([[[2, 3, 1]], [[0, 0, 0]]], np.int32)
    yield x, np.zeros((0, 2), np.int32)


@composite(name="GatherNd", samples=_nd_samples)
def _gather_nd(params: Tensor, indices: Tensor) -> Tensor:
    """Slices at indices into the leading axes."""
    count = picked_axes("gather_nd", params.shape, indices)
    lead, rest = params.shape.dims[:count], params.shape.dims[count:]
    return gather(reshape(params, (product(lead), *rest)), FlatIndex(lead)(indices))


def gather_nd(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """Return slices of a tensor at indices into its leading axes.

    Args:
        params: the tensor to pick from.
        indices: integers of shape ``[..., k]``; each row of ``k`` addresses the first ``k`` axes.
        name: name of the node.

    Returns:
        A tensor of shape ``indices.shape[:-1] + params.shape[k:]``.

    Raises:
        ShapeError: the last axis of the indices is longer than the rank.
        DTypeError: the indices are no integers.
        OperationError: when run, an index is out of range.

    Example:
        >>> dt.Session().run(dt.gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]]))
        array([2, 3], dtype=int32)
    """
    result: Tensor = _gather_nd(params, indices, name=name)
    return result


def _scatter_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield np.array([[2, 0], [1, 3], [2, 0]], np.int32), rng.normal(size=(3, 2)), {"shape": (3, 4, 2)}
    yield np.array([[1], [1]], np.int64), rng.normal(size=(2,)), {"shape": (3,)}
    yield np.zeros((0, 1), np.int32), np.zeros((0, 2)), {"shape": (3, 2)}


@composite(name="ScatterNd", samples=_scatter_samples, dtypes=lambda indices, updates: (updates,))
def _scatter_nd(indices: Tensor, updates: Tensor, *, shape: tuple[Dim, ...]) -> Tensor:
    """Zeros plus slices at indices into the leading axes."""
    count = picked_axes("scatter_nd", Shape(shape), indices)
    lead, rest = shape[:count], shape[count:]
    places = product(indices.shape.dims[:-1])
    flat = reshape(FlatIndex(lead)(indices), (places,))
    rows = reshape(updates, (places, *rest))
    return reshape(scatter_add_rows(zeros((product(lead), *rest), updates.dtype), flat, rows), shape)


def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Tensor:
    """Return zeros with slices added at indices into the leading axes.

    Args:
        indices: integers of shape ``[..., k]``; places given twice add up.
        updates: the slices, of shape ``indices.shape[:-1] + shape[k:]``.
        shape: the shape of the result, known while the graph is built.
        name: name of the node.

    Raises:
        ShapeError: the slices do not fit.
        InvalidArgumentError: the shape is not known while the graph is built.
        OperationError: when run, an index is out of range.

    Example:
        >>> dt.Session().run(dt.scatter_nd([[1], [1]], [2.0, 3.0], [3]))
        array([0., 5., 0.], dtype=float32)
    """
    dims = known_elements(shape, "scatter_nd: shape")
    if dims is None:
        raise InvalidArgumentError(
            "scatter_nd: the shape is not known while the graph is built; use ints or dimensions."
        )
    result: Tensor = _scatter_nd(indices, updates, shape=tuple(dims.reshape(-1).tolist()), name=name)
    return result


def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """Return the permutation that undoes one: ``y[x[i]] = i``.

    Args:
        x: a vector that holds each of ``0 … n - 1`` once.
        name: name of the node.

    Raises:
        InvalidArgumentError: the vector is known and is no permutation.
        OperationError: when run, an element is out of range.

    Example:
        >>> dt.Session().run(dt.invert_permutation([2, 0, 1]))
        array([1, 2, 0], dtype=int32)
    """
    order = as_tensor(x)
    known = known_elements(order, "invert_permutation: x")
    if known is not None and known.ndim == 1 and not any(isinstance(one, SymbolicDim) for one in known.tolist()):
        if sorted(known.tolist()) != _span(0, known.size):
            raise InvalidArgumentError(
                f"invert_permutation: {known.tolist()} does not hold each of 0 to {known.size - 1} once."
            )
        return constant(np.argsort(known.astype(np.int64)).astype(order.dtype.numpy), name=name or "InvertPermutation")
    if order.shape.rank != 1:
        raise ShapeError(f'invert_permutation: "{order.name}" is {order.type}; a vector is needed.')
    size = order.shape[0]
    return scatter_add_rows(zeros((size,), order.dtype), order, range(size, dtype=order.dtype), name=name)
