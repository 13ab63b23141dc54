"""Copying a program into another, as the decomposition of a composite or the branch of a condition that is known."""

from __future__ import annotations

from collections.abc import Sequence

from dovetail.compiler.program import Instruction, Origin, Output, Program, Value, bodies_of
from dovetail.types.dims import Dim, Symbol
from dovetail.types.shapes import TensorType

__all__ = ["inline"]


def inline(
    program: Program, arguments: Sequence[Value], origin: Origin | None = None
) -> tuple[list[Instruction], list[Value]]:
    """Return the instructions of ``program`` with ``arguments`` for its inputs, and the values of its outputs.

    The instructions, those in bodies too, are said to come from ``origin``, where it is given.
    """
    values: dict[Value, Value] = {
        given.value: argument for given, argument in zip(program.inputs, arguments, strict=True)
    }
    dims: dict[Symbol, Dim] = {
        inner: outer
        for given, argument in zip(program.inputs, arguments, strict=True)
        for inner, outer in zip(given.value.type.dims, argument.type.dims, strict=True)
        if isinstance(inner, Symbol) and inner != outer
    }
    instructions = []
    for one in program.instructions:
        outputs = []
        for value in one.outputs:
            kind = TensorType(value.type.dtype, value.type.shape.substitute(dims)) if dims else value.type
            hint = value.hint if origin is None else origin.name or value.hint
            copy = Value(kind, hint, value.symbolic if not dims else None)
            values[value] = copy
            outputs.append(copy)
        op = one.op.substitute(dims) if dims else one.op
        bodies = bodies_of(op)
        if bodies and origin is not None:
            op = op.replace(**{name: _from(origin, body) for name, body in bodies.items()})
        taken = [values[value] for value in one.inputs]
        instructions.append(Instruction(op, taken, outputs, _origin(origin, one.origin)))
    return instructions, [values[output.value] for output in program.outputs]


def _from(origin: Origin, body: Program) -> Program:
    """Return a body whose instructions come from ``origin``."""
    instructions, results = inline(body, [one.value for one in body.inputs], origin)
    outputs = [Output(value, one.kind, one.key) for one, value in zip(body.outputs, results, strict=True)]
    return Program(body.inputs, instructions, outputs, body.constraints)


def _origin(around: Origin | None, own: Origin) -> Origin:
    if around is None:
        return own
    return Origin(around.name or own.name, around.source, around.device, around.layer or own.layer, own.stable_id)
