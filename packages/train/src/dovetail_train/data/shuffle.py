"""Elements in random order: all of them, or those of a buffer."""

from __future__ import annotations

from typing import Any, Final, final

from dovetail.errors import InvalidArgumentError
from dovetail_train.data.randomness import draws, permutation
from dovetail_train.data.spec import ElementSpec, Leaves
from dovetail_train.data.stage import Cursor, Indexed, Stage, State, Turn

__all__ = ["Shuffle"]

_BLOCK: Final = 4096


@final
class Shuffle(Stage):
    """The elements of the stage before, mixed.

    With a buffer, each element is drawn from as many as it holds, as in TensorFlow. Without, all are permuted: by their
    numbers where the stage before can be read in any order, and in memory otherwise.

    Args:
        before: the stage.
        buffer_size: how many; ``None`` for all.
        seed: of the order.
        each: whether each pass has an order of its own.
        drawn: whether the seed came by chance, so that a position has to tell it.
    """

    def __init__(self, before: Stage, buffer_size: int | None, seed: int, each: bool, drawn: bool) -> None:
        """Keep the settings."""
        super().__init__(before)
        self.buffer_size = buffer_size
        self.seed = seed
        self.each = each
        self.drawn = drawn

    @property
    def spec(self) -> ElementSpec:
        """As before."""
        return self.inputs[0].spec

    def cardinality(self) -> int:
        """As before."""
        return self.inputs[0].cardinality()

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""
        before = self.inputs[0]
        whole = isinstance(before, Indexed) and (self.buffer_size is None or self.buffer_size >= before.size(turn))
        return _PermutedCursor(self, turn) if whole else _BufferCursor(self, turn)

    def title(self) -> str:
        """Name the stage."""
        buffer = "" if self.buffer_size is None else f"{self.buffer_size}, "
        return f"shuffle({buffer}seed={'' if self.drawn else self.seed})"


class _SeededCursor(Cursor):
    """Keeps the seed in its state where chance drew it."""

    def __init__(self, stage: Shuffle, turn: Turn) -> None:
        self.stage = stage
        self.turn = turn
        self.order = turn.number if stage.each else 0

    def seed_state(self) -> int | None:
        return self.stage.seed if self.stage.drawn else None

    def restore_seed(self, seed: int | None) -> None:
        if seed is not None:
            self.stage.seed = int(seed)


@final
class _PermutedCursor(_SeededCursor):
    def __init__(self, stage: Shuffle, turn: Turn) -> None:
        super().__init__(stage, turn)
        self._begin()

    def _begin(self) -> None:
        before = self.stage.inputs[0]
        assert isinstance(before, Indexed)
        order = permutation(before.size(self.turn), self.stage.seed, self.order)
        self._cursor = before.ordered(self.turn, order)

    def next(self) -> Leaves:
        return self._cursor.next()

    def block(self, count: int, first: int) -> list[Any] | None:
        return self._cursor.block(count, first)

    def skip(self, count: int) -> int:
        return self._cursor.skip(count)

    @property
    def token(self) -> Any:
        return self._cursor.token

    def state(self) -> State:
        return [self.seed_state(), self._cursor.state()]

    def restore(self, state: State) -> None:
        seed, before = state
        self.restore_seed(seed)
        self.close()
        self._begin()
        self._cursor.restore(before)

    def close(self) -> None:
        self._cursor.close()


@final
class _BufferCursor(_SeededCursor):
    """Draws from a buffer that is filled up again.

    Which element is drawn when follows from the seed alone, so that a position is how many were drawn, and a position
    of the stage before from which on all that the buffer holds can be read again.
    """

    def __init__(self, stage: Shuffle, turn: Turn) -> None:
        super().__init__(stage, turn)
        self._before = stage.inputs[0].open(turn)
        self._token: Any = None
        self._start()

    def _start(self) -> None:
        self._buffer: list[tuple[int, Leaves, Any]] = []  # number before, element, where it came from
        self._marks: list[tuple[int, State]] = [(0, self._before.state())]
        self._read = self._swaps = self._drained = 0
        self._ended = False
        self._rest: list[int] | None = None
        self._block = -1
        self._slots: list[int] = []

    def _slot(self, number: int) -> int:
        """Return which place of the buffer the draw of this number takes."""
        block, at = divmod(number, _BLOCK)
        if block != self._block:
            limit = self.stage.buffer_size or 1
            self._block, self._slots = block, draws(limit, _BLOCK, self.stage.seed, self.order, block)
        return self._slots[at]

    def _mark(self) -> None:
        """Keep a position of the stage before, and forget those that all in the buffer comes well after."""
        oldest = min((number for number, _, _ in self._buffer), default=self._read)
        while len(self._marks) > 1 and self._marks[1][0] <= oldest:
            del self._marks[0]
        self._marks.append((self._read, self._before.state()))

    def _pull(self) -> tuple[int, Leaves, Any] | None:
        try:
            leaves = self._before.next()
        except StopIteration:
            self._ended = True
            return None
        self._read += 1
        return self._read - 1, leaves, self._before.token

    def next(self) -> Leaves:
        limit = self.stage.buffer_size
        buffer = self._buffer
        while not self._ended:
            if limit is not None and self._read and self._read % limit == 0:
                self._mark()
            found = self._pull()
            if found is None:
                break
            if limit is None or len(buffer) < limit:
                buffer.append(found)
                continue
            slot = self._slot(self._swaps)
            self._swaps += 1
            _, leaves, self._token = buffer[slot]
            buffer[slot] = found
            return leaves
        if self._rest is None:
            self._rest = self._remaining()
        if not self._rest:
            raise StopIteration
        _, leaves, self._token = buffer[self._rest.pop()]
        self._drained += 1
        return leaves

    def _remaining(self) -> list[int]:
        """Return the order of what the buffer holds at the end, the last first."""
        found: list[int] = permutation(len(self._buffer), self.stage.seed, self.order)[::-1].tolist()
        return found

    @property
    def token(self) -> Any:
        return self._token

    def state(self) -> State:
        mark, before = self._marks[0]
        return [self.seed_state(), self._read, self._swaps, self._drained, self._ended, mark, before]

    def restore(self, state: State) -> None:
        seed, read, swaps, drained, ended, mark, before = state
        self.restore_seed(seed)
        self._before.restore(before)
        self._start()
        self._marks, self._read = [(mark, before)], mark
        limit = self.stage.buffer_size
        held = list(range(read if limit is None else min(limit, read)))
        filled = len(held)
        for number in range(swaps):
            held[self._slot(number)] = filled + number
        wanted = set(held)
        found = {}
        while self._read < read:
            one = self._pull()
            if one is None:
                raise InvalidArgumentError(
                    f"restore: shuffle had read {read} elements, but now there are {self._read}. The data have changed."
                )
            if one[0] in wanted:
                found[one[0]] = one
        self._buffer = [found[number] for number in held]
        self._swaps, self._drained, self._ended = swaps, drained, ended
        if ended:
            rest = self._remaining()
            self._rest = rest[: len(rest) - drained]

    def close(self) -> None:
        self._before.close()
