"""Complex numbers beside compiled code: NumPy computes them, and everything real around them stays native."""

from __future__ import annotations

import numpy as np

import dovetail as dt
from tests.backend_cpu.conformance import assert_agree, fallen_back, session


def test_the_real_part_of_a_program_is_native() -> None:
    x = dt.placeholder(dt.float32, [None, 64], name="x")
    w = dt.get_variable("w", [64, 64])
    hidden = dt.tanh(dt.matmul(x, w))
    spectrum = dt.signal.rfft(hidden)
    power = dt.nn.softmax(dt.log1p(dt.square(dt.abs(spectrum * (0.5 - 1.0j)))))
    loss = dt.reduce_mean(dt.square(power))
    train = dt.train.GradientDescentOptimizer(0.5).minimize(loss)
    feed = {x: np.random.default_rng(0).normal(size=(5, 64)).astype(np.float32)}
    with session("cpu") as opened:
        opened.run(dt.global_variables_initializer())
        opened.run(dt.assign(w, np.random.default_rng(1).normal(size=(64, 64)) * 0.1))
        first, _ = opened.run([loss, train], feed)
        assert opened.run(loss, feed) < first
        assert not fallen_back(opened, "cpu")
        parts = [segment for entry in opened._plans.values() for segment in entry.plan.segments]
        others = [one for part in parts if part.backend.name != "cpu" for one in part.program.instructions]
        assert any(one.op.name == "HalfFft" for one in others)
        native = {one.op.name for part in parts if part.backend.name == "cpu" for one in part.program.instructions}
        assert {"MatMul", "Tanh"} <= native


def test_values_are_those_of_the_reference() -> None:
    x = dt.placeholder(dt.complex64, [None, 3])
    y = dt.placeholder(dt.float64, [None])
    product = dt.matmul(x, x, adjoint_b=True)
    results = [product, dt.abs(product), dt.reduce_sum(dt.real(product), 0) * 2.0, dt.signal.dct(dt.exp(y))]
    rng = np.random.default_rng(0)
    value = rng.normal(size=(4, 3)) + 1j * rng.normal(size=(4, 3))
    for found, expected in zip(*both_of(results, {x: value, y: rng.normal(size=6)}), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def both_of(fetches: list[dt.Tensor], feeds: dict[dt.Tensor, np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    with session("cpu") as native, session("reference") as reference:
        return native.run(fetches, feeds), reference.run(fetches, feeds)


def test_a_branch_and_a_loop_that_hold_complex_numbers() -> None:
    z = dt.placeholder(dt.complex64, [])
    inside = dt.while_loop(lambda i, v: dt.abs(v) < 2.0, lambda i, v: (i + 1, v * v + z), [0, z], maximum_iterations=50)
    chosen = dt.cond(dt.real(z) > 0.0, lambda: z * 2.0, lambda: dt.conj(z))
    for value in (0.3 + 0.5j, -0.5 + 1.0j):
        with session("cpu") as native, session("reference") as reference:
            found, expected = (one.run([*inside, chosen], {z: value}) for one in (native, reference))
        assert_agree(found[0], expected[0])
        np.testing.assert_allclose(found[1:], expected[1:], rtol=1e-6)
