"""Elements stacked to batches: of one shape, or padded to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DataError, InvalidArgumentError
from dovetail.extend import Shape
from dovetail_train.data.arguments import positive
from dovetail_train.data.spec import ElementSpec, Leaves
from dovetail_train.data.stage import INFINITE, UNKNOWN, Cursor, Stage, State, Turn, UnequalShapesError, batched

__all__ = ["Batch", "PaddedBatch", "Unbatch"]


class _Grouped(Stage):
    """Several elements of the stage before become one."""

    def __init__(self, before: Stage, size: Any, drop_remainder: bool, who: str) -> None:
        super().__init__(before)
        self.size = positive(size, f"{who}: the batch size")
        self.drop_remainder = bool(drop_remainder)
        self.who = who

    def cardinality(self) -> int:
        """How many batches there are."""
        count = self.inputs[0].cardinality()
        if count in (INFINITE, UNKNOWN):
            return count
        return count // self.size if self.drop_remainder else -(-count // self.size)

    def is_batched(self) -> bool:
        """Whether the last one may be smaller."""
        return not self.drop_remainder

    def describe(self, token: Any) -> str:
        """Name the elements of the batch."""
        return f"elements {token[0]} to {token[1]}"

    def title(self) -> str:
        """Name the stage."""
        return f"{self.who}({self.size}{', drop_remainder' if self.drop_remainder else ''})"


class _GroupCursor(Cursor):
    """Reads elements and counts them."""

    def __init__(self, stage: _Grouped, before: Cursor) -> None:
        self.stage = stage
        self.before = before
        self.read = 0
        self.last = 0

    def next(self) -> Leaves:
        """Return the next batch."""
        found = self.group()
        if found is None or (self.stage.drop_remainder and len(found[0]) < self.stage.size):
            raise StopIteration
        self.last = self.read
        self.read += len(found[0])
        return found

    def group(self) -> list[Any] | None:
        """Return stacked elements, ``None`` at the end."""
        try:
            return self.before.block(self.stage.size, self.read)
        except UnequalShapesError as error:
            path = self.stage.inputs[0].spec.structure.paths()[error.column]
            raise DataError(
                f"batch: element {error.number}{path} has shape {list(error.shape)}, where element {error.first}{path} "
                f"has {list(error.wanted)}. Make all of one shape by map, or use pad_batch."
            ) from None

    @property
    def token(self) -> Any:
        """The numbers of the first and the last element."""
        return self.last, self.read - 1

    def state(self) -> State:
        """Return the position before."""
        return [self.read, self.before.state()]

    def restore(self, state: State) -> None:
        """Set the position before."""
        read, before = state
        self.before.restore(before)
        self.read = int(read)

    def close(self) -> None:
        """Close what is before."""
        self.before.close()


@final
class Batch(_Grouped):
    """Elements of one shape, stacked."""

    def __init__(self, before: Stage, size: Any, drop_remainder: bool) -> None:
        """Take so many for each batch."""
        super().__init__(before, size, drop_remainder, "batch")

    @property
    def spec(self) -> ElementSpec:
        """A new first axis."""
        spec = self.inputs[0].spec
        count = self.size if self.drop_remainder else None
        return spec.with_leaves(batched(one, count) for one in spec.leaves)

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""
        return _GroupCursor(self, self.inputs[0].open(turn))


@final
class PaddedBatch(_Grouped):
    """Elements of different sizes, filled up to one."""

    def __init__(self, before: Stage, size: Any, shapes: Any, values: Any, drop_remainder: bool) -> None:
        """Find for each array the shape to fill up to, and with what."""
        super().__init__(before, size, drop_remainder, "pad_batch")
        self._given_shapes = shapes
        self._given_values = values

    def shapes(self) -> list[Sequence[int | None] | None]:
        """Return for each array the shape to reach; ``None`` in it, or for it, for the greatest of the batch."""
        found = self._per_leaf(self._given_shapes, "padded_shapes", _is_shape)
        return [one.as_list() if isinstance(one, Shape) else one for one in found]

    def values(self) -> list[Any]:
        """Return what each array is filled up with; ``None`` for 0, or the empty string."""
        return self._per_leaf(self._given_values, "padding_values", _is_single)

    def _per_leaf(self, given: Any, what: str, is_one: Any) -> list[Any]:
        structure = self.inputs[0].spec.structure
        nested = structure.is_tuple and isinstance(given, tuple)
        if is_one(given) and not nested:
            return [given] * structure.size
        found = structure.flatten(given)
        if found is None or not all(map(is_one, found)):
            raise InvalidArgumentError(
                f"pad_batch: {what} is {given!r}, where elements are {structure.describe()}; give one for all, or one "
                "for each array in the same structure."
            )
        return found

    @property
    def spec(self) -> ElementSpec:
        """A new first axis, and sizes that differ from batch to batch."""
        spec = self.inputs[0].spec
        count = self.size if self.drop_remainder else None
        leaves = []
        for one, shape in zip(spec.leaves, self.shapes(), strict=True):
            known = shape if shape is not None else None if one.shape is None else [None] * len(one.shape)
            leaves.append(batched(one.with_shape(known), count))
        return spec.with_leaves(leaves)

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""
        return _PaddedCursor(self, self.inputs[0].open(turn))


def _is_single(value: Any) -> bool:
    return not isinstance(value, (tuple, Mapping)) and np.ndim(value) == 0


def _is_shape(value: Any) -> bool:
    if value is None or isinstance(value, Shape):
        return True
    return isinstance(value, (list, tuple)) and all(
        size is None or (isinstance(size, (int, np.integer)) and size >= -1) for size in value
    )


@final
class _PaddedCursor(_GroupCursor):
    stage: PaddedBatch

    def group(self) -> list[Any] | None:
        rows: list[Leaves] = []
        for _ in range(self.stage.size):
            try:
                rows.append(self.before.next())
            except StopIteration:
                break
        if not rows:
            return None
        paths = self.stage.inputs[0].spec.structure.paths()
        settings = zip(self.stage.shapes(), self.stage.values(), paths, strict=True)
        return [
            _padded(column, shape, value, self.read, path)
            for column, (shape, value, path) in zip(zip(*rows, strict=True), settings, strict=True)
        ]


def _padded(column: Sequence[Any], shape: Sequence[int | None] | None, value: Any, first: int, path: str) -> Any:
    rank = np.ndim(column[0])
    sizes = [None] * rank if shape is None else [None if size == -1 else size for size in shape]
    for at, one in enumerate(column):
        if np.ndim(one) != len(sizes):
            raise DataError(
                f"pad_batch: element {first + at}{path} has shape {list(np.shape(one))}, of {np.ndim(one)} axes, where "
                f"{len(sizes)} are wanted."
            )
        for axis, (size, have) in enumerate(zip(sizes, np.shape(one), strict=True)):
            if size is not None and have > size:
                raise DataError(
                    f"pad_batch: element {first + at}{path} has shape {list(np.shape(one))}, which axis {axis} of "
                    f"padded_shapes, {size}, is too small for. Cut it by map, or give a greater size."
                )
    reached = [
        max(np.shape(one)[axis] for one in column) if size is None else int(size) for axis, size in enumerate(sizes)
    ]
    head = column[0]
    is_text = isinstance(head, (str, bytes)) or head.dtype.kind == "O"
    dtype = object if is_text else head.dtype
    blank = ("" if is_text else 0) if value is None else value
    made = np.full((len(column), *reached), blank, dtype)
    for at, one in enumerate(column):
        window: tuple[Any, ...] = (at, *[slice(0, size) for size in np.shape(one)])
        made[window] = one
    return made


@final
class Unbatch(Stage):
    """Rows of batches, one after another."""

    @property
    def spec(self) -> ElementSpec:
        """No first axis."""
        spec = self.inputs[0].spec
        for one, path in zip(spec.leaves, spec.structure.paths(), strict=True):
            if one.shape == ():
                raise DataError(f"unbatch: the array{path} of an element is a single {one.dtype.name}, with no rows.")
        return spec.with_leaves(one.with_shape(None if one.shape is None else one.shape[1:]) for one in spec.leaves)

    def cardinality(self) -> int:
        """Only reading tells."""
        count = self.inputs[0].cardinality()
        return count if count in (INFINITE, 0) else UNKNOWN

    def is_batched(self) -> bool:
        """Not any more."""
        return False

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass."""
        return _UnbatchCursor(self, self.inputs[0].open(turn))

    def title(self) -> str:
        """Name the stage."""
        return "unbatch"


@final
class _UnbatchCursor(Cursor):
    def __init__(self, stage: Unbatch, before: Cursor) -> None:
        self._stage = stage
        self._before = before
        self._held: Leaves = ()
        self._count = self._at = 0
        self._begin = before.state()

    def next(self) -> Leaves:
        while self._at >= self._count:
            self._fetch()
        self._at += 1
        return [array[self._at - 1] for array in self._held]

    def _fetch(self) -> None:
        begin = self._before.state()
        held = self._before.next()
        counts = {len(array) if np.ndim(array) else -1 for array in held}
        if len(counts) > 1 or -1 in counts:
            shapes = ", ".join(str(list(np.shape(array))) for array in held)
            raise DataError(
                f"unbatch: the arrays of an element ({self._stage.inputs[0].describe(self._before.token)}) have shapes "
                f"{shapes}; they must have equally many rows."
            )
        self._held, self._count, self._at, self._begin = held, counts.pop(), 0, begin

    @property
    def token(self) -> Any:
        return self._before.token

    def state(self) -> State:
        if self._at >= self._count:
            return [self._before.state(), 0]
        return [self._begin, self._at]

    def restore(self, state: State) -> None:
        before, at = state
        self._before.restore(before)
        self._held, self._count, self._at = (), 0, 0
        self._begin = before
        if at:
            self._fetch()
            self._at = int(at)

    def close(self) -> None:
        self._before.close()
