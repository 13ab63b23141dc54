"""``dt.image.resize_*``: images of another height and width, by TensorFlow 1's rules for where pixels lie.

Coordinates are computed in float32, as TensorFlow computes them, so that the same pixels are picked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import composite, known_elements
from dovetail_layers.weighing import as_dtype_on, module_for, numbered, weighed_picks

__all__ = [
    "ResizeMethod",
    "resize",
    "resize_area",
    "resize_bicubic",
    "resize_bilinear",
    "resize_images",
    "resize_nearest_neighbor",
]

_STEPS: Final = 1024
"""TensorFlow takes the weights of the bicubic kernel from a table of so many steps between two pixels."""


@final
class ResizeMethod:
    """How ``resize_images`` finds the value of a pixel."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


def _samples(rng: np.random.Generator, *, half_pixel: bool = True) -> Iterable[tuple[Any, ...]]:
    """Larger, smaller, by each of the three rules; one pixel; integers."""
    x = rng.normal(size=(2, 3, 4, 2))
    plain = {"align_corners": False, **({"half_pixel_centers": False} if half_pixel else {})}
    yield x, {"size": (5, 7), **plain}
    yield x, {"size": (2, 3), **plain}
    yield x, {"size": (4, 1), **plain, "align_corners": True}
    if half_pixel:
        yield x, {"size": (7, 2), **plain, "half_pixel_centers": True}
    yield rng.integers(0, 255, (1, 2, 2, 1), dtype=np.int32), {"size": (3, 4), **plain}


def _area_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """See ``_samples``."""
    return _samples(rng, half_pixel=False)


def _floats(x: Any) -> tuple[Any, ...]:
    """The dtype of interpolated images: float64 stays, all others become float32."""
    return (x if x is dt.float64 else dt.float32,)


def _images(operation: str, x: Tensor) -> Tensor:
    """Look at images, and return them in the dtype of the result."""
    if len(x.shape) != 4:
        raise ShapeError(
            f"{operation}: the images are {x.type}; rank 4 is expected, [batch, height, width, channels]. Use "
            f"dt.expand_dims on one image."
        )
    if not x.dtype.is_numeric:
        raise DTypeError(f"{operation}: the images are {x.type}; give numbers.")
    return x if x.dtype is dt.float64 else dt.cast(x, dt.float32)


def _scale(on: Any, size: Any, wanted: Any, align_corners: bool) -> Any:
    """Return how many pixels of the image lie between two of the result."""
    have, want = (as_dtype_on(on, one, dt.float32) for one in (size, wanted))
    plain = have / want
    if align_corners:
        plain = on.where(want > 1.0, (have - 1.0) / on.maximum(want - 1.0, as_dtype_on(on, 1.0, dt.float32)), plain)
    return plain


def _places(on: Any, size: Any, wanted: Any, align_corners: bool, half_pixel_centers: bool) -> Any:
    """Return where in the image the pixels of the result lie, along one axis."""
    places, scale = numbered(on, wanted, dt.float32), _scale(on, size, wanted, align_corners)
    return (places + 0.5) * scale - 0.5 if half_pixel_centers else places * scale


def _bounded(on: Any, places: Any, size: Any) -> Any:
    """Return whole numbers as indices of an axis, those outside as that of the border."""
    return on.minimum(on.maximum(as_dtype_on(on, places, dt.int32), 0), size - 1)


@composite(name="ResizeBilinear", samples=_samples, dtypes=_floats)
def _resize_bilinear(x: Tensor, *, size: tuple[Any, ...], align_corners: bool, half_pixel_centers: bool) -> Tensor:
    """Between the two nearest pixels down, then across."""
    x = _images("resize_bilinear", x)
    for axis, wanted in enumerate(size, 1):
        have = x.shape.dims[axis]
        on = module_for(have, wanted)
        places = _places(on, have, wanted, align_corners, half_pixel_centers)
        below = on.floor(places)
        picks = on.stack([_bounded(on, below, have), _bounded(on, on.ceil(places), have)], 1)
        between = places - below
        x = weighed_picks(x, axis, picks, on.stack([1.0 - between, between], 1))
    return x


@composite(name="ResizeNearestNeighbor", samples=_samples)
def _resize_nearest(x: Tensor, *, size: tuple[Any, ...], align_corners: bool, half_pixel_centers: bool) -> Tensor:
    """The nearest pixel down and across."""
    _images("resize_nearest_neighbor", x)
    for axis, wanted in enumerate(size, 1):
        have = x.shape.dims[axis]
        on = module_for(have, wanted)
        places, scale = numbered(on, wanted, dt.float32), _scale(on, have, wanted, align_corners)
        places = (places + 0.5) * scale if half_pixel_centers else places * scale
        picks = _bounded(on, on.floor(places + 0.5 if align_corners else places), have)
        if on is np and x.dtype.is_floating:
            x = weighed_picks(x, axis, picks[:, None], np.ones((len(picks), 1), np.float32))
        else:
            x = dt.gather(x, picks, axis=axis)
    return x


@composite(name="ResizeBicubic", samples=_samples, dtypes=_floats)
def _resize_bicubic(x: Tensor, *, size: tuple[Any, ...], align_corners: bool, half_pixel_centers: bool) -> Tensor:
    """The four nearest pixels down, then across, weighed by Keys' kernel (1981)."""
    x = _images("resize_bicubic", x)
    for axis, wanted in enumerate(size, 1):
        have = x.shape.dims[axis]
        on = module_for(have, wanted)
        places = _places(on, have, wanted, align_corners, half_pixel_centers)
        below = on.floor(places)
        nearby = on.expand_dims(below, 1) + np.array([-1.0, 0.0, 1.0, 2.0], np.float32)
        picks = _bounded(on, nearby, have)
        weights = _bicubic_weights(on, places - below, -0.5 if half_pixel_centers else -0.75)
        if half_pixel_centers:  # pixels outside have no weight
            weights = weights * as_dtype_on(on, on.equal(as_dtype_on(on, nearby, dt.int32), picks), dt.float32)
            total = weights[:, 0] + weights[:, 1] + weights[:, 2] + weights[:, 3]
            weights = weights / on.expand_dims(total, 1)
        x = weighed_picks(x, axis, picks, weights)
    return x


def _bicubic_weights(on: Any, between: Any, a: float) -> Any:
    """Return the weights of the pixels at -1, 0, 1 and 2 from a place between 0 and 1."""
    right = on.round(between * float(_STEPS)) / float(_STEPS)
    left = 1.0 - right

    def near(z: Any) -> Any:
        return ((a + 2.0) * z - (a + 3.0)) * z * z + 1.0

    def far(z: Any) -> Any:
        return ((a * (z + 1.0) - 5.0 * a) * (z + 1.0) + 8.0 * a) * (z + 1.0) - 4.0 * a

    return on.stack([far(right), near(right), near(left), far(left)], 1)


@composite(name="ResizeArea", samples=_area_samples, dtypes=_floats)
def _resize_area(x: Tensor, *, size: tuple[Any, ...], align_corners: bool) -> Tensor:
    """The mean over the area that a pixel of the result covers: a product with the shares of rows, then of columns."""
    x = _images("resize_area", x)
    batch, height, width, channels = x.shape.dims
    rows, columns = (
        _shares(have, wanted, align_corners, x.dtype) for have, wanted in zip((height, width), size, strict=True)
    )
    x = dt.matmul(rows, dt.reshape(x, [batch, height, width * channels]))
    x = dt.matmul(columns, dt.reshape(x, [batch * size[0], width, channels]))
    return dt.reshape(x, [batch, *size, channels])


def _shares(size: Any, wanted: Any, align_corners: bool, dtype: Any) -> Tensor:
    """Return what share of each pixel of the result is each one of the image; the last goes on beyond the border."""
    scale = _scale(dt, size, wanted, align_corners)
    begin = dt.expand_dims(numbered(dt, wanted, dt.float32), 1) * scale
    pixel = numbered(dt, size, dt.float32)
    last = dt.equal(dt.range(size), size - 1)
    end = dt.where(last, dt.fill(dt.shape(pixel), np.float32(np.inf)), pixel + 1.0)
    covered = dt.minimum(begin + scale, end) - dt.maximum(begin, pixel)
    result: Tensor = dt.cast(dt.maximum(covered, 0.0) / scale, dtype)
    return result


def _resized(
    operation: str, function: Callable[..., Tensor], images: Any, size: Any, name: str | None, **rules: bool
) -> Tensor:
    if rules["align_corners"] and rules.get("half_pixel_centers"):
        raise InvalidArgumentError(f"{operation}: align_corners and half_pixel_centers exclude each other; give one.")
    known = known_elements(size, f"{operation}: size")
    if known is None:
        raise InvalidArgumentError(
            f"{operation}: only a run knows the size, {size!r}. Give ints, or sizes of other tensors' shapes."
        )
    if known.shape != (2,) or any(isinstance(one, int) and one < 1 for one in known):
        raise ShapeError(f"{operation}: size is {known.tolist()}; give height and width, at least 1.")
    return function(images, size=tuple(known.tolist()), **rules, name=name)


def resize_bilinear(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Tensor:
    """Return images of another size, each pixel between the four nearest.

    Args:
        images: numbers, of shape ``[batch, height, width, channels]``.
        size: height and width of the result.
        align_corners: whether the centres of the corner pixels stay where they are, rather than their upper left
            corners.
        name: name of the node.
        half_pixel_centers: whether the value of a pixel is that at its centre, as PyTorch and later versions of
            TensorFlow have it.

    Returns:
        A tensor of shape ``[batch, *size, channels]``, float64 for images of float64 and else float32.

    Raises:
        ShapeError: the images have another rank, or the size is none.
        DTypeError: the images hold no numbers.
        InvalidArgumentError: both rules are asked for, or only a run knows the size.

    Example:
        >>> images = dt.reshape([0.0, 4.0], [1, 1, 2, 1])
        >>> dt.Session().run(dt.image.resize_bilinear(images, [1, 4]))[0, 0, :, 0]
        array([0., 2., 4., 4.], dtype=float32)
    """
    rules = {"align_corners": align_corners, "half_pixel_centers": half_pixel_centers}
    return _resized("resize_bilinear", _resize_bilinear, images, size, name, **rules)


def resize_nearest_neighbor(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Tensor:
    """Return images of another size, each pixel that which is nearest.

    Args:
        images: numbers, of shape ``[batch, height, width, channels]``.
        size: height and width of the result.
        align_corners: see ``resize_bilinear``.
        name: name of the node.
        half_pixel_centers: see ``resize_bilinear``.

    Returns:
        A tensor of shape ``[batch, *size, channels]``, of the dtype of the images.

    Raises:
        ShapeError: the images have another rank, or the size is none.
        DTypeError: the images hold no numbers.
        InvalidArgumentError: both rules are asked for, or only a run knows the size.

    Example:
        >>> images = dt.reshape([0, 4], [1, 1, 2, 1])
        >>> dt.Session().run(dt.image.resize_nearest_neighbor(images, [1, 4]))[0, 0, :, 0]
        array([0, 0, 4, 4], dtype=int32)
    """
    rules = {"align_corners": align_corners, "half_pixel_centers": half_pixel_centers}
    return _resized("resize_nearest_neighbor", _resize_nearest, images, size, name, **rules)


def resize_bicubic(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Tensor:
    """Return images of another size, each pixel of the sixteen nearest, by Keys' kernel (1981).

    As in TensorFlow, its parameter is -0.75, and -0.5 for ``half_pixel_centers``; and weights are those of places
    rounded to 1024 steps between two pixels.

    Args:
        images: numbers, of shape ``[batch, height, width, channels]``.
        size: height and width of the result.
        align_corners: see ``resize_bilinear``.
        name: name of the node.
        half_pixel_centers: see ``resize_bilinear``; pixels outside the image have no weight then.

    Returns:
        A tensor of shape ``[batch, *size, channels]``, float64 for images of float64 and else float32.

    Raises:
        ShapeError: the images have another rank, or the size is none.
        DTypeError: the images hold no numbers.
        InvalidArgumentError: both rules are asked for, or only a run knows the size.

    Example:
        >>> dt.image.resize_bicubic(dt.zeros([8, 14, 14, 3]), [28, 28]).shape
        Shape([8, 28, 28, 3])
    """
    rules = {"align_corners": align_corners, "half_pixel_centers": half_pixel_centers}
    return _resized("resize_bicubic", _resize_bicubic, images, size, name, **rules)


def resize_area(images: Any, size: Any, align_corners: bool = False, name: str | None = None) -> Tensor:
    """Return images of another size, each pixel the mean over the area that it covers.

    Args:
        images: numbers, of shape ``[batch, height, width, channels]``.
        size: height and width of the result.
        align_corners: see ``resize_bilinear``.
        name: name of the node.

    Returns:
        A tensor of shape ``[batch, *size, channels]``, float64 for images of float64 and else float32.

    Raises:
        ShapeError: the images have another rank, or the size is none.
        DTypeError: the images hold no numbers.
        InvalidArgumentError: only a run knows the size.

    Example:
        >>> images = dt.reshape([1.0, 3.0, 5.0], [1, 1, 3, 1])
        >>> dt.Session().run(dt.image.resize_area(images, [1, 1]))
        array([[[[3.]]]], dtype=float32)
    """
    return _resized("resize_area", _resize_area, images, size, name, align_corners=align_corners)


_METHODS: Final[dict[int, Callable[..., Tensor]]] = {
    ResizeMethod.BILINEAR: resize_bilinear,
    ResizeMethod.NEAREST_NEIGHBOR: resize_nearest_neighbor,
    ResizeMethod.BICUBIC: resize_bicubic,
    ResizeMethod.AREA: resize_area,
}


def resize_images(
    images: Any,
    size: Any,
    method: int = ResizeMethod.BILINEAR,
    align_corners: bool = False,
    preserve_aspect_ratio: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return images, or one, of another size; where it has that size already, as they are.

    Args:
        images: numbers, of shape ``[batch, height, width, channels]`` or ``[height, width, channels]``.
        size: height and width of the result.
        method: one of ``dt.image.ResizeMethod``.
        align_corners: see ``resize_bilinear``.
        preserve_aspect_ratio: whether ``size`` is the largest that the result may have, with the ratio of height to
            width that the images have; their sizes must be known.
        name: name of the node.

    Returns:
        The images, float32 but for images of float64 and for ``NEAREST_NEIGHBOR``, which keeps the dtype.

    Raises:
        ShapeError: the images have another rank, or the size is none.
        DTypeError: the images hold no numbers.
        InvalidArgumentError: the method is not known, or a size that must be.

    Example:
        >>> dt.image.resize_images(dt.zeros([28, 20, 3]), [14, 14], preserve_aspect_ratio=True).shape
        Shape([14, 10, 3])
    """
    if method not in _METHODS:
        raise InvalidArgumentError(f"resize_images: method is {method!r}; use one of dt.image.ResizeMethod, 0 to 3.")
    x = dt.convert_to_tensor(images)
    if x.shape.rank not in (3, 4):
        raise ShapeError(
            f"resize_images: the images are {x.type}; [batch, height, width, channels] or [height, width, channels] "
            f"is expected. {x.op.where()}"
        )
    have = x.shape.dims[-3:-1]
    known = known_elements(size, "resize_images: size")
    wanted = None if known is None or known.shape != (2,) else tuple(known.tolist())
    if preserve_aspect_ratio:
        if wanted is None or not all(isinstance(one, int) for one in (*have, *wanted)):
            raise InvalidArgumentError(
                f"resize_images: preserve_aspect_ratio needs known sizes; the images are {x.type}, size is {size!r}."
            )
        scale = min(want / one for want, one in zip(wanted, have, strict=True))
        size = wanted = tuple([int(np.rint(one * scale)) for one in have])
    if wanted == have:
        return x
    if x.shape.rank == 4:
        return _METHODS[method](x, size, align_corners, name=name)
    with dt.name_scope(name or "resize"):
        result: Tensor = dt.squeeze(_METHODS[method](dt.expand_dims(x, 0), size, align_corners), [0])
        return result


resize = resize_images
