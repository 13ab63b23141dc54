"""Rows of CSV files, read piece by piece in bounded memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, final

import numpy as np

from dovetail.errors import FormatError
from dovetail_train.data.csv_columns import Column
from dovetail_train.data.files import PIECE, Closing, open_text, same_size, unreadable
from dovetail_train.data.spec import ElementSpec, Leaves
from dovetail_train.data.stage import UNKNOWN, Cursor, Stage, State, Turn, join

__all__ = ["CsvForm", "CsvRows", "read_records"]


@final
@dataclass(frozen=True)
class CsvForm:
    """How files are written.

    Attributes:
        delimiter: between fields.
        quote: around fields that hold delimiters, quotes or line ends.
        encoding: of the text.
        header: whether the first line of each file has the names of the columns.
        renamed: whether the names were given, and are not those of the header.
        names: the names of all columns, in order.
    """

    delimiter: str
    quote: str
    encoding: str
    header: bool
    renamed: bool
    names: tuple[str, ...]

    def reader(self, lines: Iterator[str]) -> Any:
        """Return Python's reader of records."""
        if not self.quote:
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, strict=True)
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, strict=True)


def read_records(form: CsvForm, lines: Iterator[str], path: Path, line: int) -> Iterator[tuple[int, list[str]]]:
    """Return records with the lines where they begin; empty lines are passed over.

    Args:
        form: how they are written.
        lines: the lines.
        path: the file, for messages.
        line: the number of the first line.

    Raises:
        FormatError: quotes are not as they should be.
    """
    reader = form.reader(lines)
    while True:
        begin = line + reader.line_num
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FormatError(
                f"{path}, line {begin}: the record that begins there cannot be read: {error}. Is a quote left open, or "
                "one within a field not doubled?"
            ) from error
        if record:
            yield begin, record


@final
class CsvRows(Stage):
    """Rows of files, as typed columns.

    Args:
        paths: the files.
        form: how they are written.
        columns: what is read, in the order of the element's arrays.
        spec: what the elements are.
        stacked: how many of the columns, from the first, are one vector; 0 for none.
    """

    def __init__(
        self, paths: Sequence[Path], form: CsvForm, columns: Sequence[Column], spec: ElementSpec, stacked: int
    ) -> None:
        """Keep them."""
        super().__init__()
        self.paths = list(paths)
        self.form = form
        self.columns = list(columns)
        self.stacked = stacked
        self._spec = spec

    @property
    def spec(self) -> ElementSpec:
        """What was found from the names of the columns."""
        return self._spec

    def cardinality(self) -> int:
        """Only reading tells."""
        return UNKNOWN

    def open(self, turn: Turn) -> Cursor:
        """Begin with the first row."""
        return _CsvCursor(self)

    def describe(self, token: Any) -> str:
        """Name file and line."""
        number, line = token
        return f"{self.paths[number]}, line {line}"

    def title(self) -> str:
        """Name the source."""
        return f"from_csv({', '.join(path.name for path in self.paths)}: {', '.join(one.name for one in self.columns)})"


@final
class _Piece:
    """Rows that were read at once.

    Attributes:
        begin: the position in the file where they begin, for ``seek``.
        line: the number of their first line.
        leaves: arrays of the rows.
        lines: the line of each row.
    """

    __slots__ = ("begin", "leaves", "line", "lines")

    def __init__(self, begin: int, line: int, leaves: list[Any], lines: Any) -> None:
        self.begin, self.line, self.leaves, self.lines = begin, line, leaves, lines


@final
class _CsvCursor(Cursor):
    def __init__(self, stage: CsvRows) -> None:
        self._stage = stage
        self._number = 0
        self._file: IO[str] | None = None
        self._closing = Closing(self)
        self._line = 1
        self._begin: int | None = None  # where to go on in the file; None for after its header
        self._piece: _Piece | None = None
        self._at = 0

    # Reading rows. ------------------------------------------------------------

    def next(self) -> Leaves:
        piece = self._ready()
        if piece is None:
            raise StopIteration
        self._at += 1
        return [array[self._at - 1] for array in piece.leaves]

    def block(self, count: int, first: int) -> list[Any] | None:
        parts: list[list[Any]] = []
        have = 0
        while have < count:
            piece = self._ready()
            if piece is None:
                break
            part = [array[self._at : self._at + count - have] for array in piece.leaves]
            parts.append(part)
            have += len(part[0])
            self._at += len(part[0])
        return join(parts, first) if parts else None

    def skip(self, count: int) -> int:
        done = 0
        while done < count:
            piece = self._ready()
            if piece is None:
                break
            over = min(count - done, len(piece.lines) - self._at)
            self._at += over
            done += over
        return done

    @property
    def token(self) -> Any:
        return None if self._piece is None else (self._number, int(self._piece.lines[max(self._at - 1, 0)]))

    # Reading pieces. ----------------------------------------------------------

    def _ready(self) -> _Piece | None:
        """Return a piece that has another row, ``None`` at the end."""
        while self._piece is None or self._at >= len(self._piece.lines):
            if self._number >= len(self._stage.paths):
                return None
            path = self._stage.paths[self._number]
            try:
                found = self._read(path)
            except (UnicodeError, OSError, EOFError) as error:
                raise unreadable(path, self._stage.form.encoding, error) from error
            if found is None:
                self._leave()
                self._number += 1
                self._line, self._begin, self._piece = 1, None, None
            else:
                self._piece = found
            self._at = 0
        return self._piece

    def _opened(self, path: Path) -> IO[str]:
        if self._file is None:
            self._file = self._closing.hold(open_text(path, self._stage.form.encoding))
            if self._begin is not None:
                self._file.seek(self._begin)
            elif self._stage.form.header:
                self._line += self._pass_header(path, self._file)
        return self._file

    def _pass_header(self, path: Path, file: IO[str]) -> int:
        """Read the header of a file, which must be that of the first; returns how many lines it has."""
        form = self._stage.form
        taken = 0

        def lines() -> Iterator[str]:
            nonlocal taken
            for line in iter(file.readline, ""):
                taken += 1
                yield line

        header = next(read_records(form, lines(), path, 1), None)
        names = () if header is None else tuple(name.strip() for name in header[1])
        if names != form.names and not form.renamed:
            raise FormatError(
                f"{path}: the header is {', '.join(names) or 'empty'}, where that of {self._stage.paths[0]} is "
                f"{', '.join(form.names)}. Read files of different columns one by one."
            )
        return taken

    def _read(self, path: Path) -> _Piece | None:
        """Return the next rows of the file; no rows where none of a piece stays."""
        file = self._opened(path)
        begin = file.tell()
        text = file.read(PIECE) + file.readline()
        if not text:
            return None
        lines = list(io.StringIO(text, newline=""))
        line = self._line
        fast = self._numbers(lines, text)
        if fast is not None:
            piece = _Piece(begin, line, fast, range(line, line + len(lines)))
            self._line += len(lines)
        else:
            piece = self._records(path, file, begin, lines)
        self._begin = file.tell()
        return piece

    def _numbers(self, lines: list[str], text: str) -> list[Any] | None:
        """Return the arrays by NumPy's parser; ``None`` where what is read is more than plain numbers."""
        form, columns = self._stage.form, self._stage.columns
        if not all(one.is_plain for one in columns):
            return None
        if form.quote and form.quote in text:
            return None
        places = [form.names.index(one.name) for one in columns]
        delimiters = len(form.names) - 1
        if any(line.count(form.delimiter) != delimiters for line in lines):
            return None
        try:
            table = np.loadtxt(lines, delimiter=form.delimiter, comments=None, ndmin=2, usecols=places)
        except ValueError:
            return None
        if len(table) != len(lines):
            return None
        arrays = [one.numbers(values) for one, values in zip(columns, table.T, strict=True)]
        return None if any(array is None for array in arrays) else self._stacked(arrays)

    def _records(self, path: Path, file: IO[str], begin: int, lines: list[str]) -> _Piece:
        """Return rows read record by record: with quotes, texts, missing values, and what is wrong."""
        form, line = self._stage.form, self._line
        taken = 0

        def supply() -> Iterator[str]:
            nonlocal taken
            for one in lines:
                taken += 1
                yield one
            for one in iter(file.readline, ""):  # the last record may be longer than the piece
                taken += 1
                yield one

        starts: list[int] = []
        rows: list[list[str]] = []
        for start, record in read_records(form, supply(), path, line):
            starts.append(start)
            rows.append(record)
            if taken >= len(lines):
                break
        width = len(form.names)
        for start, record in zip(starts, rows, strict=True) if set(map(len, rows)) - {width} else ():
            if len(record) != width:
                raise FormatError(
                    f"{path}, line {start}: there are {len(record)} fields, where {width} are wanted "
                    f"({', '.join(form.names)}): {form.delimiter.join(record):.80}"
                )
        self._line += taken
        fields = list(zip(*rows, strict=True)) or [()] * width
        arrays, keep = [], np.ones(len(rows), bool)
        for one in self._stage.columns:
            array, stays = one.array(fields[form.names.index(one.name)], lambda row: f"{path}, line {starts[row]}")
            arrays.append(array)
            if stays is not None:
                keep &= stays
        kept = arrays if keep.all() else [array[keep] for array in arrays]
        return _Piece(begin, line, self._stacked(kept), np.array(starts, np.int64)[keep])

    def _stacked(self, arrays: list[Any]) -> list[Any]:
        count = self._stage.stacked
        if not count:
            return arrays
        return [np.stack(arrays[:count], axis=1), *arrays[count:]]

    # Positions. ---------------------------------------------------------------

    def state(self) -> State:
        if self._piece is None:
            return [self._number, None, self._line, 0, 0]
        size = self._stage.paths[self._number].stat().st_size
        return [self._number, self._piece.begin, self._piece.line, self._at, size]

    def restore(self, state: State) -> None:
        number, begin, line, at, size = state
        self._leave()
        self._number, self._begin, self._line, self._piece, self._at = number, begin, line, None, 0
        if begin is None:
            return
        same_size(self._stage.paths[number], size)
        if self._ready() is not None:
            self._at = at

    def _leave(self) -> None:
        self._closing.close()
        self._file = None

    def close(self) -> None:
        self._leave()
