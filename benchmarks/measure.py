"""How things are measured: medians of interleaved runs, in fresh processes where state would carry over."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measured figure, and the budget it is held against.

    Attributes:
        name: what was measured.
        value: the median.
        unit: its unit.
        budget: the most it may be, or ``None`` where there is no budget.
        spread: least and greatest of the runs.
    """

    name: str
    value: float
    unit: str
    budget: float | None = None
    spread: tuple[float, float] = (0.0, 0.0)

    @property
    def kept(self) -> bool:
        """Whether the budget is kept."""
        return self.budget is None or self.value <= self.budget


def per_call(call: Callable[[], Any], *, seconds: float = 0.3, rounds: int = 7) -> list[float]:
    """Return seconds for one call, of several rounds of many calls."""
    call()
    begin = time.perf_counter()
    call()
    count = max(1, int(seconds / rounds / max(time.perf_counter() - begin, 1e-7)))
    results = []
    for _ in range(rounds):
        begin = time.perf_counter()
        for _ in range(count):
            call()
        results.append((time.perf_counter() - begin) / count)
    return results


def in_fresh_process(code: str) -> Any:
    """Run Python code that prints one JSON value, in a new process, and return the value."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


def figure(name: str, runs: Sequence[float], unit: str, *, scale: float = 1.0, budget: float | None = None) -> Figure:
    """Return the median of ``runs`` times ``scale``."""
    scaled = sorted(run * scale for run in runs)
    return Figure(name, statistics.median(scaled), unit, budget, (scaled[0], scaled[-1]))


def table(figures: Sequence[Figure]) -> str:
    """Lay figures out as a table."""
    rows = [("figure", "median", "least", "greatest", "budget", "")]
    for one in figures:
        budget = "" if one.budget is None else f"{one.budget:g} {one.unit}"
        verdict = "" if one.budget is None else "kept" if one.kept else "MISSED"
        rows.append(
            (one.name, f"{one.value:.4g} {one.unit}", f"{one.spread[0]:.4g}", f"{one.spread[1]:.4g}", budget, verdict)
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)
