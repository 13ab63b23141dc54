"""A lock that many readers share and a writer has alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

__all__ = ["ReadWriteLock"]


@final
class ReadWriteLock:
    """Readers share it; a writer waits until they are gone and keeps others out."""

    __slots__ = ("_gate", "_mutex", "_readers", "_room")

    def __init__(self) -> None:
        """Make a free lock."""
        self._gate = threading.Lock()
        self._mutex = threading.Lock()
        self._room = threading.Lock()
        self._readers = 0

    def acquire_read(self) -> None:
        """Enter as a reader; waits for a writer that is inside or waiting."""
        with self._gate, self._mutex:
            self._readers += 1
            if self._readers == 1:
                self._room.acquire()

    def release_read(self) -> None:
        """Leave as a reader."""
        with self._mutex:
            self._readers -= 1
            if self._readers == 0:
                self._room.release()

    def acquire_write(self) -> None:
        """Enter as the writer."""
        with self._gate:
            self._room.acquire()

    def release_write(self) -> None:
        """Leave as the writer."""
        self._room.release()

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
