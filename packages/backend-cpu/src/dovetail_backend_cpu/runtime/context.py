"""``Context``: what one run of a bound program writes to, used again by the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, final

import numpy as np

from dovetail.extend import DType
from dovetail_backend_cpu.runtime.arena import Arena
from dovetail_backend_cpu.runtime.bind import Bound
from dovetail_backend_cpu.runtime.blocks import Words, address_of, aligned_words, words
from dovetail_backend_cpu.runtime.layout import BOX_BYTES, INPUT_WORDS, PAD_WORDS, Job
from dovetail_backend_cpu.runtime.pyobjects import ARRAY_TYPE, FLAGS_READ, FLAGS_WRITE
from dovetail_backend_cpu.runtime.team import ThreadTeam
from dovetail_backend_cpu.runtime.trace import Tracer

__all__ = ["Context", "InputSpec"]

_LEAST_ARENA: Final = 64


@final
class InputSpec:
    """What an input must be so that native code can read it in place.

    Attributes:
        dtype: of its elements, in the machine's byte order.
        shape: its shape.
        written: whether the step writes it.
    """

    __slots__ = ("dtype", "shape", "written")

    def __init__(self, dtype: DType, shape: Sequence[int], written: bool) -> None:
        """Describe an input."""
        self.dtype = dtype.numpy
        self.shape = tuple(shape)
        self.written = written

    def fit(self, value: Any) -> Any:
        """Return ``value`` as an array that is as described, itself where it is."""
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ValueError(f"an input has shape {array.shape} where {self.shape} was promised.")
        fitting: Any = np.require(array, self.dtype, ["C", "A", "W"] if self.written else ["C", "A"])
        if type(fitting) is not np.ndarray or fitting.dtype is not self.dtype:
            # Types of elements that NumPy does not know itself may have several objects that are equal.
            fitting = np.ndarray(fitting.shape, self.dtype, fitting.data if fitting.size else None)
        return fitting


@final
class Context:
    """A job with its frames; one run at a time uses it.

    Attributes:
        job: the job's words.
        address: of the job.
        arena_bytes: how much of an arena it needs.
        threads: how many threads the job is for now.
    """

    __slots__ = (
        "_arena",
        "_copy_address",
        "_frame",
        "_frames",
        "_kept",
        "_packs",
        "_tickets",
        "address",
        "arena_bytes",
        "bound",
        "job",
        "team",
        "threads",
    )

    def __init__(self, bound: Bound, specs: Sequence[InputSpec]) -> None:
        """Make the frames of a bound program."""
        self.bound = bound
        self._frame: Words = bound.frame.copy()
        frame_bytes = 8 * len(self._frame)
        # Behind the frame of thread 0 there is room for words that threads hand to each other.
        stride = -(-2 * frame_bytes // BOX_BYTES) * BOX_BYTES
        self._frames = aligned_words(bound.threads * stride // 8)
        described, self._kept = _describe(bound, specs)
        outputs = words(bound.output_words)
        self._kept += (described, outputs)
        self._tickets = aligned_words(max(bound.tickets, 1) * PAD_WORDS)
        self.job = aligned_words(Job.LENGTH)
        self.address = address_of(self.job)
        self.arena_bytes = bound.arena_bytes + bound.threads * bound.scratch_bytes
        if self.arena_bytes:
            self.arena_bytes = max(self.arena_bytes, _LEAST_ARENA)
        self._arena: Arena | None = None
        self._copy_address = 0
        self._packs = False
        self.team: ThreadTeam | None = None
        self.threads = 1
        for word, value in {
            Job.CODE: address_of(bound.code),
            Job.STATUS: 0,
            Job.THREADS: 1,
            Job.MASTER: address_of(self._frame),
            Job.FRAME_BYTES: frame_bytes,
            Job.FRAMES: address_of(self._frames),
            Job.STRIDE: stride,
            Job.INPUTS: address_of(described),
            Job.INPUT_COUNT: len(specs),
            Job.OUTPUTS: address_of(outputs),
            Job.OUTPUT_COUNT: len(bound.output_words),
            Job.SCRATCH_STRIDE: bound.scratch_bytes,
            Job.TICKETS: address_of(self._tickets),
            Job.TICKET_BYTES: bound.tickets * BOX_BYTES,
        }.items():
            self.job[word] = value

    def use_arena(self, arena: Arena) -> None:
        """Point the temporaries into ``arena``."""
        if arena is self._arena:
            return
        self._arena = arena
        bound = self.bound
        self._frame[bound.arena_words] = bound.arena_offsets + arena.address
        self.job[Job.SCRATCH] = arena.address + bound.arena_bytes

    def use_copy(self, address: int, *, packs: bool) -> None:
        """Point to the block of packed copies, and say whether the run is to fill it."""
        if address != self._copy_address:
            self._copy_address = address
            self._frame[self.bound.lasting_words] = self.bound.lasting_offsets + address
        if packs is not self._packs:
            self._packs = packs
            self._frame[self.bound.packs_word] = packs

    def use_threads(self, threads: int, team: ThreadTeam | None) -> None:
        """Say how many threads of which team run it."""
        self.threads = threads
        self.team = team
        self.job[Job.THREADS] = threads
        self.job[Job.HANDED] = team is not None and team.hands_itself
        if team is not None:
            self.job[Job.TEAM] = team.address

    def use_tracer(self, tracer: Tracer) -> None:
        """Write down the times of calls."""
        self.job[Job.TRACE] = tracer.address
        self.job[Job.TRACE_STRIDE] = tracer.stride

    def set_pointers(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Put addresses of fitting arrays into the frame; they must live until the run is over."""
        self.job[Job.STATUS] = 0
        if self.bound.tickets:
            self._tickets[:] = 0
        for word, array in zip(self.bound.input_words, inputs, strict=True):
            self._frame[word] = address_of(array)
        for word, array in zip(self.bound.output_words, outputs, strict=True):
            self._frame[word] = address_of(array)


def _describe(bound: Bound, specs: Sequence[InputSpec]) -> tuple[Words, tuple[Any, ...]]:
    """Return the words that describe the inputs, and what they point to."""
    result: list[int] = []
    kept: list[Any] = []
    for spec, word in zip(specs, bound.input_words, strict=True):
        shape = words(spec.shape)
        kept += [shape, spec.dtype]
        scalar = id(spec.dtype.type) if spec.shape == () and not spec.written else 0
        flags = FLAGS_WRITE if spec.written else FLAGS_READ
        result += [ARRAY_TYPE, id(spec.dtype), flags, len(spec.shape), address_of(shape), scalar, word]
    assert len(result) == INPUT_WORDS * len(specs)
    return words(result), tuple(kept)
