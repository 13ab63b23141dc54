"""``Stage`` and ``Cursor``: a step of a pipeline, and where one pass through it stands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, final

import numpy as np

from dovetail_train.data.spec import ElementSpec, Leaves, TensorSpec

__all__ = [
    "INFINITE",
    "UNKNOWN",
    "Cursor",
    "Indexed",
    "Stage",
    "State",
    "Turn",
    "UnequalShapesError",
    "batched",
    "common",
    "join",
    "stack",
]

INFINITE: Final = -1
"""The cardinality of a dataset that does not end, as in TensorFlow."""
UNKNOWN: Final = -2
"""The cardinality of a dataset whose end only reading tells."""

State = Any
"""What JSON holds: the position of a cursor."""


@final
class Turn:
    """A pass through the data.

    Attributes:
        number: the passes begun before; it turns what is random.
        values: what stands for the tensors that the pipeline was made of.
    """

    __slots__ = ("number", "values")

    def __init__(self, number: int, values: Mapping[Any, Any] | None = None) -> None:
        """Keep both."""
        self.number = number
        self.values = values or {}

    def inner(self, number: int) -> Turn:
        """Return another pass over the same values."""
        return Turn(number, self.values)


class Cursor(ABC):
    """One pass through a stage. A thread at a time moves it."""

    @abstractmethod
    def next(self) -> Leaves:
        """Return the next element.

        Raises:
            StopIteration: there is none.
        """

    @property
    @abstractmethod
    def token(self) -> Any:
        """Where the last element came from, for ``Stage.describe``."""

    @abstractmethod
    def state(self) -> State:
        """Return the position, which is not changed any more."""

    @abstractmethod
    def restore(self, state: State) -> None:
        """Go to a position of the same stage."""

    def block(self, count: int, first: int) -> list[Any] | None:
        """Return up to ``count`` elements stacked to arrays; ``None`` at the end.

        Args:
            count: how many are wanted; fewer only at the end.
            first: the number of the first, for messages.

        Raises:
            UnequalShapesError: elements differ in shape.
        """
        rows = []
        for _ in range(count):
            try:
                rows.append(self.next())
            except StopIteration:
                break
        return stack(rows, first) if rows else None

    def skip(self, count: int) -> int:
        """Pass over up to ``count`` elements; returns how many there were."""
        for done in range(count):
            try:
                self.next()
            except StopIteration:
                return done
        return count

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """End threads and close files."""


class Stage(ABC):
    """A step of a pipeline, which can be passed through any number of times."""

    def __init__(self, *inputs: Stage) -> None:
        """Keep what the elements come from."""
        self.inputs = inputs

    @property
    @abstractmethod
    def spec(self) -> ElementSpec:
        """What the elements are."""

    @abstractmethod
    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""

    @abstractmethod
    def cardinality(self) -> int:
        """How many elements a pass has, or ``INFINITE`` or ``UNKNOWN``."""

    @abstractmethod
    def title(self) -> str:
        """What the stage is called in messages, and compared by where a position is restored."""

    def describe(self, token: Any) -> str:
        """Say where an element came from; the empty string where that is not known."""
        return self.inputs[0].describe(token) if self.inputs else ""

    def is_batched(self) -> bool:
        """Whether an element is several stacked ones, as many as there happen to be."""
        return any(one.is_batched() for one in self.inputs)

    def titles(self) -> str:
        """Name the whole pipeline."""
        before = " + ".join(one.titles() for one in self.inputs)
        return f"{before} > {self.title()}" if before else self.title()


class Indexed(Stage):
    """A stage whose elements can be had in any order, each by its number."""

    @abstractmethod
    def at(self, index: int, turn: Turn) -> Leaves:
        """Return one element."""

    @abstractmethod
    def size(self, turn: Turn) -> int:
        """How many there are."""

    @property
    def threads(self) -> int:
        """How many elements are best read at a time."""
        return 1

    def gather(self, indices: Any, turn: Turn, first: int) -> list[Any]:
        """Return elements stacked to arrays."""
        return stack([self.at(int(index), turn) for index in indices], first)

    def open(self, turn: Turn) -> Cursor:
        """Go through them in order."""
        return self.ordered(turn, None)

    def ordered(self, turn: Turn, order: Any | None) -> Cursor:
        """Go through them in a given order; ascending for ``None``."""
        return IndexedCursor(self, turn, order) if self.threads < 2 else ThreadedIndexedCursor(self, turn, order)


class _Ordered(Cursor):
    """Goes through an indexed stage in a given order."""

    def __init__(self, stage: Indexed, turn: Turn, order: Any | None) -> None:
        self._stage = stage
        self._turn = turn
        self._order = order
        self._count = stage.size(turn)
        self._at = 0

    def _index(self, at: int) -> int:
        return at if self._order is None else int(self._order[at])

    @property
    def token(self) -> Any:
        """The number of the last element."""
        return self._index(max(self._at - 1, 0))

    def skip(self, count: int) -> int:
        """Move on without reading."""
        done = min(count, self._count - self._at)
        self._at += done
        return done

    def state(self) -> State:
        """Return how many were read."""
        return self._at

    def restore(self, state: State) -> None:
        """Set how many were read."""
        self._at = int(state)


@final
class IndexedCursor(_Ordered):
    """Reads each element when it is asked for, and stacked ones at once."""

    def next(self) -> Leaves:
        """Return the next in the order."""
        if self._at >= self._count:
            raise StopIteration
        leaves = self._stage.at(self._index(self._at), self._turn)
        self._at += 1
        return leaves

    def block(self, count: int, first: int) -> list[Any] | None:
        """Return several at once."""
        at, end = self._at, min(self._at + count, self._count)
        if at >= end:
            return None
        indices = range(at, end) if self._order is None else self._order[at:end]
        found = self._stage.gather(indices, self._turn, first)
        self._at = end
        return found


@final
class ThreadedIndexedCursor(_Ordered):
    """Has threads read some elements ahead."""

    def __init__(self, stage: Indexed, turn: Turn, order: Any | None) -> None:
        """Begin with the first; threads start when it is asked for."""
        super().__init__(stage, turn, order)
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: dict[int, Future[Leaves]] = {}

    def next(self) -> Leaves:
        """Return the next in the order."""
        if self._at >= self._count:
            raise StopIteration
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._stage.threads, thread_name_prefix="dovetail-read")
        for at in range(self._at, min(self._at + 2 * self._stage.threads, self._count)):
            if at not in self._under_way:
                self._under_way[at] = self._pool.submit(self._stage.at, self._index(at), self._turn)
        leaves = self._under_way.pop(self._at).result()
        self._at += 1
        return leaves

    def skip(self, count: int) -> int:
        """Move on; what threads read of it is dropped."""
        done = super().skip(count)
        self._under_way = {at: task for at, task in self._under_way.items() if at >= self._at}
        return done

    def restore(self, state: State) -> None:
        """Set how many were read."""
        self.close()
        super().restore(state)

    def close(self) -> None:
        """End the threads."""
        self._under_way.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


@final
class UnequalShapesError(Exception):
    """Arrays to be stacked differ in shape; whoever stacks says so in a sentence.

    Attributes:
        column: which array of the elements.
        number: which element.
        shape: its shape.
        first: the element it was compared with.
        wanted: the shape of that.
    """

    def __init__(self, column: int, number: int, shape: Any, first: int, wanted: Any) -> None:
        """Keep them."""
        super().__init__(column, number, shape, first, wanted)
        self.column, self.number, self.shape, self.first, self.wanted = column, number, shape, first, wanted


def stack(rows: Sequence[Leaves], first: int) -> list[Any]:
    """Return elements, numbered from ``first``, stacked to arrays.

    Raises:
        UnequalShapesError: shapes differ.
    """
    return [_stack(column, at, first) for at, column in enumerate(zip(*rows, strict=True))]


def _stack(column: Sequence[Any], number: int, first: int) -> Any:
    head = column[0]
    is_text = isinstance(head, (str, bytes)) or head.dtype.kind == "O"
    shape = np.shape(head)
    made = np.empty((len(column), *shape), object if is_text else head.dtype)
    for at, one in enumerate(column):
        if np.shape(one) != shape:
            raise UnequalShapesError(number, first + at, np.shape(one), first, shape)
        made[at] = one
    return made


def join(parts: Sequence[Sequence[Any]], first: int) -> list[Any]:
    """Return stacked elements of several parts as one.

    Raises:
        UnequalShapesError: shapes differ.
    """
    for number, arrays in enumerate(zip(*parts, strict=True)):
        at = first
        for array in arrays:
            if array.shape[1:] != arrays[0].shape[1:]:
                raise UnequalShapesError(number, at, array.shape[1:], first, arrays[0].shape[1:])
            at += len(array)
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


def batched(spec: TensorSpec, count: int | None) -> TensorSpec:
    """Return what several stacked elements are."""
    return spec.with_shape(None if spec.shape is None else (count, *spec.shape))


def common(specs: Sequence[TensorSpec]) -> TensorSpec:
    """Return what is true of arrays of one dtype: sizes that differ are unknown."""
    shapes = [one.shape for one in specs if one.shape is not None]
    if len(shapes) < len(specs) or len(set(map(len, shapes))) > 1:
        return specs[0].with_shape(None)
    return specs[0].with_shape(sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*shapes, strict=True))
