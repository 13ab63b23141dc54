"""``LoggingTensorHook``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail.errors import InvalidArgumentError
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from dovetail_train.timer import SecondOrStepTimer, every

__all__ = ["LoggingTensorHook"]


@final
class LoggingTensorHook(SessionRunHook):
    """Gives the values of tensors as messages, by ``dt.logging.info``.

    Args:
        tensors: tensors or their names, or a dictionary of them by what they are called in the messages.
        every_n_iter: after so many steps.
        every_n_secs: after so many seconds.
        at_end: also when the loop ends; only then where no rhythm is given.
        formatter: makes the message from a dictionary of values by what they are called.

    Raises:
        InvalidArgumentError: no rhythm is given, or two, or a number is not positive.

    Example:
        >>> loss = dt.constant(0.5, name="loss")
        >>> hook = dt.train.LoggingTensorHook({"loss": loss}, every_n_iter=100)
    """

    def __init__(
        self,
        tensors: Mapping[str, Any] | Sequence[Any],
        every_n_iter: int | None = None,
        every_n_secs: float | None = None,
        at_end: bool = False,
        formatter: Callable[[dict[str, Any]], str] | None = None,
    ) -> None:
        """Set what to show and how often."""
        self._timer: SecondOrStepTimer | None = None
        if not (at_end and every_n_iter is None and every_n_secs is None):
            self._timer = every("LoggingTensorHook", every_n_secs, every_n_iter, ("every_n_secs", "every_n_iter"))
        if isinstance(tensors, Mapping):
            self._tensors = dict(tensors)
        else:
            self._tensors = {one if isinstance(one, str) else one.name: one for one in tensors}
        if not self._tensors:
            raise InvalidArgumentError("LoggingTensorHook: there are no tensors to show.")
        self._at_end = at_end
        self._formatter = formatter

    def begin(self) -> None:
        """Count anew, and find what is given by name."""
        graph = dt.get_default_graph()
        self._current = {tag: graph.as_graph_element(one) for tag, one in self._tensors.items()}
        self._steps = 0
        if self._timer is not None:
            self._timer.reset()

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Ask for the tensors, where it is time to show them."""
        self._due = self._timer is not None and self._timer.should_trigger_for_step(self._steps)
        return SessionRunArgs(self._current) if self._due else None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Show them."""
        if self._due:
            self._show(run_values.results)
        self._steps += 1

    def end(self, session: dt.Session) -> None:
        """Show them once more, where that is wanted."""
        if self._at_end:
            self._show(session.run(self._current))

    def _show(self, values: dict[str, Any]) -> None:
        seconds = None
        if self._timer is not None:
            seconds, _ = self._timer.update_last_triggered_step(self._steps)
        if self._formatter is not None:
            dt.logging.info(self._formatter(values))
            return
        with np.printoptions(suppress=True):
            text = ", ".join(f"{tag} = {value}" for tag, value in values.items())
        if seconds is None:
            dt.logging.info("%s", text)
        else:
            dt.logging.info("%s (%.3f sec)", text, seconds)
