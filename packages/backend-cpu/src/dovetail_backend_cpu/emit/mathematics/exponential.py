"""Exponentials and what is made of them."""

from __future__ import annotations

import math

from dovetail_backend_cpu.emit.algebra import Algebra, Term

__all__ = ["exp_double", "exp_single"]


def exp_single(algebra: Algebra, x: Term) -> Term:
    """Return exp(x) for float."""
    x = x.clamp(-105.0, 89.5)
    shifted = algebra.fma(x, math.log2(math.e), 12582912.0)
    n = shifted - 12582912.0
    count = shifted.bits() - 0x4B400000
    r = algebra.fma(n, -0.693359375, x)
    r = algebra.fma(n, 2.12194440e-4, r)
    series = [1 / math.factorial(k) for k in range(7, -1, -1)]
    value = algebra.horner(r, series)
    half = count.arithmetic_shift(1)
    return value * _power_of_two(half) * _power_of_two(count - half)


def exp_double(algebra: Algebra, x: Term) -> Term:
    """Return exp(x) for double."""
    x = x.clamp(-746.0, 710.5)
    magic = 6755399441055744.0
    shifted = algebra.fma(x, math.log2(math.e), magic)
    n = shifted - magic
    count = shifted.bits() - 0x4338000000000000
    r = algebra.fma(n, -6.93147180369123816490e-01, x)
    r = algebra.fma(n, -1.90821492927058770002e-10, r)
    series = [1 / math.factorial(k) for k in range(13, -1, -1)]
    value = algebra.horner(r, series)
    half = count.arithmetic_shift(1)
    return value * _power_of_two(half) * _power_of_two(count - half)


def _power_of_two(count: Term) -> Term:
    single = count.type == "i32"
    return ((count + (127 if single else 1023)) << (23 if single else 52)).real()
