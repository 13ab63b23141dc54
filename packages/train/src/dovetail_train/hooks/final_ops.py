"""``FinalOpsHook``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import dovetail as dt
from dovetail_train.session_run_hook import SessionRunHook

__all__ = ["FinalOpsHook"]


@final
class FinalOpsHook(SessionRunHook):
    """Computes something when the loop ends.

    Args:
        final_ops: what to compute.
        final_ops_feed_dict: values for placeholders.

    Attributes:
        final_ops_values: what it gave; ``None`` before.

    Example:
        >>> v = dt.Variable(1.0)
        >>> hook = dt.train.FinalOpsHook(v * 2.0)
        >>> with dt.train.MonitoredSession(hooks=[hook]) as session:
        ...     _ = session.run(v)
        >>> hook.final_ops_values
        np.float32(2.0)
    """

    def __init__(self, final_ops: Any, final_ops_feed_dict: Mapping[Any, Any] | None = None) -> None:
        """Set what to compute."""
        self._fetches = final_ops
        self._feeds = final_ops_feed_dict
        self.final_ops_values: Any = None

    def end(self, session: dt.Session) -> None:
        """Compute it."""
        self.final_ops_values = session.run(self._fetches, self._feeds)
