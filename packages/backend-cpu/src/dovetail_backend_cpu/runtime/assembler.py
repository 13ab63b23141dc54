"""``Assembler``: code words, frame words and slots of one bound program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import numpy.typing as npt

from dovetail.extend import Dim, Symbol, dims
from dovetail_backend_cpu.runtime.blocks import Words, address_of, words
from dovetail_backend_cpu.runtime.layout import FRAME_HEAD
from dovetail_backend_cpu.runtime.opcodes import OPERANDS, Opcode

__all__ = ["Assembler", "Label"]


@final
class Label:
    """A place in the code, known once it is reached."""

    __slots__ = ("place", "uses")

    def __init__(self) -> None:
        """Begin without a place."""
        self.place = -1
        self.uses: list[int] = []


@final
class Assembler:
    """Writes the code for the step runner, and the frame that it starts with.

    Attributes:
        frame: the first values of the frame's words.
    """

    def __init__(self) -> None:
        """Begin with no code."""
        self.frame: list[int] = [0] * FRAME_HEAD
        self._code: list[int] = []
        self._numbers: dict[int, int] = {}
        self._slots: list[int] = []
        self._slot_places: list[int] = []
        self._known_slots: dict[tuple[int, ...], int] = {}

    # Words of the frame. ---------------------------------------------------------------------------------------------

    def word(self, value: int = 0) -> int:
        """Return a new word of the frame."""
        self.frame.append(value)
        return len(self.frame) - 1

    def number(self, value: int) -> int:
        """Return a word that always holds ``value``."""
        found = self._numbers.get(value)
        if found is None:
            found = self._numbers[value] = self.word(value)
        return found

    # Code. -----------------------------------------------------------------------------------------------------------

    def emit(self, opcode: Opcode, *operands: int | Label) -> None:
        """Write an instruction."""
        assert len(operands) == OPERANDS[opcode]
        self._code.append(int(opcode))
        for operand in operands:
            if isinstance(operand, Label):
                operand.uses.append(len(self._code))
                self._code.append(operand.place)
            else:
                self._code.append(operand)

    def here(self, label: Label) -> None:
        """Put a label at the place that is reached."""
        label.place = len(self._code)
        for use in label.uses:
            self._code[use] = label.place

    def call(self, opcode: Opcode, function: int, slots: Sequence[int], launch: int, *more: int) -> None:
        """Write a call of a function whose arguments are the words ``slots`` of the frame."""
        key = tuple(slots)
        place = self._known_slots.get(key)
        if place is None:
            place = self._known_slots[key] = len(self._slots)
            self._slots.extend(key)
        self._slot_places.append(len(self._code) + 2)
        self.emit(opcode, function, place, launch, *more)

    def compute(self, dim: Dim, counters: dict[Symbol, int]) -> int:
        """Return a word that holds ``dim``, whose symbols are the ``counters``, each in a word."""
        if isinstance(dim, int):
            return self.number(dim)
        if isinstance(dim, Symbol):
            return counters[dim]
        if isinstance(dim, dims.FloorDiv):
            return self._binary(Opcode.FLOOR_DIVIDE, [dim.numerator, dim.denominator], counters)
        if isinstance(dim, dims.Max | dims.Min):
            return self._binary(Opcode.MAXIMUM if isinstance(dim, dims.Max) else Opcode.MINIMUM, dim.args, counters)
        total = self.word()
        self.emit(Opcode.SET, total, 0)
        for monomial, coefficient in dim.terms:
            term = self.word()
            self.emit(Opcode.SET, term, coefficient)
            for atom in monomial:
                self.emit(Opcode.MULTIPLY, term, term, self.compute(atom, counters))
            self.emit(Opcode.ADD, total, total, term)
        return total

    def _binary(self, opcode: Opcode, args: Sequence[Dim], counters: dict[Symbol, int]) -> int:
        result = self.word()
        self.emit(Opcode.ADD_NUMBER, result, self.compute(args[0], counters), 0)
        for arg in args[1:]:
            self.emit(opcode, result, result, self.compute(arg, counters))
        return result

    def finish(self) -> tuple[Words, npt.NDArray[np.int32]]:
        """Return the code, and the slots that it points to."""
        slots = np.array(self._slots or [0], np.int32)
        start = address_of(slots)
        for place in self._slot_places:
            self._code[place] = start + 4 * self._code[place]
        return words(self._code), slots
