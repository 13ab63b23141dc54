"""Proximal Adagrad."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer
from dovetail_optim._checks import above_zero, not_below_zero
from dovetail_optim._proximal import proximal

__all__ = ["ProximalAdagradOptimizer"]


@final
class ProximalAdagradOptimizer(Optimizer):
    """Adagrad with regularisation in closed form (Duchi and Singer, 2009, FOBOS).

    ``a = a + g²``, ``r = learning_rate / sqrt(a)``, ``p = w - r * g``, then
    ``w = sign(p) * max(|p| - r * l1, 0) / (1 + r * l2)``, TensorFlow 1's. The slot ``accumulator`` holds ``a``. A
    gradient of some rows changes these alone.

    Args:
        learning_rate: how far to go.
        initial_accumulator_value: where the sums of squares begin; above zero.
        l1_regularization_strength: pulls weights to zero, and keeps the small ones there.
        l2_regularization_strength: pulls weights to zero in proportion.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Raises:
        ConfigurationError: the first value is not above zero, or a strength is below.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.ProximalAdagradOptimizer(2.5, 36.0, 2.0).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(1.5)
    """

    learning_rate: Hyperparameter
    initial_accumulator_value: float = 0.1
    l1_regularization_strength: float = 0.0
    l2_regularization_strength: float = 0.0

    rows_alone = True

    def check(self) -> None:
        """Refuse sums by whose root no step could be divided, and negative strengths."""
        above_zero(self, "initial_accumulator_value")
        not_below_zero(self, "l1_regularization_strength", "l2_regularization_strength")

    def slots(self) -> Mapping[str, float]:
        """The sum of squares."""
        return {"accumulator": self.initial_accumulator_value}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        l1, l2 = numbers["l1_regularization_strength"], numbers["l2_regularization_strength"]
        total = slots["accumulator"] + gradient * gradient
        rate = numbers["learning_rate"] * dt.rsqrt(total)
        new = proximal(value - rate * gradient, rate, l1, l2, self.l1_regularization_strength > 0.0)
        return new, {"accumulator": total}
