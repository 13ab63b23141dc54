"""Datasets made of elements, one after another or in turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from dovetail.errors import DataError
from dovetail_train.data.functions import ElementFunction
from dovetail_train.data.spec import ElementSpec, Leaves
from dovetail_train.data.stage import UNKNOWN, Cursor, Stage, State, Turn

__all__ = ["Interleave"]


@final
class Interleave(Stage):
    """The elements of the datasets that a function makes of elements, of several datasets in turns.

    Args:
        before: the stage.
        function: returns what ``as_stage`` understands.
        as_stage: gives the stage of a dataset; ``None`` for what is none.
        cycle: how many datasets take turns; 1 for one after another.
        block: how many elements each gives in its turn; ``None`` for all.
    """

    def __init__(
        self,
        before: Stage,
        function: Callable[..., Any],
        as_stage: Callable[[Any], Stage | None],
        cycle: int = 1,
        block: int | None = None,
    ) -> None:
        """Keep the settings."""
        super().__init__(before)
        self.who = "flat_map" if block is None else "interleave"
        self.function = ElementFunction(self.who, function, before)
        self.cycle = cycle
        self.block = block
        self._as_stage = as_stage
        self._spec: ElementSpec | None = None

    @property
    def spec(self) -> ElementSpec:
        """What the elements of the first dataset are."""
        if self._spec is None:
            cursor = self.inputs[0].open(Turn(0))
            try:
                leaves = cursor.next()
                self._spec = self.inner(leaves, 0, cursor.token).spec
            except StopIteration:
                raise DataError(
                    f"{self.who}: there is no element that would show what {self.function.name} returns."
                ) from None
            finally:
                cursor.close()
        return self._spec

    def inner(self, leaves: Leaves, number: int, token: Any) -> Stage:
        """Return the stage that the function makes of an element.

        Raises:
            DataError: it returns no dataset, or one of other elements than before.
        """
        result = self.function(leaves, number, token)
        stage = self._as_stage(result)
        if stage is None:
            raise DataError(
                f"{self.who}: {self.function.name} returned a {type(result).__name__} for element {number}, where a "
                "dataset is wanted, such as dt.data.from_arrays(...)."
            )
        if self._spec is not None and stage.spec.structure != self._spec.structure:
            raise DataError(
                f"{self.who}: the elements that {self.function.name} gives for element {number} are "
                f"{stage.spec.structure.describe()}, where others are {self._spec.structure.describe()}."
            )
        return stage

    def cardinality(self) -> int:
        """Only reading tells."""
        count = self.inputs[0].cardinality()
        return count if count == 0 else UNKNOWN

    def is_batched(self) -> bool:
        """What the datasets are."""
        return False

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""
        return _InterleaveCursor(self, turn)

    def title(self) -> str:
        """Name the stage."""
        return self.who if self.block is None else f"interleave({self.cycle}, {self.block})"


@final
class _Slot:
    """A dataset that is being read.

    Attributes:
        number: the number of the element that it was made of.
        begin: the position before that element.
        token: where the element came from.
        cursor: reads the dataset.
    """

    __slots__ = ("begin", "cursor", "number", "token")

    def __init__(self, number: int, begin: State, token: Any, cursor: Cursor) -> None:
        self.number, self.begin, self.token, self.cursor = number, begin, token, cursor


@final
class _InterleaveCursor(Cursor):
    def __init__(self, stage: Interleave, turn: Turn) -> None:
        self._stage = stage
        self._turn = turn
        self._before = stage.inputs[0].open(turn)
        self._token: Any = None
        self._slots: list[_Slot | None] = [None] * stage.cycle
        self._number = self._at = self._taken = 0
        self._ended = False

    def next(self) -> Leaves:
        while True:
            slot = self._slots[self._at]
            if slot is not None:
                try:
                    leaves = slot.cursor.next()
                except StopIteration:
                    slot.cursor.close()
                    self._slots[self._at] = None
                    self._move_on()
                    continue
                self._token = slot.token
                self._taken += 1
                if self._taken == self._stage.block:
                    self._move_on()
                return leaves
            if not self._ended:
                self._fill()
            elif any(self._slots):
                self._move_on()
            else:
                raise StopIteration

    def _move_on(self) -> None:
        """Let the next one have its turn."""
        self._at, self._taken = (self._at + 1) % len(self._slots), 0

    def _fill(self) -> None:
        """Open the dataset of the next element."""
        try:
            self._slots[self._at] = self._open(self._number)
        except StopIteration:
            self._ended = True
        else:
            self._number += 1

    def _open(self, number: int) -> _Slot:
        begin = self._before.state()
        leaves = self._before.next()
        token = self._before.token
        return _Slot(number, begin, token, self._stage.inner(leaves, number, token).open(self._turn))

    @property
    def token(self) -> Any:
        return self._token

    def state(self) -> State:
        slots = [None if one is None else [one.number, one.begin, one.cursor.state()] for one in self._slots]
        return [self._number, self._at, self._taken, self._ended, self._before.state(), slots]

    def restore(self, state: State) -> None:
        number, at, taken, ended, before, slots = state
        self._leave()
        for place, held in enumerate(slots):
            if held is not None:
                its_number, begin, inside = held
                self._before.restore(begin)
                slot = self._open(its_number)
                slot.cursor.restore(inside)
                self._slots[place] = slot
        self._before.restore(before)
        self._number, self._at, self._taken, self._ended = number, at, taken, ended

    def _leave(self) -> None:
        for place, slot in enumerate(self._slots):
            if slot is not None:
                slot.cursor.close()
                self._slots[place] = None

    def close(self) -> None:
        self._leave()
        self._before.close()
