"""A save that fails or is killed at any point leaves the last checkpoint whole, and the next save goes on."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import StorageError

MUTATING = ("open", "write", "fsync", "close", "replace", "unlink")


class Faults:
    """Makes one call of the operating system fail, of those that change files, or that one and all after it.

    The latter is what a killed process looks like to the disk: nothing is cleaned up. A write that fails has written
    half.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.at: int | None = None
        self.dead = False
        self.hit: str | None = None
        for name in MUTATING:
            monkeypatch.setattr(os, name, self.faulty(name, getattr(os, name)))

    def faulty(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            if self.at is None:
                return real(*arguments, **keywords)
            number = self.count
            self.count += 1
            if number < self.at or (number > self.at and not self.dead):
                return real(*arguments, **keywords)
            self.hit = self.hit or name
            if name == "close":
                real(*arguments)  # a descriptor is gone also where closing fails, and with a process
            if name == "write" and number == self.at:
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

        return call

    @contextmanager
    def failing(self, at: int, *, dead: bool) -> Iterator[None]:
        self.count, self.at, self.dead, self.hit = 0, at, dead, None
        try:
            yield
        finally:
            self.at = None


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    return Faults(monkeypatch)


class Model:
    """Two variables that always hold one number, and a constant that lies beside the graph."""

    def __init__(self) -> None:
        self.graph = dt.Graph()
        with self.graph.as_default():
            self.first = dt.Variable(np.zeros(4, np.float32), name="first")
            self.second = dt.Variable(np.zeros(200, np.int64), name="second", trainable=False)
            dt.constant(np.arange(1000.0), name="table")
        self.session = dt.Session(graph=self.graph)

    def set(self, number: int) -> None:
        self.first.load(np.full(4, number, np.float32), self.session)
        self.second.load(np.full(200, number), self.session)

    def saver(self, **options: Any) -> dt.train.Saver:
        with self.graph.as_default():
            return dt.train.Saver(**options)


def restored(folder: Path) -> int:
    """The number that the newest checkpoint holds, in a graph made of what lies beside it."""
    path = dt.train.latest_checkpoint(folder)
    assert path is not None
    dt.io.verify(path)
    with dt.Graph().as_default() as graph, dt.Session() as session:
        saver = dt.train.import_meta_graph(path)
        saver.restore(session, path)
        first, second, table = session.run(["first:0", "second:0", "table:0"])
        assert len(graph.get_operations()) > 3
    assert table[-1] == 999.0
    assert set(first.tolist()) == set(second.tolist()), "variables of two saves"
    return int(second[0])


@pytest.mark.parametrize("dead", [False, True], ids=["fails", "killed"])
@pytest.mark.parametrize("shards", [None, 100], ids=["one-file", "shards"])
@pytest.mark.parametrize("steps", [False, True], ids=["same-name", "steps"])
def test_every_point_of_failure(tmp_path: Path, faults: Faults, dead: bool, shards: int | None, steps: bool) -> None:
    model = Model()
    saver = model.saver(max_to_keep=1, max_shard_bytes=shards)
    hit: set[str] = set()
    number = 1
    model.set(number)
    saver.save(model.session, tmp_path / "model", global_step=number if steps else None)
    for at in range(1000):
        old = restored(tmp_path)
        number += 1
        model.set(number)
        with faults.failing(at, dead=dead):
            try:
                saver.save(model.session, tmp_path / "model", global_step=number if steps else None)
                failure = ""
            except StorageError as error:
                failure = str(error)
        if faults.hit is None:
            break
        hit.add(faults.hit)
        found = restored(tmp_path)
        assert found in (old, number), f"after a fault at call {at} ({faults.hit})"
        if failure:
            assert "No space left on device" in failure
        else:
            assert found == number
        if not dead:
            committed = (tmp_path / (f"model-{number}.json" if steps else "model.json")).exists()
            assert committed or not list(tmp_path.glob(".*.partial")), "what was not finished is cleared away"
    else:
        pytest.fail("the save did not end")
    assert at > 40
    assert hit >= {"open", "write", "fsync", "close", "replace"}
    assert restored(tmp_path) == number
    assert not list(tmp_path.glob(".*")), "what was left is cleared away by the next save"
    names = {path.name.split(".")[0].split("-0")[0] for path in tmp_path.iterdir()}
    assert names == {"checkpoint", f"model-{number}" if steps else "model"}, "old ones are dropped in the end"


def test_the_first_save_that_fails_leaves_nothing(tmp_path: Path, faults: Faults) -> None:
    model = Model()
    model.set(1)
    with faults.failing(12, dead=False), pytest.raises(StorageError, match="nothing could be saved in .*No space left"):
        model.saver().save(model.session, tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
    assert dt.train.latest_checkpoint(tmp_path) is None


def test_a_folder_without_rights_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model()
    model.set(1)
    saver = model.saver()
    path = saver.save(model.session, tmp_path / "model", global_step=1)
    real = os.open

    def read_only(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(StorageError, match=r'nothing could be saved in ".*": Permission denied. What was saved there'):
        saver.save(model.session, tmp_path / "model", global_step=2)
    assert dt.train.latest_checkpoint(tmp_path) == path
    assert restored(tmp_path) == 1


def test_a_graph_file_is_replaced_whole(tmp_path: Path, faults: Faults) -> None:
    sizes = (200, 300)
    graphs = [dt.Graph() for _ in sizes]
    for graph, size in zip(graphs, sizes, strict=True):
        with graph.as_default():
            dt.constant(np.arange(float(size)), name="table")
    path = tmp_path / "net.meta"
    for at in range(100):
        dt.io.write_graph(graphs[0], path)
        with faults.failing(at, dead=True), suppress(StorageError):
            dt.io.write_graph(graphs[1], path)
        (table,) = dt.io.read_graph(path).get_operations()
        assert table.outputs[0].shape[0] in sizes
        if faults.hit is None:
            break
    assert at > 10
    assert table.outputs[0].shape[0] == 300


def test_writers_take_turns_and_readers_see_whole_checkpoints(tmp_path: Path) -> None:
    models = [Model(), Model()]
    models[0].set(0)
    models[0].saver().save(models[0].session, tmp_path / "model")
    done = threading.Event()

    def write(which: int) -> None:
        saver = models[which].saver(max_to_keep=2)
        for number in range(which, 30, 2):
            models[which].set(number)
            saver.save(models[which].session, tmp_path / "model")

    def read() -> None:
        while not done.is_set():
            values = dt.io.Checkpoint(tmp_path / "model").read()
            assert set(values["first"].tolist()) == set(values["second"].tolist())

    with ThreadPoolExecutor() as threads:
        reader = threads.submit(read)
        writers = [threads.submit(write, which) for which in (0, 1)]
        try:
            for one in writers:
                one.result()
        finally:
            done.set()
        reader.result()
    assert restored(tmp_path) in (28, 29)
    assert not list(tmp_path.glob(".*"))
