"""The layer that applies an activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from dovetail import Tensor
from dovetail.extend import Layer, as_activation

__all__ = ["Activation"]


@final
class Activation(Layer):
    """A function of tensors as a layer.

    Args:
        activation: a function, or the name of one in ``dt.nn``.

    Example:
        >>> dt.layers.activation(dt.zeros([8, 10]), "softmax").shape
        Shape([8, 10])
    """

    activation: str | Callable[[Tensor], Tensor]

    def check(self) -> None:
        """Look the function up."""
        as_activation(self.activation)

    def call(self, inputs: Tensor) -> Tensor:
        """Apply it."""
        return as_activation(self.activation)(inputs)
