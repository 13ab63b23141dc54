"""``BasicLSTMCell`` and ``LSTMCell``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Activation, InitializerLike, as_activation, as_initializer, lstm
from dovetail_layers.bias import bias_add
from dovetail_layers.lstm_steps import peephole_lstm
from dovetail_layers.rnn_cell.base import RNNCell
from dovetail_layers.rnn_cell.sizes import input_depth, positive

__all__ = ["BasicLSTMCell", "LSTMCell", "LSTMStateTuple"]


class LSTMStateTuple(NamedTuple):
    """The state of a cell with long short-term memory: its cell ``c``, and its hidden state ``h``, also its output."""

    c: Any
    h: Any

    @property
    def dtype(self) -> Any:
        """The element type of both."""
        return self.c.dtype


class _LSTM(RNNCell):
    """What both cells share: gates in TensorFlow's order, states as one or two tensors."""

    def __init__(
        self,
        num_units: int,
        forget_bias: float,
        state_is_tuple: bool,
        activation: Activation,
        reuse: bool | str | None,
        name: str | None,
        dtype: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, _reuse=reuse)
        self._units = positive(self, "num_units", num_units)
        self._forget_bias = float(forget_bias)
        self._state_is_tuple = state_is_tuple
        self._activation = as_activation(activation or "tanh")

    @property
    def _hidden(self) -> int:
        """The size of the hidden state."""
        return self._units

    @property
    def state_size(self) -> Any:
        """The sizes of cell and hidden state, or their sum."""
        sizes = LSTMStateTuple(self._units, self._hidden)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> int:
        """The size of the hidden state."""
        return self._hidden

    def _parts(self, state: Any) -> tuple[Tensor, Tensor]:
        """Return cell and hidden state."""
        if self._state_is_tuple:
            cell, hidden = state
            return cell, hidden
        return state[..., : self._units], state[..., self._units :]

    def _joined(self, cell: Tensor, hidden: Tensor) -> Any:
        return LSTMStateTuple(cell, hidden) if self._state_is_tuple else dt.concat([cell, hidden], -1)

    def _sums(self, inputs: Tensor, hidden: Tensor) -> list[Tensor]:
        """Return the sums of input gate, candidate, forget gate and output gate."""
        product = dt.matmul(dt.concat([inputs, hidden], 1), self._kernel)
        entering, candidate, kept, leaving = dt.split(bias_add(product, self._bias), 4, axis=1)
        return [entering, candidate, kept + self._forget_bias, leaving]

    def _build(self, inputs_shape: dt.Shape, initializer: Any = None) -> None:
        rows = input_depth(self, inputs_shape) + self._hidden
        self._kernel = self.add_variable("kernel", [rows, 4 * self._units], initializer=initializer)
        self._bias = self.add_variable("bias", [4 * self._units], initializer=dt.zeros_initializer())

    def _whole(self, x: Tensor, state: Any, *peepholes: Tensor) -> tuple[Any, Any, Any]:
        """Walk along the first axis by the operation for whole sequences, whose candidate follows the forget gate."""
        cell, hidden = self._parts(state)
        depth = x.shape[-1]
        entering, candidate, kept, leaving = dt.split(self._kernel, 4, axis=1)
        kernel = dt.concat([entering, kept, candidate, leaving], 1)
        entering, candidate, kept, leaving = dt.split(self._bias, 4)
        bias = dt.concat([entering, kept + self._forget_bias, candidate, leaving], 0)
        operation: Callable[..., tuple[Tensor, ...]] = peephole_lstm if peepholes else lstm
        every, hidden, cell, cells = operation(x, hidden, cell, kernel[:depth], kernel[depth:], bias, *peepholes)
        return every, self._joined(cells, every), self._joined(cell, hidden)


@final
class BasicLSTMCell(_LSTM):
    """Long short-term memory (Zaremba, Sutskever and Vinyals, 2014, arXiv:1409.2329).

    With ``i, j, f, o`` the quarters of ``[inputs, h] @ kernel + bias``, a step gives
    ``c = sigmoid(f + forget_bias) * c + sigmoid(i) * activation(j)`` and ``h = sigmoid(o) * activation(c)``.

    Args:
        num_units: size of the cell, and of the output.
        forget_bias: is added to the sums of the forget gate.
        state_is_tuple: whether the state is an ``LSTMStateTuple`` rather than one tensor, ``c`` beside ``h``.
        activation: a function, or the name of one in ``dt.nn``; the tangent by default.
        reuse: whether it takes variables that another cell of its scope has made.
        name: its scope; by default ``basic_lstm_cell``, made unique.
        dtype: element type of the variables; that of the inputs by default.

    Raises:
        InvalidArgumentError: the number of units is not positive.
        ShapeError: the depth of the inputs is not known.

    Example:
        >>> cell = dt.nn.rnn_cell.BasicLSTMCell(4)
        >>> outputs, state = dt.nn.dynamic_rnn(cell, dt.zeros([2, 7, 3]), dtype=dt.float32)
        >>> outputs.shape, state.h.shape
        (Shape([2, 7, 4]), Shape([2, 4]))
        >>> [variable.op.name for variable in cell.variables]
        ['rnn/basic_lstm_cell/kernel', 'rnn/basic_lstm_cell/bias']
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Activation = None,
        reuse: bool | str | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        """Keep the configuration."""
        super().__init__(num_units, forget_bias, state_is_tuple, activation, reuse, name, dtype)

    def build(self, inputs_shape: dt.Shape) -> None:
        """Make kernel and bias."""
        self._build(inputs_shape)

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        """One product, four gates."""
        cell, hidden = self._parts(state)
        entering, candidate, kept, leaving = self._sums(inputs, hidden)
        cell = dt.sigmoid(kept) * cell + dt.sigmoid(entering) * self._activation(candidate)
        hidden = dt.sigmoid(leaving) * self._activation(cell)
        return hidden, self._joined(cell, hidden)

    def along(self, x: Any, state: Any) -> tuple[Any, Any, Any]:
        """Walk along the first axis, by the operation for whole sequences where the activation is the tangent."""
        if self._activation is not dt.tanh:
            return super().along(x, state)
        with self.entered(x):
            return self._whole(x, state)


@final
class LSTMCell(_LSTM):
    """Long short-term memory with peepholes, clipping and a projection (Sak et al., 2014, arXiv:1402.1128).

    With ``i, j, f, o`` the quarters of ``[inputs, h] @ kernel + bias``, and ``w`` the peepholes, a step gives
    ``c = sigmoid(f + forget_bias + w_f * c) * c + sigmoid(i + w_i * c) * activation(j)``, clipped, and
    ``h = sigmoid(o + w_o * c) * activation(c)``, of the new ``c``; perhaps projected, ``h @ projection/kernel``, and
    clipped.

    Args:
        num_units: size of the cell.
        use_peepholes: whether the gates see the cell.
        cell_clip: a limit of the cell's absolute values.
        initializer: first values of kernels and peepholes; by default those of the variable scope.
        num_proj: size of the output and of ``h`` after the projection; none by default.
        proj_clip: a limit of the projection's absolute values.
        num_unit_shards: has no effect; here for TensorFlow 1 programs.
        num_proj_shards: has no effect; here for TensorFlow 1 programs.
        forget_bias: is added to the sums of the forget gate.
        state_is_tuple: whether the state is an ``LSTMStateTuple`` rather than one tensor, ``c`` beside ``h``.
        activation: a function, or the name of one in ``dt.nn``; the tangent by default.
        reuse: whether it takes variables that another cell of its scope has made.
        name: its scope; by default ``lstm_cell``, made unique.
        dtype: element type of the variables; that of the inputs by default.

    Raises:
        InvalidArgumentError: a size is not positive.
        ShapeError: the depth of the inputs is not known.

    Example:
        >>> cell = dt.nn.rnn_cell.LSTMCell(4, use_peepholes=True, num_proj=2)
        >>> outputs, state = dt.nn.dynamic_rnn(cell, dt.zeros([2, 7, 3]), dtype=dt.float32)
        >>> outputs.shape, state.c.shape
        (Shape([2, 7, 2]), Shape([2, 4]))
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: InitializerLike = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: Any = None,
        num_proj_shards: Any = None,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Activation = None,
        reuse: bool | str | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        """Keep the configuration."""
        super().__init__(num_units, forget_bias, state_is_tuple, activation, reuse, name, dtype)
        self._use_peepholes = use_peepholes
        self._cell_clip = cell_clip
        self._initializer = as_initializer(initializer)
        self._projected = None if num_proj is None else positive(self, "num_proj", num_proj)
        self._proj_clip = proj_clip

    @property
    def _hidden(self) -> int:
        return self._projected or self._units

    def build(self, inputs_shape: dt.Shape) -> None:
        """Make kernel and bias, and as the case may be peepholes and projection."""
        self._build(inputs_shape, self._initializer)
        if self._use_peepholes:
            self._peepholes = {
                gate: self.add_variable(f"w_{gate}_diag", [self._units], initializer=self._initializer)
                for gate in ("f", "i", "o")
            }
        if self._projected is not None:
            self._projection = self.add_variable(
                "projection/kernel", [self._units, self._projected], initializer=self._initializer
            )

    def _seen(self, gate: str, sums: Tensor, cell: Tensor) -> Tensor:
        """Return a gate, which perhaps sees the cell."""
        return dt.sigmoid(sums + self._peepholes[gate] * cell if self._use_peepholes else sums)

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        """One product, four gates, perhaps another product."""
        cell, hidden = self._parts(state)
        entering, candidate, kept, leaving = self._sums(inputs, hidden)
        kept = self._seen("f", kept, cell)
        cell = kept * cell + self._seen("i", entering, cell) * self._activation(candidate)
        cell = _clipped(cell, self._cell_clip)
        hidden = self._seen("o", leaving, cell) * self._activation(cell)
        if self._projected is not None:
            hidden = _clipped(dt.matmul(hidden, self._projection), self._proj_clip)
        return hidden, self._joined(cell, hidden)

    def along(self, x: Any, state: Any) -> tuple[Any, Any, Any]:
        """Walk along the first axis, by an operation for whole sequences where there is one."""
        if self._activation is not dt.tanh or self._cell_clip is not None or self._projected is not None:
            return super().along(x, state)
        with self.entered(x):
            peepholes = [dt.concat([self._peepholes[gate] for gate in "ifo"], 0)] if self._use_peepholes else []
            return self._whole(x, state, *peepholes)


def _clipped(x: Tensor, limit: float | None) -> Tensor:
    return x if limit is None else dt.clip_by_value(x, -limit, limit)
