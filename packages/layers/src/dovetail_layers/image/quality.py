"""How alike images are, and how rough: ``psnr``, ``ssim``, ``ssim_multiscale``, ``total_variation``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import Array
from dovetail_layers.convolutions import depthwise_conv2d
from dovetail_layers.image.checks import as_images, as_pixels
from dovetail_layers.image.colour import convert_image_dtype
from dovetail_layers.pools import avg_pool

__all__ = ["psnr", "ssim", "ssim_multiscale", "total_variation"]


def total_variation(images: Any, name: str | None = None) -> Tensor:
    """Return the sum of the differences of neighbouring pixels, without sign.

    Args:
        images: of shape ``[height, width, channels]``, or a batch of such.
        name: name of the scope.

    Returns:
        A scalar, or one number for each image.

    Raises:
        ShapeError: the rank is neither 3 nor 4.

    Example:
        >>> dt.Session().run(dt.image.total_variation([[[1.0], [3.0]], [[1.0], [4.0]]]))
        np.float32(6.0)
    """
    x = as_images("total_variation", images)
    with dt.name_scope(name or "total_variation"):
        down, across = x[..., 1:, :, :] - x[..., :-1, :, :], x[..., :, 1:, :] - x[..., :, :-1, :]
        axes = [-3, -2, -1]
        return dt.reduce_sum(dt.abs(down), axes) + dt.reduce_sum(dt.abs(across), axes)


def _pair(operation: str, a: Any, b: Any, max_val: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return two images and the greatest value as float32."""
    first, second = as_pixels(operation, a), as_pixels(operation, b)
    for mine, theirs in zip(first.shape.dims[-3:], second.shape.dims[-3:], strict=True):
        if isinstance(mine, int) and isinstance(theirs, int) and mine != theirs:
            raise ShapeError(
                f"{operation}: the images are {first.type} and {second.type}; height, width and channels must be equal."
            )
    most = convert_image_dtype(dt.cast(max_val, first.dtype), dt.float32)
    return convert_image_dtype(first, dt.float32), convert_image_dtype(second, dt.float32), most


def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """Return the peak signal-to-noise ratio of images, in decibels.

    Args:
        a: of shape ``[..., height, width, channels]``.
        b: of the same height, width and number of channels.
        max_val: by how much pixels can differ: 255 for uint8, 1 for floats.
        name: name of the scope.

    Returns:
        A tensor of float32, one number for each image.

    Raises:
        ShapeError: the images differ in height, width or channels, or have fewer than three axes.

    Example:
        >>> dt.Session().run(dt.image.psnr([[[0.0]]], [[[0.1]]], 1.0)).round(3)
        np.float32(20.0)
    """
    with dt.name_scope(name or "PSNR"):
        first, second, most = _pair("psnr", a, b, max_val)
        error = dt.reduce_mean(dt.squared_difference(first, second), [-3, -2, -1])
        return (20.0 * dt.log(most) - 10.0 * dt.log(error)) / math.log(10.0)


def _window(size: int, sigma: float) -> Array:
    """Return Gaussian weights that sum to one."""
    places = np.arange(size, dtype=np.float64) - (size - 1) / 2.0
    line = np.exp(-0.5 * np.square(places / sigma))
    square = np.outer(line, line)
    return np.asarray((square / square.sum()).astype(np.float32))


def ssim(
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """Return the structural similarity of images (Wang et al., 2004), over windows that lie within them.

    Args:
        img1: of shape ``[..., height, width, channels]``.
        img2: of the same shape.
        max_val: by how much pixels can differ: 255 for uint8, 1 for floats.
        filter_size: height and width of the windows.
        filter_sigma: width of the Gaussian that weighs pixels.
        k1: keeps the quotient of means from dividing by small numbers.
        k2: keeps the quotient of variances from it.

    Returns:
        A tensor of float32, one number for each image: 1 for equal ones.

    Raises:
        ShapeError: the images differ in height, width or channels, have fewer than three axes, or are smaller than a
            window.

    Example:
        >>> image = dt.random_uniform([16, 16, 3])
        >>> dt.Session().run(dt.image.ssim(image, image, 1.0)).round(4)
        np.float32(1.0)
    """
    with dt.name_scope("SSIM"):
        first, second, most = _pair("ssim", img1, img2, max_val)
        return dt.reduce_mean(_per_channel("ssim", first, second, most, filter_size, filter_sigma, k1, k2)[0], -1)


def _per_channel(
    operation: str, first: Tensor, second: Tensor, most: Tensor, size: int, sigma: float, k1: float, k2: float
) -> tuple[Tensor, Tensor]:
    """Return the similarity of each channel, and that of its contrast and structure alone."""
    *batch, height, width, channels = first.shape.dims
    for side in (height, width):
        if isinstance(side, int) and side < size:
            raise ShapeError(f"{operation}: the images are {first.type}, smaller than the windows of {size}.")
    weights = dt.constant(_window(size, sigma).reshape(size, size, 1, 1))
    kernel = dt.tile(weights, [1, 1, channels, 1])

    def mean(x: Tensor) -> Tensor:
        flat = dt.reshape(x, [-1, height, width, channels])
        found = depthwise_conv2d(flat, kernel, [1, 1, 1, 1], "VALID")
        return dt.reshape(found, [*batch, *found.shape.dims[1:]])

    c1, c2 = dt.square(k1 * most), dt.square(k2 * most)
    left, right = mean(first), mean(second)
    both, squares = 2.0 * left * right, dt.square(left) + dt.square(right)
    luminance = (both + c1) / (squares + c1)
    product = 2.0 * mean(first * second)
    structure = (product - both + c2) / (mean(dt.square(first) + dt.square(second)) - squares + c2)
    return dt.reduce_mean(luminance * structure, [-3, -2]), dt.reduce_mean(structure, [-3, -2])


def ssim_multiscale(
    img1: Any,
    img2: Any,
    max_val: Any,
    power_factors: Sequence[float] = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333),
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """Return the structural similarity of images at several scales, each half as large (Wang et al., 2003).

    Args:
        img1: of shape ``[..., height, width, channels]``, of known height and width.
        img2: of the same shape.
        max_val: by how much pixels can differ: 255 for uint8, 1 for floats.
        power_factors: the weight of each scale, as a power; the default is that of the paper.
        filter_size: height and width of the windows.
        filter_sigma: width of the Gaussian that weighs pixels.
        k1: keeps the quotient of means from dividing by small numbers.
        k2: keeps the quotient of variances from it.

    Returns:
        A tensor of float32, one number for each image: 1 for equal ones.

    Raises:
        ShapeError: the images differ in height, width or channels, their height or width is not known, or they are
            smaller than a window at the last scale.

    Example:
        >>> image = dt.random_uniform([32, 32, 3])
        >>> dt.Session().run(dt.image.ssim_multiscale(image, image, 1.0, [0.4, 0.6])).round(4)
        np.float32(1.0)
    """
    label = "ssim_multiscale"
    with dt.name_scope("MS-SSIM"):
        first, second, most = _pair(label, img1, img2, max_val)
        if not all(isinstance(side, int) for side in first.shape.dims[-3:-1]):
            raise ShapeError(f"{label}: the images are {first.type}, of which height and width must be known.")
        total: Tensor | None = None
        for scale, power in enumerate(power_factors):
            if scale:
                first, second = _halved(first), _halved(second)
            similarity, structure = _per_channel(label, first, second, most, filter_size, filter_sigma, k1, k2)
            last = scale == len(power_factors) - 1
            part = dt.pow(dt.maximum(similarity if last else structure, 0.0), power)
            total = part if total is None else total * part
        if total is None:
            raise InvalidArgumentError(f"{label}: power_factors is empty; give a weight for each scale.")
        return dt.reduce_mean(total, -1)


def _halved(x: Tensor) -> Tensor:
    """Return images of half the height and width, the last row or column counted twice where there is an odd one."""
    *batch, height, width, channels = x.shape.dims
    flat = dt.reshape(x, [-1, height, width, channels])
    if height % 2 or width % 2:
        flat = dt.pad(flat, [[0, 0], [0, height % 2], [0, width % 2], [0, 0]], "SYMMETRIC")
    small = avg_pool(flat, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    return dt.reshape(small, [*batch, *small.shape.dims[1:]])
