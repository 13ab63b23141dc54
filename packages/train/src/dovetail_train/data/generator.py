"""Datasets of what Python generates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, final

from dovetail.errors import DataError, DTypeError
from dovetail_train.data.map import given_spec
from dovetail_train.data.spec import ElementSpec, Leaves, TensorSpec, specs_of
from dovetail_train.data.stage import UNKNOWN, Cursor, Stage, State, Turn
from dovetail_train.data.structure import Structure

__all__ = ["Generator", "signature_of"]


def signature_of(types: Any, shapes: Any) -> Any:
    """Return TensorFlow 1's two structures, of dtypes and of shapes, as one of ``TensorSpec``."""
    structure = Structure.of(types)
    dtypes = structure.flatten(types) or []
    sizes: list[Any] = [None] * len(dtypes)
    if shapes is not None:
        sizes = structure.flatten(shapes) or []
        if len(sizes) != len(dtypes):
            # A shape may itself be a tuple, where there is one array.
            if structure.size > 1 or not isinstance(shapes, tuple):
                raise DataError(
                    f"from_generator: output_shapes is {shapes!r}, where output_types is {structure.describe()}; give "
                    "a shape for each, as a list or dt.TensorShape."
                )
            sizes = [shapes]
    return structure.pack([TensorSpec(size, dtype) for size, dtype in zip(sizes, dtypes, strict=True)])


@final
class Generator(Stage):
    """What an iterable gives, made anew for each pass.

    Args:
        function: returns the iterable.
        arguments: what it is called with.
        spec: what the elements are; what the first is unless given.
        length: how many there must be, if that is known.
    """

    def __init__(
        self, function: Callable[..., Iterable[Any]], arguments: Sequence[Any], spec: Any, length: int | None
    ) -> None:
        """Check that it can be called."""
        super().__init__()
        if not callable(function):
            raise DTypeError(
                f"from_generator: {function!r:.80} cannot be called; give a function that returns it, as each pass "
                "through the data begins anew: lambda: it."
            )
        self.function = function
        self.arguments = tuple(arguments)
        self.name = getattr(function, "__qualname__", type(function).__name__)
        self.length = length
        self._given = None if spec is None else given_spec(spec, "from_generator: output_signature")
        self._spec = self._given

    @property
    def spec(self) -> ElementSpec:
        """What was said, or what the first element is; the function is called for it if it has not yet been."""
        if self._spec is None:
            cursor = self.open(Turn(0))
            try:
                cursor.next()
            except StopIteration:
                raise DataError(
                    f"from_generator: {self.name} gives no element that would show what they are; give "
                    "output_signature."
                ) from None
            finally:
                cursor.close()
        assert self._spec is not None
        return self._spec

    def take(self, element: Any, number: int) -> list[Any]:
        """Return the arrays of an element.

        Raises:
            DataError: it is not as those before, or not as was said.
        """

        def where() -> str:
            return f"element {number} of {self.name}"

        if self._spec is None:
            self._spec, leaves = specs_of(element, "from_generator", where)
            return leaves
        if self._given is not None:
            element = self._given.cast(element)
        return self._spec.take(element, "from_generator", where, shapes=self._given is not None)

    def cardinality(self) -> int:
        """What was said."""
        return UNKNOWN if self.length is None else self.length

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass; the function is called when the first element is asked for."""
        return _GeneratorCursor(self)

    def describe(self, token: Any) -> str:
        """Number the element."""
        return f"element {token} of {self.name}"

    def title(self) -> str:
        """Name the source."""
        return "from_generator"


@final
class _GeneratorCursor(Cursor):
    def __init__(self, stage: Generator) -> None:
        self._stage = stage
        self._made: Iterator[Any] | None = None
        self._read = 0
        self._passed = 0

    def next(self) -> Leaves:
        stage = self._stage
        try:
            element = self._take()
        except StopIteration:
            if stage.length is not None and self._read < stage.length:
                raise DataError(
                    f"from_generator: {stage.name} ended after {self._read} elements, where length says {stage.length}."
                ) from None
            raise
        if stage.length is not None and self._read >= stage.length:
            raise DataError(f"from_generator: {stage.name} gives more elements than length says, {stage.length}.")
        self._read += 1
        return stage.take(element, self._read - 1)

    def _take(self) -> Any:
        stage = self._stage
        try:
            if self._made is None:
                self._made = iter(stage.function(*stage.arguments))
            while self._passed < self._read:
                next(self._made)
                self._passed += 1
            element = next(self._made)
        except StopIteration:
            raise
        except Exception as error:
            raise DataError(
                f"from_generator: {stage.name} raised {type(error).__name__} at element {self._passed}: {error}"
            ) from error
        self._passed += 1
        return element

    @property
    def token(self) -> Any:
        return self._read - 1

    def state(self) -> State:
        return self._read

    def restore(self, state: State) -> None:
        self.close()
        self._read = int(state)
        self._passed = 0

    def close(self) -> None:
        close = getattr(self._made, "close", None)
        if close is not None:
            close()
        self._made = None
