"""What slices are made of: ``StridedSlice``, ``DynamicSlice`` and their gradients; ``indexing`` has what users call.

A slice is described by items, one for each axis that it mentions, kept as attributes:

| item | meaning |
| --- | --- |
| ``None`` | a new axis of size 1 |
| ``"..."`` | as many whole axes as are left |
| ``("index", i)`` | one element; the axis goes |
| ``("slice", begin, end, stride)`` | NumPy's slice, with ``None`` for what is left out |
| ``("size", begin, size)`` | exactly ``size`` elements, or all from ``begin`` on for -1 |

Numbers are ints or dimensions; in a ``DynamicSlice``, ``"tensor"`` stands for the next of its inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.sizes import (
    Gradients,
    Resolved,
    Tensors,
    Types,
    Values,
    as_dim,
    moved,
    opaque_dim,
    opaque_name,
)
from dovetail.types.dims import Dim, FloorDiv, SymbolicDim, ceil_div, dim_max, dim_min, is_nonnegative
from dovetail.types.shapes import Shape, TensorType, demand

__all__ = [
    "WHOLE",
    "DynamicSlice",
    "DynamicSliceGrad",
    "Item",
    "StridedSlice",
    "StridedSliceGrad",
    "place",
    "sliced",
]

Item: TypeAlias = Any
"""``None``, ``"..."`` or a tuple, as in the table above."""

Placed: TypeAlias = Dim | tuple[Dim, Dim, int] | None
"""An item fitted to its axis: ``None`` for a new axis, an index, or (first index, size, stride)."""

_TENSOR: Final = "tensor"
WHOLE: Final = ("slice", None, None, None)
_Slice: Final = type(np.s_[:])


# From items to places. -----------------------------------------------------------------------------------------------


def _expanded(items: Sequence[Item], rank: int, shown: object) -> tuple[Item, ...]:
    """Return items that mention every axis: the ellipsis, or the end, is filled with whole axes."""
    mentioned = sum(item is not None and item != "..." for item in items)
    if mentioned > rank:
        raise ShapeError(f"slice: {mentioned} axes are indexed, but the input is {shown}. Leave indices out.")
    if items.count("...") > 1:
        raise ShapeError("slice: the index holds more than one ...; only one can stand for the axes that are left.")
    at = items.index("...") if "..." in items else len(items)
    return (*items[:at], *(WHOLE,) * (rank - mentioned), *items[at + 1 :])


def place(items: Sequence[Item], kind: TensorType) -> tuple[Placed, ...]:
    """Fit items to the axes of a tensor; what a feed must settle goes to the current sink.

    Args:
        items: items without tensors.
        kind: the type of the tensor, of known rank.

    Raises:
        ShapeError: an index is out of range, or there are too many.
    """
    axes = iter(range(len(kind.dims)))
    return tuple(
        [None if item is None else _place(item, next(axes), kind) for item in _expanded(items, len(kind.dims), kind)]
    )


def _place(item: Item, axis: int, kind: TensorType) -> Placed:
    dim = kind.dims[axis]
    if item[0] == "index":
        return _place_index(item[1], axis, kind)
    if item[0] == "size":
        begin, size = item[1:]
        if size == -1:
            size = dim - begin

        def message() -> str:
            return (
                f"slice: {size} elements from index {begin} on do not lie within axis {axis} of {kind}. "
                f"Begin earlier, or take fewer; -1 takes what is left."
            )

        for bound in (begin, size, dim - begin - size):
            demand("nonnegative", bound, 0, message)
        return begin, size, 1
    begin, end, stride = item[1:]
    return _place_slice(begin, end, stride, dim)


def _place_index(index: Dim, axis: int, kind: TensorType) -> Dim:
    dim = kind.dims[axis]
    found = index + dim if isinstance(index, int) and index < 0 else index

    def message() -> str:
        if dim == 0:
            return f"slice: index {index} is out of range: axis {axis} of {kind} is empty."
        return f"slice: index {index} is out of range for axis {axis} of {kind}. Use one from {-dim} to {dim - 1}."

    demand("nonnegative", found, 0, message)
    demand("nonnegative", dim - 1 - found, 0, message)
    return found


def _place_slice(begin: Dim | None, end: Dim | None, stride: Dim | None, dim: Dim) -> tuple[Dim, Dim, int]:
    step = 1 if stride is None else stride
    if not isinstance(step, int) or step == 0:
        raise ShapeError(f"slice: the stride is {step}; use an int other than 0, known while the graph is built.")
    bounds = (begin, end)
    if isinstance(dim, int) and all(bound is None or isinstance(bound, int) for bound in bounds):
        first, last, _ = _Slice(begin, end, step).indices(dim)
        return first, len(range(first, last, step)), step
    for bound in bounds:
        if isinstance(bound, SymbolicDim):
            text = (
                f"slice: the bound {bound} is negative whatever is fed. Count from the end by a negative int instead."
            )
            demand("nonnegative", bound, 0, text)
    if step > 0:
        start = 0 if begin is None else dim_max(dim + begin, 0) if isinstance(begin, int) and begin < 0 else begin
        if isinstance(begin, int) and begin < 0 and end is None and step == 1:
            return start, dim_min(dim, -begin), 1  # the last elements: simpler than dim - max(dim + begin, 0)
        if end is None:
            stop = dim
        elif isinstance(end, int) and end < 0:
            stop = dim + end
        else:
            stop = end if _within(end, dim) else dim_min(end, dim)
        span = stop - start
        return start, ceil_div(span if _within(start, stop) else dim_max(span, 0), step), step
    start = (
        dim - 1
        if begin is None
        else dim_max(dim + begin, -1)
        if isinstance(begin, int) and begin < 0
        else dim_min(begin, dim - 1)
    )
    stop = -1 if end is None else dim_max(dim + end, -1) if isinstance(end, int) and end < 0 else end
    return start, dim_max(ceil_div(start - stop, -step), 0), step


def _within(one: Dim, other: Dim) -> bool:
    """Tell whether a dimension is sure not to exceed another, as a part ``n // 2`` never exceeds ``n``."""
    if isinstance(one, FloorDiv) and isinstance(one.denominator, int) and one.denominator > 0:
        return is_nonnegative(other * one.denominator - one.numerator)
    return is_nonnegative(other - one)


def _sizes(places: Iterable[Placed]) -> list[Dim]:
    """Return the shape of what is taken."""
    return [1 if one is None else one[1] for one in places if one is None or isinstance(one, tuple)]


def _key(places: Iterable[Placed]) -> tuple[Any, ...]:
    """Return NumPy's index for concrete places; the ellipsis at its end makes sure that the result is an array."""
    key: list[Any] = []
    for one in places:
        if isinstance(one, tuple):
            begin, size, stride = one
            end = begin + size * stride
            whole = (
                _Slice(0, 0) if size == 0 else _Slice(begin, end if isinstance(end, int) and end >= 0 else None, stride)
            )
            key.append(whole)
        else:
            key.append(one)
    return (*key, Ellipsis)


def _filled(items: Sequence[Item], bounds: Iterator[Any]) -> tuple[Item, ...]:
    """Return items with their tensors replaced by what ``bounds`` yields."""
    return tuple([
        tuple([next(bounds) if isinstance(part, str) and part == _TENSOR else part for part in item])
        if isinstance(item, tuple)
        else item
        for item in items
    ])  # fmt: skip


def _type_of(x: Array) -> TensorType:
    from dovetail.types.dtypes import as_dtype

    return TensorType(as_dtype(x.dtype), Shape(x.shape))


# Bounds known while the graph is built. ------------------------------------------------------------------------------


@primitive
@final
class StridedSlice(Op):
    """What ``items`` take of a tensor, by NumPy's rules."""

    items: tuple[Item, ...]

    def default_name(self) -> str:
        """``strided_slice``, as TensorFlow 1 names it."""
        return "strided_slice"

    def infer(self, x: TensorType) -> Signature:
        """The shape of what is taken."""
        return TensorType(x.dtype, Shape(_sizes(place(self.items, x))))

    def reference(self, x: Array) -> Array:
        """A view."""
        return moved(x[_key(place(self.items, _type_of(x)))])

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """Zeros, with the gradient where the slice was taken."""
        return (StridedSliceGrad(self.items, inputs[0].shape.dims)(grads[0]),)

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The elements taken."""
        if values[0] is None:
            return None
        places = place(self.items, types[0])
        if any(
            isinstance(number, SymbolicDim) for one in places for number in (one if isinstance(one, tuple) else (one,))
        ):
            return None
        return moved(values[0][_key(places)])

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Indices, slices both ways, steps, new axes, ellipsis, empty results, integers, strings."""
        whole, x = WHOLE, rng.normal(size=(4, 5))
        yield Sample(cls((("index", 1),)), x)
        yield Sample(cls((("index", -1), ("index", 0))), x)
        yield Sample(cls((whole, ("slice", 1, -1, None))), x)
        yield Sample(cls((("slice", None, None, -1), ("slice", 4, None, -2))), x)
        yield Sample(cls((None, "...", None, ("slice", 0, None, 2))), x)
        yield Sample(cls((("slice", 3, 1, None),)), x)
        yield Sample(cls((("size", 1, 2), ("size", 2, -1))), x)
        yield Sample(cls(("...",)), np.float64(2.0))
        yield Sample(cls((("index", 2),)), np.arange(4, dtype=np.int64))
        yield Sample(cls((("slice", None, 1, None),)), np.array([b"a", b"bc"], object))


@primitive
@final
class StridedSliceGrad(Op):
    """Zeros of a shape, with a tensor where ``StridedSlice`` of the same items takes from."""

    items: tuple[Item, ...]
    shape: tuple[Dim, ...]

    def infer(self, grad: TensorType) -> Signature:
        """The whole shape."""
        whole = TensorType(grad.dtype, Shape(self.shape))
        taken = Shape(_sizes(place(self.items, whole)))
        message = f"the gradient of a slice is {grad}, but the slice of {whole} has shape {taken}."
        if len(taken) != len(grad.dims):
            raise ShapeError(message)
        for have, want in zip(grad.dims, taken, strict=True):
            demand("equal", have, want, message)
        return whole

    def reference(self, grad: Array) -> Array:
        """Zeros, and an assignment to the slice."""
        result = np.zeros(self.shape, grad.dtype)
        result[_key(place(self.items, _type_of(result)))] = grad
        return result

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The slice."""
        return (StridedSlice(self.items)(grads[0]),)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """An index, steps both ways, a new axis, an empty slice."""
        yield Sample(cls((("index", 1),), (4, 5)), rng.normal(size=(5,)))
        yield Sample(cls((("slice", None, None, -1), ("slice", 4, None, -2)), (4, 5)), rng.normal(size=(4, 3)))
        yield Sample(cls((None, ("slice", 0, 1, None)), (3,)), rng.normal(size=(1, 1)))
        yield Sample(cls((("slice", 3, 1, None),), (4,)), np.zeros((0,)))


# Bounds that only the run computes. ----------------------------------------------------------------------------------


def _dynamic_sizes(items: Sequence[Item], symbol: str, kind: TensorType) -> list[Dim]:
    """Return the shape of what is taken, with opaque symbols where a tensor decides."""
    sizes: list[Dim] = []
    axis = -1
    for item in _expanded(items, len(kind.dims), kind):
        if item is None:
            sizes.append(1)
            continue
        axis += 1
        if _TENSOR not in item:
            placed = _place(item, axis, kind)
            sizes += [placed[1]] if isinstance(placed, tuple) else []
        elif item[0] == "size" and item[2] not in (_TENSOR, -1):
            sizes.append(item[2])
        elif item[0] != "index":
            sizes.append(opaque_dim(symbol, len(sizes)))
    return sizes


def _dynamic_key(items: Sequence[Item], bounds: Iterable[Array], kind: TensorType) -> tuple[Any, ...]:
    try:
        return _key(place(_filled(items, iter([int(bound) for bound in bounds])), kind))
    except ShapeError as error:
        raise InvalidArgumentError(str(error)) from error


def _check_bounds(bounds: Sequence[TensorType]) -> None:
    for bound in bounds:
        if not bound.dtype.is_integer or bound.rank not in (0, None):
            raise DTypeError(f"slice: a bound is {bound}; use integer scalars, and gather for tensors of indices.")


@primitive
@final
class DynamicSlice(Op):
    """``StridedSlice`` with bounds that only the run computes; they follow the tensor as scalar inputs."""

    items: tuple[Item, ...]
    symbol: str

    def default_name(self) -> str:
        """``strided_slice``, as TensorFlow 1 names it."""
        return "strided_slice"

    def infer(self, x: TensorType, *bounds: TensorType) -> Signature:
        """Opaque sizes where a bound decides."""
        _check_bounds(bounds)
        return TensorType(x.dtype, Shape(_dynamic_sizes(self.items, self.symbol, x)))

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """Of unknown rank where the input is; the bounds are scalars."""
        if types[0].rank is None:
            return (TensorType(types[0].dtype, Shape(None)),)
        return (TensorType(types[0].dtype, Shape(_dynamic_sizes(self.items, self.symbol, types[0]))),)

    def reference(self, x: Array, *bounds: Array) -> Array:
        """A view."""
        return moved(x[_dynamic_key(self.items, bounds, _type_of(x))])

    def resolve(self, types: Types, values: Values) -> Resolved:
        """``StridedSlice``, once the bounds are known."""
        known = [value.item() for value in values[1:] if value is not None]
        if len(known) < len(values) - 1:
            return None
        return StridedSlice(_filled(self.items, iter(known))), (0,)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """Zeros, with the gradient where the slice was taken."""
        op = DynamicSliceGrad(self.items, inputs[0].shape.dims, self.symbol)
        return op(grads[0], *inputs[1:]), *(None,) * (len(inputs) - 1)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """An index, both bounds, a size."""
        x, two = rng.normal(size=(4, 5)), np.int32(2)
        yield Sample(cls((("index", _TENSOR),), "slice.sample"), x, two)
        yield Sample(cls((WHOLE, ("slice", _TENSOR, _TENSOR, None)), "slice.sample"), x, two, np.int64(-1))
        yield Sample(cls((("size", _TENSOR, 1), "..."), "slice.sample"), x, two)


@primitive
@final
class DynamicSliceGrad(Op):
    """Zeros of a shape, with a tensor where ``DynamicSlice`` of the same items and bounds takes from."""

    items: tuple[Item, ...]
    shape: tuple[Dim, ...]
    symbol: str

    def infer(self, grad: TensorType, *bounds: TensorType) -> Signature:
        """The whole shape."""
        _check_bounds(bounds)
        return TensorType(grad.dtype, Shape(self.shape))

    def reference(self, grad: Array, *bounds: Array) -> Array:
        """Zeros, and an assignment to the slice."""
        result = np.zeros(self.shape, grad.dtype)
        result[_dynamic_key(self.items, bounds, _type_of(result))] = grad
        return result

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The slice."""
        return DynamicSlice(self.items, self.symbol)(grads[0], *inputs[1:]), *(None,) * (len(inputs) - 1)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """An index, a size."""
        yield Sample(cls((("index", _TENSOR),), (4, 5), "slice.sample"), rng.normal(size=(5,)), np.int32(-1))
        yield Sample(cls((("size", _TENSOR, 2),), (4,), "slice.sample"), rng.normal(size=(2,)), np.int64(1))


def sliced(x: Tensor, items: Sequence[Item], name: str | None) -> Tensor:
    """Make the node for items in which tensors may stand; those known as dimensions become such."""
    bounds: list[Tensor] = []

    def settle(part: Any) -> Any:
        if not isinstance(part, Tensor):
            return part
        dim = as_dim(part, "slice: a bound")
        if dim is not None:
            return dim
        bounds.append(part)
        return _TENSOR

    settled = tuple([tuple([settle(part) for part in item]) if isinstance(item, tuple) else item for item in items])
    result: Tensor
    if bounds:
        result = DynamicSlice(settled, opaque_name("slice"))(x, *bounds, name=name)
    else:
        result = StridedSlice(settled)(x, name=name)
    return result
