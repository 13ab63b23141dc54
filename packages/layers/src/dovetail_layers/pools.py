"""Pooling as functions, with TensorFlow 1's arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import Window, as_padding, average_pool, definitions
from dovetail.extend import max_pool as pool_maxima
from dovetail_layers.spatial import (
    channels_last,
    is_channels_first,
    lowest,
    padded,
    padding_pairs,
    spatial_values,
    windows_of_axis,
)

__all__ = [
    "avg_pool",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_pool_with_argmax",
    "pool",
    "pooled",
]


def max_pool(
    value: Any = None,
    ksize: Any = 2,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """Return the maxima over windows of images.

    Args:
        value: numbers, of shape ``[batch, height, width, channels]``, or ``[batch, channels, height, width]`` for
            ``"NCHW"``.
        ksize: size of the window: an int, two of them, or one for each axis of ``value``.
        strides: how far it moves, as ``ksize``; by as much as its size unless given.
        padding: ``"SAME"``, ``"VALID"``, or for each axis the pair of how many elements to add before and after;
            padding is never a maximum.
        data_format: ``"NHWC"`` or ``"NCHW"``, which is transposed around.
        name: name of the node.
        input: another name of ``value``.

    Raises:
        ShapeError: shape, window or strides do not fit.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.max_pool(dt.zeros([8, 28, 28, 6]), [1, 2, 2, 1], [1, 2, 2, 1], "SAME").shape
        Shape([8, 14, 14, 6])
    """
    images = input if value is None else value
    return pooled("max_pool", pool_maxima, 2, images, ksize, strides, padding, data_format, name or "MaxPool")


def avg_pool(
    value: Any = None,
    ksize: Any = 2,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """Return the means over windows of images; padding does not count.

    Args:
        value: floating, of shape ``[batch, height, width, channels]``, or ``[batch, channels, height, width]`` for
            ``"NCHW"``.
        ksize: size of the window: an int, two of them, or one for each axis of ``value``.
        strides: how far it moves, as ``ksize``; by as much as its size unless given.
        padding: as for ``max_pool``.
        data_format: ``"NHWC"`` or ``"NCHW"``, which is transposed around.
        name: name of the node.
        input: another name of ``value``.

    Raises:
        ShapeError: shape, window or strides do not fit.
        DTypeError: ``value`` is not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.avg_pool(dt.zeros([8, 28, 28, 6]), 2, 2, "VALID").shape
        Shape([8, 14, 14, 6])
    """
    images = input if value is None else value
    return pooled("avg_pool", average_pool, 2, images, ksize, strides, padding, data_format, name or "AvgPool")


def max_pool1d(
    input: Any,
    ksize: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = "NWC",
    name: str | None = None,
) -> Tensor:
    """Return the maxima over windows of sequences.

    Args:
        input: numbers, of shape ``[batch, width, channels]``, or ``[batch, channels, width]`` for ``"NCW"``.
        ksize: size of the window.
        strides: how far it moves; by as much as its size unless given.
        padding: as for ``max_pool``.
        data_format: ``"NWC"`` or ``"NCW"``, which is transposed around.
        name: name of the node.

    Raises:
        ShapeError: shape, window or strides do not fit.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.max_pool1d(dt.zeros([8, 28, 6]), 2, 2, "VALID").shape
        Shape([8, 14, 6])
    """
    return pooled("max_pool1d", pool_maxima, 1, input, ksize, strides, padding, data_format, name or "max_pool1d")


def max_pool2d(
    input: Any,
    ksize: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = "NHWC",
    name: str | None = None,
) -> Tensor:
    """Return the maxima over windows of images; see ``max_pool``.

    Args:
        input: numbers, of shape ``[batch, height, width, channels]``.
        ksize: size of the window.
        strides: how far it moves.
        padding: as for ``max_pool``.
        data_format: ``"NHWC"`` or ``"NCHW"``.
        name: name of the node.

    Raises:
        ShapeError: shape, window or strides do not fit.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.max_pool2d(dt.zeros([8, 28, 28, 6]), 2, 2, "VALID").shape
        Shape([8, 14, 14, 6])
    """
    return pooled("max_pool2d", pool_maxima, 2, input, ksize, strides, padding, data_format, name or "max_pool2d")


def max_pool3d(
    input: Any,
    ksize: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = "NDHWC",
    name: str | None = None,
) -> Tensor:
    """Return the maxima over windows of volumes.

    Args:
        input: numbers, of shape ``[batch, depth, height, width, channels]``, or with channels second for ``"NCDHW"``.
        ksize: size of the window: an int, three of them, or one for each axis.
        strides: how far it moves; by as much as its size unless given.
        padding: as for ``max_pool``.
        data_format: ``"NDHWC"`` or ``"NCDHW"``, which is transposed around.
        name: name of the node.

    Raises:
        ShapeError: shape, window or strides do not fit.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.max_pool3d(dt.zeros([8, 4, 28, 28, 6]), 2, 2, "VALID").shape
        Shape([8, 2, 14, 14, 6])
    """
    return pooled("max_pool3d", pool_maxima, 3, input, ksize, strides, padding, data_format, name or "max_pool3d")


def avg_pool1d(
    input: Any,
    ksize: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = "NWC",
    name: str | None = None,
) -> Tensor:
    """Return the means over windows of sequences; padding does not count.

    Args:
        input: floating, of shape ``[batch, width, channels]``, or ``[batch, channels, width]`` for ``"NCW"``.
        ksize: size of the window.
        strides: how far it moves; by as much as its size unless given.
        padding: as for ``max_pool``.
        data_format: ``"NWC"`` or ``"NCW"``, which is transposed around.
        name: name of the node.

    Raises:
        ShapeError: shape, window or strides do not fit.
        DTypeError: the input is not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.avg_pool1d(dt.zeros([8, 28, 6]), 2, 2, "VALID").shape
        Shape([8, 14, 6])
    """
    return pooled("avg_pool1d", average_pool, 1, input, ksize, strides, padding, data_format, name or "avg_pool1d")


def avg_pool2d(
    value: Any = None,
    ksize: Any = 2,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """Return the means over windows of images; see ``avg_pool``.

    Args:
        value: floating, of shape ``[batch, height, width, channels]``.
        ksize: size of the window.
        strides: how far it moves.
        padding: as for ``max_pool``.
        data_format: ``"NHWC"`` or ``"NCHW"``.
        name: name of the node.
        input: another name of ``value``.

    Raises:
        ShapeError: shape, window or strides do not fit.
        DTypeError: ``value`` is not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.avg_pool2d(dt.zeros([8, 28, 28, 6]), 2, 2, "VALID").shape
        Shape([8, 14, 14, 6])
    """
    images = input if value is None else value
    return pooled("avg_pool2d", average_pool, 2, images, ksize, strides, padding, data_format, name or "avg_pool2d")


def avg_pool3d(
    input: Any,
    ksize: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = "NDHWC",
    name: str | None = None,
) -> Tensor:
    """Return the means over windows of volumes; padding does not count.

    Args:
        input: floating, of shape ``[batch, depth, height, width, channels]``, or with channels second for ``"NCDHW"``.
        ksize: size of the window: an int, three of them, or one for each axis.
        strides: how far it moves; by as much as its size unless given.
        padding: as for ``max_pool``.
        data_format: ``"NDHWC"`` or ``"NCDHW"``, which is transposed around.
        name: name of the node.

    Raises:
        ShapeError: shape, window or strides do not fit.
        DTypeError: the input is not floating.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> dt.nn.avg_pool3d(dt.zeros([8, 4, 28, 28, 6]), 2, 2, "VALID").shape
        Shape([8, 2, 14, 14, 6])
    """
    return pooled("avg_pool3d", average_pool, 3, input, ksize, strides, padding, data_format, name or "avg_pool3d")


def max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = "NHWC",
    Targmax: Any = None,
    name: str | None = None,
    output_dtype: Any = None,
    include_batch_in_index: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the maxima over windows of images, and where in the image each lies.

    Args:
        input: numbers, of shape ``[batch, height, width, channels]``, with known sizes but for the batch.
        ksize: size of the window: an int, two of them, or one for each axis.
        strides: how far it moves; by as much as its size unless given.
        padding: as for ``max_pool``.
        data_format: ``"NHWC"``, the only layout that places are counted in.
        Targmax: the integer type of the places; int64 by default.
        name: name of the nodes.
        output_dtype: another name of ``Targmax``.
        include_batch_in_index: whether places are counted through the whole batch, or in each image from 0.

    Returns:
        The maxima; and the place of each, ``(y * width + x) * channels + channel``, of the same shape. Of several
        maxima the first counts.

    Raises:
        ShapeError: shape, window or strides do not fit, or a size is not known.
        InvalidArgumentError: padding or data format are not known.

    Example:
        >>> images = dt.reshape([1.0, 4.0, 3.0, 2.0], [1, 2, 2, 1])
        >>> values, places = dt.nn.max_pool_with_argmax(images, 2)
        >>> dt.Session().run(places)
        array([[[[1]]]])
    """
    if is_channels_first("max_pool_with_argmax", data_format, 2):
        raise InvalidArgumentError("max_pool_with_argmax: data_format is 'NCHW'; places are counted in 'NHWC' only.")
    x = dt.convert_to_tensor(input)
    if x.shape.rank != 4:
        raise ShapeError(f"max_pool_with_argmax: the images are {x.type}; rank 4 is expected. {x.op.where()}")
    window = spatial_values("max_pool_with_argmax: ksize", ksize, 2, False)
    steps = window if strides is None else spatial_values("max_pool_with_argmax: strides", strides, 2, False)
    around = as_padding("max_pool_with_argmax", padding_pairs("max_pool_with_argmax", padding, 2, False))
    dtype = dt.as_dtype(output_dtype or Targmax or dt.int64)
    with dt.name_scope(name or "MaxPoolWithArgmax"):
        values = pool_maxima(x, window, steps, around)
        counted = x.shape.dims if include_batch_in_index else (1, *x.shape.dims[1:])
        size: Any = 1
        for one in counted:
            size = size * one
        places = dt.broadcast_to(dt.reshape(dt.range(size, dtype=dt.int64), counted), x.shape)
        picked = definitions.MaxPoolGather(window, steps, around)(x, places)
        return values, dt.cast(picked, dtype)


def pool(
    input: Any,
    window_shape: Sequence[int],
    pooling_type: str,
    padding: Any,
    dilation_rate: Sequence[int] | int | None = None,
    strides: Sequence[int] | int | None = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Sequence[int] | int | None = None,
) -> Tensor:
    """Return maxima or means over windows of images of one to three spatial axes.

    Args:
        input: numbers, of shape ``[batch, *spatial, channels]``, or ``[batch, channels, *spatial]``.
        window_shape: size of the window for each spatial axis.
        pooling_type: ``"MAX"`` or ``"AVG"``.
        padding: ``"SAME"`` or ``"VALID"``, or a pair for each axis; padding never counts.
        dilation_rate: distance between elements of the window; where it is not 1, strides are 1.
        strides: how far the window moves, 1 by default.
        name: name of the node.
        data_format: such as ``"NWC"``, ``"NCHW"``, ``"NDHWC"``; channels last by default.
        dilations: another name of ``dilation_rate``.

    Raises:
        ShapeError: shape, window or strides do not fit.
        DTypeError: the input is not floating where means are asked for.
        InvalidArgumentError: pooling type, padding or data format are not known, or strides come with dilations.

    Example:
        >>> dt.nn.pool(dt.zeros([8, 28, 28, 6]), [3, 3], "AVG", "VALID", dilation_rate=2).shape
        Shape([8, 24, 24, 6])
    """
    functions = {"MAX": pool_maxima, "AVG": average_pool}
    if pooling_type not in functions:
        raise InvalidArgumentError(f"pool: pooling_type is {pooling_type!r}; use 'MAX' or 'AVG'.")
    rank = len(window_shape)
    if not 1 <= rank <= 3:
        raise ShapeError(f"pool: window_shape is {list(window_shape)}; give one to three sizes.")
    first = is_channels_first("pool", data_format, rank)
    steps = spatial_values("pool: strides", strides, rank, first)
    spread = spatial_values("pool: dilations", dilations if dilation_rate is None else dilation_rate, rank, first)
    function, name = functions[pooling_type], name or "pool"
    if set(spread) == {1}:
        return pooled("pool", function, rank, input, window_shape, steps, padding, data_format, name)
    if set(steps) != {1}:
        raise InvalidArgumentError(f"pool: strides are {steps} and dilations {spread}; one of them must be 1.")
    around = padding_pairs("pool", padding, rank, first)

    def apply(images: Any, label: str | None) -> Tensor:
        return _dilated(function, dt.convert_to_tensor(images), tuple(window_shape), spread, around, label)

    return channels_last(apply, input, rank, first, name)


def pooled(
    operation: str,
    function: Callable[..., Tensor],
    rank: int,
    value: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    name: str,
) -> Tensor:
    """Return pooling by a function of core over ``rank`` spatial axes; see ``max_pool``."""
    if value is None:
        raise InvalidArgumentError(f"{operation}: give the images.")
    first = is_channels_first(operation, data_format, rank)
    window = spatial_values(f"{operation}: ksize", ksize, rank, first)
    steps = window if strides is None else spatial_values(f"{operation}: strides", strides, rank, first)
    around = padding_pairs(operation, padding, rank, first)
    return channels_last(lambda x, label: function(x, window, steps, around, name=label), value, rank, first, name)


def _dilated(
    function: Callable[..., Tensor],
    x: Tensor,
    window: tuple[int, ...],
    spread: tuple[int, ...],
    padding: Any,
    name: str | None,
) -> Tensor:
    """Pool along one axis after the other; a mean is a sum divided by how many elements of the image it is of."""
    geometry = Window("pool", window, (1,) * len(window), spread, as_padding("pool", padding))
    geometry.check(len(x.shape) - 2)
    mean = function is average_pool
    with dt.name_scope(name or "pool"):
        if not mean:
            return _reduced(padded(x, geometry, lowest(x.dtype)), geometry, x, dt.reduce_max)
        total = _reduced(padded(x, geometry, 0), geometry, x, dt.reduce_sum)
        ones = padded(dt.ones((1, *x.shape.dims[1:-1], 1), x.dtype), geometry, 0)
        result: Tensor = total / _reduced(ones, geometry, x, dt.reduce_sum)
        return result


def _reduced(x: Tensor, window: Window, unpadded: Tensor, function: Callable[..., Tensor]) -> Tensor:
    """Reduce the windows of padded images along one axis after the other."""
    for axis in range(1, len(x.shape) - 1):
        x = function(windows_of_axis(x, axis, window, unpadded.shape[axis]), axis + 1)
    return x
