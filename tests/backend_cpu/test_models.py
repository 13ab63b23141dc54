"""Networks of every layer, loss and optimizer train alike on the CPU backend and the reference; all of it native."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail_backend_cpu import backend as backend_module
from tests.backend_cpu.conformance import REFERENCE, assert_agree, session
from tests.backend_cpu.models import MODELS, Model

BACKEND = "cpu"
STEPS = 5
TOLERANCE = 2e-3
"""Of losses and variables after some steps, in which roundings of the first have gone through all others."""

OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "GradientDescent": lambda: dt.train.GradientDescentOptimizer(0.1),
    "Momentum": lambda: dt.train.MomentumOptimizer(0.05, 0.9),
    "Nesterov": lambda: dt.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True),
    "RMSProp": lambda: dt.train.RMSPropOptimizer(0.01, momentum=0.5, epsilon=1e-3),
    "centered RMSProp": lambda: dt.train.RMSPropOptimizer(0.01, centered=True, epsilon=1e-3),
    "Adam": lambda: dt.train.AdamOptimizer(
        dt.train.exponential_decay(0.02, dt.train.get_or_create_global_step(), 2, 0.5), epsilon=1e-4
    ),
    "AdamW": lambda: dt.train.AdamWOptimizer(0.01, weight_decay=0.1, epsilon=1e-4),
}


def trained(model: Model, step: dt.Operation, backend: str) -> list[Any]:
    """Return the losses, all variables and the outputs after some steps."""
    with session(backend, graph=model.graph) as opened:
        opened.run(model.initializer())
        losses = [
            opened.run([model.loss, step], {**model.feeds(6 + number % 2, seed=number), model.training: True})[0]
            for number in range(STEPS)
        ]
        results = [*losses, *opened.run(model.variables()), opened.run(model.output, model.feeds(4))]
        assert all(len(one.plan.segments) <= 1 for one in opened._plans.values())
        assert {each.backend.name for one in opened._plans.values() for each in one.plan.segments} == {backend}
        return results


@pytest.mark.parametrize("name", MODELS)
def test_networks_train_alike(name: str) -> None:
    model = Model(name)
    step = model.minimize(OPTIMIZERS["Momentum"])
    found, expected = (trained(model, step, backend) for backend in (BACKEND, REFERENCE))
    assert_agree(found, expected, TOLERANCE)
    assert found[0] != found[STEPS - 1]


@pytest.mark.parametrize("name", [one for one in OPTIMIZERS if one != "Momentum"])
def test_optimizers_step_alike(name: str) -> None:
    model = Model("mlp")
    step = model.minimize(OPTIMIZERS[name])
    assert_agree(*(trained(model, step, backend) for backend in (BACKEND, REFERENCE)), TOLERANCE)


def test_what_adds_up_over_steps_is_bitwise_what_it_was() -> None:
    """Two sessions of one seed draw the same numbers and end with the same bits."""
    model = Model("convnet")
    step = model.minimize(OPTIMIZERS["Momentum"])
    first, second = (trained(model, step, BACKEND) for _ in range(2))
    for left, right in zip(first, second, strict=True):
        np.testing.assert_array_equal(left, right, strict=True)


def test_first_values_of_few_variables_are_numpy_s_and_of_many_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bits either way, as whoever trains expects of a seed."""
    graph = dt.Graph()
    with graph.as_default():
        dt.set_random_seed(11)
        makers = {
            "normal": dt.random_normal_initializer(stddev=0.1),
            "truncated": dt.truncated_normal_initializer(),
            "uniform": dt.random_uniform_initializer(-2.0, 3.0),
            "glorot": dt.glorot_normal_initializer(),
            "scaled": dt.variance_scaling_initializer(2.0),
            "ones": dt.ones_initializer(),
        }
        variables = [dt.get_variable(name, [30, 40], initializer=one) for name, one in makers.items()]
        variables.append(dt.get_variable("double", [7], dt.float64, dt.random_normal_initializer()))
        initialize, again = dt.global_variables_initializer(), dt.assign(variables[0], variables[0] + 1.0)
        drawn = dt.random_normal([3])

    def kinds(opened: dt.Session) -> set[str]:
        return {
            type(segment.executable).__name__ for entry in opened._plans.values() for segment in entry.plan.segments
        }

    found = []
    for few, wanted in ((backend_module._FEW_NUMBERS, "ReferenceExecutable"), (10, "NativeExecutable")):
        monkeypatch.setattr(backend_module, "_FEW_NUMBERS", few)
        with session(BACKEND, graph=graph) as opened:
            opened.run(initialize)
            assert kinds(opened) == {wanted}
            found.append(opened.run(variables))
            opened.run(drawn)
            opened.run(again)
            assert "NativeExecutable" in kinds(opened)  # what is not only a start is compiled
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
