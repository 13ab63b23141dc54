"""Linear algebra: determinants have an operator, the rest has none."""

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


@converter(
    definitions.Cholesky,
    definitions.LogMatrixDeterminant,
    definitions.MatrixExponential,
    definitions.MatrixInverse,
    definitions.MatrixSolve,
    definitions.MatrixTriangularSolve,
    definitions.Qr,
    definitions.SelfAdjointEig,
    definitions.Svd,
)
def _without_operator(to: Builder, op: Op, *inputs: Value) -> NoReturn:
    raise ConversionError("ONNX has no operators of linear algebra but products and determinants")
