"""What lies around pixels: ``image_gradients``, ``sobel_edges``, ``crop_and_resize``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail_layers.convolutions import depthwise_conv2d
from dovetail_layers.image.checks import as_images, as_size

__all__ = ["crop_and_resize", "image_gradients", "sobel_edges"]

_SOBEL: Final = (
    ((-1.0, -2.0, -1.0), (0.0, 0.0, 0.0), (1.0, 2.0, 1.0)),
    ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0)),
)


def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """Return how much the pixel below differs, and the pixel to the right; 0 at the border.

    Args:
        image: of shape ``[batch, height, width, channels]``.

    Returns:
        Two tensors of the same shape.

    Raises:
        ShapeError: the rank is not 4.

    Example:
        >>> down, across = dt.image.image_gradients([[[[1.0], [3.0]]]])
        >>> dt.Session().run(across).tolist()
        [[[[2.0], [0.0]]]]
    """
    x = as_images("image_gradients", image, (4,))
    down = dt.pad(x[:, 1:] - x[:, :-1], [[0, 0], [0, 1], [0, 0], [0, 0]])
    across = dt.pad(x[:, :, 1:] - x[:, :, :-1], [[0, 0], [0, 0], [0, 1], [0, 0]])
    return down, across


def sobel_edges(image: Any) -> Tensor:
    """Return Sobel's edges, down and across, of images whose border is mirrored.

    Args:
        image: floating, of shape ``[batch, height, width, channels]``.

    Returns:
        A tensor of shape ``[batch, height, width, channels, 2]``.

    Raises:
        ShapeError: the rank is not 4.

    Example:
        >>> dt.image.sobel_edges(dt.zeros([1, 4, 5, 3])).shape
        Shape([1, 4, 5, 3, 2])
    """
    x = as_images("sobel_edges", image, (4,))
    kernel = dt.constant(np.moveaxis(np.array(_SOBEL), 0, -1)[:, :, None, :], x.dtype)
    padded = dt.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
    edges = depthwise_conv2d(padded, dt.tile(kernel, [1, 1, x.shape[-1], 1]), [1, 1, 1, 1], "VALID")
    return dt.reshape(edges, [*x.shape.dims, 2], name="sobel_edges")


def crop_and_resize(
    image: Any,
    boxes: Any,
    box_ind: Any = None,
    crop_size: Any = None,
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
    name: str | None = None,
    box_indices: Any = None,
) -> Tensor:
    """Return parts of images, all resized to one size.

    Args:
        image: numbers, of shape ``[batch, height, width, channels]``.
        boxes: float32 of shape ``[boxes, 4]``: top, left, bottom, right, where 0 is the first row or column and 1 the
            last. A box whose top is below its bottom is turned over.
        box_ind: int32 of shape ``[boxes]``: which image each box is of.
        crop_size: height and width of the result, known while the graph is built.
        method: ``"bilinear"`` or ``"nearest"``.
        extrapolation_value: what pixels outside of an image have.
        name: name of the scope.
        box_indices: another name of ``box_ind``.

    Returns:
        A tensor of float32 and shape ``[boxes, crop height, crop width, channels]``.

    Raises:
        ShapeError: the images or boxes have another shape.
        InvalidArgumentError: the method is another, or ``crop_size`` is not known.

    Example:
        >>> image = dt.reshape(dt.range(9.0), [1, 3, 3, 1])
        >>> dt.Session().run(dt.image.crop_and_resize(image, [[0.0, 0.0, 1.0, 1.0]], [0], [2, 2])).ravel()
        array([0., 2., 6., 8.], dtype=float32)
    """
    label = "crop_and_resize"
    x = dt.cast(as_images(label, image, (4,)), dt.float32)
    corners = dt.cast(boxes, dt.float32)
    indices = dt.cast(box_indices if box_ind is None else box_ind, dt.int32)
    if corners.shape.rank != 2 or corners.shape[1] != 4 or indices.shape.rank != 1:
        raise ShapeError(f"{label}: boxes are {corners.type} and indices {indices.type}; give [boxes, 4] and [boxes].")
    if method not in ("bilinear", "nearest"):
        raise InvalidArgumentError(f'{label}: method is {method!r}; give "bilinear" or "nearest".')
    if not isinstance(crop_size, Sequence) or len(crop_size) != 2:
        raise InvalidArgumentError(f"{label}: crop_size is {crop_size!r}; give height and width.")
    with dt.name_scope(name or label):
        counts = [as_size(label, "crop_size", one) for one in crop_size]
        places, inside = [], []
        for axis, count in enumerate(counts):
            last = dt.cast(dt.shape(x)[1 + axis] - 1, dt.float32)
            begin, end = corners[:, axis, None] * last, corners[:, axis + 2, None] * last
            if count == 1:
                place = 0.5 * (begin + end)
            else:
                steps = dt.cast(dt.range(count), dt.float32)
                place = begin + steps * ((end - begin) / (dt.cast(count, dt.float32) - 1.0))
            places.append(place)
            inside.append(dt.logical_and(place >= 0.0, place <= last))
        valid = dt.logical_and(inside[0][:, :, None], inside[1][:, None, :])[..., None]
        last_row, last_column = dt.shape(x)[1] - 1, dt.shape(x)[2] - 1

        def picked(rows: Tensor, columns: Tensor) -> Tensor:
            row = dt.clip_by_value(dt.cast(rows, dt.int32), 0, last_row)[:, :, None]
            column = dt.clip_by_value(dt.cast(columns, dt.int32), 0, last_column)[:, None, :]
            which = dt.stack([indices[:, None, None] + 0 * (row + column), row + 0 * column, column + 0 * row], -1)
            return dt.gather_nd(x, which)

        if method == "nearest":
            found = picked(dt.floor(places[0] + 0.5), dt.floor(places[1] + 0.5))
        else:
            above, left = dt.floor(places[0]), dt.floor(places[1])
            below, right = dt.ceil(places[0]), dt.ceil(places[1])
            down, across = (places[0] - above)[:, :, None, None], (places[1] - left)[:, None, :, None]
            upper = picked(above, left) + (picked(above, right) - picked(above, left)) * across
            lower = picked(below, left) + (picked(below, right) - picked(below, left)) * across
            found = upper + (lower - upper) * down
        return dt.select(valid, found, dt.constant(extrapolation_value, dt.float32))
