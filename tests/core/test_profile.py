"""``profile``: where the time of a run goes, instruction by instruction on the reference backend."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import dovetail as dt
from dovetail.compiler.timing import Timing
from dovetail.errors import MissingFeedError
from dovetail.session.profile import Profile, profile

reference = {"config": dt.ConfigProto(backends={"CPU": "reference"})}


def test_each_instruction_has_a_row_with_its_line() -> None:
    x = dt.placeholder(dt.float32, [None, 8])
    y = dt.reduce_sum(dt.exp(dt.matmul(x, dt.ones([8, 4]))))
    with dt.Session(**reference) as session:
        found = profile(session, y, {x: np.ones((16, 8), np.float32)})
    assert found.results == pytest.approx(64 * np.exp(8.0))
    rows = {row.label: row for row in found.rows}
    product = rows["MatMul"]
    assert product.calls == 1
    assert product.flops == 2 * 16 * 8 * 4
    assert product.bytes == 4 * (16 * 8 + 8 * 4 + 16 * 4)
    assert product.gflops > 0 < product.gbytes
    assert all(__file__.rpartition("/")[2] in row.lines[0] for row in found.rows)
    assert sum(row.share for row in found.rows) == pytest.approx(1.0)
    assert sum(row.nanoseconds for row in found.rows) <= found.nanoseconds


def test_the_table_shows_every_row() -> None:
    x = dt.placeholder(dt.float32, [4])
    with dt.Session(**reference) as session:
        found = profile(session, dt.exp(dt.sin(x)), {x: np.ones(4, np.float32)})
    text = str(found)
    assert text.splitlines()[0].split() == ["time", "share", "calls", "GFLOP/s", "GB/s", "kernel", "line"]
    for row in found.rows:
        assert row.label in text
        assert row.lines[0] in text
    assert text.endswith(f"of it in {len(found.rows)} kernels")


def test_variables_change_as_in_runs() -> None:
    counter = dt.Variable(0.0)
    with dt.Session(**reference) as session:
        session.run(dt.global_variables_initializer())
        found = profile(session, dt.assign_add(counter, 1.0))
        assert found.results == 2.0
        assert session.run(counter) == 2.0
        assert session.run(dt.assign_add(counter, 1.0)) == 3.0  # no longer profiled
    assert found.timings


def test_the_trace_is_one_that_perfetto_opens(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, [4])
    with dt.Session(**reference) as session:
        found = profile(session, dt.exp(dt.sin(x)), {x: np.ones(4, np.float32)})
    found.trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert events[0] == {"ph": "M", "name": "thread_name", "pid": 0, "tid": 0, "args": {"name": "thread 0"}}
    runs = [event for event in events if event["ph"] == "X"]
    assert [event["name"] for event in runs] == [one.label for one in found.timings]
    assert runs[0]["ts"] == 0.0
    assert all(event["dur"] >= 0 and event["args"]["lines"] for event in runs)


def test_threads_that_share_a_run_count_once() -> None:
    timings = [
        Timing("k", (), 100, 180, part=0, occurrence=0, thread=0, flops=1000, bytes=400),
        Timing("k", (), 110, 200, part=0, occurrence=0, thread=1, flops=1000, bytes=400),
        Timing("k", (), 300, 350, part=0, occurrence=1, thread=0, flops=1000, bytes=400),
        Timing("other", (), 200, 300, part=1, occurrence=0, thread=0),
    ]
    found = Profile(timings, None)
    assert found.nanoseconds == 250
    assert [(row.label, row.calls, row.nanoseconds) for row in found.rows] == [("k", 2, 150), ("other", 1, 100)]
    assert found.rows[0].flops == 2000
    assert found.rows[0].gbytes == pytest.approx(800 / 150)
    assert found.rows[0].share == pytest.approx(0.6)


def test_errors_are_those_of_a_run() -> None:
    x = dt.placeholder(dt.float32, [])
    with dt.Session(**reference) as session, pytest.raises(MissingFeedError):
        profile(session, x + 1.0)


def test_a_failing_instruction_is_reported() -> None:
    x = dt.placeholder(dt.float32, [])
    with dt.control_dependencies([dt.Assert(x > 0.0, [x])]):
        y = x + 1.0
    with dt.Session(**reference) as session:
        assert profile(session, y, {x: 1.0}).results == 2.0
        with pytest.raises(dt.errors.OperationError):
            profile(session, y, {x: -1.0})
        assert session.run(y, {x: 2.0}) == 3.0
