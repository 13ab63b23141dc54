"""``Layer``: the base of layers. It keeps the layer contract, so that a layer is its fields, ``build`` and ``call``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar, Final, TypeAlias

import numpy as np

from dovetail.bases.registration import layer_name, provided_by
from dovetail.errors import DTypeError, GraphError, InvalidArgumentError, LayerError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import Graph, GraphKeys, get_default_graph
from dovetail.graph.layercall import LayerCall
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.source import Source
from dovetail.ops.initializers import Initializer
from dovetail.ops.variable_scope import VariableScope, get_variable, variable_scope
from dovetail.ops.variables import Variable, root_graph
from dovetail.plugins import namespace
from dovetail.types.configured import Configured, qualified_name
from dovetail.types.dtypes import DTypeLike, as_dtype, float32
from dovetail.types.fields import Field, field
from dovetail.types.shapes import TensorType

__all__ = [
    "InitializerLike",
    "Layer",
    "RegularizerLike",
    "Training",
    "as_initializer",
    "input_names",
    "optional_inputs",
    "takes_training",
]

Training: TypeAlias = "bool | Tensor"
"""Whether a layer works as in training: known now, or a boolean tensor that is fed."""
InitializerLike: TypeAlias = "Initializer | type[Initializer] | Callable[..., Any] | str | None"
"""An initializer, its name in ``dt.initializers``, a function of shape and dtype, or ``None`` for the default."""
RegularizerLike: TypeAlias = "Callable[[Tensor], Tensor] | None"
"""A function of a weight that gives a loss, such as a ``Regularizer``."""

_STACK: Final = "layers_being_called"
_NAMES_NO_LINE: Final = (ShapeError, DTypeError, InvalidArgumentError, LayerError)
"""Errors that build() and call() may raise without a word on where."""


class Layer(Configured):
    """Base of layers.

    A subclass declares its configuration as annotated fields, makes its weights in ``build`` and computes in
    ``call``. An input of ``call`` whose default is ``None`` may be left out. Calling an instance twice shares its
    weights. Sub-layers are fields, or are made in ``build``; their
    weights stand under this layer's scope.

    Args:
        trainable: whether optimizers change its weights by default.
        name: its scope; by default the class's name, made unique.

    Class attributes:
        input_rank: the rank that every input must have which may not be left out, or ``None`` for any.
        least_rank: the least rank that these inputs must have.
        floating_inputs: whether these inputs must be floating.

    Example:
        >>> class Scale(Layer):
        ...     start: float = 1.0
        ...     def build(self, x):
        ...         self.factor = self.weight("factor", x.shape[-1:], dt.constant_initializer(self.start))
        ...     def call(self, x):
        ...         return x * self.factor
        >>> layer = Scale(2.0)
        >>> layer(dt.ones([4, 3])).shape
        Shape([4, 3])
        >>> [weight.name for weight in layer.weights]
        ['scale/factor:0']
    """

    trainable: bool = field(default=True, kw_only=True)
    name: str | None = field(default=None, kw_only=True)

    input_rank: ClassVar[int | None] = None
    least_rank: ClassVar[int] = 0
    floating_inputs: ClassVar[bool] = False
    _error: ClassVar[type[LayerError]] = LayerError

    def _begin(self) -> None:
        self._graph: Graph | None = None
        self._scope: VariableScope | None = None
        self._reuse: bool | str | None = None
        self._built = False
        self._building: tuple[TensorType, ...] | None = None
        self._call: LayerCall | None = None
        self._weights: list[Variable] = []
        self._losses: list[Tensor] = []
        self._updates: list[Operation] = []
        self._children: list[Layer] = []

    def _default(self, one: Field) -> Any:
        return _anew(one.default)

    # What a subclass defines. ----------------------------------------------------------------------------------------

    def build(self, *args: Any, **keywords: Any) -> None:
        """Make the weights, by ``self.weight``; takes the type of each input, at the first call.

        The type of an input that is left out is ``None``; where all optional inputs that follow are left out, so are
        their types.
        """

    def call(self, *args: Any, **keywords: Any) -> Any:
        """Return the output, or a tuple of them; takes the inputs, and ``training`` if it names it."""
        raise LayerError(f"{type(self).__qualname__} does not define call(self, inputs).")

    # What build and call use. ----------------------------------------------------------------------------------------

    def weight(
        self,
        name: str,
        shape: Any,
        initializer: InitializerLike = None,
        trainable: bool = True,
        regularizer: RegularizerLike = None,
        dtype: DTypeLike | None = None,
        constraint: Callable[[Tensor], Tensor] | None = None,
    ) -> Variable:
        """Return a weight, a variable under the layer's scope; called in ``build``.

        Args:
            name: name within the scope, such as ``"kernel"``.
            shape: shape, with every size known.
            initializer: its first values; Glorot's uniform ones by default for floating weights, else zeros.
            trainable: whether optimizers change it; never where the layer, or one around it, is not trainable.
            regularizer: a function of the weight that gives a loss, which joins the regularization losses.
            dtype: element type; that of the first floating input by default, else float32.
            constraint: gives the value to keep after an optimizer's update.

        Raises:
            LayerError: called outside ``build``.
            ShapeError: a size is not known while the graph is built.
        """
        if self._building is None:
            raise LayerError(
                f"{self._label()}: weight({name!r}) was asked for outside build(); make all weights there."
            )
        if dtype is None:
            dtype = next((one.dtype for one in self._building if one.dtype.is_floating), float32)
        wanted = root_graph().make_shape(shape, name)
        if wanted.rank is None or not wanted.is_static:
            raise ShapeError(
                f'{self._label()}: the weight "{name}" would have shape {wanted}, of which a size is not known while '
                "the graph "
                f"is built. Give the placeholder that size, or call set_shape on the input."
            )
        losses = root_graph().get_collection_ref(GraphKeys.REGULARIZATION_LOSSES)
        before = len(losses)
        variable = get_variable(
            name,
            wanted,
            as_dtype(dtype),
            as_initializer(initializer),
            regularizer,
            trainable and all(layer.trainable for layer in self._stack()),
            constraint=constraint,
        )
        self._losses.extend(losses[before:])
        self._weights.append(variable)
        return variable

    def update(self, variable: Variable, value: Any) -> Operation:
        """Renew a non-trainable weight whenever the network is trained; called in ``call``.

        The write is made once, joins ``GraphKeys.UPDATE_OPS``, and is part of the step of every optimizer that
        minimizes a loss which depends on this call.

        Args:
            variable: the weight.
            value: its new value.
        """
        if self._call is None:
            raise LayerError(f"{self._label()}: update() was called outside call().")
        label = variable.op.name.rpartition("/")[2]
        operation = variable.assign(value, name=f"update_{label}").op
        self._call.updates = (*self._call.updates, operation)
        self._updates.append(operation)
        if operation.graph is root_graph():
            root_graph().add_to_collection(GraphKeys.UPDATE_OPS, operation)
        return operation

    # Calling. --------------------------------------------------------------------------------------------------------

    def __call__(self, *inputs: Any, training: Any = False, name: str | None = None, **optional: Any) -> Any:
        """Apply the layer.

        Args:
            inputs: tensors, variables, or values that become tensors.
            training: ``True``, ``False``, or a boolean tensor such as a placeholder.
            name: scope of the nodes of this call, instead of the layer's name.
            optional: inputs that may be left out, by name.

        Returns:
            What ``call`` returns.

        Raises:
            ShapeError: an input has a rank that the layer does not take.
            LayerError: the layer was built in another graph, takes another number of inputs, or returned no tensor.
        """
        graph = get_default_graph()
        source = graph.current_source()
        flag = _as_flag(training, self._label())
        with graph.source(source), self._scopes(graph, name, source) as (scope, label):
            values = self._with_optional(inputs, optional)
            tensors = tuple(None if value is None else as_tensor(value) for value in values)
            call = self._record(tuple(one for one in tensors if one is not None), label, flag)
            with graph.layer_call(call), self._calling(call):
                try:
                    self._check_inputs(tensors)
                    self._build([None if tensor is None else tensor.type for tensor in tensors], scope)
                    result = self.call(*tensors, **({"training": flag} if takes_training(type(self)) else {}))
                    call.outputs = _outputs(result, self._label())
                except BaseException as error:
                    graph.layer_calls.remove(call)
                    if not isinstance(error, _NAMES_NO_LINE) or str(source) in str(error):
                        raise
                    raise type(error)(f'{error} (layer "{label}" called at {source})') from error
                call.weights = tuple(variable.op.name for variable in self.weights)
        return result

    apply = __call__

    def _stack(self) -> list[Layer]:
        stack: list[Layer] = root_graph().state.setdefault(_STACK, [])
        return stack

    def share(self, reuse: bool | str | None) -> None:
        """Share the weights of a layer of the same name.

        Args:
            reuse: ``True`` where such a layer has made them, ``dt.AUTO_REUSE`` to make them if need be, else ``None``.
        """
        self._reuse = reuse

    def make_weights(self, *types: TensorType) -> None:
        """Make the weights before the first call; a layer around, which uses them itself, does so in its ``build``.

        Args:
            types: the types of the inputs that will be given.
        """
        graph = get_default_graph()
        source = graph.current_source()
        with graph.source(source), self._variable_scope(graph, source) as scope, self._calling(None):
            self._build(types, scope)

    @contextmanager
    def _scopes(self, graph: Graph, name: str | None, source: Source) -> Iterator[tuple[VariableScope, str]]:
        """Enter the variable scope of the layer and a name scope of this call."""
        with (
            self._variable_scope(graph, source) as scope,
            graph.name_scope(name or scope.name.rpartition("/")[2]) as name_scope,
        ):
            yield scope, name_scope.rstrip("/")

    def _variable_scope(self, graph: Graph, source: Source) -> AbstractContextManager[VariableScope]:
        root = root_graph(graph)
        if self._graph is not None and self._graph is not root and self.weights:
            raise GraphError(
                f"{self._label()} made its weights in another graph, where it was first called; make a new layer, or "
                "build "
                f"everything in one `with graph.as_default():`. (called at {source})"
            )
        if self._scope is not None:
            return variable_scope(self._scope, reuse=True, auxiliary_name_scope=False)
        given = self.name or self._name_as_field()
        if self._reuse and not given:
            raise InvalidArgumentError(
                f"{self._label()}: reuse={self._reuse!r} needs name=, to say whose weights to share. (called at "
                f"{source})"
            )
        return variable_scope(given, layer_name(type(self)), reuse=self._reuse or None, auxiliary_name_scope=False)

    def _name_as_field(self) -> str | None:
        """The name of the field by which the layer around it holds this one."""
        stack = self._stack()
        if not stack:
            return None
        held = (key for key, value in vars(stack[-1]).items() if value is self and not key.startswith("_"))
        return next(held, None)

    @contextmanager
    def _calling(self, call: LayerCall | None) -> Iterator[None]:
        stack = self._stack()
        if stack and self not in stack[-1]._children:
            stack[-1]._children.append(self)
        outer = self._call
        stack.append(self)
        self._call = call
        try:
            yield
        finally:
            self._call = outer
            stack.pop()

    def _record(self, tensors: tuple[Tensor, ...], scope: str, flag: Training) -> LayerCall:
        name, distribution = provided_by(type(self))
        training = flag.name if isinstance(flag, Tensor) else flag
        return LayerCall(
            scope, name, distribution, qualified_name(type(self)), self.get_config(), tensors, training=training
        )

    def _with_optional(self, inputs: tuple[Any, ...], optional: dict[str, Any]) -> tuple[Any, ...]:
        """Return the inputs by position, without those at the end that are left out."""
        names = optional_inputs(type(self))
        unknown = next((name for name in optional if name not in names), None)
        if unknown is not None:
            having = f"those to give by name are {', '.join(names)}" if names else "give inputs by position"
            raise LayerError(f"{self._label()} has no optional input {unknown!r}; {having}.")
        required = len(input_names(type(self)) or ()) - len(names)
        if not names or len(inputs) < required:
            return inputs
        left = names[len(inputs) - required :]
        twice = next((name for name in optional if name not in left), None)
        if twice is not None:
            raise LayerError(f"{self._label()}: {twice!r} is given twice, by position and by name.")
        found = [*inputs, *map(optional.get, left)]
        while len(found) > required and found[-1] is None:
            found.pop()
        return tuple(found)

    def _check_inputs(self, tensors: Sequence[Tensor | None]) -> None:
        wanted = input_names(type(self))
        required = len(tensors) if wanted is None else len(wanted) - len(optional_inputs(type(self)))
        if wanted is not None and not required <= len(tensors) <= len(wanted):
            least = f"{required} to " if required < len(wanted) else ""
            raise LayerError(
                f"{self._label()} takes {least}{len(wanted)} input{'s'[: len(wanted) != 1]} ({', '.join(wanted)}); "
                f"{len(tensors)} "
                f"were given."
            )
        for index, tensor in enumerate(tensors[:required]):
            if tensor is None:
                raise LayerError(f"{self._label()}: input {index} is None, and may not be left out.")
            if self.floating_inputs and not tensor.dtype.is_floating:
                raise DTypeError(
                    f"{self._label()}: input {index} is {tensor.type}, where a floating type is wanted. Use dt.cast, "
                    "or dt.one_hot "
                    f"for numbers of classes."
                )
            rank = tensor.shape.rank
            if rank is None:
                continue
            if self.input_rank is not None and rank != self.input_rank:
                raise ShapeError(
                    f"{self._label()}: input {index} is {tensor.type}, of rank {rank}; rank {self.input_rank} is "
                    "expected. "
                    f"Use dt.reshape or dt.expand_dims."
                )
            if rank < self.least_rank:
                raise ShapeError(
                    f"{self._label()}: input {index} is {tensor.type}, of rank {rank}; rank {self.least_rank} or more "
                    "is "
                    f"expected. Use dt.expand_dims."
                )

    def _build(self, types: Sequence[TensorType | None], scope: VariableScope) -> None:
        if self._built:
            return
        known = tuple(one for one in types if one is not None)
        if type(self).build is not Layer.build and any(one.rank is None for one in known):
            raise ShapeError(
                f"{self._label()}: an input's rank is not known, and the layer has weights to make. Give the "
                "placeholder a "
                f"shape, or call set_shape on the input."
            )
        self._building = known
        try:
            self.build(*types)
        except BaseException:
            self._weights.clear()
            self._losses.clear()
            raise
        finally:
            self._building = None
        self._built = True
        self._graph = root_graph()
        self._scope = scope

    # What it is. -----------------------------------------------------------------------------------------------------

    def _label(self) -> str:
        return layer_name(type(self))

    @property
    def built(self) -> bool:
        """Whether the weights are made."""
        return self._built

    @property
    def scope_name(self) -> str:
        """The variable scope of the weights, such as ``"net/dense_1"``; empty before the first call."""
        return self._scope.name if self._scope is not None else ""

    @property
    def sublayers(self) -> tuple[Layer, ...]:
        """Layers that were called within this one."""
        return tuple(self._children)

    @property
    def weights(self) -> list[Variable]:
        """All weights, those of sub-layers after its own."""
        return _unique(self._weights, (child.weights for child in self._children))

    @property
    def trainable_weights(self) -> list[Variable]:
        """Weights that optimizers change by default."""
        return [variable for variable in self.weights if variable.trainable]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Weights that optimizers leave alone."""
        return [variable for variable in self.weights if not variable.trainable]

    @property
    def losses(self) -> list[Tensor]:
        """Regularization losses of its weights and those of its sub-layers."""
        return _unique(self._losses, (child.losses for child in self._children))

    @property
    def updates(self) -> list[Operation]:
        """Writes that renew its non-trainable weights, and those of its sub-layers."""
        return _unique(self._updates, (child.updates for child in self._children))

    # TensorFlow 1's names.
    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @classmethod
    def function(cls) -> Callable[..., Any]:
        """Return the function form: inputs first, then the configuration; each call makes a layer and applies it."""
        from dovetail.bases.layer_function import function_of

        return function_of(cls)


def as_initializer(initializer: InitializerLike) -> Any:
    """Return an initializer that may be given by its name in ``dt.initializers``."""
    if not isinstance(initializer, str):
        return initializer
    found = getattr(namespace("initializers"), initializer)
    return found() if isinstance(found, type) else found


def _anew(value: Any) -> Any:
    """Return a layer without weights for each layer in a default, so that two instances of a class share none."""
    if isinstance(value, Layer):
        return type(value)(**{one.name: _anew(value.__dict__[one.name]) for one in value.fields})
    if isinstance(value, (list, tuple)):
        return tuple(_anew(item) for item in value)
    return value


def _unique(own: Sequence[Any], nested: Iterator[Sequence[Any]] | Any) -> list[Any]:
    return list(dict.fromkeys([*own, *(item for items in nested for item in items)]))


def _as_flag(training: Any, label: str) -> Training:
    if isinstance(training, (bool, np.bool_)) or (isinstance(training, int) and training in (0, 1)):
        return bool(training)
    if isinstance(training, (Tensor, Variable)):
        flag = as_tensor(training)
        if flag.dtype.is_bool and flag.shape.rank in (0, None):
            return flag
        raise DTypeError(f"{label}: training is {flag.type}; give True, False, or a boolean scalar. {flag.op.where()}")
    raise LayerError(f"{label}: training is {training!r}; give True, False, or a boolean scalar tensor.")


def _outputs(result: Any, label: str) -> tuple[Tensor, ...]:
    outputs = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    for output in outputs:
        if not isinstance(output, Tensor):
            what = "None" if output is None else f"a {type(output).__name__}"
            raise LayerError(f"{label}: call() returned {what}; return a tensor, or a tuple of tensors.")
    return outputs


def takes_training(cls: type[Layer]) -> bool:
    """Whether ``call`` names ``training``."""
    code: Any = cls.call.__code__
    named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return "training" in named or bool(code.co_flags & 0x08)


def input_names(cls: type[Layer]) -> tuple[str, ...] | None:
    """Return the names of the inputs of ``call``; ``None`` where it takes any number."""
    code: Any = cls.call.__code__
    if code.co_flags & 0x04:
        return None
    return tuple(name for name in code.co_varnames[1 : code.co_argcount] if name != "training")


def optional_inputs(cls: type[Layer]) -> tuple[str, ...]:
    """Return the names of the inputs of ``call`` that may be left out: the last ones, whose default is ``None``."""
    code: Any = cls.call.__code__
    defaults = cls.call.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    given = zip(names, defaults, strict=True)
    return tuple(name for name, default in given if default is None and name != "training")
