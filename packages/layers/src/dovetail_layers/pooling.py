"""Pooling layers over one to three spatial axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, final

from dovetail import Tensor
from dovetail.extend import Layer, average_pool, max_pool
from dovetail_layers.arguments import check_layout, per_axis
from dovetail_layers.pools import pooled

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]


class _Pooling(Layer):
    """What pooling layers have in common."""

    pool_size: int | tuple[int, ...] = 2
    strides: int | tuple[int, ...] | None = None
    padding: str = "valid"
    data_format: str = "channels_last"

    _rank: ClassVar[int]

    def check(self) -> None:
        """Look at numbers and names."""
        self._values("pool_size")
        if self.strides is not None:
            self._values("strides")
        check_layout(self._label(), self.data_format, self.padding)

    def _values(self, name: str) -> tuple[int, ...]:
        return per_axis(self._label(), name, self.__dict__[name], self._rank)

    def _pooled(self, function: Callable[..., Tensor], inputs: Tensor) -> Tensor:
        window = self._values("pool_size")
        steps = window if self.strides is None else self._values("strides")
        padding, name = self.padding.upper(), self._label()
        return pooled(name, function, self._rank, inputs, window, steps, padding, self.data_format, name)


class _MaxPooling(_Pooling):
    """What layers of maxima have in common."""

    def call(self, inputs: Tensor) -> Tensor:
        """Maxima."""
        return self._pooled(max_pool, inputs)


class _AveragePooling(_Pooling):
    """What layers of means have in common."""

    floating_inputs = True

    def call(self, inputs: Tensor) -> Tensor:
        """Means."""
        return self._pooled(average_pool, inputs)


@final
class MaxPooling1D(_MaxPooling):
    """The maxima over windows of sequences; padding is never a maximum.

    Args:
        pool_size: width of the window.
        strides: how far it moves; by as much as its size by default.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, sequences of shape ``[batch, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 3, or the window does not fit.

    Example:
        >>> dt.layers.max_pooling1d(dt.zeros([8, 28, 6]), 2, 2).shape
        Shape([8, 14, 6])
    """

    input_rank = 3
    _rank = 1


@final
class MaxPooling2D(_MaxPooling):
    """The maxima over windows of images; padding is never a maximum.

    Args:
        pool_size: height and width of the window, or one number for both.
        strides: how far it moves; by as much as its size by default.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 4, or the window does not fit.

    Example:
        >>> dt.layers.max_pooling2d(dt.zeros([8, 28, 28, 6]), 2, 2).shape
        Shape([8, 14, 14, 6])
    """

    input_rank = 4
    _rank = 2


@final
class MaxPooling3D(_MaxPooling):
    """The maxima over windows of volumes; padding is never a maximum.

    Args:
        pool_size: sizes of the window, or one number for all three.
        strides: how far it moves; by as much as its size by default.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, volumes of shape ``[batch, depth, height, width, channels]``, or
            ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 5, or the window does not fit.

    Example:
        >>> dt.layers.max_pooling3d(dt.zeros([2, 8, 8, 8, 6]), 2, 2).shape
        Shape([2, 4, 4, 4, 6])
    """

    input_rank = 5
    _rank = 3


@final
class AveragePooling1D(_AveragePooling):
    """The means over windows of sequences; padding does not count.

    Args:
        pool_size: width of the window.
        strides: how far it moves; by as much as its size by default.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, sequences of shape ``[batch, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 3, or the window does not fit.

    Example:
        >>> dt.layers.average_pooling1d(dt.zeros([8, 28, 6]), 2, 2).shape
        Shape([8, 14, 6])
    """

    input_rank = 3
    _rank = 1


@final
class AveragePooling2D(_AveragePooling):
    """The means over windows of images; padding does not count.

    Args:
        pool_size: height and width of the window, or one number for both.
        strides: how far it moves; by as much as its size by default.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 4, or the window does not fit.

    Example:
        >>> dt.layers.average_pooling2d(dt.zeros([8, 28, 28, 6]), 2, 2).shape
        Shape([8, 14, 14, 6])
    """

    input_rank = 4
    _rank = 2


@final
class AveragePooling3D(_AveragePooling):
    """The means over windows of volumes; padding does not count.

    Args:
        pool_size: sizes of the window, or one number for all three.
        strides: how far it moves; by as much as its size by default.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, volumes of shape ``[batch, depth, height, width, channels]``, or
            ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 5, or the window does not fit.

    Example:
        >>> dt.layers.average_pooling3d(dt.zeros([2, 8, 8, 8, 6]), 2, 2).shape
        Shape([2, 4, 4, 4, 6])
    """

    input_rank = 5
    _rank = 3
