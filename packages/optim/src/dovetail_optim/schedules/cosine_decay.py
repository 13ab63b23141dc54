"""Cosine decay."""

from __future__ import annotations

import math
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail_optim.schedules._steps import as_number, as_rate, as_step

__all__ = ["cosine_decay"]


def cosine_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, alpha: Any = 0.0, name: str | None = None
) -> Tensor:
    """Return a rate that falls along half a cosine to ``alpha * learning_rate`` (Loshchilov and Hutter, 2017).

    Args:
        learning_rate: the rate at step 0.
        global_step: how many steps were made.
        decay_steps: when the end is reached; the rate stays there.
        alpha: the part of the rate that is left.
        name: scope of the nodes.

    Raises:
        InvalidArgumentError: ``global_step`` is ``None``.

    Example:
        >>> rate = dt.train.cosine_decay(0.1, dt.train.get_or_create_global_step(), 1000)
    """
    with dt.name_scope(name or "CosineDecay"):
        rate = as_rate(learning_rate, "cosine_decay: learning_rate")
        total = as_number(decay_steps, rate)
        step = dt.minimum(as_step(global_step, rate, "cosine_decay"), total)
        wave = 0.5 * (1.0 + dt.cos(math.pi * (step / total)))
        left = as_number(alpha, rate)
        return rate * ((1.0 - left) * wave + left)
