"""What a file or folder holds: tensors, files with hashes, and further parts by name, whichever of the kinds it is."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import dovetail as dt
from dovetail.errors import DovetailError, FormatError, NotFoundError
from dovetail.extend import Array
from dovetail_io.checkpoint import Checkpoint, PathLike, as_prefix, whole_checkpoints
from dovetail_io.files import file_hash
from dovetail_io.formats import NpzFormat
from dovetail_io.graphfile import StoredGraph
from dovetail_io.retention import DEFAULT_NAME, Retention
from dovetail_io.saved_model.bundle import Bundle
from dovetail_io.saved_model.constants import SAVED_MODEL_FILENAME
from dovetail_io.sealed import BUNDLE, CHECKPOINT, GRAPH, LISTING, open_regular, read_bytes
from dovetail_io.tensors import TensorSpec, read_tensors

__all__ = ["Contents", "FileRow", "TensorRow", "contents_of"]


class TensorRow(NamedTuple):
    """A tensor: dtype, shape, size in bytes, and the file that holds it."""

    dtype: str
    shape: tuple[int, ...]
    bytes: int
    file: str

    def __str__(self) -> str:
        """Print dtype and shape, such as ``float32[2, 3]``."""
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


class FileRow(NamedTuple):
    """A file: its path beside what vouches for it, size in bytes, SHA-256."""

    name: str
    bytes: int
    sha256: str


class Contents(NamedTuple):
    """What a file or folder holds.

    Attributes:
        kind: what it is, for people.
        path: where it lies.
        facts: what it says of itself, as JSON-able data.
        tensors: its tensors by name.
        parts: what it holds besides, by kind and name, as JSON-able data.
        files: the files that it vouches for, itself among them.
        read: gives a tensor's value.
        verify: checks all of it, and says what could be checked.
    """

    kind: str
    path: Path
    facts: Mapping[str, Any]
    tensors: Mapping[str, TensorRow]
    parts: Mapping[str, Mapping[str, Any]]
    files: list[FileRow]
    read: Callable[[str], Array]
    verify: Callable[[], str]

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {
            "kind": self.kind,
            "path": str(self.path),
            **self.facts,
            "tensors": {name: {**row._asdict(), "shape": list(row.shape)} for name, row in self.tensors.items()},
            **self.parts,
            "files": [row._asdict() for row in self.files],
        }


def contents_of(path: PathLike) -> Contents:
    """Look at a checkpoint, graph file, bundle, archive of NumPy, safetensors file, or list or folder of checkpoints.

    Args:
        path: the file, the folder, or a checkpoint's path without ending.

    Raises:
        NotFoundError: there is none.
        FormatError: it is damaged, or none of these.
        StorageError: it cannot be read.
    """
    place = Path(path)
    if place.is_dir():
        return _bundle(place) if (place / SAVED_MODEL_FILENAME).exists() else _folder(place)
    if place.suffix == ".npz":
        return _archive(place)
    if place.suffix == ".safetensors":
        sealed = _sealed_beside(place)
        return _checkpoint(sealed) if sealed else _safetensors(place)
    if not place.exists():
        return _checkpoint(as_prefix(place, "inspect"))
    by_format = {
        CHECKPOINT.format: _checkpoint,
        GRAPH.format: _graph,
        BUNDLE.format: _bundle,
        LISTING.format: _listing,
    }
    opener = by_format.get(_format_of(place))
    if opener is None:
        raise FormatError(
            f'"{place}" is none of the files that Dovetail reads: checkpoints, graph files, saved models, lists of '
            "checkpoints, .safetensors and .npz files."
        )
    return opener(place)


def _format_of(path: Path) -> str:
    with open_regular(path) as file:
        if file.read(1) != b"{":  # a large file of another kind is not read whole
            return ""
    try:
        return str(json.loads(read_bytes(path))["format"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _sealed_beside(path: Path) -> Path | None:
    """Return the prefix of the checkpoint that a safetensors file belongs to, if it does."""
    try:
        found = Checkpoint(path)
    except DovetailError:
        return None
    return found.prefix if any(record.path(found.prefix) == path for record in found.files) else None


def _time(saved: float) -> str:
    return datetime.fromtimestamp(saved, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _nothing(name: str) -> Array:
    raise NotFoundError(f"there is no tensor {name!r}.")


# The kinds. ----------------------------------------------------------------------------------------------------------


def _tensors_of(checkpoint: Checkpoint) -> dict[str, TensorRow]:
    return {name: _row(spec, file) for name, (spec, file) in checkpoint.stored().items()}


def _row(spec: TensorSpec, file: str) -> TensorRow:
    return TensorRow(spec.dtype.name, spec.shape, spec.bytes or 0, file)


def _files_of(checkpoint: Checkpoint) -> list[FileRow]:
    manifest = checkpoint.manifest
    own = FileRow(manifest.name, manifest.stat().st_size, file_hash(manifest))
    return [own, *(FileRow(one.path(checkpoint.prefix).name, one.bytes, one.sha256) for one in checkpoint.files)]


def _hashes_agree(files: list[FileRow]) -> str:
    count = "1 file" if len(files) == 1 else f"all {len(files)} files"
    return f"size and SHA-256 of {count} agree"


def _checkpoint(path: Path) -> Contents:
    checkpoint = Checkpoint(path)
    seed = checkpoint.random_state["seed"]
    facts = {
        "step": checkpoint.step,
        "saved": _time(checkpoint.saved),
        "dovetail": checkpoint.dovetail,
        "graph_hash": checkpoint.graph_hash,
        "seed": seed,
    }
    parts: dict[str, Mapping[str, Any]] = {
        "ties": checkpoint.ties,
        "states": checkpoint.states,
        "random_counters": dict(checkpoint.random_state["counters"]),
    }
    files = _files_of(checkpoint)

    def verify() -> str:
        checkpoint.verify()
        return _hashes_agree(files)

    read = checkpoint.read_unchecked
    return Contents("checkpoint", checkpoint.prefix, facts, _tensors_of(checkpoint), parts, files, read, verify)


def _graph(path: Path) -> Contents:
    stored = StoredGraph(path)
    files = [FileRow(path.name, path.stat().st_size, file_hash(path))]
    files += [FileRow(one.path(path).name, one.bytes, one.sha256) for one in stored.files]

    def verify() -> str:
        stored.verify()
        stored.make(dt.Graph())
        return f"{_hashes_agree(files)}; the graph can be made"

    return Contents(
        "graph file", path, {"graph_hash": stored.graph_hash}, {}, _graph_parts(stored), files, _nothing, verify
    )


def _graph_parts(stored: StoredGraph, prefix: str = "") -> dict[str, dict[str, Any]]:
    try:
        nodes = {node["name"]: node for node in stored.data["nodes"]}
        return {
            "placeholders": {
                prefix + node["name"]: " ".join(node.get("types", ()))
                for node in stored.data["nodes"]
                if node["op"] in ("Placeholder", "PlaceholderWithDefault")
            },
            "variables": {prefix + one["name"]: _variable(one, nodes[one["name"]]) for one in stored.data["variables"]},
            "layers": {prefix + one["name"]: one["layer"] for one in stored.data["layers"]},
            "nodes": {
                prefix + node["name"]: {
                    key: value for key, value in node.items() if key not in ("name", "line", "layer")
                }
                for node in stored.data["nodes"]
            },
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise FormatError(f'"{stored.path}" is damaged: {error!r} in its graph. Take another one.') from error


def _variable(data: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    return " ".join([*node.get("types", ()), *([] if data["trainable"] else ["(not trainable)"])])


def _bundle(path: Path) -> Contents:
    bundle = Bundle(path)
    checkpoint = bundle.checkpoint()
    parts: dict[str, dict[str, Any]] = {"signatures": {}, "graphs": {}, "assets": {}}
    for meta in bundle.meta_graphs:
        tags = ",".join(meta.tags)
        parts["graphs"][tags] = {"file": meta.graph, "graph_hash": meta.graph_hash, "main_op": meta.main_op}
        parts["signatures"] |= {f"{tags}/{name}": one.to_data() for name, one in meta.signature_def.items()}
        parts["assets"] |= {f"{tags}/{tensor}": path for tensor, path in meta.assets.items()}
        for kind, found in _graph_parts(bundle.stored_graph(meta), f"{tags}/").items():
            if kind != "variables":
                parts.setdefault(kind, {}).update(found)
    manifest = FileRow(bundle.manifest.name, bundle.manifest.stat().st_size, file_hash(bundle.manifest))
    files = [manifest, *(FileRow(*one) for one in bundle.files.values())]

    def verify() -> str:
        bundle.verify()
        return _hashes_agree(files)

    facts = {"saved": _time(bundle.saved), "dovetail": bundle.dovetail}
    tensors = _tensors_of(checkpoint)
    return Contents("saved model", bundle.folder, facts, tensors, parts, files, checkpoint.read_unchecked, verify)


def _archive(path: Path) -> Contents:
    arrays = NpzFormat().load(path)
    rows = {name: TensorRow(str(one.dtype), one.shape, one.nbytes, path.name) for name, one in arrays.items()}
    file = FileRow(path.name, path.stat().st_size, file_hash(path))
    message = "the checksums of the archive agree; it has no SHA-256 to compare with"
    return Contents("archive of NumPy", path, {}, rows, {}, [file], arrays.__getitem__, lambda: message)


def _safetensors(path: Path) -> Contents:
    _, specs = read_tensors(path, ())
    rows = {name: _row(spec, path.name) for name, spec in specs.items()}
    file = FileRow(path.name, path.stat().st_size, file_hash(path))

    def verify() -> str:
        read_tensors(path, ())
        return "its structure is sound; there is no manifest with a hash to compare with"

    read = functools.partial(_read_tensor, path)
    return Contents("safetensors file", path, {}, rows, {}, [file], read, verify)


def _read_tensor(path: Path, name: str) -> Array:
    return read_tensors(path, [name])[0][name]


def _folder(folder: Path) -> Contents:
    if (folder / DEFAULT_NAME).is_file():
        return _listing(folder / DEFAULT_NAME)
    found = whole_checkpoints(folder)
    if not found:
        raise NotFoundError(f'there is no checkpoint and no saved model in the folder "{folder}".')
    return _checkpoints(folder, {}, [one.prefix.name for one in reversed(found)], [])


def _listing(path: Path) -> Contents:
    retention = Retention(path.parent, path.name)
    retention.read()
    names = {name: saved for group in retention.groups for name, saved in group.checkpoints.items()}
    file = FileRow(path.name, path.stat().st_size, file_hash(path))
    return _checkpoints(path, {"latest": retention.latest}, sorted(names, key=lambda name: names[name]), [file])


def _checkpoints(path: Path, facts: Mapping[str, Any], names: list[str], files: list[FileRow]) -> Contents:
    folder = path if path.is_dir() else path.parent
    rows: dict[str, Any] = {}
    for name in names:
        try:
            one = Checkpoint(folder / name)
        except DovetailError as error:
            rows[name] = {"step": None, "saved": None, "state": str(error)}
        else:
            state = "whole" if one.is_whole() else "a file is missing or has another size"
            rows[name] = {"step": one.step, "saved": _time(one.saved), "state": state}

    def verify() -> str:
        for name in names:
            Checkpoint(folder / name).verify()
        return f"{len(names)} checkpoints, each whole: size and SHA-256 of all files agree"

    return Contents("list of checkpoints", path, facts, {}, {"checkpoints": rows}, files, _nothing, verify)
