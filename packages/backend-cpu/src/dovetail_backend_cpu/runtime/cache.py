"""``ObjectCache``: object files kept on disk from one process to the next, for their user only.

A file's name is the hash of what the object depends on: the task, the machine, the version of LLVM, the printers. The
file begins with the hash of its name and contents, so what was damaged, cut short or renamed is found out, and made
anew. Files are written under another name and moved into place, so that processes can share a folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final, final

from dovetail.errors import InvalidArgumentError

__all__ = ["CacheEntry", "ObjectCache", "default_folder", "default_limit"]

_FOLDER: Final = "DOVETAIL_CACHE_DIR"
_LIMIT: Final = "DOVETAIL_CACHE_LIMIT"
_MAGIC: Final = b"dovetail object 1\n"
_SUFFIX: Final = ".o"
_UNFINISHED: Final = ".part"
_DIGEST: Final = 32
_DEFAULT_LIMIT: Final = 256 << 20
_KEPT_SHARE: Final = 0.75
"""How much of the limit is left when old files are dropped, so that it is not done for each new one."""
_FRESH_SECONDS: Final = 3600.0
"""The time of use is not written again sooner; what is unfinished for longer is nobody's."""
_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def default_folder() -> Path:
    """Return the folder: ``DOVETAIL_CACHE_DIR``, else one where the platform keeps a user's caches."""
    chosen = os.environ.get(_FOLDER, "").strip()
    if chosen:
        return Path(chosen).expanduser() / "cpu"
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "").strip() or str(Path.home() / "AppData" / "Local")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "").strip() or str(Path.home() / ".cache")
    return Path(base).expanduser() / "dovetail" / "cpu"


def default_limit() -> int:
    """Return how many bytes the folder may hold: ``DOVETAIL_CACHE_LIMIT``, such as ``500M``, or 256 MiB.

    Raises:
        InvalidArgumentError: the variable is no such number.
    """
    text = os.environ.get(_LIMIT, "").strip().upper().removesuffix("IB").removesuffix("B")
    if not text:
        return _DEFAULT_LIMIT
    number, unit = (text[:-1], text[-1]) if text[-1] in _UNITS else (text, "")
    if not number.isdecimal():
        raise InvalidArgumentError(
            f"{_LIMIT} is {os.environ[_LIMIT]!r}; set it to a number of bytes, such as 500M, or 0 to keep nothing."
        )
    return int(number) * _UNITS[unit]


@final
class CacheEntry:
    """A file of the cache.

    Attributes:
        path: where it is.
        size: bytes.
        used: when it was last used, in seconds since the epoch, to the hour.
    """

    __slots__ = ("path", "size", "used")

    def __init__(self, path: Path, size: int, used: float) -> None:
        """Describe a file."""
        self.path = path
        self.size = size
        self.used = used


@final
class ObjectCache:
    """Object files by name; what goes wrong with the folder costs one warning and no run.

    Args:
        folder: where they are; made when the first is stored.
        limit: bytes beyond which those used longest ago are dropped; 0 to keep nothing.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        """Look at nothing yet."""
        self.folder = folder
        self.limit = limit
        self._trusted: bool | None = None
        self._warned = False

    def load(self, name: str) -> bytes | None:
        """Return the object, ``None`` where there is none that is whole."""
        if not self.limit or not self._is_ours():
            return None
        path = self._path(name)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn(f"{path} cannot be read: {error}")
            return None
        start = len(_MAGIC) + _DIGEST
        if data[:start] == _MAGIC + _digest(name, data[start:]):
            self._touch(path)
            return data[start:]
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def store(self, name: str, data: bytes) -> None:
        """Keep an object."""
        if not self.limit:
            return
        try:
            self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        except OSError as error:
            self._warn(f"the folder {self.folder} cannot be made: {error}")
            return
        if not self._is_ours():
            return
        path = self._path(name)
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}{_UNFINISHED}")
        try:
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
                with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as file:
                    file.write(_MAGIC + _digest(name, data) + data)
                unfinished.replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    unfinished.unlink()
                raise
        except OSError as error:
            # Another process may hold the file that is there; it has the same contents.
            if not path.exists():
                self._warn(f"{path} cannot be written: {error}")

    def trim(self) -> None:
        """Drop what was used longest ago if the folder holds more than the limit, and what nobody finished."""
        entries = list(self.entries())
        total = sum(entry.size for entry in entries)
        if total > self.limit:
            for entry in sorted(entries, key=lambda one: (one.used, one.path.name)):
                if total <= self.limit * _KEPT_SHARE:
                    break
                with contextlib.suppress(OSError):
                    entry.path.unlink()
                total -= entry.size
        for entry in self._files(_UNFINISHED):
            if _now() - entry.used > _FRESH_SECONDS:
                with contextlib.suppress(OSError):
                    entry.path.unlink()

    def clear(self) -> int:
        """Drop everything; returns how many bytes were freed."""
        freed = 0
        for suffix in (_SUFFIX, _UNFINISHED):
            for entry in self._files(suffix):
                with contextlib.suppress(OSError):
                    entry.path.unlink()
                    freed += entry.size
        return freed

    def entries(self) -> Iterator[CacheEntry]:
        """Yield every file that is kept."""
        return self._files(_SUFFIX)

    def _files(self, suffix: str) -> Iterator[CacheEntry]:
        try:
            paths = sorted(self.folder.iterdir())
        except OSError:
            return
        for path in paths:
            if path.name.endswith(suffix):
                with contextlib.suppress(OSError):
                    found = path.stat()
                    yield CacheEntry(path, found.st_size, found.st_mtime)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{_SUFFIX}"

    def _is_ours(self) -> bool:
        """Return whether nobody else can put code into the folder that this process would run."""
        if self._trusted is not None:
            return self._trusted
        try:
            found = self.folder.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            self._warn(f"the folder {self.folder} cannot be looked at: {error}")
            self._trusted = False
            return False
        self._trusted = True
        if hasattr(os, "getuid"):
            if found.st_uid != os.getuid():
                self._warn(f"the folder {self.folder} belongs to another user; set {_FOLDER} to one of yours")
                self._trusted = False
            elif stat.S_IMODE(found.st_mode) & 0o022:
                self._warn(f"others can write to the folder {self.folder}; run chmod 700 on it")
                self._trusted = False
        return self._trusted

    def _touch(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            if _now() - path.stat().st_mtime > _FRESH_SECONDS:
                os.utime(path)

    def _warn(self, what: str) -> None:
        if not self._warned:
            self._warned = True
            message = f"Compiled code is not kept for the next run: {what}. Set {_FOLDER} to a folder that can be used."
            warnings.warn(message, RuntimeWarning, stacklevel=2)


def _now() -> float:
    return time.time()  # noqa: TID251 - compared with the times of files


def _digest(name: str, data: bytes) -> bytes:
    digest = hashlib.sha256(name.encode())
    digest.update(data)
    return digest.digest()
