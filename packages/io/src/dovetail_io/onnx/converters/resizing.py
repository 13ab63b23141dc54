"""Images of another size, where the operator picks or weighs the same pixels; the others are what they are made of."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail.extend import CompositeOp, Shape, TensorType
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.converters.convolution import channels_first, channels_last
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter_of

__all__: list[str] = []


@converter_of("dovetail_layers", "ResizeBilinear")
def _bilinear(to: Builder, op: CompositeOp, x: Value) -> Value:
    rules = op.attributes()
    place = "align_corners" if rules["align_corners"] else "half_pixel" if rules["half_pixel_centers"] else "asymmetric"
    return _resized(to, to.cast(x, dt.float32), place, mode="linear")


@converter_of("dovetail_layers", "ResizeNearestNeighbor")
def _nearest(to: Builder, op: CompositeOp, x: Value) -> Value:
    """Only where pixels are repeated: elsewhere the operator may round the place of a pixel to another one."""
    rules = op.attributes()
    assert x.type is not None
    sizes = zip(x.type.dims[1:3], rules["size"], strict=True)
    whole = all(isinstance(have, int) and isinstance(want, int) and want % have == 0 for have, want in sizes)
    if not whole or rules["align_corners"] or rules["half_pixel_centers"]:
        raise ConversionError("Resize may pick other pixels")
    return _resized(to, x, "asymmetric", mode="nearest", nearest_mode="floor")


def _resized(to: Builder, x: Value, place: str, **attributes: Any) -> Value:
    if x.dtype is not dt.float32:
        raise ConversionError("ONNX Runtime resizes float32")
    images = channels_first(to, x)
    batch, height, width, channels = to.types[0].dims
    shape = (batch, channels, height, width)
    result = to.node(
        "Resize",
        images,
        None,
        None,
        to.sizes(shape),
        type=TensorType(dt.float32, Shape(shape)),
        coordinate_transformation_mode=place,
        **attributes,
    )
    return channels_last(to, result, dt.float32)
