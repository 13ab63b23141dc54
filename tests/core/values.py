"""What the tests of operations share: running tensors, arrays to begin with, and comparing results."""

from __future__ import annotations

from typing import Any

import numpy as np

import dovetail as dt


def run(fetches: Any, feeds: Any = None) -> Any:
    """Run ``fetches`` in a session of their own."""
    with dt.Session() as session:
        return session.run(fetches, feeds)


def grid(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    """An array of that shape that counts from 0."""
    return np.arange(np.prod(shape, dtype=int), dtype=dtype).reshape(shape)


def same(result: Any, expected: Any) -> None:
    """The same dtype, shape and elements."""
    np.testing.assert_array_equal(np.asarray(result), np.asarray(expected), strict=True)
