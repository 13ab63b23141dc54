"""Adamax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer

__all__ = ["AdamaxOptimizer"]


@final
class AdamaxOptimizer(Optimizer):
    """Adam whose second moment is a running maximum (Kingma and Ba, 2015, section 7.1).

    ``m = beta1 * m + (1 - beta1) * g``, ``v = max(beta2 * v, |g|)``,
    ``w -= learning_rate / (1 - beta1^t) * m / (v + epsilon)``: TensorFlow 1's (``tf.contrib.opt.AdaMaxOptimizer``,
    Keras). PyTorch adds ``epsilon`` to ``|g|`` instead. The slots are ``m`` and ``v``; the power of ``beta1`` is the
    variable ``beta1_power``. A gradient of some rows changes these alone.

    Args:
        learning_rate: about how far each weight goes in a step.
        beta1: the part of the first moment to keep.
        beta2: the part of the maximum to keep.
        epsilon: keeps the divisor from zero.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.AdamaxOptimizer(0.5).minimize(w * w)
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

    rows_alone = True

    def slots(self) -> Mapping[str, float]:
        """The average and the maximum, which begin at zero."""
        return {"m": 0.0, "v": 0.0}

    def scalars(self) -> Mapping[str, Any]:
        """The power of ``beta1`` of the step to come."""
        return {"beta1_power": self.beta1}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        m = numbers["beta1"] * slots["m"] + (1.0 - numbers["beta1"]) * gradient
        v = dt.maximum(numbers["beta2"] * slots["v"], dt.abs(gradient))
        rate = numbers["learning_rate"] / (1.0 - numbers["beta1_power"])
        return value - rate * m / (v + numbers["epsilon"]), {"m": m, "v": v}

    def advance(self, numbers: Numbers) -> Mapping[str, Tensor]:
        """One power more."""
        return {"beta1_power": numbers["beta1_power"] * numbers["beta1"]}
