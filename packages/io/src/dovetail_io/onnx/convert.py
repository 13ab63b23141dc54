"""From a program to a graph of ONNX nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail import extend as dx
from dovetail.extend import (
    Array,
    CompositeOp,
    Instruction,
    Op,
    Origin,
    Output,
    Program,
    ProgramInput,
    Source,
    decompose_composites,
    definitions,
)
from dovetail_io.onnx.builder import Builder, ConversionError
from dovetail_io.onnx.functions import FunctionTable, parameter_name
from dovetail_io.onnx.model import Graph, Value
from dovetail_io.onnx.passes import improve
from dovetail_io.onnx.registry import find_converter
from dovetail_io.onnx.units import Unit, Wanted, divide

__all__ = ["Conversion", "Problem"]

_NOWHERE: Final = Origin("", Source("", 0))
_FOLD_LIMIT: Final = 1 << 14
_NAMED: Final = 64


@final
class Problem:
    """What cannot be exported: an operation, where it is, and why."""

    __slots__ = ("operation", "origin", "reason")

    def __init__(self, operation: str, origin: Origin, reason: str) -> None:
        """Describe a problem."""
        self.operation = operation
        self.origin = origin
        self.reason = reason

    def __str__(self) -> str:
        """One line of the list."""
        return f'{self.operation} "{self.origin.name}" ({self.origin.source}): {self.reason}'


@final
class _Scope:
    """A graph being made, and what stands in it for the values of the program."""

    __slots__ = ("builder", "parent", "prefix", "values")

    def __init__(self, builder: Builder, parent: _Scope | None = None, prefix: str = "") -> None:
        self.builder = builder
        self.parent = parent
        self.prefix = prefix
        self.values: dict[dx.Value, Value] = {}


@final
class Conversion:
    """Converts a program, and collects what cannot be.

    Attributes:
        problems: what cannot be exported.
        functions: those made of layers.
    """

    def __init__(self, opset: int, wanted: Wanted, *, training: bool = False) -> None:
        """Begin.

        Args:
            opset: the version of ONNX's operators.
            wanted: whether a call of a layer is to be a function.
            training: whether to keep what is done while training only.
        """
        self.opset = opset
        self.wanted = wanted
        self.training = training
        self.problems: list[Problem] = []
        self.functions = FunctionTable()
        self.constants: dict[dx.Value, tuple[Array, str]] = {}
        self._arrays: Mapping[str, Array] = {}
        self._takers: dict[dx.Value, list[Instruction | None]] = {}

    def keeps(self, op: Op) -> bool:
        """Whether an operation has a converter of its own."""
        return find_converter(type(op), self.opset) is not None

    def graph(
        self,
        program: Program,
        names: Mapping[Any, str],
        arrays: Mapping[str, Array],
        entering: Mapping[str, Sequence[int]],
        leaving: Sequence[Sequence[int] | None],
    ) -> Graph:
        """Return the graph of the whole program.

        Args:
            program: decomposed down to what ``keeps`` keeps.
            names: names of the model's inputs.
            arrays: the values of variables, those at least that the program takes.
            entering: which axis of the program's input each axis of the model's is, by name, where they differ.
            leaving: likewise of the outputs, in order.
        """
        graph = Graph()
        self._arrays = arrays
        scope = self._bind(_Scope(Builder(self.opset, graph, training=self.training)))
        for given in program.inputs:
            value = Value(given.value.type, names.get(given.key) or str(given.key))
            if given.kind == "state":
                value.array = arrays[given.key]
            elif given.kind == "initialized":
                value.array = np.asarray(True)
            elif given.key in names:
                order = entering.get(names[given.key])
                if order is not None:
                    value = self._turned_input(value, order, scope.builder)
                else:
                    graph.inputs.append(value)
            scope.values[given.value] = value
        for value in graph.inputs:
            scope.builder.knows(value)
        self._remember(program)
        for item in divide(program.instructions, self.wanted):
            if isinstance(item, Unit):
                self._unit(item, scope, program)
            else:
                self._instruction(item, scope)
        for output in program.outputs:
            if output.kind != "fetch":
                origin = _writer_of(output, program)
                self.problems.append(
                    Problem(
                        "AssignVariable", origin, "it writes a variable, and a model has no state; fetch without it"
                    )
                )
        results = [self._value(one.value, scope) for one in program.outputs if one.kind == "fetch"]
        if self.problems:
            return graph
        turned = (
            value if order is None else scope.builder.transpose(value, order)
            for value, order in zip(results, leaving, strict=True)
        )
        return scope.builder.gives(turned)

    @staticmethod
    def _turned_input(value: Value, order: Sequence[int], builder: Builder) -> Value:
        """Make an input of the model whose axes are in another order; returns it in the program's order."""
        assert value.type is not None
        dims = value.type.dims
        taken = Value(dx.TensorType(value.dtype, dx.Shape([dims[axis] for axis in order])), value.name)
        builder.graph.inputs.append(taken)
        return builder.transpose(taken, np.argsort(order).tolist())

    def _remember(self, program: Program) -> None:
        """Take note of the constants of a program, and of the values that something takes."""
        for one in program.instructions:
            for value in dict.fromkeys(one.inputs):
                self._takers.setdefault(value, []).append(one)
            if isinstance(one.op, definitions.Constant):
                self.constants[one.outputs[0]] = (one.op.value.array, one.origin.name)
        for output in program.outputs:
            self._takers.setdefault(output.value, []).append(None)

    def _value(self, value: dx.Value, scope: _Scope) -> Value:
        """Return what stands for a value of the program; constants are made where they are used."""
        found = scope.values.get(value)
        if found is not None:
            return found
        constant = self.constants.get(value)
        if constant is not None:
            array, name = constant
            found = scope.builder.constant(array, name=name if array.size > _NAMED else "")
        else:
            assert scope.parent is not None, value
            found = self._value(value, scope.parent)
        scope.values[value] = found
        return found

    def _known(self, value: dx.Value, scope: _Scope) -> Value | None:
        """Return what stands for a value, if it is made already."""
        around: _Scope | None = scope
        while around is not None:
            if value in around.values:
                return around.values[value]
            around = around.parent
        return self._value(value, scope) if value in self.constants else None

    def _bind(self, scope: _Scope) -> _Scope:
        """Let the scope's builder convert programs, and begin graphs within its own."""
        scope.builder.inline = lambda program, arguments: self._inlined(program, arguments, scope)
        scope.builder.nested = lambda inputs: self._nested(inputs, scope)
        scope.builder.takers = lambda value: self._takers.get(value, ())
        scope.builder.known = lambda value: self._known(value, scope)
        scope.builder.variable = lambda name: scope.builder.constant(self._arrays[name], name=name)
        return scope

    # Instructions. ---------------------------------------------------------------------------------------------------

    def _instruction(self, one: Instruction, scope: _Scope) -> None:
        if isinstance(one.op, definitions.Constant):
            return
        builder = scope.builder
        origin = one.origin
        name = origin.name.removeprefix(scope.prefix)
        builder.origin = origin if name == origin.name else Origin(name, origin.source, layer=origin.layer)
        builder.types = tuple(value.type for value in one.outputs)
        builder.instruction = one
        inputs = [self._value(value, scope) for value in one.inputs]
        folded = self._folded(one, inputs)
        if folded is not None:
            scope.values[one.outputs[0]] = folded
            return
        try:
            if any(value.type.dtype.is_complex for value in (*one.inputs, *one.outputs)):
                raise ConversionError("ONNX computes with no complex numbers; keep real and imaginary parts apart")
            converter = find_converter(type(one.op), self.opset)
            if converter is None:
                raise ConversionError(_no_converter(one.op))
            before = len(builder.graph.nodes)
            try:
                result = converter(builder, one.op, *inputs)
            except ConversionError:
                if not isinstance(one.op, CompositeOp):
                    raise
                del builder.graph.nodes[before:]
                self._decomposed(one, scope)
                return
        except ConversionError as problem:
            self.problems.append(Problem(one.op.name, origin, str(problem)))
            result = [Value(value.type) for value in one.outputs]
        results = [result] if isinstance(result, Value) else list(result)
        for value, made in zip(one.outputs, results, strict=True):
            if made is None:
                continue
            if made not in inputs and made.array is None:
                made.type = value.type
                made.name = made.name or name
            builder.knows(made)
            scope.values[value] = made

    def _folded(self, one: Instruction, inputs: Sequence[Value]) -> Value | None:
        """Compute what depends on weights and constants alone, by the operation's definition."""
        op = one.op
        if (
            not inputs
            or len(one.outputs) != 1
            or isinstance(op, CompositeOp)
            or op.effect
            or op.stateful
            or op.is_symbolic
        ):
            return None
        type = one.outputs[0].type
        if any(value.array is None for value in inputs) or not type.shape.is_static or _has_bodies(op):
            return None
        limit = max(_FOLD_LIMIT, *(value.array.size for value in inputs if value.array is not None))
        if int(np.prod(type.shape.evaluate({}))) > limit:
            return None
        with np.errstate(all="ignore"):
            try:
                array = np.asarray(op.reference(*(value.array for value in inputs)))
            except (ArithmeticError, ValueError):
                return None  # as it would fail in a session, too: where it runs
        name = next((value.name for value in inputs if value.name), one.origin.name)
        return Value(type, name if len(inputs) == 1 else one.origin.name, array)

    def _decomposed(self, one: Instruction, scope: _Scope) -> None:
        """Convert the decomposition of a composite whose converter does not serve these inputs."""
        program = Program(
            [ProgramInput(value, "argument", index) for index, value in enumerate(one.inputs)],
            [one],
            [Output(value, "result", index) for index, value in enumerate(one.outputs)],
        )
        program = decompose_composites(program, lambda op: op != one.op and self.keeps(op))
        self._remember(program)
        for inner in program.instructions:
            self._instruction(inner, scope)
        for value, output in zip(one.outputs, program.outputs, strict=True):
            scope.values[value] = self._value(output.value, scope)

    def _nested(self, inputs: Sequence[Value], outer: _Scope) -> Builder:
        builder = Builder(self.opset, Graph(inputs), outer.builder, training=self.training)
        builder.origin = outer.builder.origin
        return self._bind(_Scope(builder, outer, outer.prefix)).builder

    def _inlined(self, program: Program, arguments: Sequence[Value], around: _Scope) -> list[Value]:
        """Convert a program into the graph of a scope, which goes on with its own operation afterwards."""
        builder = around.builder
        kept = builder.origin, builder.types, builder.instruction
        scope = _Scope(builder, around, around.prefix)
        for given, value in zip(program.inputs, arguments, strict=True):
            scope.values[given.value] = value
            builder.knows(value, given.value.type)
        self._remember(program)
        for one in program.instructions:
            self._instruction(one, scope)
        builder.origin, builder.types, builder.instruction = kept
        return [self._value(output.value, scope) for output in program.outputs]

    # Layers as functions. --------------------------------------------------------------------------------------------

    def _unit(self, unit: Unit, outer: _Scope, program: Program) -> None:
        members = set(unit.instructions)
        made = {value for one in unit.instructions for value in one.outputs}
        outside = {value for one in program.instructions if one not in members for value in one.inputs}
        outside.update(output.value for output in program.outputs)
        taken = dict.fromkeys(
            value
            for one in unit.instructions
            for value in one.inputs
            if value not in made and value not in self.constants
        )
        arguments = {value: self._value(value, outer) for value in taken}
        order = sorted(taken, key=lambda value: arguments[value].array is not None)  # weights last
        graph = Graph([Value(arguments[value].type, parameter_name(arguments[value], unit.call)) for value in order])
        scope = self._bind(_Scope(Builder(self.opset, graph, training=self.training), None, f"{unit.call.name}/"))
        scope.values.update(zip(order, graph.inputs, strict=True))
        before = len(self.problems)
        for one in unit.instructions:
            self._instruction(one, scope)
        if len(self.problems) > before:  # as a size that no input of the function has
            del self.problems[before:]
            for one in unit.instructions:
                self._instruction(one, outer)
            return
        results = [value for one in unit.instructions for value in one.outputs if value in outside]
        improve(scope.builder.gives(self._value(value, scope) for value in results))
        values = self.functions.call(unit.call, graph, [arguments[value] for value in order], outer.builder)
        for value, result in zip(results, values, strict=True):
            result.type = value.type
            result.name = unit.call.name
            outer.builder.knows(result)
            outer.values[value] = result


def _has_bodies(op: Op) -> bool:
    return any(isinstance(value, Program) for value in op.attributes().values())


def _no_converter(op: Op) -> str:
    if op.domain:
        return (
            f"the package {op.domain!r} declares no converter for it; one is declared by an entry point "
            f'{op.name} of the group "dovetail.onnx"'
        )
    return "ONNX has no operators for it"


def _writer_of(output: Output, program: Program) -> Origin:
    for one in reversed(program.instructions):
        if output.value in one.outputs:
            return one.origin
    return next((given.origin for given in program.inputs if given.key == output.key), _NOWHERE)
