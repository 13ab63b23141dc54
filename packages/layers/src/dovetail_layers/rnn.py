"""``dynamic_rnn`` and its like: cells walked along sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import nest
from dovetail_layers.rnn_cell import RNNCell
from dovetail_layers.steps import as_lengths, time_and_batch_swapped, turned, within_lengths

__all__ = ["bidirectional_dynamic_rnn", "dynamic_rnn", "static_bidirectional_rnn", "static_rnn"]


def dynamic_rnn(
    cell: RNNCell,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> tuple[Any, Any]:
    """Walk along sequences with a cell.

    Cells that core has an operation for (``BasicLSTMCell``, ``GRUCell``, …) take the products of inputs out of the
    loop; any other is a loop of its ``call``.

    Args:
        cell: an instance of ``dt.nn.rnn_cell.RNNCell``.
        inputs: of shape ``[batch, time, …]``, or a structure of such tensors.
        sequence_length: integers of shape ``[batch]``: what stands beyond the length of a sequence has no effect,
            and there the output is zero.
        initial_state: the first state, in the structure of ``cell.state_size``; zeros by default.
        dtype: element type of the zeros; that of the inputs by default.
        parallel_iterations: has no effect; here for TensorFlow 1 programs.
        swap_memory: has no effect; here for TensorFlow 1 programs.
        time_major: whether inputs and outputs have the shape ``[time, batch, …]`` rather than ``[batch, time, …]``.
        scope: the variable scope; ``rnn`` by default.

    Returns:
        The outputs, of shape ``[batch, time, …]``, and the state after the last step of each sequence.

    Raises:
        DTypeError: ``cell`` is no cell, the lengths are no integers, or a state has another dtype than the inputs.
        ShapeError: the inputs have less than three axes.
        InvalidArgumentError: the initial state has another structure than the cell's.

    Example:
        >>> words = dt.placeholder(dt.float32, [None, None, 16])
        >>> lengths = dt.placeholder(dt.int32, [None])
        >>> cell = dt.nn.rnn_cell.BasicLSTMCell(32)
        >>> outputs, state = dt.nn.dynamic_rnn(cell, words, lengths, dtype=dt.float32)
        >>> state.h.shape[-1], cell.variables[0].op.name
        (32, 'rnn/basic_lstm_cell/kernel')
    """
    return _walked("dynamic_rnn", cell, inputs, sequence_length, initial_state, dtype, time_major, scope or "rnn")


def _walked(
    operation: str,
    cell: Any,
    inputs: Any,
    sequence_length: Any,
    initial_state: Any,
    dtype: Any,
    time_major: bool,
    scope: Any,
    reverse: bool = False,
) -> tuple[Any, Any]:
    if not isinstance(cell, RNNCell):
        raise DTypeError(
            f"{operation}: the cell is {cell!r}, a {type(cell).__name__}; give an instance of a subclass of "
            "dt.nn.rnn_cell.RNNCell, such as dt.nn.rnn_cell.GRUCell(16)."
        )
    with dt.variable_scope(scope):
        tensors = nest.map_structure(dt.convert_to_tensor, inputs)
        for one in nest.flatten(tensors):
            if one.shape.rank is None or one.shape.rank < 2 + (one.dtype.is_floating):
                raise ShapeError(
                    f"{operation}: the inputs are {one.type}; their axes should be "
                    f"{'time, batch' if time_major else 'batch, time'} and one or more besides."
                )
        x = tensors if time_major else nest.map_structure(time_and_batch_swapped, tensors)
        first = nest.flatten(x)[0]
        state = initial_state
        if state is None:
            state = cell.zero_state(first.shape[1], dtype or first.dtype)
        found = nest.difference(cell.state_size, state)
        if found is not None:
            raise InvalidArgumentError(
                f"{operation}: the structures of the cell's state_size and of initial_state {found}."
            )
        state = nest.map_structure(dt.convert_to_tensor, state)
        lengths = None if sequence_length is None else as_lengths(operation, sequence_length)
        if reverse:
            x = nest.map_structure(lambda one: turned(one, lengths), x)
        outputs, last = _along(cell, x, state, lengths)
        if reverse:
            outputs = nest.map_structure(lambda one: turned(one, lengths), outputs)
        return outputs if time_major else nest.map_structure(time_and_batch_swapped, outputs), last


def _along(cell: RNNCell, x: Any, state: Any, lengths: Tensor | None) -> tuple[Any, Any]:
    """Walk along the first axis, within the lengths of sequences where these are given."""
    if lengths is None:
        outputs, _, last = cell.along(x, state)
        return outputs, last
    structure: list[Any] = []

    def walk(xs: list[Tensor]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        outputs, states, last = cell.along(nest.pack(x, xs), state)
        structure.append(outputs)
        return nest.flatten(outputs), nest.flatten(states), nest.flatten(last)

    flat, last = within_lengths(walk, nest.flatten(x), nest.flatten(state), lengths)
    return nest.pack(structure[0], flat), nest.pack(state, last)


def bidirectional_dynamic_rnn(
    cell_fw: RNNCell,
    cell_bw: RNNCell,
    inputs: Any,
    sequence_length: Any = None,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Walk along sequences with one cell, and with another from their ends (Schuster and Paliwal, 1997).

    Args:
        cell_fw: the cell that walks forwards.
        cell_bw: the cell that walks backwards; its outputs stand at the places of the inputs.
        inputs: as for ``dynamic_rnn``, and likewise the other arguments.
        sequence_length: integers of shape ``[batch]``; the way back begins at the end of each sequence.
        initial_state_fw: the first state of ``cell_fw``.
        initial_state_bw: the first state of ``cell_bw``.
        dtype: element type of initial states that are not given.
        parallel_iterations: has no effect; here for TensorFlow 1 programs.
        swap_memory: has no effect; here for TensorFlow 1 programs.
        time_major: whether inputs and outputs have the shape ``[time, batch, …]``.
        scope: the variable scope; ``bidirectional_rnn`` by default, and in it ``fw`` and ``bw``.

    Returns:
        A pair of the outputs of both, and a pair of their last states.

    Raises:
        DTypeError, ShapeError, InvalidArgumentError: as for ``dynamic_rnn``.

    Example:
        >>> cells = [dt.nn.rnn_cell.GRUCell(8) for _ in range(2)]
        >>> outputs, states = dt.nn.bidirectional_dynamic_rnn(*cells, dt.zeros([4, 10, 3]), dtype=dt.float32)
        >>> dt.concat(outputs, 2).shape
        Shape([4, 10, 16])
    """
    with dt.variable_scope(scope or "bidirectional_rnn"):
        forwards, backwards = (
            _walked(
                "bidirectional_dynamic_rnn", cell, inputs, sequence_length, state, dtype, time_major, label, reverse
            )
            for cell, state, label, reverse in (
                (cell_fw, initial_state_fw, "fw", False),
                (cell_bw, initial_state_bw, "bw", True),
            )
        )
    return (forwards[0], backwards[0]), (forwards[1], backwards[1])


def static_rnn(
    cell: RNNCell,
    inputs: Sequence[Any],
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """Walk along a list of inputs, one for each step, with a cell.

    Args:
        cell: an instance of ``dt.nn.rnn_cell.RNNCell``.
        inputs: a list of tensors of shape ``[batch, …]``, or of structures of them.
        initial_state: the first state; zeros by default.
        dtype: element type of the zeros; that of the inputs by default.
        sequence_length: integers of shape ``[batch]``, as for ``dynamic_rnn``.
        scope: the variable scope; ``rnn`` by default.

    Returns:
        A list of the outputs, and the state after the last step.

    Raises:
        InvalidArgumentError: the list is empty.
        DTypeError, ShapeError: as for ``dynamic_rnn``.

    Example:
        >>> cell = dt.nn.rnn_cell.GRUCell(8)
        >>> outputs, state = dt.nn.static_rnn(cell, [dt.zeros([4, 3])] * 5, dtype=dt.float32)
        >>> len(outputs), outputs[0].shape
        (5, Shape([4, 8]))
    """
    x = _stacked("static_rnn", inputs)
    outputs, state = _walked("static_rnn", cell, x, sequence_length, initial_state, dtype, True, scope or "rnn")
    return _unstacked(outputs, len(inputs)), state


def static_bidirectional_rnn(
    cell_fw: RNNCell,
    cell_bw: RNNCell,
    inputs: Sequence[Any],
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any, Any]:
    """Walk along a list of inputs with one cell, and with another from its end.

    Args:
        cell_fw: the cell that walks forwards.
        cell_bw: the cell that walks backwards.
        inputs: a list of tensors of shape ``[batch, …]``, one for each step.
        initial_state_fw: the first state of ``cell_fw``.
        initial_state_bw: the first state of ``cell_bw``.
        dtype: element type of initial states that are not given.
        sequence_length: integers of shape ``[batch]``, as for ``dynamic_rnn``.
        scope: the variable scope; ``bidirectional_rnn`` by default, and in it ``fw`` and ``bw``.

    Returns:
        A list with the outputs of both side by side, and the last state of each.

    Raises:
        DTypeError, ShapeError, InvalidArgumentError: as for ``static_rnn``.

    Example:
        >>> cells = [dt.nn.rnn_cell.GRUCell(8) for _ in range(2)]
        >>> outputs, forwards, backwards = dt.nn.static_bidirectional_rnn(*cells, [dt.zeros([4, 3])] * 5)
        >>> outputs[0].shape
        Shape([4, 16])
    """
    outputs, states = bidirectional_dynamic_rnn(
        cell_fw,
        cell_bw,
        _stacked("static_bidirectional_rnn", inputs),
        sequence_length,
        initial_state_fw,
        initial_state_bw,
        dtype,
        time_major=True,
        scope=scope,
    )
    beside = nest.map_structure(lambda one, other: dt.concat([one, other], -1), *outputs)
    return _unstacked(beside, len(inputs)), *states


def _stacked(operation: str, inputs: Any) -> Any:
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise InvalidArgumentError(
            f"{operation}: inputs is {inputs!r}; give a list with a tensor for each step, as dt.unstack(x, axis=1) "
            "makes; for one tensor there is dt.nn.dynamic_rnn."
        )
    return nest.map_structure(lambda *steps: dt.stack(list(steps)), *inputs)


def _unstacked(outputs: Any, steps: int) -> list[Any]:
    parts = [dt.unstack(one, steps) for one in nest.flatten(outputs)]
    return [nest.pack(outputs, [part[step] for part in parts]) for step in range(steps)]
