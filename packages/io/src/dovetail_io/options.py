"""Options of ``dt.save`` and ``dt.load``: those that a format does not have are told before anything is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from dovetail.errors import InvalidArgumentError
from dovetail_io.checkpoint import nearest

__all__ = ["check_options", "options_of"]


def options_of(function: Callable[..., Any], *without: str) -> list[str]:
    """Return the names of a function's parameters, but for those that the format itself gives."""
    return [name for name in inspect.signature(function).parameters if name not in ("self", *without)]


def check_options(what: str, given: Mapping[str, Any], known: Collection[str]) -> None:
    """Make sure that options are known.

    Raises:
        InvalidArgumentError: one is not; the message lists those that are.
    """
    for name in given:
        if name not in known:
            takes = f"the options {', '.join(known)}" if known else "no options"
            raise InvalidArgumentError(f"{what} takes {takes}, not {name!r}.{nearest(name, known)}")
