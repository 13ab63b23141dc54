"""Transposed convolution layers over one to three spatial axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Activation, InitializerLike, Layer, RegularizerLike, TensorType, as_activation
from dovetail_layers.arguments import channel_axis, check_layout, check_positive, per_axis
from dovetail_layers.bias import bias_add
from dovetail_layers.transposed_convolutions import conv_transpose

__all__ = ["Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"]


class _TransposedConvolution(Layer):
    """What transposed convolution layers have in common."""

    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str = "valid"
    data_format: str = "channels_last"
    activation: Activation = None
    use_bias: bool = True
    kernel_initializer: InitializerLike = None
    bias_initializer: InitializerLike = dt.zeros_initializer()
    kernel_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None
    kernel_constraint: Callable[[Tensor], Tensor] | None = None
    bias_constraint: Callable[[Tensor], Tensor] | None = None
    output_padding: int | tuple[int, ...] | None = None
    dilation_rate: int | tuple[int, ...] = 1

    floating_inputs = True
    _rank: ClassVar[int]

    def check(self) -> None:
        """Look at numbers and names."""
        check_positive(self._label(), "filters", self.filters)
        for name in ("kernel_size", "strides", "dilation_rate"):
            self._values(name)
        check_layout(self._label(), self.data_format, self.padding)
        for extra, stride in zip(self._extra or (), self._values("strides"), strict=False):
            if not 0 <= extra < stride:
                raise InvalidArgumentError(
                    f"{self._label()}: output_padding is {self.output_padding}; it must be at least 0 and less than "
                    f"the strides, {self.strides}."
                )
        as_activation(self.activation)

    def _values(self, name: str) -> tuple[int, ...]:
        return per_axis(self._label(), name, self.__dict__[name], self._rank)

    @property
    def _extra(self) -> tuple[int, ...] | None:
        given = self.output_padding
        return (given,) * self._rank if isinstance(given, int) else given

    def build(self, inputs: TensorType) -> None:
        """Make kernel and bias."""
        self.kernel = self.weight(
            "kernel",
            [*self._values("kernel_size"), self.filters, inputs.shape[channel_axis(self.data_format)]],
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
        """A transposed convolution, a sum, the activation."""
        result = conv_transpose(
            inputs,
            self.kernel,
            self._sizes(inputs),
            self._values("strides"),
            self.padding.upper(),
            self.data_format,
            self._values("dilation_rate"),
        )
        if self.use_bias:
            result = bias_add(result, self.bias, self.data_format)
        return as_activation(self.activation)(result)

    def _sizes(self, inputs: Tensor) -> list[Any]:
        """Return the output's spatial sizes: by Keras' rule without ``output_padding``, else by PyTorch's."""
        dims = inputs.shape.dims
        spatial = dims[1:-1] if self.data_format == "channels_last" else dims[2:]
        same = self.padding.lower() == "same"
        found: list[Any] = []
        for axis, size in enumerate(spatial):
            stride, dilation = self._values("strides")[axis], self._values("dilation_rate")[axis]
            extent = (self._values("kernel_size")[axis] - 1) * dilation + 1
            if self._extra is None:
                found.append(size * stride + (0 if same else max(extent - stride, 0)))
            else:
                cut = extent // 2 * 2 if same else 0
                found.append((size - 1) * stride + extent - cut + self._extra[axis])
        return found


@final
class Conv1DTranspose(_TransposedConvolution):
    """``activation(transposed convolution of the sequences with the kernel + bias)``.

    It is what a convolution does to gradients, used forward (Zeiler et al., 2010). The weights are ``kernel``, of shape
    ``[width, filters, channels]``, and ``bias``, of shape ``[filters]``.

    Args:
        filters: number of filters, the output's channels.
        kernel_size: width of the window.
        strides: how far apart the windows lie in the output.
        padding: of the convolution from the output to the input: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, sequences of shape ``[batch, width, channels]``, or ``"channels_first"``.
        activation: a function, or the name of one in ``dt.nn``; none by default.
        use_bias: whether to add a bias.
        kernel_initializer: first values of the kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the bias.
        kernel_regularizer: gives a loss of the kernel.
        bias_regularizer: gives a loss of the bias.
        kernel_constraint: gives the kernel to keep after an optimizer's update.
        bias_constraint: gives the bias to keep after an optimizer's update.
        output_padding: how much longer the output is than the shortest that fits, less than the strides. Without it
            the output is ``size * stride`` long for ``"same"``, and as long as its windows reach for ``"valid"``.
        dilation_rate: distance between elements of the window.

    Raises:
        ShapeError: the input has another rank than 3, or its channels are not known.

    Example:
        >>> dt.layers.conv1d_transpose(dt.zeros([8, 50, 6]), 4, 5, strides=2, padding="same").shape
        Shape([8, 100, 4])
    """

    input_rank = 3
    _rank = 1


@final
class Conv2DTranspose(_TransposedConvolution):
    """``activation(transposed convolution of the images with the kernel + bias)``.

    It is what a convolution does to gradients, used forward (Zeiler et al., 2010). The weights are ``kernel``, of shape
    ``[height, width, filters, channels]``, and ``bias``, of shape ``[filters]``.

    Args:
        filters: number of filters, the output's channels.
        kernel_size: height and width of the window, or one number for both.
        strides: how far apart the windows lie in the output.
        padding: of the convolution from the output to the input: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.
        activation: a function, or the name of one in ``dt.nn``; none by default.
        use_bias: whether to add a bias.
        kernel_initializer: first values of the kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the bias.
        kernel_regularizer: gives a loss of the kernel.
        bias_regularizer: gives a loss of the bias.
        kernel_constraint: gives the kernel to keep after an optimizer's update.
        bias_constraint: gives the bias to keep after an optimizer's update.
        output_padding: how much longer the output is than the shortest that fits, less than the strides. Without it
            the output is ``size * stride`` long for ``"same"``, and as long as its windows reach for ``"valid"``.
        dilation_rate: distance between elements of the window.

    Raises:
        ShapeError: the input has another rank than 4, or its channels are not known.

    Example:
        >>> dt.layers.conv2d_transpose(dt.zeros([8, 14, 14, 6]), 3, 4, strides=2, padding="same").shape
        Shape([8, 28, 28, 3])
    """

    input_rank = 4
    _rank = 2


@final
class Conv3DTranspose(_TransposedConvolution):
    """``activation(transposed convolution of the volumes with the kernel + bias)``.

    It is what a convolution does to gradients, used forward (Zeiler et al., 2010). The weights are ``kernel``, of shape
    ``[depth, height, width, filters, channels]``, and ``bias``, of shape ``[filters]``.

    Args:
        filters: number of filters, the output's channels.
        kernel_size: sizes of the window, or one number for all three.
        strides: how far apart the windows lie in the output.
        padding: of the convolution from the output to the input: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, volumes of shape ``[batch, depth, height, width, channels]``, or
            ``"channels_first"``.
        activation: a function, or the name of one in ``dt.nn``; none by default.
        use_bias: whether to add a bias.
        kernel_initializer: first values of the kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the bias.
        kernel_regularizer: gives a loss of the kernel.
        bias_regularizer: gives a loss of the bias.
        kernel_constraint: gives the kernel to keep after an optimizer's update.
        bias_constraint: gives the bias to keep after an optimizer's update.
        output_padding: how much longer the output is than the shortest that fits, less than the strides. Without it
            the output is ``size * stride`` long for ``"same"``, and as long as its windows reach for ``"valid"``.
        dilation_rate: distance between elements of the window.

    Raises:
        ShapeError: the input has another rank than 5, or its channels are not known.

    Example:
        >>> dt.layers.conv3d_transpose(dt.zeros([2, 4, 4, 4, 6]), 3, 2, strides=2).shape
        Shape([2, 8, 8, 8, 3])
    """

    input_rank = 5
    _rank = 3
