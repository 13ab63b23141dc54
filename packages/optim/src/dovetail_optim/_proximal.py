"""Steps towards zero, as regularisation by absolute values and squares makes them in closed form."""

from __future__ import annotations

import dovetail as dt
from dovetail import Tensor

__all__ = ["proximal", "shrink"]


def shrink(value: Tensor, by: Tensor) -> Tensor:
    """Return ``sign(value) * max(|value| - by, 0)``."""
    return dt.sign(value) * dt.maximum(dt.abs(value) - by, 0.0)


def proximal(value: Tensor, rate: Tensor, l1: Tensor, l2: Tensor, has_l1: bool) -> Tensor:
    """Return where a step of ``rate`` ends that began at ``value`` and is penalized by ``l1 * |w| + l2 / 2 * w²``."""
    return (shrink(value, rate * l1) if has_l1 else value) / (1.0 + rate * l2)
