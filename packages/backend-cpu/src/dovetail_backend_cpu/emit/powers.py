"""Powers with a constant exponent that have a short form as accurate as the general one."""

from __future__ import annotations

from dovetail import DType
from dovetail_backend_cpu.emit.algebra import Algebra, Term

__all__ = ["short_power"]


def short_power(algebra: Algebra, dtype: DType, x: Term, exponent: float) -> Term | None:
    """Return ``x`` to a constant power, or None where there is no short form."""
    if dtype.is_integer:
        return _whole(algebra, x, int(exponent)) if 0 <= exponent <= 64 else None
    if exponent in (0, 1, 2, 3, 4):
        return _whole(algebra, x, int(exponent))
    if exponent == -1:
        return 1 / x
    if exponent == -2:
        inverse = 1 / x
        return inverse * inverse
    if exponent == 0.5:
        return _root(algebra, x)
    if exponent == -0.5:
        return 1 / _root(algebra, x)
    if exponent == 1.5:
        return abs(x) * _root(algebra, x)
    return None


def _whole(algebra: Algebra, x: Term, exponent: int) -> Term:
    if exponent == 0:
        return algebra.constant(1, x.type)
    result: Term | None = None
    while exponent:
        if exponent & 1:
            result = x if result is None else result * x
        exponent >>= 1
        if exponent:
            x = x * x
    assert result is not None
    return result


def _root(algebra: Algebra, x: Term) -> Term:
    """Return x**0.5, which is infinite at -infinity and +0 at -0."""
    return algebra.select(x.equals(-float("inf")), float("inf"), x.sqrt() + 0.0)
