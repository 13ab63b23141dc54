"""Arrays in the safetensors format, which many libraries read; the safetensors library writes and reads it.

Every dtype of Dovetail has its own there, save strings: an array of n strings is stored as uint8, first n + 1 offsets
(int64, little-endian), then the bytes of all strings. Which tensors are strings, and of which shape, the metadata tell
under ``"dovetail"``, in JSON.

The library works on the bytes of a whole file, so writing and reading take as much memory again as the largest file
has; ``max_shard_bytes`` of a saver bounds that.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError, deserialize

import dovetail as dt
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, StorageError
from dovetail.extend import Array, DType
from dovetail_io.sealed import FileRecord, no_duplicates, read_bytes

__all__ = ["METADATA", "TensorSpec", "as_stored", "encode", "encoded_size", "read_tensors"]

METADATA: Final = "__metadata__"
OWN: Final = "dovetail"
HEADER_LIMIT: Final = 100_000_000
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
}


@final
class TensorSpec:
    """Dtype and shape of a tensor in a file."""

    __slots__ = ("dtype", "shape")

    def __init__(self, dtype: DType, shape: Sequence[int]) -> None:
        """Record a tensor."""
        self.dtype = dtype
        self.shape = tuple(shape)

    def __str__(self) -> str:
        """Print dtype and shape, such as ``float32[2, 3]``."""
        return f"{self.dtype.name}[{', '.join(map(str, self.shape))}]"


# Writing. ------------------------------------------------------------------------------------------------------------


def encode(arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> bytes:
    """Return the bytes of a safetensors file; equal arguments give equal bytes.

    Args:
        arrays: the tensors by name.
        metadata: JSON-able data, which the file holds under ``"dovetail"``.

    Raises:
        DTypeError: an array's dtype is none of Dovetail's.
        InvalidArgumentError: the format does not hold the names of the arrays.
    """
    if METADATA in arrays:
        raise InvalidArgumentError(
            f"no tensor can be named {METADATA!r}: safetensors files keep their metadata there. Rename it."
        )
    stored = {name: as_stored(array, name) for name, array in arrays.items()}
    strings = {name: list(array.shape) for name, array in arrays.items() if dt.as_dtype(array.dtype).is_string}
    own = {**metadata, "strings": strings} if strings else dict(metadata)
    try:
        # One entry: the library writes several in an order that changes from call to call.
        content: bytes = safetensors.numpy.save(stored, {OWN: json.dumps(own)} if own else None)
    except (SafetensorError, UnicodeEncodeError) as error:
        raise InvalidArgumentError(f"{len(arrays)} tensors cannot be written: {error}. Rename them.") from error
    header = int.from_bytes(content[:8], "little")
    if header > HEADER_LIMIT:  # which versions of the library before 0.8 write, and do not read
        raise InvalidArgumentError(
            f"{len(arrays)} tensors cannot be written: their header has {header} bytes, safetensors files allow "
            f"{HEADER_LIMIT}. Give them shorter names."
        )
    return content


def as_stored(array: Array, name: str = "an array") -> Array:
    """Return an array as files hold it: contiguous, in the machine's order of bytes, strings as uint8."""
    dtype = dt.as_dtype(array.dtype)
    if not dtype.is_string:
        return np.asarray(array, dtype.numpy, order="C")
    items = array.reshape(-1).tolist()
    wrong = next((item for item in items if not isinstance(item, bytes)), None)
    if wrong is not None:
        raise DTypeError(f"{name!r} holds a {type(wrong).__name__} among its strings; strings are bytes objects.")
    offsets = np.cumsum([0, *map(len, items)], dtype="<i8")
    return np.frombuffer(offsets.tobytes() + b"".join(items), np.uint8)


def encoded_size(array: Array) -> int:
    """Return how many bytes an array takes in a file, without the header."""
    dtype = dt.as_dtype(array.dtype)
    return as_stored(array).nbytes if dtype.is_string else array.size * dtype.size


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
        content = read_bytes(path, folder)
        if record is not None:
            record.checked(path, content)
        return _decode(content, names)
    except MemoryError as error:
        raise StorageError(f'"{path}" cannot be read: its tensors do not fit into memory.') from error
    except (SafetensorError, ValueError, RecursionError) as error:
        if isinstance(error, FormatError):
            raise
        reason = str(error).removeprefix("Error while deserializing: ")
        raise FormatError(f'"{path}" is damaged, or no safetensors file: {reason}. Take another one.') from error


def _decode(content: bytes, names: Collection[str] | None) -> tuple[dict[str, Array], dict[str, TensorSpec]]:
    """Return arrays and specs; raises SafetensorError or ValueError with the reason where the content is damaged."""
    found: dict[str, dict[str, Any]] = dict(deserialize(content))  # type: ignore[no-untyped-call]
    strings = _string_shapes(content)
    if not strings.keys() <= found.keys():
        raise ValueError("its metadata describe a tensor that it does not have")
    arrays: dict[str, Array] = {}
    specs: dict[str, TensorSpec] = {}
    for name, entry in found.items():
        code, shape, data = entry["dtype"], entry["shape"], entry["data"]
        if code not in _DTYPES:
            raise ValueError(f"{name!r} has the dtype {code!r}, which Dovetail does not have")
        if name in strings and (code != "U8" or len(shape) != 1):
            raise ValueError(f"{name!r} is {_DTYPES[code].name}{shape}, which cannot hold strings")
        specs[name] = TensorSpec(dt.string if name in strings else _DTYPES[code], strings.get(name, shape))
        if names is None or name in names:
            if name in strings:
                arrays[name] = _strings(name, data, strings[name])
            elif code == "BOOL":
                arrays[name] = np.not_equal(np.ndarray(shape, np.uint8, data), 0)
            else:
                dtype = _DTYPES[code].numpy
                arrays[name] = np.ndarray(shape, dtype.newbyteorder("<"), data).astype(dtype, copy=False)
    return arrays, specs


def _string_shapes(content: bytes) -> dict[str, list[int]]:
    """Return the shapes of the tensors that are strings, from a header that the library has accepted.

    The library gives no metadata from bytes, and of two tensors of one name it takes one in silence, while another
    reader may take the other: that is checked here.
    """
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")], object_pairs_hook=no_duplicates)
    own = json.loads((header.get(METADATA) or {}).get(OWN, "{}"), object_pairs_hook=no_duplicates)
    strings = own.get("strings", {}) if isinstance(own, dict) else None
    if not isinstance(strings, dict):
        raise ValueError(f"its metadata {OWN!r} are not Dovetail's")
    for name, shape in strings.items():
        if not isinstance(shape, list) or not all(type(size) is int and 0 <= size < 1 << 62 for size in shape):
            raise ValueError(f"the shape of {name!r} is {shape!r}")
    return strings


def _strings(name: str, data: bytearray, shape: Sequence[int]) -> Array:
    count = math.prod(shape)
    begin = 8 * (count + 1)
    if begin > len(data):
        raise ValueError(f"{name!r} has {len(data)} bytes, which cannot hold strings of shape {shape}")
    content = bytes(memoryview(data)[begin:])
    offsets = np.ndarray(count + 1, "<i8", data).tolist()
    if offsets[0] != 0 or offsets[-1] != len(content) or any(a > b for a, b in itertools.pairwise(offsets)):
        raise ValueError(f"the offsets of the strings of {name!r} are out of order")
    array = np.empty(count, object)
    array[:] = [content[begin:end] for begin, end in itertools.pairwise(offsets)]
    return array.reshape(shape)
