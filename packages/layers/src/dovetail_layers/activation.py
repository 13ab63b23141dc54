"""Layers that apply an activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Layer, as_activation
from dovetail_layers.activations import elu, leaky_relu
from dovetail_layers.shrinkage import threshold
from dovetail_layers.softmax import softmax

__all__ = ["ELU", "Activation", "LeakyReLU", "ReLU", "Softmax", "ThresholdedReLU"]


@final
class Activation(Layer):
    """A function of tensors as a layer.

    Args:
        activation: a function, or the name of one in ``dt.nn``.

    Example:
        >>> dt.layers.activation(dt.zeros([8, 10]), "softmax").shape
        Shape([8, 10])
    """

    activation: str | Callable[[Tensor], Tensor]

    def check(self) -> None:
        """Look the function up."""
        as_activation(self.activation)

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        return as_activation(self.activation)(inputs)


@final
class ReLU(Layer):
    """``inputs`` where positive, else 0; with a slope below, another threshold, a greatest value, if wanted.

    The whole form is ``min(inputs, max_value)`` where ``inputs >= threshold``, else
    ``negative_slope * (inputs - threshold)``.

    Args:
        max_value: the greatest value, not negative, or ``None``.
        negative_slope: the slope below the threshold, not negative.
        threshold: what inputs must reach to be passed on, not negative.

    Raises:
        InvalidArgumentError: a number is negative.

    Example:
        >>> dt.Session().run(dt.layers.relu([-2.0, 3.0, 9.0], max_value=6.0, negative_slope=0.5))
        array([-1.,  3.,  6.], dtype=float32)
    """

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    floating_inputs = True

    def check(self) -> None:
        """Look at the numbers."""
        for name in ("max_value", "negative_slope", "threshold"):
            value: float | None = getattr(self, name)
            if value is not None and value < 0.0:
                raise InvalidArgumentError(f"relu: {name} is {value:g}; it must not be negative.")

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        if self.threshold:
            edge = dt.constant(self.threshold, inputs.dtype)
            result = dt.where(inputs >= edge, inputs, self.negative_slope * (inputs - edge))
        else:
            result = leaky_relu(inputs, self.negative_slope) if self.negative_slope else dt.relu(inputs)
        return result if self.max_value is None else dt.minimum(result, dt.constant(self.max_value, result.dtype))


@final
class LeakyReLU(Layer):
    """``inputs`` where positive, else ``negative_slope * inputs`` (Maas, Hannun and Ng, 2013).

    Args:
        negative_slope: the slope below zero.

    Example:
        >>> dt.Session().run(dt.layers.leaky_relu([-2.0, 3.0], negative_slope=0.5))
        array([-1.,  3.], dtype=float32)
    """

    negative_slope: float = 0.3

    floating_inputs = True

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        return leaky_relu(inputs, self.negative_slope)


@final
class ELU(Layer):
    """``inputs`` where positive, else ``alpha * (exp(inputs) - 1)`` (Clevert, Unterthiner and Hochreiter, 2015).

    Args:
        alpha: what it comes near to far below zero, negated.

    Example:
        >>> dt.Session().run(dt.layers.elu([-100.0, 3.0], alpha=0.5))
        array([-0.5,  3. ], dtype=float32)
    """

    alpha: float = 1.0

    floating_inputs = True

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        result: Tensor = elu(inputs, alpha=self.alpha)
        return result


@final
class ThresholdedReLU(Layer):
    """``inputs`` where above ``theta``, else 0 (Konda, Memisevic and Krueger, 2014).

    Args:
        theta: what inputs must exceed.

    Example:
        >>> dt.Session().run(dt.layers.thresholded_relu([0.5, 3.0]))
        array([0., 3.], dtype=float32)
    """

    theta: float = 1.0

    floating_inputs = True

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        return threshold(inputs, self.theta)


@final
class Softmax(Layer):
    """``exp(inputs) / sum(exp(inputs))`` along an axis, without overflow.

    Args:
        axis: the axis of the sum.

    Example:
        >>> dt.Session().run(dt.layers.softmax([[0.0, 0.0]]))
        array([[0.5, 0.5]], dtype=float32)
    """

    axis: int = -1

    floating_inputs = True

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        return softmax(inputs, self.axis)
