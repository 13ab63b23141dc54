"""Bundles: a folder with graphs, the variables that they share, their signatures and assets.

| in the folder | |
| --- | --- |
| ``saved_model.json`` | the manifest: sealed, it vouches for all other files |
| ``graphs/1.meta`` … | a graph file for each set of tags, with its large constants beside it |
| ``variables/variables`` | a checkpoint, which ``Saver.restore`` and the safetensors library read too |
| ``assets/`` | further files, such as vocabularies |

Beside format, version and digest the manifest has ``saved``, seconds since 1970; ``files``, path, size and SHA-256 of
each; and ``meta_graphs``: tags, the graph's file and hash, signatures, assets by the tensors that hold their paths, and
the operation to run after loading. Nothing of it runs code.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar, final

from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, NotFoundError
from dovetail_io.checkpoint import Checkpoint, PathLike, nearest
from dovetail_io.files import file_hash
from dovetail_io.graphfile import StoredGraph
from dovetail_io.saved_model.constants import (
    ASSETS_DIRECTORY,
    GRAPHS_DIRECTORY,
    SAVED_MODEL_FILENAME,
    VARIABLES_DIRECTORY,
    VARIABLES_FILENAME,
)
from dovetail_io.saved_model.signature_constants import DEFAULT_SERVING_SIGNATURE_DEF_KEY
from dovetail_io.saved_model.signatures import SignatureDef
from dovetail_io.saved_model.tag_constants import SERVING
from dovetail_io.sealed import BUNDLE, is_plain_name, moment, read_bytes, unseal

__all__ = ["Bundle", "BundleFile", "MetaGraph", "as_folder", "as_tags", "described"]

_T = TypeVar("_T")
_FOLDERS = (ASSETS_DIRECTORY, GRAPHS_DIRECTORY, VARIABLES_DIRECTORY)


def as_folder(path: Any, what: str) -> Path:
    """Return the folder that ``path`` gives, a string, bytes or a Path.

    Raises:
        DTypeError: it is no path.
        InvalidArgumentError: it is empty.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise DTypeError(f"{what}: the folder is {path!r}; give a string or a Path, such as 'exports/1'.")
    text = os.fsdecode(path)
    if not text or "\0" in text:
        raise InvalidArgumentError(f"{what}: {text!r} is no path of a folder; give one such as 'exports/1'.")
    return Path(text)


def as_tags(tags: Any, what: str) -> tuple[str, ...]:
    """Return tags, each once, in order.

    Raises:
        DTypeError: they are no strings.
        InvalidArgumentError: there are none.
    """
    given = [tags] if isinstance(tags, str) else tags
    if not isinstance(given, Iterable) or isinstance(given, bytes):
        raise DTypeError(f"{what}: tags are {tags!r}; give a list of strings, such as ['serve'].")
    found = tuple(dict.fromkeys(given))
    if not all(isinstance(one, str) and one for one in found):
        raise DTypeError(f"{what}: tags are {tags!r}; give a list of strings, such as ['serve'].")
    if not found:
        raise InvalidArgumentError(f"{what}: there are no tags; give at least one, such as ['serve'].")
    return found


class BundleFile(NamedTuple):
    """A file of a bundle: its path in the folder, with slashes; its size and SHA-256."""

    path: str
    bytes: int
    sha256: str

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read one; raises KeyError, TypeError or ValueError where it is something else, or leads elsewhere."""
        path, size, sha256 = data["path"], data["bytes"], data["sha256"]
        folder, slash, name = path.partition("/")
        if not slash or folder not in _FOLDERS or not is_plain_name(name):
            raise ValueError(f"{path!r} is no path of a file in a bundle")
        if type(size) is not int or not isinstance(sha256, str):
            raise TypeError(f"{data!r} does not describe a file")
        return cls(path, size, sha256)


def described(folder: Path, path: str) -> BundleFile:
    """Return what a manifest says of a file, which is read for it."""
    place = folder / path
    return BundleFile(path, place.stat().st_size, file_hash(place))


class MetaGraph(NamedTuple):
    """What a bundle says of one of its graphs.

    Attributes:
        tags: they tell it from the others.
        graph: path of the graph file in the folder.
        graph_hash: hash of the graph.
        signature_def: the signatures by name.
        assets: paths of files in the folder, by the names of the tensors that hold their paths.
        main_op: name of the operation to run after loading, or ``None``.
    """

    tags: tuple[str, ...]
    graph: str
    graph_hash: str
    signature_def: Mapping[str, SignatureDef]
    assets: Mapping[str, str]
    main_op: str | None

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        signatures = {name: one.to_data() for name, one in self.signature_def.items()}
        return {**self._asdict(), "tags": list(self.tags), "signature_def": signatures, "assets": dict(self.assets)}

    def chosen(self, signature: str | None) -> str:
        """Return the name of a signature: that asked for, the only one, or the default one."""
        if signature is not None:
            return signature
        names = list(self.signature_def)
        return names[0] if len(names) == 1 else DEFAULT_SERVING_SIGNATURE_DEF_KEY

    @classmethod
    def from_data(cls, data: Mapping[str, Any], files: Collection[str]) -> Self:
        """Read one; raises KeyError, TypeError, ValueError or AttributeError where it is something else."""
        assets = {str(tensor): str(path) for tensor, path in data["assets"].items()}
        if data["graph"] not in files or not set(assets.values()) <= set(files):
            raise ValueError("a graph speaks of a file that is not listed")
        return cls(
            as_tags(data["tags"], "a graph of the bundle"),
            data["graph"],
            str(data["graph_hash"]),
            {str(name): SignatureDef.from_data(one) for name, one in data["signature_def"].items()},
            assets,
            None if data["main_op"] is None else str(data["main_op"]),
        )


def find_signature(signatures: Mapping[str, SignatureDef], name: str, folder: Path) -> SignatureDef:
    """Return a signature of a graph of the bundle in a folder.

    Raises:
        NotFoundError: there is no such signature; those that there are are listed.
    """
    found = signatures.get(name)
    if found is None:
        there = ", ".join(map(repr, signatures)) or "none"
        raise NotFoundError(f'"{folder}" has no signature {name!r}; it has {there}.{nearest(name, signatures)}')
    return found


@final
class Bundle:
    """A bundle on the disk: what its manifest says, its files checked as they are read.

    Args:
        export_dir: the folder, or the manifest in it.

    Attributes:
        folder: the folder.
        saved: when it was saved, as seconds since 1970.
        dovetail: the version of Dovetail that wrote it.
        files: the files that it vouches for, by path.
        meta_graphs: its graphs.

    Raises:
        NotFoundError: there is none.
        FormatError: its manifest is damaged.
        StorageError: it cannot be read.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, 2], name="x")
        >>> with dt.Session() as session:
        ...     dt.saved_model.simple_save(session, "exports/1", {"x": x}, {"y": 2.0 * x})
        >>> bundle = dt.saved_model.Bundle("exports/1")
        >>> bundle.verify()
        >>> [(one.tags, list(one.signature_def)) for one in bundle.meta_graphs]
        [(('serve',), ['serving_default'])]
    """

    def __init__(self, export_dir: PathLike | bytes) -> None:
        """Read the manifest."""
        given = as_folder(export_dir, "saved_model")
        self.folder = given.parent if given.name == SAVED_MODEL_FILENAME else given
        self.manifest = self.folder / SAVED_MODEL_FILENAME
        try:
            content = read_bytes(self.manifest, self.folder)
        except NotFoundError as error:
            raise NotFoundError(_nothing_in(self.folder)) from error
        data = unseal(content, self.manifest, BUNDLE)
        try:
            listed = [BundleFile.from_data(one) for one in data["files"]]
            self.saved = moment(data["saved"])
            self.dovetail = str(data.get("dovetail"))
            self.files = {one.path: one for one in listed}
            self.meta_graphs = [MetaGraph.from_data(one, self.files.keys()) for one in data["meta_graphs"]]
            if len(self.files) != len(listed):
                raise ValueError("a file is listed twice")
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise FormatError(f'"{self.manifest}" is damaged: {error!r}. Take another one.') from error

    @property
    def prefix(self) -> Path:
        """The path of the checkpoint that holds the variables."""
        return self.folder / VARIABLES_DIRECTORY / VARIABLES_FILENAME

    def chosen(self, tags: Any = None) -> MetaGraph:
        """Return the graph that has these tags; without tags the only one, or that for serving.

        Raises:
            NotFoundError: there is none; the message lists the tags that there are.
        """
        if tags is None:
            tags = self.meta_graphs[0].tags if len(self.meta_graphs) == 1 else [SERVING]
        return self.meta_graph(tags)

    def meta_graph(self, tags: Any) -> MetaGraph:
        """Return the graph that has exactly these tags.

        Raises:
            NotFoundError: there is none; the message lists the tags that there are.
        """
        wanted = set(as_tags(tags, "saved_model"))
        for one in self.meta_graphs:
            if set(one.tags) == wanted:
                return one
        there = " and ".join(str(list(one.tags)) for one in self.meta_graphs)
        raise NotFoundError(
            f'"{self.folder}" has no graph with the tags {sorted(wanted)}; it has graphs with {there}. Give all tags '
            "of one of them."
        )

    def checkpoint(self) -> Checkpoint:
        """Return the checkpoint that holds the variables.

        Raises:
            FormatError: its manifest is not the one that was saved.
        """
        path = f"{VARIABLES_DIRECTORY}/{VARIABLES_FILENAME}.json"
        if path not in self.files:
            raise FormatError(f'"{self.manifest}" is damaged: it does not list "{path}". Take another one.')
        self.read(path)
        return Checkpoint(self.prefix)

    def stored_graph(self, meta_graph: MetaGraph) -> StoredGraph:
        """Return a graph file, checked."""
        return StoredGraph(self.folder / meta_graph.graph, self.read(meta_graph.graph))

    def asset_paths(self, meta_graph: MetaGraph) -> dict[str, str]:
        """Return where the assets of a graph lie, by the names of the tensors that hold their paths."""
        return {tensor: str(self.folder / path) for tensor, path in meta_graph.assets.items()}

    def read(self, path: str) -> bytes:
        """Return the bytes of a file that is listed, checked.

        Raises:
            FormatError: it is missing or damaged.
            StorageError: it cannot be read.
        """
        content = self._there(path, read_bytes)
        self._check(path, len(content), hashlib.sha256(content).hexdigest())
        return content

    def verify(self) -> None:
        """Check all files against size and hash, and what they hold.

        Raises:
            FormatError: one is missing or damaged.
            StorageError: one cannot be read.
        """
        for path in self.files:
            self._check(path, *self._there(path, lambda place: (place.stat().st_size, file_hash(place))))
        self.checkpoint().verify()
        for one in self.meta_graphs:
            self.stored_graph(one).verify()

    def _there(self, path: str, reader: Callable[[Path], _T]) -> _T:
        place = self.folder / path
        try:
            if not place.resolve().is_relative_to(self.folder.resolve()):
                raise FormatError(
                    f'"{place}" leads to "{place.resolve()}", out of its folder, and is not followed. Put the file '
                    "itself there."
                )
            return reader(place)
        except (NotFoundError, FileNotFoundError) as error:
            raise FormatError(f'"{place}" is missing, without which the bundle is not whole. Copy it anew.') from error

    def _check(self, path: str, size: int, sha256: str) -> None:
        listed = self.files[path]
        place = self.folder / path
        if size != listed.bytes:
            raise FormatError(
                f'"{place}" is damaged: it has {size} bytes and should have {listed.bytes}. Copy it anew.'
            )
        if sha256 != listed.sha256:
            raise FormatError(
                f'"{place}" is damaged: its content has changed since it was written (SHA-256 {sha256[:12]}…, should '
                f"be {listed.sha256[:12]}…). Copy it anew."
            )


def _nothing_in(folder: Path) -> str:
    if not folder.is_dir():
        return f'there is no saved model "{folder}": the folder does not exist.'
    if (folder / "saved_model.pb").exists() or (folder / "saved_model.pbtxt").exists():
        return f'"{folder}" is a saved model of TensorFlow, which Dovetail does not read; export it to ONNX there.'
    below = sorted(one.parent.name for one in folder.glob(f"*/{SAVED_MODEL_FILENAME}"))
    hint = f" There is one in {' and '.join(repr(str(folder / name)) for name in below[-3:])}." if below else ""
    return f'there is no saved model in "{folder}": "{SAVED_MODEL_FILENAME}" is missing.{hint}'
