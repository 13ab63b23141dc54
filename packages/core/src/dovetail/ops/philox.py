"""Random numbers by counting: Philox 4x32-10, and what is made of its bits.

After J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
A random operation has a key of 64 bits, ``mix_key(seed, stable id)``, and counts its own executions. Block b of four
words is Philox of the key, low word first, and the counter

    (b mod 2**32, (b >> 32) ^ (h >> 32), execution mod 2**32, h mod 2**32)

where h is ``execution >> 32`` with each loop index i, from the outermost in, folded in by h = mix64(h + (i + 1) * G)
modulo 2**64, G = 0x9e3779b97f4a7c15: 0 outside loops for the first 2**32 executions. So any element of any execution
can be computed alone, and a backend may divide the work as it likes.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.ops.scalar.evaluate import compile_numpy
from dovetail.ops.scalar.normal import normal_expression, truncated_normal_expression
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, float32, float64, uint32, uint64

__all__ = [
    "bits_dtype",
    "integers_from_bits",
    "mix64",
    "mix_key",
    "normal_from_bits",
    "philox4x32",
    "random_bits",
    "truncated_normal_from_bits",
    "uniform_from_bits",
]

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

_ROUNDS: Final = 10
_MULTIPLIERS: Final = (np.array(0xD2511F53, np.uint64), np.array(0xCD9E8D57, np.uint64))
_WEYL: Final = (0x9E3779B9, 0xBB67AE85)
_LOW: Final = np.array(0xFFFFFFFF, np.uint64)
_THIRTY_TWO: Final = np.array(32, np.uint64)
_GOLDEN: Final = 0x9E3779B97F4A7C15
_MASK64: Final = (1 << 64) - 1

_BLOCKS_AT_ONCE: Final = 1 << 13
"""So many counters keep the working arrays in a second-level cache, and so many elements those of the normal."""
_ELEMENTS_AT_ONCE: Final = 1 << 14


def mix64(value: int) -> int:
    """Scramble 64 bits by the finaliser of SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014), a bijection.

    Example:
        >>> hex(mix64(1))
        '0x5692161d100b05e5'
    """
    value &= _MASK64
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK64
    return value ^ (value >> 31)


def mix_key(seed: int, identity: int) -> int:
    """Make the key of an operation: mix64(mix64(seed + G) + G + identity) modulo 2**64, G = 0x9e3779b97f4a7c15.

    Args:
        seed: the graph's seed, or the operation's own; negative ones count modulo 2**64.
        identity: the operation's stable id.

    Example:
        >>> mix_key(0, 1) != mix_key(1, 0)
        True
    """
    return mix64(mix64(seed + _GOLDEN) + _GOLDEN + identity)


def philox4x32(counter: Sequence[npt.ArrayLike], key: tuple[int, int]) -> tuple[Array, Array, Array, Array]:
    """Compute Philox 4x32-10.

    Args:
        counter: four words, lowest first, each an array of uint32 or an integer; they are broadcast.
        key: two words, lowest first.

    Returns:
        four arrays of uint32 of the broadcast shape.

    Example:
        >>> [hex(word) for word in philox4x32((0, 0, 0, 0), (0, 0))]
        ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    words = np.broadcast_arrays(*(np.asarray(word, np.uint64) for word in counter))
    state = [word.copy() for word in words]
    _rounds(state, [np.empty_like(words[0]), np.empty_like(words[0])], _key_schedule(key))
    first, second, third, fourth = (word.astype(np.uint32) for word in state)
    return first, second, third, fourth


def _key_schedule(key: tuple[int, int]) -> list[tuple[Array, Array]]:
    schedule = []
    low, high = key
    for _ in range(_ROUNDS):
        schedule.append((np.array(low, np.uint64), np.array(high, np.uint64)))
        low, high = (low + _WEYL[0]) & 0xFFFFFFFF, (high + _WEYL[1]) & 0xFFFFFFFF
    return schedule


def _rounds(state: list[Array], work: list[Array], schedule: list[tuple[Array, Array]]) -> None:
    """Turn four arrays of counters, 32 bits in uint64, into random words, in place."""
    c0, c1, c2, c3 = state
    p0, p1 = work
    for k0, k1 in schedule:
        np.multiply(c0, _MULTIPLIERS[0], out=p0)
        np.multiply(c2, _MULTIPLIERS[1], out=p1)
        np.right_shift(p1, _THIRTY_TWO, out=c0)
        np.bitwise_xor(c0, c1, out=c0)
        np.bitwise_xor(c0, k0, out=c0)
        np.bitwise_and(p1, _LOW, out=c1)
        np.right_shift(p0, _THIRTY_TWO, out=c2)
        np.bitwise_xor(c2, c3, out=c2)
        np.bitwise_xor(c2, k1, out=c2)
        np.bitwise_and(p0, _LOW, out=c3)


def random_bits(count: int, dtype: DTypeLike, key: int, execution: int, loop: Sequence[int] = ()) -> Array:
    """Return ``count`` random words of one execution of one operation.

    A longer result begins with a shorter one. A word of uint64 is two words of uint32, the low half first.

    Args:
        count: how many words.
        dtype: uint32 or uint64.
        key: the operation's key of 64 bits, from ``mix_key``.
        execution: how often the operation has run before in this session.
        loop: the iteration numbers of the loops around the operation, outermost first.

    Raises:
        DTypeError: ``dtype`` is another one.

    Example:
        >>> [hex(word) for word in random_bits(2, "uint32", key=0, execution=0)]
        ['0x6627e8d5', '0xe169c58d']
    """
    wanted = as_dtype(dtype)
    if wanted is not uint32 and wanted is not uint64:
        raise DTypeError(f"random bits come as uint32 or uint64, not {wanted.name}.")
    words = count * (2 if wanted is uint64 else 1)
    blocks = -(-words // 4)
    key, execution = int(key), int(execution)
    mixed = execution >> 32
    for index in loop:
        mixed = mix64(mixed + (int(index) + 1) * _GOLDEN)
    schedule = _key_schedule((key & 0xFFFFFFFF, (key >> 32) & 0xFFFFFFFF))
    result = np.empty((blocks, 4), np.uint32)
    state: list[Array] = [np.empty(min(blocks, _BLOCKS_AT_ONCE), np.uint64) for _ in range(4)]
    work: list[Array] = [np.empty_like(state[0]) for _ in range(2)]
    for start in range(0, blocks, _BLOCKS_AT_ONCE):
        stop = min(start + _BLOCKS_AT_ONCE, blocks)
        if stop - start < state[0].size:
            state = [word[: stop - start] for word in state]
            work = [word[: stop - start] for word in work]
        block = np.arange(start, stop, dtype=np.uint64)
        np.bitwise_and(block, _LOW, out=state[0])
        np.bitwise_xor(block >> _THIRTY_TWO, np.uint64((mixed >> 32) & 0xFFFFFFFF), out=state[1])
        state[2].fill(execution & 0xFFFFFFFF)
        state[3].fill(mixed & 0xFFFFFFFF)
        _rounds(state, work, schedule)
        for position, word in enumerate(state):
            result[start:stop, position] = word
    flat = result.reshape(-1)[:words]
    if wanted is uint32:
        return flat
    pairs = flat if sys.byteorder == "little" else flat.reshape(-1, 2)[:, ::-1].reshape(-1)
    return pairs.view(np.uint64)


def bits_dtype(dtype: DTypeLike) -> DType:
    """Return which random bits a variate of ``dtype`` is made from: uint64 for types of 64 bits, else uint32.

    Example:
        >>> bits_dtype("float64"), bits_dtype("bfloat16")
        (dovetail.uint64, dovetail.uint32)
    """
    return uint64 if as_dtype(dtype).size == 8 else uint32


def uniform_from_bits(bits: Array, dtype: DTypeLike) -> Array:
    """Make uniform variates in [0, 1) of random bits.

    A float32 is the 24 high bits of a uint32 times 2**-24, a float64 the 53 high bits of a uint64 times 2**-53, a half
    the float32 rounded toward zero. So a variate is below a threshold of its own type with just that probability, up to
    2**-24 or 2**-53.

    Raises:
        DTypeError: ``dtype`` is not floating, or ``bits`` are not of ``bits_dtype(dtype)``.

    Example:
        >>> print(uniform_from_bits(np.array([0, 2**31, 2**32 - 1], np.uint32), "float16"))
        [0.     0.5    0.9995]
    """
    wanted = _floating(bits, dtype)
    if wanted is float64:
        return (bits >> np.uint64(11)) * np.float64(2.0**-53)
    result: Array = (bits >> np.uint32(8)).astype(np.float32)
    result *= np.float32(2.0**-24)
    if wanted is float32:
        return result
    # Without these low bits of the significand the conversion is exact; a float16 below 2**-14 has none of them set.
    lost = 13 if wanted.numpy == np.float16 else 16
    pattern = result.view(np.uint32)
    pattern &= np.uint32(-(1 << lost) & 0xFFFFFFFF)
    return result.astype(wanted.numpy)


def normal_from_bits(bits: Array, dtype: DTypeLike) -> Array:
    """Make standard normal variates of random bits, by ``normal_expression``.

    Example:
        >>> print(normal_from_bits(np.array([2**31 - 1, 2**31, 2**32 - 1], np.uint32), "float16"))
        [-1.788e-07  1.788e-07  5.293e+00]
    """
    return _blockwise(_compiled(normal_expression, _floating(bits, dtype)), bits, as_dtype(dtype))


def truncated_normal_from_bits(bits: Array, dtype: DTypeLike) -> Array:
    """Make standard normal variates conditioned to [-2, 2] of random bits, by ``truncated_normal_expression``.

    Example:
        >>> print(truncated_normal_from_bits(np.array([0, 2**32 - 1], np.uint32), "float16"))
        [-2.  2.]
    """
    return _blockwise(_compiled(truncated_normal_expression, _floating(bits, dtype)), bits, as_dtype(dtype))


@functools.cache
def _compiled(expression: Callable[[DType], Any], dtype: DType) -> Callable[..., Array]:
    return compile_numpy(expression(dtype), [bits_dtype(dtype)])


def _blockwise(function: Callable[..., Array], bits: Array, dtype: DType) -> Array:
    """Apply a function in blocks that stay in cache, for it has some hundred steps."""
    flat = bits.reshape(-1)
    result = np.empty(flat.size, dtype.numpy)
    for start in range(0, flat.size, _ELEMENTS_AT_ONCE):
        result[start : start + _ELEMENTS_AT_ONCE] = function(flat[start : start + _ELEMENTS_AT_ONCE])
    return result.reshape(bits.shape)


def integers_from_bits(bits: Array, low: int, high: int, dtype: DTypeLike) -> Array:
    """Make uniform integers from ``low`` up to but without ``high`` of random bits.

    The result is low + floor(bits * (high - low) / 2**w) for words of w bits (D. Lemire, "Fast random integer
    generation in an interval", 2019, without the rejection): the probability of a value is off by less than 2**-w.

    Args:
        bits: uint64 for integer types of 64 bits, else uint32.
        low: the least value.
        high: one more than the greatest, at most one more than the type holds.
        dtype: an integer type.

    Raises:
        InvalidArgumentError: the interval is empty, or the type does not hold it.
        DTypeError: ``dtype`` is no integer type, or ``bits`` are not of ``bits_dtype(dtype)``.

    Example:
        >>> print(integers_from_bits(np.array([0, 2**31, 2**32 - 1], np.uint32), 1, 7, "int32"))
        [1 4 6]
    """
    wanted = as_dtype(dtype)
    if not wanted.is_integer:
        raise DTypeError(f"random integers are of an integer dtype, not {wanted.name}.")
    _check_bits(bits, wanted)
    if low >= high:
        raise InvalidArgumentError(f"random integers from {low} up to {high}: the interval is empty.")
    if low < wanted.min or high - 1 > wanted.max:
        raise InvalidArgumentError(
            f"random integers from {low} up to {high} do not fit {wanted.name}, "
            f"which holds {wanted.min} to {wanted.max}."
        )
    extent = high - low
    if wanted.size == 8:
        offset = bits.copy() if extent == 1 << 64 else _multiply_high(bits, extent)
    else:
        offset = bits * np.uint64(extent) >> _THIRTY_TWO
    offset += np.uint64(low & _MASK64)
    return offset.view(np.int64).astype(wanted.numpy)


def _multiply_high(bits: Array, extent: int) -> Array:
    """Return the high 64 bits of a product of 64-bit words."""
    low, high = np.uint64(extent & 0xFFFFFFFF), np.uint64(extent >> 32)
    bits_low, bits_high = bits & _LOW, bits >> _THIRTY_TWO
    carry = (bits_low * low) >> _THIRTY_TWO
    middle = bits_high * low + carry
    other = bits_low * high + (middle & _LOW)
    result: Array = bits_high * high + (middle >> _THIRTY_TWO) + (other >> _THIRTY_TWO)
    return result


def _floating(bits: Array, dtype: DTypeLike) -> DType:
    wanted = as_dtype(dtype)
    if not wanted.is_floating:
        raise DTypeError(f"uniform and normal variates are of a floating dtype, not {wanted.name}.")
    _check_bits(bits, wanted)
    return wanted


def _check_bits(bits: Array, dtype: DType) -> None:
    wanted = bits_dtype(dtype)
    if bits.dtype != wanted.numpy:
        raise DTypeError(f"variates of {dtype.name} are made of {wanted.name} bits, not {bits.dtype}.")
