"""Running averages of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import dovetail as dt
from dovetail import Operation, Variable
from dovetail_optim._averaging import AveragingOptimizer
from dovetail_optim.exponential_moving_average import kept_part

__all__ = ["MovingAverageOptimizer"]


@final
class MovingAverageOptimizer(AveragingOptimizer):
    """Keeps a running average of the weights that an optimizer changes (Polyak and Juditsky, 1992).

    After each step, ``a = decay * a + (1 - decay) * w``; with ``num_updates``, ``decay`` is at most
    ``(1 + num_updates) / (10 + num_updates)``, so that early weights are forgotten sooner. This is
    ``tf.contrib.opt.MovingAverageOptimizer``. The slot ``average`` holds ``a``, which begins where the weights do. For
    use, run ``assign_average_vars()``, or ``swap_average_vars()`` before and after an evaluation, or save by
    ``swapping_saver()``.

    Args:
        optimizer: the optimizer that makes the step.
        average_decay: the part of the average to keep.
        num_updates: how many steps were made, such as the global step.
        name: the scope of the step, and the last part of the names of its slots.

    Raises:
        ConfigurationError: ``optimizer`` is none, or decay of weights is given here.

    Example:
        >>> w = dt.Variable(4.0)
        >>> optimizer = dt.train.MovingAverageOptimizer(dt.train.GradientDescentOptimizer(1.0), average_decay=0.5)
        >>> step = optimizer.minimize(w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run([w, optimizer.average(w)])
        [np.float32(3.0), np.float32(3.5)]
    """

    average_decay: float = 0.9999
    num_updates: Any = None

    def updates(self, pairs: Sequence[tuple[Any, Variable]]) -> list[Operation]:
        """Let the other make a step, and average."""
        done = self.optimizer.make_updates(pairs)
        for _, variable in pairs:
            kept = self.make_slot(variable, "average", self.slots_for(variable)["average"])
            decay = kept_part(self.average_decay, self.num_updates, kept.dtype)
            new = decay * kept + (1.0 - decay) * dt.cast(variable, kept.dtype)
            done.append(kept.assign(new).op)
        return done
