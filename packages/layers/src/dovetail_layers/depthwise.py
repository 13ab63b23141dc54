"""The depthwise convolution layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Activation, InitializerLike, Layer, RegularizerLike, TensorType, as_activation
from dovetail_layers.arguments import channel_axis, check_layout, check_positive, per_axis
from dovetail_layers.bias import bias_add
from dovetail_layers.convolutions import depthwise

__all__ = ["DepthwiseConv1D", "DepthwiseConv2D"]


class _DepthwiseConvolution(Layer):
    """What depthwise convolution layers have in common."""

    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str = "valid"
    depth_multiplier: int = 1
    data_format: str = "channels_last"
    dilation_rate: int | tuple[int, ...] = 1
    activation: Activation = None
    use_bias: bool = True
    depthwise_initializer: InitializerLike = None
    bias_initializer: InitializerLike = dt.zeros_initializer()
    depthwise_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    depthwise_constraint: Callable[[Tensor], Tensor] | None = None
    bias_constraint: Callable[[Tensor], Tensor] | None = None

    floating_inputs = True
    _rank: ClassVar[int]

    def check(self) -> None:
        """Look at numbers and names."""
        check_positive(self._label(), "depth_multiplier", self.depth_multiplier)
        for name in ("kernel_size", "strides", "dilation_rate"):
            self._values(name)
        check_layout(self._label(), self.data_format, self.padding)
        as_activation(self.activation)

    def _values(self, name: str) -> tuple[int, ...]:
        return per_axis(self._label(), name, self.__dict__[name], self._rank)

    def build(self, inputs: TensorType) -> None:
        """Make kernel and bias."""
        channels = inputs.shape[channel_axis(self.data_format)]
        self.depthwise_kernel = self.weight(
            "depthwise_kernel",
            [*self._values("kernel_size"), channels, self.depth_multiplier],
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        if self.use_bias:
            self.bias = self.weight(
                "bias",
                [channels * self.depth_multiplier],
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, inputs: Tensor) -> Tensor:
        """A convolution channel by channel, a sum, the activation."""
        result = depthwise(
            self._label(),
            self._rank,
            inputs,
            self.depthwise_kernel,
            self._values("strides"),
            self.padding.upper(),
            self.data_format,
            self._values("dilation_rate"),
            "depthwise",
        )
        if self.use_bias:
            result = bias_add(result, self.bias, self.data_format)
        return as_activation(self.activation)(result)


@final
class DepthwiseConv1D(_DepthwiseConvolution):
    """``activation(convolution of each channel of the sequences with kernels of its own + bias)``.

    The weights are ``depthwise_kernel``, of shape ``[width, channels, depth_multiplier]``, and ``bias``, of shape
    ``[channels * depth_multiplier]``.

    Args:
        kernel_size: width of the window.
        strides: how far the window moves.
        padding: ``"valid"`` or ``"same"``.
        depth_multiplier: how many outputs there are for each channel.
        data_format: ``"channels_last"``, sequences of shape ``[batch, width, channels]``, or ``"channels_first"``.
        dilation_rate: distance between elements of the window.
        activation: a function, or the name of one in ``dt.nn``; none by default.
        use_bias: whether to add a bias.
        depthwise_initializer: first values of the kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the bias.
        depthwise_regularizer: gives a loss of the kernel.
        bias_regularizer: gives a loss of the bias.
        depthwise_constraint: gives the kernel to keep after an optimizer's update.
        bias_constraint: gives the bias to keep after an optimizer's update.

    Raises:
        ShapeError: the input has another rank than 3, its channels are not known, or the window does not fit.

    Example:
        >>> dt.layers.depthwise_conv1d(dt.zeros([8, 100, 4]), 5, depth_multiplier=2).shape
        Shape([8, 96, 8])
    """

    input_rank = 3
    _rank = 1


@final
class DepthwiseConv2D(_DepthwiseConvolution):
    """``activation(convolution of each channel of the images with kernels of its own + bias)``.

    The weights are ``depthwise_kernel``, of shape ``[height, width, channels, depth_multiplier]``, and ``bias``, of
    shape ``[channels * depth_multiplier]``.

    Args:
        kernel_size: height and width of the window, or one number for both.
        strides: how far the window moves.
        padding: ``"valid"`` or ``"same"``.
        depth_multiplier: how many outputs there are for each channel.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.
        dilation_rate: distance between elements of the window.
        activation: a function, or the name of one in ``dt.nn``; none by default.
        use_bias: whether to add a bias.
        depthwise_initializer: first values of the kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the bias.
        depthwise_regularizer: gives a loss of the kernel.
        bias_regularizer: gives a loss of the bias.
        depthwise_constraint: gives the kernel to keep after an optimizer's update.
        bias_constraint: gives the bias to keep after an optimizer's update.

    Raises:
        ShapeError: the input has another rank than 4, its channels are not known, or the window does not fit.

    Example:
        >>> dt.layers.depthwise_conv2d(dt.zeros([8, 28, 28, 4]), 3, padding="same").shape
        Shape([8, 28, 28, 4])
    """

    input_rank = 4
    _rank = 2
