"""Layers that add zeros around images, or cut off their borders, of one to three spatial axes."""

from __future__ import annotations

from typing import Any, ClassVar, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import Layer
from dovetail_layers.arguments import check_layout

__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]


class _Border(Layer):
    """What layers that change the border of images have in common."""

    _rank: ClassVar[int]

    def _pairs_of(self, what: str, given: Any) -> tuple[tuple[int, int], ...]:
        """Return how many elements before and after each axis, as Keras takes them.

        One number is for all sides; in one dimension a pair is before and after, in more a number for each axis stands
        for both of its sides.
        """
        axes: Any = given
        if isinstance(given, int):
            axes = (given,) * self._rank
        elif self._rank == 1 and len(given) == 2 and all(isinstance(one, int) for one in given):
            axes = (given,)
        pairs = tuple([(one, one) if isinstance(one, int) else tuple(one) for one in axes])
        if len(pairs) != self._rank or any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
            wanted = "a pair" if self._rank == 1 else f"{self._rank} numbers or pairs"
            raise InvalidArgumentError(f"{self._label()}: {what} is {given}; give a number or {wanted}, not below 0.")
        return pairs


class _ZeroPadding(_Border):
    """What layers that add zeros have in common."""

    padding: int | tuple[Any, ...] = 1
    data_format: str = "channels_last"

    def check(self) -> None:
        """Look at numbers and layout."""
        self._pairs_of("padding", self.padding)
        check_layout(self._label(), self.data_format)

    def call(self, inputs: Tensor) -> Tensor:
        """Add zeros."""
        pairs = self._pairs_of("padding", self.padding)
        around = [(0, 0), *pairs, (0, 0)] if self.data_format == "channels_last" else [(0, 0), (0, 0), *pairs]
        return dt.pad(inputs, around)


class _Cropping(_Border):
    """What layers that cut off borders have in common."""

    cropping: int | tuple[Any, ...] = 1
    data_format: str = "channels_last"

    def check(self) -> None:
        """Look at numbers and layout."""
        self._pairs_of("cropping", self.cropping)
        check_layout(self._label(), self.data_format)

    def call(self, inputs: Tensor) -> Tensor:
        """Take what is left."""
        kept: list[Any] = [slice(None)] if self.data_format == "channels_last" else [slice(None), slice(None)]
        for axis, (before, after) in enumerate(self._pairs_of("cropping", self.cropping), len(kept)):
            size = inputs.shape.dims[axis]
            if isinstance(size, int) and before + after >= size:
                raise ShapeError(
                    f"{self._label()}: the input is {inputs.type}; cropping {self.cropping} leaves nothing of axis "
                    f"{axis}. Crop less."
                )
            kept.append(slice(before, size - after))
        return inputs[tuple(kept)]


@final
class ZeroPadding1D(_ZeroPadding):
    """Sequences with zeros around them.

    Args:
        padding: how many elements to add on each side, or the pair of how many before and after.
        data_format: ``"channels_last"``, sequences of shape ``[batch, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 3.
        InvalidArgumentError: there are not as many numbers, or one is negative.

    Example:
        >>> dt.layers.zero_padding1d(dt.zeros([8, 10, 6]), (2, 3)).shape
        Shape([8, 15, 6])
    """

    input_rank = 3
    _rank = 1


@final
class ZeroPadding2D(_ZeroPadding):
    """Images with zeros around them.

    Args:
        padding: how many elements to add on each side; or one for both sides of each axis, or a pair for each.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 4.
        InvalidArgumentError: there are not as many numbers, or one is negative.

    Example:
        >>> dt.layers.zero_padding2d(dt.zeros([8, 10, 10, 6]), ((1, 2), (3, 4))).shape
        Shape([8, 13, 17, 6])
    """

    input_rank = 4
    _rank = 2


@final
class ZeroPadding3D(_ZeroPadding):
    """Volumes with zeros around them.

    Args:
        padding: how many elements to add on each side; or one for both sides of each axis, or a pair for each.
        data_format: ``"channels_last"``, volumes of shape ``[batch, depth, height, width, channels]``, or
            ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 5.
        InvalidArgumentError: there are not as many numbers, or one is negative.

    Example:
        >>> dt.layers.zero_padding3d(dt.zeros([2, 4, 4, 4, 6]), 1).shape
        Shape([2, 6, 6, 6, 6])
    """

    input_rank = 5
    _rank = 3


@final
class Cropping1D(_Cropping):
    """Sequences without their borders.

    Args:
        cropping: how many elements to cut off on each side, or the pair of how many before and after.
        data_format: ``"channels_last"``, sequences of shape ``[batch, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 3, or nothing is left.
        InvalidArgumentError: there are not as many numbers, or one is negative.

    Example:
        >>> dt.layers.cropping1d(dt.zeros([8, 10, 6]), (2, 3)).shape
        Shape([8, 5, 6])
    """

    input_rank = 3
    _rank = 1


@final
class Cropping2D(_Cropping):
    """Images without their borders.

    Args:
        cropping: how many elements to cut off on each side; or one for both sides of each axis, or a pair for each.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 4, or nothing is left.
        InvalidArgumentError: there are not as many numbers, or one is negative.

    Example:
        >>> dt.layers.cropping2d(dt.zeros([8, 10, 10, 6]), ((1, 2), (3, 4))).shape
        Shape([8, 7, 3, 6])
    """

    input_rank = 4
    _rank = 2


@final
class Cropping3D(_Cropping):
    """Volumes without their borders.

    Args:
        cropping: how many elements to cut off on each side; or one for both sides of each axis, or a pair for each.
        data_format: ``"channels_last"``, volumes of shape ``[batch, depth, height, width, channels]``, or
            ``"channels_first"``.

    Raises:
        ShapeError: the input has another rank than 5, or nothing is left.
        InvalidArgumentError: there are not as many numbers, or one is negative.

    Example:
        >>> dt.layers.cropping3d(dt.zeros([2, 4, 4, 4, 6]), 1).shape
        Shape([2, 2, 2, 2, 6])
    """

    input_rank = 5
    _rank = 3
