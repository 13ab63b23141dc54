"""What the input pipeline costs: a step of LeNet that it feeds, and a CSV file of a gigabyte in bounded memory."""

from __future__ import annotations

import csv
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import dovetail as dt
from benchmarks.measure import Figure, figure, in_fresh_process
from benchmarks.workloads.catalogue import WORKLOADS, Workload, build, stepper

IMAGES = 6400
CSV_BYTES = 1 << 30
_BLOCK = 20_000

_READ = """
import json, time
from pathlib import Path
from benchmarks.harness import peak_memory_mb
import dovetail as dt
begin, before = time.perf_counter(), peak_memory_mb()
rows = sum(len(label) for _, label in dt.data.from_csv({path!r}, "label", stack=True).batch(256))
print(json.dumps([rows, time.perf_counter() - begin, peak_memory_mb() - before]))
"""


def lenet_steps(rounds: int = 5, steps: int = 60, workload: Workload | None = None) -> Iterator[Figure]:
    """Milliseconds of a step fed with slices of arrays, fed by a pipeline, and by one that also changes pictures."""
    lenet = workload or WORKLOADS["lenet"]
    rng = np.random.default_rng(0)
    raw = rng.integers(0, 256, (IMAGES, *lenet.example), np.uint8)
    labels = rng.integers(0, lenet.classes, IMAGES, np.int32)
    ready = dt.data.image.normalize(raw)
    normalized = dt.data.from_arrays((ready, labels)).shuffle(seed=1).repeat().batch(lenet.batch)
    changing = (
        dt.data.from_arrays((raw, labels))
        .shuffle(seed=1)
        .repeat()
        .batch(lenet.batch)
        .map(lambda image, label: (dt.data.image.normalize(image, 0.5, 0.5), label))
    )

    def slices() -> Iterator[Any]:
        while True:
            for at in range(0, IMAGES - lenet.batch + 1, lenet.batch):
                yield ready[at : at + lenet.batch], labels[at : at + lenet.batch]

    sources: dict[str, Callable[[], Iterator[Any]]] = {
        "a step of lenet fed with slices of arrays": slices,
        "a step of lenet fed by shuffle, batch, prefetch": lambda: iter(normalized.prefetch(4)),
        "a step of lenet fed by shuffle, batch, normalize, prefetch": lambda: iter(changing.prefetch(4)),
    }
    times: dict[str, list[float]] = {name: [] for name in sources}
    with dt.Graph().as_default(), dt.Session() as session:
        step = stepper(session, build(lenet))
        session.run(dt.global_variables_initializer())
        for _ in range(rounds):
            for name, make in sources.items():
                batches = make()
                for _ in range(3):
                    step(*next(batches))
                begin = time.perf_counter()
                for _ in range(steps):
                    step(*next(batches))
                times[name].append((time.perf_counter() - begin) / steps)
    plain, *fed = times
    for name, runs in times.items():
        yield figure(name, runs, "ms", scale=1e3)
    for name in fed:
        ratios = [mine / direct for mine, direct in zip(times[name], times[plain], strict=True)]
        yield figure(f"{name}, over slices", ratios, "", budget=1.03)


def write_csv(path: Path, size: int) -> int:
    """Write a table of eight columns of numbers and a label, as many bytes long or a little more; returns the rows."""
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(_BLOCK, 8)).round(5)
    block = "".join(f"{','.join(map(str, row))},{number % 10}\n" for number, row in enumerate(columns.tolist()))
    blocks = -(-size // len(block))
    with path.open("w", encoding="ascii") as file:
        file.write(",".join([*(f"x{at}" for at in range(8)), "label"]) + "\n")
        for _ in range(blocks):
            file.write(block)
    return blocks * _BLOCK


def csv_reading(size: int = CSV_BYTES) -> Iterator[Figure]:
    """Rows a second of reading a file to batches, the memory it takes, and Python's own csv module beside it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.csv")
        rows = write_csv(path, size)
        found, seconds, memory = in_fresh_process(_READ.format(path=str(path)))
        assert found == rows, (found, rows)
        yield figure(
            f"from_csv to batches, {path.stat().st_size / 2**20:.0f} MB", [rows / seconds / 1e3], "1000 rows/s"
        )
        yield figure("memory it takes", [memory], "MB", budget=64)
        begin = time.perf_counter()
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            next(reader)
            for record in reader:
                list(map(float, record))
        yield figure("csv.reader and float(), row by row", [rows / (time.perf_counter() - begin) / 1e3], "1000 rows/s")


def figures() -> Iterator[Figure]:
    """All of them."""
    yield from lenet_steps()
    yield from csv_reading()
