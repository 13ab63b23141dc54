"""Optimizers beside what PyTorch computed (tools/record_torch.py), and beside their formulas where PyTorch differs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt

RECORDED = np.load(Path(__file__).parents[1] / "data" / "torch.npz")


def regression() -> tuple[dt.Variable, dt.Variable, dt.Tensor]:
    """The problem that was recorded."""
    weight = dt.Variable(RECORDED["optimizer/weight"], name="weight")
    bias = dt.Variable(RECORDED["optimizer/bias"], name="bias")
    predicted = dt.tanh(dt.matmul(RECORDED["optimizer/x"], weight) + bias)
    return weight, bias, dt.reduce_mean(dt.square(predicted - RECORDED["optimizer/target"]))


@pytest.mark.parametrize(
    ("name", "make", "zeroed"),
    [
        ("sgd", lambda: dt.train.GradientDescentOptimizer(0.1), ()),
        ("momentum", lambda: dt.train.MomentumOptimizer(0.1, 0.9), ()),
        ("nesterov", lambda: dt.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True), ()),
        # PyTorch begins the average of squares at 0, TensorFlow 1 at 1.
        ("rmsprop", lambda: dt.train.RMSPropOptimizer(0.01, epsilon=0.0), ("rms",)),
        ("rmsprop_momentum", lambda: dt.train.RMSPropOptimizer(0.01, momentum=0.5, epsilon=0.0), ("rms",)),
        (
            "rmsprop_centered",
            lambda: dt.train.RMSPropOptimizer(0.01, momentum=0.5, epsilon=0.0, centered=True),
            ("rms",),
        ),
        ("adam", lambda: dt.train.AdamOptimizer(0.05, 0.8, 0.95, epsilon=0.0), ()),
        ("adamw", lambda: dt.train.AdamWOptimizer(0.05, 0.8, 0.95, 0.1, weight_decay=0.3), ()),
    ],
)
def test_five_steps(name: str, make: Callable[[], Any], zeroed: tuple[str, ...]) -> None:
    weight, bias, loss = regression()
    optimizer = make()
    step = optimizer.minimize(loss)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for slot in zeroed:
            for variable in (weight, bias):
                optimizer.get_slot(variable, slot).load(np.zeros(variable.shape.evaluate({})), session)
        for index in range(5):
            session.run(step)
            for variable, key in ((weight, "weight"), (bias, "bias")):
                np.testing.assert_allclose(
                    session.run(variable),
                    RECORDED[f"optimizer/{name}/{key}"][index],
                    rtol=1e-9,
                    err_msg=f"step {index}",
                )


def trajectory(optimizer: Any, gradients: list[np.ndarray], dtype: Any = dt.float64) -> list[np.ndarray]:
    """A variable that begins at [1, -2, 3], after each of the steps along given gradients."""
    variable = dt.Variable(np.array([1.0, -2.0, 3.0]), dtype=dtype)
    gradient = dt.placeholder(dtype, [3])
    step = optimizer.apply_gradients([(gradient, variable)])
    found = []
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for value in gradients:
            session.run(step, {gradient: value})
            found.append(session.run(variable))
    return found


@pytest.mark.parametrize("centered", [False, True])
def test_rmsprop_has_epsilon_under_the_root_and_begins_at_one(centered: bool, rng: np.random.Generator) -> None:
    gradients = list(rng.normal(size=(4, 3)))
    optimizer = dt.train.RMSPropOptimizer(0.1, decay=0.8, momentum=0.7, epsilon=0.3, centered=centered)
    w, s, g_mean, a = np.array([1.0, -2.0, 3.0]), np.ones(3), np.zeros(3), np.zeros(3)
    for g, found in zip(gradients, trajectory(optimizer, gradients), strict=True):
        s = 0.8 * s + 0.2 * g * g
        g_mean = 0.8 * g_mean + 0.2 * g
        a = 0.7 * a + 0.1 * g / np.sqrt(s - (g_mean * g_mean if centered else 0.0) + 0.3)
        w = w - a
        np.testing.assert_allclose(found, w, rtol=1e-12)


def test_adam_has_epsilon_outside_the_root_unscaled(rng: np.random.Generator) -> None:
    gradients = list(rng.normal(size=(4, 3)))
    w, m, v = np.array([1.0, -2.0, 3.0]), np.zeros(3), np.zeros(3)
    for t, (g, found) in enumerate(
        zip(gradients, trajectory(dt.train.AdamOptimizer(0.1, 0.8, 0.9, 0.2), gradients), strict=True), start=1
    ):
        m = 0.8 * m + 0.2 * g
        v = 0.9 * v + 0.1 * g * g
        w = w - 0.1 * np.sqrt(1 - 0.9**t) / (1 - 0.8**t) * m / (np.sqrt(v) + 0.2)
        np.testing.assert_allclose(found, w, rtol=1e-12)


@pytest.mark.parametrize("dtype", [dt.float32, dt.float16, dt.bfloat16])
def test_a_step_stays_in_the_variables_dtype(dtype: Any) -> None:
    for make in (
        lambda: dt.train.GradientDescentOptimizer(0.1),
        lambda: dt.train.MomentumOptimizer(0.1, 0.9),
        lambda: dt.train.RMSPropOptimizer(0.1),
        lambda: dt.train.AdamOptimizer(0.1),
        lambda: dt.train.AdamWOptimizer(0.1),
    ):
        (found,) = trajectory(make(), [np.array([1.0, 2.0, -1.0], dtype.numpy)], dtype)
        assert found.dtype == dtype.numpy
        assert np.isfinite(found.astype(np.float32)).all()


@pytest.mark.parametrize("dtype", [dt.float16, dt.bfloat16])
def test_steps_of_half_types_are_computed_in_float32(dtype: Any) -> None:
    """In bfloat16 itself 1 - beta2 is 0, and so would be the second moment and the step."""
    for optimizer in (dt.train.AdamOptimizer(0.125), dt.train.AdamWOptimizer(0.125, weight_decay=0.0)):
        (found,) = trajectory(optimizer, [np.array([1.0, 2.0, -1.0], dtype.numpy)], dtype)
        np.testing.assert_allclose(found.astype(np.float32), [0.875, -2.125, 3.125], atol=0.02)
