"""Graph files: a graph comes back as it was, also where a plugin is not installed, and a person can read it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import FormatError, GraphError, NotFoundError
from dovetail.extend import graph_hash, graph_to_data

Build = Callable[[], dict[str, dt.Variable]]


def hash_of(graph: dt.Graph) -> str:
    return graph_hash(graph_to_data(graph))


def test_a_graph_comes_back(model: dict[str, dt.Variable], saved: Path) -> None:
    here = dt.get_default_graph()
    with dt.Graph().as_default() as graph:
        saver = dt.train.import_meta_graph(f"{saved}.meta")
        assert hash_of(graph) == hash_of(here)
        assert [op.name for op in graph.get_operations()] == [op.name for op in here.get_operations()]
        assert [str(t.type) for op in graph.get_operations() for t in op.outputs] == [
            str(t.type) for op in here.get_operations() for t in op.outputs
        ]
        assert saver is not None
        assert saver.variables.keys() == model.keys()
        with dt.Session() as session:
            saver.restore(session, saved)
            assert session.run("count:0") == 2**62 + 1
            assert session.run("table:0")[-1, -1] == 1.0


def test_the_file_is_a_node_a_line_with_large_constants_beside_it(saved: Path) -> None:
    text = Path(f"{saved}.meta").read_text()
    nodes = [json.loads(line.rstrip(",")) for line in text.splitlines() if line.startswith('  {"name"')]
    by_name = {node["name"]: node for node in nodes if "op" in node}
    assert by_name["table"]["attributes"]["value"]["array"].keys() == {"dtype", "shape", "stored"}
    assert by_name["MatMul"]["inputs"] == ["x:0", "dense/kernel/read:0"]
    assert max(map(len, text.splitlines())) < 2500
    assert "file://" not in text
    assert str(Path.home()) not in text


def test_the_same_graph_makes_the_same_file(build: Build, tmp_path: Path) -> None:
    written = []
    for name in ("a.meta", "b.meta"):
        with dt.Graph().as_default() as graph:
            build()
            dt.io.write_graph(graph, tmp_path / name)
            written.append((tmp_path / name).read_text())
    assert written[0] == written[1]
    with dt.Graph().as_default() as graph:
        build()
        dt.identity(dt.constant(1.0, name="one"), name="more")
        dt.train.export_meta_graph(tmp_path / "c.meta")
    more = set((tmp_path / "c.meta").read_text().splitlines()) - set(written[0].splitlines())
    assert len(more) <= 5  # two nodes, the hash, the digest, and a comma


def test_the_hash_tells_of_large_constants(tmp_path: Path) -> None:
    hashes = set()
    for last in (0.0, 1.0):
        with dt.Graph().as_default() as graph:
            dt.constant(np.array([0.0] * 999 + [last]), name="table")
            hashes.add(json.loads(Path(dt.io.write_graph(graph, tmp_path / "g.meta")).read_text())["graph_hash"])
    assert len(hashes) == 2


def test_equal_constants_are_stored_once(tmp_path: Path) -> None:
    for _ in range(3):
        dt.constant(np.arange(1000.0))
    dt.constant([b"word" * 100] * 20)
    graph = dt.get_default_graph()
    dt.io.write_graph(graph, tmp_path / "g.meta")
    assert 8000 < (tmp_path / "g.meta.safetensors").stat().st_size < 18000
    again = dt.io.read_graph(tmp_path / "g.meta")
    with dt.Session(graph=again) as session:
        assert session.run("Const_2:0").tolist() == list(np.arange(1000.0))
        assert session.run("Const_3:0")[-1] == b"word" * 100


def test_a_graph_can_be_imported_under_a_scope(session: dt.Session, saved: Path) -> None:
    feed = np.ones((1, 2), np.float32)
    expected = [session.run("y:0", {"x:0": feed}) for _ in range(2)]
    with dt.Graph().as_default() as graph:
        dt.Variable(1.0, name="mine", trainable=False)
        saver = dt.train.import_meta_graph(saved, import_scope="net")
        assert graph.get_tensor_by_name("net/dense/kernel:0").shape == (2, 3)
    with dt.Graph().as_default():
        saver = dt.train.import_meta_graph(saved, import_scope="net")
        assert saver is not None
        with dt.Session() as other:
            saver.restore(other, saved)
            for one in expected:
                np.testing.assert_array_equal(other.run("net/y:0", {"net/x:0": feed}), one)


def test_a_taken_name_is_told(session: dt.Session, saved: Path) -> None:
    count = len(dt.get_default_graph().get_operations())
    with pytest.raises(GraphError, match="already has an operation .*; import into a new dt.Graph"):
        dt.train.import_meta_graph(f"{saved}.meta")
    assert len(dt.get_default_graph().get_operations()) == count


def test_devices_can_be_forgotten(tmp_path: Path) -> None:
    with dt.device("/device:CUDA:0"):
        dt.constant(1.0, name="a")
    dt.train.export_meta_graph(tmp_path / "with.meta")
    dt.train.export_meta_graph(tmp_path / "without.meta", clear_devices=True)
    for name, clear, device in [("with", False, "/device:CUDA:0"), ("with", True, ""), ("without", False, "")]:
        with dt.Graph().as_default() as graph:
            dt.train.import_meta_graph(tmp_path / f"{name}.meta", clear_devices=clear)
            assert graph.get_operation_by_name("a").device == device


def test_savers_of_imported_graphs_have_the_names_and_options_of_the_saved_one(
    session: dt.Session, model: dict[str, dt.Variable], tmp_path: Path
) -> None:
    saver = dt.train.Saver({"k": model["dense/kernel"]}, max_to_keep=2, pad_step_number=True)
    path = saver.save(session, tmp_path / "model", global_step=1)
    with dt.Graph().as_default(), dt.Session() as other:
        again = dt.train.import_meta_graph(path)
        assert again is not None
        again.restore(other, path)
        for step in (2, 3):
            assert again.save(other, tmp_path / "model", global_step=step).endswith(f"-0000000{step}")
    assert sorted(one.stem for one in tmp_path.glob("*.json")) == ["model-00000002", "model-00000003"]
    data = saver.export_meta_graph(tmp_path / "exported.meta")
    assert data["nodes"]
    with dt.Graph().as_default():
        exported = dt.train.import_meta_graph(tmp_path / "exported.meta")
        assert exported is not None
        assert list(exported.variables) == ["k"]


def test_a_graph_without_variables_has_no_saver(tmp_path: Path) -> None:
    dt.constant(1.0, name="a")
    dt.train.export_meta_graph(tmp_path / "g.meta")
    with dt.Graph().as_default():
        assert dt.train.import_meta_graph(tmp_path / "g.meta") is None
    dt.Variable(1.0, name="v")
    dt.train.export_meta_graph(tmp_path / "g.meta")
    with dt.Graph().as_default():
        saver = dt.train.import_meta_graph(tmp_path / "g.meta", import_scope="s")
        assert saver is not None
        assert list(saver.variables) == ["v"]


def test_missing_and_damaged_files_are_told(saved: Path, tmp_path: Path) -> None:
    with dt.Graph().as_default() as graph:
        with pytest.raises(NotFoundError, match=r'there is no file ".*none.meta"'):
            dt.train.import_meta_graph(tmp_path / "none")
        with pytest.raises(FormatError, match="is no graph file of Dovetail"):
            dt.train.import_meta_graph(f"{saved}.json")
        Path(f"{saved}.meta.safetensors").unlink()
        with pytest.raises(FormatError, match=r'model-3.meta.safetensors" is missing, without which "model-3.meta"'):
            dt.train.import_meta_graph(f"{saved}.meta")
        assert not graph.get_operations()


# Plugins that are not there. -----------------------------------------------------------------------------------------

PLUGIN = """
import dovetail as dt
from dovetail.extend import Layer, Op, composite, primitive


@composite
def toy_square(x, *, factor: float = 1.0):
    '''factor * x * x'''
    return x * x * factor


class ToyScale(Layer):
    '''x times a weight, squared.'''

    start: float = 2.0

    def build(self, x):
        self.factor = self.weight("factor", x.shape[-1:], dt.constant_initializer(self.start))

    def call(self, x):
        return toy_square(x * self.factor, factor=0.5)


@primitive
class ToyNative(Op):
    '''x, by a plugin's own primitive.'''

    def infer(self, x):
        return x

    def reference(self, x):
        return x

    def gradient(self, inputs, outputs, grads):
        return list(grads)
"""

SAVE = """
import sys
import dovetail as dt, toy_plugin
x = dt.placeholder(dt.float32, [None, 2], name="x")
y = toy_plugin.ToyScale(3.0)(x)
if "native" in sys.argv:
    y = toy_plugin.ToyNative()(y)
dt.identity(y, name="y")
dt.identity(dt.gradients(y, [x])[0], name="slope")
with dt.Session() as session:
    session.run(dt.global_variables_initializer())
    dt.train.Saver().save(session, "plain")
    print(*(one.tolist() for one in session.run(["y:0", "slope:0"], {"x:0": [[1, 2]]})))
"""

LOAD = """
import dovetail as dt
saver = dt.train.import_meta_graph("plain.meta")
with dt.Session() as session:
    saver.restore(session, "plain")
    print(*(one.tolist() for one in session.run(["y:0", "slope:0"], {"x:0": [[1, 2]]})))
    print(dt.train.Saver().save(session, "again"))
with dt.Graph().as_default(), dt.Session() as session:
    dt.train.import_meta_graph("again").restore(session, "again")
    print(*(one.tolist() for one in session.run(["y:0", "slope:0"], {"x:0": [[1, 2]]})))
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program in a new process, with or without the plugin."""
    site = tmp_path / "site"
    information = site / "toy_distribution-1.0.dist-info"
    information.mkdir(parents=True)
    (site / "toy_plugin.py").write_text(PLUGIN)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-distribution\nVersion: 1.0\n")
    (information / "top_level.txt").write_text("toy_plugin\n")
    (information / "entry_points.txt").write_text("[dovetail.layers]\ntoy_scale = toy_plugin:ToyScale\n")

    def run(program: str, *arguments: str, plugin: bool) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(site) if plugin else ""}
        command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


RESULT = "[[4.5, 18.0]] [[9.0, 18.0]]"


def output(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_layers_and_composites_of_a_plugin_work_without_it(
    run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    assert output(run(SAVE, plugin=True)) == [RESULT]
    data = json.loads((tmp_path / "plain.meta").read_text())
    assert data["distributions"] == {"toy_plugin": "toy-distribution"}
    expected = [RESULT, "again", RESULT]
    assert output(run(LOAD, plugin=False)) == expected
    assert output(run(LOAD, plugin=True)) == expected


def test_a_primitive_of_a_plugin_names_the_distribution_to_install(
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    output(run(SAVE, "native", plugin=True))
    done = run(LOAD, plugin=False)
    assert done.returncode == 1
    assert "\"plain.meta\" cannot be loaded here: operation 'ToyNative'" in done.stderr
    assert "defined by the package 'toy_plugin', which is not imported here" in done.stderr
    assert "It came with the distribution 'toy-distribution': pip install toy-distribution" in done.stderr
