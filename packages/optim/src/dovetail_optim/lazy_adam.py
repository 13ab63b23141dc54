"""Adam for embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from dovetail import Tensor
from dovetail.extend import Hyperparameter, Numbers
from dovetail_optim._moments import MomentsOptimizer
from dovetail_optim.adam import adam

__all__ = ["LazyAdamOptimizer"]


@final
class LazyAdamOptimizer(MomentsOptimizer):
    """Adam that leaves the rows alone of which a gradient tells nothing.

    The formula is that of ``AdamOptimizer``. A gradient of some rows, as of ``embedding_lookup``, changes these rows
    and their moments; Adam decays the moments of the others too, and moves them. This is
    ``tf.contrib.opt.LazyAdamOptimizer``; the slots are ``m`` and ``v``.

    Args:
        learning_rate: about how far each weight goes in a step.
        beta1: the part of the first moment to keep.
        beta2: the part of the second moment to keep.
        epsilon: keeps the divisor from zero.
        use_locking: has no effect; here for TensorFlow 1 programs.
        name: the scope of the step.

    Example:
        >>> table = dt.Variable([[4.0], [4.0]])
        >>> loss = dt.reduce_sum(dt.gather(table, [1]) ** 2)
        >>> step = dt.train.LazyAdamOptimizer(0.5).minimize(loss)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(table)
        array([[4. ],
               [3.5]], dtype=float32)
    """

    learning_rate: Hyperparameter = 0.001
    beta1: Hyperparameter = 0.9
    beta2: Hyperparameter = 0.999
    epsilon: Hyperparameter = 1e-8

    rows_alone = True

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step."""
        return adam(gradient, value, slots, numbers)
