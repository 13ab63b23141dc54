"""Transposed convolutions as functions, with TensorFlow 1's arguments, and a filter's gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import as_padding, convolution_transpose, definitions, known_elements
from dovetail_layers.spatial import channels_last, is_channels_first, padding_pairs, spatial_values

__all__ = [
    "atrous_conv2d_transpose",
    "conv1d_transpose",
    "conv2d_backprop_filter",
    "conv2d_backprop_input",
    "conv2d_transpose",
    "conv3d_transpose",
    "conv_transpose",
    "transposed",
]


def conv1d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Return the transposed convolution of sequences: what ``conv1d`` does to gradients, used forward.

    Args:
        input: floating, of shape ``[batch, width, channels]``, or ``[batch, channels, width]`` for ``"NCW"``.
        filters: of the same dtype, of shape ``[width, output channels, channels]``.
        output_shape: the shape of the result, or its width; several widths may fit.
        strides: how far apart the windows lie in the output.
        padding: of the convolution from the output to the input.
        data_format: ``"NWC"`` or ``"NCW"``, which is transposed around.
        dilations: distance between elements of the window.
        name: name of the node.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.conv1d_transpose(dt.zeros([8, 50, 6]), dt.zeros([5, 4, 6]), [8, 100, 4], 2).shape
        Shape([8, 100, 4])
    """
    return transposed(
        "conv1d_transpose",
        1,
        input,
        filters,
        output_shape,
        strides,
        padding,
        data_format,
        dilations,
        name or "conv1d_transpose",
    )


def conv2d_transpose(
    value: Any = None,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: Any = "SAME",
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """Return the transposed convolution of images: what ``conv2d`` does to gradients, used forward.

    Args:
        value: floating, of shape ``[batch, height, width, channels]``, or ``[batch, channels, height, width]`` for
            ``"NCHW"``.
        filter: of the same dtype, of shape ``[height, width, output channels, channels]``.
        output_shape: the shape of the result, or its height and width, of which several may fit; a list, in which a
            size may be symbolic, or a tensor made of sizes. By default ``size * stride`` for ``"SAME"`` and the
            smallest that fits otherwise.
        strides: how far apart the windows lie in the output: an int, two of them, or one for each axis.
        padding: of the convolution from the output to the input: ``"SAME"``, ``"VALID"`` or a pair for each axis.
        data_format: ``"NHWC"`` or ``"NCHW"``, which is transposed around.
        name: name of the node.
        input: another name of ``value``.
        filters: another name of ``filter``.
        dilations: distance between elements of the window, as ``strides``.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> maps, filters = dt.zeros([8, 14, 14, 6]), dt.zeros([5, 5, 1, 6])
        >>> dt.nn.conv2d_transpose(maps, filters, [8, 28, 28, 1], [1, 2, 2, 1]).shape
        Shape([8, 28, 28, 1])
    """
    images, kernel = input if value is None else value, filters if filter is None else filter
    name = name or "conv2d_transpose"
    return transposed(
        "conv2d_transpose", 2, images, kernel, output_shape, strides, padding, data_format, dilations, name
    )


def conv3d_transpose(
    value: Any = None,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: Any = "SAME",
    data_format: str | None = "NDHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """Return the transposed convolution of volumes: what ``conv3d`` does to gradients, used forward.

    Args:
        value: floating, of shape ``[batch, depth, height, width, channels]``, or with channels second for ``"NCDHW"``.
        filter: of the same dtype, of shape ``[depth, height, width, output channels, channels]``.
        output_shape: the shape of the result, or its three spatial sizes; see ``conv2d_transpose``.
        strides: how far apart the windows lie in the output: an int, three of them, or one for each axis.
        padding: of the convolution from the output to the input.
        data_format: ``"NDHWC"`` or ``"NCDHW"``, which is transposed around.
        name: name of the node.
        input: another name of ``value``.
        filters: another name of ``filter``.
        dilations: distance between elements of the window, as ``strides``.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> maps, filters = dt.zeros([2, 4, 4, 4, 4]), dt.zeros([3, 3, 3, 1, 4])
        >>> dt.nn.conv3d_transpose(maps, filters, [2, 8, 8, 8, 1], 2).shape
        Shape([2, 8, 8, 8, 1])
    """
    images, kernel = input if value is None else value, filters if filter is None else filter
    name = name or "conv3d_transpose"
    return transposed(
        "conv3d_transpose", 3, images, kernel, output_shape, strides, padding, data_format, dilations, name
    )


def conv_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Return the transposed convolution of images of one to three spatial axes.

    Args:
        input: floating, of shape ``[batch, *spatial, channels]``, or ``[batch, channels, *spatial]``.
        filters: of the same dtype, of shape ``[*window, output channels, channels]``.
        output_shape: the shape of the result, or its spatial sizes; see ``conv2d_transpose``.
        strides: how far apart the windows lie in the output.
        padding: of the convolution from the output to the input.
        data_format: such as ``"NWC"``, ``"NCHW"``, ``"NDHWC"``; channels last by default.
        dilations: distance between elements of the window.
        name: name of the node.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.conv_transpose(dt.zeros([8, 50, 6]), dt.zeros([5, 4, 6]), [100], 2).shape
        Shape([8, 100, 4])
    """
    kernel = dt.convert_to_tensor(filters)
    if kernel.shape.rank is None or not 3 <= kernel.shape.rank <= 5:
        raise ShapeError(
            f"conv_transpose: the filter is {kernel.type}; rank 3 to 5 is expected: [*window, output channels, "
            f"channels]. {kernel.op.where()}"
        )
    return transposed(
        "conv_transpose",
        kernel.shape.rank - 2,
        input,
        kernel,
        output_shape,
        strides,
        padding,
        data_format,
        dilations,
        name or "conv_transpose",
    )


def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: int, padding: Any, name: str | None = None
) -> Tensor:
    """Return the transpose of ``atrous_conv2d``.

    Args:
        value: floating, of shape ``[batch, height, width, channels]``.
        filters: of the same dtype, of shape ``[height, width, output channels, channels]``.
        output_shape: the shape of the result.
        rate: the distance between elements of the window.
        padding: of the convolution from the output to the input.
        name: name of the node.

    Raises:
        ShapeError: shapes do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: the padding is not known.

    Example:
        >>> maps, filters = dt.zeros([8, 20, 20, 6]), dt.zeros([3, 3, 1, 6])
        >>> dt.nn.atrous_conv2d_transpose(maps, filters, [8, 28, 28, 1], 4, "VALID").shape
        Shape([8, 28, 28, 1])
    """
    name = name or "atrous_conv2d_transpose"
    return transposed("atrous_conv2d_transpose", 2, value, filters, output_shape, 1, padding, "NHWC", rate, name)


def conv2d_backprop_input(
    input_sizes: Any,
    filter: Any = None,
    out_backprop: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str | None = "NHWC",
    dilations: Any = None,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """Return the gradient of ``conv2d`` with respect to its images.

    Args:
        input_sizes: the shape of the images.
        filter: of shape ``[height, width, channels, filters]``.
        out_backprop: the gradient of the convolution.
        strides: of the convolution.
        padding: of the convolution.
        use_cudnn_on_gpu: has no effect; here for TensorFlow 1 programs.
        data_format: ``"NHWC"`` or ``"NCHW"``.
        dilations: of the convolution.
        name: name of the node.
        filters: another name of ``filter``.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> filters, gradient = dt.ones([3, 3, 1, 2]), dt.ones([4, 6, 6, 2])
        >>> dt.nn.conv2d_backprop_input([4, 8, 8, 1], filters, gradient, 1, "VALID").shape
        Shape([4, 8, 8, 1])
    """
    kernel = filters if filter is None else filter
    name = name or "Conv2DBackpropInput"
    return transposed(
        "conv2d_backprop_input", 2, out_backprop, kernel, input_sizes, strides, padding, data_format, dilations, name
    )


def conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str | None = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Return the gradient of ``conv2d`` with respect to its filter.

    Args:
        input: the images.
        filter_sizes: the shape of the filter, ``[height, width, channels, filters]``.
        out_backprop: the gradient of the convolution.
        strides: of the convolution.
        padding: of the convolution.
        use_cudnn_on_gpu: has no effect; here for TensorFlow 1 programs.
        data_format: ``"NHWC"`` or ``"NCHW"``.
        dilations: of the convolution.
        name: name of the node.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known, or the sizes of the filter.

    Example:
        >>> images, gradient = dt.ones([4, 8, 8, 1]), dt.ones([4, 6, 6, 2])
        >>> dt.nn.conv2d_backprop_filter(images, [3, 3, 1, 2], gradient, 1, "VALID").shape
        Shape([3, 3, 1, 2])
    """
    first = is_channels_first("conv2d_backprop_filter", data_format, 2)
    known = known_elements(filter_sizes, "conv2d_backprop_filter: filter_sizes")
    if known is None or known.shape != (4,):
        raise InvalidArgumentError(
            f"conv2d_backprop_filter: filter_sizes is {filter_sizes!r}; give the filter's four sizes, which must be "
            f"known."
        )
    x, grad = dt.convert_to_tensor(input), dt.convert_to_tensor(out_backprop)
    if first:
        x, grad = dt.transpose(x, [0, 2, 3, 1]), dt.transpose(grad, [0, 2, 3, 1])
    height, width, depth, _ = known.tolist()
    channels = x.shape[-1] if x.shape.rank else depth
    op = definitions.ConvFilterGrad(
        spatial_values("conv2d_backprop_filter: strides", strides, 2, first),
        as_padding("conv2d_backprop_filter", padding_pairs("conv2d_backprop_filter", padding, 2, first)),
        spatial_values("conv2d_backprop_filter: dilations", dilations, 2, first),
        channels // depth if isinstance(channels, int) and isinstance(depth, int) and depth else 1,
        (height, width),
    )
    result: Tensor = op(x, grad, name=name or "Conv2DBackpropFilter")
    return result


def transposed(
    operation: str,
    rank: int,
    images: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
    name: str,
    groups: int = 1,
) -> Tensor:
    """Return a transposed convolution over ``rank`` spatial axes; see ``conv2d_transpose``."""
    if images is None:
        raise InvalidArgumentError(f"{operation}: give the images.")
    if kernel is None:
        raise InvalidArgumentError(f"{operation}: give the filter, of shape [*window, output channels, channels].")
    first = is_channels_first(operation, data_format, rank)
    steps = spatial_values(f"{operation}: strides", strides, rank, first)
    spread = spatial_values(f"{operation}: dilations", dilations, rank, first)
    around = padding_pairs(operation, padding, rank, first)
    kernel = dt.convert_to_tensor(kernel)
    size, channels = _output_size(operation, output_shape, rank, first)
    made = kernel.shape.dims[-2] if kernel.shape.rank else None
    if isinstance(channels, int) and isinstance(made, int) and channels != made * groups:
        raise ShapeError(
            f"{operation}: output_shape asks for {channels} channels; the filter, {kernel.type}, makes {made * groups} "
            f"of them: it is [*window, output channels, channels]. {kernel.op.where()}"
        )

    def apply(inputs: Any, label: str | None) -> Tensor:
        result: Tensor = convolution_transpose(inputs, kernel, steps, around, spread, groups, size, name=label)
        return result

    return channels_last(apply, images, rank, first, name)


def _output_size(operation: str, output_shape: Any, rank: int, first: bool) -> tuple[Any, Any]:
    """Return the spatial sizes of an output shape, as they were given, and its channels where they are known."""
    if output_shape is None:
        return None, None
    if isinstance(output_shape, int | np.integer):
        return [output_shape] * rank, None
    if isinstance(output_shape, dt.Tensor | dt.Variable):
        count = output_shape.shape[0] if output_shape.shape.rank == 1 else None
    else:
        output_shape = list(output_shape)
        count = len(output_shape)
    if count == rank:
        return output_shape, None
    if count != rank + 2:
        raise ShapeError(
            f"{operation}: output_shape is {output_shape!r}; give {rank + 2} sizes, or one for each of {rank} spatial "
            f"axes."
        )
    size = output_shape[2:] if first else output_shape[1:-1]
    return size, output_shape[1 if first else -1]
