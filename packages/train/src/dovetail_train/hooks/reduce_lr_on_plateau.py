"""``ReduceLROnPlateauHook``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import dovetail as dt
from dovetail_train.hooks._monitor import Monitor
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues

__all__ = ["ReduceLROnPlateauHook"]


@final
class ReduceLROnPlateauHook(SessionRunHook):
    """Lowers a learning rate when a number no longer gets better.

    Args:
        schedule: a ``dt.train.ReduceLROnPlateau``, whose ``learning_rate`` an optimizer has. It says when and by how
            much; checkpoints hold what it has seen.
        monitor: a tensor of one number, or its name, computed in the step itself; or a function of the session that
            returns a number, such as the loss on other data.
        every_n_steps: look after so many steps.
        name: what its state is called in checkpoints.

    Raises:
        InvalidArgumentError: ``every_n_steps`` is not positive.

    Example:
        >>> x = dt.Variable(4.0, name="x")
        >>> schedule = dt.train.ReduceLROnPlateau(1.0, factor=0.1, patience=0)
        >>> train = dt.train.GradientDescentOptimizer(schedule.learning_rate).minimize(dt.abs(x - 0.5))
        >>> hook = dt.train.ReduceLROnPlateauHook(schedule, dt.abs(x - 0.5), every_n_steps=1)
        >>> with dt.train.MonitoredSession(hooks=[hook]) as session:
        ...     for _ in range(9):
        ...         rate, _ = session.run([schedule.learning_rate, train])
        >>> bool(rate < 0.2)
        True
    """

    def __init__(
        self,
        schedule: dt.train.ReduceLROnPlateau,
        monitor: Any | Callable[[dt.Session], float],
        every_n_steps: int = 100,
        name: str = "reduce_lr_on_plateau",
    ) -> None:
        """Set what to watch, and what to lower."""
        self.name = name
        self._schedule = schedule
        self._monitor = Monitor("ReduceLROnPlateauHook", monitor, every_n_steps)

    def begin(self) -> None:
        """Find what to watch."""
        self._monitor.begin()
        if self not in dt.get_collection(dt.GraphKeys.SAVEABLE_OBJECTS):
            dt.add_to_collection(dt.GraphKeys.SAVEABLE_OBJECTS, self)

    def after_create_session(self, session: dt.Session, coord: Any) -> None:
        """See what the rate is."""
        self._rate = float(session.run(self._schedule.learning_rate))

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Ask for the number, where it is time."""
        wanted = self._monitor.fetches
        return None if wanted is None else SessionRunArgs(wanted)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Hand it to the schedule."""
        value = self._monitor.look(run_context.session, run_values.results)
        if value is None:
            return
        rate = self._schedule.step(value, run_context.session)
        if rate != self._rate:
            dt.logging.info("The learning rate falls to %g: %s is %g, no better.", rate, self._monitor.name, value)
            self._rate = rate

    def state(self) -> dict[str, int]:
        """Return what a checkpoint keeps."""
        return {"made": self._monitor.made}

    def restore(self, state: dict[str, int]) -> None:
        """Take over what ``state`` gave."""
        self._monitor.made = state["made"]
