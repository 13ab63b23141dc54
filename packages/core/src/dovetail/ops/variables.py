"""``Variable``: state of a session, its reading, writing and initializing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any, final

from dovetail.errors import DTypeError, GraphError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor, register_converter
from dovetail.graph.graph import Graph, GraphKeys, default_session, get_default_graph
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.operators import TensorOperators
from dovetail.graph.subgraph import BodyGraph
from dovetail.ops.scatter_methods import ScatterMethods
from dovetail.ops.state import AssignVariable, IsInitialized, ReadVariable, UninitializedNames, VariableHandle, group
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, string
from dovetail.types.shapes import Shape

__all__ = [
    "Variable",
    "as_variable",
    "assign",
    "assign_add",
    "assign_sub",
    "global_variables",
    "global_variables_initializer",
    "is_variable_initialized",
    "local_variables",
    "local_variables_initializer",
    "model_variables",
    "moving_average_variables",
    "report_uninitialized_variables",
    "root_graph",
    "trainable_variables",
    "variables_initializer",
]


def root_graph(graph: Graph | None = None) -> Graph:
    """Return the graph around all bodies."""
    found = get_default_graph() if graph is None else graph
    while isinstance(found, BodyGraph) and found.outer is not None:
        found = found.outer
    return found


@contextmanager
def _outside() -> Any:
    """Within: the root graph, without control dependencies."""
    graph = root_graph()
    with graph.as_default(), graph.cleared_scopes():
        yield graph


@final
class Variable(TensorOperators, ScatterMethods):
    """State that a session keeps between runs.

    Args:
        initial_value: what its initializer writes: a tensor, a value, or a function of no arguments that returns one.
        trainable: whether optimizers change it by default.
        collections: names of the collections it joins; the global variables by default.
        validate_shape: whether only values of the initial shape may be written.
        name: name of the variable, made unique.
        dtype: element type, that of the initial value by default.
        regularizer: a function of the variable that gives a loss to add.
        constraint: a function that gives the value to keep after an optimizer's update.
        expected_shape: has no effect; here for TensorFlow 1 programs.
        caching_device: has no effect; here for TensorFlow 1 programs.
        import_scope: has no effect; here for TensorFlow 1 programs.
        use_resource: has no effect; every variable is read where it is used.

    Raises:
        ShapeError: the initial value's shape is not known while the graph is built.
        InvalidArgumentError: there is no initial value.

    Example:
        >>> w = dt.Variable([1.0, 2.0], name="w")
        >>> with dt.Session() as session:
        ...     _ = session.run(w.initializer)
        ...     session.run(w * 2.0)
        array([2., 4.], dtype=float32)
    """

    __slots__ = (
        "__weakref__",
        "_handle",
        "_initial_value",
        "_initializer",
        "constraint",
        "regularizer",
        "save_name",
        "trainable",
    )

    _handle: Tensor
    _initial_value: Tensor
    _initializer: Tensor
    constraint: Callable[[Tensor], Tensor] | None
    regularizer: Callable[[Tensor], Tensor] | None
    save_name: str
    trainable: bool

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool = True,
        collections: Sequence[str] | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        *,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Callable[[Tensor], Tensor] | None = None,
        regularizer: Callable[[Tensor], Tensor] | None = None,
        use_resource: bool | None = None,
    ) -> None:
        """Make the variable's nodes: its state, its initial value and its initializer."""
        if initial_value is None:
            raise InvalidArgumentError(
                "Variable: give an initial_value: a value, a tensor, or a function that makes one."
            )
        wanted = None if dtype is None else as_dtype(dtype)
        with _outside() as graph, graph.name_scope(name or "Variable") as scope:
            with graph.name_scope("Initializer"):
                value = as_tensor(initial_value() if callable(initial_value) else initial_value, wanted)
            if wanted is not None and value.dtype is not wanted:
                raise DTypeError(
                    f"Variable: the initial value is {value.type}, the variable {wanted.name}; use dt.cast."
                )
            if validate_shape and (value.shape.rank is None or not value.shape.is_static):
                raise ShapeError(
                    f"Variable: the initial value is {value.type}, whose sizes are not all known while the graph is "
                    f"built; give it a static shape, or pass validate_shape=False. {value.op.where()}"
                )
            handle = graph.create(VariableHandle(value.dtype, value.shape, bool(trainable)), (), name=scope).outputs[0]
            self._handle = handle
            self._initial_value = value
            self._initializer = graph.create(
                AssignVariable(validate_shape), (handle, value), name=scope + "Assign/"
            ).outputs[0]
            graph.reserve_name(scope + "Assign")
        self.trainable = bool(trainable)
        self.constraint = constraint
        self.regularizer = regularizer
        self.save_name = self.op.name
        self._snapshot(graph)
        keys = list([GraphKeys.GLOBAL_VARIABLES] if collections is None else collections)
        if trainable and GraphKeys.TRAINABLE_VARIABLES not in keys:
            keys.append(GraphKeys.TRAINABLE_VARIABLES)
        graph.add_to_collections(keys, self)

    @classmethod
    def from_nodes(
        cls, handle: Tensor, initializer: Tensor, initial_value: Tensor, trainable: bool, save_name: str | None = None
    ) -> Variable:
        """Make the object for nodes that exist, as when a graph is read from a file."""
        variable = cls.__new__(cls)
        variable._handle = handle
        variable._initializer = initializer
        variable._initial_value = initial_value
        variable.trainable = trainable
        variable.constraint = None
        variable.regularizer = None
        variable.save_name = save_name or handle.op.name
        return variable

    # What it is. -----------------------------------------------------------------------------------------------------

    @property
    def handle(self) -> Tensor:
        """The tensor that stands for the state."""
        return self._handle

    @property
    def op(self) -> Operation:
        """The node that stands for the state."""
        return self._handle.op

    @property
    def name(self) -> str:
        """``scope/name:0``."""
        return self._handle.name

    @property
    def dtype(self) -> DType:
        """Element type."""
        return self._handle.dtype

    @property
    def shape(self) -> Shape:
        """Shape of the value."""
        return self._handle.shape

    def get_shape(self) -> Shape:
        """Return the shape, as TensorFlow 1 names it, of dimensions that have a ``value``."""
        return self._handle.shape.of_dimensions()

    @property
    def graph(self) -> Graph:
        """The graph it belongs to."""
        return self._handle.graph

    @property
    def device(self) -> str:
        """The device asked for."""
        return self._handle.device

    @property
    def initializer(self) -> Operation:
        """The operation that writes the initial value."""
        return self._initializer.op

    @property
    def initial_value(self) -> Tensor:
        """What the initializer writes."""
        return self._initial_value

    # Reading. --------------------------------------------------------------------------------------------------------

    def value(self) -> Tensor:
        """Return the value at this point of the program: after the writes made before, in the order of creation."""
        return _read(self)

    def read_value(self) -> Tensor:
        """Return the value at this point, in a node of its own that takes part in control dependencies."""
        return get_default_graph().create(ReadVariable(), (self._handle,), name="read").outputs[0]

    def initialized_value(self) -> Tensor:
        """Return the value, for the initial value of another variable: initializers run in the order of creation."""
        return self.value()

    def eval(self, session: Any = None) -> Any:
        """Return the value in ``session``, or in the default session."""
        return default_session(session, self.op).run(self)

    def _snapshot(self, graph: Graph) -> Tensor:
        return read_variable(self._handle, graph)

    def _as_graph_element(self) -> Tensor:
        return self._handle

    def _readings(self) -> list[Tensor]:
        return [self._handle]

    # Writing. --------------------------------------------------------------------------------------------------------

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Tensor:
        """Write ``value``; the result is the new value.

        Raises:
            ShapeError: the value's shape is another.
            DTypeError: the value's dtype is another.
        """
        tensor = as_tensor(value, self.dtype)
        graph = get_default_graph()
        label = name or f"{self.op.name.rpartition('/')[2]}/assign"
        result = graph.create(
            AssignVariable(self._initializer.op.get_attr("validate_shape")), (self._handle, tensor), name=label
        )
        _forget(self, graph)
        return result.outputs[0]

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Tensor:
        """Add ``delta`` to the value; the result is the new value."""
        return self.assign(_read(self) + as_tensor(delta, self.dtype), name=name or "AssignAdd")

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Tensor:
        """Subtract ``delta`` from the value; the result is the new value."""
        return self.assign(_read(self) - as_tensor(delta, self.dtype), name=name or "AssignSub")

    def load(self, value: Any, session: Any = None) -> None:
        """Write ``value`` in ``session``, or in the default session, without making a node."""
        default_session(session, self.op).run(self.initializer, {self._initial_value: value})

    def set_shape(self, shape: Any) -> None:
        """Narrow the shape of the value."""
        self._handle.set_shape(shape)

    def __iter__(self) -> Any:
        """Yield the slices along the first axis."""
        return iter(self.value())

    def __hash__(self) -> int:
        """Hash by identity."""
        return id(self)

    def __eq__(self, other: object) -> bool:
        """Compare by identity, as TensorFlow 1 does."""
        return self is other

    def __bool__(self) -> bool:
        """Refuse: the value is known only when a session runs."""
        return bool(self.value())

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """Refuse: the value is known only when a session runs."""
        return self.value().__array__()

    def __repr__(self) -> str:
        """Show name and type."""
        return f"<dovetail.Variable '{self.name}' {self._handle.type}>"


def _read(variable: Variable) -> Tensor:
    """Return the value at this point; control flow later takes what a body does not write from around the body."""
    graph = get_default_graph()
    known = graph.variable_reads.get(variable.handle)
    if known is not None:
        return known
    if root_graph(graph) is not variable.graph:
        raise GraphError(
            f'variable "{variable.op.name}" belongs to another graph; build everything in one '
            f"`with graph.as_default():`. {variable.op.where()}"
        )
    return variable._snapshot(graph)


def read_variable(handle: Tensor, graph: Graph) -> Tensor:
    """Return the value of a variable at this point of ``graph``: a new reading, shared until the next write."""
    body = isinstance(graph, BodyGraph)
    with graph.as_default(), graph.cleared_scopes(), graph.name_scope("" if body else f"{handle.op.name}/"):
        source = graph.add_read(handle) if isinstance(graph, BodyGraph) else handle
        value = graph.create(ReadVariable(), (source,), name="read").outputs[0]
    graph.variable_reads[handle] = value
    return value


def _forget(variable: Variable, graph: Graph | None) -> None:
    """Note that ``variable`` was written in ``graph``: reads shared so far are old, in the graphs around too."""
    while graph is not None:
        graph.variable_reads.pop(variable.handle, None)
        graph = graph.outer if isinstance(graph, BodyGraph) else None


register_converter(Variable, lambda value, dtype, name: _read(value))


def assign(
    ref: Any, value: Any, validate_shape: bool | None = None, use_locking: bool = False, name: str | None = None
) -> Tensor:
    """Write ``value`` to the variable ``ref``; the result is the new value."""
    return as_variable(ref, "assign").assign(value, name=name)


def assign_add(ref: Any, value: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """Add ``value`` to the variable ``ref``; the result is the new value."""
    return as_variable(ref, "assign_add").assign_add(value, name=name)


def assign_sub(ref: Any, value: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """Subtract ``value`` from the variable ``ref``; the result is the new value."""
    return as_variable(ref, "assign_sub").assign_sub(value, name=name)


def as_variable(ref: Any, what: str) -> Variable:
    """Return ``ref``, which must be a variable."""
    if isinstance(ref, Variable):
        return ref
    raise DTypeError(f"{what}: the first argument is {ref!r}; only a dt.Variable can be written.")


def global_variables(scope: str | None = None) -> list[Variable]:
    """Return the variables of the default graph that savers save."""
    return root_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Variable]:
    """Return the variables of the default graph that optimizers change."""
    return root_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def local_variables(scope: str | None = None) -> list[Variable]:
    """Return the variables of the default graph that belong to this process alone, as counters of metrics do."""
    return root_graph().get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def model_variables(scope: str | None = None) -> list[Variable]:
    """Return the variables of the default graph that belong to the model."""
    return root_graph().get_collection(GraphKeys.MODEL_VARIABLES, scope)


def moving_average_variables(scope: str | None = None) -> list[Variable]:
    """Return the variables of the default graph that have a moving average."""
    return root_graph().get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


def variables_initializer(var_list: Sequence[Variable], name: str = "init") -> Operation:
    """Return an operation that initializes ``var_list``, in the order of creation."""
    return group(*(variable.initializer for variable in var_list), name=name)


def global_variables_initializer() -> Operation:
    """Return an operation that initializes every global variable made so far."""
    return variables_initializer(global_variables())


def local_variables_initializer() -> Operation:
    """Return an operation that initializes every local variable made so far."""
    return variables_initializer(local_variables(), name="init_local")


def is_variable_initialized(variable: Variable) -> Tensor:
    """Return a truth value: whether ``variable`` has a value."""
    return get_default_graph().create(IsInitialized(), (variable.handle,)).outputs[0]


def report_uninitialized_variables(
    var_list: Sequence[Variable] | None = None, name: str = "report_uninitialized_variables"
) -> Tensor:
    """Return a vector of the names of variables that have no value yet."""
    chosen = [*global_variables(), *local_variables()] if var_list is None else list(var_list)
    with get_default_graph().name_scope(name):
        flags = [is_variable_initialized(variable) for variable in dict.fromkeys(chosen)]
        if not flags:
            return as_tensor([], string)
        result: Tensor = UninitializedNames(tuple(variable.op.name for variable in dict.fromkeys(chosen)))(*flags)
        return result
