"""Elements kept in a file, so that what makes them runs once, and not in the next process either."""

from __future__ import annotations

import json
import os
import tempfile
import weakref
from pathlib import Path
from typing import IO, Any, Final, final

import numpy as np

from dovetail.errors import FormatError, InvalidArgumentError, StorageError
from dovetail_train.data.spec import ElementSpec, Leaves, TensorSpec
from dovetail_train.data.stage import Cursor, Stage, State, Turn

__all__ = ["FileCache"]

_FORMAT: Final = "dovetail-elements"


@final
class FileCache(Stage):
    """The elements of a whole pass, in a file that takes its name when they are complete.

    The file is a header and the arrays one after another, as ``numpy.save`` writes them; texts are JSON within.
    """

    def __init__(self, before: Stage, path: str | os.PathLike[str]) -> None:
        """Keep the name."""
        super().__init__(before)
        self.path = Path(path).expanduser()

    @property
    def spec(self) -> ElementSpec:
        """As before."""
        return self.inputs[0].spec

    def cardinality(self) -> int:
        """As before."""
        return self.inputs[0].cardinality()

    def header(self) -> dict[str, Any]:
        """Return what tells whether a file holds these elements."""
        return {"format": _FORMAT, "version": 1, "pipeline": self.inputs[0].titles()}

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass: from the file, where there is one, and otherwise from what is before, to write it."""
        return _StoredCursor(self) if self.path.exists() else _StoringCursor(self, turn)

    def title(self) -> str:
        """Name the stage."""
        return "cache"


def _refused(path: Path, error: OSError) -> StorageError:
    return StorageError(f'cache: "{path}" cannot be written or read: {error.strerror or error}.')


def _packed(leaf: Any, spec: TensorSpec) -> Any:
    """Return an array for the file."""
    if not spec.dtype.is_string:
        return np.asarray(leaf)
    items = np.asarray(leaf, object)
    texts = [one if isinstance(one, str) else {"bytes": bytes(one).decode("latin-1")} for one in items.ravel()]
    return np.frombuffer(json.dumps([list(items.shape), texts]).encode(), np.uint8)


def _unpacked(array: Any, spec: TensorSpec) -> Any:
    """Return what an array of the file stands for."""
    if not spec.dtype.is_string:
        if array.dtype != spec.dtype.numpy:  # types that NumPy's format does not know are bytes there
            array = array.view(spec.dtype.numpy)
        return array if array.ndim else array[()]
    shape, texts = json.loads(array.tobytes())
    made = np.empty(len(texts), object)
    made[:] = [one["bytes"].encode("latin-1") if isinstance(one, dict) else one for one in texts]
    return made.reshape(shape) if shape else texts[0]


@final
class _StoringCursor(Cursor):
    """Gives what is before, and writes it aside; the end gives the file its name."""

    def __init__(self, stage: FileCache, turn: Turn) -> None:
        self._stage = stage
        self._before = stage.inputs[0].open(turn.inner(0))
        self._number = 0
        self._writes = True
        self._file: IO[bytes] | None = None
        self._left: weakref.finalize[..., Any] | None = None

    def next(self) -> Leaves:
        try:
            leaves = self._before.next()
        except StopIteration:
            self._finish()
            raise
        self._number += 1
        if self._writes:
            try:
                self._write(leaves)
            except OSError as error:
                self._drop()
                raise _refused(self._stage.path, error) from error
        return leaves

    def _write(self, leaves: Leaves) -> None:
        if self._file is None:
            path = self._stage.path
            handle, name = tempfile.mkstemp(".part", path.name + ".", path.parent)
            self._file = os.fdopen(handle, "wb")
            self._left = weakref.finalize(self, _abandon, self._file, name)
            self._name = Path(name)
            np.save(self._file, np.frombuffer(json.dumps(self._stage.header()).encode(), np.uint8))
        for leaf, spec in zip(leaves, self._stage.spec.leaves, strict=True):
            np.save(self._file, _packed(leaf, spec), allow_pickle=False)

    def _finish(self) -> None:
        if self._file is not None and self._left is not None:
            try:
                self._file.close()
                self._name.replace(self._stage.path)
            except OSError as error:
                self._drop()
                raise _refused(self._stage.path, error) from error
            self._left.detach()
            self._file = None
        self._writes = False

    def _drop(self) -> None:
        """Write no more, and leave nothing."""
        self._writes = False
        if self._left is not None:
            self._left()
        self._file = None

    @property
    def token(self) -> Any:
        return self._before.token

    def state(self) -> State:
        return ["source", self._number, self._before.state()]

    def restore(self, state: State) -> None:
        kind, number, before = state
        if kind != "source":
            raise InvalidArgumentError(
                f'restore: the elements were read from the cache "{self._stage.path}", which is not there any more. '
                "Put it back, or begin from the start."
            )
        if number:
            self._drop()  # what comes before the position would be missing in the file
        self._before.restore(before)
        self._number = int(number)

    def close(self) -> None:
        self._drop()
        self._before.close()


def _abandon(file: IO[bytes], name: str) -> None:
    file.close()
    Path(name).unlink(missing_ok=True)


@final
class _StoredCursor(Cursor):
    """Reads the file."""

    def __init__(self, stage: FileCache) -> None:
        self._stage = stage
        self._number = 0
        self._source: Cursor | None = None
        try:
            self._file = stage.path.open("rb")
            self._closing = weakref.finalize(self, self._file.close)
            self._end = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise _refused(stage.path, error) from error
        try:
            header = json.loads(self._array().tobytes())
            known = header["format"] == _FORMAT and header["version"] == 1
        except (KeyError, TypeError, ValueError):
            known = False
        if not known:
            raise FormatError(f'cache: "{stage.path}" holds no cached elements; delete it, or name another file.')
        if header["pipeline"] != stage.header()["pipeline"]:
            raise FormatError(
                f'cache: "{stage.path}" holds the elements of {header["pipeline"]}, but these are of '
                f"{stage.header()['pipeline']}. Delete it, or name another file."
            )

    def _array(self) -> Any:
        try:
            return np.lib.format.read_array(self._file, allow_pickle=False)
        except (EOFError, ValueError) as error:
            raise FormatError(f'cache: "{self._stage.path}" is damaged ({error}). Delete it.') from error

    def next(self) -> Leaves:
        if self._source is not None:
            return self._source.next()
        if self._file.tell() >= self._end:
            raise StopIteration
        self._number += 1
        return [_unpacked(self._array(), spec) for spec in self._stage.spec.leaves]

    @property
    def token(self) -> Any:
        return self._number - 1 if self._source is None else self._source.token

    def state(self) -> State:
        if self._source is not None:
            return self._source.state()
        return ["file", self._number, self._file.tell()]

    def restore(self, state: State) -> None:
        kind, number, place = state
        if self._source is not None:
            self._source.close()
            self._source = None
        if kind == "source":  # saved before the file was complete: go on from what is before
            self._source = _StoringCursor(self._stage, Turn(0))
            self._source.restore(state)
        else:
            self._file.seek(int(place))
            self._number = int(number)

    def close(self) -> None:
        self._closing()
        if self._source is not None:
            self._source.close()
