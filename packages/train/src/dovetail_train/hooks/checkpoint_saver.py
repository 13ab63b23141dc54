"""``CheckpointSaverHook``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, final

import dovetail as dt
from dovetail.errors import InvalidArgumentError
from dovetail_train.hooks._global_step import global_step_of
from dovetail_train.scaffold import Scaffold
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from dovetail_train.timer import every

__all__ = ["CheckpointSaverHook", "CheckpointSaverListener"]


class CheckpointSaverListener:
    """Base of what is told of checkpoints: each method does nothing, and a subclass defines those that it wants."""

    def begin(self) -> None:
        """Add to the graph what is needed."""

    def before_save(self, session: dt.Session, global_step_value: int) -> None:
        """Do something before a checkpoint is saved."""

    def after_save(self, session: dt.Session, global_step_value: int) -> bool | None:
        """Do something after a checkpoint is saved; the loop ends where the result is true."""
        return None

    def end(self, session: dt.Session, global_step_value: int) -> None:
        """Do what is to be done last, after the last checkpoint."""


@final
class CheckpointSaverHook(SessionRunHook):
    """Saves at the beginning, every few steps or seconds, and when the loop ends.

    Args:
        checkpoint_dir: the folder, which is made if needed.
        save_secs: after so many seconds.
        save_steps: after so many steps.
        saver: what saves; the scaffold's by default.
        checkpoint_basename: the checkpoints' name, to which the step is added.
        scaffold: whose saver to use.
        listeners: what is told of each checkpoint.
        save_graph_def: whether to write the graph to ``graph.pbtxt`` in the folder.

    Raises:
        InvalidArgumentError: no rhythm is given, or two; or saver and scaffold are.
        NotFoundError: at the beginning of a session, if the graph has no global step.
    """

    def __init__(
        self,
        checkpoint_dir: str | os.PathLike[str],
        save_secs: float | None = None,
        save_steps: int | None = None,
        saver: Any = None,
        checkpoint_basename: str = "model.ckpt",
        scaffold: Scaffold | None = None,
        listeners: Iterable[CheckpointSaverListener] | None = None,
        save_graph_def: bool = True,
    ) -> None:
        """Set where and how often to save."""
        if saver is not None and scaffold is not None:
            raise InvalidArgumentError("CheckpointSaverHook: saver and scaffold are given; give one of them.")
        self._timer = every("CheckpointSaverHook", save_secs, save_steps, ("save_secs", "save_steps"))
        self._folder = Path(checkpoint_dir)
        self._prefix = self._folder / checkpoint_basename
        self._saver = saver
        self._scaffold = scaffold
        self._listeners = list(listeners or ())
        self._save_graph = save_graph_def

    def begin(self) -> None:
        """Find the global step."""
        self._step = global_step_of(self)
        self._saved = (-1, -1)
        self._timer.reset()
        for listener in self._listeners:
            listener.begin()

    def after_create_session(self, session: dt.Session, coord: Any) -> None:
        """Save the graph and the first checkpoint."""
        if self._save_graph:
            dt.train.write_graph(session.graph, self._folder, "graph.pbtxt")
        step = int(session.run(self._step))
        self._save(session, step)
        self._timer.update_last_triggered_step(step)

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask for the global step."""
        return SessionRunArgs(self._step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Save, where it is time."""
        step = int(run_values.results)
        if self._timer.should_trigger_for_step(step):
            self._timer.update_last_triggered_step(step)
            if self._save(run_context.session, step):
                run_context.request_stop()

    def end(self, session: dt.Session) -> None:
        """Save the last step, and what other hooks have changed since."""
        step = int(session.run(self._step))
        if self._saved != (step, session.state_version):
            self._save(session, step)
        for listener in self._listeners:
            listener.end(session, step)

    def save_last(self, session: dt.Session) -> str:
        """Save the last step, where it is not saved yet, and say where it is; what is done when an error ends the loop.

        Raises:
            StorageError: the file system refuses.
        """
        step = int(session.run(self._step))
        if self._saved[0] != step:
            self._save(session, step)
        return f'Step {step} is saved in "{self._prefix}-{step}", from where training goes on when it is started again.'

    def _save(self, session: dt.Session, step: int) -> bool:
        """Save; says whether a listener wants the loop to end."""
        dt.logging.info("Saving checkpoints for %d into %s.", step, self._prefix)
        for listener in self._listeners:
            listener.before_save(session, step)
        self._find_saver().save(session, self._prefix, global_step=step)
        self._saved = (step, session.state_version)
        answers = [listener.after_save(session, step) for listener in self._listeners]  # all are told
        return any(answers)

    def _find_saver(self) -> Any:
        if self._saver is not None:
            return self._saver
        if self._scaffold is not None:
            return self._scaffold.saver
        found = dt.get_collection(dt.GraphKeys.SAVERS)
        if len(found) != 1:
            raise InvalidArgumentError(
                f"CheckpointSaverHook: the graph's collection of savers holds {len(found)}; pass the one that is meant "
                "as saver, or a scaffold."
            )
        return found[0]
