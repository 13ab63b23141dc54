"""Copies of factors in the order in which tiles read them.

A *panel* holds as many columns of the right factor as a tile has: for each element of the inner sum the columns side by
side, those that are missing filled with zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dovetail_backend_cpu.templates.arithmetic import Arithmetic
from dovetail_backend_cpu.templates.finish import lane_mask
from dovetail_backend_cpu.templates.phase import PhaseWriter, Value

__all__ = ["copy_elements", "pack_columns", "pack_panels", "pack_transposed"]


def pack_columns(
    phase: PhaseWriter,
    arithmetic: Arithmetic,
    source: str,
    stride: Value,
    depth: Value,
    target: str,
    vectors: int,
    columns: Value,
) -> None:
    """Copy columns that lie side by side into a panel.

    Args:
        phase: where it is written.
        arithmetic: of the source; the panel holds the computed type.
        source: the first column's first element.
        stride: distance of the elements of a column.
        depth: how many there are.
        target: the panel.
        vectors: how many vectors it is wide.
        columns: how many columns there are from the source on; the panel takes as many as it is wide.
    """
    width = arithmetic.lanes
    total = vectors * width

    def copy(limit: Value | None) -> None:
        with phase.write.loop("0", str(depth), metadata=phase.no_unrolling()) as element:
            start = phase.at(arithmetic.stored, source, phase.multiply(element.index, stride))
            end = phase.at(arithmetic.type, target, phase.multiply(element.index, total))
            for place in range(vectors):
                first = place * width
                if isinstance(limit, int) and limit <= first:
                    value = arithmetic.zeros(width)
                else:
                    whole = limit is None or (isinstance(limit, int) and limit >= first + width)
                    mask = None if whole or limit is None else lane_mask(phase, width, first, limit)
                    value = arithmetic.load(phase.write, phase.at(arithmetic.stored, start, first), width, mask)
                _store(phase, arithmetic, value, phase.at(arithmetic.type, end, first), width)

    _by_limit(phase, columns, total, copy)


def pack_panels(
    phase: PhaseWriter,
    arithmetic: Arithmetic,
    source: str,
    stride: Value,
    depth: Value,
    target: str,
    vectors: int,
    panels: Value,
    size: int,
) -> None:
    """Copy columns that lie side by side into several whole panels, row by row of the source as memory likes it.

    Args:
        phase: where it is written.
        arithmetic: of the source; the panels hold the computed type.
        source: the first column's first element.
        stride: distance of the elements of a column.
        depth: how many there are.
        target: the first panel.
        vectors: how many vectors a panel is wide.
        panels: how many there are.
        size: elements from one panel to the next.
    """
    width = arithmetic.lanes
    with (
        phase.write.loop("0", str(depth), metadata=phase.no_unrolling()) as element,
        phase.write.loop("0", str(panels), metadata=phase.no_unrolling()) as panel,
    ):
        column = phase.multiply(panel.index, vectors * width)
        start = phase.at(arithmetic.stored, source, phase.multiply(element.index, stride), column)
        row = phase.multiply(element.index, vectors * width)
        end = phase.at(arithmetic.type, target, phase.multiply(panel.index, size), row)
        for place in range(vectors):
            value = arithmetic.load(phase.write, phase.at(arithmetic.stored, start, place * width), width)
            _store(phase, arithmetic, value, phase.at(arithmetic.type, end, place * width), width)


def _by_limit(phase: PhaseWriter, columns: Value, total: int, copy: Callable[[Value | None], None]) -> None:
    if isinstance(columns, int):
        copy(None if columns >= total else columns)
        return
    full = phase.compare("sge", columns, total)
    with phase.write.when(full):
        copy(None)
    with phase.write.when(phase.write.value(f"xor i1 {full}, true")):
        copy(columns)


def _store(phase: PhaseWriter, arithmetic: Arithmetic, value: str, target: str, width: int) -> None:
    phase.write.do(f"store {arithmetic.vector_type(width)} {value}, ptr {target}, align {arithmetic.bytes}")


def pack_transposed(
    phase: PhaseWriter,
    arithmetic: Arithmetic,
    source: str,
    stride: Value,
    depth: Value,
    target: str,
    vectors: int,
    columns: Value,
) -> None:
    """Copy columns whose elements lie side by side into a panel, transposing in registers.

    Args:
        phase: where it is written.
        arithmetic: of the source; the panel holds the computed type.
        source: the first column's first element.
        stride: distance of the columns.
        depth: how many elements a column has.
        target: the panel.
        vectors: how many vectors it is wide.
        columns: how many columns there are from the source on; the panel takes as many as it is wide.
    """
    width = arithmetic.lanes
    total = vectors * width
    blocks = phase.multiply(phase.divide(depth, width), width)

    def copy(limit: Value | None) -> None:
        for place in range(vectors):
            first = place * width
            if limit is None or (isinstance(limit, int) and limit >= first + width):
                _transpose_block(phase, arithmetic, source, stride, (blocks, depth), target, (first, total))
            else:
                here = phase.maximum(0, phase.minimum(phase.subtract(limit, first), width))
                _transpose_rest(phase, arithmetic, source, stride, depth, target, (first, total), here)

    _by_limit(phase, columns, total, copy)


def _transpose_block(
    phase: PhaseWriter,
    arithmetic: Arithmetic,
    source: str,
    stride: Value,
    depth: tuple[Value, Value],
    target: str,
    place: tuple[int, int],
) -> None:
    """Copy as many columns as a vector has lanes."""
    write, width = phase.write, arithmetic.lanes
    blocks, all = depth
    first, total = place
    columns = [phase.at(arithmetic.stored, source, phase.multiply(first + lane, stride)) for lane in range(width)]
    with write.loop("0", str(blocks), width, metadata=phase.no_unrolling()) as block:
        rows = [arithmetic.load(write, phase.at(arithmetic.stored, column, block.index), width) for column in columns]
        end = phase.at(arithmetic.type, target, phase.multiply(block.index, total), first)
        for number, value in enumerate(_transposed(phase, arithmetic, rows)):
            _store(phase, arithmetic, value, phase.at(arithmetic.type, end, number * total), width)
    with write.loop(str(blocks), str(all), metadata=phase.no_unrolling()) as rest:
        end = phase.at(arithmetic.type, target, phase.multiply(rest.index, total), first)
        for lane, column in enumerate(columns):
            value = arithmetic.load(write, phase.at(arithmetic.stored, column, rest.index))
            _store(phase, arithmetic, value, phase.at(arithmetic.type, end, lane), 1)


def _transpose_rest(
    phase: PhaseWriter,
    arithmetic: Arithmetic,
    source: str,
    stride: Value,
    depth: Value,
    target: str,
    place: tuple[int, int],
    columns: Value,
) -> None:
    """Copy fewer columns than a vector has lanes, one element at a time."""
    write, width = phase.write, arithmetic.lanes
    first, total = place
    with write.loop("0", str(depth), metadata=phase.no_unrolling()) as element:
        end = phase.at(arithmetic.type, target, phase.multiply(element.index, total), first)
        _store(phase, arithmetic, arithmetic.zeros(width), end, width)
        with write.loop("0", str(columns), metadata=phase.no_unrolling()) as lane:
            offset = phase.multiply(phase.add(lane.index, first), stride)
            value = arithmetic.load(write, phase.at(arithmetic.stored, source, offset, element.index))
            _store(phase, arithmetic, value, phase.at(arithmetic.type, end, lane.index), 1)


def _transposed(phase: PhaseWriter, arithmetic: Arithmetic, rows: Sequence[str]) -> Sequence[str]:
    """Transpose a square of registers: within 128 bits by interleaving, then by exchanging parts of 128 bits."""
    width = arithmetic.lanes
    type = arithmetic.vector_type(width)
    part = max(1, 16 // arithmetic.bytes)

    def shuffle(left: str, right: str, lanes: Sequence[int]) -> str:
        mask = f"<{width} x i32> <{', '.join(f'i32 {lane}' for lane in lanes)}>"
        return phase.write.value(f"shufflevector {type} {left}, {type} {right}, {mask}")

    result = list(rows)
    # After the step of size s, groups of 2s rows hold columns of 2s elements, in the order of reversed bits.
    size = 1
    while size < part:
        new = list(result)
        for start in range(0, width, 2 * size):
            for offset in range(size):
                left, right = result[start + offset], result[start + size + offset]
                low: list[int] = []
                high: list[int] = []
                for base in range(0, width, part):
                    for group in range(0, part // 2, size):
                        low += [base + group + i for i in range(size)] + [width + base + group + i for i in range(size)]
                        other = base + part // 2 + group
                        high += [other + i for i in range(size)] + [width + other + i for i in range(size)]
                new[start + 2 * offset] = shuffle(left, right, low)
                new[start + 2 * offset + 1] = shuffle(left, right, high)
        result = new
        size *= 2
    size = part
    while size < width:
        new = list(result)
        for start in range(0, width, 2 * size):
            for offset in range(size):
                left, right = result[start + offset], result[start + size + offset]
                low = [lane if lane % (2 * size) < size else width + lane - size for lane in range(width)]
                high = [lane + size if lane % (2 * size) < size else width + lane for lane in range(width)]
                new[start + offset] = shuffle(left, right, low)
                new[start + size + offset] = shuffle(left, right, high)
        result = new
        size *= 2
    return result


def copy_elements(phase: PhaseWriter, arithmetic: Arithmetic, source: str, target: str, count: int) -> None:
    """Copy a few elements that lie side by side."""
    done = 0
    while done < count:
        width = min(1 << ((count - done).bit_length() - 1), arithmetic.lanes)
        value = arithmetic.load(phase.write, phase.at(arithmetic.stored, source, done), width)
        _store(phase, arithmetic, value, phase.at(arithmetic.type, target, done), width)
        done += width
