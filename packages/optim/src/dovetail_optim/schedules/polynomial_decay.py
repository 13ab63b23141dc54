"""Polynomial decay."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail_optim.schedules._steps import as_number, as_rate, as_step

__all__ = ["polynomial_decay"]


def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return a rate that falls to ``end_learning_rate`` at ``decay_steps`` and stays there.

    ``(learning_rate - end_learning_rate) * (1 - step / decay_steps) ** power + end_learning_rate``, where ``step`` is
    at most ``decay_steps``.

    Args:
        learning_rate: the rate at step 0.
        global_step: how many steps were made.
        decay_steps: when the end is reached.
        end_learning_rate: the rate at the end.
        power: 1 for a straight line.
        cycle: whether to rise again: ``decay_steps`` is taken as often as it needs to exceed ``global_step``.
        name: scope of the nodes.

    Raises:
        InvalidArgumentError: ``global_step`` is ``None``.

    Example:
        >>> rate = dt.train.polynomial_decay(0.1, dt.train.get_or_create_global_step(), 1000, 0.0)
    """
    with dt.name_scope(name or "PolynomialDecay"):
        rate = as_rate(learning_rate, "polynomial_decay: learning_rate")
        step = as_step(global_step, rate, "polynomial_decay")
        total = as_number(decay_steps, rate)
        end = as_number(end_learning_rate, rate)
        if cycle:
            total = total * dt.maximum(dt.ceil(step / total), 1.0)
        else:
            step = dt.minimum(step, total)
        return (rate - end) * (1.0 - step / total) ** as_number(power, rate) + end
