"""Scalar operations that make random variates of random bits; their arithmetic is exactly specified.

Every backend that keeps to the expressions gives the same bits: they hold integer arithmetic, conversions, comparisons
and correctly rounded ``+ - * /`` and ``sqrt``, which must not be contracted or reordered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, final

import numpy as np

from dovetail.errors import DTypeError
from dovetail.graph.op import Array, Sample, Signature
from dovetail.graph.registry import register
from dovetail.ops.philox import (
    bits_dtype,
    normal_from_bits,
    truncated_normal_from_bits,
    uniform_from_bits,
)
from dovetail.ops.scalar import (
    Convert,
    Expression,
    Input,
    as_expression,
    normal_expression,
    truncated_normal_expression,
)
from dovetail.ops.scalar.basis import bitwise_and, left_shift, right_shift, select
from dovetail.ops.scalars import ScalarOp
from dovetail.types.dtypes import DType, bfloat16, float16, float32, float64, int32, int64, uint8, uint32, uint64
from dovetail.types.shapes import TensorType

__all__ = ["IntegersFromBits", "NormalFromBits", "TruncatedNormalFromBits", "UniformFromBits", "uniform_expression"]

_DIGITS: Final = {float16: 11, bfloat16: 8}
"""Binary digits that a half holds."""


def uniform_expression(dtype: DType) -> Expression:
    """Build a uniform variate in [0, 1) of ``dtype`` from the bits ``x0``, uint64 for float64 and uint32 otherwise.

    float32 takes the 24 high bits times 2**-24, float64 the 53 high bits times 2**-53, and a half the float32 rounded
    toward zero.
    """
    bits = Input(0)
    if dtype is float64:
        return Convert(float64, right_shift(bits, 11)) * 2.0**-53
    leading = right_shift(bits, 8)
    if dtype is float32:
        return Convert(float32, leading) * 2.0**-24
    # Shift right until no more digits are left than the half holds, then back.
    digits = _DIGITS[dtype]
    kept, shift = leading, as_expression(0)
    for step in (16, 8, 4, 2, 1):
        if step <= 24 - digits:
            long = kept >= 1 << (digits + step - 1)
            kept, shift = select(long, right_shift(kept, step), kept), shift + select(long, step, 0)
    kept = left_shift(kept, Convert(uint32, shift))
    return Convert(dtype, Convert(float32, kept) * 2.0**-24)


class _Variate(ScalarOp):
    """What the operations on bits have in common."""

    differentiable = False
    dtype: DType

    def infer(self, *types: TensorType) -> Signature:
        """The dtype asked for, of bits of the width that it is made from."""
        wanted = bits_dtype(self.dtype)
        if types[0].dtype is not wanted:
            raise DTypeError(f"{self.name}: input 0 is {types[0]}; {self.dtype.name} is made of {wanted.name} bits.")
        return super().infer(*types)


@register
@final
class UniformFromBits(_Variate):
    """Uniform variates in [0, 1) of random bits, by ``uniform_expression``."""

    @property
    def scalar_expression(self) -> Expression:
        """See ``uniform_expression``."""
        return uniform_expression(self.dtype)

    def reference(self, bits: Array) -> Array:
        """The same, by what NumPy does faster."""
        return uniform_from_bits(np.asarray(bits), self.dtype)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """All floating dtypes."""
        return _floating_samples(cls, rng)


@register
@final
class NormalFromBits(_Variate):
    """Standard normal variates of random bits, by ``normal_expression``."""

    @property
    def scalar_expression(self) -> Expression:
        """See ``normal_expression``."""
        return normal_expression(self.dtype)

    def reference(self, bits: Array) -> Array:
        """The expression, evaluated in blocks that stay in cache."""
        return normal_from_bits(np.asarray(bits), self.dtype)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """All floating dtypes."""
        return _floating_samples(cls, rng)


@register
@final
class TruncatedNormalFromBits(_Variate):
    """Standard normal variates conditioned to [-2, 2] of random bits, by ``truncated_normal_expression``."""

    @property
    def scalar_expression(self) -> Expression:
        """See ``truncated_normal_expression``."""
        return truncated_normal_expression(self.dtype)

    def reference(self, bits: Array) -> Array:
        """The expression, evaluated in blocks that stay in cache."""
        return truncated_normal_from_bits(np.asarray(bits), self.dtype)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """All floating dtypes."""
        return _floating_samples(cls, rng)


@register
@final
class IntegersFromBits(_Variate):
    """Uniform integers from ``low`` to ``last`` of random bits (Lemire, 2019, without the rejection).

    The result is ``low + floor(bits * (last + 1 - low) / 2**w)`` for words of w bits. The bounds are inputs of the
    dtype; ``last`` is the greatest value, so that the whole range of a type can be had.
    """

    @property
    def scalar_expression(self) -> Expression:
        """The high half of a product."""
        bits, low, last = Input(0), Input(1), Input(2)
        first, wide = Convert(uint64, low), bits_dtype(self.dtype) is uint64
        extent = Convert(uint64, last) - first + 1
        if wide:
            # An extent of 2**64 wraps to 0: all bits count then.
            offset = select(extent <= 0, bits, _multiply_high(bits, extent))
        else:
            offset = right_shift(Convert(uint64, bits) * extent, 32)
        return Convert(self.dtype, offset + first)

    def infer(self, *types: TensorType) -> Signature:
        """The dtype asked for, which the bounds have."""
        for index, bound in enumerate(types[1:], 1):
            if bound.dtype is not self.dtype:
                raise DTypeError(f"{self.name}: input {index} is {bound}, where {self.dtype.name} is wanted. Use cast.")
        return super().infer(*types)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Small and full ranges, negative bounds."""
        for dtype, low, last in (
            (int32, -3, 5),
            (uint8, 0, 255),
            (uint32, 7, 7),
            (int64, -(10**12), 10**12),
            (int64, int64.min, int64.max),
            (uint64, 0, uint64.max),
        ):
            bits = _random_words(rng, bits_dtype(dtype), (2, 5))
            yield Sample(cls(dtype), bits, np.asarray(low, dtype.numpy), np.asarray(last, dtype.numpy))


def _multiply_high(x: Expression, y: Expression) -> Expression:
    """Build the high 64 bits of a product of words of 64 bits."""
    mask = 0xFFFFFFFF
    x_low, x_high, y_low, y_high = bitwise_and(x, mask), right_shift(x, 32), bitwise_and(y, mask), right_shift(y, 32)
    middle = x_high * y_low + right_shift(x_low * y_low, 32)
    other = x_low * y_high + bitwise_and(middle, mask)
    return x_high * y_high + right_shift(middle, 32) + right_shift(other, 32)


def _floating_samples(cls: Any, rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (float16, bfloat16, float32, float64):
        yield Sample(cls(dtype), _random_words(rng, bits_dtype(dtype), (3, 4)))


def _random_words(rng: np.random.Generator, dtype: DType, shape: tuple[int, ...]) -> Array:
    return rng.integers(0, int(dtype.max), shape, dtype.numpy, endpoint=True)
