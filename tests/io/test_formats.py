"""``dt.save`` and ``dt.load``: checkpoints, graph files and NumPy's archives, chosen by ending or by name."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

import dovetail as dt
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, NotFoundError

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
    with pytest.raises(DTypeError, match="the name of an array is 3"):
        dt.save({3: np.ones(1)}, tmp_path / "w.npz")
    with pytest.raises(DTypeError, match="'z' cannot be saved: .*M8"):
        dt.save({"z": np.ones(1, "datetime64[s]")}, tmp_path / "w.npz")
    with pytest.raises(FormatError, match="no format is known for .*w.unknown"):
        dt.save(ARRAYS, tmp_path / "w.unknown")
    assert not list(tmp_path.iterdir())


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
