"""``EarlyStoppingHook``."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import InvalidArgumentError, NotFoundError
from dovetail_train.hooks._global_step import global_step_of
from dovetail_train.hooks._monitor import Best, Monitor
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues

__all__ = ["EarlyStoppingHook", "network_variables"]

_KEPT: Final = 2  # as many checkpoints as may still be gone back to


def network_variables() -> list[dt.Variable]:
    """Return the variables that make up the networks of the default graph.

    These are the trainable ones, and what layers renew in training, such as moving averages; not an optimizer's slots.
    """
    names = {name for call in dt.get_default_graph().layer_calls for name in call.weights}
    trained = set(dt.trainable_variables())
    return [one for one in dt.global_variables() if one in trained or one.op.name in names]


@final
class EarlyStoppingHook(SessionRunHook):
    """Ends the loop when a number no longer gets better, and puts the best weights back.

    It looks every few steps. What it has seen is kept in checkpoints, so that training which was stopped and goes on
    ends where it would have ended. The weights kept are those after the step; they are put back whenever the loop ends,
    but where an error ends it.

    Args:
        monitor: a tensor of one number, or its name, computed in the step itself; or a function of the session that
            returns a number, such as the loss on other data.
        every_n_steps: look after so many steps.
        patience: end after so many looks of which none was the best.
        min_delta: by how much a number must be better to count as such.
        mode: ``"min"`` where less is better, ``"max"`` where more is.
        restore_best: whether to put the best weights back.
        variables: what to keep and put back; by default the trainable variables, and what layers renew in training.
        best_dir: a folder for the best weights; a training session with a folder of checkpoints gives its subfolder
            ``best``. Without one they are kept in memory, and do not outlast the process.
        name: what its state is called in checkpoints.

    Attributes:
        best_value, best_step: the best number, and the step after which it was found; ``None`` so far.
        stopped_step: the step after which the hook ended the loop; ``None`` if it did not.

    Raises:
        InvalidArgumentError: the mode is another, or a number is out of range.
        NotFoundError: at the beginning of a session, if the graph has no global step.

    Example:
        >>> x = dt.Variable(4.0, name="x")
        >>> step = dt.train.get_or_create_global_step()
        >>> train = dt.train.GradientDescentOptimizer(0.4).minimize(x * x, global_step=step)
        >>> hook = dt.train.EarlyStoppingHook(dt.abs(x), every_n_steps=1, patience=3, min_delta=0.01)
        >>> with dt.train.MonitoredTrainingSession(hooks=[hook]) as session:
        ...     while not session.should_stop():
        ...         _ = session.run(train)
        >>> hook.stopped_step - hook.best_step
        3
    """

    def __init__(
        self,
        monitor: Any | Callable[[dt.Session], float],
        every_n_steps: int = 100,
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str = "min",
        restore_best: bool = True,
        variables: Iterable[dt.Variable] | None = None,
        best_dir: str | os.PathLike[str] | None = None,
        name: str = "early_stopping",
    ) -> None:
        """Set what to watch, and when to end."""
        self.name = name
        self._monitor = Monitor("EarlyStoppingHook", monitor, every_n_steps)
        self._best = Best("EarlyStoppingHook", mode, min_delta, patience)
        self._restores = restore_best
        self._given = None if variables is None else list(variables)
        self._folder = None if best_dir is None else Path(best_dir)
        self.best_step: int | None = None
        self.stopped_step: int | None = None

    @property
    def best_value(self) -> float | None:
        """The best number so far."""
        return self._best.value

    def keep_in(self, folder: Path) -> None:
        """Keep the best weights in a folder, unless there is one already."""
        self._folder = self._folder or folder

    def begin(self) -> None:
        """Find what to watch, and what to keep."""
        self._monitor.begin()
        self._best.clear()
        self.best_step = self.stopped_step = None
        self._step = global_step_of(self)
        self._memory: dict[dt.Variable, Any] = {}
        self._file: str | None = None
        self._in_checkpoints: list[str] = []
        self._variables = network_variables() if self._given is None else self._given
        if self._restores and not self._variables:
            raise InvalidArgumentError("EarlyStoppingHook: the graph has no variables whose best values could be kept.")
        if self._restores and self._folder is not None:
            self._saver = dt.train.Saver(self._variables, max_to_keep=None)
        if self not in dt.get_collection(dt.GraphKeys.SAVEABLE_OBJECTS):
            dt.add_to_collection(dt.GraphKeys.SAVEABLE_OBJECTS, self)

    def after_create_session(self, session: dt.Session, coord: Any) -> None:
        """End the loop before its first step, where that was due when the checkpoint was saved."""
        if self._best.exhausted:
            self.stopped_step = int(session.run(self._step))
            dt.logging.info(
                "Early stopping: training has come to its end at step %d; with more patience it goes on.",
                self.stopped_step,
            )
            coord.request_stop()

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Ask for the number and the step, where it is time."""
        wanted = self._monitor.fetches
        return None if wanted is None else SessionRunArgs(wanted)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Look at it."""
        value = self._monitor.look(run_context.session, run_values.results)
        if value is None:
            return
        step = int(run_context.session.run(self._step))
        if self._best.improves(value):
            self.best_step = step
            if self._restores:
                self._keep(run_context.session, step)
        elif self._best.exhausted:
            self.stopped_step = step
            dt.logging.info("%s", self._told(step, value))
            run_context.request_stop()

    def end(self, session: dt.Session) -> None:
        """Put the best weights back."""
        if self._file is not None:
            self._saver.restore(session, self._file)
        for variable, value in self._memory.items():
            variable.load(value, session)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps; the file of the best weights at that time stays as well."""
        if self._file is not None and self._file not in self._in_checkpoints:
            self._in_checkpoints.append(self._file)
            for old in self._in_checkpoints[:-_KEPT]:
                self._forget(old)
            del self._in_checkpoints[:-_KEPT]
        return {
            **self._best.state(),
            "made": self._monitor.made,
            "best_step": self.best_step,
            "file": self._file and Path(self._file).name,
            "files": [Path(one).name for one in self._in_checkpoints],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` gave; without the file of the best weights it begins anew."""
        folder = self._folder or Path()
        there = [str(folder / one) for one in state["files"] if dt.train.checkpoint_exists(folder / one)]
        file = None if state["file"] is None else str(folder / state["file"])
        self._monitor.made = state["made"]
        if self._restores and state["best"] is not None and file not in there:
            dt.logging.warning(
                "EarlyStoppingHook: the best weights, of step %s, are not found; the search for the best begins anew.",
                state["best_step"],
            )
            return
        self._best.restore(state)
        self.best_step, self._file, self._in_checkpoints = state["best_step"], file, there

    def _keep(self, session: dt.Session, step: int) -> None:
        if self._folder is None:
            self._memory = dict(zip(self._variables, map(np.copy, session.run(self._variables)), strict=True))
            return
        before = self._file
        self._file = self._saver.save(session, self._folder / "best.ckpt", global_step=step, write_meta_graph=False)
        if before is not None and before != self._file and before not in self._in_checkpoints:
            self._forget(before)

    def _forget(self, path: str) -> None:
        with contextlib.suppress(NotFoundError):
            dt.train.remove_checkpoint(path)

    def _told(self, step: int, value: float) -> str:
        best = "never a number" if self.best_value is None else f"{self.best_value:g} at step {self.best_step}"
        return f"Early stopping at step {step}: {self._monitor.name} is {value:g}; the best was {best}."
