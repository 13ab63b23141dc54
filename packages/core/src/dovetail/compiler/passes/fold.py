"""Fold: what depends on constants alone is computed when the plan is made, flags included."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from dovetail.compiler.program import Instruction, Program, Splice, Value, rewrite
from dovetail.compiler.reference import kernel
from dovetail.ops.composites import CompositeOp
from dovetail.ops.constants import Constant, Dims
from dovetail.ops.control_flow import Cond
from dovetail.types.attributes import ArrayAttribute

__all__ = ["fold"]

_LIMIT: Final = 1 << 14


def fold(program: Program) -> Program:
    """Compute instructions whose inputs are constants, replace known sizes, and take the branch a known condition chooses.

    Nothing large is made: a result has at most 16,384 elements, or no more than its inputs. What fails is left to fail when it
    runs.
    """
    from dovetail.compiler.inline import inline

    constants: dict[Value, Any] = {}

    def rule(one: Instruction) -> Splice | None:
        op = one.op
        if isinstance(op, Constant):
            constants[one.outputs[0]] = op.value.array
            return None
        if isinstance(op, Cond) and one.inputs[0] in constants:
            body = op.branch(bool(constants[one.inputs[0]]))
            instructions, results = inline(fold(body), one.inputs[1:], one.origin)
            for inner in instructions:
                if isinstance(inner.op, Constant):
                    constants[inner.outputs[0]] = inner.op.value.array
            return Splice(instructions, dict(zip(one.outputs, results, strict=True)))
        if op.effect or op.stateful or isinstance(op, (CompositeOp, Dims)) or len(one.outputs) != 1:
            return None
        value = one.outputs[0]
        if value.symbolic is not None:
            return Splice(_known(one, value, constants))
        if not one.inputs or op.is_symbolic or not all(given in constants for given in one.inputs):
            return None
        if not value.type.shape.is_static or value.type.dtype.is_string:
            return None
        arrays = [constants[given] for given in one.inputs]
        if int(np.prod(value.type.shape.evaluate({}))) > max(_LIMIT, *(np.size(array) for array in arrays)):
            return None
        try:
            with np.errstate(all="ignore"):
                array = np.asarray(kernel(op)(*arrays))
        except Exception:
            return None
        constants[value] = array
        return Splice([Instruction(Constant(ArrayAttribute(array)), (), one.outputs, one.origin)])

    return rewrite(program, rule)


def _known(one: Instruction, value: Value, constants: dict[Value, Any]) -> list[Instruction]:
    dims = value.symbolic
    assert dims is not None
    items = dims.reshape(-1).tolist()
    if all(isinstance(item, int) for item in items):
        array = np.asarray(items, value.type.dtype.numpy).reshape(dims.shape)
        constants[value] = array
        op: Any = Constant(ArrayAttribute(array))
    else:
        op = Dims(tuple(items) if dims.ndim else items[0], value.type.dtype)
    return [Instruction(op, (), one.outputs, one.origin)]
