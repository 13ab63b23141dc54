"""SHA-256 of what is being read or written, computed by a thread beside that."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()

    def update(self, piece: Buffer) -> None:
        """Take a piece."""
        if self._pool is None:
            if len(piece) < _WORTH_A_THREAD:
                self._hash.update(piece)
                return
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="dovetail-hash")
        self._wait(_MOST_WAITING - 1)
        self._waiting.append(self._pool.submit(self._hash.update, piece))

    def hexdigest(self) -> str:
        """Return the hash of all pieces so far, in hexadecimal digits."""
        self._wait(0)
        return self._hash.hexdigest()

    def _wait(self, most: int) -> None:
        while len(self._waiting) > most:
            self._waiting.popleft().result()

    def close(self) -> None:
        """End the thread."""
        if self._pool is not None:
            self._pool.shutdown()

    def __enter__(self) -> RunningHash:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()
