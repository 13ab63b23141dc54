"""Training that something ends from outside or within: what was trained is saved, and the message says where."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import dovetail as dt
from dovetail.errors import NanLossDuringTrainingError, StorageError

pytestmark = pytest.mark.usefixtures("heeds_ctrl_c")

SAVED = 'Step {step} is saved in "{folder}/model.ckpt-{step}", from where training goes on when it is started again.'


def counter(name: str = "train") -> dt.Operation:
    step = dt.train.get_or_create_global_step()
    return dt.assign_add(step, 1, name=name).op


class Act(dt.train.SessionRunHook):
    """Does something after a step."""

    def __init__(self, step: int, act: Any) -> None:
        self.step, self.act, self.made = step, act, 0

    def after_run(self, run_context: Any, run_values: Any) -> None:
        self.made += 1
        if self.made == self.step:
            self.act()


def train(folder: Path, hooks: list[Any], steps: int = 50) -> None:
    up = counter()
    with dt.train.MonitoredTrainingSession(
        checkpoint_dir=folder, hooks=[*hooks, dt.train.StopAtStepHook(steps)], save_checkpoint_steps=1000
    ) as session:
        while not session.should_stop():
            session.run(up)


def listened(folder: Path, listener: Any, act: Any) -> None:
    """Make a step with a listener, then do something."""
    up = counter()
    saver = dt.train.CheckpointSaverHook(folder, save_steps=1000, saver=dt.train.Saver(), listeners=[listener])
    with dt.train.MonitoredSession(hooks=[saver]) as session:
        session.run(up)
        act()


def fail(error: BaseException) -> Any:
    def act() -> None:
        raise error

    return act


def newest(folder: Path) -> str | None:
    path: str | None = dt.train.latest_checkpoint(folder)
    return path and Path(path).name


def test_a_signal_waits_for_the_end_of_the_step_and_the_step_is_saved(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    for number, kind in ((signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)):
        dt.reset_default_graph()
        folder = tmp_path / kind.__name__
        seen: list[str] = []
        hooks = [Act(3, lambda n=number: os.kill(os.getpid(), n)), Act(3, lambda s=seen: s.append("the step went on"))]
        with pytest.raises(kind) as raised:
            train(folder, hooks)
        assert seen == ["the step went on"]
        assert newest(folder) == "model.ckpt-3"
        assert caplog.records[-1].levelno == logging.WARNING
        assert caplog.records[-1].getMessage() == "Interrupted. " + SAVED.format(step=3, folder=folder)
        if number == signal.SIGTERM:
            assert raised.value.args == (143,)
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_signal_between_steps_is_saved_too(tmp_path: Path) -> None:
    def act() -> None:
        up = counter()
        with dt.train.MonitoredTrainingSession(checkpoint_dir=tmp_path, save_checkpoint_steps=1000) as session:
            session.run(up)
            session.run(up)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        act()
    assert newest(tmp_path) == "model.ckpt-2"


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("the second one ends it at once")

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, [Act(3, twice)])


def test_a_signal_while_it_is_saved_ends_it_at_once(tmp_path: Path) -> None:
    class Slow(dt.train.CheckpointSaverListener):
        def before_save(self, session: dt.Session, global_step_value: int) -> None:
            if global_step_value:
                os.kill(os.getpid(), signal.SIGINT)
                raise AssertionError("it was the second one")

    with pytest.raises(KeyboardInterrupt):
        listened(tmp_path, Slow(), lambda: os.kill(os.getpid(), signal.SIGINT))
    assert newest(tmp_path) == "model.ckpt-0"


def test_handlers_of_a_program_are_left_alone(tmp_path: Path) -> None:
    seen = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    try:
        train(tmp_path, [Act(2, lambda: os.kill(os.getpid(), signal.SIGTERM))], steps=5)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIGTERM]
    assert newest(tmp_path) == "model.ckpt-5"


def test_threads_train_without_signals(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            with dt.Graph().as_default():
                train(tmp_path, [], steps=3)
        except BaseException as error:
            errors.append(error)
            raise

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not errors
    assert newest(tmp_path) == "model.ckpt-3"


def test_without_a_folder_signals_are_as_ever() -> None:
    up = counter()
    before = signal.getsignal(signal.SIGINT)
    with dt.train.MonitoredTrainingSession() as session:
        assert signal.getsignal(signal.SIGINT) is before
        session.run(up)


def test_an_error_is_told_where_training_goes_on(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        train(tmp_path, [Act(3, fail(ZeroDivisionError("in the data")))])
    assert raised.value.__notes__ == [SAVED.format(step=3, folder=tmp_path)]
    assert newest(tmp_path) == "model.ckpt-3"
    dt.reset_default_graph()
    train(tmp_path, [], steps=5)
    assert newest(tmp_path) == "model.ckpt-8"


def test_a_loss_that_is_no_number_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(NanLossDuringTrainingError) as raised:
        train(tmp_path, [Act(3, fail(NanLossDuringTrainingError("NaN")))])
    assert not hasattr(raised.value, "__notes__")
    assert newest(tmp_path) == "model.ckpt-0"


def test_an_error_at_the_end_of_a_hook_is_no_reason_not_to_save(tmp_path: Path) -> None:
    class Bad(dt.train.SessionRunHook):
        def end(self, session: dt.Session) -> None:
            raise StorageError("no room")

    with pytest.raises(StorageError, match="^no room") as raised:
        train(tmp_path, [Bad()], steps=4)
    assert raised.value.__notes__ == [SAVED.format(step=4, folder=tmp_path)]
    assert newest(tmp_path) == "model.ckpt-4"


def test_where_saving_fails_as_well_both_are_told(tmp_path: Path) -> None:
    class Refuses(dt.train.CheckpointSaverListener):
        def before_save(self, session: dt.Session, global_step_value: int) -> None:
            if global_step_value:
                raise StorageError("no room for the checkpoint")

    with pytest.raises(ZeroDivisionError) as raised:
        listened(tmp_path, Refuses(), fail(ZeroDivisionError()))
    assert raised.value.__notes__ == ["The last step could not be saved: no room for the checkpoint"]


FULL = """
import resource, signal
import numpy as np
import dovetail as dt
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
v = dt.Variable(1.0, name="v")
dt.summary.text("note", dt.constant("a line that takes some room" * 20))
step = dt.train.get_or_create_global_step()
up = dt.assign_add(step, 1, name="up").op
with dt.train.MonitoredTrainingSession(
    checkpoint_dir="model", summary_dir="logs", save_summaries_steps=1, save_checkpoint_steps=100000,
) as session:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    while not session.should_stop():
        session.run(up)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of files")
def test_a_full_disk_while_events_are_written_saves_what_was_trained(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="event files need tensorboard")
    done = subprocess.run([sys.executable, "-c", FULL], cwd=tmp_path, capture_output=True, text=True)
    (events,) = (tmp_path / "logs").iterdir()
    assert f"StorageError: the event file 'logs/{events.name}' cannot be written on: File too large." in done.stderr
    path = dt.train.latest_checkpoint(tmp_path / "model")
    step = int(Path(path).name.rpartition("-")[2])
    assert step > 100
    assert SAVED.format(step=step, folder="model") in done.stderr
    assert dt.train.load_variable(path, "global_step") == step


KILLED = """
import sys, time
import dovetail as dt
step = dt.train.get_or_create_global_step()
up = dt.assign_add(step, 1, name="up").op
with dt.train.MonitoredTrainingSession(checkpoint_dir="model") as session:
    print("training", flush=True)
    while not session.should_stop():
        session.run(up)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
def test_a_process_that_is_told_to_end_saves_and_says_where(tmp_path: Path, number: int, status: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "training\n"
    process.send_signal(number)
    _, told = process.communicate(timeout=120)
    assert process.returncode == status
    step = int(Path(dt.train.latest_checkpoint(tmp_path / "model")).name.rpartition("-")[2])
    assert "Interrupted. " + SAVED.format(step=step, folder="model") in told
