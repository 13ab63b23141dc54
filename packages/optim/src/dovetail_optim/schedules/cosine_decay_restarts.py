"""Cosine decay that begins again."""

from __future__ import annotations

import math
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail_optim.schedules._steps import as_number, as_rate, as_step

__all__ = ["cosine_decay_restarts"]


def cosine_decay_restarts(
    learning_rate: Any,
    global_step: Any,
    first_decay_steps: Any,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: Any = 0.0,
    name: str | None = None,
) -> Tensor:
    """Return a rate that falls along half a cosine, and again and again (Loshchilov and Hutter, 2017, SGDR).

    Args:
        learning_rate: the rate at step 0.
        global_step: how many steps were made.
        first_decay_steps: the length of the first fall.
        t_mul: by how much each fall is longer than the one before.
        m_mul: which part of the rate of the fall before each one begins with.
        alpha: the part of the rate that is left at the ends.
        name: scope of the nodes.

    Raises:
        InvalidArgumentError: ``global_step`` is ``None``.

    Example:
        >>> rate = dt.train.cosine_decay_restarts(0.1, dt.train.get_or_create_global_step(), 1000)
    """
    with dt.name_scope(name or "SGDRDecay"):
        rate = as_rate(learning_rate, "cosine_decay_restarts: learning_rate")
        step = as_step(global_step, rate, "cosine_decay_restarts") / as_number(first_decay_steps, rate)
        left = as_number(alpha, rate)
        if t_mul == 1.0:
            restarts = dt.floor(step)
            part = step - restarts
        else:
            # The lengths are a geometric series, whose sum tells how often it was begun. In float32 the quotient of
            # logarithms may fall short of the whole number that it is where a fall begins.
            restarts = dt.floor(dt.log(1.0 - step * (1.0 - t_mul)) / math.log(t_mul) + 1e-5)
            length = as_number(t_mul, rate) ** restarts
            part = (step - (1.0 - length) / (1.0 - t_mul)) / length
        wave = 0.5 * as_number(m_mul, rate) ** restarts * (1.0 + dt.cos(math.pi * part))
        return rate * ((1.0 - left) * wave + left)
