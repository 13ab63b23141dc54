"""Lowering of control flow: bodies become programs, and take what they use from around as arguments.

A body's program is pure: the variables that it reads, the keys and counters of its random operations and the indices of
the loops around it are extra arguments; the variables that it writes are extra results, which a loop carries from one
iteration to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, final

from dovetail.compiler.lower import Lowering, handle, holds_anyway, needed_operations
from dovetail.compiler.program import Origin, Output, Program, ProgramInput, Value
from dovetail.errors import UnsupportedOperationError
from dovetail.graph.op import Op
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.subgraph import Subgraph
from dovetail.ops.bodies import argument_types
from dovetail.ops.branches import Cond
from dovetail.ops.loops import Loop, Scan, While
from dovetail.types.dims import substitute
from dovetail.types.shapes import TensorType

__all__: list[str] = []

Argument = Value | str
"""A value, or the name of the variable that a handle stands for."""


def _arguments(work: Lowering, tensors: Iterable[Tensor]) -> list[Argument]:
    return [
        work.resource_of(tensor) if work.is_resource(tensor) and tensor not in work.values else work.value_of(tensor)
        for tensor in tensors
    ]


def _values(arguments: Iterable[Argument]) -> list[Value]:
    return [one for one in arguments if isinstance(one, Value)]


def _type(argument: Argument, tensor: Tensor) -> TensorType:
    return argument.type if isinstance(argument, Value) else tensor.type


def _operations(body: Subgraph) -> list[Operation]:
    """Return what a body runs: what its results need, and everything that has an effect."""
    effects = [op for op in body.graph.get_operations() if op.definition.effect]
    return needed_operations(body.outputs, effects, {})


@final
class _BodyLowering(Lowering):
    """The state of lowering one body to a program of its own."""

    def __init__(
        self,
        outer: Lowering,
        body: Subgraph,
        types: Sequence[TensorType],
        arguments: Sequence[Argument | None],
        *,
        own: Iterable[str] = (),
        index: bool = False,
    ) -> None:
        """Lower ``body``.

        Args:
            outer: what lowers the graph around.
            body: the body.
            types: types of the arguments.
            arguments: what each input stands for: a value that is the same whenever the body runs, a variable, or
                ``None``.
            own: names of symbols of the inputs that stand for nothing around.
            index: whether the first input is the index of the iteration.
        """
        types, dims = argument_types(body, types, own, outer.symbols)
        changed = outer.respecialize or tuple(types) != body.input_types
        super().__init__(body.graph, {}, respecialize=changed, symbols=dims)
        self.outer = outer
        self.extras: dict[Hashable, tuple[Value, Value]] = {}
        self.parameters: list[Value | None] = []
        for tensor, type, argument in zip(body.inputs, types, arguments, strict=True):
            if isinstance(argument, str):
                self.resources[tensor] = argument
                self.parameters.append(None)
                continue
            value = Value(type, tensor.op.name)
            if argument is not None:
                self._inherit(value, argument)
            self.values[tensor] = value
            self.parameters.append(value)
        self.index = self.parameters[0] if index else None
        self.run(_operations(body))
        self.results = [self.value_of(tensor) for tensor in body.outputs]

    def _inherit(self, value: Value, around: Value) -> None:
        value.symbolic = around.symbolic
        if around in self.outer.flags:
            self.flags[value] = self.outer.flags[around]

    def capture(self, key: Hashable, around: Value) -> Value:
        """Return the argument that stands for a value of the program around."""
        known = self.extras.get(key)
        if known is None:
            value = Value(around.type, around.hint)
            self._inherit(value, around)
            known = self.extras[key] = value, around
        return known[0]

    @property
    def loop_indices(self) -> tuple[Value, ...]:
        """The indices of the loops around, the outermost first, and of this one."""
        around = tuple([self.capture(("loop", i), one) for i, one in enumerate(self.outer.loop_indices)])
        return around if self.index is None else (*around, self.index)

    def external(self, kind: Any, key: Any, type: TensorType, origin: Origin) -> Value:
        """Return the argument that stands for an input of the program around, or for a variable's value there."""
        known = self.extras.get((kind, key))
        if known is not None:
            return known[0]
        around = self.outer
        value = around.read_state(key, type, origin) if kind == "state" else around.external(kind, key, type, origin)
        return self.capture((kind, key), value)

    def is_written(self, name: str) -> bool:
        """Whether the variable of that name was written so far, here or around."""
        return super().is_written(name) or self.outer.is_written(name)

    def program(self, inputs: Iterable[Value], outputs: Iterable[Value]) -> Program:
        """Return the body as a program."""
        given = [ProgramInput(value, "argument", index) for index, value in enumerate(inputs)]
        return Program(
            given, self.instructions, [Output(value, "result", index) for index, value in enumerate(outputs)]
        )


@final
class _InlineLowering(Lowering):
    """The state of lowering one body as a part of the program around, where it is known that it runs."""

    def __init__(
        self, outer: Lowering, body: Subgraph, arguments: Sequence[Argument], types: Sequence[TensorType]
    ) -> None:
        """Lower ``body`` for ``arguments``."""
        types, dims = argument_types(body, types, (), outer.symbols)
        changed = outer.respecialize or tuple(types) != body.input_types
        super().__init__(body.graph, {}, respecialize=changed, symbols=dims)
        self.outer = outer
        self.instructions = outer.instructions
        self.constraints = outer.constraints
        self.flags = outer.flags
        for tensor, argument in zip(body.inputs, arguments, strict=True):
            if isinstance(argument, str):
                self.resources[tensor] = argument
            else:
                self.values[tensor] = argument
        self.run(_operations(body))
        self.results = [self.value_of(tensor) for tensor in body.outputs]

    @property
    def loop_indices(self) -> tuple[Value, ...]:
        """Those of the program around."""
        return self.outer.loop_indices

    def external(self, kind: Any, key: Any, type: TensorType, origin: Origin) -> Value:
        """Return the input of the program around."""
        return self.outer.external(kind, key, type, origin)

    def read_state(self, name: str, type: TensorType, origin: Origin) -> Value:
        """Return the value in the program around."""
        return self.outer.read_state(name, type, origin)

    def write_state(self, name: str, value: Value, op: Operation) -> None:
        """Write in the program around."""
        self.outer.write_state(name, value, op)

    def is_written(self, name: str) -> bool:
        """Whether the program around has written the variable."""
        return self.outer.is_written(name)


def _cond(work: Lowering, op: Operation) -> None:
    definition = op.definition
    assert isinstance(definition, Cond)
    predicate = work.value_of(op.inputs[0])
    arguments = _arguments(work, op.inputs[1:])
    types = [_type(argument, tensor) for argument, tensor in zip(arguments, op.inputs[1:], strict=True)]
    known = work.flags.get(predicate)
    if known is not None:
        work.publish(op, _InlineLowering(work, definition.branch(known), arguments, types).results)
        return
    branches = [_BodyLowering(work, definition.branch(which), types, arguments) for which in (True, False)]
    written = dict.fromkeys(name for branch in branches for name in branch.written)
    for branch in branches:
        for name in written:
            branch.read_state(name, _state_type(branches, name), work.origin(op))
    extras = {key: around for branch in branches for key, (_, around) in branch.extras.items()}
    programs = []
    for branch in branches:
        captured = [branch.capture(key, around) for key, around in extras.items()]
        given = [value for value in branch.parameters if value is not None]
        programs.append(
            branch.program([*given, *captured], [*branch.results, *(branch.state[name] for name in written)])
        )
        work.constraints.extend(pair for pair in branch.constraints if holds_anyway(definition, pair[0]))
    lowered = definition.replace(then_body=programs[0], else_body=programs[1])
    outputs = work.emit(lowered, [predicate, *_values(arguments), *extras.values()], op)
    for tensor, value, *results in zip(op.outputs, outputs, *(branch.results for branch in branches), strict=False):
        if value.type.rank is None:
            shown = " and ".join(str(result.type) for result in results)
            raise UnsupportedOperationError(
                f"cond: output {tensor.value_index} is {shown} in the two branches. Give both the same rank, or "
                "decide by a flag: "
                f"a boolean placeholder of shape []. {op.where()}"
            )
    work.publish(op, outputs[: len(op.outputs)])
    for name, value in zip(written, outputs[len(op.outputs) :], strict=True):
        work.write_state(name, value, op)


def _state_type(bodies: Iterable[_BodyLowering], name: str) -> TensorType:
    return next(body.state[name].type for body in bodies if name in body.state)


def _loop(work: Lowering, op: Operation) -> None:
    definition = op.definition
    assert isinstance(definition, Loop)
    if isinstance(definition, Scan):
        definition = definition.replace(length=substitute(definition.length, work.symbols))
        assert isinstance(definition, Scan)
    count, end = definition.carries, definition.carries + definition.sliced
    arguments = _arguments(work, op.inputs)
    types = definition.body_types([_type(one, tensor) for one, tensor in zip(arguments, op.inputs, strict=True)])
    given = [None] * (1 + end) + arguments[end:]
    bodies = {
        name: _BodyLowering(work, body, types, given, own=definition.varying, index=True)
        for name, body in definition.bodies().items()
    }
    main = bodies["body"]
    states = {name: work.read_state(name, main.state[name].type, work.origin(op)) for name in main.written}
    extras = {
        key: around
        for body in bodies.values()
        for key, (_, around) in body.extras.items()
        if key not in {("state", name) for name in states}
    }
    programs: dict[str, Program] = {}
    for name, body in bodies.items():
        carried = [body.capture(("state", state), around) for state, around in states.items()]
        captured = [body.capture(key, around) for key, around in extras.items()]
        lead = [value for value in body.parameters[: 1 + count] if value is not None]
        rest = [value for value in body.parameters[1 + count :] if value is not None]
        outputs = body.results
        if body is main:
            outputs = [*body.results[:count], *(body.state[state] for state in states), *body.results[count:]]
        programs[name] = body.program([*lead, *carried, *rest, *captured], outputs)
        work.constraints.extend(body.constraints)
    lowered: Op = definition.replace(carries=count + len(states), **programs)
    values = _values(arguments)
    emitted = work.emit(lowered, [*values[:count], *states.values(), *values[count:], *extras.values()], op)
    after = count + len(states)
    work.publish(op, [*emitted[:count], *emitted[after:]])
    for name, value in zip(states, emitted[count:after], strict=True):
        work.write_state(name, value, op)


_HANDLERS: dict[type[Op], Callable[[Lowering, Operation], None]] = {Cond: _cond, While: _loop, Scan: _loop}
for _definition, _handler in _HANDLERS.items():
    handle(_definition, _handler)
