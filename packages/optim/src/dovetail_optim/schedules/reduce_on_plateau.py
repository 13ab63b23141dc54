"""A rate that is lowered when a metric no longer gets better."""

from __future__ import annotations

import math
from typing import Any, final

import dovetail as dt
from dovetail import Operation, Variable
from dovetail.errors import InvalidArgumentError

__all__ = ["ReduceLROnPlateau"]


@final
class ReduceLROnPlateau:
    """A learning rate that falls by a factor when a metric has not got better for a while.

    The rules are those of PyTorch's ``ReduceLROnPlateau``. The rate, the best value, and the numbers of bad values and
    of values to wait for are variables, so that a checkpoint has them. Give ``learning_rate`` to an optimizer, and call
    ``step`` with the metric whenever it was measured, such as once an epoch.

    Args:
        learning_rate: the first rate.
        mode: ``"min"`` where less is better, ``"max"`` where more is.
        factor: what the rate is multiplied by, below 1.
        patience: how many values without improvement are borne.
        threshold: by how much a value must be better to count.
        threshold_mode: ``"rel"`` where that is a part of the best value, ``"abs"`` where it is a difference.
        cooldown: after how many values, once the rate fell, bad ones count again.
        min_lr: the lowest rate.
        eps: the least change of the rate.
        name: the scope of the variables.

    Attributes:
        learning_rate: the variable that holds the rate.

    Raises:
        InvalidArgumentError: an argument has no such value.

    Example:
        >>> w = dt.Variable(4.0)
        >>> schedule = dt.train.ReduceLROnPlateau(0.5, factor=0.5, patience=0)
        >>> train = dt.train.GradientDescentOptimizer(schedule.learning_rate).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     [schedule.step(loss, session) for loss in (1.0, 0.5, 0.7)]
        [0.5, 0.5, 0.25]
    """

    def __init__(
        self,
        learning_rate: float,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
        name: str = "plateau",
    ) -> None:
        """Make the variables."""
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise InvalidArgumentError(
                f"ReduceLROnPlateau: mode is {mode!r}, threshold_mode {threshold_mode!r}; choose 'min' or 'max', and "
                "'rel' or 'abs'."
            )
        if not 0.0 < factor < 1.0:
            raise InvalidArgumentError(f"ReduceLROnPlateau: factor is {factor}; it must lie between 0 and 1.")
        self._rules = mode == "min", factor, patience, threshold, threshold_mode == "rel", cooldown, min_lr, eps
        with dt.name_scope(name):
            self.learning_rate = _state(learning_rate, "learning_rate")
            self._best = _state(math.inf if mode == "min" else -math.inf, "best")
            self._bad = _state(0.0, "bad")
            self._waiting = _state(0.0, "waiting")
            self._metric = dt.placeholder(dt.float32, [], name="metric")
            self._update = self.update(self._metric)

    def update(self, metric: Any) -> Operation:
        """Return an operation that takes a value of the metric, a scalar tensor, into account."""
        less, factor, patience, threshold, relative, cooldown, lowest, eps = self._rules
        with dt.name_scope("update"):
            value = dt.cast(metric, dt.float32)
            best, rate = self._best.value(), self.learning_rate.value()
            if relative:
                limit = best * (1.0 - threshold if less else 1.0 + threshold)
            else:
                limit = best - threshold if less else best + threshold
            better = value < limit if less else value > limit
            waiting = self._waiting.value()
            waits = waiting > 0.0
            bad = dt.select(dt.logical_or(better, waits), 0.0, self._bad + 1.0)
            falls = bad > float(patience)
            lower = dt.maximum(rate * factor, lowest)
            return dt.group(
                self._best.assign(dt.select(better, value, best)),
                self._bad.assign(dt.select(falls, 0.0, bad)),
                self._waiting.assign(dt.select(falls, float(cooldown), dt.maximum(waiting - 1.0, 0.0))),
                self.learning_rate.assign(dt.select(dt.logical_and(falls, rate - lower > eps), lower, rate)),
            )

    def step(self, metric: float, session: Any = None) -> float:
        """Take a value of the metric into account, in the session given or the default one, and return the rate."""
        chosen = dt.get_default_session() if session is None else session
        if chosen is None:
            raise InvalidArgumentError("ReduceLROnPlateau.step: there is no default session; give one.")
        chosen.run(self._update, {self._metric: metric})
        return float(chosen.run(self.learning_rate))


def _state(first: float, name: str) -> Variable:
    return dt.Variable(first, trainable=False, dtype=dt.float32, name=name)
