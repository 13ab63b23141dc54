"""What only moves elements: shapes, transposition, joining, slicing, padding, broadcasting."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from dovetail.compiler.kernels.elements import Elements, Pointwise, Read, Reshaped, rule
from dovetail.compiler.kernels.indices import broadcast_index
from dovetail.compiler.kernels.ir import Choose, Node
from dovetail.compiler.kernels.scalars import constant
from dovetail.compiler.program import Instruction, Value
from dovetail.graph.op import Op
from dovetail.ops.broadcasting import BroadcastTo
from dovetail.ops.indexing import Reverse
from dovetail.ops.joining import Concat, Split, Stack, Unstack
from dovetail.ops.padding import Pad
from dovetail.ops.reshaping import ExpandDims, Reshape, Squeeze, Transpose
from dovetail.ops.running import Shift
from dovetail.ops.slicing import StridedSlice, StridedSliceGrad, place
from dovetail.types.constraints import Settled, collecting
from dovetail.types.dims import Dim, floor_div
from dovetail.types.shapes import TensorType, normalize_axes, normalize_axis

__all__: list[str] = []

Index = Sequence[Dim]


def _moved(value: Value, where: Callable[[Index], Index]) -> Pointwise:
    """Define elements as those of one input at another index."""
    return Pointwise([value], lambda elements, read, index: read(0, where(index)))


@rule(Reshape, ExpandDims, Squeeze)
def _view(op: Op, one: Instruction) -> Reshaped:
    return Reshaped(one.inputs[0])


@rule(BroadcastTo)
def _broadcast_to(op: BroadcastTo, one: Instruction) -> Pointwise:
    dims = one.inputs[0].type.dims
    return _moved(one.inputs[0], lambda index: broadcast_index(index, dims))


@rule(Transpose)
def _transpose(op: Transpose, one: Instruction) -> Pointwise | Reshaped:
    dims = one.inputs[0].type.dims
    order = range(len(dims))[::-1] if op.perm is None else op.perm
    perm = [axis % len(dims) for axis in order]
    long = [axis for axis in perm if dims[axis] != 1]
    if long == sorted(long):
        return Reshaped(one.inputs[0])
    inverse = [perm.index(axis) for axis in range(len(perm))]
    return _moved(one.inputs[0], lambda index: [index[axis] for axis in inverse])


@rule(Reverse)
def _reverse(op: Reverse, one: Instruction) -> Pointwise:
    dims = one.inputs[0].type.dims
    axes = normalize_axes(op.axes, len(dims), "reverse")
    return _moved(
        one.inputs[0],
        lambda index: [dims[axis] - 1 - at if axis in axes else at for axis, at in enumerate(index)],
    )


def _with(index: Index, axis: int, at: Dim) -> list[Dim]:
    return [*index[:axis], at, *index[axis + 1 :]]


def _further(axis: int, first: Dim, index: Index) -> list[Dim]:
    return _with(index, axis, index[axis] + first)


def _inserted(axis: int, number: int, index: Index) -> list[Dim]:
    return [*index[:axis], number, *index[axis:]]


def _joined(
    values: Sequence[Value], where: Callable[[int, Index], Index], first: Sequence[Dim], axis: int
) -> Pointwise:
    """Define elements as those of several inputs, each from a place along an axis on."""

    def node(elements: Elements, read: Read, index: Index) -> Node:
        result = read(len(values) - 1, where(len(values) - 1, index))
        for number in range(len(values) - 2, -1, -1):
            result = Choose([first[number + 1] - 1 - index[axis]], read(number, where(number, index)), result)
        return result

    return Pointwise(values, node, guards=True, weight=len(values) - 1)


@rule(Concat)
def _concat(op: Concat, one: Instruction) -> Pointwise:
    axis = normalize_axis(op.axis, len(one.inputs[0].type.dims), "concat")
    first: list[Dim] = [0]
    for value in one.inputs[:-1]:
        first.append(first[-1] + value.type.dims[axis])
    return _joined(one.inputs, lambda number, index: _with(index, axis, index[axis] - first[number]), first, axis)


@rule(Stack)
def _stack(op: Stack, one: Instruction) -> Pointwise:
    axis = normalize_axis(op.axis, len(one.inputs[0].type.dims) + 1, "stack")
    first = list(range(len(one.inputs)))
    return _joined(one.inputs, lambda number, index: [*index[:axis], *index[axis + 1 :]], first, axis)


@rule(Split)
def _split(op: Split, one: Instruction) -> list[Pointwise]:
    axis = normalize_axis(op.axis, len(one.inputs[0].type.dims), "split")
    result = []
    first: Dim = 0
    for value in one.outputs:
        result.append(_moved(one.inputs[0], functools.partial(_further, axis, first)))
        first = first + value.type.dims[axis]
    return result


@rule(Unstack)
def _unstack(op: Unstack, one: Instruction) -> list[Pointwise]:
    axis = normalize_axis(op.axis, len(one.inputs[0].type.dims), "unstack")
    return [_moved(one.inputs[0], functools.partial(_inserted, axis, number)) for number in range(len(one.outputs))]


@rule(Pad)
def _pad(op: Pad, one: Instruction) -> Pointwise:
    dims, dtype = one.inputs[0].type.dims, one.inputs[0].type.dtype
    fill = constant(op.value, dtype)  # type: ignore[arg-type] # strings do not come here

    def node(elements: Elements, read: Read, index: Index) -> Node:
        places = [at - before for at, (before, _) in zip(index, op.paddings, strict=True)]
        conditions: list[Dim] = []
        for at, dim, (before, after) in zip(places, dims, op.paddings, strict=True):
            conditions += [at] * (before != 0) + [dim - 1 - at] * (after != 0)
        inside = read(0, places)
        return Choose(conditions, inside, fill) if conditions else inside

    return Pointwise(one.inputs, node, guards=True, weight=1)


def _places(items: Sequence[object], kind: TensorType) -> tuple[object, ...]:
    with collecting(Settled()):
        return place(items, kind)


@rule(StridedSlice)
def _strided_slice(op: StridedSlice, one: Instruction) -> Pointwise:
    places = _places(op.items, one.inputs[0].type)

    def where(index: Index) -> Index:
        result: list[Dim] = []
        rest = iter(index)
        for item in places:
            if item is None:
                next(rest)
            elif isinstance(item, tuple):
                begin, _, stride = item
                result.append(begin + next(rest) * stride)
            else:
                result.append(item)  # type: ignore[arg-type] # a dimension
        return result

    return _moved(one.inputs[0], where)


@rule(StridedSliceGrad)
def _strided_slice_grad(op: StridedSliceGrad, one: Instruction) -> Pointwise:
    kind = one.outputs[0].type
    places = _places(op.items, kind)
    zero = constant(0, kind.dtype)

    def node(elements: Elements, read: Read, index: Index) -> Node:
        conditions: list[Dim] = []
        taken: list[Dim] = []
        axes = iter(range(len(index)))
        for item in places:
            if item is None:
                taken.append(0)
                continue
            axis = next(axes)
            at, dim = index[axis], kind.dims[axis]
            if not isinstance(item, tuple):
                conditions += [at - item, item - at]  # type: ignore[operator] # a dimension
                continue
            begin, size, stride = item
            step = at - begin if stride > 0 else begin - at
            number = floor_div(step, abs(stride))
            if abs(stride) != 1:
                conditions.append(abs(stride) * number - step)
            if begin != 0 or stride < 0:
                conditions.append(step)
            if not (stride == 1 and begin + size == dim):
                conditions.append(size - 1 - number)
            taken.append(number)
        inside = read(0, taken)
        return Choose(conditions, inside, zero) if conditions else inside

    return Pointwise(one.inputs, node, guards=True, weight=1)


@rule(Shift)
def _shift(op: Shift, one: Instruction) -> Pointwise:
    kind = one.inputs[0].type
    axis = normalize_axis(op.axis, len(kind.dims), "shift")
    zero = constant(0, kind.dtype)

    def node(elements: Elements, read: Read, index: Index) -> Node:
        at = index[axis] - op.offset
        condition = at if op.offset > 0 else kind.dims[axis] - 1 - at
        return Choose([condition], read(0, _with(index, axis, at)), zero)

    return Pointwise(one.inputs, node, guards=True, weight=1)
