"""Learning-rate schedules at given steps, and the global step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import AlreadyExistsError, DTypeError, InvalidArgumentError

STEPS = [0, 1, 7, 10, 15, 20, 35]


def rates(schedule: Callable[[Any], dt.Tensor]) -> list[float]:
    step = dt.placeholder(dt.int64, [])
    rate = schedule(step)
    with dt.Session() as session:
        return [float(session.run(rate, {step: value})) for value in STEPS]


def test_exponential_decay() -> None:
    found = rates(lambda step: dt.train.exponential_decay(0.5, step, 10, 0.1))
    np.testing.assert_allclose(found, [0.5 * 0.1 ** (step / 10) for step in STEPS], rtol=1e-6)
    found = rates(lambda step: dt.train.exponential_decay(0.5, step, 10, 0.1, staircase=True))
    np.testing.assert_allclose(found, [0.5 * 0.1 ** (step // 10) for step in STEPS], rtol=1e-6)


@pytest.mark.parametrize("power", [1.0, 2.0, 0.5])
def test_polynomial_decay(power: float) -> None:
    found = rates(lambda step: dt.train.polynomial_decay(0.5, step, 20, 0.1, power))
    expected = [0.4 * (1 - min(step, 20) / 20) ** power + 0.1 for step in STEPS]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_polynomial_decay_in_cycles() -> None:
    found = rates(lambda step: dt.train.polynomial_decay(0.5, step, 10, 0.1, cycle=True))
    totals = [10 * max(math.ceil(step / 10), 1) for step in STEPS]
    np.testing.assert_allclose(found, [0.4 * (1 - s / t) + 0.1 for s, t in zip(STEPS, totals, strict=True)], rtol=1e-5)


def test_cosine_decay() -> None:
    found = rates(lambda step: dt.train.cosine_decay(0.5, step, 20, alpha=0.2))
    waves = [0.5 * (1 + math.cos(math.pi * min(step, 20) / 20)) for step in STEPS]
    np.testing.assert_allclose(found, [0.5 * (0.8 * wave + 0.2) for wave in waves], rtol=1e-5)


def test_piecewise_constant() -> None:
    found = rates(lambda step: dt.train.piecewise_constant(step, [7, 15], [1.0, 0.5, 0.25]))
    np.testing.assert_array_equal(found, [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25])


def test_schedules_say_what_is_wrong() -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"exponential_decay: global_step is None; use dt.train.get_or_create"
    ):
        dt.train.exponential_decay(0.1, None, 10, 0.5)
    with pytest.raises(InvalidArgumentError, match="2 boundaries need 3 values; 2 were given"):
        dt.train.piecewise_constant(dt.constant(1), [1, 2], [0.1, 0.2])
    with pytest.raises(InvalidArgumentError, match=r"the boundaries \[2, 1\] must rise"):
        dt.train.piecewise_constant(dt.constant(1), [2, 1], [0.1, 0.2, 0.3])


def test_the_global_step_is_one_for_a_graph() -> None:
    assert dt.train.get_global_step() is None
    with dt.name_scope("somewhere"), dt.variable_scope("else"):
        step = dt.train.get_or_create_global_step()
    assert step.op.name == "global_step"
    assert step.dtype is dt.int64
    assert step in dt.global_variables()
    assert step not in dt.trainable_variables()
    assert dt.train.get_global_step() is dt.train.get_or_create_global_step() is step
    other = dt.Graph()
    assert dt.train.get_global_step(other) is None
    assert dt.train.create_global_step(other).graph is other
    with pytest.raises(
        AlreadyExistsError, match='the graph has a global step, "global_step", made at .*test_schedules.py'
    ):
        dt.train.create_global_step()
    with dt.Session() as session:
        session.run(step.initializer)
        assert dt.train.global_step(session, step) == 0


def test_a_global_step_that_is_no_integer_variable() -> None:
    dt.add_to_collection(dt.GraphKeys.GLOBAL_STEP, dt.Variable(0.0))
    with pytest.raises(DTypeError, match="no integer variable"):
        dt.train.get_global_step()


def test_a_global_step_is_one_integer() -> None:
    step = dt.train.get_or_create_global_step()
    dt.train.assert_global_step(step)
    dt.train.assert_global_step(step.value())
    with pytest.raises(DTypeError, match='^assert_global_step: "w:0" is float32.*; one integer is wanted.$'):
        dt.train.assert_global_step(dt.Variable(1.0, name="w"))
    with pytest.raises(DTypeError, match="^assert_global_step: 3 is no variable or tensor.$"):
        dt.train.assert_global_step(3)
