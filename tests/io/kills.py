"""Kills writers and looks at what they leave; a program, so that nothing of the tests' own process is in the way.

python tests/io/kills.py calls SCENARIO FOLDER STRIDE OFFSET      # killed at every STRIDE-th system call
python tests/io/kills.py moments SCENARIO FOLDER TIMES SEED       # killed at random moments, again and again
python tests/io/kills.py together SCENARIO FOLDER WRITERS TIMES   # several write at once, and none is killed

Prints one line of JSON. The environment is that of a test that runs on the reference backend.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import dovetail as dt
from tests.io import tracing


class Model:
    """Two variables that always hold one number, and a constant that lies beside the graph."""

    def __init__(self) -> None:
        self.graph = dt.Graph()
        with self.graph.as_default():
            self.first = dt.Variable(np.zeros(4, np.float32), name="first")
            self.second = dt.Variable(np.zeros(200, np.int64), name="second", trainable=False)
            dt.constant(np.arange(1000.0), name="table")
        self.session = dt.Session(graph=self.graph)
        self.set(0)

    def set(self, number: int) -> None:
        self.first.load(np.full(4, number, np.float32), self.session)
        self.second.load(np.full(200, number), self.session)

    def saver(self, **options: Any) -> dt.train.Saver:
        with self.graph.as_default():
            return dt.train.Saver(**options)


def number_in(session: dt.Session) -> int:
    first, second, table = session.run(["first:0", "second:0", "table:0"])
    assert table[-1] == 999.0
    assert set(first.tolist()) == set(second.tolist()), "variables of two saves"
    return int(second[0])


def newest_checkpoint(folder: Path) -> int | None:
    path = dt.train.latest_checkpoint(folder)
    if path is None:
        return None
    dt.io.verify(path)
    with dt.Graph().as_default(), dt.Session() as session:
        dt.train.import_meta_graph(path).restore(session, path)
        return number_in(session)


def bundle(folder: Path) -> int | None:
    if not (folder / "bundle").exists():
        return None
    with dt.Graph().as_default(), dt.Session() as session:
        dt.saved_model.loader.load(session, ["train"], folder / "bundle")
        return number_in(session)


def graph_file(folder: Path) -> int | None:
    if not (folder / "net.meta").exists():
        return None
    graph = dt.io.read_graph(folder / "net.meta")
    (size,) = (op.outputs[0].shape.as_list()[0] for op in graph.get_operations())
    return int(size) - 200


def archive(folder: Path) -> int | None:
    if not (folder / "values.npz").exists():
        return None
    found = dt.load(folder / "values.npz")
    assert set(found["first"].tolist()) == set(found["second"].tolist())
    return int(found["second"][0])


class Scenario(NamedTuple):
    """What is written and read: ``write(model, folder)`` saves the model's number, which ``read(folder)`` returns."""

    write: Callable[[Model, int, Path], object]
    read: Callable[[Path], int | None]
    existing: bool


def checkpoints(**options: Any) -> Callable[[Model, int, Path], object]:
    def write(model: Model, number: int, folder: Path) -> object:
        steps = options.get("steps", False)
        saver = model.saver(**{key: value for key, value in options.items() if key != "steps"})
        path = saver.save(model.session, folder / "model", global_step=number if steps else None)
        saver.wait()
        return path

    return write


def write_bundle(model: Model, number: int, folder: Path) -> object:
    shutil.rmtree(folder / "bundle", ignore_errors=True)
    with model.graph.as_default():
        builder = dt.saved_model.builder.SavedModelBuilder(folder / "bundle")
        builder.add_meta_graph_and_variables(model.session, ["train"])
        return builder.save()


def write_graph(model: Model, number: int, folder: Path) -> object:
    graph = dt.Graph()
    with graph.as_default():
        dt.constant(np.arange(200.0 + number), name="table")
    return dt.io.write_graph(graph, folder / "net.meta")


def write_archive(model: Model, number: int, folder: Path) -> object:
    return dt.save({"first": np.full(4, number), "second": np.full(200, number)}, folder / "values.npz")


SCENARIOS = {
    "first": Scenario(checkpoints(), newest_checkpoint, False),
    "replacing": Scenario(checkpoints(), newest_checkpoint, True),
    "dropping": Scenario(checkpoints(steps=True, max_to_keep=1), newest_checkpoint, True),
    "shards": Scenario(checkpoints(steps=True, max_to_keep=2, max_shard_bytes=100), newest_checkpoint, True),
    "asynchronous": Scenario(checkpoints(asynchronous=True), newest_checkpoint, True),
    "bundle": Scenario(write_bundle, bundle, False),
    "graph": Scenario(write_graph, graph_file, True),
    "archive": Scenario(write_archive, archive, True),
}


def write(scenario: Scenario, model: Model, number: int, folder: Path) -> None:
    model.set(number)
    scenario.write(model, number, folder)


def kill_at_calls(scenario: Scenario, folder: Path, stride: int, offset: int) -> dict[str, Any]:
    """Kill a save at every ``stride``-th of its system calls; each begins from the same folder."""
    model = Model()
    before = folder / "before"
    before.mkdir(parents=True)
    if scenario.existing:
        write(scenario, model, 1, before)
    old = 1 if scenario.existing else None
    hit: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    work = folder / "work"
    at = offset
    while True:
        shutil.copytree(before, work)
        model.set(2)
        call = tracing.killed_at(lambda: scenario.write(model, 2, work), at)
        found = scenario.read(work)
        assert found in (old, 2), f"after a kill at call {at} ({call}): {found}"
        write(scenario, model, 3, work)
        assert scenario.read(work) == 3, f"the next save after a kill at call {at} ({call})"
        left = [str(path) for path in work.rglob("*.partial")]
        assert not left, f"left after a kill at call {at} ({call}) and another save: {left}"
        shutil.rmtree(work)
        if call is None:
            assert found == 2
            return {"calls": at, "hit": hit, "outcomes": outcomes}
        hit[call] += 1
        outcomes["new" if found == 2 else "old"] += 1
        at += stride


def kill_at_moments(scenario: Scenario, folder: Path, times: int, seed: int) -> dict[str, Any]:
    """Let a writer save without end, kill it at a random moment, and look; again and again."""
    rng = np.random.default_rng(seed)
    model = Model()
    folder.mkdir(parents=True)
    saves, torn = 0, 0
    number = 1
    begin = time.perf_counter()
    write(scenario, model, number, folder)
    lasting = time.perf_counter() - begin
    for _ in range(times):
        receiver, sender = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                for following in range(number + 1, number + 100_000):
                    write(scenario, model, following, folder)
                    os.write(sender, following.to_bytes(8, "little"))
            finally:
                os._exit(1)
        os.close(sender)
        time.sleep(rng.uniform(0.0, 4 * lasting))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), "the writer failed"
        with os.fdopen(receiver, "rb") as pipe:
            told = pipe.read()
        done = int.from_bytes(told[-8:], "little") if told else number
        torn += bool(list(folder.rglob("*.partial")))
        found = scenario.read(folder)
        assert found in (done, done + 1), f"{done} was saved, and {found} is found"
        saves += done - number
        number = int(found or 0)
    write(scenario, model, number + 1, folder)
    assert scenario.read(folder) == number + 1
    assert not list(folder.rglob("*.partial"))
    return {"kills": times, "saves": saves, "torn": torn}


def write_together(scenario: Scenario, folder: Path, writers: int, times: int) -> dict[str, Any]:
    """Let several processes save under one name in one folder, and read all the while."""
    model = Model()
    folder.mkdir(parents=True)
    write(scenario, model, 1, folder)
    pids = []
    for which in range(writers):
        pids.append(os.fork())
        if not pids[-1]:
            status = 1
            try:
                for turn in range(times):
                    write(scenario, model, 100 * (which + 1) + turn, folder)
                status = 0
            finally:
                os._exit(status)
    seen = set()
    running = set(pids)
    while running:
        seen.add(scenario.read(folder))
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                running.remove(pid)
                assert status == 0, "a writer failed"
    last = scenario.read(folder)
    assert last in {100 * (which + 1) + times - 1 for which in range(writers)}
    assert not list(folder.rglob("*.partial"))
    return {"seen": len(seen)}


if __name__ == "__main__":
    what, name, where, *numbers = sys.argv[1:]
    if what == "calls" and tracing.why_not():
        print(json.dumps({"skipped": tracing.why_not()}))
    else:
        act = {"calls": kill_at_calls, "moments": kill_at_moments, "together": write_together}[what]
        print(json.dumps(act(SCENARIOS[name], Path(where), *map(int, numbers))))
