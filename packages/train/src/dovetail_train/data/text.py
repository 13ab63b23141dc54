"""``from_text``: lines of text files, or whole files, as a dataset."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Final, Literal, final

import dovetail as dt
from dovetail.errors import InvalidArgumentError
from dovetail_train.data.dataset import Dataset
from dovetail_train.data.files import PIECE, Closing, as_paths, check_encoding, open_text, same_size, unreadable
from dovetail_train.data.spec import ElementSpec, Leaves, TensorSpec
from dovetail_train.data.stage import UNKNOWN, Cursor, Indexed, Stage, State, Turn
from dovetail_train.data.structure import Structure

__all__ = ["from_text"]


def from_text(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    by: Literal["line", "file"] = "line",
    *,
    encoding: str = "utf-8",
) -> Dataset:
    r"""Return lines of text files, or whole files, as elements: strings.

    Args:
        paths: a file, or several; ``.gz``, ``.bz2`` and ``.xz`` are decompressed.
        by: ``"line"``: each line without its end is an element, read when its turn has come; ``"file"``: each file is.
        encoding: of the text; a byte order mark of UTF-8 is passed over.

    Raises:
        StorageError: a file cannot be read.
        FormatError: when read, a file is no text in this encoding. The message names the line.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("poem.txt").write_text("Roses are red\nviolets are blue\n")
        >>> list(dt.data.from_text("poem.txt"))
        ['Roses are red', 'violets are blue']
    """
    if by not in ("line", "file"):
        raise InvalidArgumentError(f"from_text: by is {by!r}; give 'line' or 'file'.")
    files, known = as_paths(paths, "from_text"), check_encoding(encoding, "from_text")
    return Dataset(_Files(files, known) if by == "file" else _Lines(files, known))


_SPEC: Final = ElementSpec(Structure(None), (TensorSpec([], dt.string),))


@final
class _Files(Indexed):
    """Whole files."""

    def __init__(self, paths: Sequence[Path], encoding: str) -> None:
        super().__init__()
        self._paths = list(paths)
        self._encoding = encoding

    @property
    def spec(self) -> ElementSpec:
        return _SPEC

    def size(self, turn: Turn) -> int:
        return len(self._paths)

    def cardinality(self) -> int:
        return len(self._paths)

    def at(self, index: int, turn: Turn) -> Leaves:
        path = self._paths[index]
        try:
            with open_text(path, self._encoding) as file:
                return [file.read()]
        except (UnicodeError, OSError, EOFError) as error:
            raise unreadable(path, self._encoding, error) from error

    def describe(self, token: Any) -> str:
        return str(self._paths[token])

    def title(self) -> str:
        return f"from_text(files {', '.join(path.name for path in self._paths)})"


@final
class _Lines(Stage):
    """Lines of files."""

    def __init__(self, paths: Sequence[Path], encoding: str) -> None:
        super().__init__()
        self.paths = list(paths)
        self.encoding = encoding

    @property
    def spec(self) -> ElementSpec:
        return _SPEC

    def cardinality(self) -> int:
        return UNKNOWN

    def open(self, turn: Turn) -> Cursor:
        return _LineCursor(self)

    def describe(self, token: Any) -> str:
        number, line = token
        return f"{self.paths[number]}, line {line}"

    def title(self) -> str:
        return f"from_text(lines of {', '.join(path.name for path in self.paths)})"


@final
class _LineCursor(Cursor):
    """Reads many lines at a time, as asking a file for its position takes long."""

    def __init__(self, stage: _Lines) -> None:
        self._stage = stage
        self._number = 0
        self._file: IO[str] | None = None
        self._closing = Closing(self)
        self._begin = 0  # where the lines that are held begin
        self._before = 0  # how many lines come before them
        self._lines: list[str] = []
        self._at = 0

    def next(self) -> Leaves:
        stage = self._stage
        while self._at >= len(self._lines):
            if self._number >= len(stage.paths):
                raise StopIteration
            self._fetch(stage.paths[self._number])
            if not self._lines:
                self.close()
                self._number, self._begin, self._before = self._number + 1, 0, 0
        self._at += 1
        return [self._lines[self._at - 1].rstrip("\r\n")]

    def _fetch(self, path: Path) -> None:
        try:
            if self._file is None:
                self._file = self._closing.hold(open_text(path, self._stage.encoding))
                self._file.seek(self._begin)
            self._before += len(self._lines)
            self._begin = self._file.tell()
            self._lines, self._at = list(io.StringIO(self._file.read(PIECE) + self._file.readline(), newline="")), 0
        except (UnicodeError, OSError, EOFError) as error:
            raise unreadable(path, self._stage.encoding, error) from error

    @property
    def token(self) -> Any:
        return self._number, self._before + self._at

    def state(self) -> State:
        size = self._stage.paths[self._number].stat().st_size if self._lines else 0
        return [self._number, self._begin, self._before, self._at, size]

    def restore(self, state: State) -> None:
        number, begin, before, at, size = state
        self.close()
        self._number, self._begin, self._before = number, begin, before
        if at:
            same_size(self._stage.paths[number], size)
            self._fetch(self._stage.paths[number])
            self._at = at

    def close(self) -> None:
        self._closing.close()
        self._file, self._lines, self._at = None, [], 0
