"""``LooperThread``: a thread that calls a function until a coordinator says stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dovetail_train.coordinator import Coordinator

__all__ = ["LooperThread"]


class LooperThread(threading.Thread):
    """Calls a function again and again, until the coordinator is asked to stop.

    Args:
        coord: the coordinator; an error of the function asks it to stop.
        timer_interval_secs: from the beginning of one call to that of the next; ``None`` for no pause.
        target: the function; ``run_loop`` of a subclass by default.
        args: its arguments.
        kwargs: its keyword arguments.

    Example:
        >>> coordinator, seen = dt.train.Coordinator(), []
        >>> def look():
        ...     seen.append(len(seen))
        ...     if len(seen) == 3:
        ...         coordinator.request_stop()
        >>> coordinator.join([dt.train.LooperThread.loop(coordinator, None, look)])
        >>> seen
        [0, 1, 2]
    """

    def __init__(
        self,
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any] | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        """Describe the loop; ``start`` begins it."""
        super().__init__(daemon=True)
        self._coord = coord
        self._interval = timer_interval_secs
        self._function = target
        self._arguments = (tuple(args or ()), dict(kwargs or {}))
        coord.register_thread(self)

    @staticmethod
    def loop(
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> LooperThread:
        """Start a thread; the arguments are those of the class."""
        thread = LooperThread(coord, timer_interval_secs, target, args, kwargs)
        thread.start()
        return thread

    def run(self) -> None:
        """Call the function until the coordinator says stop."""
        with self._coord.stop_on_exception():
            self.start_loop()
            begin = time.monotonic()
            while not self._coord.should_stop():
                self.run_loop()
                if self._interval is not None:
                    begin += self._interval
                    self._coord.wait_for_stop(max(begin - time.monotonic(), 0.0))
            self.stop_loop()

    def start_loop(self) -> None:
        """Do what comes before the first call."""

    def stop_loop(self) -> None:
        """Do what comes after the last call."""

    def run_loop(self) -> None:
        """Do it once."""
        if self._function is not None:
            arguments, keywords = self._arguments
            self._function(*arguments, **keywords)
