"""``SummarySaverHook``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, final

import dovetail as dt
from dovetail.errors import InvalidArgumentError
from dovetail.extend import nest
from dovetail_train.hooks._global_step import global_step_of
from dovetail_train.scaffold import Scaffold
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from dovetail_train.summary.file_writer import FileWriterCache
from dovetail_train.timer import every

__all__ = ["SummarySaverHook"]


@final
class SummarySaverHook(SessionRunHook):
    """Writes summaries every few steps or seconds; in the steps between it computes nothing.

    Args:
        save_steps: after so many steps.
        save_secs: after so many seconds.
        output_dir: the folder of the event file, which is shared with other hooks.
        summary_writer: what writes, in place of a folder.
        scaffold: whose ``summary_op`` to write.
        summary_op: a summary, or several in a list; in place of ``scaffold``.

    Raises:
        InvalidArgumentError: no rhythm is given, or two; or not one of scaffold and summary, of folder and writer.
        NotFoundError: at the beginning of a session, if the graph has no global step.
        StorageError: in a step, if the file system refuses.

    Example:
        >>> loss = dt.Variable(1.0, name="loss")
        >>> step = dt.train.get_or_create_global_step()
        >>> train = dt.train.GradientDescentOptimizer(0.1).minimize(loss * loss, global_step=step)
        >>> hook = dt.train.SummarySaverHook(10, output_dir="logs", summary_op=dt.summary.scalar("weight", loss))
        >>> with dt.train.MonitoredSession(hooks=[hook, dt.train.StopAtStepHook(30)]) as session:
        ...     while not session.should_stop():
        ...         _ = session.run(train)
    """

    def __init__(
        self,
        save_steps: int | None = None,
        save_secs: float | None = None,
        output_dir: str | os.PathLike[str] | None = None,
        summary_writer: Any = None,
        scaffold: Scaffold | None = None,
        summary_op: Any = None,
    ) -> None:
        """Set what to write, where and how often."""
        if (scaffold is None) == (summary_op is None):
            raise InvalidArgumentError("SummarySaverHook: give one of scaffold and summary_op, which is to be written.")
        if (output_dir is None) == (summary_writer is None):
            raise InvalidArgumentError("SummarySaverHook: give one of output_dir and summary_writer.")
        self._timer = every("SummarySaverHook", save_secs, save_steps, ("save_secs", "save_steps"))
        self._folder = output_dir
        self._writer = summary_writer
        self._summary: Callable[[], Any] = (lambda: summary_op) if scaffold is None else (lambda: scaffold.summary_op)

    def begin(self) -> None:
        """Find the global step, and make the event file."""
        self._step = global_step_of(self)
        self._timer.reset()
        self._next: int | None = None
        if self._folder is not None:
            self._writer = FileWriterCache.get(self._folder)

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask for the summaries, where it is time, and for the global step always."""
        summary = self._summary()
        self._due = summary is not None and (self._next is None or self._timer.should_trigger_for_step(self._next))
        return SessionRunArgs((self._step, summary) if self._due else (self._step,))

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Write them."""
        step, *summaries = run_values.results
        if self._next is None:
            self._writer.add_session_log(dt.SessionLog(status=dt.SessionLog.START), step)
        self._next = int(step) + 1
        if self._due:
            self._timer.update_last_triggered_step(self._next - 1)
            for one in nest.flatten(summaries):
                self._writer.add_summary(one, step)

    def end(self, session: dt.Session) -> None:
        """Let everything reach the disk."""
        self._writer.flush()
