"""Reductions over axes, positions of extremes, assertions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dovetail.compiler.kernels.elements import Custom, Elements, Pointwise, Read, Reduce, Reshaped, computed, rule
from dovetail.compiler.kernels.indices import symbols_in
from dovetail.compiler.kernels.ir import (
    Apply,
    Assign,
    Buffer,
    Check,
    Index,
    Kernel,
    Load,
    Local,
    Loop,
    Node,
    ReduceKind,
    Statement,
    Store,
    loop_symbol,
)
from dovetail.compiler.kernels.ir import Reduction as Reductions
from dovetail.compiler.kernels.scalars import constant, convert, convert_up
from dovetail.compiler.program import Instruction
from dovetail.ops.assertions import Assertion
from dovetail.ops.numerics import CheckNumerics
from dovetail.ops.positions import ArgMax, ArgMin
from dovetail.ops.reducing import All, AnyOf, Max, Min, Prod, Reduction, Sum
from dovetail.ops.scalar import basis
from dovetail.types.dims import Dim, ceil_div, dim_min, lower_bound
from dovetail.types.dtypes import bool_, int64
from dovetail.types.shapes import normalize_axis

__all__: list[str] = []

_KINDS: Final[dict[type[Reduction], ReduceKind]] = {
    Sum: "sum", Prod: "prod", Max: "max", Min: "min", All: "all", AnyOf: "any"
}  # fmt: skip


def _some(dims: Sequence[Dim]) -> Node | None:
    """Return the condition that none of the sizes is 0, or ``None`` where that is known."""
    result: Node | None = None
    for dim in dims:
        if (lower_bound(dim) or 0) > 0:
            continue
        size = constant(dim, int64) if isinstance(dim, int) else Index(dim, int64)
        one: Node = Apply(basis.greater, [size, constant(0, int64)], bool_)
        result = one if result is None else Apply(basis.logical_and, [result, one], bool_)
    return result


@rule(Reduction)
def _reduction(op: Reduction, one: Instruction) -> Reduce | Reshaped:
    kind = one.inputs[0].type
    axes = [axis for axis in op.over(kind) if kind.dims[axis] != 1]
    initial = op.initial if isinstance(op, Max) else None
    if not axes and initial is None:
        return Reshaped(one.inputs[0])

    def finish(node: Node) -> Node:
        if initial is None:
            return node
        return Apply(basis.maximum, [node, constant(initial, kind.dtype)], node.dtype)

    extreme = isinstance(op, Max | Min) and initial is None
    return Reduce(
        one.inputs,
        _KINDS[type(op)],
        kind.dims,
        axes,
        lambda elements, read, index: read(0, index),
        finish=finish,
        demand=_some([kind.dims[axis] for axis in axes]) if extreme else None,
    )


@rule(ArgMax, ArgMin)
def _position(op: ArgMax | ArgMin, one: Instruction) -> Pointwise:
    kind = one.inputs[0].type
    axis = normalize_axis(op.axis, len(kind.dims), op.label)
    wide = computed(kind.dtype)
    beyond = basis.greater if isinstance(op, ArgMax) else basis.less
    demand = _some([kind.dims[axis]])

    def node(elements: Elements, read: Read, index: Sequence[Dim]) -> Node:
        if demand is not None:
            elements.check(demand)
        best, place = Local(wide, "best"), Local(int64, "place")
        step = elements.symbol("k")
        with elements.scope() as body:
            seen = read(0, [*index[:axis], step, *index[axis:]])
            here: Node = Index(step, int64)
            first: Node = Apply(basis.equal, [here, constant(0, int64)], bool_)
            better: Node = Apply(beyond, [seen, best], bool_)
            if wide.is_floating:  # the first NaN is the extreme
                news = Apply(basis.is_nan, [seen], bool_)
                known = Apply(basis.is_nan, [best], bool_)
                better = Apply(basis.logical_or, [better, news], bool_)
                better = Apply(basis.logical_and, [better, Apply(basis.logical_not, [known], bool_)], bool_)
            better = Apply(basis.logical_or, [first, better], bool_)
            body.append(Assign(best, Apply(basis.select, [better, seen, best], wide)))
            body.append(Assign(place, Apply(basis.select, [better, here, place], int64)))
        carried = [(best, constant(0, kind.dtype)), (place, constant(0, int64))]
        elements.statements.append(Loop([(step, kind.dims[axis])], body, carried=carried))
        return convert(place, int64, op.output_type)

    return Pointwise(one.inputs, node, weight=100, loops=True, fails=demand is not None)


_BLOCK: Final = 4096


@rule(CheckNumerics)
def _check_numerics(op: CheckNumerics, one: Instruction) -> Custom:
    """Blocks of elements are checked, each with one check, and copied."""
    kind = one.inputs[0].type

    def build(inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> Kernel:
        block, i, j = loop_symbol("b"), loop_symbol("i"), loop_symbol("j")
        start = block * _BLOCK
        width = dim_min(kind.size - start, _BLOCK)
        finite = Local(bool_, "finite")
        seen = Apply(basis.is_finite, [convert_up(Load(inputs[0], start + i), kind.dtype)], bool_)
        body: list[Statement] = [
            Reductions([(finite, "all", seen)], [(i, width)], vector=True),
            Check(finite),
            Loop([(j, width)], [Store(outputs[0], start + j, Load(inputs[0], start + j))], "vector"),
        ]
        return Kernel(
            [*inputs, *outputs],
            symbols_in(kind.size),
            [Loop([(block, ceil_div(kind.size, _BLOCK))], body, "parallel")],
            work=2 * kind.size,
            can_fail=True,
            label=op.name,
        )

    return Custom(one.inputs, build, fails=True)


@rule(Assertion)
def _assertion(op: Assertion, one: Instruction) -> Custom:
    def build(inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> Kernel:
        at = loop_symbol("i")
        body = Loop([(at, inputs[0].size)], [Check(Load(inputs[0], at))])
        return Kernel(inputs, symbols_in(inputs[0].size), [body], work=inputs[0].size, can_fail=True, label="Assert")

    return Custom(one.inputs[:1], build, fails=True)
