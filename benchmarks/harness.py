"""What every measured process does: run steps against the clock and print one line of JSON.

It runs in the environments of the peers too, so it needs nothing but Python's standard library.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WARM_UP = 3
LEAST_STEPS = 5
PATIENCE = 10  # how many times the wished seconds slow steps may take, to reach the least number of them


@dataclass(frozen=True)
class Prepared:
    """A program that is ready to take its first step.

    Attributes:
        step: takes the arrays of a batch from the host and returns the loss or the output to it.
        batch: makes the host arrays of a batch of a given size.
        size: the batch size of the workload.
        facts: tells what else the line holds, once everything is measured.
    """

    step: Callable[..., Any]
    batch: Callable[[int], tuple[Any, ...]]
    size: int
    facts: Callable[[], Mapping[str, Any]] = dict


def peak_memory_mb() -> float:
    """Return the most memory that this process held in RAM, in MB of 2**20 bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # of this program alone; getrusage begins with what the parent held when it forked
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def seconds_per_step(step: Callable[[], Any], seconds: float) -> list[float]:
    """Return the seconds of each step for as long as ``seconds``, sorted.

    Steps that are slow run longer, so that there are a few of them, but no longer than ten times ``seconds``.
    """
    begin = time.perf_counter()
    for _ in range(WARM_UP):
        step()
        if time.perf_counter() - begin > seconds:
            break
    times: list[float] = []
    begin = time.perf_counter()
    while True:
        before = time.perf_counter()
        step()
        now = time.perf_counter()
        times.append(now - before)
        if now - begin >= seconds * (1 if len(times) >= LEAST_STEPS else PATIENCE):
            return sorted(times)


def measure_steps(prepared: Prepared, seconds: float) -> dict[str, Any]:
    """Return milliseconds per step, and the seconds of the first one, compilation included."""
    batch = prepared.batch(prepared.size)
    begin = time.perf_counter()
    prepared.step(*batch)
    first = time.perf_counter() - begin
    times = seconds_per_step(lambda: prepared.step(*batch), seconds)
    return {
        "median_ms": round(times[len(times) // 2] * 1e3, 4),
        "min_ms": round(times[0] * 1e3, 4),
        "first_s": round(first, 4),
        "steps": len(times),
    }


def measure_sizes(prepared: Prepared, sizes: Sequence[int], turns: int) -> dict[str, Any]:
    """Return the seconds of all steps whose batch sizes change from step to step, ``turns`` times through them."""
    batches = [prepared.batch(size) for size in sizes]
    begin = time.perf_counter()
    for _ in range(turns):
        for batch in batches:
            prepared.step(*batch)
    return {"steps_s": round(time.perf_counter() - begin, 4), "steps": turns * len(sizes)}


def main(
    prepare: Callable[[str, str], Prepared], *, import_seconds: float, arguments: Sequence[str] | None = None
) -> None:
    """Measure the workload that the command line names, and print the line.

    Args:
        prepare: makes the program of a workload, given the name of the workload and of the mode.
        import_seconds: what importing the framework took.
        arguments: the command line; that of the process by default.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--mode", default="")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--sizes", type=int, nargs="+", help="measure a run of these batch sizes instead")
    parser.add_argument("--turns", type=int, default=10, help="how often through the batch sizes")
    options = parser.parse_args(arguments)
    begin = time.perf_counter()
    prepared = prepare(options.workload, options.mode)
    line: dict[str, Any] = {
        "workload": options.workload,
        "import_s": round(import_seconds, 4),
        "prepare_s": round(time.perf_counter() - begin, 4),
    }
    if options.sizes:
        line |= measure_sizes(prepared, options.sizes, options.turns)
    else:
        line |= measure_steps(prepared, options.seconds)
    line["peak_mb"] = round(peak_memory_mb(), 1)
    print(json.dumps(line | dict(prepared.facts())))
