"""``dt.save`` and ``dt.load``: checkpoints, graph files and NumPy's archives, chosen by ending or by name."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

import dovetail as dt
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, NotFoundError
from dovetail.extend import Format
from dovetail.plugins import registered

ARRAYS = {"a/b": np.arange(6, dtype=np.float32).reshape(2, 3), "file": np.array(True), "empty": np.zeros((0, 2))}


@pytest.fixture
def session() -> dt.Session:
    for name, value in ARRAYS.items():
        dt.Variable(value, name=name, trainable=False)
    session = dt.Session()
    session.run(dt.global_variables_initializer())
    return session


def equal(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> bool:
    return found.keys() == expected.keys() and all(
        (one.dtype, one.shape, one.tobytes()) == (expected[name].dtype, expected[name].shape, expected[name].tobytes())
        for name, one in found.items()
    )


@pytest.mark.parametrize("name", ["w.safetensors", "w.npz"])
def test_arrays_come_back(tmp_path: Path, name: str) -> None:
    dt.save(ARRAYS, tmp_path / name)
    assert equal(dt.load(tmp_path / name), ARRAYS)


@pytest.mark.parametrize("name", ["w.safetensors", "w.npz"])
def test_the_variables_of_a_session_come_back(session: dt.Session, tmp_path: Path, name: str) -> None:
    dt.save(session, tmp_path / name)
    assert equal(dt.load(tmp_path / name), ARRAYS)


def test_a_checkpoint_of_a_session_is_a_whole_one(session: dt.Session, tmp_path: Path) -> None:
    assert dt.save(session, tmp_path / "w.safetensors", global_step=4) == str(tmp_path / "w-4")
    assert dt.io.verify(tmp_path / "w-4").step == 4
    with dt.Graph().as_default():
        assert dt.train.import_meta_graph(tmp_path / "w-4") is not None
    assert not (tmp_path / "checkpoint").exists()
    other = dt.Session()
    dt.load(tmp_path / "w-4.safetensors", session=other)
    assert other.run("file:0")


def test_strings_and_bfloat16_go_into_checkpoints(tmp_path: Path) -> None:
    arrays = {"words": np.array(["a", "bc"]), "brain": np.ones(3, ml_dtypes.bfloat16)}
    dt.save(arrays, tmp_path / "w.safetensors", max_shard_bytes=10)
    found = dt.load(tmp_path / "w.json", format="checkpoint")
    assert found["words"].tolist() == [b"a", b"bc"]
    assert found["brain"].dtype == ml_dtypes.bfloat16
    for name, array in arrays.items():
        with pytest.raises(DTypeError, match=f"'{name}' is .*, which .npz files do not hold; save to a .safetensors"):
            dt.save({name: array}, tmp_path / "w.npz")


def test_safetensors_files_of_other_libraries_are_read(tmp_path: Path) -> None:
    safetensors.numpy.save_file(ARRAYS, tmp_path / "theirs.safetensors")
    assert equal(dt.load(tmp_path / "theirs.safetensors"), ARRAYS)
    with pytest.raises(NotFoundError, match="its manifest .* is missing"):
        dt.load(tmp_path / "theirs.safetensors", session=dt.Session())


def test_archives_are_numpys(tmp_path: Path) -> None:
    dt.save(ARRAYS, tmp_path / "ours.npz", compress=True)
    with np.load(tmp_path / "ours.npz") as archive:
        assert equal(dict(archive), ARRAYS)
    np.savez(tmp_path / "theirs.npz", x=np.arange(3))
    assert dt.load(tmp_path / "theirs.npz")["x"].tolist() == [0, 1, 2]


def test_graphs_come_back(session: dt.Session, tmp_path: Path) -> None:
    dt.save(session, tmp_path / "a.meta")
    dt.save(session.graph, tmp_path / "b.meta")
    assert (tmp_path / "a.meta").read_bytes() == (tmp_path / "b.meta").read_bytes()
    graph = dt.load(tmp_path / "a.meta")
    assert [op.name for op in graph.get_operations()] == [op.name for op in session.graph.get_operations()]


def test_what_a_format_does_not_hold_is_refused(tmp_path: Path) -> None:
    for name, message in [
        ("w.safetensors", "the format 'checkpoint' holds a dict of arrays, or the variables of a dt.Session, not 3"),
        ("w.npz", "the format 'npz' holds a dict of arrays, or the variables of a dt.Session, not 3"),
        ("w.meta", "the format 'graph' holds a dt.Graph, or that of a dt.Session, not 3"),
    ]:
        with pytest.raises(InvalidArgumentError, match=message):
            dt.save(3, tmp_path / name)
    for name in ("w.npz", "w.safetensors"):
        with pytest.raises(
            DTypeError, match="'a' cannot be saved: it is or holds a dict; give arrays of numbers or str"
        ):
            dt.save({"a": {"b": 1}}, tmp_path / name)
    with pytest.raises(DTypeError, match="the name of an array is 3"):
        dt.save({3: np.ones(1)}, tmp_path / "w.npz")
    with pytest.raises(DTypeError, match="'z' cannot be saved: .*M8"):
        dt.save({"z": np.ones(1, "datetime64[s]")}, tmp_path / "w.npz")
    with pytest.raises(FormatError, match="no format is known for .*w.unknown"):
        dt.save(ARRAYS, tmp_path / "w.unknown")
    assert not list(tmp_path.iterdir())


def test_options_that_a_format_does_not_have_are_told(session: dt.Session, tmp_path: Path) -> None:
    dt.save(ARRAYS, tmp_path / "w.safetensors")
    dt.save(ARRAYS, tmp_path / "w.npz")
    dt.save(session.graph, tmp_path / "w.meta")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    cases: list[tuple[Any, str, dict[str, Any], str]] = [
        (
            ARRAYS,
            "w.safetensors",
            {"compress": True},
            "arrays as a checkpoint takes the options max_shard_bytes, not 'c",
        ),
        (session, "w.safetensors", {"global_steps": 1}, "checkpoint takes the options .* Did you mean 'global_step'"),
        (
            ARRAYS,
            "w.npz",
            {"compressed": True},
            "takes the options compress, not 'compressed'. Did you mean 'compress'",
        ),
        (
            session,
            "w.meta",
            {"scope": "a"},
            "saving a graph takes the options saver, as_text, clear_devices, not 'scope'",
        ),
        (session, "new/", {"input": {}}, "saving a saved model takes the options inputs, .* Did you mean 'inputs'"),
    ]
    for what, name, options, message in cases:
        with pytest.raises(InvalidArgumentError, match=message):
            dt.save(what, f"{tmp_path}/{name}", **options)
    for name in ("w.safetensors", "w.npz", "w.meta"):
        with pytest.raises(InvalidArgumentError, match="takes (no options|the option.*), not 'mmap'"):
            dt.load(tmp_path / name, mmap=True)
    with pytest.raises(
        InvalidArgumentError, match="loading a saved model takes the options signature, tags, feeds, con"
    ):
        dt.load(tmp_path, format="saved_model", signatures="a")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("content", [b"", b"noise", b"PK\x03\x04 and more noise"])
def test_damaged_archives_are_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.npz").write_bytes(content)
    with pytest.raises(FormatError, match=r'w.npz" is damaged or no .npz file'):
        dt.load(tmp_path / "w.npz")


def test_archives_cannot_run_code(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", x=np.array([{}], object))
    with pytest.raises(FormatError, match="Object arrays cannot be loaded"):
        dt.load(tmp_path / "w.npz")


def test_bits_flipped_in_an_archive_are_told(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.arange(1000.0))
    content = bytearray(buffer.getvalue())
    content[len(content) // 2] ^= 1
    (tmp_path / "w.npz").write_bytes(content)
    assert zipfile.is_zipfile(tmp_path / "w.npz")
    with pytest.raises(FormatError, match=r'w.npz" is damaged'):
        dt.load(tmp_path / "w.npz")


# Folders, and what other libraries and third parties write. --------------------------------------------------------


def test_checkpoints_are_found_by_their_paths_and_folders(session: dt.Session, tmp_path: Path) -> None:
    path = dt.train.Saver().save(session, tmp_path / "m" / "model.ckpt", global_step=3)
    for name in (path, tmp_path / "m", f"{path}.safetensors"):
        assert equal(dt.load(name), ARRAYS)
    other = dt.Session()
    dt.load(tmp_path / "m", session=other)
    assert other.run("file:0")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="there is no saved model in .*empty"):
        dt.load(tmp_path / "empty")
    with pytest.raises(NotFoundError, match="there is no file .*model.ckpt-4"):
        dt.load(tmp_path / "m" / "model.ckpt-4")


def test_bundles_are_found_by_their_folders(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    w = dt.Variable(3.0, name="w")
    y = w * x
    with dt.Session() as session:
        session.run(w.initializer)
        folder = str(tmp_path / "net")
        assert dt.save(session, folder, format="saved_model", inputs={"x": x}, outputs={"y": y}) == folder
        signature = dt.saved_model.predict_signature_def({"a": x}, {"b": y})
        dt.save(session, f"{tmp_path}/other/", signature_def_map={"twice": signature}, tags=["train"])
        with pytest.raises(InvalidArgumentError, match="is there already and not empty"):
            dt.save(session, f"{folder}/", inputs={"x": x}, outputs={"y": y})
        with pytest.raises(InvalidArgumentError, match="outputs is {}; give a dict of tensors by name"):
            dt.save(session, f"{tmp_path}/new/", inputs={"x": x})
    assert dt.load(folder)(x=[2.0])["y"].tolist() == [6.0]
    assert dt.load(tmp_path / "other")(a=[2.0])["b"].tolist() == [6.0]
    with dt.Graph().as_default(), dt.Session() as session:
        assert "twice" in dt.load(tmp_path / "other", session=session, tags=["train"]).signature_def
        assert session.run("w:0") == 3.0
    with pytest.raises(InvalidArgumentError, match="the format 'saved_model' holds the graph and variables of a dt.S"):
        dt.save({"a": np.zeros(1)}, tmp_path / "arrays", format="saved_model")
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "arrays").exists()


def test_files_with_an_index_are_read_whole(tmp_path: Path) -> None:
    names = {"one.safetensors": ["a/b", "file"], "two.safetensors": ["empty"]}
    for file, held in names.items():
        safetensors.numpy.save_file({name: ARRAYS[name] for name in held}, tmp_path / file)
    index = tmp_path / "model.safetensors.index.json"
    weight_map = {name: file for file, held in names.items() for name in held}
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    assert equal(dt.load(index), ARRAYS)
    for content, message in [
        ('{"weight_map": {"a/b": "../one.safetensors"}}', "which is no file beside it"),
        ('{"weight_map": {"a/b": "two.safetensors"}}', "does not hold 'a/b'"),
        ('{"weight_map": 3}', "is damaged, or no index of safetensors files"),
        ('{"weight_map": {"a": "one.safetensors", "a": "two.safetensors"}}', "the key 'a' occurs twice"),
        ("noise", "is damaged, or no index of safetensors files"),
    ]:
        index.write_text(content)
        with pytest.raises(FormatError, match=message):
            dt.load(index)
    index.write_text('{"weight_map": {"a": "three.safetensors"}}')
    with pytest.raises(NotFoundError, match="three.safetensors"):
        dt.load(index)
    dt.save(ARRAYS, tmp_path / "own.safetensors", max_shard_bytes=10)
    for name in ("own.safetensors.index.json", "own-00001-of-00002.safetensors", "own"):
        assert equal(dt.load(tmp_path / name), ARRAYS)


class Lines(Format):
    """Arrays as lines of text."""

    name = "lines"
    suffixes = (".lines.npz",)

    def save(self, what: Any, path: Path, **options: Any) -> None:
        path.write_text("\n".join(f"{name} {array.tolist()}" for name, array in what.items()))

    @classmethod
    def recognizes(cls, path: Path) -> bool:
        return path.name == "lines"


def test_the_longest_ending_counts_and_two_of_one_are_told_apart_by_name(tmp_path: Path) -> None:
    arrays = {"x": np.arange(2)}
    with registered("formats", "lines", Lines):
        dt.save(arrays, tmp_path / "a.lines.npz")
        assert (tmp_path / "a.lines.npz").read_text() == "x [0, 1]"
        dt.save(arrays, tmp_path / "a.npz")
        assert dt.load(tmp_path / "a.npz")["x"].tolist() == [0, 1]
        for name in ("a.lines.npz", "lines"):
            with pytest.raises(InvalidArgumentError, match="the format 'lines' is only written, not read"):
                dt.load(tmp_path / name)
        with (
            registered("formats", "rows", Lines),
            pytest.raises(FormatError, match=r"may be of the format 'lines' or 'rows', which share its ending; pass f"),
        ):
            dt.save(arrays, tmp_path / "b.lines.npz")


PLUGIN = """
import numpy as np
from dovetail.extend import Format


class Csv(Format):
    name = "csv"
    suffixes = (".csv",)

    def save(self, what, path, **options):
        np.savetxt(path, what, delimiter=",", **options)

    def load(self, path, **options):
        return np.loadtxt(path, delimiter=",", **options)
"""


def test_a_third_party_adds_a_format_by_an_entry_point(tmp_path: Path) -> None:
    (tmp_path / "toy_csv.py").write_text(PLUGIN)
    information = tmp_path / "toy_csv-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-csv\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[dovetail.formats]\ncsv = toy_csv:Csv\n")
    program = (
        "import dovetail as dt, numpy as np\n"
        "dt.save(np.eye(2), 'eye.csv', fmt='%g')\n"
        "assert dt.load('eye.csv').tolist() == [[1, 0], [0, 1]]\n"
        "print(open('eye.csv').read())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1,0\n0,1\n\n"
