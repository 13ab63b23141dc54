"""``make bench``: measure, print a table, write JSON."""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import asdict
from pathlib import Path

import numpy as np

import dovetail as dt
from benchmarks import core
from benchmarks.measure import Figure, table


def main() -> None:
    """Measure everything and report."""
    parser = argparse.ArgumentParser(description="Measure Dovetail.")
    parser.add_argument(
        "--output", type=Path, default=Path("bench-out/bench.json"), help="where the figures go as JSON"
    )
    options = parser.parse_args()
    found: list[Figure] = []
    for one in core.figures():
        print(f"  {one.name}: {one.value:.4g} {one.unit}", flush=True)
        found.append(one)
    print()
    print(table(found))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    machine = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "dovetail": dt.__version__,
        "machine": platform.machine(),
    }
    options.output.write_text(
        json.dumps({"machine": machine, "figures": [asdict(one) for one in found]}, indent=2) + "\n"
    )
    print(f"\nwritten to {options.output}")


if __name__ == "__main__":
    main()
