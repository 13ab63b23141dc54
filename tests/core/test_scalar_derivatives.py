"""Derivatives of scalar expressions against mpmath, to second order, and the choices made where there is none."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dovetail.errors import InvalidArgumentError
from dovetail.ops.scalar import (
    BASIS,
    Expression,
    Input,
    compile_numpy,
    derivative,
    derivative_with_output,
    inputs_of,
    nodes_of,
    parse_expression,
    result_dtype,
    substitute_inputs,
)

mpmath = pytest.importorskip("mpmath")

x, y = Input(0), Input(1)

# For each function with a derivative: the exact function and points away from kinks, both sides of each.
CASES: dict[str, tuple[Callable[..., Any], list[tuple[float, ...]]]] = {
    "add": (operator.add, [(0.3, -1.2)]),
    "subtract": (operator.sub, [(0.3, -1.2)]),
    "multiply": (operator.mul, [(0.3, -1.2)]),
    "divide": (operator.truediv, [(0.3, -1.2), (-2.0, 0.7)]),
    "remainder": (lambda x, y: x - y * mpmath.floor(x / y), [(7.3, 2.1), (-7.3, 2.1), (7.3, -2.1), (-7.3, -2.1)]),
    "power": (operator.pow, [(0.3, 2.2), (1.7, -1.3), (2.5, 3.0)]),
    "negative": (operator.neg, [(0.3,)]),
    "absolute": (abs, [(0.3,), (-0.3,)]),
    "square": (lambda x: x * x, [(0.3,), (-1.1,)]),
    "reciprocal": (lambda x: 1 / x, [(0.3,), (-1.1,)]),
    "maximum": (max, [(0.3, 0.5), (0.5, 0.3)]),
    "minimum": (min, [(0.3, 0.5), (0.5, 0.3)]),
    "exp": (mpmath.exp, [(0.3,), (-4.0,)]),
    "expm1": (mpmath.expm1, [(1e-3,), (-2.0,)]),
    "log": (mpmath.log, [(0.3,), (40.0,)]),
    "log1p": (mpmath.log1p, [(1e-3,), (-0.6,), (7.0,)]),
    "sqrt": (mpmath.sqrt, [(0.3,), (17.0,)]),
    "rsqrt": (lambda x: 1 / mpmath.sqrt(x), [(0.3,), (17.0,)]),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), [(0.3,), (-3.0,), (3.0,)]),
    "sin": (mpmath.sin, [(0.3,), (-2.0,)]),
    "cos": (mpmath.cos, [(0.3,), (-2.0,)]),
    "tan": (mpmath.tan, [(0.3,), (-1.2,)]),
    "asin": (mpmath.asin, [(0.3,), (-0.9,)]),
    "acos": (mpmath.acos, [(0.3,), (-0.9,)]),
    "atan": (mpmath.atan, [(0.3,), (-3.0,)]),
    "atan2": (mpmath.atan2, [(0.3, 0.7), (-0.3, -0.7), (2.0, -0.1)]),
    "sinh": (mpmath.sinh, [(0.3,), (-2.0,)]),
    "cosh": (mpmath.cosh, [(0.3,), (-2.0,)]),
    "tanh": (mpmath.tanh, [(0.3,), (-2.0,)]),
    "asinh": (mpmath.asinh, [(0.3,), (-5.0,)]),
    "acosh": (mpmath.acosh, [(1.3,), (8.0,)]),
    "atanh": (mpmath.atanh, [(0.3,), (-0.9,)]),
    "erf": (mpmath.erf, [(0.3,), (-1.5,), (3.0,)]),
    "erfc": (mpmath.erfc, [(0.3,), (-1.5,), (3.0,)]),
    "digamma": (mpmath.digamma, [(0.3,), (1.4,), (9.0,), (30.0,), (-1.6,), (-7.3,)]),
    "lgamma": (lambda x: mpmath.re(mpmath.loggamma(x)), [(0.3,), (1.4,), (9.0,), (30.0,), (-1.6,)]),
}


def at(expression: Expression, point: tuple[float, ...]) -> float:
    return float(compile_numpy(expression, ["float64"] * len(point))(*map(np.float64, point)))


def exact_derivative(function: Callable[..., Any], point: tuple[float, ...], orders: tuple[int, ...]) -> float:
    with mpmath.workdps(80):
        if len(point) == 1:
            return float(mpmath.diff(function, mpmath.mpf(point[0]), orders[0]))
        return float(mpmath.diff(function, tuple(map(mpmath.mpf, point)), orders))


def test_every_function_with_a_derivative_is_a_case() -> None:
    differentiable = {name for name, function in BASIS.items() if any(function.derivatives)}
    assert differentiable == {*CASES, "select"}


@pytest.mark.parametrize("name", CASES)
def test_first_and_second_derivatives(name: str) -> None:
    function, points = CASES[name]
    arity = BASIS[name].arity
    expression = BASIS[name](*(Input(i) for i in range(arity)))
    for i in range(arity):
        first = derivative(expression, i)
        assert first is not None
        output_form, _ = derivative_with_output(expression, i)
        assert output_form is not None
        for point in points:
            orders = tuple(int(k == i) for k in range(arity))
            assert at(first, point) == pytest.approx(exact_derivative(function, point, orders), rel=1e-13)
            with_output = substitute_inputs(output_form, [*(Input(k) for k in range(arity)), expression])
            assert at(with_output, point) == pytest.approx(at(first, point), rel=1e-12)
            for j in range(arity):
                second = derivative(first, j)
                orders = tuple((k == i) + (k == j) for k in range(arity))
                expected = exact_derivative(function, point, orders)
                computed = 0.0 if second is None else at(second, point)
                assert computed == pytest.approx(expected, rel=2e-12, abs=1e-14), (i, j, point)


def test_trigamma_itself_has_derivatives() -> None:
    third = derivative(derivative(derivative(BASIS["lgamma"](x), 0), 0), 0)  # type: ignore[arg-type]
    assert third is not None
    for point in (0.2, 1.5, 12.0, -2.7):
        assert at(third, (point,)) == pytest.approx(float(mpmath.polygamma(2, point)), rel=1e-11)


def test_what_does_not_vary_has_none() -> None:
    for name in ("floor", "ceil", "round", "trunc", "sign", "is_nan"):
        assert derivative(BASIS[name](x), 0) is None
    for text in ("x1", "x0 < x1", "x0 // x1", "2.0", "cast(cast(x0, int32), float32)", "x0 ** 0.0", "floor(x0) * x1"):
        assert derivative(parse_expression(text), 0) is None, text


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        ("absolute(x0)", 0.0, 0.0),
        ("maximum(x0, 0.0)", 0.0, 1.0),
        ("maximum(0.0, x0)", 0.0, 0.0),
        ("minimum(x0, 0.0)", 0.0, 1.0),
        ("x0 ** 2.0", 0.0, 0.0),
        ("x0 ** 1.0", 0.0, 1.0),
        ("2.0 ** x0", 0.0, math.log(2.0)),
        ("0.0 ** x0", 2.0, 0.0),
        ("(-2.0) ** x0", 2.0, 0.0),
        ("sqrt(x0)", 0.0, math.inf),
        ("select(x0 > 0.0, log(x0), 0.0)", 0.0, 0.0),
        ("select(x0 > 0.0, sqrt(x0), x0)", 0.0, 1.0),
        ("select(x0 > 0.0, x0, exp(x0))", 1000.0, 1.0),
        ("maximum(x0, 1.0) ** 0.5", 0.0, 0.0),
    ],
)
def test_derivatives_at_singular_points(text: str, point: float, expected: float) -> None:
    result = derivative(parse_expression(text), 0)
    assert result is not None
    assert at(result, (point,)) == expected


def test_a_power_is_smooth_where_its_exponent_is_zero() -> None:
    first = derivative(x**y, 0)
    assert first is not None
    assert at(first, (0.0, 0.0)) == 0.0
    second = derivative(first, 1)
    assert second is not None
    assert np.isfinite(at(second, (0.0, 1.0)))


@pytest.mark.parametrize(
    ("text", "index", "expected"),
    [
        ("x0 + x1", 0, "1.0"),
        ("x0 - x1", 1, "-1.0"),
        ("x0 * x1", 0, "x1"),
        ("x0 * x0", 0, "x0 + x0"),
        ("square(x0)", 0, "2.0 * x0"),
        ("x0 ** 3.0", 0, "3.0 * square(x0)"),
        ("maximum(x0, x1)", 1, "select(x0 >= x1, 0.0, 1.0)"),
        ("maximum(x0, 0.0)", 0, "select(x0 >= 0.0, 1.0, 0.0)"),
        ("select(x0 > 0.0, x0, 0.1 * x0)", 0, "select(x0 > 0.0, 1.0, 0.1)"),
        ("exp(-x0)", 0, "-exp(-x0)"),
        ("cast(x0, float64) * x1", 0, "x1"),
        ("cast(square(x0), float64) * x1", 0, "x1 * cast(2.0 * x0, float64)"),
    ],
)
def test_forms(text: str, index: int, expected: str) -> None:
    assert str(derivative(parse_expression(text), index)) == expected


def test_conversions_convert_the_tangent() -> None:
    expression = parse_expression("sin(cast(exp(x0), float64)) * x1")
    result = derivative(expression, 0)
    assert result is not None
    assert result_dtype(result, ["float32", "float64"]) == "float64"


@pytest.mark.parametrize(
    ("text", "uses_output", "expected"),
    [
        ("exp(x0)", True, "x1"),
        ("tanh(x0)", True, "1.0 - x1 * x1"),
        ("sigmoid(x0)", True, "x1 * (1.0 - x1)"),
        ("sqrt(x0)", True, "0.5 / x1"),
        ("rsqrt(x0)", True, "-0.5 * (x1 * x1 * x1)"),
        ("reciprocal(x0)", True, "-x1 * x1"),
        ("tan(x0)", True, "1.0 + x1 * x1"),
        ("tanh(2.0 * x0)", True, "(1.0 - x1 * x1) * 2.0"),
        ("sin(x0)", False, "cos(x0)"),
        ("2.0 * exp(x0)", False, "2.0 * exp(x0)"),
    ],
)
def test_the_output_stands_for_the_expression(text: str, uses_output: bool, expected: str) -> None:
    result, uses = derivative_with_output(parse_expression(text), 0)
    assert str(result) == expected
    assert uses is uses_output


def test_the_number_of_inputs_may_be_given() -> None:
    result, uses = derivative_with_output(parse_expression("exp(x0)"), 0, 3)
    assert str(result) == "x3"
    assert uses
    assert derivative_with_output(parse_expression("exp(x0)"), 2, 3) == (None, False)
    with pytest.raises(InvalidArgumentError, match="at least 2 inputs, not 1"):
        derivative_with_output(x * y, 0, 1)


def test_derivatives_of_shared_expressions_stay_small() -> None:
    expression: Expression = x
    for _ in range(60):
        expression = expression * expression + y
    result = derivative(expression, 0)
    assert result is not None
    assert inputs_of(result) == (0, 1)
    assert len(nodes_of(result)) < 5 * len(nodes_of(expression))


def test_composed_functions_against_central_differences() -> None:
    texts = [
        "0.5 * x0 * (1.0 + erf(x0 / 1.4142135623730951))",
        "0.5 * (x0 + absolute(x0)) + log1p(exp(-absolute(x0)))",
        "x0 * sigmoid(x0 * x1)",
        "select(x0 > 0.0, x0, x1 * expm1(x0))",
        "lgamma(square(x0) + 1.0) / atan2(x0 + 3.0, 2.0 + x1)",
    ]
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-2, 2, (2, 200))
    step = 1e-5
    for text in texts:
        expression = parse_expression(text)
        for order in range(2):
            result = derivative(expression, 0)
            assert result is not None
            function = compile_numpy(expression, ["float64", "float64"])
            difference = (function(a + step, b) - function(a - step, b)) / (2 * step)
            computed = compile_numpy(result, ["float64", "float64"])(a, b)
            np.testing.assert_allclose(computed, difference, rtol=1e-6, atol=1e-8, err_msg=f"{text} {order}")
            expression = result
