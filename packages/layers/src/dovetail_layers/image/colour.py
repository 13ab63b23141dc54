"""The values of pixels: dtypes, brightness, contrast, saturation, hue, spaces of colour."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.extend import composite
from dovetail_layers.image.checks import as_pixels, check_channels, check_range

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "convert_image_dtype",
    "grayscale_to_rgb",
    "hsv_to_rgb",
    "per_image_standardization",
    "random_brightness",
    "random_contrast",
    "random_hue",
    "random_saturation",
    "rgb_to_grayscale",
    "rgb_to_hsv",
]


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Tensor:
    """Return images in another dtype, scaled: integers from 0 to the greatest stand for 0 to 1.

    Args:
        image: numbers of any shape.
        dtype: the floating or integer dtype wanted.
        saturate: whether what does not fit an integer dtype becomes the nearest that does; else it wraps around.
        name: name of the scope.

    Raises:
        DTypeError: one of the dtypes is no number.

    Example:
        >>> dt.Session().run(dt.image.convert_image_dtype(dt.constant([0, 255], dt.uint8), dt.float32))
        array([0., 1.], dtype=float32)
    """
    x, wanted = dt.convert_to_tensor(image), dt.as_dtype(dtype)
    for each in (x.dtype, wanted):
        if not each.is_numeric:
            raise DTypeError(f"convert_image_dtype: from {x.type} to {wanted.name}; both must be numbers.")
    if wanted is x.dtype:
        return dt.identity(x, name=name)
    cast = dt.saturate_cast if saturate else dt.cast
    with dt.name_scope(name or "convert_image"):
        if x.dtype.is_floating and wanted.is_floating:
            floats: Tensor = dt.cast(x, wanted)
            return floats
        if x.dtype.is_integer and wanted.is_integer:
            inner, outer = int(x.dtype.max) + 1, int(wanted.max) + 1
            if inner > outer:
                return cast(x // (inner // outer), wanted)
            return cast(x, wanted) * (outer // inner)
        if wanted.is_floating:
            scaled: Tensor = dt.cast(x, wanted) * (1.0 / float(x.dtype.max))
            return scaled
        return cast(x * (float(wanted.max) + 0.5), wanted)  # halves, as the cast cuts off


def _in_floats(x: Tensor) -> Tensor:
    """Return images as what TensorFlow computes in: float16 and float32 stay, others become float32."""
    return x if x.dtype in (dt.float16, dt.float32) else convert_image_dtype(x, dt.float32)


def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """Return images with a number added to all pixels, whose scale is from 0 to 1; integers saturate.

    Args:
        image: of shape ``[..., height, width, channels]``.
        delta: a number.

    Raises:
        ShapeError: there are fewer than three axes.

    Example:
        >>> dt.Session().run(dt.image.adjust_brightness([[[0.25]]], 0.5)).tolist()
        [[[0.75]]]
    """
    x = as_pixels("adjust_brightness", image)
    wide = _in_floats(x)
    return convert_image_dtype(wide + dt.cast(delta, wide.dtype), x.dtype, saturate=True)


def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """Return images whose pixels differ from the mean of their channel by a factor as much; integers saturate.

    Args:
        images: of shape ``[..., height, width, channels]``.
        contrast_factor: a number.

    Raises:
        ShapeError: there are fewer than three axes.

    Example:
        >>> dt.Session().run(dt.image.adjust_contrast([[[0.25], [0.75]]], 0.5)).tolist()
        [[[0.375], [0.625]]]
    """
    x = as_pixels("adjust_contrast", images)
    wide = _in_floats(x)
    mean = dt.reduce_mean(wide, [-3, -2], keepdims=True)
    return convert_image_dtype((wide - mean) * dt.cast(contrast_factor, wide.dtype) + mean, x.dtype, saturate=True)


def adjust_gamma(image: Any, gamma: Any = 1.0, gain: Any = 1.0) -> Tensor:
    """Return ``gain * image ** gamma``, of pixels whose scale is from 0 to 1; integers saturate.

    Args:
        image: of shape ``[..., height, width, channels]``.
        gamma: a number, at least 0.
        gain: a number.

    Raises:
        ShapeError: there are fewer than three axes.
        InvalidArgumentError: ``gamma`` is negative.

    Example:
        >>> dt.Session().run(dt.image.adjust_gamma([[[0.5]]], 2.0)).tolist()
        [[[0.25]]]
    """
    x = as_pixels("adjust_gamma", image)
    if isinstance(gamma, int | float) and gamma < 0:
        raise InvalidArgumentError(f"adjust_gamma: gamma is {gamma}; give at least 0.")
    wide = _in_floats(x)
    return convert_image_dtype(
        dt.cast(gain, wide.dtype) * dt.pow(wide, dt.cast(gamma, wide.dtype)), x.dtype, saturate=True
    )


def _rgb_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield (rng.uniform(size=(2, 3, 3)),)
    yield (rng.uniform(size=(2, 1, 2, 3)),)


@composite(name="RgbToHsv", samples=_rgb_samples)
def _rgb_to_hsv(images: Tensor) -> Tensor:
    """The greatest and the least of the three tell the rest."""
    red, green, blue = dt.unstack(images, axis=-1, num=3)
    value = dt.maximum(dt.maximum(red, green), blue)
    extent = value - dt.minimum(dt.minimum(red, green), blue)
    saturation = dt.div_no_nan(extent, dt.maximum(value, 0.0))
    sector = dt.select(
        dt.equal(value, red),
        dt.div_no_nan(green - blue, extent),
        dt.select(
            dt.equal(value, green), dt.div_no_nan(blue - red, extent) + 2.0, dt.div_no_nan(red - green, extent) + 4.0
        ),
    )
    hue = dt.select(extent > 0.0, dt.select(sector < 0.0, sector + 6.0, sector) / 6.0, sector * 0.0)
    return dt.stack([hue, saturation, value], axis=-1)


@composite(name="HsvToRgb", samples=_rgb_samples)
def _hsv_to_rgb(images: Tensor) -> Tensor:
    """Each colour is a trapezium over the hue."""
    hue, saturation, value = dt.unstack(images, axis=-1, num=3)
    angle = hue * 6.0
    parts = [
        dt.clip_by_value(dt.abs(angle - 3.0) - 1.0, 0.0, 1.0),
        dt.clip_by_value(2.0 - dt.abs(angle - 2.0), 0.0, 1.0),
        dt.clip_by_value(2.0 - dt.abs(angle - 4.0), 0.0, 1.0),
    ]
    return dt.stack([((1.0 - saturation) + saturation * part) * value for part in parts], axis=-1)


def _colours(operation: str, images: Any) -> Tensor:
    x = dt.convert_to_tensor(images)
    check_channels(operation, x, 3)
    if not x.dtype.is_floating:
        raise DTypeError(f"{operation}: the images are {x.type}; floats are expected. Use convert_image_dtype.")
    return x


def rgb_to_hsv(images: Any, name: str | None = None) -> Tensor:
    """Return red, green and blue as hue, saturation and value.

    Args:
        images: floating, of shape ``[..., 3]``, with numbers from 0 to 1.
        name: name of the node.

    Raises:
        ShapeError: the last axis is not three long.
        DTypeError: the dtype is not floating.

    Example:
        >>> dt.Session().run(dt.image.rgb_to_hsv([[[0.0, 0.5, 0.5]]])).tolist()
        [[[0.5, 1.0, 0.5]]]
    """
    return _rgb_to_hsv(_colours("rgb_to_hsv", images), name=name)  # type: ignore[no-any-return] # one output


def hsv_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Return hue, saturation and value as red, green and blue.

    Args:
        images: floating, of shape ``[..., 3]``, with numbers from 0 to 1.
        name: name of the node.

    Raises:
        ShapeError: the last axis is not three long.
        DTypeError: the dtype is not floating.

    Example:
        >>> dt.Session().run(dt.image.hsv_to_rgb([[[0.5, 1.0, 0.5]]])).tolist()
        [[[0.0, 0.5, 0.5]]]
    """
    return _hsv_to_rgb(_colours("hsv_to_rgb", images), name=name)  # type: ignore[no-any-return] # one output


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """Return images whose saturation is a factor as much, at most 1.

    Args:
        image: of shape ``[..., height, width, 3]``.
        saturation_factor: a number, at least 0.
        name: name of the scope.

    Raises:
        ShapeError: the last axis is not three long, or there are fewer than three axes.

    Example:
        >>> dt.Session().run(dt.image.adjust_saturation([[[0.5, 1.0, 1.0]]], 0.0)).tolist()
        [[[1.0, 1.0, 1.0]]]
    """
    x = as_pixels("adjust_saturation", image)
    check_channels("adjust_saturation", x, 3)
    with dt.name_scope(name or "adjust_saturation"):
        hue, saturation, value = dt.unstack(rgb_to_hsv(_in_floats(x)), axis=-1, num=3)
        changed = dt.clip_by_value(saturation * dt.cast(saturation_factor, saturation.dtype), 0.0, 1.0)
        return convert_image_dtype(hsv_to_rgb(dt.stack([hue, changed, value], axis=-1)), x.dtype)


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """Return images whose hue is turned.

    Args:
        image: of shape ``[..., height, width, 3]``.
        delta: by how much of the circle, from -1 to 1.
        name: name of the scope.

    Raises:
        ShapeError: the last axis is not three long, or there are fewer than three axes.
        InvalidArgumentError: ``delta`` is outside.

    Example:
        >>> dt.Session().run(dt.image.adjust_hue([[[0.0, 1.0, 1.0]]], 0.5)).tolist()
        [[[1.0, 0.0, 0.0]]]
    """
    x = as_pixels("adjust_hue", image)
    check_channels("adjust_hue", x, 3)
    if isinstance(delta, int | float) and not -1 <= delta <= 1:
        raise InvalidArgumentError(f"adjust_hue: delta is {delta}; give one from -1 to 1.")
    with dt.name_scope(name or "adjust_hue"):
        hue, saturation, value = dt.unstack(rgb_to_hsv(_in_floats(x)), axis=-1, num=3)
        turned = dt.floormod(hue + dt.cast(delta, hue.dtype), 1.0)
        return convert_image_dtype(hsv_to_rgb(dt.stack([turned, saturation, value], axis=-1)), x.dtype)


def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """Return the luminance of red, green and blue: 0.2989 R + 0.587 G + 0.114 B.

    Args:
        images: of shape ``[..., 3]``.
        name: name of the scope.

    Returns:
        A tensor of the same dtype and shape ``[..., 1]``.

    Raises:
        ShapeError: the last axis is not three long.

    Example:
        >>> dt.image.rgb_to_grayscale(dt.zeros([4, 4, 3], dt.uint8)).type
        uint8[4, 4, 1]
    """
    x = dt.convert_to_tensor(images)
    check_channels("rgb_to_grayscale", x, 3)
    with dt.name_scope(name or "rgb_to_grayscale"):
        weights = dt.constant([0.2989, 0.5870, 0.1140])
        gray = dt.reduce_sum(convert_image_dtype(x, dt.float32) * weights, -1, keepdims=True)
        return convert_image_dtype(gray, x.dtype)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Return the one channel three times.

    Args:
        images: of shape ``[..., 1]``.
        name: name of the node.

    Raises:
        ShapeError: the last axis is not one long.

    Example:
        >>> dt.image.grayscale_to_rgb(dt.zeros([4, 4, 1])).shape
        Shape([4, 4, 3])
    """
    x = dt.convert_to_tensor(images)
    check_channels("grayscale_to_rgb", x, 1)
    return dt.concat([x, x, x], -1, name=name or "grayscale_to_rgb")


def per_image_standardization(image: Any) -> Tensor:
    """Return images less their mean, divided by their standard deviation, or by ``1 / sqrt(pixels)`` if that is more.

    Args:
        image: of shape ``[..., height, width, channels]``.

    Returns:
        A tensor of float32 of the same shape.

    Raises:
        ShapeError: there are fewer than three axes.

    Example:
        >>> dt.Session().run(dt.image.per_image_standardization([[[1], [3]]])).tolist()
        [[[-1.0], [1.0]]]
    """
    x = dt.cast(as_pixels("per_image_standardization", image), dt.float32)
    with dt.name_scope("per_image_standardization"):
        axes = [-3, -2, -1]
        pixels = dt.cast(dt.reduce_prod(dt.shape(x)[-3:]), dt.float32)
        centred = x - dt.reduce_mean(x, axes, keepdims=True)
        result: Tensor = centred / dt.maximum(dt.reduce_std(x, axes, keepdims=True), dt.rsqrt(pixels))
        return result


def _drawn(lower: float, upper: float, seed: int | None) -> Tensor:
    return dt.random_uniform([], lower, upper, seed=seed)


def _check_delta(operation: str, max_delta: float, most: float) -> None:
    if not 0 <= max_delta <= most:
        raise InvalidArgumentError(f"{operation}: max_delta is {max_delta}; give one from 0 to {most}.")


def random_brightness(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """Return images with a random number added, from ``-max_delta`` to ``max_delta``; see ``adjust_brightness``.

    Raises:
        ShapeError: there are fewer than three axes.
        InvalidArgumentError: ``max_delta`` is negative.

    Example:
        >>> dt.image.random_brightness(dt.zeros([4, 4, 3]), 0.2).shape
        Shape([4, 4, 3])
    """
    _check_delta("random_brightness", max_delta, float("inf"))
    return adjust_brightness(image, _drawn(-max_delta, max_delta, seed))


def random_contrast(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """Return images whose contrast is a random factor as much; see ``adjust_contrast``.

    Raises:
        ShapeError: there are fewer than three axes.
        InvalidArgumentError: ``lower`` is negative, or ``upper`` not greater.

    Example:
        >>> dt.image.random_contrast(dt.zeros([4, 4, 3]), 0.5, 1.5).shape
        Shape([4, 4, 3])
    """
    check_range("random_contrast", lower, upper)
    return adjust_contrast(image, _drawn(lower, upper, seed))


def random_saturation(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """Return images whose saturation is a random factor as much; see ``adjust_saturation``.

    Raises:
        ShapeError: the last axis is not three long, or there are fewer than three axes.
        InvalidArgumentError: ``lower`` is negative, or ``upper`` not greater.

    Example:
        >>> dt.image.random_saturation(dt.zeros([4, 4, 3]), 0.5, 1.5).shape
        Shape([4, 4, 3])
    """
    check_range("random_saturation", lower, upper)
    return adjust_saturation(image, _drawn(lower, upper, seed))


def random_hue(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """Return images whose hue is turned by a random part of the circle; see ``adjust_hue``.

    Raises:
        ShapeError: the last axis is not three long, or there are fewer than three axes.
        InvalidArgumentError: ``max_delta`` is not from 0 to 0.5.

    Example:
        >>> dt.image.random_hue(dt.zeros([4, 4, 3]), 0.2).shape
        Shape([4, 4, 3])
    """
    _check_delta("random_hue", max_delta, 0.5)
    return adjust_hue(image, _drawn(-max_delta, max_delta, seed))
