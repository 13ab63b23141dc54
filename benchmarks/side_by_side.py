"""Workloads in Dovetail and its peers, in turns: steps, a run of changing batch sizes, and the first step."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.contenders import DOVETAIL, ONNXRUNTIME, PEERS, Contender, MeasurementError, Runner

TRAINING = ("mlp_small", "mlp", "lenet", "resnet20", "char_lstm", "gpt_mini")
INFERENCE = ("infer_mlp_b1", "infer_resnet20_b1", "infer_resnet50_b1", "infer_resnet50_b8")
CHANGING = ("mlp", "lenet")
SIZES = (1, 7, 33, 64)
FIRST_STEP = "resnet20"

Record = dict[str, Any]


def present(names: Iterable[str]) -> tuple[list[Contender], dict[str, str]]:
    """Return Dovetail and those of the named peers that can be measured, and why the others cannot."""
    absent = {name: reason for name in names if (reason := PEERS[name].absence()) is not None}
    return [DOVETAIL, *(PEERS[name] for name in names if name not in absent)], absent


def measured_ways(contenders: Iterable[Contender], workload: str) -> list[Contender]:
    """Return the contenders that can run a workload."""
    return [one for one in contenders if workload in INFERENCE or not one.infers_only]


def steps(
    runner: Runner, contenders: Sequence[Contender], workloads: Sequence[str], rounds: int, seconds: float
) -> list[Record]:
    """Measure the steps of every workload; each round asks every contender once.

    The line of one that failed holds ``error`` instead of times; it is not asked again.
    """
    planned = [
        (turn, workload, contender)
        for turn in range(rounds)
        for workload in workloads
        for contender in measured_ways(contenders, workload)
    ]
    return measured(runner, [(one, ["--seconds", str(seconds)]) for one in planned], "steps")


def changing_sizes(runner: Runner, contenders: Sequence[Contender], rounds: int, turns: int = 10) -> list[Record]:
    """Measure runs whose batch sizes change from step to step, from a cold start: each with empty caches."""
    records: list[Record] = []
    arguments = ["--sizes", *map(str, SIZES), "--turns", str(turns)]
    for turn, workload in product(range(rounds), CHANGING):
        with cold(runner) as fresh:
            planned = [((turn, workload, peer), arguments) for peer in contenders if not peer.infers_only]
            records += measured(fresh, planned, f"changing batch sizes, {workload}")
    return records


def first_steps(runner: Runner, contenders: Sequence[Contender], rounds: int) -> list[Record]:
    """Measure the first step with empty caches, then with those that it left behind."""
    records: list[Record] = []
    compiling = [one for one in contenders if one.compiles and one is not ONNXRUNTIME]
    for turn in range(rounds):
        with cold(runner) as fresh:
            for cache in ("cold", "warm"):
                planned = [((turn, FIRST_STEP, peer), ["--seconds", "0"]) for peer in compiling]
                found = measured(fresh, planned, f"first step, {cache} cache")
                records += [{**record, "cache": cache} for record in found]
    return records


@contextmanager
def cold(runner: Runner) -> Iterator[Runner]:
    """Lend a runner whose compile caches are empty, and clear them away."""
    runner.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=runner.folder, prefix="cold-") as folder:
        yield replace(runner, cache=Path(folder).name)


def measured(
    runner: Runner, planned: Sequence[tuple[tuple[int, str, Contender], Sequence[str]]], title: str
) -> list[Record]:
    """Run what is planned with a progress bar; one that fails with a workload is told of, and not asked again."""
    from tqdm import tqdm

    records: list[Record] = []
    failed: set[tuple[str, str]] = set()
    with tqdm(planned, desc=title, unit="run", file=sys.stderr, disable=None) as bar:
        for (turn, workload, contender), arguments in bar:
            bar.set_postfix_str(f"{contender.title}: {workload}")
            if (contender.name, workload) in failed:
                continue
            record: Record = {"contender": contender.name, "workload": workload, "round": turn}
            try:
                record |= runner.run(contender, workload, arguments)
            except MeasurementError as error:
                failed.add((contender.name, workload))
                record["error"] = str(error)
                bar.write(f"{contender.title}: {workload}: {error}", file=sys.stderr)
            records.append(record)
    return records


def installed_sizes(contenders: Iterable[Contender]) -> Mapping[str, float]:
    """Return the MB that each framework takes with what it needs; for each environment once."""
    sizes: dict[str, float] = {}
    seen: set[str] = set()
    for one in contenders:
        if one.environment not in seen:
            seen.add(one.environment)
            script = Path(__file__).with_name("installed.py")
            done = subprocess.run([one.python, script, *one.distributions], capture_output=True, text=True, check=True)
            sizes[one.name] = round(sum(json.loads(done.stdout).values()), 1)
    return sizes
