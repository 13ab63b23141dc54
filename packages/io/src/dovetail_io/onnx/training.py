"""Comparing what is random: both sides with the same numbers in place of those drawn.

In the program all random bits are ones, in the model what is drawn is the number that they give; so dropout drops
nothing, and scales.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail.errors import ExportError
from dovetail.extend import (
    Array,
    ArrayAttribute,
    Instruction,
    Program,
    ReferenceBackend,
    Shape,
    Symbol,
    TensorType,
    decompose_composites,
    definitions,
)
from dovetail.extend import Value as ProgramValue
from dovetail_io.onnx.model import Node
from dovetail_io.onnx.packages import load_onnx

__all__ = ["fixed_model", "fixed_program", "run_reference", "trains"]

_FIXED: Final = frozenset(["RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"])
_TRAINING: Final = _FIXED | {"Dropout"}


def trains(node: Node) -> bool:
    """Whether a node does something only while training."""
    return not node.domain and (node.op_type in _TRAINING or bool(node.attributes.get("training_mode")))


def fixed_program(program: Program) -> Program:
    """Return a program of primitives in which all random bits are ones."""
    return _fixed(decompose_composites(program, lambda op: False))


def _fixed(program: Program) -> Program:
    instructions: list[Instruction] = []
    for one in program.instructions:
        if isinstance(one.op, definitions.PhiloxBits):
            dtype = one.outputs[0].type.dtype
            ones = ProgramValue(TensorType(dtype, Shape(())))
            full = np.asarray(np.iinfo(dtype.numpy).max, dtype.numpy)
            instructions.append(Instruction(definitions.Constant(ArrayAttribute(full)), (), [ones], one.origin))
            broadcast = definitions.BroadcastTo(one.op.shape)
            instructions.append(Instruction(broadcast, [ones], one.outputs, one.origin))
            continue
        bodies = {name: _fixed(body) for name, body in one.op.attributes().items() if isinstance(body, Program)}
        op = one.op.replace(**bodies) if bodies else one.op
        instructions.append(Instruction(op, one.inputs, one.outputs, one.origin))
    return Program(program.inputs, instructions, program.outputs, program.constraints)


def run_reference(
    program: Program, fed: Mapping[Any, Array], variables: Mapping[str, Array], sizes: Mapping[Symbol, int]
) -> Sequence[Array]:
    """Return what a program of primitives gives by the definitions of its operations.

    Raises:
        ExportError: an operation fails.
    """
    backend = ReferenceBackend()
    given: list[Any] = []
    for one in program.inputs:
        if one.kind == "feed":
            given.append(fed[one.key])
        elif one.kind == "state":
            given.append(variables[one.key])
        else:
            given.append(np.zeros((), one.value.type.dtype.numpy))
    results, status = backend.compile(program, backend.devices()[0])(given, sizes)
    if status is not None:
        origin = program.instructions[status.instruction].origin
        raise ExportError(f"the graph fails with random numbers fixed: {status.message} {origin.where()}")
    return results


def fixed_model(model: Any) -> Any:
    """Return a copy of a model in which what is drawn is the number that bits of ones give, and nothing is dropped."""
    onnx = load_onnx()
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    _fix(onnx, changed.graph)
    for function in changed.functions:
        _fix(onnx, function)
    return changed


def _fix(onnx: Any, graph: Any) -> None:
    nodes = []
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _fix(onnx, attribute.g)
        if node.op_type == "Dropout" and not node.domain:
            nodes += _scaled(onnx, node)
        elif node.op_type in _FIXED and not node.domain:
            nodes += _filled(onnx, node)
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def _scaled(onnx: Any, node: Any) -> list[Any]:
    """Return nodes that divide by the part that dropout keeps."""
    x, ratio, name = node.input[0], node.input[1], node.output[0]
    number, one, kept = (f"{name}/{part}" for part in ("number", "one", "kept"))
    return [
        onnx.helper.make_node("Constant", [], [number], value_float=1.0),
        onnx.helper.make_node("CastLike", [number, ratio], [one]),
        onnx.helper.make_node("Sub", [one, ratio], [kept]),
        onnx.helper.make_node("Div", [x, kept], [name]),
    ]


def _filled(onnx: Any, node: Any) -> list[Any]:
    """Return nodes that make the number which bits of ones give."""
    attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    dtype = onnx.helper.tensor_dtype_to_np_dtype(attributes["dtype"])
    drawn = definitions.UniformFromBits if "Uniform" in node.op_type else definitions.NormalFromBits
    width = np.uint64 if dtype == np.float64 else np.uint32
    number = drawn(dt.as_dtype(dtype)).reference(np.asarray([np.iinfo(width).max], width)).astype(dtype)
    name = node.output[0]
    if not node.input:
        full = onnx.numpy_helper.from_array(np.full(attributes["shape"], number, dtype))
        return [onnx.helper.make_node("Constant", [], [name], value=full)]
    constant = onnx.helper.make_node("Constant", [], [f"{name}/number"], value=onnx.numpy_helper.from_array(number))
    return [constant, onnx.helper.make_node("Add", [node.input[0], f"{name}/number"], [name])]
