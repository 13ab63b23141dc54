"""Convolutions, and their gradients with respect to the images, as products that read the windows where they lie.

A band of padded rows is copied into the thread's scratch memory; tiles are pixels times a panel of output channels, and
the inner sum runs over the window and its channels. The filter is packed into panels by a phase of its own, unless it
is one panel already. Tiles lie within a row of pixels where rows are long, else they run on from row to row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

from dovetail.kernels import Conv, ConvInputGrad, Dim, Symbol, Template
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Module
from dovetail_backend_cpu.templates.arithmetic import Arithmetic
from dovetail_backend_cpu.templates.bands import Band, Bands
from dovetail_backend_cpu.templates.blocking import Rows, Tiling
from dovetail_backend_cpu.templates.finish import finish_tile
from dovetail_backend_cpu.templates.packing import pack_columns, pack_transposed
from dovetail_backend_cpu.templates.phase import PhaseWriter, Value
from dovetail_backend_cpu.templates.plan import Phase, TemplatePlan
from dovetail_backend_cpu.templates.sliding import Axis, choose, forward_axes, gradient_axes
from dovetail_backend_cpu.templates.tile import Left, Level, Right, accumulate

__all__ = ["Convolution"]

_BAND_BYTES: Final = 128 * 1024
_SHORT_ROW: Final = 8
"""In rows of so few pixels tiles run on from row to row."""
_FEW_ROWS: Final = 16
"""With so few rows of positions, threads divide the output channels as well."""


@final
class Convolution:
    """How a ``Conv`` or ``ConvInputGrad`` template is written.

    Args:
        template: what is written.
        name: of the functions, before the number of the phase.
        machine: what it is written for.
        axes: three spatial axes.
    """

    @staticmethod
    def of(template: Template, name: str, machine: Machine) -> Convolution | None:
        """Return how a template is written, or ``None`` where sizes are not known that must be."""
        op = template.op
        assert isinstance(op, Conv | ConvInputGrad)
        filter = template.inputs[1 if isinstance(op, Conv) else 0].dims
        window = op.geometry(filter[:-2])
        if isinstance(op, Conv):
            axes = forward_axes(window, template.inputs[0].dims[1:-1])
        else:
            axes = gradient_axes(window, template.output.dims[1:-1], template.inputs[1].dims[1:-1])
        if axes is None or not all(isinstance(dim, int) and dim > 0 for dim in filter):
            return None
        return Convolution(template, name, machine, axes)

    def __init__(self, template: Template, name: str, machine: Machine, axes: Sequence[Axis]) -> None:
        """Choose blocks."""
        op = template.op
        assert isinstance(op, Conv | ConvInputGrad)
        self.template = template
        self.name = name
        self.machine = machine
        self.axes = tuple(axes)
        self.forward = isinstance(op, Conv)
        self.source, self.filter = (0, 1) if self.forward else (1, 0)
        self.groups = op.groups
        *_, depth, filters = (int(dim) for dim in template.inputs[self.filter].dims)
        self.depth, self.filters = depth, filters
        of_group = filters // self.groups
        self.inner, self.outer = (depth, of_group) if self.forward else (of_group, depth)
        self.channels = self.inner * self.groups
        self.arithmetic = Arithmetic(template.output.dtype, machine)
        self.computed = Arithmetic(self.arithmetic.computed, machine)
        # One channel in every group: products filter by filter. The band holds a channel once for each of its filters;
        # in a gradient the sums of a channel's filters, which are neighbours, are added in the end.
        most = self.arithmetic.lanes // 2 if self.forward else Tiling.MOST_VECTORS
        self.depthwise = self.groups > 1 and depth == 1 and of_group <= most
        repeat = self.neighbours = 1
        if self.depthwise:
            repeat, self.neighbours = (of_group, 1) if self.forward else (1, of_group)
            self.inner, self.outer, self.channels, self.groups = 1, filters, filters, 1
        self.tiling = Tiling(machine, self.arithmetic, self.outer, self.neighbours if self.neighbours > 1 else None)
        self.panels = -(-self.outer // self.tiling.columns)
        beyond = self.tiling.columns if self.depthwise and self.outer % self.tiling.columns else 0
        self.bands = Bands(axes, self.channels, self.arithmetic, self.computed, _BAND_BYTES, beyond, repeat)
        self.packs = not (
            self.forward and self.groups == 1 and self.outer == self.tiling.columns and not self.arithmetic.converts
        )
        self.constant = self.packs and bool(template.packed) and template.packed[self.filter]
        self.window = [axis.window for axis in axes]
        self.split = 1
        positions = axes[1].positions
        if isinstance(positions, int) and positions < _FEW_ROWS and axes[0].positions == 1:
            self.split = min(self.groups * self.panels, -(-_FEW_ROWS // max(positions, 1)))
        # Where each combination of parts begins among the packed panels.
        self.counts = [[len(part.taps) for part in axis.parts] for axis in axes]
        self.begins: list[int] = []
        total = 0
        for one in self.counts[0]:
            for two in self.counts[1]:
                for three in self.counts[2]:
                    self.begins.append(total)
                    total += one * two * three * self.step * self.groups * self.panels
        self.packed = total
        width = {part.positions for part in axes[2].parts}
        only = next(iter(width))
        self.row_tiles = len(width) == 1 and isinstance(only, int) and only > _SHORT_ROW

    @property
    def step(self) -> int:
        """Elements of a panel for each element of the window."""
        return self.inner * self.tiling.columns

    def plan(self) -> TemplatePlan:
        """Return the phases and the memory they need."""
        size: Dim = self.bands.size * self.computed.bytes if self.bands.copies else 0
        kept = self.packed * self.computed.bytes if self.packs else 0
        phases = [Phase(f"{self.name}_0", constant=self.constant)] if self.packs else []
        phases.append(Phase(f"{self.name}_{len(phases)}"))
        return TemplatePlan(phases, size, kept, kept if self.constant else 0)

    def module(self) -> Module:
        """Write the phases."""
        module = Module()
        if self.packs:
            self._write_packing(module)
        phase = PhaseWriter(module, self.template, f"{self.name}_{int(self.packs)}", self.machine, workspace=self.packs)
        _Compute(self, phase).write()
        phase.write.ret()
        return module

    def _write_packing(self, module: Module) -> None:
        phase = PhaseWriter(module, self.template, f"{self.name}_0", self.machine, workspace=True)
        taps = math.prod(self.window)
        start, stop = phase.share(self.groups * self.panels * taps)
        with phase.write.loop(start, stop, metadata=phase.no_unrolling()) as unit:
            place, tap = phase.split(unit.index, taps)
            group, panel = phase.split(place, self.panels)
            rest, third = phase.split(tap, self.window[2])
            first, second = phase.split(rest, self.window[1])
            parts, numbers = [], []
            for axis, one in zip(self.axes, (first, second, third), strict=True):
                where = {
                    tap: (part, number) for part, of in enumerate(axis.parts) for number, tap in enumerate(of.taps)
                }
                parts.append(choose(phase, one, [where[tap][0] for tap in range(axis.window)]))
                numbers.append(choose(phase, one, [where[tap][1] for tap in range(axis.window)]))
            counts = [choose(phase, part, of) for part, of in zip(parts, self.counts, strict=True)]
            number = numbers[0]
            for count, one in zip(counts[1:], numbers[1:], strict=True):
                number = phase.add(phase.multiply(number, count), one)
            all_taps = phase.multiply(phase.multiply(counts[0], counts[1]), counts[2])
            offset = phase.multiply(phase.add(phase.multiply(place, all_taps), number), self.step)
            target = phase.at(self.computed.type, phase.workspace, self.begin(phase, parts), offset)
            column = phase.multiply(panel, self.tiling.columns)
            columns = self.columns_from(phase, column)
            source = phase.at(
                self.arithmetic.stored, phase.operand(self.filter), phase.multiply(tap, self.depth * self.filters)
            )
            if self.forward or self.depthwise:
                source = phase.at(self.arithmetic.stored, source, phase.multiply(group, self.outer), column)
                pack_columns(
                    phase, self.arithmetic, source, self.filters, self.inner, target, self.tiling.vectors, columns
                )
            else:
                source = phase.at(
                    self.arithmetic.stored,
                    source,
                    phase.multiply(group, self.inner),
                    phase.multiply(column, self.filters),
                )
                pack_transposed(
                    phase, self.arithmetic, source, self.filters, self.inner, target, self.tiling.vectors, columns
                )
        phase.write.ret()

    def begin(self, phase: PhaseWriter, parts: Sequence[Value]) -> Value:
        """Return where the panels of a combination of parts begin."""
        number = parts[0]
        for part, axis in zip(parts[1:], self.axes[1:], strict=True):
            number = phase.add(phase.multiply(number, len(axis.parts)), part)
        return choose(phase, number, self.begins)

    def columns_from(self, phase: PhaseWriter, column: Value) -> Value:
        """Return how many output channels of a group there are from one on."""
        if self.outer % self.tiling.columns == 0 or self.outer < self.tiling.columns:
            return self.outer
        return phase.subtract(self.outer, column)


@final
class _Compute:
    """The phase that convolves."""

    def __init__(self, made: Convolution, phase: PhaseWriter) -> None:
        self.made = made
        self.phase = phase
        made.bands.sources(phase)
        self.batch = phase.dim(made.template.output.dims[0])
        self.positions = [[phase.dim(part.positions) for part in axis.parts] for axis in made.axes]
        self.most = [phase.dim(axis.positions) for axis in made.axes]

    def write(self) -> None:
        """Divide rows of positions, and perhaps output channels, among the threads."""
        phase, made = self.phase, self.made
        rows = self.most[1]
        places = phase.multiply(self.batch, self.most[0])
        start, stop = phase.share(phase.multiply(phase.multiply(made.split, places), rows))
        first, last = phase.segments(start, stop, rows)
        all = made.groups * made.panels
        with phase.write.loop(first, last, metadata=phase.no_unrolling()) as segment:
            share, place = phase.split(segment.index, places) if made.split > 1 else (0, segment.index)
            image, plane = phase.split(place, self.most[0])
            here, there = phase.within(segment.index, start, stop, rows)
            panels = (
                phase.divide(phase.multiply(share, all), made.split),
                phase.divide(phase.multiply(phase.add(share, 1), all), made.split),
            )
            with phase.write.loop(str(here), str(there), made.bands.rows, metadata=phase.no_unrolling()) as band:
                count = phase.minimum(phase.subtract(there, band.index), made.bands.rows)
                source = made.bands.make(
                    phase, phase.operand(made.source), image, (plane, band.index), count, phase.scratch
                )
                self._parts(source, (image, plane, band.index), count, panels)

    def _parts(self, band: Band, place: tuple[Value, Value, Value], rows: Value, panels: tuple[Value, Value]) -> None:
        phase, made = self.phase, self.made
        counts = [len(axis.parts) for axis in made.axes]
        if math.prod(counts) == 1:
            self._part(band, place, rows, panels, [0, 0, 0])
            return
        with phase.write.loop("0", str(math.prod(counts)), metadata=phase.no_unrolling(), at_least_once=True) as part:
            rest, third = phase.split(part.index, counts[2])
            first, second = phase.split(rest, counts[1])
            if counts[0] == 1:
                first = 0
            if counts[1] == 1:
                second = 0
            if counts[2] == 1:
                third = 0
            self._part(band, place, rows, panels, [first, second, third])

    def _part(
        self,
        band: Band,
        place: tuple[Value, Value, Value],
        rows: Value,
        panels: tuple[Value, Value],
        parts: Sequence[Value],
    ) -> None:
        phase, made = self.phase, self.made
        _, plane, row = place
        have = [choose(phase, part, of) for part, of in zip(parts, self.positions, strict=True)]
        taps = [choose(phase, part, of) for part, of in zip(parts, made.counts, strict=True)]
        shifts = [
            choose(phase, part, [axis.shift(number) for number in range(len(axis.parts))])
            for part, axis in zip(parts, made.axes, strict=True)
        ]
        if len(made.axes[1].parts) > 1:
            rows = phase.maximum(phase.minimum(phase.subtract(have[1], row), rows), 0)
        if len(made.axes[0].parts) > 1:
            rows = phase.select(phase.compare("slt", plane, have[0]), rows, 0)
        offset = phase.add(phase.multiply(shifts[0], band.plane), phase.multiply(shifts[1], band.row))
        offset = phase.add(offset, phase.multiply(shifts[2], made.channels))
        origin = phase.at(band.arithmetic.stored, band.pointer, offset)
        size = phase.multiply(phase.multiply(phase.multiply(taps[0], taps[1]), taps[2]), made.step)
        first, second, third = made.axes
        levels = [
            Level(
                taps[0],
                phase.multiply(first.spread, band.plane),
                phase.multiply(taps[1], phase.multiply(taps[2], made.step)),
            ),
            Level(taps[1], phase.multiply(second.spread, band.row), phase.multiply(taps[2], made.step)),
        ]
        columns = made.tiling.columns
        if made.depthwise:
            levels.append(Level(taps[2], third.spread * made.channels, made.step))
        elif third.spread == 1 and made.groups == 1:
            levels.append(Level(phase.multiply(taps[2], made.inner), 1, columns))
        else:
            levels += [Level(taps[2], third.spread * made.channels, made.step), Level(made.inner, 1, columns)]
        begin = made.begin(phase, parts)
        filter = phase.workspace if made.packs else phase.operand(made.filter)
        right = phase.at(made.computed.type, filter, begin)
        tiles = _Tiles(self, band, levels, (place, parts), (rows, have[2]))
        with phase.write.loop(str(panels[0]), str(panels[1]), metadata=phase.no_unrolling()) as panel:
            group, number = phase.split(panel.index, made.panels)
            if made.panels == 1:
                group, number = panel.index, 0
            if made.groups == 1:
                group = 0
            column = phase.multiply(number, columns)
            channel = column if made.depthwise else phase.multiply(group, made.inner)
            source = phase.at(band.arithmetic.stored, origin, channel)
            here = phase.at(made.computed.type, right, phase.multiply(panel.index, size))
            tiles.write(source, here, (phase.multiply(group, made.outer), column))


@final
class _Tiles:
    """Tiles of pixels of a part of a band.

    Args:
        compute: the phase.
        band: the source.
        levels: the loops of the inner sum.
        place: image, plane and first row of positions; and the part.
        size: rows of positions, and pixels in each.
    """

    def __init__(
        self,
        compute: _Compute,
        band: Band,
        levels: Sequence[Level],
        place: tuple[tuple[Value, Value, Value], Sequence[Value]],
        size: tuple[Value, Value],
    ) -> None:
        self.made = compute.made
        self.phase = compute.phase
        self.band = band
        self.levels = levels
        self.place, self.parts = place
        self.rows, self.width = size

    def write(self, source: str, right: str, channel: tuple[Value, Value]) -> None:
        """Compute the pixels in one panel.

        Args:
            source: what the first position meets first.
            right: the panel.
            channel: the first output channel of the panel's group, and which of the group is the panel's first.
        """
        phase, made = self.phase, self.made
        _, second, third = made.axes
        apart = third.step * made.channels
        stored = self.band.arithmetic.stored
        if made.row_tiles:
            cut = Rows(phase, self.width, made.tiling.rows)
            with (
                phase.write.loop("0", str(self.rows), metadata=phase.no_unrolling()) as row,
                phase.write.loop("0", str(cut.tiles), metadata=phase.no_unrolling(), at_least_once=True) as tile,
            ):
                line = phase.multiply(phase.multiply(row.index, second.step), self.band.row)
                x = cut.start(tile.index)
                for height in cut.each_height(tile.index):
                    pointer = phase.at(stored, source, line, phase.multiply(x, apart))
                    left = Left(self.band.arithmetic, [pointer], height, apart, wide=made.depthwise)
                    of_row: list[tuple[Value, Value]] = [(row.index, phase.add(x, one)) for one in range(height)]
                    self._tile(left, of_row, right, channel)
            return
        cut = Rows(phase, phase.multiply(self.rows, self.width), made.tiling.rows, counts=self._counts())
        with phase.write.loop("0", str(cut.tiles), metadata=phase.no_unrolling()) as tile:
            pixel = cut.start(tile.index)
            for height in cut.each_height(tile.index):
                pixels = self._following(pixel, height)
                pointers = [
                    phase.at(
                        stored,
                        source,
                        phase.multiply(phase.multiply(y, second.step), self.band.row),
                        phase.multiply(x, apart),
                    )
                    for y, x in pixels
                ]
                left = Left(self.band.arithmetic, pointers, height, wide=made.depthwise)
                self._tile(left, pixels, right, channel)

    def _following(self, pixel: Value, count: int) -> list[tuple[Value, Value]]:
        """Return row and column of some pixels that follow each other, on to the next row."""
        phase = self.phase
        y, x = phase.split(pixel, self.width)
        pixels = [(y, x)]
        for _ in range(count - 1):
            x = phase.add(x, 1)
            wraps = phase.compare("eq", x, self.width)
            x = phase.select(wraps, 0, x)
            y = phase.add(y, phase.write.value(f"zext i1 {wraps} to i64"))
            pixels.append((y, x))
        return pixels

    def _counts(self) -> list[int]:
        """Return the numbers of pixels that bands may have, if they are known and few."""
        widths = [part.positions for part in self.made.axes[2].parts]
        known = [width for width in widths if isinstance(width, int)]
        if len(known) < len(widths):
            return []
        return [rows * width for rows in range(1, self.made.bands.rows + 1) for width in known]

    def _tile(
        self, left: Left, pixels: Sequence[tuple[Value, Value]], panel: str, channel: tuple[Value, Value]
    ) -> None:
        phase, made = self.phase, self.made
        width = made.tiling.lanes
        count = made.tiling.vectors
        right = Right(made.computed, panel, [number * width for number in range(count)], width)
        sums = accumulate(phase, left, right, self.levels)
        group, column = channel
        columns = made.columns_from(phase, column)
        if made.neighbours > 1:
            sums = [self._added(sums[row : row + count]) for row in range(0, len(sums), count)]
            count //= made.neighbours
            column, columns = (phase.divide(one, made.neighbours) for one in (column, columns))
        finish_tile(
            phase, sums, [self._indices(y, x) for y, x in pixels], count, width, phase.add(group, column), columns
        )

    def _added(self, vectors: Sequence[str]) -> str:
        """Return the sums of neighbouring lanes of as many vectors as there are neighbours, as one vector."""
        arithmetic, write, width = self.made.computed, self.phase.write, self.made.tiling.lanes
        several = len(vectors)
        whole = arithmetic.joined(write, vectors, width)
        total = ""
        for number in range(several):
            places = range(number, several * width, several)
            part = arithmetic.shuffle(write, whole, several * width, places)
            total = arithmetic.add(write, total, part, width) if total else part
        return total

    def _indices(self, y: Value, x: Value) -> Callable[[], Mapping[Symbol, Value]]:
        phase, made = self.phase, self.made
        image, plane, first_row = self.place

        def indices() -> Mapping[Symbol, Value]:
            at = [plane, phase.add(first_row, y), x]
            spatial = [
                phase.add(phase.multiply(one, len(axis.parts)), part)
                for one, axis, part in zip(at, made.axes, self.parts, strict=True)
            ]
            axes = made.template.epilogue.axes
            return dict(zip(axes[:-1], [image, *spatial[3 - (len(axes) - 2) :]], strict=True))

        return indices
