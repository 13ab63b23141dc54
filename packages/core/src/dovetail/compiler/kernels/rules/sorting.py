"""Sorting rows: bottom-up merging, where each element finds its place by binary search in the run beside its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dovetail.compiler.kernels.elements import Custom, rule
from dovetail.compiler.kernels.indices import symbols_in
from dovetail.compiler.kernels.ir import (
    Apply,
    Assign,
    Bind,
    Buffer,
    Index,
    Kernel,
    Load,
    Local,
    Loop,
    Node,
    Statement,
    Store,
    While,
    loop_symbol,
)
from dovetail.compiler.kernels.scalars import constant, convert, convert_up
from dovetail.compiler.program import Instruction
from dovetail.ops.scalar import basis
from dovetail.ops.sorting import ArgSort, TopK
from dovetail.types.dims import Dim, Symbol, product
from dovetail.types.dtypes import DType, bool_, int64

__all__: list[str] = []


def _int(dim: Dim) -> Node:
    return constant(dim, int64) if isinstance(dim, int) else Index(dim, int64)


def _add(a: Node, b: Node) -> Node:
    return Apply(basis.add, [a, b], int64)


def _subtract(a: Node, b: Node) -> Node:
    return Apply(basis.subtract, [a, b], int64)


def _least(a: Node, b: Node) -> Node:
    return Apply(basis.minimum, [a, b], int64)


def _and(a: Node, b: Node) -> Node:
    return Apply(basis.logical_and, [a, b], bool_)


def _not(a: Node) -> Node:
    return Apply(basis.logical_not, [a], bool_)


def _precedes(a: Node, b: Node, descending: bool) -> Node:
    """Return whether ``a`` sorts strictly before ``b``; NaN is the greatest, as in NumPy."""
    if descending:
        a, b = b, a
    less: Node = Apply(basis.less, [a, b], bool_)
    if not a.dtype.is_floating:
        return less
    only = _and(Apply(basis.is_nan, [b], bool_), _not(Apply(basis.is_nan, [a], bool_)))
    return Apply(basis.logical_or, [less, only], bool_)


def sorted_places(
    keys: Buffer, start: Dim, length: Dim, dtype: DType, descending: bool, first: Buffer, second: Buffer
) -> list[Statement]:
    """Return statements that leave the stable order of a row in ``first``.

    In each round, runs of ``width`` elements are merged in pairs: an element's place is its own plus the number of
    elements of the other run that come before it; elements of the left run come before equal ones of the right.

    Args:
        keys: what is sorted by.
        start: where the row begins in ``keys``.
        length: how many elements it has.
        dtype: their type.
        descending: whether the greatest comes first.
        first: int64 scratch of ``length`` elements, for the result.
        second: another.
    """
    i, at, to, mine_at = loop_symbol("i"), loop_symbol("at"), loop_symbol("to"), loop_symbol("mine")
    width = Local(int64, "width")
    size = _int(length)

    def key_of(place: Symbol) -> Node:
        return convert_up(Load(keys, start + place), dtype)

    position: Node = Index(i, int64)
    low, high = Local(int64, "low"), Local(int64, "high")
    pair = Apply(basis.multiply, [width, constant(2, int64)], int64)
    base = _subtract(position, Apply(basis.remainder, [position, pair], int64))
    middle = _least(_add(base, width), size)
    end = _least(_add(base, pair), size)
    is_left: Node = Apply(basis.less, [position, middle], bool_)
    other_start = Apply(basis.select, [is_left, middle, base], int64)
    other_end = Apply(basis.select, [is_left, end, middle], int64)
    probe = loop_symbol("probe")
    half = Apply(basis.right_shift, [_add(low, high), constant(1, int64)], int64)
    theirs = key_of(at)
    mine = key_of(mine_at)
    # A right element goes behind equal left ones, a left element before equal right ones.
    strictly = _precedes(theirs, mine, descending)
    weakly = _not(_precedes(mine, theirs, descending))
    comes_first = Apply(basis.select, [is_left, strictly, weakly], bool_)
    search = While(
        Apply(basis.less, [low, high], bool_),
        [
            Bind(probe, half, length),
            Bind(at, Load(first, probe), length),
            Assign(low, Apply(basis.select, [comes_first, _add(half, constant(1, int64)), low], int64)),
            Assign(high, Apply(basis.select, [comes_first, high, half], int64)),
        ],
        [(low, other_start), (high, other_end)],
    )
    own = Apply(basis.select, [is_left, _subtract(position, base), _subtract(position, middle)], int64)
    place = _add(base, _add(own, _subtract(low, other_start)))
    j, k = loop_symbol("j"), loop_symbol("k")
    merge: list[Statement] = [
        Loop(
            [(i, length)],
            [Bind(mine_at, Load(first, i), length), search, Bind(to, place, length), Store(second, to, Load(first, i))],
        ),
        Loop([(k, length)], [Store(first, k, Load(second, k))], "vector"),
        Assign(width, pair),
    ]
    return [
        Loop([(j, length)], [Store(first, j, Index(j, int64))], "vector"),
        While(Apply(basis.less, [width, size], bool_), merge, [(width, constant(1, int64))]),
    ]


def _rows(
    one: Instruction,
    descending: bool,
    finish: Callable[[Buffer, Symbol, Buffer, Sequence[Buffer]], list[Statement]],
    label: str,
) -> Custom:
    kind = one.inputs[0].type
    length = kind.dims[-1]

    def build(inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> Kernel:
        first, second = (Buffer(int64, length, "scratch", hint) for hint in ("order", "merged"))
        row = loop_symbol("row")
        body = sorted_places(inputs[0], row * length, length, kind.dtype, descending, first, second)
        body += finish(inputs[0], row, first, outputs)
        return Kernel(
            [*inputs, *outputs, first, second],
            symbols_in(*kind.dims, *one.outputs[0].type.dims),
            [Loop([(row, product(kind.dims[:-1]))], body, "parallel")],
            work=200 * kind.size,
            label=label,
        )

    return Custom(one.inputs, build)


@rule(ArgSort)
def _argsort(op: ArgSort, one: Instruction) -> Custom:
    length, dtype = one.inputs[0].type.dims[-1], one.outputs[0].type.dtype

    def finish(keys: Buffer, row: Symbol, order: Buffer, outputs: Sequence[Buffer]) -> list[Statement]:
        k = loop_symbol("out")
        return [Loop([(k, length)], [Store(outputs[0], row * length + k, convert(Load(order, k), int64, dtype))])]

    return _rows(one, op.descending, finish, "ArgSort")


@rule(TopK)
def _top_k(op: TopK, one: Instruction) -> Custom:
    length = one.inputs[0].type.dims[-1]
    count, dtype = one.outputs[1].type.dims[-1], one.outputs[1].type.dtype

    def finish(keys: Buffer, row: Symbol, order: Buffer, outputs: Sequence[Buffer]) -> list[Statement]:
        k, at = loop_symbol("out"), loop_symbol("top")
        body: list[Statement] = [
            Bind(at, Load(order, k), length),
            Store(outputs[0], row * count + k, Load(keys, row * length + at)),
            Store(outputs[1], row * count + k, convert(Load(order, k), int64, dtype)),
        ]
        return [Loop([(k, count)], body)]

    return _rows(one, True, finish, "TopK")
