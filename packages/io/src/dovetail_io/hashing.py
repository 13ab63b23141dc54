"""SHA-256 of what is being read or written, computed by a thread beside that."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Iterator
from typing import Final, final

__all__ = ["Buffer", "CHUNK", "RunningHash", "chunks"]

Buffer = bytes | memoryview
CHUNK: Final = 1 << 22
_WORTH_A_THREAD: Final = 1 << 18
_MOST_WAITING: Final = 4


def chunks(buffer: Buffer) -> Iterator[memoryview]:
    """Yield a buffer in pieces that are read, hashed and written at a time."""
    whole = memoryview(buffer)
    for begin in range(0, len(whole), CHUNK):
        yield whole[begin : begin + CHUNK]


@final
class RunningHash:
    """SHA-256 of pieces, one after the other; a context manager.

    Large pieces are hashed by a thread of its own, which a few of them may wait for: ``update`` returns at once while
    they are no more. The bytes of a piece must stay as they are.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._pieces: queue.Queue[Buffer | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None

    def update(self, piece: Buffer) -> None:
        """Take a piece."""
        if self._thread is None:
            if len(piece) < _WORTH_A_THREAD:
                self._hash.update(piece)
                return
            # Not of a pool: those take no work once the process has begun to end, when a save may be under way.
            self._thread = threading.Thread(target=self._work, name="dovetail-hash", daemon=True)
            self._thread.start()
        self._pieces.put(piece)

    def _work(self) -> None:
        while (piece := self._pieces.get()) is not None:
            self._hash.update(piece)

    def hexdigest(self) -> str:
        """Return the hash of all pieces so far, in hexadecimal digits."""
        self.close()
        return self._hash.hexdigest()

    def close(self) -> None:
        """Wait for the thread, and end it."""
        if self._thread is not None:
            self._pieces.put(None)
            self._thread.join()
            self._thread = None

    def __enter__(self) -> RunningHash:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()
