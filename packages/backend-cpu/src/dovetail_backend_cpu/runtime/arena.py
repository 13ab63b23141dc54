"""Arenas: memory for the temporaries of a run, which the executables of a process take turns with."""

from __future__ import annotations

from typing import final

from dovetail_backend_cpu.runtime.blocks import address_of, aligned_bytes

__all__ = ["Arena", "ArenaPool", "arenas"]


@final
class Arena:
    """A block of memory."""

    __slots__ = ("_block", "address", "size")

    def __init__(self, size: int) -> None:
        """Allocate ``size`` bytes."""
        self._block = aligned_bytes(size)
        self.address = address_of(self._block)
        self.size = size


@final
class ArenaPool:
    """Arenas that no run is using; the one given back last is taken first.

    There are as many arenas as runs at one time, not as executables. Taking and giving are single operations on a list,
    which threads can do at once.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._free: list[Arena] = []

    def take(self, size: int) -> Arena:
        """Return an arena of at least ``size`` bytes."""
        try:
            arena = self._free.pop()
        except IndexError:
            return Arena(size)
        if arena.size >= size:
            return arena
        del arena  # before the greater one is made, so that both are never there
        return Arena(size)

    def give(self, arena: Arena) -> None:
        """Take back an arena."""
        self._free.append(arena)

    def clear(self) -> None:
        """Free what is not in use."""
        self._free.clear()


arenas = ArenaPool()
"""The arenas of this process."""
