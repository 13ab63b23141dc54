"""Datasets of arrays in memory, and of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail.errors import DataError, InvalidArgumentError
from dovetail_train.data.spec import ElementSpec, Leaves, TensorSpec, as_leaf, spec_of
from dovetail_train.data.stage import UNKNOWN, Cursor, Indexed, Stage, State, Turn
from dovetail_train.data.structure import Structure

__all__ = ["Arrays", "Numbers", "Once", "tensors_of"]


class _Values(Stage):
    """Arrays, some of which may be tensors of a graph whose values an iterator's initializer brings."""

    def __init__(self, values: Any, who: str) -> None:
        super().__init__()
        self.who = who
        self.structure = Structure.of(values)
        self.paths = self.structure.paths()
        leaves = self.structure.flatten(values) or []
        if not leaves:
            raise DataError(f"{who}: there are no arrays ({self.structure.describe()}); give at least one.")
        self.values = [
            leaf if isinstance(leaf, dt.Tensor) else as_leaf(leaf, who, _named(path))
            for leaf, path in zip(leaves, self.paths, strict=True)
        ]
        self._fed = bool(self.tensors)

    @property
    def tensors(self) -> list[dt.Tensor]:
        """The values that only a run tells."""
        return [value for value in self.values if isinstance(value, dt.Tensor)]

    def arrays(self, turn: Turn) -> list[Any]:
        """Return the arrays of a pass."""
        if not self._fed:
            return self.values
        found = [turn.values.get(value) if isinstance(value, dt.Tensor) else value for value in self.values]
        if any(value is None for value in found):
            raise InvalidArgumentError(
                f"{self.who}: the dataset is made of tensors, whose values only a run of a session tells. Use "
                "make_initializable_iterator() and run its initializer, or give arrays."
            )
        return found

    def _whole(self) -> list[TensorSpec]:
        return [
            TensorSpec(value.shape.as_list() if value.shape.rank is not None else None, value.dtype)
            if isinstance(value, dt.Tensor)
            else spec_of(value)
            for value in self.values
        ]


@final
class Arrays(_Values, Indexed):
    """The rows of arrays, which are as long as each other."""

    def __init__(self, values: Any, who: str = "from_arrays") -> None:
        """Check that they have rows, equally many."""
        super().__init__(values, who)
        first: tuple[str, int] | None = None
        self.values = [_kept(value) for value in self.values]
        for value, path in zip(self.values, self.paths, strict=True):
            if isinstance(value, dt.Tensor):
                continue
            if np.ndim(value) == 0:
                raise DataError(
                    f"{who}: the value{path} is a single {spec_of(value)}, which has no rows. Give arrays, or make a "
                    "dataset of one element by from_tensors."
                )
            if first is not None and len(value) != first[1]:
                raise DataError(
                    f"{who}: arrays must have equally many rows, but the value{first[0]} has {first[1]} and the "
                    f"value{path} has {len(value)}."
                )
            first = first or (path, len(value))

    @property
    def spec(self) -> ElementSpec:
        """What a row is."""
        rows = [one.with_shape(None if one.shape is None else one.shape[1:]) for one in self._whole()]
        return ElementSpec(self.structure, tuple(rows))

    def size(self, turn: Turn) -> int:
        """How many rows there are."""
        return len(self.arrays(turn)[0])

    def cardinality(self) -> int:
        """How many rows there are."""
        return UNKNOWN if self.tensors else len(self.values[0])

    def at(self, index: int, turn: Turn) -> Leaves:
        """Return a row."""
        return [array[index] for array in self.arrays(turn)]

    def gather(self, indices: Any, turn: Turn, first: int) -> list[Any]:
        """Return rows; an array of its own, where they are copied."""
        chosen = slice(indices.start, indices.stop, indices.step) if isinstance(indices, range) else indices
        return [np.array(array[chosen]) for array in self.arrays(turn)]

    def describe(self, token: Any) -> str:
        """Name the row."""
        return f"row {token}"

    def title(self) -> str:
        """Name the source."""
        size = self.cardinality()
        return self.who if size == UNKNOWN else f"{self.who}({size} rows)"


def _named(path: str) -> Callable[[], str]:
    return lambda: f"the value{path}"


def _kept(value: Any) -> Any:
    """Return a view that nobody can write to: a function of rows that works in place would change the user's array."""
    if not isinstance(value, np.ndarray):
        return value
    view = value.view()
    view.flags.writeable = False
    return view


def tensors_of(stage: Stage) -> list[dt.Tensor]:
    """Return the tensors that a pipeline is made of."""
    mine = stage.tensors if isinstance(stage, _Values) else []
    return [*mine, *(one for before in stage.inputs for one in tensors_of(before))]


@final
class Once(_Values):
    """A single element."""

    @property
    def spec(self) -> ElementSpec:
        """What it is."""
        return ElementSpec(self.structure, tuple(self._whole()))

    def cardinality(self) -> int:
        """One."""
        return 1

    def open(self, turn: Turn) -> Cursor:
        """Begin before it."""
        return _OnceCursor(self.arrays(turn))

    def describe(self, token: Any) -> str:
        """There is but one."""
        return ""

    def title(self) -> str:
        """Name the source."""
        return self.who


@final
class _OnceCursor(Cursor):
    def __init__(self, leaves: Sequence[Any]) -> None:
        self._leaves = leaves
        self._read = False

    def next(self) -> Leaves:
        if self._read:
            raise StopIteration
        self._read = True
        return self._leaves

    @property
    def token(self) -> Any:
        return 0

    def state(self) -> State:
        return self._read

    def restore(self, state: State) -> None:
        self._read = bool(state)


@final
class Numbers(Indexed):
    """Numbers from start to stop by steps."""

    def __init__(self, numbers: range, dtype: dt.DType) -> None:
        """Keep them."""
        super().__init__()
        self._numbers = numbers
        self._dtype = dtype

    @property
    def spec(self) -> ElementSpec:
        """A number."""
        return ElementSpec(Structure(None), (TensorSpec([], self._dtype),))

    def size(self, turn: Turn) -> int:
        """How many there are."""
        return len(self._numbers)

    def cardinality(self) -> int:
        """How many there are."""
        return len(self._numbers)

    def at(self, index: int, turn: Turn) -> Leaves:
        """Return one of them."""
        return [self._dtype.numpy.type(self._numbers[index])]

    def gather(self, indices: Any, turn: Turn, first: int) -> list[Any]:
        """Compute several."""
        chosen = np.asarray(indices, np.int64)
        return [(chosen * self._numbers.step + self._numbers.start).astype(self._dtype.numpy)]

    def describe(self, token: Any) -> str:
        """Numbers name themselves."""
        return f"number {self._numbers[token]}"

    def title(self) -> str:
        """Name the source."""
        return f"range({self._numbers.start}, {self._numbers.stop}, {self._numbers.step})"
