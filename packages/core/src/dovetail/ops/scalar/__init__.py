"""Scalar expressions: what one element of an elementwise operation is computed from.

An expression is traced from a Python function or read from text; its NumPy code, its dtype rule and its derivatives
follow from the table of basis functions.
"""

from dovetail.ops.scalar import basis
from dovetail.ops.scalar.derivative import derivative, derivative_with_output
from dovetail.ops.scalar.dtype_rules import Adopting, dtypes_of, operand_dtype, result_dtype, settled
from dovetail.ops.scalar.evaluate import compile_numpy, numpy_source
from dovetail.ops.scalar.expression import (
    BASIS,
    Apply,
    Basis,
    Convert,
    Expression,
    Input,
    Literal,
    Operand,
    as_expression,
    inputs_of,
    nodes_of,
    rename_inputs,
    substitute_inputs,
    trace,
)
from dovetail.ops.scalar.normal import (
    centred_uniform,
    inverse_normal_cdf,
    normal_expression,
    truncated_normal_expression,
)
from dovetail.ops.scalar.simplify import fold_literals, simplify
from dovetail.ops.scalar.text import parse_expression

__all__ = [
    "Adopting",
    "BASIS",
    "Apply",
    "Basis",
    "Convert",
    "Expression",
    "Input",
    "Literal",
    "Operand",
    "as_expression",
    "basis",
    "centred_uniform",
    "compile_numpy",
    "derivative",
    "derivative_with_output",
    "dtypes_of",
    "fold_literals",
    "inputs_of",
    "inverse_normal_cdf",
    "nodes_of",
    "normal_expression",
    "numpy_source",
    "operand_dtype",
    "parse_expression",
    "rename_inputs",
    "result_dtype",
    "settled",
    "simplify",
    "substitute_inputs",
    "trace",
    "truncated_normal_expression",
]
