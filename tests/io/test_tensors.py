"""The container of arrays: every dtype, read by the safetensors library too, and what is no such file."""

from __future__ import annotations

import itertools
import json
import struct
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from dovetail.errors import DovetailError, DTypeError, FormatError, InvalidArgumentError, NotFoundError
from dovetail_io.tensors import encode, read_tensors

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
    ),
    ml_dtypes.bfloat16,
]


def strings(*items: bytes) -> np.ndarray:
    array = np.empty(len(items), object)
    array[:] = items
    return array


def write(path: Path, arrays: dict[str, np.ndarray], metadata: dict[str, str] | None = None) -> Path:
    path.write_bytes(b"".join(bytes(part) for part in encode(arrays, metadata or {})))
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
    path = write(tmp_path / "a.safetensors", {"x": array, "other": np.ones(5, np.int16)}, {"step": "7"})
    arrays, _, metadata = read_tensors(path)
    assert metadata == {"step": "7"}
    for found in (arrays["x"], safetensors.numpy.load_file(path)["x"]):
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found, array)


def test_bits_of_nan_and_negative_zero_are_kept(tmp_path: Path) -> None:
    bits = np.array([0x7FF8000000000001, 0xFFF8000000000000, 0x8000000000000000], np.uint64)
    arrays, _, _ = read_tensors(write(tmp_path / "a", {"x": bits.view(np.float64)}))
    np.testing.assert_array_equal(arrays["x"].view(np.uint64), bits)


def test_arrays_in_any_order_of_bytes_and_memory_are_written_right(tmp_path: Path) -> None:
    swapped = np.arange(6, dtype=">f4").reshape(2, 3)
    arrays, _, _ = read_tensors(write(tmp_path / "a", {"swapped": swapped, "transposed": swapped.T}))
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
    arrays, specs, _ = read_tensors(path)
    assert specs["words"].dtype.is_string
    assert arrays["words"].shape == array.shape
    assert arrays["words"].tolist() == array.tolist()
    raw = safetensors.numpy.load_file(path)["words"]
    offsets = raw[: 8 * (array.size + 1)].view(np.int64)
    items = [raw[8 * (array.size + 1) :][a:b].tobytes() for a, b in itertools.pairwise(offsets)]
    assert items == array.reshape(-1).tolist()


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
    found, _, _ = read_tensors(path)
    theirs = safetensors.numpy.load_file(path)
    assert found.keys() == arrays.keys() == theirs.keys()
    for name, array in arrays.items():
        assert found[name].tobytes() == array.tobytes() == theirs[name].tobytes()


def test_files_of_the_safetensors_library_are_read(tmp_path: Path) -> None:
    path = tmp_path / "theirs.safetensors"
    arrays = {"b": np.arange(3, dtype=np.float32), "a": np.array(True), "c": np.ones((2, 0), np.int8)}
    safetensors.numpy.save_file(arrays, path, {"from": "elsewhere"})
    found, _, metadata = read_tensors(path)
    assert metadata == {"from": "elsewhere"}
    assert {name: array.tolist() for name, array in found.items()} == {n: a.tolist() for n, a in arrays.items()}


def test_only_the_tensors_asked_for_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {"x": np.ones(3), "y": np.zeros(2), "z": np.full(4, 7.0)})
    arrays, specs, _ = read_tensors(path, ["z", "unknown"])
    assert {name: array.tolist() for name, array in arrays.items()} == {"z": [7.0] * 4}
    assert specs.keys() == {"x", "y", "z"}


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="no tensor can be named '__metadata__'"):
        list(encode({"__metadata__": np.ones(1)}, {}))
    with pytest.raises(DTypeError, match="'x' holds a int among its strings"):
        list(encode({"x": np.array([b"a", 3], object)}, {}))
    with pytest.raises(DTypeError, match="complex128"):
        list(encode({"x": np.ones(1, complex)}, {}))


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
BAD = {
    "empty": (None, "is empty, so it is no safetensors file"),
    "short": (b"\x01\x02", "its header should have 513 bytes"),
    "length": (struct.pack("<Q", 2**63) + b"{}", "its header should have 9223372036854775808 bytes"),
    "not json": (b"{nonsense", "its header cannot be read"),
    "not unicode": (b"\xff\xfe{}", "its header cannot be read"),
    "deep": (b'{"a":' * 100_000, "its header cannot be read"),
    "list": (b"[]", "its header cannot be read"),
    "holes": ({"x": {**ONE, "data_offsets": [4, 12]}}, "the data of 'x' begin at 4, where 0 is expected"),
    "overlap": ({"x": ONE, "y": ONE}, "the data of 'y' begin at 0, where 8 is expected"),
    "twice": (
        b'{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        "its header has 'x' twice",
    ),
    "cut off": ({"x": {**ONE, "shape": [4], "data_offsets": [0, 16]}}, "8 bytes of data, and its header describes 16"),
    "more": ({"x": {**ONE, "shape": [1], "data_offsets": [0, 4]}}, "8 bytes of data, and its header describes 4"),
    "other size": ({"x": {**ONE, "shape": [3]}}, "'x' is float32[3] and has its bytes at [0, 8], which does not fit"),
    "negative": ({"x": {**ONE, "shape": [-2]}}, "shape or place of 'x' is [-2]"),
    "boolean": ({"x": {**ONE, "shape": [True, 2]}}, "shape or place of 'x' is [True, 2]"),
    "unknown dtype": ({"x": {**ONE, "dtype": "C128"}}, "'x' has the dtype 'C128', which Dovetail does not have"),
    "no shape": ({"x": {"dtype": "F32", "data_offsets": [0, 8]}}, "what it says of 'x' is"),
    "metadata": ({"__metadata__": {"step": 3}, "x": ONE}, "its metadata are not strings"),
    "no strings": ({"__metadata__": {"dovetail.strings": '{"y": [1]}'}, "x": ONE}, "a tensor that it does not have"),
    "not for strings": ({"__metadata__": {"dovetail.strings": '{"x": [1]}'}, "x": ONE}, "cannot hold strings of"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_damaged_files_are_noticed(tmp_path: Path, case: str) -> None:
    content, message = BAD[case]
    path = tmp_path / "bad.safetensors"
    if content is None:
        path.touch()
    elif case in ("short", "length"):
        path.write_bytes(content)
    else:
        write_raw(path, content, b"\0" * 8)
    with pytest.raises(FormatError) as caught:
        read_tensors(path)
    assert message in str(caught.value)
    assert "bad.safetensors" in str(caught.value)


def test_strings_with_offsets_out_of_order_are_noticed(tmp_path: Path) -> None:
    header = {
        "__metadata__": {"dovetail.strings": '{"x": [2]}'},
        "x": {"dtype": "U8", "shape": [26], "data_offsets": [0, 26]},
    }
    path = write_raw(tmp_path / "bad.safetensors", header, struct.pack("<3q", 0, 5, 2) + b"ab")
    with pytest.raises(FormatError, match="offsets of its strings are out of order"):
        read_tensors(path)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_nothing_but_format_errors_comes_of_noise(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int
) -> None:
    whole = b"".join(bytes(part) for part in encode({"x": np.arange(9.0), "s": strings(b"a", b"bc")}, {"a": "b"}))
    path = tmp_path_factory.mktemp("noise") / "a.safetensors"
    path.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
    try:
        read_tensors(path)
    except DovetailError:
        return


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r'there is no file ".*none\.safetensors"'):
        read_tensors(tmp_path / "none.safetensors")
    with pytest.raises(FormatError, match="is a folder; a file is expected"):
        read_tensors(tmp_path)
