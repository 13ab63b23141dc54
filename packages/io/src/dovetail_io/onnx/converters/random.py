"""Random numbers: kept for training on request, by operators that draw numbers of the same distribution."""

from __future__ import annotations

import dovetail as dt
from dovetail.extend import Op, ScalarOp, TensorType, definitions
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.converters.elementwise import scalar
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter, converter_of

__all__: list[str] = []


@converter(definitions.PhiloxBits)
def _bits(to: Builder, op: definitions.PhiloxBits, *state: Value) -> Value:
    _check(to)
    return to.draw(to.types[0], to.sizes(to.types[0].dims))


@converter_of("", "DynamicPhiloxBits")
def _dynamic_bits(to: Builder, op: Op, *inputs: Value) -> Value:
    _check(to)
    raise ConversionError("it draws random numbers of a shape that only a run tells; draw them outside of the model")


def _check(to: Builder) -> None:
    if not to.training:
        raise ConversionError(
            "it draws random numbers, as dropout does while training; give the flag of training by "
            "feeds={flag: False}, or keep_training=True to train on elsewhere"
        )


@converter(definitions.UniformFromBits)
def _uniform(to: Builder, op: ScalarOp, bits: Value) -> Value:
    return _variate(to, op, bits, "RandomUniform")


@converter(definitions.NormalFromBits)
def _normal(to: Builder, op: ScalarOp, bits: Value) -> Value:
    return _variate(to, op, bits, "RandomNormal")


def _variate(to: Builder, op: ScalarOp, bits: Value, operator: str) -> Value:
    sizes = to.drawn(bits)
    if sizes is None:
        return scalar(to, op, bits)
    dtype, shape = to.types[0].dtype, to.types[0].shape
    wide = dt.float32 if dtype.is_half else dtype
    if sizes.array is not None:
        made = to.node(operator, type=TensorType(wide, shape), shape=sizes.array.tolist(), dtype=wide)
    else:
        zeros = to.node("ConstantOfShape", sizes, type=TensorType(wide, shape), value=to.constant([0], wide).array)
        made = to.node(f"{operator}Like", zeros, type=TensorType(wide, shape), dtype=wide)
    return to.cast(made, dtype, shape)
