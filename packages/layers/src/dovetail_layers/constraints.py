"""``dt.constraints``: what weights must keep, applied after each update of an optimizer."""

from __future__ import annotations

from typing import Final, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Configured

__all__ = [
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "unit_norm",
]

_EPSILON: Final = 1e-7
"""What keeps a division by a length from zero, as in Keras."""

Axes = int | tuple[int, ...]


@final
class MaxNorm(Configured):
    """Shorten vectors that are longer than a bound (Srivastava et al., 2014).

    Args:
        max_value: the greatest length, not negative.
        axis: the axis, or several, along which vectors lie: 0 for the kernel of a dense layer, whose columns are the
            weights of one unit; ``(0, 1, 2)`` for that of a convolution on images.

    Example:
        >>> dt.Session().run(dt.constraints.max_norm(1.0)(dt.constant([[3.0, 0.3], [4.0, 0.4]]))).round(4)
        array([[0.6, 0.3],
               [0.8, 0.4]], dtype=float32)
    """

    max_value: float = 2.0
    axis: Axes = 0

    def check(self) -> None:
        """Look at the bound."""
        if self.max_value < 0.0:
            raise InvalidArgumentError(f"max_norm: max_value is {self.max_value:g}; it must not be negative.")

    def __call__(self, weight: Tensor) -> Tensor:
        """Return the weight to keep."""
        lengths = _lengths(weight, self.axis)
        return _scaled(weight, dt.minimum(lengths, dt.constant(self.max_value, weight.dtype)), lengths)


@final
class MinMaxNorm(Configured):
    """Bring vectors toward lengths between two bounds.

    Args:
        min_value: the least length, not negative.
        max_value: the greatest length, not less than that.
        rate: how much of the way to go at each update, from 0 to 1.
        axis: the axis, or several, along which vectors lie.

    Example:
        >>> dt.Session().run(dt.constraints.min_max_norm(1.0, 2.0)(dt.constant([[3.0, 0.3], [4.0, 0.4]]))).round(4)
        array([[1.2, 0.6],
               [1.6, 0.8]], dtype=float32)
    """

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: Axes = 0

    def check(self) -> None:
        """Look at the bounds and the rate."""
        if not 0.0 <= self.min_value <= self.max_value:
            raise InvalidArgumentError(
                f"min_max_norm: min_value is {self.min_value:g}, max_value {self.max_value:g}; the first must not be "
                "negative, nor greater than the second."
            )
        if not 0.0 <= self.rate <= 1.0:
            raise InvalidArgumentError(f"min_max_norm: rate is {self.rate:g}; it must be from 0 to 1.")

    def __call__(self, weight: Tensor) -> Tensor:
        """Return the weight to keep."""
        lengths = _lengths(weight, self.axis)
        bounds = (dt.constant(bound, weight.dtype) for bound in (self.min_value, self.max_value))
        within = dt.clip_by_value(lengths, *bounds)
        return _scaled(weight, self.rate * within + (1.0 - self.rate) * lengths, lengths)


@final
class NonNeg(Configured):
    """Set negative weights to 0.

    Example:
        >>> dt.Session().run(dt.constraints.non_neg()(dt.constant([-1.0, 2.0])))
        array([0., 2.], dtype=float32)
    """

    def __call__(self, weight: Tensor) -> Tensor:
        """Return the weight to keep."""
        return dt.relu(weight)


@final
class UnitNorm(Configured):
    """Give vectors the length 1.

    Args:
        axis: the axis, or several, along which vectors lie.

    Example:
        >>> dt.Session().run(dt.constraints.unit_norm()(dt.constant([[3.0], [4.0]]))).round(4)
        array([[0.6],
               [0.8]], dtype=float32)
    """

    axis: Axes = 0

    def __call__(self, weight: Tensor) -> Tensor:
        """Return the weight to keep."""
        return _scaled(weight, dt.constant(1.0, weight.dtype), _lengths(weight, self.axis))


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm


def _lengths(weight: Tensor, axis: Axes) -> Tensor:
    result: Tensor = dt.sqrt(dt.reduce_sum(dt.square(weight), axis, keepdims=True))
    return result


def _scaled(weight: Tensor, wanted: Tensor, lengths: Tensor) -> Tensor:
    result: Tensor = weight * (wanted / (lengths + dt.constant(_EPSILON, weight.dtype)))
    return result
