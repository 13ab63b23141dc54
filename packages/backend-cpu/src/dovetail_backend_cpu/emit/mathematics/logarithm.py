"""Logarithms, inverse hyperbolic functions, and powers."""

from __future__ import annotations

from typing import Final

from dovetail_backend_cpu.emit.algebra import Algebra, Term
from dovetail_backend_cpu.emit.mathematics.exponential import exponential

__all__ = ["acosh", "asinh", "atanh", "log", "log1p", "log1p_single", "log_single", "power", "power_single"]

# (log(1 + f) - f + f^2/2) / f^3 for 1 + f between the roots of 1/2 and 2; and for double, in z = s^2 with
# s = f / (2 + f), (log(1 + f) / s - 2) / z. Interpolated at Chebyshev's nodes, highest power first.
_LOG_SINGLE: Final = (
    0.0697615147243326, -0.11487131711864979, 0.11687244631654048, -0.12424865277572408, 0.14248805102971376,
    -0.16667826501753383, 0.20000723094916367, -0.24999996793979784, 0.33333331151125206,
)  # fmt: skip
_LOG: Final = (
    0.1461916613488797, 0.1533150161114533, 0.18182895750119193, 0.22222211043776857, 0.2857142862653362,
    0.3999999999989827, 0.666666666666667,
)  # fmt: skip
_LOG_TWO_SINGLE: Final = (0.693359375, -2.12194440e-4)
_LOG_TWO: Final = (0.6931471803691238, 1.9082149292705877e-10)
_TWO_THIRDS: Final = (0.6666666666666666, 3.700743415417188e-17)
_MAGIC: Final = 6755399441055744.0
_MAGIC_BITS: Final = 0x4338000000000000
_SPLITTER: Final = 134217729.0


def _parted(algebra: Algebra, x: Term) -> tuple[Term, Term]:
    """Return the exponent of a positive number, as a number, and its significand between the roots of 1/2 and 2."""
    single = x.type == "float"
    shift, least, lift = (23, 2.0**-126, 23) if single else (52, 2.0**-1022, 54)
    root = 0x3F3504F3 if single else 0x3FE6A09E667F3BCD
    small = x < least
    scaled = algebra.select(small, x * 2.0**lift, x)
    bits = scaled.bits()
    count = (bits - root).arithmetic_shift(shift)
    significand = (bits - (count << shift)).real()
    count = algebra.select(small, count - lift, count)
    if single:
        return algebra.cast("sitofp", count, "float"), significand
    # Few machines convert vectors of 64-bit integers; a sum in the bits of a double does.
    return (count + _MAGIC_BITS).real() - _MAGIC, significand


def _with_limits(algebra: Algebra, x: Term, value: Term) -> Term:
    """Return the logarithm at 0, at infinity, for negative numbers and NaN; else ``value``."""
    value = algebra.select(x < float("inf"), value, x)
    pole = algebra.select(x.equals(0.0), algebra.constant(-float("inf"), x.type), float("nan"))
    return algebra.select(x > 0.0, value, pole)


def log_single(algebra: Algebra, x: Term) -> Term:
    """Return the natural logarithm of a float."""
    count, significand = _parted(algebra, x)
    f = significand - 1.0
    square = f * f
    rest = f * square * algebra.horner(f, _LOG_SINGLE)
    rest = algebra.fma(count, _LOG_TWO_SINGLE[1], rest)
    rest = algebra.fma(square, -0.5, rest)
    return _with_limits(algebra, x, algebra.fma(count, _LOG_TWO_SINGLE[0], f + rest))


def log(algebra: Algebra, x: Term) -> Term:
    """Return the natural logarithm."""
    count, significand = _parted(algebra, x)
    f = significand - 1.0
    s = f / (f + 2.0)
    square = s * s
    half_square = 0.5 * f * f
    rest = s * algebra.fma(square, algebra.horner(square, _LOG), half_square)
    value = f - (half_square - algebra.fma(count, _LOG_TWO[1], rest))
    return _with_limits(algebra, x, algebra.fma(count, _LOG_TWO[0], value))


def log1p_single(algebra: Algebra, x: Term) -> Term:
    """Return log(1 + x) of a float."""
    return _log1p(algebra, x, log_single(algebra, x + 1.0))


def log1p(algebra: Algebra, x: Term) -> Term:
    """Return log(1 + x)."""
    return _log1p(algebra, x, log(algebra, x + 1.0))


def _log1p(algebra: Algebra, x: Term, value: Term) -> Term:
    """Correct the logarithm of the rounded sum 1 + x by what the rounding lost."""
    total = x + 1.0
    lost = x - (total - 1.0)
    some = (total > 0.0) & (total < float("inf"))
    correction = algebra.select(some, lost / algebra.select(some, total, 1.0), 0.0)
    return algebra.select(x.equals(0.0), x, value + correction)


def asinh(algebra: Algebra, x: Term) -> Term:
    """Return the inverse hyperbolic sine."""
    size = abs(x)
    near = log1p(algebra, size + size * size / ((size * size + 1.0).sqrt() + 1.0))
    far = log(algebra, size) + (_LOG_TWO[0] + _LOG_TWO[1])
    return algebra.select(size < 1e9, near, far).copysign(x)


def acosh(algebra: Algebra, x: Term) -> Term:
    """Return the inverse hyperbolic cosine."""
    above = x - 1.0
    near = log1p(algebra, above + (above * (above + 2.0)).sqrt())
    far = log(algebra, x) + (_LOG_TWO[0] + _LOG_TWO[1])
    return algebra.select(x > 1e9, far, algebra.select(above < 0.0, float("nan"), near))


def atanh(algebra: Algebra, x: Term) -> Term:
    """Return the inverse hyperbolic tangent."""
    size = abs(x)
    return (0.5 * log1p(algebra, 2.0 * size / (1.0 - size))).copysign(x)


# Powers. -------------------------------------------------------------------------------------------------------------


def power_single(algebra: Algebra, x: Term, y: Term) -> Term:
    """Return x to the power y, of floats: by the logarithm in double."""
    base, exponent = x.double(), y.double()
    return _signed_power(algebra, base, exponent, exponential(algebra, exponent * log(algebra, abs(base)))).single()


def power(algebra: Algebra, x: Term, y: Term) -> Term:
    """Return x to the power y: by a logarithm of about twice the precision."""
    size = abs(x)
    high, low = _long_log(algebra, size)
    limited = y.clamp(-1e19, 1e19)
    product, rest = _product(algebra, high, limited)
    rest = algebra.fma(low, limited, rest)
    rest = algebra.select(abs(product) < 745.0, rest, 0.0)
    value = exponential(algebra, product, tail=rest)
    infinite = size.equals(float("inf"))
    edge = algebra.select((y > 0.0).compare("eq", infinite), float("inf"), algebra.constant(0.0, x.type))
    value = algebra.select(infinite | size.equals(0.0), edge, value)
    return _signed_power(algebra, x, y, value)


def _signed_power(algebra: Algebra, x: Term, y: Term, value: Term) -> Term:
    """Give |x|**y its sign, and the values that IEEE 754 wants."""
    whole = y.trunc().equals(y)
    half = y * 0.5
    odd = whole & ~half.trunc().equals(half)
    negative = x.bits() < 0
    value = algebra.select(odd & negative, -value, value)
    lost = (x < 0.0) & ~whole & (x > -float("inf"))
    value = algebra.select(lost, float("nan"), value)
    value = algebra.select(x.is_nan() | y.is_nan(), x + y, value)
    endless = abs(y).equals(float("inf")) & abs(x).equals(1.0)
    return algebra.select(y.equals(0.0) | x.equals(1.0) | endless, 1.0, value)


def _product(algebra: Algebra, a: Term, b: Term) -> tuple[Term, Term]:
    """Return a product and its rounding error (T. J. Dekker, 1971, where there is no fused multiply-add)."""
    product = a * b
    if algebra.fused:
        return product, algebra.fma(a, b, -product)
    a_high = _SPLITTER * a - (_SPLITTER * a - a)
    b_high = _SPLITTER * b - (_SPLITTER * b - b)
    a_low, b_low = a - a_high, b - b_high
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _sum(a: Term, b: Term) -> tuple[Term, Term]:
    """Return a sum and its rounding error, where |a| >= |b| or a is 0."""
    total = a + b
    return total, b - (total - a)


def _long_log(algebra: Algebra, x: Term) -> tuple[Term, Term]:
    """Return the logarithm of a positive finite number in two parts."""
    count, significand = _parted(algebra, x)
    f = significand - 1.0
    below = significand + 1.0
    below_low = significand - (below - 1.0)
    s = f / below
    product, error = _product(algebra, s, below)
    s_low = ((f - product) - error - s * below_low) / below
    square, square_low = _product(algebra, s, s)
    square_low = square_low + 2.0 * s * s_low
    # log(1 + f) = s (2 + square p); p is 2/3 and a smaller polynomial in the square.
    p, p_low = _sum(algebra.constant(_TWO_THIRDS[0], x.type), square * algebra.horner(square, _LOG[:-1]))
    p_low = p_low + _TWO_THIRDS[1]
    u, u_low = _product(algebra, square, p)
    u_low = u_low + square * p_low + square_low * p
    t, t_low = _sum(algebra.constant(2.0, x.type), u)
    t_low = t_low + u_low
    high, low = _product(algebra, s, t)
    low = low + s * t_low + s_low * t
    total, rest = _sum(count * _LOG_TWO[0], high)
    rest = rest + (low + count * _LOG_TWO[1])
    return _sum(total, rest)
