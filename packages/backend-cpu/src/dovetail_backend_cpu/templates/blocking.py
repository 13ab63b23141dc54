"""How large tiles and blocks are: chosen by the machine's registers and by sizes that are known when code is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final, final

from dovetail.kernels import Dim
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.templates.arithmetic import Arithmetic
from dovetail_backend_cpu.templates.phase import PhaseWriter, Value

__all__ = ["Rows", "Tiling", "heights_of"]

_ROWS: Final = {16: {2: 6, 3: 4, 4: 3, 1: 10}, 32: {2: 8, 3: 8, 4: 6, 1: 14}}
"""By number of registers, how many rows go with so many vectors; the first is preferred."""
_DEARER: Final = {1: 1.15, 2: 1.0, 3: 1.02, 4: 1.05}
"""What a vector costs in tiles of so many, relative to two: fewer multiply-adds for each load."""


@final
class Tiling:
    """The shape of tiles.

    Attributes:
        rows: of a tile, at most.
        vectors: of columns.
        lanes: of a vector.
    """

    MOST_VECTORS: ClassVar[int] = 4

    __slots__ = ("lanes", "rows", "vectors")

    def __init__(self, machine: Machine, arithmetic: Arithmetic, columns: Dim, vectors: int | None = None) -> None:
        """Choose the shape that wastes the fewest lanes on so many columns, or the one of so many ``vectors``."""
        self.lanes = arithmetic.lanes
        shapes = _ROWS[machine.registers]
        self.vectors = vectors or next(iter(shapes))
        if vectors is None and isinstance(columns, int):
            self.vectors = min(shapes, key=lambda count: -(-columns // (count * self.lanes)) * count * _DEARER[count])
        self.rows = shapes[self.vectors]

    @property
    def columns(self) -> int:
        """Columns of a tile."""
        return self.vectors * self.lanes


def heights_of(rows: int, most: int) -> Sequence[int]:
    """Return the heights that occur when so many rows are cut into tiles of nearly equal height, tallest first."""
    tiles = max(1, -(-rows // most))
    low, rest = divmod(rows, tiles)
    return [height for height, occurs in ((low + 1, rest > 0), (low, low > 0)) if occurs]


@final
class Rows:
    """Rows cut into tiles of nearly equal height, so that there is no short rest.

    Attributes:
        tiles: how many.
        heights: those that occur, tallest first.
    """

    __slots__ = ("_low", "_phase", "_rest", "heights", "tiles")

    def __init__(
        self, phase: PhaseWriter, rows: Value, most: int, *, counts: Sequence[int] = (), least: int = 1
    ) -> None:
        """Cut rows into tiles.

        Args:
            phase: where it is written.
            rows: how many there are.
            most: how many a tile may have.
            counts: the numbers of rows that may occur, where these are few.
            least: the number of rows that there are at least.
        """
        self._phase = phase
        self.tiles = phase.divide_up(rows, most)
        self._low, self._rest = phase.split(rows, phase.maximum(self.tiles, 1))
        if counts and not isinstance(rows, int):
            self.heights = sorted({one for count in counts for one in heights_of(count, most)}, reverse=True)
        elif isinstance(rows, int):
            self.heights = list(heights_of(rows, most))
        else:
            lowest = min(height for count in range(least, least + most) for height in heights_of(count, most))
            self.heights = list(range(most, lowest - 1, -1))

    def start(self, tile: Value) -> Value:
        """Return the first row of a tile."""
        phase = self._phase
        return phase.add(phase.multiply(tile, self._low), phase.minimum(tile, self._rest))

    def each_height(self, tile: Value) -> Iterator[int]:
        """Write what follows for each height that occurs, where the tile has it."""
        phase = self._phase
        if len(self.heights) == 1:
            yield self.heights[0]
            return
        taller = phase.write.value(f"zext i1 {phase.compare('slt', tile, self._rest)} to i64")
        height = phase.add(self._low, taller)
        for one in self.heights:
            with phase.write.when(phase.compare("eq", height, one)):
                yield one
