"""Runs a template's epilogue on the sums of a tile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from dovetail.kernels import Apply, Bind, Constant, Epilogue, Let, Local, Node, Store, Symbol
from dovetail_backend_cpu.emit.body import Lanes
from dovetail_backend_cpu.templates.arithmetic import Arithmetic
from dovetail_backend_cpu.templates.phase import PhaseWriter, Value

__all__ = ["finish_tile", "lane_mask"]

_HEAVY: Final = 16
"""An epilogue of more instructions for a vector is a function of its own, which costs less time to compile."""
_CHEAP: Final = frozenset(
    (
        *("add", "subtract", "multiply", "divide", "maximum", "minimum", "negative", "absolute", "sqrt", "square"),
        *("select", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal"),
    )
)
_DEAR: Final = 12
"""Instructions that other functions are taken for."""


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
    axes = phase.template.epilogue.axes
    total = vectors * width

    def inside(limit: Value | None) -> None:
        for row, indices in enumerate(row_indices):
            outer = indices()
            for place in range(vectors):
                first = place * width
                if isinstance(limit, int) and limit <= first:
                    continue
                whole = limit is None or (isinstance(limit, int) and limit >= first + width)
                mask = None if whole or limit is None else lane_mask(phase, width, first, limit)
                lanes = Lanes(axes[-1], width, mask)
                phase.finish({**outer, axes[-1]: phase.add(column, first)}, lanes, sums[row * vectors + place])

    def outside(limit: Value) -> None:
        name, type = _outlined(phase, width)
        for row, indices in enumerate(row_indices):
            outer = indices()
            for place in range(vectors):
                first = place * width
                if isinstance(limit, int) and limit <= first:
                    continue
                values = [f"i64 {outer[axis]}" for axis in axes[:-1]] + [f"i64 {phase.add(column, first)}"]
                vector = f"{type} {sums[row * vectors + place]}"
                arguments = ", ".join([vector, *values, f"i64 {phase.subtract(limit, first)}"])
                phase.write.do(f"call void @{name}(ptr %frame, ptr %slots, {arguments})")

    if _weight(phase.template.epilogue) > _HEAVY:
        outside(columns)
    elif isinstance(columns, int):
        inside(None if columns >= total else columns)
    else:
        full = phase.compare("sge", columns, total)
        with phase.write.when(full):
            inside(None)
        # What is at the edge is rare, and not worth its code in every tile.
        with phase.write.when(phase.write.value(f"xor i1 {full}, true")):
            outside(columns)


def _outlined(phase: PhaseWriter, width: int) -> tuple[str, str]:
    """Return the name of a function that runs the epilogue on a vector, and the vector's type.

    It takes the vector, the index along each axis, and how many lanes are there from the first on.
    """
    template = phase.template
    arithmetic = Arithmetic(template.output.dtype, phase.machine)
    type = arithmetic.vector_type(width)
    name = f"{phase.write.name}_finish{width}"
    module = phase.write.module
    if any(function.name == name for function in module.functions):
        return name, type
    axes = template.epilogue.axes
    indices = [(axis, f"axis{number}") for number, axis in enumerate(axes)]
    extra = [(type, "sums"), *(("i64", one) for _, one in indices), ("i64", "limit")]
    inner = PhaseWriter(module, template, name, phase.machine, workspace=False, extra=extra)
    named = {axis: f"%{one}" for axis, one in indices}
    full = inner.compare("sge", "%limit", width)
    with inner.write.when(full):
        inner.finish(named, Lanes(axes[-1], width, None), "%sums")
    some = inner.compare("sgt", "%limit", 0)
    partial = inner.write.value(f"and i1 {some}, {inner.compare('slt', '%limit', width)}")
    with inner.write.when(partial):
        mask = lane_mask(inner, width, 0, "%limit")
        inner.finish(named, Lanes(axes[-1], width, mask), "%sums")
    inner.write.ret()
    return name, type


def _weight(epilogue: Epilogue) -> int:
    """Return about how many instructions the epilogue has for a vector."""
    seen: set[int] = set()
    total = 0
    pending: list[Node] = []
    for statement in epilogue.body:
        if isinstance(statement, Let | Bind | Store):
            pending.append(statement.node)
        total += not isinstance(statement, Let)
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        pending += node.args
        if isinstance(node, Apply):
            total += 1 if node.function.name in _CHEAP else _DEAR
        elif not isinstance(node, Constant | Local):
            total += 1
    return total
