"""What core costs: its import, a run's overhead, building and planning a large graph, a step of the demo."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import dovetail as dt
from benchmarks.measure import Figure, figure, in_fresh_process, per_call

_IMPORT = """
import json, time
start = time.perf_counter()
import {first}
between = time.perf_counter()
{second}
print(json.dumps([between - start, time.perf_counter() - between]))
"""
NODES = 10_000


def importing(rounds: int = 9) -> Iterator[Figure]:
    """Seconds of ``import numpy``, and what ``import dovetail`` adds."""
    code = _IMPORT.format(first="numpy", second="import dovetail")
    in_fresh_process(code)
    runs = [in_fresh_process(code) for _ in range(rounds)]
    yield figure("import numpy", [run[0] for run in runs], "ms", scale=1e3)
    yield figure("import dovetail over numpy", [run[1] for run in runs], "ms", scale=1e3, budget=60)


def dispatch() -> Iterator[Figure]:
    """Microseconds of running one addition."""
    with dt.Graph().as_default(), dt.Session() as session:
        x = dt.placeholder(dt.float32, [], name="x")
        y = x + 1.0
        one = np.float32(1.0)
        call = session.make_callable(y, [x])
        feed = {x: one}
        yield figure("session.run of one addition", per_call(lambda: session.run(y, feed)), "µs", scale=1e6, budget=25)
        yield figure("make_callable of one addition", per_call(lambda: call(one)), "µs", scale=1e6, budget=6)


def large_graph(rounds: int = 3) -> Iterator[Figure]:
    """Seconds to build and to plan a graph of ten thousand nodes, variables, branches and gradients among them."""
    building, planning = [], []
    for _ in range(rounds):
        with dt.Graph().as_default() as graph:
            begin = time.perf_counter()
            x = y = dt.placeholder(dt.float32, [None, 4], name="x")
            width = dt.constant(np.eye(4, dtype=np.float32))
            while graph.version < NODES:
                y = dt.tanh(dt.matmul(y, width) + x) * 0.5
            building.append((time.perf_counter() - begin) * NODES / graph.version)
            begin = time.perf_counter()
            with dt.Session() as session:
                session.run(y, {x: np.ones((2, 4), np.float32)})
            planning.append(time.perf_counter() - begin)
    yield figure("building 10,000 nodes", building, "s", budget=1)
    yield figure("planning 10,000 nodes", planning, "s", budget=5)


def demo_step() -> Iterator[Figure]:
    """Milliseconds of a training step of the demo, batch 64."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
    import digits

    images, _, labels, _ = digits.load()
    with dt.Graph().as_default():
        digits.build()
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            step = session.make_callable(["loss:0", "train"], ["images:0", "labels:0", "training:0"])
            batch = images[: digits.BATCH], labels[: digits.BATCH]
            yield figure("a step of the demo", per_call(lambda: step(*batch, True), seconds=2), "ms", scale=1e3)


def figures() -> Iterator[Figure]:
    """All of them."""
    yield from importing()
    yield from dispatch()
    yield from large_graph()
    yield from demo_step()
