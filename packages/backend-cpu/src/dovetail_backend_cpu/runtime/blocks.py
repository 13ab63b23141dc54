"""Blocks of memory that native code works in: aligned arrays of bytes and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Words", "address_of", "aligned_bytes", "aligned_words", "words"]

Words: TypeAlias = npt.NDArray[np.int64]


def address_of(array: npt.NDArray[Any]) -> int:
    """Return where an array's elements begin."""
    return int(array.ctypes.data)


def aligned_bytes(count: int, alignment: int = 64) -> npt.NDArray[np.uint8]:
    """Return ``count`` bytes, not cleared, that begin at a multiple of ``alignment``."""
    block = np.empty(count + alignment, np.uint8)
    skip = -address_of(block) % alignment
    return block[skip : skip + count]


def aligned_words(count: int, alignment: int = 128) -> Words:
    """Return ``count`` words of 0 that begin at a multiple of ``alignment``."""
    block = aligned_bytes(8 * count, alignment)
    block[:] = 0
    return block.view(np.int64)


def words(values: Sequence[int]) -> Words:
    """Return words with these values, at least one."""
    return np.array(values or [0], np.int64)
