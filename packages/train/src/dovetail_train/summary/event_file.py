"""Event files: records that a thread of their own writes, so that training does not wait for a disk."""

from __future__ import annotations

import io
import itertools
import os
import queue
import socket
import threading
import time
import weakref
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, final

from dovetail.errors import StorageError
from dovetail_train.summary.protobufs import load_tensorboard, protobuf

__all__ = ["EventFile", "wall_time"]

_VERSION: Final = "brain.Event:2"
_MOST_WAITING: Final = 1 << 16  # bytes that wait for the disk, whatever the time
_numbers: Final = itertools.count()


def wall_time() -> float:
    """Return the seconds since 1970."""
    return datetime.now(UTC).timestamp()


@final
class EventFile:
    """A new event file.

    Args:
        folder: where it is made; the folder too, where it is missing.
        max_queue: how many records may wait for the thread.
        flush_secs: after how many seconds at most a record is on the disk.
        suffix: the end of the file's name.

    Attributes:
        path: the file.

    Raises:
        StorageError: the file system refuses.
    """

    def __init__(self, folder: Path, max_queue: int, flush_secs: float, suffix: str) -> None:
        """Make the file, and write its first record."""
        records = load_tensorboard("summary.writer.record_writer").RecordWriter
        version = protobuf("event").Event(wall_time=wall_time(), file_version=_VERSION)
        host = socket.gethostname()
        self.path = (
            folder / f"events.out.tfevents.{int(version.wall_time):010d}.{host}.{os.getpid()}.{next(_numbers)}{suffix}"
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            raw = self.path.open("xb", buffering=0)
        except OSError as error:
            raise StorageError(
                f"the event file {str(self.path)!r} cannot be made: {error.strerror or error}. Give another logdir."
            ) from error
        self._writer = _Writer(self.path, raw, records, max_queue, flush_secs)
        # Whoever forgets to close the file, or lets an error end the program, still finds all records in it.
        self._finalizer = weakref.finalize(self, self._writer.close)
        self.add(version)
        self.flush()

    def add(self, event: Any) -> None:
        """Hand a message ``Event`` to the thread.

        Raises:
            StorageError: an earlier record could not be written.
        """
        self._writer.queue.put(event.SerializeToString())
        self._writer.check()

    @property
    def failed(self) -> bool:
        """Whether a record could not be written, so that none will be any more."""
        return self._writer.failure is not None

    def flush(self) -> None:
        """Wait until all records are in the file.

        Raises:
            StorageError: one could not be written.
        """
        self._writer.flush()
        self._writer.check()

    def close(self) -> None:
        """Write what waits, and close the file.

        Raises:
            StorageError: a record could not be written.
        """
        if self._finalizer.detach() is not None:
            self._writer.close()
            self._writer.check()


@final
class _Writer:
    """The thread, and what it does."""

    def __init__(self, path: Path, raw: io.FileIO, records: Any, max_queue: int, flush_secs: float) -> None:
        self.queue: queue.Queue[bytes | threading.Event | None] = queue.Queue(max(max_queue, 1))
        self._path = path
        self._raw = raw
        self._seconds = flush_secs
        self._waiting = io.BytesIO()
        self._records = records(self._waiting)
        self._size = 0
        self.failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="dovetail events", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise the error that has stopped the writing."""
        if self.failure is not None:
            raise StorageError(
                f"the event file {str(self._path)!r} cannot be written on: {self.failure.strerror or self.failure}. "
                f"It ends after the last record that was written whole. Make room, or write to another folder."
            ) from self.failure

    def flush(self) -> None:
        """Wait until what was handed over so far is written."""
        done = threading.Event()
        self.queue.put(done)
        done.wait()

    def close(self) -> None:
        """Write what was handed over, and end the thread."""
        self.queue.put(None)
        self._thread.join()
        self._raw.close()

    def _run(self) -> None:
        due = time.monotonic() + self._seconds
        item: bytes | threading.Event | None = b""
        while item is not None:
            try:
                item = self.queue.get(timeout=max(due - time.monotonic(), 0.0))
            except queue.Empty:
                item = b""
            if isinstance(item, bytes):
                if item and self.failure is None:
                    self._records.write(item)
                if self._waiting.tell() < _MOST_WAITING and time.monotonic() < due:
                    continue
            self._write()
            due = time.monotonic() + self._seconds
            if isinstance(item, threading.Event):
                item.set()

    def _write(self) -> None:
        """Write what waits; where the disk refuses, take back the record that is there in part."""
        rest = memoryview(self._waiting.getvalue())
        self._waiting.seek(0)
        self._waiting.truncate()
        if self.failure is not None:
            return
        try:
            written = 0
            while written < len(rest):
                written += self._raw.write(rest[written:]) or 0
            self._size += written
        except OSError as error:
            self.failure = error
            self._raw.truncate(self._size)
