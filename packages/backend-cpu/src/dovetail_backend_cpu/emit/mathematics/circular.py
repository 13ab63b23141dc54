"""Circular functions, by reduction to a quarter turn, and their inverses."""

from __future__ import annotations

from typing import Final

from dovetail_backend_cpu.emit.algebra import Algebra, Term
from dovetail_backend_cpu.emit.mathematics.reduction import reduced

__all__ = ["acos", "asin", "atan", "atan2", "cos", "cos_single", "sin", "sin_single", "tan"]

# Polynomials in the square of the argument that interpolate at Chebyshev's nodes: (sin(x)/x - 1)/x^2 and
# (cos(x) - 1 + x^2/2)/x^4 on [0, pi/4], (atan(x)/x - 1)/x^2 on [0, tan(pi/8)], (asin(x)/x - 1)/x^2 on [0, 1/2].

_SIN_SINGLE: Final = (-0.00019587387068464455, 0.008332745936380422, -0.16666664650292082)
_COS_SINGLE: Final = (2.45474372101932e-05, -0.00138883006969039, 0.04166666464745738)
_SIN: Final = (
    -7.586576588171073e-13, 1.6058529572267877e-10, -2.5052106219521895e-08, 2.755731921930192e-06,
    -0.00019841269841265017, 0.008333333333333331, -0.16666666666666666,
)  # fmt: skip
_COS: Final = (
    4.745804889760674e-14, -1.1470459749675607e-11, 2.087675578389404e-09, -2.7557319221382114e-07,
    2.4801587301584618e-05, -0.0013888888888888887, 0.041666666666666664,
)  # fmt: skip
_ATAN: Final = (
    -0.019147248964611764, 0.03920743321261196, -0.05084610357631765, 0.05857988350245762, -0.06664492945806264,
    0.07692181876036845, -0.0909090452147169, 0.11111111013860688, -0.14285714284649173, 0.19999999999995438,
    -0.3333333333333333,
)  # fmt: skip
_ASIN: Final = (
    0.02877844261259304, -0.014881409392818066, 0.017419357964884856, 0.00545087818772055, 0.010324318288744113,
    0.011478952690257387, 0.013971235301124539, 0.017352391265909227, 0.022372173002005596, 0.030381944137085216,
    0.04464285714637338, 0.07499999999998425, 0.16666666666666669,
)  # fmt: skip
_HALF_PI: Final = (1.5707963267948966, 6.123233995736766e-17)
_PI: Final = (3.141592653589793, 1.2246467991473532e-16)
_TAN_EIGHTH: Final = 0.41421356237309503
_TAN_THREE_EIGHTHS: Final = 2.414213562373095


def _turned(algebra: Algebra, x: Term, quarters: Term, sine: tuple[float, ...], cosine: tuple[float, ...]) -> Term:
    """Return the sine of ``x`` plus a number of quarter turns; ``x`` is at most an eighth of a turn."""
    square = x * x
    odd = algebra.fma(x * square, algebra.horner(square, sine), x)
    even = algebra.fma(square * square, algebra.horner(square, cosine), algebra.fma(square, -0.5, 1.0))
    value = algebra.select((quarters & 1).equals(0), odd, even)
    shift = 30 if x.type == "float" else 62
    return (value.bits() ^ ((quarters & 2) << shift)).real()


def _single(algebra: Algebra, x: Term, shift: int) -> Term:
    r, quarters = reduced(algebra, x.double())
    count = algebra.cast("trunc", quarters, "i32")
    return _turned(algebra, r.single(), count + shift if shift else count, _SIN_SINGLE, _COS_SINGLE)


def sin_single(algebra: Algebra, x: Term) -> Term:
    """Return the sine of a float."""
    return algebra.select(x.equals(0.0), x, _single(algebra, x, 0))


def cos_single(algebra: Algebra, x: Term) -> Term:
    """Return the cosine of a float."""
    return _single(algebra, x, 1)


def sin(algebra: Algebra, x: Term) -> Term:
    """Return the sine."""
    r, quarters = reduced(algebra, x)
    return algebra.select(x.equals(0.0), x, _turned(algebra, r, quarters, _SIN, _COS))


def cos(algebra: Algebra, x: Term) -> Term:
    """Return the cosine."""
    r, quarters = reduced(algebra, x)
    return _turned(algebra, r, quarters + 1, _SIN, _COS)


def tan(algebra: Algebra, x: Term) -> Term:
    """Return the tangent, of sine and cosine."""
    r, quarters = reduced(algebra, x)
    square = r * r
    odd = algebra.fma(r * square, algebra.horner(square, _SIN), r)
    even = algebra.fma(square * square, algebra.horner(square, _COS), algebra.fma(square, -0.5, 1.0))
    is_even = (quarters & 1).equals(0)
    value = algebra.select(is_even, odd, -even) / algebra.select(is_even, even, odd)
    return algebra.select(x.equals(0.0), x, value)


def atan(algebra: Algebra, x: Term) -> Term:
    """Return the inverse tangent: from the nearest of 0, an eighth and a quarter turn."""
    size = abs(x)
    far, middle = size > _TAN_THREE_EIGHTHS, size > _TAN_EIGHTH
    above = algebra.select(far, -1.0, algebra.select(middle, size - 1.0, size))
    below = algebra.select(far, size, algebra.select(middle, size + 1.0, 1.0))
    value = _near(algebra, above / below)
    base = algebra.select(far, _HALF_PI[0], algebra.select(middle, _HALF_PI[0] / 2, algebra.constant(0.0, x.type)))
    rest = algebra.select(far, _HALF_PI[1], algebra.select(middle, _HALF_PI[1] / 2, algebra.constant(0.0, x.type)))
    return (base + (value + rest)).copysign(x)


def _near(algebra: Algebra, x: Term) -> Term:
    square = x * x
    return algebra.fma(x * square, algebra.horner(square, _ATAN), x)


def atan2(algebra: Algebra, y: Term, x: Term) -> Term:
    """Return the angle of the point (x, y)."""
    wide, high = abs(x), abs(y)
    steep = high > wide
    above, below = algebra.select(steep, wide, high), algebra.select(steep, high, wide)
    ratio = algebra.select(above.equals(below), 1.0, above / below)
    ratio = algebra.select(above.equals(0.0), 0.0, ratio)
    middle = ratio > _TAN_EIGHTH
    value = _near(algebra, algebra.select(middle, (ratio - 1.0) / (ratio + 1.0), ratio))
    # The angle from the x axis is a sum of parts with low words: an eighth, and what is subtracted from a quarter or
    # from a half turn.
    zero = algebra.constant(0.0, x.type)
    base = algebra.select(middle, _HALF_PI[0] / 2, zero)
    rest = algebra.select(middle, _HALF_PI[1] / 2, zero)
    left = (x.bits() < 0) & ~x.is_nan()
    sign = algebra.select(steep, algebra.constant(-1.0, x.type), 1.0)
    turn = algebra.select(steep, _HALF_PI[0], zero)
    turn_rest = algebra.select(steep, _HALF_PI[1], zero)
    base, rest, value = turn + sign * base, turn_rest + sign * rest, sign * value
    sign = algebra.select(left, algebra.constant(-1.0, x.type), 1.0)
    turn = algebra.select(left, _PI[0], zero)
    turn_rest = algebra.select(left, _PI[1], zero)
    base, rest, value = turn + sign * base, turn_rest + sign * rest, sign * value
    angle = (base + (value + rest)).copysign(y)
    return algebra.select(x.is_nan() | y.is_nan(), x + y, angle)


def _half_root(algebra: Algebra, x: Term) -> tuple[Term, Term]:
    """Return asin(s) - s and s for s, the root of (1 - x)/2, whose asin is half the acos of x."""
    square = (1.0 - x) * 0.5
    root = square.sqrt()
    return root * square * algebra.horner(square, _ASIN), root


def asin(algebra: Algebra, x: Term) -> Term:
    """Return the inverse sine."""
    size = abs(x)
    square = size * size
    near = algebra.fma(size * square, algebra.horner(square, _ASIN), size)
    more, root = _half_root(algebra, size)
    far = _HALF_PI[0] - (2.0 * root + (2.0 * more - _HALF_PI[1]))
    return algebra.select(size <= 0.5, near, far).copysign(x)


def acos(algebra: Algebra, x: Term) -> Term:
    """Return the inverse cosine."""
    size = abs(x)
    square = x * x
    near = _HALF_PI[0] - (x - (_HALF_PI[1] - x * square * algebra.horner(square, _ASIN)))
    more, root = _half_root(algebra, size)
    far = 2.0 * (root + more)
    far = algebra.select(x < 0.0, _PI[0] - (far - _PI[1]), far)
    return algebra.select(size <= 0.5, near, far)
