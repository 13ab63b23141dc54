"""The densely connected layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Activation, InitializerLike, Layer, RegularizerLike, TensorType, as_activation
from dovetail_layers.bias import bias_add

__all__ = ["Dense"]


@final
class Dense(Layer):
    """``activation(inputs @ kernel + bias)``, along the last axis.

    The weights are ``kernel``, of shape ``[last dimension, units]``, and ``bias``, of shape ``[units]``.

    Args:
        units: size of the output's last axis.
        activation: a function, or the name of one in ``dt.nn``; none by default.
        use_bias: whether to add a bias.
        kernel_initializer: first values of the kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the bias.
        kernel_regularizer: gives a loss of the kernel.
        bias_regularizer: gives a loss of the bias.
        kernel_constraint: gives the kernel to keep after an optimizer's update.
        bias_constraint: gives the bias to keep after an optimizer's update.

    Raises:
        ShapeError: the input has rank below 2, or its last dimension is not known.

    Example:
        >>> hidden = dt.layers.dense(dt.zeros([8, 784]), 128, activation="relu", name="hidden")
        >>> hidden.shape
        Shape([8, 128])
    """

    units: int
    activation: Activation = None
    use_bias: bool = True
    kernel_initializer: InitializerLike = None
    bias_initializer: InitializerLike = dt.zeros_initializer()
    kernel_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    kernel_constraint: Callable[[Tensor], Tensor] | None = None
    bias_constraint: Callable[[Tensor], Tensor] | None = None

    least_rank = 2
    floating_inputs = True

    def check(self) -> None:
        """Look at units and activation."""
        if self.units < 1:
            raise InvalidArgumentError(f"dense: units is {self.units}; it must be positive.")
        as_activation(self.activation)

    def build(self, inputs: TensorType) -> None:
        """Make kernel and bias."""
        self.kernel = self.weight(
            "kernel",
            [inputs.shape[-1], self.units],
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.weight(
                "bias",
                [self.units],
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, inputs: Tensor) -> Tensor:
        """A product, a sum, the activation."""
        if inputs.shape.rank == 2:
            result = dt.matmul(inputs, self.kernel)
        else:
            result = dt.tensordot(inputs, self.kernel, 1)
        if self.use_bias:
            result = bias_add(result, self.bias)
        return as_activation(self.activation)(result)
