"""Elementwise mathematics: values against NumPy, dtypes, names, operators, gradients, refusals."""

from __future__ import annotations

import inspect
import math
import operator as python
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as hnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, OperationError, ShapeError
from dovetail.ops.arithmetic import AddN
from dovetail.ops.casting import Cast
from dovetail.ops.scalars import Scalar, ScalarOp, scalar
from dovetail.ops.selection import Select
from dovetail.types.dims import Symbol
from dovetail.types.shapes import Shape
from tests.core.values import run, same

FLOATS = np.array([-2.5, -1.0, -0.3, 0.0, 0.4, 1.5, 3.0], np.float32)
POSITIVE = np.array([0.1, 0.5, 1.0, 2.5, 7.0], np.float32)
INSIDE = np.array([-0.9, -0.2, 0.0, 0.5, 0.99], np.float32)


class TestValues:
    @pytest.mark.parametrize(
        ("function", "reference", "x"),
        [
            (dt.negative, np.negative, FLOATS),
            (dt.abs, np.abs, FLOATS),
            (dt.sign, np.sign, FLOATS),
            (dt.square, np.square, FLOATS),
            (dt.reciprocal, np.reciprocal, POSITIVE),
            (dt.exp, np.exp, FLOATS),
            (dt.expm1, np.expm1, FLOATS),
            (dt.log, np.log, POSITIVE),
            (dt.log1p, np.log1p, POSITIVE),
            (dt.sqrt, np.sqrt, POSITIVE),
            (dt.rsqrt, lambda x: 1 / np.sqrt(x), POSITIVE),
            (dt.sin, np.sin, FLOATS),
            (dt.cos, np.cos, FLOATS),
            (dt.tan, np.tan, FLOATS),
            (dt.asin, np.arcsin, INSIDE),
            (dt.acos, np.arccos, INSIDE),
            (dt.atan, np.arctan, FLOATS),
            (dt.sinh, np.sinh, FLOATS),
            (dt.cosh, np.cosh, FLOATS),
            (dt.tanh, np.tanh, FLOATS),
            (dt.asinh, np.arcsinh, FLOATS),
            (dt.acosh, np.arccosh, POSITIVE + 1),
            (dt.atanh, np.arctanh, INSIDE),
            (dt.sigmoid, lambda x: 1 / (1 + np.exp(-x)), FLOATS),
            (dt.erf, np.vectorize(math.erf), FLOATS),
            (dt.erfc, np.vectorize(math.erfc), FLOATS),
            (dt.lgamma, np.vectorize(math.lgamma), POSITIVE),
            (dt.floor, np.floor, FLOATS),
            (dt.ceil, np.ceil, FLOATS),
            (dt.round, np.rint, FLOATS),
            (dt.rint, np.rint, FLOATS),
            (dt.is_nan, np.isnan, FLOATS),
            (dt.is_inf, np.isinf, FLOATS),
            (dt.is_finite, np.isfinite, FLOATS),
        ],
    )
    def test_of_one(self, function: Any, reference: Any, x: Any) -> None:
        result = run(function(x))
        expected = np.asarray(reference(x))
        assert result.dtype == (expected.dtype if expected.dtype == bool else x.dtype)
        np.testing.assert_allclose(result, expected, rtol=2e-6, atol=1e-7)

    @pytest.mark.parametrize(
        ("function", "reference"),
        [
            (dt.add, np.add),
            (dt.subtract, np.subtract),
            (dt.multiply, np.multiply),
            (dt.divide, np.divide),
            (dt.truediv, np.divide),
            (dt.div, np.divide),
            (dt.floordiv, np.floor_divide),
            (dt.mod, np.mod),
            (dt.maximum, np.maximum),
            (dt.minimum, np.minimum),
            (dt.atan2, np.arctan2),
            (dt.squared_difference, lambda x, y: (x - y) ** 2),
            (dt.equal, np.equal),
            (dt.not_equal, np.not_equal),
            (dt.less, np.less),
            (dt.less_equal, np.less_equal),
            (dt.greater, np.greater),
            (dt.greater_equal, np.greater_equal),
        ],
    )
    def test_of_two_with_broadcasting(self, function: Any, reference: Any) -> None:
        y = np.array([[0.5], [1.5], [-2.0]], np.float32)
        result = run(function(FLOATS, y))
        assert result.shape == (3, 7)
        np.testing.assert_allclose(result, reference(FLOATS, y), rtol=1e-6, atol=1e-6)

    def test_digamma_is_the_slope_of_lgamma(self) -> None:
        x = np.array([0.7, 1.9, 6.0])
        slope = (run(dt.lgamma(x + 1e-6)) - run(dt.lgamma(x - 1e-6))) / 2e-6
        np.testing.assert_allclose(run(dt.digamma(x)), slope, rtol=1e-7)

    def test_powers(self) -> None:
        same(run(dt.pow(np.int32([2, 3]), np.int32([3, 2]))), np.int32([8, 9]))
        np.testing.assert_allclose(run(dt.pow(POSITIVE, 0.5)), np.sqrt(POSITIVE), rtol=1e-6)
        two = dt.pow(dt.constant([3.0, -4.0]), 2)
        assert two.op.type == "Square"
        same(run(two), np.float32([9.0, 16.0]))
        same(run(dt.constant([3, -4]) ** 2), np.int32([9, 16]))
        assert (dt.constant(3.0) ** 2.0).op.type == "Square"

    def test_integers_divide_as_python_3_does(self) -> None:
        x = np.int32([-7, 7])
        same(run(dt.divide(x, 2)), np.array([-3.5, 3.5]))
        same(run(dt.divide(x.astype(np.int8), 2)), np.float32([-3.5, 3.5]))
        same(run(dt.floordiv(x, 2)), np.int32([-4, 3]))
        same(run(dt.div(x, 2)), np.int32([-4, 3]))
        same(run(dt.truncatediv(x, 2)), np.int32([-3, 3]))
        same(run(dt.mod(x, -3)), np.int32([-1, -2]))
        same(run(dt.floormod(np.int32([-7, 7]), 3)), np.int32([2, 1]))

    def test_division_without_nan(self) -> None:
        x, y = dt.constant([1.0, 0.0, 3.0]), dt.constant([0.0, 0.0, 2.0])
        quotient = dt.div_no_nan(x, y)
        same(run(quotient), np.float32([0.0, 0.0, 1.5]))
        for gradient in run(dt.gradients(quotient, [x, y])):
            assert np.isfinite(gradient).all()

    def test_clipping(self) -> None:
        x = np.float32([-3, 0.5, np.nan, 7])
        same(run(dt.clip_by_value(x, 0.0, 1.0)), np.float32([0, 0.5, np.nan, 1]))
        same(run(dt.clip_by_value(np.int32([1, 9]), clip_value_min=2, clip_value_max=5)), np.int32([2, 5]))
        same(run(dt.clip_by_value(np.float32([0.0, 9.0]), 5.0, 2.0)), np.float32([5.0, 5.0]))

    def test_relu_keeps_nan_and_has_no_slope_at_zero(self) -> None:
        x = dt.constant([-1.0, 0.0, 2.0, float("nan")])
        y = dt.nn.relu(x) if "relu" in dir(dt.nn) else dt.relu(x)
        same(run(y), np.float32([0, 0, 2, np.nan]))
        same(run(dt.gradients(y, x)[0])[:3], np.float32([0, 0, 1]))
        same(run(dt.relu(np.int32([-2, 3]))), np.int32([0, 3]))

    def test_logic_and_bits(self) -> None:
        a, b = np.array([True, True, False, False]), np.array([True, False, True, False])
        same(run(dt.logical_and(a, b)), a & b)
        same(run(dt.logical_or(a, b)), a | b)
        same(run(dt.logical_xor(a, b)), a ^ b)
        same(run(dt.logical_not(a)), ~a)
        x, y = np.int32([12, -5]), np.int32([10, 3])
        same(run(dt.bitwise_and(x, y)), x & y)
        same(run(dt.bitwise_or(x, y)), x | y)
        same(run(dt.bitwise_xor(x, y)), x ^ y)
        same(run(dt.invert(x)), ~x)
        same(run(dt.left_shift(x, 2)), x << 2)
        same(run(dt.right_shift(x, 1)), x >> 1)

    def test_strings_compare(self) -> None:
        x = dt.constant(["a", "b"])
        same(run(dt.equal(x, "b")), [False, True])
        same(run(dt.not_equal(x, [b"a", b"c"])), [False, True])

    @pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
    def test_half_types_round_once(self, dtype: Any) -> None:
        x = np.array([0.1, 0.7, 3.0], dtype)
        result = run(dt.sigmoid(x))
        assert result.dtype == dtype
        wide = x.astype(np.float32)
        np.testing.assert_array_equal(result, (1 / (1 + np.exp(-wide))).astype(dtype))

    def test_no_warning_where_ieee_754_has_an_answer(self) -> None:
        same(run(dt.divide(np.float32([1, -1, 0]), 0.0)), np.float32([np.inf, -np.inf, np.nan]))
        same(run(dt.log(np.float32([0, -1]))), np.float32([-np.inf, np.nan]))
        same(run(dt.exp(np.float32([1000]))), np.float32([np.inf]))
        same(run(dt.multiply(np.float32([3e38]), 10.0)), np.float32([np.inf]))

    def test_empty(self) -> None:
        same(run(dt.exp(np.zeros((0, 3), np.float32)) + 1.0), np.zeros((0, 3), np.float32))

    @given(hnp.mutually_broadcastable_shapes(num_shapes=2, min_dims=0, max_dims=3, min_side=0, max_side=3))
    def test_broadcasting_is_numpys(self, shapes: Any) -> None:
        dt.reset_default_graph()
        x, y = (np.arange(math.prod(shape), dtype=np.float64).reshape(shape) for shape in shapes.input_shapes)
        total = dt.subtract(x, y)
        assert total.shape == shapes.result_shape
        same(run(total), x - y)

    def test_integer_division_by_zero_fails_when_it_runs(self) -> None:
        with pytest.raises(OperationError, match="integer division by zero"):
            run(dt.floordiv(dt.constant([1]), dt.constant([0])))


class TestOperands:
    """What stands beside a tensor takes its dtype, where nothing is lost."""

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "int8", "uint8", "int64"])
    def test_numbers_take_the_tensors_dtype(self, dtype: str) -> None:
        x = dt.constant([1, 2], dtype)
        for result in (x + 1, 1 + x, dt.add(1, x), dt.maximum(x, 1)):
            assert result.dtype == dtype

    def test_arrays_take_it_too(self) -> None:
        x = dt.constant([1.0, 2.0])
        assert (x + np.array([1.0, 2.0])).dtype is dt.float32
        assert (np.array([1, 2]) * x).dtype is dt.float32
        assert (np.float64(2.0) * x).dtype is dt.float32
        assert dt.add(x, [1, 2]).dtype is dt.float32

    def test_without_a_tensor_an_array_leads_then_fractions(self) -> None:
        assert dt.add(1, 2).dtype is dt.int32
        assert dt.add(1, 2.5).dtype is dt.float32
        same(run(dt.add(1, 2.5)), np.float32(3.5))
        assert dt.add(1, np.array([1.0])).dtype is dt.float64
        assert dt.multiply(np.arange(3, dtype=np.int16), 2).dtype is dt.int16
        assert dt.less([1, 2], 1.5).dtype is dt.bool

    @pytest.mark.reference
    def test_variables_and_lists_of_tensors(self) -> None:
        w = dt.Variable([1.0, 2.0])
        packed = [dt.constant(1.0, dt.float64), dt.constant(2.0, dt.float64)] * dt.constant([3.0, 4.0], dt.float64)
        with dt.Session() as session:
            session.run(w.initializer)
            same(session.run(2.0 * w + 1), np.float32([3, 5]))
            same(session.run(dt.exp(w)), np.exp(np.float32([1, 2])))
            same(session.run(packed), np.array([3.0, 8.0]))

    def test_dimensions(self) -> None:
        x = dt.placeholder(dt.float32, [None, 2])
        same(run(x * x.shape[0], {x: np.ones((3, 2))}), np.full((3, 2), 3, np.float32))

    def test_constants_are_named_after_their_parameter(self) -> None:
        x = dt.constant([1.0])
        assert [op.name for op in ((x + 1.0).op, (x + 1.0).op)] == ["add", "add_1"]
        graph = dt.get_default_graph()
        assert graph.get_operation_by_name("add/y").type == "Constant"
        assert graph.get_operation_by_name("add_1/y").type == "Constant"
        with dt.name_scope("head"):
            assert (2.0 * x).op.inputs[0].name == "head/mul/x:0"
        assert dt.clip_by_value(x, 0.0, 1.0, name="clipped").op.inputs[1].name == "clipped/clip_value_min:0"
        with dt.name_scope("add/"):
            assert dt.constant(1.0, name="y").name == "add/y_1:0"

    def test_a_fraction_beside_integers(self) -> None:
        x = dt.constant([1, 2, 3], name="x")
        with pytest.raises(
            DTypeError,
            match=r'^add: y is 0\.5 \(float\), which does not become int32; it stands beside "x:0" of type int32\[3\]'
            r"\. Use dt\.cast on one of them\. \(at tests/core/test_math\.py:\d+\)$",
        ):
            x + 0.5
        with pytest.raises(DTypeError, match=r'^multiply: x is array\(\[0\.5\]\) \(float64 array\), .*"x:0"'):
            np.array([0.5]) * x

    def test_a_truth_value_is_no_number(self) -> None:
        with pytest.raises(DTypeError, match=r'^add: y is True \(bool\), which does not become float32; .* "Const:0"'):
            dt.constant([1.0]) + True

    def test_a_number_out_of_range(self) -> None:
        with pytest.raises(
            InvalidArgumentError, match=r"^add: y: 300 does not fit uint8, which holds 0 to 255\. \(at "
        ):
            dt.constant([1], dt.uint8) + 300
        with pytest.raises(InvalidArgumentError, match="overflows float16, whose largest value is 65504"):
            dt.constant([1.0], dt.float16) * 1e6

    def test_zeros_keep_their_sign(self) -> None:
        x = dt.constant([1.0])
        signs = [np.signbit(run(y))[0] for y in (x * 0.0, x * -0.0, x * 0.0)]
        assert signs == [False, True, False]
        assert np.isnan(run(x * float("nan")))

    def test_tensors_of_two_dtypes(self) -> None:
        x, y = dt.constant([1.0, 2.0]), dt.constant([[1.0]], dt.float64)
        with pytest.raises(
            DTypeError,
            match=r"^add: input 0 is float32\[2\] and input 1 is float64\[1, 1\]; operands must have one dtype\. "
            r'Use dt\.cast on one of them\. \(node "add" made at tests/core/test_math\.py:\d+\)$',
        ):
            x + y
        unknown = dt.placeholder(dt.int32)
        with pytest.raises(DTypeError, match=r"^multiply: input 0 is float32 and input 1 is int32; .* dt\.cast"):
            x * unknown

    def test_shapes_that_do_not_broadcast(self) -> None:
        x, y = dt.zeros([2, 3]), dt.zeros([4])
        with pytest.raises(
            ShapeError,
            match=r"^subtract: the shapes do not broadcast: input 0 is float32\[2, 3\], input 1 is float32\[4\]\. "
            r'Aligned at the right, sizes must be equal or 1; reshape one of them\. \(node "sub" made at ',
        ):
            x - y

    @pytest.mark.parametrize(
        ("function", "values", "message"),
        [
            (
                dt.exp,
                [[1, 2]],
                r"^exp: input 0 is int32\[2\], where a floating or complex dtype is wanted\. Use dt\.cast\.",
            ),
            (dt.add, [True, False], r"^add: input 0 is bool\[\], where a numeric dtype is wanted"),
            (dt.logical_and, [1, 2], r"^logical_and: input 0 is int32\[\], where bool is wanted"),
            (dt.bitwise_and, [1.0, 2.0], r"^bitwise_and: input 0 is float32\[\], where an integer dtype is wanted"),
            (dt.add, ["a", "b"], r"^add: input 0 is string\[\], where a numeric dtype is wanted"),
            (dt.pow, [True, 3], r"^pow: "),
        ],
    )
    def test_a_dtype_that_the_function_does_not_take(self, function: Any, values: Any, message: str) -> None:
        with pytest.raises(DTypeError, match=message):
            function(*values)

    def test_arguments_are_counted(self) -> None:
        with pytest.raises(TypeError, match=r"^add: missing a required argument: 'y'; it takes \(x, y, name=None\)\."):
            dt.add(1.0)
        with pytest.raises(
            TypeError, match=r"^exp: got an unexpected keyword argument 'y'; it takes \(x, name=None\)\."
        ):
            dt.exp(1.0, y=2.0)
        assert dt.add(y=1.0, x=2.0).op.inputs[0].name == "Add/x:0"
        assert dt.add(1.0, 2.0, "sum").name == "sum:0"
        assert dt.exp(x=1.0, name="e").name == "e:0"


class TestNames:
    """Types and names of nodes are TensorFlow 1's."""

    def test_types(self) -> None:
        x = dt.constant([1.0])
        made = [dt.add(x, x), dt.subtract(x, x), dt.multiply(x, x), dt.divide(x, x), dt.floordiv(x, x), dt.mod(x, x)]
        assert [one.op.type for one in made] == ["Add", "Sub", "Mul", "RealDiv", "FloorDiv", "FloorMod"]
        assert [one.op.name for one in made] == ["Add", "Sub", "Mul", "RealDiv", "FloorDiv", "FloorMod"]
        assert [dt.negative(x).op.type, dt.pow(x, x).op.type, dt.is_nan(x).op.type] == ["Neg", "Pow", "IsNan"]
        assert dt.logical_and(True, False).op.type == "LogicalAnd"

    def test_operators_name_their_nodes(self) -> None:
        x = dt.constant([1.0])
        made = [x + x, x - x, x * x, x / x, x // x, x % x, x**x, -x, abs(x), x < x]
        assert [one.name.split(":")[0] for one in made] == [
            "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "Neg", "Abs", "Less",
        ]  # fmt: skip

    def test_aliases(self) -> None:
        assert dt.floordiv is dt.floor_div is dt.floor_divide
        assert dt.mod is dt.floormod
        assert dt.rint is dt.round


class TestOperators:
    @pytest.mark.parametrize(
        "operator",
        [
            python.add, python.sub, python.mul, python.truediv, python.floordiv, python.mod, python.pow, python.lt,
            python.le, python.gt, python.ge,
        ],
    )  # fmt: skip
    def test_numbers_on_both_sides(self, operator: Callable[..., Any]) -> None:
        x = np.array([0.5, 2.0, 3.5])
        tensor = dt.constant(x)
        for result, expected in (
            (operator(tensor, 2.5), operator(x, 2.5)),
            (operator(2.5, tensor), operator(2.5, x)),
            (operator(tensor, tensor), operator(x, x)),
            (operator(x, tensor), operator(x, x)),
        ):
            np.testing.assert_allclose(run(result), expected)

    def test_unary(self) -> None:
        x = dt.constant([-1.5, 2.0])
        same(run([-x, +x, abs(x)]), np.float32([[1.5, -2], [-1.5, 2], [1.5, 2]]))

    def test_logic_follows_the_dtype(self) -> None:
        flags, numbers = dt.constant([True, False]), dt.constant([6, 5])
        same(run(flags & True), [True, False])
        same(run(True | flags), [True, True])
        same(run(flags ^ flags), [False, False])
        same(run(~flags), [False, True])
        same(run(numbers & 3), np.int32([2, 1]))
        same(run(3 | numbers), np.int32([7, 7]))
        same(run(numbers ^ numbers), np.int32([0, 0]))
        same(run(~numbers), np.int32([-7, -6]))
        with pytest.raises(DTypeError, match=r"^logical_and: input 0 is float32\[\], where bool is wanted"):
            dt.constant(1.0) & 1.0


class TestSymbolic:
    def test_shapes(self) -> None:
        x, y = dt.placeholder(dt.float32, ["n", 3]), dt.placeholder(dt.float32, ["n", 1])
        assert (x + y).shape == [Symbol("n"), 3]
        assert (x + dt.placeholder(dt.float32, [4, "n", 1])).shape == [4, Symbol("n"), 3]

    def test_unknown_ranks(self) -> None:
        x = dt.placeholder(dt.float32)
        y = dt.exp(x) * 2.0
        assert y.shape.rank is None
        assert y.dtype is dt.float32
        same(run(y, {x: np.zeros((2, 1))}), np.full((2, 1), 2, np.float32))
        (gradient,) = dt.gradients(y, x)
        same(run(gradient, {x: np.zeros((2, 1))}), np.full((2, 1), 2, np.float32))

    def test_arithmetic_of_sizes_is_known(self) -> None:
        x = dt.placeholder(dt.float32, ["n", 4])
        size = dt.shape(x)
        n = Symbol("n")
        for value, expected in (
            (size[0] * 2 + 1, 2 * n + 1),
            (size[0] // 2, n // 2),
            (size[0] % 2, n - 2 * (n // 2)),
            (dt.maximum(size[1], 7), 7),
            (dt.cast(size[0], dt.int64) - 1, n - 1),
            (-size[1], -4),
            (dt.square(size[1]), 16),
        ):
            assert value.symbolic_value.item() == expected
        assert (size[1] // 0).symbolic_value is None
        assert (dt.constant([2**31 - 1]) + 1).symbolic_value is None
        assert (dt.constant([200], dt.uint8) + 100).symbolic_value is None
        assert dt.cast(dt.constant([2**40], dt.int64), dt.int32).symbolic_value is None

    def test_a_constraint_is_checked_when_fed(self) -> None:
        x, y = dt.placeholder(dt.float32, [None]), dt.placeholder(dt.float32, [None])
        total = x + y
        same(run(total, {x: [1, 2], y: [3]}), np.float32([4, 5]))
        same(run(total, {x: [1], y: [3, 4]}), np.float32([4, 5]))
        with pytest.raises(InvalidArgumentError, match="= 2 and .* = 3"):
            run(total, {x: [1, 2], y: [3, 4, 5]})

    def test_gradients_where_one_is_fed_as_one(self) -> None:
        x, y = dt.placeholder(dt.float32, [None, 2]), dt.placeholder(dt.float32, [None, 2])
        gradients = dt.gradients(x * y, [x, y])
        left, right = run(gradients, {x: np.ones((3, 2)), y: np.full((1, 2), 2)})
        same(left, np.full((3, 2), 2, np.float32))
        same(right, np.full((1, 2), 3, np.float32))


class TestGradients:
    def test_are_summed_over_what_was_broadcast(self) -> None:
        x, y = dt.constant(np.ones((2, 3))), dt.constant(np.full((3,), 2.0))
        scale = dt.constant(np.array(3.0))
        by_x, by_y, by_scale = run(dt.gradients(x * y * scale, [x, y, scale]))
        same(by_x, np.full((2, 3), 6.0))
        same(by_y, np.full((3,), 6.0))
        same(by_scale, np.array(12.0)[()])

    def test_extremes_give_ties_to_the_first(self) -> None:
        x, y = dt.constant([1.0, 2.0, 3.0]), dt.constant([2.0, 2.0, 2.0])
        for function, expected in ((dt.maximum, [[0, 1, 1], [1, 0, 0]]), (dt.minimum, [[1, 1, 0], [0, 0, 1]])):
            same(run(dt.gradients(function(x, y), [x, y])), np.float32(expected))

    def test_powers_at_their_edges(self) -> None:
        x, y = dt.constant([0.0, -2.0, 2.0]), dt.constant([2.0, 2.0, 0.0])
        by_x, by_y = run(dt.gradients(dt.pow(x, y), [x, y]))
        same(by_x, np.float32([0, -4, 0]))
        np.testing.assert_allclose(by_y, [0, 0, math.log(2)], rtol=1e-6)

    def test_steps_have_none(self) -> None:
        x = dt.constant([1.5])
        for y in (dt.floor(x), dt.ceil(x), dt.round(x), dt.sign(x), dt.cast(dt.cast(x, dt.int32), dt.float32)):
            assert dt.gradients(y, x) == [None]

    def test_only_what_is_wanted_is_made(self) -> None:
        x = dt.constant([1.0])
        y = dt.pow(x, 3.5)
        before = len(dt.get_default_graph().get_operations())
        dt.gradients(y, x)
        made = dt.get_default_graph().get_operations()[before:]
        assert [op.type for op in made if op.type not in ("Constant", "BroadcastTo")] == ["Elementwise"]

    def test_a_conversion_converts_back(self) -> None:
        x = dt.constant([1.0, 2.0], dt.float64)
        y = dt.square(dt.cast(x, dt.float32))
        (gradient,) = dt.gradients(y, x)
        assert gradient.dtype is dt.float64
        same(run(gradient), np.array([2.0, 4.0]))


class TestSums:
    def test_add_n(self) -> None:
        x = [np.float32([1e8, 1]), np.float32([1, 2]), np.float32([-1e8, 3])]
        total = dt.add_n(x)
        assert total.op.type == "AddN"
        assert len(total.op.inputs) == 3
        same(run(total), (x[0] + x[1]) + x[2])
        one = dt.constant([1.0])
        assert dt.add_n([one]) is one
        assert dt.add_n([one], name="total").name == "total:0"

    def test_many(self) -> None:
        ones = [dt.constant(np.ones(2))] * 600
        total = dt.add_n(ones)
        same(run(total), np.full(2, 600.0))
        same(run(dt.gradients(total, ones[0])[0]), np.full(2, 600.0))

    def test_accumulate_n(self) -> None:
        x = dt.placeholder(dt.float32, [None])
        total = dt.accumulate_n([x, x], shape=[3], tensor_dtype=dt.float32)
        assert total.shape == [3]
        same(run(total, {x: [1, 2, 3]}), np.float32([2, 4, 6]))
        with pytest.raises(DTypeError, match="accumulate_n: the inputs are float32, where int32 is asked for"):
            dt.accumulate_n([x, x], tensor_dtype=dt.int32)

    def test_refusals(self) -> None:
        with pytest.raises(InvalidArgumentError, match="^add_n: the list is empty"):
            dt.add_n([])
        with pytest.raises(
            ShapeError, match=r"^add_n: input 0 is float32\[2\] and input 1 is float32\[3\]; all must have one"
        ):
            dt.add_n([dt.zeros([2]), dt.zeros([3])])
        with pytest.raises(ShapeError, match=r"^add_n: input 0 is float32\[2\] and input 1 is float32\[1, 2\]"):
            dt.add_n([dt.zeros([2]), dt.zeros([1, 2])])
        with pytest.raises(DTypeError, match=r"^add_n: input 0 is float32\[2\] and input 2 is int32\[2\]"):
            dt.add_n([dt.zeros([2]), dt.zeros([2]), dt.zeros([2], dt.int32)])

    def test_slices_pass_as_they_are(self) -> None:
        table = dt.Variable(np.zeros((4, 2), np.float32))
        rows = [dt.gather(table, [0, 2]), dt.gather(table, [1, 2])]
        (gradient,) = dt.gradients(dt.add_n([dt.identity(row) for row in rows]), table)
        assert isinstance(gradient, dt.IndexedSlices)

    def test_operation_is_one_for_each_count(self) -> None:
        assert AddN(3) == AddN(3)
        assert str(AddN(3).scalar_expression) == "x0 + x1 + x2"


class TestCast:
    def test_floating_to_integer(self) -> None:
        x = np.array([-1.9, 1.9, np.nan, np.inf, -np.inf, 3e9, -3e9])
        limits = np.iinfo(np.int32)
        same(run(dt.cast(x, dt.int32)), np.int32([-1, 1, 0, limits.max, limits.min, limits.max, limits.min]))
        same(run(dt.cast(x, dt.uint8)), np.uint8([0, 1, 0, 255, 0, 255, 0]))

    @pytest.mark.parametrize("dtype", [dt.int8, dt.uint16, dt.int32, dt.uint32, dt.int64, dt.uint64])
    @pytest.mark.parametrize("source", [np.float32, np.float64])
    @given(data=st.data())
    def test_floating_to_integer_is_exact_in_the_range(self, dtype: Any, source: Any, data: Any) -> None:
        value = data.draw(st.floats(width=32 if source is np.float32 else 64, allow_nan=False, allow_infinity=False))
        expected = min(max(int(value), dtype.min), dtype.max)
        assert int(Cast(dtype).reference(np.array([value], source))[0]) == expected

    def test_bool(self) -> None:
        same(run(dt.cast(np.float32([0.0, -0.0, 0.2, np.nan]), dt.bool)), [False, False, True, True])
        same(run(dt.cast([True, False], dt.float32)), np.float32([1, 0]))

    def test_integers_wrap(self) -> None:
        same(run(dt.cast(np.int32([300, -1]), dt.uint8)), np.uint8([44, 255]))

    def test_short_forms(self) -> None:
        x = dt.constant([1.5])
        made = [dt.to_float(dt.constant([1])), dt.to_double(x), dt.to_int32(x), dt.to_int64(x), dt.to_bfloat16(x)]
        assert [one.dtype for one in made] == [dt.float32, dt.float64, dt.int32, dt.int64, dt.bfloat16]
        assert [one.op.name for one in made] == ["ToFloat", "ToDouble", "ToInt32", "ToInt64", "ToBFloat16"]

    def test_nothing_to_do(self) -> None:
        x = dt.constant([1.5])
        assert dt.cast(x, dt.float32) is x
        assert dt.cast(x, np.float64).dtype is dt.float64

    def test_saturating(self) -> None:
        same(run(dt.saturate_cast(np.int32([300, -5, 7]), dt.uint8)), np.uint8([255, 0, 7]))
        same(
            run(dt.saturate_cast(np.array([1e300, -1e300, 1.0]), dt.float32)),
            np.float32([3.4028235e38, -3.4028235e38, 1]),
        )
        same(run(dt.saturate_cast(np.float32([1e30, np.nan]), dt.int64)), np.array([np.iinfo(np.int64).max, 0]))
        same(run(dt.saturate_cast(np.int64([2**62, -5]), dt.float16)), np.float16([65504, -5]))

    def test_slices(self) -> None:
        table = dt.Variable(np.zeros((4, 2), np.float32))
        (gradient,) = dt.gradients(dt.gather(table, [0, 2]), table)
        wide = dt.cast(gradient, dt.float64)
        assert isinstance(wide, dt.IndexedSlices)
        assert wide.dtype is dt.float64

    def test_strings_are_refused(self) -> None:
        with pytest.raises(
            DTypeError, match=r'^cast: "words:0" is string\[1\], which does not become float32; .* \(node "words"'
        ):
            dt.cast(dt.constant(["1.5"], name="words"), dt.float32)
        with pytest.raises(DTypeError, match=r"is float32\[\], which does not become string"):
            dt.cast(1.5, dt.string)
        with pytest.raises(DTypeError, match=r"^saturate_cast: .* both must be numeric"):
            dt.saturate_cast(True, dt.uint8)


class TestWhere:
    def test_chooses_elements(self) -> None:
        x = np.float32([[1, 2], [3, 4]])
        same(run(dt.where(x > 2, x, -x)), np.float32([[-1, -2], [3, 4]]))
        same(run(dt.where(x > 2, x, 0.0)), np.float32([[0, 0], [3, 4]]))
        same(run(dt.where(True, [1, 2], 0)), np.int32([1, 2]))
        same(run(dt.where([True, False], [1.5, 2.5], 7)), np.float32([1.5, 7]))
        words = dt.where([True, False], ["a", "b"], "c")
        assert run(words).tolist() == [b"a", b"c"]

    def test_a_vector_selects_rows(self) -> None:
        x = np.float32([[1, 2], [3, 4]])
        chosen = dt.where([True, False], x, -x)
        assert chosen.op.type == "Select"
        same(run(chosen), np.float32([[1, 2], [-3, -4]]))
        same(run(dt.where([True, False], np.ones((2, 2, 2)), 0.0)), np.stack([np.ones((2, 2)), np.zeros((2, 2))]))

    def test_select_broadcasts_always(self) -> None:
        x = np.float32([[1, 2], [3, 4]])
        same(run(dt.select([True, False], x, -x)), np.float32([[1, -2], [3, -4]]))

    def test_a_symbolic_number_of_rows(self) -> None:
        x = dt.placeholder(dt.float32, [None, 2])
        keep = dt.placeholder(dt.bool, [None])
        chosen = dt.where(keep, x, dt.zeros_like(x))
        same(run(chosen, {x: [[1, 2], [3, 4]], keep: [False, True]}), np.float32([[0, 0], [3, 4]]))

    def test_the_rule_waits_for_ranks(self) -> None:
        x, keep = dt.placeholder(dt.float32), dt.placeholder(dt.bool)
        chosen = dt.where(keep, x, 0.0)
        (gradient,) = dt.gradients(chosen, x)
        assert chosen.op.type == "SelectRows"
        value, slope = run([chosen, gradient], {x: [[1, 2], [3, 4]], keep: [False, True]})
        same(value, np.float32([[0, 0], [3, 4]]))
        same(slope, np.float32([[0, 0], [1, 1]]))
        same(run(chosen, {x: [1, 2], keep: [False, True]}), np.float32([0, 2]))

    def test_indices(self) -> None:
        x = dt.placeholder(dt.bool, [None, 2])
        indices = dt.where(x)
        assert indices.dtype is dt.int64
        assert indices.shape.dims[1] == 2
        assert indices.shape.dims[0].data_dependent  # type: ignore[union-attr]
        same(run(indices, {x: [[True, False], [True, True]]}), np.array([[0, 0], [1, 0], [1, 1]]))
        same(run(indices, {x: np.zeros((3, 2), bool)}), np.zeros((0, 2), np.int64))
        same(run(dt.where(np.float32([0, 2, np.nan]))), np.array([[1], [2]]))
        assert dt.where(x).shape.dims[0] != indices.shape.dims[0]

    def test_gradients(self) -> None:
        x, y = dt.constant([1.0, 2.0]), dt.constant([3.0, 4.0])
        chosen = dt.where([True, False], dt.log(x - 1.0), y)
        safe = dt.where(dt.equal(x, 1.0), dt.zeros_like(x), x)
        same(run(dt.gradients(chosen, y)[0]), np.float32([0, 1]))
        same(run(dt.gradients(safe, x)[0]), np.float32([0, 1]))

    def test_refusals(self) -> None:
        x = dt.constant([1.0, 2.0])
        with pytest.raises(InvalidArgumentError, match="^where: y is missing; give both x and y"):
            dt.where([True, False], x)
        with pytest.raises(DTypeError, match=r"^where: the condition is int32\[2\], where bool is wanted"):
            dt.where([1, 0], x, x)
        with pytest.raises(DTypeError, match=r"^where: x is float32\[2\] and y is int32\[\]; they must have one dtype"):
            dt.where([True, False], x, dt.constant(1))
        with pytest.raises(DTypeError, match=r"^where: y is 0\.5 \(float\), which does not become int32"):
            dt.where([True, False], dt.constant([1, 2]), 0.5)
        with pytest.raises(
            ShapeError,
            match=r"^where: the condition is bool\[2\], which selects rows, and x is float32\[3, 2\]; its first",
        ):
            dt.where([True, False], dt.zeros([3, 2]), 0.0)
        with pytest.raises(DTypeError, match="^where: the condition is string"):
            dt.where(["a"])

    def test_operands_of_three_dtypes(self) -> None:
        assert Select().dtypes(dt.bool, dt.int8, dt.int8) == (dt.int8,)


class TestPassing:
    def test_identity(self) -> None:
        x = dt.constant([1.0, 2.0])
        y = dt.identity(x, name="logits")
        assert y is not x
        assert (y.name, y.op.type, y.shape) == ("logits:0", "Identity", Shape([2]))
        same(run(dt.gradients(y * y, x)[0]), np.float32([2, 4]))
        assert [one.op.name for one in dt.identity_n([x, 1])] == ["IdentityN/Identity", "IdentityN/Identity_1"]
        with pytest.raises(DTypeError, match="^identity_n: a float was given; give a list"):
            dt.identity_n(1.0)

    def test_identity_keeps_what_is_known(self) -> None:
        x = dt.placeholder(dt.float32, [None, 3])
        assert dt.identity(dt.shape(x)).symbolic_value.tolist() == [x.shape[0], 3]
        assert dt.identity(dt.placeholder(dt.string)).dtype is dt.string

    def test_stop_gradient(self) -> None:
        x = dt.constant([1.0, 2.0])
        same(run(dt.gradients(x * dt.stop_gradient(x), x)[0]), np.float32([1, 2]))
        assert dt.gradients(dt.stop_gradient(x), x) == [None]


class TestDeclaring:
    """``scalar`` in the hands of a third party."""

    def test_attributes_and_nesting(self) -> None:
        @scalar
        def test_swish(x: Scalar, *, beta: float = 1.0) -> Scalar:
            """x * sigmoid(beta * x)."""
            return x * dt.sigmoid(beta * x)

        x = dt.constant([1.0, -2.0])
        result = test_swish(x, beta=2.0, name="act")
        assert issubclass(test_swish.op, ScalarOp)
        assert (result.op.type, result.name, result.op.get_attr("beta")) == ("TestSwish", "act:0", 2.0)
        wide = np.float32([1, -2])
        np.testing.assert_allclose(run(result), wide / (1 + np.exp(-2 * wide)), rtol=1e-6)
        assert test_swish(x).op.get_attr("beta") == 1.0
        with pytest.raises(
            TypeError, match=r"^test_swish: got an unexpected keyword argument 'gamma'; it takes \(x, name=None, "
        ):
            test_swish(x, gamma=1.0)

    def test_floating_only(self) -> None:
        @scalar(floating=True)
        def test_positive(x: Scalar) -> Scalar:
            """max(x, 0)."""
            return dt.maximum(x, 0)

        with pytest.raises(
            DTypeError, match=r"^test_positive: input 0 is int32\[2\], where a floating dtype is wanted"
        ):
            test_positive([1, 2])
        with pytest.raises(DTypeError, match=r"^test_positive: input 0 is int32, where a floating dtype is wanted"):
            test_positive(dt.placeholder(dt.int32))

    def test_signature_for_users(self) -> None:
        assert str(inspect.signature(dt.clip_by_value)) == "(t, clip_value_min, clip_value_max, name=None)"


def test_a_node_of_arithmetic_costs_few_calls() -> None:
    """Ten thousand are built in well under a second; calls are counted, which no other load on the machine changes."""
    y = dt.constant(1.0)
    for _ in range(3):
        y = y + 1.0
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        for _ in range(100):
            y = y + 1.0
    finally:
        sys.setprofile(None)
    assert calls / 100 < 90
    assert Path(y.op.source.file).name == Path(__file__).name
