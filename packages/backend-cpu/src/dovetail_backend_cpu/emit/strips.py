"""A loop in lanes as strips: stretches of the loop, each with its own number of lanes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self, final

from dovetail.kernels import Dim, Symbol
from dovetail_backend_cpu.emit.state import Lanes, State
from dovetail_backend_cpu.emit.types import lane_numbers
from dovetail_backend_cpu.emit.widths import Level
from dovetail_backend_cpu.llvm.text import Function

__all__ = ["Strip", "bounds", "counted", "strip"]


class Strip(Protocol):
    """A loop, or what is left of one that runs once."""

    index: str
    carried: list[str]
    results: list[str]

    def next(self, *values: str) -> None:
        """Say what the carried values are in the next iteration."""

    def __enter__(self) -> Self:
        """Begin the body."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the body."""


@final
class _Once:
    """A loop that runs once: no loop at all."""

    def __init__(self, start: str, carried: Sequence[tuple[str, str]]) -> None:
        self.index = start
        self.carried = [value for _, value in carried]
        self.results = self.carried

    def next(self, *values: str) -> None:
        self.results = list(values)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass


def counted(function: Function, start: str, stop: str, step: int, carried: Sequence[tuple[str, str]]) -> Strip:
    """Open a loop; where its ends are known it is not tested before, and is none if it runs once."""
    known = start[0] != "%" and stop[0] != "%"
    if known and 0 < int(stop) - int(start) <= step:
        return _Once(start, carried)
    return function.loop(start, stop, step, carried, at_least_once=known and int(start) < int(stop))


def bounds(state: State, levels: Sequence[Level], extent: Dim) -> list[tuple[str, str]]:
    """Return the start and the stop of each level."""
    if isinstance(extent, int):
        return [(str(level.start), str(level.stop)) for level in levels]
    end = state.indices.value(extent)
    found, start = [], "0"
    for level in levels:
        stop = end
        if level is not levels[-1]:
            whole = state.function.call("i64", "llvm.smax.i64", f"i64 {end}", "i64 0")
            stop = state.function.value(f"and i64 {whole}, {-level.width}")
        found.append((start, stop))
        start = stop
    return found


@contextmanager
def strip(
    state: State, symbol: Symbol, level: Level, start: str, stop: str, carried: Sequence[tuple[str, str]] = ()
) -> Iterator[Strip]:
    """Open one level of a loop, with its lanes in force; yields the loop, whose results are there afterwards."""
    function = state.function
    step = level.width
    loop = counted(function, start, stop, step, carried)
    with loop:
        mask = None
        if level.masked:
            mask = _mask(function, loop.index, stop, step)
        with state.scope({symbol: loop.index}), state.in_lanes(Lanes(symbol, level.width, mask)):
            yield loop


def _mask(function: Function, index: str, stop: str, width: int) -> str:
    if index[0] != "%" and stop[0] != "%":
        live = int(stop) - int(index)
        return f"<{', '.join(f'i1 {str(lane < live).lower()}' for lane in range(width))}>"
    rest = function.value(f"sub nsw i64 {stop}, {index}")
    limited = function.call("i64", "llvm.smin.i64", f"i64 {rest}", f"i64 {width}")
    short = function.value(f"trunc i64 {limited} to i32")
    one = function.value(f"insertelement <{width} x i32> poison, i32 {short}, i64 0")
    wide = function.value(
        f"shufflevector <{width} x i32> {one}, <{width} x i32> poison, <{width} x i32> zeroinitializer"
    )
    return function.value(f"icmp ult <{width} x i32> {lane_numbers(width)}, {wide}")
