"""Places of boxes: each is as large as what it shows; those that are open hold the picture of what is in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from dovetail.views.ordering import place
from dovetail.views.outline import Box, Link

__all__ = ["Curve", "Picture"]

_CHARACTER: Final = 7.3
_BOLD_CHARACTER: Final = 8.2
_SMALL_CHARACTER: Final = 6.4
_GAP: Final = 26.0
_NARROW_GAP: Final = 16.0
_ROW_GAP: Final = 44.0
_MARGIN: Final = 18.0
_HEADER: Final = 26.0
_MOST_LABELS: Final = 4
_MANY: Final = "99 tensors"

Point = tuple[float, float]


def label_width(text: str) -> float:
    """Return about how wide the label of an edge is."""
    return len(text) * _SMALL_CHARACTER


@final
class Curve:
    """An edge: points from its beginning to its end, between which it bends, and what is written beside it."""

    __slots__ = ("arrow", "dashed", "label", "points", "title")

    def __init__(self, points: list[Point], label: str, title: str, arrow: bool, dashed: bool) -> None:
        """Take the points."""
        self.points = points
        self.label = label
        self.title = title
        self.arrow = arrow
        self.dashed = dashed


@final
class Picture:
    """A box with its size, and if it is open with the pictures of what is in it.

    Attributes:
        box: the box.
        open: whether what is in it is shown.
        width, height: its size.
        inner: pictures of its children with the places of their upper left corners.
        curves: edges between them.
        entries, exits: where tensors come in and go out, by the names of the box's, from left to right.
    """

    __slots__ = ("_title", "box", "curves", "entries", "exits", "height", "inner", "open", "width")

    def __init__(self, box: Box, is_open: Callable[[Box], bool]) -> None:
        """Measure the box, after all that is in it."""
        self.box = box
        self.open = bool(box.children) and (box.around is None or is_open(box))
        self.inner: list[tuple[Picture, float, float]] = []
        self.curves: list[Curve] = []
        self.entries: dict[str, float] = {}
        self.exits: dict[str, float] = {}
        detail = box.second_line()
        self._title = len(box.label) * (_BOLD_CHARACTER if box.children else _CHARACTER)
        self.width = max(self._title, len(detail) * _SMALL_CHARACTER) + 24.0
        self.height = 46.0 if detail else 30.0
        if self.open:
            self._lay_out([Picture(child, is_open) for child in box.children])

    def _lay_out(self, pictures: list[Picture]) -> None:
        box, links = self.box, self.box.links
        labels = _Labels(links, pictures)
        for index, picture in enumerate(pictures):
            if not picture.open:
                picture.width = max(picture.width, labels.room(index))
        arrangement = box.arrangement()
        ports = len(box.entries) + len(box.exits)
        left = [picture.width / 2.0 for picture in pictures] + [0.0] * ports
        right = [max(picture.width / 2.0, labels.reach(index)) for index, picture in enumerate(pictures)]
        right += [0.0] * len(box.entries) + [labels.port_room(name) for name in box.exits]
        ends = [
            (0.0, 0.0) if back else _bent(link, pictures)
            for link, back in zip(links, arrangement.reversed, strict=True)
        ]
        places = place(arrangement, left, right, ends, _GAP, _NARROW_GAP)
        edge = min((x - (left[v] if v < len(left) else 0.0) for v, x in enumerate(places)), default=0.0)
        header = self._title + len(box.detail) * _SMALL_CHARACTER + 30.0 if box.around else 0.0
        places = [x - edge + _MARGIN for x in places]
        far = max((x + (right[v] if v < len(right) else 0.0) for v, x in enumerate(places)), default=0.0)
        self.width = max(far + _MARGIN, header)
        tops = self._rows(arrangement.rows, pictures)
        middle = {v: (top + low) / 2.0 for row, (top, low) in zip(arrangement.rows, tops, strict=True) for v in row}
        bounds = {v: bound for row, bound in zip(arrangement.rows, tops, strict=True) for v in row}
        self.inner = [
            (picture, places[v] - picture.width / 2.0, middle[v] - picture.height / 2.0)
            for v, picture in enumerate(pictures)
        ]
        first = len(pictures)
        self.entries = {name: places[first + index] for name, index in box.entries.items()}
        first += len(box.entries)
        self.exits = {name: places[first + index] for name, index in box.exits.items()}
        chains = zip(links, arrangement.chains, arrangement.reversed, strict=True)
        self._draw([(link, chain[::-1] if back else chain, back) for link, chain, back in chains], places, bounds)

    def _rows(self, rows: list[list[int]], pictures: list[Picture]) -> list[tuple[float, float]]:
        """Return top and bottom of each row; rows of entries and exits lie on the border."""
        found: list[tuple[float, float]] = []
        y = _HEADER if self.box.around else _MARGIN
        y += 8.0 if not self.box.entries and self.box.around else 0.0
        for depth, row in enumerate(rows):
            if depth == 0 and self.box.entries:
                found.append((0.0, 0.0))
                y += 14.0
                continue
            if depth == len(rows) - 1 and self.box.exits:
                found.append((y - _ROW_GAP + 26.0, y - _ROW_GAP + 26.0))
                continue
            height = max((pictures[v].height for v in row if v < len(pictures)), default=0.0)
            found.append((y, y + height))
            y += height + _ROW_GAP
        self.height = found[-1][1] if self.box.exits else y - _ROW_GAP + _MARGIN
        return found

    def _draw(
        self, chains: list[tuple[Link, list[int], bool]], places: list[float], bounds: dict[int, tuple[float, float]]
    ) -> None:
        """Make the curves."""
        ends = _Ends(self, places)
        for link, chain, back in chains:
            ends.note(link, chain, back)
        labelled: set[tuple[int, str]] = set()
        for link, chain, back in chains:
            for names in ends.bundles(link):
                start, end = ends.start(link, chain, names, back), ends.end(link, chain, names, back)
                points = [start]
                for vertex in chain[1:-1]:
                    top, low = bounds[vertex]
                    points += (
                        [(places[vertex], low), (places[vertex], top)]
                        if back
                        else [
                            (places[vertex], top),
                            (places[vertex], low),
                        ]
                    )
                points.append(end)
                types = [link.tensors[name] for name in names]
                label = _label(types) if ends.labels(link.source) <= _MOST_LABELS else ""
                key = (link.source, names[0])
                told = back or key in labelled or ends.is_outside(link.source) or ends.is_outside(link.target)
                if not told:
                    labelled.add(key)
                title = ", ".join(f"{name} {link.tensors[name]}".strip() for name in names[:8])
                arrow, dashed = ends.is_pointed(link.target), back or not any(types)
                self.curves.append(Curve(points, "" if told else label, title, arrow, dashed))


def _bent(link: Link, pictures: list[Picture]) -> tuple[float, float]:
    """How far to the right of the middles of two boxes a link leaves the one and enters the other."""
    first = next(iter(link.tensors))
    found = [0.0, 0.0]
    if link.source < len(pictures) and (source := pictures[link.source]).open:
        found[0] = source.exits[link.exits[first]] - source.width / 2.0
    if link.target < len(pictures) and (target := pictures[link.target]).open:
        found[1] = target.entries[link.entries[first]] - target.width / 2.0
    return found[0], found[1]


def _label(types: list[str]) -> str:
    found = [one for one in types if one]
    if not found:
        return ""
    return found[0] if len(found) == 1 else f"{len(found)} tensors"


@final
class _Labels:
    """How much room what is written beside the edges that begin at each box takes."""

    def __init__(self, links: list[Link], pictures: list[Picture]) -> None:
        self._widths: dict[int, dict[tuple[str, ...], float]] = {}
        self._ports: dict[str, float] = {}
        for link in links:
            if link.source < len(pictures):
                names = tuple(link.tensors)
                text = _label(list(link.tensors.values()))
                self._widths.setdefault(link.source, {})[names] = label_width(text) + 14.0 if text else 14.0
            for name, text in link.tensors.items():
                way = link.exits[name]
                self._ports[way] = label_width(text if way == name else _MANY) + 10.0

    def room(self, index: int) -> float:
        """The width of a box with several edges, each with room for its label to the right of it."""
        widths = self._widths.get(index, {})
        if len(widths) > _MOST_LABELS:
            return 12.0 * len(widths) + 24.0
        return sum(widths.values()) + 16.0 if len(widths) > 1 else 0.0

    def reach(self, index: int) -> float:
        """How far a label reaches to the right of the middle of a box with one edge."""
        widths = self._widths.get(index, {})
        return next(iter(widths.values())) if len(widths) == 1 else 0.0

    def port_room(self, name: str) -> float:
        """How far the label of what goes out reaches to the right."""
        return self._ports.get(name, 0.0)


@final
class _Ends:
    """Where edges begin and end at the boxes of a picture."""

    def __init__(self, picture: Picture, places: list[float]) -> None:
        self._picture = picture
        self._places = places
        self._begin: dict[int, dict[tuple[str, ...], list[float]]] = {}
        self._finish: dict[int, list[tuple[float, int]]] = {}

    def _box(self, vertex: int) -> tuple[Picture, float, float] | None:
        return self._picture.inner[vertex] if vertex < len(self._picture.inner) else None

    def is_outside(self, vertex: int) -> bool:
        return self._box(vertex) is None

    def is_pointed(self, vertex: int) -> bool:
        """Whether an edge ends there, and does not go on inside or outside."""
        found = self._box(vertex)
        return found is not None and not found[0].open

    def labels(self, vertex: int) -> int:
        found = self._box(vertex)
        return 1 if found is not None and found[0].open else len(self._begin.get(vertex, ()))

    def bundles(self, link: Link) -> list[list[str]]:
        """The tensors of a link, together but where they take ways of their own out of an open box, or into one."""
        source, target = self._box(link.source), self._box(link.target)
        found: dict[tuple[str, str], list[str]] = {}
        for name in link.tensors:
            way_out = link.exits[name] if source is not None and source[0].open else ""
            way_in = link.entries[name] if target is not None and target[0].open else ""
            found.setdefault((way_out, way_in), []).append(name)
        return list(found.values())

    def note(self, link: Link, chain: list[int], back: bool) -> None:
        """Learn of an edge, before any is drawn."""
        if back:
            return
        for names in self.bundles(link):
            self._begin.setdefault(link.source, {}).setdefault(tuple(names), []).append(self._places[chain[1]])
        self._finish.setdefault(link.target, []).append((self._places[chain[-2]], link.source))

    def start(self, link: Link, chain: list[int], names: list[str], back: bool) -> Point:
        found = self._box(link.source)
        x = self._places[link.source]
        if found is None:
            return x, 0.0
        picture, left, top = found
        if back:
            return x, top
        if picture.open:
            return left + picture.exits[link.exits[names[0]]], top + picture.height
        ways = self._begin[link.source]
        order = sorted(ways, key=lambda key: (sum(ways[key]) / len(ways[key]), key))
        if len(order) == 1:
            return x, top + picture.height
        at = (order.index(tuple(names)) + 0.5) / len(order)
        return left + 8.0 + at * (picture.width - 16.0), top + picture.height

    def end(self, link: Link, chain: list[int], names: list[str], back: bool) -> Point:
        found = self._box(link.target)
        x = self._places[link.target]
        if found is None:
            return x, self._picture.height
        picture, left, top = found
        if back:
            return x, top + picture.height
        if picture.open:
            return left + picture.entries[link.entries[names[0]]], top
        ways = sorted(self._finish[link.target])
        step = min(16.0, (picture.width - 20.0) / len(ways))
        at = ways.index((self._places[chain[-2]], link.source))
        return x + (at - (len(ways) - 1) / 2.0) * step, top
