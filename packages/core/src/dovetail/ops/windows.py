"""Windows that slide over spatial axes, as convolutions and pooling share them: sizes, padding, and what they meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product as cartesian
from typing import Any, TypeAlias, final

import numpy as np

from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.graph.op import Array
from dovetail.types.dims import Dim, ceil_div, dim_max, floor_div
from dovetail.types.shapes import demand

__all__ = ["Padding", "Window", "as_padding", "as_spatial"]

Padding: TypeAlias = str | tuple[tuple[int, int], ...]
"""``"SAME"``, ``"VALID"``, or for each spatial axis how many elements are added before and after."""


@final
class Window:
    """The geometry of a sliding window: for each spatial axis its size, stride and dilation; and the padding.

    Args:
        operation: the name that errors begin with.
        sizes: elements of the window along each axis.
        strides: how far it moves.
        dilations: distances between neighbouring elements.
        padding: ``"SAME"`` adds as much as makes ``ceil(n / stride)`` positions, of an odd number the more at the end;
            ``"VALID"`` adds nothing.

    Example:
        >>> window = Window("conv", (3,), (2,), (1,), "SAME")
        >>> window.positions([28]), window.padding_for([28])
        ((14,), ((0, 1),))
    """

    __slots__ = ("dilations", "operation", "padding", "sizes", "strides")

    def __init__(
        self, operation: str, sizes: Sequence[Dim], strides: Sequence[int], dilations: Sequence[int], padding: Padding
    ) -> None:
        """Describe a window."""
        self.operation = operation
        self.sizes = tuple(sizes)
        self.strides = tuple(strides)
        self.dilations = tuple(dilations)
        self.padding = padding

    @property
    def extents(self) -> tuple[Dim, ...]:
        """How many elements of the input each axis of the window spans."""
        return tuple([(size - 1) * dilation + 1 for size, dilation in zip(self.sizes, self.dilations, strict=True)])

    def check(self, rank: int) -> None:
        """Make sure that the window has ``rank`` axes and is well-formed.

        Raises:
            ShapeError: another number of axes, or a stride, dilation or size that is no int of at least 1.
            InvalidArgumentError: the padding has another form.
        """
        for what, values in (("window", self.sizes), ("strides", self.strides), ("dilations", self.dilations)):
            if len(values) != rank:
                raise ShapeError(
                    f"{self.operation}: {what} {list(values)} does not fit {rank} spatial axes. Give one for each."
                )
            if any(isinstance(value, int) and value < 1 for value in values):
                raise ShapeError(f"{self.operation}: {what} {list(values)} holds a value below 1. Use 1 or more.")
        if self.padding not in ("SAME", "VALID"):
            _check_pairs(self.operation, self.padding, rank)

    def positions(self, spatial: Sequence[Dim]) -> tuple[Dim, ...]:
        """Give how many positions the window has along each axis.

        Args:
            spatial: sizes of the input, ints or symbolic.

        Raises:
            ShapeError: the window is larger than the padded input.
        """
        return tuple([self.positions_of(axis, size) for axis, size in enumerate(spatial)])

    def positions_of(self, axis: int, size: Dim) -> Dim:
        """Give how many positions the window has along one axis.

        Raises:
            ShapeError: the window is larger than the padded axis.
        """
        stride = self.strides[axis]
        if self.padding == "SAME":
            return ceil_div(size, stride)
        room = size + sum(self._given(axis)) - self.extents[axis]
        demand("nonnegative", room, 0, lambda: self._too_large(axis, size))
        return floor_div(room, stride) + 1

    def _too_large(self, axis: int, size: Dim) -> str:
        before, after = self._given(axis)
        padded = f", padded by {before} and {after}" if before or after else ""
        spread = f" at dilation {self.dilations[axis]}" if self.dilations[axis] > 1 else ""
        return (
            f"{self.operation}: the window ({self.sizes[axis]}{spread}) is larger than spatial axis {axis} of the "
            f"input ({size}{padded}). Use padding 'SAME', a smaller window, or larger inputs."
        )

    def _given(self, axis: int) -> tuple[int, int]:
        padding = self.padding
        return padding[axis] if isinstance(padding, tuple) else (0, 0)

    def padding_of(self, axis: int, size: Dim) -> tuple[Dim, Dim]:
        """Give how many elements are added before and after one axis of an input of this size."""
        if self.padding != "SAME":
            return self._given(axis)
        stride = self.strides[axis]
        total = dim_max((ceil_div(size, stride) - 1) * stride + self.extents[axis] - size, 0)
        before = floor_div(total, 2)
        return before, total - before

    def padding_for(self, spatial: Sequence[Dim]) -> tuple[tuple[Dim, Dim], ...]:
        """Give how many elements are added before and after each axis of an input of these sizes."""
        return tuple([self.padding_of(axis, size) for axis, size in enumerate(spatial)])

    def inverse(self, positions: Sequence[Dim]) -> tuple[Dim, ...]:
        """Give the largest input for ``"SAME"``, else the smallest, over which the window has so many positions."""
        result: list[Dim] = []
        for axis, (count, extent, stride) in enumerate(zip(positions, self.extents, self.strides, strict=True)):
            result.append(
                count * stride if self.padding == "SAME" else (count - 1) * stride + extent - sum(self._given(axis))
            )
        return tuple(result)

    def taps_of_axis(self, axis: int, size: int, positions: int) -> list[tuple[slice, slice]]:
        """Give, for each element of the window along an axis, the positions at which it meets the input, and where.

        Each pair holds a slice of the positions and a slice, of the same length, of the input without padding.
        """
        stride, dilation = self.strides[axis], self.dilations[axis]
        before = int(self.padding_of(axis, size)[0])
        result = []
        for index in range(self.sizes[axis]):
            shift = index * dilation - before
            first = max(0, -(shift // stride))
            last = max(first, min(positions, (size - 1 - shift) // stride + 1))
            start = first * stride + shift
            stop = start + (last - first - 1) * stride + 1 if last > first else start
            result.append((slice(first, last), slice(start, stop, stride)))
        return result

    def taps(self, spatial: Sequence[int], positions: Sequence[int]) -> Iterator[tuple[Any, Any, Any]]:
        """Iterate over the elements of the window.

        Yields:
            The index of the element; an index of the positions at which it meets the input; and an index of the input,
            without padding, that gives what it meets there. The last two are for arrays
            ``[batch, *spatial, channels]``.
        """
        axes = [self.taps_of_axis(axis, *sizes) for axis, sizes in enumerate(zip(spatial, positions, strict=True))]
        for index in cartesian(*(range(len(axis)) for axis in axes)):
            met = [axis[i] for axis, i in zip(axes, index, strict=True)]
            yield index, (slice(None), *(one for one, _ in met)), (slice(None), *(other for _, other in met))

    def view(self, x: Array) -> Array:
        """Give a view ``[batch, *positions, *window, channels]`` of an array ``[batch, *spatial, channels]``.

        The array is copied once where padding is added, and not at all otherwise.
        """
        rank = len(self.sizes)
        spatial = x.shape[1:-1]
        positions = self.positions(spatial)
        padding = self.padding_for(spatial)
        if any(before or after for before, after in padding):
            padded = np.zeros(
                (x.shape[0], *(n + b + a for n, (b, a) in zip(spatial, padding, strict=True)), x.shape[-1]), x.dtype
            )
            padded[(slice(None), *(slice(b, b + n) for n, (b, _) in zip(spatial, padding, strict=True)))] = x
            x = padded
        steps = x.strides[1:-1]
        return np.lib.stride_tricks.as_strided(
            x,
            (x.shape[0], *map(int, positions), *map(int, self.sizes), x.shape[-1]),
            (
                x.strides[0],
                *(steps[i] * self.strides[i] for i in range(rank)),
                *(steps[i] * self.dilations[i] for i in range(rank)),
                x.strides[-1],
            ),
            writeable=False,
        )


def as_spatial(operation: str, what: str, value: Any, rank: int | None) -> tuple[int, ...]:
    """Return an argument with one value for each spatial axis, or one for all of them, as a tuple.

    Args:
        operation: the name that errors begin with.
        what: the argument's name.
        value: an int or several.
        rank: the number of spatial axes; ``None`` where it is unknown.

    Raises:
        ShapeError: the value is of another kind, or not one for each axis.
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        if rank is None:
            raise ShapeError(
                f"{operation}: {what} is {value}, and the number of spatial axes is not known. "
                f"Give a tuple of one value for each."
            )
        return (int(value),) * rank
    if not isinstance(value, list | tuple | np.ndarray) or not all(
        isinstance(one, int | np.integer) and not isinstance(one, bool) for one in value
    ):
        raise ShapeError(
            f"{operation}: {what} is {value!r}. Use an int, or a tuple of ints, one for each spatial axis."
        )
    return tuple([int(one) for one in value])


def as_padding(operation: str, padding: Any) -> Padding:
    """Return a padding as an attribute: ``"SAME"``, ``"VALID"`` in any case of letters, or a tuple of pairs.

    Raises:
        InvalidArgumentError: it is of another form.
    """
    if isinstance(padding, str):
        if padding.upper() not in ("SAME", "VALID"):
            raise InvalidArgumentError(_padding_advice(operation, padding))
        return padding.upper()
    try:
        pairs = tuple([(int(before), int(after)) for before, after in padding])
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(_padding_advice(operation, padding)) from error
    _check_pairs(operation, pairs, len(pairs))
    return pairs


def _check_pairs(operation: str, padding: Any, rank: int) -> None:
    if (
        not isinstance(padding, tuple)
        or len(padding) != rank
        or any(len(pair) != 2 or min(pair) < 0 for pair in padding)
    ):
        raise InvalidArgumentError(_padding_advice(operation, padding))


def _padding_advice(operation: str, padding: Any) -> str:
    return (
        f"{operation}: padding is {padding!r}. Use 'SAME', 'VALID', or for each spatial axis a pair: "
        f"how many elements to add before and after, at least 0."
    )
