"""Where the blocks that Python and the native code share keep what: jobs, teams, the words of a frame.

All are arrays of 64-bit words; what several threads write at once stands on cache lines of its own, in pairs because
processors fetch lines in pairs.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, final

__all__ = ["BOX_BYTES", "FRAME_HEAD", "INPUT_WORDS", "PAD_WORDS", "Flag", "Job", "Team", "Word"]

PAD_WORDS: Final = 16
"""Words of two cache lines."""
BOX_BYTES: Final = 8 * PAD_WORDS
"""Bytes from one worker's mailbox to the next."""


@final
class Word(IntEnum):
    """The words at the start of every frame."""

    STATUS = 0
    """Address of the status word."""
    SCRATCH = 1
    """Address of the thread's scratch memory."""


FRAME_HEAD: Final = len(Word)
"""How many words of a frame are taken."""


@final
class Job(IntEnum):
    """The words of a job: one run of a bound program, prepared."""

    CODE = 0
    STATUS = 1
    THREADS = 2
    TEAM = 3
    MASTER = 4
    """Address of the frame that each thread copies."""
    FRAME_BYTES = 5
    FRAMES = 6
    """Address of the threads' own frames; behind the first are as many words that threads hand to each other."""
    STRIDE = 7
    """Bytes from one frame to the next."""
    INPUTS = 8
    """Address of the descriptions of the inputs."""
    INPUT_COUNT = 9
    OUTPUTS = 10
    """Address of the frame words of the outputs."""
    OUTPUT_COUNT = 11
    FAILED = 12
    """Place of the input that does not fit its description."""
    SCRATCH = 13
    SCRATCH_STRIDE = 14
    TRACE = 15
    """Address of the records of a profiled run, 0 otherwise."""
    TRACE_STRIDE = 16
    HANDED = 17
    """Whether Python has cleared the status word and handed the job to the workers itself."""
    TICKETS = 18
    """Address of the words that count parts of calls, each on cache lines of its own."""
    TICKET_BYTES = 19
    LENGTH = 20


@final
class Team(IntEnum):
    """The words of a team of threads, each at the start of two cache lines of its own."""

    FUTEX = 0
    """The number of the futex system call, 0 where there is none; the next words are only read as well."""
    SPINS_BARRIER = 1
    SPINS_IDLE = 2
    ARRIVED = PAD_WORDS
    GENERATION = 2 * PAD_WORDS
    SLEEPERS = 3 * PAD_WORDS
    BOXES = 4 * PAD_WORDS
    """The first mailbox, of thread 0, which nobody uses; a mailbox holds a ``Flag`` or the address of a job."""


@final
class Flag(IntEnum):
    """What a mailbox holds when it holds no job."""

    IDLE = 0
    PARKED = 1
    STOP = 2
    """The worker is to end."""
    LAST = 3
    """What is greater is an address."""


INPUT_WORDS: Final = 7
"""Words that describe an input: the array type, its dtype object, flags it must have, rank, address of the shape, the
type of a NumPy scalar that is taken in its place or 0, and the frame word for its address."""
