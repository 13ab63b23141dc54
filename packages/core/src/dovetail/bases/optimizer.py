"""``Optimizer``: the base of optimizers, which keeps all books so that an optimizer is one pure function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, TypeAlias

from dovetail.bases.stepping import (
    clipped,
    computed_in,
    converted,
    flat,
    is_number,
    listed,
    numbers_in,
    on_rows,
    resolved,
    updates_of,
)
from dovetail.errors import ConfigurationError, DTypeError, GraphError, InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import Graph, GraphKeys, get_default_graph
from dovetail.graph.operation import Operation, Tensor
from dovetail.ops.constants import constant
from dovetail.ops.gradients import gradients
from dovetail.ops.indexed_slices import IndexedSlices, densify
from dovetail.ops.initializers import ConstantInitializer
from dovetail.ops.state import group
from dovetail.ops.variables import Variable, root_graph, trainable_variables
from dovetail.types.configured import Configured
from dovetail.types.dtypes import DType, float32, float64
from dovetail.types.fields import Field, field

__all__ = ["Hyperparameter", "Numbers", "Optimizer"]

Hyperparameter: TypeAlias = "float | Tensor | Variable | Callable[[], Any]"
"""A number; a tensor, such as a schedule of the global step; or a function of no arguments that returns one of
these."""
Numbers: TypeAlias = Mapping[str, Tensor]
"""Scalars by name: hyperparameters, and what the optimizer keeps for all variables."""


class Optimizer(Configured):
    """Base of optimizers.

    A subclass declares hyperparameters as fields annotated ``Hyperparameter`` (or ``float``), and defines ``update``:
    a function of gradient, value and slots that returns the new value and the new slots. ``slots`` names what is kept
    for each variable, ``scalars`` what is kept once for all of them.

    Args:
        weight_decay: the part of each weight, times the learning rate, that a step takes away before all else:
            decoupled weight decay (Loshchilov and Hutter, 2019).
        decay_filter: a function of a variable that says whether it decays; all of them do by default.
            ``lambda v: len(v.shape) > 1`` spares biases and the scales of normalisations.
        clipvalue: the greatest magnitude of an element of a gradient; without limit by default.
        clipnorm: the greatest L2 norm of the gradient of a variable.
        global_clipnorm: the greatest L2 norm of all gradients together (Pascanu, Mikolov and Bengio, 2013).
        use_locking: has no effect: steps of a session never mix; here for TensorFlow 1 programs.
        name: the scope of the step, and the last part of the names of its slots (``dense/kernel/Adam``).

    Example:
        >>> class SignDescent(Optimizer):
        ...     learning_rate: Hyperparameter
        ...     def update(self, gradient, value, slots, numbers):
        ...         return value - numbers["learning_rate"] * dt.sign(gradient), {}
        >>> w = dt.Variable(3.0, name="w")
        >>> step = SignDescent(0.5).minimize(w * w)
        >>> with dt.Session() as session:
        ...     session.run(dt.global_variables_initializer())
        ...     session.run(step)
        ...     session.run(w)
        np.float32(2.5)
    """

    weight_decay: Hyperparameter = field(default=0.0, kw_only=True)
    decay_filter: Callable[[Variable], bool] | None = field(default=None, kw_only=True)
    clipvalue: float | None = field(default=None, kw_only=True)
    clipnorm: float | None = field(default=None, kw_only=True)
    global_clipnorm: float | None = field(default=None, kw_only=True)
    use_locking: bool = field(default=False, kw_only=True)
    name: str = field(default="", kw_only=True)

    rows_alone: ClassVar[bool] = False
    """Whether a gradient of some rows changes these rows, and what is kept for them, alone. For rules in which an
    element depends on the same element only; what is zero elsewhere is a dense gradient to the others."""

    GATE_NONE: ClassVar[int] = 0
    GATE_OP: ClassVar[int] = 1
    GATE_GRAPH: ClassVar[int] = 2

    def _begin(self) -> None:
        self._slots: dict[tuple[str, Variable], Variable] = {}
        self._scalars: dict[tuple[str, Graph], Variable] = {}

    def _checked(self, one: Field, value: Any) -> Any:
        if _is_hyperparameter(one) and not (
            is_number(value) or isinstance(value, (Tensor, Variable)) or callable(value)
        ):
            raise ConfigurationError(
                f"{self.get_name()}: {one.name} is {value!r}; give a number, a scalar tensor, or a function that "
                "returns one."
            )
        return value if isinstance(value, (Tensor, Variable)) else super()._checked(one, value)

    def _given(self) -> dict[str, Any]:
        """Hyperparameters as they are in this step: numbers or tensors by name."""
        own = self.__dict__
        others = {one.name for one in Optimizer.fields} - {"weight_decay"}
        chosen = [
            one.name
            for one in self.fields
            if _is_hyperparameter(one) or (is_number(own[one.name]) and one.name not in others)
        ]
        return {name: resolved(own[name]) for name in chosen}

    # What a subclass defines. ----------------------------------------------------------------------------------------

    def slots(self) -> Mapping[str, Any]:
        """What is kept for each variable: names, with a number or an initializer for the first values."""
        return {}

    def slots_for(self, variable: Variable) -> Mapping[str, Any]:
        """What is kept for one variable, where that differs between variables; ``slots()`` for all by default."""
        return self.slots()

    def scalars(self) -> Mapping[str, Any]:
        """What is kept for all variables together: names, with the first values."""
        return {}

    def decayed(self, value: Tensor, numbers: Numbers) -> Tensor:
        """Return a value that decoupled weight decay has lessened, with which the step begins.

        An optimizer whose formula has its own place for ``numbers["weight_decay"]`` returns the value as it is; that
        number is zero for what does not decay.
        """
        return (1.0 - numbers["learning_rate"] * numbers["weight_decay"]) * value

    def update(
        self, gradient: Tensor, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the new value of a variable and its new slots.

        All arguments have the variable's dtype; those of a half type are float32 here, and so is what is kept for them.

        Args:
            gradient: of the loss with respect to the variable, of its shape.
            value: the variable's value.
            slots: what is kept for the variable, of its shape.
            numbers: hyperparameters and scalars; ``decays`` is 1 for what ``decay_filter`` lets decay, else 0.
        """
        raise InvalidArgumentError(
            f"{type(self).__qualname__} does not define update(gradient, value, slots, numbers)."
        )

    def update_sparse(
        self, gradient: IndexedSlices, value: Tensor, slots: Mapping[str, Tensor], numbers: Numbers
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return what ``update`` does, for a gradient of some rows: by the dense rule, or on ``rows_alone``."""
        if self.rows_alone:
            return on_rows(self.update, gradient, value, slots, numbers)
        return self.update(densify(gradient), value, slots, numbers)

    def advance(self, numbers: Numbers) -> Mapping[str, Tensor]:
        """Return the new scalars, once all variables are updated."""
        return {}

    # What users call. ------------------------------------------------------------------------------------------------

    def get_name(self) -> str:
        """Return the optimizer's name; that of its class, without the ending ``Optimizer``, unless given."""
        return self.__dict__.get("name") or type(self).__name__.removesuffix("Optimizer") or type(self).__name__

    def minimize(
        self,
        loss: Any,
        global_step: Variable | None = None,
        var_list: Any = None,
        gate_gradients: int = 1,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Operation:
        """Return an operation that makes one step to lessen ``loss``.

        The step includes the updates of the layers that the loss depends on, such as the moving averages of batch
        normalisation.

        Args:
            loss: a floating tensor; the sum of its elements is minimized.
            global_step: an integer variable to raise by one.
            var_list: the variables to change; the trainable ones by default.
            gate_gradients: has no effect; here for TensorFlow 1 programs.
            aggregation_method: has no effect; here for TensorFlow 1 programs.
            colocate_gradients_with_ops: has no effect; here for TensorFlow 1 programs.
            name: name of the step, the optimizer's by default.
            grad_loss: a gradient of ``loss`` to begin with, ones by default.

        Raises:
            InvalidArgumentError: there is no variable, or the loss depends on none of them.
            DTypeError: the loss or a variable is not floating.
            GraphError: a variable belongs to another graph than the loss.
        """
        pairs = self.compute_gradients(loss, var_list, grad_loss=grad_loss)
        if all(gradient is None for gradient, _ in pairs):
            tensor = as_tensor(loss)
            raise InvalidArgumentError(
                f'{self.get_name()}: the loss "{tensor.name}" depends on none of the variables '
                f"{listed([variable for _, variable in pairs])}. Pass others as var_list, or look for what cuts them "
                "off: "
                f"stop_gradient, a cast to integers, argmax. {tensor.op.where()}"
            )
        return self._apply(pairs, global_step, name, [as_tensor(loss)])

    def compute_gradients(
        self,
        loss: Any,
        var_list: Any = None,
        gate_gradients: int = 1,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[tuple[Any, Variable]]:
        """Return pairs of gradient and variable, the first half of ``minimize``.

        Returns:
            For each variable its gradient: a tensor, ``IndexedSlices``, or ``None`` where the loss does not depend on
                it.
        """
        tensor = as_tensor(loss)
        if not tensor.dtype.is_floating:
            raise DTypeError(
                f'{self.get_name()}: the loss "{tensor.name}" is {tensor.type}; only floating tensors can be '
                "minimized. Use "
                f"dt.cast. {tensor.op.where()}"
            )
        if var_list is None:
            variables = [variable for variable in trainable_variables() if variable.dtype.is_floating]
        else:
            variables = flat(var_list)
        if not variables:
            what = "the graph has no trainable variables" if var_list is None else "var_list is empty"
            raise InvalidArgumentError(
                f"{self.get_name()}: there is nothing to optimize, for {what}. {tensor.op.where()}"
            )
        self._check(variables, root_graph(tensor.graph))
        found = gradients([tensor], variables, None if grad_loss is None else [grad_loss])
        return list(zip(found, variables, strict=True))

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[Any, Variable]],
        global_step: Variable | None = None,
        name: str | None = None,
    ) -> Operation:
        """Return an operation that makes one step along given gradients, the second half of ``minimize``.

        Args:
            grads_and_vars: pairs as ``compute_gradients`` gives them, perhaps with other gradients.
            global_step: an integer variable to raise by one.
            name: name of the step, the optimizer's by default.

        Raises:
            InvalidArgumentError: there is no gradient.
        """
        pairs = list(grads_and_vars)
        self._check([variable for _, variable in pairs], root_graph())
        if all(gradient is None for gradient, _ in pairs):
            raise InvalidArgumentError(
                f"{self.get_name()}: apply_gradients was given no gradient for any of the variables "
                f"{listed([variable for _, variable in pairs])}."
            )
        return self._apply(pairs, global_step, name, [])

    def get_slot(self, var: Variable, name: str) -> Variable | None:
        """Return what is kept for a variable under ``name``; ``None`` before the first step that changes it is made."""
        return self._slots.get((name, var))

    def get_slot_names(self) -> list[str]:
        """Return the names of what is kept for each variable, sorted."""
        return sorted(self.slots())

    def variables(self) -> list[Variable]:
        """Return the optimizer's own variables in the default graph, sorted by name."""
        graph = root_graph()
        own = [*self._scalars.values(), *self._slots.values()]
        return sorted((one for one in own if one.graph is graph), key=lambda one: one.name)

    # The books. ------------------------------------------------------------------------------------------------------

    def _check(self, variables: Sequence[Any], graph: Graph) -> None:
        for variable in variables:
            if not isinstance(variable, Variable):
                raise DTypeError(f"{self.get_name()}: {variable!r} is no dt.Variable, so that it cannot be optimized.")
            if variable.graph is not graph:
                raise GraphError(
                    f'{self.get_name()}: variable "{variable.op.name}" belongs to another graph than the loss; build '
                    "everything "
                    f"in one `with graph.as_default():`. {variable.op.where()}"
                )
            if not variable.dtype.is_floating:
                raise DTypeError(
                    f'{self.get_name()}: variable "{variable.op.name}" is {variable.dtype.name}; only floating '
                    "variables can be "
                    f"optimized. {variable.op.where()}"
                )

    def _apply(
        self, pairs: Sequence[tuple[Any, Variable]], global_step: Variable | None, name: str | None, roots: list[Tensor]
    ) -> Operation:
        chosen = [
            (one if isinstance(one, IndexedSlices) else as_tensor(one), var) for one, var in pairs if one is not None
        ]
        graph = get_default_graph()
        if global_step is not None and not _counts(global_step):
            raise DTypeError(f"{self.get_name()}: global_step is {global_step!r}; give an integer variable.")
        roots = [*roots, *(one.values if isinstance(one, IndexedSlices) else one for one, _ in chosen)]
        with graph.source(graph.current_source()), graph.name_scope(name or self.get_name()) as scope:
            operations = [*self.make_updates(chosen), *updates_of(roots)]
            if global_step is None:
                step = group(*operations, name=scope)
            else:
                with graph.control_dependencies([group(*operations, name="update")]):
                    step = global_step.assign(global_step + self.steps_made(global_step.dtype), name=scope).op
        graph.add_to_collection(GraphKeys.TRAIN_OP, step)
        return step

    def make_updates(self, pairs: Sequence[tuple[Any, Variable]]) -> list[Operation]:
        """Return the operations that change variables, and what is kept for them, along gradients that are clipped."""
        limits = {name: self.__dict__[name] for name in ("clipvalue", "clipnorm", "global_clipnorm")}
        for name, limit in limits.items():
            if limit is not None and not limit > 0.0:
                raise ConfigurationError(f"{self.get_name()}: {name} is {limit}; give a positive number, or None.")
        gradients = clipped([gradient for gradient, _ in pairs], **limits)
        return self.updates([(one, variable) for one, (_, variable) in zip(gradients, pairs, strict=True)])

    def updates(self, pairs: Sequence[tuple[Any, Variable]]) -> list[Operation]:
        """Return the operations of a step along gradients as they are; an optimizer around another overrides it."""
        graph = get_default_graph()
        scalars = self.make_scalars([variable for _, variable in pairs])
        given = {**self._given(), **scalars}
        kinds = dict.fromkeys([*(computed_in(one.dtype) for _, one in pairs), *(one.dtype for one in scalars.values())])
        numbers = {dtype: numbers_in(dtype, {**given, "decays": 1.0}) for dtype in kinds}
        spared = {
            dtype: {**numbers[dtype], **numbers_in(dtype, {"weight_decay": 0.0, "decays": 0.0})} for dtype in kinds
        }
        operations: list[Operation] = []
        for gradient, variable in pairs:
            chosen = numbers if self._decays(variable) else spared
            with graph.name_scope(f"update_{variable.op.name}"):
                operations.extend(self._update(gradient, variable, chosen[computed_in(variable.dtype)]))
        advanced = {dtype: self.advance(numbers[dtype]) for dtype in {one.dtype for one in scalars.values()}}
        for key, variable in scalars.items():
            if key in advanced[variable.dtype]:
                operations.append(variable.assign(advanced[variable.dtype][key], name=f"advance_{key}").op)
        return operations

    def steps_made(self, dtype: DType) -> Tensor:
        """Return by how much the global step rises, once the updates are made; one, unless an optimizer waits."""
        return constant(1, dtype)

    def _update(self, gradient: Tensor | IndexedSlices, variable: Variable, numbers: Numbers) -> list[Operation]:
        kept = {slot: self.make_slot(variable, slot, first) for slot, first in self.slots_for(variable).items()}
        dtype = computed_in(variable.dtype)
        before = converted(variable, dtype)
        if self._decays(variable) and self.weight_decay != 0.0:
            before = self.decayed(before, numbers)
        values = {slot: converted(one, dtype) for slot, one in kept.items()}
        if isinstance(gradient, IndexedSlices):
            rows = IndexedSlices(converted(gradient.values, dtype), gradient.indices, gradient.dense_shape)
            value, changed = self.update_sparse(rows, before, values, numbers)
        else:
            value, changed = self.update(converted(gradient, dtype), before, values, numbers)
        value = converted(value, variable.dtype)
        if variable.constraint is not None:
            value = variable.constraint(value)
        unknown = set(changed) - set(kept)
        if unknown:
            raise InvalidArgumentError(
                f"{self.get_name()}: update() returned the slot {min(unknown)!r}, which slots() does not name."
            )
        written = [
            kept[slot].assign(converted(new, kept[slot].dtype), name=f"assign_{slot}").op
            for slot, new in changed.items()
        ]
        return [*written, variable.assign(value, name="assign").op]

    def _decays(self, variable: Variable) -> bool:
        return self.decay_filter is None or bool(self.decay_filter(variable))

    def make_slot(self, variable: Variable, slot: str, first: Any) -> Variable:
        """Return what is kept for a variable, made where it is not there yet: a number's, or by an initializer."""
        known = self._slots.get((slot, variable))
        if known is None:
            rule = ConstantInitializer(float(first)) if isinstance(first, (int, float)) else first
            dtype = computed_in(variable.dtype)
            with root_graph().name_scope(None):
                known = Variable(
                    lambda: rule(variable.shape, dtype),
                    trainable=False,
                    name=f"{variable.op.name}/{self.get_name()}",
                    dtype=dtype,
                )
            self._slots[slot, variable] = known
        return known

    def make_scalars(self, variables: Sequence[Variable]) -> dict[str, Variable]:
        """Return what is kept for all variables together, made where it is not there yet."""
        graph = root_graph()
        dtype = float64 if any(one.dtype is float64 for one in variables) else float32
        for key, first in self.scalars().items():
            if (key, graph) not in self._scalars:
                with graph.name_scope(None):
                    value = partial(converted, resolved(first), dtype)
                    self._scalars[key, graph] = Variable(value, trainable=False, name=key)
        return {key: one for (key, owner), one in self._scalars.items() if owner is graph}


def _is_hyperparameter(one: Field) -> bool:
    return "Hyperparameter" in one.annotation or one.annotation == Hyperparameter


def _counts(value: Any) -> bool:
    return isinstance(value, Variable) and value.dtype.is_integer
