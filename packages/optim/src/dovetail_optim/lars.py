"""LARS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer, field
from dovetail_optim._trust import trust

__all__ = ["LARSOptimizer"]


@final
class LARSOptimizer(Optimizer):
    """Momentum whose steps are as long as the weights of the layer allow (You et al., 2017, arXiv:1708.03888).

    ``r = eeta * ||w|| / (||g|| + weight_decay * ||w|| + epsilon)``, or 1 where a norm is 0; then
    ``a = momentum * a + g + weight_decay * w`` and ``w -= learning_rate * r * a``: ``tf.contrib.opt.LARSOptimizer``. In
    the paper and in optax the rate counts into ``a``. What ``decay_filter`` spares has ``r = 1``, as what TensorFlow's
    ``skip_list`` names. The slot ``momentum`` holds ``a``.

    Args:
        learning_rate: how far to go.
        momentum: the part of the speed to keep.
        eeta: how far a layer goes in a step, as a part of its norm.
        epsilon: keeps the divisor from zero.
        weight_decay: the part of each weight that is added to its gradient.
        use_nesterov: whether to look ahead, as Nesterov's accelerated gradient does.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.LARSOptimizer(1.0, weight_decay=0.0, eeta=0.125).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(3.5)
    """

    learning_rate: Hyperparameter
    momentum: Hyperparameter = 0.9
    eeta: Hyperparameter = 0.001
    epsilon: Hyperparameter = 0.0
    weight_decay: Hyperparameter = field(default=0.0001, kw_only=True)
    use_nesterov: bool = field(default=False, kw_only=True)

    def decayed(self, value: Tensor, numbers: Numbers) -> Tensor:
        """The value as it is: the decay is part of the gradient."""
        return value

    def slots(self) -> Mapping[str, float]:
        """The speed, which begins at zero."""
        return {"momentum": 0.0}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        decay = numbers["weight_decay"]
        length, steepness = dt.norm(value), dt.norm(gradient)
        per_step = dt.select(steepness > 0.0, steepness + decay * length + numbers["epsilon"], 0.0)
        ratio = trust(numbers["eeta"] * length, per_step, numbers)
        direction = gradient + decay * value
        speed = numbers["momentum"] * slots["momentum"] + direction
        step = direction + numbers["momentum"] * speed if self.use_nesterov else speed
        return value - numbers["learning_rate"] * ratio * step, {"momentum": speed}
