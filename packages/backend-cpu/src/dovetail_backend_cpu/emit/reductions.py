"""Reductions: serial loops over accumulators, or lanes with several of them, combined in a fixed tree."""

from __future__ import annotations

from collections.abc import Sequence

from dovetail import DType
from dovetail.kernels import Dim, Let, ReduceKind, Reduction, Symbol
from dovetail_backend_cpu.emit.algebra import Algebra, Term
from dovetail_backend_cpu.emit.arithmetic import maximum, minimum
from dovetail_backend_cpu.emit.bindings import prepared
from dovetail_backend_cpu.emit.nodes import print_node
from dovetail_backend_cpu.emit.state import State
from dovetail_backend_cpu.emit.strips import bounds, counted, strip
from dovetail_backend_cpu.emit.types import Value, constant, limits, register_type, splat
from dovetail_backend_cpu.emit.widths import Level, levels
from dovetail_backend_cpu.llvm.text import vector

__all__ = ["print_reduction"]

_SHORTEST = 3
"""Loops that are sure to be shorter are not worth lanes."""


def print_reduction(state: State, reduction: Reduction) -> None:
    """Print a reduction and define its locals."""
    symbol, extent = reduction.loops[-1] if reduction.loops else (None, 0)
    short = isinstance(extent, int) and extent < _SHORTEST
    if not reduction.vector or state.lanes is not None or symbol is None or short:
        width = state.width
        first = [_identity(kind, local.dtype, width) for local, kind, _ in reduction.results]
        totals = _serial(state, reduction, reduction.loops, first)
        for (local, kind, _), total in zip(reduction.results, totals, strict=True):
            state.define(local, Value(_finished(state, kind, local.dtype, total, width), width > 1))
        return
    body = [*reduction.setup, *(Let(local, node) for local, _, node in reduction.results)]
    found = levels(state.machine, symbol, extent, body, results=[local.dtype for local, _, _ in reduction.results])
    widths = sorted({level.width for level in found}, reverse=True)
    first = [_identity(kind, local.dtype, width) for width in widths for local, kind, _ in reduction.results]
    with state.region():
        totals = _in_lanes(state, reduction, reduction.loops, found, widths, first)
    count = len(reduction.results)
    for place, (local, kind, _) in enumerate(reduction.results):
        parts = totals[place::count]
        total = _combined(state, kind, local.dtype, list(zip(widths, parts, strict=True)))
        state.define(local, Value(_finished(state, kind, local.dtype, total, 1)))


def _serial(
    state: State, reduction: Reduction, loops: Sequence[tuple[Symbol, Dim]], carried: Sequence[str]
) -> Sequence[str]:
    width = state.width
    if not loops:
        with state.region():
            return _step(state, reduction, carried, width)
    symbol, extent = loops[0]
    types = [vector(_accumulated(local.dtype), width) for local, _, _ in reduction.results]
    stop = state.indices.value(extent)
    loop = counted(state.function, "0", stop, 1, list(zip(types, carried, strict=True)))
    with loop, state.scope({symbol: loop.index}):
        loop.next(*_serial(state, reduction, loops[1:], loop.carried))
    return loop.results


def _in_lanes(
    state: State,
    reduction: Reduction,
    loops: Sequence[tuple[Symbol, Dim]],
    found: Sequence[Level],
    widths: Sequence[int],
    carried: Sequence[str],
) -> Sequence[str]:
    symbol, extent = loops[0]
    count = len(reduction.results)
    types = [_accumulated(local.dtype) for local, _, _ in reduction.results]
    if len(loops) > 1:
        wide = [vector(type, width) for width in widths for type in types]
        stop = state.indices.value(extent)
        loop = counted(state.function, "0", stop, 1, list(zip(wide, carried, strict=True)))
        with loop, state.scope({symbol: loop.index}):
            loop.next(*_in_lanes(state, reduction, loops[1:], found, widths, loop.carried))
        return loop.results
    totals = list(carried)
    for level, (start, stop) in zip(found, bounds(state, found, extent), strict=True):
        place = widths.index(level.width) * count
        own = totals[place : place + count]
        wide = [vector(type, level.width) for type in types]
        with strip(state, symbol, level, start, stop, list(zip(wide, own, strict=True))) as strip_loop:
            strip_loop.next(*_step(state, reduction, strip_loop.carried, level.width))
        totals[place : place + count] = strip_loop.results
    return totals


def _step(state: State, reduction: Reduction, carried: Sequence[str], width: int) -> list[str]:
    """Print one iteration: returns the next accumulators."""
    result = []
    with prepared(state, reduction.setup):
        values = [print_node(state, node) for _, _, node in reduction.results]
        for (local, kind, _), value, before in zip(reduction.results, values, carried, strict=True):
            text = state.widen(value, local.dtype) if width > 1 else value.text
            if state.guard is not None:
                type = vector(register_type(local.dtype), width)
                neutral = splat(_neutral(kind, local.dtype), register_type(local.dtype), width)
                mask = f"{vector('i1', width)} {state.guard}"
                text = state.function.value(f"select {mask}, {type} {text}, {type} {neutral}")
            algebra = Algebra(state.function, width, state.machine.fma)
            term = algebra.term(text, register_type(local.dtype))
            if local.dtype.is_bool:
                term = algebra.cast("zext", term, "i8")
            after = _combine(algebra, kind, local.dtype, algebra.term(before, term.type), term)
            result.append(after.text)
    return result


def _accumulated(dtype: DType) -> str:
    return "i8" if dtype.is_bool else register_type(dtype)


def _neutral(kind: ReduceKind, dtype: DType) -> str:
    if kind in ("max", "min"):
        return constant(limits(dtype)[0 if kind == "max" else 1], dtype)
    return constant(kind in ("prod", "all"), dtype)


def _identity(kind: ReduceKind, dtype: DType, width: int) -> str:
    text = _neutral(kind, dtype)
    if dtype.is_bool:
        text = "1" if text == "true" else "0"
    return splat(text, _accumulated(dtype), width)


def _combine(algebra: Algebra, kind: ReduceKind, dtype: DType, total: Term, value: Term) -> Term:
    if dtype.is_bool:
        return total | value if kind in ("any", "max", "sum") else total & value
    if kind == "sum":
        return total + value
    if kind == "prod":
        return total * value
    return (maximum if kind == "max" else minimum)(algebra, dtype, total, value)


def _combined(state: State, kind: ReduceKind, dtype: DType, parts: Sequence[tuple[int, str]]) -> str:
    """Halve the widest accumulator until the next one is as wide, add that, and so on down to a scalar."""
    type = _accumulated(dtype)
    width, total = parts[0]
    rest = list(parts[1:])
    while True:
        if rest and rest[0][0] == width:
            algebra = Algebra(state.function, width, state.machine.fma)
            other = algebra.term(rest.pop(0)[1], type)
            total = _combine(algebra, kind, dtype, algebra.term(total, type), other).text
        if width == 1:
            return total
        half = width // 2
        halves = []
        for start in (0, half):
            if half == 1:
                halves.append(state.function.value(f"extractelement {vector(type, width)} {total}, i64 {start}"))
                continue
            order = ", ".join(f"i32 {start + lane}" for lane in range(half))
            halves.append(
                state.function.value(
                    f"shufflevector {vector(type, width)} {total}, {vector(type, width)} poison, "
                    f"<{half} x i32> <{order}>"
                )
            )
        algebra = Algebra(state.function, half, state.machine.fma)
        total = _combine(algebra, kind, dtype, algebra.term(halves[0], type), algebra.term(halves[1], type)).text
        width = half


def _finished(state: State, kind: ReduceKind, dtype: DType, total: str, width: int) -> str:
    if not dtype.is_bool:
        return total
    zero = "zeroinitializer" if width > 1 else "0"
    return state.function.value(f"icmp ne {vector('i8', width)} {total}, {zero}")
