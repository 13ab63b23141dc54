"""What functions of images share: layouts, arguments with a value for each spatial axis, windows as axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import DType, Window
from dovetail_layers.weighing import module_for, numbered, picked_windows

__all__ = [
    "channels_last",
    "is_channels_first",
    "lowest",
    "padded",
    "padding_pairs",
    "spatial_values",
    "windows_of_axis",
]

_LAYOUTS: Final = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}
_COUNTS: Final = {1: "one", 2: "two", 3: "three"}


def is_channels_first(operation: str, data_format: str | None, rank: int) -> bool:
    """Whether the channels are the second axis of images of ``rank`` spatial axes.

    Raises:
        InvalidArgumentError: the layout is not known.
    """
    last, first = _LAYOUTS[rank]
    if data_format in (None, last, "channels_last"):
        return False
    if data_format in (first, "channels_first"):
        return True
    raise InvalidArgumentError(f"{operation}: data_format is {data_format!r}; use {last!r} or {first!r}.")


def channels_last(apply: Callable[[Any, str | None], Tensor], images: Any, rank: int, first: bool, name: str) -> Tensor:
    """Apply a function of images, with channels last, and of a name to images of either layout."""
    if not first:
        return apply(images, name)
    axes = list(range(2, rank + 2))
    with dt.name_scope(name):
        result: Tensor = dt.transpose(
            apply(dt.transpose(images, [0, *axes, 1]), None), [0, rank + 1, *range(1, rank + 1)]
        )
        return result


def spatial_values(what: str, value: Any, rank: int, first: bool) -> tuple[int, ...]:
    """Return an argument for each spatial axis, given as one number, one for each of them, or one for each axis.

    Raises:
        ShapeError: there are as many as fit neither.
        InvalidArgumentError: along batch or channels it is not 1.
    """
    if value is None:
        value = 1
    values: list[int] = [int(value)] * rank if isinstance(value, int | np.integer) else list(value)
    if len(values) == 1:
        values *= rank
    if len(values) == rank + 2:
        others = (values[0], values[1 if first else -1])
        if others != (1, 1):
            raise InvalidArgumentError(f"{what} is {values}; along batch and channels it must be 1.")
        values = values[2:] if first else values[1:-1]
    if len(values) != rank:
        wanted = "" if rank == 1 else f", {_COUNTS[rank]} of them,"
        raise ShapeError(f"{what} is {value!r}; give an int{wanted} or one for each of the {rank + 2} axes.")
    return tuple(values)


def padding_pairs(operation: str, padding: Any, rank: int, first: bool) -> Any:
    """Return a padding as core takes it: a word, or a pair for each spatial axis.

    Raises:
        InvalidArgumentError: batch or channels are padded.
    """
    if padding is None:
        return "VALID"
    if isinstance(padding, str) or len(padding) != rank + 2:
        return padding
    pairs = [tuple(pair) for pair in padding]
    if pairs[0] != (0, 0) or pairs[1 if first else -1] != (0, 0):
        raise InvalidArgumentError(
            f"{operation}: padding is {pairs}; batch and channels are not padded, so give [0, 0] for them."
        )
    return pairs[2:] if first else pairs[1:-1]


def lowest(dtype: DType) -> float | int:
    """Return what is no greater than any number of a dtype."""
    return -np.inf if dtype.is_floating else int(dtype.min)


def padded(x: Tensor, window: Window, value: float) -> Tensor:
    """Return images, channels last, with as much of ``value`` around them as a window's padding says."""
    pairs = window.padding_for(x.shape.dims[1:-1])
    if all(pair == (0, 0) for pair in pairs):
        return x
    result: Tensor = dt.pad(x, [(0, 0), *pairs, (0, 0)], constant_values=value)
    return result


def windows_of_axis(x: Tensor, axis: int, window: Window, size: Any) -> Tensor:
    """Return padded images with a spatial axis replaced by two: positions of the window, and its elements.

    Args:
        x: the images.
        axis: which of their axes, counted from the batch.
        window: the window.
        size: of the axis before it was padded.
    """
    number = axis - 1
    count, length = window.positions_of(number, size), window.sizes[number]
    on = module_for(count, length)
    positions = numbered(on, count, dt.int32) * window.strides[number]
    picks = on.expand_dims(positions, 1) + numbered(on, length, dt.int32) * window.dilations[number]
    return picked_windows(x, axis, picks)
