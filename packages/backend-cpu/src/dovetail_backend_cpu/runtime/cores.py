"""How many threads run a step."""

from __future__ import annotations

import os
from typing import Final

from dovetail.errors import InvalidArgumentError

__all__ = ["MOST_THREADS", "default_threads", "usable_cores"]

_VARIABLE: Final = "DOVETAIL_NUM_THREADS"
MOST_THREADS: Final = 256
"""How many threads a step may have."""


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def default_threads() -> int:
    """Return how many threads run a step: ``DOVETAIL_NUM_THREADS``, else one for each usable core.

    Raises:
        InvalidArgumentError: the variable is no positive number.
    """
    text = os.environ.get(_VARIABLE, "").strip()
    if not text:
        return min(usable_cores(), MOST_THREADS)
    if not text.isdecimal() or int(text) < 1:
        raise InvalidArgumentError(f"{_VARIABLE} is {text!r}; set it to how many threads may run a step, such as 4.")
    return min(int(text), MOST_THREADS)
