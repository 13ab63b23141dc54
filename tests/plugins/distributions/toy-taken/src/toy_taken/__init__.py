"""Two layers, one of them under a name that another distribution has."""

from dovetail import Tensor
from dovetail.extend import Layer


class Swish(Layer):
    """Not the swish one means."""

    def call(self, x: Tensor) -> Tensor:
        return -x


class Unswish(Layer):
    """Changes the sign."""

    def call(self, x: Tensor) -> Tensor:
        return -x
