"""``matrix_solve_ls``: linear least squares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dovetail.graph.operation import Tensor
from dovetail.ops.composites import composite
from dovetail.ops.fills import eye
from dovetail.ops.linalg.checks import batches, check_matrix
from dovetail.ops.linalg.factorizations import Cholesky
from dovetail.ops.linalg.solving import cholesky_solve, system
from dovetail.ops.linalg.spectra import pinv
from dovetail.ops.linear import MatMul
from dovetail.types.dims import is_nonnegative
from dovetail.types.shapes import demand, unify

__all__ = ["matrix_solve_ls"]


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(5, 2)), rng.normal(size=(5, 1)), {"l2": 0.1}
    yield rng.normal(size=(2, 2, 4)), rng.normal(size=(2, 2, 3)), {"l2": 0.5}
    yield rng.normal(size=(4, 2)), rng.normal(size=(4, 1)), {"l2": 0.0, "fast": False}


@composite(name="MatrixSolveLs", samples=_samples)
def _matrix_solve_ls(matrix: Tensor, rhs: Tensor, *, l2: float = 0.0, fast: bool = True) -> Tensor:
    """The normal equations by Cholesky, or the pseudo-inverse."""
    label = "matrix_solve_ls"
    for index, one in enumerate((matrix, rhs)):
        check_matrix(label, index, one.type)
    batches(label, matrix.type, rhs.type)
    rows, columns = matrix.shape.dims[-2:]
    unify(
        rows,
        rhs.shape.dims[-2],
        lambda: (
            f"{label}: input 1 is {rhs.type} and the matrices are {matrix.type}; right-hand sides have as many rows, "
            f"[..., m, k]."
        ),
    )
    if not fast:
        return MatMul()(pinv(matrix), rhs)  # type: ignore[no-any-return] # one output
    wide = is_nonnegative(columns - rows) and not is_nonnegative(rows - columns)
    if not wide and not l2:  # with a regulariser both forms are the same
        demand(
            "nonnegative",
            rows - columns,
            0,
            lambda: f"{label}: the matrices are {matrix.type}; where a size is not known, rows must not be fewer.",
        )
    gram = MatMul(False, True)(matrix, matrix) if wide else MatMul(True, False)(matrix, matrix)
    if l2:
        gram = gram + l2 * eye(rows if wide else columns, dtype=matrix.dtype)
    factor = Cholesky()(gram)
    if wide:
        return MatMul(True, False)(matrix, cholesky_solve(factor, rhs))  # type: ignore[no-any-return] # one output
    return cholesky_solve(factor, MatMul(True, False)(matrix, rhs))


def matrix_solve_ls(
    matrix: Any, rhs: Any, l2_regularizer: float = 0.0, fast: bool = True, name: str | None = None
) -> Tensor:
    """Return the solutions of linear least-squares problems.

    With at least as many rows as columns, what minimises ``|matrix X - rhs|^2 + l2_regularizer |X|^2``; else the
    least ``X`` that solves ``matrix X = rhs``, regularised likewise.

    Args:
        matrix: float32 or float64 of shape ``[..., m, n]``. Where only a run knows ``m``, it must be at least ``n``.
        rhs: of the same dtype and shape ``[..., m, k]``.
        l2_regularizer: how much large solutions cost.
        fast: whether to solve the normal equations by Cholesky, which doubles the digits lost to a bad condition;
            else by the pseudo-inverse, for which ``l2_regularizer`` has no effect and any rank will do.
        name: name of the node.

    Returns:
        A tensor of shape ``[..., n, k]``. NumPy computes the factors, on every backend.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the dtypes differ or are others.
        OperationError: in a run, where the normal equations have no Cholesky factor.

    Example:
        >>> x = dt.matrix_solve_ls([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [[1.0], [3.0], [5.0]])
        >>> dt.Session().run(x).round(3)
        array([[1.],
               [2.]], dtype=float32)
    """
    operands = system("matrix_solve_ls", ("matrix", "rhs"), matrix, rhs)
    result: Tensor = _matrix_solve_ls(*operands, l2=float(l2_regularizer), fast=bool(fast), name=name)
    return result
