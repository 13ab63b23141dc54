"""``SessionRunHook``: what can be done before and after each step of a training loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, final

import dovetail as dt

__all__ = ["SessionRunArgs", "SessionRunContext", "SessionRunHook", "SessionRunValues"]


class SessionRunArgs(NamedTuple):
    """What a run is asked for.

    Attributes:
        fetches: what to compute.
        feed_dict: values for placeholders.
        options: has no effect; here for TensorFlow 1 programs.
    """

    fetches: Any
    feed_dict: Mapping[Any, Any] | None = None
    options: Any = None


class SessionRunValues(NamedTuple):
    """What a run gave.

    Attributes:
        results: the values of a hook's own fetches, in their structure; ``None`` where it had none.
        options: ``None``; here for TensorFlow 1 programs.
        run_metadata: ``None``; here for TensorFlow 1 programs.
    """

    results: Any
    options: Any = None
    run_metadata: Any = None


@final
class SessionRunContext:
    """One step, as a hook sees it.

    Attributes:
        original_args: what the loop asked for.
        session: the session that runs it.
    """

    def __init__(self, original_args: SessionRunArgs, session: dt.Session) -> None:
        """Begin a step."""
        self.original_args = original_args
        self.session = session
        self._stop = False

    @property
    def stop_requested(self) -> bool:
        """Whether a hook wants the loop to end."""
        return self._stop

    def request_stop(self) -> None:
        """Let the loop end after this step."""
        self._stop = True


class SessionRunHook:
    """Base of hooks: each method does nothing, and a subclass defines those that it wants.

    Example:
        >>> class Count(dt.train.SessionRunHook):
        ...     def begin(self):
        ...         self.steps = 0
        ...     def after_run(self, run_context, run_values):
        ...         self.steps += 1
        >>> count, v = Count(), dt.Variable(0.0)
        >>> with dt.train.MonitoredSession(hooks=[count]) as session:
        ...     for _ in range(3):
        ...         _ = session.run(v)
        >>> count.steps
        3
    """

    def begin(self) -> None:
        """Add to the graph what is needed; called once, before the session is made and the graph finalized."""

    def after_create_session(self, session: dt.Session, coord: Any) -> None:
        """Look at the session, whose variables have values; called once it is made."""

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Return what to compute besides in this step, or ``None``."""
        return None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Look at what a step gave; ``run_context.request_stop()`` ends the loop. Not called for a step that failed."""

    def end(self, session: dt.Session) -> None:
        """Do what is to be done last; called when the loop ends, but not where an error ends it."""
