"""A cosine under a falling line, with noise or without."""

from __future__ import annotations

import math
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail_optim.schedules._steps import as_number, as_rate, as_step

__all__ = ["linear_cosine_decay", "noisy_linear_cosine_decay"]


def linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    num_periods: Any = 0.5,
    alpha: Any = 0.0,
    beta: Any = 0.001,
    name: str | None = None,
) -> Tensor:
    """Return a rate that swings like a cosine under a falling line (Bello et al., 2017).

    ``learning_rate * ((alpha + 1 - t) * (1 + cos(2 * pi * num_periods * t)) / 2 + beta)``, where ``t`` is
    ``global_step / decay_steps``, at most 1.

    Args:
        learning_rate: the rate at step 0.
        global_step: how many steps were made.
        decay_steps: when the end is reached; the rate stays there.
        num_periods: how often it swings.
        alpha: added to the line.
        beta: the part of the rate that is added to everything.
        name: scope of the nodes.

    Raises:
        InvalidArgumentError: ``global_step`` is ``None``.

    Example:
        >>> rate = dt.train.linear_cosine_decay(0.1, dt.train.get_or_create_global_step(), 1000)
    """
    with dt.name_scope(name or "LinearCosineDecay"):
        rate = as_rate(learning_rate, "linear_cosine_decay: learning_rate")
        total = as_number(decay_steps, rate)
        part = dt.minimum(as_step(global_step, rate, "linear_cosine_decay"), total) / total
        return _under_line(rate, part, 1.0 - part, num_periods, alpha, beta)


def noisy_linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    initial_variance: Any = 1.0,
    variance_decay: Any = 0.55,
    num_periods: Any = 0.5,
    alpha: Any = 0.0,
    beta: Any = 0.001,
    name: str | None = None,
) -> Tensor:
    """Return ``linear_cosine_decay`` with noise added to the line (Bello et al., 2017).

    The noise is normal, of variance ``initial_variance / (1 + global_step) ** variance_decay``.

    Args:
        learning_rate: the rate at step 0.
        global_step: how many steps were made.
        decay_steps: when the end is reached; the rate stays there, but for the noise.
        initial_variance: of the noise at step 0.
        variance_decay: how fast the noise wanes.
        num_periods: how often it swings.
        alpha: added to the line.
        beta: the part of the rate that is added to everything.
        name: scope of the nodes.

    Raises:
        InvalidArgumentError: ``global_step`` is ``None``.

    Example:
        >>> rate = dt.train.noisy_linear_cosine_decay(0.1, dt.train.get_or_create_global_step(), 1000)
    """
    with dt.name_scope(name or "NoisyLinearCosineDecay"):
        rate = as_rate(learning_rate, "noisy_linear_cosine_decay: learning_rate")
        total = as_number(decay_steps, rate)
        step = dt.minimum(as_step(global_step, rate, "noisy_linear_cosine_decay"), total)
        variance = as_number(initial_variance, rate) / (1.0 + step) ** as_number(variance_decay, rate)
        line = 1.0 - step / total + dt.sqrt(variance) * dt.random_normal([], dtype=rate.dtype)
        return _under_line(rate, step / total, line, num_periods, alpha, beta)


def _under_line(rate: Tensor, part: Tensor, line: Tensor, num_periods: Any, alpha: Any, beta: Any) -> Tensor:
    wave = 0.5 * (1.0 + dt.cos(2.0 * math.pi * as_number(num_periods, rate) * part))
    return rate * ((as_number(alpha, rate) + line) * wave + as_number(beta, rate))
