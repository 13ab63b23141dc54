"""Operations on images: convolution, pooling and biases, with TensorFlow 1's arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import average_pool, convolution
from dovetail.extend import max_pool as pool_maxima

__all__ = ["avg_pool", "bias_add", "conv2d", "max_pool"]

_CHANNELS_FIRST = "NCHW"


def conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = 1,
    padding: Any = "VALID",
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = 1,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """Return the convolution of images with filters, which are not flipped.

    Args:
        input: floating, of shape ``[batch, height, width, channels]``, or ``[batch, channels, height, width]`` for
            ``"NCHW"``.
        filter: of the same dtype, of shape ``[height, width, channels, filters]``.
        strides: how far the window moves: an int, two of them, or one for each axis of the input.
        padding: ``"SAME"``, ``"VALID"``, or for each axis of the input the pair of numbers of zeros before and after.
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
    if kernel is None:
        raise InvalidArgumentError("conv2d: give the filter, of shape [height, width, channels, filters].")
    steps = _two("conv2d: strides", strides, data_format)
    spread = _two("conv2d: dilations", dilations, data_format)
    around = _pairs(padding, data_format)

    def apply(images: Any, label: str | None) -> Tensor:
        result: Tensor = convolution(images, kernel, steps, around, spread, name=label)
        return result

    return _channels_last(apply, input, data_format, name or "Conv2D")


def max_pool(
    value: Any = None,
    ksize: Any = 2,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """Return the maxima over windows of images.

    Args:
        value: numbers, of shape ``[batch, height, width, channels]``, or ``[batch, channels, height, width]`` for
            ``"NCHW"``.
        ksize: size of the window: an int, two of them, or one for each axis of ``value``.
        strides: how far it moves, as ``ksize``; by as much as its size unless given.
        padding: ``"SAME"`` or ``"VALID"``.
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
    return _pooled(
        "max_pool",
        pool_maxima,
        input if value is None else value,
        ksize,
        strides,
        padding,
        data_format,
        name or "MaxPool",
    )


def avg_pool(
    value: Any = None,
    ksize: Any = 2,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """Return the means over windows of images; padding does not count.

    Args:
        value: floating, of shape ``[batch, height, width, channels]``, or ``[batch, channels, height, width]`` for
            ``"NCHW"``.
        ksize: size of the window: an int, two of them, or one for each axis of ``value``.
        strides: how far it moves, as ``ksize``; by as much as its size unless given.
        padding: ``"SAME"`` or ``"VALID"``.
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
    return _pooled(
        "avg_pool",
        average_pool,
        input if value is None else value,
        ksize,
        strides,
        padding,
        data_format,
        name or "AvgPool",
    )


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Tensor:
    """Add a vector to the channels.

    Args:
        value: numbers of rank 2 or more; the channels are the last axis, or the second for ``"NCHW"``.
        bias: a vector of one number for each channel, of the same dtype.
        data_format: ``"NHWC"`` or ``"NCHW"``.
        name: name of the node.

    Raises:
        ShapeError: the bias is no vector, or there are not as many channels.
        DTypeError: the dtypes differ.

    Example:
        >>> dt.Session().run(dt.nn.bias_add([[1.0, 2.0]], [10.0, 20.0]))
        array([[11., 22.]], dtype=float32)
    """
    x = dt.convert_to_tensor(value)
    vector = (
        dt.convert_to_tensor(bias) if isinstance(bias, Tensor | dt.Variable) else dt.convert_to_tensor(bias, x.dtype)
    )
    first = _is_channels_first("bias_add", data_format or "NHWC")
    if vector.shape.rank not in (1, None):
        raise ShapeError(f"bias_add: the bias is {vector.type}; give a vector. {vector.op.where()}")
    if x.shape.rank is not None:
        if x.shape.rank < 2:
            raise ShapeError(f"bias_add: the value is {x.type}; rank 2 or more is expected. {x.op.where()}")
        channels = x.shape[1 if first else -1]
        if vector.shape.rank == 1 and isinstance(channels, int) and vector.shape[0] != channels:
            raise ShapeError(
                f"bias_add: the value is {x.type}, with {channels} channels, the bias {vector.type}; give one number "
                "for each "
                f"channel. {x.op.where()}"
            )
        if first:
            vector = dt.reshape(vector, [-1, *[1] * (x.shape.rank - 2)])
    result: Tensor = dt.add(x, vector, name=name or "BiasAdd")
    return result


def _pooled(
    operation: str,
    function: Callable[..., Tensor],
    value: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str,
    name: str,
) -> Tensor:
    if value is None:
        raise InvalidArgumentError(f"{operation}: give the images.")
    window = _two(f"{operation}: ksize", ksize, data_format)
    steps = window if strides is None else _two(f"{operation}: strides", strides, data_format)
    around = _pairs(padding, data_format)
    return _channels_last(lambda x, label: function(x, window, steps, around, name=label), value, data_format, name)


def _channels_last(apply: Callable[[Any, str | None], Tensor], images: Any, data_format: str, name: str) -> Tensor:
    """Apply an operation on NHWC images to images of another layout."""
    if not _is_channels_first(name, data_format):
        return apply(images, name)
    with dt.name_scope(name):
        result: Tensor = dt.transpose(apply(dt.transpose(images, [0, 2, 3, 1]), None), [0, 3, 1, 2])
        return result


def _is_channels_first(operation: str, data_format: str) -> bool:
    if data_format in ("NHWC", "NWC", "NDHWC", "channels_last"):
        return False
    if data_format in (_CHANNELS_FIRST, "NCW", "NCDHW", "channels_first"):
        return True
    raise InvalidArgumentError(f"{operation}: data_format is {data_format!r}; use 'NHWC' or 'NCHW'.")


def _two(what: str, value: Any, data_format: str) -> tuple[int, int]:
    """Return an argument for height and width, given as one number, two, or one for each axis of the images."""
    values: Sequence[int] = [value, value] if isinstance(value, int) else list(value)
    if len(values) == 1:
        values = [values[0]] * 2
    if len(values) == 4:
        first = _is_channels_first(what, data_format)
        others = (values[0], values[1 if first else 3])
        if others != (1, 1):
            raise InvalidArgumentError(f"{what} is {list(values)}; along batch and channels it must be 1.")
        values = values[2:] if first else values[1:3]
    if len(values) != 2:
        raise ShapeError(f"{what} is {value!r}; give an int, two of them, or one for each of the four axes.")
    return values[0], values[1]


def _pairs(padding: Any, data_format: str) -> Any:
    """Return padding as it is for height and width."""
    if isinstance(padding, str) or len(padding) != 4:
        return padding
    return padding[2:] if _is_channels_first("padding", data_format) else padding[1:3]
