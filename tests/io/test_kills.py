"""Writers that are killed for good, and disks that are full: the last checkpoint stays whole, and is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import StorageError

ROOT = Path(__file__).parents[2]
SCENARIOS = ("first", "replacing", "dropping", "shards", "asynchronous", "bundle", "graph", "archive")
Run = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked and killed")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A function that runs tests/io/kills.py and returns what it found."""

    def run(what: str, scenario: str, *numbers: int) -> dict[str, Any]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "tests/io/kills.py", what, scenario, str(tmp_path / "work"), *map(str, numbers)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        if "skipped" in found:
            pytest.skip(found["skipped"])
        return found

    return run


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_save_that_is_killed_at_a_system_call_leaves_the_old_or_the_new(
    scenario: str, run: Run, long_tests: bool
) -> None:
    stride = 1 if long_tests else 13
    found = run("calls", scenario, stride, SCENARIOS.index(scenario) if stride > 1 else 0)
    assert found["calls"] >= 10
    assert set(found["outcomes"]) == {"old", "new"} or not long_tests
    if long_tests:
        assert found["hit"].keys() >= {"openat", "write", "fsync", "close", "rename"}


@pytest.mark.parametrize("scenario", ["replacing", "shards"])
def test_a_writer_is_killed_at_random_moments(scenario: str, run: Run, long_tests: bool) -> None:
    times = 200 if long_tests else 5
    assert run("moments", scenario, times, 0)["kills"] == times


def test_processes_that_write_at_once_take_turns(run: Run) -> None:
    assert run("together", "replacing", 2, 5)["seen"] >= 1


# Disks. --------------------------------------------------------------------------------------------------------------


def saver_and_session() -> tuple[dt.train.Saver, dt.Session]:
    dt.Variable(np.zeros(50_000), name="v")
    session = dt.Session()
    session.run(dt.global_variables_initializer())
    return dt.train.Saver(), session


def test_a_file_that_grows_too_large_is_told(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    saver, session = saver_and_session()
    path = saver.save(session, tmp_path / "model", global_step=1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    names = sorted(one.name for one in tmp_path.iterdir())
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        with pytest.raises(StorageError, match="File too large. What was saved there before is as it was"):
            saver.save(session, tmp_path / "model", global_step=2)
        with pytest.raises(StorageError, match="File too large"):
            dt.save({"v": np.zeros(50_000)}, tmp_path / "values.npz")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(one.name for one in tmp_path.iterdir()) == names, "nothing is left of what did not fit"
    assert dt.train.latest_checkpoint(tmp_path) == path
    saver.restore(session, path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes, where there may be one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("file systems may not be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_leaves_the_last_checkpoint_whole(small_disk: Path) -> None:
    saver, session = saver_and_session()
    path = saver.save(session, small_disk / "model", global_step=1)
    kept = {one.name: one.read_bytes() for one in small_disk.iterdir() if one.name != "checkpoint"}
    for room in range(0, 800_000, 100_000):
        filling = small_disk / "filling"
        filling.write_bytes(b"")
        free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
        filling.write_bytes(bytes(max(free - room, 0)))
        with pytest.raises(StorageError, match="No space left on device. What was saved there before is as it was"):
            saver.save(session, small_disk / "model", global_step=2)
        assert dt.train.latest_checkpoint(small_disk) == path
        saver.restore(session, path)
        filling.unlink()
        found = {one.name: one.read_bytes() for one in small_disk.iterdir() if one.name != "checkpoint"}
        assert found == kept
    assert saver.save(session, small_disk / "model", global_step=2) == dt.train.latest_checkpoint(small_disk)


def test_a_disk_that_cannot_be_written_is_told(small_disk: Path) -> None:
    saver, session = saver_and_session()
    path = saver.save(session, small_disk / "model", global_step=1)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StorageError, match=r'in ".*disk": Read-only file system. What was saved there before'):
        saver.save(session, small_disk / "model", global_step=2)
    with pytest.raises(StorageError, match="Read-only file system"):
        saver.save(session, small_disk / "deeper" / "model")
    assert dt.train.latest_checkpoint(small_disk) == path
    saver.restore(session, path)
