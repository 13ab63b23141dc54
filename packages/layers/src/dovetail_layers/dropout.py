"""The dropout layer."""

from __future__ import annotations

from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Layer, Training, smart_cond
from dovetail_layers.regularization import check_rate, dropout

__all__ = ["Dropout"]


@final
class Dropout(Layer):
    """While training, sets elements to zero at random and scales the others; else does nothing.

    The scale, ``1 / (1 - rate)``, keeps the expected sum.

    Args:
        rate: the probability that an element is dropped, from 0 up to 1.
        noise_shape: shape of the random choices, which broadcast to the input; ``None`` in it is the input's size.
        seed: the operation's seed.

    Raises:
        InvalidArgumentError: the rate is out of range.

    Example:
        >>> dt.layers.dropout(dt.ones([8, 10]), rate=0.4, training=True).shape
        Shape([8, 10])
    """

    rate: float = 0.5
    noise_shape: Any = None
    seed: int | None = None

    def check(self) -> None:
        """Look at the rate."""
        check_rate("dropout", self.rate)

    def call(self, inputs: Tensor, training: Training = False) -> Tensor:
        """Drop, or pass on."""
        result: Tensor = smart_cond(
            training,
            lambda: dropout(inputs, rate=self.rate, noise_shape=self.noise_shape, seed=self.seed),
            lambda: dt.identity(inputs),
        )
        return result
