"""Several datasets as one: side by side, or one after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np

from dovetail.errors import DataError, DTypeError, InvalidArgumentError
from dovetail_train.data.spec import ElementSpec, Leaves, TensorSpec
from dovetail_train.data.stage import INFINITE, UNKNOWN, Cursor, Stage, State, Turn, common
from dovetail_train.data.structure import Structure

__all__ = ["Concatenate", "Enumerate", "Zip", "zipped"]


@final
class Zip(Stage):
    """Elements of several stages, side by side; as long as the shortest."""

    def __init__(self, kind: type, keys: list[Any], inputs: list[Stage]) -> None:
        """Keep how they are nested."""
        super().__init__(*inputs)
        self._kind = kind
        self._keys = keys

    @property
    def spec(self) -> ElementSpec:
        """The elements nested."""
        specs = [one.spec for one in self.inputs]
        structure = Structure(self._kind, self._keys, [one.structure for one in specs])
        return ElementSpec(structure, tuple(leaf for one in specs for leaf in one.leaves))

    def cardinality(self) -> int:
        """The least."""
        counts = [one.cardinality() for one in self.inputs]
        if UNKNOWN in counts:
            return 0 if 0 in counts else UNKNOWN
        return min((count for count in counts if count != INFINITE), default=INFINITE)

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""
        return _ZipCursor([one.open(turn) for one in self.inputs])

    def describe(self, token: Any) -> str:
        """Say where each part came from."""
        parts = [one.describe(mine) for one, mine in zip(self.inputs, token, strict=True)]
        return "; ".join(part for part in dict.fromkeys(parts) if part)

    def title(self) -> str:
        """Name the stage."""
        return "zip"


@final
class _ZipCursor(Cursor):
    def __init__(self, before: list[Cursor]) -> None:
        self._before = before

    def next(self) -> Leaves:
        return [leaf for one in self._before for leaf in one.next()]

    def block(self, count: int, first: int) -> list[Any] | None:
        parts = [one.block(count, first) for one in self._before]
        found = [part for part in parts if part is not None]
        if len(found) < len(parts):
            return None
        least = min(len(part[0]) for part in found)
        return [array[:least] for part in found for array in part]

    @property
    def token(self) -> Any:
        return [one.token for one in self._before]

    def state(self) -> State:
        return [one.state() for one in self._before]

    def restore(self, state: State) -> None:
        for one, mine in zip(self._before, state, strict=True):
            one.restore(mine)

    def close(self) -> None:
        for one in self._before:
            one.close()


@final
class Concatenate(Stage):
    """The elements of one stage, and then those of another."""

    def __init__(self, first: Stage, second: Stage) -> None:
        """Check that the elements are of one kind."""
        super().__init__(first, second)
        one, other = first.spec, second.spec
        if one.structure != other.structure:
            raise DataError(
                f"concatenate: the elements are {one.structure.describe()} and {other.structure.describe()}; they must "
                "be of one structure."
            )
        # The second's dict may have its keys in another order.
        theirs = other.structure
        self.order = one.structure.flatten(theirs.pack(range(theirs.size))) or []
        for mine, at, path in zip(one.leaves, self.order, one.structure.paths(), strict=True):
            if mine.dtype is not other.leaves[at].dtype:
                raise DataError(
                    f"concatenate: the array{path} is {mine} in one dataset and {other.leaves[at]} in the other. "
                    "Cast one of them by map."
                )

    @property
    def spec(self) -> ElementSpec:
        """What is true of both."""
        one, other = (stage.spec for stage in self.inputs)
        pairs = [[mine, other.leaves[at]] for mine, at in zip(one.leaves, self.order, strict=True)]
        return one.with_leaves(map(common, pairs))

    def cardinality(self) -> int:
        """The sum."""
        counts = [one.cardinality() for one in self.inputs]
        if INFINITE in counts:
            return INFINITE
        return UNKNOWN if UNKNOWN in counts else sum(counts)

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""
        return _ConcatenateCursor(self, [one.open(turn) for one in self.inputs])

    def describe(self, token: Any) -> str:
        """Say where an element came from."""
        at, inner = token
        found: str = self.inputs[at].describe(inner)
        return found

    def title(self) -> str:
        """Name the stage."""
        return "concatenate"


@final
class _ConcatenateCursor(Cursor):
    def __init__(self, stage: Concatenate, before: list[Cursor]) -> None:
        self._stage = stage
        self._before = before
        self._at = 0

    def next(self) -> Leaves:
        if self._at == 0:
            try:
                return self._before[0].next()
            except StopIteration:
                self._at = 1
        leaves = self._before[1].next()
        return [leaves[at] for at in self._stage.order]

    @property
    def token(self) -> Any:
        return self._at, self._before[self._at].token

    def state(self) -> State:
        return [self._at, [one.state() for one in self._before]]

    def restore(self, state: State) -> None:
        at, before = state
        for one, mine in zip(self._before, before, strict=True):
            one.restore(mine)
        self._at = int(at)

    def close(self) -> None:
        for one in self._before:
            one.close()


@final
class Enumerate(Stage):
    """Elements with their numbers."""

    def __init__(self, before: Stage, start: int) -> None:
        """Keep the first number."""
        super().__init__(before)
        self.start = start

    @property
    def spec(self) -> ElementSpec:
        """A number and the element."""
        import dovetail as dt

        spec = self.inputs[0].spec
        structure = Structure(tuple, range(2), [Structure(None), spec.structure])
        return ElementSpec(structure, (TensorSpec([], dt.int64), *spec.leaves))

    def cardinality(self) -> int:
        """As before."""
        return self.inputs[0].cardinality()

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""
        return _EnumerateCursor(self.inputs[0].open(turn), self.start)

    def title(self) -> str:
        """Name the stage."""
        return f"enumerate({self.start})"


@final
class _EnumerateCursor(Cursor):
    def __init__(self, before: Cursor, start: int) -> None:
        self._before = before
        self._number = start

    def next(self) -> Leaves:
        leaves = self._before.next()
        self._number += 1
        return [np.int64(self._number - 1), *leaves]

    @property
    def token(self) -> Any:
        return self._before.token

    def state(self) -> State:
        return [self._number, self._before.state()]

    def restore(self, state: State) -> None:
        number, before = state
        self._before.restore(before)
        self._number = int(number)

    def close(self) -> None:
        self._before.close()


def zipped(datasets: Any, stage_of: Callable[[Any], Stage | None]) -> Zip:
    """Return datasets in a tuple or a dict as one stage.

    Raises:
        DTypeError: something else than datasets is there.
    """
    if isinstance(datasets, Mapping):
        kind: type = dict
        keys, parts = list(datasets), list(datasets.values())
    elif isinstance(datasets, (tuple, list)):
        kind, keys, parts = tuple, list(range(len(datasets))), list(datasets)
    else:
        raise DTypeError(f"zip: {datasets!r:.80} is no tuple or dict of datasets.")
    if not parts:
        raise InvalidArgumentError("zip: there are no datasets; give at least one.")
    stages: list[Stage] = []
    for key, part in zip(keys, parts, strict=True):
        stage: Stage | None = zipped(part, stage_of) if isinstance(part, (tuple, Mapping)) else stage_of(part)
        if stage is None:
            raise DTypeError(f"zip: [{key!r}] is {part!r:.80}, which is no dataset; make one by dt.data.from_arrays.")
        stages.append(stage)
    return Zip(kind, keys, stages)
