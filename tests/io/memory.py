"""How much memory an action takes."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable


def peak_of(action: Callable[[], object]) -> int:
    """The bytes that ``action`` takes at most, beside what is there already."""
    gc.collect()
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
