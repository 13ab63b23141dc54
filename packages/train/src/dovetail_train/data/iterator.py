"""``DatasetIterator``: goes through a dataset once, and can be set to any position of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, final

from dovetail.errors import DovetailError, InvalidArgumentError
from dovetail_train.data.stage import Cursor, Stage, Turn
from dovetail_train.data.structure import Structure

__all__ = ["DatasetIterator", "Turns"]


@final
class Turns:
    """Counts the passes through a dataset, so that each shuffles anew.

    Attributes:
        begun: how many were begun.
    """

    __slots__ = ("begun",)

    def __init__(self) -> None:
        """Begin with none."""
        self.begun = 0

    def next(self) -> int:
        """Count one more; returns its number."""
        self.begun += 1
        return self.begun - 1


@final
class DatasetIterator:
    """One pass through a dataset, as ``iter(dataset)`` makes it.

    ``state()`` is the position, small and of what JSON holds; ``restore(state)`` goes there, in this process or
    another, and the elements that follow are those that would have followed. Given to a saver as a stateful object, it
    is part of each checkpoint. Threads may share an iterator; each element goes to one of them.

    Example:
        >>> dataset = dt.data.range(10).shuffle(seed=3).batch(4)
        >>> first = iter(dataset)
        >>> _ = next(first)
        >>> position = first.state()
        >>> second = iter(dataset)
        >>> second.restore(position)
        >>> [(a == b).all() for a, b in zip(first, second)]
        [np.True_, np.True_]
    """

    def __init__(self, stage: Stage, turns: Turns, values: Mapping[Any, Any] | None = None) -> None:
        """Begin a pass."""
        self._stage = stage
        self._turns = turns
        self._turn = turn = Turn(turns.next(), values)
        self._cursor: Cursor | None = stage.open(turn)
        self._read = 0
        self._ended = False
        self._structure: Structure | None = None
        self._lock = threading.RLock()

    def __iter__(self) -> Self:
        """Return itself."""
        return self

    def __next__(self) -> Any:
        """Return the next element."""
        with self._lock:
            cursor = self._cursor
            if cursor is None or self._ended:
                raise StopIteration
            try:
                leaves = cursor.next()
            except StopIteration:
                self._ended = True
                raise StopIteration from None
            self._read += 1
        if self._structure is None:
            self._structure = self._stage.spec.structure
        return self._structure.pack(leaves)

    @property
    def element_spec(self) -> Any:
        """What the elements are: a ``TensorSpec``, or tuples and dicts of them."""
        return self._stage.spec.pack()

    def state(self) -> dict[str, Any]:
        """Return the position: what JSON holds.

        Raises:
            InvalidArgumentError: the iterator is closed.
        """
        with self._lock:
            return {
                "pipeline": self._stage.titles(),
                "pass": self._turn.number,
                "read": self._read,
                "ended": self._ended,
                "position": self._open().state(),
            }

    def restore(self, state: Any) -> None:
        """Go to a position.

        Args:
            state: what ``state()`` of an iterator of the same pipeline gave.

        Raises:
            InvalidArgumentError: it is no such thing, or of another pipeline.
        """
        missing = {"pipeline", "pass", "read", "ended", "position"} - set(state if isinstance(state, Mapping) else ())
        if missing:
            raise InvalidArgumentError(
                f"restore: {state!r:.80} is no position of a dataset; give what an iterator's state() returned."
            )
        mine = self._stage.titles()
        if state["pipeline"] != mine:
            raise InvalidArgumentError(
                f"restore: the position is one in the pipeline {state['pipeline']}, but this is {mine}. Make the "
                "dataset as it was made when the position was saved, or begin from the start."
            )
        with self._lock:
            former = self._open()
            turn = self._turn.inner(int(state["pass"]))
            cursor = self._stage.open(turn)
            try:
                cursor.restore(state["position"])
            except (KeyError, TypeError, ValueError, IndexError) as error:
                cursor.close()
                if isinstance(error, DovetailError):
                    raise
                raise InvalidArgumentError(f"restore: the position of {mine} is damaged: {error!r}.") from error
            former.close()
            self._turn, self._cursor = turn, cursor
            self._turns.begun = turn.number + 1
            self._read, self._ended = int(state["read"]), bool(state["ended"])

    def _open(self) -> Cursor:
        if self._cursor is None:
            raise InvalidArgumentError("the iterator is closed; make another by iter(dataset).")
        return self._cursor

    def close(self) -> None:
        """End threads and close files; they end as well when the iterator is dropped."""
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
