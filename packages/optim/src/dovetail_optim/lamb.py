"""LAMB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers
from dovetail_optim._moments import MomentsOptimizer, moments
from dovetail_optim._trust import trust

__all__ = ["LAMBOptimizer"]


@final
class LAMBOptimizer(MomentsOptimizer):
    """Adam whose steps are as long as the weights of the layer allow (You et al., 2020, arXiv:1904.00962).

    ``m`` and ``v`` are Adam's moments,
    ``u = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay * w``, ``w -= learning_rate * r * u``,
    where ``r = ||w|| / ||u||``, or 1 where either is 0. This is the paper's with the identity for phi, Keras' and
    optax'. What ``decay_filter`` spares has ``r = 1`` too. The slots are ``m`` and ``v``; the powers of the betas are
    the variables ``beta1_power`` and ``beta2_power``. A gradient of some rows moves all rows.

    Args:
        learning_rate: how far each layer goes in a step, as a part of its norm.
        beta1: the part of the first moment to keep.
        beta2: the part of the second moment to keep.
        epsilon: keeps the divisor from zero.
        weight_decay: the part of each weight in the direction.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.LAMBOptimizer(0.125).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(3.5)
    """

    learning_rate: Hyperparameter = 0.001
    beta1: Hyperparameter = 0.9
    beta2: Hyperparameter = 0.999
    epsilon: Hyperparameter = 1e-6

    def decayed(self, value: Tensor, numbers: Numbers) -> Tensor:
        """The value as it is: the decay is part of the direction, whose norm counts."""
        return value

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        kept = moments(gradient, slots, numbers)
        root = dt.sqrt(kept["v"]) * dt.rsqrt(1.0 - numbers["beta2_power"])
        direction = kept["m"] / (1.0 - numbers["beta1_power"]) / (root + numbers["epsilon"])
        direction = direction + numbers["weight_decay"] * value
        ratio = trust(dt.norm(value), dt.norm(direction), numbers)
        return value - numbers["learning_rate"] * ratio * direction, kept
