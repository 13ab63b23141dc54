"""Programs that are hard to get right: what shares memory or loops, compared with the reference."""

from __future__ import annotations

import numpy as np

import dovetail as dt
from tests.backend_cpu.conformance import assert_agree, both

BACKEND = "cpu"


def test_a_carry_that_begins_as_another_shape_of_a_sum() -> None:
    x = dt.placeholder(dt.float32, [None, 3, 3, 2])
    first = dt.reshape(dt.reduce_sum(x, [0, 2], keepdims=True), [3, 2])
    _, last = dt.while_loop(lambda i, u: i < 2, lambda i, u: (i + 1, dt.tanh(u - 2.0)), (0, first))
    assert_agree(*both(BACKEND, last, {x: np.ones((2, 3, 3, 2))}))


def test_results_of_loops_of_odd_and_even_length_live_side_by_side() -> None:
    x = dt.placeholder(dt.float32, [None, 5])
    loops = [
        dt.while_loop(lambda i, u, n=n: i < n, lambda i, u: (i + 1, u * 0.5 + 1.0), (0, x + float(n)))[1]
        for n in range(4)
    ]
    assert_agree(*both(BACKEND, [dt.concat(loops, 0), *loops], {x: np.ones((3, 5))}))


def test_shapes_of_nothing_and_of_something_in_one_program() -> None:
    x, y = dt.placeholder(dt.float32, [0, 3]), dt.placeholder(dt.float32, [None, 3])
    results = [dt.reshape(one, shape) for one in (dt.exp(x), dt.exp(y)) for shape in ([3, -1], [-1, 1, 3], [-1])]
    results += [dt.transpose(dt.reshape(y, [-1, 3, 1])), dt.nn.softmax(y), dt.reduce_sum(y, 0), dt.matmul(y, y, True)]
    results += [dt.concat([y, x, y], 0), dt.gather(y, dt.cast(dt.reshape(x, [-1]), dt.int32)), dt.tile(y, [2, 2])]
    for rows in (0, 2):
        assert_agree(*both(BACKEND, results, {x: np.ones((0, 3)), y: np.ones((rows, 3))}))


def test_random_numbers_in_the_shape_of_a_batch_of_one() -> None:
    dt.set_random_seed(1)
    x = dt.placeholder(dt.float32, [None, 4])
    drawn = dt.random_uniform(dt.shape(x), seed=1) / dt.constant(np.ones((4, 1), np.float32))
    for batch in (1, 4):
        assert_agree(*both(BACKEND, drawn, {x: np.zeros((batch, 4))}))


def test_sizes_that_are_computed_and_broadcast() -> None:
    x, y = dt.placeholder(dt.float32, [None]), dt.placeholder(dt.float32, [5])
    for size in (1, 2, 9, 10):
        assert_agree(*both(BACKEND, [x[::2] * y, dt.gradients(x[::2] * y, x)[0]], {x: np.ones(size), y: np.ones(5)}))
