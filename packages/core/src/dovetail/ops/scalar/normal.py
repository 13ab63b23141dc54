"""Normal variates from random bits, as scalar expressions.

A uniform variate in the middle of its cell, never 0 or 1, goes through a rational approximation of the inverse normal
distribution function: PPND16 for float64 (relative error below 1e-15 in exact arithmetic), PPND7 for the smaller types
(below 1e-7), of M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics
37 (1988). The logarithm that it needs is composed as well, so that nothing occurs here but conversions, comparisons,
selections and the correctly rounded ``+ - * /`` and ``sqrt``. A backend that prints the expressions as they are, in
this order and without contracting products and sums, gives the same bits as every other.
"""

from __future__ import annotations

import functools
import math
import operator
from typing import Final, TypeAlias

from dovetail.errors import DTypeError
from dovetail.ops.scalar.basis import absolute, maximum, minimum, negative, right_shift, select, sqrt
from dovetail.ops.scalar.expression import Convert, Expression, Input, Operand, as_expression
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, float32, float64

__all__ = [
    "centred_uniform",
    "inverse_normal_by_parts",
    "inverse_normal_cdf",
    "normal_expression",
    "truncated_normal_expression",
]

Coefficients: TypeAlias = tuple[float, ...]

# Highest power first. A, B: |p - 1/2| <= 0.425; C, D: sqrt(-log p) <= 5; E, F: beyond, where float32 does not come.

_A64: Final = (
    2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
    1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
)  # fmt: skip
_B64: Final = (
    5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
    5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
)  # fmt: skip
_C64: Final = (
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
    3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0,
)  # fmt: skip
_D64: Final = (
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
    6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0,
)  # fmt: skip
_E64: Final = (
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
    2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0,
)  # fmt: skip
_F64: Final = (
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
    1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
)  # fmt: skip
_A32: Final = (5.9109374720e1, 1.5929113202e2, 5.0434271938e1, 3.3871327179e0)
_B32: Final = (6.7187563600e1, 7.8757757664e1, 1.7895169469e1, 1.0)
_C32: Final = (1.7023821103e-1, 1.3067284816e0, 2.7568153900e0, 1.4234372777e0)
_D32: Final = (1.2021132975e-1, 7.3700164250e-1, 1.0)

_CENTRE: Final = 0.425
_NORMAL_CDF_OF_2: Final = 0.97724986805182079279


def centred_uniform(bits: Operand, dtype: DTypeLike) -> Expression:
    """Build the middle of the cell of (0, 1) that random bits choose; exact, symmetric about 1/2, never 0 or 1.

    Args:
        bits: uint64 for float64, of which the 52 high bits count; else uint32, of which the 23 high bits count.
        dtype: a floating dtype; for halves the uniform is float32.

    Example:
        >>> print(centred_uniform(Input(0), "float32"))
        (cast(right_shift(x0, 9), float32) + 0.5) * 1.1920928955078125e-07
    """
    if _wide(dtype):
        return (Convert(float64, right_shift(bits, 12)) + 0.5) * 2.0**-52
    return (Convert(float32, right_shift(bits, 9)) + 0.5) * 2.0**-23


def inverse_normal_cdf(p: Operand, dtype: DTypeLike) -> Expression:
    """Build the number below which a standard normal variate falls with probability ``p``.

    Args:
        p: of dtype float64 from 2**-64 to 1 - 2**-53, or of dtype float32 from 2**-32 to 1 - 2**-24.
        dtype: float64, or a smaller floating dtype for the formula of float32.

    Example:
        >>> import numpy as np
        >>> from dovetail.ops.scalar import compile_numpy
        >>> quantile = compile_numpy(inverse_normal_cdf(Input(0), "float64"), ["float64"])
        >>> print(np.round(quantile(np.array([0.5, 0.975])), 6))
        [0.       1.959964]
    """
    wide = _wide(dtype)
    p = as_expression(p)
    return inverse_normal_by_parts(p - 0.5, sqrt(_negative_log(minimum(p, 1.0 - p), wide)), wide)


def inverse_normal_by_parts(q: Expression, r: Expression, wide: bool) -> Expression:
    """Build the same from ``q``, the probability less 1/2, and ``r``, the root of -log of the smaller of both tails.

    Args:
        q: from -1/2 to 1/2.
        r: the root.
        wide: whether to take the formula of float64.

    Example:
        >>> from dovetail.ops.scalar import result_dtype
        >>> result_dtype(inverse_normal_by_parts(Input(0), Input(1), wide=True), ["float64", "float64"])
        dovetail.float64
    """
    square = 0.180625 - q * q
    a, b, c, d = (_A64, _B64, _C64, _D64) if wide else (_A32, _B32, _C32, _D32)
    centre = q * _polynomial(square, a) / _polynomial(square, b)
    tail = _polynomial(r - 1.6, c) / _polynomial(r - 1.6, d)
    if wide:
        tail = select(r <= 5.0, tail, _polynomial(r - 5.0, _E64) / _polynomial(r - 5.0, _F64))
    return select(absolute(q) <= _CENTRE, centre, select(q < 0.0, negative(tail), tail))


def normal_expression(dtype: DTypeLike) -> Expression:
    """Build a standard normal variate of ``dtype`` from the bits ``x0``, uint64 for float64 and uint32 otherwise.

    Example:
        >>> from dovetail.ops.scalar import result_dtype
        >>> result_dtype(normal_expression("bfloat16"), ["uint32"])
        dovetail.bfloat16
    """
    return _rounded(inverse_normal_cdf(centred_uniform(Input(0), dtype), dtype), dtype)


def truncated_normal_expression(dtype: DTypeLike) -> Expression:
    """Build a standard normal variate conditioned to [-2, 2] from the bits ``x0``.

    The uniform variate is restricted to what the distribution function leaves between -2 and 2; nothing is rejected.

    Example:
        >>> from dovetail.ops.scalar import result_dtype
        >>> result_dtype(truncated_normal_expression("float64"), ["uint64"])
        dovetail.float64
    """
    low, width = 1.0 - _NORMAL_CDF_OF_2, 2.0 * _NORMAL_CDF_OF_2 - 1.0
    value = inverse_normal_cdf(centred_uniform(Input(0), dtype) * width + low, dtype)
    return _rounded(maximum(minimum(value, 2.0), -2.0), dtype)


def _polynomial(x: Expression, coefficients: Coefficients) -> Expression:
    """Build a polynomial by Horner's rule."""
    result: Operand = coefficients[0]
    for coefficient in coefficients[1:]:
        result = result * x + coefficient
    return as_expression(result)


def _negative_log(x: Expression, wide: bool) -> Expression:
    """Build -log(x) for 0 < x < 1.

    Comparisons find the binary exponent; the rest is log(s) + 2 artanh((x - s) / (x + s)) with s = sqrt(1/2).
    """
    parts: list[Expression] = []
    for shift in (32, 16, 8, 4, 2, 1) if wide else (16, 8, 4, 2, 1):
        small = x < 2.0**-shift
        x = x * select(small, 2.0**shift, 1.0)
        parts.append(select(small, float(shift), 0.0))
    exponent = functools.reduce(operator.add, parts)
    t = (x - math.sqrt(0.5)) / (x + math.sqrt(0.5))
    terms = 11 if wide else 6
    series = _polynomial(t * t, tuple(2.0 / (2 * k + 1) for k in reversed(range(terms))))
    return exponent * math.log(2.0) - (t * series - 0.5 * math.log(2.0))


def _rounded(expression: Expression, dtype: DTypeLike) -> Expression:
    target = as_dtype(dtype)
    return Convert(target, expression) if target.is_half else expression


def _wide(dtype: DTypeLike) -> bool:
    target: DType = as_dtype(dtype)
    if not target.is_floating:
        raise DTypeError(f"normal variates are of a floating dtype, not {target.name}.")
    return target is float64
