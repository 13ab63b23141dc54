"""``Recurrent``: what layers over the steps of sequences have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, LayerError, ShapeError
from dovetail.extend import InitializerLike, Layer, RegularizerLike, TensorType, Training, smart_cond
from dovetail_layers.regularization import dropout
from dovetail_layers.steps import as_lengths, gathered, time_and_batch_swapped, turned, within_lengths

__all__ = ["Recurrent"]


class Recurrent(Layer):
    """Weights, order of axes, initial states, sequences of several lengths, masks, states kept from run to run."""

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
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    stateful: bool = False
    go_backwards: bool = False

    input_rank = 3
    floating_inputs = True
    gates: ClassVar[int] = 1

    def check(self) -> None:
        """Look at units and probabilities."""
        if self.units < 1:
            raise InvalidArgumentError(f"{self._label()}: units is {self.units}; it must be positive.")
        for name in ("dropout", "recurrent_dropout"):
            rate = getattr(self, name)
            if not 0.0 <= rate < 1.0:
                raise InvalidArgumentError(
                    f"{self._label()}: {name} is {rate:g}; it must be at least 0 and less than 1."
                )

    def build(self, inputs: TensorType, *others: TensorType | None) -> None:
        """Make kernels and bias."""
        columns = self.gates * self.units
        self.kernel = self.weight(
            "kernel", [inputs.shape[-1], columns], self.kernel_initializer, regularizer=self.kernel_regularizer
        )
        self.recurrent_kernel = self.weight(
            "recurrent_kernel",
            [self.state_sizes[0], columns],
            self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
        )
        self.bias = self.weight("bias", [columns], self._first_bias(), regularizer=self.bias_regularizer)

    def _keep_states(self, inputs: TensorType) -> None:
        """Make the weights that hold the states of a stateful layer."""
        self.states: list[dt.Variable] = []
        if not self.stateful:
            return
        batch = inputs.dims[1 if self.time_major else 0]
        if not isinstance(batch, int):
            raise ShapeError(
                f"{self._label()}: the input is {inputs}, whose number of sequences is not known; stateful=True "
                "keeps a state for each, so give the placeholder that size."
            )
        self.states = [
            self.weight(f"state_{index}", [batch, size], dt.zeros_initializer(), trainable=False)
            for index, size in enumerate(self.state_sizes)
        ]

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """The size of each state."""
        return (self.units,)

    def _first_bias(self) -> InitializerLike:
        return self.bias_initializer

    @abstractmethod
    def recur(
        self, x: Tensor, states: Sequence[Tensor], factor: Tensor | None, reverse: bool
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return each state after every step, and each after the last.

        Args:
            x: of shape ``[time, batch, inputs]``.
            states: the initial ones.
            factor: what the hidden state is multiplied by where it enters products, if anything.
            reverse: whether the last step comes first.
        """

    def reset_states(self) -> dt.Operation:
        """Return the operation that sets the states of a stateful layer to zero.

        Raises:
            LayerError: the layer is not stateful, or was not called yet.
        """
        if not self.stateful or not self.built:
            raise LayerError(f"{self._label()}: reset_states() is for a layer with stateful=True that was called.")
        return dt.group(*(one.assign(dt.zeros_like(one)) for one in self.states))

    def walk(
        self,
        inputs: Tensor,
        initial: Sequence[Tensor | None],
        lengths: Tensor | None,
        mask: Tensor | None,
        training: Training,
    ) -> Any:
        """Return what the layer gives."""
        x = inputs if self.time_major else time_and_batch_swapped(inputs)
        kept: Sequence[Any] = self.states or [dt.zeros([x.shape[1], size], x.dtype) for size in self.state_sizes]
        states = [dt.convert_to_tensor(other if one is None else one) for one, other in zip(initial, kept, strict=True)]
        dims = x.shape.dims
        if self.dropout and training is not False:
            x *= self._factor(self.dropout, [1, dims[1], dims[2]], x, training)
        factor = None
        if self.recurrent_dropout and training is not False:
            factor = self._factor(self.recurrent_dropout, [dims[1], self.state_sizes[0]], x, training)
        if mask is not None:
            sequence, last = self._walk_masked(x, states, factor, self._as_mask(mask, lengths))
        elif lengths is not None:
            sequence, last = self._walk_within(x, states, factor, as_lengths(self._label(), lengths))
        else:
            every, last = self.recur(x, states, factor, self.backwards)
            sequence = every[0]
        if self.states:
            writes = [one.assign(after) for one, after in zip(self.states, last, strict=True)]
            with dt.control_dependencies(writes):
                sequence, *last = (dt.identity(one) for one in (sequence, *last))
        if not self.return_sequences:
            first = last[0]
        else:
            ordered = dt.reverse(sequence, [0]) if self.go_backwards else sequence
            first = ordered if self.time_major else time_and_batch_swapped(ordered)
        return (first, *last) if self.return_state else first

    @property
    def backwards(self) -> bool:
        """Whether the last step comes first."""
        return self.reverse or self.go_backwards

    def _factor(self, rate: float, shape: Sequence[Any], x: Tensor, training: Training) -> Tensor:
        """Return what elements are multiplied by at all steps: while training 0 or ``1 / (1 - rate)``."""
        ones = dt.ones(shape, x.dtype)
        result: Tensor = smart_cond(training, lambda: dropout(ones, rate=rate), lambda: dt.identity(ones))
        return result

    def _walk_within(
        self, x: Tensor, states: Sequence[Tensor], factor: Tensor | None, lengths: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Walk within the length of each sequence; a way back begins at its end."""

        def along(xs: list[Tensor]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
            every, last = self.recur(xs[0], states, factor, False)
            return every[:1], every, last

        steps = turned(x, lengths) if self.backwards else x
        (sequence,), last = within_lengths(along, [steps], states, lengths)
        return (turned(sequence, lengths) if self.backwards else sequence), last

    def _walk_masked(
        self, x: Tensor, states: Sequence[Tensor], factor: Tensor | None, mask: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Walk along the steps that a mask admits, moved together, and put what they give to their places."""
        order = dt.argsort(dt.cast(dt.logical_not(mask), dt.int32), axis=0)
        lengths = dt.reduce_sum(dt.cast(mask, dt.int32), 0)
        sequence, last = self._walk_within(gathered(x, order), states, factor, lengths)
        places = dt.maximum(dt.cumsum(dt.cast(mask, dt.int32), 0) - 1, 0)
        result = gathered(sequence, places)
        return dt.where(dt.expand_dims(mask, 2), result, dt.zeros_like(result)), last

    def _as_mask(self, mask: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the mask with the steps first."""
        if lengths is not None:
            raise InvalidArgumentError(f"{self._label()}: give either sequence_length or mask.")
        if not mask.dtype.is_bool:
            raise DTypeError(
                f"{self._label()}: mask is {mask.type}; give truth values, such as dt.sequence_mask makes."
            )
        if mask.shape.rank != 2:
            axes = "time and batch" if self.time_major else "batch and time"
            raise ShapeError(f"{self._label()}: mask is {mask.type}; its axes should be {axes}.")
        return mask if self.time_major else dt.transpose(mask)
