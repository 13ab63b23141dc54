"""A layer whose import takes a second and a half."""

import time

from dovetail.extend import Layer, Tensor

time.sleep(1.5)


class Slow(Layer):
    """Hands on its input."""

    def call(self, x: Tensor, *, training: bool | Tensor = False) -> Tensor:
        return x
