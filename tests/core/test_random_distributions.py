"""The gamma and Poisson distributions, classes, crops, and random numbers that depend on a seed alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, OperationError, ShapeError
from dovetail.ops.gamma_variates import GammaFromBits, PoissonFromBits, RandomGammaGrad
from dovetail.ops.special.incomplete import gamma_cdf
from tests.core.values import run

RECORDED = np.load(Path(__file__).parents[1] / "data" / "tensorflow_mathematics.npz")


def words(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random words and both ends, and the probabilities that they stand for."""
    found = np.concatenate([rng.integers(0, 2**64, 200, np.uint64), np.array([0, 2**64 - 1, 2**63], np.uint64)])
    return found, ((found >> np.uint64(12)).astype(float) + 0.5) * 2.0**-52


@pytest.mark.parametrize("order", [0.01, 0.3, 1.0, 2.5, 80.0, 1e4])
def test_gamma_variates_are_quantiles(order: float, rng: np.random.Generator) -> None:
    bits, p = words(rng)
    x = GammaFromBits(dt.float64).reference(bits, np.array(order))
    lower, upper = gamma_cdf(np.array(order), x)
    inside = x > 1e-280
    np.testing.assert_allclose(lower[inside], p[inside], rtol=1e-9)
    np.testing.assert_allclose(upper[inside], 1.0 - p[inside], rtol=1e-9)
    assert (np.diff(x[np.argsort(bits)]) >= 0).all()


@pytest.mark.parametrize("rate", [0.0, 1e-3, 0.7, 4.0, 33.3, 1e4])
def test_poisson_variates_are_quantiles(rate: float, rng: np.random.Generator) -> None:
    bits, p = words(rng)
    count = PoissonFromBits(dt.float64).reference(bits, np.array(rate))
    assert (gamma_cdf(count + 1.0, np.array(rate))[1] >= p).all()
    below = count > 0
    assert (gamma_cdf(np.maximum(count, 1.0), np.array(rate))[1][below] < p[below]).all()


def test_outside_of_the_domain_there_is_no_variate() -> None:
    bits = np.array([5], np.uint64)
    assert np.isnan(GammaFromBits(dt.float64).reference(bits, np.array([-1.0]))).all()
    assert np.isnan(PoissonFromBits(dt.float64).reference(bits, np.array([-1.0]))).all()


def test_the_slope_of_a_gamma_variate_is_that_of_tensorflow() -> None:
    variates = RECORDED["random_gamma/x0"]
    found = RandomGammaGrad().reference(variates[0], variates)
    np.testing.assert_allclose(found, RECORDED["random_gamma/y0"], rtol=2e-7)  # whose approximations end there


def test_gamma_variates_have_gradients_for_both_parameters() -> None:
    alpha, beta = dt.constant([2.0, 3.0], dt.float64), dt.constant([1.0, 4.0], dt.float64)
    x = dt.random_gamma([20000], alpha, beta, dt.float64, seed=5)
    slopes = run(dt.gradients(dt.reduce_mean(x, 0), [alpha, beta]))
    np.testing.assert_allclose(slopes[0], [1.0, 0.25], rtol=0.03)
    np.testing.assert_allclose(slopes[1], [-2.0, -3.0 / 16], rtol=0.03)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_gamma_variates_of_every_dtype(dtype: str) -> None:
    x = dt.random_gamma([100], 2.0, dtype=dtype)
    assert x.dtype is dt.as_dtype(dtype)
    assert (run(x).astype(float) > 0).all()


def test_poisson_counts_of_integers_and_of_a_shape_that_only_a_run_knows() -> None:
    shape = dt.placeholder(dt.int32, [2])
    x = dt.random_poisson([2.0, 5.0], shape, dt.int32)
    found = run(x, {shape: [4, 3]})
    assert found.shape == (4, 3, 2)
    assert found.dtype == np.int32


def test_a_crop_is_a_part() -> None:
    x = np.arange(60).reshape(5, 4, 3)
    crop = dt.random_crop(x, [2, 3, 3])
    with dt.Session() as session:
        corners = set()
        for _ in range(60):
            part = session.run(crop)
            row, column, _ = np.argwhere(x == part[0, 0, 0])[0]
            np.testing.assert_array_equal(part, x[row : row + 2, column : column + 3])
            corners.add((int(row), int(column)))
    assert corners == {(row, column) for row in range(4) for column in range(2)}


def test_a_crop_of_what_is_fed() -> None:
    x = dt.placeholder(dt.float32, [None, 3])
    crop = dt.random_crop(x, [2, 3])
    assert run(crop, {x: np.ones((7, 3))}).shape == (2, 3)
    with pytest.raises(OperationError, match="2 elements from index 0 on do not lie within axis 0 of float32"):
        run(crop, {x: np.ones((1, 3))})


def test_stateless_numbers_depend_on_the_seed_alone() -> None:
    seed = dt.placeholder(dt.int64, [2])
    uniform = dt.stateless_random_uniform([3, 2], seed)
    normal = dt.stateless_random_normal([4], seed, mean=1.0)
    integers = dt.random.stateless_uniform([5], seed, 0, 9, dt.int32)
    with dt.Session() as session:
        one, again = (session.run([uniform, normal, integers], {seed: [3, -4]}) for _ in range(2))
        other = session.run([uniform, normal, integers], {seed: [3, -5]})
    for first, second, third in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(first, second)
        assert (first != third).any()


def test_stateless_numbers_of_a_shape_that_only_a_run_knows() -> None:
    shape = dt.placeholder(dt.int32, [2])
    loose = dt.stateless_truncated_normal(shape, [1, 2])
    fixed = dt.stateless_truncated_normal([2, 3], [1, 2])
    found = run([loose, fixed], {shape: [2, 3]})
    np.testing.assert_array_equal(*found)


def test_classes_of_both_kinds() -> None:
    logits = np.array([[0.0, np.log(3.0), -np.inf]] * 2)
    counted = run(dt.random.categorical(logits, 4000, seed=1))
    stateless = run(dt.random.stateless_categorical(logits, 4000, [1, 2]))
    for found in (counted, stateless):
        assert found.shape == (2, 4000)
        assert abs((found == 1).mean() - 0.75) < 0.03
        assert (found != 2).all()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: dt.random_gamma([2], 1.0, dtype=dt.int32), DTypeError, "random_gamma: dtype is int32; use a floating"),
        (
            lambda: dt.random_poisson(dt.constant([1]), [2]),
            DTypeError,
            "random_poisson: dtype is int32; use a floating",
        ),
        (lambda: dt.random_poisson(1.0, [2], dt.bool), DTypeError, "random_poisson: dtype is bool; use a floating"),
        (
            lambda: dt.random_crop(np.ones((2, 2)), [3, 2]),
            ShapeError,
            r"random_crop: the value is float64\[2, 2\] and the size \[3, 2\]; axis 0 is too short for it.",
        ),
        (
            lambda: dt.random_crop(np.ones((2, 2)), [1]),
            ShapeError,
            r"random_crop: the value is float64\[2, 2\] and the size \[1\]; give a known size for each axis.",
        ),
        (
            lambda: dt.stateless_random_uniform([2], [1, 2, 3]),
            ShapeError,
            r"stateless_random_uniform: the seed is int32\[3\], where two integers are wanted, of shape \[2\].",
        ),
        (
            lambda: dt.stateless_random_normal([2], [1.0, 2.0]),
            DTypeError,
            r"stateless_random_normal: the seed is float32\[2\], where two integers are wanted. Use dt.cast.",
        ),
        (
            lambda: dt.stateless_random_uniform([2], [1, 2], dtype=dt.int32),
            InvalidArgumentError,
            "stateless_random_uniform: int32 needs maxval; give the bound that is not reached.",
        ),
        (
            lambda: dt.random.categorical(np.ones(3), 2),
            ShapeError,
            r"categorical: logits are float64\[3\], where \[batch, classes\] is wanted.",
        ),
    ],
)
def test_what_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
