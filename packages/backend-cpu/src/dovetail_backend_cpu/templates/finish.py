"""Runs a template's epilogue on the sums of a tile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dovetail.types.dims import Symbol
from dovetail_backend_cpu.emit.body import Lanes
from dovetail_backend_cpu.templates.phase import PhaseWriter, Value

__all__ = ["finish_tile", "lane_mask"]


def lane_mask(phase: PhaseWriter, width: int, first: int, limit: Value) -> str:
    """Return the mask of the lanes whose number, counted from ``first``, is below ``limit``."""
    if isinstance(limit, int):
        return f"<{', '.join('i1 true' if first + lane < limit else 'i1 false' for lane in range(width))}>"
    # 32 bits hold the lane numbers; a limit beyond them is cut down first.
    cut = phase.write.value(f"trunc i64 {phase.minimum(limit, first + width)} to i32")
    one = phase.write.value(f"insertelement <{width} x i32> poison, i32 {cut}, i32 0")
    all = phase.write.value(
        f"shufflevector <{width} x i32> {one}, <{width} x i32> poison, <{width} x i32> zeroinitializer"
    )
    numbers = ", ".join(f"i32 {first + lane}" for lane in range(width))
    return phase.write.value(f"icmp slt <{width} x i32> <{numbers}>, {all}")


def finish_tile(
    phase: PhaseWriter,
    sums: Sequence[str],
    row_indices: Sequence[Callable[[], Mapping[Symbol, Value]]],
    vectors: int,
    width: int,
    column: Value,
    columns: Value,
) -> None:
    """Run the epilogue on every vector of a tile.

    Args:
        phase: where it is written.
        sums: a vector for each row and vector of columns, those of a row together.
        row_indices: for each row, writes the index along each axis but the last.
        vectors: how many vectors a row has.
        width: lanes of a vector.
        column: the index along the last axis of the first lane.
        columns: how many lanes of a row are there, counted from ``column``: what is beyond is left out.
    """
    symbol = phase.template.epilogue.axes[-1]

    def run(limit: Value | None) -> None:
        for row, indices in enumerate(row_indices):
            outer = indices()
            for place in range(vectors):
                first = place * width
                if isinstance(limit, int) and limit <= first:
                    continue
                whole = limit is None or (isinstance(limit, int) and limit >= first + width)
                mask = None if whole or limit is None else lane_mask(phase, width, first, limit)
                lanes = Lanes(symbol, width, mask)
                phase.finish({**outer, symbol: phase.add(column, first)}, lanes, sums[row * vectors + place])

    total = vectors * width
    if isinstance(columns, int):
        run(None if columns >= total else columns)
        return
    full = phase.compare("sge", columns, total)
    with phase.write.when(full):
        run(None)
    with phase.write.when(phase.write.value(f"xor i1 {full}, true")):
        run(columns)
