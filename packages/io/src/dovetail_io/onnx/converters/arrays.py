"""Shapes, joining, filling: what moves elements without picking them by index."""

from __future__ import annotations

import numpy as np

import dovetail as dt
from dovetail.extend import DType, Shape, SymbolicDim, TensorType, definitions
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.converters.elementwise import convert
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter

__all__: list[str] = []


def _type(x: Value) -> tuple[DType, tuple[int | SymbolicDim, ...]]:
    assert x.type is not None
    return x.type.dtype, x.type.dims


@converter(definitions.Constant)
def _constant(to: Builder, op: definitions.Constant) -> Value:
    return to.constant(op.value.array)


@converter(definitions.Dims)
def _dims(to: Builder, op: definitions.Dims) -> Value:
    sizes = op.dims if isinstance(op.dims, tuple) else (op.dims,)
    vector = to.cast(to.sizes(sizes), op.dtype)
    return vector if isinstance(op.dims, tuple) else to.squeeze(vector, [0])


@converter(definitions.ShapeOf)
def _shape(to: Builder, op: definitions.ShapeOf, x: Value) -> Value:
    return to.cast(to.node("Shape", x), op.dtype)


@converter(definitions.SizeOf)
def _size(to: Builder, op: definitions.SizeOf, x: Value) -> Value:
    return to.cast(to.node("Size", x), op.dtype)


@converter(definitions.RankOf)
def _rank(to: Builder, op: definitions.RankOf, x: Value) -> Value:
    return to.constant(len(_type(x)[1]), dt.int32)


# Shapes. -------------------------------------------------------------------------------------------------------------


@converter(definitions.Reshape)
def _reshape(to: Builder, op: definitions.Reshape, x: Value) -> Value:
    result = to.types[0]
    if result == x.type:
        return to.node("Identity", x, type=x.type)
    return to.reshape(x, result.dims)


@converter(definitions.DynamicReshape)
def _dynamic_reshape(to: Builder, op: definitions.DynamicReshape, x: Value, shape: Value) -> Value:
    return to.node("Reshape", x, to.cast(shape, dt.int64), allowzero=1)


@converter(definitions.ExpandDims)
def _expand_dims(to: Builder, op: definitions.ExpandDims, x: Value) -> Value:
    return to.unsqueeze(x, [op.axis % (len(_type(x)[1]) + 1)])


@converter(definitions.Squeeze)
def _squeeze(to: Builder, op: definitions.Squeeze, x: Value) -> Value:
    _, dims = _type(x)
    named = op.axes if op.axes is not None else [axis for axis, dim in enumerate(dims) if dim == 1]
    axes = [axis % len(dims) for axis in named]
    return to.squeeze(x, axes) if axes else to.node("Identity", x, type=x.type)


@converter(definitions.Transpose)
def _transpose(to: Builder, op: definitions.Transpose, x: Value) -> Value:
    rank = len(_type(x)[1])
    perm = [axis % rank for axis in op.perm] if op.perm is not None else list(range(rank))[::-1]
    result = to.transpose(x, perm)
    return to.node("Identity", x, type=x.type) if result is x else result


@converter(definitions.BroadcastTo)
def _broadcast_to(to: Builder, op: definitions.BroadcastTo, x: Value) -> Value:
    result = to.expand(x, op.shape)
    return to.node("Identity", x, type=x.type) if result is x else result


@converter(definitions.DynamicBroadcastTo)
def _dynamic_broadcast_to(to: Builder, op: definitions.DynamicBroadcastTo, x: Value, shape: Value) -> Value:
    return to.node("Expand", x, to.cast(shape, dt.int64))


# Joining and taking apart. -------------------------------------------------------------------------------------------


@converter(definitions.Concat)
def _concat(to: Builder, op: definitions.Concat, *parts: Value) -> Value:
    axis = op.axis % len(_type(parts[0])[1])
    if len(parts) == 1:
        return to.node("Identity", parts[0], type=parts[0].type)
    return to.concat(parts, axis)


@converter(definitions.Split)
def _split(to: Builder, op: definitions.Split, x: Value) -> tuple[Value, ...]:
    types = to.types
    axis = op.axis % len(_type(x)[1])
    if len(types) == 1:
        return (to.node("Identity", x, type=x.type),)
    if isinstance(op.sizes, int) and not all(isinstance(one.dims[axis], int) for one in types):
        return to.several("Split", x, types=types, axis=axis, num_outputs=op.sizes)
    return to.several("Split", x, to.sizes([one.dims[axis] for one in types]), types=types, axis=axis)


@converter(definitions.Stack)
def _stack(to: Builder, op: definitions.Stack, *parts: Value) -> Value:
    axis = op.axis % (len(_type(parts[0])[1]) + 1)
    return to.concat([to.unsqueeze(part, [axis]) for part in parts], axis)


@converter(definitions.Unstack)
def _unstack(to: Builder, op: definitions.Unstack, x: Value) -> tuple[Value, ...]:
    axis = op.axis % len(_type(x)[1])
    if op.count == 1:
        return (to.squeeze(x, [axis]),)
    parts = to.several("Split", x, to.ints([1] * op.count), types=[None] * op.count, axis=axis)
    return tuple(to.squeeze(part, [axis]) for part in parts)


# Filling. ------------------------------------------------------------------------------------------------------------


@converter(definitions.Range)
def _range(to: Builder, op: definitions.Range) -> Value:
    if isinstance(op.size, int) and not isinstance(op.start, SymbolicDim) and not isinstance(op.delta, SymbolicDim):
        return to.constant(op.reference(), name=to.origin.name)
    exact = dt.int64 if op.dtype.is_integer else dt.float64
    one = to.constant(1, dt.int64)
    kind = TensorType(dt.int64, Shape((op.size,)))
    numbers = to.cast(to.node("Range", to.constant(0, dt.int64), _scalar(to, op.size), one, type=kind), exact)
    if op.delta != 1:
        numbers = to.node("Mul", numbers, _number(to, op.delta, exact))
    if op.start != 0:
        numbers = to.node("Add", numbers, _number(to, op.start, exact))
    return to.cast(numbers, op.dtype)


def _scalar(to: Builder, dim: int | SymbolicDim) -> Value:
    return to.squeeze(to.size(dim), [0])


def _number(to: Builder, value: int | float | SymbolicDim, dtype: DType) -> Value:
    if isinstance(value, SymbolicDim):
        return to.cast(_scalar(to, value), dtype)
    return to.constant(value, dtype)


@converter(definitions.DynamicRange)
def _dynamic_range(to: Builder, op: definitions.DynamicRange, start: Value, limit: Value, delta: Value) -> Value:
    dtype = start.dtype
    exact = dt.int64 if dtype.is_integer else dt.float64
    first, last, step = (to.cast(one, exact) for one in (start, limit, delta))
    span = to.node("Div", to.cast(to.node("Sub", last, first), dt.float64), to.cast(step, dt.float64))
    count = to.cast(to.node("Max", to.node("Ceil", span), to.constant(0.0, dt.float64)), dt.int64)
    numbers = to.node("Range", to.constant(0, dt.int64), count, to.constant(1, dt.int64))
    return to.cast(to.node("Add", to.node("Mul", to.cast(numbers, exact), step), first), dtype)


@converter(definitions.Pad)
def _pad(to: Builder, op: definitions.Pad, x: Value) -> Value:
    dtype, _ = _type(x)
    if dtype.is_string:
        raise ConversionError("the Pad operator takes no strings")
    pads = to.sizes([pair[0] for pair in op.paddings] + [pair[1] for pair in op.paddings])
    if not op.paddings:
        return to.node("Identity", x, type=x.type)
    value = to.constant(np.asarray(op.value).astype(dtype.numpy))
    return to.node("Pad", x, pads, value)


@converter(definitions.Cast)
def _cast(to: Builder, op: definitions.Cast, x: Value) -> Value:
    return convert(to, x, op.dtype) if x.dtype is not op.dtype else to.node("Identity", x, type=x.type)
