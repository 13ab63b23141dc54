"""Sealed JSON: text that a person reads and compares, with a digest of itself, and vouching for files beside it.

The last line but one of a sealed file is ``"digest"``, the SHA-256 of all bytes before that line; so a change of any
byte is noticed. Its list ``"files"`` names files beside it by their *ending*, which is put after the sealed file's
stem: no name leads out of the folder, and a set of files that is renamed together stays whole.

A sealed file is renamed to its place before the files that it vouches for take theirs: that one rename is the moment
when a set of files replaces another. Until they are moved, and after a crash in between, the files lie under temporary
names, which ``FileRecord.places`` gives as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, final

import dovetail as dt
from dovetail.errors import FormatError, NotFoundError, StorageError

__all__ = [
    "BUNDLE",
    "CHECKPOINT",
    "FileRecord",
    "GRAPH",
    "Kind",
    "LISTING",
    "is_plain_name",
    "moment",
    "no_duplicates",
    "open_regular",
    "read_bytes",
    "read_sealed",
    "records_from_data",
    "seal",
    "temporary_name",
    "unseal",
]

ENDING: Final = re.compile(r"(-[0-9]{5}-of-[0-9]{5})?(\.[A-Za-z0-9_-]+){1,3}")
TOKEN: Final = re.compile(r"[0-9a-f]{16}")
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_DIGEST: Final = re.compile(rb'"digest": "([0-9a-f]{64})"\n}\n')
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")


class Kind(NamedTuple):
    """A kind of sealed file: what messages call it, the name of its format, and the newest version."""

    what: str
    format: str
    version: int


CHECKPOINT: Final = Kind("checkpoint", "dovetail-checkpoint", 1)
GRAPH: Final = Kind("graph file", "dovetail-graph-file", 1)
BUNDLE: Final = Kind("saved model", "dovetail-saved-model", 1)
LISTING: Final = Kind("list of checkpoints", "dovetail-checkpoint-list", 1)


def seal(kind: Kind, fields: Mapping[str, Any], depths: Mapping[str, int]) -> bytes:
    """Return the text of a sealed file.

    Args:
        kind: what it is.
        fields: what it holds, without format, version and digest.
        depths: how many levels of a field are spread over lines; one by default.
    """
    whole = {"format": kind.format, "version": kind.version, "dovetail": dt.__version__, **fields}
    lines = [f"{json.dumps(key)}: {_spread(value, depths.get(key, 1))},\n" for key, value in whole.items()]
    text = ("{\n" + "".join(lines)).encode()
    return text + f'"digest": "{hashlib.sha256(text).hexdigest()}"\n}}\n'.encode()


def _spread(value: Any, depth: int, indent: str = "") -> str:
    inner = indent + " "
    if depth and isinstance(value, Mapping) and value:
        items = [f"{inner}{json.dumps(key)}: {_spread(item, depth - 1, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if depth and isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + _spread(item, depth - 1, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value)


def unseal(content: bytes, path: Path, kind: Kind) -> dict[str, Any]:
    """Return what a sealed file holds.

    Args:
        content: its bytes.
        path: where they come from, for messages.
        kind: what it should be.

    Raises:
        FormatError: it is empty, damaged, of another format, or of a newer version.
    """
    if not content:
        raise FormatError(f'"{path}" is empty, so it is no {kind.what}. Take another one.')
    try:
        data = json.loads(content, object_pairs_hook=no_duplicates)
        if _HALF.search(content):  # of characters that JSON writes in two halves; one alone is no text
            json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise FormatError(f'"{path}" is damaged or no {kind.what}: {error}. Take another one.') from error
    if not isinstance(data, dict) or data.get("format") != kind.format:
        raise FormatError(f'"{path}" is no {kind.what} of Dovetail: its format is not {kind.format!r}.')
    found = data.get("version")
    if type(found) is not int or found < 1:
        raise FormatError(f'"{path}" is damaged: its format version is {found!r}. Take another one.')
    if found > kind.version:
        raise FormatError(
            f'"{path}" has format version {found}, written by Dovetail {data.get("dovetail")}; this one is '
            f"{dt.__version__} and reads version {kind.version}. Update dovetail-io."
        )
    tail = content.rfind(b'"digest": "')
    match = _DIGEST.fullmatch(content, max(tail, 0))
    if match is None or hashlib.sha256(content[:tail]).hexdigest().encode() != match[1]:
        raise FormatError(f'"{path}" is damaged: it does not agree with its own digest. Take another one.')
    return data


def moment(value: Any) -> float:
    """Return seconds since 1970; raises TypeError or ValueError for what is no moment of our calendar."""
    if type(value) not in (int, float) or not 0 <= value < 1 << 37:
        raise ValueError(f"{value!r} is no moment in seconds since 1970")
    return float(value)


def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict of the members of a JSON object; raises ValueError where two have one name."""
    data = dict(pairs)
    if len(data) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice")
    return data


def read_sealed(path: Path, kind: Kind) -> dict[str, Any]:
    """Read and check a sealed file; raises what ``read_bytes`` and ``unseal`` raise."""
    return unseal(read_bytes(path), path, kind)


def open_regular(path: Path, folder: Path | None = None) -> FileIO:
    """Open a file for reading.

    Args:
        path: the file.
        folder: the folder that it must lie in, once symbolic links are followed.

    Raises:
        NotFoundError: there is none.
        FormatError: it is no regular file, or a link that leads out of ``folder``.
        StorageError: it cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            raise FormatError(f'"{path}" is {kind}; a file is expected.')
        if folder is not None and path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            raise FormatError(
                f'"{path}" is a symbolic link to "{path.resolve()}", out of its folder, and is not followed. Put the '
                f"file itself there."
            )
        return path.open("rb", buffering=0)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f'there is no file "{path}".') from error
    except OSError as error:
        raise StorageError(f'"{path}" cannot be read: {error.strerror or error}.') from error


def read_bytes(path: Path, folder: Path | None = None) -> bytes:
    """Return a file's bytes; raises what ``open_regular`` raises."""
    with open_regular(path, folder) as file:
        try:
            return file.read()
        except OSError as error:
            raise StorageError(f'"{path}" cannot be read: {error.strerror or error}.') from error


def temporary_name(name: str, token: str) -> str:
    """Return the name under which a file is written, and lies until it is moved to ``name``."""
    return f".{name}.{token}.partial"


@final
class FileRecord:
    """What a sealed file says of a file beside it.

    Attributes:
        ending: what is put after the sealed file's stem to name it.
        bytes: its size.
        sha256: of its content, in hexadecimal digits.
        pending: part of the temporary name under which it was written.
    """

    __slots__ = ("bytes", "ending", "pending", "sha256")

    def __init__(self, ending: str, bytes: int, sha256: str, pending: str) -> None:
        """Record a file."""
        self.ending = ending
        self.bytes = bytes
        self.sha256 = sha256
        self.pending = pending

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {"ending": self.ending, "bytes": self.bytes, "sha256": self.sha256, "pending": self.pending}

    @classmethod
    def from_data(cls, data: Any, owner: Path) -> FileRecord:
        """Read what ``to_data`` gave.

        Raises:
            FormatError: it has another form, or its ending could lead out of the folder.
        """
        try:
            ending, size, sha256, pending = (data[key] for key in ("ending", "bytes", "sha256", "pending"))
        except (KeyError, TypeError) as error:
            raise FormatError(f'"{owner}" is damaged: {data!r} does not describe a file.') from error
        if not isinstance(ending, str) or not ENDING.fullmatch(ending):
            raise FormatError(
                f'"{owner}" names a file by the ending {ending!r}, which is none: endings are like ".safetensors", '
                f"without folders. Do not trust where it comes from."
            )
        sound = type(size) is int and size >= 0 and isinstance(sha256, str) and _SHA256.fullmatch(sha256)
        if not sound or not isinstance(pending, str) or not TOKEN.fullmatch(pending):
            raise FormatError(f'"{owner}" is damaged: {data!r} does not describe a file.')
        return cls(ending, size, sha256, pending)

    def path(self, stem: Path) -> Path:
        """Return the file's place."""
        return stem.parent / (stem.name + self.ending)

    def places(self, stem: Path) -> Iterator[Path]:
        """Give the places where the file may lie: its own, and the one where it was written.

        Its own comes once more: the file may be moved there between two looks.
        """
        final = self.path(stem)
        yield final
        yield final.with_name(temporary_name(final.name, self.pending))
        yield final

    def is_there(self, stem: Path) -> bool:
        """Whether a file of the right size is in one of its places."""
        for place in self.places(stem):
            try:
                found = place.stat()
            except (OSError, ValueError):
                continue
            if stat.S_ISREG(found.st_mode) and found.st_size == self.bytes:
                return True
        return False

    def read(self, stem: Path, reader: Callable[[Path], _T]) -> _T:
        """Return what ``reader`` makes of the file, which it checks, in the first place where that succeeds.

        Raises:
            FormatError: the file is in neither place, or damaged.
            StorageError: it cannot be read.
        """
        failures: list[Exception] = []
        for place in self.places(stem):
            try:
                return reader(place)
            except (FormatError, NotFoundError, StorageError) as error:
                failures.append(error)
        if all(isinstance(failure, NotFoundError) for failure in failures):
            raise FormatError(
                f'"{self.path(stem)}" is missing, without which "{stem.name}" is not whole. Take another one.'
            ) from failures[0]
        raise next(failure for failure in failures if not isinstance(failure, NotFoundError))

    def check_size(self, path: Path, found: int) -> None:
        """Make sure of a file's size.

        Raises:
            FormatError: it is another.
        """
        if found != self.bytes:
            reason = "it is empty" if not found else "it is cut off" if found < self.bytes else "something was added"
            raise FormatError(
                f'"{path}" is damaged: {reason}; it has {found} bytes and should have {self.bytes}. Take another one.'
            )

    def checked(self, path: Path, content: bytes) -> bytes:
        """Return ``content``, read from ``path``, once size and hash are checked.

        Raises:
            FormatError: one of them is another.
        """
        self.check_size(path, len(content))
        self.check_hash(path, hashlib.sha256(content).hexdigest())
        return content

    def check_hash(self, path: Path, sha256: str) -> None:
        """Make sure of a file's content.

        Raises:
            FormatError: it is another.
        """
        if sha256 != self.sha256:
            raise FormatError(
                f'"{path}" is damaged: its content has changed since it was written (SHA-256 {sha256[:12]}…, should be '
                f"{self.sha256[:12]}…). Take another one."
            )


def records_from_data(data: Any, owner: Path) -> Sequence[FileRecord]:
    """Read the list ``"files"`` of a sealed file.

    Raises:
        FormatError: it has another form, or two files have one ending.
    """
    if not isinstance(data, list):
        raise FormatError(f'"{owner}" is damaged: its list of files is {data!r}.')
    records = [FileRecord.from_data(item, owner) for item in data]
    if len({record.ending for record in records}) != len(records):
        raise FormatError(f'"{owner}" is damaged: it lists a file twice.')
    return records


def is_plain_name(name: str) -> bool:
    """Whether ``name`` names a file in a folder, and cannot lead out of it."""
    return name not in ("", ".", "..") and not set(name) & {"/", "\\", "\0", os.sep}
