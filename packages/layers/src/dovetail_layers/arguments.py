"""Arguments that layers on images share."""

from __future__ import annotations

from typing import Any

from dovetail.errors import InvalidArgumentError

__all__ = ["channel_axis", "check_layout", "check_positive", "per_axis"]


def per_axis(layer: str, name: str, value: Any, rank: int) -> tuple[int, ...]:
    """Return a positive number for each of ``rank`` spatial axes, given as one for all or one for each.

    Raises:
        InvalidArgumentError: one is below 1, or there are not as many.
    """
    found = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(found) != rank:
        raise InvalidArgumentError(f"{layer}: {name} is {value}; give one number, or one for each of {rank} axes.")
    if min(found) < 1:
        raise InvalidArgumentError(f"{layer}: {name} is {value}; use 1 or more.")
    return found


def check_positive(layer: str, name: str, value: int) -> None:
    """Look at a number of filters, groups or the like.

    Raises:
        InvalidArgumentError: it is below 1.
    """
    if value < 1:
        raise InvalidArgumentError(f"{layer}: {name} is {value}; it must be positive.")


def check_layout(layer: str, data_format: str, padding: str = "valid", paddings: tuple[str, ...] = ()) -> None:
    """Look at the names of layout and padding.

    Raises:
        InvalidArgumentError: one is not known.
    """
    known = ("valid", "same", *paddings)
    if padding.lower() not in known:
        named = ", ".join(map(repr, known[:-1]))
        raise InvalidArgumentError(f"{layer}: padding is {padding!r}; use {named} or {known[-1]!r}.")
    if data_format not in ("channels_last", "channels_first"):
        raise InvalidArgumentError(f"{layer}: data_format is {data_format!r}; use 'channels_last' or 'channels_first'.")


def channel_axis(data_format: str) -> int:
    """Return the axis of the channels of an image."""
    return -1 if data_format == "channels_last" else 1
