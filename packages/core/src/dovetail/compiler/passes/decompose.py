"""Decompose: composites become the operations that define them, but for those that the backend keeps."""

from __future__ import annotations

import functools
from collections.abc import Callable

from dovetail.compiler.inline import inline
from dovetail.compiler.lower import Lowering
from dovetail.compiler.program import Instruction, Output, Program, Splice, map_bodies, prune, rewrite
from dovetail.errors import GraphError
from dovetail.graph.op import Op
from dovetail.ops.composites import CompositeOp, decompose
from dovetail.types.shapes import TensorType

__all__ = ["decompose_composites", "decomposition_of"]


def decompose_composites(program: Program, keeps: Callable[[Op], bool] = lambda op: False) -> Program:
    """Replace composites that ``keeps`` does not want by their decompositions, in bodies too."""

    def rule(one: Instruction) -> Splice | None:
        if not isinstance(one.op, CompositeOp) or keeps(one.op):
            return None
        body = decompose_composites(decomposition_of(one.op, tuple(v.type for v in one.inputs)), keeps)
        instructions, results = inline(body, one.inputs, one.origin)
        return Splice(instructions, dict(zip(one.outputs, results, strict=True)))

    return map_bodies(rewrite(program, rule), lambda body: decompose_composites(body, keeps))


@functools.lru_cache(maxsize=1024)
def decomposition_of(op: CompositeOp, types: tuple[TensorType, ...]) -> Program:
    """Return the decomposition of a composite as a program of ``argument`` inputs and ``result`` outputs.

    Raises:
        GraphError: the decomposition is no function of its inputs, because it draws random numbers or reads a variable.
    """
    body = decompose(op, types)
    work = Lowering(body.graph, {})
    inputs = []
    for index, tensor in enumerate(body.inputs):
        value = work.external("argument", index, tensor.type, work.origin(tensor.op))
        value.symbolic = tensor.symbolic_value
        work.values[tensor] = value
        inputs.append(work.inputs["argument", index])
    work.run(body.graph.get_operations())
    outside = next((given for given in work.inputs.values() if given.kind != "argument"), None)
    if outside is not None or work.written:
        raise GraphError(
            f"the composite {op.name} draws random numbers, or reads or writes a variable, within its decomposition; "
            f"make them outside and pass them in, as its gradient repeats the decomposition."
        )
    outputs = [Output(work.value_of(tensor), "result", i) for i, tensor in enumerate(body.outputs)]
    return prune(Program(inputs, work.instructions, outputs))
