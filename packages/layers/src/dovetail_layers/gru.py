"""The layer of gated recurrent units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Activation, TensorType, Training, as_activation, gru
from dovetail_layers.gru_steps import gru_reset_before, gru_steps
from dovetail_layers.recurrent import Recurrent

__all__ = ["GRU"]


@final
class GRU(Recurrent):
    """Gated recurrent units (Cho et al., 2014), with the reset gate after the product unless told otherwise.

    cuDNN, Keras and PyTorch have it there too, the paper before it. With ``z, r, n`` the thirds of
    ``x @ kernel + bias`` and ``z', r', n'`` those of ``h @ recurrent_kernel + recurrent_bias``, each step gives
    ``h = sigmoid(z + z') * h + (1 - sigmoid(z + z')) * tanh(n + sigmoid(r + r') * n')``. With the reset gate before the
    product, ``n'`` is the last third of ``(sigmoid(r + r') * h) @ recurrent_kernel``, and enters without a factor.

    The weights are ``kernel``, of shape ``[inputs, 3 * units]``, ``recurrent_kernel``, of shape
    ``[units, 3 * units]``, ``bias`` and, only with the reset gate after the product, ``recurrent_bias``, of shape
    ``[3 * units]``, which are the two rows of Keras's bias. Their columns are those of update gate, reset gate and
    candidate, in this order, which is that of Keras; PyTorch has the reset gate first.

    It takes the inputs, and by name, if need be, ``initial_hidden``, of shape ``[batch, units]``, which is
    zero by default, and either ``sequence_length``, integers of shape ``[batch]``, or ``mask``, truth values of shape
    ``[batch, time]``: what stands beyond the length of a sequence, or where the mask is false, has no effect, and there
    the output is zero.

    Args:
        units: size of the hidden state.
        return_sequences: whether to return the hidden state of each step rather than that of the last one.
        return_state: whether to return the last hidden state besides.
        reverse: whether to begin with the last step; what a step gives stands at its place all the same.
        time_major: whether sequences have the shape ``[time, batch, …]`` rather than ``[batch, time, …]``.
        kernel_initializer: first values of the kernel; Glorot's uniform ones by default.
        recurrent_initializer: first values of the recurrent kernel; Glorot's uniform ones by default.
        bias_initializer: first values of the biases; zeros by default.
        kernel_regularizer: gives a loss of the kernel.
        recurrent_regularizer: gives a loss of the recurrent kernel.
        bias_regularizer: gives a loss of each bias.
        dropout: the probability that an input is dropped while training, the same ones at all steps of a sequence (Gal
            and Ghahramani, 2016).
        recurrent_dropout: likewise for elements of the hidden state where it enters the product.
        stateful: whether each run begins with the states that the run before ended with; ``reset_states()`` gives the
            operation that sets them to zero.
        go_backwards: whether to begin with the last step and, as Keras does, to return the sequence in that order.
        reset_after: whether the reset gate stands after the product.
        activation: that of the candidate, a function or the name of one in ``dt.nn``.
        recurrent_activation: that of the gates.

    Raises:
        ShapeError: the input has another rank than 3, or its last dimension is not known, a state or mask does not fit,
            or the number of sequences is not known where states are kept.
        DTypeError: the input is not floating, the lengths are no integers, or the mask holds no truth values.
        InvalidArgumentError: a size or a probability is out of range, or both lengths and a mask are given.

    Example:
        >>> dt.layers.gru(dt.zeros([8, 20, 3]), 16, return_sequences=True).shape
        Shape([8, 20, 16])
    """

    reset_after: bool = True
    activation: Activation = "tanh"
    recurrent_activation: Activation = "sigmoid"

    gates = 3

    def check(self) -> None:
        """Look at units and activations."""
        super().check()
        as_activation(self.activation)
        as_activation(self.recurrent_activation)

    def build(self, inputs: TensorType, *others: TensorType | None) -> None:
        """Make kernels and biases."""
        super().build(inputs)
        self.recurrent_bias = None
        if self.reset_after:
            self.recurrent_bias = self.weight(
                "recurrent_bias", [3 * self.units], self.bias_initializer, regularizer=self.bias_regularizer
            )
        self._keep_states(inputs)

    def recur(
        self, x: Tensor, states: Sequence[Tensor], factor: Tensor | None, reverse: bool
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the state after every step, and after the last."""
        weights = self.kernel, self.recurrent_kernel, self.bias
        functions = as_activation(self.activation), as_activation(self.recurrent_activation)
        if functions != (dt.tanh, dt.sigmoid) or factor is not None:
            hidden, last = gru_steps(x, states[0], *weights, self.recurrent_bias, factor, *functions, reverse)
        elif self.recurrent_bias is None:
            hidden, last = gru_reset_before(x, states[0], *weights, reverse=reverse)
        else:
            hidden, last = gru(x, states[0], *weights, self.recurrent_bias, reverse=reverse)
        return [hidden], [last]

    def call(
        self,
        inputs: Tensor,
        initial_hidden: Tensor | None = None,
        sequence_length: Tensor | None = None,
        mask: Tensor | None = None,
        training: Training = False,
    ) -> Any:
        """Walk along the steps."""
        return self.walk(inputs, [initial_hidden], sequence_length, mask, training)
