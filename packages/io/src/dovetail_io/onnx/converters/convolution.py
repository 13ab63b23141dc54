"""Convolution and pooling.

Dovetail keeps channels last, ONNX first: each operator stands between two transpositions, which a pass then cancels
between neighbours. Filters are transposed at export, from ``[*window, channels, filters]`` to
``[filters, channels, *window]``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import dovetail as dt
from dovetail.extend import Dim, DType, Op, Shape, TensorType, definitions, dims
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter

__all__ = ["channels_first", "channels_last"]


def channels_first(to: Builder, x: Value) -> Value:
    """Return images ``[batch, *spatial, channels]`` as ``[batch, channels, *spatial]``."""
    rank = len(_dims(x))
    return to.transpose(x, [0, rank - 1, *range(1, rank - 1)])


def channels_last(to: Builder, x: Value, dtype: DType) -> Value:
    """Return images ``[batch, channels, *spatial]``, of the sizes that the operation makes, with channels last."""
    batch, *spatial, channels = to.types[0].dims
    x.type = TensorType(dtype, Shape((batch, channels, *spatial)))
    return to.transpose(x, [0, *range(2, len(spatial) + 2), 1])


def _filters_first(to: Builder, filter: Value) -> Value:
    rank = len(_dims(filter))
    return to.transpose(filter, [rank - 1, rank - 2, *range(rank - 2)])


def _dims(x: Value) -> tuple[Dim, ...]:
    assert x.type is not None
    return x.type.dims


def _padding(window: Any, spatial: Sequence[Dim]) -> dict[str, Any] | None:
    """Return the attributes that pad as a window wants it; ``None`` where that takes a node of its own.

    ``auto_pad`` pads as ``"SAME"`` where only a run knows how much; but ONNX Runtime takes no dilations with it, and
    fails where a window is smaller than its stride.
    """
    pairs = _pairs(window, spatial)
    sizes = [pair[0] for pair in pairs] + [pair[1] for pair in pairs]
    if all(isinstance(size, int) for size in sizes):
        return {"pads": sizes} if any(sizes) else {}
    whole = zip(window.extents, window.strides, window.dilations, strict=True)
    if all(isinstance(extent, int) and extent >= stride and dilation == 1 for extent, stride, dilation in whole):
        return {"auto_pad": "SAME_UPPER"}
    return None


def _pairs(window: Any, spatial: Sequence[Dim]) -> list[tuple[Dim, Dim]]:
    """Return how much is added before and after each axis; a window of one element needs nothing."""
    given = window.padding_for(spatial)
    if window.padding != "SAME":
        return list(given)
    return [(0, 0) if extent == 1 else pair for extent, pair in zip(window.extents, given, strict=True)]


def _padded(to: Builder, x: Value, pairs: Sequence[tuple[Dim, Dim]], value: float = 0.0) -> Value:
    """Pad images, channels first, by sizes that only a run knows."""
    pads = to.sizes([0, 0, *(pair[0] for pair in pairs), 0, 0, *(pair[1] for pair in pairs)])
    return to.node("Pad", x, pads, to.constant(value, x.dtype), type=None)


@converter(definitions.Conv)
def _conv(to: Builder, op: definitions.Conv, x: Value, filter: Value) -> Value:
    sizes = _dims(filter)[:-2]
    window, spatial = op.geometry(sizes), _dims(x)[1:-1]
    images = channels_first(to, x)
    padding = _padding(window, spatial)
    if padding is None:
        images, padding = _padded(to, images, _pairs(window, spatial)), {}
    attributes = _geometry(sizes, op.strides, op.dilations, op.groups) | padding
    return channels_last(to, to.node("Conv", images, _filters_first(to, filter), **attributes), x.dtype)


def _geometry(sizes: Sequence[Dim], strides: Sequence[int], dilations: Sequence[int], groups: int) -> dict[str, Any]:
    """Return the attributes of a window, without those that have their default."""
    result: dict[str, Any] = {}
    if all(isinstance(size, int) for size in sizes):
        result["kernel_shape"] = list(sizes)
    result["strides"] = list(strides)
    if any(dilation != 1 for dilation in dilations):
        result["dilations"] = list(dilations)
    if groups != 1:
        result["group"] = groups
    return result


@converter(definitions.ConvInputGrad)
def _conv_transpose(to: Builder, op: definitions.ConvInputGrad, filter: Value, grad: Value) -> Value:
    sizes = _dims(filter)[:-2]
    window = op.geometry(sizes)
    pairs = window.padding_for(op.spatial)
    pads = _ints([pair[0] for pair in pairs] + [pair[1] for pair in pairs])
    # What is left at the end beyond the last window: output_padding is smaller than a stride, a Pad gives the rest.
    extra = _ints(
        size - ((count - 1) * stride + extent - before - after)
        for size, count, stride, extent, (before, after) in zip(
            op.spatial, _dims(grad)[1:-1], op.strides, window.extents, pairs, strict=True
        )
    )
    limits = [max(stride, dilation) - 1 for stride, dilation in zip(op.strides, op.dilations, strict=True)]
    inside = [min(size, limit) for size, limit in zip(extra, limits, strict=True)]
    attributes = _geometry(sizes, op.strides, op.dilations, op.groups)
    if any(pads):
        attributes["pads"] = pads
    if any(inside):
        attributes["output_padding"] = inside
    result = to.node("ConvTranspose", channels_first(to, grad), _filters_first(to, filter), **attributes)
    rest = [size - limit for size, limit in zip(extra, inside, strict=True)]
    if any(rest):
        result = to.node("Pad", result, to.ints([0] * (len(rest) + 4) + rest), to.constant(0, grad.dtype))
    return channels_last(to, result, grad.dtype)


def _ints(sizes: Iterable[Dim]) -> list[int]:
    known = list(sizes)
    result = [size for size in known if isinstance(size, int)]
    if len(result) < len(known):
        raise ConversionError("ConvTranspose takes paddings that are known at export; give the images a static size")
    return result


@converter(definitions.ConvFilterGrad)
def _conv_filter_grad(to: Builder, op: definitions.ConvFilterGrad, x: Value, grad: Value) -> Value:
    """A convolution whose batch are the channels, by the gradient as a filter, strides and dilations exchanged."""
    if op.groups != 1:
        raise ConversionError("the gradient of a grouped convolution's filter has no operator")
    padding = _padding(op.geometry(op.sizes), _dims(x)[1:-1])
    if padding is None or "auto_pad" in padding or not all(isinstance(size, int) for size in op.sizes):
        raise ConversionError("the gradient of a filter takes images of a static size")
    rank = len(_dims(x))
    to_channels = [rank - 1, 0, *range(1, rank - 1)]
    attributes = _geometry(_dims(grad)[1:-1], op.dilations, op.strides, 1) | padding
    result = to.node("Conv", to.transpose(x, to_channels), to.transpose(grad, to_channels), **attributes)
    axes = list(range(2, rank))
    cut = to.slice(result, axes, [0] * len(axes), list(op.sizes))
    return to.node("Transpose", cut, perm=[*axes, 0, 1])


# Pooling. ------------------------------------------------------------------------------------------------------------


@converter(definitions.MaxPoolGrad, definitions.AvgPoolGrad)
def _pool_gradient(to: Builder, op: Op, *inputs: Value) -> Value:
    raise ConversionError(
        "the gradient of pooling has no operator; export what the network computes, not how it is trained"
    )


@converter(definitions.MaxPool)
def _max_pool(to: Builder, op: definitions.MaxPool, x: Value) -> Value:
    if x.dtype in (dt.int64, dt.uint64):
        raise ConversionError("MaxPool takes no integers of 64 bits; cast to float64 before if they are small")
    narrow = x.dtype if x.dtype.is_integer and x.dtype not in (dt.int8, dt.uint8) else None
    wide = x if narrow is None else to.cast(x, dt.float64)  # which holds 32 bits exactly
    images, padding = channels_first(to, wide), _padding(op.geometry, _dims(x)[1:-1])
    if padding is None:
        least = -math.inf if wide.dtype.is_floating else float(wide.dtype.min)
        images, padding = _padded(to, images, _pairs(op.geometry, _dims(x)[1:-1]), least), {}
    result = channels_last(to, to.node("MaxPool", images, **_window(op), **padding), wide.dtype)
    return result if narrow is None else to.cast(result, narrow)


@converter(definitions.MaxPoolGather)
def _max_pool_gather(to: Builder, op: definitions.MaxPoolGather, x: Value, values: Value) -> Value:
    """The second output of the operator, places in the whole input, picks from the values."""
    if x.dtype.is_integer and x.dtype not in (dt.int8, dt.uint8):
        raise ConversionError("MaxPool takes no integers; cast to a floating type before")
    padding = _padding(op.geometry, _dims(x)[1:-1])
    if padding is None:
        raise ConversionError("the places of maxima take paddings that are known at export")
    batch, *spatial, channels = to.types[0].dims
    shape = Shape((batch, channels, *spatial))
    _, places = to.several(
        "MaxPool",
        channels_first(to, x),
        types=(TensorType(x.dtype, shape), TensorType(dt.int64, shape)),
        **_window(op),
        **padding,
    )
    flat = to.reshape(channels_first(to, values), (dims.product(_dims(values)),))
    return channels_last(to, to.node("Gather", flat, places), values.dtype)


@converter(definitions.AvgPool)
def _average_pool(to: Builder, op: definitions.AvgPool, x: Value) -> Value:
    images, padding = channels_first(to, x), _padding(op.geometry, _dims(x)[1:-1])
    if padding is not None:
        if op.count_include_pad:
            padding["count_include_pad"] = 1
        return channels_last(to, to.node("AveragePool", images, **_window(op), **padding), x.dtype)
    pairs = _pairs(op.geometry, _dims(x)[1:-1])
    result = to.node("AveragePool", _padded(to, images, pairs), **_window(op))
    if not op.count_include_pad:  # then divided by the part of each window that is no padding
        present = to.expand(to.constant(1, x.dtype), (1, 1, *_dims(x)[1:-1]))
        result = to.node("Div", result, to.node("AveragePool", _padded(to, present, pairs), **_window(op)))
    return channels_last(to, result, x.dtype)


def _window(op: definitions.MaxPool | definitions.MaxPoolGather | definitions.AvgPool) -> dict[str, Any]:
    return {"kernel_shape": list(op.window), "strides": list(op.strides)}
