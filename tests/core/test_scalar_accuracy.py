"""Basis functions against mpmath: values in each floating dtype, and how many units in the last place they are off."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from dovetail.ops.scalar import BASIS, Expression, Input, compile_numpy
from dovetail.ops.scalar.basis import special

mpmath = pytest.importorskip("mpmath")

x = Input(0)

# For each floating function: the exact one, the intervals of its operands, and the units allowed in float64.
REFERENCES: dict[str, tuple[Callable[..., Any], list[tuple[float, float]], float]] = {
    "add": (operator.add, [(-5, 5), (-5, 5)], 0.5),
    "subtract": (operator.sub, [(-5, 5), (-5, 5)], 0.5),
    "multiply": (operator.mul, [(-5, 5), (-5, 5)], 0.5),
    "divide": (operator.truediv, [(-5, 5), (0.1, 5)], 0.5),
    "floor_divide": (lambda x, y: mpmath.floor(x / y), [(-50, 50), (0.1, 5)], 0),
    "remainder": (lambda x, y: x - y * mpmath.floor(x / y), [(-50, 50), (-5, -0.1)], 0.5),
    "power": (operator.pow, [(0.1, 5), (-3, 3)], 2),
    "negative": (operator.neg, [(-5, 5)], 0),
    "absolute": (abs, [(-5, 5)], 0),
    "sign": (mpmath.sign, [(-5, 5)], 0),
    "square": (lambda x: x * x, [(-5, 5)], 0.5),
    "reciprocal": (lambda x: 1 / x, [(0.1, 5)], 0.5),
    "maximum": (max, [(-5, 5), (-5, 5)], 0),
    "minimum": (min, [(-5, 5), (-5, 5)], 0),
    "exp": (mpmath.exp, [(-700, 700)], 4),
    "expm1": (mpmath.expm1, [(-3, 3)], 4),
    "log": (mpmath.log, [(1e-3, 10)], 4),
    "log1p": (mpmath.log1p, [(-0.9, 10)], 4),
    "sqrt": (mpmath.sqrt, [(0, 10)], 0.5),
    "rsqrt": (lambda x: 1 / mpmath.sqrt(x), [(0.01, 10)], 1.5),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), [(-700, 40)], 5),
    "sin": (mpmath.sin, [(-3, 3)], 4),
    "cos": (mpmath.cos, [(-1.5, 1.5)], 4),
    "tan": (mpmath.tan, [(-1.5, 1.5)], 4),
    "asin": (mpmath.asin, [(-1, 1)], 4),
    "acos": (mpmath.acos, [(-1, 0.99)], 4),
    "atan": (mpmath.atan, [(-9, 9)], 4),
    "atan2": (mpmath.atan2, [(-5, 5), (-5, 5)], 4),
    "sinh": (mpmath.sinh, [(-5, 5)], 4),
    "cosh": (mpmath.cosh, [(-5, 5)], 4),
    "tanh": (mpmath.tanh, [(-5, 5)], 4),
    "asinh": (mpmath.asinh, [(-5, 5)], 4),
    "acosh": (mpmath.acosh, [(1.01, 9)], 4),
    "atanh": (mpmath.atanh, [(-0.99, 0.99)], 4),
    "erf": (mpmath.erf, [(-6, 6)], 3),
    "erfc": (mpmath.erfc, [(-6, 26)], 5),
    "lgamma": (mpmath.loggamma, [(1e-6, 30)], 5),
    "digamma": (mpmath.digamma, [(1e-6, 30)], 5),
    "floor": (mpmath.floor, [(-5, 5)], 0),
    "ceil": (mpmath.ceil, [(-5, 5)], 0),
    "round": (mpmath.nint, [(-5, 5)], 0),
    "trunc": (lambda x: mpmath.floor(x) if x > 0 else mpmath.ceil(x), [(-5, 5)], 0),
}


def run(expression: Expression, *arrays: Any) -> Any:
    return compile_numpy(expression)(*arrays)


def ulps(actual: Any, expected: Any) -> float:
    """Distance to the exact values in units of the last place of the dtype."""
    worst = 0.0
    for value, exact in zip(actual.ravel(), expected, strict=True):
        unit = float(np.spacing(np.abs(actual.dtype.type(float(exact))))) or math.ulp(0.0)
        worst = max(worst, float(abs(mpmath.mpf(float(value)) - exact) / unit))
    return worst


def exactly(function: Callable[..., Any], arrays: list[Any]) -> list[Any]:
    with mpmath.workdps(60):
        return [function(*(mpmath.mpf(float(v)) for v in values)) for values in zip(*arrays, strict=True)]


def test_every_floating_function_has_a_reference() -> None:
    real = ("number", "numeric", "inexact", "floating")
    floating = {name for name, f in BASIS.items() if f.domain in real and f.result != "bool"}
    assert floating == set(REFERENCES)


@pytest.mark.parametrize("name", REFERENCES)
def test_values_in_double_precision(name: str) -> None:
    function, intervals, allowed = REFERENCES[name]
    rng = np.random.default_rng(7)
    arrays = [rng.uniform(low, high, 300) for low, high in intervals]
    result = run(BASIS[name](*(Input(i) for i in range(len(arrays)))), *arrays)
    assert result.dtype == np.float64
    assert ulps(result, exactly(function, arrays)) <= allowed


@pytest.mark.parametrize("dtype", [np.float16, np.float32, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", REFERENCES)
def test_values_in_low_precision(name: str, dtype: Any) -> None:
    function, intervals, _ = REFERENCES[name]
    rng = np.random.default_rng(8)
    limit = 80.0 if dtype != np.float16 else 8.0
    arrays = [rng.uniform(max(low, -limit), min(high, limit), 100).astype(dtype) for low, high in intervals]
    if name in ("floor_divide", "remainder"):
        arrays = [np.round(array.astype(np.float64)).astype(dtype) for array in arrays]
        arrays[1] = np.where(arrays[1] == 0, dtype(2), arrays[1])
    result = run(BASIS[name](*(Input(i) for i in range(len(arrays)))), *arrays)
    assert result.dtype == dtype
    exact = np.array([float(value) for value in exactly(function, arrays)])
    expected = exact.astype(dtype)
    finite = np.isfinite(expected.astype(np.float64))
    epsilon = float(ml_dtypes.finfo(dtype).eps)
    tiny = float(ml_dtypes.finfo(dtype).tiny)
    error = np.abs(result.astype(np.float64) - exact)[finite]
    assert np.all(error <= (4.0 if dtype == np.float32 else 0.55) * epsilon * np.maximum(np.abs(exact[finite]), tiny))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "exact"), [("erf", mpmath.erf), ("erfc", mpmath.erfc), ("lgamma", mpmath.loggamma)])
def test_special_functions_keep_their_accuracy(name: str, exact: Callable[..., Any], dtype: Any) -> None:
    low, high = {"erf": (-7, 7), "erfc": (-7, 9), "lgamma": (1e-3, 40)}[name]
    points = np.linspace(low, high, 3001).astype(dtype)
    assert ulps(getattr(special, name)(points), exactly(exact, [points])) <= (1 if dtype == np.float32 else 5)


def test_gamma_functions_of_negative_arguments() -> None:
    points = np.random.default_rng(3).uniform(-20, 0, 500)
    for name, function in (("lgamma", lambda v: mpmath.re(mpmath.loggamma(v))), ("digamma", mpmath.digamma)):
        exact = np.array([float(value) for value in exactly(function, [points])])
        error = np.abs(run(BASIS[name](x), points) - exact) / np.maximum(1, np.abs(exact))
        assert error.max() < 2e-15
