"""Two layers, one of them under a name that another distribution has."""

from dovetail.extend import Layer, Tensor


class Swish(Layer):
    """Not the swish one means."""

    def call(self, x: Tensor, *, training: bool | Tensor = False) -> Tensor:
        return -x


class Unswish(Layer):
    """Changes the sign."""

    def call(self, x: Tensor, *, training: bool | Tensor = False) -> Tensor:
        return -x
