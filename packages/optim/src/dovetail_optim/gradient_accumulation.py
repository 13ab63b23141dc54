"""Gradients of several batches for one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import dovetail as dt
from dovetail import Operation, Tensor, Variable
from dovetail.extend import DType
from dovetail_optim._checks import whole
from dovetail_optim._wrapper import OptimizerWrapper

__all__ = ["GradientAccumulationOptimizer"]


@final
class GradientAccumulationOptimizer(OptimizerWrapper):
    """Adds up the gradients of several batches, and lets an optimizer make a step along their mean.

    Of ``steps`` runs, all but the last only add their gradients to the slot ``gradients``; the last makes the step, and
    raises the global step. So a schedule counts steps of the optimizer, not batches. What the layers keep, such as
    moving averages, changes in every run. The variable ``accumulated`` counts the runs since the step. A gradient of
    some rows becomes a dense one.

    Args:
        optimizer: the optimizer that makes the step.
        steps: the number of batches.
        average: whether to step along the mean, not the sum.
        name: the scope of the step, and the last part of the names of its slots.

    Raises:
        ConfigurationError: ``steps`` is below 1, ``optimizer`` is none, or decay is given here.

    Example:
        >>> w = dt.Variable(4.0)
        >>> within = dt.train.GradientDescentOptimizer(0.25)
        >>> step = dt.train.GradientAccumulationOptimizer(within, steps=2).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     for _ in range(3):
        ...         session.run(step)
        ...         print(session.run(w))
        4.0
        2.0
        2.0
    """

    steps: int
    average: bool = True

    def check(self) -> None:
        """Refuse fewer than one batch."""
        super().check()
        whole(self, "steps")

    def slots(self) -> Mapping[str, float]:
        """The sum of the gradients since the last step."""
        return {"gradients": 0.0}

    def scalars(self) -> Mapping[str, float]:
        """How many gradients the sum has."""
        return {"accumulated": 0.0}

    def updates(self, pairs: Sequence[tuple[Any, Variable]]) -> list[Operation]:
        """Add gradients up, and make the step when there are enough."""
        variables = [variable for _, variable in pairs]
        sums = [self.make_slot(one, "gradients", 0.0) for one in variables]
        count = self.make_scalars(variables)["accumulated"]
        totals = [kept + dt.cast(gradient, kept.dtype) for kept, (gradient, _) in zip(sums, pairs, strict=True)]
        full = count + 1.0 >= float(self.steps)

        def step() -> Operation:
            scale = 1.0 / self.steps if self.average else 1.0
            means = [dt.cast(total * scale, one.dtype) for total, one in zip(totals, variables, strict=True)]
            return dt.group(*self.optimizer.make_updates(list(zip(means, variables, strict=True))))

        done = [dt.cond(full, step, dt.no_op).op]
        for kept, total in zip(sums, totals, strict=True):
            done.append(kept.assign(dt.select(full, 0.0, total)).op)
        return [*done, count.assign(dt.select(full, 0.0, count + 1.0)).op]

    def steps_made(self, dtype: DType) -> Tensor:
        """One where this run made the step, else zero."""
        count = self.make_scalars([])["accumulated"]
        made: Tensor = dt.cast(dt.equal(count, 0.0), dtype)
        return made
