"""A layer whose import takes a second and a half."""

import time

from dovetail import Tensor
from dovetail.extend import Layer

time.sleep(1.5)


class Slow(Layer):
    """Hands on its input."""

    def call(self, x: Tensor) -> Tensor:
        return x
