"""``StepCounterHook``."""

from __future__ import annotations

from typing import Any, final

import dovetail as dt
from dovetail_train.hooks._global_step import global_step_of
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from dovetail_train.timer import every

__all__ = ["StepCounterHook"]


@final
class StepCounterHook(SessionRunHook):
    """Tells how many steps a second are made, by ``dt.logging.info``.

    Args:
        every_n_steps: after so many steps.
        every_n_secs: after so many seconds; ``every_n_steps`` must be ``None`` then.
        output_dir: has no effect; here for TensorFlow 1 programs.
        summary_writer: has no effect; here for TensorFlow 1 programs.

    Raises:
        InvalidArgumentError: no rhythm is given, or two.
        NotFoundError: at the beginning of a session, if the graph has no global step.
    """

    def __init__(
        self,
        every_n_steps: int | None = 100,
        every_n_secs: float | None = None,
        output_dir: Any = None,
        summary_writer: Any = None,
    ) -> None:
        """Set how often."""
        self._timer = every("StepCounterHook", every_n_secs, every_n_steps, ("every_n_secs", "every_n_steps"))

    def begin(self) -> None:
        """Find the global step."""
        self._step = global_step_of(self)
        self._timer.reset()

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask for the global step."""
        return SessionRunArgs(self._step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Tell, where it is time."""
        step = int(run_values.results)
        if self._timer.should_trigger_for_step(step):
            seconds, steps = self._timer.update_last_triggered_step(step)
            if seconds and steps:
                dt.logging.info("global_step/sec: %g", steps / seconds)
