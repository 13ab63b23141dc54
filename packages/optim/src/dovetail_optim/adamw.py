"""Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer

__all__ = ["AdamWOptimizer"]


@final
class AdamWOptimizer(Optimizer):
    """Adam, beside which each weight decays by itself (Loshchilov and Hutter, 2019).

    ``m = beta1 * m + (1 - beta1) * g``, ``v = beta2 * v + (1 - beta2) * g²``, then ``w -= learning_rate * (m' /
    (sqrt(v') + epsilon) + weight_decay * w)``, where ``m' = m / (1 - beta1^t)`` and ``v' = v / (1 - beta2^t)``. This is
    the paper's placement of ``epsilon`` and PyTorch's ``AdamW``; ``AdamOptimizer`` has TensorFlow 1's. The decay is
    scaled by the learning rate, hence by its schedule. The slots are ``m`` and ``v``; the powers of the betas are the
    variables ``beta1_power`` and ``beta2_power``. A gradient of some rows decays the moments, and the weights, of all
    rows.

    Biases and the scales of normalisations are usually spared: make a second optimizer for them, without decay, and
    name the variables of each by ``var_list``.

    Args:
        learning_rate: about how far each weight goes in a step.
        weight_decay: the part of each weight, times the learning rate, that a step takes away.
        beta1: the part of the first moment to keep.
        beta2: the part of the second moment to keep.
        epsilon: keeps the divisor from zero.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.AdamWOptimizer(0.5, weight_decay=0.25).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(3.0)
    """

    learning_rate: Hyperparameter = 0.001
    weight_decay: Hyperparameter = 0.01
    beta1: Hyperparameter = 0.9
    beta2: Hyperparameter = 0.999
    epsilon: Hyperparameter = 1e-8

    def slots(self) -> Mapping[str, float]:
        """The moments, which begin at zero."""
        return {"m": 0.0, "v": 0.0}

    def scalars(self) -> Mapping[str, Any]:
        """The betas to the power of the step to come."""
        return {"beta1_power": self.beta1, "beta2_power": self.beta2}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        beta1, beta2, rate = numbers["beta1"], numbers["beta2"], numbers["learning_rate"]
        m = beta1 * slots["m"] + (1.0 - beta1) * gradient
        v = beta2 * slots["v"] + (1.0 - beta2) * gradient * gradient
        scale = rate / (1.0 - numbers["beta1_power"])
        root = dt.sqrt(v) * dt.rsqrt(1.0 - numbers["beta2_power"])
        kept = (1.0 - rate * numbers["weight_decay"]) * value
        return kept - scale * m / (root + numbers["epsilon"]), {"m": m, "v": v}

    def advance(self, numbers: Numbers) -> Mapping[str, Tensor]:
        """One power more."""
        return {
            "beta1_power": numbers["beta1_power"] * numbers["beta1"],
            "beta2_power": numbers["beta2_power"] * numbers["beta2"],
        }
