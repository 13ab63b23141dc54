"""What ``dt.io`` gives of checkpoints and graph files."""

from __future__ import annotations

import dovetail as dt
from dovetail_io.checkpoint import Checkpoint, PathLike, as_prefix
from dovetail_io.container import pack, read_packed, unpack, write_packed
from dovetail_io.formats import GraphFormat
from dovetail_io.listing import load_checkpoint

__all__ = ["Checkpoint", "pack", "read_graph", "read_packed", "unpack", "verify", "write_graph", "write_packed"]


def verify(path: PathLike) -> Checkpoint:
    """Check all files of a checkpoint, by its path or the newest of a folder, against size and hash; returns it.

    Raises:
        NotFoundError: there is none.
        FormatError: a file is damaged or missing.
        StorageError: a file cannot be read.
    """
    checkpoint = load_checkpoint(path)
    checkpoint.verify()
    return checkpoint


def write_graph(graph: dt.Graph, path: PathLike) -> str:
    """Write a graph to a file, which ``read_graph`` and ``dt.train.import_meta_graph`` take; returns its path.

    Raises:
        StorageError: the file system refuses.
    """
    return GraphFormat().save(graph, as_prefix(path, "write_graph"))


def read_graph(path: PathLike) -> dt.Graph:
    """Return a new graph, made of what a graph file holds.

    Raises:
        NotFoundError: there is no such file, or an operation needs a distribution that is not installed: it is named.
        FormatError: it is damaged.
    """
    return GraphFormat().load(as_prefix(path, "read_graph"))
