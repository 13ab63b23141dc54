"""``ProfilerHook``."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import final

import dovetail as dt
from dovetail.errors import StorageError
from dovetail.extend import Profile, Timing, recording
from dovetail_train.hooks._global_step import global_step_of
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from dovetail_train.timer import every

__all__ = ["ProfilerHook"]


@final
class ProfilerHook(SessionRunHook):
    """Writes every few steps or seconds where the time of a step went, as a Chrome trace: ``timeline-100.json``.

    Perfetto (ui.perfetto.dev) opens the files. A step that is made for the first time is left out, as it compiles.

    Args:
        save_steps: after so many steps.
        save_secs: after so many seconds.
        output_dir: the folder, which is made if needed.
        show_dataflow: has no effect; here for TensorFlow 1 programs.
        show_memory: has no effect; here for TensorFlow 1 programs.

    Raises:
        InvalidArgumentError: no rhythm is given, or two.
        NotFoundError: at the beginning of a session, if the graph has no global step.
        StorageError: in a step, if the file system refuses.

    Example:
        >>> x = dt.Variable(4.0, name="x")
        >>> step = dt.train.get_or_create_global_step()
        >>> train = dt.train.GradientDescentOptimizer(0.1).minimize(x * x, global_step=step)
        >>> hooks = [dt.train.StopAtStepHook(25), dt.train.ProfilerHook(save_steps=10, output_dir="traces")]
        >>> with dt.train.MonitoredSession(hooks=hooks) as session:
        ...     while not session.should_stop():
        ...         _ = session.run(train)
        >>> sorted(os.listdir("traces"))
        ['timeline-12.json', 'timeline-2.json', 'timeline-22.json']
    """

    def __init__(
        self,
        save_steps: int | None = None,
        save_secs: float | None = None,
        output_dir: str | os.PathLike[str] = "",
        show_dataflow: bool = True,
        show_memory: bool = False,
    ) -> None:
        """Set where and how often."""
        self._timer = every("ProfilerHook", save_secs, save_steps, ("save_secs", "save_steps"))
        self._folder = Path(output_dir)

    def begin(self) -> None:
        """Find the global step."""
        self._step = global_step_of(self)
        self._timer.reset()
        self._next = 0
        self._stack = ExitStack()
        self._timings: list[Timing] = []

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Record the step, where it is time."""
        if self._timer.should_trigger_for_step(self._next):
            self._timings = self._stack.enter_context(recording(run_context.session))
        return SessionRunArgs(self._step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Write it."""
        self._stack.close()
        step = int(run_values.results)
        self._next = step + 1
        if not self._timings:
            return
        self._timer.update_last_triggered_step(step)
        path = self._folder / f"timeline-{step}.json"
        dt.logging.info("Saving timeline for %d into %r.", step, str(path))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            Profile(self._timings, None).trace(path)
        except OSError as error:
            raise StorageError(
                f"ProfilerHook: {str(path)!r} cannot be written: {error.strerror or error}. Make room, or give another "
                "output_dir."
            ) from error
        self._timings = []
