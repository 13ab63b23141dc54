"""Adaptive pooling layers: as many windows as are asked for, of one to three spatial axes."""

from __future__ import annotations

from typing import Any, ClassVar, final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Layer, average_pool, dims, max_pool
from dovetail_layers.arguments import check_layout, per_axis
from dovetail_layers.spatial import channels_last
from dovetail_layers.weighing import as_dtype_on, module_for, numbered, picked_windows, weighed_picks

__all__ = [
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
]


class _AdaptivePooling(Layer):
    """What adaptive pooling layers have in common.

    Along an axis of size n, window i of m spans ``i n // m`` to ``ceil((i + 1) n / m)``, as in PyTorch.
    """

    output_size: int | tuple[int, ...]
    data_format: str = "channels_last"

    _rank: ClassVar[int]
    _mean: ClassVar[bool]

    def check(self) -> None:
        """Look at sizes and layout."""
        per_axis(self._label(), "output_size", self.output_size, self._rank)
        check_layout(self._label(), self.data_format)

    def call(self, inputs: Tensor) -> Tensor:
        """Plain pooling where the windows are equal, else one axis after the other."""
        first = self.data_format == "channels_first"
        return channels_last(self._pooled, inputs, self._rank, first, self._label())

    def _pooled(self, x: Tensor, name: str | None) -> Tensor:
        wanted = per_axis(self._label(), "output_size", self.output_size, self._rank)
        spatial = x.shape.dims[1:-1]
        even = all(isinstance(size, int) and size % count == 0 for size, count in zip(spatial, wanted, strict=True))
        if even and 0 not in spatial:
            window = [size // count for size, count in zip(spatial, wanted, strict=True)]
            return (average_pool if self._mean else max_pool)(x, window, name=name)
        with dt.name_scope(name or self._label()):
            for axis, count in enumerate(wanted, 1):
                x = self._pooled_axis(x, axis, count)
        return x

    def _pooled_axis(self, x: Tensor, axis: int, count: int) -> Tensor:
        """Gather windows as long as the longest, and leave out what is beyond the end of the shorter ones."""
        size: Any = x.shape.dims[axis]
        on = module_for(size)
        window = numbered(on, count, dt.int32)
        start = window * size // count
        stop = ((window + 1) * size + (count - 1)) // count
        places = on.expand_dims(start, 1) + numbered(on, dims.ceil_div(size, count) + 1, dt.int32)
        # The last element of a window once more is no other maximum, and has no weight in a mean.
        picks = on.minimum(places, on.expand_dims(stop - 1, 1))
        if not self._mean:
            return dt.reduce_max(picked_windows(x, axis, picks), axis + 1)
        inside = as_dtype_on(on, on.less(places, on.expand_dims(stop, 1)), dt.float64)
        share = inside / as_dtype_on(on, on.expand_dims(stop - start, 1), dt.float64)
        return weighed_picks(x, axis, picks, share)


class _AdaptiveAveragePooling(_AdaptivePooling):
    """What layers of means have in common."""

    floating_inputs = True
    _mean = True


class _AdaptiveMaxPooling(_AdaptivePooling):
    """What layers of maxima have in common."""

    _mean = False


@final
class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """The means over so many windows of sequences as are asked for, which meet or overlap by one element.

    Args:
        output_size: how many windows.
        data_format: ``"channels_last"``, sequences of shape ``[batch, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 3.

    Example:
        >>> dt.layers.adaptive_average_pooling1d(dt.zeros([8, 100, 6]), 7).shape
        Shape([8, 7, 6])
    """

    input_rank = 3
    _rank = 1


@final
class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """The means over so many windows of images as are asked for, which meet or overlap by one element.

    Args:
        output_size: how many windows down and across, or one number for both.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 4.

    Example:
        >>> dt.layers.adaptive_average_pooling2d(dt.zeros([8, 28, 30, 6]), (7, 8)).shape
        Shape([8, 7, 8, 6])
    """

    input_rank = 4
    _rank = 2


@final
class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """The means over so many windows of volumes as are asked for, which meet or overlap by one element.

    Args:
        output_size: how many windows along each axis, or one number for all three.
        data_format: ``"channels_last"``, volumes of shape ``[batch, depth, height, width, channels]``, or
            ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 5.

    Example:
        >>> dt.layers.adaptive_average_pooling3d(dt.zeros([2, 8, 9, 10, 6]), 4).shape
        Shape([2, 4, 4, 4, 6])
    """

    input_rank = 5
    _rank = 3


@final
class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """The maxima over so many windows of sequences as are asked for, which meet or overlap by one element.

    Args:
        output_size: how many windows.
        data_format: ``"channels_last"``, sequences of shape ``[batch, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 3.

    Example:
        >>> dt.layers.adaptive_max_pooling1d(dt.zeros([8, 100, 6]), 7).shape
        Shape([8, 7, 6])
    """

    input_rank = 3
    _rank = 1


@final
class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """The maxima over so many windows of images as are asked for, which meet or overlap by one element.

    Args:
        output_size: how many windows down and across, or one number for both.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 4.

    Example:
        >>> dt.layers.adaptive_max_pooling2d(dt.zeros([8, 28, 30, 6]), (7, 8)).shape
        Shape([8, 7, 8, 6])
    """

    input_rank = 4
    _rank = 2


@final
class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """The maxima over so many windows of volumes as are asked for, which meet or overlap by one element.

    Args:
        output_size: how many windows along each axis, or one number for all three.
        data_format: ``"channels_last"``, volumes of shape ``[batch, depth, height, width, channels]``, or
            ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 5.

    Example:
        >>> dt.layers.adaptive_max_pooling3d(dt.zeros([2, 8, 9, 10, 6]), 4).shape
        Shape([2, 4, 4, 4, 6])
    """

    input_rank = 5
    _rank = 3
