"""Programs that are hard to get right: values that several parts share memory or loops for, compared with the reference."""

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
