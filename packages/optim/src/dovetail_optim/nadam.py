"""Nadam."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers
from dovetail_optim._moments import MomentsOptimizer, moments

__all__ = ["NadamOptimizer"]


@final
class NadamOptimizer(MomentsOptimizer):
    """Adam with Nesterov's momentum (Dozat, 2016).

    With ``mu_t = beta1 * (1 - 0.5 * 0.96^(momentum_decay * t))`` and ``M_t`` the product of ``mu_1`` to ``mu_t``: ``m``
    and ``v`` are Adam's moments, ``v' = v / (1 - beta2^t)``, and
    ``w -= learning_rate * ((1 - mu_t) / (1 - M_t) * g + mu_(t+1) / (1 - M_(t+1)) * m) / (sqrt(v') + epsilon)``. This is
    Keras', in TensorFlow 1 too, and PyTorch's ``NAdam``; ``tf.contrib.opt.NadamOptimizer`` leaves the schedule of
    ``mu`` out. The slots are ``m`` and ``v``; ``M_t``, ``t`` and the power of ``beta2`` are the variables
    ``mu_product``, ``steps`` and ``beta2_power``. A gradient of some rows decays the moments of all rows.

    Args:
        learning_rate: about how far each weight goes in a step.
        beta1: the part of the first moment to keep, in the long run.
        beta2: the part of the second moment to keep.
        epsilon: keeps the divisor from zero.
        momentum_decay: how soon ``mu`` rises to ``beta1``.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.NadamOptimizer(0.5).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     round(float(session.run(w)), 4)
        3.4718
    """

    learning_rate: Hyperparameter = 0.001
    beta1: Hyperparameter = 0.9
    beta2: Hyperparameter = 0.999
    epsilon: Hyperparameter = 1e-8
    momentum_decay: Hyperparameter = 0.004

    def scalars(self) -> Mapping[str, Any]:
        """The number of the step to come, the product before it, and the power."""
        return {"steps": 1.0, "mu_product": 1.0, "beta2_power": self.beta2}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        kept = moments(gradient, slots, numbers)
        now, then = self._schedule(numbers), self._schedule(numbers, 1.0)
        product = numbers["mu_product"] * now
        rate, decay = numbers["learning_rate"], 1.0 - numbers["beta2_power"]
        direction = (1.0 - now) / (1.0 - product) * gradient + then / (1.0 - product * then) * kept["m"]
        return value - rate * direction / (dt.sqrt(kept["v"]) * dt.rsqrt(decay) + numbers["epsilon"]), kept

    def advance(self, numbers: Numbers) -> Mapping[str, Tensor]:
        """One step, one factor and one power more."""
        return {
            "steps": numbers["steps"] + 1.0,
            "mu_product": numbers["mu_product"] * self._schedule(numbers),
            "beta2_power": numbers["beta2_power"] * numbers["beta2"],
        }

    def _schedule(self, numbers: Numbers, later: float = 0.0) -> Tensor:
        waning = dt.exp(math.log(0.96) * numbers["momentum_decay"] * (numbers["steps"] + later))
        return numbers["beta1"] * (1.0 - 0.5 * waning)
