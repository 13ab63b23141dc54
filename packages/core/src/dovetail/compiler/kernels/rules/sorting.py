"""Sorting rows by bottom-up merging, and finding the greatest elements of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dovetail.compiler.kernels.elements import Custom, computed, rule
from dovetail.compiler.kernels.indices import symbols_in
from dovetail.compiler.kernels.ir import (
    Apply,
    Assign,
    Bind,
    Buffer,
    Index,
    Kernel,
    Let,
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
from dovetail.compiler.kernels.walk import can_fail
from dovetail.compiler.program import Instruction
from dovetail.ops.scalar import basis
from dovetail.ops.sorting import ArgSort, TopK
from dovetail.types.dims import Dim, ceil_div, dim_min, product
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


def _key(keys: Buffer, place: Dim, dtype: DType) -> Node:
    return convert_up(Load(keys, place), dtype)


def _merged(
    keys: Buffer, start: Dim, dtype: DType, descending: bool, order: Buffer, other: Buffer, count: Dim, width: Node
) -> While:
    """Return the statement that sorts the first ``count`` places in ``order`` by their keys, stably.

    In each round, runs of ``width`` places are merged in pairs: of the two that come next, that of the right run is
    taken where its key comes strictly before.

    Args:
        keys: what is sorted by.
        start: where the row begins in ``keys``.
        dtype: the type of the keys.
        descending: whether the greatest comes first.
        order: the places.
        other: scratch of the same size.
        count: how many places there are.
        width: runs of so many are in order already; nothing is done where that is all of them.
    """
    to, k = loop_symbol("to"), loop_symbol("k")
    run, left, right = Local(int64, "width"), Local(int64, "left"), Local(int64, "right")
    size, zero = _int(count), constant(0, int64)
    last = _subtract(size, constant(1, int64))
    pair = Apply(basis.multiply, [run, constant(2, int64)], int64)
    position: Node = Index(to, int64)
    base = _subtract(position, Apply(basis.remainder, [position, pair], int64))
    middle, end = _least(_add(base, run), size), _least(_add(base, pair), size)
    begins: Node = Apply(basis.equal, [position, base], bool_)
    here: Node = Apply(basis.select, [begins, base, left], int64)
    there: Node = Apply(basis.select, [begins, middle, right], int64)
    here_at, there_at = loop_symbol("here"), loop_symbol("there")
    first_place, second_place = loop_symbol("mine"), loop_symbol("theirs")
    mine, theirs = _key(keys, start + first_place, dtype), _key(keys, start + second_place, dtype)
    one_left: Node = Apply(basis.less, [here, middle], bool_)
    none_right = _not(Apply(basis.less, [there, end], bool_))
    from_left = _and(one_left, Apply(basis.logical_or, [none_right, _not(_precedes(theirs, mine, descending))], bool_))
    taken: Node = Apply(basis.select, [from_left, Index(first_place, int64), Index(second_place, int64)], int64)
    step: Node = Apply(basis.select, [from_left, constant(1, int64), zero], int64)
    merge = Loop(
        [(to, count)],
        [
            Bind(here_at, _least(here, last), count),
            Bind(there_at, _least(there, last), count),
            Bind(first_place, Load(order, here_at), keys.size),
            Bind(second_place, Load(order, there_at), keys.size),
            Store(other, to, taken),
            Assign(left, _add(here, step)),
            Assign(right, _add(there, _subtract(constant(1, int64), step))),
        ],
        carried=[(left, zero), (right, zero)],
    )
    back = Loop([(k, count)], [Store(order, k, Load(other, k))], "vector")
    return While(Apply(basis.less, [run, size], bool_), [merge, back, Assign(run, pair)], [(run, width)])


def _in_order(length: Dim, order: Buffer) -> Loop:
    k = loop_symbol("k")
    return Loop([(k, length)], [Store(order, k, Index(k, int64))], "vector")


@rule(ArgSort)
def _argsort(op: ArgSort, one: Instruction) -> Custom:
    """Merge sort of each row."""
    kind, dtype = one.inputs[0].type, one.outputs[0].type.dtype
    length = kind.dims[-1]

    def build(inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> Kernel:
        order, other = (Buffer(int64, length, "scratch", hint) for hint in ("order", "merged"))
        row, k = loop_symbol("row"), loop_symbol("out")
        start = row * length
        body: list[Statement] = [
            _in_order(length, order),
            _merged(inputs[0], start, kind.dtype, op.descending, order, other, length, constant(1, int64)),
            Loop([(k, length)], [Store(outputs[0], start + k, convert(Load(order, k), int64, dtype))]),
        ]
        return Kernel(
            [*inputs, *outputs, order, other],
            symbols_in(*kind.dims),
            [Loop([(row, product(kind.dims[:-1]))], body, "parallel")],
            work=100 * kind.size,
            can_fail=can_fail(body),
            label=op.name,
        )

    return Custom(one.inputs, build)


_PIECE: Final = 1 << 10
"""How many elements are looked through for greater ones than those found, before these are sorted again."""


@rule(TopK)
def _top_k(op: TopK, one: Instruction) -> Custom:
    """The greatest so far, in order, to which each piece of the row adds those that are greater than the least of them.

    Few elements are, but in the first pieces and in rows that rise.
    """
    kind = one.inputs[0].type
    length = kind.dims[-1]
    count, dtype = one.outputs[1].type.dims[-1], one.outputs[1].type.dtype
    piece = count + _PIECE
    room = count + piece

    def build(inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> Kernel:
        (keys,) = inputs
        order, other = (Buffer(int64, room, "scratch", hint) for hint in ("order", "merged"))
        row, number, i, k = (loop_symbol(name) for name in ("row", "piece", "i", "out"))
        start = row * length
        held, filled = Local(int64, "held"), Local(int64, "filled")
        before, least_at, slot, found, top = (loop_symbol(name) for name in ("held", "least", "slot", "found", "top"))
        whole, none = _int(count), constant(0, int64)
        is_full: Node = Apply(basis.equal, [held, whole], bool_)
        # Where none are held, there is no least one, and what is loaded is not looked at.
        least: Node = Apply(basis.select, [is_full, Load(order, before), none], int64)
        limit = Local(computed(kind.dtype), "limit")
        place = number * piece + i
        greater = _precedes(_key(keys, start + place, kind.dtype), limit, descending=True)
        enters = Apply(basis.logical_or, [_not(is_full), greater], bool_)
        look = Loop(
            [(i, dim_min(piece, length - number * piece))],
            [
                Bind(slot, filled, room),
                Store(order, slot, Index(place, int64)),
                Assign(filled, _add(filled, Apply(basis.select, [enters, constant(1, int64), none], int64))),
            ],
            carried=[(filled, held)],
        )
        unchanged: Node = Apply(basis.equal, [filled, held], bool_)
        sort = _merged(
            keys,
            start,
            kind.dtype,
            True,
            order,
            other,
            found,
            Apply(basis.select, [unchanged, filled, constant(1, int64)], int64),
        )
        least_held = Apply(basis.maximum, [_subtract(held, constant(1, int64)), none], int64)
        pieces = Loop(
            [(number, ceil_div(length, piece))],
            [
                Bind(before, least_held, room),
                Bind(least_at, least, length),
                Let(limit, _key(keys, start + least_at, kind.dtype)),
                look,
                Bind(found, filled, room + 1),
                sort,
                Assign(held, _least(filled, whole)),
            ],
            carried=[(held, none)],
        )
        give: list[Statement] = [
            Bind(top, Load(order, k), length),
            Store(outputs[0], row * count + k, Load(keys, start + top)),
            Store(outputs[1], row * count + k, convert(Load(order, k), int64, dtype)),
        ]
        body: list[Statement] = [pieces, Loop([(k, count)], give)]
        return Kernel(
            [*inputs, *outputs, order, other],
            symbols_in(*kind.dims, *one.outputs[0].type.dims),
            [Loop([(row, product(kind.dims[:-1]))], body, "parallel")],
            work=10 * kind.size,
            can_fail=can_fail(body),
            label=op.name,
        )

    return Custom(one.inputs, build)
