"""Two-dimensional pooling layers."""

from __future__ import annotations

from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Layer
from dovetail_layers.arguments import check_layout, pair
from dovetail_layers.images import avg_pool, max_pool

__all__ = ["AveragePooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "MaxPooling2D"]


class _Pooling2D(Layer):
    """What pooling layers have in common."""

    pool_size: int | tuple[int, int]
    strides: int | tuple[int, int]
    padding: str = "valid"
    data_format: str = "channels_last"

    input_rank = 4

    def check(self) -> None:
        """Look at numbers and names."""
        pair(self._label(), "pool_size", self.pool_size)
        pair(self._label(), "strides", self.strides)
        check_layout(self._label(), self.padding, self.data_format)

    @property
    def _layout(self) -> str:
        return "NHWC" if self.data_format == "channels_last" else "NCHW"


@final
class MaxPooling2D(_Pooling2D):
    """The maxima over windows of images.

    Args:
        pool_size: height and width of the window, or one number for both.
        strides: how far it moves.
        padding: ``"valid"`` or ``"same"``; padding is never a maximum.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 4, or the window does not fit.

    Example:
        >>> dt.layers.max_pooling2d(dt.zeros([8, 28, 28, 6]), 2, 2).shape
        Shape([8, 14, 14, 6])
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Maxima."""
        return max_pool(inputs, self.pool_size, self.strides, self.padding.upper(), self._layout)


@final
class AveragePooling2D(_Pooling2D):
    """The means over windows of images; padding does not count.

    Args:
        pool_size: height and width of the window, or one number for both.
        strides: how far it moves.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 4, or the window does not fit.

    Example:
        >>> dt.layers.average_pooling2d(dt.zeros([8, 28, 28, 6]), 2, 2).shape
        Shape([8, 14, 14, 6])
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Means."""
        return avg_pool(inputs, self.pool_size, self.strides, self.padding.upper(), self._layout)


class _GlobalPooling2D(Layer):
    """What layers that pool whole images have in common."""

    data_format: str = "channels_last"
    keepdims: bool = False

    input_rank = 4

    def check(self) -> None:
        """Look at the layout."""
        check_layout(self._label(), "valid", self.data_format)

    @property
    def _axes(self) -> tuple[int, int]:
        return (1, 2) if self.data_format == "channels_last" else (2, 3)


@final
class GlobalAveragePooling2D(_GlobalPooling2D):
    """The mean of each channel over whole images.

    Args:
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.
        keepdims: whether height and width stay, with size 1.

    Raises:
        ShapeError: the input has another rank than 4.

    Example:
        >>> dt.layers.global_average_pooling2d(dt.zeros([8, 7, 7, 64])).shape
        Shape([8, 64])
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Means."""
        return dt.reduce_mean(inputs, self._axes, keepdims=self.keepdims)


@final
class GlobalMaxPooling2D(_GlobalPooling2D):
    """The maximum of each channel over whole images.

    Args:
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.
        keepdims: whether height and width stay, with size 1.

    Raises:
        ShapeError: the input has another rank than 4.

    Example:
        >>> dt.layers.global_max_pooling2d(dt.zeros([8, 7, 7, 64])).shape
        Shape([8, 64])
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Maxima."""
        return dt.reduce_max(inputs, self._axes, keepdims=self.keepdims)
