"""``Graph``: operations in creation order, their names, scopes and collections."""

from __future__ import annotations

import difflib
import hashlib
import itertools
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Final

from dovetail.errors import DTypeError, FinalizedGraphError, GraphError, InvalidArgumentError, NotFoundError, ShapeError
from dovetail.graph.devices import parse_device
from dovetail.graph.layercall import LayerCall
from dovetail.graph.op import Op
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.source import Source, user_source
from dovetail.types.constraints import Constraint, collecting
from dovetail.types.dims import Dim, Symbol, SymbolicDim
from dovetail.types.shapes import Shape

__all__ = ["Graph", "GraphKeys", "default_session", "get_default_graph", "reset_default_graph", "stable_id_of"]

_NAME: Final = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
_SCOPE: Final = re.compile(r"[A-Za-z0-9_.\\/>-]*")


class GraphKeys:
    """Names of collections, those that Dovetail itself uses among them."""

    GLOBAL_VARIABLES: Final = "variables"
    VARIABLES: Final = "variables"
    LOCAL_VARIABLES: Final = "local_variables"
    MODEL_VARIABLES: Final = "model_variables"
    TRAINABLE_VARIABLES: Final = "trainable_variables"
    MOVING_AVERAGE_VARIABLES: Final = "moving_average_variables"
    METRIC_VARIABLES: Final = "metric_variables"
    GLOBAL_STEP: Final = "global_step"
    EVAL_STEP: Final = "eval_step"
    WEIGHTS: Final = "weights"
    BIASES: Final = "biases"
    ACTIVATIONS: Final = "activations"
    REGULARIZATION_LOSSES: Final = "regularization_losses"
    LOSSES: Final = "losses"
    UPDATE_OPS: Final = "update_ops"
    SUMMARIES: Final = "summaries"
    SUMMARY_OP: Final = "summary_op"
    INIT_OP: Final = "init_op"
    LOCAL_INIT_OP: Final = "local_init_op"
    READY_OP: Final = "ready_op"
    READY_FOR_LOCAL_INIT_OP: Final = "ready_for_local_init_op"
    TRAIN_OP: Final = "train_op"
    SAVERS: Final = "savers"
    SAVEABLE_OBJECTS: Final = "saveable_objects"
    RESOURCES: Final = "resources"
    LOCAL_RESOURCES: Final = "local_resources"
    TABLE_INITIALIZERS: Final = "table_initializer"
    ASSET_FILEPATHS: Final = "asset_filepaths"
    QUEUE_RUNNERS: Final = "queue_runners"


def stable_id_of(name: str) -> int:
    """Hash a name to the 64 bits that key an operation's random numbers."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


class _ConstraintRecorder:
    """Collects what the type rule of one node requires of symbolic dimensions."""

    def __init__(self) -> None:
        self.found: list[Constraint] = []

    def require(self, constraint: Constraint) -> None:
        if constraint not in self.found:
            self.found.append(constraint)


class Graph:
    """Operations in the order of their creation, with names, scopes and collections.

    Example:
        >>> graph = Graph()
        >>> with graph.as_default():
        ...     x = dt.placeholder(dt.float32, [None, 3], name="x")
        >>> graph.get_tensor_by_name("x:0") is x
        True
    """

    def __init__(self) -> None:
        """Make an empty graph."""
        self._operations: list[Operation] = []
        self._by_name: dict[str, Operation] = {}
        self._used: dict[str, int] = {}
        self._scope = ""
        self._finalized = False
        self._lock = threading.RLock()
        self._collections: dict[Any, list[Any]] = {}
        self._control: list[tuple[Operation, ...]] = []
        self._devices: list[str | Callable[[Operation], str | None] | None] = []
        self._sources: list[Source] = []
        self._layers: list[LayerCall] = []
        self.constraints: list[tuple[Operation, Constraint]] = []
        self.layer_calls: list[LayerCall] = []
        self.seed: int | None = None
        self.state: dict[str, Any] = {}
        self.variable_reads: dict[Tensor, Tensor] = {}

    # Making nodes. ---------------------------------------------------------------------------------------------------

    def create(
        self,
        definition: Op,
        inputs: Sequence[Tensor] = (),
        *,
        name: str | None = None,
        control_inputs: Iterable[Operation] = (),
        stable_id: int | None = None,
        source: Source | None = None,
    ) -> Operation:
        """Add a node.

        Args:
            definition: what it computes.
            inputs: its tensors, of this graph.
            name: a name that is made unique; one that ends in ``/`` is taken as it is.
            control_inputs: operations to run before it, besides those of the scopes.
            stable_id: its identity for random numbers; from its name by default.
            source: the user's line; found on the stack by default.

        Raises:
            FinalizedGraphError: the graph was finalized.
            GraphError: an input belongs to another graph.
            ShapeError: the shapes do not fit.
            DTypeError: the dtypes do not fit.
        """
        if source is None:
            source = self.current_source()
        with self._lock:
            if self._finalized:
                raise FinalizedGraphError(
                    f"the graph is finalized and cannot take another {definition.name}; build everything before "
                    f"finalize(), or before the session that finalized it. (asked for at {source})"
                )
            tensors = tuple([t if t.op.graph is self else self.adopt(t, definition, source) for t in inputs])
            full_name = self.unique_name(name or definition.default_name())
            recorder = _ConstraintRecorder()
            try:
                with collecting(recorder):
                    types = definition.infer_all([tensor.type for tensor in tensors])
            except (ShapeError, DTypeError) as error:
                kind = ShapeError if isinstance(error, ShapeError) else DTypeError
                raise kind(f'{error} (node "{full_name}" made at {source})') from error
            op = Operation()
            op.graph = self
            op.definition = definition
            op.inputs = tensors
            op.name = full_name
            op.index = len(self._operations)
            op.stable_id = stable_id_of(full_name) if stable_id is None else stable_id
            op.source = source
            op.layer = self._layers[-1] if self._layers else None
            op.device = ""
            op.control_inputs = self._control_inputs(tensors, control_inputs)
            op.outputs = tuple([Tensor(op, i, one) for i, one in enumerate(types)])
            if self._devices:
                op.device = self._device_of(op)
            for tensor in tensors:
                tensor._consumers.append(op)
            if recorder.found:
                self.constraints.extend((op, constraint) for constraint in recorder.found)
            if len(op.outputs) == 1:
                op.outputs[0].symbolic_value = definition.symbolic_value(
                    [t.type for t in tensors], [t.symbolic_value for t in tensors]
                )
            self._operations.append(op)
            self._by_name[full_name] = op
            return op

    def current_source(self) -> Source:
        """Return the line that a node made now reports."""
        return self._sources[-1] if self._sources else user_source()

    def adopt(self, tensor: Tensor, definition: Op, source: Source) -> Tensor:
        """Return the tensor of this graph that stands for one of another graph; a plain graph has none.

        Raises:
            GraphError: always, for a plain graph.
        """
        raise GraphError(
            f'{definition.name} (at {source}) takes tensor "{tensor.name}", which belongs to another graph '
            f"(made at {tensor.op.source}). Build both in one `with graph.as_default():`, or drop the old tensor after "
            f"reset_default_graph()."
        )

    def _control_inputs(self, inputs: Sequence[Tensor], extra: Iterable[Operation]) -> tuple[Operation, ...]:
        if not self._control and not extra:
            return ()
        direct = {tensor.op for tensor in inputs}
        wanted = dict.fromkeys(itertools.chain(extra, *self._control))
        return tuple(op for op in wanted if op not in direct)

    def _device_of(self, op: Operation) -> str:
        device = ""
        for wish in self._devices:
            text = wish(op) if callable(wish) else wish
            if text is None and not callable(wish):
                device = ""
            elif text:
                spec, outer = parse_device(text), parse_device(device)
                if spec.type is not None:
                    device = str(spec)
                elif outer.type is not None:
                    device = str(outer)
        return device

    def new_symbol(self, hint: str = "n", *, data_dependent: bool = False) -> Symbol:
        """Make a symbol for a dimension; its name grows from ``hint``."""
        clean = re.sub(r"[^A-Za-z0-9_.]", ".", hint)
        if not clean or clean[0].isdigit() or clean[0] == ".":
            clean = "n" + clean
        taken: set[str] = self.state.setdefault("symbols", set())
        name, count = clean, 0
        while name in taken:
            count += 1
            name = f"{clean}_{count}"
        taken.add(name)
        return Symbol(name, data_dependent=data_dependent)

    def make_shape(self, shape: Any, hint: str = "n") -> Shape:
        """Read a shape as users write it.

        Args:
            shape: ``None`` for unknown rank; an int; or a list of ints, ``None`` (a fresh symbol), strings (a symbol of
                that name, one for the graph), dimensions.
            hint: what fresh symbols are called after: ``hint.axis``.

        Raises:
            ShapeError: a dimension is negative or of another kind.
        """
        if isinstance(shape, Shape):
            return shape
        if shape is None:
            return Shape(None)
        if isinstance(shape, (int, SymbolicDim, str)) or not isinstance(shape, Iterable):
            shape = [shape]
        dims: list[Dim] = []
        for axis, dim in enumerate(shape):
            if dim is None:
                dims.append(self.new_symbol(f"{hint}.{axis}"))
            elif isinstance(dim, str):
                self.state.setdefault("symbols", set()).add(dim)
                dims.append(Symbol(dim))
            elif isinstance(dim, SymbolicDim):
                dims.append(dim)
            else:
                try:
                    size = dim.__index__()
                except (AttributeError, TypeError) as error:
                    raise ShapeError(
                        f"dimension {axis} of shape {shape!r} is {dim!r}; use an int, None for a size known when fed, "
                        f"or a string that names such a size."
                    ) from error
                if size < 0:
                    raise ShapeError(f"dimension {axis} of shape {shape!r} is negative; use None for an unknown size.")
                dims.append(int(size))
        return Shape(dims)

    # Names. ----------------------------------------------------------------------------------------------------------

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """Return ``name`` within the current scope, made unique; a name that ends in ``/`` is taken as it is.

        Raises:
            InvalidArgumentError: the name has characters that no name may have.
        """
        if name.endswith("/"):
            return name[:-1]
        if self._scope:
            name = f"{self._scope}/{name}"
        count = self._used.get(name.lower())
        if count is None:
            if not _NAME.fullmatch(name):
                raise InvalidArgumentError(
                    f"{name!r} is not a name for a node; use letters, digits, '_', '.', '-', '/' and begin with a "
                    f"letter or digit."
                )
            if mark_as_used:
                self._used[name.lower()] = 1
            return name
        unique = name
        while unique.lower() in self._used:
            unique = f"{name}_{count}"
            count += 1
        if mark_as_used:
            self._used[name.lower()] = count
            self._used[unique.lower()] = 1
        return unique

    def reserve_name(self, name: str) -> None:
        """Mark a name as used."""
        self._used.setdefault(name.lower(), 1)

    @contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Put the nodes made inside under ``name``; ``None`` or ``""`` goes back to the root.

        Raises:
            InvalidArgumentError: the name has characters that no scope may have.
        """
        if name and not _SCOPE.fullmatch(name):
            raise InvalidArgumentError(f"{name!r} is not a name for a scope; use letters, digits, '_', '.', '-', '/'.")
        outer = self._scope
        if not name:
            self._scope = ""
        elif name.endswith("/"):
            self._scope = name[:-1]
        else:
            self._scope = self.unique_name(name)
        try:
            yield f"{self._scope}/" if self._scope else ""
        finally:
            self._scope = outer

    def get_name_scope(self) -> str:
        """Return the current scope without a slash at the end."""
        return self._scope

    # Scopes. ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def device(self, device_name_or_function: Any) -> Iterator[None]:
        """Ask that nodes made inside run on a device; ``None`` drops the wish of the scopes around.

        Raises:
            DeviceError: the device string is malformed.
        """
        if isinstance(device_name_or_function, str):
            parse_device(device_name_or_function)
        self._devices.append(device_name_or_function)
        try:
            yield
        finally:
            self._devices.pop()

    @contextmanager
    def control_dependencies(self, control_inputs: Iterable[Any] | None) -> Iterator[None]:
        """Make nodes created inside run after ``control_inputs``; ``None`` drops those of the scopes around."""
        outer = self._control
        if control_inputs is None:
            self._control = []
        else:
            operations = tuple(self._as_operation(one) for one in control_inputs)
            self._control = [*outer, operations]
        try:
            yield
        finally:
            self._control = outer

    def _as_operation(self, value: Any) -> Operation:
        found = self.as_graph_element(value)
        return found if isinstance(found, Operation) else found.op

    @contextmanager
    def source(self, source: Source) -> Iterator[None]:
        """Give nodes made inside ``source`` as their line."""
        self._sources.append(source)
        try:
            yield
        finally:
            self._sources.pop()

    @contextmanager
    def layer_call(self, call: LayerCall) -> Iterator[LayerCall]:
        """Remember nodes made inside as made by ``call``."""
        call.parent = self._layers[-1] if self._layers else None
        self.layer_calls.append(call)
        self._layers.append(call)
        try:
            yield call
        finally:
            self._layers.pop()

    @contextmanager
    def cleared_scopes(self) -> Iterator[None]:
        """Within: no control dependencies and no layer; for variables that belong to no place in the program."""
        outer_control, outer_layers = self._control, self._layers
        self._control, self._layers = [], []
        try:
            yield
        finally:
            self._control, self._layers = outer_control, outer_layers

    # Looking up. -----------------------------------------------------------------------------------------------------

    def get_operations(self) -> list[Operation]:
        """Return all operations in the order of creation."""
        return list(self._operations)

    def get_operation_by_name(self, name: str) -> Operation:
        """Return the operation of that name.

        Raises:
            NotFoundError: there is none; the message gives the nearest names.
        """
        found = self._by_name.get(name)
        if found is None:
            near = difflib.get_close_matches(name, self._by_name, 3)
            hint = f" Did you mean {', '.join(repr(one) for one in near)}?" if near else ""
            raise NotFoundError(f"the graph has no operation {name!r}.{hint}")
        return found

    def get_tensor_by_name(self, name: str) -> Tensor:
        """Return the tensor of that name, such as ``"dense/Relu:0"``.

        Raises:
            NotFoundError: there is no such operation, or it has fewer outputs.
            InvalidArgumentError: the name is an operation's, without ``:0``.
        """
        op_name, colon, index = name.rpartition(":")
        if not colon or not index.isdigit():
            raise InvalidArgumentError(
                f"{name!r} is not the name of a tensor; write {name + ':0'!r} for the first output."
            )
        op = self.get_operation_by_name(op_name)
        if int(index) >= len(op.outputs):
            raise NotFoundError(f"operation {op_name!r} has {len(op.outputs)} outputs, so there is no {name!r}.")
        return op.outputs[int(index)]

    def as_graph_element(self, value: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """Return the tensor or operation that ``value`` names or is.

        Args:
            value: a tensor, an operation, a name, or an object such as a variable that offers one of them.
            allow_tensor: whether a tensor may come out.
            allow_operation: whether an operation may come out.

        Raises:
            GraphError: it belongs to another graph.
            NotFoundError: the name is unknown.
            DTypeError: ``value`` is nothing of a graph.
        """
        convert = getattr(value, "_as_graph_element", None)
        if convert is not None:
            value = convert()
        if isinstance(value, str):
            if ":" in value and allow_tensor:
                return self.get_tensor_by_name(value)
            return self.get_operation_by_name(value)
        if isinstance(value, (Tensor, Operation)):
            if value.graph is not self:
                op = value.op if isinstance(value, Tensor) else value
                raise GraphError(
                    f'"{value.name}" belongs to another graph (made at {op.source}); use the session or the '
                    f"`with graph.as_default():` of its own graph."
                )
            return value
        raise DTypeError(f"{value!r} ({type(value).__name__}) is neither a tensor nor an operation of a graph.")

    def is_fetchable(self, value: Any) -> bool:
        """Whether a session can fetch ``value``."""
        return isinstance(value, (Tensor, Operation))

    @property
    def version(self) -> int:
        """The number of nodes; grows with every change."""
        return len(self._operations)

    # Collections. ----------------------------------------------------------------------------------------------------

    def add_to_collection(self, name: Any, value: Any) -> None:
        """Append ``value`` to a collection."""
        self._collections.setdefault(name, []).append(value)

    def add_to_collections(self, names: Any, value: Any) -> None:
        """Append ``value`` to each of the collections."""
        for name in [names] if isinstance(names, str) else dict.fromkeys(names):
            self.add_to_collection(name, value)

    def get_collection(self, name: Any, scope: str | None = None) -> list[Any]:
        """Return a copy of a collection, only items whose name begins with the pattern ``scope`` if given."""
        items = self._collections.get(name, [])
        if scope is None:
            return list(items)
        pattern = re.compile(scope)
        return [item for item in items if hasattr(item, "name") and pattern.match(item.name)]

    def get_collection_ref(self, name: Any) -> list[Any]:
        """Return the collection itself, to be changed in place."""
        return self._collections.setdefault(name, [])

    def get_all_collection_keys(self) -> list[Any]:
        """Return the names of all collections that hold something."""
        return [name for name, items in self._collections.items() if items]

    def clear_collection(self, name: Any) -> None:
        """Empty a collection."""
        self._collections.pop(name, None)

    # Life. -----------------------------------------------------------------------------------------------------------

    if not TYPE_CHECKING:  # for a type checker there is no such attribute

        def __getattr__(self, name):
            """Say what to use for a method of TensorFlow 1 that is left out."""
            from dovetail.plugins.absent import missing_member

            raise missing_member("Graph", name)

    @property
    def finalized(self) -> bool:
        """Whether the graph takes no more nodes."""
        return self._finalized

    def finalize(self) -> None:
        """Take no more nodes, so that a training loop cannot grow the graph by mistake."""
        self._finalized = True

    def as_default(self) -> AbstractContextManager[Graph]:
        """Make this graph the default one within the context, in this thread."""
        return _DEFAULT.enter(self)


class _DefaultStack(threading.local):
    """The default graphs of a thread; the global one is shared by all threads."""

    def __init__(self) -> None:
        self.stack: list[Graph] = []
        self.sessions: list[Any] = []

    @contextmanager
    def enter(self, graph: Graph) -> Iterator[Graph]:
        self.stack.append(graph)
        try:
            yield graph
        finally:
            self.stack.pop()


_DEFAULT: Final = _DefaultStack()
_GLOBAL: list[Graph] = []


def get_default_graph() -> Graph:
    """Return the graph that new nodes go to."""
    if _DEFAULT.stack:
        return _DEFAULT.stack[-1]
    if not _GLOBAL:
        _GLOBAL.append(Graph())
    return _GLOBAL[0]


def reset_default_graph() -> None:
    """Begin a new global default graph.

    Raises:
        GraphError: called inside ``with graph.as_default():``, where it could not take effect.
    """
    if _DEFAULT.stack:
        raise GraphError(
            "reset_default_graph() was called inside a `with graph.as_default():`; leave the block first, or make a "
            "new dt.Graph() there."
        )
    _GLOBAL[:] = [Graph()]


def session_stack() -> list[Any]:
    """Return this thread's stack of default sessions."""
    return _DEFAULT.sessions


def default_session(session: Any, op: Operation) -> Any:
    """Return ``session``, or the default one.

    Raises:
        GraphError: there is no default session, or it belongs to another graph.
    """
    if session is None:
        session = _DEFAULT.sessions[-1] if _DEFAULT.sessions else None
    if session is None:
        raise GraphError(
            f'there is no default session to evaluate "{op.name}"; use `with dt.Session():`, or pass session=. '
            f"{op.where()}"
        )
    if session.graph is not op.graph:
        raise GraphError(f'the session runs another graph than the one "{op.name}" belongs to. {op.where()}')
    return session
