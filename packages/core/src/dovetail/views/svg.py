"""A picture as SVG: colours for light surroundings in the marks themselves, for dark ones in a style."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import Final

from dovetail.views.geometry import Curve, Picture
from dovetail.views.palette import DARK, LIGHT, style

__all__ = ["to_svg"]

_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
_HALO: Final = 'font-size="11" stroke-width="3" paint-order="stroke"'
_PILLS: Final = ("placeholder", "variable", "output")


def to_svg(picture: Picture) -> str:
    """Return a file that shows ``picture``."""
    width, height = picture.width, picture.height
    parts: list[str] = []
    _draw(picture, 0.0, 0.0, parts)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_short(width)} {_short(height)}" '
        f'width="{_short(width)}" height="{_short(height)}" font-family="{_FONT}" font-size="13">'
    )
    night = f"<style>@media (prefers-color-scheme:dark){{{style(DARK)}}}</style>"
    marker = (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto-start-reverse"><path d="M0 0.5L8 4L0 7.5z" {_painted("arrow")}/></marker></defs>'
    )
    ground = f'<rect width="100%" height="100%" {_painted("ground")}/>'
    return "\n".join([head, night, marker, ground, *parts, "</svg>", ""])


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _painted(name: str) -> str:
    fill, line = LIGHT[name]
    return f'class="{name}" fill="{fill}" stroke="{line}"'


def _text(x: float, y: float, text: str, name: str = "text", extra: str = "") -> str:
    return f'<text x="{_short(x)}" y="{_short(y)}" {_painted(name)} {extra}>{escape(text)}</text>'


def _draw(picture: Picture, x: float, y: float, parts: list[str]) -> None:
    box = picture.box
    if box.around is not None:
        _frame(picture, x, y, parts)
    for curve in picture.curves:
        _curve(curve, x, y, parts)
    for inner, left, top in picture.inner:
        _draw(inner, x + left, y + top, parts)


def _frame(picture: Picture, x: float, y: float, parts: list[str]) -> None:
    box = picture.box
    radius = picture.height / 2.0 if box.kind in _PILLS and not box.detail else 6.0
    parts.append(
        f'<g><title>{escape(box.name)}</title><rect x="{_short(x)}" y="{_short(y)}" width="{_short(picture.width)}" '
        f'height="{_short(picture.height)}" rx="{_short(radius)}" {_painted("inside" if picture.open else box.kind)}/>'
    )
    detail = box.second_line()
    if picture.open:
        label = f'{escape(box.label)} <tspan font-weight="400" font-size="11">{escape(box.detail)}</tspan>'
        parts.append(
            f'<text x="{_short(x + 10.0)}" y="{_short(y + 18.0)}" {_painted("text")} font-weight="600">{label}</text>'
        )
    else:
        middle = x + picture.width / 2.0
        weight = 'font-weight="600" ' if box.children else ""
        base = y + (20.0 if detail else picture.height / 2.0 + 4.5)
        parts.append(_text(middle, base, box.label, "text", weight + 'text-anchor="middle"'))
        if detail:
            parts.append(_text(middle, base + 16.0, detail, "small", 'text-anchor="middle" font-size="11"'))
    parts.append("</g>")


def _curve(curve: Curve, x: float, y: float, parts: list[str]) -> None:
    points = [(x + px, y + py) for px, py in curve.points]
    path = [f"M{_short(points[0][0])} {_short(points[0][1])}"]
    for index, ((ax, ay), (bx, by)) in enumerate(pairwise(points)):
        if index % 2:
            path.append(f"L{_short(bx)} {_short(by)}")  # through a row
        else:
            half = (ay + by) / 2.0
            path.append(f"C{_short(ax)} {_short(half)} {_short(bx)} {_short(half)} {_short(bx)} {_short(by)}")
    looks = ' stroke-dasharray="4 3"' if curve.dashed else ""
    looks += ' marker-end="url(#arrow)"' if curve.arrow else ""
    parts.append(f'<path d="{"".join(path)}" {_painted("edge")}{looks}><title>{escape(curve.title)}</title></path>')
    if curve.label:
        parts.append(_text(points[0][0] + 5.0, points[0][1] + 14.0, curve.label, "label", _HALO))
