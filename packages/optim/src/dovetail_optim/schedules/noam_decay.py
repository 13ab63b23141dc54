"""The schedule of the first transformer."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail_optim.schedules._steps import as_number, as_rate, as_step

__all__ = ["noam_decay"]


def noam_decay(
    learning_rate: Any, global_step: Any, model_size: Any, warmup_steps: Any, name: str | None = None
) -> Tensor:
    """Return a rate that rises in a line, then falls by the root of the step (Vaswani et al., 2017).

    ``learning_rate * model_size ** -0.5 * min(t ** -0.5, t * warmup_steps ** -1.5)``, where ``t`` is
    ``global_step + 1``.

    Args:
        learning_rate: a factor, 1 in the paper.
        global_step: how many steps were made.
        model_size: the width of the model.
        warmup_steps: when the rate is highest.
        name: scope of the nodes.

    Raises:
        InvalidArgumentError: ``global_step`` is ``None``.

    Example:
        >>> rate = dt.train.noam_decay(1.0, dt.train.get_or_create_global_step(), model_size=512, warmup_steps=4000)
    """
    with dt.name_scope(name or "NoamDecay"):
        rate = as_rate(learning_rate, "noam_decay: learning_rate")
        t = as_step(global_step, rate, "noam_decay") + 1.0
        rising = t * as_number(warmup_steps, rate) ** -1.5
        return rate * dt.rsqrt(as_number(model_size, rate)) * dt.minimum(dt.rsqrt(t), rising)
