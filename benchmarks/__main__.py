"""``make bench``: measure, print tables, write JSON and a picture."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import dovetail as dt
from benchmarks import chart, core, feeding, side_by_side, summary, training
from benchmarks.contenders import PEERS, Runner, keep_to_cores
from benchmarks.measure import Figure, table
from benchmarks.peak import peak_gflops
from benchmarks.saving import beside as saving
from benchmarks.side_by_side import INFERENCE, TRAINING

PARTS = ("core", "feeding", "workloads", "sizes", "first", "installed", "saving", "training")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure Dovetail, beside its peers where they are installed.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure; everything")
    parser.add_argument(
        "--only", nargs="+", choices=TRAINING + INFERENCE, default=TRAINING + INFERENCE, metavar="WORKLOAD"
    )
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS), metavar="PEER")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is asked, in turns (%(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of steps in each round (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="for each contender (%(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path("bench-out/bench.json"), help="where the figures go as JSON"
    )
    return parser.parse_args(given)


def shown(figures: Iterable[Figure]) -> list[Figure]:
    """Measure figures and print them, each when it is there and all in a table."""
    found = []
    for one in figures:
        print(f"  {one.name}: {one.value:.4g} {one.unit}", flush=True)
        found.append(one)
    print()
    print(table(found))
    return found


def beside_peers(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure Dovetail beside its peers and print the tables; yields the data of one part after the other."""
    folder = options.output.parent.resolve()
    runner = Runner(options.threads, folder)
    contenders, absent = side_by_side.present(options.peers)
    for name, reason in absent.items():
        print(f"{PEERS[name].title} is left out: {reason}", file=sys.stderr)
    yield {"threads": options.threads, "left_out": absent}
    if "workloads" in options.parts:
        peak, how = peak_gflops(options.threads)
        records = side_by_side.steps(runner, contenders, options.only, options.rounds, options.seconds)
        peak = max(peak, peak_gflops(options.threads)[0])  # a busy moment at the beginning must not flatter
        found = summary.rows(records, peak)
        print(f"\nmultiply-add peak by {how}, {options.threads} threads: {peak:.0f} GFLOP/s\n")
        print(summary.steps_table(found))
        if chart.draw(folder / "ratios.png", found):
            print(f"drew {folder / 'ratios.png'}")
        yield {"peak_gflops": peak, **summary.as_data(found), "records": records}
    if "sizes" in options.parts:
        records = side_by_side.changing_sizes(runner, contenders, options.rounds)
        print(f"\n{summary.changing_table(records)}")
        yield {"changing_sizes_s": summary.changing(records), "changing_sizes_records": records}
    if "first" in options.parts:
        records = side_by_side.first_steps(runner, contenders, options.rounds)
        print(f"\nfirst step of {side_by_side.FIRST_STEP}\n{summary.first_steps_table(records)}")
        yield {"first_step_records": records}
    if "installed" in options.parts:
        sizes = side_by_side.installed_sizes(contenders)
        lines = [[summary.TITLES[name], f"{size:.0f}"] for name, size in sizes.items()]
        print(f"\n{summary.aligned([['installed with what it needs', 'MB'], *lines])}")
        yield {"installed_mb": sizes}
    if "saving" in options.parts:
        contenders, absent = saving.present()
        for name, reason in absent.items():
            print(f"{saving.PEERS[name].title} is left out: {reason}", file=sys.stderr)
        records = saving.records(runner, contenders, options.rounds)
        print(f"\n{saving.table(records)}")
        yield {"saving": saving.as_data(records), "saving_records": records}


def main(given: Sequence[str] | None = None) -> None:
    """Measure everything and report; what is done is written after each part."""
    options = arguments(given)
    data: dict[str, Any] = {
        "machine": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "dovetail": dt.__version__,
            "machine": platform.machine(),
            "cores": os.cpu_count(),
        }
    }

    def keep(part: dict[str, Any]) -> None:
        data.update(part)
        options.output.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")

    options.output.parent.mkdir(parents=True, exist_ok=True)
    if "core" in options.parts:
        keep({"figures": [asdict(one) for one in shown(core.figures())]})
    if "feeding" in options.parts:
        keep({"feeding": [asdict(one) for one in shown(feeding.figures())]})
    if "training" in options.parts:
        keep({"training_figures": [asdict(one) for one in shown(training.figures(options.rounds))]})
    if set(options.parts) - {"core", "feeding", "training"}:
        keep_to_cores(options.threads)
        for part in beside_peers(options):
            keep(part)
    print(f"\nwritten to {options.output}")


if __name__ == "__main__":
    main()
