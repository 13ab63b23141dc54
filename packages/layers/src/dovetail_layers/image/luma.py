"""Spaces of colour that television uses, luma and two differences: YIQ and YUV."""

from __future__ import annotations

from typing import Any, Final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError
from dovetail_layers.image.checks import check_channels

__all__ = ["rgb_to_yiq", "rgb_to_yuv", "yiq_to_rgb", "yuv_to_rgb"]

Rows = tuple[tuple[float, float, float], ...]

_TO_YIQ: Final[Rows] = (
    (0.299, 0.59590059, 0.2115),
    (0.587, -0.27455667, -0.52273617),
    (0.114, -0.32134392, 0.31119955),
)
_FROM_YIQ: Final[Rows] = (
    (1.0, 1.0, 1.0),
    (0.95598634, -0.27201283, -1.10674021),
    (0.6208248, -0.64720424, 1.70423049),
)
_TO_YUV: Final[Rows] = (
    (0.299, -0.14714119, 0.61497538),
    (0.587, -0.28886916, -0.51496512),
    (0.114, 0.43601035, -0.10001026),
)
_FROM_YUV: Final[Rows] = (
    (1.0, 1.0, 1.0),
    (0.0, -0.394642334, 2.03206185),
    (1.13988303, -0.58062185, 0.0),
)


def _mixed(operation: str, images: Any, rows: Rows) -> Tensor:
    x = dt.convert_to_tensor(images)
    check_channels(operation, x, 3)
    if not x.dtype.is_floating:
        raise DTypeError(f"{operation}: the images are {x.type}; floats are expected. Use convert_image_dtype.")
    return dt.tensordot(x, dt.constant(rows, x.dtype), 1, name=operation)


def rgb_to_yiq(images: Any) -> Tensor:
    """Return red, green and blue as Y, I and Q.

    Args:
        images: floating, of shape ``[..., 3]``, with numbers from 0 to 1.

    Raises:
        ShapeError: the last axis is not three long.
        DTypeError: the dtype is not floating.

    Example:
        >>> dt.Session().run(dt.image.rgb_to_yiq([[[1.0, 1.0, 1.0]]]))[0, 0, 0].round(4)
        np.float32(1.0)
    """
    return _mixed("rgb_to_yiq", images, _TO_YIQ)


def yiq_to_rgb(images: Any) -> Tensor:
    """Return Y, I and Q as red, green and blue; see ``rgb_to_yiq``.

    Raises:
        ShapeError: the last axis is not three long.
        DTypeError: the dtype is not floating.

    Example:
        >>> dt.Session().run(dt.image.yiq_to_rgb([[[0.5, 0.0, 0.0]]])).tolist()
        [[[0.5, 0.5, 0.5]]]
    """
    return _mixed("yiq_to_rgb", images, _FROM_YIQ)


def rgb_to_yuv(images: Any) -> Tensor:
    """Return red, green and blue as Y, U and V.

    Args:
        images: floating, of shape ``[..., 3]``, with numbers from 0 to 1.

    Raises:
        ShapeError: the last axis is not three long.
        DTypeError: the dtype is not floating.

    Example:
        >>> dt.Session().run(dt.image.rgb_to_yuv([[[1.0, 1.0, 1.0]]]))[0, 0, 0].round(4)
        np.float32(1.0)
    """
    return _mixed("rgb_to_yuv", images, _TO_YUV)


def yuv_to_rgb(images: Any) -> Tensor:
    """Return Y, U and V as red, green and blue; see ``rgb_to_yuv``.

    Raises:
        ShapeError: the last axis is not three long.
        DTypeError: the dtype is not floating.

    Example:
        >>> dt.Session().run(dt.image.yuv_to_rgb([[[0.5, 0.0, 0.0]]])).tolist()
        [[[0.5, 0.5, 0.5]]]
    """
    return _mixed("yuv_to_rgb", images, _FROM_YUV)
