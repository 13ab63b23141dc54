"""Perceptrons of several layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import dovetail as dt


def mlp(x: dt.Tensor, hidden: Sequence[int], classes: int) -> dt.Tensor:
    """Return the scores of dense layers with ReLU between them."""
    for units in hidden:
        x = dt.layers.dense(x, units, activation="relu")
    return dt.layers.dense(x, classes)


def multiply_adds(inputs: int, hidden: Sequence[int], classes: int) -> tuple[int, int]:
    """Return the multiply-adds for one example, of the whole and of its first layer."""
    sizes = [inputs, *hidden, classes]
    return sum(a * b for a, b in pairwise(sizes)), sizes[0] * sizes[1]
