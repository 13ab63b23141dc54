"""Gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer, field

__all__ = ["MomentumOptimizer"]


@final
class MomentumOptimizer(Optimizer):
    """Gradient descent that keeps part of its speed (Polyak, 1964).

    ``a = momentum * a + g``, then ``w -= learning_rate * a``; with ``use_nesterov``, ``w -= learning_rate * (g +
    momentum * a)`` (Sutskever et al., 2013). The slot ``momentum`` holds ``a``. A
    gradient of some rows changes these, and their speed, alone.

    Args:
        learning_rate: how far to go.
        momentum: the part of the speed to keep, such as 0.9.
        use_nesterov: whether to look ahead, as Nesterov's accelerated gradient does.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.MomentumOptimizer(0.25, 0.5, use_nesterov=True).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(1.0)
    """

    learning_rate: Hyperparameter
    momentum: Hyperparameter
    use_nesterov: bool = field(default=False, kw_only=True)

    rows_alone = True

    def slots(self) -> Mapping[str, float]:
        """The speed, which begins at zero."""
        return {"momentum": 0.0}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        speed = numbers["momentum"] * slots["momentum"] + gradient
        direction = gradient + numbers["momentum"] * speed if self.use_nesterov else speed
        return value - numbers["learning_rate"] * direction, {"momentum": speed}
