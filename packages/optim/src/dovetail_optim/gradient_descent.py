"""Gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import dovetail as dt
from dovetail import IndexedSlices, Tensor
from dovetail.extend import Hyperparameter, Numbers, Optimizer

__all__ = ["GradientDescentOptimizer"]


@final
class GradientDescentOptimizer(Optimizer):
    """Steps against the gradient: ``w -= learning_rate * g``.

    Args:
        learning_rate: how far to go.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> w = dt.Variable(4.0)
        >>> step = dt.train.GradientDescentOptimizer(0.25).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(2.0)
    """

    learning_rate: Hyperparameter

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        return value - numbers["learning_rate"] * gradient, {}

    def update_sparse(
        self, gradient: IndexedSlices, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step of some rows, without a dense gradient in between."""
        return dt.scatter_add_rows(value, gradient.indices, -numbers["learning_rate"] * gradient.values), {}
