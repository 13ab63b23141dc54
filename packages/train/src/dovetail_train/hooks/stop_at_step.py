"""``StopAtStepHook``."""

from __future__ import annotations

from typing import Any, final

import dovetail as dt
from dovetail.errors import InvalidArgumentError
from dovetail_train.hooks._global_step import global_step_of
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues

__all__ = ["StopAtStepHook"]


@final
class StopAtStepHook(SessionRunHook):
    """Ends the loop after a number of steps, or at a global step.

    Args:
        num_steps: how many steps to make from where the session begins.
        last_step: the global step to end at, those of earlier sessions counted.

    Raises:
        InvalidArgumentError: none or both are given.
        NotFoundError: at the beginning of a session, if the graph has no global step.
    """

    def __init__(self, num_steps: int | None = None, last_step: int | None = None) -> None:
        """Set the end."""
        if (num_steps is None) == (last_step is None):
            raise InvalidArgumentError(
                f"StopAtStepHook: num_steps is {num_steps}, last_step {last_step}; give one of them."
            )
        self._num_steps = num_steps
        self._last_step = last_step

    def begin(self) -> None:
        """Find the global step."""
        self._step = global_step_of(self)

    def after_create_session(self, session: dt.Session, coord: Any) -> None:
        """Settle where to end."""
        if self._num_steps is not None:
            self._last_step = int(session.run(self._step)) + self._num_steps

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask for the global step."""
        return SessionRunArgs(self._step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Look whether the end is reached."""
        if self._last_step is not None and run_values.results >= self._last_step:
            run_context.request_stop()
