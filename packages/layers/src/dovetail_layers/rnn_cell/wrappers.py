"""Cells made of cells: stacked, with dropout, with a residual connection, on a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import layer_name, nest
from dovetail_layers.regularization import dropout
from dovetail_layers.rnn_cell.base import RNNCell
from dovetail_layers.rnn_cell.lstm import LSTMStateTuple

__all__ = ["DeviceWrapper", "DropoutWrapper", "MultiRNNCell", "ResidualWrapper"]


@final
class MultiRNNCell(RNNCell):
    """Cells one above the other: the output of each is the input of the next.

    Args:
        cells: the cells, from below.
        state_is_tuple: whether the state is a tuple of those of the cells rather than one tensor, these side by side.

    Raises:
        InvalidArgumentError: there are none, or one cell stands there twice, which in TensorFlow 1 shares its
            variables by mistake, or states are nested that should be one tensor.
        DTypeError: one is no cell.

    Example:
        >>> cells = [dt.nn.rnn_cell.GRUCell(size) for size in (8, 4)]
        >>> stacked = dt.nn.rnn_cell.MultiRNNCell(cells)
        >>> outputs, state = dt.nn.dynamic_rnn(stacked, dt.zeros([2, 7, 3]), dtype=dt.float32)
        >>> outputs.shape, [one.shape for one in state]
        (Shape([2, 7, 4]), [Shape([2, 8]), Shape([2, 4])])
        >>> stacked.variables[0].op.name
        'rnn/multi_rnn_cell/cell_0/gru_cell/gates/kernel'
    """

    def __init__(self, cells: Sequence[RNNCell], state_is_tuple: bool = True) -> None:
        """Look at the cells."""
        super().__init__()
        if not isinstance(cells, (list, tuple)) or not cells:
            raise InvalidArgumentError(f"multi_rnn_cell: cells is {cells!r}; give a list of one cell or more.")
        self._cells = [_as_cell("multi_rnn_cell", cell) for cell in cells]
        if len({id(cell) for cell in cells}) < len(cells):
            raise InvalidArgumentError(
                "multi_rnn_cell: one cell stands in the list twice, and would be used with variables of one shape; "
                "make a cell for each place, as [make() for _ in range(n)] does."
            )
        self._state_is_tuple = state_is_tuple
        if not state_is_tuple and any(not isinstance(cell.state_size, int) for cell in cells):
            raise InvalidArgumentError(
                "multi_rnn_cell: state_is_tuple=False joins states of one tensor each, and a cell has a nested one; "
                "make it with state_is_tuple=False too."
            )

    @property
    def state_size(self) -> Any:
        """The sizes of the cells' states, or their sum."""
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        """That of the last cell."""
        return self._cells[-1].output_size

    @property
    def variables(self) -> list[dt.Variable]:
        """Those of the cells."""
        return list(dict.fromkeys(one for cell in self._cells for one in cell.variables))

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return the cells' own zero states."""
        if not self._state_is_tuple:
            return super().zero_state(batch_size, dtype)
        with dt.name_scope("MultiRNNCellZeroState"):
            return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)

    def _each(self, state: Any) -> Iterator[tuple[RNNCell, Any]]:
        """Enter the scope of each cell in turn; gives the cell and its state."""
        start = 0
        for index, cell in enumerate(self._cells):
            if self._state_is_tuple:
                part = state[index]
            else:
                part = state[..., start : start + cell.state_size]
                start += cell.state_size
            with dt.variable_scope(f"cell_{index}"):
                yield cell, part

    def _joined(self, states: Sequence[Any]) -> Any:
        return tuple(states) if self._state_is_tuple else dt.concat(states, -1)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """One step of each."""
        states = []
        for cell, part in self._each(state):
            inputs, after = cell(inputs, part)
            states.append(after)
        return inputs, self._joined(states)

    def along(self, x: Any, state: Any) -> tuple[Any, Any, Any]:
        """Walk along the first axis with the lowest cell, then with the next along what it gave."""
        every_state, last = [], []
        with self.entered(x):
            for cell, part in self._each(state):
                x, states, after = cell.along(x, part)
                every_state.append(states)
                last.append(after)
        return x, self._joined(every_state), self._joined(last)


class _Wrapper(RNNCell):
    """A cell around one other, which has no variables and no scope of its own."""

    def __init__(self, cell: RNNCell) -> None:
        super().__init__()
        self._cell = _as_cell(layer_name(type(self)), cell)

    @property
    def wrapped_cell(self) -> RNNCell:
        """The cell within."""
        return self._cell

    @property
    def state_size(self) -> Any:
        """That of the cell within."""
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        """That of the cell within."""
        return self._cell.output_size

    @property
    def variables(self) -> list[dt.Variable]:
        """Those of the cell within."""
        return self._cell.variables

    @contextmanager
    def entered(self, inputs: Any, scope: Any = None) -> Iterator[None]:
        """Enter no scope."""
        yield

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return that of the cell within."""
        return self._cell.zero_state(batch_size, dtype)


@final
class DropoutWrapper(_Wrapper):
    """Dropout of a cell's inputs, outputs and states; use it while training only.

    Probabilities are numbers or scalar tensors, such as a placeholder that is 1 in evaluation. What the next step's
    state keeps of an ``LSTMStateTuple`` is its ``c``, whole: dropout there would make the memory forget.

    Args:
        cell: the cell within.
        input_keep_prob: the probability that an input is kept.
        output_keep_prob: the probability that an output is kept.
        state_keep_prob: the probability that an element of the state that goes to the next step is kept.
        variational_recurrent: whether all steps of a sequence drop the same elements (Gal and Ghahramani, 2016).
        input_size: has no effect: sizes follow from the inputs; here for TensorFlow 1 programs.
        dtype: has no effect, likewise.
        seed: the seed of the operations.
        dropout_state_filter_visitor: takes a part of the state, and says whether it is dropped, by a truth value or a
            structure of them; by default everything but the ``c`` of an ``LSTMStateTuple``.

    Raises:
        InvalidArgumentError: a probability is not above 0 and at most 1.
        DTypeError: ``cell`` is no cell.

    Example:
        >>> keep = dt.placeholder_with_default(1.0, [])
        >>> cell = dt.nn.rnn_cell.DropoutWrapper(dt.nn.rnn_cell.GRUCell(4), output_keep_prob=keep)
        >>> outputs, state = dt.nn.dynamic_rnn(cell, dt.zeros([2, 7, 3]), dtype=dt.float32)
        >>> outputs.shape
        Shape([2, 7, 4])
    """

    def __init__(
        self,
        cell: RNNCell,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: int | None = None,
        dropout_state_filter_visitor: Callable[[Any], Any] | None = None,
    ) -> None:
        """Look at the probabilities."""
        super().__init__(cell)
        self._keep = {"input": input_keep_prob, "output": output_keep_prob, "state": state_keep_prob}
        for name, chance in self._keep.items():
            if not isinstance(chance, (Tensor, dt.Variable)) and not 0.0 < float(chance) <= 1.0:
                raise InvalidArgumentError(
                    f"dropout_wrapper: {name}_keep_prob is {chance}; it must be above 0 and at most 1."
                )
        self._variational = variational_recurrent
        self._seed = seed
        self._filter = dropout_state_filter_visitor or _all_but_memory

    def _drops(self, what: str) -> bool:
        chance = self._keep[what]
        return isinstance(chance, (Tensor, dt.Variable)) or float(chance) < 1.0

    def _dropped(self, what: str, structure: Any) -> Any:
        """Drop elements of what has a step each, or of one step."""
        if not self._drops(what):
            return structure
        seeds = iter(range(len(nest.flatten(structure))))
        return nest.map_structure(
            lambda one: dropout(one, self._keep[what], seed=self._seed_of(what, next(seeds))), structure
        )

    def _seed_of(self, what: str, index: int) -> int | None:
        """Return a seed for each operation that follows from the one given."""
        if self._seed is None:
            return None
        return self._seed + 1000 * (1 + list(self._keep).index(what)) + index

    def _state(self, new: Any, drop: Callable[[Tensor], Tensor]) -> Any:
        """Drop elements of the parts of a state that the filter names."""
        if not self._drops("state"):
            return new
        return _filtered(new, self._filter, drop)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Drop before and after a step.

        Raises:
            InvalidArgumentError: the same elements shall be dropped at all steps; what these are is known along a whole
                sequence only.
        """
        if self._variational:
            raise InvalidArgumentError(
                "dropout_wrapper: with variational_recurrent=True all steps of a sequence drop the same elements; walk "
                "along it by dt.nn.dynamic_rnn rather than call the cell."
            )
        output, after = self._cell(self._dropped("input", inputs), state)
        after = self._state(after, lambda one: dropout(one, self._keep["state"], seed=self._seed_of("state", 0)))
        return self._dropped("output", output), after

    def along(self, x: Any, state: Any) -> tuple[Any, Any, Any]:
        """Drop all inputs, walk along them with the cell within, drop all outputs; states within the loop."""
        if self._variational:
            return self._along_alike(x, state)
        if self._drops("state"):
            return super().along(x, state)
        outputs, states, last = self._cell.along(self._dropped("input", x), state)
        return self._dropped("output", outputs), states, last

    def _along_alike(self, x: Any, state: Any) -> tuple[Any, Any, Any]:
        """Walk along the first axis with choices that all steps share."""
        inputs = nest.map_structure(lambda one: self._alike("input", one), x)
        if not self._drops("state"):
            outputs, states, last = self._cell.along(inputs, state)
        else:
            factors = nest.map_structure(lambda one: self._factor("state", dt.shape(one), one.dtype), state)
            walker = _Scaled(self._cell, lambda new: _filtered(new, self._filter, lambda one, by: one * by, factors))
            outputs, states, last = walker.along(inputs, state)
        return nest.map_structure(lambda one: self._alike("output", one), outputs), states, last

    def _alike(self, what: str, x: Tensor) -> Tensor:
        if not self._drops(what):
            return x
        return x * self._factor(what, [1, *(dt.shape(x)[axis] for axis in range(1, len(x.shape)))], x.dtype)

    def _factor(self, what: str, shape: Any, dtype: Any) -> Tensor:
        """Return what elements are multiplied by: 0, or one over the probability."""
        return dropout(dt.ones(shape, dtype), self._keep[what], seed=self._seed_of(what, 0))


@final
class _Scaled(_Wrapper):
    """A cell whose next state is changed by a function."""

    def __init__(self, cell: RNNCell, change: Callable[[Any], Any]) -> None:
        super().__init__(cell)
        self._change = change

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        output, after = self._cell(inputs, state)
        return output, self._change(after)


@final
class ResidualWrapper(_Wrapper):
    """A cell to whose outputs its inputs are added (Wu et al., 2016, arXiv:1609.08144).

    Args:
        cell: the cell within, with outputs of the shape of its inputs.
        residual_fn: takes inputs and outputs of a step and gives what is returned; by default their sum.

    Raises:
        ShapeError: the shapes of inputs and outputs differ.
        DTypeError: ``cell`` is no cell.

    Example:
        >>> cell = dt.nn.rnn_cell.ResidualWrapper(dt.nn.rnn_cell.GRUCell(3))
        >>> outputs, state = dt.nn.dynamic_rnn(cell, dt.zeros([2, 7, 3]), dtype=dt.float32)
        >>> outputs.shape
        Shape([2, 7, 3])
    """

    def __init__(self, cell: RNNCell, residual_fn: Callable[[Any, Any], Any] | None = None) -> None:
        """Keep the function."""
        super().__init__(cell)
        self._function = residual_fn

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Add the inputs of a step."""
        output, after = self._cell(inputs, state)
        return (self._function or self._sum)(inputs, output), after

    def along(self, x: Any, state: Any) -> tuple[Any, Any, Any]:
        """Add all inputs at once, unless a function has to see each step."""
        if self._function is not None:
            return super().along(x, state)
        outputs, states, last = self._cell.along(x, state)
        return self._sum(x, outputs), states, last

    def _sum(self, inputs: Any, outputs: Any) -> Any:
        def add(one: Tensor, other: Tensor) -> Tensor:
            if not one.shape.is_compatible_with(other.shape):
                raise ShapeError(
                    f"residual_wrapper: inputs are {one.type}, outputs {other.type}; to be added they must have one "
                    "shape. Give the cell as many units as the inputs have, or a residual_fn."
                )
            return one + other

        return nest.map_structure(add, inputs, outputs)


@final
class DeviceWrapper(_Wrapper):
    """A cell that computes on a device.

    Args:
        cell: the cell within.
        device: the device, such as ``"/cpu:0"``.

    Raises:
        DTypeError: ``cell`` is no cell.

    Example:
        >>> cell = dt.nn.rnn_cell.DeviceWrapper(dt.nn.rnn_cell.GRUCell(4), "/cpu:0")
        >>> output, state = cell(dt.zeros([2, 3]), cell.zero_state(2, dt.float32))
        >>> output.op.device
        '/device:CPU:0'
    """

    def __init__(self, cell: RNNCell, device: Any) -> None:
        """Keep the device."""
        super().__init__(cell)
        self._device = device

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return that of the cell within, made on the device."""
        with dt.device(self._device):
            return super().zero_state(batch_size, dtype)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Make a step on the device."""
        with dt.device(self._device):
            return self._cell(inputs, state)

    def along(self, x: Any, state: Any) -> tuple[Any, Any, Any]:
        """Walk on the device."""
        with dt.device(self._device):
            return self._cell.along(x, state)


def _all_but_memory(part: Any) -> Any:
    """The default filter: what ``c`` of an ``LSTMStateTuple`` holds stays whole."""
    return LSTMStateTuple(False, True) if isinstance(part, LSTMStateTuple) else True


def _filtered(state: Any, chosen: Callable[[Any], Any], change: Callable[..., Tensor], *others: Any) -> Any:
    """Change the parts of a state that a filter chooses, which is asked about each structure, then about its parts."""
    verdict = chosen(state)
    if verdict is False:
        return state
    if not isinstance(state, (list, tuple)):
        return change(state, *others)
    parts = [
        _filtered(part, chosen, change, *(other[index] for other in others))
        if not isinstance(verdict, (list, tuple)) or verdict[index]
        else part
        for index, part in enumerate(state)
    ]
    return nest.pack(state, nest.flatten(parts))


def _as_cell(label: str, cell: Any) -> RNNCell:
    if not isinstance(cell, RNNCell):
        raise DTypeError(
            f"{label}: {cell!r} is a {type(cell).__name__}; give an instance of a subclass of dt.nn.rnn_cell.RNNCell, "
            "such as dt.nn.rnn_cell.GRUCell(16)."
        )
    return cell
