"""A page that shows a drawing and unfolds its boxes: one file, with the rows worked out and the places left to it."""

from __future__ import annotations

import json
from collections.abc import Collection
from importlib.resources import files
from typing import Any, final

from dovetail.views.outline import Box, Link
from dovetail.views.palette import DARK, LIGHT, style

__all__ = ["to_page"]


def to_page(root: Box, opened: Collection[str]) -> str:
    """Return an HTML file that shows what is in ``root``, the boxes named in ``opened`` unfolded."""
    tensors = _Tensors()
    data = {"root": _encoded(root, opened, tensors), "tensors": tensors.rows}
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")
    template = files("dovetail.views").joinpath("page.html").read_text(encoding="utf-8")
    return template.replace("/*LIGHT*/", style(LIGHT)).replace("/*DARK*/", style(DARK)).replace("/*DATA*/", text)


@final
class _Tensors:
    """Names of tensors with their types, and of ways out and in, each once."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []
        self._places: dict[str, int] = {}

    def place(self, name: str, type: str = "") -> int:
        found = self._places.get(name)
        if found is None:
            found = self._places[name] = len(self.rows)
            self.rows.append((name, type))
        return found

    def way(self, link: Link, name: str) -> list[int]:
        """Return the places of a tensor, of the exit and of the entry that it takes; one number where all are one."""
        places = [self.place(name, link.tensors[name]), self.place(link.exits[name]), self.place(link.entries[name])]
        return places if len(set(places)) > 1 else places[:1]


def _encoded(box: Box, opened: Collection[str], tensors: _Tensors) -> dict[str, Any]:
    data: dict[str, Any] = {"n": box.name, "l": box.label, "d": box.second_line(), "k": box.kind}
    if box.children:
        arrangement = box.arrangement()
        data["o"] = int(box.around is None or box.name in opened)
        links = [
            [chain[::-1] if back else chain, int(back), [tensors.way(link, name) for name in link.tensors]]
            for link, chain, back in zip(box.links, arrangement.chains, arrangement.reversed, strict=True)
        ]
        data |= {"r": arrangement.rows, "e": links}
        data |= {"i": [tensors.place(name) for name in box.entries], "x": [tensors.place(name) for name in box.exits]}
        data["c"] = [_encoded(child, opened, tensors) for child in box.children]
    return data
