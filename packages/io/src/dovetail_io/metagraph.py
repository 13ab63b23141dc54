"""Graphs to files and back, under TensorFlow 1's names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dovetail as dt
from dovetail.errors import DovetailError, FormatError, StorageError
from dovetail_io.checkpoint import Checkpoint, PathLike, as_prefix
from dovetail_io.graphfile import EncodedGraph, StoredGraph
from dovetail_io.saver import Saver

__all__ = ["export_meta_graph", "import_meta_graph", "import_stored", "write_graph"]


def export_meta_graph(
    filename: PathLike | None = None,
    *,
    graph: dt.Graph | None = None,
    saver: Saver | None = None,
    as_text: bool = True,
    clear_devices: bool = False,
) -> dict[str, Any]:
    """Return a graph as data; write it to a graph file if a name is given.

    Args:
        filename: where to write it; what ``import_meta_graph`` takes.
        graph: the graph, the default one unless given.
        saver: the saver that ``import_meta_graph`` will return.
        as_text: has no effect; graph files are text.
        clear_devices: whether to leave out on which devices nodes should run.

    Raises:
        StorageError: the file system refuses.
    """
    definition = None if saver is None else saver.definition()
    encoded = EncodedGraph(graph or dt.get_default_graph(), definition, clear_devices=clear_devices)
    if filename is not None:
        encoded.save(as_prefix(filename, "export_meta_graph"))
    return encoded.data


def import_meta_graph(
    meta_graph_or_file: PathLike, clear_devices: bool = False, import_scope: str | None = None
) -> Saver | None:
    """Make a saved graph in the default graph, and return the saver that belongs to it.

    Layers and operations of plugins that are not installed work by what they are made of, which the file holds.

    Args:
        meta_graph_or_file: the graph file, such as ``"model-100.meta"``, or the checkpoint beside it.
        clear_devices: whether to forget on which devices nodes should run.
        import_scope: a scope to put before all names.

    Returns:
        A saver, which restores checkpoints of the saved graph also where ``import_scope`` has changed the names;
        ``None`` where the graph has no variables.

    Raises:
        NotFoundError: there is no such file, or an operation needs a distribution that is not installed: it is named.
        FormatError: the file is damaged, or not the one that was saved with the checkpoint beside it; the default graph
            is as it was.
        GraphError: a name is taken in the default graph.
    """
    path = as_prefix(meta_graph_or_file, "import_meta_graph")
    content = _vouched_for(path)
    if content is None and not path.is_file():
        path = path.with_name(path.name + ".meta")
        content = _vouched_for(path)
    return import_stored(StoredGraph(path, content), clear_devices=clear_devices, scope=import_scope or "")[0]


def import_stored(
    stored: StoredGraph, *, clear_devices: bool = False, scope: str = ""
) -> tuple[Saver | None, dict[str, dt.Operation]]:
    """Make a saved graph in the default graph.

    Returns:
        The saver that belongs to it, ``None`` where it has no variables; and its operations by their saved names.
    """
    graph = dt.get_default_graph()
    made = stored.make(graph, import_scope=scope, clear_devices=clear_devices)
    name, operation = next(iter(made.items()), ("", None))
    prefix = "" if operation is None else operation.name.removesuffix(name)
    by_op = {
        one.op: one
        for key in graph.get_all_collection_keys()
        for one in graph.get_collection(key)
        if isinstance(one, dt.Variable)
    }
    variables = {name: by_op[op] for name, op in made.items() if op in by_op}
    definition = stored.saver
    if definition is None:
        definition = {"variables": {one.save_name.removeprefix(prefix): name for name, one in variables.items()}}
    try:
        saver = Saver.from_definition(definition, variables, prefix)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise FormatError(f'"{stored.path}" is damaged: what it says of the saver is {definition!r}.') from error
    return (saver if saver.variables else None), made


def write_graph(graph_or_graph_def: dt.Graph, logdir: PathLike, name: str, as_text: bool = True) -> str:
    """Write a graph to a graph file, which ``import_meta_graph`` and ``dt.load`` read.

    Args:
        graph_or_graph_def: the graph.
        logdir: the folder, which is made if needed.
        name: name of the file.
        as_text: has no effect; graph files are text.

    Returns:
        The path of the file.

    Raises:
        StorageError: the file system refuses.

    Example:
        >>> x = dt.placeholder(dt.float32, [], name="x")
        >>> dt.train.write_graph(dt.get_default_graph(), "graphs", "net.graph")
        'graphs/net.graph'
    """
    path = as_prefix(logdir, "write_graph") / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f'the folder "{path.parent}" cannot be made: {error.strerror or error}.') from error
    EncodedGraph(graph_or_graph_def, None).save(path)
    return str(path)


def _vouched_for(path: Path) -> bytes | None:
    """Return the content of a checkpoint's graph, checked, in its place or where a killed writer had only to move it.

    ``None`` where there is no manifest that speaks of it.

    Raises:
        FormatError: the manifest speaks of another content.
    """
    try:
        checkpoint = Checkpoint(path.with_suffix(""))
    except DovetailError:
        return None
    record = next((one for one in checkpoint.files if one.path(checkpoint.prefix) == path), None)
    return None if record is None else checkpoint.read_file(record.ending)
