"""Variable scopes: variables found again by name, so that a network can share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, final

from dovetail.errors import AlreadyExistsError, DTypeError, InvalidArgumentError, NotFoundError, ShapeError
from dovetail.graph.graph import GraphKeys, get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.variables import Variable, root_graph
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, float32

__all__ = [
    "AUTO_REUSE",
    "VariableScope",
    "get_local_variable",
    "get_variable",
    "get_variable_scope",
    "no_regularizer",
    "variable_scope",
]

AUTO_REUSE: Final = "auto_reuse"
"""Make a variable where there is none, and share the one there is."""
_STORE: Final = "variable_store"
_SCOPE: Final = "variable_scope"


@final
class VariableScope:
    """A prefix for the names of variables, and defaults for making them.

    Attributes:
        name: the prefix; empty at the root.
        reuse: ``True`` to share existing variables, ``AUTO_REUSE`` to share or make, ``False`` to make.
        initializer, regularizer, dtype, constraint: defaults of ``get_variable``.
        original_name_scope: the name scope it was first entered with; ``dt.name_scope`` enters it again.
    """

    __slots__ = ("constraint", "dtype", "initializer", "name", "original_name_scope", "regularizer", "reuse")

    def __init__(
        self,
        name: str = "",
        reuse: bool | str | None = None,
        initializer: Any = None,
        regularizer: Callable[[Tensor], Tensor] | None = None,
        dtype: DType = float32,
        constraint: Callable[[Tensor], Tensor] | None = None,
        original_name_scope: str = "",
    ) -> None:
        """Describe a scope."""
        self.name = name
        self.reuse = reuse or False
        self.initializer = initializer
        self.regularizer = regularizer
        self.dtype = dtype
        self.constraint = constraint
        self.original_name_scope = original_name_scope

    def reuse_variables(self) -> None:
        """Share existing variables from here on."""
        self.reuse = True

    def set_initializer(self, initializer: Any) -> None:
        """Set the default initializer."""
        self.initializer = initializer

    def set_regularizer(self, regularizer: Callable[[Tensor], Tensor]) -> None:
        """Set the default regularizer."""
        self.regularizer = regularizer

    def global_variables(self) -> list[Variable]:
        """Return the global variables under this scope."""
        return root_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, f"{self.name}/" if self.name else None)

    def trainable_variables(self) -> list[Variable]:
        """Return the trainable variables under this scope."""
        return root_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, f"{self.name}/" if self.name else None)


def get_variable_scope() -> VariableScope:
    """Return the current variable scope of the default graph."""
    scope: VariableScope = root_graph().state.setdefault(_SCOPE, VariableScope())
    return scope


@contextmanager
def variable_scope(
    name_or_scope: str | VariableScope | None,
    default_name: str | None = None,
    values: Sequence[Any] | None = None,
    initializer: Any = None,
    regularizer: Callable[[Tensor], Tensor] | None = None,
    caching_device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    reuse: bool | str | None = None,
    dtype: DTypeLike | None = None,
    use_resource: bool | None = None,
    constraint: Callable[[Tensor], Tensor] | None = None,
    auxiliary_name_scope: bool = True,
) -> Iterator[VariableScope]:
    """Put variables made by ``get_variable`` inside under a name, and nodes under a name scope.

    Args:
        name_or_scope: a name, or a scope to enter again.
        default_name: used, made unique, where ``name_or_scope`` is ``None``.
        values: has no effect; here for TensorFlow 1 programs.
        initializer: default initializer of variables made inside.
        regularizer: default regularizer of variables made inside.
        caching_device: has no effect; here for TensorFlow 1 programs.
        partitioner: has no effect; variables are whole.
        custom_getter: not supported.
        reuse: ``True`` to share existing variables, ``AUTO_REUSE`` to share or make them.
        dtype: default dtype of variables made inside.
        use_resource: has no effect; here for TensorFlow 1 programs.
        constraint: default constraint of variables made inside.
        auxiliary_name_scope: whether nodes go under a name scope.

    Raises:
        InvalidArgumentError: neither a name nor a default name is given, or ``custom_getter`` is.

    Example:
        >>> with dt.variable_scope("layer"):
        ...     w = dt.get_variable("w", [2, 3])
        >>> w.name
        'layer/w:0'
    """
    if custom_getter is not None:
        raise InvalidArgumentError(
            "variable_scope: custom_getter is not supported; call a function of your own instead of get_variable."
        )
    graph = get_default_graph()
    root = root_graph(graph)
    outer = get_variable_scope()
    again = isinstance(name_or_scope, VariableScope)
    if isinstance(name_or_scope, VariableScope):
        full_name, inherited = name_or_scope.name, name_or_scope
        label = full_name.rpartition("/")[2]
    else:
        inherited = outer
        label = name_or_scope or ""
        if name_or_scope is None:
            if default_name is None:
                raise InvalidArgumentError("variable_scope: give a name, or a default_name.")
            label = _unique_scope(root.state, outer.name, default_name)
        full_name = f"{outer.name}/{label}" if outer.name and label else label or outer.name
    scope = VariableScope(
        full_name,
        reuse if reuse is not None else (inherited.reuse or outer.reuse),
        initializer if initializer is not None else inherited.initializer,
        regularizer if regularizer is not None else inherited.regularizer,
        as_dtype(dtype) if dtype is not None else inherited.dtype,
        constraint if constraint is not None else inherited.constraint,
    )
    root.state[_SCOPE] = scope
    try:
        with _counted(root.state, full_name, again):
            if auxiliary_name_scope and label:
                with graph.name_scope(label) as name_scope:
                    scope.original_name_scope = inherited.original_name_scope if again else name_scope
                    yield scope
            else:
                yield scope
    finally:
        root.state[_SCOPE] = outer


def _counts(state: dict[str, Any]) -> dict[str, int]:
    """How often each scope was entered, so that default names are new."""
    counts: dict[str, int] = state.setdefault("variable_scope_counts", {})
    return counts


def _unique_scope(state: dict[str, Any], prefix: str, name: str) -> str:
    counts = _counts(state)
    full = f"{prefix}/{name}" if prefix else name
    unique, count = name, 0
    while counts.get(f"{full}_{count}" if count else full):
        count += 1
        unique = f"{name}_{count}"
    return unique


@contextmanager
def _counted(state: dict[str, Any], full_name: str, again: bool) -> Iterator[None]:
    """Count a scope as entered; the default names within begin anew whenever it is entered."""
    counts = _counts(state)
    before = dict(counts)
    if not again:
        counts[full_name] = counts.get(full_name, 0) + 1
    try:
        yield
    finally:
        if again:
            state["variable_scope_counts"] = before
        elif full_name:
            for name in [one for one in counts if one.startswith(f"{full_name}/")]:
                del counts[name]


def get_variable(
    name: str,
    shape: Any = None,
    dtype: DTypeLike | None = None,
    initializer: Any = None,
    regularizer: Callable[[Tensor], Tensor] | None = None,
    trainable: bool = True,
    collections: Sequence[str] | None = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Callable[[Tensor], Tensor] | None = None,
) -> Variable:
    """Return the variable of that name in the current scope: a new one, or the existing one where the scope reuses.

    Args:
        name: name within the scope.
        shape: shape of a new variable; that of ``initializer`` where it is a value.
        dtype: element type, float32 by default.
        initializer: an initializer, a value, or a function of ``(shape, dtype)``; Glorot's uniform one by default for
            floating variables, zeros for others.
        regularizer: a function of the variable that gives a loss; the loss joins the regularization losses.
        trainable: whether optimizers change it by default.
        collections: names of the collections it joins.
        caching_device: has no effect; here for TensorFlow 1 programs.
        partitioner: has no effect; variables are whole.
        validate_shape: whether only values of this shape may be written.
        use_resource: has no effect; here for TensorFlow 1 programs.
        custom_getter: not supported.
        constraint: a function that gives the value to keep after an optimizer's update.

    Raises:
        AlreadyExistsError: the variable exists and the scope does not reuse; the message says where it was made.
        NotFoundError: the scope reuses and there is no such variable.
        ShapeError: the existing variable has another shape, or there is no shape.
        DTypeError: the existing variable has another dtype.
    """
    scope = get_variable_scope()
    graph = root_graph()
    store: dict[str, Variable] = graph.state.setdefault(_STORE, {})
    full_name = f"{scope.name}/{name}" if scope.name else name
    known = store.get(full_name)
    wanted = scope.dtype if dtype is None else as_dtype(dtype)
    if known is not None:
        if scope.reuse is False:
            raise AlreadyExistsError(
                f'variable "{full_name}" already exists, made at {known.op.source}; to share it, use '
                f"`with dt.variable_scope(..., reuse=True)` or reuse=dt.AUTO_REUSE; to make another, give it "
                f"another name."
            )
        if shape is not None and not known.shape.is_compatible_with(graph.make_shape(shape, name)):
            raise ShapeError(
                f'variable "{full_name}" exists with shape {known.shape}; {shape} was asked. {known.op.where()}'
            )
        if known.dtype is not wanted:
            raise DTypeError(
                f'variable "{full_name}" exists as {known.dtype.name}; {wanted.name} was asked. {known.op.where()}'
            )
        return known
    if scope.reuse is True:
        raise NotFoundError(
            f'variable "{full_name}" does not exist, and the scope only reuses; make it first, or use '
            f"reuse=dt.AUTO_REUSE."
        )
    variable = _make(
        full_name,
        shape,
        wanted,
        dtype is not None,
        scope.initializer if initializer is None else initializer,
        trainable,
        collections,
        validate_shape,
        constraint or scope.constraint,
    )
    store[full_name] = variable
    chosen = regularizer or scope.regularizer
    if chosen is not None:
        variable.regularizer = chosen
        with graph.as_default(), graph.cleared_scopes(), graph.name_scope(f"{full_name}/Regularizer/"):
            loss = chosen(variable.value())
        if loss is not None:
            graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
    return variable


def _is_value(initializer: Any) -> bool:
    return initializer is not None and not callable(initializer) and not isinstance(initializer, type)


def _make(
    full_name: str,
    shape: Any,
    dtype: DType,
    explicit: bool,
    initializer: Any,
    trainable: bool,
    collections: Sequence[str] | None,
    validate_shape: bool,
    constraint: Any,
) -> Variable:
    from dovetail.ops.initializers import glorot_uniform_initializer, zeros_initializer

    if _is_value(initializer):
        value: Any = initializer
    else:
        if shape is None:
            raise ShapeError(f'get_variable: "{full_name}" is new; give it a shape, or a value as initializer.')
        static = root_graph().make_shape(shape, full_name)
        if initializer is None:
            initializer = glorot_uniform_initializer() if dtype.is_floating else zeros_initializer()
        made = initializer() if isinstance(initializer, type) else initializer

        def value() -> Any:
            return made(static, dtype=dtype)

    graph = get_default_graph()
    with root_graph(graph).name_scope(None):
        return Variable(
            value,
            trainable=trainable and dtype.is_inexact,
            collections=collections,
            validate_shape=validate_shape,
            name=full_name,
            dtype=dtype if explicit or not _is_value(initializer) else None,
            constraint=constraint,
        )


def get_local_variable(*args: Any, **keywords: Any) -> Variable:
    """Return a variable as ``get_variable`` does, local and not trainable."""
    return get_variable(*args, **{**keywords, "trainable": False, "collections": [GraphKeys.LOCAL_VARIABLES]})


def no_regularizer(_: Any) -> None:
    """Give no loss: as ``regularizer`` of a variable or a scope, where the scope around has one."""
