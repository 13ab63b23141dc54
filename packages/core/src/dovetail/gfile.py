"""``dt.gfile``: files and folders under TensorFlow 1's names, on the local file system."""

from __future__ import annotations

import glob as _glob
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, final

from dovetail.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, StorageError

__all__ = [
    "Copy",
    "DeleteRecursively",
    "Exists",
    "FastGFile",
    "GFile",
    "Glob",
    "IsDirectory",
    "ListDirectory",
    "MakeDirs",
    "MkDir",
    "Open",
    "Remove",
    "Rename",
    "Stat",
    "Walk",
]

_Path = str | os.PathLike[str]


@contextmanager
def _told() -> Iterator[None]:
    """Raise what the operating system says as an error of Dovetail."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f'"{error.filename}": there is no such file or folder.') from error
    except FileExistsError as error:
        raise AlreadyExistsError(f'"{error.filename}" exists already; pass overwrite=True, or remove it.') from error
    except OSError as error:
        raise StorageError(f'"{error.filename}": {error.strerror or error}.') from error


@final
class GFile:
    r"""A file: text in the modes ``"r"``, ``"w"``, ``"a"``, bytes with ``"b"`` after them.

    It is opened when it is first used.

    Args:
        name: its path.
        mode: ``"r"`` to read, ``"w"`` to write anew, ``"a"`` to write on at the end; ``"+"`` for both.

    Raises:
        InvalidArgumentError: there is no such mode.
        NotFoundError: at the first use, if the file or its folder is not there.
        StorageError: the file system refuses.

    Example:
        >>> with dt.gfile.GFile("words.txt", "w") as file:
        ...     file.write("one\ntwo\n")
        >>> [line for line in dt.gfile.GFile("words.txt")]
        ['one\n', 'two\n']
    """

    def __init__(self, name: _Path, mode: str = "r") -> None:
        """Remember what to open."""
        self._file: IO[Any] | None = None
        if mode.replace("b", "", 1).replace("+", "", 1) not in ("r", "w", "a"):
            raise InvalidArgumentError(f"GFile: mode is {mode!r}; use 'r', 'w' or 'a', with 'b' for bytes.")
        self._name = os.fspath(name)
        self._mode = mode

    @property
    def name(self) -> str:
        """Its path."""
        return self._name

    @property
    def mode(self) -> str:
        """How it is opened."""
        return self._mode

    def _opened(self) -> IO[Any]:
        if self._file is None:
            encoding = None if "b" in self._mode else "utf-8"
            with _told():
                self._file = Path(self._name).open(self._mode, encoding=encoding)  # noqa: SIM115 - close() ends it
        return self._file

    def read(self, n: int = -1) -> Any:
        """Return the next ``n`` characters or bytes; all that is left by default."""
        return self._opened().read(n)

    def readline(self) -> Any:
        """Return the next line with its end; empty after the last."""
        return self._opened().readline()

    def readlines(self) -> list[Any]:
        """Return the lines that are left."""
        return self._opened().readlines()

    def write(self, file_content: Any) -> None:
        """Write text or bytes."""
        self._opened().write(file_content)

    def seek(self, offset: int, whence: int = 0) -> None:
        """Go to a place: from the beginning, from here (1) or from the end (2)."""
        self._opened().seek(offset, whence)

    def tell(self) -> int:
        """Return where the next character is read or written."""
        return self._opened().tell()

    def size(self) -> int:
        """Return the size of the file in bytes."""
        return Stat(self._name).length

    def flush(self) -> None:
        """Let others see what was written."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close it; using it again opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        """Return the file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __iter__(self) -> Iterator[Any]:
        """Yield the lines that are left."""
        yield from self._opened()

    def __del__(self) -> None:
        """Close it."""
        self.close()


FastGFile = Open = GFile


def Exists(filename: _Path) -> bool:
    """Say whether there is a file or folder.

    Example:
        >>> dt.gfile.Exists("nowhere")
        False
    """
    return Path(filename).exists()


def IsDirectory(dirname: _Path) -> bool:
    """Say whether there is a folder."""
    return Path(dirname).is_dir()


def ListDirectory(dirname: _Path) -> list[str]:
    """Return the names of what is in a folder, sorted.

    Raises:
        NotFoundError: there is no such folder.
        StorageError: the file system refuses.
    """
    with _told():
        return sorted(path.name for path in Path(dirname).iterdir())


def Glob(filename: _Path | Iterable[_Path]) -> list[str]:
    """Return the paths that a pattern fits, or several, sorted.

    Example:
        >>> dt.gfile.MakeDirs("logs/run")
        >>> dt.gfile.Glob("logs/*")
        ['logs/run']
    """
    patterns = [filename] if isinstance(filename, str | os.PathLike) else filename
    return sorted({path for pattern in patterns for path in _glob.glob(os.fspath(pattern))})  # noqa: PTH207 - as given


def MkDir(dirname: _Path) -> None:
    """Make a folder in one that is there.

    Raises:
        AlreadyExistsError: it is there.
        NotFoundError: the folder around is not.
        StorageError: the file system refuses.
    """
    with _told():
        Path(dirname).mkdir()


def MakeDirs(dirname: _Path) -> None:
    """Make a folder and those around it, as far as they are not there.

    Raises:
        StorageError: the file system refuses, or a file has that name.
    """
    try:
        Path(dirname).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f'"{dirname}": {error.strerror or error}.') from error


def Remove(filename: _Path) -> None:
    """Delete a file.

    Raises:
        NotFoundError: there is none.
        StorageError: the file system refuses.
    """
    with _told():
        Path(filename).unlink()


def DeleteRecursively(dirname: _Path) -> None:
    """Delete a folder with all that is in it, or a file.

    Raises:
        NotFoundError: there is none.
        StorageError: the file system refuses.
    """
    path = Path(dirname)
    with _told():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def Rename(oldname: _Path, newname: _Path, overwrite: bool = False) -> None:
    """Give a file or folder another path.

    Raises:
        AlreadyExistsError: there is something at the new path, and ``overwrite`` is false.
        NotFoundError: there is nothing at the old path.
        StorageError: the file system refuses.
    """
    _refuse_existing(newname, overwrite)
    with _told():
        Path(oldname).replace(newname)


def Copy(oldpath: _Path, newpath: _Path, overwrite: bool = False) -> None:
    """Copy a file.

    Raises:
        AlreadyExistsError: there is something at the new path, and ``overwrite`` is false.
        NotFoundError: there is nothing at the old path.
        StorageError: the file system refuses.
    """
    _refuse_existing(newpath, overwrite)
    with _told():
        shutil.copyfile(oldpath, newpath)


def _refuse_existing(path: _Path, overwrite: bool) -> None:
    if not overwrite and Path(path).exists():
        raise AlreadyExistsError(f'"{path}" exists already; pass overwrite=True, or remove it.')


@final
class FileStatistics:
    """What is known of a file.

    Attributes:
        length: its size in bytes.
        mtime_nsec: when it was last changed, in nanoseconds since 1970.
        is_directory: whether it is a folder.
    """

    __slots__ = ("is_directory", "length", "mtime_nsec")

    def __init__(self, length: int, mtime_nsec: int, is_directory: bool) -> None:
        """Record it."""
        self.length = length
        self.mtime_nsec = mtime_nsec
        self.is_directory = is_directory


def Stat(filename: _Path) -> FileStatistics:
    """Return size and time of a file.

    Raises:
        NotFoundError: there is none.
        StorageError: the file system refuses.
    """
    path = Path(filename)
    with _told():
        found = path.stat()
    return FileStatistics(found.st_size, found.st_mtime_ns, path.is_dir())


def Walk(top: _Path, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each folder below ``top`` with the names of the folders and of the files in it.

    Args:
        top: where to begin; nothing is yielded where it is no folder.
        in_order: whether a folder comes before those in it.
    """
    for folder, folders, files in os.walk(top, topdown=in_order):
        if in_order:
            folders.sort()
        yield folder, sorted(folders), sorted(files)
