"""Hooks that write event files, and what a training session writes by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import InvalidArgumentError, PluginError
from dovetail_train import monitored_training_session

pytest.importorskip("tensorboard", reason="event files need tensorboard")


@pytest.fixture(autouse=True)
def no_writers() -> Iterator[None]:
    """No test sees another's writers."""
    yield
    dt.summary.FileWriterCache.clear()


def training() -> tuple[dt.Variable, dt.Operation]:
    """Return a weight that goes down by halves, and the step that does it."""
    w = dt.Variable(8.0, name="w")
    step = dt.train.get_or_create_global_step()
    with dt.control_dependencies([w.assign(w * 0.5)]):
        return w, dt.assign_add(step, 1, name="train").op


def loop(hooks: list[Any], train: Any, steps: int) -> None:
    with dt.train.MonitoredSession(hooks=[*hooks, dt.train.StopAtStepHook(steps)]) as session:
        while not session.should_stop():
            session.run(train)


def scalars(folder: Path) -> dict[str, list[int]]:
    """Return the steps of each tag of a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder)).Reload()
    return {tag: [event.step for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_summaries_are_written_every_few_steps(tmp_path: Path) -> None:
    w, train = training()
    one, other = dt.summary.scalar("weight", w), dt.summary.scalar("v", w)
    loop([dt.train.SummarySaverHook(3, output_dir=tmp_path, summary_op=[one, other])], train, 8)
    assert scalars(tmp_path) == {"weight": [1, 4, 7], "v": [1, 4, 7]}
    (path,) = tmp_path.iterdir()
    first = [event.WhichOneof("what") for event in dt.train.summary_iterator(path)][:3]
    assert first == ["file_version", "graph_def", "session_log"]


def test_summaries_are_computed_only_where_they_are_written(tmp_path: Path) -> None:
    w, train = training()
    seen = []

    def look(value: Any) -> Any:
        seen.append(float(value))
        return value

    watched = dt.py_func(look, [w], dt.float32)
    watched.set_shape([])
    hook = dt.train.SummarySaverHook(4, output_dir=tmp_path, summary_op=dt.summary.scalar("weight", watched))
    loop([hook], train, 8)
    assert seen == [4.0, 0.25], "at steps 1 and 5"


def test_a_writer_of_ones_own(tmp_path: Path) -> None:
    w, train = training()
    with dt.summary.FileWriter(tmp_path) as writer:
        scaffold = dt.train.Scaffold(summary_op=dt.summary.scalar("weight", w))
        loop([dt.train.SummarySaverHook(save_secs=1000, summary_writer=writer, scaffold=scaffold)], train, 8)
        loop([dt.train.StepCounterHook(2, summary_writer=writer)], train, 8)
    assert scalars(tmp_path) == {"weight": [1], "global_step/sec": [3, 5, 7]}


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="^SummarySaverHook: give one of scaffold and summary_op, which"):
        dt.train.SummarySaverHook(1, output_dir=tmp_path)
    with pytest.raises(InvalidArgumentError, match="^SummarySaverHook: give one of output_dir and summary_writer.$"):
        dt.train.SummarySaverHook(1, summary_op="a")
    with pytest.raises(InvalidArgumentError, match="^SummarySaverHook: save_secs is None, save_steps None; give one"):
        dt.train.SummarySaverHook(output_dir=tmp_path, summary_op="a")
    with pytest.raises(InvalidArgumentError, match="save_summaries_secs is 1, save_summaries_steps 2; give one"):
        dt.train.MonitoredTrainingSession(save_summaries_secs=1, save_summaries_steps=2)


def test_a_training_session_writes_by_itself(tmp_path: Path) -> None:
    w, train = training()
    dt.summary.scalar("weight", w)
    logs, model = tmp_path / "logs", tmp_path / "model"
    for last in (6, 10):
        with dt.train.MonitoredTrainingSession(
            checkpoint_dir=model,
            summary_dir=logs,
            save_summaries_steps=4,
            log_step_count_steps=3,
            hooks=[dt.train.StopAtStepHook(last_step=last)],
        ) as session:
            while not session.should_stop():
                session.run(train)
        if last == 6:
            dt.reset_default_graph()
            w, train = training()
            dt.summary.scalar("weight", w)
    assert scalars(logs) == {"weight": [1, 5, 7], "global_step/sec": [4, 10]}
    assert not list(model.glob("events*"))


def test_events_are_written_beside_checkpoints(tmp_path: Path) -> None:
    w, train = training()
    dt.summary.histogram(w)
    with dt.train.MonitoredTrainingSession(checkpoint_dir=tmp_path, hooks=[dt.train.StopAtStepHook(2)]) as session:
        while not session.should_stop():
            session.run(train)
    (path,) = tmp_path.glob("events*")
    events = list(dt.train.summary_iterator(path))
    assert [value.tag for event in events for value in event.summary.value] == ["w"]
    assert np.isclose(events[-1].summary.value[0].histo.max, 4.0)


def test_a_graph_without_summaries_is_trained_as_well(tmp_path: Path) -> None:
    _, train = training()
    with dt.train.MonitoredTrainingSession(checkpoint_dir=tmp_path, hooks=[dt.train.StopAtStepHook(2)]) as session:
        while not session.should_stop():
            session.run(train)
    assert scalars(tmp_path) == {}


def test_without_tensorboard_training_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitored_training_session, "find_spec", lambda name: None)
    w, train = training()
    dt.summary.scalar("weight", w)
    with dt.train.MonitoredTrainingSession(checkpoint_dir=tmp_path, hooks=[dt.train.StopAtStepHook(2)]) as session:
        while not session.should_stop():
            session.run(train)
    assert not list(tmp_path.glob("events*"))


def test_what_to_install_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dovetail_train.summary import protobufs

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(protobufs.importlib, "import_module", missing)
    protobufs.load_tensorboard.cache_clear()
    with pytest.raises(PluginError) as raised:
        dt.summary.FileWriter(tmp_path)
    protobufs.load_tensorboard.cache_clear()
    assert "summaries need the package tensorboard, which cannot be imported (No module named" in str(raised.value)
    assert str(raised.value).endswith("Install it: pip install 'dovetail-train[tensorboard]'")
    assert list(tmp_path.iterdir()) == []
