"""Each hook on its own: when it acts, what it says, what it refuses."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import InvalidArgumentError, NanLossDuringTrainingError, NotFoundError, NumericsError
from dovetail_train import timer


@pytest.fixture(autouse=True)
def verbosity() -> Iterator[None]:
    """Let messages through, and reset the level."""
    before = logging.getLogger("dovetail").level
    dt.logging.set_verbosity(dt.logging.INFO)
    yield
    dt.logging.set_verbosity(before)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which a second passes at each look."""
    ticks = itertools.count(100)
    monkeypatch.setattr(timer, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))


def counter() -> tuple[dt.Variable, dt.Operation]:
    step = dt.train.get_or_create_global_step()
    return step, dt.assign_add(step, 1, name="raise").op


def loop(hooks: list[Any], up: Any, steps: int = 100) -> int:
    """Make steps until a hook says stop; returns how many."""
    made = 0
    with dt.train.MonitoredSession(hooks=hooks) as session:
        while not session.should_stop() and made < steps:
            session.run(up)
            made += 1
    return made


@pytest.mark.parametrize("hook", [{"num_steps": 4}, {"last_step": 4}])
def test_a_loop_stops_at_a_step(hook: dict[str, int]) -> None:
    _, up = counter()
    assert loop([dt.train.StopAtStepHook(**hook)], up) == 4


def test_a_step_that_raises_by_more_than_one_stops_as_well() -> None:
    step, _ = counter()
    assert loop([dt.train.StopAtStepHook(last_step=5)], dt.assign_add(step, 3).op) == 2


def test_the_end_of_a_loop_is_given_in_one_way() -> None:
    for given in ({}, {"num_steps": 1, "last_step": 2}):
        with pytest.raises(InvalidArgumentError, match="^StopAtStepHook: num_steps is .*, last_step .*; give one of"):
            dt.train.StopAtStepHook(**given)


@pytest.mark.parametrize(
    "make",
    [
        lambda: dt.train.StopAtStepHook(1),
        lambda: dt.train.StepCounterHook(),
        lambda: dt.train.CheckpointSaverHook("folder", save_steps=1),
    ],
)
def test_a_hook_that_counts_wants_a_global_step(make: Any) -> None:
    dt.Variable(1.0)
    hook = make()
    with pytest.raises(NotFoundError) as raised:
        dt.train.MonitoredSession(hooks=[hook])
    assert str(raised.value) == (
        f"{type(hook).__name__}: the graph has no global step; make it by dt.train.get_or_create_global_step() and "
        "pass it to minimize() as global_step."
    )


@pytest.mark.usefixtures("clock")
def test_tensors_are_shown(caplog: pytest.LogCaptureFixture) -> None:
    step, up = counter()
    half = dt.divide(dt.cast(step, dt.float32), 2.0, name="half")
    hook = dt.train.LoggingTensorHook({"half": half, "step": step.value().name}, every_n_iter=2, at_end=True)
    loop([hook], up, 4)
    assert [record.getMessage() for record in caplog.records] == [
        "half = 0.5, step = 1",
        "half = 1.5, step = 3 (1.000 sec)",
        "half = 2.0, step = 4 (1.000 sec)",
    ]


def test_tensors_are_shown_at_the_end_in_a_form_of_ones_own(caplog: pytest.LogCaptureFixture) -> None:
    step, up = counter()
    value = step.value()
    hook = dt.train.LoggingTensorHook([value], at_end=True, formatter=lambda values: f"at {values[value.name]}")
    loop([hook], up, 3)
    assert [record.getMessage() for record in caplog.records] == ["at 3"]


@pytest.mark.usefixtures("clock")
def test_tensors_are_shown_after_seconds(caplog: pytest.LogCaptureFixture) -> None:
    step, up = counter()
    seen = dt.identity(step, name="seen")
    loop([dt.train.LoggingTensorHook([seen], every_n_secs=3)], up, 6)
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [
        "seen:0 = 1",
        "seen:0 = 4",
    ]


def test_a_rhythm_is_one_and_positive() -> None:
    for given in ({}, {"every_n_iter": 1, "every_n_secs": 2.0}):
        with pytest.raises(InvalidArgumentError, match="^LoggingTensorHook: every_n_secs is .*, every_n_iter .*; give"):
            dt.train.LoggingTensorHook({"x": 1}, **given)
    with pytest.raises(InvalidArgumentError, match="save_secs is None, save_steps 0; give a positive number.$"):
        dt.train.CheckpointSaverHook("folder", save_steps=0)
    with pytest.raises(InvalidArgumentError, match="^LoggingTensorHook: there are no tensors to show.$"):
        dt.train.LoggingTensorHook([], every_n_iter=1)
    with pytest.raises(InvalidArgumentError, match="^SecondOrStepTimer: every_secs is None, every_steps None; give"):
        dt.train.SecondOrStepTimer()


@pytest.mark.usefixtures("clock")
def test_a_timer_counts_seconds() -> None:
    watch = dt.train.SecondOrStepTimer(every_secs=3.0)
    assert watch.should_trigger_for_step(0)
    assert watch.last_triggered_step() is None
    assert watch.update_last_triggered_step(0) == (None, None)
    assert not watch.should_trigger_for_step(0)
    assert [watch.should_trigger_for_step(step) for step in range(1, 5)] == [False, False, True, True]
    assert watch.update_last_triggered_step(4) == (5.0, 4)
    assert watch.last_triggered_step() == 4
    watch.reset()
    assert watch.should_trigger_for_step(4)


@pytest.mark.usefixtures("clock")
def test_steps_a_second_are_told(caplog: pytest.LogCaptureFixture) -> None:
    _, up = counter()
    loop([dt.train.StepCounterHook(every_n_steps=3)], up, 8)
    assert [record.getMessage() for record in caplog.records] == ["global_step/sec: 3", "global_step/sec: 3"]


def test_a_loss_that_is_no_number_ends_training(caplog: pytest.LogCaptureFixture) -> None:
    v = dt.Variable(2.0)
    loss = dt.log(v, name="loss")
    down = v.assign_sub(1.5).op
    with pytest.raises(NanLossDuringTrainingError) as raised:
        loop([dt.train.NanTensorHook(loss)], down)
    assert dt.train.NanLossDuringTrainingError is NanLossDuringTrainingError
    text = (
        'the loss "loss:0" is NaN. A smaller learning rate, or gradients clipped by dt.clip_by_global_norm, may help;'
    )
    assert str(raised.value).startswith(text)
    assert "test_hooks.py" in str(raised.value)
    dt.reset_default_graph()
    v = dt.Variable(2.0)
    made = loop([dt.train.NanTensorHook(dt.log(v, name="loss"), fail_on_nan_loss=False)], v.assign_sub(1.5).op)
    assert made == 3
    assert caplog.records[-1].levelname == "WARNING"
    assert caplog.records[-1].getMessage().startswith('the loss "loss:0" is NaN.')


def test_checkpoints_are_saved_and_listeners_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Listener(dt.train.CheckpointSaverListener):
        def __init__(self) -> None:
            self.events: list[str] = []

        def begin(self) -> None:
            self.events.append("begin")

        def before_save(self, session: dt.Session, global_step_value: int) -> None:
            self.events.append(f"before {global_step_value}")

        def after_save(self, session: dt.Session, global_step_value: int) -> bool:
            self.events.append(f"after {global_step_value}")
            return global_step_value >= 6

        def end(self, session: dt.Session, global_step_value: int) -> None:
            self.events.append(f"end {global_step_value}")

    _, up = counter()
    listener, plain = Listener(), dt.train.CheckpointSaverListener()
    hook = dt.train.CheckpointSaverHook(
        tmp_path,
        save_steps=3,
        saver=dt.train.Saver(),
        checkpoint_basename="net",
        listeners=[listener, plain],
        save_graph_def=False,
    )
    assert loop([hook], up) == 6
    saved = [f"{what} {step}" for step in (0, 3, 6) for what in ("before", "after")]
    assert listener.events == ["begin", *saved, "end 6"]
    assert not (tmp_path / "graph.pbtxt").exists()
    assert dt.train.get_checkpoint_state(tmp_path).all_model_checkpoint_paths == [
        str(tmp_path / f"net-{step}") for step in (0, 3, 6)
    ]
    assert [record.getMessage() for record in caplog.records] == [
        f"Saving checkpoints for {step} into {tmp_path / 'net'}." for step in (0, 3, 6)
    ]


@pytest.mark.usefixtures("clock")
def test_checkpoints_are_saved_after_seconds(tmp_path: Path) -> None:
    _, up = counter()
    loop([dt.train.CheckpointSaverHook(tmp_path, save_secs=4)], up, 6)
    paths = dt.train.get_checkpoint_state(tmp_path).all_model_checkpoint_paths
    assert [int(Path(one).name.partition("-")[2]) for one in paths] == [0, 4, 6]


def test_the_saver_of_the_graph_is_used(tmp_path: Path) -> None:
    step, up = counter()
    other = dt.Variable(np.zeros(3), name="other")
    dt.add_to_collection(dt.GraphKeys.SAVERS, dt.train.Saver([step]))
    local = dt.train.Scaffold(ready_op=dt.report_uninitialized_variables([step]))
    hook = dt.train.CheckpointSaverHook(tmp_path, save_steps=10)
    with dt.train.SingularMonitoredSession(hooks=[hook], scaffold=local) as session:
        session.run(up)
    assert [name for name, _ in dt.train.list_variables(tmp_path)] == ["global_step"]
    assert other.op.name == "other"


def test_a_saver_is_found_in_one_way(tmp_path: Path) -> None:
    counter()
    with pytest.raises(InvalidArgumentError, match="^CheckpointSaverHook: saver and scaffold are given; give one"):
        dt.train.CheckpointSaverHook(tmp_path, save_steps=1, saver=dt.train.Saver(), scaffold=dt.train.Scaffold())
    hook = dt.train.CheckpointSaverHook(tmp_path, save_steps=1, save_graph_def=False)
    hook.begin()
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        with pytest.raises(InvalidArgumentError, match="collection of savers holds 0; pass the one that is meant"):
            hook.after_create_session(session, None)


def test_something_is_computed_at_the_end() -> None:
    step, up = counter()
    x = dt.placeholder(dt.int64, [])
    hook = dt.train.FinalOpsHook([step * x], {x: 10})
    assert hook.final_ops_values is None
    loop([hook], up, 3)
    assert hook.final_ops_values == [30]


def test_sessions_with_hooks_tell_which_operation_made_the_first_bad_number() -> None:
    x = dt.placeholder(dt.float32, [])
    loss = dt.log(x, name="loss")
    config = dt.ConfigProto(check_numerics=True)
    hooks = [dt.train.NanTensorHook(loss)]
    with dt.train.MonitoredTrainingSession(config=config, hooks=hooks) as session:
        session.run(loss, {x: 1.0})
        with pytest.raises(NumericsError, match="Log made 1 NaN of 1 elements, the first of this step.*test_hooks.py"):
            session.run(loss, {x: -1.0})
