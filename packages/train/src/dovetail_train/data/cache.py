"""Elements kept in memory, so that what makes them runs once."""

from __future__ import annotations

import threading
from typing import Any, final

from dovetail_train.data.spec import ElementSpec, Leaves
from dovetail_train.data.stage import Cursor, Stage, State, Turn

__all__ = ["Cache"]


@final
class Cache(Stage):
    """The elements of the first pass, kept and given again in all passes."""

    def __init__(self, before: Stage) -> None:
        """Begin with nothing."""
        super().__init__(before)
        self._kept: list[tuple[Leaves, Any]] = []
        self._cursor: Cursor | None = None
        self._complete = False
        self._lock = threading.Lock()

    @property
    def spec(self) -> ElementSpec:
        """As before."""
        return self.inputs[0].spec

    def cardinality(self) -> int:
        """As before."""
        return self.inputs[0].cardinality()

    def at(self, number: int, turn: Turn) -> tuple[Leaves, Any]:
        """Return an element and where it came from; it is read if it has not been yet.

        Raises:
            StopIteration: there are fewer.
        """
        kept = self._kept
        if number >= len(kept):
            with self._lock:
                while number >= len(kept):
                    self._read(turn)
        return kept[number]

    def _read(self, turn: Turn) -> None:
        if self._complete:
            raise StopIteration
        if self._cursor is None:
            self._cursor = self.inputs[0].open(turn.inner(0))
        try:
            self._kept.append((self._cursor.next(), self._cursor.token))
        except StopIteration:
            self._complete = True
            self._cursor.close()
            self._cursor = None
            raise

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""
        return _CacheCursor(self, turn)

    def title(self) -> str:
        """Name the stage."""
        return "cache"


@final
class _CacheCursor(Cursor):
    def __init__(self, stage: Cache, turn: Turn) -> None:
        self._stage = stage
        self._turn = turn
        self._number = 0
        self._token: Any = None

    def next(self) -> Leaves:
        leaves, self._token = self._stage.at(self._number, self._turn)
        self._number += 1
        return leaves

    @property
    def token(self) -> Any:
        return self._token

    def state(self) -> State:
        return self._number

    def restore(self, state: State) -> None:
        self._number = int(state)
