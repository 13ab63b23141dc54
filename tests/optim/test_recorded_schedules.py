"""Schedules beside what TensorFlow, PyTorch and optax computed (tools/record_optimizers.py), and their errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import InvalidArgumentError

DATA = Path(__file__).parents[1] / "data"
TENSORFLOW, TORCH, OPTAX = (np.load(DATA / f"optimizers_{name}.npz") for name in ("tensorflow", "torch", "optax"))
STEPS = [0, 1, 7, 10, 15, 20, 35, 60]
Schedule = Callable[[Any], dt.Tensor]


def rates(schedule: Schedule, steps: Any = STEPS) -> list[float]:
    step = dt.placeholder(dt.int64, [])
    rate = schedule(step)
    with dt.Session() as session:
        return [float(session.run(rate, {step: value})) for value in steps]


SCHEDULES: dict[str, Schedule] = {
    "exponential": lambda s: dt.train.exponential_decay(0.5, s, 10, 0.1),
    "exponential_staircase": lambda s: dt.train.exponential_decay(0.5, s, 10, 0.1, True),
    "natural_exp": lambda s: dt.train.natural_exp_decay(0.5, s, 10, 0.3),
    "natural_exp_staircase": lambda s: dt.train.natural_exp_decay(0.5, s, 10, 0.3, True),
    "inverse_time": lambda s: dt.train.inverse_time_decay(0.5, s, 10, 0.3),
    "inverse_time_staircase": lambda s: dt.train.inverse_time_decay(0.5, s, 10, 0.3, True),
    "polynomial": lambda s: dt.train.polynomial_decay(0.5, s, 20, 0.1, 2.0),
    "polynomial_cycle": lambda s: dt.train.polynomial_decay(0.5, s, 10, 0.1, cycle=True),
    "cosine": lambda s: dt.train.cosine_decay(0.5, s, 20, 0.2),
    "cosine_restarts": lambda s: dt.train.cosine_decay_restarts(0.5, s, 8, 2.0, 0.7, 0.1),
    "cosine_restarts_even": lambda s: dt.train.cosine_decay_restarts(0.5, s, 8, 1.0, 0.7, 0.1),
    "linear_cosine": lambda s: dt.train.linear_cosine_decay(0.5, s, 20, 0.75, 0.1, 0.01),
    "piecewise_constant": lambda s: dt.train.piecewise_constant_decay(s, [7, 15], [1.0, 0.5, 0.25]),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_tensorflow(name: str) -> None:
    np.testing.assert_allclose(rates(SCHEDULES[name]), TENSORFLOW[f"schedule/{name}"], rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("one_cycle", {}),
        ("one_cycle_linear", {"pct_start": 0.25, "anneal_strategy": "linear", "div_factor": 10.0}),
        ("one_cycle_three_phases", {"three_phase": True}),
    ],
)
def test_torch_one_cycle(name: str, arguments: dict[str, Any]) -> None:
    found = rates(lambda step: dt.train.one_cycle(0.5, step, 40, **arguments), range(40))
    np.testing.assert_allclose(found, TORCH[f"schedule/{name}"], rtol=1e-4, atol=1e-7)
    assert rates(lambda step: dt.train.one_cycle(0.5, step, 40, **arguments), [100])[0] == found[-1]


def test_optax_warmup() -> None:
    """A function of a step begins at 0 when the rise is over."""
    found = rates(lambda step: dt.train.warmup(lambda after: dt.train.cosine_decay(0.5, after, 40, 0.1), step, 10))
    np.testing.assert_allclose(found, OPTAX["schedule/warmup_cosine"], rtol=1e-6)
    found = rates(lambda step: dt.train.warmup(0.5, step, 10, start_learning_rate=0.1))
    np.testing.assert_allclose(found, OPTAX["schedule/warmup_constant"], rtol=1e-6)


def test_warmup_of_a_schedule_of_the_same_step() -> None:
    found = rates(lambda step: dt.train.warmup(dt.train.exponential_decay(1.0, step, 10, 0.5), step, 20))
    np.testing.assert_allclose(found, [0.5 ** (step / 10) * min(step / 20, 1.0) for step in STEPS], rtol=1e-5)


def test_noam_decay() -> None:
    found = rates(lambda step: dt.train.noam_decay(2.0, step, 64, 16))
    expected = [2.0 * 64**-0.5 * min((step + 1) ** -0.5, (step + 1) * 16**-1.5) for step in STEPS]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(("first", "t_mul"), [(100, 1.1), (10, 3.0), (16, 1.5), (7, 10.0)])
def test_a_fall_begins_at_the_whole_rate(first: int, t_mul: float) -> None:
    starts = [round(first * (t_mul**count - 1.0) / (t_mul - 1.0)) for count in range(4)]
    found = rates(lambda step: dt.train.cosine_decay_restarts(0.5, step, first, t_mul, 0.8), starts)
    np.testing.assert_allclose(found, [0.5 * 0.8**count for count in range(4)], rtol=1e-3)


def test_noise_wanes_and_has_the_stated_variance() -> None:
    """Beside the schedule without noise: normal, of the stated deviation, times the cosine."""
    step = dt.placeholder(dt.int64, [])
    noisy = dt.train.noisy_linear_cosine_decay(1.0, step, 100, initial_variance=0.25, variance_decay=0.5)
    plain = dt.train.linear_cosine_decay(1.0, step, 100)
    with dt.Session() as session:
        for value in (0, 24):
            wave = 0.5 * (1.0 + np.cos(np.pi * value / 100))
            drawn = [np.subtract(*session.run([noisy, plain], {step: value})) / wave for _ in range(400)]
            assert abs(np.mean(drawn)) < 0.1
            np.testing.assert_allclose(np.std(drawn), 0.5 / (1 + value) ** 0.25, rtol=0.15)


# On a plateau. -------------------------------------------------------------------------------------------------------


PLATEAUS: dict[str, dict[str, Any]] = {
    "plain": {"patience": 1},
    "cooldown": {"patience": 1, "cooldown": 2, "min_lr": 0.02},
    "absolute": {"patience": 0, "threshold": 0.2, "threshold_mode": "abs", "factor": 0.5},
    "max": {"patience": 2, "mode": "max", "factor": 0.5},
}


@pytest.mark.parametrize("name", PLATEAUS)
def test_torch_plateau(name: str) -> None:
    schedule = dt.train.ReduceLROnPlateau(0.5, **PLATEAUS[name])
    init = dt.global_variables_initializer()
    dt.get_default_graph().finalize()
    with dt.Session() as session:
        session.run(init)
        found = [schedule.step(loss) for loss in TORCH["plateau/losses"]]
    np.testing.assert_allclose(found, TORCH[f"plateau/{name}"], rtol=1e-6)


def test_a_plateau_is_saved_with_the_variables(tmp_path: Any) -> None:
    losses = TORCH["plateau/losses"]
    schedule = dt.train.ReduceLROnPlateau(0.5, patience=1)
    saver = dt.train.Saver()
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for loss in losses[:9]:
            schedule.step(loss)
        path = saver.save(session, str(tmp_path / "model"))
        expected = [schedule.step(loss) for loss in losses[9:]]
    with dt.Session() as session:
        saver.restore(session, path)
        assert [schedule.step(loss) for loss in losses[9:]] == expected


def test_a_plateau_takes_a_tensor_too() -> None:
    schedule = dt.train.ReduceLROnPlateau(1.0, factor=0.5, patience=0, name="mine")
    assert schedule.learning_rate.op.name == "mine/learning_rate"
    loss = dt.placeholder(dt.float64, [])
    update = schedule.update(loss)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for value, rate in ((1.0, 1.0), (1.0, 0.5), (0.5, 0.5)):
            session.run(update, {loss: value})
            assert session.run(schedule.learning_rate) == rate


# Errors. -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schedule",
    [
        lambda: dt.train.natural_exp_decay(0.1, None, 10, 0.5),
        lambda: dt.train.inverse_time_decay(0.1, None, 10, 0.5),
        lambda: dt.train.cosine_decay_restarts(0.1, None, 10),
        lambda: dt.train.linear_cosine_decay(0.1, None, 10),
        lambda: dt.train.noisy_linear_cosine_decay(0.1, None, 10),
        lambda: dt.train.noam_decay(0.1, None, 10, 10),
        lambda: dt.train.warmup(0.1, None, 10),
        lambda: dt.train.warmup(lambda step: step, None, 10),
        lambda: dt.train.one_cycle(0.1, None, 10),
    ],
)
def test_a_step_is_needed(schedule: Callable[[], Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="global_step is None; use dt.train.get_or_create_global_step"):
        schedule()


def test_wrong_values() -> None:
    step = dt.constant(1)
    with pytest.raises(InvalidArgumentError, match="anneal_strategy is 'cubic'; choose 'cos' or 'linear'"):
        dt.train.one_cycle(0.1, step, 10, anneal_strategy="cubic")
    with pytest.raises(InvalidArgumentError, match="pct_start is 1.5; it must lie between 0 and 1"):
        dt.train.one_cycle(0.1, step, 10, 1.5)
    with pytest.raises(InvalidArgumentError, match="pct_start is 0.6; it must lie between 0 and 0.5"):
        dt.train.one_cycle(0.1, step, 10, 0.6, three_phase=True)
    with pytest.raises(InvalidArgumentError, match="mode is 'least', threshold_mode 'rel'; choose 'min' or 'max'"):
        dt.train.ReduceLROnPlateau(0.1, mode="least")
    with pytest.raises(InvalidArgumentError, match="factor is 2.0; it must lie between 0 and 1"):
        dt.train.ReduceLROnPlateau(0.1, factor=2.0)
    with pytest.raises(InvalidArgumentError, match="there is no default session; give one"):
        dt.train.ReduceLROnPlateau(0.1).step(1.0)
