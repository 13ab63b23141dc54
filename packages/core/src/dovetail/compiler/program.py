"""``Program``: what one run computes, as immutable, typed instructions in order; and its verifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, final

import numpy as np

from dovetail.errors import DTypeError, ProgramError, ShapeError
from dovetail.graph.layercall import LayerCall
from dovetail.graph.op import Array, Body, Op, free_symbols
from dovetail.graph.source import Source
from dovetail.types.attributes import register_kind
from dovetail.types.constraints import Constraint, Settled, collecting
from dovetail.types.dims import Dim, Symbol, substitute
from dovetail.types.shapes import TensorType

__all__ = [
    "Instruction",
    "Origin",
    "Output",
    "Program",
    "ProgramInput",
    "Splice",
    "Value",
    "bodies_of",
    "first_makers",
    "map_bodies",
    "prune",
    "rewrite",
    "verify",
]

InputKind = Literal["feed", "state", "key", "counter", "initialized", "argument"]
OutputKind = Literal["fetch", "state", "result"]


@final
class Value:
    """What an instruction makes or a program takes; compared by identity.

    Attributes:
        type: dtype and shape.
        hint: the name of the tensor it stands for, used in text.
        symbolic: the elements as dimensions, for small integer values known before the run.
    """

    __slots__ = ("hint", "symbolic", "type")

    def __init__(self, type: TensorType, hint: str = "", symbolic: Array | None = None) -> None:
        """Make a value."""
        self.type = type
        self.hint = hint
        self.symbolic = symbolic

    def __repr__(self) -> str:
        """Show hint and type."""
        return f"<Value {self.hint or '?'}: {self.type}>"


@final
class Origin:
    """The node that an instruction comes from.

    Attributes:
        name: the node's name.
        source: the user's line.
        device: the device asked for.
        layer: the layer call that made the node.
        stable_id: the node's identity for random numbers.
    """

    __slots__ = ("device", "layer", "name", "source", "stable_id")

    def __init__(
        self, name: str, source: Source, device: str = "", layer: LayerCall | None = None, stable_id: int = 0
    ) -> None:
        """Describe where an instruction comes from."""
        self.name = name
        self.source = source
        self.device = device
        self.layer = layer
        self.stable_id = stable_id

    def where(self) -> str:
        """Name the node and its line, for messages."""
        return f'(node "{self.name}" made at {self.source})'


NOWHERE: Final = Origin("", Source("<program>", 0))


@final
class Instruction:
    """An operation applied to values."""

    __slots__ = ("inputs", "op", "origin", "outputs")

    def __init__(self, op: Op, inputs: Iterable[Value], outputs: Iterable[Value], origin: Origin = NOWHERE) -> None:
        """Make an instruction."""
        self.op = op
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.origin = origin

    def with_inputs(self, inputs: Iterable[Value]) -> Instruction:
        """Return the instruction with other inputs."""
        return Instruction(self.op, inputs, self.outputs, self.origin)

    def __repr__(self) -> str:
        """Show the operation."""
        return f"<Instruction {self.op} {self.origin.name}>"


@final
class ProgramInput:
    """A value that a program takes.

    Attributes:
        value: the value.
        kind: ``feed``; ``state`` (a variable); ``key`` and ``counter`` (of a random operation); ``initialized``
            (whether a variable has a value); ``argument`` (of a body).
        key: what is fed, or the name of the variable or random operation.
        origin: the node, for messages.
    """

    __slots__ = ("key", "kind", "origin", "value")

    def __init__(self, value: Value, kind: InputKind, key: Any, origin: Origin = NOWHERE) -> None:
        """Describe an input."""
        self.value = value
        self.kind = kind
        self.key = key
        self.origin = origin


@final
class Output:
    """A value that a program gives: a ``fetch``, the new value of a ``state``, or the ``result`` of a body."""

    __slots__ = ("key", "kind", "value")

    def __init__(self, value: Value, kind: OutputKind, key: Any = None) -> None:
        """Describe an output."""
        self.value = value
        self.kind = kind
        self.key = key


@final
class Program(Body):
    """Inputs, instructions in order, and outputs; pure but for the effects of its instructions.

    Attributes:
        inputs: what it takes.
        instructions: in an order that respects data and effects.
        outputs: what it gives.
        constraints: what must hold of the sizes fed, each with the node that wants it.
    """

    __slots__ = ("_symbols", "constraints", "inputs", "instructions", "outputs")

    def __init__(
        self,
        inputs: Iterable[ProgramInput],
        instructions: Iterable[Instruction],
        outputs: Iterable[Output],
        constraints: Iterable[tuple[Constraint, Origin]] = (),
    ) -> None:
        """Make a program."""
        self.inputs = tuple(inputs)
        self.instructions = tuple(instructions)
        self.outputs = tuple(outputs)
        self.constraints = tuple(constraints)
        self._symbols: frozenset[Symbol] | None = None

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        """Types of the inputs."""
        return tuple(one.value.type for one in self.inputs)

    @property
    def output_types(self) -> tuple[TensorType, ...]:
        """Types of the outputs."""
        return tuple(one.value.type for one in self.outputs)

    @property
    def symbols(self) -> frozenset[Symbol]:
        """The symbols that its inputs or attributes mention and that nothing inside determines."""
        if self._symbols is None:
            steps = [(one.op, [value.type for value in one.outputs]) for one in self.instructions]
            self._symbols = free_symbols(self.input_types, steps)
        return self._symbols

    @property
    def effect(self) -> bool:
        """Whether an instruction has an effect."""
        return any(one.op.effect for one in self.instructions)

    @property
    def flops(self) -> Dim:
        """Floating-point operations of a run."""
        return sum(
            (
                one.op.flops([value.type for value in one.inputs], [value.type for value in one.outputs])
                for one in self.instructions
            ),
            0,
        )

    def substitute(self, dims: Mapping[Symbol, Dim]) -> Program:
        """Return the program with symbols replaced by dimensions."""
        if self.symbols.isdisjoint(dims):
            return self
        values: dict[Value, Value] = {}

        def renewed(value: Value) -> Value:
            if value not in values:
                type = TensorType(value.type.dtype, value.type.shape.substitute(dims))
                symbolic = None if value.symbolic is None else _substituted(value.symbolic, dims)
                values[value] = Value(type, value.hint, symbolic)
            return values[value]

        return Program(
            [ProgramInput(renewed(one.value), one.kind, one.key, one.origin) for one in self.inputs],
            [
                Instruction(one.op.substitute(dims), map(renewed, one.inputs), map(renewed, one.outputs), one.origin)
                for one in self.instructions
            ],
            [Output(renewed(one.value), one.kind, one.key) for one in self.outputs],
            self.constraints,
        )

    def replace(
        self,
        *,
        inputs: Iterable[ProgramInput] | None = None,
        instructions: Iterable[Instruction] | None = None,
        outputs: Iterable[Output] | None = None,
    ) -> Program:
        """Return a copy with some parts changed."""
        return Program(
            self.inputs if inputs is None else inputs,
            self.instructions if instructions is None else instructions,
            self.outputs if outputs is None else outputs,
            self.constraints,
        )

    def producers(self) -> dict[Value, Instruction]:
        """Return the instruction that makes each value."""
        return {value: one for one in self.instructions for value in one.outputs}

    def uses(self) -> dict[Value, int]:
        """Return how often each value is taken by instructions and outputs."""
        counts: dict[Value, int] = {}
        for one in self.instructions:
            for value in one.inputs:
                counts[value] = counts.get(value, 0) + 1
        for output in self.outputs:
            counts[output.value] = counts.get(output.value, 0) + 1
        return counts

    def __str__(self) -> str:
        """Print the text form."""
        from dovetail.compiler.text import print_program

        return print_program(self)

    __repr__ = __str__


def _substituted(values: Array, dims: Mapping[Symbol, Dim]) -> Array:
    result = np.empty(values.shape, object)
    result.reshape(-1)[:] = [substitute(dim, dims) for dim in values.reshape(-1).tolist()]
    return result


def bodies_of(op: Op) -> dict[str, Program]:
    """Return the programs among the attributes of ``op``: the bodies of control flow."""
    return {name: value for name, value in op.attributes().items() if isinstance(value, Program)}


def prune(program: Program) -> Program:
    """Drop instructions whose outputs nobody takes, but for those with effects, or that tell a size in use."""
    needed = {output.value for output in program.outputs}
    makers = first_makers(program)
    sizes: set[Value] = set()
    kept: list[Instruction] = []
    for one in reversed(program.instructions):
        if one.op.effect or any(value in needed or value in sizes for value in one.outputs):
            kept.append(one)
            needed.update(one.inputs)
            sizes.update(makers[symbol] for symbol in one.op.symbols if symbol in makers)
    if len(kept) == len(program.instructions):
        return program
    return program.replace(instructions=reversed(kept))


def first_makers(program: Program) -> dict[Symbol, Value]:
    """Return the first value that determines each size which only a run knows."""
    found: dict[Symbol, Value] = {}
    made = [value for one in program.instructions for value in one.outputs]
    for value in (*(given.value for given in program.inputs), *made):
        for dim in value.type.dims if value.type.rank is not None else ():
            if isinstance(dim, Symbol) and dim.data_dependent:
                found.setdefault(dim, value)
    return found


@final
class Splice:
    """What stands in the place of an instruction: other instructions, and values for outputs that they do not make."""

    __slots__ = ("instructions", "values")

    def __init__(self, instructions: Iterable[Instruction] = (), values: Mapping[Value, Value] | None = None) -> None:
        """Put ``instructions`` in the place, and take ``values[output]`` wherever ``output`` was taken."""
        self.instructions = tuple(instructions)
        self.values = values or {}


def rewrite(program: Program, rule: Callable[[Instruction], Splice | None]) -> Program:
    """Rewrite each instruction by ``rule``, in order, and prune.

    Args:
        program: what to rewrite.
        rule: sees an instruction whose inputs are already rewritten; returns ``None`` to keep it.
    """
    replaced: dict[Value, Value] = {}
    instructions: list[Instruction] = []
    changed = False
    for one in program.instructions:
        if replaced and any(value in replaced for value in one.inputs):
            one = one.with_inputs(replaced.get(value, value) for value in one.inputs)
            changed = True
        result = rule(one)
        if result is None:
            instructions.append(one)
            continue
        changed = True
        instructions.extend(result.instructions)
        for old, new in result.values.items():
            replaced[old] = replaced.get(new, new)
    if not changed:
        return program
    outputs = [Output(replaced.get(one.value, one.value), one.kind, one.key) for one in program.outputs]
    return prune(program.replace(instructions=instructions, outputs=outputs))


def map_bodies(program: Program, rule: Callable[[Program], Program]) -> Program:
    """Apply ``rule`` to the bodies of control flow in ``program``."""

    def one_instruction(one: Instruction) -> Splice | None:
        bodies = bodies_of(one.op)
        changed = {name: rule(body) for name, body in bodies.items()}
        if all(changed[name] is body for name, body in bodies.items()):
            return None
        return Splice([Instruction(one.op.replace(**changed), one.inputs, one.outputs, one.origin)])

    return rewrite(program, one_instruction)


def verify(program: Program) -> Program:
    """Check the rules of the form and return the program.

    Every value is made once and before it is taken; every instruction's outputs have the types that its operation
    infers, where sizes are not opaque; bodies hold in themselves.

    Raises:
        ProgramError: a rule is broken; the message names the instruction.
    """
    made: set[Value] = set()
    for given in program.inputs:
        if given.value in made:
            raise ProgramError(f"input {given.key!r} is given twice")
        made.add(given.value)
    for one in program.instructions:
        for index, value in enumerate(one.inputs):
            if value not in made:
                raise ProgramError(f"{one!r} takes {value!r} as input {index}, which nothing before it makes")
        for value in one.outputs:
            if value in made:
                raise ProgramError(f"{one!r} makes {value!r}, which is made already")
            made.add(value)
        for body in bodies_of(one.op).values():
            verify(body)
        if any(value.type.rank is None for value in (*one.inputs, *one.outputs)):
            raise ProgramError(f"{one!r} has a value of unknown rank: {[*one.inputs, *one.outputs]}")
        try:
            with collecting(Settled()):
                types = one.op.infer_all([value.type for value in one.inputs])
        except (ShapeError, DTypeError, ValueError) as error:
            raise ProgramError(f"{one!r} does not take its inputs {one.inputs}: {error}") from error
        if len(types) != len(one.outputs):
            raise ProgramError(f"{one!r} has {len(one.outputs)} outputs; its operation gives {len(types)}")
        for index, (want, value) in enumerate(zip(types, one.outputs, strict=True)):
            if want.dtype is not value.type.dtype or not want.shape.is_compatible_with(value.type.shape):
                raise ProgramError(f"{one!r}: output {index} is {value.type}; its operation gives {want}")
    for output in program.outputs:
        if output.value not in made:
            raise ProgramError(f"output {output.key!r} is {output.value!r}, which nothing makes")
    return program


def _encode_program(program: Any, store: Any = None) -> Any:
    raise ProgramError("a lowered program is not saved; save the graph it was lowered from")


register_kind("program", Program, _encode_program, _encode_program)
