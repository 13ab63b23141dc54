"""Convolution layers over one to three spatial axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Activation, InitializerLike, Layer, RegularizerLike, TensorType, as_activation
from dovetail_layers.arguments import channel_axis, check_layout, check_positive, per_axis
from dovetail_layers.bias import bias_add
from dovetail_layers.convolutions import convolution

__all__ = ["Conv1D", "Conv2D", "Conv3D"]


class _Convolution(Layer):
    """What convolution layers have in common."""

    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str = "valid"
    data_format: str = "channels_last"
    dilation_rate: int | tuple[int, ...] = 1
    activation: Activation = None
    use_bias: bool = True
    kernel_initializer: InitializerLike = None
    bias_initializer: InitializerLike = dt.zeros_initializer()
    kernel_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    kernel_constraint: Callable[[Tensor], Tensor] | None = None
    bias_constraint: Callable[[Tensor], Tensor] | None = None
    groups: int = 1

    floating_inputs = True
    _rank: ClassVar[int]
    _paddings: ClassVar[tuple[str, ...]] = ()

    def check(self) -> None:
        """Look at numbers and names."""
        for name in ("filters", "groups"):
            check_positive(self._label(), name, self.__dict__[name])
        for name in ("kernel_size", "strides", "dilation_rate"):
            self._values(name)
        check_layout(self._label(), self.data_format, self.padding, self._paddings)
        if self.filters % self.groups:
            raise InvalidArgumentError(
                f"{self._label()}: {self.filters} filters do not make {self.groups} groups; choose a multiple."
            )
        as_activation(self.activation)

    def _values(self, name: str) -> tuple[int, ...]:
        return per_axis(self._label(), name, self.__dict__[name], self._rank)

    def build(self, inputs: TensorType) -> None:
        """Make kernel and bias."""
        channels = inputs.shape[channel_axis(self.data_format)]
        if isinstance(channels, int) and channels % self.groups:
            raise InvalidArgumentError(
                f"{self._label()}: the input is {inputs}, whose {channels} channels do not make {self.groups} groups."
            )
        self.kernel = self.weight(
            "kernel",
            [*self._values("kernel_size"), channels // self.groups, self.filters],
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
        result = convolution(
            inputs,
            self.kernel,
            self._around(),
            self._values("strides"),
            self._values("dilation_rate"),
            f"Conv{self._rank}D",
            self.data_format,
        )
        if self.use_bias:
            result = bias_add(result, self.bias, self.data_format)
        return as_activation(self.activation)(result)

    def _around(self) -> Any:
        return self.padding.upper()


@final
class Conv1D(_Convolution):
    """``activation(convolution of the sequences with the kernel + bias)``.

    The weights are ``kernel``, of shape ``[width, channels / groups, filters]``, and ``bias``, of shape ``[filters]``.

    Args:
        filters: number of filters, the output's channels.
        kernel_size: width of the window.
        strides: how far the window moves.
        padding: ``"valid"``, ``"same"``, or ``"causal"``: zeros before the sequence only, as many as make an element
            of the output depend on no later element of the input.
        data_format: ``"channels_last"``, sequences of shape ``[batch, width, channels]``, or ``"channels_first"``.
        dilation_rate: distance between elements of the window.
        activation: a function, or the name of one in ``dt.nn``; none by default.
        use_bias: whether to add a bias.
        kernel_initializer: first values of the kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the bias.
        kernel_regularizer: gives a loss of the kernel.
        bias_regularizer: gives a loss of the bias.
        kernel_constraint: gives the kernel to keep after an optimizer's update.
        bias_constraint: gives the bias to keep after an optimizer's update.
        groups: channels and filters are divided into so many groups, which do not see each other.

    Raises:
        ShapeError: the input has another rank than 3, its channels are not known, or the window does not fit.
        InvalidArgumentError: channels or filters do not make groups.

    Example:
        >>> dt.layers.conv1d(dt.zeros([8, 100, 4]), 6, 5, padding="causal", dilation_rate=2).shape
        Shape([8, 100, 6])
    """

    input_rank = 3
    _rank = 1
    _paddings = ("causal",)

    def _around(self) -> Any:
        if self.padding.lower() != "causal":
            return super()._around()
        (size,), (dilation,) = self._values("kernel_size"), self._values("dilation_rate")
        return [((size - 1) * dilation, 0)]


@final
class Conv2D(_Convolution):
    """``activation(convolution of the images with the kernel + bias)``.

    The weights are ``kernel``, of shape ``[height, width, channels / groups, filters]``, and ``bias``, of shape
    ``[filters]``.

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
        groups: channels and filters are divided into so many groups, which do not see each other.

    Raises:
        ShapeError: the input has another rank than 4, its channels are not known, or the window does not fit.
        InvalidArgumentError: channels or filters do not make groups.

    Example:
        >>> maps = dt.layers.conv2d(dt.zeros([8, 28, 28, 1]), 6, 5, padding="same", activation=dt.nn.relu)
        >>> maps.shape
        Shape([8, 28, 28, 6])
    """

    input_rank = 4
    _rank = 2


@final
class Conv3D(_Convolution):
    """``activation(convolution of the volumes with the kernel + bias)``.

    The weights are ``kernel``, of shape ``[depth, height, width, channels / groups, filters]``, and ``bias``, of shape
    ``[filters]``.

    Args:
        filters: number of filters, the output's channels.
        kernel_size: sizes of the window, or one number for all three.
        strides: how far the window moves.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, volumes of shape ``[batch, depth, height, width, channels]``, or
            ``"channels_first"``.
        dilation_rate: distance between elements of the window.
        activation: a function, or the name of one in ``dt.nn``; none by default.
        use_bias: whether to add a bias.
        kernel_initializer: first values of the kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the bias.
        kernel_regularizer: gives a loss of the kernel.
        bias_regularizer: gives a loss of the bias.
        kernel_constraint: gives the kernel to keep after an optimizer's update.
        bias_constraint: gives the bias to keep after an optimizer's update.
        groups: channels and filters are divided into so many groups, which do not see each other.

    Raises:
        ShapeError: the input has another rank than 5, its channels are not known, or the window does not fit.
        InvalidArgumentError: channels or filters do not make groups.

    Example:
        >>> dt.layers.conv3d(dt.zeros([2, 8, 8, 8, 1]), 4, 3, strides=2, padding="same").shape
        Shape([2, 4, 4, 4, 4])
    """

    input_rank = 5
    _rank = 3
