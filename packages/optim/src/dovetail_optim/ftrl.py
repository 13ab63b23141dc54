"""Follow the regularized leader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer, field
from dovetail_optim._checks import at_most_zero, not_below_zero

__all__ = ["FtrlOptimizer"]


@final
class FtrlOptimizer(Optimizer):
    """Follow the regularized leader, for sparse linear models (McMahan et al., 2013).

    With ``p = -learning_rate_power``: ``n = a + g²``;
    ``z += g + 2 * l2_shrinkage * w - (n^p - a^p) / learning_rate * w``; ``a = n``; then
    ``w = (l1 * sign(z) - z) / (n^p / learning_rate + 2 * l2)`` where ``|z| > l1``, else 0. This is TensorFlow 1's. The
    slots are ``accum`` (``a``) and ``linear`` (``z``). A gradient of some rows changes these alone.

    Args:
        learning_rate: how far to go.
        learning_rate_power: how steps shrink as squares add up: -0.5 by their root, 0 not at all.
        initial_accumulator_value: where the sums of squares begin.
        l1_regularization_strength: keeps small weights at zero.
        l2_regularization_strength: pulls weights to zero in proportion.
        accum_name, linear_name: have no effect; here for TensorFlow 1 programs.
        l2_shrinkage_regularization_strength: a penalty of the size of weights that counts into the gradient, but not
            into its squares.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Raises:
        ConfigurationError: a number has the wrong sign.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.FtrlOptimizer(1.0, initial_accumulator_value=36.0).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(0.8)
    """

    learning_rate: Hyperparameter
    learning_rate_power: float = -0.5
    initial_accumulator_value: float = 0.1
    l1_regularization_strength: float = 0.0
    l2_regularization_strength: float = 0.0
    accum_name: str | None = field(default=None, kw_only=True)
    linear_name: str | None = field(default=None, kw_only=True)
    l2_shrinkage_regularization_strength: float = field(default=0.0, kw_only=True)

    rows_alone = True

    def check(self) -> None:
        """Refuse numbers of the wrong sign."""
        at_most_zero(self, "learning_rate_power")
        not_below_zero(
            self,
            "initial_accumulator_value",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
        )

    def slots(self) -> Mapping[str, float]:
        """The sums of squares, and of gradients less what weights gave."""
        return {"accum": self.initial_accumulator_value, "linear": 0.0}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        rate, l1 = numbers["learning_rate"], numbers["l1_regularization_strength"]
        squares = slots["accum"] + gradient * gradient
        before, after = self._power(slots["accum"]), self._power(squares)
        shrinkage = 2.0 * numbers["l2_shrinkage_regularization_strength"] * value
        linear = slots["linear"] + gradient + shrinkage - (after - before) / rate * value
        new = (l1 * dt.sign(linear) - linear) / (after / rate + 2.0 * numbers["l2_regularization_strength"])
        return dt.select(dt.abs(linear) > l1, new, 0.0), {"accum": squares, "linear": linear}

    def _power(self, squares: Tensor) -> Tensor:
        return dt.sqrt(squares) if self.learning_rate_power == -0.5 else squares**-self.learning_rate_power
