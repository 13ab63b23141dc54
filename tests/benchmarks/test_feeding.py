"""The benchmark of input runs, on the reference backend and in small; how fast it is, no test asks."""

from __future__ import annotations

import pytest

from benchmarks import feeding
from benchmarks.workloads.catalogue import WORKLOADS, smaller


def test_lenet_is_fed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOVETAIL_BACKENDS", "CPU=reference")
    monkeypatch.setattr(feeding, "IMAGES", 20)
    figures = list(feeding.lenet_steps(rounds=1, steps=2, workload=smaller(WORKLOADS["lenet"], side=8)))
    assert [one.unit for one in figures] == ["ms", "ms", "ms", "", ""]
    assert all(one.value > 0 for one in figures)


def test_a_table_is_read() -> None:
    rate, memory, beside = feeding.csv_reading(size=1 << 20)
    assert rate.name == "from_csv to batches, 1 MB"
    assert rate.value > 0
    assert beside.value > 0
    assert memory.kept
