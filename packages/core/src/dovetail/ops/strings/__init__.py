"""Text: the names of the modules that hold its operations, in one place, and what ``dt.strings`` calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dovetail.ops.strings.numbers import as_string, reduce_join, string_to_number
from dovetail.ops.strings.splitting import split, string_split
from dovetail.ops.strings.text import (
    join,
    length,
    lower,
    regex_full_match,
    regex_replace,
    string_strip,
    substr,
    upper,
)

__all__ = [
    "as_string",
    "reduce_join",
    "regex_replace",
    "string_join",
    "string_split",
    "string_strip",
    "string_to_number",
    "substr",
]

string_join = join

NAMES: Final[dict[str, Callable[..., Any]]] = {
    "as_string": as_string,
    "join": join,
    "length": length,
    "lower": lower,
    "reduce_join": reduce_join,
    "regex_full_match": regex_full_match,
    "regex_replace": regex_replace,
    "split": split,
    "strip": string_strip,
    "substr": substr,
    "to_number": string_to_number,
    "upper": upper,
}
"""What ``dt.strings`` holds."""
