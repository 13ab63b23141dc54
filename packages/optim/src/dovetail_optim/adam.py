"""Adam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer

__all__ = ["AdamOptimizer"]


@final
class AdamOptimizer(Optimizer):
    """Steps by estimates of the gradient's first two moments (Kingma and Ba, 2015, the form before section 2.1).

    ``m = beta1 * m + (1 - beta1) * g``, ``v = beta2 * v + (1 - beta2) * g²``, then
    ``w -= learning_rate * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)``. This is TensorFlow 1's
    placement of ``epsilon``; the paper's own corresponds to ``epsilon * sqrt(1 - beta2^t)``. The slots are ``m`` and
    ``v``; the powers of the betas are the variables ``beta1_power`` and ``beta2_power``. A gradient of some rows
    decays the moments of all rows.

    Args:
        learning_rate: about how far each weight goes in a step.
        beta1: the part of the first moment to keep.
        beta2: the part of the second moment to keep.
        epsilon: keeps the divisor from zero.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.AdamOptimizer(0.5).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(3.5)
    """

    learning_rate: Hyperparameter = 0.001
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
        beta1, beta2 = numbers["beta1"], numbers["beta2"]
        m = beta1 * slots["m"] + (1.0 - beta1) * gradient
        v = beta2 * slots["v"] + (1.0 - beta2) * gradient * gradient
        rate = numbers["learning_rate"] * dt.sqrt(1.0 - numbers["beta2_power"]) / (1.0 - numbers["beta1_power"])
        return value - rate * m / (dt.sqrt(v) + numbers["epsilon"]), {"m": m, "v": v}

    def advance(self, numbers: Numbers) -> Mapping[str, Tensor]:
        """One power more."""
        return {
            "beta1_power": numbers["beta1_power"] * numbers["beta1"],
            "beta2_power": numbers["beta2_power"] * numbers["beta2"],
        }
