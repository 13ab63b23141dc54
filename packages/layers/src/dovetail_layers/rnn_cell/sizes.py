"""Sizes that cells ask for."""

from __future__ import annotations

import dovetail as dt
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import layer_name
from dovetail_layers.rnn_cell.base import RNNCell

__all__ = ["input_depth", "positive"]


def positive(cell: RNNCell, name: str, size: int) -> int:
    """Return a size.

    Raises:
        InvalidArgumentError: it is not positive.
    """
    if size < 1:
        raise InvalidArgumentError(f"{layer_name(type(cell))}: {name} is {size}; it must be positive.")
    return size


def input_depth(cell: RNNCell, shape: dt.Shape) -> int:
    """Return the size of the last axis of a cell's inputs.

    Raises:
        ShapeError: it is not known.
    """
    depth = None if shape.rank is None else shape[-1]
    if not isinstance(depth, int):
        raise ShapeError(
            f"{layer_name(type(cell))}: the inputs have shape {shape}, whose last dimension must be known to make the "
            "variables. Give the placeholder that size, or call set_shape on the input."
        )
    return depth
