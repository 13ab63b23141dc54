"""Random numbers by position: the same on every platform, for any number of threads, and after going on from a save.

Bits are those of NumPy's Philox, whose raw output does not change between versions of NumPy; the key is the seed and
what the numbers are for, the counter is the pass through the data and the element.
"""

from __future__ import annotations

import secrets
import threading
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import InvalidArgumentError

__all__ = ["ElementRandom", "draws", "permutation", "settle_seed"]

_ORDER: Final = 1
_ELEMENT: Final = 2
_MASK: Final = (1 << 64) - 1


def settle_seed(seed: Any, who: str) -> int:
    """Return the seed, or that of the default graph, or one drawn by chance.

    Raises:
        InvalidArgumentError: it is no integer from 0 up.
    """
    if seed is None:
        seed = dt.get_default_graph().seed
        return secrets.randbits(63) if seed is None else seed & _MASK
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0 or seed > _MASK:
        raise InvalidArgumentError(f"{who}: seed is {seed!r}; give an integer from 0 to 2**64 - 1, or None.")
    return int(seed)


def _philox(seed: int, purpose: int, turn: int, index: int) -> np.random.Philox:
    return np.random.Philox(
        key=np.array([seed, purpose], np.uint64), counter=np.array([0, index, turn & _MASK, 0], np.uint64)
    )


def permutation(count: int, seed: int, turn: int) -> Any:
    """Return the numbers below ``count`` in a random order."""
    bits = _philox(seed, _ORDER, turn, 0).random_raw(count)
    return np.argsort(np.asarray(bits, np.uint64), kind="stable")


def draws(limit: int, count: int, seed: int, turn: int, block: int) -> list[int]:
    """Return the block of this number of ``count`` random numbers below ``limit``, which must be below 2**32."""
    bits = np.asarray(_philox(seed, _ORDER, turn, block + 1).random_raw(count), np.uint64)
    found: list[int] = (((bits >> np.uint64(32)) * np.uint64(limit)) >> np.uint64(32)).tolist()
    return found


@final
class ElementRandom:
    """Generators of random numbers, one for each element of a pass.

    Args:
        seed: the seed.
        stream: tells apart several stages of one pipeline that have the same seed.
        turn: the pass through the data.
    """

    def __init__(self, seed: int, stream: int, turn: int) -> None:
        """Prepare; each thread has a generator of its own, which is set to the element."""
        self._seed = seed
        self._purpose = _ELEMENT + (stream << 8)
        self._turn = turn
        self._local = threading.local()

    def at(self, index: int) -> np.random.Generator:
        """Return the generator for an element, to be used before the next is asked for in the same thread."""
        local = self._local
        if not hasattr(local, "generator"):
            bits = _philox(self._seed, self._purpose, self._turn, 0)
            local.generator, local.bits, local.state = np.random.Generator(bits), bits, bits.state
        state = local.state
        state["state"]["counter"][1] = index
        local.bits.state = state
        found: np.random.Generator = local.generator
        return found
