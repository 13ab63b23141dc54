"""An estimator that is killed, or interrupted, and started again makes the bits of one that never was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt

pytestmark = pytest.mark.usefixtures("heeds_ctrl_c")

PROGRAM = """
import sys, time
import numpy as np
import dovetail as dt

folder, kind, pause = sys.argv[1], sys.argv[2], float(sys.argv[3])
columns = [dt.feature_column.numeric_column("x", shape=3)]
config = dt.estimator.RunConfig(folder, tf_random_seed=11, save_checkpoints_steps=4)
estimator = dt.estimator.DNNClassifier([8], columns, optimizer="Adam", dropout=0.3, config=config)
rng = np.random.default_rng(0)
x = rng.normal(size=(90, 3)).astype(np.float32)
y = (x.sum(1) > 0).astype(np.int64)


def batches():
    for start in range(10_000):
        rows = np.arange(start * 7, start * 7 + 8) % 90
        yield {"x": x[rows]}, y[rows]


class Slow(dt.train.SessionRunHook):
    def after_run(self, run_context, run_values):
        print("step", flush=True)
        time.sleep(pause)


source = {
    "data": lambda: dt.data.from_arrays(({"x": x}, y)).shuffle().repeat().batch(8).prefetch(2),
    "generator": batches,
}[kind]
estimator.train(source, [Slow()], max_steps=30)
print("done", flush=True)
"""


def start(folder: Path, kind: str, pause: float) -> subprocess.Popen[str]:
    environment = {**os.environ, "DOVETAIL_BACKENDS": "CPU=reference"}
    arguments = [sys.executable, "-W", "error", "-c", PROGRAM, str(folder), kind, str(pause)]
    return subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def after(process: subprocess.Popen[str], steps: int) -> None:
    """Wait for so many steps."""
    assert process.stdout is not None
    for _ in range(steps):
        assert process.stdout.readline() == "step\n", process.stderr.read() if process.stderr else ""


def finish(folder: Path, kind: str) -> dict[str, Any]:
    process = start(folder, kind, 0.0)
    out, errors = process.communicate(timeout=300)
    assert out.endswith("done\n"), errors
    reader = dt.train.load_checkpoint(str(folder / "model.ckpt-30"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program makes that nobody stops."""
    return finish(tmp_path_factory.mktemp("whole"), "data")


@pytest.mark.parametrize("kind", ["data", pytest.param("generator", marks=pytest.mark.long)])
def test_a_program_that_is_killed_goes_on_exactly(
    tmp_path: Path, kind: str, whole: dict[str, Any], long_tests: bool
) -> None:
    if kind != "data":
        whole = finish(tmp_path / "whole", kind)
    for steps in (6, 9, 2, 5) if long_tests else (6,):
        process = start(tmp_path / "parts", kind, 0.01)
        after(process, steps)
        process.kill()
        process.communicate()
    parts = finish(tmp_path / "parts", kind)
    assert whole.keys() == parts.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(parts[name], value, err_msg=name)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a program could take")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)])
def test_a_program_that_is_interrupted_saves_says_where_and_goes_on_exactly(
    tmp_path: Path, number: signal.Signals, status: int, whole: dict[str, Any]
) -> None:
    process = start(tmp_path / "parts", "data", 0.05)
    after(process, 6)
    time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=300)
    assert process.returncode in (status, 130), errors
    assert "is saved in" in errors
    assert "model.ckpt-" in errors
    latest = dt.train.latest_checkpoint(tmp_path / "parts")
    assert latest is not None
    assert int(latest.rpartition("-")[2]) >= 6
    parts = finish(tmp_path / "parts", "data")
    for name, value in whole.items():
        np.testing.assert_array_equal(parts[name], value, err_msg=name)
