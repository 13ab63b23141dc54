"""Gradients of convolutions as functions of their own, under TensorFlow 1's names.

A convolution is linear in its images and in its filter, so its gradient is that at zeros.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail_layers.convolutions import conv3d, depthwise_conv2d

__all__ = [
    "conv3d_backprop_filter",
    "conv3d_backprop_filter_v2",
    "depthwise_conv2d_backprop_filter",
    "depthwise_conv2d_backprop_input",
    "depthwise_conv2d_native_backprop_filter",
    "depthwise_conv2d_native_backprop_input",
]


def _gradient(convolve: Callable[[Tensor], Tensor], sizes: Any, out_backprop: Any, name: str) -> Tensor:
    grad = dt.convert_to_tensor(out_backprop)
    with dt.name_scope(name):
        at = dt.zeros(sizes, grad.dtype)
        (result,) = dt.gradients(convolve(at), at, grad)
        return dt.identity(result)


def conv3d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Return the gradient of ``conv3d`` with respect to its filter.

    Args:
        input: the volumes.
        filter_sizes: the shape of the filter, ``[depth, height, width, channels, filters]``.
        out_backprop: the gradient of the convolution.
        strides: of the convolution.
        padding: of the convolution.
        data_format: ``"NDHWC"`` or ``"NCDHW"``.
        dilations: of the convolution.
        name: scope of the nodes.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> volumes, gradient = dt.ones([2, 6, 6, 6, 1]), dt.ones([2, 4, 4, 4, 5])
        >>> dt.nn.conv3d_backprop_filter(volumes, [3, 3, 3, 1, 5], gradient, [1] * 5, "VALID").shape
        Shape([3, 3, 3, 1, 5])
    """
    x = dt.convert_to_tensor(input)
    return _gradient(
        lambda kernel: conv3d(x, kernel, strides, padding, data_format, dilations),
        filter_sizes,
        out_backprop,
        name or "Conv3DBackpropFilterV2",
    )


conv3d_backprop_filter_v2 = conv3d_backprop_filter


def depthwise_conv2d_native_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Return the gradient of ``depthwise_conv2d`` with respect to its images.

    Args:
        input_sizes: the shape of the images.
        filter: of shape ``[height, width, channels, multiplier]``.
        out_backprop: the gradient of the convolution.
        strides: of the convolution.
        padding: of the convolution.
        data_format: ``"NHWC"`` or ``"NCHW"``.
        dilations: of the convolution: four numbers.
        name: scope of the nodes.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> filters, gradient = dt.ones([3, 3, 4, 2]), dt.ones([1, 6, 6, 8])
        >>> dt.nn.depthwise_conv2d_native_backprop_input([1, 8, 8, 4], filters, gradient, [1] * 4, "VALID").shape
        Shape([1, 8, 8, 4])
    """
    kernel = dt.convert_to_tensor(filter)
    return _gradient(
        lambda x: _depthwise(x, kernel, strides, padding, dilations, data_format),
        input_sizes,
        out_backprop,
        name or "DepthwiseConv2dNativeBackpropInput",
    )


depthwise_conv2d_backprop_input = depthwise_conv2d_native_backprop_input


def depthwise_conv2d_native_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Return the gradient of ``depthwise_conv2d`` with respect to its filter.

    Args:
        input: the images.
        filter_sizes: the shape of the filter, ``[height, width, channels, multiplier]``.
        out_backprop: the gradient of the convolution.
        strides: of the convolution.
        padding: of the convolution.
        data_format: ``"NHWC"`` or ``"NCHW"``.
        dilations: of the convolution: four numbers.
        name: scope of the nodes.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> images, gradient = dt.ones([1, 8, 8, 4]), dt.ones([1, 6, 6, 8])
        >>> dt.nn.depthwise_conv2d_native_backprop_filter(images, [3, 3, 4, 2], gradient, [1] * 4, "VALID").shape
        Shape([3, 3, 4, 2])
    """
    x = dt.convert_to_tensor(input)
    return _gradient(
        lambda kernel: _depthwise(x, kernel, strides, padding, dilations, data_format),
        filter_sizes,
        out_backprop,
        name or "DepthwiseConv2dNativeBackpropFilter",
    )


depthwise_conv2d_backprop_filter = depthwise_conv2d_native_backprop_filter


def _depthwise(x: Tensor, kernel: Tensor, strides: Any, padding: Any, dilations: Any, data_format: str) -> Tensor:
    """Convolve, with the two of four dilations that are those of height and width."""
    if dilations is not None and len(dilations) == 4:
        dilations = dilations[2:] if data_format == "NCHW" else dilations[1:3]
    return depthwise_conv2d(x, kernel, strides, padding, dilations, data_format=data_format)
