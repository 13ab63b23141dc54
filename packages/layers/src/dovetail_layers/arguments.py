"""Arguments that layers on images share."""

from __future__ import annotations

from typing import Any

from dovetail.errors import InvalidArgumentError

__all__ = ["channel_axis", "check_layout", "pair"]


def pair(layer: str, name: str, value: Any) -> tuple[int, int]:
    """Return one positive number for height and one for width.

    Raises:
        InvalidArgumentError: one is below 1.
    """
    found: tuple[int, int] = (value, value) if isinstance(value, int) else tuple(value)
    if min(found) < 1:
        raise InvalidArgumentError(f"{layer}: {name} is {value}; use 1 or more.")
    return found


def check_layout(layer: str, padding: str, data_format: str) -> None:
    """Look at the names of padding and layout.

    Raises:
        InvalidArgumentError: one is not known.
    """
    if padding.lower() not in ("valid", "same"):
        raise InvalidArgumentError(f"{layer}: padding is {padding!r}; use 'valid' or 'same'.")
    if data_format not in ("channels_last", "channels_first"):
        raise InvalidArgumentError(f"{layer}: data_format is {data_format!r}; use 'channels_last' or 'channels_first'.")


def channel_axis(data_format: str) -> int:
    """Return the axis of the channels of an image."""
    return -1 if data_format == "channels_last" else 1
