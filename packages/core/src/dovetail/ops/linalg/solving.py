"""Inverses and linear systems: ``matrix_inverse``, ``matrix_solve``, ``matrix_triangular_solve``, ``cholesky_solve``.

NumPy computes them, on every backend.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.complex_numbers import conj
from dovetail.ops.composites import composite
from dovetail.ops.diagonals import matrix_band_part
from dovetail.ops.linalg.checks import batches, check_matrix, check_square, numpy_linalg, transposed
from dovetail.ops.linear import MatMul
from dovetail.ops.operands import convert_operands
from dovetail.ops.reductions import sum_to
from dovetail.ops.sizes import Gradients, Tensors, Types
from dovetail.types.dims import Dim
from dovetail.types.shapes import Shape, TensorType, unify

__all__ = [
    "MatrixInverse",
    "MatrixSolve",
    "MatrixTriangularSolve",
    "cholesky_solve",
    "matrix_inverse",
    "matrix_solve",
    "matrix_triangular_solve",
]

_SINGULAR = "Make sure that the matrix has full rank, as by adding a small multiple of dt.eye."


@primitive
@final
class MatrixInverse(Op):
    """Inverses of square matrices."""

    def infer(self, a: TensorType) -> Signature:
        """The input's type."""
        check_square("matrix_inverse", 0, a, complex_too=True)
        return a

    def reference(self, a: Array) -> Array:
        """NumPy's inverse."""
        return np.asarray(numpy_linalg("matrix_inverse", _SINGULAR, np.linalg.inv, a))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """``-Y' G Y'`` (Giles, 2008, section 2.2.3)."""
        inverse = conj(outputs[0])
        back = MatMul(True, False)(inverse, MatMul(False, True)(grads[0], inverse))
        return [-back]

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """Two for each element and row."""
        return 2 * inputs[0].size * inputs[0].dims[-1]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """One matrix, several, none."""
        for shape in ((3, 3), (2, 1, 2, 2), (0, 2, 2), (1, 1)):
            yield Sample(cls(), regular(rng, shape), tolerance=1e-3)
        yield Sample(cls(), regular(rng, (2, 2)) + 1j * rng.normal(size=(2, 2)))


def regular(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return random square matrices far from singular ones."""
    return np.asarray(rng.normal(size=shape) * 0.5 + 2.0 * np.eye(shape[-1]))


def _check_system(label: str, a: TensorType, b: TensorType) -> TensorType:
    size = check_square(label, 0, a, complex_too=True)
    check_matrix(label, 1, b, complex_too=True)
    batch = batches(label, a, b)
    rows = unify(
        size,
        b.dims[-2],
        lambda: f"{label}: input 1 is {b} and the matrices are {a}; right-hand sides have as many rows, [..., n, k].",
    )
    return TensorType(a.dtype, Shape((*batch, rows, b.dims[-1])))


def _outer(left: Tensor, right: Tensor) -> Tensor:
    result: Tensor = -MatMul(False, True)(left, conj(right))
    return result


@primitive
@final
class MatrixSolve(Op):
    """Solutions of ``A X = B``, or of ``A' X = B`` where ``adjoint``."""

    adjoint: bool = False

    def infer(self, a: TensorType, b: TensorType) -> Signature:
        """The shape of the right-hand sides."""
        return _check_system("matrix_solve", a, b)

    def reference(self, a: Array, b: Array) -> Array:
        """NumPy's solution."""
        matrix = a.swapaxes(-1, -2).conj() if self.adjoint else a
        return np.asarray(numpy_linalg("matrix_solve", _SINGULAR, np.linalg.solve, matrix, b))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """Solve with the transposed matrix; its product with the solution goes to the matrix (Giles, 2008)."""
        (a, b), solution = inputs, outputs[0]
        back = MatrixSolve(not self.adjoint)(a, grads[0])
        matrix = _outer(solution, back) if self.adjoint else _outer(back, solution)
        return [sum_to(matrix, a), sum_to(back, b)]

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """The elimination, and two substitutions."""
        size = inputs[0].dims[-1]
        return inputs[0].size * size + 2 * outputs[0].size * size

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Both forms, several systems, broadcast ones."""
        for adjoint in (False, True):
            yield Sample(cls(adjoint), regular(rng, (3, 3)), rng.normal(size=(3, 2)), tolerance=1e-3)
        yield Sample(cls(), regular(rng, (2, 2, 2)), rng.normal(size=(2, 2, 1)), tolerance=1e-3)
        yield Sample(cls(True), regular(rng, (2, 2)), rng.normal(size=(3, 2, 1)), tolerance=1e-3)
        for adjoint in (False, True):
            yield Sample(
                cls(adjoint), regular(rng, (2, 2)) + 1j * rng.normal(size=(2, 2)), rng.normal(size=(2, 1)) + 1j
            )


@primitive
@final
class MatrixTriangularSolve(Op):
    """Solutions of ``A X = B``, or of ``A' X = B`` where ``adjoint``, for the lower or upper triangle of ``A``."""

    lower: bool = True
    adjoint: bool = False

    def infer(self, a: TensorType, b: TensorType) -> Signature:
        """The shape of the right-hand sides."""
        return _check_system("matrix_triangular_solve", a, b)

    def reference(self, a: Array, b: Array) -> Array:
        """Substitution, row after row; the other triangle is not read."""
        matrix = a.swapaxes(-1, -2).conj() if self.adjoint else a
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        result = np.broadcast_to(b, (*batch, *b.shape[-2:])).copy()
        size = a.shape[-1]
        forward = self.lower != self.adjoint
        for row in range(size) if forward else reversed(range(size)):
            known = slice(0, row) if forward else slice(row + 1, size)
            found = np.matmul(matrix[..., row : row + 1, known], result[..., known, :])[..., 0, :]
            result[..., row, :] = (result[..., row, :] - found) / matrix[..., row, row, None]
        return result

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """As of ``MatrixSolve``, within the triangle."""
        (a, b), solution = inputs, outputs[0]
        back = MatrixTriangularSolve(self.lower, not self.adjoint)(a, grads[0])
        matrix = _outer(solution, back) if self.adjoint else _outer(back, solution)
        band = (-1, 0) if self.lower else (0, -1)
        return [sum_to(matrix_band_part(matrix, *band), a), sum_to(back, b)]

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """One substitution."""
        return outputs[0].size * inputs[0].dims[-1]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Both triangles, both forms, several systems, broadcast ones."""
        for lower in (False, True):
            for adjoint in (False, True):
                yield Sample(cls(lower, adjoint), regular(rng, (3, 3)), rng.normal(size=(3, 2)), tolerance=1e-3)
        yield Sample(cls(), regular(rng, (2, 2, 2)), rng.normal(size=(2, 2, 1)), tolerance=1e-3)
        yield Sample(cls(False), regular(rng, (2, 2)), rng.normal(size=(3, 2, 1)), tolerance=1e-3)
        a, b = regular(rng, (2, 2)) + 1j * rng.normal(size=(2, 2)), rng.normal(size=(2, 1)) + 1j
        yield Sample(cls(True, True), a, b)


def system(label: str, names: tuple[str, str], matrix: Any, rhs: Any) -> list[Tensor]:
    from dovetail.graph.graph import get_default_graph

    return convert_operands(label, names, (matrix, rhs), label, get_default_graph().current_source())


def matrix_inverse(input: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Return the inverses of square matrices.

    Args:
        input: float32, float64 or complex, of shape ``[..., n, n]``.
        adjoint: whether to return the transposed inverses, complex numbers conjugated.
        name: name of the node.

    Returns:
        A tensor of the same type. NumPy computes it, on every backend.

    Raises:
        ShapeError: the matrices are not square.
        DTypeError: the dtype is another.
        OperationError: in a run, where a matrix is singular.

    Example:
        >>> dt.Session().run(dt.matrix_inverse([[2.0, 0.0], [0.0, 4.0]]))
        array([[0.5 , 0.  ],
               [0.  , 0.25]], dtype=float32)
    """
    x = as_tensor(input)
    result: Tensor = MatrixInverse()(transposed(x) if adjoint else x, name=name)
    return result


def matrix_solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Return the solutions ``X`` of linear systems ``matrix X = rhs``.

    Args:
        matrix: float32, float64 or complex, of shape ``[..., n, n]``.
        rhs: of the same dtype and shape ``[..., n, k]``; the axes before broadcast.
        adjoint: whether to solve with the transposed matrix, complex numbers conjugated.
        name: name of the node.

    Returns:
        A tensor of shape ``[..., n, k]``. NumPy computes it, on every backend.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the dtypes differ or are others.
        OperationError: in a run, where a matrix is singular.

    Example:
        >>> dt.Session().run(dt.matrix_solve([[2.0, 0.0], [0.0, 4.0]], [[2.0], [2.0]]))
        array([[1. ],
               [0.5]], dtype=float32)
    """
    result: Tensor = MatrixSolve(bool(adjoint))(*system("matrix_solve", ("matrix", "rhs"), matrix, rhs), name=name)
    return result


def matrix_triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """Return the solutions ``X`` of linear systems ``matrix X = rhs`` whose matrix is triangular.

    Args:
        matrix: float32, float64 or complex, of shape ``[..., n, n]``, of which one triangle is read.
        rhs: of the same dtype and shape ``[..., n, k]``; the axes before broadcast.
        lower: whether that is the lower triangle.
        adjoint: whether to solve with the transposed matrix, complex numbers conjugated.
        name: name of the node.

    Returns:
        A tensor of shape ``[..., n, k]``; infinite where a diagonal element is 0. NumPy computes it, on every backend.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the dtypes differ or are others.

    Example:
        >>> dt.Session().run(dt.matrix_triangular_solve([[2.0, 0.0], [2.0, 1.0]], [[2.0], [3.0]]))
        array([[1.],
               [1.]], dtype=float32)
    """
    operands = system("matrix_triangular_solve", ("matrix", "rhs"), matrix, rhs)
    result: Tensor = MatrixTriangularSolve(bool(lower), bool(adjoint))(*operands, name=name)
    return result


def _cholesky_solve_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield regular(rng, (3, 3)), rng.normal(size=(3, 2))
    yield regular(rng, (2, 2, 2)), rng.normal(size=(2, 2, 1))


@composite(name="CholeskySolve", samples=_cholesky_solve_samples)
def _cholesky_solve(chol: Tensor, rhs: Tensor) -> Tensor:
    """Two substitutions."""
    forward = MatrixTriangularSolve(True, False)(chol, rhs)
    result: Tensor = MatrixTriangularSolve(True, True)(chol, forward)
    return result


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """Return the solutions ``X`` of ``A X = rhs``, given Cholesky factors of ``A``.

    Args:
        chol: lower triangles, as of ``cholesky``: float32 or float64 of shape ``[..., n, n]``.
        rhs: of the same dtype and shape ``[..., n, k]``.
        name: name of the node.

    Returns:
        A tensor of shape ``[..., n, k]``. NumPy computes it, on every backend.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the dtypes differ or are others.

    Example:
        >>> a = dt.constant([[4.0, 0.0], [0.0, 1.0]])
        >>> dt.Session().run(dt.cholesky_solve(dt.cholesky(a), [[4.0], [1.0]]))
        array([[1.],
               [1.]], dtype=float32)
    """
    result: Tensor = _cholesky_solve(*system("cholesky_solve", ("chol", "rhs"), chol, rhs), name=name)
    return result
