"""Products of very few rows: the right factor is read once, in the order in which it lies in memory.

The sums of a stretch of columns wait in the first-level cache, while some rows of the right factor at a time are
multiplied and added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

from dovetail.kernels import Symbol
from dovetail_backend_cpu.templates.arithmetic import Arithmetic
from dovetail_backend_cpu.templates.finish import finish_tile, lane_mask
from dovetail_backend_cpu.templates.phase import PhaseWriter, Value
from dovetail_backend_cpu.templates.tile import Left, Level, Right, accumulate

__all__ = ["Stream", "stream_size"]

_KEPT: Final = 512
"""Vectors of sums that are kept at a time, for all rows."""
_FACTORS: Final = 8
"""Left factors that are held in registers."""
_MOST_TOGETHER: Final = 4
"""Rows of the right factor that are added at a time, at most."""


def stream_size(arithmetic: Arithmetic) -> int:
    """Return how many bytes the sums take."""
    return _KEPT * arithmetic.lanes * arithmetic.bytes


@final
class Stream:
    """The product of a few rows with a matrix.

    Args:
        phase: where it is written.
        arithmetic: of the factors.
        left: the left factors.
        inner: the size of the inner axis, and how far the left factors move along it.
        right: the matrix.
        columns: how many it has.
    """

    def __init__(
        self,
        phase: PhaseWriter,
        arithmetic: Arithmetic,
        left: Left,
        inner: tuple[Value, Value],
        right: str,
        columns: Value,
    ) -> None:
        """Describe the product."""
        self.phase = phase
        self.arithmetic = arithmetic
        self.left = left
        self.depth, self.step = inner
        self.right = right
        self.columns = columns
        self.width = arithmetic.lanes
        self.stretch = _KEPT // max(2, left.rows)
        self.together = max(1, min(_MOST_TOGETHER, _FACTORS // left.rows))
        self.type = arithmetic.vector_type(self.width)

    def write(
        self,
        vectors: tuple[Value, Value],
        indices: Sequence[Callable[[], Mapping[Symbol, Value]]],
        sums: str,
    ) -> None:
        """Compute some vectors of columns.

        Args:
            vectors: the first, and the one after the last.
            indices: for each row, writes the index along each axis but the last.
            sums: memory of ``stream_size``.
        """
        phase, width = self.phase, self.width
        whole, rest = phase.split(self.columns, width)
        end = phase.minimum(vectors[1], whole)
        with phase.write.loop(str(vectors[0]), str(end), self.stretch, metadata=phase.no_unrolling()) as stretch:
            count = phase.minimum(phase.subtract(end, stretch.index), self.stretch)
            column = phase.multiply(stretch.index, width)
            self._clear(sums, count)
            several = phase.multiply(phase.divide(self.depth, self.together), self.together)
            self._add(sums, column, count, (0, several, self.together))
            self._add(sums, column, count, (several, self.depth, 1))
            with phase.write.loop("0", str(count), metadata=phase.no_unrolling()) as vector:
                values = [
                    phase.write.value(f"load {self.type}, ptr {pointer}, align {self.arithmetic.bytes}")
                    for pointer in self._sums_of(sums, vector.index)
                ]
                at = phase.add(column, phase.multiply(vector.index, width))
                finish_tile(phase, values, indices, 1, width, at, width)
        if rest == 0:
            return
        with phase.write.when(phase.compare("slt", end, vectors[1])):
            column = phase.multiply(whole, width)
            mask = lane_mask(phase, width, 0, rest)
            source = phase.at(self.arithmetic.stored, self.right, column)
            right = Right(self.arithmetic, source, [0], width, [mask])
            values = accumulate(phase, self.left, right, [Level(self.depth, self.step, self.columns)])
            finish_tile(phase, values, indices, 1, width, column, rest)

    def _sums_of(self, sums: str, vector: Value) -> list[str]:
        """Return the pointers of the sums of a vector of columns, one for each row."""
        phase, width = self.phase, self.width
        offset = phase.multiply(vector, width)
        return [
            phase.at(self.arithmetic.type, sums, row * self.stretch * width, offset) for row in range(self.left.rows)
        ]

    def _clear(self, sums: str, count: Value) -> None:
        with self.phase.write.loop("0", str(count), metadata=self.phase.no_unrolling()) as vector:
            for pointer in self._sums_of(sums, vector.index):
                self.phase.write.do(f"store {self.type} zeroinitializer, ptr {pointer}, align {self.arithmetic.bytes}")

    def _add(self, sums: str, column: Value, count: Value, steps: tuple[Value, Value, int]) -> None:
        """Add the products of rows of the right factor: from one, up to another, so many at a time."""
        phase, write, arithmetic, width = self.phase, self.phase.write, self.arithmetic, self.width
        start, stop, together = steps
        with write.loop(str(start), str(stop), together, metadata=phase.no_unrolling()) as place:
            factors = []
            for row in range(self.left.rows):
                for number in range(together):
                    offset = phase.multiply(phase.add(place.index, number), self.step)
                    element = self.left.arithmetic.load(write, self.left.place(phase, row, offset))
                    factors.append(arithmetic.spread(write, element, width))
            lines = []
            for number in range(together):
                line = phase.multiply(phase.add(place.index, number), self.columns)
                lines.append(phase.at(arithmetic.stored, self.right, line, column))
            with write.loop("0", str(count), metadata=phase.no_unrolling()) as vector:
                offset = phase.multiply(vector.index, width)
                loaded = [arithmetic.load(write, phase.at(arithmetic.stored, line, offset), width) for line in lines]
                for row, pointer in enumerate(self._sums_of(sums, vector.index)):
                    value = write.value(f"load {self.type}, ptr {pointer}, align {arithmetic.bytes}")
                    for number in range(together):
                        factor = factors[row * together + number]
                        value = arithmetic.multiply_add(write, factor, loaded[number], value, width)
                    write.do(f"store {self.type} {value}, ptr {pointer}, align {arithmetic.bytes}")
