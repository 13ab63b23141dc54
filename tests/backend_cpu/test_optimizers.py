"""Every optimizer steps on the CPU backend as on the reference, all of it native, in few kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dovetail as dt
from tests.backend_cpu.conformance import REFERENCE, assert_agree, session
from tests.optim.every import MATRICES_ONLY, OPTIMIZERS, schedule

BACKEND = "cpu"
every = pytest.mark.parametrize("name", OPTIMIZERS)


def trained(step: dt.Operation, feeds: list[dict[Any, Any]], backend: str) -> list[Any]:
    """Return all variables after some steps."""
    with session(backend) as opened:
        opened.run(dt.global_variables_initializer())
        for one in feeds:
            opened.run(step, one)
        plans = list(opened._plans.values())
        assert {each.backend.name for one in plans for each in one.plan.segments} == {backend}
        return list(opened.run(dt.global_variables()))


@every
@pytest.mark.parametrize("dtype", [dt.float32, dt.float64])
def test_steps_agree_with_the_reference(name: str, dtype: Any, rng: np.random.Generator) -> None:
    kernel = dt.Variable(rng.normal(size=(5, 7)), dtype=dtype, name="kernel")
    bias = dt.Variable(rng.normal(size=7), dtype=dtype, name="bias")
    variables = [kernel, *([] if name in MATRICES_ONLY else [bias])]
    gradients = [dt.placeholder(dtype, one.shape) for one in variables]
    optimizer = OPTIMIZERS[name](schedule())
    step = optimizer.apply_gradients(list(zip(gradients, variables, strict=True)), dt.train.get_global_step())
    feeds = [{one: rng.normal(size=one.shape.evaluate({})) for one in gradients} for _ in range(5)]
    found, expected = (trained(step, feeds, backend) for backend in (BACKEND, REFERENCE))
    assert_agree(found, expected, 1e-4 if dtype is dt.float32 else 1e-9)


@every
def test_rows_agree_with_the_reference(name: str, rng: np.random.Generator) -> None:
    table = dt.Variable(rng.normal(size=(9, 4)).astype(np.float32), name="table")
    rows = dt.placeholder(dt.int32, [None])
    loss = dt.reduce_sum(dt.square(dt.gather(table, rows) - 1.0))
    step = OPTIMIZERS[name](schedule()).minimize(loss, dt.train.get_global_step())
    feeds = [{rows: rng.integers(0, 9, 3 + number)} for number in range(4)]
    assert_agree(*(trained(step, feeds, backend) for backend in (BACKEND, REFERENCE)), 1e-4)


# Kernels. ------------------------------------------------------------------------------------------------------------

LAYERS = 10


def network() -> dt.Tensor:
    y = dt.placeholder(dt.float32, [None, 16])
    for index in range(LAYERS):
        y = dt.layers.dense(y, 16 + index, activation=dt.nn.relu)
    return dt.reduce_mean(dt.square(y))


@pytest.mark.parametrize(
    "name",
    ["gradient_descent", "momentum", "rmsprop", "adagrad", "adadelta", "adam", "adamw", "adamax", "nadam", "lion"],
)
def test_a_step_adds_no_kernel_for_each_variable(name: str) -> None:
    """What computes a gradient writes the variable and all that is kept for it."""
    loss = network()
    plain = {"adamw": dt.train.AdamWOptimizer, "momentum": lambda rate: dt.train.MomentumOptimizer(rate, 0.9)}
    optimizer = {**OPTIMIZERS, **plain, "gradient_descent": dt.train.GradientDescentOptimizer}[name](0.01)
    gradients = [one for one, _ in optimizer.compute_gradients(loss)]
    alone = dt.explain(gradients)
    step = dt.explain(optimizer.minimize(loss))
    assert len(gradients) == 2 * LAYERS
    assert len(step.kernels) <= len(alone.kernels) + 4
    assert step.fallbacks == []


@pytest.mark.parametrize("name", ["lamb", "lars", "adafactor", "muon"])
def test_norms_and_products_take_some_kernels_for_each_variable(name: str) -> None:
    loss = network()
    kernels = [one for one in dt.trainable_variables() if len(one.shape) > 1]
    optimizer = OPTIMIZERS[name](0.01)
    alone = dt.explain([one for one, _ in optimizer.compute_gradients(loss, kernels)])
    step = dt.explain(optimizer.minimize(loss, var_list=kernels))
    most = {"lamb": 4, "lars": 4, "adafactor": 8, "muon": 24}[name]
    assert len(step.kernels) <= len(alone.kernels) + most * LAYERS + 4
    assert step.fallbacks == []
