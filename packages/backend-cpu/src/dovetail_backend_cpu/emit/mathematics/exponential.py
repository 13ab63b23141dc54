"""Exponentials, hyperbolic functions, and the error functions that are made of them."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from dovetail_backend_cpu.emit.algebra import Algebra, Term

__all__ = [
    "cosh",
    "exp",
    "expm1",
    "exponential",
    "power_of_two",
    "sigmoid",
    "sinh",
    "small_exponential",
    "tanh",
    "tanh_single",
]


class _Format(NamedTuple):
    """What exponentials need to know of a floating type.

    Attributes:
        series: (exp(r) - 1 - r) / r^2 for |r| up to log(2) / 2, interpolated at Chebyshev's nodes, highest power first.
        log_two: log(2) in two parts, the first so short that products with exponents are exact.
        magic: a sum with it rounds to an integer, which is then in the low bits.
        bias: of the exponent.
        shift: bits below the exponent.
        lowest: exp is 0 from here down.
        highest: exp is infinite from here up.
    """

    series: tuple[float, ...]
    log_two: tuple[float, float]
    magic: float
    magic_bits: int
    bias: int
    shift: int
    lowest: float
    highest: float
    minus_one: float


_FORMATS: Final = {
    "float": _Format(
        (0.0013926250831497611, 0.008363232883682618, 0.04166655421298415, 0.16666576666119928, 0.5),
        (0.693359375, -2.12194440e-4),
        12582912.0, 0x4B400000, 127, 23, -105.0, 89.5, -18.0,
    ),
    "double": _Format(
        (
            2.5100472505694996e-08, 2.7620201591031547e-07, 2.7557268276905696e-06, 2.4801521057868204e-05,
            0.00019841269863171557, 0.0013888888917367081, 0.008333333333330039, 0.041666666666623824,
            0.16666666666666669, 0.5,
        ),
        (0.6931471803691238, 1.9082149292705877e-10),
        6755399441055744.0, 0x4338000000000000, 1023, 52, -746.0, 710.5, -40.0,
    ),
}  # fmt: skip

# (tanh(x) / x - 1) / x^2 on [0, 0.6] in x^2, by weighted least squares: to 2.6e-9.
_TANH: Final = (-0.005905834131, 0.02080535362, -0.05378667382, 0.1333195812, -0.3333329927)


def power_of_two(count: Term) -> Term:
    """Return two to an integer power that is neither subnormal nor too large."""
    form = _FORMATS["float" if count.type == "i32" else "double"]
    return ((count + form.bias) << form.shift).real()


def _reduced(algebra: Algebra, x: Term) -> tuple[Term, Term]:
    """Return ``x`` less the nearest multiple of log(2), and that multiple."""
    form = _FORMATS[x.type]
    shifted = algebra.fma(x, math.log2(math.e), form.magic)
    n = shifted - form.magic
    r = algebra.fma(n, -form.log_two[0], x)
    return algebra.fma(n, -form.log_two[1], r), shifted.bits() - form.magic_bits


def exponential(algebra: Algebra, x: Term, tail: Term | None = None, scale: int = 0) -> Term:
    """Return exp(x + tail) * 2**scale, without overflow before the result overflows."""
    form = _FORMATS[x.type]
    x = x.clamp(form.lowest, form.highest + (1 if scale else 0))
    r, count = _reduced(algebra, x)
    if tail is not None:
        r = r + tail
    value = algebra.fma(r * r, algebra.horner(r, form.series), r) + 1.0
    if scale:
        count = count + scale
    # In two steps, so that subnormal results are rounded once and infinite ones are infinite.
    half = count.arithmetic_shift(1)
    return value * power_of_two(half) * power_of_two(count - half)


def small_exponential(algebra: Algebra, x: Term) -> Term:
    """Return exp(x) where that is sure to be neither subnormal nor infinite."""
    form = _FORMATS[x.type]
    r, count = _reduced(algebra, x)
    return (algebra.fma(r * r, algebra.horner(r, form.series), r) + 1.0) * power_of_two(count)


def exp(algebra: Algebra, x: Term) -> Term:
    """Return e to the power x."""
    return exponential(algebra, x)


def expm1(algebra: Algebra, x: Term) -> Term:
    """Return exp(x) - 1."""
    form = _FORMATS[x.type]
    limited = x.clamp(form.minus_one, form.highest - 0.5)
    r, count = _reduced(algebra, limited)
    less_one = algebra.fma(r * r, algebra.horner(r, form.series), r)
    half = power_of_two(count - 1)
    value = 2.0 * algebra.fma(half, less_one, half - 0.5)
    return algebra.select(abs(x) < 1e-30, x, value)


def sigmoid(algebra: Algebra, x: Term) -> Term:
    """Return 1 / (1 + exp(-x)), accurate on both sides."""
    decay = exponential(algebra, -abs(x))
    return algebra.select(x < 0.0, decay, 1.0) / (decay + 1.0)


def sinh(algebra: Algebra, x: Term) -> Term:
    """Return the hyperbolic sine."""
    size = abs(x)
    less_one = expm1(algebra, size.clamp(0.0, 1.0))
    near = 0.5 * (less_one + less_one / (less_one + 1.0))
    far = exponential(algebra, size, scale=-1) - exponential(algebra, -size, scale=-1)
    return algebra.select(size < 1.0, near, far).copysign(x)


def cosh(algebra: Algebra, x: Term) -> Term:
    """Return the hyperbolic cosine."""
    size = abs(x)
    return exponential(algebra, size, scale=-1) + exponential(algebra, -size, scale=-1)


def tanh(algebra: Algebra, x: Term) -> Term:
    """Return the hyperbolic tangent."""
    less_one = expm1(algebra, 2.0 * abs(x).clamp(0.0, 22.0))
    return (less_one / (less_one + 2.0)).copysign(x)


def tanh_single(algebra: Algebra, x: Term) -> Term:
    """Return the hyperbolic tangent of a float."""
    size = abs(x)
    square = size * size
    near = algebra.fma(size * square, algebra.horner(square, _TANH), size)
    far = 1.0 - 2.0 / (small_exponential(algebra, 2.0 * size.clamp(0.0, 9.02)) + 1.0)
    return algebra.select(size < 0.6, near, far).copysign(x)
