"""Picking by index, and adding by index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dovetail.compiler.kernels.elements import Custom, Elements, Pointwise, Read, computed, rule
from dovetail.compiler.kernels.indices import linear, symbols_in
from dovetail.compiler.kernels.ir import (
    Apply,
    Assign,
    Bind,
    Buffer,
    Convert,
    Index,
    Kernel,
    Load,
    Local,
    Loop,
    Node,
    Statement,
    Store,
    loop_symbol,
)
from dovetail.compiler.kernels.scalars import constant, convert, convert_up
from dovetail.compiler.program import Instruction
from dovetail.ops.gather import FlatIndex, Gather, Scatter, ScatterAdd
from dovetail.ops.scalar import Basis, basis
from dovetail.ops.scattering import ScatterDiv, ScatterMax, ScatterMin, ScatterMul, ScatterUpdate
from dovetail.ops.sorting import SearchSorted
from dovetail.types.dims import Dim, ceil_div, dim_min, product
from dovetail.types.dtypes import bool_, int64
from dovetail.types.shapes import normalize_axis

__all__: list[str] = []


@rule(Gather)
def _gather(op: Gather, one: Instruction) -> Pointwise:
    params, indices = (value.type for value in one.inputs)
    count = len(indices.dims)
    batch = op.batch_dims + count if op.batch_dims < 0 else op.batch_dims
    axis = normalize_axis(op.axis, len(params.dims), "gather")
    kept = count - batch

    def node(elements: Elements, read: Read, index: Sequence[Dim]) -> Node:
        lead, before, rest = index[:batch], index[batch:axis], index[axis:]
        picked, after = rest[:kept], rest[kept:]
        where = convert(read(1, [*lead, *picked]), indices.dtype, int64)
        return read(0, [*lead, *before, elements.bind(where, params.dims[axis]), *after])

    return Pointwise(one.inputs, node, weight=2, binds=True, fails=True)


@rule(FlatIndex)
def _flat_index(op: FlatIndex, one: Instruction) -> Pointwise:
    kind = one.inputs[0].type

    def node(elements: Elements, read: Read, index: Sequence[Dim]) -> Node:
        places = [
            elements.bind(convert(read(0, [*index, axis]), kind.dtype, int64), size)
            for axis, size in enumerate(op.sizes)
        ]
        offset = linear(places, op.sizes)
        return constant(offset, int64) if isinstance(offset, int) else Index(offset, int64)

    return Pointwise(one.inputs, node, weight=2, binds=True, fails=True)


_COLUMNS: Final = 64


_COMBINATIONS: Final[dict[type[Scatter], Basis]] = {
    ScatterMul: basis.multiply, ScatterDiv: basis.divide, ScatterMax: basis.maximum, ScatterMin: basis.minimum
}  # fmt: skip


@rule(ScatterAdd, ScatterUpdate, *_COMBINATIONS)
def _scatter(op: Scatter, one: Instruction) -> Custom:
    """Each thread combines columns of its own, row by row in order, so that results do not depend on their number."""
    kind, count = one.inputs[0].type, one.inputs[1].type.dims[0]
    rows, row = kind.dims[0], product(kind.dims[1:])
    wide = computed(kind.dtype)
    part = dim_min(row, _COLUMNS)

    def build(inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> Kernel:
        x, indices, updates = inputs
        (result,) = outputs
        over = x is result
        block, i, at, j = loop_symbol("b"), loop_symbol("i"), loop_symbol("at"), loop_symbol("j")
        start = block * _COLUMNS
        width = dim_min(row - start, _COLUMNS)
        half = wide is not kind.dtype
        sums = Buffer(wide, rows * part, "scratch", "sums") if half else result

        def load(buffer: Buffer, number: Dim) -> Node:
            return convert_up(Load(buffer, number * row + start + j), kind.dtype)

        def place(number: Dim) -> Dim:
            return number * part + j if half else number * row + start + j

        copied = Loop([(j, width)], [Store(sums, place(i), load(x, i))], "vector")
        news: Node = load(updates, i)
        if type(op) in _COMBINATIONS:
            news = Apply(_COMBINATIONS[type(op)], [Load(sums, place(at)), news], wide)
        stored = Store(sums, place(at), news, add=isinstance(op, ScatterAdd))
        combined = Loop([(j, width)], [stored], "vector")
        where = convert(Load(indices, i), indices.dtype, int64)
        body: list[Statement] = [] if over else [Loop([(i, rows)], [copied])]
        body.append(Loop([(i, count)], [Bind(at, where, rows), combined]))
        if half:
            narrowed = Convert(kind.dtype, Load(sums, place(i)))
            body.append(
                Loop([(i, rows)], [Loop([(j, width)], [Store(result, i * row + start + j, narrowed)], "vector")])
            )
        return Kernel(
            [*(inputs[1:] if over else inputs), *outputs, *([sums] if half else [])],
            symbols_in(*kind.dims, count),
            [Loop([(block, ceil_div(row, _COLUMNS))], body, "parallel")],
            work=(0 if over else 2 * kind.size) + 2 * count * row,
            can_fail=True,
            label=op.name,
        )

    def checked(elements: Elements, read: Read, index: Sequence[Dim]) -> Node:
        place = elements.bind(convert(read(0, index), one.inputs[1].type.dtype, int64), rows)
        return convert(Index(place, int64), int64, one.inputs[1].type.dtype)

    check = Pointwise([one.inputs[1]], checked, weight=2, binds=True, fails=True)
    return Custom(one.inputs, build, checked={1: check}, over=None if wide is not kind.dtype else 0)


@rule(SearchSorted)
def _search_sorted(op: SearchSorted, one: Instruction) -> Pointwise:
    rows = one.inputs[0].type
    length = rows.dims[-1]
    goes_on = basis.less_equal if op.right else basis.less

    def node(elements: Elements, read: Read, index: Sequence[Dim]) -> Node:
        wanted = read(1, index)
        # Binary search for the number of elements before the value: 64 halvings are enough for any length.
        low, high = Local(int64, "low"), Local(int64, "high")
        step = elements.symbol("s")
        with elements.scope() as body:
            middle = Apply(basis.right_shift, [Apply(basis.add, [low, high], int64), constant(1, int64)], int64)
            open_ = Apply(basis.less, [low, high], bool_)
            safe = Apply(basis.select, [open_, middle, constant(0, int64)], int64)
            seen = read(0, [*index[:-1], elements.bind(safe, length)])
            before = _before(goes_on, seen, wanted)
            up = Apply(basis.logical_and, [open_, before], bool_)
            down = Apply(basis.logical_and, [open_, Apply(basis.logical_not, [before], bool_)], bool_)
            after = Apply(basis.add, [middle, constant(1, int64)], int64)
            body.append(Assign(low, Apply(basis.select, [up, after, low], int64)))
            body.append(Assign(high, Apply(basis.select, [down, middle, high], int64)))
        size = constant(length, int64) if isinstance(length, int) else Index(length, int64)
        carried = [(low, constant(0, int64)), (high, size)]
        steps = length.bit_length() if isinstance(length, int) else dim_min(length, 64)
        elements.statements.append(Loop([(step, steps)], body, carried=carried))
        return convert(low, int64, op.dtype)

    return Pointwise(one.inputs, node, weight=100, loops=True)


def _before(goes_on: Basis, seen: Node, wanted: Node) -> Node:
    """Return whether an element sorts before a value; NaN sorts last, as in NumPy."""
    plain = Apply(goes_on, [seen, wanted], bool_)
    if not seen.dtype.is_floating:
        return plain
    nan = Apply(basis.is_nan, [wanted], bool_)
    real = Apply(basis.logical_not, [Apply(basis.is_nan, [seen], bool_)], bool_)
    if goes_on is basis.less_equal:
        return Apply(basis.logical_or, [plain, nan], bool_)
    return Apply(basis.logical_or, [plain, Apply(basis.logical_and, [nan, real], bool_)], bool_)
