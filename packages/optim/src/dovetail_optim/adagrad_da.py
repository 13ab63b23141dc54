"""Adagrad with dual averaging."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer
from dovetail_optim._checks import above_zero, not_below_zero
from dovetail_optim._proximal import shrink

__all__ = ["AdagradDAOptimizer"]


@final
class AdagradDAOptimizer(Optimizer):
    """Adagrad by dual averaging, for sparse linear models (Duchi, Hazan and Singer, 2011, section 1.2).

    ``s = s + g``, ``a = a + g²``, then ``w = -learning_rate * shrink(s, l1 * t) / (l2 * t * learning_rate + sqrt(a))``,
    where ``t`` is the number of the step, ``global_step + 1``, and ``shrink(s, c) = sign(s) * max(|s| - c, 0)``. This
    is TensorFlow 1's; a weight's first value is forgotten at the first step. The slots are ``gradient_accumulator``
    (``s``) and ``gradient_squared_accumulator`` (``a``). A gradient of some rows changes these alone.

    Args:
        learning_rate: how far to go.
        global_step: how many steps were made; pass it to ``minimize`` too, so that it rises.
        initial_gradient_squared_accumulator_value: where the sums of squares begin; above zero.
        l1_regularization_strength: pulls weights to zero, and keeps the small ones there.
        l2_regularization_strength: pulls weights to zero in proportion.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Raises:
        ConfigurationError: the first value is not above zero.

    Example:
        >>> w, count = dt.Variable(4.0), dt.train.get_or_create_global_step()
        >>> step = dt.train.AdagradDAOptimizer(1.0, count, 36.0).minimize(w * w, count)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(-0.8)
    """

    learning_rate: Hyperparameter
    global_step: Hyperparameter
    initial_gradient_squared_accumulator_value: float = 0.1
    l1_regularization_strength: float = 0.0
    l2_regularization_strength: float = 0.0

    rows_alone = True

    def check(self) -> None:
        """Refuse sums by whose root no step could be divided, and negative strengths."""
        above_zero(self, "initial_gradient_squared_accumulator_value")
        not_below_zero(self, "l1_regularization_strength", "l2_regularization_strength")

    def slots(self) -> Mapping[str, float]:
        """The sums of gradients and of their squares."""
        return {
            "gradient_accumulator": 0.0,
            "gradient_squared_accumulator": self.initial_gradient_squared_accumulator_value,
        }

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        rate, t = numbers["learning_rate"], numbers["global_step"] + 1.0
        total = slots["gradient_accumulator"] + gradient
        squares = slots["gradient_squared_accumulator"] + gradient * gradient
        shrunk = shrink(total, numbers["l1_regularization_strength"] * t) if self.l1_regularization_strength else total
        new = -rate * shrunk / (numbers["l2_regularization_strength"] * t * rate + dt.sqrt(squares))
        return new, {"gradient_accumulator": total, "gradient_squared_accumulator": squares}
