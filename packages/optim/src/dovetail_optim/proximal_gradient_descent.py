"""Proximal gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer
from dovetail_optim._checks import not_below_zero
from dovetail_optim._proximal import proximal

__all__ = ["ProximalGradientDescentOptimizer"]


@final
class ProximalGradientDescentOptimizer(Optimizer):
    """Gradient descent with regularisation in closed form (Duchi and Singer, 2009, FOBOS).

    ``p = w - learning_rate * g``, then ``w = sign(p) * max(|p| - learning_rate * l1, 0) / (1 + learning_rate * l2)``,
    TensorFlow 1's. A gradient of some rows changes these alone.

    Args:
        learning_rate: how far to go.
        l1_regularization_strength: pulls weights to zero, and keeps the small ones there.
        l2_regularization_strength: pulls weights to zero in proportion.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Raises:
        ConfigurationError: a strength is below zero.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.ProximalGradientDescentOptimizer(0.25, 2.0, 4.0).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(0.75)
    """

    learning_rate: Hyperparameter
    l1_regularization_strength: float = 0.0
    l2_regularization_strength: float = 0.0

    rows_alone = True

    def check(self) -> None:
        """Refuse negative strengths."""
        not_below_zero(self, "l1_regularization_strength", "l2_regularization_strength")

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        l1, l2 = numbers["l1_regularization_strength"], numbers["l2_regularization_strength"]
        rate = numbers["learning_rate"]
        return proximal(value - rate * gradient, rate, l1, l2, self.l1_regularization_strength > 0.0), {}
