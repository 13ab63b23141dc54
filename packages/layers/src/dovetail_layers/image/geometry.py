"""Where pixels lie: images flipped, turned, cut and padded."""

from __future__ import annotations

from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import Dim, dims
from dovetail_layers.image.checks import as_images, as_size
from dovetail_layers.resizing import ResizeMethod, resize_images

__all__ = [
    "central_crop",
    "crop_to_bounding_box",
    "flip_left_right",
    "flip_up_down",
    "pad_to_bounding_box",
    "random_flip_left_right",
    "random_flip_up_down",
    "resize_image_with_crop_or_pad",
    "resize_image_with_pad",
    "resize_with_crop_or_pad",
    "rot90",
    "transpose",
    "transpose_image",
]


def _axes(x: Tensor) -> tuple[int, int]:
    """Return the axes of height and width."""
    assert x.shape.rank is not None
    return x.shape.rank - 3, x.shape.rank - 2


def flip_left_right(image: Any) -> Tensor:
    """Return images mirrored from left to right.

    Args:
        image: of shape ``[height, width, channels]``, or a batch of such.

    Raises:
        ShapeError: the rank is another.

    Example:
        >>> dt.Session().run(dt.image.flip_left_right([[[1], [2]]])).tolist()
        [[[2], [1]]]
    """
    x = as_images("flip_left_right", image)
    return dt.reverse(x, [_axes(x)[1]], name="flip_left_right")


def flip_up_down(image: Any) -> Tensor:
    """Return images mirrored from top to bottom; see ``flip_left_right``.

    Raises:
        ShapeError: the rank is neither 3 nor 4.

    Example:
        >>> dt.Session().run(dt.image.flip_up_down([[[1]], [[2]]])).tolist()
        [[[2]], [[1]]]
    """
    x = as_images("flip_up_down", image)
    return dt.reverse(x, [_axes(x)[0]], name="flip_up_down")


def _randomly(x: Tensor, flipped: Tensor, seed: int | None, name: str) -> Tensor:
    """Choose for each image whether it is flipped."""
    batch: Any = dt.shape(x)[:1] if x.shape.rank == 4 else []
    drawn = dt.random_uniform(batch, seed=seed) < 0.5
    if x.shape.rank == 4:
        drawn = dt.reshape(drawn, [-1, 1, 1, 1])
    return dt.select(drawn, flipped, x, name=name)


def random_flip_left_right(image: Any, seed: int | None = None) -> Tensor:
    """Return images of which each is mirrored from left to right with probability one half, anew in every run.

    Args:
        image: of shape ``[height, width, channels]``, or a batch of such.
        seed: gives the operation a seed of its own; see ``dt.set_random_seed``.

    Raises:
        ShapeError: the rank is another.

    Example:
        >>> dt.image.random_flip_left_right(dt.zeros([8, 4, 4, 3])).shape
        Shape([8, 4, 4, 3])
    """
    x = as_images("random_flip_left_right", image)
    return _randomly(x, flip_left_right(x), seed, "random_flip_left_right")


def random_flip_up_down(image: Any, seed: int | None = None) -> Tensor:
    """Return images of which each is mirrored from top to bottom with probability one half, anew in every run.

    Args:
        image: of shape ``[height, width, channels]``, or a batch of such.
        seed: gives the operation a seed of its own; see ``dt.set_random_seed``.

    Raises:
        ShapeError: the rank is another.

    Example:
        >>> dt.image.random_flip_up_down(dt.zeros([8, 4, 4, 3])).shape
        Shape([8, 4, 4, 3])
    """
    x = as_images("random_flip_up_down", image)
    return _randomly(x, flip_up_down(x), seed, "random_flip_up_down")


def transpose(image: Any, name: str | None = None) -> Tensor:
    """Return images with rows and columns exchanged.

    Args:
        image: of shape ``[height, width, channels]``, or a batch of such.
        name: name of the node.

    Raises:
        ShapeError: the rank is another.

    Example:
        >>> dt.image.transpose(dt.zeros([4, 6, 3])).shape
        Shape([6, 4, 3])
    """
    x = as_images("transpose", image)
    return dt.transpose(x, [1, 0, 2] if x.shape.rank == 3 else [0, 2, 1, 3], name=name or "transpose")


transpose_image = transpose


def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """Return images turned against the clock.

    Args:
        image: of shape ``[height, width, channels]``, or a batch of such.
        k: by how many right angles; an int.
        name: name of the node.

    Raises:
        ShapeError: the rank is another.
        InvalidArgumentError: ``k`` is no int.

    Example:
        >>> dt.Session().run(dt.image.rot90([[[1], [2]]])).tolist()
        [[[2]], [[1]]]
    """
    x = as_images("rot90", image)
    if not isinstance(k, int) or isinstance(k, bool):
        raise InvalidArgumentError(f"rot90: k is {k!r}; give an int. For a tensor, use dt.case on four turned images.")
    height, width = _axes(x)
    turns = k % 4
    if turns == 0:
        return dt.identity(x, name=name or "rot90")
    if turns == 2:
        return dt.reverse(x, [height, width], name=name or "rot90")
    if turns == 1:
        return transpose(dt.reverse(x, [width]), name or "rot90")
    return dt.reverse(transpose(x), [width], name=name or "rot90")


def _at_least(operation: str, x: Tensor, rest: Dim, what: str) -> None:
    """Look at what is known; what a run tells, the nodes look at."""
    if isinstance(rest, int) and rest < 0:
        raise ShapeError(f"{operation}: the image is {x.type}; {what}.")


def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """Return a part of images.

    Args:
        image: of shape ``[height, width, channels]``, or a batch of such.
        offset_height: how many rows to leave out above.
        offset_width: how many columns to leave out to the left.
        target_height: how many rows to keep.
        target_width: how many columns to keep.

    Raises:
        ShapeError: the rank is another, or the part does not lie within the images.
        InvalidArgumentError: a number is negative, or not known while the graph is built.

    Example:
        >>> dt.image.crop_to_bounding_box(dt.zeros([5, 6, 3]), 1, 2, 3, 4).shape
        Shape([3, 4, 3])
    """
    label = "crop_to_bounding_box"
    x = as_images(label, image)
    top, left = as_size(label, "offset_height", offset_height), as_size(label, "offset_width", offset_width)
    rows, columns = as_size(label, "target_height", target_height), as_size(label, "target_width", target_width)
    height, width, _ = x.shape.dims[-3:]
    _at_least(label, x, height - top - rows, f"{rows} rows from {top} on do not lie within it")
    _at_least(label, x, width - left - columns, f"{columns} columns from {left} on do not lie within it")
    lead = len(x.shape.dims) - 3
    return dt.slice(x, [0] * lead + [top, left, 0], [-1] * lead + [rows, columns, -1], name=label)


def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """Return larger images, with zeros around.

    Args:
        image: of shape ``[height, width, channels]``, or a batch of such.
        offset_height: how many rows of zeros to put above.
        offset_width: how many columns of zeros to put to the left.
        target_height: how many rows there are to be.
        target_width: how many columns there are to be.

    Raises:
        ShapeError: the rank is another, or the images do not fit.
        InvalidArgumentError: a number is negative, or not known while the graph is built.

    Example:
        >>> dt.image.pad_to_bounding_box(dt.zeros([3, 4, 3]), 1, 2, 5, 6).shape
        Shape([5, 6, 3])
    """
    label = "pad_to_bounding_box"
    x = as_images(label, image)
    top, left = as_size(label, "offset_height", offset_height), as_size(label, "offset_width", offset_width)
    rows, columns = as_size(label, "target_height", target_height), as_size(label, "target_width", target_width)
    height, width, _ = x.shape.dims[-3:]
    below, right = rows - top - height, columns - left - width
    _at_least(label, x, below, f"from row {top} on it does not fit into {rows}")
    _at_least(label, x, right, f"from column {left} on it does not fit into {columns}")
    lead = [[0, 0]] * (len(x.shape.dims) - 3)
    return dt.pad(x, [*lead, [top, below], [left, right], [0, 0]], name=label)


def central_crop(image: Any, central_fraction: float) -> Tensor:
    """Return the middle of images.

    Args:
        image: of shape ``[height, width, channels]``, or a batch of such, of known height and width.
        central_fraction: how much of height and width to keep, in (0, 1].

    Raises:
        ShapeError: the rank is another.
        InvalidArgumentError: the fraction is outside, or height and width are not known.

    Example:
        >>> dt.image.central_crop(dt.zeros([8, 6, 3]), 0.5).shape
        Shape([4, 4, 3])
    """
    x = as_images("central_crop", image)
    if not 0.0 < central_fraction <= 1.0:
        raise InvalidArgumentError(f"central_crop: central_fraction is {central_fraction}; give one in (0, 1].")
    if central_fraction == 1.0:
        return x
    height, width, _ = x.shape.dims[-3:]
    if not isinstance(height, int) or not isinstance(width, int):
        raise InvalidArgumentError(
            f"central_crop: the image is {x.type}, of which height and width must be known. Use set_shape, or "
            f"crop_to_bounding_box."
        )
    top, left = (int((size - size * central_fraction) / 2) for size in (height, width))
    return crop_to_bounding_box(x, top, left, height - 2 * top, width - 2 * left)


def resize_image_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """Return the middle of images where they are too large, and put zeros around where they are too small.

    Args:
        image: of shape ``[height, width, channels]``, or a batch of such.
        target_height: how many rows there are to be.
        target_width: how many columns there are to be.

    Raises:
        ShapeError: the rank is another.
        InvalidArgumentError: a number is negative, or not known while the graph is built.

    Example:
        >>> dt.image.resize_image_with_crop_or_pad(dt.zeros([3, 9, 1]), 5, 5).shape
        Shape([5, 5, 1])
    """
    label = "resize_image_with_crop_or_pad"
    x = as_images(label, image)
    rows, columns = as_size(label, "target_height", target_height), as_size(label, "target_width", target_width)
    height, width, _ = x.shape.dims[-3:]
    kept = [dims.dim_min(rows, height), dims.dim_min(columns, width)]
    cut = [dims.dim_max((one - wanted) // 2, 0) for one, wanted in ((height, rows), (width, columns))]
    around = [dims.dim_max((wanted - one) // 2, 0) for one, wanted in ((height, rows), (width, columns))]
    middle = crop_to_bounding_box(x, cut[0], cut[1], kept[0], kept[1])
    return pad_to_bounding_box(middle, around[0], around[1], rows, columns)


resize_with_crop_or_pad = resize_image_with_crop_or_pad


def resize_image_with_pad(
    image: Any, target_height: Any, target_width: Any, method: int = ResizeMethod.BILINEAR, align_corners: bool = False
) -> Tensor:
    """Return images resized as far as they fit, without distortion, with zeros around.

    Args:
        image: of shape ``[height, width, channels]``, or a batch of such, of known height and width.
        target_height: how many rows there are to be.
        target_width: how many columns there are to be.
        method: one of ``ResizeMethod``.
        align_corners: whether the pixels in the corners keep their values; see ``resize_images``.

    Raises:
        ShapeError: the rank is another.
        InvalidArgumentError: a number is negative, or one of the sizes is not known while the graph is built.

    Example:
        >>> dt.image.resize_image_with_pad(dt.zeros([4, 8, 3]), 6, 6).shape
        Shape([6, 6, 3])
    """
    label = "resize_image_with_pad"
    x = as_images(label, image)
    rows, columns = as_size(label, "target_height", target_height), as_size(label, "target_width", target_width)
    height, width, _ = x.shape.dims[-3:]
    sizes = [one for one in (height, width, rows, columns) if isinstance(one, int) and one > 0]
    if len(sizes) < 4:
        raise InvalidArgumentError(
            f"{label}: from {x.type} to {rows} rows and {columns} columns; all must be known and at least 1."
        )
    high, wide, tall, broad = map(np.float32, sizes)  # rounded as TensorFlow rounds
    ratio = max(wide / broad, high / tall)
    new = [high / ratio, wide / ratio]
    around = [max(int((whole - part) / 2 // 1), 0) for whole, part in zip((tall, broad), new, strict=True)]
    resized = resize_images(x, [int(part) for part in new], method, align_corners)
    return pad_to_bounding_box(resized, around[0], around[1], rows, columns)
