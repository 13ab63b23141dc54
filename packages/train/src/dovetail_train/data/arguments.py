"""Integers that users give, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from dovetail.errors import InvalidArgumentError

__all__ = ["natural", "positive"]


def natural(value: Any, what: str, least: int = 0) -> int:
    """Return an integer that is not below ``least``.

    Raises:
        InvalidArgumentError: it is none.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise InvalidArgumentError(f"{what} is {value!r}; give an integer of at least {least}.")
    return int(value)


def positive(value: Any, what: str) -> int:
    """Return an integer above 0.

    Raises:
        InvalidArgumentError: it is none.
    """
    return natural(value, what, least=1)
