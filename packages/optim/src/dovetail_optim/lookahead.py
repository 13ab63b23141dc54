"""Lookahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import dovetail as dt
from dovetail import Operation, Variable
from dovetail_optim._checks import whole
from dovetail_optim._wrapper import OptimizerWrapper, first_value

__all__ = ["LookaheadOptimizer"]


@final
class LookaheadOptimizer(OptimizerWrapper):
    """Lets an optimizer run ahead, and follows it part of the way (Zhang et al., 2019, arXiv:1907.08610).

    After every ``sync_period`` steps, ``s = s + slow_step_size * (w - s)`` and ``w = s``: the paper's, TensorFlow
    Addons' and optax'. The slot ``slow`` holds ``s``, which begins where the weights do; the variable
    ``lookahead_steps`` counts the steps since.

    Args:
        optimizer: the optimizer that runs ahead.
        sync_period: the number of its steps.
        slow_step_size: the part of the way.
        name: the scope of the step, and the last part of the names of its slots.

    Raises:
        ConfigurationError: ``sync_period`` is below 1, ``optimizer`` is none, or decay is given here.

    Example:
        >>> w = dt.Variable(4.0)
        >>> ahead = dt.train.GradientDescentOptimizer(1.0)
        >>> step = dt.train.LookaheadOptimizer(ahead, sync_period=2, slow_step_size=0.5).minimize(w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     for _ in range(4):
        ...         session.run(step)
        ...         print(session.run(w))
        3.0
        3.0
        2.0
        2.0
    """

    sync_period: int = 6
    slow_step_size: float = 0.5

    def check(self) -> None:
        """Refuse a period of no step."""
        super().check()
        whole(self, "sync_period")

    def slots(self) -> Mapping[str, Any]:
        """The weights that follow."""
        return {"slow": 0.0}

    def slots_for(self, variable: Variable) -> Mapping[str, Any]:
        """The weights that follow begin where the others do."""
        return {"slow": first_value(variable)}

    def scalars(self) -> Mapping[str, float]:
        """How many steps were made since the two met."""
        return {"lookahead_steps": 0.0}

    def updates(self, pairs: Sequence[tuple[Any, Variable]]) -> list[Operation]:
        """Let the other make a step, and meet it when the period is over."""
        done = self.optimizer.make_updates(pairs)
        variables = [variable for _, variable in pairs]
        count = self.make_scalars(variables)["lookahead_steps"]
        risen = count + 1.0
        over = risen >= float(self.sync_period)
        for variable in variables:
            slow = self.make_slot(variable, "slow", first_value(variable))
            fast = dt.cast(variable, slow.dtype)
            met = slow + self.slow_step_size * (fast - slow)
            done.append(slow.assign(dt.select(over, met, slow)).op)
            done.append(variable.assign(dt.cast(dt.select(over, met, fast), variable.dtype)).op)
        return [*done, count.assign(dt.select(over, 0.0, risen)).op]
