"""The swish layer, by a third party."""

import dovetail as dt
from dovetail.extend import Layer, TensorType

__all__ = ["Swish"]


class Swish(Layer):
    """x * sigmoid(beta * x), where beta is learned (Ramachandran, Zoph and Le, 2017, arXiv:1710.05941).

    Args:
        beta: The first value of beta; 0 starts with x / 2, and large values come close to relu.
        per_channel: Whether each entry of the last axis has a beta of its own.
    """

    beta: float = 1.0
    per_channel: bool = False

    def build(self, x: TensorType) -> None:
        """Make beta: a scalar, or a vector as long as the last axis of ``x``."""
        shape = x.shape[-1:] if self.per_channel else ()
        self.slope = self.weight("beta", shape, dt.constant_initializer(self.beta))

    def call(self, x: dt.Tensor) -> dt.Tensor:
        """Apply it to each element of ``x``; shape and dtype stay."""
        return x * dt.sigmoid(self.slope * x)
