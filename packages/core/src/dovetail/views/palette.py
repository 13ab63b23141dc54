"""Sizes and colours of drawings, by day and by night."""

from __future__ import annotations

from typing import Final

__all__ = ["DARK", "LIGHT", "style"]

LIGHT: Final = {
    "ground": ("#ffffff", "none"),
    "inside": ("#8c959f14", "#afb8c1"),
    "operation": ("#f6f8fa", "#afb8c1"),
    "layer": ("#ddf4ff", "#54aeff"),
    "scope": ("#fff8c5", "#d4a72c"),
    "placeholder": ("#dafbe1", "#4ac26b"),
    "variable": ("#fbefff", "#c297ff"),
    "output": ("#ffebe9", "#ff8182"),
    "text": ("#1f2328", "none"),
    "small": ("#59636e", "none"),
    "label": ("#59636e", "#ffffff"),
    "edge": ("none", "#6e7781"),
    "arrow": ("#6e7781", "none"),
}
"""The fill and the line of each class of a drawing."""

DARK: Final = {
    "ground": ("#0d1117", "none"),
    "inside": ("#8b949e14", "#484f58"),
    "operation": ("#161b22", "#484f58"),
    "layer": ("#0c2d6b", "#388bfd"),
    "scope": ("#341a00", "#9e6a03"),
    "placeholder": ("#033a16", "#2ea043"),
    "variable": ("#271052", "#8957e5"),
    "output": ("#490202", "#da3633"),
    "text": ("#e6edf3", "none"),
    "small": ("#9198a1", "none"),
    "label": ("#9198a1", "#0d1117"),
    "edge": ("none", "#8b949e"),
    "arrow": ("#8b949e", "none"),
}


def style(colours: dict[str, tuple[str, str]]) -> str:
    """Return rules that give each class its colours."""
    return "".join(f".{name}{{fill:{fill};stroke:{line}}}" for name, (fill, line) in colours.items())
