"""Lion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer

__all__ = ["LionOptimizer"]


@final
class LionOptimizer(Optimizer):
    """Steps of one length, by the sign of a momentum (Chen et al., 2023, arXiv:2302.06675).

    ``w -= learning_rate * sign(beta1 * m + (1 - beta1) * g)``, then ``m = beta2 * m + (1 - beta2) * g``: the paper's,
    Keras' and optax'. The slot ``momentum`` holds ``m``. The paper decays weights; give ``weight_decay``. A gradient of
    some rows decays the momentum of all rows, and moves them.

    Args:
        learning_rate: how far each weight goes in a step; a tenth of what suits Adam.
        beta1: the part of the momentum in the direction.
        beta2: the part of the momentum to keep.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.LionOptimizer(0.5).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(3.5)
    """

    learning_rate: Hyperparameter = 1e-4
    beta1: Hyperparameter = 0.9
    beta2: Hyperparameter = 0.99

    def slots(self) -> Mapping[str, float]:
        """The momentum, which begins at zero."""
        return {"momentum": 0.0}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        momentum, beta1, beta2 = slots["momentum"], numbers["beta1"], numbers["beta2"]
        direction = dt.sign(beta1 * momentum + (1.0 - beta1) * gradient)
        return value - numbers["learning_rate"] * direction, {"momentum": beta2 * momentum + (1.0 - beta2) * gradient}
