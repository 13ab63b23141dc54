"""Programs of TensorFlow 1 with one line changed, the import, compute what TensorFlow computed.

`tools/record_tensorflow1.py` recorded that. A program ends with a dictionary `found` of everything to compare.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))
RECORDED = np.load(Path(__file__).parents[2] / "data" / "tensorflow1_programs.npz")

programs = pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)


def run(program: Path) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(program.read_text(encoding="utf-8"), str(program), "exec"), names)
    found: dict[str, Any] = names["found"]
    return found


@programs
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_program_computes_what_tensorflow_computed(
    program: Path, backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOVETAIL_BACKENDS", f"CPU={backend}")
    found = run(program)
    recorded = {
        key.removeprefix(f"{program.stem}/"): RECORDED[key]
        for key in RECORDED.files
        if key.startswith(f"{program.stem}/")
    }
    assert set(found) == set(recorded)
    for name, wanted in recorded.items():
        value = np.asarray(found[name])
        if wanted.dtype.kind == "f":
            np.testing.assert_allclose(value, wanted, rtol=2e-4, atol=2e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(value, wanted, err_msg=name)


@programs
def test_a_program_has_one_line_of_ours(program: Path) -> None:
    text = program.read_text(encoding="utf-8")
    assert text.count("import dovetail as tf\n") == 1
    assert text.count("dovetail") == 1


def test_there_are_values_of_these_programs_only() -> None:
    assert {key.partition("/")[0] for key in RECORDED.files} - {"tensorflow_version"} == {one.stem for one in PROGRAMS}
