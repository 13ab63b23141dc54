"""Stochastic weight averaging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import dovetail as dt
from dovetail import Operation, Variable
from dovetail_optim._averaging import AveragingOptimizer
from dovetail_optim._checks import not_below_zero, whole

__all__ = ["SWAOptimizer"]


@final
class SWAOptimizer(AveragingOptimizer):
    """Keeps the mean of the weights at the ends of periods (Izmailov et al., 2018, arXiv:1803.05407).

    From the step ``start_averaging`` on, after each ``average_period`` steps, ``a = a + (w - a) / n``, where ``n``
    counts the weights in the mean. With a period of 1 this is Polyak's averaging. The slot ``average`` holds ``a``; the
    variables ``swa_steps`` and ``swa_count`` hold the number of steps and ``n``. For use, run
    ``assign_average_vars()``, or ``swap_average_vars()`` before and after an evaluation, or save by
    ``swapping_saver()``. Moving averages of batch normalisation belong to the weights as they were: run some batches
    through the layers anew.

    Args:
        optimizer: the optimizer that makes the step.
        start_averaging: after how many steps the mean begins.
        average_period: the number of steps from one weight in the mean to the next.
        name: the scope of the step, and the last part of the names of its slots.

    Raises:
        ConfigurationError: a number is too small, ``optimizer`` is none, or decay of weights is given here.

    Example:
        >>> w = dt.Variable(4.0)
        >>> optimizer = dt.train.SWAOptimizer(dt.train.GradientDescentOptimizer(1.0), 0, 1)
        >>> step = optimizer.minimize(w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(step)
        ...     session.run([w, optimizer.average(w)])
        [np.float32(2.0), np.float32(2.5)]
    """

    start_averaging: int = 0
    average_period: int = 10

    def check(self) -> None:
        """Refuse a negative start, and a period of no step."""
        super().check()
        not_below_zero(self, "start_averaging")
        whole(self, "average_period")

    def scalars(self) -> Mapping[str, float]:
        """How many steps were made, and how many weights are in the mean."""
        return {"swa_steps": 0.0, "swa_count": 0.0}

    def updates(self, pairs: Sequence[tuple[Any, Variable]]) -> list[Operation]:
        """Let the other make a step, and take the weights into the mean when their turn comes."""
        done = self.optimizer.make_updates(pairs)
        scalars = self.make_scalars([variable for _, variable in pairs])
        steps = scalars["swa_steps"] + 1.0
        since = steps - float(self.start_averaging)
        turn = dt.logical_and(since > 0.0, dt.equal(dt.mod(since, float(self.average_period)), 0.0))
        count = dt.select(turn, scalars["swa_count"] + 1.0, scalars["swa_count"])
        part = dt.select(turn, 1.0 / dt.maximum(count, 1.0), 0.0)
        for _, variable in pairs:
            kept = self.make_slot(variable, "average", self.slots_for(variable)["average"])
            new = kept + dt.cast(part, kept.dtype) * (dt.cast(variable, kept.dtype) - kept)
            done.append(kept.assign(new).op)
        return [*done, scalars["swa_steps"].assign(steps).op, scalars["swa_count"].assign(count).op]
