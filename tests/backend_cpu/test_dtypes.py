"""Every dtype: arithmetic that wraps around, conversions, extremes, and numbers that are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dovetail as dt
from tests.backend_cpu.conformance import FLOATS, REFERENCE, assert_agree, both, run_all

BACKEND = "cpu"
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
SPECIAL = (0.0, -0.0, 1.0, -1.5, 2.5, -2.5, 0.5, 3.0, np.inf, -np.inf, np.nan, 1e-3, 100.25, -1e4)


def whole_numbers(dtype: str) -> np.ndarray:
    """The extremes of an integer dtype, and numbers between."""
    limits = np.iinfo(dtype)
    numbers = [limits.min, limits.min + 1, limits.max, limits.max - 1, 0, 1, 2, 3, 5, 7, 100, limits.max // 2, 13]
    return np.array([number for number in numbers if number >= limits.min], dtype)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_whole_numbers(dtype: str) -> None:
    x, y = dt.placeholder(dt.as_dtype(dtype), [None, 1]), dt.placeholder(dt.as_dtype(dtype), [None])
    divisor = dt.maximum(y, dt.ones_like(y))
    results = [x + y, x - y, x * y, -y, dt.abs(y), dt.sign(y), dt.square(y), dt.maximum(x, y), dt.minimum(x, y)]
    results += [
        x // divisor,
        x % divisor,
        dt.truncatediv(x, divisor),
        dt.bitwise_and(x, y),
        dt.invert(y),
        x < y,
        dt.equal(x, y),
    ]
    results += [dt.left_shift(x, y % 5), dt.right_shift(x, y % 5), dt.cumsum(y), dt.cumprod(y), dt.matmul(x, x, True)]
    results += [function(x + y, axis) for function in (dt.reduce_sum, dt.reduce_max, dt.reduce_prod) for axis in (0, 1)]
    results += [dt.argmax(x + y, 1), dt.sort(y), dt.argsort(y), dt.gather(y, [1, 0]), dt.clip_by_value(y, 1, 5)]
    results += [dt.cast(y, other) for other in (*INTEGERS, "float32", "float64", "bool")]
    numbers = whole_numbers(dtype)
    assert_agree(*both(BACKEND, results, {x: numbers[::-1, np.newaxis], y: numbers}))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_whole_numbers_below_zero_are_divided_downwards(dtype: str) -> None:
    if dtype.startswith("u"):
        pytest.skip("none is below zero")
    x = dt.placeholder(dt.as_dtype(dtype), [None, 1])
    y = dt.placeholder(dt.as_dtype(dtype), [None])
    numbers = np.array([-7, -4, -1, 1, 3, 5, np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
    assert_agree(*both(BACKEND, [x // y, x % y, dt.truncatediv(x, y)], {x: numbers[:, np.newaxis], y: numbers}))


@pytest.mark.parametrize("dtype", FLOATS)
def test_numbers_that_are_extreme_or_none(dtype: str) -> None:
    x, y = dt.placeholder(dt.as_dtype(dtype), [None, 1]), dt.placeholder(dt.as_dtype(dtype), [None])
    results: list[Any] = [x + y, x * y, x / y, dt.maximum(x, y), dt.minimum(x, y), x < y, x >= y, dt.not_equal(x, y)]
    results += [
        dt.sign(y),
        dt.abs(y),
        dt.floor(y),
        dt.ceil(y),
        dt.round(y),
        dt.is_nan(y),
        dt.is_inf(y),
        dt.is_finite(y),
    ]
    results += [dt.nn.relu(y), dt.div_no_nan(x, y), dt.exp(y), dt.log(y), dt.sqrt(y), dt.rsqrt(y), dt.tanh(y)]
    results += [dt.sigmoid(y), dt.log1p(y), dt.expm1(y), dt.erf(y), dt.atan2(x, y), x // y, x % y, dt.pow(x, y)]
    results += [dt.reduce_max(x * y, 1), dt.reduce_min(x * y, 0), dt.reduce_sum(x, 1), dt.argmax(x * y, 1)]
    results += [dt.where(x > y, x + dt.zeros_like(y), y + dt.zeros_like(x)), dt.nn.softmax(x * y)]
    results += [dt.cast(y, other) for other in (*FLOATS, "bool")]
    numbers = np.array(SPECIAL).astype(dt.as_dtype(dtype).numpy)
    feeds = {x: numbers[:, np.newaxis], y: numbers}
    with np.errstate(all="ignore"):
        expected = run_all(REFERENCE, results, feeds)
    found = run_all(BACKEND, results, feeds)
    for tensor, left, right in zip(results, found, expected, strict=True):
        try:
            assert_agree(left, right)
        except AssertionError as error:
            error.add_note(f"of {tensor.op.type}")
            raise


@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_become_whole_numbers(dtype: str) -> None:
    x = dt.placeholder(dt.as_dtype(dtype), [None])
    numbers = np.array([0.0, 0.5, 1.5, 2.75, 99.9, -0.5, -1.5, -99.9]).astype(dt.as_dtype(dtype).numpy)
    signed = [dt.cast(x, other) for other in INTEGERS if not other.startswith("u")]
    assert_agree(*both(BACKEND, signed, {x: numbers}))
    assert_agree(*both(BACKEND, [dt.cast(x, other) for other in INTEGERS], {x: np.abs(numbers)}))
