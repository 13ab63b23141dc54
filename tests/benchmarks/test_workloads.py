"""The workloads of the benchmarks build and run, on the reference backend; how fast they are, no test asks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import dovetail as dt
from benchmarks import harness
from benchmarks.side_by_side import CHANGING, FIRST_STEP, INFERENCE, TRAINING
from benchmarks.workloads.__main__ import prepare
from benchmarks.workloads.catalogue import WORKLOADS, Workload, build, smaller, stepper

PRODUCTS = ("MatMul", "Conv")


@pytest.fixture(autouse=True)
def on_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile nothing: what is tested is the same on every backend, and small steps are quicker without."""
    monkeypatch.setenv("DOVETAIL_BACKENDS", "CPU=reference")


@pytest.fixture
def running() -> Callable[[Workload], Callable[..., np.ndarray]]:
    def start(workload: Workload) -> Callable[..., np.ndarray]:
        dt.set_random_seed(1)
        program = build(workload)
        session = dt.Session()
        session.run(dt.global_variables_initializer())
        return stepper(session, program)

    return start


def test_every_workload_that_is_measured_is_there() -> None:
    assert tuple(WORKLOADS) == TRAINING + INFERENCE
    assert {FIRST_STEP, *CHANGING} <= set(TRAINING)
    assert [name for name, workload in WORKLOADS.items() if workload.trains] == list(TRAINING)


@pytest.mark.parametrize("name", TRAINING)
def test_a_step_of_training_changes_the_loss(
    name: str, running: Callable[[Workload], Callable[..., np.ndarray]]
) -> None:
    workload = smaller(WORKLOADS[name])
    step = running(workload)
    batch = workload.batch_of(workload.batch)
    losses = [float(step(*batch)) for _ in range(2)]
    assert np.isfinite(losses).all()
    assert losses[0] != losses[1]


@pytest.mark.parametrize("name", ["infer_mlp_b1", "infer_resnet20_b1", "infer_resnet50_b8"])
def test_inference_gives_scores_of_every_example(
    name: str, running: Callable[[Workload], Callable[..., np.ndarray]]
) -> None:
    workload = smaller(WORKLOADS[name], batch=3)
    scores = running(workload)(*workload.batch_of(workload.batch))
    assert scores.shape == (workload.batch, workload.classes)
    assert np.isfinite(scores).all()
    assert np.ptp(scores) > 0


def test_one_graph_takes_every_batch_size(running: Callable[[Workload], Callable[..., np.ndarray]]) -> None:
    workload = WORKLOADS["mlp"]
    step = running(workload)
    assert all(np.isfinite(step(*workload.batch_of(size))) for size in (1, 7, 3))


@pytest.mark.parametrize("name", ["mlp_small", "mlp", "lenet", "infer_resnet20_b1", "infer_resnet50_b1"])
def test_stated_work_is_that_of_the_graphs_products(name: str) -> None:
    workload = WORKLOADS[name]
    program = build(workload)
    explained = dt.explain(list(program.fetches), sizes={"batch": workload.batch})
    counted = sum(row.flops for row in explained.rows if row.operation.startswith(PRODUCTS))
    assert workload.gflop == pytest.approx(1e-9 * counted, rel=1e-9)


def test_images_and_texts_become_small() -> None:
    small = smaller(WORKLOADS["infer_resnet50_b8"])
    assert (small.example, small.batch) == ((32, 32, 3), 2)
    assert replace(small, batch=8, example=(224, 224, 3)) == WORKLOADS["infer_resnet50_b8"]
    assert smaller(WORKLOADS["gpt_mini"]).example == (8,)
    assert smaller(WORKLOADS["infer_mlp_b1"]) == WORKLOADS["infer_mlp_b1"]


def test_the_program_prints_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    harness.main(prepare, import_seconds=0.5, arguments=["mlp_small", "--seconds", "0"])
    line = json.loads(capsys.readouterr().out)
    assert line["workload"] == "mlp_small"
    assert line["import_s"] == 0.5
    assert line["steps"] >= 1
    assert 0 < line["min_ms"] <= line["median_ms"]
    assert line["first_s"] > 0
    assert line["peak_mb"] > 10
    assert line["gflop"] == WORKLOADS["mlp_small"].gflop
    assert line["backend"] == "reference"


def test_the_program_runs_through_batch_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    harness.main(prepare, import_seconds=0.0, arguments=["mlp_small", "--sizes", "1", "4", "--turns", "3"])
    line = json.loads(capsys.readouterr().out)
    assert line["steps"] == 6
    assert line["steps_s"] > 0


def test_slow_steps_are_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def step() -> None:
        nonlocal now
        now += 7.0

    monkeypatch.setattr(harness.time, "perf_counter", lambda: now)
    assert harness.seconds_per_step(step, 2.0) == [7.0, 7.0, 7.0]  # 20 s at most, and the third is on its way
    assert len(harness.seconds_per_step(step, 14.0)) == harness.LEAST_STEPS
