"""``Hazards``: which memory threads have touched since they last met, to know when they must meet again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, final

__all__ = ["Hazards", "Region"]

Region: TypeAlias = tuple[int, int]
"""Bytes from the first up to the second."""


@final
class Hazards:
    """What was read and written since the last barrier, by thread 0 or by all."""

    __slots__ = ("_reads", "_writes")

    def __init__(self) -> None:
        """Begin at a barrier."""
        self._reads: set[tuple[int, int, bool]] = set()
        self._writes: set[tuple[int, int, bool]] = set()

    def conflict(self, reads: Sequence[Region], writes: Sequence[Region], everyone: bool) -> bool:
        """Return whether a barrier must come before accesses by all threads, or by thread 0 alone."""
        if any(_meet(self._writes, region, everyone) for region in (*reads, *writes)):
            return True
        return any(_meet(self._reads, region, everyone) for region in writes)

    def add(self, reads: Sequence[Region], writes: Sequence[Region], everyone: bool) -> None:
        """Note accesses."""
        self._reads.update((start, stop, everyone) for start, stop in reads)
        self._writes.update((start, stop, everyone) for start, stop in writes)

    def meet(self) -> None:
        """Note a barrier."""
        self._reads.clear()
        self._writes.clear()

    def copy(self) -> Hazards:
        """Return one that is the same now."""
        result = Hazards()
        result.join(self)
        return result

    def join(self, other: Hazards) -> None:
        """Note that what ``other`` knows may have happened as well."""
        self._reads |= other._reads
        self._writes |= other._writes


def _meet(touched: set[tuple[int, int, bool]], region: Region, everyone: bool) -> bool:
    start, stop = region
    return any(low < stop and start < high and (everyone or all) for low, high, all in touched)
