"""Statements in order: stores and loops, and what their locals carry."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from dovetail import float32
from dovetail.kernels import (
    Assign,
    Bind,
    Check,
    Dim,
    Let,
    Local,
    Loop,
    Reduction,
    Statement,
    Store,
    Symbol,
    While,
)
from dovetail_backend_cpu.emit.algebra import Algebra
from dovetail_backend_cpu.emit.bindings import print_bind, print_check
from dovetail_backend_cpu.emit.convert import convert
from dovetail_backend_cpu.emit.memory import load, store
from dovetail_backend_cpu.emit.nodes import print_node
from dovetail_backend_cpu.emit.reductions import print_reduction
from dovetail_backend_cpu.emit.state import State
from dovetail_backend_cpu.emit.strips import bounds, counted, strip
from dovetail_backend_cpu.emit.types import Value, register_type
from dovetail_backend_cpu.emit.widths import levels, stored_in
from dovetail_backend_cpu.llvm.text import vector

__all__ = ["print_loop", "print_statements"]


def print_statements(state: State, statements: Sequence[Statement]) -> dict[Local, Value]:
    """Print statements; returns what they assign to locals that the loop around carries."""
    assigned: dict[Local, Value] = {}
    with ExitStack() as stack:
        for statement in statements:
            if isinstance(statement, Let):
                state.define(statement.local, print_node(state, statement.node))
            elif isinstance(statement, Assign):
                assigned[statement.local] = print_node(state, statement.node)
            elif isinstance(statement, Store):
                _print_store(state, statement)
            elif isinstance(statement, Reduction):
                print_reduction(state, statement)
            elif isinstance(statement, Loop):
                print_loop(state, statement)
            elif isinstance(statement, While):
                _print_while(state, statement)
            elif isinstance(statement, Check):
                print_check(state, statement)
            else:
                assert isinstance(statement, Bind)
                print_bind(state, statement, stack)
    return assigned


def _print_store(state: State, statement: Store) -> None:
    value = print_node(state, statement.node)
    if statement.add:
        value = _sum(state, statement, load(state, statement.buffer, statement.offset), value)
    store(state, statement.buffer, statement.offset, value)
    state.written(frozenset({statement.buffer}))


def _sum(state: State, statement: Store, before: Value, value: Value) -> Value:
    """Return what a place holds after something is added; halves are added in float32."""
    dtype = statement.buffer.dtype
    wide = before.wide or value.wide
    algebra = Algebra(state.function, state.width if wide else 1, state.machine.fma)
    texts = [state.widen(one, dtype) if wide else one.text for one in (before, value)]
    a, b = (algebra.term(text, register_type(dtype)) for text in texts)
    if dtype.is_bool:
        return Value((a | b).text, wide)
    if dtype.is_half:
        first, second = (convert(algebra, state.machine, one, dtype, float32) for one in (a, b))
        return Value(convert(algebra, state.machine, first + second, float32, dtype).text, wide)
    return Value((a + b).text, wide)


# Loops. --------------------------------------------------------------------------------------------------------------


def print_loop(state: State, loop: Loop) -> None:
    """Print a loop; a parallel one runs all its iterations here."""
    state.written(stored_in(loop.body))
    if loop.kind == "vector":
        symbol, extent = loop.variables[0]
        if state.lanes is not None:
            _nested(state, loop, loop.variables, [])
            return
        found = levels(state.machine, symbol, extent, loop.body)
        for level, (start, stop) in zip(found, bounds(state, found, extent), strict=True):
            with state.region(), strip(state, symbol, level, start, stop):
                print_statements(state, loop.body)
        return
    first = [print_node(state, node) for _, node in loop.carried]
    carried = [state.widen(value, local.dtype) for (local, _), value in zip(loop.carried, first, strict=True)]
    results = _nested(state, loop, loop.variables, carried)
    for (local, _), text in zip(loop.carried, results, strict=True):
        state.define(local, Value(text, state.width > 1))


def _nested(state: State, loop: Loop, variables: Sequence[tuple[Symbol, Dim]], carried: Sequence[str]) -> Sequence[str]:
    """Print the loops of a nest from the outermost in; returns the carried values after it."""
    if not variables:
        return _iteration(state, loop, carried)
    symbol, extent = variables[0]
    stop = state.indices.value(extent)
    types = [vector(register_type(local.dtype), state.width) for local, _ in loop.carried]
    text = counted(state.function, "0", stop, 1, list(zip(types, carried, strict=True)))
    with text:
        index = text.index
        if loop.reverse:
            last = state.function.value(f"sub nsw i64 {stop}, 1")
            index = state.function.value(f"sub nsw i64 {last}, {index}")
        with state.scope({symbol: index}):
            text.next(*_nested(state, loop, variables[1:], text.carried))
    return text.results


def _iteration(state: State, loop: Loop | While, carried: Sequence[str]) -> list[str]:
    """Print the body of a loop; returns the next values of what it carries."""
    wide = state.width > 1
    with state.region():
        for (local, _), text in zip(loop.carried, carried, strict=True):
            state.define(local, Value(text, wide))
        assigned = print_statements(state, loop.body)
    after = []
    for (local, _), text in zip(loop.carried, carried, strict=True):
        value = assigned.get(local)
        after.append(text if value is None else state.widen(value, local.dtype))
    return after


def _print_while(state: State, loop: While) -> None:
    state.written(stored_in(loop.body))
    write = state.function
    first = [print_node(state, node).text for _, node in loop.carried]
    before = write.block
    head, body, done = write.fresh("while"), write.fresh("body"), write.fresh("done")
    write.jump(head)
    write.start_block(head)
    phis = write.reserve()
    carried = [f"%{write.fresh('c')}" for _ in loop.carried]
    with state.scope({}):
        for (local, _), text in zip(loop.carried, carried, strict=True):
            state.define(local, Value(text))
        condition = print_node(state, loop.condition)
        write.do(f"br i1 {condition.text}, label %{body}, label %{done}")
        write.start_block(body)
        with state.scope({}):
            after = _iteration(state, loop, carried)
    latch = write.block
    write.jump(head)
    lines = []
    for (local, _), name, one, other in zip(loop.carried, carried, first, after, strict=True):
        type = register_type(local.dtype)
        lines.append(f"{name} = phi {type} [ {one}, %{before} ], [ {other}, %{latch} ]")
    write.fill(phis, lines)
    write.start_block(done)
    for (local, _), text in zip(loop.carried, carried, strict=True):
        state.define(local, Value(text))
