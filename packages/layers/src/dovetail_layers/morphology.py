"""Grey-scale dilation and erosion of images, with TensorFlow 1's arguments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import Window, as_padding, composite
from dovetail_layers.spatial import lowest, padded, padding_pairs, spatial_values, windows_of_axis

__all__ = ["dilation2d", "erosion2d"]


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Windows that overlap, are spread, or stand on the border; integers."""
    image, filter = rng.normal(size=(2, 5, 4, 2)), rng.normal(size=(2, 3, 2))
    yield image, filter, {"strides": (1, 1), "padding": "VALID", "rates": (1, 1)}
    yield image, filter, {"strides": (2, 1), "padding": "SAME", "rates": (1, 2)}
    integers = rng.integers(-9, 9, (1, 3, 3, 1), dtype=np.int32), rng.integers(-2, 3, (2, 2, 1), dtype=np.int32)
    yield *integers, {"strides": (1, 1), "padding": "VALID", "rates": (2, 1)}


@composite(name="Dilation2D", samples=_samples)
def _dilation2d(x: Tensor, filter: Tensor, *, strides: tuple[int, ...], padding: Any, rates: tuple[int, ...]) -> Tensor:
    """The greatest sum of an element of the window and one of the filter."""
    if len(x.shape) != 4 or len(filter.shape) != 3:
        raise ShapeError(
            f"dilation2d: the images are {x.type}, the filter is {filter.type}; [batch, height, width, channels] and "
            f"[height, width, channels] are expected."
        )
    if x.dtype is not filter.dtype or not x.dtype.is_numeric:
        raise DTypeError(f"dilation2d: the images are {x.type}, the filter is {filter.type}; give numbers of one type.")
    window = Window("dilation2d", filter.shape.dims[:2], strides, rates, padding)
    window.check(2)
    spatial = x.shape.dims[1:3]
    rows = windows_of_axis(padded(x, window, lowest(x.dtype)), 1, window, spatial[0])
    taps = dt.transpose(rows, [0, 1, 3, 2, 4])  # [batch, y, width, window height, channels]
    taps = windows_of_axis(taps, 2, window, spatial[1])  # [batch, y, x, window width, window height, channels]
    result: Tensor = dt.reduce_max(taps + dt.transpose(filter, [1, 0, 2]), [3, 4])
    return result


def dilation2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: Any = None,
    name: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """Return the grey-scale dilation of images: the greatest sum of a pixel of the window and the filter's element.

    Args:
        input: numbers, of shape ``[batch, height, width, channels]``.
        filter: of the same dtype, of shape ``[height, width, channels]``.
        strides: how far the window moves: an int, two of them, or one for each axis; 1 by default.
        rates: distance between elements of the window, as ``strides``.
        padding: ``"SAME"`` or ``"VALID"``; padding is never a maximum.
        name: name of the node.
        filters: another name of ``filter``.
        dilations: another name of ``rates``.

    Raises:
        ShapeError: shapes, strides or rates do not fit.
        DTypeError: the dtypes differ.
        InvalidArgumentError: the padding is not known.

    Example:
        >>> dt.nn.dilation2d(dt.zeros([8, 28, 28, 3]), dt.zeros([3, 3, 3]), 1, 1, "VALID").shape
        Shape([8, 26, 26, 3])
    """
    kernel = filters if filter is None else filter
    if kernel is None:
        raise InvalidArgumentError("dilation2d: give the filter, of shape [height, width, channels].")
    result: Tensor = _dilation2d(
        input,
        kernel,
        strides=spatial_values("dilation2d: strides", strides, 2, False),
        padding=as_padding("dilation2d", padding_pairs("dilation2d", padding, 2, False)),
        rates=spatial_values("dilation2d: rates", dilations if rates is None else rates, 2, False),
        name=name,
    )
    return result


def erosion2d(
    value: Any, kernel: Any, strides: Any = None, rates: Any = None, padding: Any = None, name: str | None = None
) -> Tensor:
    """Return the grey-scale erosion of images: the least difference of a pixel of the window and the kernel's element.

    It is ``-dilation2d(-value, reverse(kernel))``, so the kernel is mirrored.

    Args:
        value: numbers, of shape ``[batch, height, width, channels]``.
        kernel: of the same dtype, of shape ``[height, width, channels]``.
        strides: how far the window moves: an int, two of them, or one for each axis; 1 by default.
        rates: distance between elements of the window, as ``strides``.
        padding: ``"SAME"`` or ``"VALID"``; padding is never a minimum.
        name: name of the node.

    Raises:
        ShapeError: shapes, strides or rates do not fit.
        DTypeError: the dtypes differ.
        InvalidArgumentError: the padding is not known.

    Example:
        >>> dt.nn.erosion2d(dt.zeros([8, 28, 28, 3]), dt.zeros([3, 3, 3]), 1, 1, "SAME").shape
        Shape([8, 28, 28, 3])
    """
    with dt.name_scope(name or "erosion2d"):
        mirrored = dt.reverse(kernel, [0, 1])
        result: Tensor = dt.negative(dilation2d(dt.negative(value), mirrored, strides, rates, padding))
        return result
