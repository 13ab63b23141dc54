"""``draw``: a picture of a network, and a page in which it folds."""

from __future__ import annotations

import difflib
import html
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, final

from dovetail.errors import InvalidArgumentError, NotFoundError
from dovetail.graph.graph import Graph, get_default_graph
from dovetail.views.geometry import Picture
from dovetail.views.outline import Box, outline
from dovetail.views.page import to_page
from dovetail.views.svg import to_svg

__all__ = ["Drawing", "draw"]


@final
class Drawing:
    """A drawing of a network; a notebook shows it as a page that folds.

    Attributes:
        picture: where every box and every edge is.
        svg: a picture, for light and dark surroundings.
        html: a page whose scopes and layers unfold, with zoom and search; it needs no other file and no network.
    """

    __slots__ = ("_opened", "_root")

    def __init__(self, root: Box, opened: frozenset[str]) -> None:
        """Take the outline, and the names of what is open."""
        self._root = root
        self._opened = opened

    @property
    def picture(self) -> Picture:
        """Where every box and every edge is."""
        return Picture(self._root, lambda box: box.name in self._opened)

    @property
    def svg(self) -> str:
        """The text of an SVG file."""
        return to_svg(self.picture)

    @property
    def html(self) -> str:
        """The text of an HTML file."""
        return to_page(self._root, self._opened)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file that ends in ``.svg`` or ``.html``.

        Raises:
            InvalidArgumentError: it ends in something else.
        """
        target = Path(path)
        if target.suffix not in (".svg", ".html"):
            raise InvalidArgumentError(
                f"draw: {target.name!r} ends in {target.suffix!r}; write '.svg' for a picture, '.html' for a page that "
                "folds."
            )
        target.write_text(self.svg if target.suffix == ".svg" else self.html, encoding="utf-8")

    def __repr__(self) -> str:
        """Tell how much is drawn, and how to see it."""
        return f"<dovetail drawing of {self._root.size()} nodes: save() it to '.svg' or '.html'>"

    def _repr_html_(self) -> str:
        page = html.escape(self.html)
        return f'<iframe srcdoc="{page}" style="width:100%;height:640px;border:0;border-radius:6px"></iframe>'


def draw(
    fetches: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    unfold: Iterable[str] | str = (),
    graph: Graph | None = None,
) -> Drawing:
    """Draw the network that ``fetches`` need: layers and scopes as boxes, tensors with their shapes between them.

    What is made of constants alone is left out. At first, scopes with layers in them are unfolded, layers and other
    scopes are not. Boxes stand where few edges cross (Sugiyama, Tagawa and Toda, 1981).

    Args:
        fetches: as for ``Session.run``: the output of a network, or also its loss and the step of an optimizer.
        path: a file to write: ``.svg`` for a picture, ``.html`` for a page in which boxes fold at a click.
        unfold: names of further scopes and layers to show from within, or ``"all"``.
        graph: the graph; the default one unless given.

    Returns:
        The drawing, which has ``svg``, ``html`` and ``save``.

    Raises:
        InvalidArgumentError: the file ends in something else.
        NotFoundError: there is nothing of a name to unfold.

    Example:
        >>> x = dt.placeholder(dt.float32, ["batch", 784], name="x")
        >>> hidden = dt.layers.dense(x, 100, activation="relu", name="hidden")
        >>> drawing = dt.draw(dt.layers.dense(hidden, 10, name="scores"), "net.svg", unfold=["hidden"])
        >>> "[batch, 100]" in drawing.svg
        True
    """
    root = outline(graph or get_default_graph(), fetches)
    groups = {box.name: box for box in _groups(root)}
    opened = {box.name for box in groups.values() if box.kind == "scope" and box.layers_within()}
    inner = root
    while len(boxes := [box for box in inner.children if box.kind in ("layer", "scope", "operation")]) == 1:
        inner = boxes[0]  # a single box would tell nothing
        if inner.children:
            opened.add(inner.name)
    if unfold == "all":
        opened.update(groups)
    else:
        for name in [unfold] if isinstance(unfold, str) else unfold:
            _unfold(groups, name, opened)
    drawing = Drawing(root, frozenset(opened))
    if path is not None:
        drawing.save(path)
    return drawing


def _groups(box: Box) -> Iterator[Box]:
    for child in box.children:
        if child.children:
            yield child
            yield from _groups(child)


def _unfold(groups: dict[str, Box], name: str, opened: set[str]) -> None:
    if name not in groups:
        near = difflib.get_close_matches(name, groups, 3)
        hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
        raise NotFoundError(f"draw: there is no scope or layer {name!r} in what the fetches need.{hint}")
    opened.update(box.name for box in groups[name].path() if box.name)
