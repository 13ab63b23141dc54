"""``BasicRNNCell`` and ``GRUCell``."""

from __future__ import annotations

from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Activation, InitializerLike, as_activation, as_initializer, simple_rnn
from dovetail_layers.bias import bias_add
from dovetail_layers.gru_steps import gru_reset_before
from dovetail_layers.rnn_cell.base import RNNCell
from dovetail_layers.rnn_cell.sizes import input_depth, positive

__all__ = ["BasicRNNCell", "GRUCell"]


@final
class BasicRNNCell(RNNCell):
    """The plain cell, ``activation([inputs, state] @ kernel + bias)`` (Elman, 1990).

    The variables are ``kernel``, of shape ``[depth + num_units, num_units]``, and ``bias``.

    Args:
        num_units: size of state and output.
        activation: a function, or the name of one in ``dt.nn``; the tangent by default.
        reuse: whether it takes variables that another cell of its scope has made.
        name: its scope; by default ``basic_rnn_cell``, made unique.
        dtype: element type of the variables; that of the inputs by default.

    Raises:
        InvalidArgumentError: the number of units is not positive.
        ShapeError: the depth of the inputs is not known.

    Example:
        >>> cell = dt.nn.rnn_cell.BasicRNNCell(4)
        >>> output, state = cell(dt.zeros([2, 3]), cell.zero_state(2, dt.float32))
        >>> output.shape
        Shape([2, 4])
    """

    def __init__(
        self,
        num_units: int,
        activation: Activation = None,
        reuse: bool | str | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        """Keep the configuration."""
        super().__init__(name=name, dtype=dtype, _reuse=reuse)
        self._units = positive(self, "num_units", num_units)
        self._activation = as_activation(activation or "tanh")

    @property
    def state_size(self) -> int:
        """The number of units."""
        return self._units

    @property
    def output_size(self) -> int:
        """The number of units."""
        return self._units

    def build(self, inputs_shape: dt.Shape) -> None:
        """Make kernel and bias."""
        depth = input_depth(self, inputs_shape)
        self._kernel = self.add_variable("kernel", [depth + self._units, self._units])
        self._bias = self.add_variable("bias", [self._units], initializer=dt.zeros_initializer())

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """A product, a sum, the activation."""
        output = self._activation(bias_add(dt.matmul(dt.concat([inputs, state], 1), self._kernel), self._bias))
        return output, output

    def along(self, x: Any, state: Any) -> tuple[Any, Any, Any]:
        """Walk along the first axis, by the operation for whole sequences where it has the activation."""
        known = {dt.tanh: "tanh", dt.relu: "relu"}
        if self._activation not in known:
            return super().along(x, state)
        with self.entered(x):
            depth = x.shape[-1]
            every, last = simple_rnn(
                x, state, self._kernel[:depth], self._kernel[depth:], self._bias, known[self._activation]
            )
        return every, every, last


@final
class GRUCell(RNNCell):
    """Gated recurrent units, the reset gate before the product (Cho et al., 2014, arXiv:1406.1078).

    With ``r, u`` the halves of ``sigmoid([inputs, state] @ gates/kernel + gates/bias)``, a step gives
    ``u * state + (1 - u) * activation([inputs, r * state] @ candidate/kernel + candidate/bias)``.

    Args:
        num_units: size of state and output.
        activation: a function, or the name of one in ``dt.nn``; the tangent by default.
        reuse: whether it takes variables that another cell of its scope has made.
        kernel_initializer: first values of the kernels; by default those of the variable scope, Glorot's uniform ones.
        bias_initializer: first values of the biases; by default ones for the gates, zeros for the candidate.
        name: its scope; by default ``gru_cell``, made unique.
        dtype: element type of the variables; that of the inputs by default.

    Raises:
        InvalidArgumentError: the number of units is not positive.
        ShapeError: the depth of the inputs is not known.

    Example:
        >>> cell = dt.nn.rnn_cell.GRUCell(4)
        >>> outputs, state = dt.nn.dynamic_rnn(cell, dt.zeros([2, 7, 3]), dtype=dt.float32)
        >>> [variable.op.name for variable in cell.variables]
        ['rnn/gru_cell/gates/kernel', 'rnn/gru_cell/gates/bias', 'rnn/gru_cell/candidate/kernel',
        'rnn/gru_cell/candidate/bias']
    """

    def __init__(
        self,
        num_units: int,
        activation: Activation = None,
        reuse: bool | str | None = None,
        kernel_initializer: InitializerLike = None,
        bias_initializer: InitializerLike = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        """Keep the configuration."""
        super().__init__(name=name, dtype=dtype, _reuse=reuse)
        self._units = positive(self, "num_units", num_units)
        self._activation = as_activation(activation or "tanh")
        self._kernel_initializer = as_initializer(kernel_initializer)
        self._bias_initializer = as_initializer(bias_initializer)

    @property
    def state_size(self) -> int:
        """The number of units."""
        return self._units

    @property
    def output_size(self) -> int:
        """The number of units."""
        return self._units

    def build(self, inputs_shape: dt.Shape) -> None:
        """Make two kernels and two biases."""
        depth, units = input_depth(self, inputs_shape), self._units
        first = self._bias_initializer or dt.ones_initializer()
        second = self._bias_initializer or dt.zeros_initializer()
        kernels = self._kernel_initializer
        self._gate_kernel = self.add_variable("gates/kernel", [depth + units, 2 * units], initializer=kernels)
        self._gate_bias = self.add_variable("gates/bias", [2 * units], initializer=first)
        self._candidate_kernel = self.add_variable("candidate/kernel", [depth + units, units], initializer=kernels)
        self._candidate_bias = self.add_variable("candidate/bias", [units], initializer=second)

    def call(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Two products."""
        both = bias_add(dt.matmul(dt.concat([inputs, state], 1), self._gate_kernel), self._gate_bias)
        reset, kept = dt.split(dt.sigmoid(both), 2, axis=1)
        sums = dt.matmul(dt.concat([inputs, reset * state], 1), self._candidate_kernel)
        candidate = self._activation(bias_add(sums, self._candidate_bias))
        output = kept * state + (1.0 - kept) * candidate
        return output, output

    def along(self, x: Any, state: Any) -> tuple[Any, Any, Any]:
        """Walk along the first axis, by the operation for whole sequences where the activation is the tangent."""
        if self._activation is not dt.tanh:
            return super().along(x, state)
        with self.entered(x):
            depth = x.shape[-1]
            reset, kept = dt.split(self._gate_kernel, 2, axis=1)
            kernel = dt.concat([kept, reset, self._candidate_kernel], 1)
            reset, kept = dt.split(self._gate_bias, 2)
            bias = dt.concat([kept, reset, self._candidate_bias], 0)
            every, last = gru_reset_before(x, state, kernel[:depth], kernel[depth:], bias)
        return every, every, last
