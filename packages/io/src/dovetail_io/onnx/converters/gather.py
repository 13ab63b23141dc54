"""Picking by index, slicing, and what undoes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail.extend import Dim, Shape, TensorType, definitions, dims
from dovetail_io.onnx.builder import Builder
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter

__all__: list[str] = []

_TENSOR: Final = "tensor"
_WHOLE: Final = ("slice", None, None, None)


def _dims(x: Value) -> tuple[Dim, ...]:
    assert x.type is not None
    return x.type.dims


# Picking. ------------------------------------------------------------------------------------------------------------


@converter(definitions.Gather)
def _gather(to: Builder, op: definitions.Gather, params: Value, indices: Value) -> Value:
    rank, count = len(_dims(params)), len(_dims(indices))
    axis, batch = op.axis % rank, op.batch_dims + count if op.batch_dims < 0 else op.batch_dims
    if batch == 0:
        narrow = indices if indices.dtype is dt.int32 else to.cast(indices, dt.int64)
        return to.node("Gather", params, narrow, axis=axis)
    indices = to.cast(indices, dt.int64)
    order = [*range(batch), axis, *range(batch, axis), *range(axis + 1, rank)]
    picked = to.node("GatherND", to.transpose(params, order), to.unsqueeze(indices, [count]), batch_dims=batch)
    # Now: the batch axes, the other axes of the indices, those before the axis, those after it.
    moved, before = count - batch, axis - batch
    back = [*range(batch), *(count + i for i in range(before)), *(batch + i for i in range(moved))]
    back += range(count + before, count + rank - batch - 1)
    if back == sorted(back):
        return picked
    type = to.types[0]
    inverse = [back.index(place) for place in range(len(back))]
    picked.type = TensorType(params.dtype, Shape([type.dims[place] for place in inverse]))
    return to.transpose(picked, back)


@converter(definitions.ScatterAdd)
def _scatter_add(to: Builder, op: definitions.ScatterAdd, x: Value, indices: Value, updates: Value) -> Value:
    return _scattered(to, x, indices, updates, "add")


@converter(definitions.ScatterMul)
def _scatter_mul(to: Builder, op: definitions.ScatterMul, x: Value, indices: Value, updates: Value) -> Value:
    return _scattered(to, x, indices, updates, "mul")


@converter(definitions.ScatterDiv)
def _scatter_div(to: Builder, op: definitions.ScatterDiv, x: Value, indices: Value, updates: Value) -> Value:
    return _scattered(to, x, indices, to.node("Reciprocal", updates, type=updates.type), "mul")


@converter(definitions.ScatterMax)
def _scatter_max(to: Builder, op: definitions.ScatterMax, x: Value, indices: Value, updates: Value) -> Value:
    return _scattered(to, x, indices, updates, "max")


@converter(definitions.ScatterMin)
def _scatter_min(to: Builder, op: definitions.ScatterMin, x: Value, indices: Value, updates: Value) -> Value:
    return _scattered(to, x, indices, updates, "min")


@converter(definitions.ScatterUpdate)
def _scatter_update(to: Builder, op: definitions.ScatterUpdate, x: Value, indices: Value, updates: Value) -> Value:
    return _scattered(to, x, indices, updates, "none")


def _scattered(to: Builder, x: Value, indices: Value, updates: Value, reduction: str) -> Value:
    places = to.unsqueeze(to.cast(indices, dt.int64), [1])
    return to.node("ScatterND", x, places, updates, reduction=reduction, type=x.type)


@converter(definitions.FlatIndex)
def _flat_index(to: Builder, op: definitions.FlatIndex, indices: Value) -> Value:
    strides = [dims.product(op.sizes[axis + 1 :]) for axis in range(len(op.sizes))]
    scaled = to.node("Mul", to.cast(indices, dt.int64), to.sizes(strides))
    return to.node("ReduceSum", scaled, to.ints([len(_dims(indices)) - 1]), keepdims=0)


@converter(definitions.MaskIndices)
def _mask_indices(to: Builder, op: definitions.MaskIndices, mask: Value) -> Value:
    return to.squeeze(to.node("NonZero", mask), [0])


@converter(definitions.Where)
def _where(to: Builder, op: definitions.Where, condition: Value) -> Value:
    if not _dims(condition):  # a row of no places for a scalar that holds
        found = to.node("NonZero", to.reshape(condition, (1,)))
        return to.node("Transpose", to.slice(found, [0], [0], [0]), perm=[1, 0])
    return to.node("Transpose", to.node("NonZero", condition), perm=[1, 0])


# Slicing. ------------------------------------------------------------------------------------------------------------


@converter(definitions.Reverse)
def _reverse(to: Builder, op: definitions.Reverse, x: Value) -> Value:
    axes = [axis % len(_dims(x)) for axis in op.axes]
    if not axes:
        return to.node("Identity", x, type=x.type)
    return to.slice(x, axes, [None] * len(axes), [None] * len(axes), [-1] * len(axes), type=x.type)


@converter(definitions.StridedSlice)
def _strided_slice(to: Builder, op: definitions.StridedSlice, x: Value) -> Value:
    return _sliced(to, x, op.items, iter(()))


@converter(definitions.DynamicSlice)
def _dynamic_slice(to: Builder, op: definitions.DynamicSlice, x: Value, *bounds: Value) -> Value:
    return _sliced(to, x, op.items, iter(bounds))


def _sliced(to: Builder, x: Value, items: Sequence[Any], bounds: Iterator[Value]) -> Value:
    """Take what ``items`` say of ``x``: one ``Slice`` for all axes, then axes dropped and added."""
    axes: list[int] = []
    starts: list[Any] = []
    ends: list[Any] = []
    steps: list[int] = []
    dropped: list[int] = []
    added: list[int] = []
    axis = place = 0
    for item in _expanded(items, len(_dims(x))):
        if item is None:
            added.append(place)
            place += 1
            continue
        kind, *numbers = [
            to.vector(next(bounds)) if isinstance(part, str) and part == _TENSOR else part for part in item
        ]
        if kind == "index":
            dropped.append(axis)
            window: tuple[Any, Any, Any] = (numbers[0], _after(to, numbers[0], 1), 1)
        elif kind == "size":
            begin, size = numbers
            window = (begin, None if isinstance(size, int) and size == -1 else _after(to, begin, size), 1)
        else:
            window = (numbers[0], numbers[1], numbers[2] or 1)
        if window != (None, None, 1):
            axes.append(axis)
            for known, new in zip((starts, ends, steps), window, strict=True):
                known.append(new)
        axis += 1
        place += kind != "index"
    result = to.slice(x, axes, starts, ends, steps, _cut(x, axes, dropped)) if axes else x
    result = to.unsqueeze(to.squeeze(result, dropped), added)
    return to.node("Identity", x, type=x.type) if result is x else result


def _cut(x: Value, axes: Sequence[int], dropped: Sequence[int]) -> TensorType | None:
    """Return the type after ``Slice``, where only axes that are dropped were cut."""
    if set(axes) != set(dropped):
        return None
    return TensorType(x.dtype, Shape([1 if axis in dropped else dim for axis, dim in enumerate(_dims(x))]))


def _after(to: Builder, begin: Any, size: Any) -> Any:
    """Return the bound ``size`` places after ``begin``; after the last place, counted from the end, there is none."""
    if isinstance(begin, int) and begin < 0 and isinstance(size, int):
        return None if begin + size == 0 else begin + size
    if not isinstance(begin, Value) and not isinstance(size, Value):
        return begin + size
    first = begin if isinstance(begin, Value) else to.size(begin)
    count = size if isinstance(size, Value) else to.size(size)
    end = to.node("Add", first, count)
    if isinstance(size, Value) or not isinstance(begin, Value):
        return end
    behind = to.node("And", to.node("Less", first, to.ints([0])), to.node("Equal", end, to.ints([0])))
    return to.node("Where", behind, to.ints([np.iinfo(np.int64).max]), end)


def _expanded(items: Sequence[Any], rank: int) -> list[Any]:
    mentioned = sum(item is not None and item != "..." for item in items)
    at = items.index("...") if "..." in items else len(items)
    return [*items[:at], *[_WHOLE] * (rank - mentioned), *items[at + 1 :]]


@converter(definitions.StridedSliceGrad)
def _strided_slice_grad(to: Builder, op: definitions.StridedSliceGrad, grad: Value) -> Value:
    return _unsliced(to, grad, op.items, op.shape, ())


@converter(definitions.DynamicSliceGrad)
def _dynamic_slice_grad(to: Builder, op: definitions.DynamicSliceGrad, grad: Value, *bounds: Value) -> Value:
    return _unsliced(to, grad, op.items, op.shape, bounds)


def _unsliced(to: Builder, grad: Value, items: Sequence[Any], shape: Sequence[Dim], bounds: Sequence[Value]) -> Value:
    """Slice the places of a tensor of ``shape``, counted row by row, and scatter to them."""
    total = dims.product(shape)
    count = to.squeeze(to.size(total), [0])
    places = to.node("Range", to.constant(0, dt.int64), count, to.constant(1, dt.int64))
    places.type = TensorType(dt.int64, Shape((total,)))
    taken = _sliced(to, to.reshape(places, shape), items, iter(bounds))
    flat = to.node("Reshape", taken, to.ints([-1, 1]))
    zeros = to.expand(to.constant(0, grad.dtype), (total,))
    result = to.node(
        "ScatterND", zeros, flat, to.node("Reshape", grad, to.ints([-1])), type=TensorType(grad.dtype, Shape((total,)))
    )
    return to.reshape(result, shape)
