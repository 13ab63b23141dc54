# Linear algebra.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail.ops.clipping import global_norm as global_norm
from dovetail.ops.diagonals import diag as _diag
from dovetail.ops.diagonals import diag_part as _diag_part
from dovetail.ops.diagonals import matrix_band_part as matrix_band_part
from dovetail.ops.diagonals import matrix_diag as matrix_diag
from dovetail.ops.diagonals import matrix_diag_part as matrix_diag_part
from dovetail.ops.einsum import einsum as einsum
from dovetail.ops.fills import eye as eye
from dovetail.ops.linalg.determinants import logdet as logdet
from dovetail.ops.linalg.determinants import matrix_determinant as matrix_determinant
from dovetail.ops.linalg.determinants import slogdet as slogdet
from dovetail.ops.linalg.exponential import expm as expm
from dovetail.ops.linalg.factorizations import cholesky as cholesky
from dovetail.ops.linalg.factorizations import qr as qr
from dovetail.ops.linalg.least_squares import matrix_solve_ls as matrix_solve_ls
from dovetail.ops.linalg.matrices import adjoint as adjoint
from dovetail.ops.linalg.matrices import cross as cross
from dovetail.ops.linalg.matrices import matrix_set_diag as matrix_set_diag
from dovetail.ops.linalg.matrices import matvec as matvec
from dovetail.ops.linalg.matrices import normalize as normalize
from dovetail.ops.linalg.matrices import trace as trace
from dovetail.ops.linalg.solving import cholesky_solve as cholesky_solve
from dovetail.ops.linalg.solving import matrix_inverse as matrix_inverse
from dovetail.ops.linalg.solving import matrix_solve as matrix_solve
from dovetail.ops.linalg.solving import matrix_triangular_solve as matrix_triangular_solve
from dovetail.ops.linalg.spectra import matrix_rank as matrix_rank
from dovetail.ops.linalg.spectra import pinv as pinv
from dovetail.ops.linalg.spectra import self_adjoint_eig as self_adjoint_eig
from dovetail.ops.linalg.spectra import self_adjoint_eigvals as self_adjoint_eigvals
from dovetail.ops.linalg.spectra import svd as svd
from dovetail.ops.linear import matmul as matmul
from dovetail.ops.linear import tensordot as tensordot
from dovetail.ops.reshaping import matrix_transpose as matrix_transpose
from dovetail.ops.statistics import norm as norm
from dovetail_layers.normalization import l2_normalize as l2_normalize

band_part = matrix_band_part
det = matrix_determinant
diag = matrix_diag
diag_part = matrix_diag_part
eigh = self_adjoint_eig
eigvalsh = self_adjoint_eigvals
inv = matrix_inverse
lstsq = matrix_solve_ls
set_diag = matrix_set_diag
solve = matrix_solve
tensor_diag = _diag
tensor_diag_part = _diag_part
transpose = matrix_transpose
triangular_solve = matrix_triangular_solve

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
