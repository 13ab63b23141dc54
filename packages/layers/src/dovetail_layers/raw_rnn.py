"""``raw_rnn``: a cell walked along by a function that decides on each step what comes next, and when to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import nest, while_history
from dovetail_layers.rnn_cell import RNNCell

__all__ = ["raw_rnn"]


def raw_rnn(
    cell: RNNCell,
    loop_fn: Callable[..., Any],
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    scope: Any = None,
) -> tuple[Any, Any, Any]:
    """Walk with a cell, with inputs, states and outputs that a function makes on each step, as decoders need.

    Args:
        cell: an instance of ``dt.nn.rnn_cell.RNNCell``.
        loop_fn: takes ``time`` (an int32 scalar), ``cell_output``, ``cell_state`` and ``loop_state``, which are
            ``None`` before the first step, but for ``time``, 0. It returns five values: whether each sequence is
            finished (truth values of shape ``[batch]``), the next input, the next state, what to emit, and the next
            loop state (anything of tensors and ``TensorArray``s, or ``None``). What it emits before the first step
            tells structure, shapes without the batch and dtypes of what it emits; ``None`` for those of the output.
        parallel_iterations: has no effect; here for TensorFlow 1 programs.
        swap_memory: has no effect; here for TensorFlow 1 programs.
        scope: the variable scope; ``rnn`` by default.

    Returns:
        What was emitted, as a ``TensorArray`` for each part with an element of shape ``[batch, …]`` for each step
        (``emitted.stack()`` has time first); the last state; the last loop state. Finished sequences emit zeros and
        keep their state. Gradients flow through all of them.

    Raises:
        DTypeError: ``cell`` is no cell, or ``finished`` holds no truth values.
        ShapeError: the size of the batch or a shape is not known.
        InvalidArgumentError: ``loop_fn`` returns other values, or another structure on a later step.

    Example:
        >>> cell = dt.nn.rnn_cell.GRUCell(4)
        >>> x = dt.TensorArray(dt.float32, size=5).unstack(dt.ones([5, 2, 3]))
        >>> def step(time, output, state, loop_state):
        ...     state = cell.zero_state(2, dt.float32) if output is None else state
        ...     finished = dt.fill([2], time >= 5)
        ...     following = x.read(dt.minimum(time, 4))
        ...     return finished, following, state, output, None
        >>> emitted, state, _ = dt.nn.raw_rnn(cell, step)
        >>> emitted.stack().shape[1:], state.shape
        (Shape([2, 4]), Shape([2, 4]))
    """
    if not isinstance(cell, RNNCell):
        raise DTypeError(
            f"raw_rnn: the cell is {cell!r}, a {type(cell).__name__}; give an instance of a subclass of "
            "dt.nn.rnn_cell.RNNCell, such as dt.nn.rnn_cell.GRUCell(16)."
        )
    with dt.variable_scope(scope or "rnn"):
        zero = dt.constant(0, dt.int32)
        finished, inputs, state, emitting, loop_state = _asked(loop_fn, zero, None, None, None)
        state = nest.map_structure(dt.convert_to_tensor, state)
        inputs = nest.map_structure(dt.convert_to_tensor, inputs)
        batch = nest.flatten(inputs)[0].shape[0]
        emits = _zeros(cell, emitting, batch, nest.flatten(state)[0].dtype)
        loop_vars = [zero, finished, inputs, state, emits, () if loop_state is None else loop_state]

        def going_on(_time: Tensor, finished: Tensor, *_others: Any) -> Tensor:
            return dt.logical_not(dt.reduce_all(finished))

        def step(time: Tensor, finished: Tensor, inputs: Any, state: Any, _emits: Any, given: Any) -> list[Any]:
            output, made = cell(inputs, state)
            after = _asked(loop_fn, time + 1, output, made, None if loop_state is None else given)
            stops, following, new_state, emit, new_loop_state = after
            emit = output if emit is None else emit
            for label, first, now in (("the next state", state, new_state), ("what to emit", emits, emit)):
                found = nest.difference(first, now)
                if found is not None:
                    raise InvalidArgumentError(
                        f"raw_rnn: the structures of {label} before the first step and after another {found}."
                    )
            kept = nest.map_structure(lambda old, new: _kept(finished, old, new), state, new_state)
            emitted = nest.map_structure(lambda old, new: _kept(finished, dt.zeros_like(old), new), emits, emit)
            held = () if loop_state is None else new_loop_state
            return [time + 1, dt.logical_or(finished, stops), following, kept, emitted, held]

        last, history = while_history(going_on, step, loop_vars, name="while")
        arrays = nest.map_structure(_emitted, history[4], last[4])
        return arrays, last[3], None if loop_state is None else last[5]


def _asked(loop_fn: Callable[..., Any], *arguments: Any) -> tuple[Tensor, Any, Any, Any, Any]:
    found = loop_fn(*arguments)
    if not isinstance(found, (tuple, list)) or len(found) != 5:
        raise InvalidArgumentError(
            f"raw_rnn: loop_fn returned {found!r}; return five values: finished, the next input, the next state, what "
            "to emit and the next loop state."
        )
    finished = dt.convert_to_tensor(found[0])
    if not finished.dtype.is_bool:
        raise DTypeError(f"raw_rnn: finished is {finished.type}; return a truth value for each sequence.")
    return finished, *found[1:]


def _zeros(cell: RNNCell, emitting: Any, batch: Any, dtype: Any) -> Any:
    """Return what is emitted before the first step, with the shapes and dtypes that all that is emitted has."""

    def zeros(shape: Any, kind: Any) -> Tensor:
        dims = dt.TensorShape(shape)
        if dims.rank is None or any(size is None for size in dims.as_list()):
            raise ShapeError(f"raw_rnn: what is emitted has shape {dims}; all of it must be known.")
        return dt.zeros([batch, *dims.dims], kind)

    if emitting is None:
        size = cell.output_size
        return nest.map_structure(lambda one: zeros([one] if isinstance(one, int) else one, dtype), size)
    return nest.map_structure(
        lambda one: zeros(dt.convert_to_tensor(one).shape, dt.convert_to_tensor(one).dtype), emitting
    )


def _kept(finished: Tensor, old: Any, new: Any) -> Tensor:
    """Return the old rows where sequences are finished, else the new ones; what has no batch is new."""
    value = dt.convert_to_tensor(new)
    return dt.where(finished, old, value) if value.shape.rank else value


def _emitted(history: Tensor, last: Tensor) -> dt.TensorArray:
    """Return as an array what steps emitted: each but the last stands at the beginning of the next."""
    steps = dt.concat([history, dt.expand_dims(last, 0)], 0)[1:]
    return dt.TensorArray(steps.dtype, flow=steps)
