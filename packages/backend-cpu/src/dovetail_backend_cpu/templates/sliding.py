"""``Axis``: how the positions of a window along one axis meet a source, for a convolution and for its derivatives.

The gradient of a strided convolution with respect to its images is, for each remainder of the output's index by the
stride, a convolution without stride over the gradient, with every so-manieth element of the window in reverse. Such a
part, and the convolution itself as the only part of its axis, are described alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

from dovetail.kernels import Dim, Window, dim_max, floor_div, is_nonnegative
from dovetail_backend_cpu.templates.phase import PhaseWriter, Value

__all__ = ["Axis", "Part", "choose", "forward_axes", "gradient_axes"]

_RANK = 3


@final
class Part:
    """Output positions that meet the source with the same elements of the window.

    Attributes:
        first: the place in the source that its first position meets first; may lie outside.
        positions: how many there are.
        taps: the elements of the window, in the order of the places that they meet.
    """

    __slots__ = ("first", "positions", "taps")

    def __init__(self, first: Dim, positions: Dim, taps: Sequence[int]) -> None:
        """Describe a part."""
        self.first = first
        self.positions = positions
        self.taps = tuple(taps)


@final
class Axis:
    """A spatial axis.

    Attributes:
        size: of the source.
        window: elements of the window.
        step: how far apart neighbouring positions of a part begin in the source.
        spread: how far apart its neighbouring elements of the window meet the source.
        parts: part ``r`` computes the outputs at ``r``, ``r + len(parts)``, ….
        low: the first place in the source that any part meets.
        extent: how many places a position meets, counting all parts.
        span: how many places all positions meet.
        positions: the most that a part has.
    """

    __slots__ = ("extent", "low", "parts", "positions", "size", "span", "spread", "step", "window")

    def __init__(self, size: Dim, window: int, step: int, spread: int, parts: Sequence[Part]) -> None:
        """Describe an axis."""
        self.size = size
        self.window = window
        self.step = step
        self.spread = spread
        self.parts = tuple(parts)
        firsts = [part.first for part in parts]
        self.low: Dim = firsts[0] if len(parts) == 1 else min(first for first in firsts if isinstance(first, int))
        reach = [self.shift(index) + (max(len(part.taps), 1) - 1) * spread + 1 for index, part in enumerate(parts)]
        self.extent: int = max(reach)
        self.span: Dim = dim_max(
            1, *(one + (part.positions - 1) * step for one, part in zip(reach, parts, strict=True))
        )
        self.positions: Dim = dim_max(*(part.positions for part in parts))

    def shift(self, part: int) -> int:
        """Return how far from ``low`` a part begins."""
        shift = self.parts[part].first - self.low
        assert isinstance(shift, int)
        return shift

    @property
    def inside(self) -> bool:
        """Whether it is sure that only places of the source are met."""
        return self.low == 0 and is_nonnegative(self.size - self.span)


def forward_axes(window: Window, spatial: Sequence[Dim]) -> list[Axis] | None:
    """Describe a convolution over a source of these sizes; axes of size 1 come before, to make three.

    Returns:
        The axes, or ``None`` where the window's size is not known.
    """
    axes = [Axis(1, 1, 1, 1, [Part(0, 1, [0])])] * (_RANK - len(spatial))
    for axis, (size, count, step, spread) in enumerate(
        zip(spatial, window.sizes, window.strides, window.dilations, strict=True)
    ):
        if not isinstance(count, int):
            return None
        first = -window.padding_of(axis, size)[0]
        axes.append(Axis(size, count, step, spread, [Part(first, window.positions_of(axis, size), range(count))]))
    return axes


def gradient_axes(window: Window, spatial: Sequence[Dim], positions: Sequence[Dim]) -> list[Axis] | None:
    """Describe the gradient of a convolution with respect to images of sizes ``spatial``, over a gradient.

    Returns:
        The axes, or ``None`` where the window's size, or at a stride above 1 the padding, is not known.
    """
    axes = [Axis(1, 1, 1, 1, [Part(0, 1, [0])])] * (_RANK - len(spatial))
    for axis, (size, count, stride, dilation) in enumerate(
        zip(spatial, window.sizes, window.strides, window.dilations, strict=True)
    ):
        before = window.padding_of(axis, size)[0]
        if not isinstance(count, int) or not (stride == 1 or isinstance(before, int)):
            return None
        parts = []
        for rest in range(stride):
            taps = [
                tap for tap in reversed(range(count)) if stride == 1 or (rest + before - tap * dilation) % stride == 0
            ]
            first: Dim = floor_div(rest + before - taps[0] * dilation, stride) if taps else 0
            parts.append(Part(first, floor_div(size - rest + stride - 1, stride), taps))
        axes.append(Axis(positions[axis], count, 1, dilation // math.gcd(stride, dilation), parts))
    return axes


def choose(phase: PhaseWriter, index: Value, values: Sequence[Value]) -> Value:
    """Return ``values[index]``."""
    if isinstance(index, int):
        return values[index]
    result = values[-1]
    for number in reversed(range(len(values) - 1)):
        if values[number] != result or result != values[-1] or any(one != values[-1] for one in values[:number]):
            result = phase.select(phase.compare("eq", index, number), values[number], result)
    return result
