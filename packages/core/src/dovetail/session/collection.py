"""``no_collection``: Python's search for cycles of garbage waits while a plan is made."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["no_collection"]

_lock = threading.Lock()
_inside = 0
_was_enabled = False


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the collector from running; in several threads at once, until the last is done.

    Making a plan allocates hundreds of thousands of small objects that live on, for each of which the collector would
    look through all that there are: a fifth of the time a plan takes.
    """
    global _inside, _was_enabled
    with _lock:
        if not _inside:
            _was_enabled = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _was_enabled:
                gc.enable()
