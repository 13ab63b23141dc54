"""``Regularizer``: a loss of a weight, as configuration."""

from __future__ import annotations

from dovetail.errors import InvalidArgumentError
from dovetail.graph.operation import Tensor
from dovetail.types.configured import Configured

__all__ = ["Regularizer"]


class Regularizer(Configured):
    """Base of losses that a layer adds for its weights; a subclass defines ``loss``.

    Annotated fields are the configuration. A plain function of a tensor serves as well, but a layer that has one
    cannot be made again from its configuration.

    Example:
        >>> class Squares(Regularizer):
        ...     scale: float = 0.01
        ...     def loss(self, weight):
        ...         return self.scale * dt.reduce_sum(weight * weight)
    """

    def __call__(self, weight: Tensor) -> Tensor:
        """Return the loss of a weight, a scalar."""
        return self.loss(weight)

    def loss(self, weight: Tensor) -> Tensor:
        """Return the loss of a weight, a scalar."""
        raise InvalidArgumentError(f"{type(self).__qualname__} does not define loss(weight).")
