"""How many lanes a loop takes, by the machine, the types in its body and how long its chains are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from dovetail import DType
from dovetail.kernels import (
    Apply,
    Assign,
    Bind,
    Buffer,
    Check,
    Choose,
    Convert,
    Dim,
    Index,
    Let,
    Load,
    Loop,
    Node,
    Philox,
    Reduction,
    Statement,
    Store,
    Symbol,
    While,
    basis,
    symbols_of,
)
from dovetail_backend_cpu.emit.arithmetic import SIMPLE
from dovetail_backend_cpu.emit.memory import has_masks
from dovetail_backend_cpu.llvm.machine import Machine

__all__ = ["Level", "levels", "nodes_under", "stored_in"]

_LONGEST: Final = 4
"""At most so many native vectors at once: the latency of additions is hidden then."""


class Level(NamedTuple):
    """A stretch of a loop that takes the same number of lanes at a time; the last one may be masked."""

    start: int | None
    stop: int | None
    width: int
    masked: bool


def nodes_under(statements: Iterable[Statement]) -> Iterator[Node]:
    """Yield every node that the statements evaluate, each once."""
    seen: set[Node] = set()
    stack: list[Node] = []
    for statement in statements:
        stack += _roots(statement)
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                yield node
                stack += node.args


def _roots(statement: Statement) -> Iterator[Node]:
    if isinstance(statement, Let | Bind | Check | Store | Assign):
        yield statement.node
    elif isinstance(statement, Reduction):
        for _, _, node in statement.results:
            yield node
        for one in statement.setup:
            yield from _roots(one)
    else:
        for _, node in statement.carried:
            yield node
        if isinstance(statement, While):
            yield statement.condition
        for one in statement.body:
            yield from _roots(one)


def _statements_under(statements: Iterable[Statement]) -> Iterator[Statement]:
    for statement in statements:
        yield statement
        if isinstance(statement, Loop | While):
            yield from _statements_under(statement.body)
        elif isinstance(statement, Reduction):
            yield from _statements_under(statement.setup)


def stored_in(statements: Iterable[Statement]) -> frozenset[Buffer]:
    """Return the buffers that the statements store to."""
    return frozenset(one.buffer for one in _statements_under(statements) if isinstance(one, Store))


def levels(
    machine: Machine, symbol: Symbol, extent: Dim, body: Sequence[Statement], *, results: Sequence[DType] = ()
) -> list[Level]:
    """Return how a vector loop over ``symbol`` is divided; starts and stops are known where the extent is.

    Args:
        machine: for whom.
        symbol: the loop variable.
        extent: its extent.
        body: what is run in lanes.
        results: dtypes of what a reduction over this loop accumulates.
    """
    found = list(nodes_under(body))
    size, sizes = _element_size(found, body, results)
    native = max(machine.lanes(size), 1)
    several = _several(found, body, results)
    if _strewn(found, body, symbol):
        several = 1
    wide = native * several
    maskable = all(has_masks(machine, one) for one in sizes)
    if not isinstance(extent, int):
        widths = [wide] if wide == native else [wide, native]
        result = [Level(None, None, width, False) for width in widths]
        if maskable:
            result[-1:] = [] if wide > native else result[-1:]
            return [*result, Level(None, None, native, True)]
        return [*result, Level(None, None, 1, False)]
    result = []
    start = 0
    while start < extent:
        rest = extent - start
        width = min(wide, 1 << (rest.bit_length() - 1))
        if width >= native:
            stop = start + rest // width * width
            result.append(Level(start, stop, width, False))
            start = stop
        elif width == rest:
            result.append(Level(start, extent, width, False))
            start = extent
        elif maskable:
            result.append(Level(start, extent, min(native, 2 * width), True))
            start = extent
        elif width > 1 and len(result) < 2:
            result.append(Level(start, start + width, width, False))
            start += width
        else:
            result.append(Level(start, extent, 1, False))
            start = extent
    return result


def _element_size(
    found: Sequence[Node], body: Sequence[Statement], results: Sequence[DType]
) -> tuple[int, frozenset[int]]:
    """Return the size of the elements that lanes are counted by, and all sizes in memory."""
    sizes: Counter[int] = Counter()
    memory: set[int] = set()
    for node in found:
        if isinstance(node, Load):
            memory.add(node.dtype.size)
        if isinstance(node, Apply | Convert | Load | Philox) and not node.dtype.is_bool:
            sizes[node.dtype.size] += 1
    for statement in _statements_under(body):
        if isinstance(statement, Store):
            memory.add(statement.buffer.dtype.size)
            sizes[statement.buffer.dtype.size] += 1
    for dtype in results:
        sizes[dtype.size] += 1
    most = max(sizes.values(), default=0)
    size = max((one for one, count in sizes.items() if count == most), default=4)
    return size, frozenset(memory)


def _several(found: Sequence[Node], body: Sequence[Statement], results: Sequence[DType]) -> int:
    """Return how many native vectors are worked on at once: many for short bodies and long chains."""
    if any(isinstance(node, Philox) for node in found):
        return _LONGEST  # a block has four words
    cost = 0
    for node in found:
        if isinstance(node, Apply):
            cost += 1 if node.function in SIMPLE or node.function is basis.select else 12
        elif isinstance(node, Load | Convert | Index | Choose):
            cost += 1
    chains = len(results)
    inner = 0
    for statement in _statements_under(body):
        if isinstance(statement, Reduction):
            inner = max(inner, len(statement.results))
        elif isinstance(statement, Loop | While):
            inner = max(inner, len(statement.carried), 1)
    chains = max(chains, inner)
    if chains and cost <= 40:
        return _LONGEST if chains <= 2 else 2 if chains <= 4 else 1
    return _LONGEST if cost <= 8 else 2 if cost <= 24 else 1


def _strewn(found: Sequence[Node], body: Sequence[Statement], symbol: Symbol) -> bool:
    """Tell whether lanes are loaded or stored one by one: places that do not follow the variable."""
    bound = {one.symbol for one in _statements_under(body) if isinstance(one, Bind)}
    offsets = [node.offset for node in found if isinstance(node, Load)]
    offsets += [one.offset for one in _statements_under(body) if isinstance(one, Store)]
    for offset in offsets:
        symbols = symbols_of(offset)
        if not symbols.isdisjoint(bound):
            return True
        if symbol in symbols and not isinstance(offset, int):
            if (((symbol,), 1)) not in offset.terms:
                return True
            if any(symbol in symbols_of(atom) and atom != symbol for monomial, _ in offset.terms for atom in monomial):
                return True
    return False
