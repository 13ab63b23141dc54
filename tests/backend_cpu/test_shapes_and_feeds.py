"""Shapes and feeds of every kind: odd, empty, broadcast; arrays that do not lie as compiled code likes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import dovetail as dt
from tests.backend_cpu.conformance import REFERENCE, assert_agree, session

BACKEND = "cpu"
few = settings(max_examples=settings.default.max_examples // 5)
SIZES = st.sampled_from((0, 1, 2, 3, 5, 7, 8, 9, 16, 17, 33))


class Pair:
    """A graph in a session of the backend and in one of the reference: other sizes compile nothing."""

    def __init__(self, make: Callable[..., list[dt.Tensor]], *inputs: tuple[str, list[int | None]]) -> None:
        """Make a graph of placeholders of those dtypes and shapes."""
        with dt.Graph().as_default():
            self.inputs = [dt.placeholder(dt.as_dtype(dtype), shape) for dtype, shape in inputs]
            self.fetches = make(*self.inputs)
            self._sessions = [session(BACKEND), session(REFERENCE)]

    def check(self, *values: np.ndarray, tolerance: float | None = None) -> None:
        """Compare, results or errors."""
        feeds = dict(zip(self.inputs, values, strict=True))
        found, expected = (outcome(one, self.fetches, feeds) for one in self._sessions)
        if isinstance(expected, Exception) or isinstance(found, Exception):
            assert str(found) == str(expected)
            return
        assert_agree(found, expected, tolerance)


def outcome(opened: dt.Session, fetches: Any, feeds: Any) -> Any:
    """Return what a run gives, or the error that it raises."""
    try:
        with np.errstate(all="ignore"):
            return opened.run(fetches, feeds)
    except dt.errors.DovetailError as error:
        return error


def numbers(shape: tuple[int, ...], seed: int, dtype: Any = np.float32) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "i":
        return rng.integers(-4, 5, shape).astype(dtype)
    return np.asarray(rng.normal(size=shape)).astype(dtype)


# Shapes. -------------------------------------------------------------------------------------------------------------


def elementwise(x: Any, y: Any, i: Any, j: Any) -> list[Any]:
    grads = dt.gradients(dt.reduce_sum(dt.tanh(x) * y - dt.maximum(x, y)), [x, y])
    return [x + y, dt.exp(-dt.abs(x)) * y, dt.where(x > y, x + y, x * y), i * j + i, dt.maximum(i, j), *grads]


def reductions(x: Any) -> list[Any]:
    results = [
        one for axis in (0, 1, 2, [0, 2], [1, 2], None) for one in (dt.reduce_sum(x, axis), dt.reduce_mean(x, axis))
    ]
    grads = dt.gradients(dt.reduce_sum(dt.square(dt.reduce_mean(x, 1))), x)
    return [
        *results,
        dt.nn.softmax(x),
        dt.argmax(x, 2),
        dt.cumsum(x, 1),
        dt.reduce_all(x > 0, 2),
        dt.reduce_prod(x, [0, 1, 2]),
        *grads,
    ]


def products(x: Any, y: Any) -> list[Any]:
    z = dt.matmul(x, y)
    return [z, dt.matmul(y, x, True, True), dt.nn.relu(z + 1.0), *dt.gradients(dt.reduce_sum(dt.square(z)), [x, y])]


def windows(x: Any) -> list[Any]:
    filters = dt.constant(numbers((3, 2, 2, 5), 4))
    y = dt.nn.conv2d(x, filters, strides=2, padding="SAME")
    pools = [dt.nn.max_pool(x, 3, 2, "SAME"), dt.nn.avg_pool(x, 2, 1, "SAME")]
    grads = [dt.gradients(dt.reduce_sum(dt.square(one)), [x])[0] for one in (y, *pools)]
    return [dt.nn.relu(y), *pools, *grads, dt.gradients(dt.reduce_sum(dt.square(y)), filters)[0]]


def movements(x: Any, y: Any, i: Any) -> list[Any]:
    rows = dt.gather(x, i % dt.maximum(dt.shape(x)[0], 1))
    both = dt.concat([x, y, x], 0)
    results = [both, x[::-1, 1:], x[1::2], dt.transpose(x), rows, dt.pad(x, [[1, 0], [0, 2]]), dt.stack([x, x], 1)]
    grads = dt.gradients([dt.square(one) for one in (both, x[::-1, 1:], x[1::2], rows)], [x, y])
    return [*results, dt.reverse(both, [0]), dt.tile(x, [2, 1]), dt.reshape(both, [-1]), *grads]


MATRIX: tuple[str, list[int | None]] = ("float32", [None, None])
INTEGERS: tuple[str, list[int | None]] = ("int32", [None, None])


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    return {
        "elementwise": Pair(elementwise, MATRIX, MATRIX, INTEGERS, INTEGERS),
        "reductions": Pair(reductions, ("float32", [None, None, None])),
        "products": Pair(products, MATRIX, MATRIX),
        "windows": Pair(windows, ("float32", [None, None, None, 2])),
        "movements": Pair(movements, MATRIX, MATRIX, ("int32", [None])),
    }


@few
@given(
    shapes=arrays.mutually_broadcastable_shapes(num_shapes=4, min_dims=2, max_dims=2, min_side=0, max_side=19),
    seed=st.integers(0, 99),
)
def test_broadcasting(pairs: dict[str, Pair], shapes: Any, seed: int) -> None:
    first, second, third, fourth = shapes.input_shapes
    assume(not {0, 1} <= {*first, *second, *third, *fourth})  # the reference refuses to add up 0 for an axis of 1
    values = [
        numbers(first, seed),
        numbers(second, seed + 1),
        numbers(third, seed, np.int32),
        numbers(fourth, 1, np.int32),
    ]
    pairs["elementwise"].check(*values)


@few
@given(shape=st.tuples(SIZES, SIZES, SIZES), seed=st.integers(0, 99))
@example(shape=(0, 3, 0), seed=0)
def test_reductions(pairs: dict[str, Pair], shape: tuple[int, ...], seed: int) -> None:
    pairs["reductions"].check(numbers(shape, seed))


@few
@given(rows=SIZES, inner=SIZES, columns=SIZES, seed=st.integers(0, 99))
def test_products(pairs: dict[str, Pair], rows: int, inner: int, columns: int, seed: int) -> None:
    pairs["products"].check(numbers((rows, inner), seed), numbers((inner, columns), seed + 1))


@few
@given(rows=SIZES, more=SIZES, columns=SIZES, count=SIZES, seed=st.integers(0, 99))
def test_movements(pairs: dict[str, Pair], rows: int, more: int, columns: int, count: int, seed: int) -> None:
    pairs["movements"].check(
        numbers((rows, columns), seed), numbers((more, columns), seed + 1), numbers((count,), seed, np.int32)
    )


@few
@given(batch=SIZES, height=SIZES, width=SIZES, seed=st.integers(0, 99))
def test_windows(pairs: dict[str, Pair], batch: int, height: int, width: int, seed: int) -> None:
    pairs["windows"].check(numbers((batch, height, width, 2), seed))


# Feeds. --------------------------------------------------------------------------------------------------------------


def feeds_of(array: np.ndarray) -> dict[str, Any]:
    """The same numbers, lying in memory in many ways."""
    wide = np.zeros((2 * array.shape[0], array.shape[1] + 3), array.dtype)
    wide[::2, 1:-2] = array
    frozen = array.copy()
    frozen.flags.writeable = False
    shifted = np.frombuffer(b"x" + array.tobytes(), np.uint8)[1:].view(array.dtype).reshape(array.shape)
    return {
        "a slice": wide[::2, 1:-2],
        "columns first": np.asfortranarray(array),
        "backwards": array[::-1, ::-1].copy()[::-1, ::-1],
        "another byte order": array.astype(array.dtype.newbyteorder()),
        "read-only": frozen,
        "not aligned": shifted,
        "a list": array.tolist(),
    }


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "int64", "uint8", "bool"])
def test_feeds_of_every_kind(dtype: str) -> None:
    x, y = dt.placeholder(dt.as_dtype(dtype), [None, 5]), dt.placeholder(dt.as_dtype(dtype), [])
    result = [dt.logical_xor(x, y), dt.reverse(x, [1])] if dtype == "bool" else [x * y + x, dt.reverse(x, [1])]
    array = (np.arange(20).reshape(4, 5) % 7).astype(dtype)
    number = np.asarray(3).astype(dtype)
    with session(BACKEND) as opened, session(REFERENCE) as plain:
        expected = plain.run(result, {x: array, y: number})
        for name, feed in feeds_of(array).items():
            kept = np.array(feed)
            for scalar in (number, number[()], number.item()):
                found = opened.run(result, {x: feed, y: scalar})
                for left, right in zip(found, expected, strict=True):
                    np.testing.assert_array_equal(left, right, err_msg=name, strict=True)
            np.testing.assert_array_equal(feed, kept, err_msg=name)


def test_fetches_of_feeds_and_constants_are_arrays_of_their_own() -> None:
    x = dt.placeholder(dt.float32, [None])
    constant = dt.constant([1.0, 2.0])
    with session(BACKEND) as opened:
        feed = np.array([3.0, 4.0], np.float32)
        for _ in range(2):
            found = opened.run([x, dt.identity(x), dt.reshape(x, [1, -1]), constant, x + 0.0, x + 0.0], {x: feed})
            for one in found:
                assert one.flags.writeable
                assert not any(np.shares_memory(one, other) for other in (feed, *found) if other is not one)
                one[...] = -1.0
            assert feed.tolist() == [3.0, 4.0]
