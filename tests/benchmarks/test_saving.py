"""Saving and loading are measured in each contender, and laid out beside each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import __main__ as program
from benchmarks.contenders import Contender, Runner
from benchmarks.saving import beside, dovetail_files, harness, safetensors_files


def record(contender: str, save: float, load: float, **more: float) -> dict[str, Any]:
    return {"contender": contender, "workload": "saving", "megabytes": 1024, "save_s": save, "load_s": load, **more}


RECORDS = [
    record("dovetail", 3.0, 2.0, save_peak_mb=0.5, load_peak_mb=1024.0),
    record("dovetail", 1.0, 2.0, save_peak_mb=0.5, load_peak_mb=1024.0),
    record("dovetail-unhashed", 1.0, 1.5),
    record("safetensors", 1.0, 4.0, save_peak_mb=0.0, load_peak_mb=2048.0),
    record("torch", 4.0, 1.0, save_peak_mb=0.0, load_peak_mb=1024.0),
]


@pytest.mark.parametrize("mode", ["hashed", "unhashed", "safetensors"])
def test_a_contender_prints_a_line(
    mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "TENSOR_MB", 1)
    monkeypatch.setattr(dovetail_files.RunningHash, "update", dovetail_files.RunningHash.update)  # put back afterwards
    prepare = safetensors_files.prepare if mode == "safetensors" else dovetail_files.prepare
    arguments = ["saving", "--mode", mode, "--megabytes", "3", "--turns", "1", "--folder", str(tmp_path)]
    harness.main(prepare, arguments)
    line = json.loads(capsys.readouterr().out)
    assert (line["workload"], line["megabytes"]) == ("saving", 3)
    assert line["save_s"] > 0
    assert line["load_s"] > 0
    assert not list(tmp_path.iterdir())


def test_what_comes_back_wrong_is_noticed(tmp_path: Path) -> None:
    arrays = {"x": np.ones(3, np.float32)}
    filing = harness.Filing(lambda folder: None, lambda folder: {"x": np.zeros(3, np.float32)}, lambda found: found)
    with pytest.raises(ValueError, match="what was loaded is not what was saved"):
        harness.turn(filing, arrays, tmp_path)


def test_the_table_holds_times_over_the_fastest_peer() -> None:
    rows = [line.rsplit(maxsplit=6) for line in beside.table(RECORDS).splitlines()]
    assert rows[2:] == [
        ["Dovetail", "2.00", "2.00", "2.00", "2.00", "0.500", "1024"],
        ["Dovetail, without hashing", "1.00", "1.00", "1.50", "1.50", "-", "-"],
        ["safetensors.numpy", "1.00", "-", "4.00", "-", "0.00", "2048"],
        ["torch.save/load", "4.00", "-", "1.00", "-", "0.00", "1024"],
    ]
    assert beside.as_data(RECORDS)["over_fastest_peer"] == {
        "save_s": {"dovetail": 2.0, "dovetail-unhashed": 1.0},
        "load_s": {"dovetail": 2.0, "dovetail-unhashed": 1.5},
    }
    alone = beside.as_data(RECORDS[:3])
    assert "save_s" not in alone["over_fastest_peer"]
    assert [line.split()[-1] for line in beside.table(RECORDS[:3]).splitlines()[2:]] == ["1024", "-"]


def test_the_program_measures_saving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def run(self: Runner, contender: Contender, workload: str, arguments: list[str]) -> dict[str, Any]:
        asked.append((contender.name, arguments))
        return record(contender.name, 1.0, 1.0)

    monkeypatch.setattr(Runner, "run", run)
    monkeypatch.setattr(Contender, "absence", lambda self: "not installed" if self.environment else None)
    monkeypatch.setattr(program, "keep_to_cores", lambda threads: None)
    output = tmp_path / "out" / "bench.json"
    program.main(["--parts", "saving", "--rounds", "2", "--output", str(output)])
    out, err = capsys.readouterr()
    assert "safetensors.numpy" in out
    assert "torch.save/load is left out: not installed" in err
    assert [name for name, _ in asked] == ["dovetail", "dovetail-unhashed", "safetensors"] * 2
    assert asked[0][1] == ["--folder", str(tmp_path / "out"), "--megabytes", "1024"]
    assert json.loads(output.read_text())["saving"]["over_fastest_peer"]["save_s"]["dovetail"] == 1.0
