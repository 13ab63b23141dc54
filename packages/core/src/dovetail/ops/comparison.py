"""Comparisons, logic and bits, element by element; none of them has a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dovetail.graph.operation import Tensor
from dovetail.graph.operators import operator
from dovetail.ops.operands import leading_dtype
from dovetail.ops.scalar import basis
from dovetail.ops.scalars import Scalar, scalar

__all__ = [
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "equal",
    "greater",
    "greater_equal",
    "invert",
    "is_finite",
    "is_inf",
    "is_nan",
    "left_shift",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "right_shift",
]


@scalar
def equal(x: Scalar, y: Scalar) -> Scalar:
    """Tell where ``x == y``, with broadcasting; for all dtypes. NaN equals nothing.

    Example:
        >>> dt.Session().run(dt.equal([1, 2], 2))
        array([False,  True])
    """
    return basis.equal(x, y)


@scalar
def not_equal(x: Scalar, y: Scalar) -> Scalar:
    """Tell where ``x != y``, with broadcasting; for all dtypes.

    Example:
        >>> dt.Session().run(dt.not_equal([1, 2], 2))
        array([ True, False])
    """
    return basis.not_equal(x, y)


@scalar
def less(x: Scalar, y: Scalar) -> Scalar:
    """Tell where ``x < y``, with broadcasting.

    Example:
        >>> dt.Session().run(dt.less([1, 2, 3], 2))
        array([ True, False, False])
    """
    return basis.less(x, y)


@scalar
def less_equal(x: Scalar, y: Scalar) -> Scalar:
    """Tell where ``x <= y``, with broadcasting.

    Example:
        >>> dt.Session().run(dt.less_equal([1, 2, 3], 2))
        array([ True,  True, False])
    """
    return basis.less_equal(x, y)


@scalar
def greater(x: Scalar, y: Scalar) -> Scalar:
    """Tell where ``x > y``, with broadcasting.

    Example:
        >>> dt.Session().run(dt.greater([1, 2, 3], 2))
        array([False, False,  True])
    """
    return basis.greater(x, y)


@scalar
def greater_equal(x: Scalar, y: Scalar) -> Scalar:
    """Tell where ``x >= y``, with broadcasting.

    Example:
        >>> dt.Session().run(dt.greater_equal([1, 2, 3], 2))
        array([False,  True,  True])
    """
    return basis.greater_equal(x, y)


@scalar(domain=(-10.0, 10.0))
def logical_and(x: Scalar, y: Scalar) -> Scalar:
    """Tell where both hold, with broadcasting.

    Example:
        >>> dt.Session().run(dt.logical_and([True, False], True))
        array([ True, False])
    """
    return basis.logical_and(x, y)


@scalar(domain=(-10.0, 10.0))
def logical_or(x: Scalar, y: Scalar) -> Scalar:
    """Tell where at least one holds, with broadcasting.

    Example:
        >>> dt.Session().run(dt.logical_or([True, False], False))
        array([ True, False])
    """
    return basis.logical_or(x, y)


@scalar(domain=(-10.0, 10.0))
def logical_xor(x: Scalar, y: Scalar) -> Scalar:
    """Tell where exactly one holds, with broadcasting.

    Example:
        >>> dt.Session().run(dt.logical_xor([True, False], True))
        array([False,  True])
    """
    return basis.logical_xor(x, y)


@scalar(domain=(-10.0, 10.0))
def logical_not(x: Scalar) -> Scalar:
    """Tell where the element does not hold.

    Example:
        >>> dt.Session().run(dt.logical_not([True, False]))
        array([False,  True])
    """
    return basis.logical_not(x)


@scalar(domain=(-10.0, 10.0))
def bitwise_and(x: Scalar, y: Scalar) -> Scalar:
    """Return the bits that both integers have, with broadcasting.

    Example:
        >>> dt.Session().run(dt.bitwise_and([5, 6], 3))
        array([1, 2], dtype=int32)
    """
    return basis.bitwise_and(x, y)


@scalar(domain=(-10.0, 10.0))
def bitwise_or(x: Scalar, y: Scalar) -> Scalar:
    """Return the bits that at least one of the integers has, with broadcasting.

    Example:
        >>> dt.Session().run(dt.bitwise_or([5, 6], 3))
        array([7, 7], dtype=int32)
    """
    return basis.bitwise_or(x, y)


@scalar(domain=(-10.0, 10.0))
def bitwise_xor(x: Scalar, y: Scalar) -> Scalar:
    """Return the bits that exactly one of the integers has, with broadcasting.

    Example:
        >>> dt.Session().run(dt.bitwise_xor([5, 6], 3))
        array([6, 5], dtype=int32)
    """
    return basis.bitwise_xor(x, y)


@scalar(domain=(-10.0, 10.0))
def invert(x: Scalar) -> Scalar:
    """Return integers with every bit flipped.

    Example:
        >>> dt.Session().run(dt.invert([0, 5]))
        array([-1, -6], dtype=int32)
    """
    return basis.invert(x)


@scalar(domain=((-10.0, 10.0), (0.0, 9.0)))
def left_shift(x: Scalar, y: Scalar) -> Scalar:
    """Return integers times ``2**y``; 0 where ``y`` is negative or at least the number of bits.

    Example:
        >>> dt.Session().run(dt.left_shift([1, 3], 2))
        array([ 4, 12], dtype=int32)
    """
    return basis.left_shift(x, y)


@scalar(domain=((-100.0, 100.0), (0.0, 9.0)))
def right_shift(x: Scalar, y: Scalar) -> Scalar:
    """Return integers divided by ``2**y``, rounded down.

    Example:
        >>> dt.Session().run(dt.right_shift([4, -3], 1))
        array([ 2, -2], dtype=int32)
    """
    return basis.right_shift(x, y)


@scalar
def is_nan(x: Scalar) -> Scalar:
    """Tell where a floating tensor is NaN.

    Example:
        >>> dt.Session().run(dt.is_nan([1.0, float("nan")]))
        array([False,  True])
    """
    return basis.is_nan(x)


@scalar
def is_inf(x: Scalar) -> Scalar:
    """Tell where a floating tensor is infinite.

    Example:
        >>> dt.Session().run(dt.is_inf([1.0, float("-inf")]))
        array([False,  True])
    """
    return basis.is_inf(x)


@scalar
def is_finite(x: Scalar) -> Scalar:
    """Tell where a floating tensor is neither infinite nor NaN.

    Example:
        >>> dt.Session().run(dt.is_finite([1.0, float("inf"), float("nan")]))
        array([ True, False, False])
    """
    return basis.is_finite(x)


def _by_dtype(logical: Callable[..., Tensor], bitwise: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the function that serves an operator for truth values and for integers."""

    def serve(*values: Any) -> Tensor:
        return (bitwise if leading_dtype(*values).is_integer else logical)(*values)

    return serve


operator("lt", less)
operator("le", less_equal)
operator("gt", greater)
operator("ge", greater_equal)
operator("and", _by_dtype(logical_and, bitwise_and))
operator("or", _by_dtype(logical_or, bitwise_or))
operator("xor", _by_dtype(logical_xor, bitwise_xor))
operator("invert", _by_dtype(logical_not, invert))
