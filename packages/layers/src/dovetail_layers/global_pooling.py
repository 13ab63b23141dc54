"""Layers that pool whole images, of one to three spatial axes."""

from __future__ import annotations

from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Layer
from dovetail_layers.arguments import check_layout

__all__ = [
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
]


class _GlobalPooling(Layer):
    """What layers that pool whole images have in common."""

    data_format: str = "channels_last"
    keepdims: bool = False

    def check(self) -> None:
        """Look at the layout."""
        check_layout(self._label(), self.data_format)

    @property
    def _axes(self) -> list[int]:
        assert self.input_rank is not None
        begin = 1 if self.data_format == "channels_last" else 2
        return list(range(begin, begin + self.input_rank - 2))


class _GlobalAveragePooling(_GlobalPooling):
    """What layers of means have in common."""

    floating_inputs = True

    def call(self, inputs: Tensor) -> Tensor:
        """Means."""
        return dt.reduce_mean(inputs, self._axes, keepdims=self.keepdims)


class _GlobalMaxPooling(_GlobalPooling):
    """What layers of maxima have in common."""

    def call(self, inputs: Tensor) -> Tensor:
        """Maxima."""
        return dt.reduce_max(inputs, self._axes, keepdims=self.keepdims)


@final
class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean of each channel over whole sequences.

    Args:
        data_format: ``"channels_last"``, sequences of shape ``[batch, width, channels]``, or ``"channels_first"``.
        keepdims: whether the width stays, with size 1.

    Raises:
        ShapeError: the input has another rank than 3.

    Example:
        >>> dt.layers.global_average_pooling1d(dt.zeros([8, 100, 64])).shape
        Shape([8, 64])
    """

    input_rank = 3


@final
class GlobalAveragePooling2D(_GlobalAveragePooling):
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

    input_rank = 4


@final
class GlobalAveragePooling3D(_GlobalAveragePooling):
    """The mean of each channel over whole volumes.

    Args:
        data_format: ``"channels_last"``, volumes of shape ``[batch, depth, height, width, channels]``, or
            ``"channels_first"``.
        keepdims: whether the spatial axes stay, with size 1.

    Raises:
        ShapeError: the input has another rank than 5.

    Example:
        >>> dt.layers.global_average_pooling3d(dt.zeros([8, 4, 7, 7, 64])).shape
        Shape([8, 64])
    """

    input_rank = 5


@final
class GlobalMaxPooling1D(_GlobalMaxPooling):
    """The maximum of each channel over whole sequences.

    Args:
        data_format: ``"channels_last"``, sequences of shape ``[batch, width, channels]``, or ``"channels_first"``.
        keepdims: whether the width stays, with size 1.

    Raises:
        ShapeError: the input has another rank than 3.

    Example:
        >>> dt.layers.global_max_pooling1d(dt.zeros([8, 100, 64])).shape
        Shape([8, 64])
    """

    input_rank = 3


@final
class GlobalMaxPooling2D(_GlobalMaxPooling):
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

    input_rank = 4


@final
class GlobalMaxPooling3D(_GlobalMaxPooling):
    """The maximum of each channel over whole volumes.

    Args:
        data_format: ``"channels_last"``, volumes of shape ``[batch, depth, height, width, channels]``, or
            ``"channels_first"``.
        keepdims: whether the spatial axes stay, with size 1.

    Raises:
        ShapeError: the input has another rank than 5.

    Example:
        >>> dt.layers.global_max_pooling3d(dt.zeros([8, 4, 7, 7, 64])).shape
        Shape([8, 64])
    """

    input_rank = 5
