"""Determinants and their logarithms: ``matrix_determinant``, ``slogdet``, ``logdet``. NumPy computes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.complex_numbers import conj
from dovetail.ops.composites import composite
from dovetail.ops.diagonals import matrix_diag_part
from dovetail.ops.linalg.checks import check_square, transposed
from dovetail.ops.linalg.factorizations import Cholesky
from dovetail.ops.linalg.solving import MatrixInverse, regular
from dovetail.ops.math import log
from dovetail.ops.reductions import reduce_sum
from dovetail.ops.reshaping import expand_dims
from dovetail.ops.sizes import Gradients, Tensors, Types
from dovetail.types.dims import Dim
from dovetail.types.shapes import Shape, TensorType

__all__ = ["LogMatrixDeterminant", "MatrixDeterminant", "logdet", "matrix_determinant", "slogdet"]


def _as_matrices(x: Tensor) -> Tensor:
    return expand_dims(expand_dims(x, -1), -1)


@primitive
@final
class MatrixDeterminant(Op):
    """Determinants of square matrices."""

    def infer(self, a: TensorType) -> Signature:
        """A number for each matrix."""
        check_square("matrix_determinant", 0, a, complex_too=True)
        return TensorType(a.dtype, Shape(a.dims[:-2]))

    def reference(self, a: Array) -> Array:
        """NumPy's determinant."""
        return np.asarray(np.linalg.det(a))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The determinant times the transposed inverse (Giles, 2008, section 2.2.4), of matrices that have one."""
        inverse = transposed(MatrixInverse()(inputs[0]))
        return [_as_matrices(grads[0] * conj(outputs[0])) * inverse]

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """One elimination."""
        return inputs[0].size * inputs[0].dims[-1]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """One matrix, several, none."""
        for shape in ((3, 3), (2, 1, 2, 2), (0, 2, 2)):
            yield Sample(cls(), regular(rng, shape), tolerance=1e-3)
        yield Sample(cls(), regular(rng, (2, 2)) + 1j * rng.normal(size=(2, 2)))


@primitive
@final
class LogMatrixDeterminant(Op):
    """Signs of determinants, and logarithms of their magnitudes."""

    partial_gradient = True

    def dtypes(self, *dtypes: Any) -> tuple[Any, ...]:
        """The input's, twice."""
        return (dtypes[0], dtypes[0])

    def infer(self, a: TensorType) -> Signature:
        """Two numbers for each matrix."""
        check_square("slogdet", 0, a)
        one = TensorType(a.dtype, Shape(a.dims[:-2]))
        return one, one

    def reference(self, a: Array) -> tuple[Array, Array]:
        """NumPy's sign and logarithm."""
        sign, magnitude = np.linalg.slogdet(a)
        return np.asarray(sign), np.asarray(magnitude)

    def gradient(
        self, inputs: Tensors, outputs: Tensors, grads: Sequence[Tensor | None], *, needed: Sequence[int]
    ) -> Gradients:
        """The transposed inverse; signs do not vary."""
        if grads[1] is None:
            return [None]
        return [_as_matrices(grads[1]) * transposed(MatrixInverse()(inputs[0]))]

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """One elimination."""
        return inputs[0].size * inputs[0].dims[-1]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """One matrix, several."""
        for shape in ((3, 3), (2, 1, 2, 2)):
            yield Sample(cls(), regular(rng, shape), tolerance=1e-3)


def matrix_determinant(input: Any, name: str | None = None) -> Tensor:
    """Return the determinants of square matrices.

    Args:
        input: float32, float64 or complex, of shape ``[..., n, n]``.
        name: name of the node.

    Returns:
        A tensor of shape ``[...]``. NumPy computes it, on every backend. The gradient needs matrices with an inverse.

    Raises:
        ShapeError: the matrices are not square.
        DTypeError: the dtype is another.

    Example:
        >>> dt.Session().run(dt.matrix_determinant([[2.0, 0.0], [1.0, 4.0]]))
        np.float32(8.0)
    """
    result: Tensor = MatrixDeterminant()(as_tensor(input), name=name)
    return result


def slogdet(input: Any, name: str | None = None) -> Sequence[Tensor]:
    """Return the signs of determinants and the logarithms of their magnitudes, which do not overflow.

    Args:
        input: float32 or float64 of shape ``[..., n, n]``.
        name: name of the node.

    Returns:
        Signs (0 for singular matrices) and logarithms, of shape ``[...]``. NumPy computes them, on every backend.

    Raises:
        ShapeError: the matrices are not square.
        DTypeError: the dtype is another.

    Example:
        >>> sign, logarithm = dt.linalg.slogdet([[0.0, 1.0], [1.0, 0.0]])
        >>> dt.Session().run(sign)
        np.float32(-1.0)
    """
    result: Sequence[Tensor] = LogMatrixDeterminant()(as_tensor(input), name=name)
    return result


@composite(name="Logdet")
def _logdet(matrix: Tensor) -> Tensor:
    """Twice the sum of the logarithms of the Cholesky factor's diagonal."""
    result: Tensor = 2.0 * reduce_sum(log(matrix_diag_part(Cholesky()(matrix))), -1)
    return result


def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """Return the logarithms of the determinants of symmetric positive definite matrices.

    Args:
        matrix: float32 or float64 of shape ``[..., n, n]``, of which the lower triangles are read.
        name: name of the node.

    Returns:
        A tensor of shape ``[...]``. NumPy computes the Cholesky factors, on every backend.

    Raises:
        ShapeError: the matrices are not square.
        DTypeError: the dtype is another.
        OperationError: in a run, where a matrix is not positive definite.

    Example:
        >>> dt.Session().run(dt.linalg.logdet([[1.0, 0.0], [0.0, 1.0]]))
        np.float32(0.0)
    """
    result: Tensor = _logdet(as_tensor(matrix), name=name)
    return result
