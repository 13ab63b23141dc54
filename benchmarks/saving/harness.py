"""What every process does that saves and loads a model: once each, against the clock, with the memory it took.

It runs in the environments of the peers too, so it needs nothing but Python's standard library and NumPy.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.harness import peak_memory_mb

TENSOR_MB = 16
Arrays = Mapping[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Filing:
    """How a contender saves and loads.

    Attributes:
        save: saves the model below a folder and flushes it to the disk.
        load: loads it from there into memory.
        values: gives the arrays of what ``load`` returned, by name.
    """

    save: Callable[[Path], None]
    load: Callable[[Path], Any]
    values: Callable[[Any], Arrays]


def arrays_of(megabytes: int) -> dict[str, np.ndarray[Any, Any]]:
    """Return the model: float32 arrays of 16 MB of 2**20 bytes each, as many as ``megabytes`` take."""
    rng = np.random.default_rng(0)
    count = max(1, megabytes // TENSOR_MB)
    return {f"layer{number:03}": rng.standard_normal((TENSOR_MB, 2**18), np.float32) for number in range(count)}


def flush(path: Path) -> None:
    """See to it that a file, or the names in a folder, have reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def measured(action: Callable[[], Any]) -> tuple[Any, float, float | None]:
    """Return what ``action`` returns, its seconds, and the MB it took at most above what was held before."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
        before: float | None = peak_memory_mb()
    except OSError:
        before = None
    begin = time.perf_counter()
    result = action()
    seconds = time.perf_counter() - begin
    return result, seconds, None if before is None else peak_memory_mb() - before


def main(prepare: Callable[[str, Arrays], Filing], arguments: list[str] | None = None) -> None:
    """Save and load as the command line says, and print one line of JSON: the medians of all turns but the first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--mode", default="")
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--turns", type=int, default=3, help="how often, after a first time to get warm")
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args(arguments)
    arrays = arrays_of(options.megabytes)
    filing = prepare(options.mode, arrays)
    turns = [turn(filing, arrays, options.folder) for _ in range(options.turns + 1)][1:]
    line = {key: round(statistics.median(one[key] for one in turns), 4) for key in turns[0]}
    print(json.dumps({"workload": options.workload, "megabytes": len(arrays) * TENSOR_MB, **line}))


def turn(filing: Filing, arrays: Arrays, parent: Path) -> dict[str, float]:
    """Save, load and compare once, in a folder of its own."""
    with TemporaryDirectory(dir=parent, prefix="saving-") as name:
        gc.collect()  # the turn before leaves its memory to this one
        os.sync()  # what others have left to be written
        _, save_seconds, save_peak = measured(lambda: filing.save(Path(name)))
        found, load_seconds, load_peak = measured(lambda: filing.load(Path(name)))
        values = filing.values(found)
        if values.keys() != arrays.keys() or any(not np.array_equal(values[key], arrays[key]) for key in arrays):
            raise ValueError("what was loaded is not what was saved")
    seconds = {"save_s": save_seconds, "load_s": load_seconds}
    if save_peak is None or load_peak is None:
        return seconds
    return {**seconds, "save_peak_mb": save_peak, "load_peak_mb": load_peak}
