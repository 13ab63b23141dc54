"""Eigenvalues and singular values: ``self_adjoint_eig``, ``svd``, ``pinv``. NumPy computes them, on every backend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import GradientError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.complex_numbers import conj
from dovetail.ops.composites import composite
from dovetail.ops.diagonals import matrix_band_part, matrix_diag
from dovetail.ops.linalg.checks import check_matrix, check_square, numpy_linalg, product, transposed
from dovetail.ops.linalg.solving import regular
from dovetail.ops.linear import MatMul
from dovetail.ops.math import cast, div_no_nan, greater, reciprocal
from dovetail.ops.reductions import reduce_max, reduce_sum
from dovetail.ops.reshaping import expand_dims
from dovetail.ops.selection import where
from dovetail.ops.sizes import Gradients, Tensors, Types
from dovetail.types.dims import Dim, dim_min
from dovetail.types.dtypes import int32
from dovetail.types.shapes import Shape, TensorType

__all__ = ["SelfAdjointEig", "Svd", "matrix_rank", "pinv", "self_adjoint_eig", "self_adjoint_eigvals", "svd"]

_FINITE = "Make sure that all elements are finite."


def _reciprocal_gaps(values: Tensor) -> Tensor:
    """Return ``F[i, j] = 1 / (values[j] - values[i])``, with 0 on the diagonal and where two values are equal."""
    gaps: Tensor = expand_dims(values, -2) - expand_dims(values, -1)
    result: Tensor = div_no_nan(1.0, gaps)
    return result


@primitive
@final
class SelfAdjointEig(Op):
    """Ascending eigenvalues, and eigenvectors as columns, of Hermitian matrices, whose lower triangles are read."""

    partial_gradient = True

    def dtypes(self, *dtypes: Any) -> tuple[Any, ...]:
        """The input's, twice."""
        return (dtypes[0], dtypes[0])

    def infer(self, a: TensorType) -> Signature:
        """A vector and a matrix for each."""
        check_square("self_adjoint_eig", 0, a, complex_too=True)
        return TensorType(a.dtype, Shape(a.dims[:-1])), a

    def reference(self, a: Array) -> tuple[Array, Array]:
        """NumPy's eigenvalues, in the dtype of the input, and eigenvectors."""
        values, vectors = numpy_linalg("self_adjoint_eig", _FINITE, np.linalg.eigh, a)
        return values.astype(a.dtype, copy=False), vectors

    def gradient(
        self, inputs: Tensors, outputs: Tensors, grads: Sequence[Tensor | None], *, needed: Sequence[int]
    ) -> Gradients:
        """``V (diag(g) + F * (V' G)) V'`` (Giles, 2008, section 3.1), of the lower triangle, as in TensorFlow.

        Eigenvectors that share an eigenvalue are not determined; nothing flows between them.
        """
        values, vectors = outputs
        middle = None if grads[0] is None else matrix_diag(grads[0])
        if grads[1] is not None:
            turned = _reciprocal_gaps(values) * MatMul(True, False)(conj(vectors), grads[1])
            middle = turned if middle is None else middle + turned
        assert middle is not None, "a gradient of one of the outputs is given"
        whole = product(vectors, MatMul(False, True)(middle, conj(vectors)))
        folded = matrix_band_part(whole + transposed(whole), -1, 0)
        return [folded - 0.5 * matrix_band_part(folded, 0, 0)]

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """About nine for each element and row."""
        return 9 * inputs[0].size * inputs[0].dims[-1]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """One matrix, several; eigenvalues far apart."""
        for shape in ((3, 3), (2, 2, 2)):
            noise = 0.3 * rng.normal(size=shape)
            yield Sample(cls(), noise + noise.swapaxes(-1, -2) + np.diag(np.arange(shape[-1]) * 3.0), tolerance=1e-3)


@primitive
@final
class Svd(Op):
    """Descending singular values, and left and right singular vectors as columns, reduced unless ``full``."""

    full: bool = False
    partial_gradient = True

    def dtypes(self, *dtypes: Any) -> tuple[Any, ...]:
        """The input's, three times."""
        return (dtypes[0], dtypes[0], dtypes[0])

    def infer(self, a: TensorType) -> Signature:
        """As many singular values as the smaller side is long."""
        check_matrix("svd", 0, a)
        *batch, rows, columns = a.dims
        inner = dim_min(rows, columns)
        shapes = (
            (*batch, inner),
            (*batch, rows, rows if self.full else inner),
            (*batch, columns, columns if self.full else inner),
        )
        return tuple(TensorType(a.dtype, Shape(dims)) for dims in shapes)

    def reference(self, a: Array) -> tuple[Array, Array, Array]:
        """NumPy's decomposition."""
        u, s, vh = numpy_linalg("svd", _FINITE, lambda x: np.linalg.svd(x, full_matrices=self.full), a)
        return s, u, vh.swapaxes(-1, -2)

    def gradient(
        self, inputs: Tensors, outputs: Tensors, grads: Sequence[Tensor | None], *, needed: Sequence[int]
    ) -> Gradients:
        """The rule of Townsend (2016); singular vectors that share a singular value are not determined.

        Raises:
            GradientError: a gradient of full singular vectors of matrices that are not square is wanted.
        """
        (s, u, v), (s_grad, u_grad, v_grad) = outputs, grads
        rows, columns = inputs[0].shape.dims[-2:]
        if self.full and rows != columns:
            raise GradientError(
                f"svd: there is no gradient of full singular vectors of matrices that are not square, as "
                f"{inputs[0].type}. Leave full_matrices False."
            )
        across, down = expand_dims(s, -2), expand_dims(s, -1)
        gaps = _reciprocal_gaps(s * s)
        middle = None if s_grad is None else matrix_diag(s_grad)
        if u_grad is not None:
            turned = MatMul(True, False)(u, u_grad)
            middle = _plus(middle, gaps * (turned - transposed(turned)) * across)
        if v_grad is not None:
            turned = MatMul(True, False)(v, v_grad)
            middle = _plus(middle, down * (gaps * (turned - transposed(turned))))
        assert middle is not None, "a gradient of one of the outputs is given"
        whole = product(u, MatMul(False, True)(middle, v))
        # What singular vectors do outside of the space that they span.
        if u_grad is not None and rows != dim_min(rows, columns):
            outside = u_grad - product(u, MatMul(True, False)(u, u_grad))
            whole = whole + MatMul(False, True)(outside / across, v)
        if v_grad is not None and columns != dim_min(rows, columns):
            outside = v_grad - product(v, MatMul(True, False)(v, v_grad))
            whole = whole + MatMul(False, True)(u, outside / across)
        return [whole]

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """About eleven for each element and singular value."""
        return 11 * inputs[0].size * outputs[0].dims[-1]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Square, tall and wide, several; full ones, whose gradient needs to know the sizes."""
        for shape in ((3, 3), (4, 2), (2, 2, 4)):
            yield Sample(cls(), _spread(rng, shape), tolerance=2e-3)
        yield Sample(cls(True), _spread(rng, (2, 2)), wrt=(), tolerance=2e-3)
        yield Sample(cls(True), _spread(rng, (2, 3)), wrt=(), tolerance=2e-3)


def _plus(total: Tensor | None, term: Tensor) -> Tensor:
    return term if total is None else total + term


def _spread(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    steps = np.diag(np.arange(1, min(shape[-2:]) + 1) * 2.0)
    large = np.zeros(shape)
    large[..., : steps.shape[0], : steps.shape[1]] = steps
    return np.asarray(large + 0.3 * rng.normal(size=shape))


def self_adjoint_eig(tensor: Any, name: str | None = None) -> Sequence[Tensor]:
    """Return eigenvalues and eigenvectors of symmetric matrices.

    Args:
        tensor: floating or complex of shape ``[..., n, n]``, of which the lower triangles are read.
        name: name of the node.

    Returns:
        Eigenvalues in ascending order, ``[..., n]``, and eigenvectors as columns, ``[..., n, n]``, with LAPACK's signs.
        NumPy computes them, on every backend. The gradient is that of the lower triangles, as in TensorFlow.

    Raises:
        ShapeError: the matrices are not square.
        DTypeError: the dtype is another.

    Example:
        >>> values, vectors = dt.self_adjoint_eig([[2.0, 0.0], [0.0, 1.0]])
        >>> dt.Session().run(values)
        array([1., 2.], dtype=float32)
    """
    result: Sequence[Tensor] = SelfAdjointEig()(as_tensor(tensor), name=name)
    return result


def self_adjoint_eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """Return the eigenvalues of symmetric matrices, in ascending order; see ``self_adjoint_eig``.

    Example:
        >>> dt.Session().run(dt.self_adjoint_eigvals([[2.0, 0.0], [0.0, 1.0]]))
        array([1., 2.], dtype=float32)
    """
    return self_adjoint_eig(tensor, name)[0]


def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Return the singular value decomposition of matrices.

    Args:
        tensor: float32 or float64 of shape ``[..., m, n]``.
        full_matrices: whether ``u`` and ``v`` are square, not only as wide as there are singular values.
        compute_uv: whether to return ``u`` and ``v``.
        name: name of the node.

    Returns:
        ``s``, ``u``, ``v`` in this order, with ``tensor = u diag(s) v'``; ``s`` alone where ``compute_uv`` is false.
        Singular values descend. NumPy computes them, on every backend; the signs of singular vectors are LAPACK's.

    Raises:
        ShapeError: the input has fewer than two axes.
        DTypeError: the dtype is another.

    Example:
        >>> s, u, v = dt.svd([[0.0, 2.0], [1.0, 0.0]])
        >>> dt.Session().run(s)
        array([2., 1.], dtype=float32)
    """
    result: Sequence[Tensor] = Svd(bool(full_matrices and compute_uv))(as_tensor(tensor), name=name)
    return result if compute_uv else result[0]


def _pinv_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield _spread(rng, (3, 2)), {"rcond": 1e-6}
    yield _spread(rng, (2, 2, 3)), {"rcond": 1e-6}
    yield regular(rng, (2, 2)), {"rcond": 1e-6}


@composite(name="Pinv", samples=_pinv_samples)
def _pinv(a: Tensor, *, rcond: float) -> Tensor:
    """The decomposition, with reciprocals of the singular values that are large enough."""
    s, u, v = Svd()(a)
    large = greater(s, rcond * s[..., :1])
    ones = s * 0.0 + 1.0
    kept = where(large, reciprocal(where(large, s, ones)), ones * 0.0)
    result: Tensor = MatMul(False, True)(v * expand_dims(kept, -2), u)
    return result


def pinv(a: Any, rcond: float | None = None, name: str | None = None) -> Tensor:
    """Return the Moore-Penrose pseudo-inverses of matrices.

    Args:
        a: float32 or float64 of shape ``[..., m, n]``.
        rcond: singular values below this fraction of the greatest count as 0; by default ten times the larger side
            times the dtype's epsilon.
        name: name of the node.

    Returns:
        A tensor of shape ``[..., n, m]``. NumPy computes the singular values, on every backend.

    Raises:
        ShapeError: the input has fewer than two axes.
        DTypeError: the dtype is another.

    Example:
        >>> dt.Session().run(dt.linalg.pinv([[2.0, 0.0], [0.0, 0.0]]))
        array([[0.5, 0. ],
               [0. , 0. ]], dtype=float32)
    """
    x = as_tensor(a)
    if rcond is None:
        check_matrix("pinv", 0, x.type)
        longest = max([dim for dim in x.shape.dims[-2:] if isinstance(dim, int)], default=1)
        rcond = 10.0 * longest * float(np.finfo(x.dtype.numpy).eps)
    result: Tensor = _pinv(x, rcond=float(rcond), name=name)
    return result


def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """Return how many singular values of matrices are greater than ``tol``.

    Args:
        a: float32 or float64 of shape ``[..., m, n]``.
        tol: by default the greatest singular value times the larger side times the dtype's epsilon.
        validate_args: has no effect; here for TensorFlow 1 programs.
        name: name of the node.

    Returns:
        An int32 tensor of shape ``[...]``. NumPy computes the singular values, on every backend.

    Raises:
        ShapeError: the input has fewer than two axes.
        DTypeError: the dtype is another.

    Example:
        >>> dt.Session().run(dt.linalg.matrix_rank([[1.0, 1.0], [1.0, 1.0]]))
        np.int32(1)
    """
    x = as_tensor(a)
    s = svd(x, compute_uv=False)
    if tol is None:
        sides = [dim for dim in x.shape.dims[-2:] if isinstance(dim, int)]
        tol = reduce_max(s, -1, keepdims=True) * (max(sides, default=1) * float(np.finfo(x.dtype.numpy).eps))
    return reduce_sum(cast(greater(s, tol), int32), -1, name=name)
