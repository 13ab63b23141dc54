"""The two-dimensional convolution layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Activation, InitializerLike, Layer, RegularizerLike, TensorType, as_activation
from dovetail_layers.arguments import channel_axis, check_layout, pair
from dovetail_layers.images import bias_add, conv2d

__all__ = ["Conv2D"]


@final
class Conv2D(Layer):
    """``activation(convolution of the images with the kernel + bias)``.

    The weights are ``kernel``, of shape ``[height, width, channels, filters]``, and ``bias``, of shape ``[filters]``.

    Args:
        filters: number of filters, the output's channels.
        kernel_size: height and width of the window, or one number for both.
        strides: how far the window moves.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.
        dilation_rate: distance between elements of the window.
        activation: a function, or the name of one in ``dt.nn``; none by default.
        use_bias: whether to add a bias.
        kernel_initializer: first values of the kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the bias.
        kernel_regularizer: gives a loss of the kernel.
        bias_regularizer: gives a loss of the bias.
        kernel_constraint: gives the kernel to keep after an optimizer's update.
        bias_constraint: gives the bias to keep after an optimizer's update.

    Raises:
        ShapeError: the input has another rank than 4, its channels are not known, or the window does not fit.

    Example:
        >>> maps = dt.layers.conv2d(dt.zeros([8, 28, 28, 1]), 6, 5, padding="same", activation=dt.nn.relu)
        >>> maps.shape
        Shape([8, 28, 28, 6])
    """

    filters: int
    kernel_size: int | tuple[int, int]
    strides: int | tuple[int, int] = (1, 1)
    padding: str = "valid"
    data_format: str = "channels_last"
    dilation_rate: int | tuple[int, int] = (1, 1)
    activation: Activation = None
    use_bias: bool = True
    kernel_initializer: InitializerLike = None
    bias_initializer: InitializerLike = dt.zeros_initializer()
    kernel_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    kernel_constraint: Callable[[Tensor], Tensor] | None = None
    bias_constraint: Callable[[Tensor], Tensor] | None = None

    input_rank = 4
    floating_inputs = True

    def check(self) -> None:
        """Look at numbers and names."""
        if self.filters < 1:
            raise InvalidArgumentError(f"conv2d: filters is {self.filters}; it must be positive.")
        for name in ("kernel_size", "strides", "dilation_rate"):
            pair("conv2d", name, self.__dict__[name])
        check_layout("conv2d", self.padding, self.data_format)
        as_activation(self.activation)

    def build(self, inputs: TensorType) -> None:
        """Make kernel and bias."""
        channels = inputs.shape[channel_axis(self.data_format)]
        self.kernel = self.weight(
            "kernel",
            [*pair("conv2d", "kernel_size", self.kernel_size), channels, self.filters],
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.weight(
                "bias",
                [self.filters],
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, inputs: Tensor) -> Tensor:
        """A convolution, a sum, the activation."""
        layout = "NHWC" if self.data_format == "channels_last" else "NCHW"
        result = conv2d(
            inputs,
            self.kernel,
            pair("conv2d", "strides", self.strides),
            self.padding.upper(),
            data_format=layout,
            dilations=pair("conv2d", "dilation_rate", self.dilation_rate),
        )
        if self.use_bias:
            result = bias_add(result, self.bias, layout)
        return as_activation(self.activation)(result)
