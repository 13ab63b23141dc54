"""``dovetail inspect``, ``verify`` and ``diff`` of every kind of file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

import dovetail as dt
from dovetail.plugins.cli import main


class Place:
    """Something with a state."""

    def __init__(self, line: int) -> None:
        self.line = line

    def state(self) -> Any:
        return {"line": self.line}

    def restore(self, state: Any) -> None:
        self.line = state["line"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with checkpoints, a bundle, an archive and a safetensors file."""
    monkeypatch.chdir(tmp_path)
    x = dt.placeholder(dt.float32, ["batch", 2], name="x")
    kernel = dt.Variable(np.arange(6, dtype=np.float32).reshape(2, 3), name="kernel")
    words = dt.Variable(["a", "b"], name="words", trainable=False)
    y = dt.matmul(x, kernel, name="y")
    dt.add(dt.random_normal([3], name="noise"), dt.constant(np.arange(300.0, dtype=np.float32))[:3], name="z")
    saver = dt.train.Saver({"kernel": kernel, "again": kernel, "words": words}, stateful={"input": Place(7)})
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        saver.save(session, "m/model", global_step=1)
        dt.saved_model.simple_save(session, "b/1", {"x": x}, {"y": y})
        kernel.load(np.array([[0, 1, 2], [3.5, 4, 4]], np.float32), session)
        words.load(np.array([b"a", b"c"], object), session)
        session.run("z:0")
        dt.train.Saver({"kernel": kernel, "again": kernel, "words": words}, stateful={"input": Place(9)}).save(
            session, "m/model", global_step=2
        )
    np.savez("w.npz", kernel=np.arange(6, dtype=np.float32).reshape(2, 3), words=np.array(["a", "b"]))
    safetensors.numpy.save_file({"kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}, "w.safetensors")
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command; gives its exit status and what it printed."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(arguments)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


# inspect. ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m/model-1", "m/model-1.json", "m/model-1.safetensors"])
def test_a_checkpoint_is_shown(run: Any, name: str) -> None:
    status, out, _ = run("inspect", name)
    assert status == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "checkpoint m/model-1"
    assert lines[1] == "step: 1"
    assert re.fullmatch(r"saved: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", lines[2])
    assert "2 tensors, 8 values, 50 bytes" in lines
    assert "kernel float32 [2, 3] 24 bytes model-1.safetensors" in lines
    assert "words string [2] 26 bytes model-1.safetensors" in lines
    assert "again float32 [2, 3] 24 bytes as kernel" in lines
    assert 'input {"line": 7}' in lines
    hashes = [line for line in lines if re.fullmatch(r"model-1[.\w]* [\d,]+ [0-9a-f]{64}", line)]
    assert len(hashes) == 4


def test_json_tells_the_same(run: Any) -> None:
    status, out, _ = run("inspect", "m/model-1", "b/1", "--json")
    assert status == 0
    checkpoint, bundle = json.loads(out)
    assert checkpoint["step"] == 1
    assert checkpoint["tensors"]["kernel"] == {
        "dtype": "float32",
        "shape": [2, 3],
        "bytes": 24,
        "file": "model-1.safetensors",
    }
    assert checkpoint["ties"] == {"again": "kernel"}
    assert bundle["kind"] == "saved model"
    assert bundle["signatures"]["serve/serving_default"]["inputs"]["x"]["shape"] == ["batch", 2]
    assert json.loads(run("inspect", "w.npz", "--json")[1])["tensors"].keys() == {"kernel", "words"}


def test_a_bundle_a_graph_and_a_list_are_shown(run: Any) -> None:
    _, out, _ = run("inspect", "b/1")
    assert "serve/serving_default  x = x:0 float32[batch, 2] -> y = y:0 float32[batch, 3]  (tensorflow/serving/" in out
    assert "variables/variables.safetensors" in out
    assert run("inspect", "b/1/saved_model.json")[1] == out
    _, graph, _ = run("inspect", "m/model-1.meta")
    assert "graph file m/model-1.meta" in graph
    assert "  x  float32[batch, 2]" in graph
    assert "words   string[2] (not trainable)" in graph
    assert re.search(r"\d+ nodes: .*1 Placeholder", graph)
    assert "model-1.meta.safetensors" in graph
    _, nodes, _ = run("inspect", "m/model-1.meta", "--all")
    assert re.search(r'y\s+op MatMul, inputs \["x:0", "kernel/read:0"\], types \["float32\[batch, 3\]"\]', nodes)
    for name in ("m", "m/checkpoint"):
        _, listed, _ = run("inspect", name)
        assert "latest: model-2" in listed
        assert re.search(r"model-1  step 1, .* UTC  whole\n  model-2  step 2, .* UTC  whole", listed)
    assert "again" not in run("inspect", "w.safetensors", "w.npz")[1]


def test_long_parts_are_cut(run: Any) -> None:
    with dt.Graph().as_default() as graph:
        for number in range(50):
            dt.placeholder(dt.float32, [], name=f"p{number}")
        dt.io.write_graph(graph, "wide.meta")
    _, out, _ = run("inspect", "wide.meta")
    assert "50 placeholders" in out
    assert "p39" in out
    assert "p40" not in out
    assert "… and 10 more; --all shows them" in out
    assert "p49" in run("inspect", "wide.meta", "--all")[1]


def test_checkpoints_without_a_list_and_shards_are_found(run: Any, folder: Path) -> None:
    (folder / "m" / "checkpoint").unlink()
    assert re.search(r"model-1 .*\n.*model-2 ", run("inspect", "m")[1])
    dt.save({"a": np.zeros(4), "b": np.zeros(4)}, folder / "s.safetensors", max_shard_bytes=40)
    _, out, _ = run("inspect", "s-00002-of-00002.safetensors")
    assert out.startswith("checkpoint s\n")
    assert "s-00002-of-00002.safetensors" in out
    (folder / "m" / "model-1.safetensors").write_bytes(b"")
    dt.train.update_checkpoint_state("m", "m/model-2", ["m/model-1"])
    (folder / "m" / "model-2.json").write_text("{}")
    listed = run("inspect", "m/checkpoint")[1]
    assert re.search(r"model-1 .*a file is missing or has another size\n", listed)
    assert re.search(r'model-2 .*"m/model-2.json" is no checkpoint', listed)


def test_a_file_that_holds_other_tensors_is_told(run: Any, folder: Path) -> None:
    (folder / "w.safetensors").rename(folder / "m" / "model-1.safetensors")
    for command in (["inspect", "m/model-1"], ["verify", "m/model-1"]):
        status, out, err = run(*command)
        assert (status, out) == (1, "")
        assert """the files of "m/model-1" do not hold 'words', as "m/model-1.json" tells""" in err


def test_what_is_nothing_is_told(run: Any, folder: Path) -> None:
    (folder / "noise.txt").write_text("noise")
    (folder / "empty").mkdir()
    for name, message in [
        ("noise.txt", 'dovetail: "noise.txt" is none of the files that Dovetail reads'),
        ("empty", 'there is no checkpoint and no saved model in the folder "empty"'),
        ("m/model-9", "Did you mean 'model-2'"),
    ]:
        status, out, err = run("inspect", name)
        assert (status, out) == (1, "")
        assert message in err


# verify. -------------------------------------------------------------------------------------------------------------


def test_whole_files_verify(run: Any) -> None:
    names = ["m/model-1", "m", "m/checkpoint", "m/model-1.meta", "b/1", "w.npz", "w.safetensors"]
    status, out, err = run("verify", *names)
    assert (status, err) == (0, "")
    assert [line.split(":")[0] for line in out.splitlines()] == names
    assert "m/model-1: checkpoint, whole: size and SHA-256 of all 4 files agree" in out
    assert "w.safetensors: safetensors file, whole: its structure is sound; there is no manifest" in out


@pytest.mark.parametrize(
    ("name", "damaged"),
    [
        ("m/model-1", "m/model-1.safetensors"),
        ("m", "m/model-2.meta"),
        ("m/model-1.meta", "m/model-1.meta.safetensors"),
        ("b/1", "b/1/graphs/1.meta"),
        ("b/1", "b/1/variables/variables.safetensors"),
        ("w.npz", "w.npz"),
        ("w.safetensors", "w.safetensors"),
    ],
)
def test_damage_is_told_and_the_rest_is_checked(run: Any, folder: Path, name: str, damaged: str) -> None:
    path = folder / damaged
    content = bytearray(path.read_bytes())
    content[min(len(content) - 1, 70)] ^= 4
    path.write_bytes(content)
    status, out, err = run(
        "verify", name, "m/model-1.json" if damaged == "b/1/graphs/1.meta" else "b/1/saved_model.json"
    )
    assert status == 1
    assert damaged in err
    if not name.startswith("b"):
        assert out.startswith("b/1/saved_model.json: saved model, whole")


# diff. ---------------------------------------------------------------------------------------------------------------


def test_checkpoints_differ_by_tensor(run: Any) -> None:
    status, out, _ = run("diff", "m/model-1", "m/model-2")
    assert status == 1
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[:3] == ["--- m/model-1 (checkpoint)", "+++ m/model-2 (checkpoint)", "step: 1 → 2"]
    assert "~ kernel float32[2, 3] 2 of 6 values differ; the most by 1 at [1, 2]: 5 → 4" in lines
    assert "~ words string[2] 1 of 2 values differ; the first at [1]: b'b' → b'c'" in lines
    assert "~ input line 7 → line 9" in lines
    assert "+ noise/RandomBits 1" in lines
    assert lines[-1] == "tensors: 3 changed, 0 equal"
    status, out, _ = run("diff", "m/model-1", "m/model-2", "--json")
    changed = {one["name"]: one for one in json.loads(out)["differences"] if one["part"] == "tensor"}
    assert changed["kernel"]["detail"] == {
        "differing": 2,
        "of": 6,
        "largest": 1.0,
        "at": [1, 2],
        "before": 5.0,
        "after": 4.0,
    }
    status, out, _ = run("diff", "m/model-1", "m/model-2", "--tolerance", "0.75")
    assert "~  kernel  float32[2, 3]  1 of 6 values differ" in out


def test_files_of_different_kinds_are_compared_by_what_both_hold(run: Any) -> None:
    for first, second in [("b/1", "w.npz"), ("w.safetensors", "b/1"), ("m/model-1", "b/1"), ("m", "m/model-2.json")]:
        status, out, _ = run("diff", first, second)
        removed, added = {"w.safetensors": ("", "words"), "m/model-1": ("again", "")}.get(first, ("", ""))
        kinds = {line[0]: line.split()[1] for line in out.splitlines()[2:-1]}
        if first == "b/1":  # strings of NumPy are another dtype
            assert kinds == {"~": "words"}
        else:
            assert kinds == {mark: name for mark, name in (("-", removed), ("+", added)) if name}
        assert status == bool(kinds)


def test_equal_files_have_no_differences(run: Any) -> None:
    for name in ("m/model-1", "m", "b/1", "m/model-1.meta", "w.npz", "w.safetensors"):
        assert run("diff", name, name) == (0, "", "")
    assert json.loads(run("diff", "m", "m", "--json")[1]) == {"equal_tensors": 3, "differences": []}


def test_graphs_differ_by_node(run: Any, folder: Path) -> None:
    with dt.Graph().as_default() as graph:
        x = dt.placeholder(dt.float32, ["batch", 2], name="x")
        dt.reduce_sum(x, axis=1, name="y")
        dt.io.write_graph(graph, "a.meta")
    with dt.Graph().as_default() as graph:
        x = dt.placeholder(dt.float32, ["batch", 2], name="x")
        dt.reduce_sum(x, axis=0, name="y")
        dt.square(x, name="z")
        dt.io.write_graph(graph, "b.meta")
    status, out, _ = run("diff", "a.meta", "b.meta")
    assert status == 1
    assert re.search(r"nodes:\n  \+  z  op Square.*\n  ~  y  attributes .* → attributes", out)
    assert "x" not in [line.split()[1] for line in out.splitlines() if line.startswith("  ")]
    status, out, _ = run("diff", "m/model-1.meta", "b/1")
    assert status == 1


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([1.0, np.nan], [1.0, np.nan], None),
        ([1.0, np.nan], [np.nan, np.nan], "1 of 2 values differ, 1 of them NaN on one side"),
        ([np.inf, 1.0], [np.inf, 2.0], "the most by 1 at [1]: 1 → 2"),
        ([0.0, 0.0], [-0.0, 0.0], "equal values, other bits"),
        (np.array([2**63 - 1, 0]), np.array([-(2**63), 0]), "the most by 1.84467e+19 at [0]: 9223372036854775807 → -"),
        (np.array([200, 1], np.uint8), np.array([1, 1], np.uint8), "the most by 199 at [0]: 200 → 1"),
        (np.array([True, False]), np.array([True, True]), "the most by 1 at [1]: False → True"),
        (np.ones(2, ml_dtypes.bfloat16), np.array([1, 3], ml_dtypes.bfloat16), "the most by 2 at [1]: 1 → 3"),
        (np.zeros((0, 2)), np.zeros((0, 2)), None),
        ([1.0], [2.5], "float64[1]  1 → 2.5"),
        (np.zeros(3), np.zeros(3, np.float32), "float64[3] → float32[3]"),
    ],
)
def test_values_are_compared_whatever_they_are(run: Any, before: Any, after: Any, text: str | None) -> None:
    dt.save({"v": np.asarray(before)}, "one.safetensors")
    dt.save({"v": np.asarray(after)}, "two.safetensors")
    status, out, _ = run("diff", "one.safetensors", "two.safetensors")
    if text is None:
        assert (status, out) == (0, "")
    else:
        assert status == 1
        assert text in out


def test_trouble_is_no_difference(run: Any, folder: Path) -> None:
    status, out, err = run("diff", "m/model-1", "m/model-7")
    assert (status, out) == (2, "")
    assert err.startswith('dovetail diff: there is no checkpoint "m/model-7"')
    (folder / "m" / "model-2.safetensors").unlink()
    status, _, err = run("diff", "m/model-1", "m/model-2")
    assert status == 2
    assert "is missing, without which" in err
