"""The layer of learned places."""

from __future__ import annotations

from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import InitializerLike, Layer, RegularizerLike, TensorType

__all__ = ["PositionEmbedding"]


@final
class PositionEmbedding(Layer):
    """A learned vector for each place in a sequence (Gehring et al., 2017, arXiv:1705.03122).

    The weight is ``embeddings``, of shape ``[sequence_length, depth]``. Add what the layer gives to the inputs:
    ``x + dt.layers.position_embedding(x, 512)``.

    Args:
        sequence_length: the greatest number of steps.
        embeddings_initializer: first values; Glorot's uniform ones by default.
        embeddings_regularizer: gives a loss of the table.

    Raises:
        ShapeError: the input has less than two axes, its last dimension is not known, or it has more steps.
        InvalidArgumentError: the greatest number of steps is not positive.

    Example:
        >>> dt.layers.position_embedding(dt.zeros([8, 20, 32]), sequence_length=100).shape
        Shape([20, 32])
    """

    sequence_length: int
    embeddings_initializer: InitializerLike = None
    embeddings_regularizer: RegularizerLike = None

    least_rank = 2
    floating_inputs = True

    def check(self) -> None:
        """Look at the number."""
        if self.sequence_length < 1:
            raise InvalidArgumentError(
                f"position_embedding: sequence_length is {self.sequence_length}; it must be positive."
            )

    def build(self, inputs: TensorType) -> None:
        """Make the table."""
        self.embeddings = self.weight(
            "embeddings",
            [self.sequence_length, inputs.dims[-1]],
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
        )

    def call(self, inputs: Tensor) -> Tensor:
        """Return the first rows, as many as steps."""
        steps = inputs.shape[-2]
        if isinstance(steps, int) and steps > self.sequence_length:
            raise ShapeError(
                f"position_embedding: the input is {inputs.type}, of {steps} steps, and there are vectors for "
                f"{self.sequence_length}; give a greater sequence_length."
            )
        return dt.gather(self.embeddings, dt.range(steps))
