"""The text form of programs: prints, and parses back to an equal program.

One block for each program, bodies of control flow first::

    program main {
      input %0: float32[n, 784] feed "images:0"
      input %1: float32[784, 10] state "dense/kernel"
      %2: float32[n, 10] = MatMul {} %0 %1 at "dense/MatMul" train.py:41
      fetch %2 "dense/MatMul:0"
    }
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from dovetail.compiler.program import NOWHERE, Instruction, Origin, Output, Program, ProgramInput, Value
from dovetail.errors import DovetailError, ProgramError
from dovetail.graph.op import Op
from dovetail.graph.registry import find_definition
from dovetail.graph.source import Source
from dovetail.types.attributes import decode, encode
from dovetail.types.constraints import Constraint
from dovetail.types.dims import parse_dim
from dovetail.types.shapes import parse_type

__all__ = ["equal_programs", "parse_program", "print_program"]

_HEAD: Final = re.compile(r"program (\w+) \{")
_INPUT: Final = re.compile(r"input (%\d+): (\S.*?\]) (\w+) (.+)")
_INSTRUCTION: Final = re.compile(
    r"((?:%\d+: [^=]+?\])?(?:, %\d+: [^=]+?\])*) ?= ([\w.]+)(?:@(\d+))? (\{.*\})((?: %\d+)*)(?: at (.+))?"
)
_OUTPUT: Final = re.compile(r"(fetch|state|result) (%\d+) (.+)")
_REQUIRE: Final = re.compile(r"require (\w+) (.+) ~ (.+?)(?: at (.+))?")


def print_program(program: Program) -> str:
    """Return the text form."""
    blocks: list[str] = []
    names: dict[int, str] = {}
    _print(program, blocks, names, "main")
    return "\n".join(blocks)


def _print(program: Program, blocks: list[str], names: dict[int, str], name: str) -> None:
    values: dict[Value, str] = {}

    def named(value: Value) -> str:
        return values.setdefault(value, f"%{len(values)}")

    lines = [
        f"  input {named(one.value)}: {one.value.type} {one.kind} {json.dumps(_plain(one.key))}"
        for one in program.inputs
    ]
    for one in program.instructions:
        attributes: dict[str, Any] = {}
        for key, value in one.op.attributes().items():
            if isinstance(value, Program):
                if id(value) not in names:
                    names[id(value)] = f"body{len(names)}"
                    _print(value, blocks, names, names[id(value)])
                attributes[key] = {"program": names[id(value)]}
            else:
                attributes[key] = encode(value)
        taken = "".join(f" {named(value)}" for value in one.inputs)
        made = ", ".join(f"{named(value)}: {value.type}" for value in one.outputs)
        label = f"{one.op.domain}.{one.op.name}" if one.op.domain else one.op.name
        version = f"@{one.op.version}" if one.op.version != 1 else ""
        lines.append(f"  {made} = {label}{version} {json.dumps(attributes)}{taken}{_print_origin(one.origin)}")
    lines.extend(f"  {one.kind} {named(one.value)} {json.dumps(_plain(one.key))}" for one in program.outputs)
    lines.extend(
        f"  require {one.kind} {one.left} ~ {one.right}{_print_origin(origin)}" for one, origin in program.constraints
    )
    blocks.append("\n".join([f"program {name} {{", *lines, "}"]))


def _plain(key: Any) -> Any:
    if isinstance(key, (str, int)) or key is None:
        return key
    return list(key) if isinstance(key, tuple) else key.name


def _print_origin(origin: Origin) -> str:
    return f" at {json.dumps(origin.name)} {origin.source}" if origin is not NOWHERE else ""


def parse_program(text: str) -> Program:
    """Read a program from its text form; fed tensors are known by name only.

    Raises:
        ProgramError: a line does not parse, or names a value that no line above it makes; the message gives the line.
    """
    known: dict[str, Program] = {}
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if not line.strip():
            continue
        head = _HEAD.fullmatch(line.strip())
        if head is None:
            raise ProgramError(f"line {number}: expected `program NAME {{`, found {line.strip()!r}")
        known[head[1]] = _parse_block(lines, known)
    if "main" not in known:
        raise ProgramError("the text has no `program main`")
    return known["main"]


def _parse_block(lines: Iterator[tuple[int, str]], known: dict[str, Program]) -> Program:
    values: dict[str, Value] = {}
    inputs: list[ProgramInput] = []
    instructions: list[Instruction] = []
    outputs: list[Output] = []
    constraints: list[tuple[Constraint, Origin]] = []
    kind: Any  # a word of the text, where the constructors name the few that there are
    for number, raw in lines:
        line = raw.strip()
        if line == "}":
            return Program(inputs, instructions, outputs, constraints)
        try:
            if match := _INPUT.fullmatch(line):
                values[match[1]] = value = Value(parse_type(match[2]))
                key = json.loads(match[4])
                kind = match[3]
                inputs.append(ProgramInput(value, kind, tuple(key) if isinstance(key, list) else key))
            elif match := _OUTPUT.fullmatch(line):
                kind = match[1]
                outputs.append(Output(values[match[2]], kind, json.loads(match[3])))
            elif match := _REQUIRE.fullmatch(line):
                kind = match[1]
                constraint = Constraint(kind, parse_dim(match[2]), parse_dim(match[3]))
                constraints.append((constraint, _parse_origin(match[4])))
            elif match := _INSTRUCTION.fullmatch(line):
                op = _parse_op(match[2], int(match[3] or 1), json.loads(match[4]), known)
                taken = [values[name] for name in match[5].split()]
                made = []
                for part in filter(None, re.split(r", (?=%)", match[1])):
                    name, _, type_text = part.partition(": ")
                    values[name] = value = Value(parse_type(type_text))
                    made.append(value)
                instructions.append(Instruction(op, taken, made, _parse_origin(match[6])))
            else:
                raise ProgramError(f"line {number}: {line!r} is no input, instruction, output or requirement")
        except KeyError as error:
            raise ProgramError(f"line {number}: {line!r} names {error}, which no line above makes") from error
        except (ValueError, DovetailError) as error:
            if isinstance(error, ProgramError):
                raise
            raise ProgramError(f"line {number}: {line!r} does not parse: {error}") from error
    raise ProgramError("the text ends before the `}` of a program")


def _parse_op(label: str, version: int, data: dict[str, Any], known: dict[str, Program]) -> Op:
    domain, _, name = label.rpartition(".")
    attributes = {
        key: known[value["program"]] if isinstance(value, dict) and "program" in value else decode(value)
        for key, value in data.items()
    }
    return find_definition(domain, name, version)(**attributes)


def _parse_origin(text: str | None) -> Origin:
    if text is None:
        return NOWHERE
    name, end = json.JSONDecoder().raw_decode(text)
    file, _, line = text[end:].strip().rpartition(":")
    return Origin(name, Source(file, int(line)))


def equal_programs(left: Program, right: Program) -> bool:
    """Whether two programs are the same but for the identity of their values."""
    return print_program(left) == print_program(right)
