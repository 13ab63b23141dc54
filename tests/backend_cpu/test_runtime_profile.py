"""Timings of native steps: each call on each thread."""

from __future__ import annotations

import time

import numpy as np
import pytest

from dovetail.compiler.kernels.schedule import Repeat
from dovetail.types.dims import Symbol
from dovetail_backend_cpu.runtime import division
from tests.backend_cpu import native_kernels as k
from tests.backend_cpu.native_kernels import build


@pytest.fixture(autouse=True)
def eager_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tasks are divided too."""
    monkeypatch.setattr(division, "TASK_WORK", 2)
    monkeypatch.setattr(division, "STEP_WORK", 2)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_each_call_is_timed(threads: int) -> None:
    n = 100
    x, t, u, out = k.storage(n, "input"), k.storage(n), k.storage(n), k.storage(1, "output")
    steps = [
        k.DOUBLE(n, x, t),
        k.ZERO(n, u),
        Repeat(Symbol("i"), 5, [k.ACCUMULATE(n, t, u)]),
        k.SMALL(n, u, out),
    ]
    run = build([x], [out], steps, threads)
    before = time.perf_counter_ns()
    (result,), status, timings = run.profile([np.ones(n)], {})
    after = time.perf_counter_ns()
    assert status is None
    assert result[0] == 20.0
    assert before <= min(one.begin_ns for one in timings) + 1000
    assert max(one.end_ns for one in timings) <= after + 1000
    assert all(one.begin_ns <= one.end_ns for one in timings)
    for thread in range(threads):
        own = [(one.label, one.occurrence) for one in timings if one.thread == thread]
        divided = [("double", 0), ("zero", 0), *(("accumulate", i) for i in range(5))]
        assert own == ([*divided, ("small", 0)] if thread == 0 else divided)
    assert {one.bytes for one in timings if one.label == "double"} == {8 * 2 * n}
    assert {one.bytes for one in timings if one.label == "accumulate"} == {8 * 3 * n}


def test_sizes_are_learned_and_later_runs_are_not_timed() -> None:
    n = Symbol("n")
    x, out = k.storage(n, "input"), k.storage(n, "output")
    run = build([x], [out], [k.DOUBLE(n, x, out)])
    (result,), _, timings = run.profile([np.ones(7)], {})
    assert len(result) == 7
    assert [one.bytes for one in timings] == [8 * 14]
    assert run([np.ones(3)], {n: 3})[0][0].tolist() == [2.0, 2.0, 2.0]
