"""``Schedule``: kernels in order, on storages; what fusion makes of a program and a backend runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias, final

from dovetail.compiler.kernels.ir import Kernel, Template
from dovetail.graph.op import Array
from dovetail.types.dims import Dim, Symbol
from dovetail.types.dtypes import DType

__all__ = ["Branch", "Launch", "Repeat", "Schedule", "Step", "Storage", "View", "launches"]

Role: TypeAlias = Literal["input", "output", "temporary", "constant", "state"]


@final
class Storage:
    """A piece of memory; compared by identity.

    Attributes:
        dtype: the type of its elements.
        size: how many.
        role: ``input`` (the caller's, only read), ``output`` (new for each run, handed to the caller), ``temporary``
            (of the arena), ``constant``, ``state`` (an input that is given up: it is written in place and handed back).
        array: the contents of a constant.
    """

    __slots__ = ("array", "dtype", "hint", "role", "size")

    def __init__(self, dtype: DType, size: Dim, role: Role, hint: str = "", array: Array | None = None) -> None:
        """Describe a piece of memory."""
        self.dtype = dtype
        self.size = size
        self.role: Role = role
        self.hint = hint
        self.array = array

    def __repr__(self) -> str:
        """Show role and size."""
        return f"<Storage {self.hint or '?'}: {self.role} {self.dtype.name}[{self.size}]>"


@final
class View:
    """A place in a storage: from ``offset`` elements on; the offset may mention the counters of repeats around."""

    __slots__ = ("offset", "storage")

    def __init__(self, storage: Storage, offset: Dim = 0) -> None:
        """Point into ``storage``."""
        self.storage = storage
        self.offset = offset


@final
class Launch:
    """One run of a kernel or template.

    Attributes:
        task: what runs.
        buffers: where each of its buffers is; ``None`` for scratch.
        sizes: the value of each of its size symbols.
        origins: places in the program of the instructions that it stems from, for profiles and messages.
    """

    __slots__ = ("buffers", "origins", "sizes", "task")

    def __init__(
        self,
        task: Kernel | Template,
        buffers: Sequence[View | None],
        sizes: Sequence[Dim],
        origins: Sequence[Any] = (),
    ) -> None:
        """Run ``task``."""
        self.task = task
        self.buffers = tuple(buffers)
        self.sizes = tuple(sizes)
        self.origins = tuple(origins)


@final
class Repeat:
    """A loop over steps.

    Attributes:
        counter: stands for the place of the iteration, in offsets of views and sizes inside; it runs down if
            ``reverse``.
        length: how many iterations; ``None`` where ``condition`` decides.
        steps: the body.
        swaps: pairs of storages of one size that trade places after each iteration: what was written to the second is
            read from the first in the next, and after the loop.
        before: steps that compute the condition, before each iteration.
        condition: a bool in memory: the loop ends where it is false.
        index: an int64 storage that holds the counter's value, for kernels that read it; or ``None``.
    """

    __slots__ = ("before", "condition", "counter", "index", "length", "reverse", "steps", "swaps")

    def __init__(
        self,
        counter: Symbol,
        length: Dim | None,
        steps: Sequence[Step],
        *,
        swaps: Sequence[tuple[Storage, Storage]] = (),
        reverse: bool = False,
        before: Sequence[Step] = (),
        condition: View | None = None,
        index: Storage | None = None,
    ) -> None:
        """Repeat ``steps``."""
        self.counter = counter
        self.length = length
        self.steps = tuple(steps)
        self.swaps = tuple(swaps)
        self.reverse = reverse
        self.before = tuple(before)
        self.condition = condition
        self.index = index


@final
class Branch:
    """One of two lists of steps, by a bool in memory."""

    __slots__ = ("otherwise", "predicate", "then")

    def __init__(self, predicate: View, then: Sequence[Step], otherwise: Sequence[Step]) -> None:
        """Decide by ``predicate``."""
        self.predicate = predicate
        self.then = tuple(then)
        self.otherwise = tuple(otherwise)


Step: TypeAlias = Launch | Repeat | Branch


@final
class Schedule:
    """Steps in order, with the storages of what a program takes and gives.

    Attributes:
        inputs: for each input of the program.
        outputs: for each output; an ``output`` or ``state`` storage. No storage occurs twice.
        steps: in order. All that can fail come before any that writes a ``state``.
        commit: how many of the steps come before the first that writes a ``state``; the run ends there if one failed.
        lifetimes: for each temporary the first and last step, by place among ``steps``, that use it.
    """

    __slots__ = ("commit", "inputs", "lifetimes", "outputs", "steps")

    def __init__(
        self,
        inputs: Sequence[Storage],
        outputs: Sequence[Storage],
        steps: Sequence[Step],
        commit: int,
        lifetimes: dict[Storage, tuple[int, int]],
    ) -> None:
        """Make a schedule."""
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.steps = tuple(steps)
        self.commit = commit
        self.lifetimes = lifetimes


def launches(steps: Sequence[Step]) -> Iterator[Launch]:
    """Yield every launch, those within repeats and branches too."""
    for one in steps:
        if isinstance(one, Launch):
            yield one
        elif isinstance(one, Repeat):
            yield from launches(one.before)
            yield from launches(one.steps)
        else:
            yield from launches(one.then)
            yield from launches(one.otherwise)
