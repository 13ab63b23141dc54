"""Parts of datasets: the first, the rest, every so manieth, those that a function wants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import numpy as np

from dovetail.errors import DataError
from dovetail_train.data.functions import ElementFunction
from dovetail_train.data.spec import ElementSpec, Leaves
from dovetail_train.data.stage import INFINITE, UNKNOWN, Cursor, Indexed, Stage, State, Turn

__all__ = ["Filter", "Slice", "sliced"]


def sliced(before: Stage, start: int, stop: int | None, step: int, title: str) -> Stage:
    """Return the elements from a number to another in steps."""
    if isinstance(before, Indexed):
        return _IndexedSlice(before, start, stop, step, title)
    return Slice(before, start, stop, step, title)


def _count(whole: int, start: int, stop: int | None, step: int) -> int:
    return len(range(start, whole if stop is None else min(stop, whole), step))


@final
class _IndexedSlice(Indexed):
    """A part of what can be read in any order."""

    def __init__(self, before: Indexed, start: int, stop: int | None, step: int, title: str) -> None:
        super().__init__(before)
        self._before = before
        self._start, self._stop, self._step, self._title = start, stop, step, title

    @property
    def spec(self) -> ElementSpec:
        return self._before.spec

    def size(self, turn: Turn) -> int:
        return _count(self._before.size(turn), self._start, self._stop, self._step)

    def cardinality(self) -> int:
        whole = self._before.cardinality()
        return UNKNOWN if whole == UNKNOWN else _count(whole, self._start, self._stop, self._step)

    def at(self, index: int, turn: Turn) -> Leaves:
        return self._before.at(self._start + index * self._step, turn)

    def gather(self, indices: Any, turn: Turn, first: int) -> list[Any]:
        if isinstance(indices, range):
            step = self._step
            indices = range(self._start + indices.start * step, self._start + indices.stop * step, indices.step * step)
        else:
            indices = np.asarray(indices) * self._step + self._start
        return self._before.gather(indices, turn, first)

    @property
    def threads(self) -> int:
        return self._before.threads

    def describe(self, token: Any) -> str:
        return self._before.describe(self._start + token * self._step)

    def title(self) -> str:
        return self._title


@final
class Slice(Stage):
    """A part of what is read in order."""

    def __init__(self, before: Stage, start: int, stop: int | None, step: int, title: str) -> None:
        """Keep the numbers."""
        super().__init__(before)
        self.start, self.stop, self.step = start, stop, step
        self._title = title

    @property
    def spec(self) -> ElementSpec:
        """As before."""
        return self.inputs[0].spec

    def cardinality(self) -> int:
        """What the numbers leave."""
        whole = self.inputs[0].cardinality()
        if whole == INFINITE:
            return INFINITE if self.stop is None else len(range(self.start, self.stop, self.step))
        if whole == UNKNOWN:
            return 0 if self.stop == 0 else UNKNOWN
        return _count(whole, self.start, self.stop, self.step)

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""
        return _SliceCursor(self, self.inputs[0].open(turn))

    def title(self) -> str:
        """Name the stage."""
        return self._title


class _OneInput(Cursor):
    """A cursor that moves one before it."""

    def __init__(self, before: Cursor) -> None:
        self.before = before

    @property
    def token(self) -> Any:
        return self.before.token

    def close(self) -> None:
        self.before.close()


@final
class _SliceCursor(_OneInput):
    def __init__(self, stage: Slice, before: Cursor) -> None:
        super().__init__(before)
        self._stage = stage
        self._read = 0  # how many were read or passed over

    def _next_number(self) -> int:
        stage = self._stage
        if self._read <= stage.start:
            return stage.start
        return stage.start + -(-(self._read - stage.start) // stage.step) * stage.step

    def _go(self) -> None:
        """Pass over what is not wanted.

        Raises:
            StopIteration: nothing follows.
        """
        number = self._next_number()
        if self._stage.stop is not None and number >= self._stage.stop:
            raise StopIteration
        over = number - self._read
        if over:
            self._read += self.before.skip(over)
        if self._read != number:
            raise StopIteration

    def next(self) -> Leaves:
        self._go()
        leaves = self.before.next()
        self._read += 1
        return leaves

    def block(self, count: int, first: int) -> list[Any] | None:
        if self._stage.step != 1:
            return super().block(count, first)
        try:
            self._go()
        except StopIteration:
            return None
        if self._stage.stop is not None:
            count = min(count, self._stage.stop - self._read)
        found = self.before.block(count, first)
        self._read += 0 if found is None else len(found[0])
        return found

    def state(self) -> State:
        return [self._read, self.before.state()]

    def restore(self, state: State) -> None:
        read, before = state
        self.before.restore(before)
        self._read = int(read)


@final
class Filter(Stage):
    """The elements for which a function returns a true value."""

    def __init__(self, before: Stage, predicate: Callable[..., Any]) -> None:
        """Keep the function."""
        super().__init__(before)
        self.function = ElementFunction("filter", predicate, before)

    @property
    def spec(self) -> ElementSpec:
        """As before."""
        return self.inputs[0].spec

    def cardinality(self) -> int:
        """Only reading tells."""
        count = self.inputs[0].cardinality()
        return count if count == 0 else UNKNOWN

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""
        return _FilterCursor(self, self.inputs[0].open(turn))

    def title(self) -> str:
        """Name the stage."""
        return "filter"


@final
class _FilterCursor(_OneInput):
    def __init__(self, stage: Filter, before: Cursor) -> None:
        super().__init__(before)
        self._stage = stage
        self._read = 0

    def next(self) -> Leaves:
        function = self._stage.function
        while True:
            leaves = self.before.next()
            self._read += 1
            answer = function(leaves, self._read - 1, self.before.token)
            if np.ndim(answer) != 0:
                raise DataError(
                    f"filter: {function.name} returned an array of shape {list(np.shape(answer))} for element "
                    f"{self._read - 1}, where a single truth value is wanted."
                )
            if answer:
                return leaves

    def state(self) -> State:
        return [self._read, self.before.state()]

    def restore(self, state: State) -> None:
        read, before = state
        self.before.restore(before)
        self._read = int(read)
