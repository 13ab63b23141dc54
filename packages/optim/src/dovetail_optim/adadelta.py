"""Adadelta."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer

__all__ = ["AdadeltaOptimizer"]


@final
class AdadeltaOptimizer(Optimizer):
    """Measures steps by the steps before (Zeiler, 2012).

    ``a = rho * a + (1 - rho) * g²``, ``d = sqrt(u + epsilon) / sqrt(a + epsilon) * g``,
    ``u = rho * u + (1 - rho) * d²``, ``w -= learning_rate * d``. TensorFlow 1, PyTorch and the paper agree, but for the
    default of ``learning_rate``: the paper has none, which is 1. The slots are ``accum`` (``a``) and ``accum_update``
    (``u``). A gradient of some rows changes these alone.

    Args:
        learning_rate: a factor of each step.
        rho: the part of the averages to keep.
        epsilon: keeps roots from zero, and sets the length of the first steps.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.AdadeltaOptimizer(1.0, rho=0.0, epsilon=36.0).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     round(float(session.run(w)), 4)
        -0.8
    """

    learning_rate: Hyperparameter = 0.001
    rho: Hyperparameter = 0.95
    epsilon: Hyperparameter = 1e-8

    rows_alone = True

    def slots(self) -> Mapping[str, float]:
        """Averages of the squares of gradients and of steps."""
        return {"accum": 0.0, "accum_update": 0.0}

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        rho, epsilon = numbers["rho"], numbers["epsilon"]
        squares = rho * slots["accum"] + (1.0 - rho) * gradient * gradient
        step = dt.sqrt(slots["accum_update"] + epsilon) * dt.rsqrt(squares + epsilon) * gradient
        steps = rho * slots["accum_update"] + (1.0 - rho) * step * step
        return value - numbers["learning_rate"] * step, {"accum": squares, "accum_update": steps}
