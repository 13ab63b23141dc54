"""The micro-kernel: a tile of the output whose elements stay in registers over the whole inner sum.

A tile has some rows and some vectors of columns. For each element of the inner sum, the left factor of each row is read
as a scalar and spread, and the right factor as vectors along the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from dovetail_backend_cpu.templates.arithmetic import Arithmetic
from dovetail_backend_cpu.templates.phase import PhaseWriter, Value

__all__ = ["Left", "Level", "Right", "accumulate"]

_LONGEST: Final = 48
"""How many multiply-adds a loop's body may hold."""
_MOST_STEPS: Final = 4
"""How many steps it takes at a time."""
_UNROLLED: Final = 320
"""An inner sum of at most so many multiply-adds is written without loops."""


@final
class Level:
    """One loop of the inner sum.

    Attributes:
        extent: how often it runs.
        left: how many elements the left factor moves by.
        right: how many elements the right factor moves by.
    """

    __slots__ = ("extent", "left", "right")

    def __init__(self, extent: Value, left: Value, right: Value) -> None:
        """Describe a loop."""
        self.extent = extent
        self.left = left
        self.right = right


@final
class Left:
    """Where the left factors of a tile's rows begin.

    Attributes:
        arithmetic: how they are loaded.
        pointers: one for each row; or a single one, from which the rows are ``stride`` elements apart.
        stride: distance of the rows.
        wide: whether each column has a factor of its own: vectors are loaded at the offsets of the right ones.
    """

    __slots__ = ("arithmetic", "pointers", "rows", "stride", "wide")

    def __init__(
        self, arithmetic: Arithmetic, pointers: Sequence[str], rows: int, stride: int = 0, *, wide: bool = False
    ) -> None:
        """Describe the rows."""
        self.wide = wide
        self.arithmetic = arithmetic
        self.pointers = tuple(pointers)
        self.rows = rows
        self.stride = stride

    def place(self, phase: PhaseWriter, row: int, offset: Value) -> str:
        """Return the pointer of a row's factor, some elements after its first."""
        if len(self.pointers) > 1:
            return phase.at(self.arithmetic.stored, self.pointers[row], offset)
        return phase.at(self.arithmetic.stored, self.pointers[0], phase.add(offset, row * self.stride))


@final
class Right:
    """Where the right factors of a tile begin.

    Attributes:
        arithmetic: how they are loaded.
        pointer: of the first vector.
        offsets: of each vector, in elements.
        width: lanes of a vector.
        masks: for each vector the lanes that are there, or ``None`` for all.
    """

    __slots__ = ("arithmetic", "masks", "offsets", "pointer", "width")

    def __init__(
        self,
        arithmetic: Arithmetic,
        pointer: str,
        offsets: Sequence[int],
        width: int,
        masks: Sequence[str | None] | None = None,
    ) -> None:
        """Describe the vectors."""
        self.arithmetic = arithmetic
        self.pointer = pointer
        self.offsets = tuple(offsets)
        self.width = width
        self.masks = tuple(masks or [None] * len(self.offsets))


def accumulate(
    phase: PhaseWriter, left: Left, right: Right, levels: Sequence[Level], first: Sequence[str] | None = None
) -> list[str]:
    """Write the inner sum of a tile.

    Args:
        phase: where it is written.
        left: the left factors.
        right: the right factors.
        levels: the loops, outermost first.
        first: what is added to: a vector for each row and vector, those of a row together; by default zeros.

    Returns:
        The sums, in the same order. Each element is one chain of multiply-adds in the order of the loops, whatever the
        shape of the tile.
    """
    count = left.rows * len(right.offsets)
    sums = list(first) if first is not None else [right.arithmetic.zeros(right.width)] * count
    return _level(phase, left, right, list(levels), sums)


def _level(phase: PhaseWriter, left: Left, right: Right, levels: list[Level], sums: list[str]) -> list[str]:
    level, *others = levels
    if others and _short(levels, len(sums)):
        for step in range(int(level.extent)):
            sums = _level(phase, *_moved(phase, left, right, step, level), others, sums)
        return sums
    if not others:
        return _innermost(phase, left, right, level, sums)
    if level.extent == 1:
        return _level(phase, left, right, others, sums)
    carried = [(right.arithmetic.vector_type(right.width), one) for one in sums]
    sure = isinstance(level.extent, int) and level.extent > 0
    with phase.write.loop(
        "0", str(level.extent), carried=carried, metadata=phase.no_unrolling(), at_least_once=sure
    ) as loop:
        inside = _moved(phase, left, right, loop.index, level)
        loop.next(*_level(phase, *inside, others, loop.carried))
    return loop.results


def _short(levels: Sequence[Level], count: int) -> bool:
    """Tell whether loops are so short that they are written out."""
    for level in levels:
        if not isinstance(level.extent, int):
            return False
        count *= level.extent
    return count <= _UNROLLED


def _moved(phase: PhaseWriter, left: Left, right: Right, index: Value, level: Level) -> tuple[Left, Right]:
    by = phase.multiply(index, level.left)
    pointers = [phase.at(left.arithmetic.stored, pointer, by) for pointer in left.pointers]
    pointer = phase.at(right.arithmetic.stored, right.pointer, phase.multiply(index, level.right))
    return (
        Left(left.arithmetic, pointers, left.rows, left.stride, wide=left.wide),
        Right(right.arithmetic, pointer, right.offsets, right.width, right.masks),
    )


def _innermost(phase: PhaseWriter, left: Left, right: Right, level: Level, sums: list[str]) -> list[str]:
    """Write the last loop, some steps at a time where that divides its extent, else with a rest."""
    most = max(1, min(_MOST_STEPS, _LONGEST // len(sums)))
    type = right.arithmetic.vector_type(right.width)
    extent = level.extent
    if isinstance(extent, int):
        if extent * len(sums) <= _LONGEST:
            apart = _meets_again(left, level, extent)
            for step in range(extent):
                sums = _step(phase, left, right, level, step, sums, apart=apart)
            return sums
        steps = max(count for count in range(1, most + 1) if extent % count == 0)
        if steps == 1 and most >= 4:
            steps = 4
        whole: Value = extent - extent % steps
    else:
        steps = min(4, most)
        whole = phase.multiply(phase.divide(extent, steps), steps)
    carried = [(type, one) for one in sums]
    with phase.write.loop(
        "0", str(whole), steps, carried, metadata=phase.no_unrolling(), at_least_once=isinstance(whole, int)
    ) as loop:
        inside = _moved(phase, left, right, loop.index, level)
        new = loop.carried
        apart = _meets_again(left, level, steps)
        for step in range(steps):
            new = _step(phase, *inside, level, step, new, apart=apart)
        loop.next(*new)
    sums = loop.results
    if isinstance(extent, int):
        for step in range(int(whole), extent):
            sums = _step(phase, left, right, level, step, sums)
        return sums
    carried = [(type, one) for one in sums]
    with phase.write.loop(str(whole), str(extent), 1, carried, metadata=phase.no_unrolling()) as rest:
        rest.next(*_step(phase, *_moved(phase, left, right, rest.index, level), level, 0, rest.carried))
    return rest.results


def _meets_again(left: Left, level: Level, steps: int) -> bool:
    """Tell whether a row meets within so many steps what another row has met before.

    The compiler would then keep it in a register, for which the sums have to make room: a poor trade.
    """
    if len(left.pointers) > 1 or left.wide or not isinstance(level.left, int):
        return False
    rows = {row * left.stride for row in range(1, left.rows)}
    return any(step * level.left in rows for step in range(1, steps))


def _step(
    phase: PhaseWriter, left: Left, right: Right, level: Level, step: int, sums: Sequence[str], *, apart: bool = False
) -> list[str]:
    """Multiply and add for one element of the inner sum; ``apart`` keeps its loads apart from those before."""
    write, width = phase.write, right.width
    if apart:
        write.do('fence syncscope("singlethread") acq_rel')
    by = phase.multiply(step, level.right)
    vectors = [
        right.arithmetic.load(
            write, phase.at(right.arithmetic.stored, right.pointer, phase.add(by, offset)), width, mask
        )
        for offset, mask in zip(right.offsets, right.masks, strict=True)
    ]
    by = phase.multiply(step, level.left)
    result = []
    for row in range(left.rows):
        first = left.place(phase, row, by)
        factor = "" if left.wide else left.arithmetic.spread(write, left.arithmetic.load(write, first), width)
        for place, vector in enumerate(vectors):
            if left.wide:
                source = phase.at(left.arithmetic.stored, first, right.offsets[place])
                factor = left.arithmetic.load(write, source, width)
            addend = sums[row * len(vectors) + place]
            result.append(right.arithmetic.multiply_add(write, factor, vector, addend, width))
    return result
