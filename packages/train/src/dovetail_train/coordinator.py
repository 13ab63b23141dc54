"""``Coordinator``: lets several threads end together."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, final

from dovetail.errors import OutOfRangeError

__all__ = ["Coordinator"]


@final
class Coordinator:
    """Lets several threads end together: any of them asks to stop, all of them look whether to.

    Args:
        clean_stop_exception_types: errors that end the threads without being raised by ``join``;
            ``dt.errors.OutOfRangeError`` by default.

    Example:
        >>> import threading
        >>> coordinator, done = dt.train.Coordinator(), []
        >>> def work():
        ...     while not coordinator.should_stop():
        ...         done.append(1)
        ...         if len(done) >= 5:
        ...             coordinator.request_stop()
        >>> threads = [threading.Thread(target=work) for _ in range(2)]
        >>> for thread in threads:
        ...     thread.start()
        >>> coordinator.join(threads)
    """

    def __init__(self, clean_stop_exception_types: tuple[type[BaseException], ...] | None = None) -> None:
        """Begin; nobody has asked to stop."""
        self._clean = clean_stop_exception_types or (OutOfRangeError,)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._joined = False
        self._threads: set[threading.Thread] = set()

    def request_stop(self, ex: Any = None) -> None:
        """Ask all threads to stop.

        Args:
            ex: the error that is the reason, or what ``sys.exc_info()`` gave; ``join`` raises the first one.
        """
        error = ex[1] if isinstance(ex, tuple) else ex
        with self._lock:
            if self._joined:
                if isinstance(error, BaseException) and not isinstance(error, self._clean):
                    raise error
                return
            if error is not None and not isinstance(error, self._clean) and self._error is None:
                self._error = error
            self._stop.set()

    def clear_stop(self) -> None:
        """Begin anew, so that the coordinator can be used again."""
        with self._lock:
            self._joined = False
            self._error = None
            self._stop.clear()

    def should_stop(self) -> bool:
        """Say whether somebody has asked to stop."""
        return self._stop.is_set()

    @contextmanager
    def stop_on_exception(self) -> Iterator[None]:
        """Within: an error asks all threads to stop, and ``join`` raises it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, join raises it
            self.request_stop(error)

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Wait until somebody asks to stop, or so many seconds; says whether somebody has."""
        return self._stop.wait(timeout)

    def register_thread(self, thread: threading.Thread) -> None:
        """Add a thread to those that ``join`` waits for."""
        with self._lock:
            self._threads.add(thread)

    def join(
        self,
        threads: Iterable[threading.Thread] | None = None,
        stop_grace_period_secs: float = 120,
        ignore_live_threads: bool = False,
    ) -> None:
        """Wait until all threads have ended, and raise the error for which they were asked to.

        Args:
            threads: threads to wait for, besides those that are registered.
            stop_grace_period_secs: how long to wait after somebody has asked to stop.
            ignore_live_threads: say nothing of threads that have not ended then.

        Raises:
            RuntimeError: threads have not ended in that time.
        """
        with self._lock:
            waited_for = self._threads | set(threads or ())
        while any(thread.is_alive() for thread in waited_for) and not self.wait_for_stop(0.05):
            pass
        deadline = time.monotonic() + stop_grace_period_secs
        for thread in waited_for:
            thread.join(max(deadline - time.monotonic(), 0.0))
        stragglers = [thread.name for thread in waited_for if thread.is_alive()]
        with self._lock:
            self._joined = True
            self._threads.clear()
        self.raise_requested_exception()
        if stragglers and not ignore_live_threads:
            raise RuntimeError(
                f"Coordinator: threads have not ended {stop_grace_period_secs:g} seconds after they were asked to: "
                f"{', '.join(sorted(stragglers))}. Let them look at should_stop() more often."
            )

    @property
    def joined(self) -> bool:
        """Whether ``join`` has ended."""
        return self._joined

    def raise_requested_exception(self) -> None:
        """Raise the error for which the threads were asked to stop, if there is one."""
        with self._lock:
            error = self._error
        if error is not None:
            raise error
