"""Share: what is computed twice from the same values is computed once."""

from __future__ import annotations

from dovetail.compiler.program import Instruction, Program, Splice, Value, map_bodies, rewrite
from dovetail.graph.op import Op

__all__ = ["share"]


def share(program: Program) -> Program:
    """Keep the first of equal operations on equal inputs, in bodies too; effects and state are never equal."""
    known: dict[tuple[Op, tuple[Value, ...], str], tuple[Value, ...]] = {}

    def rule(one: Instruction) -> Splice | None:
        if one.op.effect or one.op.stateful or not one.outputs:
            return None
        key = (one.op, one.inputs, one.origin.device)
        first = known.setdefault(key, one.outputs)
        if first is one.outputs:
            return None
        return Splice((), dict(zip(one.outputs, first, strict=True)))

    return map_bodies(rewrite(program, rule), share)
