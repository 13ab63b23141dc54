"""Hooks that watch a number: early stopping, rates on a plateau, progress bars; a hook that waits."""

from __future__ import annotations

import io
import itertools
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, NotFoundError, PluginError, ShapeError, StorageError
from dovetail_train.hooks import global_step_waiter, progress_bar


@pytest.fixture(autouse=True)
def verbosity() -> Iterator[None]:
    """Let messages through, and reset the level."""
    before = logging.getLogger("dovetail").level
    dt.logging.set_verbosity(dt.logging.INFO)
    yield
    dt.logging.set_verbosity(before)


def curve(values: list[float], dtype: Any = np.float32) -> tuple[dt.Tensor, dt.Operation]:
    """Return a loss that takes these values step by step, the last one ever after, and the step.

    The variable ``weight`` counts the steps as the global step does.
    """
    weight = dt.get_variable("weight", initializer=dt.constant([0.0]))
    step = dt.train.get_or_create_global_step()
    loss = dt.gather(dt.constant(values, dtype), dt.minimum(step, len(values) - 1), name="loss")
    train = dt.group(weight.assign_add([1.0]), dt.assign_add(step, 1), name="train")
    return loss, train


def loop(folder: Path | None, hooks: list[Any], train: Any, last: int = 100, every: int = 1000) -> tuple[int, float]:
    """Train until a hook says stop; returns the last step and the weight at the end."""
    final = dt.train.FinalOpsHook(["global_step:0", "weight:0"])
    stop = dt.train.StopAtStepHook(last_step=last)
    with dt.train.MonitoredTrainingSession(
        checkpoint_dir=folder, hooks=[stop, *hooks, final], save_checkpoint_steps=every, log_step_count_steps=None
    ) as session:
        while not session.should_stop():
            session.run(train)
    step, weight = final.final_ops_values
    return int(step), float(weight[0])


def test_training_ends_when_nothing_gets_better_and_the_best_weights_are_put_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loss, train = curve([5, 4, 3, 2, 2.5, 1.99, 3, 3, 3, 3])
    hook = dt.train.EarlyStoppingHook(loss, every_n_steps=1, patience=3, min_delta=0.1)
    assert loop(None, [hook], train) == (7, 4.0)
    assert (hook.best_value, hook.best_step, hook.stopped_step) == (2.0, 4, 7)
    assert caplog.records[-1].getMessage() == "Early stopping at step 7: loss is 3; the best was 2 at step 4."


def test_more_may_be_better() -> None:
    score, train = curve([1, 2, 4, 3, 3, 3, 3, 3])
    hook = dt.train.EarlyStoppingHook("loss:0", every_n_steps=1, patience=2, mode="max", restore_best=False)
    assert loop(None, [hook], train) == (5, 5.0)
    assert (hook.best_value, hook.best_step) == (4.0, 3)
    assert score.name == "loss:0"


def test_a_function_is_asked_every_few_steps() -> None:
    _, train = curve([0])
    asked = []

    def evaluation(session: dt.Session) -> Any:
        asked.append(int(session.run("global_step:0")))
        return np.array([abs(asked[-1] - 6)])

    hook = dt.train.EarlyStoppingHook(evaluation, every_n_steps=3, patience=2)
    assert loop(None, [hook], train) == (12, 6.0)
    assert asked == [3, 6, 9, 12]


def test_weights_are_put_back_wherever_the_loop_ends() -> None:
    loss, train = curve([3, 1, 2, 2])
    hook = dt.train.EarlyStoppingHook(loss, every_n_steps=1, patience=50)
    assert loop(None, [hook], train, last=6) == (6, 2.0)
    assert hook.stopped_step is None


def test_a_number_that_is_none_is_never_the_best() -> None:
    loss, train = curve([np.nan])
    hook = dt.train.EarlyStoppingHook(loss, every_n_steps=1, patience=4)
    assert loop(None, [hook], train) == (4, 4.0)
    assert hook.best_value is None


def test_the_last_checkpoint_holds_the_best_weights(tmp_path: Path) -> None:
    loss, train = curve([5, 4, 3, 4, 4, 4])
    hook = dt.train.EarlyStoppingHook(loss, every_n_steps=1, patience=3)
    assert loop(tmp_path, [hook], train, every=2) == (6, 3.0)
    path = dt.train.latest_checkpoint(tmp_path)
    assert Path(path).name == "model.ckpt-6"
    assert dt.train.load_variable(path, "weight").tolist() == [3.0]
    assert Path(dt.train.latest_checkpoint(tmp_path / "best")).name == "best.ckpt-3"


CURVE = [9, 8, 7, 6, 5, 4, 3, 4, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]


@pytest.mark.parametrize("stop", [3, 7, 11, 12])
def test_what_is_stopped_and_goes_on_ends_where_it_would_have_ended(tmp_path: Path, stop: int) -> None:
    def again(folder: Path, last: int, error: bool) -> Any:
        dt.reset_default_graph()
        loss, train = curve(CURVE)
        hook = dt.train.EarlyStoppingHook(loss, every_n_steps=2, patience=3, min_delta=0.5)

        class Killed(dt.train.SessionRunHook):
            def after_run(self, run_context: Any, run_values: Any) -> None:
                if error and run_context.session.run("global_step:0") >= last:
                    raise ZeroDivisionError

        return loop(folder, [hook, Killed()], train, every=3), (hook.best_value, hook.best_step, hook.stopped_step)

    whole = again(tmp_path / "whole", 100, False)
    with pytest.raises(ZeroDivisionError):
        again(tmp_path / "parts", stop, True)
    assert again(tmp_path / "parts", 100, False) == whole
    assert whole[1][2] is not None


def test_best_weights_of_the_last_checkpoints_alone_stay(tmp_path: Path) -> None:
    loss, train = curve([float(20 - i) for i in range(20)])
    hook = dt.train.EarlyStoppingHook(loss, every_n_steps=1, patience=3)
    loop(tmp_path, [hook], train, last=15, every=5)
    names = {one.name.partition(".safetensors")[0] for one in (tmp_path / "best").glob("*.safetensors")}
    assert names == {"best.ckpt-10", "best.ckpt-15"}


def test_best_weights_that_are_gone_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for last in (4, 8):
        dt.reset_default_graph()
        loss, train = curve([1, 2, 2, 2, 2, 0.5, 2, 2, 2])
        hook = dt.train.EarlyStoppingHook(loss, every_n_steps=1, patience=30)
        loop(tmp_path, [hook], train, last=last)
        for one in (tmp_path / "best").iterdir():
            one.unlink()
        if last == 4:
            caplog.clear()
    assert (
        "EarlyStoppingHook: the best weights, of step 1, are not found; the search for the best begins anew."
        in caplog.messages
    )
    assert (hook.best_value, hook.best_step) == (0.5, 6)


def test_averages_of_layers_are_part_of_a_network_and_slots_are_not() -> None:
    from dovetail_train.hooks.early_stopping import network_variables

    x = dt.placeholder(dt.float32, [None, 3])
    y = dt.layers.batch_normalization(dt.layers.dense(x, 2, name="dense"), training=True, name="norm")
    step = dt.train.get_or_create_global_step()
    dt.train.AdamOptimizer().minimize(dt.reduce_mean(y * y), global_step=step)
    assert [one.op.name for one in network_variables()] == [
        "dense/kernel",
        "dense/bias",
        "norm/gamma",
        "norm/beta",
        "norm/moving_mean",
        "norm/moving_variance",
    ]


def test_what_makes_no_sense_is_refused() -> None:
    loss, _ = curve([1, 2])
    cases: list[tuple[dict[str, Any], str]] = [
        ({"mode": "less"}, 'EarlyStoppingHook: mode is \'less\'; give "min" or "max".'),
        ({"patience": -1}, "EarlyStoppingHook: patience is -1; give 0 or more."),
        ({"min_delta": -0.5}, "EarlyStoppingHook: min_delta is -0.5; give 0 or a positive number."),
        ({"every_n_steps": 0}, "EarlyStoppingHook: every_n_steps is 0; give at least 1."),
    ]
    for given, message in cases:
        with pytest.raises(InvalidArgumentError) as raised:
            dt.train.EarlyStoppingHook(loss, **given)
        assert str(raised.value) == message
    with pytest.raises(ShapeError, match="EarlyStoppingHook: 'pair' is float32.2., where one number is wanted. Use dt"):
        dt.train.EarlyStoppingHook(dt.constant([1.0, 2.0], name="pair")).begin()
    dt.reset_default_graph()
    loss, train = curve([1, 2])

    def words(session: dt.Session) -> Any:
        return "good"

    with pytest.raises(DTypeError, match="^EarlyStoppingHook: words gave 'good', where one number is wanted."):
        loop(None, [dt.train.EarlyStoppingHook(words, every_n_steps=1)], train)
    dt.reset_default_graph()
    dt.train.get_or_create_global_step()
    with pytest.raises(InvalidArgumentError, match="the graph has no variables whose best values could be kept"):
        dt.train.EarlyStoppingHook(dt.constant(1.0)).begin()


def test_a_rate_falls_on_a_plateau(caplog: pytest.LogCaptureFixture) -> None:
    loss, train = curve([3, 2, 2, 2, 2, 2])
    schedule = dt.train.ReduceLROnPlateau(1.0, factor=0.5, patience=1)
    hook = dt.train.ReduceLROnPlateauHook(schedule, loss, every_n_steps=1)
    rate = dt.train.FinalOpsHook(schedule.learning_rate)
    loop(None, [hook, rate], train, last=6)
    assert rate.final_ops_values == 0.25
    assert caplog.messages == [
        "The learning rate falls to 0.5: loss is 2, no better.",
        "The learning rate falls to 0.25: loss is 2, no better.",
    ]


def test_a_plateau_outlasts_the_process(tmp_path: Path) -> None:
    rates = {}
    for folder, ends in (("whole", [11]), ("parts", [3, 5, 11])):
        for last in ends:
            dt.reset_default_graph()
            loss, train = curve([3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1])
            schedule = dt.train.ReduceLROnPlateau(1.0, factor=0.5, patience=1)
            rate = dt.train.FinalOpsHook(schedule.learning_rate)
            loop(tmp_path / folder, [dt.train.ReduceLROnPlateauHook(schedule, loss, 2), rate], train, last=last)
        rates[folder] = rate.final_ops_values
    assert rates["parts"] == rates["whole"] == 0.5


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which a second passes at each look."""
    ticks = itertools.count(100)
    monkeypatch.setattr(progress_bar, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))


@pytest.mark.usefixtures("clock")
def test_a_bar_shows_metrics_and_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    loss, train = curve([5, 4, 3, 2])
    labels = dt.zeros([32], name="labels")
    hook = dt.train.ProgressBarHook(4, {"loss": loss}, samples=labels, description="training", bar=True)
    loop(None, [hook], train, last=4)
    shown = written.getvalue()
    assert "training:" in shown
    assert "4/4" in shown
    assert "loss=2" in shown
    assert "samples/s=" in shown


@pytest.mark.usefixtures("clock")
def test_messages_take_the_place_of_a_bar(caplog: pytest.LogCaptureFixture) -> None:
    loss, train = curve([5, 4, 3, 2])
    hook = dt.train.ProgressBarHook(4, [loss, "weight:0"], samples=10, log_every_n_secs=1, description="digits")
    loop(None, [hook], train, last=4)
    first, *_, last = caplog.messages
    assert first == "digits: step 1 of 4, loss 5, weight 0, 5 samples/s, 9 s left"
    assert last == "digits: step 4 of 4, loss 2, weight 3, 4 samples/s, 0 s left"


def test_a_loop_shorter_than_the_pause_gives_one_message(caplog: pytest.LogCaptureFixture) -> None:
    loss, train = curve([5])
    loop(None, [dt.train.ProgressBarHook(metrics=loss)], train, last=3)
    assert caplog.messages == ["step 3"]


def test_where_nothing_is_shown_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    loss, train = curve([5])
    loop(None, [dt.train.ProgressBarHook(metrics=loss, log_every_n_secs=None)], train, last=3)
    assert caplog.messages == []


def test_a_bar_wants_tqdm_and_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgumentError, match="^ProgressBarHook: steps is 0; give a positive number, or None.$"):
        dt.train.ProgressBarHook(0)

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}")

    curve([1])
    monkeypatch.setattr(progress_bar, "importlib", SimpleNamespace(import_module=missing))
    with pytest.raises(PluginError) as raised:
        dt.train.ProgressBarHook(bar=True).begin()
    assert str(raised.value).endswith("Install it: pip install 'dovetail-train[progress]'; or give bar=False.")


def test_a_duration_is_read_at_a_glance() -> None:
    from dovetail_train.hooks.progress_bar import _duration

    assert [_duration(s) for s in (0.4, 59, 61, 3700)] == ["0 s", "59 s", "1 min 1 s", "1 h 1 min"]


def test_a_loop_waits_for_the_global_step(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    _, train = curve([1])
    hook = dt.train.GlobalStepWaiterHook(3)
    context = SimpleNamespace(session=dt.Session())
    hook.begin()
    context.session.run(dt.global_variables_initializer())
    monkeypatch.setattr(global_step_waiter, "time", SimpleNamespace(sleep=lambda seconds: context.session.run(train)))
    hook.before_run(context)
    assert context.session.run("global_step:0") == 3
    assert "Waiting for global step 3, which is 0." in caplog.messages
    dt.train.GlobalStepWaiterHook(0).before_run(context)
    dt.reset_default_graph()
    with pytest.raises(NotFoundError, match="^GlobalStepWaiterHook: the graph has no global step"):
        dt.train.GlobalStepWaiterHook(1).begin()


def test_hooks_that_need_nothing_ask_for_nothing() -> None:
    """A step between two looks computes nothing besides."""
    loss, train = curve([1, 2, 3])
    hooks = [
        dt.train.EarlyStoppingHook(loss, every_n_steps=50),
        dt.train.ReduceLROnPlateauHook(dt.train.ReduceLROnPlateau(1.0), loss, 50),
        dt.train.ProgressBarHook(metrics=loss, samples=8),
        dt.train.LoggingTensorHook([loss], every_n_secs=1000),
    ]
    with dt.train.MonitoredSession(hooks=hooks) as session:
        session.run(train)
        asked = [hook.before_run(SimpleNamespace()) for hook in hooks]
    assert asked == [None] * 4


def test_steps_are_profiled(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    loss, train = curve([1, 2, 3])
    hook = dt.train.ProfilerHook(save_steps=3, output_dir=tmp_path / "traces")
    loop(None, [hook], [train, loss], last=8)
    paths = sorted((tmp_path / "traces").iterdir())
    assert [path.name for path in paths] == ["timeline-2.json", "timeline-5.json", "timeline-8.json"]
    events = json.loads(paths[0].read_text())["traceEvents"]
    assert any(event["ph"] == "X" and event["dur"] > 0 for event in events)
    assert caplog.messages[0] == f"Saving timeline for 2 into {str(paths[0])!r}."


def test_a_trace_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    _, train = curve([1])
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="ProfilerHook: '.*timeline-2.json' cannot be written: File exists. Make"):
        loop(None, [dt.train.ProfilerHook(save_steps=3, output_dir=tmp_path / "file")], train, last=8)


def test_hooks_serve_estimators(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def model(features: Any, labels: Any, mode: str) -> Any:
        w = dt.get_variable("w", initializer=dt.constant(4.0))
        loss = dt.abs(w - 1.0, name="loss")
        step = dt.train.get_global_step()
        train = dt.train.GradientDescentOptimizer(1.0).minimize(loss, global_step=step)
        return dt.estimator.EstimatorSpec(mode, loss=loss, train_op=train)

    def forever() -> Iterator[Any]:
        while True:
            yield np.zeros((2, 1), np.float32), np.zeros(2, np.float32)

    estimator = dt.estimator.Estimator(model, model_dir=str(tmp_path))
    stopping = dt.train.EarlyStoppingHook("loss:0", every_n_steps=1, patience=3)
    bar = dt.train.ProgressBarHook(20, "loss:0", samples=2)
    estimator.train(forever, hooks=[stopping, bar], max_steps=20)
    assert (stopping.best_value, stopping.best_step, stopping.stopped_step) == (0.0, 4, 7)
    assert estimator.get_variable_value("global_step") == 7
    assert "step 7 of 20" in caplog.text
