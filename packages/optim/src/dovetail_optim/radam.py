"""Rectified Adam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers
from dovetail_optim._moments import MomentsOptimizer, moments

__all__ = ["RAdamOptimizer"]


@final
class RAdamOptimizer(MomentsOptimizer):
    """Adam that divides by the second moment once it can be trusted (Liu et al., 2020, arXiv:1908.03265).

    ``m`` and ``v`` are Adam's moments, ``m' = m / (1 - beta1^t)``, ``v' = v / (1 - beta2^t)``. With
    ``p = 2 / (1 - beta2) - 1`` and ``r = p - 2 * t * beta2^t / (1 - beta2^t)``: where ``r > 5``,
    ``w -= learning_rate * sqrt((r - 4) * (r - 2) * p / ((p - 4) * (p - 2) * r)) * m' / sqrt(v')``, else
    ``w -= learning_rate * m'``. ``epsilon`` is added to the root of ``v``, as in PyTorch's ``RAdam``. The slots are
    ``m`` and ``v``; ``t`` and the powers of the betas are the variables ``steps``, ``beta1_power`` and ``beta2_power``.
    A gradient of some rows decays the moments of all rows.

    Args:
        learning_rate: about how far each weight goes in a step.
        beta1: the part of the first moment to keep.
        beta2: the part of the second moment to keep.
        epsilon: keeps the divisor from zero.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.RAdamOptimizer(0.125).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     round(float(session.run(w)), 4)
        3.0
    """

    learning_rate: Hyperparameter = 0.001
    beta1: Hyperparameter = 0.9
    beta2: Hyperparameter = 0.999
    epsilon: Hyperparameter = 1e-8

    def scalars(self) -> Mapping[str, Any]:
        """The number of the step to come, and the betas to its power."""
        return {"steps": 1.0, **super().scalars()}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        kept = moments(gradient, slots, numbers)
        mean = kept["m"] / (1.0 - numbers["beta1_power"])
        left = 1.0 - numbers["beta2_power"]
        most = 2.0 / (1.0 - numbers["beta2"]) - 1.0
        length = most - 2.0 * numbers["steps"] * numbers["beta2_power"] / left
        trusted = length > 5.0
        safe = dt.select(trusted, length, 6.0)
        scale = (safe - 4.0) * (safe - 2.0) * most / ((most - 4.0) * (most - 2.0) * safe)
        divided = dt.sqrt(scale * left) * mean / (dt.sqrt(kept["v"]) + numbers["epsilon"])
        return value - numbers["learning_rate"] * dt.select(trusted, divided, mean), kept

    def advance(self, numbers: Numbers) -> Mapping[str, Tensor]:
        """One step and one power more."""
        return {"steps": numbers["steps"] + 1.0, **super().advance(numbers)}
