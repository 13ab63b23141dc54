"""LLVM assembly as text: a function is written line by line, its values are their names.

Text is several times faster to make than objects, and LLVM parses it in any case.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self, final

__all__ = ["Function", "LoopText", "Module", "double", "vector"]


def vector(type: str, width: int) -> str:
    """Return the type of ``width`` lanes of ``type``; the type itself for one.

    Example:
        >>> vector("float", 8), vector("float", 1)
        ('<8 x float>', 'float')
    """
    return type if width == 1 else f"<{width} x {type}>"


def double(value: float) -> str:
    """Return a floating constant: the bits of the double, which float constants take as well where they are exact.

    Example:
        >>> double(0.5)
        '0x3FE0000000000000'
    """
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


@final
class Module:
    """A module: declarations, constants and functions.

    Example:
        >>> module = Module()
        >>> function = Function(module, "twice", [("i64", "x")], "i64")
        >>> function.ret("i64 " + function.value("add i64 %x, %x"))
        >>> print(module)
        define i64 @twice(i64 %x) {
        entry:
          %v0 = add i64 %x, %x
          ret i64 %v0
        }
    """

    def __init__(self) -> None:
        """Begin a module."""
        self._declarations: dict[str, None] = {}
        self.functions: list[Function] = []

    def declare(self, line: str) -> None:
        """Add a declaration or a constant, once."""
        self._declarations[line] = None

    def __str__(self) -> str:
        """Print the module."""
        return "\n".join([*self._declarations, *map(str, self.functions)])


@final
class Function:
    """A function that is being written; lines go to the end of the current block.

    Args:
        module: the module that it is added to.
        name: its name.
        parameters: type and name of each.
        result: the type that it returns.
        attributes: what stands after the parameters.
        private: whether only this module calls it.
    """

    def __init__(
        self,
        module: Module,
        name: str,
        parameters: Sequence[tuple[str, str]],
        result: str = "void",
        attributes: str = "",
        *,
        private: bool = False,
    ) -> None:
        """Begin the function, in the block ``entry``."""
        self.module = module
        self.name = name
        listed = ", ".join(f"{type} %{name}" for type, name in parameters)
        head = f"define {'internal ' if private else ''}{result} @{name}({listed})"
        self._lines = [f"{head} {attributes + ' ' if attributes else ''}{{", "entry:"]
        self._count = 0
        self.block = "entry"
        module.functions.append(self)

    def fresh(self, hint: str = "v") -> str:
        """Return a name that no other value or block of the function has, without the sign before it."""
        self._count += 1
        return f"{hint}{self._count - 1}"

    def value(self, text: str) -> str:
        """Write an instruction that has a result; returns its name."""
        name = f"%v{self._count}"
        self._count += 1
        self._lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """Write an instruction without a result."""
        self._lines.append(f"  {text}")

    def reserve(self) -> int:
        """Leave a place for lines that are written later, by ``fill``."""
        self._lines.append("")
        return len(self._lines) - 1

    def fill(self, place: int, lines: Sequence[str]) -> None:
        """Write instructions at a place that ``reserve`` left."""
        self._lines[place] = "\n".join(f"  {line}" for line in lines)

    def call(self, result: str, name: str, *arguments: str) -> str:
        """Call a function that is declared with these types if need be; an argument is a type and a value.

        Returns:
            The name of the result, empty for ``void``.
        """
        types = ", ".join(map(_type_of, arguments))
        self.module.declare(f"declare {result} @{name}({types})")
        text = f"call {result} @{name}({', '.join(arguments)})"
        if result == "void":
            self.do(text)
            return ""
        return self.value(text)

    def start_block(self, label: str) -> None:
        """Begin a block; the one before must have ended."""
        self._lines.append(f"{label}:")
        self.block = label

    def jump(self, label: str) -> None:
        """End the block: go on at ``label``."""
        self.do(f"br label %{label}")

    def ret(self, value: str = "void") -> None:
        """End the block: return."""
        self.do(f"ret {value}")

    def loop(
        self,
        start: str,
        stop: str,
        step: int = 1,
        carried: Sequence[tuple[str, str]] = (),
        *,
        metadata: str = "",
        at_least_once: bool = False,
    ) -> LoopText:
        """Open a loop over an i64 from ``start`` while it is below ``stop``: ``with function.loop("0", "%n") as i:``.

        Args:
            start: the first value.
            stop: the end.
            step: what is added, positive.
            carried: type and first value of each value that is carried through the loop.
            metadata: for the branch back.
            at_least_once: whether ``start < stop`` is sure, so that it is not tested.
        """
        return LoopText(self, start, stop, step, carried, metadata, at_least_once)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Run what is written in the context only where the i1 ``condition`` holds."""
        then, done = self.fresh("then"), self.fresh("done")
        self.do(f"br i1 {condition}, label %{then}, label %{done}")
        self.start_block(then)
        yield
        self.jump(done)
        self.start_block(done)

    def __str__(self) -> str:
        """Print the function."""
        return "\n".join([*self._lines, "}"])


def _type_of(argument: str) -> str:
    """Return the type of an argument; its value may be a constant that holds types itself."""
    return argument[: argument.index(">") + 1] if argument.startswith("<") else argument.partition(" ")[0]


@final
class LoopText:
    """A loop that is being written.

    Attributes:
        index: the i64 that counts.
        carried: the carried values at the start of an iteration.
        results: the carried values after the loop, once it is closed.
    """

    def __init__(
        self,
        function: Function,
        start: str,
        stop: str,
        step: int,
        carried: Sequence[tuple[str, str]],
        metadata: str,
        at_least_once: bool,
    ) -> None:
        self._function = function
        self._start, self._stop, self._step = start, stop, step
        self._types = [type for type, _ in carried]
        self._first = [value for _, value in carried]
        self._metadata = metadata
        self._sure = at_least_once
        self._next: Sequence[str] = self._first
        self.index = ""
        self.carried: list[str] = []
        self.results: list[str] = []

    def __enter__(self) -> Self:
        """Begin the body."""
        write = self._function
        self._before = write.block
        self._head, self._latch, self._done = write.fresh("loop"), write.fresh("latch"), write.fresh("done")
        if self._sure:
            write.jump(self._head)
        else:
            some = write.value(f"icmp slt i64 {self._start}, {self._stop}")
            write.do(f"br i1 {some}, label %{self._head}, label %{self._done}")
        write.start_block(self._head)
        self.index = f"%{write.fresh('i')}"
        self._later_index = f"%{write.fresh('i')}"
        self.carried = [f"%{write.fresh('c')}" for _ in self._types]
        self._next = self.carried
        # The values of the next iteration are not known yet, so the phis are written when the loop is closed.
        self._phis = write.reserve()
        return self

    def next(self, *values: str) -> None:
        """Say what the carried values are in the next iteration."""
        self._next = values

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the body and the loop."""
        if kind is not None:
            return
        write = self._function
        write.jump(self._latch)
        write.start_block(self._latch)
        write.do(f"{self._later_index} = add nsw i64 {self.index}, {self._step}")
        more = write.value(f"icmp slt i64 {self._later_index}, {self._stop}")
        write.do(f"br i1 {more}, label %{self._head}, label %{self._done}{self._metadata}")
        write.start_block(self._done)
        names = (self.index, *self.carried)
        types = ("i64", *self._types)
        first = (self._start, *self._first)
        later = (self._later_index, *self._next)
        write.fill(
            self._phis,
            [
                f"{name} = phi {type} [ {one}, %{self._before} ], [ {other}, %{self._latch} ]"
                for name, type, one, other in zip(names, types, first, later, strict=True)
            ],
        )
        for type, one, other in zip(self._types, self._first, self._next, strict=True):
            joined = f"phi {type} [ {one}, %{self._before} ], [ {other}, %{self._latch} ]"
            self.results.append(other if self._sure else write.value(joined))
