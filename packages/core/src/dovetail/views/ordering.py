"""Where vertices of a directed graph stand: rows and orders that cross few edges, then places in them.

The method is that of Sugiyama, Tagawa and Toda (1981): cycles are broken, vertices ranked, long edges divided by
vertices of no size, rows ordered by the median of their neighbours, and places found row by row, each the nearest to
its neighbours that keeps the order and the distances (isotonic regression by pooling adjacent violators).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, final

__all__ = ["Arrangement", "arrange", "place"]

_SWEEPS: Final = 6
_ROUNDS: Final = 12
_MOST_DUMMIES: Final = 4000
# How much an edge between two boxes pulls, and the ends and the middle of one that passes others by.
_SHORT: Final = 1.0
_BENDING: Final = 0.2
_STRAIGHT: Final = 8.0


@final
class Arrangement:
    """Rows of vertices, the first on top.

    Attributes:
        rows: vertices from left to right; those from ``count`` on have no size and divide long edges.
        chains: for each edge, its vertices from top to bottom, those in between included.
        reversed: for each edge, whether it leads upward, as its chain begins at its end.
    """

    __slots__ = ("chains", "reversed", "rows")

    def __init__(self, rows: list[list[int]], chains: list[list[int]], turned: list[bool]) -> None:
        """Take rows and chains."""
        self.rows = rows
        self.chains = chains
        self.reversed = turned


def arrange(count: int, edges: Sequence[tuple[int, int]], top: int = 0, bottom: int = 0) -> Arrangement:
    """Put the vertices of a graph into rows.

    Args:
        count: how many there are; they are numbered in a sensible order of reading.
        edges: pairs of different vertices.
        top: how many of them, before the last ``bottom``, stand alone in the first row, in their order.
        bottom: how many of the last stand alone in the last row, in their order.
    """
    turned = _turned(count, edges)
    down = [(v, u) if flag else (u, v) for (u, v), flag in zip(edges, turned, strict=True)]
    ranks = _ranks(count, down, top, bottom)
    size = count
    chains: list[list[int]] = []
    depths = list(ranks)
    room = _longest_divided(down, ranks)
    for u, v in down:
        between = ranks[v] - ranks[u] - 1
        if 0 < between <= room:
            chains.append([u, *range(size, size + between), v])
            depths.extend(range(ranks[u] + 1, ranks[v]))
            size += between
        else:
            chains.append([u, v])
    rows: list[list[int]] = [[] for _ in range(max(depths, default=-1) + 1)]
    for vertex, depth in enumerate(depths):
        rows[depth].append(vertex)
    return Arrangement(_ordered(rows, chains, depths, range(bool(top), len(rows) - bool(bottom))), chains, turned)


def _turned(count: int, edges: Sequence[tuple[int, int]]) -> list[bool]:
    """Which edges to turn so that no cycle is left: those that lead back to where a walk in depth came from."""
    out: list[list[int]] = [[] for _ in range(count)]
    for index, (u, _) in enumerate(edges):
        out[u].append(index)
    state = [0] * count
    turned = [False] * len(edges)
    for start in range(count):
        if state[start]:
            continue
        state[start] = 1
        stack = [(start, iter(out[start]))]
        while stack:
            vertex, rest = stack[-1]
            for index in rest:
                other = edges[index][1]
                if state[other] == 1:
                    turned[index] = True
                elif state[other] == 0:
                    state[other] = 1
                    stack.append((other, iter(out[other])))
                    break
            else:
                state[vertex] = 2
                stack.pop()
    return turned


def _ranks(count: int, down: Sequence[tuple[int, int]], top: int, bottom: int) -> list[int]:
    """The longest way from a beginning; what begins stands right above what takes it."""
    after: list[list[int]] = [[] for _ in range(count)]
    before = [0] * count
    for u, v in down:
        after[u].append(v)
        before[v] += 1
    first_of_top, first_of_bottom = count - bottom - top, count - bottom
    ranks = [1 if top else 0] * count
    ranks[first_of_top:first_of_bottom] = [0] * top
    sources = [vertex for vertex in range(first_of_top) if not before[vertex] and after[vertex]]
    ready = [vertex for vertex in range(count) if not before[vertex]]
    while ready:
        vertex = ready.pop()
        for other in after[vertex]:
            ranks[other] = max(ranks[other], ranks[vertex] + 1)
            before[other] -= 1
            if not before[other]:
                ready.append(other)
    for vertex in sources:
        ranks[vertex] = min(ranks[other] for other in after[vertex]) - 1
    last = max(ranks[:first_of_bottom], default=-1) + 1
    ranks[first_of_bottom:] = [max(last, max(ranks, default=0))] * bottom
    return ranks


def _longest_divided(down: Sequence[tuple[int, int]], ranks: Sequence[int]) -> int:
    """The longest edges that may be divided, so that vertices in between stay few."""
    spans = sorted(ranks[v] - ranks[u] - 1 for u, v in down)
    total = 0
    for span in spans:
        total += span
        if total > _MOST_DUMMIES:
            return span - 1
    return spans[-1] if spans else 0


def _ordered(
    rows: list[list[int]], chains: Sequence[Sequence[int]], depths: Sequence[int], free: range
) -> list[list[int]]:
    """Order the rows that are free to cross few edges."""
    above: list[list[int]] = [[] for _ in depths]
    below: list[list[int]] = [[] for _ in depths]
    for chain in chains:
        for u, v in pairwise(chain):
            if depths[v] == depths[u] + 1:
                above[v].append(u)
                below[u].append(v)
    best, fewest = rows, _crossings(rows, below)
    current = [list(row) for row in rows]
    place_of = [0] * len(depths)
    for row in current:
        for at, vertex in enumerate(row):
            place_of[vertex] = at
    for sweep in range(2 * _SWEEPS):
        if not fewest:
            break
        neighbours, order = (above, free) if sweep % 2 == 0 else (below, reversed(free))
        for row in (current[depth] for depth in order):
            keys = {vertex: _median([place_of[one] for one in neighbours[vertex]], place_of[vertex]) for vertex in row}
            row.sort(key=keys.__getitem__)
            for at, vertex in enumerate(row):
                place_of[vertex] = at
        found = _crossings(current, below)
        if found < fewest:
            best, fewest = [list(row) for row in current], found
    return best


def _median(places: list[int], own: int) -> float:
    if not places:
        return own
    places.sort()
    middle = len(places) // 2
    return places[middle] if len(places) % 2 else (places[middle - 1] + places[middle]) / 2


def _crossings(rows: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    total = 0
    for row, under in pairwise(rows):
        place_of = {vertex: at for at, vertex in enumerate(under)}
        ends: list[int] = []
        for vertex in row:
            found = sorted(place_of[one] for one in below[vertex])
            total += sum(len(ends) - bisect_right(ends, one) for one in found)
            for one in found:
                insort(ends, one)
    return total


def place(
    arrangement: Arrangement,
    left: Sequence[float],
    right: Sequence[float],
    ends: Sequence[tuple[float, float]],
    gap: float,
    narrow_gap: float,
) -> list[float]:
    """Return where each vertex stands from left to right.

    Args:
        arrangement: rows and chains.
        left: how far each vertex that has a size reaches to the left of its place.
        right: how far to the right.
        ends: for each chain, how far to the right of the places of its first and its last vertex its ends are.
        gap: the least distance between two that have a size.
        narrow_gap: the least distance where one has none.
    """
    count = len(left)
    total = max((vertex for row in arrangement.rows for vertex in row), default=-1) + 1
    above: list[list[tuple[int, float, float]]] = [[] for _ in range(total)]
    below: list[list[tuple[int, float, float]]] = [[] for _ in range(total)]
    for chain, (first, last) in zip(arrangement.chains, ends, strict=True):
        for u, v in pairwise(chain):
            weight = (_SHORT, _BENDING, _STRAIGHT)[(u >= count) + (v >= count)]
            apart = (first if u == chain[0] else 0.0) - (last if v == chain[-1] else 0.0)
            above[v].append((u, weight, apart))
            below[u].append((v, weight, -apart))
    offsets: list[list[float]] = []
    places = [0.0] * total
    for row in arrangement.rows:
        offset, at = [], 0.0
        for before, vertex in zip([None, *row], row, strict=False):
            if before is not None:
                sized = before < count and vertex < count
                at += right[before] if before < count else 0.0
                at += (left[vertex] if vertex < count else 0.0) + (gap if sized else narrow_gap)
            offset.append(at)
        offsets.append(offset)
        for vertex, one in zip(row, offset, strict=True):
            places[vertex] = one - at / 2.0
    steps = list(range(1, len(arrangement.rows)))
    backwards = list(range(len(arrangement.rows) - 2, -1, -1))
    fallen = places
    for sweep in range(2 * _ROUNDS):
        for depth in steps if sweep % 2 == 0 else backwards:
            row, offset = arrangement.rows[depth], offsets[depth]
            wishes, weights = [], []
            for vertex, shift in zip(row, offset, strict=True):
                near = above[vertex] if sweep % 2 == 0 else below[vertex]
                weight = sum(one for _, one, _ in near)
                pull = sum((places[other] + apart) * one for other, one, apart in near)
                wishes.append((pull / weight if weight else places[vertex]) - shift)
                weights.append(weight or 0.1)
            for vertex, shift, found in zip(row, offset, _pooled(wishes, weights), strict=True):
                places[vertex] = found + shift
        if sweep == 2 * _ROUNDS - 2:
            fallen = list(places)
    # Halfway between what follows what is above and what follows what is below, so that chains stay straight.
    return [(one + other) / 2.0 for one, other in zip(fallen, places, strict=True)]


def _pooled(wishes: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The nearest numbers to the wishes that do not fall."""
    blocks: list[tuple[float, float, int]] = []
    for wish, weight in zip(wishes, weights, strict=True):
        mean, heavy, length = wish, weight, 1
        while blocks and blocks[-1][0] > mean:
            other, more, members = blocks.pop()
            mean = (mean * heavy + other * more) / (heavy + more)
            heavy, length = heavy + more, length + members
        blocks.append((mean, heavy, length))
    return [mean for mean, _, length in blocks for _ in range(length)]
