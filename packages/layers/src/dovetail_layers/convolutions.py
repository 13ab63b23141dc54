"""Convolutions as functions, with TensorFlow 1's arguments: plain, dilated, depthwise and separable."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import convolution as core_convolution
from dovetail_layers.spatial import channels_last, is_channels_first, padding_pairs, spatial_values

__all__ = [
    "atrous_conv2d",
    "conv1d",
    "conv2d",
    "conv3d",
    "convolution",
    "depthwise_conv2d",
    "depthwise_conv2d_native",
    "depthwise",
    "separable",
    "separable_conv2d",
]

_TENSORS: Final = (Tensor, dt.Variable)


def conv1d(
    value: Any = None,
    filters: Any = None,
    stride: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool | None = None,
    data_format: str | None = None,
    name: str | None = None,
    input: Any = None,
    dilations: Any = None,
) -> Tensor:
    """Return the convolution of sequences with filters, which are not flipped.

    Args:
        value: floating, of shape ``[batch, width, channels]``, or ``[batch, channels, width]`` for ``"NCW"``.
        filters: of the same dtype, of shape ``[width, channels, filters]``; see ``conv2d`` for groups.
        stride: how far the window moves, 1 by default.
        padding: ``"SAME"``, ``"VALID"``, or a pair of numbers of zeros for each axis.
        use_cudnn_on_gpu: has no effect; here for TensorFlow 1 programs.
        data_format: ``"NWC"`` or ``"NCW"``, which is transposed around.
        name: name of the node.
        input: another name of ``value``.
        dilations: distance between elements of the window, 1 by default.

    Returns:
        A tensor of shape ``[batch, width, filters]``, or ``[batch, filters, width]``.

    Raises:
        ShapeError: shapes, stride or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.conv1d(dt.zeros([8, 100, 4]), dt.zeros([5, 4, 6]), 2, "SAME").shape
        Shape([8, 50, 6])
    """
    images = input if value is None else value
    return _convolved("conv1d", 1, images, filters, stride, padding, data_format, dilations, name or "conv1d")


def conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str | None = "NHWC",
    dilations: Any = None,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """Return the convolution of images with filters, which are not flipped.

    Args:
        input: floating, of shape ``[batch, height, width, channels]``, or ``[batch, channels, height, width]`` for
            ``"NCHW"``.
        filter: of the same dtype, of shape ``[height, width, channels, filters]``. Where it has fewer channels than the
            images, the channels form groups of as many, which do not see each other; each has an equal share of the
            filters.
        strides: how far the window moves: an int, two of them, or one for each axis of the input; 1 by default.
        padding: ``"SAME"``, ``"VALID"`` (the default), or for each axis of the input the pair of numbers of zeros
            before and after.
        use_cudnn_on_gpu: has no effect; here for TensorFlow 1 programs.
        data_format: ``"NHWC"`` or ``"NCHW"``, which is transposed around.
        dilations: distance between elements of the window, as ``strides``.
        name: name of the node.
        filters: another name of ``filter``.

    Returns:
        A tensor of shape ``[batch, height, width, filters]``, or ``[batch, filters, height, width]``.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.conv2d(dt.zeros([8, 28, 28, 1]), dt.zeros([5, 5, 1, 6]), [1, 2, 2, 1], "SAME").shape
        Shape([8, 14, 14, 6])
    """
    kernel = filters if filter is None else filter
    return _convolved("conv2d", 2, input, kernel, strides, padding, data_format, dilations, name or "Conv2D")


def conv3d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: str | None = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """Return the convolution of volumes with filters, which are not flipped.

    Args:
        input: floating, of shape ``[batch, depth, height, width, channels]``, or with channels second for ``"NCDHW"``.
        filter: of the same dtype, of shape ``[depth, height, width, channels, filters]``; see ``conv2d`` for groups.
        strides: how far the window moves: an int, three of them, or one for each axis of the input; 1 by default.
        padding: ``"SAME"``, ``"VALID"``, or a pair of numbers of zeros for each axis.
        data_format: ``"NDHWC"`` or ``"NCDHW"``, which is transposed around.
        dilations: distance between elements of the window, as ``strides``.
        name: name of the node.
        filters: another name of ``filter``.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.conv3d(dt.zeros([2, 8, 8, 8, 1]), dt.zeros([3, 3, 3, 1, 4]), 2, "SAME").shape
        Shape([2, 4, 4, 4, 4])
    """
    kernel = filters if filter is None else filter
    return _convolved("conv3d", 3, input, kernel, strides, padding, data_format, dilations, name or "Conv3D")


def convolution(
    input: Any,
    filter: Any = None,
    padding: Any = "VALID",
    strides: Any = None,
    dilation_rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """Return the convolution of images of one to three spatial axes with filters, which are not flipped.

    Args:
        input: floating, of shape ``[batch, *spatial, channels]``, or ``[batch, channels, *spatial]`` for a
            ``data_format`` that begins with ``"NC"``.
        filter: of the same dtype, of shape ``[*window, channels, filters]``; see ``conv2d`` for groups.
        padding: ``"SAME"``, ``"VALID"``, or a pair of numbers of zeros for each axis.
        strides: how far the window moves: an int or one for each spatial axis; 1 by default.
        dilation_rate: distance between elements of the window, as ``strides``.
        name: name of the node.
        data_format: such as ``"NWC"``, ``"NCHW"``, ``"NDHWC"``; channels last by default.
        filters: another name of ``filter``.
        dilations: another name of ``dilation_rate``.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.convolution(dt.zeros([8, 100, 4]), dt.zeros([5, 4, 6]), "SAME", [2]).shape
        Shape([8, 50, 6])
    """
    kernel = _as_filter(_given("convolution", 0, filters if filter is None else filter), input)
    if kernel.shape.rank is None or not 3 <= kernel.shape.rank <= 5:
        raise ShapeError(
            f"convolution: the filter is {kernel.type}; rank 3 to 5 is expected: [*window, channels, filters]. "
            f"{kernel.op.where()}"
        )
    spread = dilations if dilation_rate is None else dilation_rate
    rank = kernel.shape.rank - 2
    return _convolved("convolution", rank, input, kernel, strides, padding, data_format, spread, name or "convolution")


def atrous_conv2d(value: Any, filters: Any, rate: int, padding: Any, name: str | None = None) -> Tensor:
    """Return the convolution of images with filters whose elements lie ``rate`` pixels apart.

    Args:
        value: floating, of shape ``[batch, height, width, channels]``.
        filters: of the same dtype, of shape ``[height, width, channels, filters]``.
        rate: the distance.
        padding: as for ``conv2d``.
        name: name of the node.

    Raises:
        ShapeError: shapes do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: the padding is not known.

    Example:
        >>> dt.nn.atrous_conv2d(dt.zeros([8, 28, 28, 1]), dt.zeros([3, 3, 1, 6]), 4, "VALID").shape
        Shape([8, 20, 20, 6])
    """
    return _convolved("atrous_conv2d", 2, value, filters, 1, padding, "NHWC", rate, name or "atrous_conv2d")


def depthwise_conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """Return the convolution of each channel of images with filters of its own, which are not flipped.

    Args:
        input: floating, of shape ``[batch, height, width, channels]``, or ``[batch, channels, height, width]`` for
            ``"NCHW"``.
        filter: of the same dtype, of shape ``[height, width, channels, multiplier]``.
        strides: how far the window moves: an int, two of them, or one for each axis of the input; 1 by default.
        padding: as for ``conv2d``.
        rate: distance between elements of the window, as ``strides``.
        name: name of the node.
        data_format: ``"NHWC"`` or ``"NCHW"``, which is transposed around.
        dilations: another name of ``rate``.

    Returns:
        A tensor of shape ``[batch, height, width, channels * multiplier]``, where the outputs of one channel lie
        together; or with channels second.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.depthwise_conv2d(dt.zeros([8, 28, 28, 3]), dt.zeros([3, 3, 3, 2]), [1, 2, 2, 1], "SAME").shape
        Shape([8, 14, 14, 6])
    """
    spread = dilations if rate is None else rate
    return depthwise("depthwise_conv2d", 2, input, filter, strides, padding, data_format, spread, name or "depthwise")


def depthwise_conv2d_native(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Return what ``depthwise_conv2d`` does, with arguments in another order.

    Args:
        input: see ``depthwise_conv2d``.
        filter: of shape ``[height, width, channels, multiplier]``.
        strides: how far the window moves.
        padding: as for ``conv2d``.
        data_format: ``"NHWC"`` or ``"NCHW"``.
        dilations: distance between elements of the window.
        name: name of the node.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.depthwise_conv2d_native(dt.zeros([8, 28, 28, 3]), dt.zeros([3, 3, 3, 1]), 1, "SAME").shape
        Shape([8, 28, 28, 3])
    """
    return depthwise_conv2d(input, filter, strides, padding, dilations, name, data_format)


def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any = None,
    padding: Any = None,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """Return the convolution of each channel by itself, mixed by a convolution of one pixel (Chollet, 2017).

    Args:
        input: floating, of shape ``[batch, height, width, channels]``, or ``[batch, channels, height, width]`` for
            ``"NCHW"``.
        depthwise_filter: of the same dtype, of shape ``[height, width, channels, multiplier]``.
        pointwise_filter: of shape ``[1, 1, channels * multiplier, filters]``.
        strides: of the first convolution, as for ``depthwise_conv2d``.
        padding: of the first convolution.
        rate: distance between elements of its window.
        name: name of the node.
        data_format: ``"NHWC"`` or ``"NCHW"``, which is transposed around.
        dilations: another name of ``rate``.

    Raises:
        ShapeError: shapes, strides or dilations do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> depthwise, pointwise = dt.zeros([3, 3, 3, 2]), dt.zeros([1, 1, 6, 10])
        >>> dt.nn.separable_conv2d(dt.zeros([8, 28, 28, 3]), depthwise, pointwise, [1, 1, 1, 1], "SAME").shape
        Shape([8, 28, 28, 10])
    """
    return separable(
        "separable_conv2d",
        2,
        input,
        (depthwise_filter, pointwise_filter),
        strides,
        padding,
        data_format,
        dilations if rate is None else rate,
        name or "separable_conv2d",
    )


def separable(
    operation: str,
    rank: int,
    images: Any,
    kernels: tuple[Any, Any],
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
    name: str,
) -> Tensor:
    """Return a separable convolution over ``rank`` spatial axes; ``kernels`` are of channels, and of pixels."""
    first = is_channels_first(operation, data_format, rank)
    pointwise = _as_filter(kernels[1], images)
    if pointwise.shape.rank is not None and any(size != 1 for size in pointwise.shape.dims[:-2]):
        raise ShapeError(
            f"{operation}: the pointwise filter is {pointwise.type}; its window must be of one pixel: "
            f"[{'1, ' * rank}channels * multiplier, filters]. {pointwise.op.where()}"
        )
    steps = spatial_values(f"{operation}: strides", strides, rank, first)
    spread = spatial_values(f"{operation}: dilations", dilations, rank, first)
    around = padding_pairs(operation, padding, rank, first)

    def apply(inputs: Any, label: str | None) -> Tensor:
        with dt.name_scope(label or "separable"):
            mapped = depthwise(operation, rank, inputs, kernels[0], steps, around, None, spread, "depthwise")
            result: Tensor = core_convolution(mapped, pointwise)
            return result

    return channels_last(apply, images, rank, first, name)


def depthwise(
    operation: str,
    rank: int,
    images: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
    name: str,
) -> Tensor:
    """Return a convolution of each channel with filters of its own: with as many groups as channels."""
    kernel = _as_filter(_given(operation, rank, filter), images)
    if kernel.shape.rank != rank + 2 or not isinstance(kernel.shape[-2], int):
        raise ShapeError(
            f"{operation}: the filter is {kernel.type}; rank {rank + 2} is expected, [*window, channels, multiplier], "
            f"and a known number of channels. {kernel.op.where()}"
        )
    *window, _, multiplier = kernel.shape.dims
    channels: int = kernel.shape[-2]
    grouped = dt.reshape(kernel, [*window, 1, channels * multiplier])
    return _convolved(operation, rank, images, grouped, strides, padding, data_format, dilations, name, channels)


def _given(operation: str, rank: int, filter: Any) -> Any:
    if filter is None:
        shape = "[height, width, channels, filters]" if rank == 2 else "[*window, channels, filters]"
        raise InvalidArgumentError(f"{operation}: give the filter, of shape {shape}.")
    return filter


def _as_filter(filter: Any, images: Any) -> Tensor:
    """Return a filter as a tensor; one that is none takes the dtype of the images."""
    dtype = images.dtype if isinstance(images, _TENSORS) and not isinstance(filter, _TENSORS) else None
    return dt.convert_to_tensor(filter, dtype)


def _convolved(
    operation: str,
    rank: int,
    images: Any,
    kernel: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
    name: str,
    groups: int | None = None,
) -> Tensor:
    if images is None:
        raise InvalidArgumentError(f"{operation}: give the images.")
    _given(operation, rank, kernel)
    first = is_channels_first(operation, data_format, rank)
    steps = spatial_values(f"{operation}: strides", strides, rank, first)
    spread = spatial_values(f"{operation}: dilations", dilations, rank, first)
    around = padding_pairs(operation, padding, rank, first)

    def apply(inputs: Any, label: str | None) -> Tensor:
        count = _groups(inputs, kernel) if groups is None else groups
        result: Tensor = core_convolution(inputs, kernel, steps, around, spread, count, name=label)
        return result

    return channels_last(apply, images, rank, first, name)


def _groups(images: Any, kernel: Any) -> int:
    """Return into how many groups a filter of fewer channels divides those of the images; 1 where that is not even."""
    shape, filters = (
        value.shape if isinstance(value, _TENSORS) else dt.TensorShape(np.shape(value)) for value in (images, kernel)
    )
    if shape.rank is None or filters.rank is None or min(shape.rank, filters.rank) < 2:
        return 1
    channels, depth, count = shape[-1], filters[-2], filters[-1]
    if not isinstance(channels, int) or not isinstance(depth, int) or depth < 1 or channels % depth:
        return 1
    groups = max(channels // depth, 1)
    return groups if isinstance(count, int) and count % groups == 0 else 1
