"""Reductions: values against NumPy, axes, old names, ties and zeros in gradients, unknown sizes, refusals."""

from __future__ import annotations

import math
import warnings
from typing import Any

import hypothesis.extra.numpy as hnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, OperationError, ShapeError
from dovetail.ops.reducing import Sum, SumTo
from dovetail.ops.reductions import sum_to
from dovetail.ops.running import LinearRecurrence
from dovetail.types.dims import Symbol
from tests.core.values import run, same

GRID = np.float32([[1, -2, 3], [4, 0.5, -6]])


NUMPY = [
    (dt.reduce_sum, np.sum),
    (dt.reduce_prod, np.prod),
    (dt.reduce_max, np.max),
    (dt.reduce_min, np.min),
    (dt.reduce_mean, np.mean),
    (dt.reduce_variance, np.var),
    (dt.reduce_std, np.std),
    (dt.reduce_euclidean_norm, lambda x, **k: np.sqrt(np.sum(x * x, **k))),
    (dt.reduce_logsumexp, lambda x, **k: np.log(np.sum(np.exp(x), **k))),
]


class TestValues:
    @pytest.mark.parametrize(("function", "reference"), NUMPY)
    @pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), [-1, 0], (), (0, 1, 2)])
    @pytest.mark.parametrize("keepdims", [False, True])
    def test_are_numpys(self, function: Any, reference: Any, axis: Any, keepdims: bool) -> None:
        x = np.random.default_rng(5).normal(size=(2, 3, 4)).astype(np.float32)
        expected = np.asarray(reference(x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims))
        made = function(x, axis, keepdims)
        result = np.asarray(run(made))
        assert (made.dtype, made.shape) == (dt.float32, expected.shape)
        np.testing.assert_allclose(result, expected, rtol=2e-5, atol=2e-6, strict=True)

    @given(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3), st.data())
    def test_any_shape_and_axes(self, shape: Any, data: Any) -> None:
        dt.reset_default_graph()
        axes = data.draw(st.none() | st.sets(st.integers(0, len(shape) - 1)).map(tuple) if shape else st.none())
        x = np.arange(math.prod(shape), dtype=np.float64).reshape(shape)
        feed = dt.placeholder(dt.float64, [None] * len(shape))
        total, count = dt.reduce_sum(feed, axes), dt.reduce_mean(feed, axes, keepdims=True)
        values = run([total, count], {feed: x})
        np.testing.assert_array_equal(values[0], np.sum(x, axis=axes))
        with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
            np.testing.assert_allclose(values[1], np.mean(x, axis=axes, keepdims=True))

    def test_truth(self) -> None:
        x = np.array([[True, True], [True, False]])
        same(run(dt.reduce_all(x, 1)), [True, False])
        same(run(dt.reduce_any(~x, 1)), [False, True])
        assert dt.reduce_any(x).op.type == "Any"

    def test_integers_stay_and_wrap(self) -> None:
        same(run(dt.reduce_sum(np.uint8([200, 100]))), np.uint8(44))
        same(run(dt.reduce_prod(np.int32([[2, 3], [4, 5]]), 0)), np.int32([8, 15]))
        same(run(dt.reduce_max(np.int8([-3, -7]))), np.int8(-3))

    def test_the_mean_of_integers_is_an_integer(self) -> None:
        same(run(dt.reduce_mean([1, 0, 1, 0])), np.int32(0))
        same(run(dt.reduce_mean(np.int32([[-7, 0], [7, 0]]), 1)), np.int32([-3, 3]))
        same(run(dt.reduce_mean(np.uint8([250, 252]))), np.uint8(251))

    @pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
    def test_half_types_accumulate_in_float32(self, dtype: Any) -> None:
        ones = np.ones(4096, dtype)
        same(run(dt.reduce_sum(ones)), dtype(4096))
        large = np.full(64, 60000 if dtype is np.float16 else 1e30, dtype)
        same(run(dt.reduce_mean(large)), large[0])
        same(run(dt.cumsum(ones))[-1], dtype(4096))
        same(run(dt.reduce_max(np.array([1, 3, 2], dtype))), dtype(3))
        assert run(dt.reduce_logsumexp(large)) == large[0]
        assert run(dt.reduce_std(large)) == 0

    def test_nan_and_infinity(self) -> None:
        x = np.float32([[1, np.nan], [np.inf, -np.inf]])
        same(run(dt.reduce_max(x, 1)), np.float32([np.nan, np.inf]))
        same(run(dt.reduce_min(x, 1)), np.float32([np.nan, -np.inf]))
        same(run(dt.reduce_sum(x, 1)), np.float32([np.nan, np.nan]))

    def test_logsumexp_does_not_overflow(self) -> None:
        x = np.float32([[1000, 1000], [-1000, -1000], [-np.inf, -np.inf], [np.inf, 0], [np.nan, 0]])
        result = run(dt.reduce_logsumexp(x, 1))
        np.testing.assert_allclose(result, np.float32([1000.6931, -999.3069, -np.inf, np.inf, np.nan]), rtol=1e-6)

    def test_of_nothing(self) -> None:
        x = np.zeros((0, 3), np.float32)
        same(run(dt.reduce_sum(x, 0)), np.zeros(3, np.float32))
        same(run(dt.reduce_prod(x)), np.float32(1))
        same(run(dt.reduce_mean(x, 0)), np.full(3, np.nan, np.float32))
        same(run(dt.reduce_logsumexp(x)), np.float32(-np.inf))
        same(run(dt.reduce_all(x > 0)), np.True_)
        same(run(dt.reduce_any(x > 0)), np.False_)
        same(run(dt.reduce_max(x, 1)), np.zeros(0, np.float32))
        same(run(dt.cumsum(x)), x)
        same(run(dt.argmax(x, 1)), np.zeros(0, np.int64))

    def test_the_extreme_of_nothing_fails(self) -> None:
        x = dt.placeholder(dt.float32, [None, 3])
        with pytest.raises(
            OperationError,
            match=r"reduce_max: axis 0 of float32\[0, 3\] has no elements, and nothing has no extreme; reduce",
        ):
            run(dt.reduce_max(x, 0), {x: np.zeros((0, 3))})
        with pytest.raises(OperationError, match=r"argmin: axis 0 of float32\[0, 3\] has no elements"):
            run(dt.argmin(x, 0), {x: np.zeros((0, 3))})

    def test_counts(self) -> None:
        x = np.float32([[0, 1, np.nan], [0, 0, -0.0]])
        same(run(dt.count_nonzero(x)), np.int64(2))
        same(run(dt.count_nonzero(x, 1, dtype=dt.int32)), np.int32([2, 0]))
        same(run(dt.count_nonzero(dt.constant([["a", ""]]), axis=-1, keepdims=True)), np.array([[1]]))
        same(run(dt.count_nonzero([True, False])), np.int64(1))


class TestArguments:
    def test_old_names(self) -> None:
        for function in (dt.reduce_sum, dt.reduce_mean, dt.reduce_max, dt.reduce_logsumexp):
            same(run(function(GRID, reduction_indices=[1])), run(function(GRID, axis=1)))
            assert function(GRID, 0, keep_dims=True).shape == [1, 3]
        assert dt.argmax(GRID, dimension=1).shape == [2]
        assert dt.count_nonzero(GRID, reduction_indices=0, keep_dims=True).shape == [1, 3]
        assert dt.norm(GRID, axis=0, keep_dims=True).shape == [1, 3]

    def test_both_names(self) -> None:
        with pytest.raises(
            InvalidArgumentError, match="^reduce_sum: axis and its old name reduction_indices are both given"
        ):
            dt.reduce_sum(GRID, 0, reduction_indices=0)
        with pytest.raises(
            InvalidArgumentError, match="^reduce_mean: keepdims and its old name keep_dims are both given"
        ):
            dt.reduce_mean(GRID, keepdims=False, keep_dims=True)
        with pytest.raises(InvalidArgumentError, match="^argmax: axis and its old name dimension are both given"):
            dt.argmax(GRID, 0, dimension=0)

    def test_names_and_types(self) -> None:
        x = dt.constant(GRID)
        made = [dt.reduce_sum(x), dt.reduce_mean(x), dt.reduce_max(x, name="peak"), dt.argmax(x), dt.cumsum(x)]
        assert [one.op.name for one in made] == ["Sum", "Mean", "peak", "ArgMax", "Cumsum"]
        assert made[2].op.type == "Max"

    def test_axes_as_tensors(self) -> None:
        x = dt.placeholder(dt.float32, [None, 3])
        assert dt.reduce_sum(x, dt.constant([1])).shape == x.shape[:1]
        assert dt.reduce_sum(x, np.array(-1)).shape == x.shape[:1]
        assert dt.reduce_sum(x, dt.range(dt.rank(x))).shape == []
        with pytest.raises(
            InvalidArgumentError, match="^reduce_sum: axis is .* not known while the graph is built; use ints"
        ):
            dt.reduce_sum(x, dt.placeholder(dt.int32, []))

    def test_equal_axes_make_equal_operations(self) -> None:
        made = [dt.reduce_sum(GRID, axis).op.definition for axis in (None, [0, 1], (-1, 0), [1, -2])]
        assert made == [Sum((0, 1))] * 4

    @pytest.mark.parametrize(
        ("function", "label"),
        [
            (dt.reduce_sum, "reduce_sum"),
            (dt.reduce_mean, "reduce_mean"),
            (dt.reduce_std, "reduce_std"),
            (dt.argmax, "argmax"),
            (dt.cumprod, "cumprod"),
        ],
    )
    def test_an_axis_out_of_range(self, function: Any, label: str) -> None:
        with pytest.raises(
            ShapeError, match=rf"^{label}: axis 2 is out of range for rank 2\. Use one from -2 to 1\..*node "
        ):
            function(dt.constant(GRID), 2)

    def test_an_axis_named_twice(self) -> None:
        with pytest.raises(ShapeError, match=r"^reduce_max: axis 1 is named twice in \[1, 1\]\."):
            dt.reduce_max(GRID, [1, -1])

    def test_axes_of_a_scalar(self) -> None:
        with pytest.raises(
            ShapeError, match="^reduce_sum: axis 0 is out of range: the input is a scalar and has no axes"
        ):
            dt.reduce_sum(1.0, 0)

    @pytest.mark.parametrize(
        ("function", "value", "message"),
        [
            (dt.reduce_sum, True, "reduce_sum: the input is bool, where a numeric dtype is wanted. Use dt.cast."),
            (dt.reduce_all, 1, "reduce_all: the input is int32, where bool is wanted. Use dt.cast."),
            (dt.reduce_mean, True, "reduce_mean: the input is bool, where a numeric dtype is wanted. Use dt.cast."),
            (dt.reduce_std, 1, "reduce_std: the input is int32, where a floating dtype is wanted. Use dt.cast."),
            (
                dt.reduce_max,
                "a",
                "reduce_max: the input is string, where a dtype of real numbers is wanted. Use dt.cast.",
            ),
        ],
    )
    def test_a_dtype_that_is_not_taken(self, function: Any, value: Any, message: str) -> None:
        with pytest.raises(DTypeError) as caught:
            function(dt.constant([value]))
        assert str(caught.value).startswith(message)
        with pytest.raises(DTypeError) as caught:
            function(dt.placeholder(dt.constant(value).dtype))
        assert str(caught.value).startswith(message)


class TestUnknown:
    def test_symbolic_sizes(self) -> None:
        x = dt.placeholder(dt.float32, ["n", None, 4])
        n = Symbol("n")
        assert dt.reduce_mean(x, [1, 2]).shape == [n]
        assert dt.reduce_mean(x, -1, keepdims=True).shape == [n, x.shape[1], 1]
        mean = dt.reduce_mean(x)
        (gradient,) = dt.gradients(mean, x)
        assert gradient.shape == x.shape
        values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
        result = run([mean, gradient], {x: values})
        same(result[0], np.float32(11.5))
        np.testing.assert_allclose(result[1], np.full((2, 3, 4), 1 / 24), rtol=1e-6)

    @pytest.mark.parametrize(("function", "reference"), NUMPY)
    def test_ranks(self, function: Any, reference: Any) -> None:
        x = dt.placeholder(dt.float32)
        whole, last = function(x), function(x, -1, True)
        assert (whole.shape, last.shape.rank) == ([], None)
        (gradient,) = dt.gradients([dt.reduce_sum(last), whole], x)
        values, slope = run([[whole, dt.reduce_sum(last)], gradient], {x: GRID})
        expected = reference(GRID, axis=None), np.sum(reference(GRID, axis=-1))
        np.testing.assert_allclose(values, expected, rtol=1e-5)
        assert slope.shape == GRID.shape

    def test_ranks_of_the_rest(self) -> None:
        x = dt.placeholder(dt.float32)
        made = [dt.argmax(x, -1), dt.cumsum(x, -1), dt.count_nonzero(x, 0)]
        assert [one.dtype for one in made] == [dt.int64, dt.float32, dt.int64]
        position, sums, counts = run(made, {x: GRID})
        same(position, np.array([2, 0]))
        same(sums, np.cumsum(GRID, -1))
        same(counts, np.array([2, 2, 2]))

    def test_reductions_of_sizes_are_known(self) -> None:
        x = dt.placeholder(dt.float32, ["n", 3, 4])
        n = Symbol("n")
        size = dt.shape(x)
        assert dt.reduce_prod(size).symbolic_value.item() == 12 * n
        assert dt.reduce_sum(size, 0, keepdims=True).symbolic_value.tolist() == [n + 7]
        assert dt.reduce_max(size[1:]).symbolic_value.item() == 4
        assert dt.reduce_min(size[1:]).symbolic_value.item() == 3
        assert dt.reshape(x, [-1, dt.reduce_prod(size[1:])]).shape == [n, 12]
        assert dt.reduce_prod(dt.constant([2**20, 2**20])).symbolic_value is None


class TestGradients:
    def test_extremes_share_among_ties(self) -> None:
        x = dt.constant([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
        same(run(dt.gradients(dt.reduce_max(x, 1), x)[0]), np.float32([[0, 0.5, 0.5], [1 / 3] * 3]))
        same(run(dt.gradients(dt.reduce_min(x), x)[0]), np.float32([[1, 0, 0], [0, 0, 0]]))

    def test_products_of_zeros(self) -> None:
        x = dt.constant(np.array([[2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 0.0, 4.0]]))
        product = dt.reduce_prod(x, 1)
        (gradient,) = dt.gradients(product, x)
        same(run(gradient), np.array([[12.0, 8, 6], [0, 8, 0], [0, 0, 0]]))
        second = dt.gradients(dt.reduce_sum(gradient[:, 0]), x)[0]
        same(run(second), np.array([[0.0, 4, 3], [0, 4, 0], [0, 4, 0]]))
        over_both = run(dt.gradients(dt.reduce_prod(x[:2], [0, 1]), x)[0])
        same(over_both, np.array([[0.0] * 3, [0, 2 * 3 * 4 * 2 * 4, 0], [0] * 3]))

    def test_running_products_of_zeros(self) -> None:
        x = dt.constant(np.array([2.0, 0.0, 3.0]))
        for exclusive, reverse, expected in (
            (False, False, [1, 2 + 2 * 3, 0]),
            (True, False, [1, 2, 0]),
            (False, True, [0, 3 + 3 * 2, 1]),
        ):
            same(run(dt.gradients(dt.cumprod(x, 0, exclusive, reverse), x)[0]), np.float64(expected))

    def test_norms_at_zero(self) -> None:
        x = dt.constant([[0.0, 0.0], [3.0, 4.0]])
        for length in (dt.reduce_euclidean_norm(x, 1), dt.norm(x, axis=1)):
            np.testing.assert_allclose(run(dt.gradients(length, x)[0]), [[0, 0], [0.6, 0.8]], rtol=1e-6)

    def test_logsumexp_gives_softmax(self) -> None:
        x = dt.constant([[1.0, 2.0], [1000.0, 1000.0]])
        slope = run(dt.gradients(dt.reduce_logsumexp(x, 1), x)[0])
        np.testing.assert_allclose(slope, [[0.26894142, 0.73105858], [0.5, 0.5]], rtol=1e-6)

    def test_positions_and_truth_have_none(self) -> None:
        x = dt.constant(GRID)
        assert dt.gradients(dt.cast(dt.argmax(x), dt.float32), x) == [None]
        assert dt.gradients(dt.to_float(dt.reduce_any(x > 0.0)), x) == [None]

    def test_of_nothing(self) -> None:
        x = dt.placeholder(dt.float32, [None, 2])
        gradients = dt.gradients([dt.reduce_sum(x), dt.reduce_prod(x), dt.reduce_logsumexp(x)], x)
        same(run(gradients[0], {x: np.zeros((0, 2))}), np.zeros((0, 2), np.float32))


class TestPositions:
    def test_values(self) -> None:
        same(run(dt.argmax(GRID)), np.array([1, 1, 0]))
        same(run(dt.argmax(GRID, 1, output_type=dt.int32)), np.int32([2, 0]))
        same(run(dt.argmin(GRID, -1)), np.array([1, 2]))
        assert dt.argmax(GRID, 1, "best").name == "best:0"

    def test_the_first_of_ties_and_nan(self) -> None:
        x = np.float32([[2, 7, 7], [1, np.nan, np.inf]])
        same(run(dt.argmax(x, 1)), np.array([1, 1]))
        same(run(dt.argmin(x, 1)), np.array([0, 1]))

    def test_output_types(self) -> None:
        with pytest.raises(DTypeError, match="^argmax: the output type is float32; use int32 or int64"):
            dt.argmax(GRID, output_type=dt.float32)
        with pytest.raises(DTypeError, match="^argmin: the input is bool, where a numeric dtype is wanted"):
            dt.argmin([True, False])


class TestRunning:
    @given(
        hnp.arrays(
            np.int64, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4), elements=st.integers(-3, 3)
        ),
        st.booleans(),
        st.booleans(),
        st.data(),
    )
    def test_values(self, x: Any, exclusive: bool, reverse: bool, data: Any) -> None:
        dt.reset_default_graph()
        axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
        for function, reference, start in ((dt.cumsum, np.cumsum, 0), (dt.cumprod, np.cumprod, 1)):
            y = np.flip(x, axis) if reverse else x
            if exclusive:
                y = np.concatenate([np.full_like(np.take(y, [0], axis), start), y], axis) if y.shape[axis] else y
                y = np.delete(y, -1, axis) if y.shape[axis] else y
            expected = reference(y, axis)
            same(run(function(x, axis, exclusive, reverse)), np.flip(expected, axis) if reverse else expected)

    def test_a_recurrence(self) -> None:
        a, b = np.array([0.5, 2.0, 3.0]), np.array([1.0, 1.0, 1.0])
        same(LinearRecurrence(0).reference(a, b), np.array([1.0, 3.0, 10.0]))
        same(LinearRecurrence(0, True).reference(a, b), np.array([2.5, 3.0, 1.0]))
        with pytest.raises(
            DTypeError, match=r"linear_recurrence: the factors are float64\[3\] and the terms float32\[3\]"
        ):
            LinearRecurrence(0)(dt.constant(a), dt.constant(b, dt.float32))


class TestNorms:
    @pytest.mark.parametrize("order", [1, 2, 3, 2.5, np.inf, "euclidean"])
    def test_vectors(self, order: Any) -> None:
        wanted = 2 if order == "euclidean" else order
        np.testing.assert_allclose(run(dt.norm(GRID, order, axis=1)), np.linalg.norm(GRID, wanted, axis=1), rtol=1e-6)
        np.testing.assert_allclose(run(dt.norm(GRID, order)), np.linalg.norm(GRID.reshape(-1), wanted), rtol=1e-6)
        assert dt.norm(GRID, order, axis=1, keepdims=True).shape == [2, 1]

    @pytest.mark.parametrize("order", ["fro", "euclidean", 1, np.inf])
    @pytest.mark.parametrize("axis", [[0, 1], [-1, 0], (2, 1)])
    def test_matrices(self, order: Any, axis: Any) -> None:
        x = np.random.default_rng(3).normal(size=(2, 3, 4))
        wanted = "fro" if order == "euclidean" else order
        expected = np.linalg.norm(x, wanted, axis=tuple(axis))
        np.testing.assert_allclose(run(dt.norm(x, order, axis)), expected)
        assert (
            dt.norm(x, order, axis, keepdims=True).shape == np.linalg.norm(x, wanted, tuple(axis), keepdims=True).shape
        )

    @pytest.mark.parametrize(
        ("order", "axis", "message"),
        [
            (0, None, "there is no vector norm of order 0; use 'euclidean', 1, 2, another positive number or infinity"),
            ("nuclear", 1, "there is no vector norm of order 'nuclear'"),
            ("fro", 1, "there is no vector norm of order 'fro'"),
            (2, [0, 1], "there is no matrix norm of order 2; use 'euclidean', 'fro', 1 or infinity"),
            (1, [0, 1, 2], r"axis is \[0, 1, 2\]; give one axis for vectors, two for matrices"),
        ],
    )
    def test_refusals(self, order: Any, axis: Any, message: str) -> None:
        with pytest.raises(InvalidArgumentError, match=f"^norm: {message}"):
            dt.norm(np.ones((2, 2, 2)), order, axis)

    def test_integers_are_refused(self) -> None:
        with pytest.raises(DTypeError, match=r'^norm: "x:0" is int32\[2\], where a floating dtype is wanted'):
            dt.norm(dt.constant([1, 2], name="x"))


class TestSumTo:
    def test_is_nothing_where_the_shapes_agree(self) -> None:
        x, y = dt.placeholder(dt.float32, ["n", 3]), dt.placeholder(dt.float32, ["n", 3])
        assert sum_to(x, y) is x

    def test_sums_what_was_broadcast(self) -> None:
        x = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
        for shape in ((3,), (2, 1), (1, 1), (4, 1, 3), (1, 1, 1), ()):
            like = np.zeros(shape, np.float32)
            result = run(sum_to(dt.constant(x), dt.constant(like)))
            expected = x.sum(axis=tuple(range(3 - len(shape))))
            expected = expected.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)
            same(result, expected)

    def test_waits_for_ranks(self) -> None:
        x, y = dt.placeholder(dt.float32), dt.placeholder(dt.float32, [3])
        total = sum_to(x, y)
        assert (total.op.type, total.shape) == ("SumTo", [3])
        same(run(total, {x: np.ones((2, 3)), y: np.ones(3)}), np.float32([2, 2, 2]))
        (by_x, by_y) = dt.gradients(x * y, [x, y])
        same(run(by_y, {x: np.ones((2, 1)), y: np.ones(3)}), np.float32([2, 2, 2]))
        same(run(by_x, {x: np.ones((2, 1)), y: np.ones(3)}), np.float32([[3], [3]]))

    def test_too_few_axes(self) -> None:
        with pytest.raises(ShapeError, match=r"^sum_to: float32\[3\] has fewer axes than float32\[2, 3\]"):
            SumTo()(dt.zeros([3]), dt.zeros([2, 3]))
