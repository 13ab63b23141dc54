"""Random operations: seeds, counters, distributions, shapes known late, and what they refuse."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError, UnsupportedOperationError
from dovetail.ops.control_flow import cond, map_fn
from dovetail.ops.philox import integers_from_bits, mix_key, random_bits, uniform_from_bits
from dovetail.ops.random_bits import DynamicPhiloxBits, PhiloxBits, RandomBits, key_of
from dovetail.ops.scalars import ScalarOp
from dovetail.ops.variates import IntegersFromBits, NormalFromBits, TruncatedNormalFromBits, UniformFromBits
from dovetail.types.dtypes import as_dtype
from tests.core.values import run


class TestKeys:
    def test_seeds_combine_as_in_tensorflow_1(self) -> None:
        assert key_of(None, None, 7, 99) == mix_key(99, 7)
        assert key_of(5, None, 7, 99) == mix_key(5, 7)
        assert key_of(None, 3, 7, 99) == mix_key(87654321, 3)
        assert key_of(5, 3, 7, 99) == mix_key(5, 3)
        assert key_of(0, None, 7, 99) == mix_key(0, 7)
        assert 0 <= key_of(-1, -2, 7, 99) < 2**64

    def test_a_graph_seed_repeats_in_every_session_and_differs_between_operations(self) -> None:
        dt.set_random_seed(1234)
        x, y = dt.random_uniform([4]), dt.random_uniform([4])
        first, second = run([x, y]), run([x, y])
        np.testing.assert_array_equal(first, second)
        assert not np.array_equal(first[0], first[1])

    def test_operations_of_one_seed_agree(self) -> None:
        x, y = dt.random_uniform([4], seed=1), dt.random_uniform([4], seed=1)
        first, second = run([x, y])
        np.testing.assert_array_equal(first, second)

    def test_without_a_seed_sessions_differ(self) -> None:
        x = dt.random_uniform([4])
        assert not np.array_equal(run(x), run(x))

    def test_every_run_gives_new_numbers(self) -> None:
        dt.set_random_seed(1)
        x = dt.random_normal([3])
        with dt.Session() as session:
            first, second = session.run(x), session.run(x)
        assert not np.array_equal(first, second)
        with dt.Session() as session:
            np.testing.assert_array_equal(session.run(x), first)
            np.testing.assert_array_equal(session.run(x), second)

    def test_what_else_runs_changes_nothing(self) -> None:
        dt.set_random_seed(1)
        x, y = dt.random_normal([3]), dt.random_normal([3])
        with dt.Session() as session:
            alone = [session.run(x), session.run(x)]
        with dt.Session() as session:
            session.run(y)
            together = [session.run([x, y])[0], session.run(x)]
        np.testing.assert_array_equal(alone, together)

    def test_within_one_run_all_see_the_same_numbers(self) -> None:
        x = dt.random_uniform([3])
        first, second = run([x + 0.0, x * 1.0])
        np.testing.assert_array_equal(first, second)

    def test_two_processes_give_the_same_bits(self) -> None:
        program = (
            "import dovetail as dt; dt.set_random_seed(3); x = dt.random_normal([5], name='x'); s = dt.Session(); "
            "print(s.run(x).tobytes().hex(), s.run(x).tobytes().hex())"
        )
        outputs = {
            subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout
            for _ in "ab"
        }
        assert len(outputs) == 1
        dt.set_random_seed(3)
        x = dt.random_normal([5], name="x")
        with dt.Session() as session:
            here = f"{session.run(x).tobytes().hex()} {session.run(x).tobytes().hex()}\n"
        assert outputs == {here}

    @pytest.mark.parametrize("seed", [1.5, "1", True])
    def test_seeds_are_ints(self, seed: Any) -> None:
        with pytest.raises(DTypeError, match=r"set_random_seed: the seed is .*; use an int, or None"):
            dt.set_random_seed(seed)
        with pytest.raises(DTypeError, match=r"random_normal: the seed is .*; use an int, or None"):
            dt.random_normal([2], seed=seed)


class TestBits:
    def test_programs_count_them_out(self) -> None:
        op = PhiloxBits((2, 3), as_dtype("uint32"))
        result = op.reference(np.uint64(11), np.uint64(4), np.int32(2), np.int64(1))
        np.testing.assert_array_equal(result.reshape(-1), random_bits(6, "uint32", 11, 4, [2, 1]))
        late = DynamicPhiloxBits((None, 3), "bits", as_dtype("uint32"))
        np.testing.assert_array_equal(
            late.reference(np.array([2, 3]), np.uint64(11), np.uint64(4), np.array([2, 1])), result
        )

    def test_graphs_have_no_value_of_their_own(self) -> None:
        with pytest.raises(UnsupportedOperationError, match="its bits follow from a key and a counter"):
            RandomBits((2,), as_dtype("uint32")).reference()

    def test_there_are_two_widths(self) -> None:
        with pytest.raises(DTypeError, match="random bits come as uint32 or uint64, not int32"):
            RandomBits((2,), as_dtype("int32"))()

    @pytest.mark.parametrize("cls", [UniformFromBits, NormalFromBits, TruncatedNormalFromBits])
    @pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
    def test_the_expression_and_the_reference_give_the_same_bits(
        self, cls: Any, dtype: str, rng: np.random.Generator
    ) -> None:
        op = cls(as_dtype(dtype))
        width = 64 if dtype == "float64" else 32
        words = rng.integers(0, 2**width - 1, 1000, np.dtype(f"uint{width}"), endpoint=True)
        shifted = [words >> words.dtype.type(shift) for shift in range(width)]
        bits = np.concatenate([*shifted, ~shifted[-1], ~shifted[width // 2]])
        fast, defined = op.reference(bits), ScalarOp.reference(op, bits)
        assert fast.dtype == defined.dtype == op.dtype.numpy
        assert fast.tobytes() == defined.tobytes()

    @pytest.mark.parametrize(
        ("dtype", "low", "high"),
        [
            ("int32", -3, 6),
            ("uint8", 0, 256),
            ("int32", -(2**31), 2**31),
            ("uint32", 5, 2**32),
            ("int64", -(10**12), 10**12),
            ("int64", -(2**63), 2**63),
            ("uint64", 5, 2**63 + 12),
        ],
    )
    def test_integers_are_those_of_the_definition(
        self, dtype: str, low: int, high: int, rng: np.random.Generator
    ) -> None:
        op = IntegersFromBits(as_dtype(dtype))
        width = 64 if dtype.endswith("64") else 32
        bits = rng.integers(0, 2**width - 1, 1000, np.dtype(f"uint{width}"), endpoint=True)
        bits[:2] = 0, 2**width - 1
        found = op.reference(bits, np.array(low, dtype), np.array(high - 1, dtype))
        np.testing.assert_array_equal(found, integers_from_bits(bits, low, high, dtype))
        assert (int(found[0]), int(found[1])) == (low, high - 1)

    def test_bits_of_the_wrong_width(self) -> None:
        with pytest.raises(
            DTypeError, match=r"UniformFromBits: input 0 is uint32\[2\]; float64 is made of uint64 bits"
        ):
            UniformFromBits(as_dtype("float64"))(np.zeros(2, np.uint32))


class TestDistributions:
    @pytest.mark.parametrize("dtype", [dt.float16, dt.bfloat16, dt.float32, dt.float64])
    def test_uniform(self, dtype: Any) -> None:
        dt.set_random_seed(1)
        unit = dt.random_uniform([20000], dtype=dtype, name="unit")
        wide = dt.random_uniform([20000], -3, 5, dtype=dtype)
        assert unit.op.name == "unit"
        x, y = (one.astype(np.float64) for one in run([unit, wide]))
        assert x.min() >= 0
        assert x.max() < 1
        assert abs(x.mean() - 0.5) < 0.01
        assert abs(x.std() - 12**-0.5) < 0.01
        assert y.min() >= -3
        assert y.max() < 5
        assert abs(y.mean() - 1) < 0.08

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
    def test_the_upper_bound_is_not_reached(self, dtype: str) -> None:
        width = np.uint64 if dtype == "float64" else np.uint32
        bits = dt.placeholder(as_dtype(width), [1])
        # As random_uniform builds it, of the largest uniform there is: 1 + (1 - 2**-24) rounds to 2.
        with dt.Session() as session:
            node = dt.random_uniform([1], 1, 2, dtype=dtype, name="u")
            source = node.graph.get_tensor_by_name("u/RandomBits:0")
            largest = session.run(node, {source: np.array([np.iinfo(width).max], width)})
        assert bits.graph is node.graph
        assert 1.99 < float(largest[0]) < 2 or dtype == "bfloat16"
        assert float(largest[0]) < 2

    def test_uniform_of_tensor_bounds(self) -> None:
        low, high = dt.constant([0.0, 10.0]), dt.constant([1.0, 20.0])
        x = dt.random_uniform([1000, 2], low, high, seed=1)
        (slope,) = dt.gradients(x, high)
        found, gradient = run([x, slope])
        assert found[:, 0].max() < 1 < 10 <= found[:, 1].min()
        assert abs(found[:, 1].mean() - 15) < 0.5
        assert abs(gradient[0] / 1000 - 0.5) < 0.05

    def test_integers(self) -> None:
        x = run(dt.random_uniform([6000], 1, 7, dt.int32, seed=1))
        assert x.dtype == np.int32
        counts = np.bincount(x, minlength=7)
        assert counts[0] == 0
        assert counts[1:].min() > 850
        late = dt.placeholder(dt.int64, [])
        y = dt.random_uniform([1000], 5, late, dt.int64, seed=1)
        assert set(run(y, {late: 8}).tolist()) == {5, 6, 7}

    @pytest.mark.parametrize("dtype", [dt.float16, dt.bfloat16, dt.float32, dt.float64])
    def test_normal(self, dtype: Any) -> None:
        dt.set_random_seed(2)
        x = run(dt.random_normal([40000], 3, 2, dtype)).astype(np.float64)
        assert abs(x.mean() - 3) < 0.05
        assert abs(x.std() - 2) < 0.03
        assert abs((x < 3 + 2 * 1.6449).mean() - 0.95) < 0.005

    def test_truncated_normal(self) -> None:
        x = run(dt.truncated_normal([40000], stddev=0.5, seed=1))
        assert abs(x).max() <= 1
        assert abs(x.std() - 0.5 * 0.8796) < 0.01

    def test_parameters_may_be_tensors_with_gradients(self) -> None:
        mean, stddev = dt.constant([1.0, 2.0]), dt.constant(3.0)
        x = dt.random_normal([3, 2], mean, stddev, seed=1)
        slopes = run(dt.gradients(x, [mean, stddev]))
        assert slopes[0].tolist() == [3.0, 3.0]
        assert slopes[1].shape == ()

    def test_shuffle(self) -> None:
        x = dt.random_shuffle(np.arange(20).reshape(10, 2), seed=1)
        with dt.Session() as session:
            first, second = session.run(x), session.run(x)
        assert sorted(map(tuple, first.tolist())) == [(2 * i, 2 * i + 1) for i in range(10)]
        assert not np.array_equal(first, second)
        late = dt.placeholder(dt.float32, None)
        assert sorted(run(dt.random_shuffle(late), {late: [3, 1, 2]}).tolist()) == [1, 2, 3]

    def test_multinomial(self) -> None:
        logits = dt.log([[0.25, 0.0, 0.75], [0.0, 1.0, 0.0]])
        drawn = dt.multinomial(logits, 4000, seed=1)
        assert drawn.type == dt.multinomial(logits, 4000, output_dtype=dt.int64).type
        first, second = run(drawn)
        assert set(first.tolist()) == {0, 2}
        assert abs((first == 2).mean() - 0.75) < 0.03
        assert set(second.tolist()) == {1}
        half = dt.multinomial(np.zeros((1, 2), ml_dtypes.bfloat16), 5, output_dtype=dt.int32)
        assert half.type == dt.zeros([1, 5], dt.int32).type


class TestLoops:
    def test_every_iteration_has_its_own_numbers(self) -> None:
        rows = map_fn(lambda row: map_fn(lambda x: x + dt.random_uniform([], seed=3), row), dt.zeros([2, 3]))
        with dt.Session() as session:
            first, second = session.run(rows), session.run(rows)
        for execution, found in enumerate((first, second)):
            for i, j in np.ndindex(2, 3):
                bits = random_bits(1, "uint32", key_of(None, 3, 0, 0), execution, [i, j])
                assert found[i, j] == uniform_from_bits(bits, "float32")[0]

    def test_gradients_see_the_numbers_of_the_loop(self) -> None:
        x = dt.constant(2.0, dt.float64)
        noisy = map_fn(lambda one: one * x * dt.random_uniform([], dtype=dt.float64), dt.ones([4], dt.float64))
        total = dt.reduce_sum(noisy)
        value, slope = run([total, dt.gradients(total, x)[0]])
        assert slope == pytest.approx(value / 2.0)

    def test_branches(self) -> None:
        flag = dt.placeholder(dt.bool, [])
        x = cond(flag, lambda: dt.random_uniform([2]), lambda: dt.zeros([2]))
        with dt.Session() as session:
            assert not np.array_equal(session.run(x, {flag: True}), session.run(x, {flag: True}))
            assert session.run(x, {flag: False}).tolist() == [0.0, 0.0]


class TestShapes:
    def test_symbolic(self) -> None:
        x = dt.placeholder(dt.float32, [None, 3])
        noise = dt.random_normal(dt.shape(x))
        assert noise.type == x.type
        assert run(noise, {x: np.zeros((5, 3))}).shape == (5, 3)

    def test_of_data(self) -> None:
        size = dt.placeholder(dt.int32, [])
        x = dt.random_uniform([size, 2], seed=1)
        assert x.shape.rank == 2
        with dt.Session() as session:
            assert session.run(x, {size: 4}).shape == (4, 2)
            assert session.run(x, {size: 1}).shape == (1, 2)
        vector = dt.placeholder(dt.int64, [2])
        assert run(dt.random_normal(vector), {vector: [2, 3]}).shape == (2, 3)

    def test_the_numbers_do_not_depend_on_when_the_shape_is_known(self) -> None:
        dt.set_random_seed(1)
        size = dt.placeholder(dt.int32, [])
        early, late = dt.random_uniform([4, 2], seed=5), dt.random_uniform([size, 2], seed=5)
        first, second = run([early, late], {size: 4})
        np.testing.assert_array_equal(first, second)

    def test_scalar_and_empty(self) -> None:
        assert run(dt.random_uniform([])).shape == ()
        assert run(dt.random_normal([0, 3])).shape == (0, 3)

    @pytest.mark.parametrize(
        ("build", "error", "message"),
        [
            (lambda: dt.random_uniform([2], dtype=dt.int32), InvalidArgumentError, "int32 needs maxval"),
            (
                lambda: dt.random_uniform([2], 3, 3, dt.int32),
                InvalidArgumentError,
                "no integer from 3 up to but without 3",
            ),
            (lambda: dt.random_uniform([2], 0, 257, dt.uint8), InvalidArgumentError, "is more than uint8 holds"),
            (lambda: dt.random_uniform([2], 0, 2.5, dt.int32), DTypeError, "maxval is 2.5; for int32, use an int"),
            (lambda: dt.random_uniform([2], dtype=dt.bool), DTypeError, "dtype is bool; use a floating dtype"),
            (lambda: dt.random_normal([2], dtype=dt.int32), DTypeError, "random_normal: dtype is int32"),
            (lambda: dt.random_normal([2.5]), DTypeError, "random_normal: shape"),
            (lambda: dt.random_normal([2], mean=dt.zeros([3, 2])), ShapeError, "but parameters are float32[3, 2]"),
            (lambda: dt.random_shuffle(3), ShapeError, "a scalar, which has no axis to shuffle"),
            (lambda: dt.multinomial([1.0, 2.0], 1), ShapeError, "multinomial: logits are float32[2]"),
            (lambda: dt.multinomial([[1, 2]], 1), DTypeError, "multinomial: dtype is int32"),
        ],
    )
    def test_refusals(self, build: Any, error: type[Exception], message: str) -> None:
        with pytest.raises(error) as caught:
            build()
        assert message in str(caught.value)
