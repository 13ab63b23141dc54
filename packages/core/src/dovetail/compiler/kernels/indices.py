"""Arithmetic of indices: from one shape to another, linear offsets, and what an index depends on."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from dovetail.types.dims import Dim, Symbol, floor_div, is_nonnegative, symbols_of

__all__ = ["broadcast_index", "coefficient", "linear", "mentions", "reindex", "symbols_in", "unraveled"]


def linear(index: Sequence[Dim], dims: Sequence[Dim]) -> Dim:
    """Return the offset of an element in row-major order.

    Example:
        >>> linear((2, Symbol("j")), (4, 5))
        j + 10
    """
    return _linear(tuple(index), tuple(dims))


@functools.lru_cache(maxsize=16384)
def _linear(index: tuple[Dim, ...], dims: tuple[Dim, ...]) -> Dim:
    offset: Dim = 0
    for place, dim in zip(index, dims, strict=True):
        offset = offset * dim + place
    return offset


def unraveled(offset: Dim, dims: Sequence[Dim]) -> tuple[Dim, ...]:
    """Return the index of the element at an offset in row-major order; of any, where there is none.

    Example:
        >>> unraveled(13, (4, 5))
        (2, 3)
    """
    result: list[Dim] = []
    for dim in reversed(dims[1:]):
        above = offset if dim in (0, 1) else floor_div(offset, dim)
        result.append(offset - above * dim)
        offset = above
    if dims:
        result.append(offset)
    return tuple(reversed(result))


def reindex(index: Sequence[Dim], dims: Sequence[Dim], wanted: Sequence[Dim]) -> tuple[Dim, ...]:
    """Return the index in shape ``wanted`` of the element at ``index`` of shape ``dims``, in row-major order.

    Axes are matched in groups of equal size, so that there are divisions only where axes are truly divided.

    Example:
        >>> i, j = Symbol("i"), Symbol("j")
        >>> reindex((i, j), (4, 6), (1, 4, 2, 3))
        (0, i, j//3, j - 3*(j//3))
    """
    mine = [(place, dim) for place, dim in zip(index, dims, strict=True) if dim != 1]
    theirs = [dim for dim in wanted if dim != 1]
    found: list[Dim] = []
    here, there = 0, 0
    while here < len(mine) and there < len(theirs):
        first, start = here, there
        left, right = mine[here][1], theirs[there]
        here, there = here + 1, there + 1
        while left != right and (here < len(mine) or there < len(theirs)):
            if there == len(theirs) or (here < len(mine) and is_nonnegative(right - left)):
                left = left * mine[here][1]
                here += 1
            else:
                right = right * theirs[there]
                there += 1
        places = mine[first:here]
        if len(places) == 1 and there - start == 1:
            found.append(places[0][0])
        else:
            offset = linear([place for place, _ in places], [dim for _, dim in places])
            found.extend(unraveled(offset, theirs[start:there]))
    found.extend([0] * (len(theirs) - len(found)))
    rest = iter(found)
    return tuple([0 if dim == 1 else next(rest) for dim in wanted])


def broadcast_index(index: Sequence[Dim], dims: Sequence[Dim]) -> tuple[Dim, ...]:
    """Return the index into a tensor of ``dims`` that broadcasts to where ``index`` is: 0 along axes of size 1."""
    lead = len(index) - len(dims)
    return tuple([0 if dim == 1 else place for place, dim in zip(index[lead:], dims, strict=True)])


def coefficient(dim: Dim, symbol: Symbol) -> Dim | None:
    """Return the factor of ``symbol`` where ``dim`` is affine in it, else ``None``.

    Example:
        >>> i, n = Symbol("i"), Symbol("n")
        >>> coefficient(n * i + 3, i), coefficient(i // 2, i), coefficient(n, i)
        (n, None, 0)
    """
    if isinstance(dim, int):
        return 0
    result: Dim = 0
    for monomial, factor in dim.terms:
        count = 0
        rest: Dim = factor
        for atom in monomial:
            if atom == symbol:
                count += 1
            elif symbol in symbols_of(atom):
                return None
            else:
                rest = rest * atom
        if count > 1:
            return None
        if count == 1:
            result = result + rest
    return result


def mentions(dim: Dim, symbols: frozenset[Symbol] | set[Symbol]) -> bool:
    """Tell whether an index depends on one of the symbols."""
    return not isinstance(dim, int) and not symbols_of(dim).isdisjoint(symbols)


def symbols_in(*dims: Dim) -> list[Symbol]:
    """Return the symbols of dimensions, in a fixed order."""
    found: set[Symbol] = set()
    for dim in dims:
        found |= symbols_of(dim)
    return sorted(found, key=str)
