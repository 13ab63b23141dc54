"""The NumPy code of scalar expressions: values, dtypes, halves, integers, and no warnings."""

from __future__ import annotations

import math
import operator
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.ops.scalar import (
    BASIS,
    Apply,
    Basis,
    Expression,
    Input,
    Literal,
    compile_numpy,
    fold_literals,
    inputs_of,
    nodes_of,
    numpy_source,
    parse_expression,
    simplify,
)
from dovetail.ops.scalar.basis import exp, maximum, select, sigmoid

x, y, z = Input(0), Input(1), Input(2)
FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-300, -1e300, np.inf, -np.inf, np.nan])


def run(expression: Expression, *arrays: Any) -> Any:
    arrays = tuple(np.asarray(array) for array in arrays)
    return compile_numpy(expression, [array.dtype for array in arrays])(*arrays)


def test_special_functions_at_the_edges() -> None:
    inf, nan = np.inf, np.nan
    cases = {
        "erf": ([0.0, -0.0, inf, -inf, nan, 5e-324], [0.0, -0.0, 1.0, -1.0, nan, 5e-324]),
        "erfc": ([0.0, inf, -inf, nan, 30.0], [1.0, 0.0, 2.0, nan, 0.0]),
        "lgamma": ([1.0, 2.0, 0.0, -0.0, -3.0, inf, -inf, nan], [0.0, 0.0, inf, inf, inf, inf, inf, nan]),
        "digamma": ([0.0, -0.0, -1.0, inf, -inf, nan], [-inf, inf, nan, inf, nan, nan]),
        "sigmoid": ([0.0, inf, -inf, nan, -1000.0], [0.5, 1.0, 0.0, nan, 0.0]),
        "rsqrt": ([0.0, inf, -1.0, 4.0], [inf, 0.0, nan, 0.5]),
        "round": ([0.5, 1.5, 2.5, -0.5], [0.0, 2.0, 2.0, -0.0]),
        "sign": ([0.0, -3.0, nan, inf], [0.0, -1.0, nan, 1.0]),
    }
    for name, (points, expected) in cases.items():
        for dtype in (np.float64, np.float32):
            result = run(BASIS[name](x), np.array(points, dtype))
            np.testing.assert_array_equal(result, np.array(expected, dtype), err_msg=name)
            assert not np.signbit(run(BASIS["lgamma"](x), dtype(1.0)))


@pytest.mark.parametrize("dtype", FLOATS)
def test_no_warning_escapes(dtype: Any) -> None:
    values = np.where(np.isfinite(SPECIAL), SPECIAL.clip(-6e4, 6e4), SPECIAL).astype(dtype)
    a, b = np.meshgrid(values, values)
    for function in BASIS.values():
        if function.domain in ("number", "numeric", "inexact", "floating", "any"):
            args = [a, b][: function.arity]
            run(function(*(Input(i) for i in range(function.arity))), *args)
            run(function(*(Input(i) for i in range(function.arity))), *(array[3, 2] for array in args))
    run(x * 1e300, a)
    run(parse_expression("cast(x0, float16)"), a)
    run(parse_expression("cast(x0, int32)"), a)


# Shapes and structure of the code.


def test_results_are_new_arrays_of_broadcast_shape() -> None:
    a = np.arange(6.0).reshape(2, 3)
    assert run(x + y, a, np.float64(1)).shape == (2, 3)
    assert run(x * y, np.ones((2, 1)), np.ones(3)).shape == (2, 3)
    for expression in (x, parse_expression("cast(x0, float64)"), x * 1.0):
        result = run(expression, a)
        np.testing.assert_array_equal(result, a)
        assert not np.shares_memory(result, a)
    zero_dimensional = run(x + 1.0, np.array(2.0))
    assert type(zero_dimensional) is np.ndarray
    assert zero_dimensional.shape == ()
    constant = compile_numpy(Literal(2.5), [])
    constant()[...] = 7
    assert constant() == 2.5
    assert run(x + y, np.ones((0, 3)), np.ones(3)).shape == (0, 3)


def test_shared_subexpressions_are_computed_once() -> None:
    source = numpy_source(parse_expression("exp(x0) * (1.0 + exp(x0)) / exp(x0)"), ["float32"])
    assert source.count("exp(") == 1


def test_a_single_function_is_the_ufunc_itself() -> None:
    assert compile_numpy(x + y, ["float32", "float32"], guarded=False) is np.add
    assert compile_numpy(x < y, ["int8", "int8"], guarded=False) is np.less
    assert compile_numpy(x / y, ["int8", "int8"], guarded=False) is not np.true_divide
    assert compile_numpy(x + y, ["float16", "float16"], guarded=False) is not np.add
    assert compile_numpy(y - x, ["float32", "float32"], guarded=False) is not np.subtract


def test_dtypes_may_be_left_to_the_call() -> None:
    function = compile_numpy(x * 2 + y)
    assert function is compile_numpy(x * 2 + y)
    for dtype in (np.float32, np.int8, ml_dtypes.bfloat16):
        assert function(np.ones(2, dtype), np.ones(2, dtype)).dtype == dtype


def test_deep_code_compiles() -> None:
    expression: Expression = x
    for _ in range(400):
        expression = maximum(expression, y) * 0.5
    assert np.isfinite(run(expression, 3.0, 1.0))


@given(st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64, np.int8, np.int16, np.int64, np.bool_]))
def test_select_of_large_arrays_is_where(seed: int, dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((50, 100)) > 0.5
    a, b = (rng.integers(0, 256, (50, 100 * np.dtype(dtype).itemsize), np.uint8).view(dtype) for _ in range(2))
    if dtype is np.bool_:
        a, b = mask[::-1], mask[:, ::-1]
    for left, right in ((a, b), (a, b[0]), (a[:, :1], b), (a, np.zeros((), dtype)), (np.zeros((), dtype), b)):
        result = run(select(x, y, z), mask, left, right)
        assert result.dtype == dtype
        assert result.tobytes() == np.where(mask, left, right).tobytes()


def test_select_of_strings() -> None:
    words = np.array([b"a", b"bc"], object)
    np.testing.assert_array_equal(run(select(x, y, z), np.array([True, False]), words, words[::-1]), [b"a", b"a"])
    np.testing.assert_array_equal(run(parse_expression("x0 == x1"), words, words[::-1]), [False, False])


# Halves: computed in float32, rounded once.


@pytest.mark.parametrize("dtype", FLOATS[:2])
def test_halves_are_computed_in_single_precision(dtype: Any) -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 1000)).astype(dtype)
    wide_a, wide_b = a.astype(np.float32), b.astype(np.float32)
    expression = x * y + 0.1
    expected = (wide_a * wide_b + np.float32(0.1)).astype(dtype)
    assert run(expression, a, b).tobytes() == expected.tobytes()
    assert run(x < y, a, b).tobytes() == (wide_a < wide_b).tobytes()
    assert run(exp(x), a).dtype == dtype


def test_conversion_to_a_half_rounds_where_it_stands() -> None:
    values = np.linspace(0, 1, 100, dtype=np.float32)
    rounded = run(parse_expression("cast(cast(x0, bfloat16), float32)"), values)
    assert rounded.tobytes() == values.astype(ml_dtypes.bfloat16).astype(np.float32).tobytes()
    once = run(parse_expression("cast(x0, bfloat16)"), values)
    assert once.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(once.astype(np.float32), rounded)


def test_conversions() -> None:
    values = np.array([1.7, -2.5, 0.0], np.float32)
    np.testing.assert_array_equal(run(parse_expression("cast(x0, int32)"), values), np.array([1, -2, 0], np.int32))
    np.testing.assert_array_equal(run(parse_expression("cast(x0, bool)"), values), [True, True, False])
    np.testing.assert_array_equal(run(parse_expression("cast(x0, int8)"), np.array([300, -1])), np.int8([44, -1]))
    np.testing.assert_array_equal(run(parse_expression("cast(x0, float32) * 2.0"), np.array([True])), [2.0])
    assert run(parse_expression("cast(2.75, int32) + x0"), np.int32([1])) == 3


# Integers.


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_arithmetic_wraps_and_floors(dtype: Any) -> None:
    info = np.iinfo(dtype)
    signed = info.min < 0
    a = np.array([7, 7, info.max, *([-7, -7] if signed else [])], dtype)
    b = np.array([2, 3, 2, *([2, -3] if signed else [])], dtype)
    for expression, function in (
        (x // y, operator.floordiv), (x % y, operator.mod), (x + y, operator.add), (x * y, operator.mul)
    ):  # fmt: skip
        result = run(expression, a, b)
        exact = [function(int(p), int(q)) for p, q in zip(a, b, strict=True)]
        wrapped = [(v - int(info.min)) % (1 << info.bits) + int(info.min) for v in exact]
        assert result.dtype == dtype
        assert result.tolist() == wrapped
    quotient = run(x / y, a, b)
    wide = np.float64 if info.bits >= 32 else np.float32
    assert quotient.dtype == wide
    np.testing.assert_array_equal(quotient, a.astype(wide) / b.astype(wide))
    assert run(BASIS["floor"](x), a).dtype == dtype


def test_integer_division_by_zero_is_an_error_and_floating_is_not() -> None:
    a, zero = np.int32([1, -1, 0]), np.int32([1, 0, 1])
    with pytest.raises(ZeroDivisionError, match="integer division by zero"):
        run(x // y, a, zero)
    with pytest.raises(ZeroDivisionError, match="integer remainder by zero"):
        run(x % y, a, zero)
    with pytest.raises(ValueError, match="negative integer power"):
        run(x**y, a, -zero)
    with np.errstate(all="ignore"), pytest.raises(ZeroDivisionError):
        compile_numpy(x // y, ["int32", "int32"], guarded=False)(a, zero)
    np.testing.assert_array_equal(run(x / y, a, zero), [1.0, -np.inf, 0.0])
    np.testing.assert_array_equal(run(x // y, np.array([1.0, -1.0, 0.0]), 0.0), [np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(run(x % y, np.array([1.0]), 0.0), [np.nan])
    assert run(x // y, np.int32([-(2**31)]), np.int32([-1])) == -(2**31)
    assert run(x // y, 1.0, 0.1) == 10.0


def test_shifts_and_bits() -> None:
    a, b = np.int8([-128, 5, 5, -1]), np.int8([1, 1, 9, 7])
    np.testing.assert_array_equal(run(BASIS["left_shift"](x, y), a, b), np.int8([0, 10, 0, -128]))
    np.testing.assert_array_equal(run(BASIS["right_shift"](x, y), a, b), np.int8([-64, 2, 0, -1]))
    np.testing.assert_array_equal(run(BASIS["invert"](x), np.uint8([0, 5])), np.uint8([255, 250]))
    np.testing.assert_array_equal(run(BASIS["bitwise_xor"](x, 6), np.uint8([5])), np.uint8([3]))


# Simplification changes no bit: against an interpreter that does no simplification.


def interpret(expression: Expression, values: list[Any]) -> Any:
    """Evaluate in float64, node by node."""
    done: dict[Expression, Any] = {}
    with np.errstate(all="ignore"):
        for node in nodes_of(expression):
            if isinstance(node, Input):
                done[node] = values[node.index]
            elif isinstance(node, Literal):
                done[node] = np.full(values[0].shape, float(node.value))
            else:
                assert isinstance(node, Apply)
                done[node] = node.function.numpy(*(done[arg] for arg in node.args))
    return done[expression]


_floating = ["add", "subtract", "multiply", "divide", "negative", "absolute", "maximum", "sqrt", "floor", "square"]


def floating_expressions(children: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    def apply(function: Basis) -> st.SearchStrategy[Expression]:
        return st.tuples(*[children] * function.arity).map(lambda args: function(*args))

    compared = st.tuples(children, children, children, children).map(lambda a: select(a[0] < a[1], a[2], a[3]))
    return st.one_of(st.sampled_from([BASIS[name] for name in _floating]).flatmap(apply), compared)


_numbers = st.one_of(st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, math.inf, math.nan]), st.floats(-3, 3))
_leaves = st.one_of(st.sampled_from([x, y]), _numbers.map(Literal))


@given(st.recursive(_leaves, floating_expressions, max_leaves=15))
def test_simplification_changes_no_bit(expression: Expression) -> None:
    a, b = (grid.ravel() for grid in np.meshgrid(SPECIAL, SPECIAL))
    expected = interpret(expression, [a, b])
    for other in (simplify(expression), fold_literals(expression)):
        result = interpret(other, [a, b])
        nan = np.isnan(expected)
        np.testing.assert_array_equal(np.isnan(result), nan)
        assert np.where(nan, 0, result).tobytes() == np.where(nan, 0, expected).tobytes()
    result = np.broadcast_to(compile_numpy(expression, ["float64", "float64"])(a, b), a.shape)
    if result.dtype == np.float64 and not any(map(chooses_literals, nodes_of(expression))):
        np.testing.assert_array_equal(result, expected)


def chooses_literals(node: Expression) -> bool:
    """Whether ``node`` is a choice between literals: that is float32, beside which other literals are rounded."""
    return isinstance(node, Apply) and node.function is BASIS["select"] and not any(map(inputs_of, node.args[1:]))


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        ("--x0", "x0"),
        ("x0 * 1.0", "x0"),
        ("1 * x0", "x0"),
        ("x0 / 1.0", "x0"),
        ("x0 / 1", "x0 / 1"),
        ("x0 - 0.0", "x0"),
        ("x0 + 0.0", "x0 + 0.0"),
        ("x0 + -0.0", "x0"),
        ("x0 - -x1", "x0 + x1"),
        ("x0 + -x1", "x0 - x1"),
        ("-1.0 * x0", "-x0"),
        ("x0 ** 2.0", "square(x0)"),
        ("x0 ** 1.0", "x0"),
        ("select(x0 < x1, x0, x0)", "select(x0 < x1, x0, x0)"),
        ("select(x0 < 1.0, x0, x0)", "x0"),
        ("select(1.0 < 2.0, x0, 3.0)", "x0"),
        ("select(1.0 < 2.0, x0, x1)", "select(True, x0, x1)"),
        ("select(True, 1.0, x0)", "select(True, 1.0, x0)"),
        ("~~(x0 < x1)", "x0 < x1"),
        ("x0 * (2 + 3)", "x0 * 5"),
        ("x0 * (7 // 2 % 2 - 10 ** 20)", "x0 * -99999999999999999999"),
        ("x0 * (1 / 4)", "x0 * 0.25"),
        ("x0 * sqrt(2)", "x0 * 1.4142135623730951"),
        ("x0 * select(True, 1, 2.0)", "x0"),
        ("x0 * sign(-3)", "x0 * -1"),
    ],
)
def test_simple_forms(text: str, simple: str) -> None:
    assert str(simplify(parse_expression(text))) == simple


def test_literals_without_a_value_are_refused() -> None:
    from dovetail.errors import DTypeError

    for text, message in (
        ("x0 + 1 // 0", "1 // 0 has no value"),
        ("x0 + 2 ** -1", "has no value: an integer to a negative"),
        ("x0 + (True + 1)", "truth values are no numbers"),
        ("select(1, 2, 3) * x0", "the condition is 1, not a bool"),
    ):
        with pytest.raises(DTypeError, match=message):
            simplify(parse_expression(text))


def test_sigmoid_is_accurate_on_both_sides() -> None:
    values = np.array([-100.0, -50.0, -1.0, 1.0, 50.0], np.float32)
    exact = np.array([1 / (1 + math.exp(-float(v))) for v in values])
    np.testing.assert_allclose(run(sigmoid(x), values), exact, rtol=4e-7, atol=2e-45)
