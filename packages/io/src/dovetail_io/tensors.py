"""Arrays in the safetensors format, which many libraries read.

A file is the length of a header, the header, which is JSON, and the tensors' bytes one after the other. It is written
and read tensor by tensor and hashed on the way, so that neither takes memory for more than one tensor beside the arrays
themselves; the safetensors library wants all bytes of a file in memory at once, and judges in the tests.

Every dtype of Dovetail has its own there, save strings: an array of n strings is stored as uint8, first n + 1 offsets
(int64, little-endian), then the bytes of all strings. Which tensors are strings, and of which shape, the metadata tell
under ``"dovetail"``, in JSON.
"""

from __future__ import annotations

import io
import itertools
import json
import math
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeGuard, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, StorageError
from dovetail.extend import Array, DType
from dovetail_io.hashing import CHUNK, Buffer, RunningHash, chunks
from dovetail_io.sealed import FileRecord, no_duplicates, open_regular

__all__ = ["METADATA", "TensorSpec", "as_stored", "decoded", "encoded", "encoded_size", "read_tensors"]

METADATA: Final = "__metadata__"
OWN: Final = "dovetail"
STRINGS: Final = "strings"
PAIRS: Final = "complex128"
HEADER_LIMIT: Final = 100_000_000
_MOST_DIMENSIONS: Final = 64  # of NumPy's arrays
_DTYPES: Final = {
    "BOOL": dt.bool,
    "U8": dt.uint8,
    "U16": dt.uint16,
    "U32": dt.uint32,
    "U64": dt.uint64,
    "I8": dt.int8,
    "I16": dt.int16,
    "I32": dt.int32,
    "I64": dt.int64,
    "F16": dt.float16,
    "BF16": dt.bfloat16,
    "F32": dt.float32,
    "F64": dt.float64,
    "C64": dt.complex64,
}
_CODES: Final = {dtype: code for code, dtype in _DTYPES.items()} | {dt.complex128: "F64"}
"""The format has no name for complex128: real and imaginary parts are the last axis of a float64 tensor."""


@final
class TensorSpec:
    """Dtype and shape of a tensor in a file, and how many bytes it takes there, where that is known."""

    __slots__ = ("bytes", "dtype", "shape")

    def __init__(self, dtype: DType, shape: Sequence[int], bytes: int | None = None) -> None:
        """Record a tensor."""
        self.bytes = bytes
        self.dtype = dtype
        self.shape = tuple(shape)

    def __str__(self) -> str:
        """Print dtype and shape, such as ``float32[2, 3]``."""
        return f"{self.dtype.name}[{', '.join(map(str, self.shape))}]"


# Writing. ------------------------------------------------------------------------------------------------------------


def encoded(arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> Iterator[Buffer]:
    """Return the bytes of a safetensors file, piece by piece; equal arguments give equal bytes.

    Args:
        arrays: the tensors by name; each is looked at when its turn comes.
        metadata: JSON-able data, which the file holds under ``"dovetail"``.

    Raises:
        DTypeError: an array's dtype is none of Dovetail's.
        InvalidArgumentError: the format does not hold the names of the arrays.
    """
    if METADATA in arrays:
        raise InvalidArgumentError(
            f"no tensor can be named {METADATA!r}: safetensors files keep their metadata there. Rename it."
        )
    dtypes = {name: dt.as_dtype(array.dtype) for name, array in arrays.items()}
    strings = {name: list(arrays[name].shape) for name, dtype in dtypes.items() if dtype.is_string}
    pairs = {name: list(arrays[name].shape) for name, dtype in dtypes.items() if dtype is dt.complex128}
    own = {**metadata, **{key: one for key, one in ((STRINGS, strings), (PAIRS, pairs)) if one}}
    header: dict[str, Any] = {METADATA: {OWN: json.dumps(own)}} if own else {}
    # Large items first, so that every tensor is aligned; those alike by name, so that the order is one.
    order = sorted(arrays, key=lambda name: (-dtypes[name].size if name not in strings else 0, name))
    begin = 0
    for name in order:
        size = encoded_size(arrays[name], name)
        code, shape = ("U8", [size]) if name in strings else (_CODES[dtypes[name]], list(arrays[name].shape))
        shape += [2] if name in pairs else []
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [begin, begin + size]}
        begin += size
    try:
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"{len(arrays)} tensors cannot be written: {error}. Rename them.") from error
    text += b" " * (-len(text) % 8)
    if len(text) > HEADER_LIMIT:
        raise InvalidArgumentError(
            f"{len(arrays)} tensors cannot be written: their header has {len(text)} bytes, safetensors files allow "
            f"{HEADER_LIMIT}. Give them shorter names."
        )
    return itertools.chain([len(text).to_bytes(8, "little") + text], (_bytes_of(arrays[name], name) for name in order))


def _bytes_of(array: Array, name: str) -> memoryview:
    stored = as_stored(array, name).reshape(-1)
    little = stored.byteswap() if sys.byteorder == "big" else stored
    return little.view(np.uint8).data


def as_stored(array: Array, name: str = "an array") -> Array:
    """Return an array as files hold it: contiguous, in the machine's order of bytes, strings as uint8."""
    dtype = dt.as_dtype(array.dtype)
    if not dtype.is_string:
        return np.asarray(array, dtype.numpy, order="C")
    items = _strings_of(array, name)
    offsets = np.cumsum([0, *map(len, items)], dtype="<i8")
    return np.frombuffer(b"".join([offsets.tobytes(), *items]), np.uint8)


def _strings_of(array: Array, name: str) -> list[bytes]:
    items: list[Any] = array.reshape(-1).tolist()
    wrong = next((item for item in items if not isinstance(item, bytes)), None)
    if wrong is not None:
        raise DTypeError(f"{name!r} holds a {type(wrong).__name__} among its strings; strings are bytes objects.")
    return items


def encoded_size(array: Array, name: str = "an array") -> int:
    """Return how many bytes an array takes in a file, without the header."""
    dtype = dt.as_dtype(array.dtype)
    return (
        8 * (array.size + 1) + sum(map(len, _strings_of(array, name))) if dtype.is_string else array.size * dtype.size
    )


# Reading. ------------------------------------------------------------------------------------------------------------


def read_tensors(
    path: Path,
    names: Collection[str] | None = None,
    *,
    record: FileRecord | None = None,
    folder: Path | None = None,
) -> tuple[dict[str, Array], dict[str, TensorSpec]]:
    """Read a safetensors file.

    Args:
        path: the file.
        names: the tensors wanted; all unless given. Names that the file does not have are left out.
        record: size and hash to check.
        folder: the folder that the file must lie in, once symbolic links are followed.

    Returns:
        The arrays, and what the file says of all its tensors.

    Raises:
        FormatError: the file is damaged, or of another format.
        NotFoundError: there is none.
        StorageError: it cannot be read.
    """
    try:
        with open_regular(path, folder) as file, _Source(file, hashed=record is not None) as source:
            if record is not None:
                record.check_size(path, source.size)
            found = _read(source, names)
            if record is not None:
                record.check_hash(path, source.hexdigest())
            return found
    except MemoryError as error:
        raise StorageError(f'"{path}" cannot be read: its tensors do not fit into memory.') from error
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f'"{path}" cannot be read: {error.strerror or error}.') from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f'"{path}" is damaged, or no safetensors file: {error}. Take another one.') from error


def decoded(content: bytes, path: Path) -> dict[str, Array]:
    """Return the arrays of a safetensors file whose bytes are in memory; ``path`` names them in messages.

    Raises:
        FormatError: they are damaged, or of another format.
    """
    try:
        with _Source(io.BytesIO(content), hashed=False) as source:
            return _read(source, None)[0]
    except (ValueError, RecursionError) as error:
        raise FormatError(f'"{path}" is damaged, or no safetensors file: {error}. Take another one.') from error


class _Entry(NamedTuple):
    """What the header says of a tensor."""

    name: str
    code: str
    shape: list[int]
    begin: int
    end: int


@final
class _Source:
    """A file that is read once from beginning to end, hashed on the way if wanted; a context manager."""

    def __init__(self, file: FileIO | io.BytesIO, *, hashed: bool) -> None:
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._file = file
        self._hash = RunningHash() if hashed else None

    def read(self, count: int) -> bytearray:
        """Return the next bytes."""
        content = bytearray(count)
        self.read_into(memoryview(content))
        return content

    def read_into(self, whole: memoryview) -> None:
        """Fill ``whole`` with the next bytes."""
        for part in chunks(whole):
            rest = part
            while rest:
                count = self._file.readinto(rest)
                if not count:
                    raise ValueError("it became shorter while it was read")
                rest = rest[count:]
            if self._hash is not None:
                self._hash.update(part)

    def skip(self, count: int) -> None:
        """Pass over the next bytes."""
        if self._hash is None:
            self._file.seek(count, os.SEEK_CUR)
            return
        while count:
            count -= len(self.read(min(count, CHUNK)))

    def hexdigest(self) -> str:
        """Return the hash of what has been read."""
        return "" if self._hash is None else self._hash.hexdigest()

    def __enter__(self) -> _Source:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._hash is not None:
            self._hash.close()


def _read(source: _Source, names: Collection[str] | None) -> tuple[dict[str, Array], dict[str, TensorSpec]]:
    """Return arrays and specs; raises ValueError with the reason where the content is damaged."""
    entries, strings, pairs = _header(source)
    arrays: dict[str, Array] = {}
    specs: dict[str, TensorSpec] = {}
    for name, code, shape, begin, end in entries:
        dtype = dt.string if name in strings else dt.complex128 if name in pairs else _DTYPES[code]
        specs[name] = TensorSpec(dtype, strings.get(name, pairs.get(name, shape)), end - begin)
        if names is not None and name not in names:
            source.skip(end - begin)
        elif name in strings:
            arrays[name] = _strings(name, source.read(end - begin), strings[name])
        else:
            array = _array(source, code, shape)
            arrays[name] = array.view(np.complex128).reshape(pairs[name]) if name in pairs else array
    return arrays, specs


def _array(source: _Source, code: str, shape: list[int]) -> Array:
    array = np.empty(shape, np.uint8 if code == "BOOL" else _DTYPES[code].numpy)
    source.read_into(array.reshape(-1).view(np.uint8).data)
    if code == "BOOL":
        return np.not_equal(array, 0)
    return array.byteswap() if sys.byteorder == "big" else array


def _header(source: _Source) -> tuple[list[_Entry], dict[str, list[int]], dict[str, list[int]]]:
    """Read the header; returns the tensors in the order of their bytes, and the shapes of strings and of complex128."""
    if source.size < 8:
        raise ValueError(f"it has {source.size} bytes, which is too small for a header")
    length = int.from_bytes(source.read(8), "little")
    if length > min(HEADER_LIMIT, source.size - 8):
        raise ValueError(f"its header is said to have {length} bytes, which is too large for its {source.size}")
    header = json.loads(source.read(length).decode(), object_pairs_hook=no_duplicates)
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    metadata = header.pop(METADATA, None) or {}
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError("its metadata are no strings by name")
    entries = sorted((_entry(name, given) for name, given in header.items()), key=lambda one: (one.begin, one.end))
    place = 0
    for entry in entries:
        if entry.begin != place:
            raise ValueError(f"{entry.name!r} begins at byte {entry.begin} of the data, where {place} is expected")
        place = entry.end
    if place != source.size - 8 - length:
        raise ValueError(f"its tensors take {place} bytes, and {source.size - 8 - length} are there")
    strings, pairs = _shapes_of(metadata, STRINGS), _shapes_of(metadata, PAIRS)
    known = {entry.name: entry for entry in entries}
    for name in (*strings, *pairs):
        if name not in known:
            raise ValueError(f"its metadata describe {name!r}, a tensor that it does not have")
        code, shape = known[name].code, known[name].shape
        if name in strings and (code != "U8" or len(shape) != 1):
            raise ValueError(f"{name!r} is {_DTYPES[code].name}{shape}, which cannot hold strings")
        if name in pairs and (code != "F64" or shape != [*pairs[name], 2]):
            raise ValueError(
                f"{name!r} is {_DTYPES[code].name}{shape}, which cannot hold complex numbers of shape {pairs[name]}"
            )
    return entries, strings, pairs


def _entry(name: str, given: Any) -> _Entry:
    name.encode()  # half a surrogate pair, which JSON can express, is no text
    if not isinstance(given, dict):
        raise ValueError(f"what it says of {name!r} is {given!r}")
    code, shape, offsets = given.get("dtype"), given.get("shape"), given.get("data_offsets")
    if not (_sizes(shape) and _sizes(offsets) and len(offsets) == 2):
        raise ValueError(f"{name!r} has the shape {shape!r} and the offsets {offsets!r}")
    if not isinstance(code, str) or code not in _DTYPES:
        raise ValueError(f"{name!r} has the dtype {code!r}, which Dovetail does not have")
    size = math.prod(shape) * _DTYPES[code].size
    begin, end = offsets
    if end - begin != size:
        raise ValueError(f"{name!r} is {_DTYPES[code].name}{shape}, which takes {size} bytes, and has {end - begin}")
    return _Entry(name, code, shape, begin, end)


def _sizes(given: Any) -> TypeGuard[list[int]]:
    return (
        isinstance(given, list)
        and len(given) <= _MOST_DIMENSIONS
        and all(type(size) is int and 0 <= size < 1 << 62 for size in given)
    )


def _shapes_of(metadata: Mapping[str, str], kind: str) -> dict[str, list[int]]:
    own = json.loads(metadata.get(OWN, "{}"), object_pairs_hook=no_duplicates)
    shapes = own.get(kind, {}) if isinstance(own, dict) else None
    if not isinstance(shapes, dict):
        raise ValueError(f"its metadata {OWN!r} are not Dovetail's")
    for name, shape in shapes.items():
        if not _sizes(shape):
            raise ValueError(f"the shape of {name!r} is {shape!r}")
    return shapes


def _strings(name: str, data: bytearray, shape: Sequence[int]) -> Array:
    count = math.prod(shape)
    begin = 8 * (count + 1)
    if begin > len(data):
        raise ValueError(f"{name!r} has {len(data)} bytes, which cannot hold strings of shape {shape}")
    content = memoryview(data)[begin:]
    offsets = np.ndarray(count + 1, "<i8", data).tolist()
    if offsets[0] != 0 or offsets[-1] != len(content) or any(a > b for a, b in itertools.pairwise(offsets)):
        raise ValueError(f"the offsets of the strings of {name!r} are out of order")
    array = np.empty(count, object)
    array[:] = [bytes(content[begin:end]) for begin, end in itertools.pairwise(offsets)]
    return array.reshape(shape)
