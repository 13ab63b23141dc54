"""The one-cycle policy."""

from __future__ import annotations

import math
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail_optim.schedules._steps import as_rate, as_step

__all__ = ["one_cycle"]


def one_cycle(
    max_learning_rate: Any,
    global_step: Any,
    total_steps: int,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    div_factor: float = 25.0,
    final_div_factor: float = 10000.0,
    three_phase: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return a rate that rises to its height and falls far below its start (Smith and Topin, 2017, arXiv:1708.07120).

    It begins at ``max_learning_rate / div_factor``, is highest after the part ``pct_start`` of the steps, and ends at
    ``max_learning_rate / div_factor / final_div_factor``; with ``three_phase`` it first falls back to where it began,
    in as many steps. This is PyTorch's ``OneCycleLR``, with its names and defaults.

    Args:
        max_learning_rate: the rate at the height.
        global_step: how many steps were made.
        total_steps: the number of steps; the rate of the last one stays.
        pct_start: the part of the steps in which the rate rises, between 0 and 1.
        anneal_strategy: ``"cos"``, along half a cosine, or ``"linear"``.
        div_factor: by how much the first rate is lower than the height.
        final_div_factor: by how much the last rate is lower than the first.
        three_phase: whether to fall in two phases.
        name: scope of the nodes.

    Raises:
        InvalidArgumentError: ``global_step`` is ``None``, or another argument has no such value.

    Example:
        >>> rate = dt.train.one_cycle(0.1, dt.train.get_or_create_global_step(), total_steps=1000)
    """
    if anneal_strategy not in ("cos", "linear"):
        raise InvalidArgumentError(f"one_cycle: anneal_strategy is {anneal_strategy!r}; choose 'cos' or 'linear'.")
    if not 0.0 < pct_start < 1.0 or (three_phase and pct_start >= 0.5):
        raise InvalidArgumentError(
            f"one_cycle: pct_start is {pct_start}; it must lie between 0 and {0.5 if three_phase else 1}."
        )
    with dt.name_scope(name or "OneCycle"):
        height = as_rate(max_learning_rate, "one_cycle: max_learning_rate")
        step = as_step(global_step, height, "one_cycle")
        first = height / div_factor
        last = first / final_div_factor
        top, end = pct_start * total_steps - 1.0, total_steps - 1.0
        phases = [(top, first, height)]
        phases += [(2.0 * top, height, first), (end, first, last)] if three_phase else [(end, height, last)]
        begin, rate = 0.0, first
        for stop, low, high in phases:
            part = dt.clip_by_value((step - begin) / (stop - begin), 0.0, 1.0)
            if anneal_strategy == "cos":
                part = 0.5 * (1.0 - dt.cos(math.pi * part))
            rate = dt.select(step > begin, low + (high - low) * part, rate)
            begin = stop
        return rate
