"""``GlobalStepWaiterHook``."""

from __future__ import annotations

import time
from typing import Final, final

import dovetail as dt
from dovetail_train.hooks._global_step import global_step_of
from dovetail_train.session_run_hook import SessionRunContext, SessionRunHook

__all__ = ["GlobalStepWaiterHook"]

_PAUSE: Final = 0.5  # seconds between two looks


@final
class GlobalStepWaiterHook(SessionRunHook):
    """Lets the first step wait until the global step, which other threads raise, has come to a number.

    Args:
        wait_until_step: the number; no waiting where it is not above 0.

    Raises:
        NotFoundError: at the beginning of a session, if the graph has no global step.
    """

    def __init__(self, wait_until_step: int) -> None:
        """Set the number."""
        self._least = wait_until_step
        self._waits = wait_until_step > 0

    def begin(self) -> None:
        """Find the global step."""
        self._step = global_step_of(self)

    def before_run(self, run_context: SessionRunContext) -> None:
        """Wait."""
        while self._waits:
            step = int(run_context.session.run(self._step))
            if step >= self._least:
                self._waits = False
                return
            dt.logging.log_every_n(dt.logging.INFO, "Waiting for global step %d, which is %d.", 100, self._least, step)
            time.sleep(_PAUSE)
