"""Checkpoints: the values of variables and the state of the random numbers, in safetensors files with a manifest.

A checkpoint ``PREFIX`` is the manifest ``PREFIX.json`` with the files that it vouches for: ``PREFIX.safetensors``, or
several, ``PREFIX-00001-of-00003.safetensors`` …, with ``PREFIX.safetensors.index.json``, where other libraries look for
tensors; and the graph where it was saved as well. Nothing of it runs code.
The fields of the manifest, format version 1:

| field | |
| --- | --- |
| ``format``, ``version`` | ``"dovetail-checkpoint"``, and the version of the format |
| ``dovetail`` | the version of Dovetail that wrote it |
| ``saved`` | when, as seconds since 1970 |
| ``step`` | the step it was saved under, or null |
| ``graph_hash`` | of the graph that it was saved from |
| ``random`` | the seed drawn where none was set, and how often each random operation ran |
| ``files`` | endings, sizes and hashes |
| ``tensors`` | dtype, shape and file of each |
| ``ties`` | names that share the value of another name |
| ``states`` | what else was saved, by name: a place in the data, say; files of the first days do not have the field |
| ``digest`` | of the manifest itself |
"""

from __future__ import annotations

import difflib
import json
import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, final

import dovetail as dt
from dovetail.errors import DovetailError, DTypeError, FormatError, InvalidArgumentError, NotFoundError
from dovetail.extend import Array
from dovetail_io.files import FileSet, remove
from dovetail_io.sealed import CHECKPOINT, FileRecord, moment, read_bytes, records_from_data, seal, unseal
from dovetail_io.snapshot import Snapshot
from dovetail_io.tensors import TensorSpec, encoded, encoded_size, read_tensors

__all__ = [
    "INDEX",
    "SHARD_BYTES",
    "Checkpoint",
    "PathLike",
    "as_prefix",
    "checkpoint_exists",
    "nearest",
    "whole_checkpoints",
    "write_checkpoint",
]

INDEX: Final = ".safetensors.index.json"
SHARD_BYTES: Final = 5_000_000_000
_ENDINGS: Final = (".json", ".safetensors", ".meta")
_SHARD: Final = re.compile(r"-[0-9]{5}-of-[0-9]{5}$")
_T = TypeVar("_T")
PathLike = str | os.PathLike[str]


def as_prefix(path: Any, what: str) -> Path:
    """Return the prefix that ``path`` gives.

    Raises:
        DTypeError: it is no path.
        InvalidArgumentError: it is empty, or names a folder.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise DTypeError(f"{what}: the path is {path!r}; give a string or a Path, such as 'folder/model'.")
    text = os.fspath(path)
    if not isinstance(text, str) or "\0" in text:
        raise InvalidArgumentError(f"{what}: {text!r} is no path.")
    prefix = Path(text)
    if not prefix.name or text.endswith((os.sep, "/")) or prefix.name == "..":
        raise InvalidArgumentError(f"{what}: {text!r} names no file; give a path such as {str(prefix / 'model')!r}.")
    return prefix


def write_checkpoint(
    work: FileSet,
    stem: str,
    snapshot: Snapshot,
    *,
    step: int | None = None,
    graph_hash: str = "",
    states: Mapping[str, Any] | None = None,
    records: Iterable[FileRecord] = (),
    max_shard_bytes: int | None = SHARD_BYTES,
) -> float:
    """Write a checkpoint into a set of files, and commit the set.

    Args:
        work: the set.
        stem: the last part of the checkpoint's prefix.
        snapshot: the values.
        step: the step it is saved under.
        graph_hash: hash of the graph.
        states: JSON-able states of what else is saved.
        records: further files of the set.
        max_shard_bytes: size above which the tensors are spread over several files; ``None`` for one file.

    Returns:
        When it was saved, as seconds since 1970.

    Raises:
        StorageError: the file system refuses; what was there before is as it was.
    """
    arrays = snapshot.arrays
    shards = _shards(arrays, max_shard_bytes)
    metadata = {"format": CHECKPOINT.format, "version": CHECKPOINT.version, "graph_hash": graph_hash, "step": step}
    files: list[FileRecord] = []
    tensors: dict[str, Any] = {}
    for number, shard in enumerate(shards, 1):
        ending = ".safetensors" if len(shards) == 1 else f"-{number:05}-of-{len(shards):05}.safetensors"
        chosen = {name: arrays[name] for name in shard}
        files.append(work.add(stem, ending, encoded(chosen, metadata)))
        for name, array in chosen.items():
            tensors[name] = {"dtype": dt.as_dtype(array.dtype).name, "shape": list(array.shape), "file": ending}
    if len(shards) > 1:
        files.append(work.add(stem, INDEX, [_index(stem, tensors, sum(map(encoded_size, arrays.values())))]))
    saved = time.time_ns() / 1e9
    fields = {
        "saved": saved,
        "step": step,
        "graph_hash": graph_hash,
        "random": snapshot.random_state,
        "files": [record.to_data() for record in (*files, *records)],
        "tensors": {name: tensors[name] for name in arrays},
        "ties": snapshot.ties,
        "states": dict(states or {}),
    }
    replaced = _files_at(work.folder / stem)
    work.commit(f"{stem}.json", seal(CHECKPOINT, fields, {"random": 2}))
    remove(replaced - {record.path(work.folder / stem) for record in (*files, *records)})
    return saved


def _index(stem: str, tensors: Mapping[str, Mapping[str, Any]], size: int) -> bytes:
    """Return what other libraries look up the file of a tensor in."""
    weight_map = {name: stem + entry["file"] for name, entry in tensors.items()}
    return json.dumps({"metadata": {"total_size": size}, "weight_map": weight_map}, indent=1).encode()


def _files_at(prefix: Path) -> set[Path]:
    """Return the files of the checkpoint that is there now, such as shards that the next one may not have."""
    try:
        found = Checkpoint(prefix)
    except DovetailError:
        return set()
    return {record.path(prefix) for record in found.files} if found.prefix == prefix else set()


def _shards(arrays: Mapping[str, Array], limit: int | None) -> list[list[str]]:
    shards: list[list[str]] = [[]]
    room = limit
    for name, array in arrays.items():
        size = encoded_size(array)
        if room is not None and limit is not None:
            if shards[-1] and size > room:
                shards.append([])
                room = limit
            room -= size
        shards[-1].append(name)
    return shards


@final
class Checkpoint:
    """A checkpoint on the disk: what its manifest says, and its values on request, checked as they are read.

    Args:
        path: the checkpoint's prefix, or one of its files.

    Attributes:
        prefix: its path, without endings.
        step: the step it was saved under, or ``None``.
        saved: when, as seconds since 1970.
        graph_hash: hash of the graph it was saved from.
        dovetail: the version of Dovetail that wrote it.
        random_state: what ``Session.set_random_state`` takes.
        ties: names that share the value of another name.
        states: of what else was saved, such as a place in the data.
        files: what it vouches for.

    Raises:
        NotFoundError: there is none.
        FormatError: its manifest is damaged.
        StorageError: it cannot be read.

    Example:
        >>> v = dt.Variable([1.0, 2.0], name="v")
        >>> with dt.Session() as session:
        ...     session.run(v.initializer)
        ...     path = dt.train.Saver().save(session, "model", global_step=3)
        >>> checkpoint = Checkpoint(path)
        >>> checkpoint.step, checkpoint.get_variable_to_shape_map(), checkpoint.get_tensor("v")
        (3, {'v': [2]}, array([1., 2.], dtype=float32))
    """

    def __init__(self, path: PathLike) -> None:
        """Read the manifest."""
        self.prefix = _existing_prefix(as_prefix(path, "checkpoint"))
        self.manifest = _manifest_of(self.prefix)
        self._take(read_bytes(self.manifest, self.prefix.parent))

    def _take(self, content: bytes) -> None:
        self._content = content
        data = unseal(content, self.manifest, CHECKPOINT)
        try:
            self.files = records_from_data(data["files"], self.manifest)
            endings = {record.ending for record in self.files}
            self._tensors = {name: _tensor(entry, endings) for name, entry in data["tensors"].items()}
            self.ties = {_text(name): _text(other) for name, other in data["ties"].items()}
            if not set(self.ties.values()) <= self._tensors.keys() or self.ties.keys() & self._tensors.keys():
                raise ValueError("a tie leads to no tensor")
            self.states = {_text(name): state for name, state in data.get("states", {}).items()}
            counters = {_text(name): _count(value) for name, value in data["random"]["counters"].items()}
            seed, step, saved = data["random"]["seed"], data["step"], data["saved"]
            self.random_state: dict[str, Any] = {"seed": None if seed is None else _count(seed), "counters": counters}
            self.step = None if step is None else _whole(step)
            self.saved = moment(saved)
            self.graph_hash = _text(data["graph_hash"])
            self.dovetail = str(data.get("dovetail"))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f'"{self.manifest}" is damaged: {error!r}. Take another one.') from error

    @property
    def names(self) -> list[str]:
        """The names of its tensors, ties among them."""
        return [*self._tensors, *self.ties]

    def spec(self, name: str) -> TensorSpec:
        """Return dtype and shape of a tensor.

        Raises:
            NotFoundError: it has none of that name; the message gives the nearest.
        """
        found = self._tensors.get(self.ties.get(name, name))
        if found is None:
            raise NotFoundError(f'the checkpoint "{self.prefix}" has no tensor {name!r}.{nearest(name, self.names)}')
        return found[0]

    def has_tensor(self, name: str) -> bool:
        """Whether it has a tensor of that name."""
        return self.ties.get(name, name) in self._tensors

    def get_tensor(self, name: str) -> Array:
        """Return the value of a tensor.

        Raises:
            NotFoundError: it has none of that name.
            FormatError: the file that holds it is damaged or missing.
        """
        self.spec(name)
        return self.read([name])[name]

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Return the shapes of all tensors."""
        return {name: list(self.spec(name).shape) for name in self.names}

    def get_variable_to_dtype_map(self) -> dict[str, dt.DType]:
        """Return the dtypes of all tensors."""
        return {name: self.spec(name).dtype for name in self.names}

    def read(self, names: Collection[str] | None = None) -> dict[str, Array]:
        """Return values, after their files have been checked against size and hash.

        Args:
            names: the tensors wanted; all unless given.

        Raises:
            NotFoundError: it has none of such a name.
            FormatError: a file is damaged or missing.
            StorageError: a file cannot be read.
        """
        return self._steadily(lambda: self._read(self.names if names is None else names))

    def read_unchecked(self, name: str) -> Array:
        """Return the value of a tensor without reading the rest of its file, whose hash is then not looked at.

        Raises:
            NotFoundError: it has none of that name.
            FormatError: the file that holds it is missing, or its structure is damaged.
        """
        self.spec(name)
        real = self.ties.get(name, name)
        record = next(one for one in self.files if one.ending == self._tensors[real][1])
        found: dict[str, Array] = record.read(
            self.prefix, lambda path: read_tensors(path, [real], folder=self.prefix.parent)[0]
        )
        if real not in found:
            raise FormatError(f'"{record.path(self.prefix)}" does not hold {real!r}, as "{self.manifest}" tells.')
        return found[real]

    def stored(self) -> dict[str, tuple[TensorSpec, str]]:
        """Return what the files say of all tensors, with the name of the file that holds each.

        Raises:
            FormatError: a file is missing, or its header is damaged.
        """
        found: dict[str, tuple[TensorSpec, str]] = {}
        for record in self.files:
            if any(ending == record.ending for _, ending in self._tensors.values()):
                specs = record.read(self.prefix, lambda path: read_tensors(path, (), folder=self.prefix.parent)[1])
                found |= {name: (spec, record.path(self.prefix).name) for name, spec in specs.items()}
        lacking = next((name for name in self._tensors if name not in found), None)
        if lacking is not None:
            raise FormatError(f'the files of "{self.prefix}" do not hold {lacking!r}, as "{self.manifest}" tells.')
        return {name: found[self.ties.get(name, name)] for name in self.names}

    def verify(self) -> None:
        """Check all files, those of the graph too, against size and hash.

        Raises:
            FormatError: a file is damaged or missing.
            StorageError: a file cannot be read.
        """
        self._steadily(self._verify)

    def is_whole(self) -> bool:
        """Whether all files are there with the right sizes; their content is not looked at."""
        return all(record.is_there(self.prefix) for record in self.files)

    def read_file(self, ending: str) -> bytes:
        """Return the content of one of the files, checked.

        Raises:
            FormatError: it is damaged or missing.
        """
        return self._steadily(lambda: self._content_of(next(one for one in self.files if one.ending == ending)))

    def _steadily(self, action: Callable[[], _T]) -> _T:
        """Do ``action``; once more where the checkpoint was meanwhile replaced by another of its name."""
        for _ in range(2):
            try:
                return action()
            except FormatError:
                content = read_bytes(self.manifest, self.prefix.parent)
                if content == self._content:
                    raise
                self._take(content)
        return action()

    def _read(self, names: Collection[str]) -> dict[str, Array]:
        by_file: dict[str, set[str]] = {}
        for name in names:
            self.spec(name)
            real = self.ties.get(name, name)
            by_file.setdefault(self._tensors[real][1], set()).add(real)
        found: dict[str, Array] = {}
        for record in self.files:
            if record.ending in by_file:
                found |= record.read(self.prefix, self._reader(record, by_file[record.ending]))
        return {name: found[self.ties.get(name, name)] for name in names}

    def _reader(self, record: FileRecord, names: Collection[str]) -> Callable[[Path], dict[str, Array]]:
        expected = {name: spec for name, (spec, ending) in self._tensors.items() if ending == record.ending}

        def reader(path: Path) -> dict[str, Array]:
            arrays, specs = read_tensors(path, names, record=record, folder=self.prefix.parent)
            if specs.keys() != expected.keys() or any(str(specs[name]) != str(spec) for name, spec in expected.items()):
                raise FormatError(f'"{path}" does not hold the tensors that "{self.manifest}" tells. Take another one.')
            return arrays

        return reader

    def _verify(self) -> None:
        for record in self.files:
            if any(ending == record.ending for _, ending in self._tensors.values()):
                record.read(self.prefix, self._reader(record, ()))
            else:
                self._content_of(record)

    def _content_of(self, record: FileRecord) -> bytes:
        return record.read(self.prefix, lambda path: record.checked(path, read_bytes(path, self.prefix.parent)))

    def paths(self) -> list[Path]:
        """Return the places of all its files, the manifest first."""
        return [self.manifest, *(record.path(self.prefix) for record in self.files)]

    def __repr__(self) -> str:
        """Show path, step and the number of tensors."""
        return f"<Checkpoint {str(self.prefix)!r}, step {self.step}, {len(self._tensors)} tensors>"


def _tensor(entry: Mapping[str, Any], endings: Collection[str]) -> tuple[TensorSpec, str]:
    shape, ending = entry["shape"], entry["file"]
    if not isinstance(shape, list) or ending not in endings:
        raise ValueError(f"{entry!r} describes no tensor")
    return TensorSpec(dt.as_dtype(_text(entry["dtype"])), [_count(size) for size in shape]), ending


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no string")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def _count(value: Any) -> int:
    if _whole(value) < 0:
        raise ValueError(f"{value!r} is negative")
    return int(value)


def _manifest_of(prefix: Path) -> Path:
    return prefix.with_name(prefix.name + ".json")


def _existing_prefix(prefix: Path) -> Path:
    """Return the prefix of the checkpoint that ``prefix`` names, or one of whose files it names.

    Raises:
        NotFoundError: there is no such checkpoint; the message tells of what there is.
    """
    if os.path.lexists(_manifest_of(prefix)):
        return prefix
    if prefix.suffix in _ENDINGS and prefix.stem:
        prefix = prefix.with_name(_SHARD.sub("", prefix.stem))
        if os.path.lexists(_manifest_of(prefix)):
            return prefix
    if prefix.is_dir():
        raise InvalidArgumentError(
            f'"{prefix}" is a folder, not a checkpoint; dt.train.latest_checkpoint({str(prefix)!r}) finds the newest '
            f"in it."
        )
    manifest = _manifest_of(prefix)
    if not prefix.parent.is_dir():
        raise NotFoundError(f'there is no checkpoint "{prefix}": the folder "{prefix.parent}" does not exist.')
    if os.path.lexists(prefix.with_name(prefix.name + ".safetensors")):
        raise NotFoundError(
            f'there is no checkpoint "{prefix}": its manifest "{manifest.name}" is missing, without which '
            f'"{prefix.name}.safetensors" cannot be checked. Copy the manifest too, or read the arrays by dt.load.'
        )
    there = [one.prefix.name for one in whole_checkpoints(prefix.parent)]
    hint = nearest(prefix.name, there, least=0.0)
    raise NotFoundError(f'there is no checkpoint "{prefix}": "{manifest.name}" is missing.{hint}')


def nearest(name: str, known: Iterable[str], least: float = 0.6) -> str:
    """Return a sentence with the names that are nearest to ``name``, or nothing."""
    found = difflib.get_close_matches(name, list(known), 3, least)
    return f" Did you mean {' or '.join(map(repr, found))}?" if found else ""


def checkpoint_exists(checkpoint_prefix: PathLike) -> bool:
    """Whether there is a checkpoint of that name whose files are all there with the right sizes.

    Raises:
        InvalidArgumentError: the path names no file.
    """
    prefix = as_prefix(checkpoint_prefix, "checkpoint_exists")
    try:
        return Checkpoint(prefix).is_whole()
    except DovetailError:
        return False


def whole_checkpoints(folder: Path) -> Sequence[Checkpoint]:
    """Return the checkpoints in a folder whose files are all there with the right sizes, the newest first."""
    found: list[Checkpoint] = []
    try:
        manifests = sorted(folder.glob("[!.]*.json"))
    except OSError:
        return found
    for manifest in manifests:
        if manifest.name != ".json":
            try:
                checkpoint = Checkpoint(manifest.with_suffix(""))
            except DovetailError:
                continue
            if checkpoint.is_whole():
                found.append(checkpoint)
    return sorted(found, key=lambda one: one.saved, reverse=True)
