"""Adagrad."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer
from dovetail_optim._checks import above_zero

__all__ = ["AdagradOptimizer"]


@final
class AdagradOptimizer(Optimizer):
    """Divides the gradient by the root of the sum of its squares so far (Duchi, Hazan and Singer, 2011).

    ``a = a + g²``, ``w -= learning_rate * g / sqrt(a)``, where ``a`` begins at ``initial_accumulator_value``:
    TensorFlow 1's form. PyTorch begins at 0 and adds ``epsilon`` to the root. The slot ``accumulator`` holds ``a``.

    Args:
        learning_rate: how far to go.
        initial_accumulator_value: where the sums begin; above zero.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Raises:
        ConfigurationError: ``initial_accumulator_value`` is not above zero.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.AdagradOptimizer(1.0, initial_accumulator_value=36.0).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(3.2)
    """

    learning_rate: Hyperparameter
    initial_accumulator_value: float = 0.1

    rows_alone = True

    def check(self) -> None:
        """Refuse sums by whose root no step could be divided."""
        above_zero(self, "initial_accumulator_value")

    def slots(self) -> Mapping[str, float]:
        """The sum of squares."""
        return {"accumulator": self.initial_accumulator_value}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        total = slots["accumulator"] + gradient * gradient
        return value - numbers["learning_rate"] * gradient * dt.rsqrt(total), {"accumulator": total}
