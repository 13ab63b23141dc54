"""Running sums and products, and the linear recurrence."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from dovetail.compiler.kernels.elements import Custom, computed, rule
from dovetail.compiler.kernels.indices import symbols_in
from dovetail.compiler.kernels.ir import Apply, Assign, Buffer, Kernel, Load, Local, Loop, Node, Store, loop_symbol
from dovetail.compiler.kernels.scalars import constant, convert_down, convert_up
from dovetail.compiler.program import Instruction
from dovetail.ops.running import Cumprod, Cumsum, LinearRecurrence
from dovetail.ops.running_logs import CumulativeLogsumexp
from dovetail.ops.scalar import Basis, basis
from dovetail.types.dims import Dim, product
from dovetail.types.dtypes import bool_
from dovetail.types.shapes import normalize_axis

__all__: list[str] = []


def _along(
    one: Instruction,
    axis: int,
    reverse: bool,
    first: float,
    step: Callable[[Sequence[Node], Local], tuple[Node, Node]],
    label: str,
) -> Custom:
    """Define a value by a walk along an axis.

    Args:
        one: the instruction; its inputs have the output's type.
        axis: along which.
        reverse: whether from the last element on.
        first: what is carried at first.
        step: gives, for the elements of the inputs and what is carried, the element of the output and what is carried
            on.
        label: for profiles.
    """
    kind = one.outputs[0].type
    at = normalize_axis(axis, len(kind.dims), label)
    outer, length, inner = product(kind.dims[:at]), kind.dims[at], product(kind.dims[at + 1 :])

    def build(inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> Kernel:
        i, k, j = loop_symbol("i"), loop_symbol("k"), loop_symbol("j")
        carried = Local(computed(kind.dtype), "sum")
        offset: Dim = (i * length + k) * inner + j
        seen = [convert_up(Load(buffer, offset), kind.dtype) for buffer in inputs]
        result, after = step(seen, carried)
        walk = Loop(
            [(k, length)],
            [Store(outputs[0], offset, convert_down(result, kind.dtype)), Assign(carried, after)],
            carried=[(carried, constant(first, kind.dtype))],
            reverse=reverse,
        )
        lanes = Loop([(j, inner)], [walk], "vector")
        return Kernel(
            [*inputs, *outputs],
            symbols_in(*kind.dims),
            [Loop([(i, outer)], [lanes], "parallel")],
            work=2 * kind.size,
            label=label,
        )

    return Custom(one.inputs, build)


@rule(Cumsum, Cumprod)
def _running(op: Cumsum | Cumprod, one: Instruction) -> Custom:
    function = basis.add if isinstance(op, Cumsum) else basis.multiply

    def step(seen: Sequence[Node], carried: Local) -> tuple[Node, Node]:
        after = Apply(function, [carried, seen[0]], carried.dtype)
        return (carried if op.exclusive else after), after

    return _along(one, op.axis, op.reverse, int(isinstance(op, Cumprod)), step, op.label)


@rule(CumulativeLogsumexp)
def _running_logs(op: CumulativeLogsumexp, one: Instruction) -> Custom:
    def step(seen: Sequence[Node], carried: Local) -> tuple[Node, Node]:
        kind = carried.dtype

        def of(function: Basis, *args: Node) -> Node:
            return Apply(function, args, kind)

        high, low = of(basis.maximum, carried, seen[0]), of(basis.minimum, carried, seen[0])
        more = of(basis.log1p, of(basis.exp, of(basis.subtract, low, high)))
        nothing = Apply(basis.equal, [low, constant(-math.inf, kind)], bool_)
        after = of(basis.select, nothing, high, of(basis.add, high, more))
        return after, after

    return _along(one, op.axis, op.reverse, -math.inf, step, "cumulative_logsumexp")


@rule(LinearRecurrence)
def _recurrence(op: LinearRecurrence, one: Instruction) -> Custom:
    def step(seen: Sequence[Node], carried: Local) -> tuple[Node, Node]:
        after = Apply(basis.add, [Apply(basis.multiply, [seen[0], carried], carried.dtype), seen[1]], carried.dtype)
        return after, after

    return _along(one, op.axis, op.reverse, 0, step, "linear_recurrence")
