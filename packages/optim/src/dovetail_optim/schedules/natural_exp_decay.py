"""Exponential decay to the base of e."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail_optim.schedules._steps import as_number, as_rate, as_step

__all__ = ["natural_exp_decay"]


def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return ``learning_rate * exp(-decay_rate * global_step / decay_steps)``.

    Args:
        learning_rate: the rate at step 0.
        global_step: how many steps were made.
        decay_steps: after how many steps the exponent is ``decay_rate``.
        decay_rate: how fast the rate falls.
        staircase: whether to decay in jumps, every ``decay_steps`` steps.
        name: scope of the nodes.

    Raises:
        InvalidArgumentError: ``global_step`` is ``None``.

    Example:
        >>> step = dt.train.get_or_create_global_step()
        >>> rate = dt.train.natural_exp_decay(0.1, step, decay_steps=1000, decay_rate=0.5)
    """
    with dt.name_scope(name or "NaturalExpDecay"):
        rate = as_rate(learning_rate, "natural_exp_decay: learning_rate")
        part = as_step(global_step, rate, "natural_exp_decay") / as_number(decay_steps, rate)
        if staircase:
            part = dt.floor(part)
        return rate * dt.exp(-as_number(decay_rate, rate) * part)
