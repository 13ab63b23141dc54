"""Files of format version 1, written once by tools/record_format1.py, load for ever: values, outputs, random bits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt

FILES = Path(__file__).parents[1] / "data" / "format1"
FEED = np.linspace(-1.0, 1.0, 24, dtype=np.float32).reshape(2, 4, 3)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    with np.load(FILES / "expected.npz") as archive:
        return {name: archive[name] for name in archive.files}


@pytest.fixture(params=["checkpoint", "shards"])
def restored(request: pytest.FixtureRequest) -> Iterator[dt.Session]:
    """A session of the saved graph, in which a checkpoint has been restored."""
    with dt.Session() as session:
        saver = dt.train.import_meta_graph(FILES / "model-3.meta")
        assert saver is not None
        saver.restore(session, FILES / "model-3" if request.param == "checkpoint" else FILES / "shards" / "model")
        yield session


def test_checkpoints_and_their_graphs_load(restored: dt.Session, expected: dict[str, Any]) -> None:
    known = {name.removeprefix("variable:"): value for name, value in expected.items() if name.startswith("variable:")}
    variables = {one.op.name: one for one in dt.global_variables()}
    assert variables.keys() == known.keys()
    assert len(variables) > 40
    for name, variable in variables.items():
        found = np.asarray(restored.run(variable))
        if variable.dtype is dt.string:
            found = np.array([one.hex() for one in found.tolist()])
        elif variable.dtype is dt.bfloat16:
            found = found.astype(np.float32)
        assert (found.dtype, found.shape) == (known[name].dtype, known[name].shape), name
        assert found.tobytes() == known[name].tobytes(), name
    assert restored.run("global_step:0") == 3


def test_networks_compute_and_random_numbers_go_on_as_they_did(restored: dt.Session, expected: dict[str, Any]) -> None:
    close = {"rtol": 2e-5, "atol": 2e-6}
    np.testing.assert_allclose(restored.run("y:0", {"x:0": FEED}), expected["output:y"], **close)
    dropped = restored.run("y:0", {"x:0": FEED, "training:0": True})
    np.testing.assert_allclose(dropped, expected["output:dropped"], **close)
    np.testing.assert_allclose(restored.run("noise:0"), expected["output:noise"], rtol=1e-6)
    before = restored.run("loss:0", {"x:0": FEED})
    for _ in range(3):
        restored.run("train", {"x:0": FEED, "training:0": True})
    assert restored.run("loss:0", {"x:0": FEED}) != before
    assert restored.run("global_step:0") == 6


def test_checkpoints_are_found_whole_and_told_of() -> None:
    assert dt.train.latest_checkpoint(FILES) == str(FILES / "model-3")
    checkpoint = dt.io.verify(FILES / "model-3")
    assert checkpoint.step == 3
    assert any(count == 3 for count in checkpoint.random_state["counters"].values()), "dropout has run three times"
    assert len(dt.io.verify(FILES / "shards" / "model").files) > 3


def test_graph_files_load(expected: dict[str, Any]) -> None:
    graph = dt.io.read_graph(FILES / "net.meta")
    assert [call.layer for call in graph.layer_calls][:2] == ["conv1d", "batch_normalization"]
    assert {"y", "again", "choice", "table", "noise"} <= {op.name.split("/")[0] for op in graph.get_operations()}
    with graph.as_default(), dt.Session() as session:
        dt.train.Saver().restore(session, FILES / "model-3")
        np.testing.assert_allclose(session.run("y:0", {"x:0": FEED}), expected["output:y"], rtol=2e-5, atol=2e-6)
        assert session.run("table:0").sum() == pytest.approx(192.0)


def test_bundles_load_and_answer(expected: dict[str, Any]) -> None:
    predict = dt.saved_model.predictor(FILES / "bundle")
    np.testing.assert_allclose(predict({"x": FEED})["y"], expected["output:y"], rtol=2e-5, atol=2e-6)
    with dt.Session() as session:
        dt.saved_model.loader.load(session, [dt.saved_model.tag_constants.SERVING], FILES / "bundle")
        np.testing.assert_allclose(session.run("y:0", {"x:0": FEED}), expected["output:y"], rtol=2e-5, atol=2e-6)


def test_archives_load() -> None:
    found = dt.load(FILES / "values.npz")
    assert found.keys() == {"x", "count"}
    np.testing.assert_array_equal(found["x"], FEED)
    assert found["count"].tolist() == [0, 1, 2]
