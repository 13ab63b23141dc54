"""Recurrent layers: ``LSTM``, ``GRU`` and ``SimpleRNN`` over the steps of sequences."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import InitializerLike, Layer, RegularizerLike, TensorType, gru, lstm, simple_rnn

__all__ = ["GRU", "LSTM", "SimpleRNN"]


class _Recurrent(Layer):
    """What recurrent layers have in common: weights, order of axes, initial states, sequences of several lengths."""

    units: int
    return_sequences: bool = False
    return_state: bool = False
    reverse: bool = False
    time_major: bool = False
    kernel_initializer: InitializerLike = None
    recurrent_initializer: InitializerLike = None
    bias_initializer: InitializerLike = dt.zeros_initializer()
    kernel_regularizer: RegularizerLike = None
    recurrent_regularizer: RegularizerLike = None
    bias_regularizer: RegularizerLike = None

    input_rank = 3
    floating_inputs = True
    gates: ClassVar[int] = 1

    def check(self) -> None:
        """Look at units."""
        if self.units < 1:
            raise InvalidArgumentError(f"{self._label()}: units is {self.units}; it must be positive.")

    def build(self, inputs: TensorType, *others: TensorType | None) -> None:
        """Make kernels and bias."""
        columns = self.gates * self.units
        self.kernel = self.weight(
            "kernel", [inputs.shape[-1], columns], self.kernel_initializer, regularizer=self.kernel_regularizer
        )
        self.recurrent_kernel = self.weight(
            "recurrent_kernel",
            [self.units, columns],
            self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
        )
        self.bias = self.weight("bias", [columns], self._first_bias(), regularizer=self.bias_regularizer)

    def _first_bias(self) -> InitializerLike:
        return self.bias_initializer

    @abstractmethod
    def recur(self, x: Tensor, states: Sequence[Tensor], reverse: bool) -> tuple[list[Tensor], list[Tensor]]:
        """Return each state after every step, and each after the last."""

    def _walk(self, inputs: Tensor, initial: Sequence[Tensor | None], lengths: Tensor | None) -> Any:
        """Return what the layer gives."""
        x = inputs if self.time_major else dt.transpose(inputs, [1, 0, 2])
        states = [dt.zeros([x.shape[1], self.units], x.dtype) if one is None else one for one in initial]
        if lengths is None:
            every, last = self.recur(x, states, self.reverse)
        else:
            every, last = self._walk_parts(x, states, self._as_lengths(lengths))
        sequence = every[0]
        if self.return_sequences:
            first = sequence if self.time_major else dt.transpose(sequence, [1, 0, 2])
        else:
            first = last[0]
        return (first, *last) if self.return_state else first

    def _walk_parts(self, x: Tensor, states: Sequence[Tensor], lengths: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Walk along all steps, and leave out those beyond the lengths: nothing before depends on them."""

        def turned(sequence: Tensor) -> Tensor:
            if not self.reverse:
                return sequence
            return dt.reverse_sequence(sequence, lengths, seq_axis=0, batch_axis=1)

        every, _ = self.recur(turned(x), states, False)
        rows = dt.stack([dt.cast(lengths, dt.int64), dt.range(dt.shape(x, out_type=dt.int64)[1])], axis=1)
        last = [
            dt.gather_nd(dt.concat([dt.expand_dims(first, 0), after], 0), rows)
            for first, after in zip(states, every, strict=True)
        ]
        steps = dt.expand_dims(dt.range(x.shape[0], dtype=lengths.dtype), 1)
        within = dt.expand_dims(dt.less(steps, lengths), 2)
        sequence = turned(every[0])
        return [dt.where(within, sequence, dt.zeros_like(sequence))], last

    def _as_lengths(self, lengths: Tensor) -> Tensor:
        if not lengths.dtype.is_integer:
            raise DTypeError(
                f"{self._label()}: sequence_length is {lengths.type}; give integers, by dt.cast if need be."
            )
        if lengths.shape.rank not in (1, None):
            raise ShapeError(f"{self._label()}: sequence_length is {lengths.type}; give one length for each sequence.")
        return lengths


@final
class LSTM(_Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997; Gers, Schmidhuber and Cummins, 2000).

    With ``i, f, g, o`` the quarters of ``x @ kernel + h @ recurrent_kernel + bias``, each step gives
    ``c = sigmoid(f) * c + sigmoid(i) * tanh(g)`` and ``h = sigmoid(o) * tanh(c)``.

    The weights are ``kernel``, of shape ``[inputs, 4 * units]``, ``recurrent_kernel``, of shape
    ``[units, 4 * units]``, and ``bias``, of shape ``[4 * units]``. Their columns are those of input gate, forget gate,
    candidate and output gate, in this order, which is that of Keras and PyTorch; TensorFlow 1's ``BasicLSTMCell`` has
    the candidate before the forget gate.

    It takes the inputs, and by name, if need be, ``initial_hidden`` and ``initial_cell``, of shape ``[batch, units]``,
    which are zero by default, and ``sequence_length``, integers of shape ``[batch]``: what stands beyond the length
    of a sequence has no effect, and there the output is zero.

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
        bias_regularizer: gives a loss of the bias.
        forget_bias: the first value of the forget gate's bias, unless ``bias_initializer`` is given (Jozefowicz et al.,
            2015).

    Raises:
        ShapeError: the input has another rank than 3, or its last dimension is not known, or a state does not fit.
        DTypeError: the input is not floating, or the lengths are no integers.

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

    gates = 4

    def _first_bias(self) -> InitializerLike:
        if self.bias_initializer is not None:
            return self.bias_initializer
        return dt.constant_initializer(np.repeat([0.0, self.forget_bias, 0.0, 0.0], self.units))

    def recur(self, x: Tensor, states: Sequence[Tensor], reverse: bool) -> tuple[list[Tensor], list[Tensor]]:
        """Return each state after every step, and each after the last."""
        first, entered = states
        weights = self.kernel, self.recurrent_kernel, self.bias
        hidden, last, cell, cells = lstm(x, first, entered, *weights, reverse=reverse)
        return [hidden, cells], [last, cell]

    def call(
        self,
        inputs: Tensor,
        initial_hidden: Tensor | None = None,
        initial_cell: Tensor | None = None,
        sequence_length: Tensor | None = None,
    ) -> Any:
        """Walk along the steps."""
        return self._walk(inputs, [initial_hidden, initial_cell], sequence_length)


@final
class GRU(_Recurrent):
    """Gated recurrent units (Cho et al., 2014), with the reset gate after the product, as cuDNN and Keras have it.

    With ``z, r, n`` the thirds of ``x @ kernel + bias`` and ``z', r', n'`` those of
    ``h @ recurrent_kernel + recurrent_bias``, each step gives
    ``h = sigmoid(z + z') * h + (1 - sigmoid(z + z')) * tanh(n + sigmoid(r + r') * n')``.

    The weights are ``kernel``, of shape ``[inputs, 3 * units]``, ``recurrent_kernel``, of shape
    ``[units, 3 * units]``, ``bias`` and ``recurrent_bias``, of shape ``[3 * units]``, which are the two rows of Keras's
    bias. Their columns are those of update gate, reset gate and candidate, in this order, which is that of Keras;
    PyTorch has the reset gate first.

    It takes the inputs, and by name, if need be, ``initial_hidden``, of shape ``[batch, units]``, which is zero by
    default, and ``sequence_length``, integers of shape ``[batch]``: what stands beyond the length of a sequence has no
    effect, and there the output is zero.

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

    Raises:
        ShapeError: the input has another rank than 3, or its last dimension is not known, or the state does not fit.
        DTypeError: the input is not floating, or the lengths are no integers.

    Example:
        >>> dt.layers.gru(dt.zeros([8, 20, 3]), 16, return_sequences=True).shape
        Shape([8, 20, 16])
    """

    gates = 3

    def build(self, inputs: TensorType, *others: TensorType | None) -> None:
        """Make kernels and biases."""
        super().build(inputs)
        self.recurrent_bias = self.weight(
            "recurrent_bias", [3 * self.units], self.bias_initializer, regularizer=self.bias_regularizer
        )

    def recur(self, x: Tensor, states: Sequence[Tensor], reverse: bool) -> tuple[list[Tensor], list[Tensor]]:
        """Return the state after every step, and after the last."""
        weights = self.kernel, self.recurrent_kernel, self.bias, self.recurrent_bias
        hidden, last = gru(x, states[0], *weights, reverse=reverse)
        return [hidden], [last]

    def call(self, inputs: Tensor, initial_hidden: Tensor | None = None, sequence_length: Tensor | None = None) -> Any:
        """Walk along the steps."""
        return self._walk(inputs, [initial_hidden], sequence_length)


@final
class SimpleRNN(_Recurrent):
    """A recurrent network whose hidden state is one dense layer of it and the input (Elman, 1990).

    Each step gives ``h = activation(x @ kernel + h @ recurrent_kernel + bias)``. The weights are ``kernel``, of shape
    ``[inputs, units]``, ``recurrent_kernel``, of shape ``[units, units]``, and ``bias``, of shape ``[units]``.

    It takes the inputs, and by name, if need be, ``initial_hidden``, of shape ``[batch, units]``, which is zero by
    default, and ``sequence_length``, integers of shape ``[batch]``: what stands beyond the length of a sequence has no
    effect, and there the output is zero.

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
        bias_regularizer: gives a loss of the bias.
        activation: ``"tanh"`` or ``"relu"``.

    Raises:
        ShapeError: the input has another rank than 3, or its last dimension is not known, or the state does not fit.
        DTypeError: the input is not floating, or the lengths are no integers.

    Example:
        >>> dt.layers.simple_rnn(dt.zeros([8, 20, 3]), 16).shape
        Shape([8, 16])
    """

    activation: str = "tanh"

    def check(self) -> None:
        """Look at units and activation."""
        super().check()
        if self.activation not in ("tanh", "relu"):
            raise InvalidArgumentError(f"simple_rnn: activation is {self.activation!r}; use 'tanh' or 'relu'.")

    def recur(self, x: Tensor, states: Sequence[Tensor], reverse: bool) -> tuple[list[Tensor], list[Tensor]]:
        """Return the state after every step, and after the last."""
        weights = self.kernel, self.recurrent_kernel, self.bias
        hidden, last = simple_rnn(x, states[0], *weights, activation=self.activation, reverse=reverse)
        return [hidden], [last]

    def call(self, inputs: Tensor, initial_hidden: Tensor | None = None, sequence_length: Tensor | None = None) -> Any:
        """Walk along the steps."""
        return self._walk(inputs, [initial_hidden], sequence_length)
