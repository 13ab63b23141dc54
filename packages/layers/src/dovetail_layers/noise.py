"""Layers that add or multiply by random numbers, and the dropout that goes with ``selu``."""

from __future__ import annotations

import math
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Layer, Training, smart_cond
from dovetail_layers.regularization import alpha_dropout, check_rate

__all__ = ["AlphaDropout", "GaussianDropout", "GaussianNoise"]


@final
class AlphaDropout(Layer):
    """While training, sets elements at random to what ``selu`` saturates at, keeping mean and variance.

    (Klambauer et al., 2017, arXiv:1706.02515.)

    Args:
        rate: the probability that an element is dropped, from 0 up to 1.
        noise_shape: shape of the random choices, which broadcast to the input; ``None`` in it is the input's size.
        seed: the operation's seed.

    Raises:
        InvalidArgumentError: the rate is out of range.

    Example:
        >>> dt.layers.alpha_dropout(dt.ones([8, 10]), 0.1, training=True).shape
        Shape([8, 10])
    """

    rate: float = 0.5
    noise_shape: Any = None
    seed: int | None = None

    floating_inputs = True

    def check(self) -> None:
        """Look at the rate."""
        check_rate("alpha_dropout", self.rate)

    def call(self, inputs: Tensor, training: Training = False) -> Tensor:
        """Drop, or pass on."""
        result: Tensor = smart_cond(
            training,
            lambda: alpha_dropout(inputs, self.rate, self.noise_shape, self.seed),
            lambda: dt.identity(inputs),
        )
        return result


@final
class GaussianDropout(Layer):
    """While training, multiplies elements by normal numbers of mean 1 and variance ``rate / (1 - rate)``.

    That is the variance of the factors of ``dropout`` (Srivastava et al., 2014, section 10).

    Args:
        rate: the probability that an element would be dropped, from 0 up to 1.
        seed: the operation's seed.

    Raises:
        InvalidArgumentError: the rate is out of range.

    Example:
        >>> dt.layers.gaussian_dropout(dt.ones([8, 10]), 0.1, training=True).shape
        Shape([8, 10])
    """

    rate: float = 0.5
    seed: int | None = None

    floating_inputs = True

    def check(self) -> None:
        """Look at the rate."""
        check_rate("gaussian_dropout", self.rate)

    def call(self, inputs: Tensor, training: Training = False) -> Tensor:
        """Multiply, or pass on."""
        deviation = math.sqrt(self.rate / (1.0 - self.rate))
        result: Tensor = smart_cond(
            training,
            lambda: inputs * dt.random_normal(dt.shape(inputs), 1.0, deviation, inputs.dtype, self.seed),
            lambda: dt.identity(inputs),
        )
        return result


@final
class GaussianNoise(Layer):
    """While training, adds normal numbers of mean 0.

    Args:
        stddev: their standard deviation, not negative.
        seed: the operation's seed.

    Raises:
        InvalidArgumentError: ``stddev`` is negative.

    Example:
        >>> dt.layers.gaussian_noise(dt.ones([8, 10]), 0.1, training=True).shape
        Shape([8, 10])
    """

    stddev: float
    seed: int | None = None

    floating_inputs = True

    def check(self) -> None:
        """Look at the standard deviation."""
        if self.stddev < 0.0:
            raise InvalidArgumentError(f"gaussian_noise: stddev is {self.stddev:g}; it must not be negative.")

    def call(self, inputs: Tensor, training: Training = False) -> Tensor:
        """Add, or pass on."""
        result: Tensor = smart_cond(
            training,
            lambda: inputs + dt.random_normal(dt.shape(inputs), 0.0, self.stddev, inputs.dtype, self.seed),
            lambda: dt.identity(inputs),
        )
        return result
