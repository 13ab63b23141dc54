"""Text files that are read from any position, compressed or not."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Final, final

from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, StorageError

__all__ = ["PIECE", "Closing", "as_paths", "check_encoding", "open_text", "same_size", "unreadable"]

PIECE: Final = 1 << 19
"""How many characters are read at a time."""

_OPENERS: Final[dict[str, Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


@final
class Closing:
    """Closes the file that somebody reads, when told to or when that is dropped."""

    def __init__(self, owner: object) -> None:
        """Hold no file yet."""
        self._held: list[IO[str]] = []
        weakref.finalize(owner, Closing._close, self._held)

    def hold(self, file: IO[str]) -> IO[str]:
        """Return the file, which will be closed."""
        self._held.append(file)
        return file

    def close(self) -> None:
        """Close it now."""
        Closing._close(self._held)

    @staticmethod
    def _close(held: list[IO[str]]) -> None:
        while held:
            held.pop().close()


def same_size(path: Path, size: int) -> None:
    """See that a file is as long as it was.

    Raises:
        InvalidArgumentError: it is not.
    """
    now = path.stat().st_size
    if now != size:
        raise InvalidArgumentError(
            f"restore: {path} has {now} bytes, but had {size} when the position was saved. Put the file back, "
            "or begin from the start."
        )


def as_paths(given: Any, who: str) -> list[Path]:
    """Return the files that were given, one or several.

    Raises:
        DTypeError: it is no path, and holds none.
        StorageError: one of them is not there.
    """
    several = given if isinstance(given, Iterable) and not isinstance(given, (str, os.PathLike)) else [given]
    paths = []
    for one in several:
        if not isinstance(one, (str, os.PathLike)):
            raise DTypeError(
                f"{who}: {one!r} is no path of a file; give a string or a pathlib.Path, or several in a list."
            )
        paths.append(Path(one).expanduser())
    if not paths:
        raise InvalidArgumentError(f"{who}: the list of files is empty.")
    for path in paths:
        if not path.is_file():
            reason = "it is a folder" if path.is_dir() else f"there is no such file (from {Path.cwd()})"
            raise StorageError(f'{who}: "{path}" cannot be read: {reason}.')
    return paths


def check_encoding(encoding: str, who: str) -> str:
    """Return the encoding to read with, which leaves out a byte order mark of UTF-8.

    Raises:
        InvalidArgumentError: Python knows no such encoding.
    """
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, TypeError):
        raise InvalidArgumentError(
            f"{who}: {encoding!r} is no encoding; well-known ones are utf-8 and latin-1."
        ) from None
    return "utf-8-sig" if name == "utf-8" else encoding


def open_text(path: Path, encoding: str) -> IO[str]:
    """Open a file whose lines end as they do.

    Raises:
        StorageError: the file system refuses.
    """
    try:
        opener = _OPENERS.get(path.suffix.lower())
        raw = path.open("rb") if opener is None else opener(path, "rb")
        return io.TextIOWrapper(raw, encoding=encoding, newline="")
    except OSError as error:
        raise StorageError(f'"{path}" cannot be read: {error.strerror or error}.') from error


def unreadable(path: Path, encoding: str, error: Exception) -> FormatError | StorageError:
    """Return the error for a file that broke off or whose bytes are no text, with the line where that can be told."""
    if not isinstance(error, UnicodeError):
        reason = getattr(error, "strerror", None) or error
        return StorageError(f'"{path}" cannot be read: {reason}.')
    line = "" if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")) else _bad_line(path, encoding)
    return FormatError(
        f"{path}{line}: it is no text in {encoding.removesuffix('-sig')} ({error}). Say its encoding, such as "
        "encoding='latin-1' or 'cp1252'."
    )


def _bad_line(path: Path, encoding: str) -> str:
    opener = _OPENERS.get(path.suffix.lower(), open)
    with opener(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return f", line {number}"
    return ""
