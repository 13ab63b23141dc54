"""Basis functions that are a few instructions: arithmetic, comparisons, logic, bits, rounding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from dovetail import DType
from dovetail.kernels import Basis, basis
from dovetail_backend_cpu.emit.algebra import Algebra, Term

__all__ = ["SIMPLE", "maximum", "minimum"]

Simple: TypeAlias = Callable[..., Term]


def maximum(algebra: Algebra, dtype: DType, x: Term, y: Term) -> Term:
    """Return the larger; NaN if either is NaN."""
    return _extreme(algebra, dtype, x, y, greatest=True)


def minimum(algebra: Algebra, dtype: DType, x: Term, y: Term) -> Term:
    """Return the smaller; NaN if either is NaN."""
    return _extreme(algebra, dtype, x, y, greatest=False)


def _extreme(algebra: Algebra, dtype: DType, x: Term, y: Term, *, greatest: bool) -> Term:
    if dtype.is_floating:
        # Comparing and choosing this way round is one instruction on x86, which gives the second operand where either
        # is NaN; a constant is none.
        if _is_literal(y):
            x, y = y, x
        chosen = algebra.select(x > y if greatest else x < y, x, y)
        return chosen if _is_literal(x) else algebra.select(x.is_nan(), x, chosen)
    if dtype.is_bool:
        return x | y if greatest else x & y
    kind = "u" if dtype.is_unsigned else "s"
    return algebra.intrinsic(f"{kind}{'max' if greatest else 'min'}", x, y)


def _is_literal(x: Term) -> bool:
    return not x.text.startswith(("%", "0x7FF8", "splat (float 0x7FF8", "splat (double 0x7FF8"))


def _compare(floating: str, signed: str, unsigned: str) -> Simple:
    def compare(algebra: Algebra, dtype: DType, x: Term, y: Term) -> Term:
        plain = unsigned if dtype.is_unsigned or dtype.is_bool else signed
        return x.compare(floating if dtype.is_floating else plain, y)

    return compare


def _negative(algebra: Algebra, dtype: DType, x: Term) -> Term:
    return -x


def _absolute(algebra: Algebra, dtype: DType, x: Term) -> Term:
    if dtype.is_floating:
        return abs(x)
    return x if dtype.is_unsigned else algebra.select(x < 0, -x, x)


def _sign(algebra: Algebra, dtype: DType, x: Term) -> Term:
    if dtype.is_unsigned:
        return algebra.select(x.equals(0), x, 1)
    positive, negative = x > 0, x < 0
    rest: Term | int = 0
    if dtype.is_floating:
        rest = algebra.select(x.is_nan(), x, 0)
    minus = algebra.select(negative, algebra.constant(-1, x.type), rest)
    return algebra.select(positive, 1, minus)


def _reciprocal(algebra: Algebra, dtype: DType, x: Term) -> Term:
    return 1 / x


def _floor_divide(algebra: Algebra, dtype: DType, x: Term, y: Term) -> Term:
    return (x / y).floor()


def _rounded(name: str) -> Simple:
    def rounded(algebra: Algebra, dtype: DType, x: Term) -> Term:
        return algebra.intrinsic(name, x) if dtype.is_floating else x

    return rounded


def _left_shift(algebra: Algebra, dtype: DType, x: Term, y: Term) -> Term:
    bits = 8 * dtype.size
    fits = y.compare("ult", bits)
    return algebra.select(fits, x << algebra.select(fits, y, 0), 0)


def _right_shift(algebra: Algebra, dtype: DType, x: Term, y: Term) -> Term:
    bits = 8 * dtype.size
    fits = y.compare("ult", bits)
    if dtype.is_unsigned:
        return algebra.select(fits, x >> algebra.select(fits, y, 0), 0)
    return x.arithmetic_shift(algebra.select(fits, y, bits - 1))


def _is_inf(algebra: Algebra, dtype: DType, x: Term) -> Term:
    return abs(x).equals(float("inf"))


def _is_finite(algebra: Algebra, dtype: DType, x: Term) -> Term:
    return abs(x) < float("inf")


SIMPLE: Final[Mapping[Basis, Simple]] = {
    basis.add: lambda algebra, dtype, x, y: x + y,
    basis.subtract: lambda algebra, dtype, x, y: x - y,
    basis.multiply: lambda algebra, dtype, x, y: x * y,
    basis.divide: lambda algebra, dtype, x, y: x / y,
    basis.floor_divide: _floor_divide,
    basis.negative: _negative,
    basis.absolute: _absolute,
    basis.sign: _sign,
    basis.square: lambda algebra, dtype, x: x * x,
    basis.reciprocal: _reciprocal,
    basis.maximum: maximum,
    basis.minimum: minimum,
    basis.sqrt: lambda algebra, dtype, x: x.sqrt(),
    basis.rsqrt: lambda algebra, dtype, x: 1 / x.sqrt(),
    basis.floor: _rounded("floor"),
    basis.ceil: _rounded("ceil"),
    basis.round_: _rounded("roundeven"),
    basis.trunc: _rounded("trunc"),
    basis.equal: _compare("oeq", "eq", "eq"),
    basis.not_equal: _compare("une", "ne", "ne"),
    basis.less: _compare("olt", "slt", "ult"),
    basis.less_equal: _compare("ole", "sle", "ule"),
    basis.greater: _compare("ogt", "sgt", "ugt"),
    basis.greater_equal: _compare("oge", "sge", "uge"),
    basis.logical_and: lambda algebra, dtype, x, y: x & y,
    basis.logical_or: lambda algebra, dtype, x, y: x | y,
    basis.logical_xor: lambda algebra, dtype, x, y: x ^ y,
    basis.logical_not: lambda algebra, dtype, x: ~x,
    basis.bitwise_and: lambda algebra, dtype, x, y: x & y,
    basis.bitwise_or: lambda algebra, dtype, x, y: x | y,
    basis.bitwise_xor: lambda algebra, dtype, x, y: x ^ y,
    basis.invert: lambda algebra, dtype, x: ~x,
    basis.left_shift: _left_shift,
    basis.right_shift: _right_shift,
    basis.is_nan: lambda algebra, dtype, x: x.is_nan(),
    basis.is_inf: _is_inf,
    basis.is_finite: _is_finite,
}
"""By function: ``f(algebra, dtype of the operands, *operands)``; an integer ``floor_divide`` is elsewhere."""
