"""The container of arrays: every dtype, read by the safetensors library too, and what is no such file."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import struct
import threading
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from dovetail.errors import DovetailError, DTypeError, FormatError, InvalidArgumentError, NotFoundError
from dovetail_io import tensors
from dovetail_io.files import file_hash, write_file
from dovetail_io.hashing import CHUNK
from dovetail_io.sealed import FileRecord
from dovetail_io.tensors import encoded, read_tensors
from tests.io.memory import peak_of

NUMERIC = [
    *(
        "float16",
        "float32",
        "float64",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "bool",
        "complex64",
    ),
    ml_dtypes.bfloat16,
]


def strings(*items: bytes) -> np.ndarray:
    array = np.empty(len(items), object)
    array[:] = items
    return array


def content_of(arrays: dict[str, np.ndarray], metadata: dict[str, object] | None = None) -> bytes:
    return b"".join(encoded(arrays, metadata or {}))


def write(path: Path, arrays: dict[str, np.ndarray], metadata: dict[str, object] | None = None) -> Path:
    path.write_bytes(content_of(arrays, metadata))
    return path


def write_raw(path: Path, header: object, data: bytes) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


@pytest.mark.parametrize("dtype", NUMERIC, ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (4, 0, 2)], ids=str)
def test_numbers_come_back_and_other_libraries_read_them(
    tmp_path: Path, rng: np.random.Generator, dtype: object, shape: tuple[int, ...]
) -> None:
    array = rng.integers(0, 2, shape).astype(dtype)
    path = write(tmp_path / "a.safetensors", {"x": array, "other": np.ones(5, np.int16)}, {"step": 7})
    with safetensors.safe_open(path, "np") as file:
        assert json.loads(file.metadata()["dovetail"]) == {"step": 7}
    arrays, _ = read_tensors(path)
    for found in (arrays["x"], safetensors.numpy.load_file(path)["x"]):
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found, array)


def test_bits_of_nan_and_negative_zero_are_kept(tmp_path: Path) -> None:
    bits = np.array([0x7FF8000000000001, 0xFFF8000000000000, 0x8000000000000000], np.uint64)
    arrays, _ = read_tensors(write(tmp_path / "a", {"x": bits.view(np.float64)}))
    np.testing.assert_array_equal(arrays["x"].view(np.uint64), bits)


def test_arrays_in_any_order_of_bytes_and_memory_are_written_right(tmp_path: Path) -> None:
    swapped = np.arange(6, dtype=">f4").reshape(2, 3)
    arrays, _ = read_tensors(write(tmp_path / "a", {"swapped": swapped, "transposed": swapped.T}))
    np.testing.assert_array_equal(arrays["swapped"], swapped)
    np.testing.assert_array_equal(arrays["transposed"], swapped.T)
    assert arrays["swapped"].dtype == np.float32


@pytest.mark.parametrize(
    "array",
    [strings(b"a", b"", b"\x00\xff"), strings(), strings(b"x").reshape(()), strings(*[b"ab"] * 6).reshape(2, 3)],
    ids=["vector", "none", "scalar", "matrix"],
)
def test_strings_are_offsets_and_bytes(tmp_path: Path, array: np.ndarray) -> None:
    path = write(tmp_path / "a.safetensors", {"words": array, "x": np.ones(2)})
    arrays, specs = read_tensors(path)
    assert specs["words"].dtype.is_string
    assert arrays["words"].shape == array.shape
    assert arrays["words"].tolist() == array.tolist()
    raw = safetensors.numpy.load_file(path)["words"]
    offsets = raw[: 8 * (array.size + 1)].view(np.int64)
    items = [raw[8 * (array.size + 1) :][a:b].tobytes() for a, b in itertools.pairwise(offsets)]
    assert items == array.reshape(-1).tolist()


@pytest.mark.parametrize("shape", [(), (3,), (2, 0)], ids=str)
def test_complex128_is_pairs_of_float64(tmp_path: Path, rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    array = np.asarray(rng.normal(size=shape) + 1j * rng.normal(size=shape))
    path = write(tmp_path / "a.safetensors", {"x": array, "words": strings(b"a")})
    arrays, specs = read_tensors(path)
    assert (specs["x"].dtype.name, specs["x"].shape, arrays["x"].dtype) == ("complex128", shape, array.dtype)
    np.testing.assert_array_equal(arrays["x"], array)
    raw = safetensors.numpy.load_file(path)["x"]
    np.testing.assert_array_equal(raw[..., 0] + 1j * raw[..., 1], array)


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda name: name != "__metadata__"),
        st_np.arrays(
            st.sampled_from(["float32", "int8", "bool", "uint64"]), st_np.array_shapes(min_dims=0, min_side=0)
        ),
        max_size=5,
    )
)
def test_any_arrays_come_back(tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, np.ndarray]) -> None:
    path = write(tmp_path_factory.mktemp("any") / "a.safetensors", arrays)
    found, _ = read_tensors(path)
    theirs = safetensors.numpy.load_file(path)
    assert found.keys() == arrays.keys() == theirs.keys()
    for name, array in arrays.items():
        assert found[name].tobytes() == array.tobytes() == theirs[name].tobytes()


def test_files_of_the_safetensors_library_are_read(tmp_path: Path) -> None:
    path = tmp_path / "theirs.safetensors"
    arrays = {"b": np.arange(3, dtype=np.float32), "a": np.array(True), "c": np.ones((2, 0), np.int8)}
    safetensors.numpy.save_file(arrays, path, {"from": "elsewhere"})
    found, _ = read_tensors(path)
    assert {name: array.tolist() for name, array in found.items()} == {n: a.tolist() for n, a in arrays.items()}


def test_only_the_tensors_asked_for_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {"x": np.ones(3), "y": np.zeros(2), "z": np.full(4, 7.0)})
    arrays, specs = read_tensors(path, ["z", "unknown"])
    assert {name: array.tolist() for name, array in arrays.items()} == {"z": [7.0] * 4}
    assert specs.keys() == {"x", "y", "z"}


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="no tensor can be named '__metadata__'"):
        encoded({"__metadata__": np.ones(1)}, {})
    with pytest.raises(DTypeError, match="'x' holds a int among its strings"):
        encoded({"x": np.array([b"a", 3], object)}, {})
    with pytest.raises(DTypeError, match="M8"):
        encoded({"x": np.ones(1, "datetime64[s]")}, {})
    with pytest.raises(InvalidArgumentError, match="1 tensors cannot be written: .*surrogates not allowed"):
        encoded({"\ud800": np.ones(1)}, {})
    with pytest.raises(InvalidArgumentError, match="101 tensors cannot be written: .*header"):
        encoded({"n" * 1_000_000 + str(number): np.ones(0) for number in range(101)}, {})


def test_equal_arguments_give_equal_bytes() -> None:
    arrays = {"x": np.ones(2), "words": strings(b"a"), "y": np.ones(2)}
    metadata = {name: name for name in "abcdefgh"}
    assert len({content_of(arrays, metadata) for _ in range(20)}) == 1


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
TEXT = json.dumps(ONE).encode()
BROKEN = {
    "not json": (b"{nonsense", "Expecting property name"),
    "not unicode": (b"\xff\xfe{}", "can't decode byte 0xff"),
    "half a character": (b'{"\\ud800":%b}' % TEXT, "surrogates not allowed"),
    "deep": (b'{"a":' * 100_000, "recursion"),
    "list": (b"[]", "its header is no JSON object"),
    "holes": ({"x": {**ONE, "data_offsets": [4, 12]}}, "'x' begins at byte 4 of the data, where 0 is expected"),
    "overlap": ({"x": ONE, "y": ONE}, "'y' begins at byte 0 of the data, where 8 is expected"),
    "cut off": ({"x": {**ONE, "shape": [4], "data_offsets": [0, 16]}}, "its tensors take 16 bytes, and 8 are there"),
    "more": ({"x": {**ONE, "shape": [1], "data_offsets": [0, 4]}}, "its tensors take 4 bytes, and 8 are there"),
    "other size": ({"x": {**ONE, "shape": [3]}}, "'x' is float32[3], which takes 12 bytes, and has 8"),
    "backwards": ({"x": {**ONE, "data_offsets": [8, 0]}}, "'x' is float32[2], which takes 8 bytes, and has -8"),
    "negative": ({"x": {**ONE, "shape": [-2]}}, "'x' has the shape [-2] and the offsets [0, 8]"),
    "fraction": ({"x": {**ONE, "shape": [2.0]}}, "'x' has the shape [2.0] and the offsets [0, 8]"),
    "boolean": ({"x": {**ONE, "shape": [True, 2]}}, "'x' has the shape [True, 2] and the offsets [0, 8]"),
    "huge": ({"x": {**ONE, "shape": [2**62 - 1, 0, 2]}}, "'x' is float32[4611686018427387903, 0, 2], which takes 0"),
    "many dimensions": ({"x": {**ONE, "shape": [2, *[1] * 64]}}, "'x' has the shape [2, 1, "),
    "unknown dtype": ({"x": {**ONE, "dtype": "C128"}}, "'x' has the dtype 'C128', which Dovetail does not have"),
    "no dtype": ({"x": {"shape": [2], "data_offsets": [0, 8]}}, "'x' has the dtype None, which Dovetail does not have"),
    "no shape": ({"x": {"dtype": "F32", "data_offsets": [0, 8]}}, "'x' has the shape None"),
    "one offset": ({"x": {**ONE, "data_offsets": [8]}}, "'x' has the shape [2] and the offsets [8]"),
    "number": ({"x": 3}, "what it says of 'x' is 3"),
    "metadata": ({"__metadata__": {"step": 3}, "x": ONE}, "its metadata are no strings by name"),
}
NOT_OURS = {
    "twice": (b'{"x":%b,"x":%b}' % (TEXT, TEXT), "the key 'x' occurs twice"),
    "dtype": ({"x": {**ONE, "dtype": "F8_E4M3", "shape": [8]}}, "'x' has the dtype 'F8_E4M3', which Dovetail does not"),
}
METADATA = {
    "no json": ("{", "Expecting property name"),
    "list": ("[]", "its metadata 'dovetail' are not Dovetail's"),
    "number": ('{"strings": 3}', "its metadata 'dovetail' are not Dovetail's"),
    "deep": ("[" * 100_000, "recursion"),
    "twice": ('{"strings": {}, "strings": {}}', "the key 'strings' occurs twice"),
    "other tensor": ('{"strings": {"y": [1]}}', "a tensor that it does not have"),
    "other dtype": ('{"strings": {"f": [1]}}', "'f' is float32[1], which cannot hold strings"),
    "no pairs": ('{"complex128": {"f": [1]}}', "'f' is float32[1], which cannot hold complex numbers of shape [1]"),
    "too many": ('{"strings": {"x": [1]}}', "'x' has 4 bytes, which cannot hold strings of shape [1]"),
    "negative": ('{"strings": {"x": [-1]}}', "the shape of 'x' is [-1]"),
}


def told(path: Path) -> str:
    """What is wrong with a file."""
    with pytest.raises(FormatError) as caught:
        read_tensors(path)
    assert f'"{path}" is damaged, or no safetensors file: ' in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it has 0 bytes, which is too small for a header"),
        (b"\x01\x02", "it has 2 bytes, which is too small for a header"),
        (struct.pack("<Q", 2**63) + b"{}", f"its header is said to have {2**63} bytes, which is too large for its 10"),
        (struct.pack("<Q", 3) + b"{}", "its header is said to have 3 bytes, which is too large for its 10"),
    ],
    ids=["empty", "short", "length", "one-more"],
)
def test_files_without_a_header_are_noticed(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    assert reason in told(path)


@pytest.mark.parametrize("case", BROKEN)
def test_damaged_files_are_noticed(tmp_path: Path, case: str) -> None:
    header, message = BROKEN[case]
    path = write_raw(tmp_path / "bad.safetensors", header, b"\0" * 8)
    assert message in told(path)
    if case != "many dimensions":  # which NumPy does not have
        with pytest.raises(safetensors.SafetensorError):
            safetensors.deserialize(path.read_bytes())


@pytest.mark.parametrize("case", NOT_OURS)
def test_what_the_library_accepts_and_dovetail_does_not_is_noticed(tmp_path: Path, case: str) -> None:
    header, message = NOT_OURS[case]
    assert message in told(write_raw(tmp_path / "bad.safetensors", header, b"\0" * 8))


@pytest.mark.parametrize("case", METADATA)
def test_damaged_metadata_are_noticed(tmp_path: Path, case: str) -> None:
    text, message = METADATA[case]
    header = {
        "__metadata__": {"dovetail": text},
        "x": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
        "f": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
    }
    assert message in told(write_raw(tmp_path / "bad.safetensors", header, b"\0" * 8))


def test_strings_with_offsets_out_of_order_are_noticed(tmp_path: Path) -> None:
    header = {
        "__metadata__": {"dovetail": '{"strings": {"x": [2]}}'},
        "x": {"dtype": "U8", "shape": [26], "data_offsets": [0, 26]},
    }
    path = write_raw(tmp_path / "bad.safetensors", header, struct.pack("<3q", 0, 5, 2) + b"ab")
    with pytest.raises(FormatError, match="offsets of the strings of 'x' are out of order"):
        read_tensors(path)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_nothing_but_format_errors_comes_of_noise(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int
) -> None:
    whole = content_of({"x": np.arange(9.0), "s": strings(b"a", b"bc")}, {"a": "b"})
    path = tmp_path_factory.mktemp("noise") / "a.safetensors"
    path.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
    try:
        arrays, _ = read_tensors(path)
    except DovetailError:
        return
    theirs = dict(safetensors.deserialize(path.read_bytes()))
    assert theirs.keys() == arrays.keys(), "what the library refuses is refused, and the rest is what it reads"
    assert all(
        bytes(theirs[name]["data"]) == array.tobytes() for name, array in arrays.items() if array.dtype != object
    )


def test_reading_and_writing_take_memory_for_one_tensor_beside_the_arrays(tmp_path: Path) -> None:
    arrays = {str(number): np.full(250_000, number, np.float32) for number in range(12)}
    arrays["words"] = strings(*[b"x" * 1000] * 1000)
    path = tmp_path / "model.safetensors"

    def write() -> None:
        write_file(path, encoded(arrays, {}))

    def hashed() -> FileRecord:
        return FileRecord(".safetensors", path.stat().st_size, file_hash(path), "0" * 16)

    assert peak_of(write) < 1.5e6
    record = hashed()
    assert peak_of(lambda: read_tensors(path, record=record)) < 13e6 + 1.5e6
    assert peak_of(lambda: read_tensors(path, ["3"], record=record)) < 1e6 + 2 * CHUNK + 5e5
    found, _ = read_tensors(path, record=record)
    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[name], array) for name, array in arrays.items())


def test_content_is_hashed_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = np.random.default_rng(0).bytes(3 * CHUNK + 5)
    expected = hashlib.sha256(content).hexdigest()
    written, real_write, real_hash = threading.Event(), os.write, hashlib.sha256

    class Waiting:
        """Does not hash a piece before one has been written."""

        def __init__(self) -> None:
            self.hexdigest = (real := real_hash()).hexdigest
            self._update = real.update

        def update(self, piece: memoryview) -> None:
            assert len(piece) < 100 or written.wait(60)
            self._update(piece)

    def write(descriptor: int, piece: memoryview) -> int:
        count = real_write(descriptor, piece[: len(piece) // 2 + 1])
        written.set()
        return count

    monkeypatch.setattr(hashlib, "sha256", Waiting)
    monkeypatch.setattr(os, "write", write)
    assert write_file(tmp_path / "file", [content]) == (len(content), expected)
    assert (tmp_path / "file").read_bytes() == content


def test_a_file_that_becomes_shorter_while_it_is_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.safetensors", {"x": np.ones(1000)})
    real = tensors._Source.read

    def read(source: Any, count: int) -> bytearray:
        os.truncate(path, 4000)  # its size is known by now
        return real(source, count)

    monkeypatch.setattr(tensors._Source, "read", read)
    assert "it became shorter while it was read" in told(path)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r'there is no file ".*none\.safetensors"'):
        read_tensors(tmp_path / "none.safetensors")
    with pytest.raises(FormatError, match="is a folder; a file is expected"):
        read_tensors(tmp_path)
