"""The static memory plan: where each temporary of a schedule lies in one arena."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence
from typing import Final, final

from dovetail.compiler.kernels.schedule import Schedule, Storage
from dovetail.types.dims import Symbol, evaluate

__all__ = ["ALIGNMENT", "ArenaPlan", "peak", "place", "plan_memory"]

ALIGNMENT: Final = 64
"""Bytes that every temporary's offset is a multiple of: a cache line, and a vector register of any machine so far."""


@final
class ArenaPlan:
    """Places in an arena.

    Attributes:
        offsets: for each temporary, in bytes.
        total: how many bytes the arena needs.
    """

    __slots__ = ("offsets", "total")

    def __init__(self, offsets: Mapping[Storage, int], total: int) -> None:
        """Keep the places."""
        self.offsets = offsets
        self.total = total


def plan_memory(
    schedule: Schedule, sizes: Mapping[Symbol, int], more: Mapping[Storage, tuple[int, int]] | None = None
) -> ArenaPlan:
    """Place the temporaries of a schedule, those in use at one time apart; the same plan for the same sizes.

    Args:
        schedule: whose ``lifetimes`` say which steps use a temporary.
        sizes: what the symbols stand for.
        more: lifetimes of temporaries that a backend adds to those of the schedule.

    Raises:
        ShapeError: a size depends on a symbol that ``sizes`` does not have.
    """
    lifetimes = {**schedule.lifetimes, **(more or {})}
    storages = list(lifetimes)
    spans = list(lifetimes.values())
    offsets, total = place(_bytes(storages, sizes), spans)
    return ArenaPlan(dict(zip(storages, offsets, strict=True)), total)


def peak(schedule: Schedule, sizes: Mapping[Symbol, int]) -> int:
    """Return the most bytes of temporaries in use during one step: no plan needs fewer."""
    changes = [0] * (len(schedule.steps) + 1)
    lengths = _bytes(list(schedule.lifetimes), sizes)
    for (first, last), length in zip(schedule.lifetimes.values(), lengths, strict=True):
        changes[first] += length
        changes[last + 1] -= length
    most = live = 0
    for change in changes:
        live += change
        most = max(most, live)
    return most


def place(lengths: Sequence[int], spans: Sequence[tuple[int, int]]) -> tuple[list[int], int]:
    """Place blocks so that two whose spans overlap do not: the longest first, each in the tightest gap that holds it.

    Args:
        lengths: bytes of each block, multiples of ``ALIGNMENT``.
        spans: first and last step of each.

    Returns:
        The offset of each block, and the end of the highest.

    Example:
        >>> place([64, 128, 64], [(0, 1), (1, 2), (2, 3)])
        ([128, 0, 128], 192)
    """
    offsets = [0] * len(lengths)
    total = 0
    # (start, end, first step, last step) by start; blocks that were placed before.
    placed: list[tuple[int, int, int, int]] = []
    for block in sorted(range(len(lengths)), key=lambda one: (-lengths[one], spans[one], one)):
        length = lengths[block]
        if length == 0:
            continue
        first, last = spans[block]
        end, best, tightest = 0, -1, 0
        for start, stop, begun, done in placed:
            if begun > last or done < first:
                continue
            gap = start - end
            if gap >= length and (best < 0 or gap < tightest):
                best, tightest = end, gap
                if gap == length:
                    break
            if stop > end:
                end = stop
        offset = end if best < 0 else best
        offsets[block] = offset
        total = max(total, offset + length)
        insort(placed, (offset, offset + length, first, last))
    return offsets, total


def _bytes(storages: Sequence[Storage], sizes: Mapping[Symbol, int]) -> list[int]:
    return [-(-evaluate(one.size, sizes) * one.dtype.size // ALIGNMENT) * ALIGNMENT for one in storages]
