"""Bands of an image's rows, with the zeros around them, in a thread's scratch memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

from dovetail.kernels import Dim
from dovetail_backend_cpu.templates.arithmetic import Arithmetic
from dovetail_backend_cpu.templates.phase import PhaseWriter, Value
from dovetail_backend_cpu.templates.sliding import Axis

__all__ = ["Band", "Bands", "copy_run", "fill_run"]


@final
class Band:
    """Where the source of some rows of positions is.

    Attributes:
        pointer: the place that the first position meets first.
        arithmetic: how it is loaded.
        plane: elements from one place to the next along the first axis.
        row: along the second axis.
    """

    __slots__ = ("arithmetic", "plane", "pointer", "row")

    def __init__(self, pointer: str, arithmetic: Arithmetic, plane: Value, row: Value) -> None:
        """Describe a band."""
        self.pointer = pointer
        self.arithmetic = arithmetic
        self.plane = plane
        self.row = row


@final
class Bands:
    """The bands of a source ``[batch, *spatial, channels]``: the source itself where nothing is added around it.

    Args:
        axes: three spatial axes.
        channels: of a band.
        arithmetic: of the source.
        computed: of what is copied.
        budget: about how many bytes of rows may be copied.
        beyond: how many elements beyond the last may be read.
        repeat: how often each channel of the source stands in a band, one after the other.
    """

    __slots__ = ("arithmetic", "axes", "beyond", "channels", "computed", "copies", "repeat", "rows")

    def __init__(
        self,
        axes: Sequence[Axis],
        channels: int,
        arithmetic: Arithmetic,
        computed: Arithmetic,
        budget: int,
        beyond: int = 0,
        repeat: int = 1,
    ) -> None:
        """Choose how many rows of positions a band has."""
        self.axes = tuple(axes)
        self.channels = channels
        self.arithmetic = arithmetic
        self.computed = computed
        self.beyond = beyond
        self.repeat = repeat
        self.copies = beyond > 0 or repeat > 1 or arithmetic.converts or not all(axis.inside for axis in axes)
        first, second, third = axes
        self.rows = 8
        if isinstance(third.span, int):
            fit = budget // max(1, first.extent * third.span * channels * computed.bytes)
            self.rows = max(1, (fit - second.extent) // second.step + 1)
        if isinstance(second.positions, int):
            self.rows = max(1, min(self.rows, second.positions))

    @property
    def size(self) -> Dim:
        """Elements of a copied band, rounded up."""
        first, second, third = self.axes
        rows = (self.rows - 1) * second.step + second.extent
        size = first.extent * rows * third.span * self.channels + self.beyond
        return size if not isinstance(size, int) else -(-size // 16) * 16

    def sources(self, phase: PhaseWriter) -> None:
        """Compute sizes in the entry block."""
        for axis in self.axes:
            for dim in (axis.size, axis.span, axis.low, axis.positions):
                phase.dim(dim)
            for part in axis.parts:
                phase.dim(part.positions)

    def make(
        self, phase: PhaseWriter, source: str, image: Value, place: tuple[Value, Value], rows: Value, target: str
    ) -> Band:
        """Write the copying of a band.

        Args:
            phase: where it is written.
            source: the pointer of all images.
            image: which one.
            place: the first position along the first and second axis.
            rows: how many along the second.
            target: where it may be copied to.
        """
        first, second, third = self.axes
        sizes = [phase.dim(axis.size) for axis in self.axes]
        channels = self.channels // self.repeat
        row = phase.multiply(sizes[2], channels)
        plane = phase.multiply(sizes[1], row)
        start = phase.at(self.arithmetic.stored, source, phase.multiply(image, phase.multiply(sizes[0], plane)))
        z = phase.multiply(place[0], first.step)
        y = phase.multiply(place[1], second.step)
        if not self.copies:
            offset = phase.add(phase.multiply(z, plane), phase.multiply(y, row))
            return Band(phase.at(self.arithmetic.stored, start, offset), self.arithmetic, plane, row)
        height = phase.add(phase.multiply(phase.subtract(rows, 1), second.step), second.extent)
        width = phase.dim(third.span)
        band_row = phase.multiply(width, self.channels)
        band_plane = phase.multiply(height, band_row)
        z, y = phase.add(z, phase.dim(first.low)), phase.add(y, phase.dim(second.low))
        low = phase.dim(third.low)
        begin = phase.minimum(phase.maximum(phase.subtract(0, low), 0), width)
        end = phase.maximum(phase.minimum(phase.subtract(sizes[2], low), width), begin)
        with (
            phase.write.loop("0", str(first.extent), metadata=phase.no_unrolling(), at_least_once=True) as planes,
            phase.write.loop("0", str(height), metadata=phase.no_unrolling()) as lines,
        ):
            at_z, at_y = phase.add(z, planes.index), phase.add(y, lines.index)
            there = phase.write.value(
                f"and i1 {phase.compare('ult', at_z, sizes[0])}, {phase.compare('ult', at_y, sizes[1])}"
            )
            here = phase.multiply(phase.select(there, begin, width), self.channels)
            stop = phase.multiply(phase.select(there, end, width), self.channels)
            to = phase.at(
                self.computed.type,
                target,
                phase.multiply(planes.index, band_plane),
                phase.multiply(lines.index, band_row),
            )
            offset = phase.add(phase.multiply(at_z, plane), phase.multiply(at_y, row))
            column = phase.multiply(phase.add(begin, low), channels)
            line = phase.at(self.arithmetic.stored, start, offset, column)
            fill_run(phase, self.computed, to, here)
            copy_run(
                phase,
                self.arithmetic,
                line,
                phase.at(self.computed.type, to, here),
                phase.multiply(phase.select(there, phase.subtract(end, begin), 0), channels),
                self.repeat,
            )
            fill_run(phase, self.computed, phase.at(self.computed.type, to, stop), phase.subtract(band_row, stop))
        return Band(target, self.computed, band_plane, band_row)


def fill_run(phase: PhaseWriter, arithmetic: Arithmetic, target: str, count: Value) -> None:
    """Write zeros."""
    _by_vectors(
        phase, arithmetic.lanes, count, lambda index, width: _put(phase, arithmetic, target, index, width, None)
    )


def copy_run(
    phase: PhaseWriter, arithmetic: Arithmetic, source: str, target: str, count: Value, repeat: int = 1
) -> None:
    """Copy elements that lie side by side, each so often, converting them to the type that is computed with."""

    def one(index: Value, width: int) -> None:
        value = arithmetic.load(phase.write, phase.at(arithmetic.stored, source, index), width)
        begin = phase.multiply(index, repeat)
        for number in range(repeat):
            places = [(number * width + lane) // repeat for lane in range(width)]
            picked = value if repeat == 1 or width == 1 else arithmetic.shuffle(phase.write, value, width, places)
            _put(phase, arithmetic, target, phase.add(begin, number * width), width, picked)

    _by_vectors(phase, arithmetic.lanes, count, one)


def _put(phase: PhaseWriter, arithmetic: Arithmetic, target: str, index: Value, width: int, value: str | None) -> None:
    place = phase.at(arithmetic.type, target, index)
    value = arithmetic.zeros(width) if value is None else value
    phase.write.do(f"store {arithmetic.vector_type(width)} {value}, ptr {place}, align {arithmetic.bytes}")


def _by_vectors(phase: PhaseWriter, lanes: int, count: Value, one: Callable[[Value, int], None]) -> None:
    whole = phase.multiply(phase.divide(phase.maximum(count, 0), lanes), lanes)
    with phase.write.loop("0", str(whole), lanes, metadata=phase.no_unrolling()) as loop:
        one(loop.index, lanes)
    with phase.write.loop(str(whole), str(count), metadata=phase.no_unrolling()) as loop:
        one(loop.index, 1)
