"""What NumPy computes: determinants have an operator, the rest has none."""

from __future__ import annotations

from typing import NoReturn

from dovetail.extend import Op, definitions
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter

__all__: list[str] = []


@converter(definitions.MatrixDeterminant)
def _determinant(to: Builder, op: definitions.MatrixDeterminant, x: Value) -> Value:
    return to.node("Det", x)


@converter(*(one for one in definitions.COMPUTED_BY_NUMPY if one is not definitions.MatrixDeterminant))
def _without_operator(to: Builder, op: Op, *inputs: Value) -> NoReturn:
    raise ConversionError("ONNX has no operators for what NumPy computes: linear algebra, special functions, text")
