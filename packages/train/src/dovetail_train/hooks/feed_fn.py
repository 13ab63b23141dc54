"""``FeedFnHook``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook

__all__ = ["FeedFnHook"]


@final
class FeedFnHook(SessionRunHook):
    """Feeds each step.

    Args:
        feed_fn: a function of no arguments that returns values for placeholders.

    Example:
        >>> x = dt.placeholder(dt.float32, [])
        >>> y = x * 2.0
        >>> with dt.train.MonitoredSession(hooks=[dt.train.FeedFnHook(lambda: {x: 3.0})]) as session:
        ...     session.run(y)
        np.float32(6.0)
    """

    def __init__(self, feed_fn: Callable[[], Mapping[Any, Any]]) -> None:
        """Set the function."""
        self._feed_fn = feed_fn

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask the function."""
        return SessionRunArgs(None, self._feed_fn())
