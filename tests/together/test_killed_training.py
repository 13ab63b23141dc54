"""Training that is killed and goes on from its last checkpoint ends with the bytes of training that was not killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import dovetail as dt

PROGRAM = '''
import hashlib, json, sys
import numpy as np
import dovetail as dt

folder, last, stop_at = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


class Batches:
    """Input that knows how far it has been read, and in which order it goes on."""

    def __init__(self):
        self.rng = np.random.Generator(np.random.PCG64(5))
        self.count = 0

    def next(self):
        self.count += 1
        images = self.rng.normal(size=(12, 8)).astype(np.float32)
        return {x: images, labels: self.rng.integers(0, 4, 12), training: True}

    def state(self):
        return {"count": self.count, "rng": self.rng.bit_generator.state}

    def restore(self, state):
        self.count = state["count"]
        self.rng.bit_generator.state = state["rng"]


dt.set_random_seed(11)
x = dt.placeholder(dt.float32, [None, 8], name="x")
labels = dt.placeholder(dt.int64, [None], name="labels")
training = dt.placeholder_with_default(False, [], name="training")
h = dt.layers.dense(x, 16, activation="relu", name="hidden")
h = dt.layers.batch_normalization(h, training=training, name="norm")
h = dt.layers.dropout(h, rate=0.5, training=training, name="drop")
scores = dt.layers.dense(h, 4, name="scores") + 0.01 * dt.random_normal([4], name="noise")
loss = dt.reduce_mean(dt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores), name="loss")
step = dt.train.get_or_create_global_step()
train = dt.train.AdamOptimizer(dt.train.exponential_decay(0.01, step, 50, 0.9)).minimize(loss, global_step=step)

batches = Batches()
saver = dt.train.Saver(max_to_keep=3, stateful={"input": batches}, asynchronous=True)
with dt.Session() as session:
    newest = dt.train.latest_checkpoint(folder)
    if newest is None:
        session.run(dt.global_variables_initializer())
    else:
        saver.restore(session, newest)
    begin = int(session.run(step))
    for number in range(begin, last):
        if number and number % 10 == 0:
            saver.save(session, folder + "/model", global_step=number)
        if number == stop_at:
            saver.wait()
            print(json.dumps({"at": number}), flush=True)
            sys.stdin.read()  # until it is killed
        session.run(train, batches.next())
    variables = {one.op.name: np.asarray(session.run(one)) for one in dt.global_variables()}
    print(json.dumps({
        "begin": begin,
        "variables": {name: hashlib.sha256(value.tobytes()).hexdigest() for name, value in variables.items()},
        "random": session.random_state(),
        "input": batches.state(),
        "moved": int(sum(np.any(value != 0) for value in variables.values())),
    }))
'''


def start(folder: Path, backend: str | None, last: int, stop_at: int) -> subprocess.Popen[str]:
    environment = {**os.environ, **({"DOVETAIL_BACKENDS": backend} if backend else {})}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(folder), str(last), str(stop_at)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
@pytest.mark.parametrize("done", [90, pytest.param(200, marks=pytest.mark.long)])
@pytest.mark.parametrize("backend", [None, "CPU=reference"], ids=["compiled", "reference"])
def test_steps_a_kill_and_a_hundred_and_ten_steps_are_as_all_at_once(
    tmp_path: Path, backend: str | None, done: int
) -> None:
    last = done + 110
    whole = finished(start(tmp_path / "whole", backend, last, -1))
    assert whole.pop("begin") == 0
    assert whole["moved"] >= 17
    killed = start(tmp_path / "killed", backend, last, done + 5)
    assert killed.stdout is not None
    assert json.loads(killed.stdout.readline()) == {"at": done + 5}
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    newest = dt.train.latest_checkpoint(tmp_path / "killed")
    assert newest == str(tmp_path / "killed" / f"model-{done}")
    assert dt.io.verify(newest).states["input"]["count"] == done
    resumed = finished(start(tmp_path / "killed", backend, last, -1))
    assert resumed.pop("begin") == done
    assert resumed == whole
    names = [f"model-{number}" for number in (last - 30, last - 20, last - 10)]
    assert sorted(path.stem for path in (tmp_path / "killed").glob("model-*.json")) == names
    first, second = (dt.io.Checkpoint(tmp_path / name / names[-1]) for name in ("whole", "killed"))
    assert {name: array.tobytes() for name, array in first.read().items()} == {
        name: array.tobytes() for name, array in second.read().items()
    }
    assert (first.random_state, first.states) == (second.random_state, second.states)
