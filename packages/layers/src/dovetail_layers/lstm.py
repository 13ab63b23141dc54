"""The layer of long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Activation, InitializerLike, TensorType, Training, as_activation, lstm
from dovetail_layers.lstm_steps import lstm_steps, peephole_lstm
from dovetail_layers.recurrent import Recurrent

__all__ = ["LSTM"]


@final
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997; Gers, Schmidhuber and Cummins, 2000).

    With ``i, f, g, o`` the quarters of ``x @ kernel + h @ recurrent_kernel + bias``, each step gives
    ``c = sigmoid(f) * c + sigmoid(i) * tanh(g)`` and ``h = sigmoid(o) * tanh(c)``.

    The weights are ``kernel``, of shape ``[inputs, 4 * units]``, ``recurrent_kernel``, of shape
    ``[units, 4 * units]``, and ``bias``, of shape ``[4 * units]``. Their columns are those of input gate, forget gate,
    candidate and output gate, in this order, which is that of Keras and PyTorch; TensorFlow 1's ``BasicLSTMCell`` has
    the candidate before the forget gate. There may be ``peepholes``, of shape ``[3 * units]``, those of input gate,
    forget gate and output gate, and ``projection_kernel``, of shape ``[units, projection]``.

    It takes the inputs, and by name, if need be, ``initial_hidden`` and ``initial_cell``, of shape
    ``[batch, units]``, which are zero by default, and either ``sequence_length``, integers of shape ``[batch]``, or
    ``mask``, truth values of shape ``[batch, time]``: what stands beyond the length of a sequence, or where the mask is
    false, has no effect, and there the output is zero.

    Args:
        units: size of hidden state and cell.
        return_sequences: whether to return the hidden state of each step rather than that of the last one.
        return_state: whether to return the last hidden state and the last cell besides.
        reverse: whether to begin with the last step; what a step gives stands at its place all the same.
        time_major: whether sequences have the shape ``[time, batch, …]`` rather than ``[batch, time, …]``.
        kernel_initializer: first values of the kernel; Glorot's uniform ones by default.
        recurrent_initializer: first values of the recurrent kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the bias; by default zeros, and ``forget_bias`` for the forget gate.
        kernel_regularizer: gives a loss of the kernel.
        recurrent_regularizer: gives a loss of the recurrent kernel.
        bias_regularizer: gives a loss of bias.
        dropout: the probability that an input is dropped while training, the same ones at all steps of a sequence (Gal
            and Ghahramani, 2016).
        recurrent_dropout: likewise for elements of the hidden state where it enters the product.
        stateful: whether each run begins with the states that the run before ended with; ``reset_states()`` gives the
            operation that sets them to zero.
        go_backwards: whether to begin with the last step and, as Keras does, to return the sequence in that order.
        forget_bias: the first value of the forget gate's bias, unless ``bias_initializer`` is given (Jozefowicz et al.,
            2015).
        peephole: whether the gates see the cell (Gers and Schmidhuber, 2000).
        projection: size of the hidden state after a projection (Sak et al., 2014); none by default.
        activation: that of candidate and cell, a function or the name of one in ``dt.nn``.
        recurrent_activation: that of the gates.

    Raises:
        ShapeError: the input has another rank than 3, or its last dimension is not known, a state or mask does not fit,
            or the number of sequences is not known where states are kept.
        DTypeError: the input is not floating, the lengths are no integers, or the mask holds no truth values.
        InvalidArgumentError: a size or a probability is out of range, or both lengths and a mask are given.

    Example:
        >>> steps = dt.zeros([8, 20, 3])
        >>> dt.layers.lstm(steps, 16).shape
        Shape([8, 16])
        >>> sequence, hidden, cell = dt.layers.lstm(steps, 16, return_sequences=True, return_state=True)
        >>> sequence.shape, cell.shape
        (Shape([8, 20, 16]), Shape([8, 16]))
        >>> dt.layers.lstm(steps, 16, initial_hidden=hidden, initial_cell=cell, sequence_length=[5] * 8).shape
        Shape([8, 16])
    """

    bias_initializer: InitializerLike = None
    forget_bias: float = 1.0
    peephole: bool = False
    projection: int | None = None
    activation: Activation = "tanh"
    recurrent_activation: Activation = "sigmoid"

    gates = 4

    def check(self) -> None:
        """Look at sizes and activations."""
        super().check()
        if self.projection is not None and self.projection < 1:
            raise InvalidArgumentError(f"lstm: projection is {self.projection}; it must be positive.")
        as_activation(self.activation)
        as_activation(self.recurrent_activation)

    def build(self, inputs: TensorType, *others: TensorType | None) -> None:
        """Make kernels and bias, and as the case may be peepholes and projection."""
        super().build(inputs)
        self.peepholes = self.projection_kernel = None
        if self.peephole:
            self.peepholes = self.weight(
                "peepholes", [3 * self.units], self.recurrent_initializer, regularizer=self.recurrent_regularizer
            )
        if self.projection is not None:
            self.projection_kernel = self.weight(
                "projection_kernel",
                [self.units, self.projection],
                self.recurrent_initializer,
                regularizer=self.recurrent_regularizer,
            )
        self._keep_states(inputs)

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The sizes of hidden state and cell."""
        return self.projection or self.units, self.units

    def _first_bias(self) -> InitializerLike:
        if self.bias_initializer is not None:
            return self.bias_initializer
        return dt.constant_initializer(np.repeat([0.0, self.forget_bias, 0.0, 0.0], self.units))

    def recur(
        self, x: Tensor, states: Sequence[Tensor], factor: Tensor | None, reverse: bool
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return each state after every step, and each after the last."""
        weights = self.kernel, self.recurrent_kernel, self.bias
        functions = as_activation(self.activation), as_activation(self.recurrent_activation)
        first, entered = states
        plain = functions == (dt.tanh, dt.sigmoid) and self.projection_kernel is None and factor is None
        if plain and self.peepholes is None:
            hidden, last, cell, cells = lstm(x, first, entered, *weights, reverse=reverse)
        elif plain:
            hidden, last, cell, cells = peephole_lstm(x, first, entered, *weights, self.peepholes, reverse=reverse)
        else:
            hidden, last, cell, cells = lstm_steps(
                x, first, entered, *weights, self.peepholes, self.projection_kernel, factor, *functions, reverse
            )
        return [hidden, cells], [last, cell]

    def call(
        self,
        inputs: Tensor,
        initial_hidden: Tensor | None = None,
        initial_cell: Tensor | None = None,
        sequence_length: Tensor | None = None,
        mask: Tensor | None = None,
        training: Training = False,
    ) -> Any:
        """Walk along the steps."""
        return self.walk(inputs, [initial_hidden, initial_cell], sequence_length, mask, training)
