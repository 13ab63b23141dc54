"""Graph files: a graph as JSON that a person reads and compares, one node a line, with large constants beside it.

A graph file ``NAME.meta`` holds the graph as ``dovetail.extend.graph_to_data`` gives it, its hash, the distributions
that define operations of it, and what the saver saves. Arrays of more than a kilobyte lie in ``NAME.meta.safetensors``,
under the SHA-256 of their content, so that equal ones are stored once and the graph's hash tells of them as well.
Nothing of it runs code.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import operator
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, final

import dovetail as dt
from dovetail.errors import FormatError, NotFoundError
from dovetail.extend import Array, ArrayStore, graph_from_data, graph_hash, graph_to_data, plugin_packages
from dovetail_io.files import FileSet, locked
from dovetail_io.sealed import GRAPH, FileRecord, read_bytes, records_from_data, seal, unseal
from dovetail_io.tensors import as_stored, encoded, encoded_size, read_tensors

__all__ = ["EncodedGraph", "GraphEncoder", "StoredGraph"]

LARGE: Final = 1024
ARRAYS: Final = ".safetensors"


@final
class _Arrays(ArrayStore):
    """Takes large arrays out of a graph's data, and gives them names of their content."""

    def __init__(self) -> None:
        self.taken: dict[str, Array] = {}

    def add(self, array: Array) -> str | None:
        """Take an array of more than a kilobyte."""
        if encoded_size(array) <= LARGE:
            return None
        digest = hashlib.sha256(json.dumps([dt.as_dtype(array.dtype).name, list(array.shape)]).encode())
        stored = as_stored(array)
        digest.update(stored.astype(stored.dtype.newbyteorder("<"), copy=False).tobytes())
        key = digest.hexdigest()
        self.taken[key] = array
        return key


@final
class EncodedGraph:
    """A graph, ready to be written.

    Args:
        graph: the graph.
        saver: what a saver saves and how, as ``import_meta_graph`` needs it.
        clear_devices: whether to leave out on which devices nodes should run.

    Attributes:
        data: the graph as JSON-able data.
        hash: of what the graph computes.
    """

    def __init__(self, graph: dt.Graph, saver: Mapping[str, Any] | None = None, *, clear_devices: bool = False) -> None:
        arrays = _Arrays()
        self.data = graph_to_data(graph, arrays)
        if clear_devices:
            _clear_devices(self.data)
        self.hash = graph_hash(self.data)
        self._arrays = arrays.taken
        self._saver = None if saver is None else dict(saver)
        self._text = b""

    def write(self, work: FileSet, stem: str) -> tuple[bytes, list[FileRecord]]:
        """Write large arrays into a set of files; returns the graph file ``stem`` and what it vouches for."""
        records: list[FileRecord] = []
        if self._arrays:
            # The same graph makes the same text.
            token = hashlib.sha256("".join(sorted(self._arrays)).encode()).hexdigest()[:16]
            records.append(work.add(stem, ARRAYS, encoded(self._arrays, {"format": GRAPH.format}), pending=token))
        if not self._text:
            fields = {
                "graph_hash": self.hash,
                "files": [record.to_data() for record in records],
                "distributions": _distributions(self.data["packages"]),
                "saver": self._saver,
                "graph": self.data,
            }
            self._text = seal(GRAPH, fields, {"graph": 2})
        return self._text, records

    def save(self, path: Path) -> None:
        """Write the graph file ``path``.

        Raises:
            StorageError: the file system refuses; what was there before is as it was.
        """
        with locked(path.parent), FileSet(path.parent) as work:
            work.commit(path.name, self.write(work, path.name)[0])


@final
class GraphEncoder:
    """Encodes a graph anew only when it has changed, as a training loop saves one graph again and again."""

    def __init__(self) -> None:
        self._parts: tuple[list[Any], list[Any]] | None = None
        self._encoded: EncodedGraph | None = None

    def encode(self, graph: dt.Graph, saver: Mapping[str, Any]) -> EncodedGraph:
        """Return the graph, ready to be written."""
        objects, values = _parts_of(graph, saver)
        known = self._parts
        if self._encoded is None or known is None or values != known[1] or not _identical(objects, known[0]):
            self._encoded = EncodedGraph(graph, saver)
            self._parts = (objects, values)
        return self._encoded


def _parts_of(graph: dt.Graph, saver: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return what a graph's file follows from: objects that are told apart by identity, and plain values."""
    objects: list[Any] = [graph, *(tensor.type for op in graph.get_operations() for tensor in op.outputs)]
    values: list[Any] = [graph.version, graph.seed, dict(saver)]
    for key in graph.get_all_collection_keys():
        items = graph.get_collection(key)
        objects += items
        values += [key, len(items)]
        values += [(one.trainable, one.save_name) for one in items if isinstance(one, dt.Variable)]
    return objects, values


def _identical(first: list[Any], second: list[Any]) -> bool:
    return len(first) == len(second) and all(map(operator.is_, first, second))


def _clear_devices(data: Any) -> None:
    """Drop the wish for a device from every node, those in bodies too."""
    if isinstance(data, dict):
        if "op" in data and "name" in data:
            data.pop("device", None)
        for value in data.values():
            _clear_devices(value)
    elif isinstance(data, list):
        for value in data:
            _clear_devices(value)


def _distributions(packages: list[str]) -> dict[str, str]:
    """Return which distribution each package comes from, such as ``{"dovetail_swish": "dovetail-swish"}``."""
    found = plugin_packages()
    if not found.keys() >= set(packages):
        found = {package: names[0] for package, names in _installed().items()} | found
    return {package: found[package] for package in packages if package in found}


@functools.cache
def _installed() -> Mapping[str, list[str]]:
    """Return the distributions of every installed package; it takes about a second, and few saves need it."""
    return importlib.metadata.packages_distributions()


@final
class StoredGraph:
    """A graph file on the disk.

    Args:
        path: where it lies.
        files: those beside it, which it vouches for.
        data: the graph as JSON-able data.
        content: its bytes, where they have been read and checked already.

    Attributes:
        path: where it lies.
        graph_hash: hash of the graph.
        saver: what the saver saved and how, or ``None``.

    Raises:
        NotFoundError: there is none.
        FormatError: it is damaged, or of another format.
        StorageError: it cannot be read.
    """

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        """Read the file."""
        self.path = path
        data = unseal(read_bytes(path) if content is None else content, path, GRAPH)
        try:
            self.files = records_from_data(data["files"], path)
            self._distributions = {str(key): str(value) for key, value in data["distributions"].items()}
            self.graph_hash = str(data["graph_hash"])
            self.saver: dict[str, Any] | None = data["saver"]
            self.data: dict[str, Any] = data["graph"]
            if not isinstance(self.data, dict) or not isinstance(self.saver, dict | None):
                raise TypeError("graph and saver are no objects")
            if not isinstance(self.data.get("packages", []), list):
                raise TypeError("packages are no list")
        except (KeyError, TypeError, AttributeError) as error:
            raise FormatError(f'"{path}" is damaged: {error!r}. Take another one.') from error

    def make(
        self, graph: dt.Graph | None = None, *, import_scope: str = "", clear_devices: bool = False
    ) -> dict[str, dt.Operation]:
        """Make the graph's nodes in ``graph``, the default one unless given.

        Returns:
            The operations by the names they have in the file.

        Raises:
            FormatError: the file is damaged.
            GraphError: a name is taken in the graph.
            NotFoundError: an operation is defined by a package that is not installed, and has no decomposition.
        """
        if clear_devices:
            _clear_devices(self.data)
        try:
            return graph_from_data(
                self.data, graph, import_scope=import_scope, arrays=_StoredArrays(self.path, self.files)
            )
        except NotFoundError as error:
            advice = self._advice()
            raise NotFoundError(f'"{self.path}" cannot be loaded here: {error}{advice}') from error

    def verify(self) -> None:
        """Check the files beside it against size and hash.

        Raises:
            FormatError: one is missing or damaged.
            StorageError: one cannot be read.
        """
        _StoredArrays(self.path, self.files).read()

    def _advice(self) -> str:
        packages = [one for one in self.data.get("packages", ()) if isinstance(one, str) and one.isidentifier()]
        missing = [one for one in packages if importlib.util.find_spec(one) is None]
        named = [self._distributions[one] for one in missing if one in self._distributions]
        if named:
            return f" It came with the distribution {' and '.join(map(repr, named))}: pip install {' '.join(named)}"
        if missing:
            return f" Where it was saved, {' and '.join(map(repr, missing))} belonged to no distribution."
        return ""


@final
class _StoredArrays:
    """Gives the large arrays of a graph file; reads them when the first is wanted."""

    def __init__(self, path: Path, files: list[FileRecord] | Any) -> None:
        self._path = path
        self._files = files
        self._arrays: dict[str, Array] | None = None

    def get(self, key: str) -> Array:
        """Return the array of a key."""
        if self._arrays is None:
            self._arrays = self.read()
        found = self._arrays.get(key)
        if found is None:
            raise FormatError(f'"{self._path}" is damaged: it speaks of an array {key!r} that no file beside it holds.')
        return found

    def read(self) -> dict[str, Array]:
        """Return all arrays, checked."""
        arrays: dict[str, Array] = {}
        for record in self._files:
            arrays |= record.read(self._path, functools.partial(self._read, record))
        return arrays

    def _read(self, record: FileRecord, place: Path) -> dict[str, Array]:
        return read_tensors(place, record=record, folder=self._path.parent)[0]
