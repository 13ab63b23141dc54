"""What the records of all rounds come to: medians, ratios, tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.contenders import DOVETAIL, EAGER, PEERS
from benchmarks.side_by_side import TRAINING, Record

TITLES = {one.name: one.title for one in (DOVETAIL, *PEERS.values())}


@dataclass(frozen=True)
class Row:
    """A workload, measured.

    Attributes:
        workload: its name.
        milliseconds: of each contender the median, over the rounds, of the median step.
        least: of each contender the quickest step of all.
        peak_mb: of each contender the median peak memory.
        gflop: the work of a step's products and convolutions.
        peak_gflops: what the machine can do at most; 0 where it was not measured.
        backend: what Dovetail ran on.
    """

    workload: str
    milliseconds: Mapping[str, float]
    least: Mapping[str, float]
    peak_mb: Mapping[str, float]
    gflop: float
    peak_gflops: float
    backend: str

    @property
    def best_peer(self) -> str | None:
        """The name of the quickest peer."""
        peers = [name for name in self.milliseconds if name != DOVETAIL.name]
        return min(peers, key=self.milliseconds.__getitem__, default=None)

    @property
    def ratio(self) -> float | None:
        """The time of the best peer over Dovetail's: how many times as fast Dovetail is."""
        if self.best_peer is None or DOVETAIL.name not in self.milliseconds:
            return None
        return self.milliseconds[self.best_peer] / self.milliseconds[DOVETAIL.name]

    @property
    def share_of_peak(self) -> float | None:
        """Dovetail's part of the measured multiply-add peak, from 0 to 1."""
        if not self.peak_gflops or DOVETAIL.name not in self.milliseconds:
            return None
        return self.gflop / (self.milliseconds[DOVETAIL.name] * 1e-3) / self.peak_gflops

    @property
    def memory_ratio(self) -> float | None:
        """Dovetail's peak memory over that of PyTorch eager."""
        if DOVETAIL.name not in self.peak_mb or EAGER.name not in self.peak_mb:
            return None
        return self.peak_mb[DOVETAIL.name] / self.peak_mb[EAGER.name]


def rows(records: Sequence[Record], peak_gflops: float) -> list[Row]:
    """Return a row for each workload of the records of ``side_by_side.steps``, in their order."""
    found = []
    for workload in dict.fromkeys(record["workload"] for record in records):
        of = [record for record in records if record["workload"] == workload and "error" not in record]
        own = next((record for record in of if record["contender"] == DOVETAIL.name), {})
        found.append(
            Row(
                workload,
                by_contender(of, "median_ms"),
                by_contender(of, "min_ms", min),
                by_contender(of, "peak_mb"),
                own.get("gflop", 0.0),
                peak_gflops,
                own.get("backend", ""),
            )
        )
    return found


def by_contender(
    records: Iterable[Record], key: str, over: Callable[[list[float]], float] = statistics.median
) -> dict[str, float]:
    """Return the median of ``key`` over the records of each contender."""
    values: dict[str, list[float]] = {}
    for record in records:
        if key in record:
            values.setdefault(record["contender"], []).append(record[key])
    return {name: over(found) for name, found in values.items()}


def geometric_mean(found: Sequence[Row]) -> float | None:
    """Return the geometric mean of the ratios of the training workloads; ``None`` where one was not measured."""
    ratios = [row.ratio for row in found if row.workload in TRAINING]
    known = [ratio for ratio in ratios if ratio is not None]
    return math.exp(statistics.fmean(map(math.log, known))) if known and len(known) == len(ratios) else None


def steps_table(found: Sequence[Row]) -> str:
    """Lay out milliseconds per step, the ratio to the best peer, the share of the peak and the memory."""
    names = _names(name for row in found for name in row.milliseconds)
    head = ["ms per step", *(TITLES[name] for name in names), "best peer / Dovetail", "of peak", "memory / PyTorch"]
    body = [
        [
            row.workload,
            *(number(row.milliseconds.get(name)) for name in names),
            f"{row.ratio:.2f} ({TITLES[row.best_peer]})" if row.ratio and row.best_peer else "-",
            percent(row.share_of_peak),
            number(row.memory_ratio),
        ]
        for row in found
    ]
    lines = [aligned([head, *body])]
    mean = geometric_mean(found)
    if mean is not None:
        trained = [row.workload for row in found if row.workload in TRAINING]
        lines.append(f"geometric mean of best peer / Dovetail over {', '.join(trained)}: {mean:.2f}")
    lines += [f"{row.workload} ran on: {row.backend}" for row in found if row.backend not in ("", "cpu")]
    return "\n".join(lines)


def changing(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """Return, for each workload and contender, the median seconds from a cold start to the end of the run.

    They are those of making the model and of all steps, compilation included; imports are left out.
    """
    totals = [
        {**record, "total_s": record["prepare_s"] + record["steps_s"]} for record in records if "error" not in record
    ]
    workloads = dict.fromkeys(record["workload"] for record in totals)
    return {one: by_contender((r for r in totals if r["workload"] == one), "total_s") for one in workloads}


def changing_table(records: Sequence[Record]) -> str:
    """Lay out the seconds of runs of changing batch sizes, and best peer / Dovetail."""
    found = changing(records)
    names = _names(name for times in found.values() for name in times)
    body = []
    for workload, times in found.items():
        best = min((times[name] for name in times if name != DOVETAIL.name), default=None)
        ratio = best / times[DOVETAIL.name] if best and DOVETAIL.name in times else None
        body.append([workload, *(number(times.get(name)) for name in names), number(ratio)])
    head = ["s for a run of changing batch sizes", *(TITLES[name] for name in names), "best peer / Dovetail"]
    return aligned([head, *body])


def first_steps_table(records: Sequence[Record]) -> str:
    """Lay out the seconds of imports, of making the model, and of the first step with a cold and a warm cache."""
    good = [record for record in records if "error" not in record]
    head = ["s", *(f"{what}, {cache}" for cache in ("cold", "warm") for what in ("import", "model", "first step"))]
    names = _names(record["contender"] for record in good)
    columns = [
        by_contender((record for record in good if record["cache"] == cache), key)
        for cache in ("cold", "warm")
        for key in ("import_s", "prepare_s", "first_s")
    ]
    return aligned([head, *([TITLES[name], *(number(column.get(name)) for column in columns)] for name in names)])


def as_data(found: Sequence[Row]) -> dict[str, Any]:
    """Return rows as data for JSON."""
    return {
        "workloads": [
            {
                "workload": row.workload,
                "median_ms": dict(row.milliseconds),
                "min_ms": dict(row.least),
                "peak_mb": dict(row.peak_mb),
                "best_peer": row.best_peer,
                "ratio": row.ratio,
                "gflop": row.gflop,
                "share_of_peak": row.share_of_peak,
                "memory_ratio": row.memory_ratio,
                "backend": row.backend,
            }
            for row in found
        ],
        "geometric_mean_of_training": geometric_mean(found),
    }


def _names(names: Iterable[str]) -> list[str]:
    """Return contenders' names once each, in the order in which they are declared."""
    wanted = set(names)
    return [name for name in TITLES if name in wanted]


def number(value: float | None) -> str:
    """Return three significant digits; a dash for what was not measured."""
    if value is None:
        return "-"
    digits = 2 - math.floor(math.log10(abs(value))) if value else 2
    return f"{value:.{min(max(digits, 0), 4)}f}"


def percent(value: float | None) -> str:
    """Return a share as per cent."""
    return "-" if value is None else f"{value:.1%}" if value < 0.1 else f"{value:.0%}"


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lay out lines of cells, a rule below the first, numbers to the right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]

    def text(line: Sequence[str]) -> str:
        rest = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        return "  ".join([line[0].ljust(widths[0]), *rest]).rstrip()

    first, *others = map(text, lines)
    return "\n".join([first, "  ".join("-" * width for width in widths), *others])
