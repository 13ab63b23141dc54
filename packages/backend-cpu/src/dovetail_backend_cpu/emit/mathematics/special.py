"""Error functions and the gamma function's logarithm, with the coefficients of the reference."""

from __future__ import annotations

import math
from typing import Final

from dovetail.kernels import coefficients
from dovetail_backend_cpu.emit.algebra import Algebra, Term
from dovetail_backend_cpu.emit.mathematics.circular import sin, tan
from dovetail_backend_cpu.emit.mathematics.exponential import exponential, small_exponential
from dovetail_backend_cpu.emit.mathematics.logarithm import log

__all__ = ["digamma", "erf", "erf_single", "erfc", "erfc_single", "lgamma"]

# By weighted least squares: erf(x) / x - 1 in x^2 on [0, 0.92], to 1.5e-8, and log(erfc(x)) on [0.9, 3.95], to 1.6e-9
# of the error function.
_ERF_LOW: Final = (-0.0006021798223, 0.004999599717, -0.02677128227, 0.1128195488, -0.3761250817, 0.128379152)
_ERF_HIGH: Final = (
    0.000197186067, -0.003055647048, 0.02227723298, -0.1040376401, -0.637059457, -1.127749726, -0.0001774580532,
)  # fmt: skip
_ERF_ONE: Final = 3.94
_ONE_OVER_SQRT_PI: Final = 1 / math.sqrt(math.pi)


def _rational(algebra: Algebra, x: Term, numerator: tuple[float, ...], denominator: tuple[float, ...]) -> Term:
    return algebra.horner(x, numerator) / algebra.horner(x, denominator)


def erf_single(algebra: Algebra, x: Term) -> Term:
    """Return the error function of a float."""
    size = abs(x).clamp(0.0, _ERF_ONE)
    square = size * size
    near = algebra.fma(size, algebra.horner(square, _ERF_LOW), size)
    far = 1.0 - small_exponential(algebra, algebra.horner(size, _ERF_HIGH))
    return algebra.select(size < 0.91, near, far).copysign(x)


def erfc_single(algebra: Algebra, x: Term) -> Term:
    """Return 1 - erf(x) of a float, by the reference's formula in double."""
    wide = x.double()
    size = abs(wide).clamp(0.0, 10.4)
    t = 2.0 / (size + 2.0)
    tail = algebra.horner(t, coefficients.ERFC32) * t * exponential(algebra, -size * size)
    return algebra.select(wide < 0.0, 2.0 - tail, tail).single()


def erf(algebra: Algebra, x: Term) -> Term:
    """Return the error function."""
    size = abs(x).clamp(0.0, 6.0)
    near = size * _erf_ratio(algebra, size)
    return algebra.select(size > coefficients.ERF_NEAR, 1.0 - _erfc_positive(algebra, size), near).copysign(x)


def erfc(algebra: Algebra, x: Term) -> Term:
    """Return 1 - erf(x), accurate where it is small."""
    size = abs(x).clamp(0.0, 30.0)
    near = 1.0 - x * _erf_ratio(algebra, size.clamp(0.0, 0.5))
    tail = _erfc_positive(algebra, size)
    far = algebra.select(x < 0.0, 2.0 - tail, tail)
    return algebra.select(size > coefficients.ERF_NEAR, far, near)


def _erf_ratio(algebra: Algebra, size: Term) -> Term:
    return _rational(algebra, size * size, coefficients.ERF_NEAR_P, coefficients.ERF_NEAR_Q)


def _erfc_positive(algebra: Algebra, size: Term) -> Term:
    middle = _rational(algebra, size, coefficients.ERF_MIDDLE_P, coefficients.ERF_MIDDLE_Q)
    inverse = 1.0 / (size * size)
    far = _ONE_OVER_SQRT_PI - inverse * _rational(algebra, inverse, coefficients.ERF_FAR_P, coefficients.ERF_FAR_Q)
    value = algebra.select(size > coefficients.ERF_FAR, far / size, middle)
    # The square is split, so that rounding it does not hurt.
    grid = (size * 16.0).trunc() * 0.0625
    rest = (size - grid) * (size + grid)
    return value * exponential(algebra, -grid * grid) * exponential(algebra, -rest)


def lgamma(algebra: Algebra, x: Term) -> Term:
    """Return the logarithm of |gamma(x)|; the poles give infinity."""
    y = abs(x)
    logarithm = log(algebra, y)
    value = _lgamma_positive(algebra, y, logarithm)
    sine = abs(sin(algebra, math.pi * (y - y.rint())))
    mirrored = log(algebra, math.pi / (sine * y)) - value
    mirrored = algebra.select(y < 1e-100, -logarithm, mirrored)
    mirrored = algebra.select(y.equals(y.rint()), float("inf"), mirrored)
    return algebra.select(x > 0.0, value, algebra.select(x.is_nan(), x, mirrored))


def _lgamma_positive(algebra: Algebra, y: Term, logarithm: Term) -> Term:
    centred = (y - 0.5) - 0.5
    tiny, low, middle, high = y <= 0.5, y <= 1.5, y <= 4.0, y <= 12.0
    first = y <= 0.6796875
    about_one = algebra.select(tiny, y, centred)
    one = about_one * algebra.fma(
        about_one,
        _rational(algebra, about_one, coefficients.LGAMMA_1_P, coefficients.LGAMMA_1_Q),
        coefficients.LGAMMA_1_AT,
    )
    about_two = algebra.select(first, centred, y - 2.0)
    two = about_two * algebra.fma(
        about_two,
        _rational(algebra, about_two, coefficients.LGAMMA_2_P, coefficients.LGAMMA_2_Q),
        coefficients.LGAMMA_2_AT,
    )
    about_four = y - 4.0
    four = algebra.fma(
        about_four,
        _rational(algebra, about_four, coefficients.LGAMMA_4_P, coefficients.LGAMMA_4_Q),
        coefficients.LGAMMA_4_AT,
    )
    series = algebra.horner(1.0 / (y * y), coefficients.STIRLING) / y
    far = series + 0.5 * math.log(2 * math.pi) - 0.5 * logarithm + y * (logarithm - 1.0)
    far = algebra.select(y.equals(float("inf")), y, far)
    value = algebra.select(high, four, far)
    value = algebra.select(middle, two, value)
    value = algebra.select(low, one, value)
    value = algebra.select(first, two - logarithm, value)
    return algebra.select(tiny, one - logarithm, value)


def digamma(algebra: Algebra, x: Term) -> Term:
    """Return the derivative of lgamma; the poles below 0 give NaN."""
    negative = x < 0.0
    value = _digamma_positive(algebra, algebra.select(negative, 1.0 - x, x))
    offset = x - x.rint()
    mirrored = value - math.pi / tan(algebra, math.pi * offset)
    whole = offset.equals(0.0) | x.equals(-float("inf"))
    mirrored = algebra.select(whole, float("nan"), mirrored)
    value = algebra.select(negative, mirrored, value)
    return algebra.select(x.equals(0.0), algebra.constant(-float("inf"), x.type).copysign(-x), value)


def _digamma_positive(algebra: Algebra, x: Term) -> Term:
    series = algebra.horner(1.0 / (x * x), coefficients.DIGAMMA_SERIES)
    far = log(algebra, x) - 0.5 / x + series
    below = x < 1.0
    zero = algebra.constant(0.0, x.type)
    value = algebra.select(below, -1.0 / x, zero)
    y = algebra.select(below, x + 1.0, x)
    for _ in range(8):
        above = y > 2.0
        y = algebra.select(above, y - 1.0, y)
        value = value + algebra.select(above, 1.0 / y, zero)
    root = coefficients.DIGAMMA_ROOT
    distance = ((y - root[0]) - root[1]) - root[2]
    ratio = _rational(algebra, y - 1.0, coefficients.DIGAMMA_P, coefficients.DIGAMMA_Q)
    near = value + (distance * coefficients.DIGAMMA_OFFSET + distance * ratio)
    return algebra.select(x >= 10.0, far, near)
