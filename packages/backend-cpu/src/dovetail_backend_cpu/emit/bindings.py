"""Lets, binds and checks: statements that name values and indices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from dovetail import int64
from dovetail.kernels import Bind, Check, Let, Statement, lower_bound
from dovetail_backend_cpu.emit.algebra import Algebra
from dovetail_backend_cpu.emit.convert import convert
from dovetail_backend_cpu.emit.nodes import print_node
from dovetail_backend_cpu.emit.state import State
from dovetail_backend_cpu.emit.types import register_type
from dovetail_backend_cpu.llvm.text import vector

__all__ = ["print_bind", "print_check", "prepared"]


@contextmanager
def prepared(state: State, setup: Sequence[Statement]) -> Iterator[None]:
    """Print the lets, binds and checks before an iteration's nodes; what they define holds in the context."""
    with ExitStack() as stack:
        for statement in setup:
            if isinstance(statement, Let):
                state.define(statement.local, print_node(state, statement.node))
            elif isinstance(statement, Check):
                print_check(state, statement)
            else:
                assert isinstance(statement, Bind)
                print_bind(state, statement, stack)
        yield


def print_check(state: State, statement: Check) -> None:
    """Print a check."""
    value = print_node(state, statement.node)
    algebra = Algebra(state.function, state.width if value.wide else 1, state.machine.fma)
    state.fail_where((~algebra.term(value.text, "i1")).text, value.wide)


def print_bind(state: State, statement: Bind, stack: ExitStack) -> None:
    """Print a bind; the symbol's scope is closed with ``stack``."""
    dtype = statement.node.dtype
    value = print_node(state, statement.node)
    algebra = Algebra(state.function, state.width if value.wide else 1, state.machine.fma)
    index = convert(algebra, state.machine, algebra.term(value.text, register_type(dtype)), dtype, int64)
    size = state.indices.value(statement.size)
    limit = algebra.term(state.splat(size, "i64") if value.wide else size, "i64")
    inside = index.compare("ult", limit)
    state.fail_where((~inside).text, value.wide)
    wide = vector("i64", algebra.width)
    zero = "zeroinitializer" if algebra.width > 1 else "0"
    place = state.function.value(
        f"select {vector('i1', algebra.width)} {inside.text}, {wide} {index.text}, {wide} {zero}"
    )
    parts = [state.lane(place, "i64", lane) for lane in range(algebra.width)] if algebra.width > 1 else place
    symbol = statement.symbol
    if (lower_bound(statement.size) or 0) < 1:
        state.fragile[symbol] = state.function.value(f"icmp sgt i64 {size}, 0")
        stack.callback(state.fragile.pop, symbol)
    stack.enter_context(state.scope({symbol: parts}))
