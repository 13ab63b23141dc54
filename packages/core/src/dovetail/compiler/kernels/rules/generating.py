"""What is made of attributes or counted: constants, ranges, sizes, random bits."""

from __future__ import annotations

from collections.abc import Sequence

from dovetail.compiler.kernels.elements import Elements, Pointwise, Read, computed, rule
from dovetail.compiler.kernels.indices import linear
from dovetail.compiler.kernels.ir import Apply, Choose, Convert, Index, Node, Philox
from dovetail.compiler.kernels.scalars import constant, convert
from dovetail.compiler.program import Instruction
from dovetail.ops.constants import Constant as ConstantOp
from dovetail.ops.constants import Dims
from dovetail.ops.fills import Range
from dovetail.ops.random_bits import PhiloxBits
from dovetail.ops.scalar import basis
from dovetail.ops.shapes import RankOf, ShapeOf, SizeOf
from dovetail.types.dims import Dim, SymbolicDim
from dovetail.types.dtypes import DType, float64, int64
from dovetail.types.shapes import TensorType

__all__ = ["SMALL"]

SMALL = 1
"""Constants of at most so many elements stand in the code; larger ones are in memory."""


@rule(ConstantOp)
def _constant(op: ConstantOp, one: Instruction) -> Pointwise | tuple[()]:
    array = op.value.array
    if array.size > SMALL:
        return ()  # in memory
    value = array.reshape(-1)[0].item() if array.size else 0
    return Pointwise((), lambda elements, read, index: constant(value, one.outputs[0].type.dtype))


def _number(dim: Dim, dtype: DType) -> Node:
    return constant(dim, dtype) if isinstance(dim, int) else Index(dim, computed(dtype))


def _listed(dims: Sequence[Dim], dtype: DType, index: Dim) -> Node:
    """Return the node of ``dims[index]``."""
    if isinstance(index, int) and index < len(dims):
        return _number(dims[index], dtype)
    result: Node = _number(dims[-1], dtype) if dims else constant(0, dtype)
    for place in range(len(dims) - 2, -1, -1):
        result = Choose([place - index], _number(dims[place], dtype), result)
    return result


def _sizes(dims: Dim | Sequence[Dim], kind: TensorType) -> Pointwise:
    listed = tuple(dims) if isinstance(dims, Sequence) else None

    def node(elements: Elements, read: Read, index: Sequence[Dim]) -> Node:
        if listed is None:
            return _number(dims, kind.dtype)  # type: ignore[arg-type] # one dimension
        return _listed(listed, kind.dtype, index[0])

    return Pointwise((), node)


@rule(Dims)
def _dims(op: Dims, one: Instruction) -> Pointwise:
    return _sizes(op.dims, one.outputs[0].type)


@rule(ShapeOf)
def _shape(op: ShapeOf, one: Instruction) -> Pointwise:
    return _sizes(one.inputs[0].type.dims, one.outputs[0].type)


@rule(SizeOf)
def _size(op: SizeOf, one: Instruction) -> Pointwise:
    return _sizes(one.inputs[0].type.size, one.outputs[0].type)


@rule(RankOf)
def _rank(op: RankOf, one: Instruction) -> Pointwise:
    return _sizes(len(one.inputs[0].type.dims), one.outputs[0].type)


@rule(Range)
def _range(op: Range, one: Instruction) -> Pointwise:
    dtype = op.dtype
    start, delta = op.start, op.delta

    def node(elements: Elements, read: Read, index: Sequence[Dim]) -> Node:
        if dtype.is_integer and not isinstance(start, float) and not isinstance(delta, float):
            return convert(Index(start + index[0] * delta, int64), int64, dtype)
        exact = int64 if dtype.is_integer else float64
        place: Node = Index(index[0], int64)
        parts = [_number(part, exact) if isinstance(part, SymbolicDim) else constant(part, exact)
                 for part in (delta, start)]  # fmt: skip
        place = place if exact is int64 else Convert(exact, place)
        scaled = Apply(basis.multiply, [place, parts[0]], exact)
        return convert(Apply(basis.add, [scaled, parts[1]], exact), exact, dtype)

    return Pointwise((), node, weight=2)


@rule(PhiloxBits)
def _philox(op: PhiloxBits, one: Instruction) -> Pointwise:
    kinds = [value.type.dtype for value in one.inputs]

    def node(elements: Elements, read: Read, index: Sequence[Dim]) -> Node:
        args = [read(number, ()) for number in range(2)]
        args += [convert(read(number, ()), kinds[number], int64) for number in range(2, len(kinds))]
        return Philox(op.dtype, args, linear(index, op.shape))

    return Pointwise(one.inputs, node, weight=40)
