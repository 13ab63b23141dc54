"""The networks of the examples, exported at three opsets and compared by ONNX Runtime."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt

for package in ("onnx", "onnxruntime", "sklearn", "matplotlib"):
    pytest.importorskip(package, reason="the examples need it")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BUILDS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any], str, str]] = {
    "digits": ("digits", (), {}, "images", "probabilities"),
    "digits by rows": ("digits_lstm", (), {}, "images", "probabilities"),
    "characters, lstm": ("characters", ("lstm", 30, 100), {}, "symbols", "next"),
    "characters, transformer": ("characters", ("transformer", 30, 100), {}, "symbols", "next"),
    "fine-tuning": ("fine_tuning", (5,), {"frozen": True, "rate": 0.1}, "images", "answers"),
    "texts": ("text_classification", (50, 2), {}, "words", "probabilities"),
}


@pytest.mark.parametrize("opset", [18, 21, 23])
@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.reference
def test_networks_of_the_examples_agree(
    name: str, opset: int, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, arguments, options, inputs, outputs = BUILDS[name]
    monkeypatch.syspath_prepend(str(EXAMPLES))  # they import each other
    importlib.import_module(program).build(*arguments, **options)
    x, y = (dt.get_default_graph().get_tensor_by_name(f"{one}:0") for one in (inputs, outputs))
    sizes = [dim if isinstance(dim, int) else 6 for dim in x.shape.dims]
    sample = rng.normal(size=sizes) if x.dtype.is_floating else rng.integers(0, 30, sizes)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        report = dt.io.export_onnx(session, [x], [y], tmp_path / "m.onnx", sample_inputs={x: sample}, opset=opset)
    assert report.verified_by == "ONNX Runtime"
    assert report.relative_difference <= 1e-5
    assert all(len({one[name] for one in report.sizes}) == 3 for name in report.sizes[0])
