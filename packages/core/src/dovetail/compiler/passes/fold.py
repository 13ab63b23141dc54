"""Fold: what depends on constants alone is computed when the plan is made, flags included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from dovetail.compiler.inline import inline
from dovetail.compiler.program import Instruction, Program, ProgramInput, Splice, Value, rewrite
from dovetail.compiler.reference import kernel
from dovetail.ops.bodies import ControlOp
from dovetail.ops.composites import CompositeOp
from dovetail.ops.constants import Constant, Dims
from dovetail.ops.control_flow import Cond
from dovetail.ops.loops import Loop
from dovetail.ops.reshaping import Reshape
from dovetail.types.attributes import ArrayAttribute

__all__ = ["fold"]

_LIMIT: Final = 1 << 14


def fold(program: Program) -> Program:
    """Compute instructions whose inputs are constants, replace known sizes, take the branch that is known to run.

    Nothing large is made: a result has at most 16,384 elements, or no more than its inputs. What fails is left to fail
    when it runs.
    """
    constants: dict[Value, ArrayAttribute] = {}

    def rule(one: Instruction) -> Splice | None:
        op = one.op
        if isinstance(op, Constant):
            constants[one.outputs[0]] = op.value
            return None
        if isinstance(op, ControlOp):
            return _fold_control(one, op, constants)
        if op.effect or op.stateful or isinstance(op, (CompositeOp, Dims)) or len(one.outputs) != 1:
            return None
        value = one.outputs[0]
        if value.symbolic is not None:
            return Splice(_known(one, value, constants))
        if not one.inputs or op.is_symbolic or not all(given in constants for given in one.inputs):
            return None
        if not value.type.shape.is_static or value.type.dtype.is_string:
            return None
        arrays = [constants[given].array for given in one.inputs]
        if int(np.prod(value.type.shape.evaluate({}))) > max(_LIMIT, *(np.size(array) for array in arrays)):
            return None
        try:
            with np.errstate(all="ignore"):
                array = np.asarray(kernel(op)(*arrays))
        except Exception:  # noqa: BLE001 - whatever it is, it is raised again when the step runs
            return None
        constants[value] = ArrayAttribute(array)
        return Splice([Instruction(Constant(constants[value]), (), one.outputs, one.origin)])

    return rewrite(program, rule)


def _fold_control(one: Instruction, op: ControlOp, constants: dict[Value, ArrayAttribute]) -> Splice | None:
    """Fold in bodies, for the arguments that are constant; put the branch that is known to run in place of ``Cond``."""
    absorbed, inputs = _absorb(op, one.inputs, constants)
    changed = {name: fold(body) for name, body in absorbed.bodies().items()}
    if isinstance(op, Cond) and inputs[0] in constants:
        body = changed["then_body" if constants[inputs[0]].array else "else_body"]
        if body.input_types == tuple(value.type for value in inputs[1:]) and body.output_types == tuple(
            value.type for value in one.outputs
        ):
            instructions, results = inline(body, inputs[1:])
            for inner in instructions:
                if isinstance(inner.op, Constant):
                    constants[inner.outputs[0]] = inner.op.value
            return Splice(instructions, dict(zip(one.outputs, results, strict=True)))
    if absorbed is op and all(changed[name] is body for name, body in op.bodies().items()):
        return None
    return Splice([Instruction(absorbed.replace(**changed), inputs, one.outputs, one.origin)])


def _absorb(
    op: ControlOp, inputs: Sequence[Value], constants: Mapping[Value, ArrayAttribute]
) -> tuple[ControlOp, Sequence[Value]]:
    """Put constant arguments into the bodies that take them."""
    first, before = (op.carries + op.sliced, op.carries + op.sliced + op.indexed) if isinstance(op, Loop) else (1, 0)
    places = [
        index
        for index, value in enumerate(inputs)
        if index >= first and value in constants and constants[value].array.size <= _LIMIT
    ]
    if not places:
        return op, inputs
    known = {index - first + before: constants[inputs[index]] for index in places}
    changed = {name: _with_constants(body, known) for name, body in op.bodies().items()}
    result = op.replace(**changed)
    assert isinstance(result, ControlOp)
    return result, [value for index, value in enumerate(inputs) if index not in places]


def _with_constants(body: Program, known: Mapping[int, ArrayAttribute]) -> Program:
    made = [
        Instruction(Constant(value), (), (body.inputs[index].value,), body.inputs[index].origin)
        for index, value in known.items()
    ]
    left = [given for index, given in enumerate(body.inputs) if index not in known]
    inputs = [ProgramInput(given.value, given.kind, index, given.origin) for index, given in enumerate(left)]
    return body.replace(inputs=inputs, instructions=[*made, *body.instructions])


def _known(one: Instruction, value: Value, constants: dict[Value, ArrayAttribute]) -> list[Instruction]:
    dims = value.symbolic
    assert dims is not None
    items = dims.reshape(-1).tolist()
    if all(isinstance(item, int) for item in items):
        array = np.asarray(items, value.type.dtype.numpy).reshape(dims.shape)
        constants[value] = ArrayAttribute(array)
        op: Any = Constant(constants[value])
    else:
        op = Dims(tuple(items) if dims.ndim else items[0], value.type.dtype)
    if dims.ndim < 2 or isinstance(op, Constant):
        return [Instruction(op, (), one.outputs, one.origin)]
    flat = Value(op.infer(), value.hint)  # sizes are a scalar or a vector
    return [
        Instruction(op, (), (flat,), one.origin),
        Instruction(Reshape(dims.shape), (flat,), one.outputs, one.origin),
    ]
