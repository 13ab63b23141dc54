"""Decay by the inverse of the time."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail_optim.schedules._steps import as_number, as_rate, as_step

__all__ = ["inverse_time_decay"]


def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return ``learning_rate / (1 + decay_rate * global_step / decay_steps)``.

    Args:
        learning_rate: the rate at step 0.
        global_step: how many steps were made.
        decay_steps: after how many steps ``decay_rate`` counts once.
        decay_rate: how fast the rate falls.
        staircase: whether to decay in jumps, every ``decay_steps`` steps.
        name: scope of the nodes.

    Raises:
        InvalidArgumentError: ``global_step`` is ``None``.

    Example:
        >>> step = dt.train.get_or_create_global_step()
        >>> rate = dt.train.inverse_time_decay(0.1, step, decay_steps=1000, decay_rate=0.5)
    """
    with dt.name_scope(name or "InverseTimeDecay"):
        rate = as_rate(learning_rate, "inverse_time_decay: learning_rate")
        part = as_step(global_step, rate, "inverse_time_decay") / as_number(decay_steps, rate)
        if staircase:
            part = dt.floor(part)
        return rate / (1.0 + as_number(decay_rate, rate) * part)
