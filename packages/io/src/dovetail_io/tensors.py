"""Arrays in the safetensors format, which many libraries read: a header in JSON, then the bytes of each array.

Every dtype of Dovetail has its own there, save strings: an array of n strings is stored as uint8, first n + 1 offsets
(int64, little-endian), then the bytes of all strings; the metadata tell its shape under ``"dovetail.strings"``.

Read are only files without holes, overlaps or duplicate names, which is what the format demands.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, StorageError
from dovetail.extend import Array, DType
from dovetail_io.sealed import FileRecord, open_regular

__all__ = ["METADATA", "TensorSpec", "encode", "encoded_size", "read_header", "read_tensors"]

METADATA: Final = "__metadata__"
STRINGS: Final = "dovetail.strings"
HEADER_LIMIT: Final = 100_000_000
_CHUNK: Final = 1 << 23
_CODES: Final = {
    dt.bool: "BOOL",
    dt.uint8: "U8",
    dt.uint16: "U16",
    dt.uint32: "U32",
    dt.uint64: "U64",
    dt.int8: "I8",
    dt.int16: "I16",
    dt.int32: "I32",
    dt.int64: "I64",
    dt.float16: "F16",
    dt.bfloat16: "BF16",
    dt.float32: "F32",
    dt.float64: "F64",
}
_DTYPES: Final = {code: dtype for dtype, code in _CODES.items()}


@final
class TensorSpec:
    """A tensor in a file: dtype and shape, and where its bytes lie among the data."""

    __slots__ = ("begin", "dtype", "end", "shape")

    def __init__(self, dtype: DType, shape: Sequence[int], begin: int, end: int) -> None:
        """Record a tensor."""
        self.dtype = dtype
        self.shape = tuple(shape)
        self.begin = begin
        self.end = end

    def __str__(self) -> str:
        """Print dtype and shape, such as ``float32[2, 3]``."""
        return f"{self.dtype.name}[{', '.join(map(str, self.shape))}]"


# Writing. ------------------------------------------------------------------------------------------------------------


def encode(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> Iterator[bytes | memoryview]:
    """Give the bytes of a safetensors file, a buffer at a time; arrays are not copied, unless they are not contiguous.

    Raises:
        DTypeError: an array's dtype is none of Dovetail's.
        InvalidArgumentError: the name of an array is ``"__metadata__"``.
    """
    if METADATA in arrays:
        raise InvalidArgumentError(
            f"no tensor can be named {METADATA!r}: safetensors files keep their metadata there. Rename it."
        )
    strings: dict[str, list[int]] = {}
    entries: dict[str, tuple[str, list[int], int]] = {}
    for name, array in arrays.items():
        dtype = dt.as_dtype(array.dtype)
        if dtype.is_string:
            strings[name] = list(array.shape)
            size = _string_size(array, name)
            entries[name] = ("U8", [size], size)
        else:
            entries[name] = (_CODES[dtype], list(array.shape), array.size * dtype.size)
    order = sorted(entries, key=lambda name: (-_item_size(entries[name][0]), name))
    header: dict[str, Any] = {METADATA: {**metadata, STRINGS: json.dumps(strings)} if strings else dict(metadata)}
    offset = 0
    for name in order:
        code, shape, size = entries[name]
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > HEADER_LIMIT:
        raise InvalidArgumentError(
            f"{len(arrays)} tensors make a header of {len(text)} bytes; safetensors files allow {HEADER_LIMIT}."
        )
    yield len(text).to_bytes(8, "little") + text
    for name in order:
        array = arrays[name]
        if name in strings:
            yield from _string_parts(array)
        else:
            yield _raw(array)


def encoded_size(array: Array) -> int:
    """Return how many bytes an array takes in a file, without the header."""
    dtype = dt.as_dtype(array.dtype)
    return _string_size(array, "an array") if dtype.is_string else array.size * dtype.size


def _item_size(code: str) -> int:
    return _DTYPES[code].size


def _raw(array: Array) -> memoryview:
    flat = np.ascontiguousarray(array, dt.as_dtype(array.dtype).numpy).reshape(-1)
    if sys.byteorder == "big":
        flat = flat.byteswap()
    return flat.view(np.uint8).data


def _items(array: Array) -> list[Any]:
    items: list[Any] = array.reshape(-1).tolist()
    return items


def _string_size(array: Array, name: str) -> int:
    items = _items(array)
    wrong = next((item for item in items if not isinstance(item, bytes)), None)
    if wrong is not None:
        raise DTypeError(f"{name!r} holds a {type(wrong).__name__} among its strings; strings are bytes objects.")
    return 8 * (len(items) + 1) + sum(map(len, items))


def _string_parts(array: Array) -> Iterator[bytes]:
    items = _items(array)
    yield np.cumsum([0, *map(len, items)], dtype="<i8").tobytes()
    yield b"".join(items)


# Reading. ------------------------------------------------------------------------------------------------------------


def read_header(path: Path, folder: Path | None = None) -> tuple[dict[str, TensorSpec], dict[str, str]]:
    """Return the tensors of a safetensors file and its metadata.

    Raises:
        FormatError: the file is damaged, or of another format.
        NotFoundError: there is none.
        StorageError: it cannot be read.
    """
    with open_regular(path, folder) as file:
        return _header(path, file)[1:]


def read_tensors(
    path: Path,
    names: Collection[str] | None = None,
    *,
    record: FileRecord | None = None,
    folder: Path | None = None,
) -> tuple[dict[str, Array], dict[str, TensorSpec], dict[str, str]]:
    """Read a safetensors file in one pass.

    Args:
        path: the file.
        names: the tensors wanted; all unless given. Names that the file does not have are left out.
        record: size and hash to check; the whole file is read for it.
        folder: the folder that the file must lie in, once symbolic links are followed.

    Returns:
        The arrays, what the file says of all its tensors, and its metadata.

    Raises:
        FormatError: the file is damaged, or of another format.
        NotFoundError: there is none.
        StorageError: it cannot be read.
    """
    digest = hashlib.sha256()
    arrays: dict[str, Array] = {}
    with open_regular(path, folder) as file:
        if record is not None:
            record.check_size(path, _size(file))
        text, specs, metadata = _header(path, file)
        digest.update(text)
        try:
            for name, spec in sorted(specs.items(), key=lambda item: (item[1].begin, item[1].end)):
                if names is None or name in names:
                    raw = np.empty(spec.end - spec.begin, np.uint8)
                    _fill(path, file, raw.data, digest if record is not None else None)
                    arrays[name] = _array(raw, spec, path, name)
                elif record is not None:
                    _skip(path, file, spec.end - spec.begin, digest)
                else:
                    file.seek(spec.end - spec.begin, 1)
        except OSError as error:
            if isinstance(error, StorageError):
                raise
            raise StorageError(f'"{path}" cannot be read: {error.strerror or error}.') from error
        except MemoryError as error:
            raise StorageError(f'"{path}" cannot be read: its tensors do not fit into memory.') from error
    if record is not None:
        record.check_hash(path, digest.hexdigest())
    return arrays, specs, metadata


def _size(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size


def _fill(path: Path, file: BinaryIO, target: memoryview, digest: Any) -> None:
    for begin in range(0, len(target), _CHUNK):
        part = target[begin : begin + _CHUNK]
        filled = 0
        while filled < len(part):
            count: int = file.readinto(part[filled:])  # type: ignore[attr-defined]
            if not count:
                raise FormatError(f'"{path}" is damaged: it was cut off while it was read. Take another one.')
            filled += count
        if digest is not None:
            digest.update(part)


def _skip(path: Path, file: BinaryIO, count: int, digest: Any) -> None:
    scratch = memoryview(bytearray(min(count, _CHUNK)))
    while count:
        part = scratch[: min(count, len(scratch))]
        _fill(path, file, part, digest)
        count -= len(part)


def _header(path: Path, file: BinaryIO) -> tuple[bytes, dict[str, TensorSpec], dict[str, str]]:
    total = _size(file)
    if not total:
        raise FormatError(f'"{path}" is empty, so it is no safetensors file. Take another one.')
    start = bytearray(min(8, total))
    _fill(path, file, memoryview(start), None)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > HEADER_LIMIT or length > total - 8:
        raise FormatError(
            f'"{path}" is damaged, or no safetensors file: its header should have {length} bytes. Take another one.'
        )
    text = bytearray(length)
    _fill(path, file, memoryview(text), None)
    specs, metadata = _parse(path, bytes(text), total - 8 - length)
    return bytes(start) + bytes(text), specs, metadata


def _parse(path: Path, text: bytes, data_size: int) -> tuple[dict[str, TensorSpec], dict[str, str]]:
    def damaged(reason: object) -> FormatError:
        return FormatError(f'"{path}" is damaged, or no safetensors file: {reason}. Take another one.')

    def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        data = dict(pairs)
        if len(data) != len(pairs):
            keys = [key for key, _ in pairs]
            raise damaged(f"its header has {next(key for key in keys if keys.count(key) > 1)!r} twice")
        return data

    try:
        header = json.loads(text, object_pairs_hook=no_duplicates)
        metadata = header.pop(METADATA, {})
        strings = json.loads(metadata.get(STRINGS, "{}"), object_pairs_hook=no_duplicates)
        if not all(isinstance(value, str) for value in metadata.values()) or not isinstance(strings, dict):
            raise damaged("its metadata are not strings")
        specs = {name: _spec(name, entry, strings.get(name), damaged) for name, entry in header.items()}
        if not strings.keys() <= specs.keys():
            raise damaged("its metadata describe a tensor that it does not have")
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        if isinstance(error, FormatError):
            raise
        raise damaged(f"its header cannot be read: {error}") from error
    end = 0
    for name, spec in sorted(specs.items(), key=lambda item: (item[1].begin, item[1].end)):
        if spec.begin != end:
            raise damaged(f"the data of {name!r} begin at {spec.begin}, where {end} is expected")
        end = spec.end
    if end != data_size:
        raise damaged(f"it has {data_size} bytes of data, and its header describes {end}")
    return specs, metadata


def _spec(name: str, entry: Any, string_shape: Any, damaged: Any) -> TensorSpec:
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise damaged(f"what it says of {name!r} is {entry!r}")
    code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    for numbers in (shape, offsets) if string_shape is None else (shape, offsets, string_shape):
        if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < 1 << 62 for n in numbers):
            raise damaged(f"shape or place of {name!r} is {numbers!r}")
    if not isinstance(code, str) or code not in _DTYPES:
        raise damaged(f"{name!r} has the dtype {code!r}, which Dovetail does not have")
    dtype = _DTYPES[code]
    if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * dtype.size:
        raise damaged(f"{name!r} is {dtype.name}{shape} and has its bytes at {offsets}, which does not fit")
    if string_shape is None:
        return TensorSpec(dtype, shape, *offsets)
    if code != "U8" or len(shape) != 1 or shape[0] < 8 * (math.prod(string_shape) + 1):
        raise damaged(f"{name!r} is {dtype.name}{shape}, which cannot hold strings of shape {string_shape}")
    return TensorSpec(dt.string, string_shape, *offsets)


def _array(raw: Array, spec: TensorSpec, path: Path, name: str) -> Array:
    try:
        if spec.dtype.is_string:
            return _strings(raw, spec)
        if spec.dtype.is_bool:
            return np.not_equal(raw, 0).reshape(spec.shape)
        array: Array = raw.view(spec.dtype.numpy)
        if sys.byteorder == "big":
            array = array.byteswap()
        return array.reshape(spec.shape)
    except ValueError as error:
        raise FormatError(f'"{path}" is damaged: {name!r} cannot be {spec}: {error}. Take another one.') from error


def _strings(raw: Array, spec: TensorSpec) -> Array:
    count = math.prod(spec.shape)
    offsets = raw[: 8 * (count + 1)].view("<i8").tolist()
    content = raw[8 * (count + 1) :].tobytes()
    if offsets[0] != 0 or offsets[-1] != len(content) or any(a > b for a, b in itertools.pairwise(offsets)):
        raise ValueError("the offsets of its strings are out of order")
    array = np.empty(count, object)
    array[:] = [content[begin:end] for begin, end in itertools.pairwise(offsets)]
    return array.reshape(spec.shape)
