"""Convolution and pooling.

Dovetail keeps channels last, ONNX first: each operator stands between two transpositions, which a pass then cancels
between neighbours. Filters are transposed at export, from ``[*window, channels, filters]`` to
``[filters, channels, *window]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import dovetail as dt
from dovetail.extend import Dim, DType, Op, Shape, TensorType, definitions
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


_SAME: Final = {"auto_pad": "SAME_UPPER"}


def _padding(pairs: Sequence[tuple[Dim, Dim]], dilations: Sequence[int] = ()) -> dict[str, Any] | None:
    """Return the attributes that pad so; ``None`` where that takes a node of its own."""
    sizes = [pair[0] for pair in pairs] + [pair[1] for pair in pairs]
    if all(isinstance(size, int) for size in sizes):
        return {"pads": sizes} if any(sizes) else {}
    return _SAME if all(dilation == 1 for dilation in dilations) else None


def _padded(to: Builder, x: Value, pairs: Sequence[tuple[Dim, Dim]]) -> Value:
    """Pad images, channels first, by sizes that only a run knows."""
    pads = to.sizes([0, 0, *(pair[0] for pair in pairs), 0, 0, *(pair[1] for pair in pairs)])
    return to.node("Pad", x, pads, to.constant(0, x.dtype))


@converter(definitions.Conv)
def _conv(to: Builder, op: definitions.Conv, x: Value, filter: Value) -> Value:
    sizes = _dims(filter)[:-2]
    pairs = op.geometry(sizes).padding_for(_dims(x)[1:-1])
    images = channels_first(to, x)
    padding = _padding(pairs, op.dilations)
    if padding is None:
        images, padding = _padded(to, images, pairs), {}
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
    pairs = op.geometry(op.sizes).padding_for(_dims(x)[1:-1])
    padding = _padding(pairs)
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


@converter(definitions.MaxPoolGrad, definitions.MaxPoolGather, definitions.AvgPoolGrad)
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
    result = _pool(to, "MaxPool", op, wide)
    return result if narrow is None else to.cast(result, narrow)


@converter(definitions.AvgPool)
def _average_pool(to: Builder, op: definitions.AvgPool, x: Value) -> Value:
    return _pool(to, "AveragePool", op, x, **({"count_include_pad": 1} if op.count_include_pad else {}))


def _pool(
    to: Builder, op_type: str, op: definitions.MaxPool | definitions.AvgPool, x: Value, **attributes: Any
) -> Value:
    padding = _padding(op.geometry.padding_for(_dims(x)[1:-1]))
    assert padding is not None
    geometry = {"kernel_shape": list(op.window), "strides": list(op.strides), **padding}
    return channels_last(to, to.node(op_type, channels_first(to, x), **geometry, **attributes), x.dtype)
