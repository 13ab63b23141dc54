"""``SavedModelBuilder``: writes a bundle."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, final

import dovetail as dt
from dovetail.errors import (
    DovetailError,
    DTypeError,
    GraphError,
    InvalidArgumentError,
    NotFoundError,
    ShapeError,
    StorageError,
)
from dovetail_io.checkpoint import Checkpoint, PathLike, nearest, write_checkpoint
from dovetail_io.files import FileSet, flush_folder, locked, write_file
from dovetail_io.graphfile import EncodedGraph
from dovetail_io.saved_model.bundle import BundleFile, MetaGraph, as_folder, as_tags, described
from dovetail_io.saved_model.constants import (
    ASSETS_DIRECTORY,
    GRAPHS_DIRECTORY,
    SAVED_MODEL_FILENAME,
    VARIABLES_DIRECTORY,
    VARIABLES_FILENAME,
)
from dovetail_io.saved_model.python_code import refuse_python_code
from dovetail_io.saved_model.signatures import SignatureDef, TensorInfo
from dovetail_io.saver import Saver
from dovetail_io.sealed import BUNDLE, open_regular, seal, temporary_name
from dovetail_io.snapshot import Snapshot, take_snapshot

__all__ = ["SavedModelBuilder"]

_CHUNK: Final = 1 << 23


@final
class SavedModelBuilder:
    """Writes a bundle: graphs for several uses, one set of variables that they share, signatures and assets.

    Add the first graph together with the variables, others without, and ``save``. Nothing is on the disk before; then
    the folder appears whole.

    Args:
        export_dir: the folder; it must not be there, or be empty.

    Raises:
        InvalidArgumentError: the folder is there and holds something.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, 2], name="x")
        >>> y = dt.layers.dense(x, 3, name="scores")
        >>> builder = dt.saved_model.builder.SavedModelBuilder("exports/1")
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     signature = dt.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})
        ...     builder.add_meta_graph_and_variables(
        ...         session, [dt.saved_model.tag_constants.SERVING], signature_def_map={"serving_default": signature}
        ...     )
        >>> builder.save()
        'exports/1/saved_model.json'
        >>> dt.saved_model.predictor("exports/1")({"x": [[1.0, 2.0]]})["y"].shape
        (1, 3)
    """

    def __init__(self, export_dir: PathLike | bytes) -> None:
        """Look at the folder."""
        self._folder = as_folder(export_dir, "SavedModelBuilder")
        self._snapshot: Snapshot | None = None
        self._graphs: list[tuple[MetaGraph, EncodedGraph]] = []
        self._assets: dict[str, Path] = {}
        _refuse_content(self._folder)

    def add_meta_graph_and_variables(
        self,
        sess: dt.Session,
        tags: Iterable[str],
        signature_def_map: Mapping[str, SignatureDef] | None = None,
        assets_collection: Collection[dt.Tensor] | None = None,
        legacy_init_op: dt.Operation | None = None,
        clear_devices: bool = False,
        main_op: dt.Operation | None = None,
        strip_default_attrs: bool = False,
        saver: Saver | None = None,
    ) -> None:
        """Add the graph of a session, and the values that its variables have now.

        Args:
            sess: the session.
            tags: they tell the graph from others in the bundle, such as ``[tag_constants.SERVING]``.
            signature_def_map: signatures by name.
            assets_collection: tensors that hold paths of files; the files are copied into the bundle.
            legacy_init_op: as ``main_op``; here for TensorFlow 1 programs.
            clear_devices: whether to leave out on which devices nodes should run.
            main_op: what to run after loading; it is fed the new places of the assets.
            strip_default_attrs: has no effect; defaults are never written.
            saver: chooses the variables and their names; all global variables by default.

        Raises:
            InvalidArgumentError: variables have been added already, or the tags are taken.
            NotFoundError: a signature speaks of a tensor that the graph does not have, or an asset is missing.
            UnsupportedOperationError: a signature's outputs need what ``py_func`` computes.
            UninitializedVariableError: a variable has no value.
        """
        if not isinstance(sess, dt.Session):
            raise DTypeError(
                f"SavedModelBuilder: the first argument is {sess!r}; give the dt.Session that holds the variables."
            )
        if self._snapshot is not None:
            raise InvalidArgumentError(
                "SavedModelBuilder: the variables have been added already; add further graphs by add_meta_graph(tags)."
            )
        with sess.graph.as_default():
            saver = saver or Saver(allow_empty=True)
        snapshot = take_snapshot(sess, saver.variables_of(sess))
        self._add(
            sess.graph, tags, signature_def_map, assets_collection, legacy_init_op or main_op, saver, clear_devices
        )
        self._snapshot = snapshot

    def add_meta_graph(
        self,
        tags: Iterable[str],
        signature_def_map: Mapping[str, SignatureDef] | None = None,
        assets_collection: Collection[dt.Tensor] | None = None,
        legacy_init_op: dt.Operation | None = None,
        clear_devices: bool = False,
        main_op: dt.Operation | None = None,
        strip_default_attrs: bool = False,
        saver: Saver | None = None,
    ) -> None:
        """Add the default graph, whose variables are among those that have been added.

        The arguments are those of `add_meta_graph_and_variables`.

        Raises:
            InvalidArgumentError: no variables have been added yet, or the tags are taken.
            NotFoundError: the graph has a variable whose value was not added, or a signature speaks of a tensor that it
                does not have, or an asset is missing.

        Example:
            >>> builder = dt.saved_model.builder.SavedModelBuilder("both/1")
            >>> v = dt.Variable(1.0, name="v")
            >>> with dt.Session() as session:
            ...     session.run(v.initializer)
            ...     builder.add_meta_graph_and_variables(session, [dt.saved_model.tag_constants.TRAINING])
            >>> with dt.Graph().as_default():
            ...     w = dt.Variable(0.0, name="v")  # the same variable, in a graph of its own
            ...     builder.add_meta_graph([dt.saved_model.tag_constants.SERVING])
            >>> builder.save()
            'both/1/saved_model.json'
        """
        if self._snapshot is None:
            raise InvalidArgumentError(
                "SavedModelBuilder: there are no variables yet; call add_meta_graph_and_variables(session, tags) for "
                "the first graph."
            )
        saver = saver or Saver(allow_empty=True)
        self._check_variables(saver.variables, self._snapshot)
        graph = dt.get_default_graph()
        self._add(graph, tags, signature_def_map, assets_collection, legacy_init_op or main_op, saver, clear_devices)

    def _check_variables(self, variables: Mapping[str, dt.Variable], snapshot: Snapshot) -> None:
        for name, variable in variables.items():
            found = snapshot.arrays.get(snapshot.ties.get(name, name))
            if found is None:
                raise NotFoundError(
                    f'SavedModelBuilder: the variable "{name}" of this graph is not among the {len(snapshot.arrays)} '
                    f"that were added with the first.{nearest(name, snapshot.arrays)} Graphs of a bundle share them: "
                    f"add the graph that has all first, or give a saver. {variable.op.where()}"
                )
            dtype = dt.as_dtype(found.dtype)
            if dtype is not variable.dtype or not variable.shape.is_compatible_with(dt.Shape(found.shape)):
                raise (ShapeError if dtype is variable.dtype else DTypeError)(
                    f'SavedModelBuilder: the variable "{name}" is {variable.dtype.name}{variable.shape} in this graph, '
                    f"but {dtype.name}{list(found.shape)} was added with the first. {variable.op.where()}"
                )

    def _add(
        self,
        graph: dt.Graph,
        tags: Any,
        signatures: Any,
        assets: Collection[dt.Tensor] | None,
        main_op: Any,
        saver: Saver,
        clear_devices: bool,
    ) -> None:
        named = as_tags(tags, "SavedModelBuilder")
        if any(set(one.tags) == set(named) for one, _ in self._graphs):
            raise InvalidArgumentError(
                f"SavedModelBuilder: a graph with the tags {list(named)} has been added already; give this one others."
            )
        checked = _checked(signatures or {}, graph)
        for name, signature in checked.items():
            refuse_python_code(name, signature, graph)
        if main_op is not None and (not isinstance(main_op, dt.Operation) or main_op.graph is not graph):
            raise DTypeError(
                f"SavedModelBuilder: main_op is {main_op!r}; give an operation of the graph that is added."
            )
        files = dict(_asset_of(tensor, graph) for tensor in assets or ())
        encoded = EncodedGraph(graph, saver.definition(), clear_devices=clear_devices)
        places = {name: f"{ASSETS_DIRECTORY}/{self._take_asset(path)}" for name, path in files.items()}
        path = f"{GRAPHS_DIRECTORY}/{len(self._graphs) + 1}.meta"
        meta = MetaGraph(named, path, encoded.hash, checked, places, None if main_op is None else main_op.name)
        self._graphs.append((meta, encoded))

    def _take_asset(self, path: Path) -> str:
        """Return the name of an asset in the bundle: its own, with a number where another file has it."""
        number = 0
        while True:
            name = path.name if not number else f"{path.stem}_{number}{path.suffix}"
            if self._assets.setdefault(name, path) == path:
                return name
            number += 1

    def save(self, as_text: bool = False) -> str:
        """Write the bundle; the folder appears whole, or not at all.

        Args:
            as_text: has no effect; manifests and graphs are text.

        Returns:
            The path of its manifest.

        Raises:
            InvalidArgumentError: no graph has been added, or the folder holds something by now.
            StorageError: the file system refuses.
        """
        if self._snapshot is None:
            raise InvalidArgumentError(
                "SavedModelBuilder: there is nothing to save; call add_meta_graph_and_variables(session, tags) first."
            )
        _refuse_content(self._folder)
        folder = self._folder.resolve()
        with locked(folder.parent):
            for left in folder.parent.glob(temporary_name(_escaped(folder.name), "*")):  # of a writer that was killed
                shutil.rmtree(left, ignore_errors=True)
            work = folder.with_name(temporary_name(folder.name, secrets.token_hex(8)))
            try:
                work.mkdir()
                self._write(work, self._snapshot)
                if folder.exists():
                    folder.rmdir()  # it is empty, or this fails
                work.rename(folder)
            except StorageError:
                raise
            except OSError as error:
                _refuse_content(self._folder)
                raise StorageError(
                    f'the bundle "{self._folder}" could not be saved: {error.strerror or error}. Nothing is left of it.'
                ) from error
            finally:
                shutil.rmtree(work, ignore_errors=True)
            try:
                flush_folder(folder.parent)
            except OSError as error:
                raise StorageError(
                    f'"{self._folder}" is saved, but may not outlast a crash of the machine: {error.strerror or error}.'
                ) from error
        return str(self._folder / SAVED_MODEL_FILENAME)

    def _write(self, work: Path, snapshot: Snapshot) -> None:
        variables, graphs, assets = (work / name for name in (VARIABLES_DIRECTORY, GRAPHS_DIRECTORY, ASSETS_DIRECTORY))
        variables.mkdir()
        with FileSet(variables) as files:
            write_checkpoint(files, VARIABLES_FILENAME, snapshot, graph_hash=self._graphs[0][0].graph_hash)
        checkpoint = Checkpoint(variables / VARIABLES_FILENAME)
        written = [described(work, f"{VARIABLES_DIRECTORY}/{checkpoint.manifest.name}")]
        for record in checkpoint.files:
            name = record.path(checkpoint.prefix).name
            written.append(BundleFile(f"{VARIABLES_DIRECTORY}/{name}", record.bytes, record.sha256))
        for meta, encoded in self._graphs:
            encoded.save(work / meta.graph)
        written += [described(work, f"{GRAPHS_DIRECTORY}/{path.name}") for path in sorted(graphs.iterdir())]
        if self._assets:
            assets.mkdir()
            for name, path in self._assets.items():
                written.append(BundleFile(f"{ASSETS_DIRECTORY}/{name}", *write_file(assets / name, _chunks(path))))
            flush_folder(assets)
        fields = {
            "saved": time.time_ns() / 1e9,
            "files": [one._asdict() for one in written],
            "meta_graphs": [meta.to_data() for meta, _ in self._graphs],
        }
        write_file(work / SAVED_MODEL_FILENAME, [seal(BUNDLE, fields, {"meta_graphs": 5})])
        flush_folder(work)


def _escaped(name: str) -> str:
    return "".join(f"[{one}]" if one in "*?[" else one for one in name)


def _refuse_content(folder: Path) -> None:
    """Make sure that a folder is not there, or empty.

    Raises:
        InvalidArgumentError: it holds something, or is a file.
    """
    try:
        taken = next(folder.iterdir(), None) is not None
    except NotADirectoryError:
        taken = folder.exists()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f'"{folder}" cannot be read: {error.strerror or error}.') from error
    if taken:
        raise InvalidArgumentError(
            f'SavedModelBuilder: "{folder}" is there already and not empty; nothing is overwritten. Choose a new '
            f"folder, such as {str(_next_to(folder))!r}, or delete it first."
        )


def _next_to(folder: Path) -> Path:
    """Return a path that is free: the next number where the folder's name is one, as versions for serving are."""
    number = int(folder.name) if folder.name.isdecimal() else 2
    stem: Callable[[int], str] = str if folder.name.isdecimal() else f"{folder.name}-{{}}".format
    while folder.with_name(stem(number)).exists():
        number += 1
    return folder.with_name(stem(number))


def _checked(signatures: Any, graph: dt.Graph) -> dict[str, SignatureDef]:
    if not isinstance(signatures, Mapping):
        raise DTypeError(f"SavedModelBuilder: signature_def_map is {signatures!r}; give a dict of signatures by name.")
    for key, signature in signatures.items():
        if not isinstance(key, str) or not isinstance(signature, SignatureDef):
            raise DTypeError(
                f"SavedModelBuilder: signature_def_map has {key!r}: {signature!r}; give a string and a signature, as "
                "dt.saved_model.signature_def_utils makes it."
            )
        for part, infos in (("input", signature.inputs), ("output", signature.outputs)):
            for name, info in infos.items():
                _check_tensor(f"the {part} {name!r} of the signature {key!r}", info, graph)
    return dict(signatures)


def _check_tensor(what: str, info: TensorInfo, graph: dt.Graph) -> None:
    try:
        tensor = graph.get_tensor_by_name(info.name)
    except DovetailError as error:
        raise NotFoundError(
            f"SavedModelBuilder: {what} is {info.name!r}, which the graph that is added does not have: {error} Make "
            "the signature from tensors of this graph."
        ) from error
    if tensor.dtype is not info.dtype:
        raise DTypeError(
            f"SavedModelBuilder: {what} says that {info.name!r} is {info}; in the graph it is {tensor.type}. Make the "
            "signature from tensors of this graph."
        )


def _asset_of(tensor: Any, graph: dt.Graph) -> tuple[str, Path]:
    """Return a tensor's name, and the file whose path it holds."""
    if not isinstance(tensor, dt.Tensor) or tensor.dtype is not dt.string or tensor.shape.rank != 0:
        raise DTypeError(
            f"SavedModelBuilder: an asset is {tensor!r}; give string scalars, such as dt.constant('a.txt')."
        )
    if tensor.graph is not graph:
        raise GraphError(f"SavedModelBuilder: the asset {tensor.name!r} belongs to another graph than the one added.")
    with dt.Session(graph=graph) as session:
        path = Path(os.fsdecode(session.run(tensor)))
    if not path.is_file():
        raise NotFoundError(
            f'SavedModelBuilder: the asset "{path}", which {tensor.name!r} holds, is no file. {tensor.op.where()}'
        )
    return tensor.name, path


def _chunks(path: Path) -> Iterator[bytes]:
    with open_regular(path) as file:
        while chunk := file.read(_CHUNK):
            yield chunk
