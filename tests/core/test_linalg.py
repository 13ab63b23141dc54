"""Linear algebra beside what TensorFlow computed (tools/record_tensorflow_mathematics.py), and refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dovetail as dt
from dovetail.errors import DTypeError, FeedError, GradientError, OperationError, ShapeError
from tests.core.values import run

RECORDED = np.load(Path(__file__).parents[1] / "data" / "tensorflow_mathematics.npz")


def recorded(case: str, letter: str) -> list[np.ndarray]:
    return [RECORDED[key] for key in sorted(RECORDED.files) if key.startswith(f"{case}/{letter}")]


def eigen_form(a: dt.Tensor) -> Any:
    values, vectors = dt.linalg.eigh(a)
    return values, vectors * dt.stop_gradient(dt.sign(vectors[..., :1, :]))


def singular_form(a: dt.Tensor) -> Any:
    s, u, v = dt.svd(a)
    sign = dt.stop_gradient(dt.sign(u[..., :1, :]))
    return s, u * sign, v * sign


def qr_form(a: dt.Tensor) -> Any:
    q, r = dt.qr(a)
    sign = dt.stop_gradient(dt.sign(dt.linalg.diag_part(r)))
    return q * dt.expand_dims(sign, -2), r * dt.expand_dims(sign, -1)


CASES: dict[str, Callable[..., Any]] = {
    "inverse": dt.matrix_inverse,
    "solve": dt.matrix_solve,
    "solve_adjoint": lambda a, b: dt.matrix_solve(a, b, adjoint=True),
    "triangular_solve": dt.matrix_triangular_solve,
    "triangular_solve_upper": lambda a, b: dt.matrix_triangular_solve(a, b, lower=False, adjoint=True),
    "cholesky": dt.cholesky,
    "cholesky_solve": dt.cholesky_solve,
    "determinant": dt.matrix_determinant,
    "logdet": dt.linalg.logdet,
    "slogdet": lambda a: dt.linalg.slogdet(a)[1],
    "qr": qr_form,
    "qr_wide": qr_form,
    "eigh": eigen_form,
    "svd": singular_form,
    "svd_tall": singular_form,
    "lstsq": lambda a, b: dt.matrix_solve_ls(a, b, 0.1),
    "lstsq_wide": lambda a, b: dt.matrix_solve_ls(a, b, 0.1),
    "expm": dt.linalg.expm,
    "pinv": dt.linalg.pinv,
    "cross": dt.cross,
    "set_diag": dt.matrix_set_diag,
    "trace": dt.trace,
    "normalize": lambda x: dt.linalg.normalize(x, axis=1),
}


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_of_tensorflow(case: str) -> None:
    arrays = recorded(case, "x")
    inputs = [dt.placeholder(dt.float64, one.shape) for one in arrays]
    found = CASES[case](*inputs)
    outputs = list(found) if isinstance(found, tuple | list) else [found]
    gradients = dt.gradients(outputs, inputs, recorded(case, "c"))
    values, slopes = run([outputs, gradients], dict(zip(inputs, arrays, strict=True)))
    for mine, theirs in zip(values, recorded(case, "y"), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-10)
    for mine, theirs in zip(slopes, recorded(case, "g"), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-8, atol=1e-9)


SYMMETRIC: dict[str, Callable[[dt.Tensor], dt.Tensor]] = {
    "cholesky": dt.cholesky,
    "logdet": dt.linalg.logdet,
    "cholesky_solve": lambda a: dt.cholesky_solve(dt.cholesky(a), a * a),
}


@pytest.mark.parametrize("name", SYMMETRIC)
@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_what_takes_symmetric_matrices(name: str, order: int, rng: np.random.Generator) -> None:
    """Along symmetric directions, as those of a product with its transpose."""
    root, direction = 0.3 * rng.normal(size=(3, 3)) + 2 * np.eye(3), rng.normal(size=(3, 3))
    x = dt.placeholder(dt.float64, [3, 3])
    value = dt.reduce_sum(dt.sin(SYMMETRIC[name](dt.matmul(x, x, transpose_b=True))))
    for _ in range(order - 1):
        value = dt.reduce_sum(dt.sin(dt.gradients(value, x)[0]))
    (gradient,) = dt.gradients(value, x)
    claimed = np.sum(run(gradient, {x: root}) * direction)
    above, below = (run(value, {x: root + step * direction}) for step in (1e-6, -1e-6))
    assert claimed == pytest.approx((above - below) / 2e-6, rel=1e-5, abs=1e-7)


@st.composite
def systems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Matrices and right-hand sides whose leading axes broadcast."""
    lead = draw(st.lists(st.integers(1, 3), max_size=2))
    left, right = (
        [1 if draw(st.booleans()) else size for size in lead[draw(st.integers(0, len(lead))) :]] for _ in range(2)
    )
    size, columns = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return rng.normal(size=(*left, size, size)) + 4 * np.eye(size), rng.normal(size=(*right, size, columns))


@given(systems(), st.booleans(), st.sampled_from(["general", "lower", "upper"]), st.booleans())
@settings(max_examples=60)
def test_systems_of_any_shape(system: Any, adjoint: bool, kind: str, open_sizes: bool) -> None:
    """The product of the matrix and the solution is the right-hand side; gradients have the inputs' shapes."""
    matrix, rhs = system
    with dt.Graph().as_default():
        shapes = [[None] * one.ndim if open_sizes else one.shape for one in system]
        a, b = (dt.placeholder(dt.float64, shape) for shape in shapes)
        if kind == "general":
            x, read = dt.matrix_solve(a, b, adjoint), matrix
        else:
            x = dt.matrix_triangular_solve(a, b, kind == "lower", adjoint)
            read = np.tril(matrix) if kind == "lower" else np.triu(matrix)
        value, *slopes = run([x, *dt.gradients(x, [a, b])], {a: matrix, b: rhs})
    product = np.matmul(read.swapaxes(-1, -2) if adjoint else read, value)
    np.testing.assert_allclose(product, np.broadcast_to(rhs, product.shape), atol=1e-9)
    assert [one.shape for one in slopes] == [matrix.shape, rhs.shape]


def test_a_system_of_unknown_sizes() -> None:
    a, b = dt.placeholder(dt.float64, None), dt.placeholder(dt.float64, None)
    x = dt.matrix_solve(a, b)
    (gradient,) = dt.gradients(x, b)
    value, slope = run([x, gradient], {a: 2.0 * np.eye(2), b: np.ones((2, 1))})
    assert value.tolist() == [[0.5], [0.5]]
    assert slope.tolist() == [[0.5], [0.5]]


def test_least_squares_of_as_many_rows_as_come(rng: np.random.Generator) -> None:
    a, b = dt.placeholder(dt.float64, [None, 2]), dt.placeholder(dt.float64, [None, 1])
    x = dt.matrix_solve_ls(a, b)
    rows, right = rng.normal(size=(6, 2)), rng.normal(size=(6, 1))
    np.testing.assert_allclose(run(x, {a: rows, b: right}), np.linalg.lstsq(rows, right, rcond=None)[0])
    with pytest.raises(FeedError, match="- 2 = -1 must be at least 0"):
        run(x, {a: rows[:1], b: right[:1]})


def test_least_squares_of_any_rank() -> None:
    a = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(run(dt.matrix_solve_ls(a, np.ones((3, 1)), fast=False)), [[0.5], [0.5]])


def test_ranks() -> None:
    a = np.stack([np.eye(3), np.diag([1.0, 1.0, 0.0]), np.ones((3, 3)), np.zeros((3, 3))])
    assert run(dt.linalg.matrix_rank(a)).tolist() == [3, 2, 1, 0]
    assert run(dt.linalg.matrix_rank(np.diag([5.0, 1.0]), tol=2.0)) == 1


def test_equal_eigenvalues_let_nothing_flow_between_their_vectors() -> None:
    a = dt.constant(np.eye(2))
    values, vectors = dt.self_adjoint_eig(a)
    assert np.isfinite(run(dt.gradients([values, vectors], a)[0])).all()


def test_powers_are_squared_as_often_as_each_matrix_needs() -> None:
    small, large = np.diag([0.1, 0.2]), np.diag([30.0, 1.0])
    found = run(dt.linalg.expm(np.stack([small, large, np.full((2, 2), np.nan)])))
    np.testing.assert_allclose(found[:2], np.stack([np.diag(np.exp(np.diag(one))) for one in (small, large)]))
    assert np.isnan(found[2]).all()


REFUSALS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a dtype": (
        lambda: dt.matrix_inverse(np.eye(2, dtype=np.float16)),
        DTypeError,
        r"matrix_inverse: input 0 is float16\[2, 2\], where float32, float64 or a complex dtype is wanted.",
    ),
    "a vector": (
        lambda: dt.qr([1.0, 2.0]),
        ShapeError,
        r"qr: input 0 is float32\[2\], where matrices \[..., m, n\] are wanted. Use dt.reshape.",
    ),
    "no square": (
        lambda: dt.cholesky(np.ones((2, 3))),
        ShapeError,
        r"cholesky: input 0 is float64\[2, 3\], where square matrices \[..., n, n\] are wanted.",
    ),
    "two dtypes": (
        lambda: dt.matrix_solve(dt.eye(2), dt.zeros([2, 1], dt.float64)),
        DTypeError,
        r"matrix_solve: dtypes differ: input 0 is float32\[2, 2\], input 1 is float64\[2, 1\]. Use dt.cast",
    ),
    "other rows": (
        lambda: dt.matrix_solve(dt.eye(2), dt.zeros([3, 1])),
        ShapeError,
        r"matrix_solve: input 1 is float32\[3, 1\] and the matrices are float32\[2, 2\]; right-hand sides have as many",
    ),
    "other batches": (
        lambda: dt.matrix_triangular_solve(dt.zeros([2, 2, 2]), dt.zeros([3, 2, 1])),
        ShapeError,
        r"matrix_triangular_solve: the dimensions before the matrices do not broadcast: input 0 is float32\[2, 2, 2\]",
    ),
    "rows of least squares": (
        lambda: dt.matrix_solve_ls(dt.zeros([4, 2]), dt.zeros([3, 1])),
        ShapeError,
        r"matrix_solve_ls: input 1 is float32\[3, 1\] and the matrices are float32\[4, 2\]",
    ),
    "two numbers": (
        lambda: dt.cross([1.0, 2.0], [1.0, 2.0]),
        ShapeError,
        r"cross: input 0 is float32\[2\] and input 1 is float32\[2\]; give tensors of one shape \[..., 3\].",
    ),
    "a longer diagonal": (
        lambda: dt.matrix_set_diag(dt.zeros([2, 3]), [1.0, 2.0, 3.0]),
        ShapeError,
        r"matrix_set_diag: the input is float32\[2, 3\] and the diagonal float32\[3\]; for matrices \[..., m, n\] give",
    ),
    "a trace of a vector": (
        lambda: dt.trace([1.0]),
        ShapeError,
        r"trace: the input is float32\[1\]; at least two axes are needed.",
    ),
    "a matrix times a scalar": (
        lambda: dt.linalg.matvec(dt.eye(2), 1.0),
        ShapeError,
        r"matvec: input 1 is float32\[\], a scalar, where vectors \[..., n\] are wanted.",
    ),
    "the gradient of a full qr": (
        lambda: _gradient(lambda a: dt.qr(a, full_matrices=True)[0]),
        GradientError,
        r"qr: there is no gradient of full factors of matrices with more rows than columns, as float32\[3, 2\].",
    ),
    "the gradient of a full svd": (
        lambda: _gradient(lambda a: dt.svd(a, full_matrices=True)[1]),
        GradientError,
        r"svd: there is no gradient of full singular vectors of matrices that are not square, as float32\[3, 2\].",
    ),
}


def _gradient(function: Callable[[dt.Tensor], dt.Tensor]) -> Any:
    x = dt.placeholder(dt.float32, [3, 2])
    return dt.gradients(function(x), x)


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_refused(name: str) -> None:
    make, error, message = REFUSALS[name]
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            dt.matrix_inverse,
            r"matrix_inverse: Singular matrix \(of float64\[2, 2\]\). Make sure that the",
        ),
        (lambda a: dt.matrix_solve(a, a), r"matrix_solve: Singular matrix \(of float64\[2, 2\], float64\[2, 2\]\)"),
        (
            lambda a: dt.cholesky(-a),
            r"cholesky: Matrix is not positive definite \(of float64\[2, 2\]\). Make sure",
        ),
    ],
)
def test_what_a_run_refuses(function: Callable[[dt.Tensor], dt.Tensor], message: str) -> None:
    with pytest.raises(OperationError, match=message):
        run(function(dt.constant(np.ones((2, 2)))))


def test_namespaces_have_the_names_of_the_root() -> None:
    assert dt.linalg.inv is dt.matrix_inverse
    assert dt.math.reduce_sum is dt.reduce_sum
    assert dt.bitwise.invert is dt.invert
    assert dt.random.uniform is dt.random_uniform
    assert {"det", "eigh", "lstsq"} <= set(dir(dt.linalg))


@pytest.mark.parametrize("factors", [dt.qr, dt.svd])
def test_full_factors_of_square_matrices_have_the_gradients_of_reduced_ones(factors: Callable[..., Any]) -> None:
    x = dt.constant(np.array([[3.0, 1.0], [0.5, 2.0]]))
    full, reduced = (dt.gradients(factors(x, full_matrices=one)[1], x)[0] for one in (True, False))
    np.testing.assert_allclose(*run([full, reduced]))
