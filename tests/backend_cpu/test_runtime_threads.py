"""Threads that run steps: several sessions, forks, the end of the process, more threads than cores."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dovetail.errors import InvalidArgumentError
from dovetail.kernels import Repeat, View
from dovetail.types.dims import Symbol
from dovetail_backend_cpu.runtime import cores, division
from dovetail_backend_cpu.runtime import team as team_module
from dovetail_backend_cpu.runtime.executable import NativeExecutable
from dovetail_backend_cpu.runtime.team import ThreadTeam, team
from tests.backend_cpu import native_kernels as k
from tests.backend_cpu.native_kernels import build


@pytest.fixture(autouse=True, params=[1, 1 << 20], ids=["in parts", "at once"])
def eager_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tasks are divided too, each part taken by whoever is free or each thread having its own."""
    monkeypatch.setattr(division, "TASK_WORK", 2)
    monkeypatch.setattr(division, "PART_WORK", request.param)
    monkeypatch.setattr(division, "STEP_WORK", 2)


def chain(n: int, length: int, threads: int) -> NativeExecutable:
    """Doubles and reverses ``length`` times; every kernel reads what other threads wrote."""
    x, out = k.storage(n, "input"), k.storage(n, "output")
    storages = [x, *(k.storage(n) for _ in range(2 * length - 1)), out]
    steps = []
    for i in range(length):
        steps += [k.DOUBLE(n, *storages[2 * i : 2 * i + 2]), k.REVERSE(n, *storages[2 * i + 1 : 2 * i + 3])]
    return build([x], [out], steps, threads)


def wanted(a: Any, length: int) -> Any:
    return a * 2.0**length if length % 2 == 0 else a[::-1] * 2.0**length


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_threads_meet_where_they_must(threads: int, rng: np.random.Generator) -> None:
    run = chain(200, 9, threads)
    for _ in range(60):
        a = rng.standard_normal(200)
        np.testing.assert_array_equal(run([a], {})[0][0], wanted(a, 9))


def test_teams_work_where_the_kernel_cannot_wake_threads(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setattr(team_module, "FUTEX", 0)
    alone = ThreadTeam()
    monkeypatch.setattr(team_module, "_team", alone)
    run = chain(100, 4, 3)
    for i in range(40):
        a = rng.standard_normal(100)
        np.testing.assert_array_equal(run([a], {})[0][0], wanted(a, 4))
        if i % 10 == 0:
            threading.Event().wait(0.002)  # long enough for the workers to park
    alone.stop()
    assert not any(thread.name.startswith("dovetail") and thread in alone._threads for thread in threading.enumerate())


def test_parked_workers_wake(rng: np.random.Generator) -> None:
    run = chain(100, 3, 2)
    for _ in range(10):
        a = rng.standard_normal(100)
        np.testing.assert_array_equal(run([a], {})[0][0], wanted(a, 3))
        threading.Event().wait(0.003)


@pytest.mark.parametrize("shared", [True, False], ids=["one executable", "two executables"])
def test_python_threads_run_steps_at_once(shared: bool, rng: np.random.Generator) -> None:
    runs = [chain(500, 5, 2)] * 3 if shared else [chain(500, 5, 1 + i) for i in range(3)]

    def work(run: NativeExecutable, a: Any) -> None:
        for i in range(150):
            np.testing.assert_array_equal(run([a + i], {})[0][0], wanted(a + i, 5))

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(work, run, rng.standard_normal(500)) for run in runs]:
            done.result(60)


def test_python_goes_on_while_a_step_runs() -> None:
    """The interpreter's lock is free: a step that waits in a loop for a flag sees another thread set it."""
    flag = np.ones(1, np.bool_)
    x, state = k.storage(1, "input", k.BOOL), k.storage(1, "state")
    waiting = Repeat(Symbol("i"), None, [k.INCREMENT_ONE(1, state)], condition=View(x))
    run = build([x, state], [state], [waiting], 1)
    count = np.zeros(1)
    thread = threading.Thread(target=run, args=([flag, count], {}), daemon=True)
    thread.start()
    while not count[0]:
        threading.Event().wait(0.001)
    flag[0] = False
    thread.join(60)
    assert not thread.is_alive()


def test_a_team_grows_to_what_is_asked_for() -> None:
    fresh = ThreadTeam()
    assert fresh.grow(1) == 1
    assert fresh.grow(3) == 3
    assert fresh.grow(2) == 2
    assert len(fresh._threads) == 2
    fresh.stop()
    assert not fresh._threads


def test_a_system_without_more_threads_uses_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    fresh = ThreadTeam()
    monkeypatch.setattr(team_module, "_team", fresh)
    monkeypatch.setattr(team_module.threading.Thread, "start", refuse)
    run = chain(100, 2, 3)
    np.testing.assert_array_equal(run([np.arange(100.0)], {})[0][0], 4 * np.arange(100.0))


def test_the_number_of_threads_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOVETAIL_NUM_THREADS", "3")
    assert cores.default_threads() == 3
    monkeypatch.delenv("DOVETAIL_NUM_THREADS")
    assert cores.default_threads() == cores.usable_cores() >= 1


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
def test_a_number_of_threads_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("DOVETAIL_NUM_THREADS", text)
    with pytest.raises(InvalidArgumentError, match=f"DOVETAIL_NUM_THREADS is '{text}'; set it to how many threads"):
        cores.default_threads()


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"cpu.max": "max 100000\n"}, 64),
        ({"cpu.max": "250000 100000\n"}, 3),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"quota": "-1\n", "period": "100000\n"}, 64),
        ({"quota": "200000\n", "period": "100000\n"}, 2),
        ({"cpu.max": "nonsense"}, 64),
        ({}, 64),
    ],
)
def test_a_container_s_quota_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], wanted: int
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(cores, "_QUOTAS", (tmp_path / "cpu.max",))
    monkeypatch.setattr(cores, "_OLD_QUOTAS", (tmp_path / "quota", tmp_path / "period"))
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    assert cores.usable_cores() == wanted


_HEAD = """
import os, sys, threading
import numpy as np
from dovetail_backend_cpu.runtime import division
division.TASK_WORK = division.STEP_WORK = 2
from tests.backend_cpu import native_kernels as k
n = 100
x, t, out = k.storage(n, "input"), k.storage(n), k.storage(n, "output")
def build():
    return k.build([x], [out], [k.DOUBLE(n, x, t), k.REVERSE(n, t, out)], 3)
run = build()
a = np.arange(100.0)
def check(run=run):
    assert (run([a], {})[0][0] == 2 * a[::-1]).all()
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run a program that must end by itself, quietly."""
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", _HEAD + code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_has_threads_of_its_own() -> None:
    done = python(
        """
check()
for _ in range(3):
    child = os.fork()
    if child == 0:
        for _ in range(30):
            check()
        check(build())  # a new program begins on all threads; where cores are scarce, the old one may go on alone
        assert threading.active_count() == 3, threading.enumerate()
        sys.exit(7)
    for _ in range(30):
        check()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
print("done")
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


@pytest.mark.parametrize(
    "end",
    [
        "check()",
        "check(); sys.exit(0)",
        "check(); threading.Thread(target=lambda: [check() for _ in range(10**9)], daemon=True).start()",
        "threading.Thread(target=lambda: [check() for _ in range(200)]).start()",
    ],
    ids=["falls off the end", "exits", "while a step runs", "while a thread goes on"],
)
def test_the_process_ends(end: str) -> None:
    done = python(end)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_team_is_the_process_s() -> None:
    assert team() is team()
