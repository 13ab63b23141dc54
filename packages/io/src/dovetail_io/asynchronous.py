"""Work in the background, one job at a time, whose errors are not lost."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from typing import Final, final

import dovetail as dt

__all__ = ["Background"]

_failed: Final[set[Background]] = set()
_lock: Final = threading.Lock()


@final
class Background:
    """Runs one job at a time in a thread; the process does not end before the last is done.

    What a job raises is raised by the next ``wait`` or ``start``; if none comes, it is logged when the process ends.
    """

    def __init__(self) -> None:
        """Begin without a job."""
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(self, job: Callable[[], None]) -> None:
        """Wait for the job before, and start another; raises what the one before raised, and then starts none."""
        self.wait()
        thread = threading.Thread(target=self._run, args=(job,), name="dovetail-saver", daemon=False)
        self._thread = thread
        thread.start()

    def wait(self) -> None:
        """Wait until nothing is running; raises what the job raised."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
            self._thread = None
        with _lock:
            error, self._error = self._error, None
            _failed.discard(self)
        if error is not None:
            raise error

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            with _lock:
                self._error = error
                _failed.add(self)


@atexit.register
def _report() -> None:
    for one in list(_failed):
        dt.logging.error("A checkpoint was not saved: %s", one._error)
