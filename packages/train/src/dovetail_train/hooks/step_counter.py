"""``StepCounterHook``."""

from __future__ import annotations

import os
from typing import final

import dovetail as dt
from dovetail_train.hooks._global_step import global_step_of
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from dovetail_train.summary.file_writer import FileWriter, FileWriterCache
from dovetail_train.timer import every

__all__ = ["StepCounterHook"]


@final
class StepCounterHook(SessionRunHook):
    """Tells how many steps a second are made, by ``dt.logging.info`` and in event files.

    Args:
        every_n_steps: after so many steps.
        every_n_secs: after so many seconds; ``every_n_steps`` must be ``None`` then.
        output_dir: the folder of the event file, which is shared with other hooks; none is written by default.
        summary_writer: what writes, in place of a folder.

    Raises:
        InvalidArgumentError: no rhythm is given, or two.
        NotFoundError: at the beginning of a session, if the graph has no global step.
    """

    def __init__(
        self,
        every_n_steps: int | None = 100,
        every_n_secs: float | None = None,
        output_dir: str | os.PathLike[str] | None = None,
        summary_writer: FileWriter | None = None,
    ) -> None:
        """Set how often."""
        self._timer = every("StepCounterHook", every_n_secs, every_n_steps, ("every_n_secs", "every_n_steps"))
        self._folder = output_dir
        self._writer = summary_writer

    def begin(self) -> None:
        """Find the global step."""
        self._step = global_step_of(self)
        self._tag = f"{dt.get_collection(dt.GraphKeys.GLOBAL_STEP)[0].op.name}/sec"
        self._timer.reset()
        if self._folder is not None and self._writer is None:
            self._writer = FileWriterCache.get(self._folder)

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask for the global step."""
        return SessionRunArgs(self._step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Tell, where it is time."""
        step = int(run_values.results)
        if self._timer.should_trigger_for_step(step):
            seconds, steps = self._timer.update_last_triggered_step(step)
            if seconds and steps:
                rate = steps / seconds
                if self._writer is not None:
                    value = dt.Summary.Value(tag=self._tag, simple_value=rate)
                    self._writer.add_summary(dt.Summary(value=[value]), step)
                dt.logging.info("%s: %g", self._tag, rate)
