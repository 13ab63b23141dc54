"""Scalar operations."""

from __future__ import annotations

from collections.abc import Sequence

from dovetail.compiler.kernels.elements import Elements, Pointwise, Read, Reshaped, rule
from dovetail.compiler.kernels.indices import broadcast_index
from dovetail.compiler.kernels.ir import Node
from dovetail.compiler.kernels.scalars import apply_expression, weight_of
from dovetail.compiler.kernels.walk import INTEGER_FAILURES
from dovetail.compiler.program import Instruction
from dovetail.ops.passing import Identity, StopGradient
from dovetail.ops.scalar import Apply, nodes_of
from dovetail.ops.scalars import ScalarOp
from dovetail.types.dims import Dim

__all__: list[str] = []


@rule(ScalarOp)
def _scalar(op: ScalarOp, one: Instruction) -> Pointwise | Reshaped:
    expression = op.scalar_expression
    dtypes = [value.type.dtype for value in one.inputs]
    dims = [value.type.dims for value in one.inputs]
    through = op.passes_through([value.type for value in one.inputs])
    if through is not None and one.inputs[through].type == one.outputs[0].type:
        return Reshaped(one.inputs[through])

    def node(elements: Elements, read: Read, index: Sequence[Dim]) -> Node:
        inputs = [read(number, broadcast_index(index, own)) for number, own in enumerate(dims)]
        return apply_expression(expression, dtypes, inputs)

    # Dividing integers by zero, and negative powers of them, are errors.
    fails = any(dtype.is_integer for dtype in dtypes) and any(
        isinstance(part, Apply) and part.function.name in INTEGER_FAILURES for part in nodes_of(expression)
    )
    return Pointwise(one.inputs, node, weight=weight_of(expression), fails=fails)


@rule(Identity, StopGradient)
def _same(op: Identity, one: Instruction) -> Reshaped:
    return Reshaped(one.inputs[0])
