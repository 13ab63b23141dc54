"""Integer division as NumPy defines it: rounded down, the remainder with the divisor's sign, without traps."""

from __future__ import annotations

from dovetail import DType
from dovetail_backend_cpu.emit.algebra import Algebra, Term
from dovetail_backend_cpu.llvm.text import vector

__all__ = ["quotient", "remainder"]


def quotient(algebra: Algebra, dtype: DType, x: Term, y: Term, fixed: int | None) -> Term:
    """Return floor(x / y); ``fixed`` is the divisor where it is known. Division by 0 gives anything."""
    if fixed == -1 and not dtype.is_unsigned:
        return -x
    down, _ = _divide(algebra, dtype, x, y, fixed)
    return down if fixed is not None or dtype.is_unsigned else algebra.select(y.equals(-1), -x, down)


def remainder(algebra: Algebra, dtype: DType, x: Term, y: Term, fixed: int | None) -> Term:
    """Return x - y * floor(x / y); ``fixed`` is the divisor where it is known. Division by 0 gives anything."""
    if fixed == -1 and not dtype.is_unsigned:
        return x ^ x
    return _divide(algebra, dtype, x, y, fixed)[1]


def _divide(algebra: Algebra, dtype: DType, x: Term, y: Term, fixed: int | None) -> tuple[Term, Term]:
    if fixed is None or fixed == 0:
        # Neither by zero nor the least number by -1, which trap.
        y = algebra.select(y.equals(0), 1, y)
        if not dtype.is_unsigned:
            y = algebra.select(y.equals(-1), 1, y)
        fixed = None
    if fixed is None and dtype.size <= 4:
        toward_zero = _by_double(algebra, dtype, x, y)
    else:
        toward_zero = _instruction(algebra, "udiv" if dtype.is_unsigned else "sdiv", x, y)
    rest = x - toward_zero * y
    if dtype.is_unsigned:
        return toward_zero, rest
    wrong = ~rest.equals(0) & ((rest ^ y) < 0)
    return algebra.select(wrong, toward_zero - 1, toward_zero), algebra.select(wrong, rest + y, rest)


def _by_double(algebra: Algebra, dtype: DType, x: Term, y: Term) -> Term:
    """Divide numbers of up to 32 bits: a double's 53 bits are enough for the truncated quotient to be right."""
    if algebra.width == 1:
        return _instruction(algebra, "udiv" if dtype.is_unsigned else "sdiv", x, y)
    sign = "u" if dtype.is_unsigned else "s"
    real = algebra.cast(f"{sign}itofp", x, "double") / algebra.cast(f"{sign}itofp", y, "double")
    return algebra.cast(f"fpto{sign}i", real, x.type)


def _instruction(algebra: Algebra, name: str, x: Term, y: Term) -> Term:
    return algebra.emit(f"{name} {vector(x.type, algebra.width)} {x.text}, {y.text}", x.type)
