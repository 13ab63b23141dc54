"""What schedules have in common."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError

__all__ = ["as_number", "as_rate", "as_step", "known_step"]


def as_rate(value: Any, what: str) -> Tensor:
    """Return a rate as a floating tensor."""
    rate = dt.convert_to_tensor(float(value) if isinstance(value, int) else value)
    if not rate.dtype.is_floating:
        raise DTypeError(f"{what} is {rate.dtype.name}; give a floating number.")
    return rate


def as_step(global_step: Any, rate: Tensor, what: str) -> Tensor:
    """Return the global step in the type of the rate."""
    return as_number(known_step(global_step, what), rate)


def known_step(global_step: Any, what: str) -> Any:
    """Return the global step, which must be given."""
    if global_step is None:
        raise InvalidArgumentError(f"{what}: global_step is None; use dt.train.get_or_create_global_step().")
    return global_step


def as_number(value: Any, rate: Tensor) -> Tensor:
    """Return a number or tensor in the type of the rate."""
    number: Tensor = dt.cast(value, rate.dtype)
    return number
