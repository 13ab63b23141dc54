"""``Saver``: saves the variables of a session, with its random state and the graph, and restores them."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, final

import dovetail as dt
from dovetail.errors import (
    DovetailError,
    DTypeError,
    FormatError,
    GraphError,
    InvalidArgumentError,
)
from dovetail.extend import Array, hook
from dovetail_io.asynchronous import Background
from dovetail_io.checkpoint import SHARD_BYTES, Checkpoint, PathLike, as_prefix, whole_checkpoints, write_checkpoint
from dovetail_io.files import FileSet, locked
from dovetail_io.fit import check_fit
from dovetail_io.graphfile import EncodedGraph, GraphEncoder
from dovetail_io.keeping import Keeper
from dovetail_io.retention import Retention
from dovetail_io.sealed import FileRecord
from dovetail_io.snapshot import Snapshot, frozen, take_snapshot
from dovetail_io.stateful import Stateful, as_stateful, collected, restore_states, take_states

__all__ = ["Saver"]

_SHOWN = 5


class _Task(NamedTuple):
    """A save that has only to be written.

    Attributes:
        place: the checkpoint's prefix.
        shown: the same as the program names it.
        step: the step it is saved under.
        states: of objects besides the variables.
        graph: the graph.
        graph_ending: ending of its file; ``None`` where it is not to be written.
        retention: the list to put it in, if any.
    """

    place: Path
    shown: Path
    step: int | None
    states: dict[str, Any]
    graph: EncodedGraph
    graph_ending: str | None
    retention: Retention | None

    def tell(self) -> None:
        """Call the hook, as the checkpoint is in its place."""
        if hook.active("checkpoint_saved"):
            hook.checkpoint_saved(str(self.shown), self.step)


@final
class Saver:
    """Saves variables of a session to checkpoints, and restores them.

    A checkpoint also holds the state of the random numbers, so that training goes on after ``restore``, in another
    process too, with the same bits as if it had not stopped. Saving is atomic: whatever happens in the middle of it,
    the last checkpoint stays whole.

    Args:
        var_list: the variables, or a dict of them by the names they have in checkpoints; by default all global
            variables made so far.
        reshape: whether a tensor of another shape is restored that has as many elements.
        sharded: has no effect; here for TensorFlow 1 programs. See ``max_shard_bytes``.
        max_to_keep: how many checkpoints stay in a folder; ``None`` or 0 for all. Goes on after a restart.
        keep_checkpoint_every_n_hours: of those that would go, one is kept for ever in that time.
        name: has no effect; here for TensorFlow 1 programs.
        restore_sequentially: has no effect; here for TensorFlow 1 programs.
        saver_def: must be ``None``; `import_meta_graph` returns the saver of a saved graph.
        builder: must be ``None``.
        defer_build: take the variables that there are at the first use, not now.
        allow_empty: admit that there are no variables.
        write_version: has no effect; here for TensorFlow 1 programs.
        pad_step_number: write steps with eight digits.
        save_relative_paths: has no effect; paths in files are always relative.
        filename: has no effect; here for TensorFlow 1 programs.
        max_shard_bytes: size above which the tensors are spread over several files.
        stateful: objects by name whose state is saved and restored too, such as a place in the data; a saver of all
            variables adds those of the graph's collection ``SAVEABLE_OBJECTS``. See `Stateful`.
        asynchronous: whether ``save`` copies the values and returns, and a thread writes them. The next ``save``,
            ``wait``, the end of the session and that of the process wait until it is done; ``save`` and ``wait`` raise
            what went wrong. It takes memory for one copy of the variables.

    Raises:
        InvalidArgumentError: there are no variables, or two have one name.
        DTypeError: something in ``var_list`` is no variable, or something in ``stateful`` no `Stateful`.

    Example:
        >>> v = dt.Variable(1.0, name="v")
        >>> saver = dt.train.Saver()
        >>> with dt.Session() as session:
        ...     v.load(3.0, session)
        ...     saver.save(session, "./model", global_step=7)
        './model-7'
        >>> with dt.Session() as session:
        ...     saver.restore(session, "./model-7")
        ...     session.run(v)
        np.float32(3.0)
    """

    def __init__(
        self,
        var_list: Sequence[dt.Variable] | Mapping[str, dt.Variable] | None = None,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        saver_def: Any = None,
        builder: Any = None,
        defer_build: bool = False,
        allow_empty: bool = False,
        write_version: Any = None,
        pad_step_number: bool = False,
        save_relative_paths: bool = False,
        filename: str | None = None,
        *,
        max_shard_bytes: int | None = SHARD_BYTES,
        stateful: Mapping[str, Stateful] | None = None,
        asynchronous: bool = False,
    ) -> None:
        """Choose the variables."""
        if saver_def is not None or builder is not None:
            raise InvalidArgumentError(
                "Saver: saver_def and builder belong to TensorFlow's own files; dt.train.import_meta_graph returns the "
                "saver of a saved graph."
            )
        if max_to_keep is not None and max_to_keep < 0:
            raise InvalidArgumentError(
                f"Saver: max_to_keep is {max_to_keep!r}; give a number of checkpoints, or None for all."
            )
        if max_shard_bytes is not None and max_shard_bytes < 1:
            raise InvalidArgumentError(
                f"Saver: max_shard_bytes is {max_shard_bytes!r}; give a positive number of bytes."
            )
        self._given = var_list
        self._allow_empty = allow_empty
        self._variables: dict[str, dt.Variable] | None = None
        self._reshape = reshape
        self._pad = pad_step_number
        self._max_shard_bytes = max_shard_bytes
        self._stateful = as_stateful(stateful)
        self._scope = ""
        self._keeper = Keeper(int(max_to_keep or 0), float(keep_checkpoint_every_n_hours))
        self._encoder = GraphEncoder()
        self._background = Background() if asynchronous else None
        self._sessions: weakref.WeakSet[dt.Session] = weakref.WeakSet()
        if not defer_build:
            self.build()

    def build(self) -> None:
        """Take the variables, if that has not been done."""
        if self._variables is None:
            self._variables = _by_name(dt.global_variables() if self._given is None else self._given)
            if not self._variables and not self._allow_empty:
                self._variables = None
                raise InvalidArgumentError(
                    "Saver: there are no variables to save; make the Saver after the network, or pass allow_empty=True."
                )

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any], variables: Mapping[str, dt.Variable], scope: str) -> Saver:
        """Make a saver anew.

        Args:
            definition: what ``definition`` gave.
            variables: the variables by the names that it uses; others are left out.
            scope: what stands before those names in the graph now.
        """
        chosen = {name: variables[one] for name, one in definition["variables"].items() if one in variables}
        options = {key: value for key, value in definition.items() if key != "variables"}
        saver = cls(chosen, allow_empty=True, **options)
        saver._scope = scope
        return saver

    @property
    def variables(self) -> dict[str, dt.Variable]:
        """The variables by the names they have in checkpoints."""
        self.build()
        return dict(self._variables or {})

    # Saving. ---------------------------------------------------------------------------------------------------------

    def save(
        self,
        sess: dt.Session,
        save_path: PathLike,
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
        strip_default_attrs: bool = False,
        save_debug_info: bool = False,
    ) -> str:
        """Save the variables' values; an asynchronous saver returns when they are copied.

        Args:
            sess: the session that holds them.
            save_path: where to: a folder, which is made if needed, and a name.
            global_step: a number, or a tensor or variable of one, to put after the name.
            latest_filename: name of the file that lists the checkpoints of the folder, ``"checkpoint"`` by default.
            meta_graph_suffix: ending of the graph file.
            write_meta_graph: whether to save the graph too.
            write_state: whether to list the checkpoint as the newest, and to drop old ones.
            strip_default_attrs: has no effect; defaults are never written.
            save_debug_info: has no effect; lines are always written.

        Returns:
            The checkpoint's path, which ``restore`` takes.

        Raises:
            UninitializedVariableError: a variable has no value.
            StorageError: the file system refuses; older checkpoints are as they were. Of an asynchronous saver: it did
                so at the save before, and this one was not made.
            GraphError: a variable belongs to another graph than the session.
            DTypeError: the state of an object is not JSON-able.
        """
        variables = self.variables_of(sess)
        step = _step(sess, global_step)
        prefix = as_prefix(save_path, "save")
        if prefix.is_dir():
            raise InvalidArgumentError(
                f'save: "{prefix}" is a folder; give a name in it, such as {str(prefix / "model")!r}.'
            )
        if step is not None:
            prefix = prefix.with_name(f"{prefix.name}-{step:08d}" if self._pad else f"{prefix.name}-{step}")
        if not meta_graph_suffix.isidentifier():
            raise InvalidArgumentError(
                f"save: meta_graph_suffix is {meta_graph_suffix!r}; give letters and digits, such as 'meta'."
            )
        place = prefix if self._background is None else prefix.absolute()  # the program may change to another folder
        retention = Retention(place.parent, latest_filename)
        self.wait()
        task = _Task(
            place,
            prefix,
            step,
            take_states(self._collected(sess.graph) | self._stateful),
            self._encoder.encode(sess.graph, self.definition()),
            f".{meta_graph_suffix}" if write_meta_graph else None,
            retention if write_state else None,
        )
        if self._background is None:
            with frozen(sess, variables) as snapshot:
                self._write(task, snapshot)
            task.tell()
        else:
            self._write_later(self._background, task, sess, variables)
        return os.fspath(save_path) + prefix.name.removeprefix(Path(save_path).name)

    def _write_later(
        self, background: Background, task: _Task, sess: dt.Session, variables: Mapping[str, dt.Variable]
    ) -> None:
        copied = take_snapshot(sess, variables)
        if sess not in self._sessions:
            self._sessions.add(sess)
            sess.before_close(self.wait)

        def job() -> None:
            self._write(task, copied)
            task.tell()

        background.start(job)

    def _write(self, task: _Task, snapshot: Snapshot) -> None:
        place = task.place
        with locked(place.parent):
            group = None if task.retention is None else self._keeper.announce(task.retention, place.name)
            with FileSet(place.parent) as work:
                records: list[FileRecord] = []
                if task.graph_ending is not None:
                    records = _write_graph(work, place.name, task.graph_ending, task.graph)
                saved = write_checkpoint(
                    work,
                    place.name,
                    snapshot,
                    step=task.step,
                    graph_hash=task.graph.hash,
                    states=task.states,
                    records=records,
                    max_shard_bytes=self._max_shard_bytes,
                )
            if task.retention is not None and group is not None:
                self._keeper.retain(task.retention, group, place.name, saved, task.shown.parent)

    def wait(self) -> None:
        """Wait until an asynchronous save is on the disk; does nothing where none is under way.

        Raises:
            StorageError: the file system refused; older checkpoints are as they were.

        Example:
            >>> v = dt.Variable(1.0, name="v")
            >>> saver = dt.train.Saver(asynchronous=True)
            >>> with dt.Session() as session:
            ...     session.run(v.initializer)
            ...     path = saver.save(session, "model", global_step=1)  # training could go on
            ...     saver.wait()
            ...     dt.train.latest_checkpoint(".")
            'model-1'
        """
        if self._background is not None:
            self._background.wait()

    def variables_of(self, sess: dt.Session) -> dict[str, dt.Variable]:
        """Return ``variables``, which must be those of the session's graph.

        Raises:
            DTypeError: ``sess`` is no session.
            GraphError: a variable belongs to another graph.
        """
        if not isinstance(sess, dt.Session):
            raise DTypeError(f"Saver: the first argument is {sess!r}; give the dt.Session that holds the variables.")
        variables = self.variables
        for variable in variables.values():
            if variable.graph is not sess.graph:
                raise GraphError(
                    f'Saver: the variable "{variable.op.name}" belongs to another graph than the session; make the '
                    f"Saver in `with graph.as_default():`, or the session with graph=. {variable.op.where()}"
                )
        return variables

    def _is_whole(self, graph: dt.Graph) -> bool:
        """Whether it saves all global variables, so that a session's future depends on nothing else."""
        return set(graph.get_collection(dt.GraphKeys.GLOBAL_VARIABLES)) <= set(self.variables.values())

    def _collected(self, graph: dt.Graph) -> dict[str, Stateful]:
        return collected(graph) if self._is_whole(graph) else {}

    def definition(self) -> dict[str, Any]:
        """Return what ``import_meta_graph`` needs to make this saver anew."""
        return {
            "variables": {name: variable.op.name for name, variable in self.variables.items()},
            "reshape": self._reshape,
            "max_to_keep": self._keeper.most,
            "keep_checkpoint_every_n_hours": self._keeper.hours,
            "pad_step_number": self._pad,
            "max_shard_bytes": self._max_shard_bytes,
        }

    @property
    def last_checkpoints(self) -> list[str]:
        """The checkpoints that this saver has written and not dropped, the oldest first."""
        return self._keeper.checkpoints

    def recover_last_checkpoints(self, checkpoint_paths: Iterable[PathLike]) -> None:
        """Count checkpoints of an earlier program among those to drop in time; those that are gone are left out."""
        for path in checkpoint_paths:
            prefix = as_prefix(path, "recover_last_checkpoints")
            with suppress(DovetailError):
                self._keeper.recovered.append(Checkpoint(prefix).prefix)

    def export_meta_graph(
        self, filename: PathLike | None = None, as_text: bool = True, clear_devices: bool = False
    ) -> dict[str, Any]:
        """Return the graph as data; write it, with what this saver saves, to ``filename`` if that is given."""
        graph = next((one.graph for one in self.variables.values()), dt.get_default_graph())
        encoded = EncodedGraph(graph, self.definition(), clear_devices=clear_devices)
        if filename is not None:
            encoded.save(as_prefix(filename, "export_meta_graph"))
        return encoded.data

    # Restoring. ------------------------------------------------------------------------------------------------------

    def restore(self, sess: dt.Session, save_path: PathLike) -> None:
        """Give the variables the values of a checkpoint; nothing changes unless all of it is sound and fits.

        Variables need not be initialized before. What the checkpoint holds besides is ignored. If the saver saves all
        global variables of the graph, the random numbers go on where the checkpoint was saved, and so do the objects of
        the collection ``SAVEABLE_OBJECTS``; of a state that one lacks or nothing takes, the log tells.

        Args:
            sess: the session whose variables to set.
            save_path: the checkpoint's path, as ``save`` gave it.

        Raises:
            NotFoundError: there is no such checkpoint, or it has no value for a variable, or no state for an object.
            FormatError: the checkpoint is damaged, or an object does not take its state.
            ShapeError: a tensor's shape is not its variable's.
            DTypeError: a tensor's dtype is not its variable's.
        """
        if save_path is None:
            raise InvalidArgumentError("restore: the path is None; dt.train.latest_checkpoint found no checkpoint.")
        self.wait()
        variables = self.variables_of(sess)
        prefix = as_prefix(save_path, "restore")
        try:
            checkpoint = Checkpoint(prefix)
            check_fit(checkpoint, variables, reshape=self._reshape)
            arrays = checkpoint.read(list(variables))
        except FormatError as error:
            raise FormatError(f"{error}{_another_beside(prefix)}") from error
        check_fit(checkpoint, variables, reshape=self._reshape)  # once more: it may have been replaced meanwhile
        whole = self._is_whole(sess.graph)
        restore_states(checkpoint, self._stateful, self._collected(sess.graph), tell_unknown=whole)
        sess.take_values({one.op.name: _shaped(arrays.pop(name), one) for name, one in variables.items()})
        if whole:
            sess.set_random_state(self._scoped(checkpoint.random_state, sess.graph))

    def _scoped(self, state: Mapping[str, Any], graph: dt.Graph) -> dict[str, Any]:
        if not self._scope:
            return dict(state)
        known = {op.name for op in graph.get_operations()}
        counters = {
            self._scope + name if self._scope + name in known else name: n for name, n in state["counters"].items()
        }
        return {"seed": state["seed"], "counters": counters}


def _another_beside(prefix: Path) -> str:
    """Return a sentence with the newest other checkpoint of a folder, or nothing."""
    others = [one.prefix for one in whole_checkpoints(prefix.parent) if one.prefix != prefix]
    return f' The newest other one in the folder is "{others[0]}".' if others else ""


def _by_name(given: Any) -> dict[str, dt.Variable]:
    if isinstance(given, Mapping):
        pairs = list(given.items())
    else:
        pairs = [(one.save_name if isinstance(one, dt.Variable) else None, one) for one in given]
    found: dict[str, dt.Variable] = {}
    for name, variable in pairs:
        if not isinstance(variable, dt.Variable):
            raise DTypeError(f"Saver: var_list holds {variable!r}; give variables, or a dict of variables by name.")
        if not isinstance(name, str) or not name or name == "__metadata__":
            raise InvalidArgumentError(
                f"Saver: {name!r} cannot be the name of a variable in a checkpoint; give another string."
            )
        if found.setdefault(name, variable) is not variable:
            raise InvalidArgumentError(
                f'Saver: two variables have the name "{name}": {found[name]!r} and {variable!r}. Give a dict with a '
                f"name for each."
            )
    return found


def _step(sess: dt.Session, given: Any) -> int | None:
    if given is None:
        return None
    value = sess.run(given) if isinstance(given, (dt.Tensor, dt.Variable)) else given
    try:
        return int(value.__index__())
    except (AttributeError, TypeError) as error:
        raise DTypeError(
            f"save: global_step is {value!r}; give a whole number, or a tensor or variable of one."
        ) from error


def _write_graph(work: FileSet, stem: str, ending: str, graph: EncodedGraph) -> list[FileRecord]:
    text, beside = graph.write(work, stem + ending)
    record = work.add(stem, ending, [text])
    return [record, *(FileRecord(ending + one.ending, one.bytes, one.sha256, one.pending) for one in beside)]


def _shaped(array: Array, variable: dt.Variable) -> Array:
    shape = variable.shape
    return array if shape.is_compatible_with(dt.Shape(array.shape)) else array.reshape(shape.as_list())
