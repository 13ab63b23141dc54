"""Simplify: operations that give back their input are dropped."""

from __future__ import annotations

from dovetail.compiler.program import Instruction, Program, Splice, Value, map_bodies, rewrite

__all__ = ["simplify"]


def simplify(program: Program) -> Program:
    """Drop operations that give back an input, in bodies too, and writes that give a variable the value it has."""

    def rule(one: Instruction) -> Splice | None:
        if len(one.outputs) != 1 or not one.inputs or one.op.effect:
            return None
        index = one.op.passes_through([value.type for value in one.inputs])
        if index is None or one.inputs[index].type != one.outputs[0].type:
            return None
        return Splice((), {one.outputs[0]: one.inputs[index]})

    result = map_bodies(rewrite(program, rule), simplify)
    states: dict[object, Value] = {given.key: given.value for given in result.inputs if given.kind == "state"}
    outputs = [one for one in result.outputs if one.kind != "state" or states.get(one.key) is not one.value]
    return result if len(outputs) == len(result.outputs) else result.replace(outputs=outputs)
