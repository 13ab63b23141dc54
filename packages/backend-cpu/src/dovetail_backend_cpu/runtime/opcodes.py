"""The instructions of the step runner: what each is called, and how many operands follow it."""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Final, final

__all__ = ["OPERANDS", "Opcode"]


@final
@unique
class Opcode(IntEnum):
    """An instruction; its operands are words of the frame (``d``, ``a``, ``b``), numbers, or places in the code."""

    END = 0
    """Leave."""
    CALL = 1
    """function, slots, launch: every thread calls."""
    CALL_ONE = 2
    """function, slots, launch: thread 0 calls, as if it were alone."""
    BARRIER = 3
    """Wait until every thread is here."""
    JUMP_IF_FAILED = 4
    """place: if the status word is set; between barriers, so that all threads see the same."""
    SET = 5
    """d, number."""
    ADD = 6
    """d, a, b."""
    ADD_NUMBER = 7
    """d, a, number."""
    MULTIPLY = 8
    """d, a, b."""
    MULTIPLY_NUMBER = 9
    """d, a, number."""
    FLOOR_DIVIDE = 10
    """d, a, b."""
    MAXIMUM = 11
    """d, a, b."""
    MINIMUM = 12
    """d, a, b."""
    EXCHANGE = 13
    """a, b: swap the words."""
    LOAD_BOOL = 14
    """d, a: the byte at address a, 0 or 1."""
    STORE = 15
    """a, b: store the word b at address a."""
    JUMP = 16
    """place."""
    JUMP_IF_ZERO = 17
    """a, place."""
    JUMP_IF_LESS = 18
    """a, b, place: if a < b, signed."""
    JUMP_IF_WORKER = 19
    """place: for every thread but 0."""
    PUBLISH = 20
    """a: thread 0 puts the word where the others can fetch it."""
    FETCH = 21
    """a: the other threads take the word that thread 0 published."""
    CALL_PARTS = 24
    """function, slots, launch, parts, tickets, d: threads call for one part after another, whoever is free taking the
    next; tickets is the place of the word that counts, d where a thread keeps the first of this call's."""
    TRACED_CALL = 22
    """As ``CALL``, with the times of beginning and end written down."""
    TRACED_CALL_ONE = 23
    """As ``CALL_ONE``, with the times of beginning and end written down."""
    TRACED_CALL_PARTS = 25
    """As ``CALL_PARTS``, with the times of beginning and end of all of a thread's parts written down."""


OPERANDS: Final[dict[Opcode, int]] = {
    Opcode.END: 0,
    Opcode.CALL: 3,
    Opcode.CALL_ONE: 3,
    Opcode.BARRIER: 0,
    Opcode.JUMP_IF_FAILED: 1,
    Opcode.SET: 2,
    Opcode.ADD: 3,
    Opcode.ADD_NUMBER: 3,
    Opcode.MULTIPLY: 3,
    Opcode.MULTIPLY_NUMBER: 3,
    Opcode.FLOOR_DIVIDE: 3,
    Opcode.MAXIMUM: 3,
    Opcode.MINIMUM: 3,
    Opcode.EXCHANGE: 2,
    Opcode.LOAD_BOOL: 2,
    Opcode.STORE: 2,
    Opcode.JUMP: 1,
    Opcode.JUMP_IF_ZERO: 2,
    Opcode.JUMP_IF_LESS: 3,
    Opcode.JUMP_IF_WORKER: 1,
    Opcode.PUBLISH: 1,
    Opcode.FETCH: 1,
    Opcode.TRACED_CALL: 3,
    Opcode.TRACED_CALL_ONE: 3,
    Opcode.CALL_PARTS: 6,
    Opcode.TRACED_CALL_PARTS: 6,
}
"""How many words follow each instruction; a place is the index of a word of the code."""
