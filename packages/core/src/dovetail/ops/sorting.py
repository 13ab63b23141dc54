"""Order: ``sort``, ``argsort``, ``top_k``, ``unique``, ``searchsorted``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.gather import gather, scatter_picked
from dovetail.ops.reshaping import transpose
from dovetail.ops.sizes import Gradients, Tensors, as_axis, as_dim, opaque_dim, opaque_name, settled_axis
from dovetail.types.dims import Dim
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, int32
from dovetail.types.shapes import Shape, TensorType, demand, normalize_axis, unify

__all__ = [
    "ArgSort",
    "SearchSorted",
    "TopK",
    "Unique",
    "argsort",
    "searchsorted",
    "sort",
    "top_k",
    "unique",
    "unique_with_counts",
]


def _sorted_places(x: Array, descending: bool) -> Array:
    """Return the stable order along the last axis; of equal elements the first comes first either way."""
    if not descending:
        return np.argsort(x, axis=-1, kind="stable")
    backwards = np.argsort(np.flip(x, -1), axis=-1, kind="stable")
    return np.flip(x.shape[-1] - 1 - backwards, -1)


@primitive
@final
class ArgSort(Op):
    """The places of the elements of each row in ascending or descending order; equal elements keep theirs."""

    differentiable = False
    descending: bool = False

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Always int32."""
        return (int32,)

    def infer(self, x: TensorType) -> Signature:
        """The input's shape."""
        if x.rank == 0:
            raise ShapeError(f"argsort: the input is {x}; at least one axis is needed.")
        if x.dtype.is_complex:
            raise DTypeError(f"sort: the input is {x}; complex numbers have no order. Sort dt.abs of them.")
        return TensorType(int32, x.shape)

    def reference(self, x: Array) -> Array:
        """NumPy's stable sort."""
        return _sorted_places(x, self.descending).astype(np.int32)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Both ways, ties, empty."""
        yield Sample(cls(), rng.normal(size=(2, 5)))
        yield Sample(cls(True), np.array([1, 3, 1, 3, 2], np.int32))
        yield Sample(cls(), np.zeros((2, 0)))


@primitive
@final
class TopK(Op):
    """The ``k`` greatest elements of each row, greatest first, and their places; equal ones keep their order."""

    k: Dim

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The input's, and int32."""
        return dtypes[0], int32

    def infer(self, x: TensorType) -> Signature:
        """The shape with ``k`` for the last axis, twice."""
        if not x.dtype.is_numeric:
            raise DTypeError(f"top_k: the input is {x}; use numbers.")
        if x.rank == 0:
            raise ShapeError(f"top_k: the input is {x}; at least one axis is needed.")
        message = f"top_k: k is {self.k}, but the last axis of {x} has size {x.dims[-1]}. Use at most that."
        demand("nonnegative", self.k, 0, message)
        demand("nonnegative", x.dims[-1] - self.k, 0, message)
        shape = Shape((*x.dims[:-1], self.k))
        return TensorType(x.dtype, shape), TensorType(int32, shape)

    def reference(self, x: Array) -> tuple[Array, Array]:
        """The beginning of the sorted rows."""
        places = _sorted_places(x, True)[..., : self.k]
        return np.take_along_axis(x, places, -1), places.astype(np.int32)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The gradient at the places picked, zeros elsewhere."""
        dims = inputs[0].shape.dims
        return (scatter_picked(grads[0], outputs[1], dims, len(dims) - 1, len(dims) - 1),)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Some, all, none; a vector; ties."""
        yield Sample(cls(2), rng.normal(size=(3, 4)))
        yield Sample(cls(3), rng.normal(size=(3,)))
        yield Sample(cls(0), rng.normal(size=(2, 3)))
        yield Sample(cls(3), np.array([1, 3, 1, 3, 2], np.int32))


def _last(x: Tensor, axis: Any, operation: str) -> tuple[Tensor, tuple[int, ...] | None]:
    """Return the tensor with an axis moved to the end, and the order that does so; ``None`` where it is there."""
    at = settled_axis(as_axis(axis, f"{operation}: axis"), x.shape.rank)
    if at == -1 or at + 1 == x.shape.rank:
        return x, None
    if x.shape.rank is None:
        raise ShapeError(f'{operation}: the rank of "{x.name}" is unknown; use axis=-1, or set_shape. {x.op.where()}')
    at = normalize_axis(at, x.shape.rank, operation)
    order = list(range(x.shape.rank))
    order[at], order[-1] = order[-1], order[at]  # an exchange, which undoes itself
    return transpose(x, order), tuple(order)


def _descending(direction: str, operation: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise InvalidArgumentError(f"{operation}: direction is {direction!r}; use 'ASCENDING' or 'DESCENDING'.")
    return direction == "DESCENDING"


def argsort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Tensor:
    """Return the places of the elements along an axis in sorted order, as int32.

    Args:
        values: the tensor.
        axis: the axis.
        direction: ``"ASCENDING"`` or ``"DESCENDING"``.
        stable: has no effect: equal elements always keep their order.
        name: name of the node.

    Raises:
        ShapeError: there is no such axis.

    Example:
        >>> dt.Session().run(dt.argsort([3, 1, 2]))
        array([1, 2, 0], dtype=int32)
    """
    x, order = _last(as_tensor(values), axis, "argsort")
    result: Tensor = ArgSort(_descending(direction, "argsort"))(x, name=name)
    return result if order is None else transpose(result, order)


def sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    """Return the elements along an axis in sorted order.

    Args:
        values: the tensor.
        axis: the axis.
        direction: ``"ASCENDING"`` or ``"DESCENDING"``.
        name: name of the node.

    Raises:
        ShapeError: there is no such axis.

    Example:
        >>> dt.Session().run(dt.sort([3, 1, 2]))
        array([1, 2, 3], dtype=int32)
    """
    x, order = _last(as_tensor(values), axis, "sort")
    places = ArgSort(_descending(direction, "sort"))(x)
    result = gather(x, places, axis=-1, batch_dims=-1, name=name or "Sort")
    return result if order is None else transpose(result, order)


class TopKResult(NamedTuple):
    """What ``top_k`` returns."""

    values: Tensor
    indices: Tensor


def top_k(input: Any, k: Any = 1, sorted: bool = True, name: str | None = None) -> TopKResult:
    """Return the greatest elements along the last axis, and their places.

    Args:
        input: the tensor.
        k: how many: an int or a dimension.
        sorted: has no effect: the greatest always comes first; here for TensorFlow 1 programs.
        name: name of the node.

    Returns:
        ``values``, and ``indices`` (int32), their places; both of shape ``input.shape[:-1] + [k]``.

    Raises:
        ShapeError: the axis has fewer elements.
        InvalidArgumentError: ``k`` is not known while the graph is built.

    Example:
        >>> values, places = dt.top_k([3, 1, 4, 1, 5], 2)
        >>> dt.Session().run([values, places])
        [array([5, 4], dtype=int32), array([4, 2], dtype=int32)]
    """
    count = as_dim(k, "top_k: k")
    if count is None:
        raise InvalidArgumentError("top_k: k is not known while the graph is built; use an int or a dimension.")
    return TopKResult(*TopK(count)(as_tensor(input), name=name))


# Unique. -------------------------------------------------------------------------------------------------------------


@primitive
@final
class Unique(Op):
    """The different elements of a vector in order of appearance; where among them each is; how often each is."""

    differentiable = False
    symbol: str
    index_dtype: DType = int32

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The input's, and twice the type of indices."""
        return dtypes[0], self.index_dtype, self.index_dtype

    def infer(self, x: TensorType) -> Signature:
        """A vector of opaque length, one like the input, and one of the opaque length."""
        if x.rank != 1:
            raise ShapeError(f"unique: the input is {x}; a vector is needed. Reshape it to [-1].")
        found = Shape((opaque_dim(self.symbol),))
        return TensorType(x.dtype, found), TensorType(self.index_dtype, x.shape), TensorType(self.index_dtype, found)

    def reference(self, x: Array) -> tuple[Array, Array, Array]:
        """NumPy's unique, back in order of appearance."""
        values, first, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(first, kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        dtype = self.index_dtype.numpy
        return values[order], rank[inverse.reshape(-1)].astype(dtype), counts[order].astype(dtype)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Repeated integers, none, strings."""
        yield Sample(cls("unique.sample"), np.array([5, 3, 5, 1, 3], np.int32))
        yield Sample(cls("unique.sample", as_dtype("int64")), np.zeros((0,), np.int64))
        yield Sample(cls("unique.sample"), np.array([b"b", b"a", b"b"], object))


class UniqueResult(NamedTuple):
    """What ``unique`` returns."""

    y: Tensor
    idx: Tensor


class UniqueWithCounts(NamedTuple):
    """What ``unique_with_counts`` returns."""

    y: Tensor
    idx: Tensor
    count: Tensor  # type: ignore[assignment] # hides tuple.count, as TensorFlow 1 does


def unique(x: Any, out_idx: DTypeLike = int32, name: str | None = None) -> UniqueResult:
    """Return the different elements of a vector in order of appearance.

    Args:
        x: a vector.
        out_idx: element type of the places, int32 or int64.
        name: name of the node.

    Returns:
        ``y``, the elements, as many as the data have; and ``idx``, with ``x == gather(y, idx)``.

    Raises:
        ShapeError: the input is no vector.

    Example:
        >>> dt.Session().run(dt.unique([5, 3, 5]).y)
        array([5, 3], dtype=int32)
    """
    return UniqueResult(*unique_with_counts(x, out_idx, name)[:2])


def unique_with_counts(x: Any, out_idx: DTypeLike = int32, name: str | None = None) -> UniqueWithCounts:
    """Return the different elements of a vector, the place of each element among them, and how often each appears.

    Raises:
        ShapeError: the input is no vector.

    Example:
        >>> dt.Session().run(dt.unique_with_counts([5, 3, 5]).count)
        array([2, 1], dtype=int32)
    """
    return UniqueWithCounts(*Unique(opaque_name("unique"), as_dtype(out_idx))(x, name=name))


# Search. -------------------------------------------------------------------------------------------------------------


@primitive
@final
class SearchSorted(Op):
    """Where values would have to go into sorted rows so that these stay sorted."""

    differentiable = False
    right: bool = False
    dtype: DType = int32

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The integer type asked for."""
        return (self.dtype,)

    def infer(self, rows: TensorType, values: TensorType) -> Signature:
        """The shape of the values; the leading axes agree."""
        if rows.dtype is not values.dtype:
            raise DTypeError(
                f"searchsorted: the sequence is {rows}, the values are {values}. Make the dtypes equal by dt.cast."
            )
        message = f"searchsorted: rows of {rows} cannot be searched for {values}; all axes but the last must be equal."
        if not rows.rank or rows.rank != values.rank:
            raise ShapeError(message)
        lead = [unify(mine, theirs, message) for mine, theirs in zip(rows.dims[:-1], values.dims[:-1], strict=True)]
        return TensorType(self.dtype, Shape((*lead, values.dims[-1])))

    def reference(self, rows: Array, values: Array) -> Array:
        """NumPy's searchsorted, row by row."""
        side: Any = "right" if self.right else "left"
        flat, wanted = rows.reshape(-1, rows.shape[-1]), values.reshape(-1, values.shape[-1])
        found = [np.searchsorted(row, one, side) for row, one in zip(flat, wanted, strict=True)]
        return np.asarray(found, self.dtype.numpy).reshape(values.shape)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Either side, rows."""
        row = np.array([1, 3, 3, 5], np.int32)
        yield Sample(cls(), row, np.array([0, 3, 6], np.int32))
        yield Sample(cls(True, as_dtype("int64")), row, np.array([3, 5], np.int32))
        yield Sample(cls(), np.sort(rng.normal(size=(2, 4))), rng.normal(size=(2, 3)))


def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: DTypeLike = int32, name: str | None = None
) -> Tensor:
    """Return where values would have to go into sorted rows so that these stay sorted.

    Args:
        sorted_sequence: ascending along the last axis, of shape ``[..., n]``.
        values: of shape ``[..., m]``.
        side: ``"left"`` goes before equal elements, ``"right"`` behind them.
        out_type: int32 or int64.
        name: name of the node.

    Raises:
        ShapeError: axes other than the last differ.
        DTypeError: the dtypes differ.
        InvalidArgumentError: ``side`` is something else.

    Example:
        >>> dt.Session().run(dt.searchsorted([1, 3, 5], [3, 4]))
        array([1, 2], dtype=int32)
    """
    if side not in ("left", "right"):
        raise InvalidArgumentError(f"searchsorted: side is {side!r}; use 'left' or 'right'.")
    rows = as_tensor(sorted_sequence)
    result: Tensor = SearchSorted(side == "right", as_dtype(out_type))(rows, as_tensor(values, rows.dtype), name=name)
    return result
