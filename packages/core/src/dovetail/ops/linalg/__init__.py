"""Linear algebra: the names of the modules that hold it, in one place, and what ``dt.linalg`` calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dovetail.ops.clipping import global_norm
from dovetail.ops.diagonals import diag, diag_part, matrix_band_part, matrix_diag, matrix_diag_part
from dovetail.ops.einsum import einsum
from dovetail.ops.fills import eye
from dovetail.ops.linalg.determinants import logdet, matrix_determinant, slogdet
from dovetail.ops.linalg.exponential import expm
from dovetail.ops.linalg.factorizations import cholesky, qr
from dovetail.ops.linalg.least_squares import matrix_solve_ls
from dovetail.ops.linalg.matrices import adjoint, cross, matrix_set_diag, matvec, normalize, trace
from dovetail.ops.linalg.solving import cholesky_solve, matrix_inverse, matrix_solve, matrix_triangular_solve
from dovetail.ops.linalg.spectra import matrix_rank, pinv, self_adjoint_eig, self_adjoint_eigvals, svd
from dovetail.ops.linear import matmul, tensordot
from dovetail.ops.reductions import norm
from dovetail.ops.reshaping import matrix_transpose

__all__ = [
    "cholesky",
    "cholesky_solve",
    "cross",
    "matrix_determinant",
    "matrix_inverse",
    "matrix_set_diag",
    "matrix_solve",
    "matrix_solve_ls",
    "matrix_triangular_solve",
    "qr",
    "self_adjoint_eig",
    "self_adjoint_eigvals",
    "svd",
    "tensor_diag",
    "tensor_diag_part",
    "trace",
]

tensor_diag = diag
tensor_diag_part = diag_part

NAMES: Final[dict[str, Callable[..., Any]]] = {
    "adjoint": adjoint,
    "band_part": matrix_band_part,
    "cholesky": cholesky,
    "cholesky_solve": cholesky_solve,
    "cross": cross,
    "det": matrix_determinant,
    "diag": matrix_diag,
    "diag_part": matrix_diag_part,
    "eigh": self_adjoint_eig,
    "eigvalsh": self_adjoint_eigvals,
    "einsum": einsum,
    "expm": expm,
    "eye": eye,
    "global_norm": global_norm,
    "inv": matrix_inverse,
    "logdet": logdet,
    "lstsq": matrix_solve_ls,
    "matmul": matmul,
    "matrix_rank": matrix_rank,
    "matrix_transpose": matrix_transpose,
    "matvec": matvec,
    "norm": norm,
    "normalize": normalize,
    "pinv": pinv,
    "qr": qr,
    "set_diag": matrix_set_diag,
    "slogdet": slogdet,
    "solve": matrix_solve,
    "svd": svd,
    "tensor_diag": tensor_diag,
    "tensor_diag_part": tensor_diag_part,
    "tensordot": tensordot,
    "trace": trace,
    "transpose": matrix_transpose,
    "triangular_solve": matrix_triangular_solve,
}
"""What core contributes to ``dt.linalg``."""
