"""The same bits, whatever the number of threads, the rows beside, the session, the process or the cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail_backend_cpu.runtime import division
from tests.backend_cpu.conformance import session
from tests.backend_cpu.models import MODELS, Model

BACKEND = "cpu"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def eager_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is small is divided too, so that threads have something to differ in."""
    monkeypatch.setattr(division, "TASK_WORK", 2)
    monkeypatch.setattr(division, "PART_WORK", 1)
    monkeypatch.setattr(division, "STEP_WORK", 2)


def momentum() -> Any:
    return dt.train.MomentumOptimizer(0.05, 0.9)


def steps(model: Model, step: dt.Operation, threads: int, batch: int = 19) -> list[Any]:
    """Train a little; returns losses and variables."""
    with session(BACKEND, graph=model.graph, num_threads=threads) as opened:
        opened.run(model.initializer())
        losses = [
            opened.run([model.loss, step], {**model.feeds(batch, seed), model.training: True})[0] for seed in range(3)
        ]
        return [*losses, *opened.run(model.variables())]


def assert_same_bits(left: list[Any], right: list[Any]) -> None:
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.usefixtures("eager_threads")
@pytest.mark.parametrize("name", MODELS)
def test_threads(name: str) -> None:
    model = Model(name)
    step = model.minimize(momentum)
    alone = steps(model, step, 1)
    for threads in (2, 3):
        assert_same_bits(steps(model, step, threads), alone)


@pytest.mark.parametrize("name", MODELS)
def test_rows_do_not_depend_on_the_rows_beside_them(name: str) -> None:
    model = Model(name)
    with session(BACKEND, graph=model.graph) as opened:
        opened.run(model.initializer())
        whole = opened.run(model.output, model.feeds(64))
        for batch in (5, 1, 33):
            np.testing.assert_array_equal(opened.run(model.output, model.feeds(batch)), whole[:batch])


def test_two_sessions_at_once() -> None:
    model = Model("convnet")
    step = model.minimize(momentum)
    alone = steps(model, step, 2)
    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(lambda _: steps(model, step, 2), range(4)):
            assert_same_bits(result, alone)


def test_one_session_in_two_threads() -> None:
    model = Model("mlp")
    with session(BACKEND, graph=model.graph) as opened, ThreadPoolExecutor(2) as pool:
        opened.run(model.initializer())
        expected = {batch: opened.run(model.output, model.feeds(batch)) for batch in (3, 40)}
        batches = [3, 40] * 50
        for batch, found in zip(
            batches, pool.map(lambda batch: opened.run(model.output, model.feeds(batch)), batches), strict=True
        ):
            np.testing.assert_array_equal(found, expected[batch])


SCRIPT = """
import hashlib
from tests.backend_cpu.models import Model
from tests.backend_cpu.test_determinism import digest, momentum, steps
model = Model("mlp")
print(digest(steps(model, model.minimize(momentum), 2)))
"""


def digest(arrays: list[Any]) -> str:
    return hashlib.sha256(b"".join(np.asarray(one).tobytes() for one in arrays)).hexdigest()


def test_processes_with_a_cold_and_a_warm_cache(tmp_path: Path) -> None:
    """Two processes at once fill one folder, a third reads what they left, a fourth keeps nothing."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    settings = {**os.environ, "PYTHONPATH": paths, "DOVETAIL_CACHE_DIR": str(tmp_path)}

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT], cwd=ROOT, env=settings, stdout=subprocess.PIPE, text=True
        )

    def finish(process: subprocess.Popen[str]) -> str:
        text, _ = process.communicate(timeout=300)
        assert process.returncode == 0
        return text.strip()

    together = [start(), start()]
    first, second = map(finish, together)
    objects = sorted(tmp_path.rglob("*.o"))
    assert objects
    third = finish(start())
    assert sorted(tmp_path.rglob("*.o")) == objects
    model = Model("mlp")
    assert first == second == third == digest(steps(model, model.minimize(momentum), 2))
