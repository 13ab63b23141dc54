"""How far a layer may go: a ratio of norms."""

from __future__ import annotations

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Numbers

__all__ = ["trust"]


def trust(length: Tensor, step: Tensor, numbers: Numbers) -> Tensor:
    """Return ``length / step``; 1 where either is 0, and for variables that the optimizer's filter spares."""
    adapts = dt.logical_and(numbers["decays"] > 0.0, dt.logical_and(length > 0.0, step > 0.0))
    return dt.select(adapts, length / dt.select(adapts, step, 1.0), 1.0)
