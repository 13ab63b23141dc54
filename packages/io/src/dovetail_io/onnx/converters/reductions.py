"""Reductions, running sums, positions of extremes, order."""

from __future__ import annotations

from collections.abc import Sequence

import dovetail as dt
from dovetail.extend import CompositeOp, Shape, TensorType, definitions
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter, converter_of

__all__: list[str] = []

Extreme = definitions.Max | definitions.Min


def _reduce(to: Builder, op_type: str, x: Value, axes: Sequence[int], keepdims: bool) -> Value:
    if not axes:
        return to.node("Identity", x, type=x.type)
    assert x.type is not None
    kept = [1 if axis in axes else dim for axis, dim in enumerate(x.type.dims)]
    shape = kept if keepdims else [dim for axis, dim in enumerate(x.type.dims) if axis not in axes]
    type = TensorType(x.dtype, Shape(shape))
    return to.node(op_type, x, to.ints(axes), keepdims=int(keepdims), type=type)


@converter(definitions.Sum)
def _sum(to: Builder, op: definitions.Sum, x: Value) -> Value:
    return _reduce(to, "ReduceSum", x, _axes(op, x), op.keepdims)


@converter(definitions.Prod)
def _prod(to: Builder, op: definitions.Prod, x: Value) -> Value:
    return _reduce(to, "ReduceProd", x, _axes(op, x), op.keepdims)


@converter(definitions.Max)
def _max(to: Builder, op: definitions.Max, x: Value) -> Value:
    if op.initial is None:
        return _reduce(to, "ReduceMax", x, _axes(op, x), op.keepdims)
    start = to.constant(op.initial, x.dtype)
    return to.node("Max", _reduce(to, "ReduceMax", x, _axes(op, x), op.keepdims), start)


@converter(definitions.Min)
def _min(to: Builder, op: definitions.Min, x: Value) -> Value:
    return _reduce(to, "ReduceMin", x, _axes(op, x), op.keepdims)


@converter(definitions.AnyOf)
def _any(to: Builder, op: definitions.AnyOf, x: Value) -> Value:
    count = _reduce(to, "ReduceSum", to.cast(x, dt.int32), _axes(op, x), op.keepdims)
    return to.cast(count, dt.bool)


@converter(definitions.All)
def _all(to: Builder, op: definitions.All, x: Value) -> Value:
    missing = _reduce(to, "ReduceSum", to.cast(to.node("Not", x), dt.int32), _axes(op, x), op.keepdims)
    return to.node("Not", to.cast(missing, dt.bool))


@converter_of("", "Mean")
def _mean(to: Builder, op: CompositeOp, x: Value) -> Value:
    if not x.dtype.is_floating:
        raise ConversionError("ReduceMean rounds the mean of integers otherwise")
    attributes = op.attributes()
    assert x.type is not None
    axes = attributes["axes"]
    axes = range(len(x.type.dims)) if axes is None else [axis % len(x.type.dims) for axis in axes]
    return _reduce(to, "ReduceMean", x, list(axes), attributes["keepdims"])


def _axes(
    op: definitions.Sum | definitions.Prod | Extreme | definitions.All | definitions.AnyOf, x: Value
) -> list[int]:
    assert x.type is not None
    return list(op.over(x.type))


@converter(definitions.Cumsum)
def _cumsum(to: Builder, op: definitions.Cumsum, x: Value) -> Value:
    axis = to.constant(op.axis, dt.int64)
    return to.node("CumSum", x, axis, exclusive=int(op.exclusive), reverse=int(op.reverse))


@converter(definitions.Shift)
def _shift(to: Builder, op: definitions.Shift, x: Value) -> Value:
    assert x.type is not None
    rank = len(x.type.dims)
    axis = op.axis % rank
    pads = [0] * (2 * rank)
    pads[axis if op.offset > 0 else rank + axis] = 1
    padded = to.node("Pad", x, to.ints(pads), to.constant(0, x.dtype))
    return to.slice(padded, [axis], [0 if op.offset > 0 else 1], [-1 if op.offset > 0 else None])


@converter(definitions.ArgMax)
def _argmax(to: Builder, op: definitions.ArgMax, x: Value) -> Value:
    return _position(to, "ArgMax", op, x)


@converter(definitions.ArgMin)
def _argmin(to: Builder, op: definitions.ArgMin, x: Value) -> Value:
    return _position(to, "ArgMin", op, x)


def _position(to: Builder, op_type: str, op: definitions.ArgMax | definitions.ArgMin, x: Value) -> Value:
    assert x.type is not None
    axis = op.axis % len(x.type.dims)
    place = to.node(op_type, x, type=TensorType(dt.int64, to.types[0].shape), axis=axis, keepdims=0)
    return to.cast(place, op.output_type)


# Order. --------------------------------------------------------------------------------------------------------------


@converter(definitions.ArgSort)
def _argsort(to: Builder, op: definitions.ArgSort, x: Value) -> Value:
    assert x.type is not None
    places = to.several("TopK", x, to.size(x.type.dims[-1]), types=(None, None), largest=int(op.descending))[1]
    return to.cast(places, dt.int32)


@converter(definitions.TopK)
def _top_k(to: Builder, op: definitions.TopK, x: Value) -> tuple[Value, Value]:
    assert x.type is not None
    type = TensorType(x.dtype, Shape((*x.type.dims[:-1], op.k)))
    values, places = to.several("TopK", x, to.size(op.k), types=(type, None))
    return values, to.cast(places, dt.int32)


@converter(definitions.Unique)
def _unique(to: Builder, op: definitions.Unique, x: Value) -> tuple[Value, ...]:
    values, _, places, counts = to.several("Unique", x, types=(None,) * 4, sorted=0)
    return values, to.cast(places, op.index_dtype), to.cast(counts, op.index_dtype)


@converter(definitions.SearchSorted)
def _search_sorted(to: Builder, op: definitions.SearchSorted, rows: Value, values: Value) -> Value:
    """Count the elements of the row that come before each value."""
    assert rows.type is not None
    rank = len(rows.type.dims)
    one, other = to.unsqueeze(rows, [rank - 1]), to.unsqueeze(values, [rank])
    before = to.node("LessOrEqual" if op.right else "Less", one, other)
    count = to.node("ReduceSum", to.cast(before, dt.int32), to.ints([rank]), keepdims=0)
    return to.cast(count, op.dtype)
