"""Slicing as users call it: ``x[...]`` as NumPy does it, ``slice``, ``strided_slice``, ``reverse``, ``roll``."""

from __future__ import annotations

from collections.abc import Iterable
from types import EllipsisType
from typing import Any, Final, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.operators import operator
from dovetail.graph.registry import primitive
from dovetail.ops.sizes import (
    Gradients,
    Tensors,
    Types,
    Values,
    as_axes,
    as_dim,
    settled_axis,
    sizes_of,
)
from dovetail.ops.slicing import WHOLE, Item, sliced
from dovetail.types.dims import Dim, SymbolicDim, dim_max
from dovetail.types.shapes import TensorType, normalize_axes, normalize_axis

__all__ = ["Reverse", "getitem", "reverse", "roll", "slice", "strided_slice", "take_range"]

_Slice: Final = type(np.s_[:])


def getitem(x: Any, key: Any) -> Tensor:
    """Return ``x[key]`` by NumPy's rules for basic indexing, and some of its rules for indices in tensors.

    Args:
        x: the tensor.
        key: ints, dimensions and scalar integer tensors; slices with such bounds; ``...``; ``None``; or a tuple of
            these. A tensor, array or list of truth values that stands alone selects (see ``boolean_mask``); one of
            integers may stand at one place among slices and picks along its axis (see ``gather``).

    Raises:
        ShapeError: an index is out of range, or there are too many.
        DTypeError: an index is of another kind.

    Example:
        >>> x = dt.reshape(dt.range(12), [3, 4])
        >>> dt.Session().run(x[-1, ::2])
        array([ 8, 10], dtype=int32)
    """
    from dovetail.ops.gather import gather
    from dovetail.ops.masks import boolean_mask

    tensor = as_tensor(x)
    parts = list(key) if isinstance(key, tuple) else [key]
    picks = [at for at, part in enumerate(parts) if _is_array(part)]
    if not picks:
        return sliced(tensor, [_item(part) for part in parts], None)
    if len(picks) > 1:
        raise DTypeError("slice: at most one of the indices may be a tensor of indices; use gather_nd for several.")
    at = picks[0]
    indices = as_tensor(parts[at])
    if indices.dtype.is_bool:
        if len(parts) > 1:
            raise DTypeError(
                "slice: a mask must stand alone in x[mask]; use boolean_mask with axis= and slice the result."
            )
        return boolean_mask(tensor, indices)
    if not indices.dtype.is_integer:
        raise DTypeError(f"slice: an index is {indices.type}; use integers or truth values.")
    if any(not (part is None or part is Ellipsis or isinstance(part, _Slice)) for part in parts[:at] + parts[at + 1 :]):
        raise DTypeError(
            "slice: next to a tensor of indices only slices, ... and None may stand; index the result once more."
        )
    basic = [*parts[:at], _Slice(None), *parts[at + 1 :]]
    if Ellipsis in parts[:at]:
        axis = -sum(part is None or isinstance(part, _Slice) for part in parts[at + 1 :]) - 1
    else:
        axis = at
    whole = all(isinstance(part, _Slice | EllipsisType) and part in (_Slice(None), Ellipsis) for part in basic)
    return gather(tensor if whole else sliced(tensor, [_item(part) for part in basic], None), indices, axis=axis)


operator("getitem", getitem)


def _is_array(part: Any) -> bool:
    if isinstance(part, Tensor):
        return part.shape.rank != 0 and (part.shape.rank is not None or part.dtype.is_bool)
    return isinstance(part, list) or (isinstance(part, np.ndarray) and part.ndim > 0)


def _item(part: Any) -> Item:
    if part is None:
        return None
    if part is Ellipsis:
        return "..."
    if isinstance(part, _Slice):
        return "slice", _bound(part.start), _bound(part.stop), _bound(part.step)
    index = _bound(part)
    if index is None:
        raise DTypeError("slice: None is no bound here.")
    return "index", index


def _bound(value: Any) -> Any:
    """Return a bound as an int, a dimension, an integer tensor, or ``None``."""
    if value is None or isinstance(value, SymbolicDim) or type(value) is int:
        return value
    if isinstance(value, bool | np.bool_ | float | str | bytes):
        raise DTypeError(
            f"slice: {value!r} is no index; use an int, a slice, ..., None, a dimension or an integer tensor."
        )
    if isinstance(value, int | np.integer):
        return int(value)
    tensor = as_tensor(value)
    if not tensor.dtype.is_integer:
        raise DTypeError(f'slice: the index "{tensor.name}" is {tensor.type}; use an integer scalar.')
    if tensor.shape.rank not in (0, None):
        raise DTypeError(f'slice: the bound "{tensor.name}" is {tensor.type}; use an integer scalar.')
    return tensor


def _elements(value: Any, what: str, count: int | None) -> list[Any]:
    """Return the elements of a vector as dimensions, and as scalar tensors where only the run knows them."""
    if isinstance(value, list | tuple):
        return [_bound(item) for item in value]
    sizes = sizes_of(value, what)
    if sizes is None and count is not None:
        sizes = (None,) * count
    if sizes is None:
        raise InvalidArgumentError(
            f"{what}: the number of elements is not known while the graph is built; give a list."
        )
    tensor = as_tensor(value)
    return [getitem(tensor, index) if size is None else size for index, size in enumerate(sizes)]


def slice(input_: Any, begin: Any, size: Any, name: str | None = "Slice") -> Tensor:
    """Return the part of a tensor that begins at an index and has a size along every axis.

    Args:
        input_: the tensor.
        begin: the first index along each axis.
        size: the number of elements along each axis; -1 takes all that are left.
        name: name of the node.

    Raises:
        ShapeError: the part does not lie within the tensor, or an axis is missing.

    Example:
        >>> dt.slice(dt.zeros([4, 5]), [1, 0], [2, -1]).shape
        Shape([2, 5])
    """
    x = as_tensor(input_)
    begins = _elements(begin, "slice: begin", x.shape.rank)
    sizes = _elements(size, "slice: size", len(begins))
    if len(begins) != len(sizes) or x.shape.rank not in (None, len(begins)):
        raise ShapeError(
            f"slice: begin has {len(begins)} elements, size {len(sizes)}, but the input is {x.type}. Give one an axis."
        )
    return sliced(x, [("size", first, count) for first, count in zip(begins, sizes, strict=True)], name)


def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Tensor:
    """Return ``input_[begin[0]:end[0]:strides[0], …]``; Python's ``x[...]`` is the simpler way to write it.

    Args:
        input_: the tensor.
        begin: the first index along each axis mentioned.
        end: the index after the last.
        strides: the steps, 1 by default; negative ones go backwards.
        begin_mask: bit ``i`` leaves ``begin[i]`` out.
        end_mask: bit ``i`` leaves ``end[i]`` out.
        ellipsis_mask: bit ``i`` makes place ``i`` stand for ``...``.
        new_axis_mask: bit ``i`` makes place ``i`` a new axis.
        shrink_axis_mask: bit ``i`` takes the element ``begin[i]`` alone and drops the axis.
        var: has no effect; here for TensorFlow 1 programs.
        name: name of the node.

    Raises:
        ShapeError: the lengths differ, or an index is out of range.
        InvalidArgumentError: more than one bit of ``ellipsis_mask`` is set.

    Example:
        >>> dt.strided_slice(dt.zeros([4, 5]), [1, 0], [3, 5], [1, 2]).shape
        Shape([2, 3])
    """
    begins = _elements(begin, "strided_slice: begin", None)
    ends = _elements(end, "strided_slice: end", len(begins))
    steps = [1] * len(begins) if strides is None else _elements(strides, "strided_slice: strides", len(begins))
    if not len(begins) == len(ends) == len(steps):
        raise ShapeError(
            f"strided_slice: begin has {len(begins)} elements, end {len(ends)}, strides {len(steps)}. Give as many."
        )
    if ellipsis_mask.bit_count() > 1:
        raise InvalidArgumentError(
            f"strided_slice: ellipsis_mask {ellipsis_mask:#b} has more than one bit; use one ellipsis."
        )
    items: list[Item] = []
    for index, (first, last, step) in enumerate(zip(begins, ends, steps, strict=True)):
        bit = 1 << index
        if ellipsis_mask & bit:
            items.append("...")
        elif new_axis_mask & bit:
            items.append(None)
        elif shrink_axis_mask & bit:
            items.append(("index", first))
        else:
            items.append(("slice", None if begin_mask & bit else first, None if end_mask & bit else last, step))
    return sliced(as_tensor(input_), items, name)


def take_range(x: Tensor, begin: Any, size: Any, axis: int, name: str | None = None) -> Tensor:
    """Return ``size`` elements from ``begin`` on along an axis; both may be scalar tensors."""
    item = ("size", begin, size)
    if axis >= 0:
        return sliced(x, [*(WHOLE,) * axis, item], name)
    return sliced(x, ["...", item, *(WHOLE,) * (-axis - 1)], name)


# Backwards and around. -----------------------------------------------------------------------------------------------


@primitive
@final
class Reverse(Op):
    """The elements in reverse order along axes."""

    axes: tuple[int, ...]

    def infer(self, x: TensorType) -> Signature:
        """The input's type."""
        normalize_axes(self.axes, len(x.dims), "reverse")
        return x

    def reference(self, x: Array) -> Array:
        """A view."""
        return np.flip(x, self.axes)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The gradient in reverse order."""
        return (Reverse(self.axes)(grads[0]),)

    gradient_without_ranks = True

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The elements in reverse order."""
        return None if values[0] is None else np.flip(values[0], self.axes)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """One axis, several, none, empty, integers."""
        yield Sample(cls((0,)), rng.normal(size=(3, 2)))
        yield Sample(cls((-1, 0)), rng.normal(size=(3, 2)))
        yield Sample(cls(()), rng.normal(size=(2,)))
        yield Sample(cls((0,)), np.zeros((0, 2)))
        yield Sample(cls((0,)), np.arange(3, dtype=np.int32))


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """Return the tensor with its elements in reverse order along axes.

    Args:
        tensor: the tensor.
        axis: the axis or axes.
        name: name of the node.

    Raises:
        ShapeError: there is no such axis, or it is named twice.

    Example:
        >>> dt.Session().run(dt.reverse([1, 2, 3], [0]))
        array([3, 2, 1], dtype=int32)
    """
    x = as_tensor(tensor)
    result: Tensor = Reverse(tuple([settled_axis(one, x.shape.rank) for one in as_axes(axis, "reverse: axis")]))(
        x, name=name
    )
    return result


def roll(input: Any, shift: Any, axis: Any, name: str | None = "roll") -> Tensor:
    """Return the tensor with its elements moved on along axes; those that leave at the end come in at the beginning.

    Args:
        input: the tensor.
        shift: by how many places; one number for each axis; negative ones move back. An axis named twice adds up.
        axis: the axis or axes.
        name: name of the node.

    Raises:
        ShapeError: there is no such axis, or the numbers of shifts and axes differ.

    Example:
        >>> dt.Session().run(dt.roll([1, 2, 3, 4], 1, 0))
        array([4, 1, 2, 3], dtype=int32)
    """
    from dovetail.ops.joining import concat

    result = as_tensor(input)
    axes = as_axes(axis, "roll: axis")
    shifts = _elements(shift, "roll: shift", len(axes)) if _is_vector(shift) else [_bound(shift)]
    if len(shifts) != len(axes):
        raise ShapeError(f"roll: {len(shifts)} shifts for {len(axes)} axes. Give one for each.")
    if result.shape.rank is None:
        raise ShapeError(f'roll: the rank of "{result.name}" is unknown; use set_shape. {result.op.where()}')
    for places, one in zip(shifts, axes, strict=True):
        at = normalize_axis(one, result.shape.rank, "roll")
        size = dim_max(result.shape[at], 1)
        first = _modulo(-places, size)
        back = (
            take_range(result, first, -1, at) if not isinstance(result.shape[at], int) or result.shape[at] else result
        )
        front = take_range(result, 0, first, at)
        result = concat([back, front], at, name=name)
    return result


def _is_vector(value: Any) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, Tensor | np.ndarray) and value.shape != ())


def _modulo(value: Any, size: Dim) -> Any:
    known = as_dim(value, "roll: shift")
    return value % as_tensor(size, value.dtype) if known is None else known % size
