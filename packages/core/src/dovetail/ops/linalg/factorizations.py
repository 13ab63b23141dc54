"""Factors of matrices: ``cholesky`` and ``qr``. NumPy computes them, on every backend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import GradientError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.diagonals import matrix_band_part
from dovetail.ops.joining import concat
from dovetail.ops.linalg.checks import check_matrix, check_square, numpy_linalg, transposed
from dovetail.ops.linalg.solving import MatrixTriangularSolve, regular
from dovetail.ops.linear import MatMul
from dovetail.ops.sizes import Gradients, Tensors, Types
from dovetail.types.dims import Dim, dim_min
from dovetail.types.shapes import Shape, TensorType

__all__ = ["Cholesky", "Qr", "cholesky", "qr"]


def _halved_diagonal(x: Tensor) -> Tensor:
    """Return the lower triangle, its diagonal halved."""
    return matrix_band_part(x, -1, 0) - 0.5 * matrix_band_part(x, 0, 0)


@primitive
@final
class Cholesky(Op):
    """Lower triangular factors ``L`` of symmetric positive definite matrices ``L L'``; lower triangles are read."""

    def infer(self, a: TensorType) -> Signature:
        """The input's type."""
        check_square("cholesky", 0, a)
        return a

    def reference(self, a: Array) -> Array:
        """NumPy's factors."""
        advice = "Make sure that it is positive definite, as by adding a small multiple of dt.eye."
        return np.asarray(numpy_linalg("cholesky", advice, np.linalg.cholesky, a))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """``L'^-1 P(L' G) L^-1``, symmetrised, where ``P`` halves the diagonal of a lower triangle (Murray, 2016).

        A change of the input is taken to be symmetric, as in TensorFlow.
        """
        factor = outputs[0]
        middle = _halved_diagonal(MatMul(True, False)(factor, grads[0]))
        half = MatrixTriangularSolve(True, True)(factor, middle)
        whole = transposed(MatrixTriangularSolve(True, True)(factor, transposed(half)))
        return [0.5 * (whole + transposed(whole))]

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """A third for each element and row."""
        return inputs[0].size * inputs[0].dims[-1] // 3

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """One matrix, several; derivatives hold along symmetric directions only."""
        for shape in ((3, 3), (2, 2, 2), (0, 2, 2)):
            root = regular(rng, shape)
            yield Sample(cls(), np.matmul(root, root.swapaxes(-1, -2)), wrt=(), tolerance=1e-3)


@primitive
@final
class Qr(Op):
    """Orthogonal and upper triangular factors of matrices, reduced unless ``full``."""

    full: bool = False

    def dtypes(self, *dtypes: Any) -> tuple[Any, ...]:
        """The input's, twice."""
        return (dtypes[0], dtypes[0])

    def infer(self, a: TensorType) -> Signature:
        """Square where full; else only as many columns and rows as the smaller side."""
        check_matrix("qr", 0, a)
        *batch, rows, columns = a.dims
        inner = rows if self.full else dim_min(rows, columns)
        return TensorType(a.dtype, Shape((*batch, rows, inner))), TensorType(a.dtype, Shape((*batch, inner, columns)))

    def reference(self, a: Array) -> tuple[Array, Array]:
        """NumPy's factors."""
        q, r = np.linalg.qr(a, "complete" if self.full else "reduced")
        return q, r

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The rule of Walter and Lehmann (2018) where there are at least as many rows; else of the leading square.

        Raises:
            GradientError: the factors are full and there may be more rows than columns.
        """
        a, (q, r) = inputs[0], outputs
        rows, columns = a.shape.dims[-2:]
        inner = dim_min(rows, columns)
        if self.full and inner != rows:
            raise GradientError(
                f"qr: there is no gradient of full factors of matrices with more rows than columns, as {a.type}. "
                f"Leave full_matrices False."
            )
        q_grad, r_grad = grads
        if inner == columns:
            return [_tall(q, r, q_grad, r_grad)]
        wide, wide_grad = a[..., inner:], r_grad[..., inner:]
        square = _tall(q, r[..., :inner], q_grad + MatMul(False, True)(wide, wide_grad), r_grad[..., :inner])
        return [concat([square, MatMul()(q, wide_grad)], -1)]

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """Four for each element and column of the factors."""
        return 4 * inputs[0].size * outputs[0].dims[-1]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Square, tall and wide, several; full ones, whose gradient needs to know the sizes."""
        yield Sample(cls(), regular(rng, (3, 3)), tolerance=1e-3)
        yield Sample(cls(), rng.normal(size=(2, 4, 2)), tolerance=1e-3)
        yield Sample(cls(), rng.normal(size=(2, 4)), tolerance=1e-3)
        yield Sample(cls(True), rng.normal(size=(2, 4)), wrt=(), tolerance=1e-3)
        yield Sample(cls(True), rng.normal(size=(3, 2)), wrt=(), tolerance=1e-3)


def _tall(q: Tensor, r: Tensor, q_grad: Tensor, r_grad: Tensor) -> Tensor:
    """Return ``(Q_ + Q S(R R_' - Q_' Q)) R'^-1``, where ``S`` makes a lower triangle symmetric."""
    middle = MatMul(False, True)(r, r_grad) - MatMul(True, False)(q_grad, q)
    below = matrix_band_part(middle, -1, 0)
    symmetric = below + transposed(below) - matrix_band_part(middle, 0, 0)
    whole = q_grad + MatMul()(q, symmetric)
    return transposed(MatrixTriangularSolve(False, False)(r, transposed(whole)))


def cholesky(input: Any, name: str | None = None) -> Tensor:
    """Return the lower triangular factors of symmetric positive definite matrices.

    Args:
        input: float32 or float64 of shape ``[..., n, n]``, of which the lower triangles are read.
        name: name of the node.

    Returns:
        A tensor ``L`` of the same type with ``L L' = input``. NumPy computes it, on every backend. The gradient is
        symmetric, as in TensorFlow.

    Raises:
        ShapeError: the matrices are not square.
        DTypeError: the dtype is another.
        OperationError: in a run, where a matrix is not positive definite.

    Example:
        >>> dt.Session().run(dt.cholesky([[4.0, 2.0], [2.0, 2.0]]))
        array([[2., 0.],
               [1., 1.]], dtype=float32)
    """
    result: Tensor = Cholesky()(as_tensor(input), name=name)
    return result


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> Sequence[Tensor]:
    """Return orthogonal and upper triangular factors of matrices.

    Args:
        input: float32 or float64 of shape ``[..., m, n]``.
        full_matrices: whether ``q`` is ``[..., m, m]``, not only ``[..., m, min(m, n)]``.
        name: name of the node.

    Returns:
        ``q`` and ``r`` with ``q r = input``. NumPy computes them, on every backend. Their signs are LAPACK's.

    Raises:
        ShapeError: the input has fewer than two axes.
        DTypeError: the dtype is another.

    Example:
        >>> q, r = dt.qr([[3.0, 1.0], [4.0, 2.0]])
        >>> dt.Session().run(dt.matmul(q, r)).round(4)
        array([[3., 1.],
               [4., 2.]], dtype=float32)
    """
    result: Sequence[Tensor] = Qr(bool(full_matrices))(as_tensor(input), name=name)
    return result
