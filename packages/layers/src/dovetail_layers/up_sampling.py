"""Layers that make images larger by repeating their pixels, or by interpolation, of one to three spatial axes."""

from __future__ import annotations

from typing import Any, ClassVar, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Layer
from dovetail_layers.arguments import check_layout, per_axis
from dovetail_layers.resizing import resize_bilinear
from dovetail_layers.spatial import channels_last

__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]


class _UpSampling(Layer):
    """What upsampling layers have in common."""

    size: int | tuple[int, ...] = 2

    _rank: ClassVar[int]

    def check(self) -> None:
        """Look at the factors."""
        self._factors()

    def _factors(self) -> tuple[int, ...]:
        return per_axis(self._label(), "size", self.size, self._rank)

    def _repeated(self, x: Tensor, name: str | None) -> Tensor:
        """Repeat each element: an axis of copies behind each spatial one, which then are one."""
        batch, *spatial, channels = x.shape.dims
        apart: list[Any] = [batch]
        copied: list[Any] = [batch]
        for size, factor in zip(spatial, self._factors(), strict=True):
            apart += [size, 1]
            copied += [size, factor]
        larger = [size * factor for size, factor in zip(spatial, self._factors(), strict=True)]
        with dt.name_scope(name or self._label()):
            copies = dt.broadcast_to(dt.reshape(x, [*apart, channels]), [*copied, channels])
            result: Tensor = dt.reshape(copies, [batch, *larger, channels])
            return result


@final
class UpSampling1D(_UpSampling):
    """Sequences in which each element is repeated.

    Args:
        size: how many times.

    Raises:
        ShapeError: the input has another rank than 3.

    Example:
        >>> dt.Session().run(dt.layers.up_sampling1d([[[1.0], [2.0]]], 2))[0, :, 0]
        array([1., 1., 2., 2.], dtype=float32)
    """

    input_rank = 3
    _rank = 1

    def call(self, inputs: Tensor) -> Tensor:
        """Repeat."""
        return self._repeated(inputs, None)


@final
class UpSampling2D(_UpSampling):
    """Images made larger by whole factors.

    Args:
        size: by how much down and across, or one number for both.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.
        interpolation: ``"nearest"``, pixels are repeated, or ``"bilinear"``, which takes the centres of pixels for
            where they are.

    Raises:
        ShapeError: the input has another rank than 4.
        InvalidArgumentError: the interpolation is not known.

    Example:
        >>> dt.layers.up_sampling2d(dt.zeros([8, 7, 7, 6]), (2, 3)).shape
        Shape([8, 14, 21, 6])
    """

    data_format: str = "channels_last"
    interpolation: str = "nearest"

    input_rank = 4
    _rank = 2

    def check(self) -> None:
        """Look at factors and names."""
        self._factors()
        check_layout(self._label(), self.data_format)
        if self.interpolation not in ("nearest", "bilinear"):
            raise InvalidArgumentError(
                f"{self._label()}: interpolation is {self.interpolation!r}; use 'nearest' or 'bilinear'."
            )

    def call(self, inputs: Tensor) -> Tensor:
        """Repeat or interpolate."""
        apply = self._repeated if self.interpolation == "nearest" else self._interpolated
        return channels_last(apply, inputs, 2, self.data_format == "channels_first", self._label())

    def _interpolated(self, x: Tensor, name: str | None) -> Tensor:
        size = [one * factor for one, factor in zip(x.shape.dims[1:3], self._factors(), strict=True)]
        result = resize_bilinear(x, size, name=name, half_pixel_centers=True)
        return result if result.dtype is x.dtype else dt.cast(result, x.dtype)


@final
class UpSampling3D(_UpSampling):
    """Volumes in which each element is repeated along every axis.

    Args:
        size: how many times along each axis, or one number for all three.
        data_format: ``"channels_last"``, volumes of shape ``[batch, depth, height, width, channels]``, or
            ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 5.

    Example:
        >>> dt.layers.up_sampling3d(dt.zeros([2, 4, 4, 4, 6]), 2).shape
        Shape([2, 8, 8, 8, 6])
    """

    data_format: str = "channels_last"

    input_rank = 5
    _rank = 3

    def check(self) -> None:
        """Look at factors and layout."""
        self._factors()
        check_layout(self._label(), self.data_format)

    def call(self, inputs: Tensor) -> Tensor:
        """Repeat."""
        return channels_last(self._repeated, inputs, 3, self.data_format == "channels_first", self._label())
