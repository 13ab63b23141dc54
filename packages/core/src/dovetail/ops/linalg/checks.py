"""What the operations of linear algebra demand of their inputs, and how their references call NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.op import Array
from dovetail.graph.operation import Tensor
from dovetail.ops.linear import MatMul
from dovetail.ops.reshaping import matrix_transpose
from dovetail.types.dims import Dim
from dovetail.types.dtypes import float32, float64
from dovetail.types.shapes import TensorType, broadcast_dim, unify

__all__ = ["batches", "check_matrix", "check_square", "numpy_linalg", "product", "transposed"]


def check_matrix(label: str, index: int, x: TensorType, complex_too: bool = False) -> None:
    """Make sure that an input holds matrices of float32 or float64, or of complex numbers where these are taken.

    Raises:
        DTypeError: it has another dtype.
        ShapeError: it has fewer than two axes.
    """
    if x.dtype is not float32 and x.dtype is not float64 and not (complex_too and x.dtype.is_complex):
        wanted = "float32, float64 or a complex dtype" if complex_too else "float32 or float64"
        raise DTypeError(f"{label}: input {index} is {x}, where {wanted} is wanted. Use dt.cast.")
    if len(x.dims) < 2:
        raise ShapeError(f"{label}: input {index} is {x}, where matrices [..., m, n] are wanted. Use dt.reshape.")


def check_square(label: str, index: int, x: TensorType, complex_too: bool = False) -> Dim:
    """Make sure that an input holds square matrices; returns their size.

    Raises:
        DTypeError: its dtype is neither float32 nor float64, nor complex where that is taken.
        ShapeError: it holds no square matrices.
    """
    check_matrix(label, index, x, complex_too)
    rows, columns = x.dims[-2:]
    return unify(rows, columns, lambda: f"{label}: input {index} is {x}, where square matrices [..., n, n] are wanted.")


def batches(label: str, a: TensorType, b: TensorType) -> tuple[Dim, ...]:
    """Return the axes before the matrices of two inputs of one dtype, broadcast.

    Raises:
        DTypeError: the dtypes differ.
        ShapeError: the axes do not broadcast.
    """
    if a.dtype is not b.dtype:
        raise DTypeError(f"{label}: dtypes differ: input 0 is {a}, input 1 is {b}. Use dt.cast on one of them.")
    rank = max(len(a.dims), len(b.dims)) - 2
    left, right = (((1,) * (rank + 2 - len(one.dims)) + one.dims[:-2]) for one in (a, b))
    return tuple(
        broadcast_dim(
            mine,
            theirs,
            lambda: (
                f"{label}: the dimensions before the matrices do not broadcast: input 0 is {a}, input 1 is {b}. "
                f"Aligned at the right, they must be equal or 1."
            ),
        )
        for mine, theirs in zip(left, right, strict=True)
    )


def numpy_linalg(label: str, advice: str, function: Callable[..., Any], *arrays: Array) -> Any:
    """Call a function of ``numpy.linalg``, and say what to do where it fails.

    Raises:
        InvalidArgumentError: NumPy refuses the matrix.
    """
    try:
        return function(*arrays)
    except np.linalg.LinAlgError as error:
        shown = ", ".join(f"{one.dtype}{list(one.shape)}" for one in arrays)
        raise InvalidArgumentError(f"{label}: {error} (of {shown}). {advice}") from error


def transposed(x: Tensor) -> Tensor:
    """Return matrices with rows and columns exchanged, complex numbers conjugated."""
    return matrix_transpose(x, name=None, conjugate=True)


def product(*factors: Tensor) -> Tensor:
    """Return the product of matrices, from the left."""
    result, *others = factors
    for other in others:
        result = MatMul()(result, other)
    return result
