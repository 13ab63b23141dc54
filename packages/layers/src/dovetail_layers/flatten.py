"""The layer that lays all axes but the first in a row."""

from __future__ import annotations

from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Layer

__all__ = ["Flatten"]


@final
class Flatten(Layer):
    """All axes but the first as one, in row-major order.

    Raises:
        ShapeError: the input is a scalar.

    Example:
        >>> dt.layers.flatten(dt.zeros([8, 7, 7, 6])).shape
        Shape([8, 294])
    """

    least_rank = 1

    def call(self, inputs: Tensor) -> Tensor:
        """Reshape."""
        if inputs.shape.rank is None:
            return dt.reshape(inputs, [dt.shape(inputs)[0], -1])
        return dt.reshape(inputs, [inputs.shape[0], inputs.shape[1:].size])
