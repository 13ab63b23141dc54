"""A rise before another schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dovetail as dt
from dovetail import Tensor, Variable
from dovetail_optim.schedules._steps import as_number, as_rate, as_step, known_step

__all__ = ["warmup"]


def warmup(
    learning_rate: Any | Callable[[Tensor], Any],
    global_step: Any,
    warmup_steps: Any,
    start_learning_rate: Any = 0.0,
    name: str | None = None,
) -> Tensor:
    """Return a rate that rises in a line to ``learning_rate``, and follows it from there (Goyal et al., 2017).

    Args:
        learning_rate: the rate after the rise: a number; a schedule of the same global step; or a function of a step
            that gives a schedule, which begins at 0 when the rise is over.
        global_step: how many steps were made.
        warmup_steps: the length of the rise, at least 1.
        start_learning_rate: the rate at step 0.
        name: scope of the nodes.

    Raises:
        InvalidArgumentError: ``global_step`` is ``None``.

    Example:
        >>> step = dt.train.get_or_create_global_step()
        >>> rate = dt.train.warmup(lambda after: dt.train.cosine_decay(0.1, after, 9000), step, warmup_steps=1000)
    """
    with dt.name_scope(name or "Warmup"):
        if callable(learning_rate) and not isinstance(learning_rate, (Tensor, Variable)):
            step = dt.convert_to_tensor(known_step(global_step, "warmup"))
            learning_rate = learning_rate(dt.maximum(step - dt.cast(warmup_steps, step.dtype), dt.zeros_like(step)))
        rate = as_rate(learning_rate, "warmup: learning_rate")
        start = as_number(start_learning_rate, rate)
        part = as_step(global_step, rate, "warmup") / as_number(warmup_steps, rate)
        return start + (rate - start) * dt.minimum(part, 1.0)
