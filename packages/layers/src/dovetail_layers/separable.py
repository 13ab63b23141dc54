"""The separable convolution layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Activation, InitializerLike, Layer, RegularizerLike, TensorType, as_activation
from dovetail_layers.arguments import channel_axis, check_layout, check_positive, per_axis
from dovetail_layers.bias import bias_add
from dovetail_layers.convolutions import separable

__all__ = ["SeparableConv1D", "SeparableConv2D"]


class _SeparableConvolution(Layer):
    """What separable convolution layers have in common."""

    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str = "valid"
    data_format: str = "channels_last"
    dilation_rate: int | tuple[int, ...] = 1
    depth_multiplier: int = 1
    activation: Activation = None
    use_bias: bool = True
    depthwise_initializer: InitializerLike = None
    pointwise_initializer: InitializerLike = None
    bias_initializer: InitializerLike = dt.zeros_initializer()
    depthwise_regularizer: RegularizerLike = None
    pointwise_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    depthwise_constraint: Callable[[Tensor], Tensor] | None = None
    pointwise_constraint: Callable[[Tensor], Tensor] | None = None
    bias_constraint: Callable[[Tensor], Tensor] | None = None

    floating_inputs = True
    _rank: ClassVar[int]

    def check(self) -> None:
        """Look at numbers and names."""
        for name in ("filters", "depth_multiplier"):
            check_positive(self._label(), name, self.__dict__[name])
        for name in ("kernel_size", "strides", "dilation_rate"):
            self._values(name)
        check_layout(self._label(), self.data_format, self.padding)
        as_activation(self.activation)

    def _values(self, name: str) -> tuple[int, ...]:
        return per_axis(self._label(), name, self.__dict__[name], self._rank)

    def build(self, inputs: TensorType) -> None:
        """Make kernels and bias."""
        channels = inputs.shape[channel_axis(self.data_format)]
        self.depthwise_kernel = self.weight(
            "depthwise_kernel",
            [*self._values("kernel_size"), channels, self.depth_multiplier],
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.weight(
            "pointwise_kernel",
            [*(1,) * self._rank, channels * self.depth_multiplier, self.filters],
            self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
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
        """Two convolutions, of channels and of pixels; a sum, the activation."""
        result = separable(
            self._label(),
            self._rank,
            inputs,
            (self.depthwise_kernel, self.pointwise_kernel),
            self._values("strides"),
            self.padding.upper(),
            self.data_format,
            self._values("dilation_rate"),
            "separable",
        )
        if self.use_bias:
            result = bias_add(result, self.bias, self.data_format)
        return as_activation(self.activation)(result)


@final
class SeparableConv1D(_SeparableConvolution):
    """A convolution of each channel of the sequences by itself, mixed by one of single elements (Chollet, 2017).

    The weights are ``depthwise_kernel``, of shape ``[width, channels, depth_multiplier]``,
    ``pointwise_kernel``, of shape ``[1, channels * depth_multiplier, filters]``, and ``bias``.

    Args:
        filters: number of filters, the output's channels.
        kernel_size: width of the window.
        strides: how far the window moves.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, sequences of shape ``[batch, width, channels]``, or ``"channels_first"``.
        dilation_rate: distance between elements of the window.
        depth_multiplier: how many outputs the first convolution has for each channel.
        activation: a function, or the name of one in ``dt.nn``; none by default.
        use_bias: whether to add a bias.
        depthwise_initializer: first values of the first kernel; Glorot's uniform ones by default.
        pointwise_initializer: first values of the second kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the bias.
        depthwise_regularizer: gives a loss of the first kernel.
        pointwise_regularizer: gives a loss of the second kernel.
        bias_regularizer: gives a loss of the bias.
        depthwise_constraint: gives the first kernel to keep after an optimizer's update.
        pointwise_constraint: gives the second kernel to keep after an optimizer's update.
        bias_constraint: gives the bias to keep after an optimizer's update.

    Raises:
        ShapeError: the input has another rank than 3, its channels are not known, or the window does not fit.

    Example:
        >>> dt.layers.separable_conv1d(dt.zeros([8, 100, 4]), 6, 5).shape
        Shape([8, 96, 6])
    """

    input_rank = 3
    _rank = 1


@final
class SeparableConv2D(_SeparableConvolution):
    """A convolution of each channel of the images by itself, mixed by one of single elements (Chollet, 2017).

    The weights are ``depthwise_kernel``, of shape ``[height, width, channels, depth_multiplier]``,
    ``pointwise_kernel``, of shape ``[1, 1, channels * depth_multiplier, filters]``, and ``bias``.

    Args:
        filters: number of filters, the output's channels.
        kernel_size: height and width of the window, or one number for both.
        strides: how far the window moves.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.
        dilation_rate: distance between elements of the window.
        depth_multiplier: how many outputs the first convolution has for each channel.
        activation: a function, or the name of one in ``dt.nn``; none by default.
        use_bias: whether to add a bias.
        depthwise_initializer: first values of the first kernel; Glorot's uniform ones by default.
        pointwise_initializer: first values of the second kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the bias.
        depthwise_regularizer: gives a loss of the first kernel.
        pointwise_regularizer: gives a loss of the second kernel.
        bias_regularizer: gives a loss of the bias.
        depthwise_constraint: gives the first kernel to keep after an optimizer's update.
        pointwise_constraint: gives the second kernel to keep after an optimizer's update.
        bias_constraint: gives the bias to keep after an optimizer's update.

    Raises:
        ShapeError: the input has another rank than 4, its channels are not known, or the window does not fit.

    Example:
        >>> dt.layers.separable_conv2d(dt.zeros([8, 28, 28, 4]), 6, 3, padding="same").shape
        Shape([8, 28, 28, 6])
    """

    input_rank = 4
    _rank = 2
