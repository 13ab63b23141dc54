"""Operations of networks that ONNX has operators for; the package that defines them need not be installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from dovetail.extend import CompositeOp, Dim, ScalarOp, Shape, TensorType
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.converters.elementwise import scalar
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.operators import broadcast
from dovetail_io.onnx.registry import converter_of

__all__: list[str] = []

_LAYERS: Final = "dovetail_layers"


def _rank(x: Value) -> int:
    assert x.type is not None
    return len(x.type.dims)


@converter_of(_LAYERS, "Softmax")
def _softmax(to: Builder, op: CompositeOp, x: Value) -> Value:
    return to.node("Softmax", x, axis=op.attributes()["axis"] % _rank(x))


@converter_of(_LAYERS, "LogSoftmax")
def _log_softmax(to: Builder, op: CompositeOp, x: Value) -> Value:
    return to.node("LogSoftmax", x, axis=op.attributes()["axis"] % _rank(x))


@converter_of(_LAYERS, "Moments")
def _moments(to: Builder, op: CompositeOp, x: Value) -> tuple[Value, Value]:
    """Mean and variance; where training is kept, those over all axes but one may become part of the normalisation."""
    if not to.training:
        raise ConversionError("mean and variance are reductions")
    attributes, (mean_type, variance_type) = op.attributes(), to.types
    axes, keep = to.ints(axis % _rank(x) for axis in attributes["axes"]), int(attributes["keepdims"])
    kept = to.node("ReduceMean", x, axes, keepdims=1)
    mean = kept if keep else to.node("Squeeze", kept, axes, type=mean_type)
    distance = to.node("Sub", x, kept, type=x.type)
    variance = to.node("ReduceMean", to.node("Mul", distance, distance), axes, keepdims=keep, type=variance_type)
    if len(attributes["axes"]) == _rank(x) - 1:
        to.note_moments(x, mean)
    return mean, variance


@converter_of(_LAYERS, "BatchNormalization")
def _batch_normalization(
    to: Builder, op: CompositeOp, x: Value, mean: Value, variance: Value, offset: Value, scale: Value
) -> Value:
    """The operator, where mean and variance differ along one axis only; that becomes axis 1."""
    assert x.type is not None
    rank = _rank(x)
    axis = _channel_axis(mean, x)
    channels = x.type.dims[axis]
    if not isinstance(channels, int) or axis == 0:
        raise ConversionError(
            "BatchNormalization normalizes channels, whose number is known, along an axis after the first"
        )
    order = [0, axis, *(one for one in range(1, rank) if one != axis)]
    turned = to.transpose(x, order)
    epsilon = op.attributes()["epsilon"]
    layer = to.origin.layer
    if to.averaged(mean) is x and layer is not None and "momentum" in layer.config:
        averages = [to.variable(name) for name in layer.weights if name.rpartition("/")[2].startswith("moving_")]
        given = [_per_channel(to, part, axis, x) for part in (scale, offset)] + averages
        types = [turned.type, *(one.type for one in averages)]
        numbers = {"epsilon": epsilon, "momentum": float(layer.config["momentum"]), "training_mode": 1}
        result, *renewed = to.several("BatchNormalization", turned, *given, types=types, **numbers)
        for value, average in zip(renewed, averages, strict=True):
            value.name = f"{average.name}/renewed"
    else:
        parts = [_per_channel(to, part, axis, x) for part in (scale, offset, mean, variance)]
        result = to.node("BatchNormalization", turned, *parts, epsilon=epsilon, type=turned.type)
    return to.transpose(result, [order.index(one) for one in range(rank)])


def _channel_axis(mean: Value, x: Value) -> int:
    assert mean.type is not None
    lead = _rank(x) - _rank(mean)
    axes = [lead + axis for axis, dim in enumerate(mean.type.dims) if dim != 1]
    if lead < 0 or len(axes) > 1 or _rank(x) < 2:
        raise ConversionError("BatchNormalization takes a mean that differs along one axis")
    return axes[0] if axes else _rank(x) - 1


def _per_channel(to: Builder, part: Value, axis: int, x: Value) -> Value:
    """Return an operand as a vector along ``axis``; numbers for all channels are repeated."""
    assert part.type is not None
    assert x.type is not None
    channels = x.type.dims[axis]
    if part.array is not None and part.array.size == 1 and isinstance(channels, int):
        array = np.full(channels, part.array.item(), part.array.dtype)
        return Value(TensorType(part.dtype, Shape(array.shape)), part.name, array)
    lead = _rank(x) - _rank(part)
    if [lead + place for place, dim in enumerate(part.type.dims) if dim != 1] not in (
        [axis],
        [],
    ) or part.type.size != channels:
        raise ConversionError("BatchNormalization takes parts that differ along one axis")
    return to.reshape(part, (channels,))


@converter_of(_LAYERS, "GroupNormalization", since=21)
def _group_normalization(to: Builder, op: CompositeOp, x: Value, scale: Value, offset: Value) -> Value:
    """The operator, whose channels are axis 1."""
    attributes, rank = op.attributes(), _rank(x)
    order = [0, attributes["axis"], *(axis for axis in range(1, rank) if axis != attributes["axis"])]
    turned = to.transpose(x, order)
    numbers = {"num_groups": attributes["groups"], "epsilon": attributes["epsilon"]}
    result = to.node("GroupNormalization", turned, scale, offset, **numbers, type=turned.type)
    return to.transpose(result, [order.index(axis) for axis in range(rank)])


@converter_of(_LAYERS, "LayerNormalization")
def _layer_normalization(to: Builder, op: CompositeOp, x: Value, scale: Value, offset: Value) -> Value:
    """The operator, where the axes are the last ones and scale and offset have their sizes."""
    return _of_last_axes(to, "LayerNormalization", op, x, scale, offset)


@converter_of(_LAYERS, "RmsNormalization", since=23)
def _rms_normalization(to: Builder, op: CompositeOp, x: Value, scale: Value) -> Value:
    """The operator, where the axes are the last ones and the scale has their sizes."""
    return _of_last_axes(to, "RMSNormalization", op, x, scale)


def _of_last_axes(to: Builder, operator: str, op: CompositeOp, x: Value, *given: Value) -> Value:
    assert x.type is not None
    rank = _rank(x)
    axes = sorted(axis % rank for axis in op.attributes()["axes"])
    if axes != list(range(axes[0], rank)):
        raise ConversionError(f"{operator} normalizes the last axes")
    parts = [_of_sizes(operator, part, x.type.dims[axes[0] :]) for part in given]
    return to.node(operator, x, *parts, axis=axes[0], epsilon=op.attributes()["epsilon"], type=x.type)


def _of_sizes(operator: str, part: Value, dims: Sequence[Dim]) -> Value:
    """Return an operand of these sizes; one number for all is repeated."""
    assert part.type is not None
    if tuple(part.type.dims) == tuple(dims):
        return part
    if part.array is None or part.array.size != 1 or not Shape(dims).is_static:
        raise ConversionError(f"{operator} takes parts of the sizes normalized")
    array = np.full(Shape(dims).evaluate({}), part.array.item(), part.array.dtype)
    return Value(TensorType(part.dtype, Shape(dims)), part.name, array)


@converter_of(_LAYERS, "Elu")
def _elu(to: Builder, op: ScalarOp, x: Value) -> Value:
    return to.node("Elu", x, alpha=op.attributes()["alpha"])


@converter_of(_LAYERS, "Selu")
def _selu(to: Builder, op: ScalarOp, x: Value) -> Value:
    return to.node("Selu", x)


@converter_of(_LAYERS, "LeakyRelu")
def _leaky_relu(to: Builder, op: ScalarOp, x: Value) -> Value:
    return to.node("LeakyRelu", x, alpha=op.attributes()["alpha"])


@converter_of(_LAYERS, "Softplus")
def _softplus(to: Builder, op: ScalarOp, x: Value) -> Value:
    return to.node("Softplus", x)


@converter_of(_LAYERS, "Softsign")
def _softsign(to: Builder, op: ScalarOp, x: Value) -> Value:
    return to.node("Softsign", x)


@converter_of(_LAYERS, "Relu6")
def _relu6(to: Builder, op: ScalarOp, x: Value) -> Value:
    return to.node("Clip", x, to.constant(0, x.dtype), to.constant(6, x.dtype))


@converter_of(_LAYERS, "Gelu", since=20)
def _gelu(to: Builder, op: ScalarOp, x: Value) -> Value:
    return to.node("Gelu", x, approximate="tanh" if op.attributes()["approximate"] else "none")


@converter_of(_LAYERS, "HardSigmoid")
def _hard_sigmoid(to: Builder, op: ScalarOp, x: Value) -> Value:
    return to.node("HardSigmoid", x, alpha=1 / 6, beta=0.5)


@converter_of(_LAYERS, "HardSwish")
def _hard_swish(to: Builder, op: ScalarOp, x: Value) -> Value:
    return to.node("HardSwish", x)


@converter_of(_LAYERS, "Mish", since=18)
def _mish(to: Builder, op: ScalarOp, x: Value) -> Value:
    return to.node("Mish", x)


@converter_of(_LAYERS, "PRelu")
def _prelu(to: Builder, op: ScalarOp, x: Value, alpha: Value) -> Value:
    """The operator, where the slopes broadcast to the features."""
    assert x.type is not None
    assert alpha.type is not None
    if Shape(broadcast(x.type.dims, alpha.type.dims)) != x.type.shape:
        return scalar(to, op, x, alpha)
    return to.node("PRelu", x, alpha, type=x.type)


@converter_of(_LAYERS, "Softshrink")
def _softshrink(to: Builder, op: ScalarOp, x: Value) -> Value:
    size = op.attributes()["threshold"]
    return to.node("Shrink", x, lambd=size, bias=size, type=x.type)


@converter_of(_LAYERS, "Hardshrink")
def _hardshrink(to: Builder, op: ScalarOp, x: Value) -> Value:
    return to.node("Shrink", x, lambd=op.attributes()["threshold"], bias=0.0, type=x.type)


@converter_of(_LAYERS, "Threshold")
def _threshold(to: Builder, op: ScalarOp, x: Value) -> Value:
    """The operator, where zero stands in place of what is below."""
    if op.attributes()["value"] != 0.0:
        return scalar(to, op, x)
    return to.node("ThresholdedRelu", x, alpha=op.attributes()["threshold"])
