"""``Iterator``: gives the elements of a dataset to a graph, as TensorFlow 1 does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import dovetail as dt
from dovetail.errors import DataError, InvalidArgumentError, OutOfRangeError, UninitializedVariableError
from dovetail_train.data.arrays import tensors_of
from dovetail_train.data.generator import signature_of
from dovetail_train.data.iterator import DatasetIterator, Turns
from dovetail_train.data.map import given_spec
from dovetail_train.data.spec import ElementSpec
from dovetail_train.data.stage import Stage

__all__ = ["Iterator"]


@final
class Iterator:
    """Gives elements to a graph: a run that fetches what ``get_next`` returned, or what depends on it, moves on.

    Made by ``Dataset.make_one_shot_iterator``, ``Dataset.make_initializable_iterator`` or ``Iterator.from_structure``.
    At the end of the data a run raises ``dt.errors.OutOfRangeError``. The position belongs to the iterator: sessions
    share it, and ``state()`` and ``restore()`` save it, as those of ``iter(dataset)``.

    Example:
        >>> train, test = dt.data.range(3), dt.data.range(10, 12)
        >>> iterator = dt.data.Iterator.from_structure(train.output_types, train.output_shapes)
        >>> element = iterator.get_next()
        >>> with dt.Session() as session:
        ...     for dataset in (train, test):
        ...         session.run(iterator.make_initializer(dataset))
        ...         print(session.run(element))
        0
        10
    """

    def __init__(self, spec: ElementSpec, begun: DatasetIterator | None = None) -> None:
        """Keep what elements are; programs use the functions named above."""
        self._spec = spec
        self._current = begun
        self._initializer: dt.Operation | None = None

    @staticmethod
    def one_shot(stage: Stage, turns: Turns) -> Iterator:
        """Return one that has begun."""
        if tensors_of(stage):
            raise InvalidArgumentError(
                "make_one_shot_iterator: the dataset is made of tensors, which have to be fed. Use "
                "make_initializable_iterator() and run its initializer."
            )
        return Iterator(stage.spec, DatasetIterator(stage, turns))

    @staticmethod
    def initializable(stage: Stage, turns: Turns) -> Iterator:
        """Return one that begins when its initializer runs."""
        made = Iterator(stage.spec)
        made._initializer = made._begin(stage, turns, "MakeIterator")
        return made

    @staticmethod
    def from_structure(
        output_types: Any, output_shapes: Any = None, shared_name: str | None = None, output_classes: Any = None
    ) -> Iterator:
        """Return one for several datasets of the same kind, of which ``make_initializer`` begins one.

        Args:
            output_types: dtypes, nested as elements are.
            output_shapes: shapes, likewise; unknown unless given.
            shared_name: has no effect.
            output_classes: has no effect.
        """
        return Iterator(given_spec(signature_of(output_types, output_shapes), "from_structure"))

    @property
    def initializer(self) -> dt.Operation:
        """The operation that begins a pass.

        Raises:
            InvalidArgumentError: there is none: the iterator begins by itself, or has ``make_initializer``.
        """
        if self._initializer is None:
            raise InvalidArgumentError(
                "this iterator has no initializer: one that make_one_shot_iterator() made begins by itself, and one of "
                "from_structure() begins by what make_initializer(dataset) returns."
            )
        return self._initializer

    def make_initializer(self, dataset: Any, name: str | None = None) -> dt.Operation:
        """Return an operation that begins a pass through a dataset.

        Raises:
            DataError: its elements are of another structure or dtype, or their shapes do not fit.
        """
        stage: Stage = dataset._stage
        mine, theirs = self._spec, stage.spec
        if mine.structure != theirs.structure:
            raise DataError(
                f"make_initializer: elements are {theirs.structure.describe()}, where the iterator gives "
                f"{mine.structure.describe()}."
            )
        for one, other, path in zip(mine.leaves, theirs.leaves, mine.structure.paths(), strict=True):
            fits = one.shape is None or (
                other.shape is not None
                and len(other.shape) == len(one.shape)
                and all(size in (None, have) for size, have in zip(one.shape, other.shape, strict=True))
            )
            if one.dtype is not other.dtype or not fits:
                raise DataError(f"make_initializer: the array{path} is {other}, where the iterator gives {one}.")
        return self._begin(stage, dataset._turns, name or "MakeIterator")

    def _begin(self, stage: Stage, turns: Turns, name: str) -> dt.Operation:
        tensors = list(dict.fromkeys(tensors_of(stage)))

        def begin(*arrays: Any) -> None:
            # A tensor's value may be taken over into memory that a later run uses again.
            values: Mapping[Any, Any] = {one: array.copy() for one, array in zip(tensors, arrays, strict=True)}
            if self._current is not None:
                self._current.close()
            self._current = DatasetIterator(stage, turns, values)

        made: dt.Operation = dt.py_func(begin, tensors, [], name=name)
        return made

    def get_next(self, name: str | None = None) -> Any:
        """Return the next element as tensors, nested as elements are; each call adds a node that moves on by itself.

        Raises:
            OutOfRangeError: when run, the data have ended.
            FailedPreconditionError: when run, the iterator has not begun.
        """
        leaves = self._spec.leaves
        tensors = dt.py_func(self._next, [], [one.dtype for one in leaves], name=name or "IteratorGetNext")
        for tensor, one in zip(tensors, leaves, strict=True):
            if one.shape is not None:
                tensor.set_shape(list(one.shape))
        return self._spec.structure.pack(tensors)

    def _next(self) -> list[Any]:
        if self._current is None:
            raise UninitializedVariableError(
                "the iterator has not begun; run its initializer, or what make_initializer(dataset) returns, first."
            )
        try:
            element = next(self._current)
        except StopIteration:
            raise OutOfRangeError("End of sequence: the data have ended.") from None
        return self._spec.take(element, "get_next", lambda: "the element", shapes=True)

    @property
    def element_spec(self) -> Any:
        """What the elements are: a ``TensorSpec``, or tuples and dicts of them."""
        return self._spec.pack()

    @property
    def output_types(self) -> Any:
        """The dtypes of elements."""
        return self._spec.structure.pack([one.dtype for one in self._spec.leaves])

    @property
    def output_shapes(self) -> Any:
        """The shapes of elements."""
        return self._spec.structure.pack([dt.TensorShape(one.shape) for one in self._spec.leaves])

    def state(self) -> Any:
        """Return the position, of what JSON holds; ``None`` before the iterator has begun."""
        return None if self._current is None else self._current.state()

    def restore(self, state: Any) -> None:
        """Go to a position that ``state()`` returned.

        Raises:
            InvalidArgumentError: it is none of this dataset; or the iterator has not begun, so that it has no dataset.
        """
        if self._current is not None:
            if state is not None:
                self._current.restore(state)
        elif state is not None:
            raise InvalidArgumentError("restore: the iterator has not begun; run its initializer first.")
