"""Datasets passed through several times."""

from __future__ import annotations

from typing import Any, Final, final

from dovetail_train.data.spec import ElementSpec, Leaves
from dovetail_train.data.stage import INFINITE, UNKNOWN, Cursor, Stage, State, Turn, join

__all__ = ["Repeat"]

_ENDLESS: Final = 1 << 32
"""How many numbers of passes an endless repetition keeps for itself."""


@final
class Repeat(Stage):
    """The stage before, so many times, or without end."""

    def __init__(self, before: Stage, count: int | None) -> None:
        """Keep how often; ``None`` or -1 for no end."""
        super().__init__(before)
        self.count = None if count is None or count < 0 else count

    @property
    def spec(self) -> ElementSpec:
        """As before."""
        return self.inputs[0].spec

    def cardinality(self) -> int:
        """So many times as many."""
        count = self.inputs[0].cardinality()
        if self.count == 0 or count == 0:
            return 0
        if self.count is None:
            return INFINITE
        return count if count in (INFINITE, UNKNOWN) else count * self.count

    def open(self, turn: Turn) -> Cursor:
        """Begin with the first pass."""
        return _RepeatCursor(self, turn)

    def title(self) -> str:
        """Name the stage."""
        return f"repeat({'' if self.count is None else self.count})"


@final
class _RepeatCursor(Cursor):
    def __init__(self, stage: Repeat, turn: Turn) -> None:
        self._stage = stage
        self._turn = turn
        self._epoch = 0
        self._empty = True
        self._cursor: Cursor | None = None if stage.count == 0 else self._begin()

    def _begin(self) -> Cursor:
        passes = _ENDLESS if self._stage.count is None else self._stage.count
        return self._stage.inputs[0].open(self._turn.inner(self._turn.number * passes + self._epoch))

    def _advance(self) -> bool:
        """Go to the next pass; says whether there is one. An endless repetition of nothing ends."""
        if self._cursor is None:
            return False
        self._cursor.close()
        self._epoch += 1
        if self._epoch == self._stage.count or self._empty:
            self._cursor = None
            return False
        self._empty = True
        self._cursor = self._begin()
        return True

    def next(self) -> Leaves:
        while self._cursor is not None:
            try:
                leaves = self._cursor.next()
            except StopIteration:
                self._advance()
            else:
                self._empty = False
                return leaves
        raise StopIteration

    def block(self, count: int, first: int) -> list[Any] | None:
        parts: list[list[Any]] = []
        have = 0
        while have < count and self._cursor is not None:
            part = self._cursor.block(count - have, first + have)
            if part is None:
                self._advance()
            else:
                self._empty = False
                parts.append(part)
                have += len(part[0])
        if len(parts) < 2:
            return parts[0] if parts else None
        return join(parts, first)

    @property
    def token(self) -> Any:
        return None if self._cursor is None else self._cursor.token

    def state(self) -> State:
        return [self._epoch, self._empty, None if self._cursor is None else self._cursor.state()]

    def restore(self, state: State) -> None:
        epoch, empty, before = state
        if self._cursor is not None:
            self._cursor.close()
        self._epoch, self._empty = int(epoch), bool(empty)
        self._cursor = None if before is None else self._begin()
        if self._cursor is not None:
            self._cursor.restore(before)

    def close(self) -> None:
        if self._cursor is not None:
            self._cursor.close()
