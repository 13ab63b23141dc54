"""Changes of pictures by chance, for ``Dataset.random_map``, and the same by rule; handed on as ``dt.data.image``.

Pictures are arrays of shape height, width, channels. What is random takes ``rng``, a ``numpy.random.Generator``, and
draws from it uniform numbers only, so that a seed gives the same pictures everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail_train.data.images import pillow

__all__ = [
    "augmentation",
    "center_crop",
    "normalize",
    "pad",
    "random_brightness",
    "random_contrast",
    "random_crop",
    "random_flip",
    "random_rotation",
    "resize",
    "rotate",
]

Generator = np.random.Generator


def _checked(image: Any, who: str) -> Any:
    array = np.asarray(image)
    if array.ndim != 3:
        raise ShapeError(f"{who}: a picture has shape {list(array.shape)}; it must be height, width, channels.")
    return array


def _pair(size: Any, who: str) -> tuple[int, int]:
    pair = (size, size) if isinstance(size, (int, np.integer)) else tuple(size)
    if len(pair) != 2 or any(one < 1 for one in pair):
        raise InvalidArgumentError(f"{who}: size is {size!r}; give height and width, or one number for both.")
    return int(pair[0]), int(pair[1])


def _uniform(rng: Generator, low: float, high: float) -> float:
    return low + (high - low) * float(rng.random())


def _below(rng: Generator, count: int) -> int:
    return min(int(rng.random() * count), count - 1)


def augmentation(*steps: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function for ``random_map`` that changes the picture of an element by one step after another.

    Args:
        steps: functions of a picture and ``rng``; give options by ``functools.partial``.

    Returns:
        A function of an element and ``rng``. The picture is the element itself, or the first part of a tuple; the rest
        stays.

    Example:
        >>> from functools import partial
        >>> change = dt.data.image.augmentation(
        ...     dt.data.image.random_flip, partial(dt.data.image.random_crop, size=8, padding=2)
        ... )
        >>> images, labels = np.zeros((10, 8, 8, 3), np.uint8), np.arange(10)
        >>> data = dt.data.from_arrays((images, labels)).random_map(change, seed=1, threads=2)
        >>> data.element_spec[0]
        TensorSpec(shape=[8, 8, 3], dtype=uint8)
    """

    def augment(image: Any, *rest: Any, rng: Generator) -> Any:
        for step in steps:
            image = step(image, rng=rng)
        return (image, *rest) if rest else image

    return augment


def random_flip(image: Any, rng: Generator, *, vertical: bool = False, probability: float = 0.5) -> Any:
    """Return the picture, or its mirror image.

    Args:
        image: the picture.
        rng: random numbers.
        vertical: whether top and bottom change places, rather than left and right.
        probability: of the mirror image.
    """
    array = _checked(image, "random_flip")
    if rng.random() >= probability:
        return array
    return np.ascontiguousarray(array[::-1] if vertical else array[:, ::-1])


def pad(image: Any, padding: int | Sequence[int], *, value: float = 0) -> Any:
    """Return the picture with a border of ``padding`` pixels, or of so many above and below, left and right."""
    array = _checked(image, "pad")
    pair = (padding, padding) if isinstance(padding, (int, np.integer)) else tuple(padding)
    if len(pair) != 2 or min(pair) < 0:
        raise InvalidArgumentError(f"pad: padding is {padding!r}; give pixels, or two numbers of them.")
    return np.pad(array, [(pair[0], pair[0]), (pair[1], pair[1]), (0, 0)], constant_values=value)


def _cut(array: Any, top: int, left: int, height: int, width: int) -> Any:
    return np.ascontiguousarray(array[top : top + height, left : left + width])


def _room(array: Any, height: int, width: int, who: str) -> tuple[int, int]:
    down, right = array.shape[0] - height, array.shape[1] - width
    if down < 0 or right < 0:
        raise ShapeError(
            f"{who}: a picture of {array.shape[0]} by {array.shape[1]} holds no part of {height} by {width}; pad or "
            "resize it first."
        )
    return down, right


def random_crop(image: Any, rng: Generator, *, size: int | Sequence[int], padding: int = 0) -> Any:
    """Return a part of the picture at a random place.

    Args:
        image: the picture.
        rng: random numbers.
        size: height and width of the part, or one number for both.
        padding: width of a border of zeros that is added first.

    Raises:
        ShapeError: the picture is smaller.
    """
    array = pad(image, padding) if padding else _checked(image, "random_crop")
    height, width = _pair(size, "random_crop")
    down, right = _room(array, height, width, "random_crop")
    return _cut(array, _below(rng, down + 1), _below(rng, right + 1), height, width)


def center_crop(image: Any, size: int | Sequence[int]) -> Any:
    """Return the middle of the picture, of this height and width.

    Raises:
        ShapeError: the picture is smaller.
    """
    array = _checked(image, "center_crop")
    height, width = _pair(size, "center_crop")
    down, right = _room(array, height, width, "center_crop")
    return _cut(array, down // 2, right // 2, height, width)


def _planes(array: Any, change: Callable[[Any], Any]) -> Any:
    """Apply a function of Pillow's pictures to each channel, in float32, and return the array's dtype."""
    library = pillow()
    made = [
        np.asarray(change(library.fromarray(np.ascontiguousarray(array[..., at], np.float32))))
        for at in range(array.shape[2])
    ]
    return _as(np.stack(made, axis=-1), array.dtype)


def _as(values: Any, dtype: Any) -> Any:
    """Return floating numbers in a dtype, rounded and cut off where it holds integers."""
    if dtype.kind not in "iu":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def resize(image: Any, size: int | Sequence[int]) -> Any:
    """Return the picture scaled to a height and a width, bilinearly; its dtype stays.

    Raises:
        PluginError: Pillow is not installed.

    Example:
        >>> dt.data.image.resize(np.full((8, 6, 3), 7, np.uint8), (4, 3)).shape
        (4, 3, 3)
    """
    array = _checked(image, "resize")
    height, width = _pair(size, "resize")
    if array.shape[:2] == (height, width):
        return array
    library = pillow()
    return _planes(array, lambda plane: plane.resize((width, height), library.Resampling.BILINEAR))


def rotate(image: Any, degrees: float, *, value: float = 0.0) -> Any:
    """Return the picture turned about its middle, counterclockwise, bilinearly; its shape and dtype stay.

    Args:
        image: the picture.
        degrees: the angle.
        value: what fills the corners.

    Raises:
        PluginError: Pillow is not installed.

    Example:
        >>> image = np.arange(9, dtype=np.uint8).reshape(3, 3, 1)
        >>> dt.data.image.rotate(image, 90)[..., 0].tolist()
        [[2, 5, 8], [1, 4, 7], [0, 3, 6]]
    """
    array = _checked(image, "rotate")
    library = pillow()
    return _planes(array, lambda plane: plane.rotate(degrees, library.Resampling.BILINEAR, fillcolor=value))


def random_rotation(image: Any, rng: Generator, *, degrees: float = 15.0, value: float = 0.0) -> Any:
    """Return the picture turned by a random angle of at most ``degrees`` to either side; corners become ``value``."""
    return rotate(image, _uniform(rng, -degrees, degrees), value=value)


def random_brightness(image: Any, rng: Generator, *, delta: float = 0.2) -> Any:
    """Return the picture made brighter or darker by at most ``delta`` of the full scale.

    The scale is that of the integer dtype, and 1 for floating numbers. Integers are cut off at its ends.
    """
    array = _checked(image, "random_brightness")
    scale = float(np.iinfo(array.dtype).max) if array.dtype.kind in "iu" else 1.0
    return _as(array.astype(np.float32) + np.float32(_uniform(rng, -delta, delta) * scale), array.dtype)


def random_contrast(image: Any, rng: Generator, *, lower: float = 0.8, upper: float = 1.2) -> Any:
    """Return the picture with the distance of each pixel from its channel's mean times a random factor.

    Args:
        image: the picture; integers are cut off at the ends of their dtype.
        rng: random numbers.
        lower: the least factor.
        upper: the greatest.
    """
    array = _checked(image, "random_contrast")
    values = array.astype(np.float32)
    mean = values.mean(axis=(0, 1), keepdims=True)
    return _as((values - mean) * np.float32(_uniform(rng, lower, upper)) + mean, array.dtype)


def normalize(
    image: Any, mean: float | Sequence[float] = 0.0, std: float | Sequence[float] = 1.0, *, scale: float | None = None
) -> Any:
    """Return the picture as float32: divided by ``scale``, less the mean, divided by the standard deviation.

    Args:
        image: the picture, of any shape that ends with channels.
        mean: of all channels, or of each.
        std: likewise.
        scale: what is 1 afterwards; 255 for uint8 and 1 for floating numbers unless given.

    Example:
        >>> dt.data.image.normalize(np.full((1, 1, 1), 255, np.uint8), mean=0.5, std=0.5)
        array([[[1.]]], dtype=float32)
    """
    array = np.asarray(image)
    whole = float(np.iinfo(array.dtype).max) if array.dtype.kind in "iu" else 1.0
    values = array.astype(np.float32) / np.float32(whole if scale is None else scale)
    middle, spread = np.asarray(mean, np.float32), np.asarray(std, np.float32)
    if (spread == 0).any():
        raise InvalidArgumentError(f"normalize: std is {std!r}; it must not be 0.")
    return (values - middle) / spread
