"""Going through statements: the indices and nodes in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from dovetail.compiler.kernels.ir import (
    Apply,
    Assign,
    Bind,
    Check,
    Choose,
    Index,
    Let,
    Load,
    Loop,
    Node,
    Philox,
    Reduction,
    Statement,
    Store,
    While,
)
from dovetail.types.dims import Dim, Symbol, symbols_of

__all__ = ["INTEGER_FAILURES", "all_statements", "bound_symbols", "can_fail", "free_sizes", "indices_in", "nodes_in"]

INTEGER_FAILURES: Final = frozenset({"floor_divide", "remainder", "power"})
"""Basis functions that fail for some integers."""


def _roots(one: Statement) -> Iterator[Node]:
    if isinstance(one, Let | Assign | Bind | Check | Store):
        yield one.node
    elif isinstance(one, Reduction):
        for _, _, node in one.results:
            yield node
    elif isinstance(one, Loop):
        for _, node in one.carried:
            yield node
    elif isinstance(one, While):
        yield one.condition
        for _, node in one.carried:
            yield node


def _inner(one: Statement) -> Sequence[Statement]:
    if isinstance(one, Reduction):
        return one.setup
    return one.body if isinstance(one, Loop | While) else ()


def all_statements(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield every statement, those of bodies after what holds them."""
    for one in statements:
        yield one
        yield from all_statements(_inner(one))


def nodes_in(statements: Iterable[Statement]) -> Iterator[Node]:
    """Yield every node once."""
    seen: set[Node] = set()
    for one in all_statements(statements):
        stack = list(_roots(one))
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                yield node
                stack.extend(node.args)


def indices_in(statements: Sequence[Statement]) -> Iterator[Dim]:
    """Yield every index and extent."""
    for one in all_statements(statements):
        if isinstance(one, Store):
            yield one.offset
            yield from one.conditions
        elif isinstance(one, Bind):
            yield one.size
        elif isinstance(one, Reduction):
            yield from (extent for _, extent in one.loops)
        elif isinstance(one, Loop):
            yield from (extent for _, extent in one.variables)
    for node in nodes_in(statements):
        if isinstance(node, Load):
            yield node.offset
        elif isinstance(node, Index):
            yield node.index
        elif isinstance(node, Philox):
            yield node.position
        elif isinstance(node, Choose):
            yield from node.conditions


def bound_symbols(statements: Iterable[Statement]) -> set[Symbol]:
    """Return the loop variables and the indices bound from data."""
    found: set[Symbol] = set()
    for one in all_statements(statements):
        if isinstance(one, Bind):
            found.add(one.symbol)
        elif isinstance(one, Loop):
            found.update(symbol for symbol, _ in one.variables)
        elif isinstance(one, Reduction):
            found.update(symbol for symbol, _ in one.loops)
    return found


def free_sizes(statements: Sequence[Statement], bound: Iterable[Symbol] = ()) -> list[Symbol]:
    """Return the symbols that stand for sizes: those that nothing in the statements, nor ``bound``, gives a value."""
    found: set[Symbol] = set()
    for dim in indices_in(statements):
        found |= symbols_of(dim)
    return sorted(found - bound_symbols(statements) - set(bound), key=str)


def can_fail(statements: Sequence[Statement]) -> bool:
    """Tell whether a check may fail: one that is stated, or an integer division or power."""
    if any(isinstance(one, Bind | Check) for one in all_statements(statements)):
        return True
    return any(
        isinstance(node, Apply) and node.dtype.is_integer and node.function.name in INTEGER_FAILURES
        for node in nodes_in(statements)
    )
