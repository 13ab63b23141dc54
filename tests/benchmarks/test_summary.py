"""Tables, data and the picture that figures recorded by hand come to."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as program
from benchmarks import chart, contenders, installed, peak, side_by_side, summary
from benchmarks.contenders import DOVETAIL, ONNXRUNTIME, PEERS, Contender, MeasurementError, Runner


def record(contender: str, workload: str, median: float, least: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"contender": contender, "workload": workload, "median_ms": median, "min_ms": least, **more}


RECORDS = [
    record("dovetail", "mlp", 4.0, 3.5, peak_mb=100.0, gflop=0.4, backend="cpu"),
    record("torch", "mlp", 9.0, 5.0, peak_mb=400.0),
    record("jax", "mlp", 6.0, 5.5, peak_mb=300.0),
    record("dovetail", "mlp", 2.0, 1.5, peak_mb=100.0, gflop=0.4, backend="cpu"),
    record("torch", "mlp", 7.0, 6.0, peak_mb=400.0),
    record("jax", "mlp", 6.0, 5.0, peak_mb=300.0),
    record("dovetail", "lenet", 40.0, 30.0, peak_mb=200.0, gflop=4.0, backend="cpu+reference"),
    record("torch", "lenet", 20.0, 10.0, peak_mb=500.0),
    {"contender": "jax", "workload": "lenet", "error": "out of memory"},
    record("dovetail", "infer_mlp_b1", 0.05, 0.04, gflop=0.001, backend="cpu"),
    record("onnxruntime", "infer_mlp_b1", 0.025, 0.02),
]


@pytest.fixture
def rows() -> list[summary.Row]:
    return summary.rows(RECORDS, peak_gflops=200.0)


def test_a_row_holds_medians_of_medians_and_least_of_least(rows: list[summary.Row]) -> None:
    mlp = rows[0]
    assert mlp.milliseconds == {"dovetail": 3.0, "torch": 8.0, "jax": 6.0}
    assert mlp.least == {"dovetail": 1.5, "torch": 5.0, "jax": 5.0}
    assert (mlp.best_peer, mlp.ratio, mlp.memory_ratio) == ("jax", 2.0, 0.25)
    assert mlp.share_of_peak == pytest.approx(0.4 / 3e-3 / 200)


def test_what_failed_or_was_not_measured_is_left_out(rows: list[summary.Row]) -> None:
    _, lenet, inference = rows
    assert (lenet.best_peer, lenet.ratio) == ("torch", 0.5)
    assert inference.memory_ratio is None
    alone = summary.rows([record("dovetail", "mlp", 1.0)], 0.0)[0]
    assert (alone.best_peer, alone.ratio, alone.share_of_peak) == (None, None, None)
    (absent,) = summary.rows([record("torch", "mlp", 1.0)], 200.0)
    assert (absent.best_peer, absent.ratio, absent.share_of_peak) == ("torch", None, None)
    assert summary.geometric_mean([*rows, absent]) is None


def test_geometric_mean_is_that_of_training_alone(rows: list[summary.Row]) -> None:
    assert summary.geometric_mean(rows) == pytest.approx((2.0 * 0.5) ** 0.5)
    assert summary.geometric_mean(rows[2:]) is None


def test_table_of_steps(rows: list[summary.Row]) -> None:
    assert summary.steps_table(rows).splitlines() == [
        "ms per step   Dovetail  PyTorch   JAX  ONNX Runtime  best peer / Dovetail  of peak  memory / PyTorch",
        "------------  --------  -------  ----  ------------  --------------------  -------  ----------------",
        "mlp               3.00     8.00  6.00             -            2.00 (JAX)      67%             0.250",
        "lenet             40.0     20.0     -             -        0.50 (PyTorch)      50%             0.400",
        "infer_mlp_b1    0.0500        -     -        0.0250   0.50 (ONNX Runtime)      10%                 -",
        "geometric mean of best peer / Dovetail over mlp, lenet: 1.00",
        "lenet ran on: cpu+reference",
    ]


def test_table_of_changing_sizes() -> None:
    records = [
        {"contender": "dovetail", "workload": "mlp", "prepare_s": 0.5, "steps_s": 0.5},
        {"contender": "jax", "workload": "mlp", "prepare_s": 1.0, "steps_s": 3.0},
        {"contender": "torch", "workload": "mlp", "prepare_s": 0.0, "steps_s": 2.5},
        {"contender": "torch-compile", "workload": "mlp", "error": "no compiler"},
    ]
    assert summary.changing(records) == {"mlp": {"dovetail": 1.0, "jax": 4.0, "torch": 2.5}}
    head, _, line = summary.changing_table(records).splitlines()
    assert re.split(" {2,}", head)[1:] == ["Dovetail", "PyTorch", "JAX", "best peer / Dovetail"]
    assert line.split() == ["mlp", "1.00", "2.50", "4.00", "2.50"]


def test_table_of_first_steps() -> None:
    times = {"cold": (0.2, 0.1, 2.0), "warm": (0.1, 0.1, 0.25)}
    records = [
        {"contender": "dovetail", "cache": cache, "import_s": one, "prepare_s": two, "first_s": three}
        for cache, (one, two, three) in times.items()
    ]
    assert summary.first_steps_table(records).splitlines()[2].split() == [
        "Dovetail", "0.200", "0.100", "2.00", "0.100", "0.100", "0.250"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0.00"), (0.0123456, "0.0123"), (0.123456, "0.123"), (12.345, "12.3"), (1234.5, "1234")],
)
def test_numbers_have_three_digits(value: float | None, text: str) -> None:
    assert summary.number(value) == text


def test_picture_is_drawn_where_there_are_ratios(rows: list[summary.Row], tmp_path: Path) -> None:
    assert chart.draw(tmp_path / "ratios.png", rows)
    assert (tmp_path / "ratios.png").read_bytes().startswith(b"\x89PNG")
    assert not chart.draw(tmp_path / "nothing.png", [])


def test_program_writes_tables_data_and_a_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "keep_to_cores", lambda threads: None)
    monkeypatch.setattr(program, "peak_gflops", lambda threads: (200.0, "a loop"))
    monkeypatch.setattr(side_by_side, "present", lambda names: ([DOVETAIL, PEERS["jax"]], {"torch": "not installed"}))
    monkeypatch.setattr(side_by_side, "steps", lambda *_: RECORDS)
    monkeypatch.setattr(side_by_side, "installed_sizes", lambda _: {"dovetail": 60.0})
    program.main(["--parts", "workloads", "installed", "--output", str(tmp_path / "out" / "bench.json")])
    out, err = capsys.readouterr()
    assert "multiply-add peak by a loop, 2 threads: 200 GFLOP/s" in out
    assert "2.00 (JAX)" in out
    assert "PyTorch is left out: not installed" in err
    data = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert data["left_out"] == {"torch": "not installed"}
    assert data["peak_gflops"] == 200.0
    assert data["geometric_mean_of_training"] == pytest.approx(1.0)
    assert data["workloads"][0]["median_ms"] == {"dovetail": 3.0, "torch": 8.0, "jax": 6.0}
    assert data["workloads"][0]["ratio"] == 2.0
    assert data["records"] == RECORDS
    assert data["installed_mb"] == {"dovetail": 60.0}
    assert (tmp_path / "out" / "ratios.png").exists()


def test_turns_are_interleaved_and_one_that_fails_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def run(self: Runner, contender: Contender, workload: str, arguments: list[str]) -> dict[str, Any]:
        asked.append((workload, contender.name))
        if contender.name == "jax":
            raise MeasurementError("no memory")
        return {"contender": contender.name, "median_ms": 1.0}

    monkeypatch.setattr(Runner, "run", run)
    records = side_by_side.steps(
        Runner(2, tmp_path), [DOVETAIL, PEERS["jax"], ONNXRUNTIME], ["mlp", "infer_mlp_b1"], rounds=2, seconds=1.0
    )
    first = [("mlp", "dovetail"), ("mlp", "jax")]
    first += [("infer_mlp_b1", name) for name in ("dovetail", "jax", "onnxruntime")]
    assert asked == first + [one for one in first if one[1] != "jax"]
    assert [one["error"] for one in records if "error" in one] == ["no memory"] * 2
    assert "JAX: mlp: no memory" in capsys.readouterr().err


def test_cold_runs_begin_with_empty_caches_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    caches = []

    def run(self: Runner, contender: Contender, workload: str, arguments: list[str]) -> dict[str, Any]:
        caches.append(Path(self.environment()["DOVETAIL_CACHE_DIR"]))
        caches[-1].mkdir(exist_ok=True)
        return {"contender": contender.name}

    monkeypatch.setattr(Runner, "run", run)
    runner = Runner(2, tmp_path / "bench-out")
    found = side_by_side.first_steps(runner, [DOVETAIL, ONNXRUNTIME, PEERS["torch"]], rounds=2)
    assert [one["cache"] for one in found] == ["cold", "warm"] * 2
    assert caches[0] == caches[1] != caches[2] == caches[3]
    caches.clear()
    side_by_side.changing_sizes(runner, [DOVETAIL], rounds=1)
    assert len(set(caches)) == 2
    assert list((tmp_path / "bench-out").iterdir()) == []


def test_a_failing_process_is_told_by_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"KeyError: 'no_such_workload'"):
        Runner(1, tmp_path).run(DOVETAIL, "no_such_workload")


def test_a_peer_that_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(contenders, "ENVIRONMENTS", tmp_path)
    assert PEERS["jax"].absence() == "not installed; `make bench-peers` installs it"
    monkeypatch.setattr(contenders.shutil, "which", lambda name: None)
    assert DOVETAIL.absence() is None
    with pytest.raises(MeasurementError, match="PyTorch, which exports its models, is not installed"):
        Runner(1, tmp_path).run(ONNXRUNTIME, "infer_mlp_b1")


def test_installed_size_counts_what_is_needed() -> None:
    sizes = installed.megabytes(["dovetail-layers", "no-such-distribution"])
    assert {"dovetail-layers", "dovetail-core", "numpy", "ml-dtypes", "pluggy"} <= set(sizes)
    assert all(size > 0 for size in sizes.values())


def test_peak_is_measured() -> None:
    found, how = peak.peak_gflops(1, rounds=1)
    assert found > 0
    assert how
    run, work = peak.large_product(64)
    run()
    assert work == pytest.approx(2e-9 * 64**3)
