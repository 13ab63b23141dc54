"""``expm``, the exponential of matrices. NumPy computes it, on every backend."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, final

import numpy as np

from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.fills import zeros_like
from dovetail.ops.joining import concat
from dovetail.ops.linalg.checks import check_square, transposed
from dovetail.ops.sizes import Gradients, Tensors, Types
from dovetail.types.dims import Dim
from dovetail.types.shapes import TensorType

__all__ = ["MatrixExponential", "expm"]

_PADE: Final = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
"""Coefficients of the diagonal Padé approximant of order 13, lowest power first."""
_LARGEST: Final = 5.371920351148152
"""The 1-norm up to which the approximant has the accuracy of float64."""


@primitive
@final
class MatrixExponential(Op):
    """Exponentials of square matrices."""

    def infer(self, a: TensorType) -> Signature:
        """The input's type."""
        check_square("expm", 0, a)
        return a

    def reference(self, a: Array) -> Array:
        """Scaling and squaring (Higham, 2005), in float64."""
        wide = a.astype(np.float64)
        size = a.shape[-1]
        norms = np.abs(wide).sum(-2).max(-1, initial=0.0)
        finite = np.where(np.isfinite(norms), norms, 0.0)
        squarings = np.maximum(np.ceil(np.log2(np.maximum(finite, 1e-300) / _LARGEST)), 0.0).astype(np.int64)
        x = wide / np.exp2(squarings)[..., None, None]
        b, x2 = _PADE, np.matmul(x, x)
        x4 = np.matmul(x2, x2)
        x6, one = np.matmul(x4, x2), np.eye(size)
        odd = np.matmul(x6, b[13] * x6 + b[11] * x4 + b[9] * x2) + b[7] * x6 + b[5] * x4 + b[3] * x2 + b[1] * one
        even = np.matmul(x6, b[12] * x6 + b[10] * x4 + b[8] * x2) + b[6] * x6 + b[4] * x4 + b[2] * x2 + b[0] * one
        odd = np.matmul(x, odd)
        result = np.linalg.solve(even - odd, even + odd)
        for step in range(int(squarings.max(initial=0))):
            result = np.where((squarings > step)[..., None, None], np.matmul(result, result), result)
        result = np.where(np.isfinite(norms)[..., None, None], result, math.nan)
        return np.asarray(result.astype(a.dtype))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The corner of the exponential of ``[[A', G], [0, A']]`` (Al-Mohy and Higham, 2009)."""
        back = transposed(inputs[0])
        size = inputs[0].shape.dims[-1]
        upper, lower = concat([back, grads[0]], -1), concat([zeros_like(back), back], -1)
        whole = MatrixExponential()(concat([upper, lower], -2))
        return [whole[..., :size, size:]]

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """Six products and one elimination; squarings depend on the values."""
        return 14 * inputs[0].size * inputs[0].dims[-1]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """One matrix, several, none, large."""
        for shape in ((3, 3), (2, 2, 2), (0, 2, 2)):
            yield Sample(cls(), 0.5 * rng.normal(size=shape), tolerance=1e-3)
        yield Sample(cls(), np.array([[0.0, 9.0], [-9.0, 0.0]]), wrt=(), tolerance=1e-3)


def expm(input: Any, name: str | None = None) -> Tensor:
    """Return the exponentials of square matrices.

    Args:
        input: float32 or float64 of shape ``[..., n, n]``.
        name: name of the node.

    Returns:
        A tensor of the same type. NumPy computes it, on every backend, in float64 by scaling and squaring
        (Higham, 2005).

    Raises:
        ShapeError: the matrices are not square.
        DTypeError: the dtype is another.

    Example:
        >>> dt.Session().run(dt.linalg.expm([[0.0, 1.0], [0.0, 0.0]]))
        array([[1., 1.],
               [0., 1.]], dtype=float32)
    """
    result: Tensor = MatrixExponential()(as_tensor(input), name=name)
    return result
