"""Special functions beside what TensorFlow computed (tools/record_tensorflow_mathematics.py), and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from tests.core.values import run

RECORDED = np.load(Path(__file__).parents[1] / "data" / "tensorflow_mathematics.npz")
NAMES = (
    "igamma", "igammac", "betainc", "zeta", "polygamma", "bessel_i0e", "bessel_i1e", "bessel_i0", "bessel_i1", "ndtri",
    "erfinv", "xlogy", "xdivy", "xlog1py", "lbeta", "erfcinv", "multiply_no_nan", "reciprocal_no_nan",
)  # fmt: skip


def inputs_of(name: str) -> list[np.ndarray]:
    return [RECORDED[key] for key in sorted(RECORDED.files) if key.startswith(f"{name}/x")]


@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients_are_those_of_tensorflow(name: str) -> None:
    arrays = inputs_of(name)
    inputs = [dt.constant(one) for one in arrays]
    y = getattr(dt.math, name)(*inputs)
    np.testing.assert_allclose(run(y), RECORDED[f"{name}/y0"], rtol=2e-10, atol=1e-14)
    gradients = dt.gradients(y, inputs, [RECORDED[f"{name}/c0"]])
    for number, gradient in enumerate(gradients):
        key = f"{name}/g{number}"
        assert (gradient is None) == (key not in RECORDED.files)
        if gradient is not None:
            np.testing.assert_allclose(run(gradient), RECORDED[key], rtol=2e-9, atol=1e-11, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_float32_has_the_digits_that_it_holds(name: str) -> None:
    arrays = [one.astype(np.float32) for one in inputs_of(name)]
    narrow = run(getattr(dt.math, name)(*map(dt.constant, arrays)))
    wide = run(getattr(dt.math, name)(*(dt.constant(one.astype(np.float64)) for one in arrays)))
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(narrow, wide.astype(np.float32), rtol=5e-5, atol=1e-6)


def test_polynomials() -> None:
    assert run(dt.math.polyval([2.0, dt.constant([1.0, 0.0]), -1.0], [1.0, 3.0])).tolist() == [2.0, 17.0]
    assert run(dt.math.polyval([], [1.0, 3.0])).tolist() == [0.0, 0.0]
    with pytest.raises(InvalidArgumentError, match=r"polyval: coeffs is 1.0; give a list, the highest power first."):
        dt.math.polyval(1.0, 2.0)


def test_what_lies_outside_of_a_domain() -> None:
    cases: list[tuple[dt.Tensor, list[float]]] = [
        (dt.math.ndtri([0.0, 1.0, -0.1, 1.1, np.nan]), [-np.inf, np.inf, np.nan, np.nan, np.nan]),
        (dt.math.erfinv([-1.0, 1.0, -1.5, np.nan]), [-np.inf, np.inf, np.nan, np.nan]),
        (dt.math.erfcinv([0.0, 2.0, 2.5]), [np.inf, -np.inf, np.nan]),
        (dt.math.multiply_no_nan([np.inf, np.nan], [0.0, 0.0]), [0.0, 0.0]),
        (dt.igamma([-1.0, 1.0, 1.0, np.nan], [1.0, -1.0, np.inf, 1.0]), [np.nan, np.nan, 1.0, np.nan]),
        (dt.igammac([2.0, 2.0], [0.0, np.inf]), [1.0, 0.0]),
        (dt.betainc([1.0, -1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.5, 2.0]), [0.0, np.nan, np.nan]),
        (dt.zeta([1.0, 0.5, 2.0, 2.0], [1.0, 1.0, 0.0, -0.5]), [np.inf, np.nan, np.inf, np.nan]),
    ]
    for tensor, expected in cases:
        np.testing.assert_array_equal(run(tensor), np.array(expected, np.float32), err_msg=tensor.name)


@pytest.mark.parametrize("order", [1.5, 300.0, 5e4])
def test_both_incomplete_gamma_functions_make_one(order: float) -> None:
    x = order * np.array([0.3, 0.9, 1.0, 1.1, 2.0])
    lower, upper = run([dt.igamma(np.float64(order), x), dt.igammac(np.float64(order), x)])
    np.testing.assert_allclose(lower + upper, 1.0, rtol=1e-14)
    assert (np.diff(lower) >= 0).all()


def test_second_derivatives_of_bessel_functions_at_zero() -> None:
    x = dt.constant(np.zeros(1))
    first = dt.gradients(dt.math.bessel_i1e(x), x)[0]
    assert run([first, dt.gradients(first, x)[0]]) == [0.5, 0.0]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: dt.igamma(np.float16(1.0), np.float16(1.0)),
            DTypeError,
            r"igamma: input 0 is float16\[\], where float32 or float64 is wanted. Use dt.cast.",
        ),
        (
            lambda: dt.igammac(dt.zeros([2]), dt.zeros([2], dt.float64)),
            DTypeError,
            r"igammac: dtypes differ: input 0 is float32\[2\], input 1 is float64\[2\]. Use dt.cast.",
        ),
        (
            lambda: dt.betainc(dt.zeros([2]), dt.zeros([3]), 0.5),
            ShapeError,
            r"betainc: the shapes do not broadcast: input 0 is float32\[2\], input 1 is float32\[3\], input 2 is",
        ),
        (
            lambda: dt.math.ndtri(dt.constant([1])),
            DTypeError,
            r"ndtri: input 0 is int32\[1\], where a floating dtype is wanted. Use dt.cast.",
        ),
    ],
)
def test_what_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
