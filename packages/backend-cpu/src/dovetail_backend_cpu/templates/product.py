"""Products of matrices.

Rows are cut into tiles of nearly equal height, columns into panels as wide as a tile. The right factor is packed, some
panels at a time, into the thread's scratch memory, whose size is chosen to stay in its second-level cache, or once for
all into the workspace where it is constant. An element of the output is one chain of multiply-adds in the order of the
inner axis, whatever the tile or thread it falls to: long inner axes are cut into blocks, between which the chain goes
on from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

from dovetail.kernels import Dim, MatMul, Symbol, Template, ceil_div, product
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Module
from dovetail_backend_cpu.templates.arithmetic import Arithmetic
from dovetail_backend_cpu.templates.blocking import Rows, Tiling
from dovetail_backend_cpu.templates.finish import finish_tile
from dovetail_backend_cpu.templates.packing import copy_elements, pack_columns, pack_panels, pack_transposed
from dovetail_backend_cpu.templates.phase import PhaseWriter, Value
from dovetail_backend_cpu.templates.plan import Phase, TemplatePlan
from dovetail_backend_cpu.templates.stream import Stream, stream_size
from dovetail_backend_cpu.templates.tile import Left, Level, Right, accumulate

__all__ = ["Product"]

_DEPTH_BYTES: Final = 8192
"""An inner axis of at most so many bytes is not cut."""
_BLOCK_BYTES: Final = 1024
"""Bytes of a block of the inner axis where it is cut."""
_PANEL_BYTES: Final = (128 * 1024, 192 * 1024)
"""Bytes of packed panels that are worked on at a time, where the inner axis is cut and where it is not."""
_FEW_ROWS: Final = 4
"""A product of so few rows reads the right factor where it lies: packing would not pay."""
_COPIED: Final = 4
"""Elements of the inner axis of which the left factors are packed at a time."""
_CHUNK_ROWS: Final = 192
"""About how many rows wait in memory for the next block of the inner axis."""


@final
class Product:
    """How a ``MatMul`` template is written.

    Args:
        template: what is written; its op is a ``MatMul``.
        name: of the functions, before the number of the phase.
        machine: what it is written for.
    """

    def __init__(self, template: Template, name: str, machine: Machine) -> None:
        """Choose blocks."""
        op = template.op
        assert isinstance(op, MatMul)
        self.template = template
        self.op = op
        self.name = name
        self.machine = machine
        self.arithmetic = Arithmetic(template.output.dtype, machine)
        self.computed = Arithmetic(self.arithmetic.computed, machine)
        left, right = (one.dims for one in template.inputs)
        *batch, rows, columns = template.output.dims
        self.depth: Dim = left[-2 if op.transpose_a else -1]
        self.columns: Dim = columns
        # Many matrices times one are a single product of more rows.
        self.collapsed = not op.transpose_a and all(dim == 1 for dim in right[:-2])
        self.row_dims: tuple[Dim, ...] = (*batch, rows) if self.collapsed else (rows,)
        self.batch: tuple[Dim, ...] = () if self.collapsed else tuple(batch)
        self.tiling = Tiling(machine, self.arithmetic, columns)
        size = self.arithmetic.bytes
        self.whole = isinstance(self.depth, int) and self.depth * size <= _DEPTH_BYTES
        self.block: int = max(self.depth, 1) if self.whole and isinstance(self.depth, int) else _BLOCK_BYTES // size
        panels = ceil_div(columns, self.tiling.columns)
        # One row more, so that panels do not all begin in the same set of a cache.
        self.panel = (self.block + 1) * self.tiling.columns
        self.panels = max(1, _PANEL_BYTES[self.whole] // (self.panel * size))
        if isinstance(panels, int):
            self.panels = max(1, min(self.panels, panels))
        self.chunk = _CHUNK_ROWS // self.tiling.rows
        self.keeps = (
            bool(template.packed)
            and template.packed[1]
            and all(isinstance(dim, int) for dim in template.inputs[1].dims)
        )
        if self.keeps and isinstance(self.depth, int):
            self.panel = self.depth * self.tiling.columns
        self.direct = not op.transpose_b and not self.keeps
        self.packs_left = op.transpose_a and self.panels > 1
        right_bytes = 0 if self.keeps else self.panels * self.panel * size
        left_bytes = self.tiling.rows * self.block * size if self.packs_left or self.arithmetic.converts else 0
        sums_bytes = 0 if self.whole else self.chunk * self.tiling.rows * self.panels * self.tiling.columns * size
        self._left_at = _aligned(right_bytes)
        self._sums_at = _aligned(self._left_at + left_bytes)
        stream_bytes = stream_size(self.arithmetic) if self.direct else 0
        self._scratch = _aligned(max(self._sums_at + sums_bytes, stream_bytes))

    def plan(self) -> TemplatePlan:
        """Return the phases and the memory they need."""
        if not self.keeps:
            return TemplatePlan([Phase(f"{self.name}_0")], self._scratch)
        matrices = product(self.template.inputs[1].dims[:-2])
        panels = ceil_div(self.columns, self.tiling.columns)
        kept = matrices * panels * self.panel * self.arithmetic.bytes
        phases = [Phase(f"{self.name}_0", constant=True), Phase(f"{self.name}_1")]
        return TemplatePlan(phases, self._scratch, kept, kept)

    def module(self) -> Module:
        """Write the phases."""
        module = Module()
        if self.keeps:
            self._write_keeping(module)
        phase = PhaseWriter(module, self.template, f"{self.name}_{int(self.keeps)}", self.machine, workspace=self.keeps)
        _Compute(self, phase).write()
        phase.write.ret()
        return module

    def _write_keeping(self, module: Module) -> None:
        phase = PhaseWriter(module, self.template, f"{self.name}_0", self.machine, workspace=True)
        panels = ceil_div(self.columns, self.tiling.columns)
        matrices = product(self.template.inputs[1].dims[:-2])
        start, stop = phase.share(phase.dim(matrices * panels))
        with phase.write.loop(start, stop) as unit:
            matrix, panel = phase.split(unit.index, phase.dim(panels))
            target = phase.at(self.computed.type, phase.workspace, phase.multiply(unit.index, self.panel))
            source = phase.at(
                self.arithmetic.stored, phase.operand(1), phase.multiply(matrix, phase.dim(self.depth * self.columns))
            )
            self.pack_right(phase, source, panel, (0, phase.dim(self.depth)), target)
        phase.write.ret()

    def pack_right(
        self, phase: PhaseWriter, matrix: str, panel: Value, block: tuple[Value, Value], target: str
    ) -> None:
        """Pack a block of a panel: where it begins along the inner axis, and how long it is."""
        first, depth = block
        column = phase.multiply(panel, self.tiling.columns)
        columns = self.columns_from(phase, column)
        if self.op.transpose_b:
            stride = phase.dim(self.depth)
            source = phase.at(self.arithmetic.stored, matrix, phase.multiply(column, stride), first)
            pack_transposed(phase, self.arithmetic, source, stride, depth, target, self.tiling.vectors, columns)
        else:
            stride = phase.dim(self.columns)
            source = phase.at(self.arithmetic.stored, matrix, column, phase.multiply(first, stride))
            pack_columns(phase, self.arithmetic, source, stride, depth, target, self.tiling.vectors, columns)

    def together(self, height: int) -> int:
        """Return how many panels a tile of so few rows takes at a time, so that enough sums are under way."""
        most = self.tiling.rows // max(height, 1)
        return max(1, min(4 if most >= 4 else 2 if most >= 2 else 1, self.panels))

    def columns_from(self, phase: PhaseWriter, column: Value) -> Value:
        """Return how many columns there are from one on, as a known number where it is the same for all panels."""
        if isinstance(self.columns, int):
            if self.columns % self.tiling.columns == 0:
                return self.columns
            if self.columns < self.tiling.columns:
                return self.columns
        return phase.subtract(phase.dim(self.columns), column)


def _aligned(bytes: int) -> int:
    return -(-bytes // 64) * 64


@final
class _Compute:
    """The phase that multiplies."""

    def __init__(self, product_: Product, phase: PhaseWriter) -> None:
        self.product = product_
        self.phase = phase
        self.write_ = phase.write
        self.stored = product_.arithmetic.stored
        self.type = product_.computed.type
        left, right = (one.dims for one in product_.template.inputs)
        # Dimensions are computed in the entry block, from where they reach everywhere.
        self.depth = phase.dim(product_.depth)
        self.columns = phase.dim(product_.columns)
        self.row_dims = [phase.dim(dim) for dim in product_.row_dims]
        self.batch = [phase.dim(dim) for dim in product_.batch]
        self.sizes = [[phase.dim(dim) for dim in one] for one in (left, right)]
        rows: Value = 1
        for dim in self.row_dims:
            rows = phase.multiply(rows, dim)
        self.row_count = rows
        self.panels = phase.divide_up(self.columns, product_.tiling.columns)
        self.left_packed = phase.at("i8", phase.scratch, product_._left_at)
        self.sums = phase.at("i8", phase.scratch, product_._sums_at)

    def write(self) -> None:
        """Write the product, by one way for few rows and another for many where both may occur."""
        phase, made = self.phase, self.product
        most = min(made.tiling.rows, _FEW_ROWS)
        if not made.direct or (isinstance(self.row_count, int) and self.row_count > most):
            self._many(1)
        elif isinstance(self.row_count, int):
            self._few(self.row_count)
        else:
            for height in range(1, most + 1):
                with phase.write.when(phase.compare("eq", self.row_count, height)):
                    self._few(height)
            with phase.write.when(phase.compare("sgt", self.row_count, most)):
                self._many(most + 1)

    def _few(self, height: int) -> None:
        """Divide the vectors of columns among the threads, where the rows are so few."""
        phase, write, made = self.phase, self.write_, self.product
        if height == 0:
            return
        vectors = phase.divide_up(self.columns, made.tiling.lanes)
        matrices: Value = 1
        for dim in self.batch:
            matrices = phase.multiply(matrices, dim)
        start, stop = phase.share(phase.multiply(matrices, vectors))
        first, last = phase.segments(start, stop, vectors)
        with write.loop(first, last, metadata=phase.no_unrolling()) as matrix:
            here, there = phase.within(matrix.index, start, stop, vectors)
            batch = self._batch_indices(matrix.index)
            left, right = self._matrix(0, batch), self._matrix(1, batch)
            factors, step = self._left(left, 0, height, 0, self.depth, pack=False)
            indices = [self._indices_of(batch, row) for row in range(height)]
            stream = Stream(phase, made.arithmetic, factors, (self.depth, step), right, self.columns)
            stream.write((here, there), indices, phase.scratch)

    def _indices_of(self, batch: list[Value], row: Value) -> Callable[[], Mapping[Symbol, Value]]:
        return lambda: self._row_indices(batch, row)

    def _many(self, least: int) -> None:
        """Divide the tiles among the threads; those of one block of panels follow each other."""
        phase, write = self.phase, self.write_
        rows = self.rows = Rows(phase, self.row_count, self.product.tiling.rows, least=least)
        blocks = phase.divide_up(self.panels, self.product.panels)
        matrices: Value = 1
        for dim in self.batch:
            matrices = phase.multiply(matrices, dim)
        tiles = rows.tiles
        start, stop = phase.share(phase.multiply(phase.multiply(matrices, blocks), tiles))
        first, last = phase.segments(start, stop, tiles)
        with write.loop(first, last, metadata=phase.no_unrolling()) as segment:
            matrix, block = phase.split(segment.index, blocks)
            here, there = phase.within(segment.index, start, stop, tiles)
            panel = phase.multiply(block, self.product.panels)
            count = phase.minimum(phase.subtract(self.panels, panel), self.product.panels)
            if blocks == 1:
                panel, count = 0, self.panels
            indices = self._batch_indices(matrix)
            self._segment(indices, panel, count, here, there)

    def _batch_indices(self, matrix: Value) -> list[Value]:
        indices: list[Value] = []
        for size in reversed(self.batch):
            matrix, one = self.phase.split(matrix, size)
            indices.insert(0, one)
        return indices

    def _matrix(self, operand: int, indices: Sequence[Value]) -> str:
        """Return the pointer of the matrix of an operand that belongs to a place among the batch."""
        phase = self.phase
        sizes = self.sizes[operand]
        place = self._matrix_number(operand, indices)
        size = phase.multiply(sizes[-2], sizes[-1])
        return phase.at(self.stored, phase.operand(operand), phase.multiply(place, size))

    def _matrix_number(self, operand: int, indices: Sequence[Value]) -> Value:
        phase = self.phase
        if self.product.collapsed:
            return 0
        place: Value = 0
        outer = self.sizes[operand][:-2]
        for index, size in zip(indices[len(indices) - len(outer) :], outer, strict=True):
            if size == 1:
                index = 0
            elif not isinstance(size, int):
                index = phase.select(phase.compare("eq", size, 1), 0, index)
            place = phase.add(phase.multiply(place, size), index)
        return place

    def _segment(self, batch: list[Value], panel: Value, count: Value, start: Value, stop: Value) -> None:
        """Compute the tiles of rows from ``start`` to ``stop`` in some panels of one matrix."""
        phase, write, made = self.phase, self.write_, self.product
        left, right = self._matrix(0, batch), self._matrix(1, batch)
        kept = ""
        if made.keeps:
            number = phase.add(phase.multiply(self._matrix_number(1, batch), self.panels), panel)
            kept = phase.at(self.type, phase.workspace, phase.multiply(number, made.panel))
        if made.whole:
            if not made.keeps:
                self._pack(right, panel, count, (0, self.depth))
            self._tiles(batch, panel, count, (start, stop), left, (0, self.depth), kept or phase.scratch, None)
            return
        blocks = phase.maximum(phase.divide_up(self.depth, made.block), 1)
        with write.loop(str(start), str(stop), made.chunk, metadata=phase.no_unrolling()) as chunk:
            end = phase.minimum(phase.add(chunk.index, made.chunk), stop)
            self._clear(count)
            with write.loop("0", str(blocks), metadata=phase.no_unrolling()) as block:
                first = phase.multiply(block.index, made.block)
                depth = phase.minimum(phase.subtract(self.depth, first), made.block)
                if made.keeps:
                    packed = phase.at(self.type, kept, phase.multiply(first, made.tiling.columns))
                else:
                    self._pack(right, panel, count, (first, depth))
                    packed = phase.scratch
                last = phase.compare("eq", phase.add(block.index, 1), blocks)
                self._tiles(batch, panel, count, (chunk.index, end), left, (first, depth), packed, last)

    def _pack(self, right: str, panel: Value, count: Value, block: tuple[Value, Value]) -> None:
        """Pack a block of some panels of a matrix into the scratch memory."""
        phase, made = self.phase, self.product
        start: Value = 0
        if not made.op.transpose_b:
            first, depth = block
            columns = made.tiling.columns
            column = phase.multiply(panel, columns)
            start = phase.minimum(count, phase.divide(phase.subtract(self.columns, column), columns))
            source = phase.at(self.stored, right, column, phase.multiply(first, self.columns))
            pack_panels(
                phase,
                made.arithmetic,
                source,
                self.columns,
                depth,
                phase.scratch,
                made.tiling.vectors,
                start,
                made.panel,
            )
            if isinstance(made.columns, int) and made.columns % columns == 0:
                return
        with self.write_.loop(str(start), str(count), metadata=phase.no_unrolling()) as one:
            target = phase.at(self.type, phase.scratch, phase.multiply(one.index, made.panel))
            made.pack_right(phase, right, phase.add(panel, one.index), block, target)

    def _clear(self, count: Value) -> None:
        phase, made = self.phase, self.product
        computed, lanes = made.computed, made.computed.lanes
        size = made.chunk * made.tiling.rows * made.panels * made.tiling.columns
        with self.write_.loop("0", str(size), lanes, metadata=phase.no_unrolling()) as place:
            target = phase.at(self.type, self.sums, place.index)
            self.write_.do(f"store {computed.vector_type(lanes)} zeroinitializer, ptr {target}, align {computed.bytes}")

    def _tiles(
        self,
        batch: list[Value],
        panel: Value,
        count: Value,
        tiles: tuple[Value, Value],
        left: str,
        block: tuple[Value, Value],
        packed: str,
        last: str | None,
    ) -> None:
        """Compute some tiles of rows over a block of the inner axis; ``last`` is None where it is the only one."""
        phase, made = self.phase, self.product
        first, depth = block
        with self.write_.loop(str(tiles[0]), str(tiles[1]), metadata=phase.no_unrolling()) as tile:
            row = self.rows.start(tile.index)
            for height in self.rows.each_height(tile.index):
                factors, step = self._left(left, row, height, first, depth)

                indices = [self._indices_of(batch, phase.add(row, offset)) for offset in range(height)]
                groups = made.together(height)
                done: Value = 0
                for group in (groups, 1) if groups > 1 else (1,):
                    end = phase.multiply(phase.divide(count, group), group)
                    with self.write_.loop(str(done), str(end), group, metadata=phase.no_unrolling()) as place:
                        self._tile(
                            (phase.add(panel, place.index), group),
                            phase.at(self.type, packed, phase.multiply(place.index, made.panel)),
                            factors,
                            Level(depth, step, made.tiling.columns),
                            indices,
                            self._sums_of(phase.subtract(tile.index, tiles[0]), place.index),
                            last,
                        )
                    done = end

    def _sums_of(self, tile: Value, panel: Value) -> str:
        if self.product.whole:
            return ""
        phase, made = self.phase, self.product
        columns = made.tiling.columns
        row = phase.multiply(tile, made.tiling.rows * made.panels * columns)
        return phase.at(self.type, self.sums, row, phase.multiply(panel, columns))

    def _left(
        self, left: str, row: Value, height: int, first: Value, depth: Value, *, pack: bool = True
    ) -> tuple[Left, Value]:
        """Return the left factors of a tile, packed if that pays, and how far their elements are apart."""
        phase, made = self.phase, self.product
        if made.op.transpose_a:
            step = self.sizes[0][-1]
            source = phase.at(self.stored, left, row, phase.multiply(first, step))
            if not (pack and (made.packs_left or made.arithmetic.converts)):
                return Left(made.arithmetic, [source], height, 1), step
            whole = phase.multiply(phase.divide(depth, _COPIED), _COPIED)
            for begin, end, steps in ((0, whole, _COPIED), (whole, depth, 1)):
                with self.write_.loop(str(begin), str(end), steps, metadata=phase.no_unrolling()) as element:
                    for number in range(steps):
                        place = phase.add(element.index, number)
                        copy_elements(
                            phase,
                            made.arithmetic,
                            phase.at(self.stored, source, phase.multiply(place, step)),
                            phase.at(self.type, self.left_packed, phase.multiply(place, height)),
                            height,
                        )
            return Left(made.computed, [self.left_packed], height, 1), height
        stride = self.depth
        source = phase.at(self.stored, left, phase.multiply(row, stride), first)
        if pack and made.arithmetic.converts:
            for offset in range(height):
                begin = phase.at(self.stored, source, phase.multiply(offset, stride))
                target = phase.at(self.type, self.left_packed, offset * made.block)
                with self.write_.loop("0", str(depth), metadata=phase.no_unrolling()) as element:
                    copy_elements(
                        phase,
                        made.arithmetic,
                        phase.at(self.stored, begin, element.index),
                        phase.at(self.type, target, element.index),
                        1,
                    )
            return Left(made.computed, [self.left_packed], height, made.block), 1
        if isinstance(stride, int):
            return Left(made.arithmetic, [source], height, stride), 1
        pointers = [phase.at(self.stored, source, phase.multiply(offset, stride)) for offset in range(height)]
        return Left(made.arithmetic, pointers, height), 1

    def _tile(
        self,
        panels: tuple[Value, int],
        packed: str,
        factors: Left,
        level: Level,
        indices: Sequence[Callable[[], Mapping[Symbol, Value]]],
        sums: str,
        last: str | None,
    ) -> None:
        phase, made = self.phase, self.product
        panel, group = panels
        tiling, computed, width = made.tiling, made.computed, made.tiling.lanes
        places = [(number, vector) for number in range(group) for vector in range(tiling.vectors)]
        right = Right(computed, packed, [number * made.panel + vector * width for number, vector in places], width)
        count = len(places)
        type = computed.vector_type(width)
        pointers: list[str] = []
        start = None
        if last is not None:
            stride = made.panels * tiling.columns
            pointers = [
                phase.at(self.type, sums, row * stride + place * width)
                for row in range(factors.rows)
                for place in range(count)
            ]
            start = [computed.load(phase.write, pointer, width) for pointer in pointers]
        results = accumulate(phase, factors, right, [level], start)
        column = phase.multiply(panel, tiling.columns)
        columns = made.columns_from(phase, column)
        if last is None:
            finish_tile(phase, results, indices, count, width, column, columns)
            return
        with phase.write.when(last):
            finish_tile(phase, results, indices, count, width, column, columns)
        with phase.write.when(phase.write.value(f"xor i1 {last}, true")):
            for result, pointer in zip(results, pointers, strict=True):
                phase.write.do(f"store {type} {result}, ptr {pointer}, align {computed.bytes}")

    def _row_indices(self, batch: list[Value], row: Value) -> dict[Symbol, Value]:
        axes = self.product.template.epilogue.axes[:-1]
        if not self.product.collapsed:
            return dict(zip(axes, [*batch, row], strict=True))
        indices: list[Value] = []
        for size in reversed(self.row_dims[1:]):
            row, one = self.phase.split(row, size)
            indices.insert(0, one)
        return dict(zip(axes, [row, *indices], strict=True))
