"""Copying a program into another, as the decomposition of a composite or the branch of a condition that is known."""

from __future__ import annotations

from collections.abc import Sequence

from dovetail.compiler.program import Instruction, Origin, Program, Value
from dovetail.types.dims import Dim, Symbol
from dovetail.types.shapes import TensorType

__all__ = ["inline"]


def inline(program: Program, arguments: Sequence[Value], origin: Origin) -> tuple[list[Instruction], list[Value]]:
    """Return the instructions of ``program`` with ``arguments`` for its inputs, and the values of its outputs.

    The instructions are said to come from ``origin``.
    """
    values: dict[Value, Value] = {
        given.value: argument for given, argument in zip(program.inputs, arguments, strict=True)
    }
    dims: dict[Symbol, Dim] = {}
    for given, argument in zip(program.inputs, arguments, strict=True):
        for inner, outer in zip(given.value.type.dims, argument.type.dims, strict=True):
            if isinstance(inner, Symbol) and inner != outer:
                dims[inner] = outer
    instructions = []
    for one in program.instructions:
        outputs = []
        for value in one.outputs:
            kind = TensorType(value.type.dtype, value.type.shape.substitute(dims)) if dims else value.type
            copy = Value(kind, origin.name or value.hint, value.symbolic if not dims else None)
            values[value] = copy
            outputs.append(copy)
        op = one.op.substitute(dims) if dims else one.op
        source = Origin(
            origin.name or one.origin.name, origin.source, origin.device, origin.layer or one.origin.layer, one.origin.stable_id
        )
        instructions.append(Instruction(op, (values[value] for value in one.inputs), outputs, source))
    return instructions, [values[output.value] for output in program.outputs]
