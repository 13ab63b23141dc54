"""A lock that many readers share and a writer has alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

__all__ = ["ReadWriteLock"]


@final
class ReadWriteLock:
    """Readers share it; a writer waits until they are gone and keeps others out.

    One lock is taken for a moment to enter and to leave, as this is done in every step.
    """

    __slots__ = ("_changed", "_mutex", "_readers", "_waiting", "_writing")

    def __init__(self) -> None:
        """Make a free lock."""
        self._mutex = threading.Lock()
        self._changed = threading.Condition(self._mutex)
        self._readers = 0
        self._waiting = 0
        self._writing = False

    def acquire_read(self) -> None:
        """Enter as a reader; waits for a writer that is inside or waiting."""
        with self._mutex:
            while self._writing or self._waiting:
                self._changed.wait()
            self._readers += 1

    def release_read(self) -> None:
        """Leave as a reader."""
        with self._mutex:
            self._readers -= 1
            if self._waiting and not self._readers:
                self._changed.notify_all()

    def acquire_write(self) -> None:
        """Enter as the writer."""
        with self._mutex:
            if self._writing or self._readers:
                self._waiting += 1
                try:
                    while self._writing or self._readers:
                        self._changed.wait()
                finally:
                    self._waiting -= 1
            self._writing = True

    def release_write(self) -> None:
        """Leave as the writer."""
        with self._mutex:
            self._writing = False
            self._changed.notify_all()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Be a reader within the context."""
        self.acquire_read()
        try:
            yield
        finally:
            self.release_read()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the writer within the context."""
        self.acquire_write()
        try:
            yield
        finally:
            self.release_write()
