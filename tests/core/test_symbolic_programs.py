"""Random programs on sizes known only when fed: the same values as with static shapes, one plan for every batch."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import dovetail as dt
from dovetail.errors import FeedError
from dovetail.graph.operation import Tensor

Step = tuple[str, int]

# Each step takes the tensor so far, of shape [batch, ...], and gives another whose first axis is still the batch.
STEPS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "scale": lambda x, k: x * float(k + 1) - 1.0,
    "tanh": lambda x, k: dt.tanh(x),
    "flatten": lambda x, k: dt.reshape(x, [-1, int(np.prod(x.shape.as_list()[1:]))]),
    "by_shape": lambda x, k: dt.reshape(x, dt.concat([dt.shape(x)[:1], [int(np.prod(x.shape.as_list()[1:]))]], 0)),
    "softmax": lambda x, k: dt.exp(x - dt.reduce_max(x, axis=-1, keepdims=True)),
    "center": lambda x, k: x - dt.reduce_mean(x, axis=0, keepdims=True),
    "tail": lambda x, k: dt.concat([x, x[:, :1]], axis=1),
    "pairs": lambda x, k: dt.concat([x, dt.reverse(x, [0])], axis=-1),
    "gather": lambda x, k: dt.gather(x, dt.range(dt.shape(x)[0] - 1, -1, -1)),
    "tile": lambda x, k: dt.tile(x, [1, k + 1, *[1] * (x.shape.rank - 2)]),
    "stack": lambda x, k: dt.stack([x, x * 2.0], axis=1),
    "matmul": lambda x, k: dt.matmul(x, dt.ones([x.shape.as_list()[-1], k + 2], x.dtype)),
    "normed": lambda x, k: x / dt.sqrt(1.0 + dt.reduce_sum(dt.square(x)) / dt.cast(dt.size(x), x.dtype)),
    "where": lambda x, k: dt.where(x > 0.0, x, dt.zeros_like(x)),
    "pad": lambda x, k: dt.pad(x, [[0, 0], [1, k], *[[0, 0]] * (x.shape.rank - 2)]),
    "drop_and_pad": lambda x, k: dt.pad(x[1:], [[1, 0], *[[0, 0]] * (x.shape.rank - 1)]),
}

programs = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 2)), min_size=1, max_size=7)


def apply(x: Tensor, steps: list[Step]) -> Tensor:
    for name, k in steps:
        x = STEPS[name](x, k)
    return x


@given(programs, st.lists(st.integers(1, 6), min_size=2, max_size=3))
def test_symbolic_batches_agree_with_static_ones(steps: list[Step], sizes: list[int]) -> None:
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=(size, 2, 3)) for size in sizes]
    with dt.Graph().as_default(), dt.Session() as session:
        x = dt.placeholder(dt.float64, [None, 2, 3], name="x")
        y = apply(x, steps)
        grad = dt.convert_to_tensor(dt.gradients(dt.reduce_sum(dt.square(y)), x)[0])
        symbolic = [session.run([y, grad], {x: array}) for array in arrays]
        assert len(session._plans) == 1
        for (value, _), size in zip(symbolic, sizes, strict=True):
            declared = y.shape.substitute(dict.fromkeys(y.shape.symbols, size))
            assert value.shape == declared.evaluate({})
    for array, found in zip(arrays, symbolic, strict=True):
        with dt.Graph().as_default(), dt.Session() as session:
            x = dt.placeholder(dt.float64, array.shape, name="x")
            y = apply(x, steps)
            grad = dt.convert_to_tensor(dt.gradients(dt.reduce_sum(dt.square(y)), x)[0])
            for one, other in zip(found, session.run([y, grad], {x: array}), strict=True):
                np.testing.assert_array_equal(one, other)


def test_a_size_fed_as_1_counts_for_random_numbers_and_within_loops() -> None:
    """What is drawn in the shape of a batch broadcasts where the batch is 1."""
    dt.set_random_seed(1)
    x = dt.placeholder(dt.float32, [None, 4])
    drawn = dt.random_uniform(dt.shape(x), seed=1)
    looped = dt.map_fn(lambda row: row + dt.random_uniform(dt.shape(x), seed=2), dt.zeros([2, 1, 4]))
    results = [drawn / dt.constant(np.ones((4, 1), np.float32)), looped * dt.ones([4, 1])]
    with dt.Session() as session:
        for one in session.run(results, {x: np.zeros((1, 4))}):
            np.testing.assert_array_equal(one, np.broadcast_to(one[..., :1, :], one.shape))
        program = list(session._plans.values())[-1].plan.program
        assert not program.symbols


def test_a_size_that_is_computed_may_be_the_1_that_broadcasts() -> None:
    x, y = dt.placeholder(dt.float64, [None]), dt.placeholder(dt.float64, [5])
    total = x[::2] + y
    with dt.Session() as session:
        for size in (1, 2, 9, 10, 2):
            feed = np.arange(float(size))
            np.testing.assert_array_equal(session.run(total, {x: feed, y: np.ones(5)}), feed[::2] + np.ones(5))
        with pytest.raises(FeedError, match="must be equal, or one of them 1"):
            session.run(total, {x: np.ones(3), y: np.ones(5)})
        assert {len(entry.plan.program.symbols) for entry in session._plans.values()} == {0, 1}
