"""Containers: JSON-able data and arrays as bytes that vouch for themselves, for what has no files of its own.

A container is the length of a sealed text (eight bytes, little-endian), that text, and the arrays as a safetensors
file has them, of which the text tells size and SHA-256. A change of any byte is noticed; nothing of it runs code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dovetail.errors import FormatError
from dovetail.extend import Array
from dovetail_io.checkpoint import PathLike, as_prefix
from dovetail_io.files import locked, replace_file
from dovetail_io.sealed import Kind, read_bytes, seal, unseal
from dovetail_io.tensors import decoded, encoded

__all__ = ["pack", "read_packed", "unpack", "write_packed"]

_LENGTH: Final = 8


def pack(data: Mapping[str, Any], arrays: Mapping[str, Array], *, format: str, version: int = 1) -> bytes:
    """Return data and arrays as bytes, which ``unpack`` takes; equal arguments give equal bytes.

    Args:
        data: what JSON holds.
        arrays: arrays by name, of Dovetail's dtypes.
        format: what the container is, such as ``"my-scaler"``; ``unpack`` refuses all others.
        version: of the format.

    Raises:
        DTypeError: an array's dtype is none of Dovetail's.

    Example:
        >>> content = pack({"title": "iris"}, {"mean": np.zeros(4)}, format="my-scaler")
        >>> unpack(content, format="my-scaler")
        ({'title': 'iris'}, {'mean': array([0., 0., 0., 0.])})
    """
    tensors = b"".join(encoded(arrays, {}))
    sums = {"bytes": len(tensors), "sha256": hashlib.sha256(tensors).hexdigest()}
    text = seal(_kind(format, version), {"arrays": sums, "data": dict(data)}, {"data": 2})
    return len(text).to_bytes(_LENGTH, "little") + text + tensors


def unpack(
    content: bytes, *, format: str, version: int = 1, source: PathLike = "container"
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the data and the arrays that ``pack`` was given.

    Args:
        content: the bytes.
        format: what the container must be.
        version: the newest version of the format that the caller reads.
        source: where the bytes come from, for messages.

    Raises:
        FormatError: they are damaged, of another format, or of a newer version.
    """
    path = Path(source)
    length = int.from_bytes(content[:_LENGTH], "little")
    if len(content) < _LENGTH or length > len(content) - _LENGTH:
        raise FormatError(
            f'"{path}" is damaged or no container of the format {format!r}: it has {len(content)} bytes. Take another '
            "one."
        )
    fields = unseal(content[_LENGTH : _LENGTH + length], path, _kind(format, version))
    tensors = content[_LENGTH + length :]
    sums = {"bytes": len(tensors), "sha256": hashlib.sha256(tensors).hexdigest()}
    data = fields.get("data")
    if fields.get("arrays") != sums or not isinstance(data, dict):
        raise FormatError(f'"{path}" is damaged: its arrays are not those that it was written with. Take another one.')
    return data, decoded(tensors, path)


def write_packed(
    path: PathLike, data: Mapping[str, Any], arrays: Mapping[str, Array], *, format: str, version: int = 1
) -> str:
    """Write data and arrays to a file, which appears whole or not at all; returns its path.

    The arguments are those of ``pack``.

    Raises:
        StorageError: the file system refuses; what was there before is as it was.
    """
    target = as_prefix(path, "write_packed")
    content = pack(data, arrays, format=format, version=version)
    with locked(target.parent):
        replace_file(target, [content])
    return str(target)


def read_packed(path: PathLike, *, format: str, version: int = 1) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the data and the arrays of a file that ``write_packed`` wrote.

    Raises:
        NotFoundError: there is none.
        FormatError: it is damaged, of another format, or of a newer version.
        StorageError: it cannot be read.
    """
    source = as_prefix(path, "read_packed")
    return unpack(read_bytes(source), format=format, version=version, source=source)


def _kind(format: str, version: int) -> Kind:
    return Kind(f"container of the format {format!r}", format, version)
