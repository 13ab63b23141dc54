"""Gradients of convolutions with respect to their filters.

The rows of a tile are channels under neighbouring elements of the window, its columns filters, and the inner sum runs
over pixels. Images are taken in chunks of a fixed number, whose sums wait in the workspace; a second phase adds them in
order, so that the result does not depend on which thread took which chunk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

from dovetail.kernels import ConvFilterGrad, Dim, Symbol, Template, ceil_div, product
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Module
from dovetail_backend_cpu.templates.arithmetic import Arithmetic
from dovetail_backend_cpu.templates.bands import Band, Bands, fill_run
from dovetail_backend_cpu.templates.blocking import Rows, Tiling
from dovetail_backend_cpu.templates.finish import finish_tile
from dovetail_backend_cpu.templates.packing import pack_columns
from dovetail_backend_cpu.templates.phase import PhaseWriter, Value
from dovetail_backend_cpu.templates.plan import Phase, TemplatePlan
from dovetail_backend_cpu.templates.sliding import Axis, forward_axes
from dovetail_backend_cpu.templates.tile import Left, Level, Right, accumulate

__all__ = ["FilterGradient"]

_BAND_BYTES: Final = 96 * 1024
_CHUNK_PIXELS: Final = 1024
"""About how many pixels are summed before the sums go to memory for good."""


@final
class FilterGradient:
    """How a ``ConvFilterGrad`` template is written.

    Args:
        template: what is written.
        name: of the functions, before the number of the phase.
        machine: what it is written for.
        axes: three spatial axes.
    """

    @staticmethod
    def of(template: Template, name: str, machine: Machine) -> FilterGradient | None:
        """Return how a template is written, or ``None`` where sizes are not known that must be."""
        op = template.op
        assert isinstance(op, ConvFilterGrad)
        axes = forward_axes(op.geometry(op.sizes), template.inputs[0].dims[1:-1])
        if axes is None or not all(isinstance(dim, int) and dim > 0 for dim in template.output.dims):
            return None
        return FilterGradient(template, name, machine, axes)

    def __init__(self, template: Template, name: str, machine: Machine, axes: Sequence[Axis]) -> None:
        """Choose blocks."""
        op = template.op
        assert isinstance(op, ConvFilterGrad)
        self.template = template
        self.name = name
        self.machine = machine
        self.axes = tuple(axes)
        self.groups = op.groups
        *_, self.depth, self.filters = (int(dim) for dim in template.output.dims)
        self.outer = self.filters // self.groups
        self.channels = self.depth * self.groups
        self.arithmetic = Arithmetic(template.output.dtype, machine)
        self.computed = Arithmetic(self.arithmetic.computed, machine)
        # One channel in every group: products filter by filter, of bands that hold a channel once for each of its
        # filters; rows are elements of the window.
        self.depthwise = self.groups > 1 and self.depth == 1 and self.outer <= self.arithmetic.lanes // 2
        repeat = 1
        if self.depthwise:
            repeat, self.outer, self.channels, self.groups = self.outer, self.filters, self.filters, 1
        self.tiling = Tiling(machine, self.arithmetic, self.outer)
        self.panels = -(-self.outer // self.tiling.columns)
        beyond = self.tiling.columns if self.depthwise and self.outer % self.tiling.columns else 0
        self.bands = Bands(axes, self.channels, self.arithmetic, self.computed, _BAND_BYTES, beyond, repeat)
        # Neighbouring elements of the window meet neighbouring pixels, whose channels lie side by side.
        self.joint = self.depthwise or (axes[2].spread == 1 and self.groups == 1)
        self.apart = axes[2].spread * self.channels if self.depthwise else 1
        window = [axis.window for axis in axes]
        self.taps = window[:2] if self.joint else window
        self.rows = (window[2] if self.joint else 1) * self.depth
        self.packs = self.groups > 1 or self.outer != self.tiling.columns or self.arithmetic.converts
        pixels = product(axis.positions for axis in axes)
        self.chunk = max(1, _CHUNK_PIXELS // max(pixels, 1)) if isinstance(pixels, int) else 1
        self.together = 1
        if isinstance(pixels, int) and axes[0].positions == 1 and self.bands.rows == axes[1].positions:
            size = self.bands.size
            assert isinstance(size, int)
            fit = _BAND_BYTES // max(size * self.computed.bytes, pixels * self.tiling.columns * self.computed.bytes, 1)
            self.together = max(1, min(self.chunk, fit))
        self.chunks = ceil_div(template.inputs[0].dims[0], self.chunk)

    @property
    def places(self) -> int:
        """How many combinations there are of a panel and an element of the window's outer axes."""
        return self.groups * self.panels * math.prod(self.taps)

    @property
    def sums(self) -> int:
        """Elements that a chunk's sums take."""
        return self.places * self.rows * self.tiling.columns

    @property
    def band_bytes(self) -> Dim:
        """Bytes of the images that are worked on at a time."""
        return self.bands.size * self.together * self.computed.bytes if self.bands.copies else 0

    def plan(self) -> TemplatePlan:
        """Return the phases and the memory they need."""
        pixels = self.together * self.bands.rows * self.axes[2].positions
        gradient = pixels * self.tiling.columns * self.computed.bytes if self.packs else 0
        scratch = self.band_bytes + gradient
        workspace = self.chunks * (self.sums * self.computed.bytes)
        return TemplatePlan([Phase(f"{self.name}_0"), Phase(f"{self.name}_1")], scratch, workspace)

    def module(self) -> Module:
        """Write the phases."""
        module = Module()
        phase = PhaseWriter(module, self.template, f"{self.name}_0", self.machine, workspace=True)
        _Chunks(self, phase).write()
        phase.write.ret()
        phase = PhaseWriter(module, self.template, f"{self.name}_1", self.machine, workspace=True)
        self._write_sum(phase)
        phase.write.ret()
        return module

    def columns_from(self, phase: PhaseWriter, column: Value) -> Value:
        """Return how many filters of a group there are from one on."""
        if self.outer % self.tiling.columns == 0 or self.outer < self.tiling.columns:
            return self.outer
        return phase.subtract(self.outer, column)

    def _write_sum(self, phase: PhaseWriter) -> None:
        """Add the chunks' sums in order, and run the epilogue."""
        chunks = phase.dim(self.chunks)
        tiling, computed = self.tiling, self.computed
        type, width = computed.vector_type(tiling.lanes), tiling.lanes
        start, stop = phase.share(self.places * self.rows)
        with phase.write.loop(start, stop, metadata=phase.no_unrolling()) as unit:
            place, row = phase.split(unit.index, self.rows)
            panel, tap = phase.split(place, math.prod(self.taps))
            group, number = phase.split(panel, self.panels)
            source = phase.at(computed.type, phase.workspace, phase.multiply(unit.index, tiling.columns))
            carried = [(type, "zeroinitializer")] * tiling.vectors
            with phase.write.loop("0", str(chunks), carried=carried, metadata=phase.no_unrolling()) as chunk:
                here = phase.at(computed.type, source, phase.multiply(chunk.index, self.sums))
                chunk.next(
                    *(
                        computed.add(
                            phase.write,
                            one,
                            computed.load(phase.write, phase.at(computed.type, here, vector * width), width),
                            width,
                        )
                        for vector, one in enumerate(chunk.carried)
                    )
                )
            column = phase.multiply(number, tiling.columns)
            finish_tile(
                phase,
                chunk.results,
                [self._indices(phase, tap, row)],
                tiling.vectors,
                width,
                phase.add(phase.multiply(group, self.outer), column),
                self.columns_from(phase, column),
            )

    def _indices(self, phase: PhaseWriter, tap: Value, row: Value) -> Callable[[], Mapping[Symbol, Value]]:
        def indices() -> Mapping[Symbol, Value]:
            window = [axis.window for axis in self.axes]
            if self.joint:
                third, channel = phase.split(row, self.depth)
                rest = tap
            else:
                channel = row
                rest, third = phase.split(tap, window[2])
            first, second = phase.split(rest, window[1])
            axes = self.template.epilogue.axes[:-1]
            return dict(zip(axes, [*[first, second, third][3 - (len(axes) - 1) :], channel], strict=True))

        return indices


@final
class _Chunks:
    """The phase that sums over the pixels of each chunk of images."""

    def __init__(self, made: FilterGradient, phase: PhaseWriter) -> None:
        self.made = made
        self.phase = phase
        made.bands.sources(phase)
        self.batch = phase.dim(made.template.inputs[0].dims[0])
        self.chunks = phase.dim(made.chunks)
        self.positions = [phase.dim(axis.positions) for axis in made.axes]
        self.image = phase.dim(made.bands.size)
        self.gradients = phase.at("i8", phase.scratch, phase.dim(made.band_bytes))

    def write(self) -> None:
        """Divide chunks and panels among the threads."""
        phase, made = self.phase, self.made
        all = made.groups * made.panels
        start, stop = phase.share(phase.multiply(self.chunks, all))
        first, last = phase.segments(start, stop, all)
        with phase.write.loop(first, last, metadata=phase.no_unrolling()) as chunk:
            here, there = phase.within(chunk.index, start, stop, all)
            sums = phase.at(made.computed.type, phase.workspace, phase.multiply(chunk.index, made.sums))
            size = made.sums // all
            fill_run(
                phase,
                made.computed,
                phase.at(made.computed.type, sums, phase.multiply(here, size)),
                phase.multiply(phase.subtract(there, here), size),
            )
            image = phase.multiply(chunk.index, made.chunk)
            end = phase.minimum(phase.add(image, made.chunk), self.batch)
            with phase.write.loop(str(image), str(end), made.together, metadata=phase.no_unrolling()) as images:
                count = phase.minimum(phase.subtract(end, images.index), made.together) if made.together > 1 else 1
                with (
                    phase.write.loop("0", str(self.positions[0]), metadata=phase.no_unrolling()) as plane,
                    phase.write.loop(
                        "0", str(self.positions[1]), made.bands.rows, metadata=phase.no_unrolling()
                    ) as row,
                ):
                    rows = phase.minimum(phase.subtract(self.positions[1], row.index), made.bands.rows)
                    if made.together > 1:
                        rows = self.positions[1]
                    band = self._band(images.index, count, (plane.index, row.index), rows)
                    place = (images.index, plane.index, row.index)
                    self._panels(band, place, count, rows, (here, there), sums)

    def _band(self, image: Value, count: Value, place: tuple[Value, Value], rows: Value) -> Band:
        phase, made = self.phase, self.made
        source = phase.operand(0)
        if count == 1 or not made.bands.copies:
            return made.bands.make(phase, source, image, place, rows, phase.scratch)
        with phase.write.loop("0", str(count), metadata=phase.no_unrolling(), at_least_once=True) as one:
            target = phase.at(made.computed.type, phase.scratch, phase.multiply(one.index, self.image))
            band = made.bands.make(phase, source, phase.add(image, one.index), place, rows, target)
        return Band(phase.scratch, band.arithmetic, band.plane, band.row)

    def _panels(
        self,
        band: Band,
        place: tuple[Value, Value, Value],
        count: Value,
        rows: Value,
        panels: tuple[Value, Value],
        sums: str,
    ) -> None:
        phase, made = self.phase, self.made
        image, plane, row = place
        _, second, third = made.axes
        columns = made.tiling.columns
        width = self.positions[2]
        pixel = phase.add(phase.multiply(image, self.positions[0]), plane)
        pixel = phase.multiply(phase.add(phase.multiply(pixel, self.positions[1]), row), width)
        gradient = phase.at(made.arithmetic.stored, phase.operand(1), phase.multiply(pixel, made.filters))
        pixels = phase.multiply(rows, width)
        # Images that are not copied lie as far apart as in the source.
        apart = self.image
        if not made.bands.copies:
            apart = phase.multiply(phase.multiply(phase.dim(made.axes[0].size), band.plane), 1)
        levels = [
            Level(count, apart, phase.multiply(pixels, columns)),
            Level(rows, phase.multiply(second.step, band.row), phase.multiply(width, columns)),
            Level(width, third.step * made.channels, columns),
        ]
        with phase.write.loop(str(panels[0]), str(panels[1]), metadata=phase.no_unrolling()) as panel:
            group, number = phase.split(panel.index, made.panels)
            right = gradient
            if made.packs:
                column = phase.multiply(number, columns)
                source = phase.at(made.arithmetic.stored, gradient, phase.multiply(group, made.outer), column)
                pack_columns(
                    phase,
                    made.arithmetic,
                    source,
                    made.filters,
                    phase.multiply(count, pixels),
                    self.gradients,
                    made.tiling.vectors,
                    made.columns_from(phase, column),
                )
                right = self.gradients
            channel = phase.multiply(number, columns) if made.depthwise else phase.multiply(group, made.depth)
            taps = math.prod(made.taps)
            with phase.write.loop("0", str(taps), metadata=phase.no_unrolling(), at_least_once=True) as tap:
                at = self._tap(tap.index if taps > 1 else 0, band)
                left = phase.at(band.arithmetic.stored, band.pointer, at, channel)
                number = phase.add(phase.multiply(panel.index, taps), tap.index)
                target = phase.at(made.computed.type, sums, phase.multiply(number, made.rows * columns))
                self._rows(band, left, right, levels, target)

    def _tap(self, tap: Value, band: Band) -> Value:
        """Return how far from the start of the window an element of its outer axes lies."""
        phase, made = self.phase, self.made
        first, second, third = made.axes
        place: Value = 0
        if not made.joint:
            tap, last = phase.split(tap, third.window)
            place = phase.multiply(last, third.spread * made.channels)
        plane, row = phase.split(tap, second.window)
        place = phase.add(place, phase.multiply(phase.multiply(plane, first.spread), band.plane))
        return phase.add(place, phase.multiply(phase.multiply(row, second.spread), band.row))

    def _rows(self, band: Band, left: str, right: str, levels: Sequence[Level], target: str) -> None:
        phase, made = self.phase, self.made
        computed, tiling = made.computed, made.tiling
        type, width = computed.vector_type(tiling.lanes), tiling.lanes
        cut = Rows(phase, made.rows, tiling.rows)
        with phase.write.loop("0", str(cut.tiles), metadata=phase.no_unrolling(), at_least_once=True) as tile:
            row = cut.start(tile.index)
            for height in cut.each_height(tile.index):
                begin = phase.at(computed.type, target, phase.multiply(row, tiling.columns))
                pointers = [
                    phase.at(computed.type, begin, (offset * tiling.vectors + vector) * width)
                    for offset in range(height)
                    for vector in range(tiling.vectors)
                ]
                before = [computed.load(phase.write, pointer, width) for pointer in pointers]
                start = phase.at(band.arithmetic.stored, left, phase.multiply(row, made.apart))
                factors = Left(band.arithmetic, [start], height, made.apart, wide=made.depthwise)
                vectors = Right(computed, right, [vector * width for vector in range(tiling.vectors)], width)
                results = accumulate(phase, factors, vectors, levels, before)
                for result, pointer in zip(results, pointers, strict=True):
                    phase.write.do(f"store {type} {result}, ptr {pointer}, align {computed.bytes}")
