"""What training costs around its steps: estimators, hooks, summaries; and what single predictions cost.

Contenders take turns in one process, a block of steps each; a figure is the median of the turns' ratios.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import dovetail as dt
from benchmarks.measure import Figure, figure, per_call
from benchmarks.workloads.catalogue import WORKLOADS, Program, Workload, build

STEPS, UNTIMED = 400, 20

Block = Callable[[], float]
"""Runs a block of steps and returns the seconds of one."""


class Clock(dt.train.SessionRunHook):
    """Notes when each step ends."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def after_run(self, run_context: Any, run_values: Any) -> None:
        self.times.append(time.perf_counter())

    @property
    def seconds(self) -> float:
        """Seconds of a step, without the first ones."""
        return (self.times[-1] - self.times[UNTIMED]) / (len(self.times) - 1 - UNTIMED)


def counted(workload: Workload) -> Program:
    """Build a workload with a global step, which estimators and hooks need."""
    count = dt.train.get_or_create_global_step()
    program = build(workload)
    loss, step = program.fetches
    return Program(program.feeds, (loss, dt.group(step, count.assign_add(1))))


def bare_loop(workload: Workload) -> Block:
    """A loop around ``Session.run``, as a program without hooks has it; in a new graph each time, as the others are."""
    feeds = workload.batch_of(workload.batch)

    def block() -> float:
        clock = Clock()
        with dt.Graph().as_default(), dt.Session() as session:
            program = counted(workload)
            session.run(dt.global_variables_initializer())
            for _ in range(STEPS):
                session.run(program.fetches, dict(zip(program.feeds, feeds, strict=True)))
                clock.after_run(None, None)
        return clock.seconds

    return block


def monitored(workload: Workload, folder: Path, summaries: bool) -> Block:
    """The same loop in a ``MonitoredTrainingSession``; with summaries of the loss and a histogram every 100 steps."""
    feeds = workload.batch_of(workload.batch)

    def block() -> float:
        clock = Clock()
        with dt.Graph().as_default():
            program = counted(workload)
            if summaries:
                dt.summary.scalar("loss", program.fetches[0])
                dt.summary.histogram("kernel", dt.trainable_variables()[0])
            with dt.train.MonitoredTrainingSession(
                hooks=[dt.train.StopAtStepHook(STEPS), clock],
                summary_dir=str(folder) if summaries else None,
                save_summaries_steps=100 if summaries else None,
                save_summaries_secs=None,
                log_step_count_steps=100 if summaries else None,
            ) as session:
                while not session.should_stop():
                    session.run(program.fetches, dict(zip(program.feeds, feeds, strict=True)))
        return clock.seconds

    return block


def model_fn(features: dt.Tensor, labels: dt.Tensor, mode: str) -> dt.estimator.EstimatorSpec:
    """The network of ``mlp`` as an estimator's."""
    workload = WORKLOADS["mlp"]
    scores = workload.network(features, mode == dt.estimator.ModeKeys.TRAIN)
    if mode == dt.estimator.ModeKeys.PREDICT:
        return dt.estimator.EstimatorSpec(mode, predictions={"scores": scores})
    loss = dt.losses.sparse_softmax_cross_entropy(labels=labels, logits=scores)
    step = workload.optimizer().minimize(loss, dt.train.get_global_step())
    return dt.estimator.EstimatorSpec(mode, loss=loss, train_op=step)


def estimator(folder: Path) -> tuple[dt.estimator.Estimator, Block]:
    """``Estimator.train`` on arrays, with what it does besides: logs, summaries, checkpoints at the ends."""
    config = dt.estimator.RunConfig(model_dir=str(folder), save_checkpoints_secs=600)
    made = dt.estimator.Estimator(model_fn, config=config)
    batch = WORKLOADS["mlp"].batch_of(WORKLOADS["mlp"].batch)

    def block() -> float:
        clock = Clock()
        made.train(lambda: batch, hooks=[clock], steps=STEPS)
        return clock.seconds

    return made, block


def over(name: str, block: Block, base: Block, rounds: int, budget: float) -> Figure:
    """Return by how many percent a block's step is longer than that of another."""
    block(), base()
    ratios = []
    for turn in range(rounds):
        order = (block, base) if turn % 2 else (base, block)
        seconds = {one: one() for one in order}
        ratios.append(seconds[block] / seconds[base] - 1.0)
    return figure(name, ratios, "%", scale=100, budget=budget)


def figures(rounds: int = 5) -> Iterator[Figure]:
    """Measure everything."""
    mlp = WORKLOADS["mlp"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = bare_loop(mlp)
        yield over("mlp: MonitoredTrainingSession over a bare loop", monitored(mlp, folder, False), base, rounds, 3)
        with_summaries = monitored(mlp, folder / "logs", True)
        yield over("mlp: summaries every 100 steps over a bare loop", with_summaries, base, rounds, 2)
        trained, block = estimator(folder / "model")
        yield over("mlp: Estimator.train over a bare loop", block, base, rounds, 3)
        yield from predictions(trained)


def predictions(trained: dt.estimator.Estimator) -> Iterator[Figure]:
    """Microseconds that predicting a single row costs over the callable of a session."""
    row = WORKLOADS["mlp"].batch_of(1)[0]
    with dt.Graph().as_default(), dt.Session() as session:
        features = dt.placeholder(dt.float32, ["batch", *row.shape[1:]])
        call = session.make_callable(WORKLOADS["mlp"].network(features, False), [features])
        session.run(dt.global_variables_initializer())
        base = float(np.median(per_call(lambda: call(row))))
        for name, predict in {
            "predict_on_batch": lambda: trained.predict_on_batch(row),
            "predict, a row": lambda: next(trained.predict(lambda: row)),
        }.items():
            runs = [one - base for one in per_call(predict)]
            yield figure(f"mlp: {name} over the callable", runs, "µs", scale=1e6, budget=30)
