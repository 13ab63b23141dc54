"""``Timing``: how long a part of a run took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from dovetail.compiler.program import Instruction

__all__ = ["Timing"]


@final
class Timing:
    """One run of a kernel or of an instruction, on one thread.

    Attributes:
        label: what ran.
        origins: the instructions that it computes.
        begin_ns, end_ns: when, in nanoseconds of ``time.perf_counter_ns``.
        thread: the number of the thread, 0 for the one that handed out the step.
        occurrence: the place of this run among those of the thread; threads that share one run have the same.
        part: what ran, as a number that stays the same from one run to the next.
        flops: floating-point operations of the whole run, of all threads.
        bytes: bytes of the arrays that it reads and writes.
    """

    __slots__ = ("begin_ns", "bytes", "end_ns", "flops", "label", "occurrence", "origins", "part", "thread")

    def __init__(
        self,
        label: str,
        origins: Sequence[Instruction],
        begin_ns: int,
        end_ns: int,
        *,
        part: int = 0,
        occurrence: int = 0,
        thread: int = 0,
        flops: int = 0,
        bytes: int = 0,
    ) -> None:
        """Describe a run."""
        self.label = label
        self.origins = tuple(origins)
        self.begin_ns = begin_ns
        self.end_ns = end_ns
        self.part = part
        self.occurrence = occurrence
        self.thread = thread
        self.flops = flops
        self.bytes = bytes
