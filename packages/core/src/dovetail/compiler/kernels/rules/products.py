"""Products and convolutions: templates."""

from __future__ import annotations

from dovetail.compiler.kernels.elements import Product, rule
from dovetail.compiler.program import Instruction
from dovetail.ops.convolution import Conv, ConvFilterGrad, ConvInputGrad
from dovetail.ops.linear import MatMul

__all__: list[str] = []


@rule(MatMul, Conv, ConvInputGrad, ConvFilterGrad)
def _product(op: MatMul | Conv | ConvInputGrad | ConvFilterGrad, one: Instruction) -> Product:
    return Product(op, one.inputs)
