"""NumPy functions that NumPy lacks: the error function, the gamma function's logarithm, a fast select, and a few more.

All but ``select``, ``sigmoid`` and ``rsqrt`` are computed in float64; float32 arguments give float32 results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np

from dovetail.ops.scalar import coefficients

__all__ = ["digamma", "erf", "erfc", "lgamma", "rsqrt", "select", "sigmoid", "to_integer"]

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Coefficients: TypeAlias = tuple[float, ...]

_BLOCK: Final = 1 << 14
_SMALL: Final = 1 << 11
_BITS: Final = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}


def select(condition: Array, a: Array, b: Array) -> Array:
    """Compute ``np.where``; large arrays by masking bits, which takes a seventh of the time where truth varies."""
    if condition.size < _SMALL or a.dtype.kind == "O":
        return np.where(condition, a, b)
    bits = _BITS[a.dtype.itemsize]
    mask: Array = condition.view(np.int8).astype(bits)
    np.negative(mask, out=mask)
    a_bits, b_bits = a.view(bits), b.view(bits)
    if a_bits.ndim == 0 and not a_bits:
        chosen = ~mask & b_bits
    elif b_bits.ndim == 0 and not b_bits:
        chosen = mask & a_bits
    else:
        chosen = (mask & (a_bits ^ b_bits)) ^ b_bits
    result: Array = chosen.view(a.dtype)
    return result


def to_integer(x: Array, dtype: np.dtype[Any]) -> Array:
    """Convert floating numbers to an integer dtype: toward zero, into the range, NaN to 0."""
    limits = np.iinfo(dtype)
    result: Array = np.asarray(x.astype(dtype))
    # The powers of two around the range are exact in every floating dtype, unlike the largest integer.
    outside = np.asarray(~((x >= float(limits.min)) & (x < 2.0 ** (limits.bits - (limits.min < 0)))))
    if outside.any():
        ends = np.where(x < 0, dtype.type(limits.min), dtype.type(limits.max))
        result = np.where(outside, np.where(np.isnan(x), dtype.type(0), ends), result)
    return result


def sigmoid(x: Array) -> Array:
    """Compute 1 / (1 + exp(-x)), of real numbers without overflow and with full relative accuracy on both sides."""
    if x.dtype.kind == "c":
        return np.asarray(np.reciprocal(1 + np.exp(-x)))
    decay = np.empty(x.shape, x.dtype)
    np.abs(x, out=decay)
    np.negative(decay, out=decay)
    np.exp(decay, out=decay)
    # For x >= 0 the numerator is 1, else exp(x); the exponential here is at most 1.
    result: Array = np.maximum(decay, np.greater_equal(x, 0), dtype=x.dtype)
    decay += 1
    result /= decay
    return result


def rsqrt(x: Array) -> Array:
    """Compute 1 / sqrt(x); the root is rounded, then the quotient."""
    result: Array = np.reciprocal(np.sqrt(x))
    return result


def _blockwise(x: Array, double: Callable[[Array], Array], single: Callable[[Array], Array]) -> Array:
    """Apply a function of flat float64 arrays in blocks that stay in cache, keeping shape and dtype of ``x``."""
    function = double if x.dtype == np.float64 else single
    flat = np.ravel(x)
    result = np.empty_like(flat)
    for start in range(0, flat.size, _BLOCK):
        block = flat[start : start + _BLOCK].astype(np.float64)
        result[start : start + _BLOCK] = function(block)
    return result.reshape(np.shape(x))


def _polynomial(x: Array, coefficients: Coefficients) -> Array:
    """Evaluate a polynomial by Horner's rule, highest power first."""
    result = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        result *= x
        result += coefficient
    return result


def _rational(x: Array, numerator: Coefficients, denominator: Coefficients) -> Array:
    """Evaluate a quotient of two polynomials."""
    result = _polynomial(x, numerator)
    result /= _polynomial(x, denominator)
    return result


def _erf_near(x: Array) -> Array:
    return x * _rational(x * x, coefficients.ERF_NEAR_P, coefficients.ERF_NEAR_Q)


def _erfc_positive(y: Array) -> Array:
    """Compute erfc for y > 0.46875; exp(-y^2) is split so that rounding y^2 does not hurt."""
    result = _rational(y, coefficients.ERF_MIDDLE_P, coefficients.ERF_MIDDLE_Q)
    far = y > coefficients.ERF_FAR
    if far.any():
        distant = np.minimum(y[far], 30.0)
        inverse = 1.0 / (distant * distant)
        tail = inverse * _rational(inverse, coefficients.ERF_FAR_P, coefficients.ERF_FAR_Q)
        result[far] = (coefficients.ONE_OVER_SQRT_PI - tail) / distant
    near_grid = np.trunc(np.minimum(y, 30.0) * 16.0) / 16.0
    rest = (np.minimum(y, 30.0) - near_grid) * (np.minimum(y, 30.0) + near_grid)
    result *= np.exp(-near_grid * near_grid) * np.exp(-rest)
    return result


def _erf64(x: Array) -> Array:
    y = np.abs(x)
    result = _erf_near(np.minimum(y, coefficients.ERF_NEAR))
    outer = y > coefficients.ERF_NEAR
    if outer.any():
        result[outer] = 1.0 - _erfc_positive(np.minimum(y[outer], 6.0))
    result[np.isnan(x)] = np.nan
    return np.copysign(result, x)


def _erfc64(x: Array) -> Array:
    y = np.abs(x)
    result = 1.0 - _erf_near(np.clip(x, -coefficients.ERF_NEAR, coefficients.ERF_NEAR))
    outer = y > coefficients.ERF_NEAR
    if outer.any():
        tail = _erfc_positive(y[outer])
        result[outer] = np.where(x[outer] < 0, 2.0 - tail, tail)
    result[np.isnan(x)] = np.nan
    return result


def _erf32(x: Array) -> Array:
    x = np.clip(x, -4.0, 4.0)
    return x * _rational(x * x, coefficients.ERF32_P, coefficients.ERF32_Q)


def _erfc32(x: Array) -> Array:
    y = np.minimum(np.abs(x), 10.4)
    t = 2.0 / (2.0 + y)
    tail: Array = _polynomial(t, coefficients.ERFC32) * t * np.exp(-y * y)
    return np.where(x < 0, 2.0 - tail, tail)


def erf(x: Array) -> Array:
    """Compute the error function."""
    return _blockwise(x, _erf64, _erf32)


def erfc(x: Array) -> Array:
    """Compute 1 - erf(x) with full relative accuracy where it is small."""
    return _blockwise(x, _erfc64, _erfc32)


def _lgamma_by_parts(y: Array) -> Array:
    """Compute lgamma for y > 0, each stretch by its own approximation."""
    result = np.empty_like(y)
    tiny = y <= 0.5
    first = (y > 0.5) & (y <= 0.6796875)
    low = (y > 0.6796875) & (y <= 1.5)
    middle = (y > 1.5) & (y <= 4.0)
    high = (y > 4.0) & (y <= 12.0)
    far = y > 12.0
    if tiny.any():
        part = y[tiny]
        result[tiny] = part * (
            coefficients.LGAMMA_1_AT + part * _rational(part, coefficients.LGAMMA_1_P, coefficients.LGAMMA_1_Q)
        ) - np.log(part)
    if first.any():
        part = (y[first] - 0.5) - 0.5
        value = part * (
            coefficients.LGAMMA_2_AT + part * _rational(part, coefficients.LGAMMA_2_P, coefficients.LGAMMA_2_Q)
        )
        result[first] = value - np.log(y[first])
    if low.any():
        part = (y[low] - 0.5) - 0.5
        result[low] = part * (
            coefficients.LGAMMA_1_AT + part * _rational(part, coefficients.LGAMMA_1_P, coefficients.LGAMMA_1_Q)
        )
    if middle.any():
        part = y[middle] - 2.0
        result[middle] = part * (
            coefficients.LGAMMA_2_AT + part * _rational(part, coefficients.LGAMMA_2_P, coefficients.LGAMMA_2_Q)
        )
    if high.any():
        part = y[high] - 4.0
        result[high] = coefficients.LGAMMA_4_AT + part * _rational(
            part, coefficients.LGAMMA_4_P, coefficients.LGAMMA_4_Q
        )
    if far.any():
        part = y[far]
        log = np.log(part)
        series = _polynomial(1.0 / (part * part), coefficients.STIRLING) / part
        result[far] = np.where(
            np.isinf(part), np.inf, series + coefficients.HALF_LOG_TWO_PI - 0.5 * log + part * (log - 1.0)
        )
    return result


def _lgamma64(x: Array) -> Array:
    result = np.full_like(x, np.nan)
    positive = x > 0
    result[positive] = _lgamma_by_parts(x[positive])
    result += 0.0
    rest = x <= 0
    if rest.any():
        y = -x[rest]
        sine = np.abs(np.sin(np.pi * (y - np.rint(y))))
        mirrored = np.log(np.pi / (sine * y)) - _lgamma_by_parts(np.maximum(y, 5e-324))
        result[rest] = np.where((sine == 0) | np.isinf(y), np.inf, mirrored)
    return result


def lgamma(x: Array) -> Array:
    """Compute the logarithm of |gamma(x)|; the poles at 0, -1, -2, … give infinity."""
    return _blockwise(x, _lgamma64, _lgamma64)


def _digamma_positive(x: Array) -> Array:
    result = np.empty_like(x)
    far = x >= 10.0
    if far.any():
        y = x[far]
        series = _polynomial(1.0 / (y * y), coefficients.DIGAMMA_SERIES)
        result[far] = np.log(y) - 0.5 / y + series
    near = ~far
    if near.any():
        y = x[near]
        below = y < 1.0
        value = np.where(below, -1.0 / y, 0.0)
        y = np.where(below, y + 1.0, y)
        for _ in range(8):
            above = y > 2.0
            y = np.where(above, y - 1.0, y)
            value += np.where(above, 1.0 / y, 0.0)
        distance = ((y - coefficients.DIGAMMA_ROOT[0]) - coefficients.DIGAMMA_ROOT[1]) - coefficients.DIGAMMA_ROOT[2]
        ratio = _rational(y - 1.0, coefficients.DIGAMMA_P, coefficients.DIGAMMA_Q)
        result[near] = value + (distance * coefficients.DIGAMMA_OFFSET + distance * ratio)
    return result


def _digamma64(x: Array) -> Array:
    result = np.full_like(x, np.nan)
    positive = x > 0
    result[positive] = _digamma_positive(x[positive])
    negative = (x < 0) & ~np.isinf(x)
    if negative.any():
        y = x[negative]
        offset = y - np.rint(y)
        mirrored = _digamma_positive(1.0 - y) - np.pi / np.tan(np.pi * offset)
        result[negative] = np.where(offset == 0, np.nan, mirrored)
    zero = x == 0
    result[zero] = np.copysign(np.inf, -x[zero])
    return result


def digamma(x: Array) -> Array:
    """Compute the derivative of lgamma; the poles at -1, -2, … give NaN, 0.0 gives -infinity and -0.0 infinity."""
    return _blockwise(x, _digamma64, _digamma64)
