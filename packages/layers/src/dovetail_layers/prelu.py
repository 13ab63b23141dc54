"""The rectifier whose slope below zero is learned."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import ShapeError
from dovetail.extend import InitializerLike, Layer, RegularizerLike, TensorType
from dovetail_layers.activations import prelu

__all__ = ["PReLU"]


@final
class PReLU(Layer):
    """``inputs`` where positive, else ``alpha * inputs``, where ``alpha`` is learned (He et al., 2015).

    The weight is ``alpha``, of the shape of one example, with size 1 along the axes that share it.

    Args:
        alpha_initializer: first values of ``alpha``; PyTorch begins with 0.25.
        alpha_regularizer: gives a loss of ``alpha``.
        alpha_constraint: gives the ``alpha`` to keep after an optimizer's update.
        shared_axes: axes, counted with the batch as 0, along which all inputs have one slope: for images ``(1, 2)``
            leaves one for each channel.

    Raises:
        ShapeError: there is no such axis, it is that of the batch, or a size is not known.

    Example:
        >>> dt.layers.prelu(dt.zeros([8, 28, 28, 6]), shared_axes=(1, 2)).shape
        Shape([8, 28, 28, 6])
    """

    alpha_initializer: InitializerLike = dt.zeros_initializer()
    alpha_regularizer: RegularizerLike = None
    alpha_constraint: Callable[[Tensor], Tensor] | None = None
    shared_axes: int | tuple[int, ...] | None = None

    least_rank = 1
    floating_inputs = True

    def build(self, inputs: TensorType) -> None:
        """Make the slopes."""
        rank = len(inputs.dims)
        given = self.shared_axes
        chosen = () if given is None else (given,) if isinstance(given, int) else given
        axes = [axis + rank if axis < 0 else axis for axis in chosen]
        if any(not 0 < axis < rank for axis in axes):
            raise ShapeError(
                f"prelu: shared_axes is {given}; the input is {inputs}, so axes from 1 to {rank - 1} can be shared."
            )
        self.alpha = self.weight(
            "alpha",
            [1 if axis in axes else inputs.dims[axis] for axis in range(1, rank)],
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        result: Tensor = prelu(inputs, self.alpha.value())
        return result
