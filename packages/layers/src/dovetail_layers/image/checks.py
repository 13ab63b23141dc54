"""What the functions of images demand of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import Dim, known_elements

__all__ = ["as_images", "as_pixels", "as_size", "check_channels", "check_range"]


def as_images(operation: str, images: Any, ranks: Iterable[int] = (3, 4)) -> Tensor:
    """Return one image ``[height, width, channels]``, or a batch of them, as a tensor.

    Raises:
        ShapeError: it has another rank.
    """
    x = dt.convert_to_tensor(images)
    if x.shape.rank not in tuple(ranks):
        raise ShapeError(
            f"{operation}: the image is {x.type}; [height, width, channels] is expected, or a batch of such. Use "
            f"dt.expand_dims or dt.reshape."
        )
    return x


def as_pixels(operation: str, images: Any) -> Tensor:
    """Return images of any number of leading axes, of which only pixels count.

    Raises:
        ShapeError: there are fewer than three axes.
        DTypeError: they are no numbers.
    """
    x = dt.convert_to_tensor(images)
    if x.shape.rank is None or x.shape.rank < 3:
        raise ShapeError(f"{operation}: the image is {x.type}; [..., height, width, channels] is expected.")
    if not x.dtype.is_numeric:
        raise DTypeError(f"{operation}: the image is {x.type}; give numbers.")
    return x


def check_channels(operation: str, x: Tensor, channels: int) -> None:
    """Make sure of the number of channels.

    Raises:
        ShapeError: it is another.
    """
    found = x.shape[-1] if x.shape.rank else None
    if found is None or (isinstance(found, int) and found != channels):
        plural = "channel is" if channels == 1 else "channels are"
        raise ShapeError(f"{operation}: the image is {x.type}; {channels} {plural} expected, on the last axis.")


def as_size(operation: str, name: str, value: Any) -> Dim:
    """Return a size or an offset, known while the graph is built.

    Raises:
        InvalidArgumentError: it is not known, or negative.
    """
    known = known_elements(value, f"{operation}: {name}")
    if known is None or known.size != 1:
        raise InvalidArgumentError(f"{operation}: {name} is {value!r}; give an int that the graph knows.")
    (size,) = known.reshape(-1).tolist()
    if isinstance(size, int) and size < 0:
        raise InvalidArgumentError(f"{operation}: {name} is {size}; give at least 0.")
    return size  # type: ignore[no-any-return] # an element of an array of dimensions


def check_range(operation: str, lower: float, upper: float) -> None:
    """Make sure of the ends of an interval to draw from.

    Raises:
        InvalidArgumentError: it is empty or begins below 0.
    """
    if upper <= lower:
        raise InvalidArgumentError(f"{operation}: upper is {upper} and lower {lower}; upper must be greater.")
    if lower < 0:
        raise InvalidArgumentError(f"{operation}: lower is {lower}; give at least 0.")
