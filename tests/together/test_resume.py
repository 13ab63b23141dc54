"""Training that stops and goes on in another process makes the bits of training that never stopped."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dovetail as dt

PROGRAM = '''
import hashlib, json, sys
import numpy as np
import dovetail as dt

settings = json.loads(sys.argv[1])


def build():
    if settings.get("seed") is not None:
        dt.set_random_seed(settings["seed"])
    x = dt.placeholder(dt.float32, [None, 8], name="x")
    labels = dt.placeholder(dt.int64, [None], name="labels")
    training = dt.placeholder_with_default(False, [], name="training")
    h = dt.layers.dense(x, 16, activation="relu", name="hidden")
    h = dt.layers.batch_normalization(h, training=training, name="norm")
    h = dt.layers.dropout(h, rate=0.5, training=training, name="drop")
    noise = dt.random_uniform([4], name="noise")
    scores = dt.layers.dense(h, 4, name="scores") + 0.01 * noise
    loss = dt.reduce_mean(dt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores), name="loss")
    if settings.get("metric"):
        dt.reduce_mean(dt.cast(dt.equal(dt.argmax(scores, 1), labels), dt.float32), name="accuracy")
        dt.reduce_sum(dt.random_normal([10]), name="chance")
    step = dt.train.get_or_create_global_step()
    rate = dt.train.exponential_decay(0.01, step, 5, 0.9)
    optimizer = {
        "adam": lambda: dt.train.AdamOptimizer(rate),
        "momentum": lambda: dt.train.MomentumOptimizer(rate, 0.9),
        "rmsprop": lambda: dt.train.RMSPropOptimizer(rate, momentum=0.5),
    }[settings.get("optimizer", "adam")]()
    optimizer.minimize(loss, global_step=step, name="train")


def batch(number):
    rng = np.random.default_rng(number)
    return {"x:0": rng.normal(size=(12, 8)).astype(np.float32), "labels:0": rng.integers(0, 4, 12), "training:0": True}


if settings.get("import"):
    saver = dt.train.import_meta_graph(settings["from"])
else:
    build()
    saver = dt.train.Saver()
with dt.Session() as session:
    if settings.get("from"):
        saver.restore(session, settings["from"])
    else:
        session.run(dt.global_variables_initializer())
    for number in range(settings["begin"], settings["end"]):
        if str(number) in settings.get("save", {}):
            saver.save(session, settings["save"][str(number)])
        fetches = ["loss:0", "train", "noise:0"]
        if settings.get("metric"):
            fetches += ["accuracy:0", "chance:0"]
        session.run(fetches, batch(number))
        if settings.get("metric") and number % 3 == 0:
            session.run("chance:0")
    names = sorted(variable.op.name for variable in dt.global_variables())
    values = {name: session.run(f"{name}:0") for name in names}
    state = session.random_state()
    counters = {name: count for name, count in state["counters"].items() if "random_normal" not in name}
    print(json.dumps({
        "values": {name: hashlib.sha256(np.asarray(value).tobytes()).hexdigest() for name, value in values.items()},
        "seed": state["seed"],
        "counters": counters,
        "last": hashlib.sha256(session.run("loss:0", batch(1000)).tobytes()).hexdigest(),
    }))
'''  # fmt: skip

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Train in a process of its own; gives hashes of all variables and slots, and the state of the random numbers."""

    def run(**settings: Any) -> dict[str, Any]:
        environment = {**os.environ, "PYTHONHASHSEED": str(len(list(tmp_path.iterdir())) + 1)}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM, json.dumps(settings)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    return run


def test_the_same_seed_makes_the_same_bits_in_two_processes(run: Run) -> None:
    first, second = run(seed=7, begin=0, end=6), run(seed=7, begin=0, end=6)
    assert first == second
    assert run(seed=8, begin=0, end=6)["values"] != first["values"]


@pytest.mark.parametrize(("optimizer", "seed"), [("adam", 7), ("adam", None), ("momentum", 7), ("rmsprop", 7)])
def test_going_on_in_a_fresh_process_is_as_not_having_stopped(run: Run, optimizer: str, seed: int | None) -> None:
    whole = run(seed=seed, optimizer=optimizer, begin=0, end=35, save={20: "./half"})
    rebuilt = run(**{"from": "./half"}, seed=seed, optimizer=optimizer, begin=20, end=35)
    imported = run(**{"from": "./half", "import": True}, begin=20, end=35)
    assert rebuilt == imported == whole
    slots = [name for name in whole["values"] if any(word in name.lower() for word in ("adam", "momentum", "rms"))]
    assert len(slots) >= 6
    trained = {name: count for name, count in whole["counters"].items() if "nitializer" not in name}
    assert list(trained.values()) == [35, 35], "noise and dropout"


def test_going_on_twice_is_as_going_on_once(run: Run) -> None:
    whole = run(begin=0, end=12, save={4: "./a"})
    run(**{"from": "./a"}, begin=4, end=12, save={8: "./b"})
    assert run(**{"from": "./b", "import": True}, begin=8, end=12) == whole
    assert whole["seed"] is not None


def test_logging_one_more_tensor_changes_no_bit_of_training(run: Run) -> None:
    plain, watched = run(seed=3, begin=0, end=10), run(seed=3, begin=0, end=10, metric=True)
    assert watched == plain


def test_saving_changes_no_bit_of_training(run: Run) -> None:
    assert run(seed=3, begin=0, end=5, save={0: "./a", 3: "./b"}) == run(seed=3, begin=0, end=5)


def test_two_processes_that_train_alike_save_the_same_bytes(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(seed=3, begin=0, end=5, save={4: f"./{name}/model"})
    files = [tmp_path / name / "model.safetensors" for name in ("a", "b")]
    assert len({hashlib.sha256(path.read_bytes()).hexdigest() for path in files}) == 1
    graphs = [dt.io.Checkpoint(path).graph_hash for path in files]
    assert graphs[0] == graphs[1]
