"""What is known of ONNX's operators here: which work element by element, and in which dtypes they can be computed."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import dovetail as dt
from dovetail.extend import Dim, DType, Shape, TensorType
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.packages import load_onnx

__all__ = ["ELEMENTWISE", "ELEMENT_NAMES", "broadcast", "carrier", "inputs_of", "is_data", "result_type"]

ELEMENT_NAMES: Final = {
    **{name: f"tensor({name})" for name in ("bool", "string", "float16", "bfloat16", "complex64", "complex128")},
    **{f"{sign}int{bits}": f"tensor({sign}int{bits})" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "float32": "tensor(float)",
    "float64": "tensor(double)",
}
"""What the standard's schemas call tensors, by the names of dtypes."""

_TESTS: Final = frozenset(
    ["Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "And", "Or", "Xor", "Not"]
)

ELEMENTWISE: Final = _TESTS | {
    "Abs", "Acos", "Acosh", "Add", "Asin", "Asinh", "Atan", "Atanh", "BitShift", "BitwiseAnd", "BitwiseNot",
    "BitwiseOr", "BitwiseXor", "Cast", "Ceil", "Celu", "Clip", "Cos", "Cosh", "Div", "Elu", "Erf", "Exp", "Floor",
    "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Max", "Min", "Mish", "Mod", "Mul", "Neg",
    "Pow", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt",
    "Sub", "Sum", "Tan", "Tanh", "ThresholdedRelu", "Where",
}  # fmt: skip
"""Operators whose output elements depend on the broadcast operands' elements in the same place alone."""


def broadcast(*shapes: Sequence[Dim]) -> tuple[Dim, ...]:
    """Return the shape that several broadcast to; that they do, the graph has made sure of."""
    result: list[Dim] = [1] * max(map(len, shapes), default=0)
    for shape in shapes:
        for axis, dim in enumerate(shape, len(result) - len(shape)):
            if result[axis] == 1 or (isinstance(dim, int) and dim != 1):
                result[axis] = dim
    return tuple(result)


def result_type(op_type: str, inputs: Sequence[Value | None], attributes: Mapping[str, Any]) -> TensorType | None:
    """Return the type of the output of an elementwise operator; ``None`` for others, and where it is not known."""
    types = [value.type for value in inputs if value is not None]
    known = [one for one in types if one is not None]
    if op_type not in ELEMENTWISE or len(known) < len(types):
        return None
    shape = Shape(broadcast(*(one.dims for one in known)))
    if op_type in _TESTS:
        return TensorType(dt.bool, shape)
    if op_type == "Cast":
        return TensorType(attributes["to"], shape)
    return TensorType(known[1 if op_type == "Where" else 0].dtype, shape)


class Takes(NamedTuple):
    """What an operator takes: how many inputs, and for each the names of admitted types, the last for all others."""

    least: int
    most: int
    types: tuple[frozenset[str], ...]


@functools.cache
def inputs_of(op_type: str, opset: int) -> Takes | None:
    """Return what an operator of the standard takes; ``None`` where the version has no such operator."""
    onnx = load_onnx()
    try:
        schema = onnx.defs.get_schema(op_type, opset, "")
    except onnx.defs.SchemaError:
        return None
    return Takes(schema.min_input, schema.max_input, tuple(frozenset(one.types) for one in schema.inputs))


# Dtypes. The standard admits some dtypes for few operators, and ONNX Runtime's CPU provider has kernels for fewer (each
# operator and dtype was tried on version 1.32). Integers are then computed exactly in a wider dtype, and bfloat16,
# which Dovetail defines to be computed in float32, in that. What int32 and int64 give where they overflow is left to
# the runtime: the standard does not say, and ONNX Runtime's reductions keep to the ends of the range.

_SMALL: Final = dict.fromkeys((dt.int8, dt.int16, dt.uint8, dt.uint16), dt.int32)
_SIXTEEN: Final = dict.fromkeys((dt.int16, dt.uint16), dt.int32)
_LARGE: Final = {dt.uint32: dt.int64, dt.uint64: dt.int64}  # which wraps to the same bits
_ORDERED: Final = {dt.uint32: dt.int64}
_MOVED: Final = {**_SIXTEEN, dt.uint64: dt.int64}

_CARRIERS: Final[Mapping[str, Mapping[DType, DType]]] = {
    "ArgMax": {**_SIXTEEN, **_ORDERED},
    "ArgMin": {**_SIXTEEN, **_ORDERED},
    "CumSum": {**_SMALL, **_LARGE},
    "IsInf": {dt.float16: dt.float32},
    "MatMul": _SMALL,
    "Max": _SIXTEEN,
    "Min": _SIXTEEN,
    "NonZero": dict.fromkeys((dt.int8, dt.int16, dt.uint16, dt.uint32, dt.uint64, dt.float64), dt.bool),
    "Pad": _SIXTEEN,
    "Pow": {**_SMALL, **_LARGE},
    "ReduceMax": {**_SMALL, **_ORDERED},
    "ReduceMin": {**_SMALL, **_ORDERED},
    "ReduceProd": {**dict.fromkeys(_SMALL, dt.int64), **_LARGE},
    "ReduceSum": {**_SMALL, **_LARGE},
    "TopK": {dt.uint16: dt.int32, **_ORDERED},
    "Unique": dict.fromkeys((dt.bool, dt.uint8, dt.uint16, dt.uint32, dt.int16, dt.int32), dt.int64),
    "Where": {**_MOVED, dt.bool: dt.uint8},
}
_HOLDS_BFLOAT16: Final = frozenset({
    "Cast", "Concat", "Gather", "GatherElements", "GatherND", "Identity", "If", "Loop", "Reshape",
    "ScatterElements", "ScatterND", "Shape", "Size", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze",
})  # fmt: skip
_INDEX_OUTPUT: Final = _TESTS | frozenset(["ArgMax", "ArgMin", "NonZero", "Shape", "Size"])


def carrier(op_type: str, dtype: DType) -> DType | None:
    """Return the dtype in which an operator is computed instead of ``dtype``; ``None`` where it takes that itself."""
    if dtype is dt.bfloat16:
        return None if op_type in _HOLDS_BFLOAT16 else dt.float32
    return _CARRIERS.get(op_type, {}).get(dtype)


def is_data(op_type: str, index: int, *, output: bool = False) -> bool:
    """Whether an input or output holds elements of the operator's dtype, rather than truth values, sizes or places."""
    if output:
        return index == 0 and op_type not in _INDEX_OUTPUT
    return index > 0 if op_type == "Where" else True
