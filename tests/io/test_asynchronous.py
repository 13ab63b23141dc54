"""Saving in the background: training goes on after one copy, and nothing is lost, errors least."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import ClosedSessionError, StorageError
from dovetail.extend import hook, hookimpl
from dovetail_io.asynchronous import Background


@pytest.fixture
def session() -> dt.Session:
    dt.Variable(np.zeros(4, np.float32), name="v")
    session = dt.Session()
    session.run(dt.global_variables_initializer())
    return session


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Within: nothing reaches the disk until the event is set."""
    free, real = threading.Event(), os.fsync

    def fsync(descriptor: int) -> None:
        assert free.wait(60)
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        try:
            yield free
        finally:
            free.set()


def test_a_step_is_made_while_values_of_before_are_written(
    session: dt.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    v = dt.global_variables()[0]
    step = dt.assign_add(v, np.ones(4, np.float32))
    saver = dt.train.Saver(asynchronous=True)
    with held(monkeypatch) as free:
        path = saver.save(session, tmp_path / "model", global_step=0)
        for _ in range(3):
            session.run(step)
        assert not dt.train.checkpoint_exists(path)
        free.set()
        saver.wait()
    assert session.run(v).tolist() == [3.0] * 4
    assert dt.train.latest_checkpoint(tmp_path) == path
    assert dt.io.verify(path).get_tensor("v").tolist() == [0.0] * 4


def test_retention_and_paths_are_those_of_a_saver_that_waits(
    session: dt.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saver = dt.train.Saver(max_to_keep=2, asynchronous=True)
    paths = [saver.save(session, "./m/model", global_step=step) for step in range(5)]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    saver.wait()
    assert not list(Path().iterdir())
    monkeypatch.chdir(tmp_path)
    assert paths == [f"./m/model-{step}" for step in range(5)]
    assert saver.last_checkpoints == ["m/model-3", "m/model-4"]
    assert sorted(path.stem for path in Path("m").glob("*.json")) == ["model-3", "model-4"]
    dt.train.Saver(max_to_keep=2).save(session, "m/model", global_step=5)
    assert sorted(path.stem for path in Path("m").glob("*.json")) == ["model-4", "model-5"]


def test_what_goes_wrong_is_told_by_the_next_save(
    session: dt.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saver = dt.train.Saver(asynchronous=True)
    first = saver.save(session, tmp_path / "model", global_step=1)
    saver.wait()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for call in ("save", "wait", "restore", "close"):
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            saver.save(session, tmp_path / "model", global_step=2)
            with pytest.raises(StorageError, match="nothing could be saved in .*No space left on device"):
                {
                    "save": lambda: saver.save(session, tmp_path / "model", global_step=3),
                    "wait": saver.wait,
                    "restore": lambda: saver.restore(session, first),
                    "close": session.close,
                }[call]()
        saver.wait()
        assert dt.train.latest_checkpoint(tmp_path) == first
    with pytest.raises(ClosedSessionError):
        session.run(dt.global_variables()[0])


def test_the_end_of_a_session_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    v = dt.Variable(1.0, name="v")
    saver = dt.train.Saver(asynchronous=True)
    with held(monkeypatch) as free:
        with dt.Session() as session:
            session.run(v.initializer)
            path = saver.save(session, tmp_path / "model")
            threading.Timer(0.2, free.set).start()
            assert not dt.train.checkpoint_exists(path)
        assert dt.train.checkpoint_exists(path)


def test_the_hook_is_called_when_the_checkpoint_is_there(session: dt.Session, tmp_path: Path) -> None:
    heard: list[tuple[Any, bool]] = []

    class Listener:
        @hookimpl
        def checkpoint_saved(self, path: Any, step: Any) -> None:
            heard.append((step, dt.train.checkpoint_exists(path)))

    listener = Listener()
    hook.register(listener)
    try:
        saver = dt.train.Saver(asynchronous=True)
        saver.save(session, tmp_path / "model", global_step=9)
        saver.wait()
    finally:
        hook.unregister(listener)
    assert heard == [(9, True)]


def test_a_state_is_of_the_moment_of_the_copy(session: dt.Session, tmp_path: Path) -> None:
    class Place:
        line = 0

        def state(self) -> Any:
            return {"line": self.line}

        def restore(self, state: Any) -> None:
            self.line = state["line"]

    place = Place()
    saver = dt.train.Saver(stateful={"input": place}, asynchronous=True)
    path = saver.save(session, tmp_path / "model")
    place.line = 5
    saver.restore(session, path)
    assert place.line == 0


PROGRAM = """
import sys
import numpy as np
import dovetail as dt
v = dt.Variable(np.zeros(1_000_000, np.float32), name="v")
session = dt.Session()
session.run(v.initializer)
saver = dt.train.Saver(asynchronous=True, max_shard_bytes=1_000_000)
for step in range(2):
    saver.save(session, sys.argv[1] + "/model", global_step=step)
{end}
"""


@pytest.mark.parametrize(("end", "code"), [("", 0), ("sys.exit(3)", 3), ("raise ValueError('mine')", 1)])
def test_the_end_of_the_process_waits(tmp_path: Path, end: str, code: int) -> None:
    program = PROGRAM.format(end=end)
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    found = dt.train.latest_checkpoint(tmp_path)
    assert found == str(tmp_path / "model-1")
    assert dt.io.verify(found).step == 1


def test_an_error_that_nobody_waits_for_is_logged_at_the_end(tmp_path: Path) -> None:
    end = "saver.wait()\nsaver.save(session, sys.argv[1] + '/model-0.json/no')"
    program = PROGRAM.format(end=end)
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0
    assert "ERROR:dovetail:A checkpoint was not saved: nothing could be saved in" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_job_may_wait_for_itself() -> None:
    background = Background()
    done: list[int] = []

    def job() -> None:
        background.wait()
        done.append(1)

    background.start(job)
    background.wait()
    assert done == [1]


def test_a_graph_that_has_changed_is_encoded_anew(session: dt.Session, tmp_path: Path) -> None:
    saver = dt.train.Saver([dt.global_variables()[0]])
    x = dt.placeholder(dt.float32, [None, 3], name="x")
    y = dt.identity(x, name="y")

    def saved() -> bytes:
        path = saver.save(session, tmp_path / "model")
        return Path(f"{path}.meta").read_bytes()

    texts = [saved()]
    assert saved() == texts[0]
    for change in (
        lambda: dt.add_to_collection("mine", y),
        lambda: dt.get_default_graph().clear_collection("mine"),
        lambda: dt.set_random_seed(3),
        lambda: dt.add_to_collection("mine", x),
        lambda: setattr(dt.global_variables()[0], "save_name", "other"),
        lambda: dt.square(y),
    ):
        change()
        texts.append(saved())
    assert len(set(texts)) == len(texts) - 1, "all differ but the one where the collection was cleared"


def test_callbacks_of_a_session_are_called_once_and_before_it_is_closed() -> None:
    v = dt.Variable(1.0)
    seen: list[Any] = []
    with dt.Session() as session:
        session.run(v.initializer)
        session.before_close(lambda: seen.append(session.run(v)))
        session.before_close(lambda: seen.append("second"))
    session.close()
    assert seen == [1.0, "second"]
