"""Training that is killed at any step and started again takes the very batches that it would have taken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

PROGRAM = """
import json, sys, time, zlib
from pathlib import Path
import numpy as np
import dovetail as dt

STEPS, SAVED = 30, 3
folder, pause = Path(sys.argv[1]), float(sys.argv[2])


def augment(row, label, rng):
    return row + rng.random(), label


dataset = (
    dt.data.from_csv(folder / "data.csv", "label", stack=True)
    .shuffle(16, seed=1)
    .random_map(augment, seed=2, threads=3)
    .repeat()
    .batch(7)
    .prefetch(3)
)
batches = iter(dataset)
x = dt.placeholder(dt.float32, [None, 3])
y = dt.placeholder(dt.float32, [None])
loss = dt.reduce_mean(dt.square(dt.squeeze(dt.layers.dense(x, 1), 1) - y))
step = dt.train.get_or_create_global_step()
train = dt.train.AdamOptimizer(0.01).minimize(loss, global_step=step)
dt.set_random_seed(5)
saver = dt.train.Saver(max_to_keep=2, stateful={"input": batches})
with dt.Session() as session, (folder / "log.jsonl").open("a") as log:
    newest = dt.train.latest_checkpoint(folder)
    if newest is None:
        session.run(dt.global_variables_initializer())
    else:
        saver.restore(session, newest)
    while (number := int(session.run(step))) < STEPS:
        rows, labels = next(batches)
        value, _ = session.run([loss, train], {x: rows, y: labels})
        log.write(json.dumps([number, zlib.crc32(rows.tobytes()), labels.tolist(), float(value)]) + "\\n")
        log.flush()
        if number % SAVED == SAVED - 1:
            saver.save(session, folder / "model", global_step=step, write_meta_graph=False)
        time.sleep(pause)
"""


def start(folder: Path, pause: float) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), str(pause)], env=environment)


def prepared(folder: Path) -> Path:
    folder.mkdir()
    rows = [f"{n},{n * n % 17},{n / 3:.3f},{n % 5}" for n in range(60)]
    (folder / "data.csv").write_text("\n".join(["a,b,c,label", *rows, ""]))
    return folder


def logged(folder: Path) -> list[list[object]]:
    path = folder / "log.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_training_goes_on_exactly(tmp_path: Path, rng: np.random.Generator, long_tests: bool) -> None:
    whole = prepared(tmp_path / "whole")
    assert start(whole, 0.0).wait() == 0
    expected = logged(whole)
    assert [one[0] for one in expected] == list(range(30))
    folder = prepared(tmp_path / "killed")
    kills = 0
    while not any(one[0] == 29 for one in logged(folder)):
        process = start(folder, 0.02)
        wait_for = len(logged(folder)) + int(rng.integers(1, 6) if long_tests else rng.integers(8, 20))
        while process.poll() is None and len(logged(folder)) < wait_for:
            time.sleep(0.002)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait()
    assert kills >= 1
    found = logged(folder)
    assert len(found) >= 30
    for number, *rest in found:
        assert rest == expected[int(str(number))][1:]
