"""The layer of a plain recurrent network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Activation, TensorType, Training, as_activation, make_scan, simple_rnn
from dovetail_layers.recurrent import Recurrent
from dovetail_layers.steps import projected

__all__ = ["SimpleRNN"]


@final
class SimpleRNN(Recurrent):
    """A recurrent network whose hidden state is one dense layer of it and the input (Elman, 1990).

    Each step gives ``h = activation(x @ kernel + h @ recurrent_kernel + bias)``. The weights are ``kernel``, of shape
    ``[inputs, units]``, ``recurrent_kernel``, of shape ``[units, units]``, and ``bias``, of shape ``[units]``.

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
        bias_initializer: first values of the bias; zeros by default.
        kernel_regularizer: gives a loss of the kernel.
        recurrent_regularizer: gives a loss of the recurrent kernel.
        bias_regularizer: gives a loss of bias.
        dropout: the probability that an input is dropped while training, the same ones at all steps of a sequence (Gal
            and Ghahramani, 2016).
        recurrent_dropout: likewise for elements of the hidden state where it enters the product.
        stateful: whether each run begins with the states that the run before ended with; ``reset_states()`` gives the
            operation that sets them to zero.
        go_backwards: whether to begin with the last step and, as Keras does, to return the sequence in that order.
        activation: a function, or the name of one in ``dt.nn``.

    Raises:
        ShapeError: the input has another rank than 3, or its last dimension is not known, a state or mask does not fit,
            or the number of sequences is not known where states are kept.
        DTypeError: the input is not floating, the lengths are no integers, or the mask holds no truth values.
        InvalidArgumentError: a size or a probability is out of range, or both lengths and a mask are given.

    Example:
        >>> dt.layers.simple_rnn(dt.zeros([8, 20, 3]), 16).shape
        Shape([8, 16])
    """

    activation: Activation = "tanh"

    def check(self) -> None:
        """Look at units and activation."""
        super().check()
        as_activation(self.activation)

    def build(self, inputs: TensorType, *others: TensorType | None) -> None:
        """Make kernels and bias."""
        super().build(inputs)
        self._keep_states(inputs)

    def recur(
        self, x: Tensor, states: Sequence[Tensor], factor: Tensor | None, reverse: bool
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the state after every step, and after the last."""
        activation = as_activation(self.activation)
        known: dict[Any, str] = {dt.tanh: "tanh", dt.relu: "relu"}
        name = known.get(activation)
        if name is not None and factor is None:
            weights = self.kernel, self.recurrent_kernel, self.bias
            hidden, last = simple_rnn(x, states[0], *weights, activation=name, reverse=reverse)
            return [hidden], [last]

        def step(
            index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
        ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
            recurrent, *factors = constants
            entering = carries[0] * factors[0] if factors else carries[0]
            after = activation(slices[0] + dt.matmul(entering, recurrent))
            return (after,), (after,)

        constants = [dt.convert_to_tensor(self.recurrent_kernel), *([] if factor is None else [factor])]
        ended, every = make_scan(
            step,
            states,
            [projected(x, self.kernel, self.bias)],
            constants,
            reverse=reverse,
            prefix="rnn",
            names=("hidden", "projected"),
        )
        return list(every), list(ended)

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
