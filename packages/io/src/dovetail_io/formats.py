"""The formats that ``dt.save`` and ``dt.load`` choose from: checkpoints, graph files, and NumPy's archives."""

from __future__ import annotations

import io
import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail.errors import DovetailError, DTypeError, FormatError, InvalidArgumentError, StorageError
from dovetail.extend import Array, Format
from dovetail_io.checkpoint import INDEX, as_prefix, checkpoint_exists, write_checkpoint
from dovetail_io.files import FileSet, locked, replace_file
from dovetail_io.graphfile import StoredGraph
from dovetail_io.indexed import read_indexed
from dovetail_io.listing import load_checkpoint
from dovetail_io.metagraph import export_meta_graph
from dovetail_io.options import check_options, options_of
from dovetail_io.retention import latest_checkpoint
from dovetail_io.saver import Saver
from dovetail_io.sealed import open_regular
from dovetail_io.snapshot import Snapshot
from dovetail_io.tensors import read_tensors

__all__ = ["CheckpointFormat", "GraphFormat", "NpzFormat"]

# What NumPy and zipfile raise for what is no archive of arrays, or one that was changed.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def _arrays_of(what: Any, format: str) -> dict[str, Array]:
    """Return the arrays of a dict, or the values of a session's global variables."""
    if isinstance(what, dt.Session):
        with what.graph.as_default():
            variables = Saver(allow_empty=True).variables
        values = what.run(list(variables.values()))
        return {name: np.asarray(value) for name, value in zip(variables, values, strict=True)}
    if isinstance(what, Mapping):
        return {_name(name): _array(value, name) for name, value in what.items()}
    raise InvalidArgumentError(
        f"the format {format!r} holds a dict of arrays, or the variables of a dt.Session, not {what!r}."
    )


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise DTypeError(f"the name of an array is {name!r}; give a string.")
    return name


def _array(value: Any, name: str) -> Array:
    array: Array = np.asarray(value)
    try:
        dtype = dt.as_dtype(array.dtype)
    except DTypeError as error:
        raise DTypeError(f"{name!r} cannot be saved: {error}") from error
    if not dtype.is_string:
        return np.asarray(array, dtype.numpy)
    items = [one.encode() if isinstance(one, str) else one for one in array.reshape(-1).tolist()]
    wrong = next((one for one in items if not isinstance(one, bytes)), None)
    if wrong is not None:
        raise DTypeError(
            f"{name!r} cannot be saved: it is or holds a {type(wrong).__name__}; give arrays of numbers or strings."
        )
    result = np.empty(len(items), object)
    result[:] = items
    return result.reshape(array.shape)


@final
class CheckpointFormat(Format):
    """Checkpoints; of other libraries' safetensors files, those spread over several too, the arrays."""

    name = "checkpoint"
    suffixes = (".safetensors", INDEX)

    def save(self, what: Any, path: Path, **options: Any) -> str:
        """Write a session's variables, or a dict of arrays, as a checkpoint; returns its path without ending.

        Args:
            what: a ``dt.Session``, whose global variables and graph are saved, or a dict of arrays.
            path: where to; the ending ``.safetensors`` may be left out.
            options: for a session, those of ``Saver.save``; for a dict, ``max_shard_bytes``.

        Raises:
            StorageError: the file system refuses.
        """
        prefix = as_prefix(path.with_name(path.name.removesuffix(INDEX).removesuffix(".safetensors")), "save")
        if isinstance(what, dt.Session):
            check_options("saving a session's checkpoint", options, options_of(Saver.save, "sess", "save_path"))
            with what.graph.as_default():
                saver = Saver()
            return saver.save(what, prefix, **({"write_state": False} | options))
        check_options("saving arrays as a checkpoint", options, ["max_shard_bytes"])
        arrays = _arrays_of(what, self.name)
        with locked(prefix.parent), FileSet(prefix.parent) as work:
            write_checkpoint(work, prefix.name, Snapshot.of(arrays), **options)
        return str(prefix)

    @classmethod
    def recognizes(cls, path: Path) -> bool:
        """Whether it is a checkpoint's path without ending, or a folder of checkpoints."""
        if path.is_dir():
            return latest_checkpoint(path) is not None
        return bool(path.name) and not path.exists() and checkpoint_exists(path)

    def load(self, path: Path, **options: Any) -> dict[str, Array]:
        """Return the arrays of a checkpoint, checked; or of a safetensors file without a manifest, unchecked.

        Args:
            path: the checkpoint, one of its files, or a folder, of which the newest is taken.
            options: ``session``, a ``dt.Session`` to restore into as well.

        Raises:
            FormatError: a file is damaged.
        """
        check_options("loading a checkpoint", options, ["session"])
        session = options.get("session")
        stem = path.name.removesuffix(INDEX).removesuffix(".safetensors")
        manifest = path.with_name(f"{stem}.json")
        try:
            checkpoint = load_checkpoint(path.with_name(stem) if path.name.endswith(INDEX) else path)
        except DovetailError as error:
            if (
                path.is_dir()
                or manifest.exists()
                or session is not None
                or isinstance(error, (FormatError, StorageError))
            ):
                raise
            return read_indexed(path) if path.name.endswith(INDEX) else read_tensors(path)[0]
        if session is not None:
            with session.graph.as_default():
                Saver().restore(session, checkpoint.prefix)
        return checkpoint.read()


@final
class GraphFormat(Format):
    """Graph files."""

    name = "graph"
    suffixes = (".meta",)

    def save(self, what: Any, path: Path, **options: Any) -> str:
        """Write a graph, or the graph of a session; the options are those of ``dt.train.export_meta_graph``."""
        graph = what.graph if isinstance(what, dt.Session) else what
        if not isinstance(graph, dt.Graph):
            raise InvalidArgumentError(f"the format 'graph' holds a dt.Graph, or that of a dt.Session, not {what!r}.")
        check_options("saving a graph", options, options_of(export_meta_graph, "filename", "graph"))
        export_meta_graph(path, graph=graph, **options)
        return str(path)

    def load(self, path: Path, **options: Any) -> dt.Graph:
        """Return a new graph; the option ``clear_devices`` forgets on which devices nodes should run."""
        check_options("loading a graph", options, ["clear_devices"])
        graph = dt.Graph()
        StoredGraph(path).make(graph, **options)
        return graph


@final
class NpzFormat(Format):
    """NumPy's archives of arrays: the values alone, without strings and bfloat16, which NumPy does not have."""

    name = "npz"
    suffixes = (".npz",)

    def save(self, what: Any, path: Path, **options: Any) -> str:
        """Write a dict of arrays, or the values of a session's variables; the option ``compress`` makes it smaller."""
        check_options("saving an .npz file", options, ["compress"])
        arrays = _arrays_of(what, self.name)
        for name, array in arrays.items():
            dtype = dt.as_dtype(array.dtype)
            if dtype.is_string or dtype is dt.bfloat16:
                raise DTypeError(
                    f"{name!r} is {dtype.name}, which .npz files do not hold; save to a .safetensors file."
                )
        buffer = io.BytesIO()
        method = zipfile.ZIP_DEFLATED if options.get("compress") else zipfile.ZIP_STORED
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        with locked(path.parent):
            replace_file(path, [buffer.getbuffer()])
        return str(path)

    def load(self, path: Path, **options: Any) -> dict[str, Array]:
        """Return the arrays.

        Raises:
            FormatError: the file is damaged, or holds Python objects.
        """
        check_options("loading an .npz file", options, [])
        with open_regular(path) as file:
            try:
                with np.load(file, allow_pickle=False) as archive:
                    return {name: archive[name] for name in archive.files}
            except MemoryError as error:
                raise StorageError(f'"{path}" cannot be read: its arrays do not fit into memory.') from error
            except _DAMAGE as error:
                raise FormatError(f'"{path}" is damaged or no .npz file: {error}. Take another one.') from error
