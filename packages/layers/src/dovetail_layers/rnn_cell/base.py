"""``RNNCell``: what every cell of a recurrent network is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, LayerError, ShapeError
from dovetail.extend import Dim, DType, layer_name, make_scan, nest

__all__ = ["RNNCell", "zeros_of_size"]


class RNNCell(ABC):
    """One step of a recurrent network: a function of inputs and a state that gives an output and the next state.

    A subclass says the sizes and defines ``call(inputs, state)``, with variables made in ``build(inputs_shape)`` by
    ``self.add_variable``; or it defines ``__call__(inputs, state, scope=None)`` itself, with ``dt.get_variable``.
    Calling one instance again shares its variables.

    Args:
        trainable: whether optimizers change its variables by default.
        name: its scope; by default the class's name, made unique.
        dtype: element type of the variables; that of the inputs by default.
        _reuse: whether it takes variables that another cell of its scope has made.

    Example:
        >>> class Sum(dt.nn.rnn_cell.RNNCell):
        ...     state_size = output_size = 3
        ...     def call(self, inputs, state):
        ...         return inputs + state, inputs + state
        >>> totals, last = dt.nn.dynamic_rnn(Sum(), dt.ones([2, 5, 3]), dtype=dt.float32)
        >>> dt.Session().run(last[0])
        array([5., 5., 5.], dtype=float32)
    """

    _trainable: bool = True
    _name: str | None = None
    _dtype: DType | None = None
    _reuse: bool | str | None = None
    _scope: dt.VariableScope | None = None
    _own: Sequence[dt.Variable] = ()
    built: bool = False

    def __init__(
        self,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        _reuse: bool | str | None = None,
    ) -> None:
        """Keep how variables are made."""
        self._trainable = trainable
        self._name = name
        self._dtype = None if dtype is None else dt.as_dtype(dtype)
        self._reuse = _reuse

    @property
    @abstractmethod
    def state_size(self) -> Any:
        """The size of the state, or a nested structure of sizes: integers, or shapes without the batch."""

    @property
    @abstractmethod
    def output_size(self) -> Any:
        """The size of the output, likewise."""

    def build(self, inputs_shape: Any) -> None:  # noqa: B027 - a cell may have no variables
        """Make the variables, at the first call; takes the shape of the inputs."""

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the output and the next state."""
        raise LayerError(
            f"{type(self).__qualname__} defines neither call(self, inputs, state) nor "
            "__call__(self, inputs, state, scope=None)."
        )

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Make one step.

        Args:
            inputs: of shape ``[batch, size]``, or a structure of tensors.
            state: the state, in the structure of ``state_size``.
            scope: the variable scope, instead of the cell's name; that of the first call stays.

        Returns:
            The output, and the next state.
        """
        tensors = nest.map_structure(dt.convert_to_tensor, inputs)
        with self.entered(tensors, scope):
            return self.call(tensors, state)

    @contextmanager
    def entered(self, inputs: Any, scope: Any = None) -> Iterator[None]:
        """Enter the cell's variable scope, with its variables made for such inputs."""
        if self._scope is not None:
            scopes = dt.variable_scope(self._scope, reuse=True)
        elif self._reuse:
            scopes = dt.variable_scope(scope or self.name, reuse=self._reuse)
        else:
            scopes = dt.variable_scope(scope, self.name)
        with scopes as entered:
            if not self.built:
                if self._dtype is None:
                    self._dtype = nest.flatten(inputs)[0].dtype
                self.build(nest.map_structure(lambda one: one.shape, inputs))
                self.built = True
            self._scope = self._scope or entered
            yield

    def add_variable(
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Callable[[Tensor], Tensor] | None = None,
        trainable: bool = True,
    ) -> dt.Variable:
        """Return a variable under the cell's scope; called in ``build``."""
        variable = dt.get_variable(
            name,
            shape,
            dtype or self._dtype or dt.float32,
            initializer,
            regularizer,
            trainable and self._trainable,
        )
        self._own = [*self._own, variable]
        return variable

    add_weight = add_variable

    def along(self, x: Any, state: Any) -> tuple[Any, Any, Any]:
        """Walk along the first axis of the inputs.

        Args:
            x: inputs of shape ``[time, batch, size]``, or a structure of them.
            state: the initial state.

        Returns:
            The outputs of all steps, stacked; the states after all steps, stacked; the state after the last.
        """
        outputs: list[Any] = []
        initial = nest.map_structure(dt.convert_to_tensor, state)
        before = nest.flatten(initial)

        def step(
            index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
        ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
            output, after = self(nest.pack(x, slices), nest.pack(initial, carries))
            outputs.append(output)
            states = self._checked(initial, after)
            return states, [*nest.flatten(output), *states]

        with dt.name_scope("steps") as scope:
            last, every = make_scan(step, before, nest.flatten(x), prefix=f"{scope}step")
        count = len(every) - len(before)
        return nest.pack(outputs[0], every[:count]), nest.pack(initial, every[count:]), nest.pack(initial, last)

    def _checked(self, before: Any, after: Any) -> list[Tensor]:
        """Return the parts of a state after a step, which must be as they were before."""
        found = nest.difference(before, after)
        if found is not None:
            raise InvalidArgumentError(
                f"{layer_name(type(self))}: the structures of the state before a step and after it {found}. Return the "
                "next state in the structure of state_size."
            )
        states = [dt.convert_to_tensor(one) for one in nest.flatten(after)]
        for one, other in zip(nest.flatten(before), states, strict=True):
            if one.dtype is not other.dtype:
                raise DTypeError(
                    f"{layer_name(type(self))}: a state is {one.type} before a step and {other.type} after it. Give an "
                    "initial_state of the dtype of the inputs, or use dt.cast."
                )
            if not one.shape.is_compatible_with(other.shape):
                raise ShapeError(
                    f"{layer_name(type(self))}: a state is {one.type} before a step and {other.type} after it; it must "
                    "keep its shape, which state_size says."
                )
        return states

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return a state of zeros.

        Args:
            batch_size: the number of sequences, an integer or a tensor.
            dtype: element type.
        """
        with dt.name_scope(f"{type(self).__name__}ZeroState"):
            return zeros_of_size(self.state_size, batch_size, dtype)

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Return a state of zeros for a batch as large as that of ``inputs``, or as ``batch_size`` says.

        Raises:
            InvalidArgumentError: neither inputs nor both batch size and dtype are given.
        """
        if inputs is not None:
            tensor = dt.convert_to_tensor(inputs)
            batch_size, dtype = tensor.shape[0], dtype or tensor.dtype
        if batch_size is None or dtype is None:
            raise InvalidArgumentError(
                f"{layer_name(type(self))}: get_initial_state needs inputs, or batch_size and dtype."
            )
        return self.zero_state(batch_size, dtype)

    @property
    def name(self) -> str:
        """The name of the scope, before it is made unique."""
        return self._name or layer_name(type(self))

    @property
    def scope_name(self) -> str:
        """The variable scope, such as ``"rnn/gru_cell"``; empty before the first call."""
        return "" if self._scope is None else self._scope.name

    @property
    def variables(self) -> list[dt.Variable]:
        """All variables; those of cells within included."""
        return [*self._own]

    @property
    def trainable_variables(self) -> list[dt.Variable]:
        """Variables that optimizers change by default."""
        return [one for one in self.variables if one.trainable]

    @property
    def weights(self) -> list[dt.Variable]:
        """All variables, under Keras's name."""
        return self.variables

    @property
    def trainable_weights(self) -> list[dt.Variable]:
        """The trainable variables, under Keras's name."""
        return self.trainable_variables


def zeros_of_size(size: Any, batch: Any, dtype: Any) -> Any:
    """Return zeros for each size of a structure: an integer, or a shape without the batch."""

    def zeros(one: Any) -> Tensor:
        dims: Sequence[Dim] = one.dims if isinstance(one, dt.Shape) else (one,)
        return dt.zeros([batch, *dims], dtype)

    return nest.map_structure(zeros, size)
