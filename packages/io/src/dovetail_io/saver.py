"""``Saver``: saves the variables of a session, with its random state and the graph, and restores them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail.errors import (
    DovetailError,
    DTypeError,
    FormatError,
    GraphError,
    InvalidArgumentError,
    NotFoundError,
    ShapeError,
    UnsupportedOperationError,
)
from dovetail.extend import Array, hook
from dovetail_io.checkpoint import Checkpoint, PathLike, as_prefix, nearest, write_checkpoint
from dovetail_io.files import FileSet, locked
from dovetail_io.graphfile import EncodedGraph
from dovetail_io.retention import Group, Retention
from dovetail_io.sealed import FileRecord
from dovetail_io.snapshot import frozen, listed
from dovetail_io.stateful import Stateful, as_stateful, collected, restore_states, take_states

__all__ = ["Saver"]

_SHOWN = 5


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
        defer_build: take the variables that there are at the first use, not now.
        allow_empty: admit that there are no variables.
        write_version: has no effect; here for TensorFlow 1 programs.
        pad_step_number: write steps with eight digits.
        save_relative_paths: has no effect; paths in files are always relative.
        filename: has no effect; here for TensorFlow 1 programs.
        max_shard_bytes: size above which the tensors are spread over several files.
        stateful: objects by name whose state is saved and restored too, such as a place in the data; a saver of all
            variables adds those of the graph's collection ``SAVEABLE_OBJECTS``. See `Stateful`.

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
        defer_build: bool = False,
        allow_empty: bool = False,
        write_version: Any = None,
        pad_step_number: bool = False,
        save_relative_paths: bool = True,
        filename: str | None = None,
        *,
        max_shard_bytes: int | None = None,
        stateful: Mapping[str, Stateful] | None = None,
    ) -> None:
        """Choose the variables."""
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
        self._max_to_keep = int(max_to_keep or 0)
        self._hours = float(keep_checkpoint_every_n_hours)
        self._pad = pad_step_number
        self._max_shard_bytes = max_shard_bytes
        self._stateful = as_stateful(stateful)
        self._scope = ""
        self._identities: dict[Path, str] = {}
        self._kept: dict[Path, list[str]] = {}
        self._recovered: list[Path] = []
        self._hash: tuple[dt.Graph, int, str] | None = None
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
        """Save the variables' values.

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
            StorageError: the file system refuses; older checkpoints are as they were.
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
        retention = Retention(prefix.parent, latest_filename)
        states = take_states(self._collected(sess.graph) | self._stateful)
        graph = EncodedGraph(sess.graph, self.definition()) if write_meta_graph else None
        with frozen(sess, variables) as snapshot, locked(prefix.parent):
            group = self._announce(retention, prefix) if write_state else None
            with FileSet(prefix.parent) as work:
                records = [] if graph is None else _write_graph(work, prefix.name, f".{meta_graph_suffix}", graph)
                saved = write_checkpoint(
                    work,
                    prefix.name,
                    snapshot,
                    step=step,
                    graph_hash=self._hash_of(sess.graph, graph),
                    states=states,
                    records=records,
                    max_shard_bytes=self._max_shard_bytes,
                )
            if group is not None:
                self._retain(retention, group, prefix, saved)
        if hook.active("checkpoint_saved"):
            hook.checkpoint_saved(str(prefix), step)
        return os.fspath(save_path) + prefix.name.removeprefix(Path(save_path).name)

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
            "max_to_keep": self._max_to_keep,
            "keep_checkpoint_every_n_hours": self._hours,
            "pad_step_number": self._pad,
            "max_shard_bytes": self._max_shard_bytes,
        }

    def _hash_of(self, graph: dt.Graph, encoded: EncodedGraph | None) -> str:
        """Return the graph's hash; a graph that has not grown is not encoded again for it."""
        if self._hash is None or self._hash[:2] != (graph, graph.version):
            self._hash = (graph, graph.version, encoded.hash if encoded else _hash_if_any(graph))
        return encoded.hash if encoded else self._hash[2]

    def _announce(self, retention: Retention, prefix: Path) -> Group:
        """List the checkpoint before it is written, so that it is not forgotten if the process is killed after that."""
        folder = prefix.parent.resolve()
        with suppress(FormatError):  # then it begins anew, and nothing that it listed is dropped
            retention.read()
        group = retention.group_for(prefix.name, self._identities.get(folder))
        self._recover(group, folder)
        group.add(prefix.name, max(group.checkpoints.values(), default=0.0))
        retention.write()
        return group

    def _retain(self, retention: Retention, group: Group, prefix: Path, saved: float) -> None:
        """List the checkpoint as the newest, and drop old ones."""
        group.add(prefix.name, saved)
        retention.latest = prefix.name
        if self._max_to_keep:
            drop = group.surplus(self._max_to_keep, self._hours)
            if drop:
                retention.drop(group, drop)
        retention.write()
        self._identities[prefix.parent.resolve()] = group.identity
        self._kept[prefix.parent] = list(group.checkpoints)

    def _recover(self, group: Group, folder: Path) -> None:
        for path in [one for one in self._recovered if one.parent.resolve() == folder]:
            self._recovered.remove(path)
            group.add(path.name, Checkpoint(path).saved)
        there = [item for item in group.checkpoints.items() if (folder / f"{item[0]}.json").exists()]
        group.checkpoints = dict(sorted(there, key=lambda item: item[1]))

    @property
    def last_checkpoints(self) -> list[str]:
        """The checkpoints that this saver has written and not dropped, the oldest first."""
        found = [str(folder / name) for folder, names in self._kept.items() for name in names]
        return [*map(str, self._recovered), *found]

    def recover_last_checkpoints(self, checkpoint_paths: Iterable[PathLike]) -> None:
        """Count checkpoints of an earlier program among those to drop in time; those that are gone are left out."""
        for path in checkpoint_paths:
            prefix = as_prefix(path, "recover_last_checkpoints")
            try:
                self._recovered.append(Checkpoint(prefix).prefix)
            except DovetailError:
                continue

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
        variables = self.variables_of(sess)
        checkpoint = Checkpoint(as_prefix(save_path, "restore"))
        self._check_fit(checkpoint, variables)
        arrays = checkpoint.read(list(variables))
        self._check_fit(checkpoint, variables)  # once more: it may have been replaced meanwhile
        whole = self._is_whole(sess.graph)
        restore_states(checkpoint, self._stateful, self._collected(sess.graph), tell_unknown=whole)
        sess.take_values({one.op.name: _shaped(arrays.pop(name), one) for name, one in variables.items()})
        if whole:
            sess.set_random_state(self._scoped(checkpoint.random_state, sess.graph))

    def _check_fit(self, checkpoint: Checkpoint, variables: Mapping[str, dt.Variable]) -> None:
        missing = [name for name in variables if not checkpoint.has_tensor(name)]
        if missing:
            extra = [name for name in checkpoint.names if name not in variables]
            lines = [f"  {name}: {_type(variables[name])}, missing.{nearest(name, extra)}" for name in missing[:_SHOWN]]
            lines += [f"  … and {len(missing) - _SHOWN} more"] if len(missing) > _SHOWN else []
            also = f" It holds, and the saver does not know: {listed(extra)}." if extra else ""
            raise NotFoundError(
                f'the checkpoint "{checkpoint.prefix}" has no value for {len(missing)} of {len(variables)} variables; '
                f"it was saved from another network.{also} Give Saver variables that it holds, or a dict of names.\n"
                + "\n".join(lines)
            )
        wrong: list[str] = []
        kinds: set[type[DovetailError]] = set()
        for name, variable in variables.items():
            spec = checkpoint.spec(name)
            if spec.dtype is not variable.dtype:
                kinds.add(DTypeError)
            elif not variable.shape.is_compatible_with(dt.Shape(spec.shape)) and not self._can_reshape(
                variable, spec.shape
            ):
                kinds.add(ShapeError)
            else:
                continue
            wrong.append(f"  {name}: {spec} in the checkpoint, {_type(variable)} in the graph. {variable.op.where()}")
        if wrong:
            count = len(wrong)
            wrong = wrong[:_SHOWN] + ([f"  … and {count - _SHOWN} more"] if count > _SHOWN else [])
            raise (DTypeError if DTypeError in kinds else ShapeError)(
                f'the checkpoint "{checkpoint.prefix}" does not fit the graph: {count} of {len(variables)} variables '
                f"have another type. Build the network that was saved, or leave them out of the Saver's var_list.\n"
                + "\n".join(wrong)
            )

    def _can_reshape(self, variable: dt.Variable, shape: Sequence[int]) -> bool:
        return self._reshape and variable.shape.is_static and variable.shape.num_elements() == int(np.prod(shape))

    def _scoped(self, state: Mapping[str, Any], graph: dt.Graph) -> dict[str, Any]:
        if not self._scope:
            return dict(state)
        known = {op.name for op in graph.get_operations()}
        counters = {
            self._scope + name if self._scope + name in known else name: n for name, n in state["counters"].items()
        }
        return {"seed": state["seed"], "counters": counters}


def _type(variable: dt.Variable) -> str:
    return f"{variable.dtype.name}{variable.shape}"


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


def _hash_if_any(graph: dt.Graph) -> str:
    """Return the hash of a graph that is not saved itself; none of one that holds Python code and cannot be."""
    with suppress(UnsupportedOperationError):
        return EncodedGraph(graph).hash
    return ""


def _write_graph(work: FileSet, stem: str, ending: str, graph: EncodedGraph) -> list[FileRecord]:
    text, beside = graph.write(work, stem + ending)
    record = work.add(stem, ending, [text])
    return [record, *(FileRecord(ending + one.ending, one.bytes, one.sha256, one.pending) for one in beside)]


def _shaped(array: Array, variable: dt.Variable) -> Array:
    shape = variable.shape
    return array if shape.is_compatible_with(dt.Shape(array.shape)) else array.reshape(shape.as_list())
