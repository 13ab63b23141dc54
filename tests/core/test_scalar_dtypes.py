"""Dtype rules of scalar expressions."""

from __future__ import annotations

import pytest

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.ops.scalar import parse_expression, result_dtype
from dovetail.types.dtypes import as_dtype


@pytest.mark.parametrize(
    ("text", "inputs", "result"),
    [
        ("x0 + x1", "float32 float32", "float32"),
        ("x0 + x1", "bfloat16 bfloat16", "bfloat16"),
        ("x0 * 2", "float16", "float16"),
        ("x0 * 2.5", "bfloat16", "bfloat16"),
        ("x0 * 2", "uint8", "uint8"),
        ("x0 / x1", "int32 int32", "float64"),
        ("x0 / x1", "int64 int64", "float64"),
        ("x0 / x1", "uint32 uint32", "float64"),
        ("x0 / 2", "int8", "float32"),
        ("x0 / x1", "uint16 uint16", "float32"),
        ("x0 / x1", "float16 float16", "float16"),
        ("x0 // x1", "int32 int32", "int32"),
        ("x0 < x1", "int8 int8", "bool"),
        ("x0 == x1", "string string", "bool"),
        ("x0 != x1", "bool bool", "bool"),
        ("x0 & ~x1", "bool bool", "bool"),
        ("select(x0, x1, x2)", "bool string string", "string"),
        ("select(x0, x1, 0)", "bool int64", "int64"),
        ("select(x0, 1.0, 0.0)", "bool", "float32"),
        ("select(x0, 1.0, 0.0) * x1", "bool float64", "float64"),
        ("select(x0, 1, 2)", "bool", "int32"),
        ("select(x0, 1, 2) * x1", "bool float16", "float16"),
        ("is_nan(x0)", "float16", "bool"),
        ("cast(x0, int64) + x1", "float32 int64", "int64"),
        ("cast(2, float64) * x0", "float64", "float64"),
        ("bitwise_and(x0, 7)", "uint8", "uint8"),
        ("round(x0)", "int32", "int32"),
        ("2.0", "", "float32"),
        ("2", "", "int32"),
        ("1 < 2", "", "bool"),
        ("x0 + 127", "int8", "int8"),
        ("x0 * (2.0 / 3.0)", "float64", "float64"),
        ("x0", "string", "string"),
        ("exp(2)", "", "float32"),
    ],
)
def test_result(text: str, inputs: str, result: str) -> None:
    assert result_dtype(parse_expression(text), inputs.split()) is as_dtype(result)


@pytest.mark.parametrize(
    ("text", "inputs", "message"),
    [
        ("x0 + x1", "float32 int32", "add wants equal dtypes; x0 is float32 and x1 is int32"),
        ("x0 + x1", "float32 float64", "add wants equal dtypes; x0 is float32 and x1 is float64"),
        ("x0 + x1", "bool bool", "add wants a numeric dtype; x0 is bool"),
        ("x0 + x1", "string string", "add wants a numeric dtype; x0 is string"),
        ("exp(x0)", "int32", "exp wants a floating or complex dtype; x0 is int32"),
        ("is_nan(x0)", "int32", "is_nan wants a floating dtype; x0 is int32"),
        ("x0 & x1", "int32 int32", "logical_and wants bool; x0 is int32"),
        ("bitwise_or(x0, x1)", "float32 float32", "bitwise_or wants an integer dtype; x0 is float32"),
        ("x0 * 2.5", "int32", "multiply: 2.5 cannot be int32 like the other operand"),
        ("x0 + True", "int32", "add: True cannot be int32"),
        ("x0 == 1", "bool", "equal: 1 cannot be bool"),
        ("x0 + 128", "int8", "add: 128 does not fit int8, which holds -128 to 127"),
        ("x0 + -1", "uint8", "add: -1 does not fit uint8, which holds 0 to 255"),
        ("select(x0, x1, x2)", "float32 int8 int8", "the condition x0 is float32, not bool"),
        ("select(x0, x1, x2)", "bool int8 int16", "select wants equal dtypes; x1 is int8 and x2 is int16"),
        ("cast(x0, int32)", "string", "x0 is string, which does not convert to int32"),
        ("~1", "", "logical_not wants bool; given 1"),
        ("bitwise_and(1.0, 2)", "", "bitwise_and wants an integer dtype; given 1.0, 2"),
    ],
)
def test_misfits_are_named(text: str, inputs: str, message: str) -> None:
    with pytest.raises(DTypeError, match=message):
        result_dtype(parse_expression(text), inputs.split())


def test_an_input_without_dtype_is_named() -> None:
    with pytest.raises(InvalidArgumentError, match="mentions x2, but 2 dtypes are given"):
        result_dtype(parse_expression("x0 + x2"), ["float32", "float32"])
