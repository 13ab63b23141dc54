"""Drop what bodies of control flow compute for nobody: results, carries, arguments; and state that nothing takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from dovetail.compiler.program import Instruction, Output, Program, ProgramInput, Value, first_makers, prune
from dovetail.ops.control_flow import Cond
from dovetail.ops.loops import Loop, Scan
from dovetail.types.dims import Symbol, symbols_of

__all__ = ["drop_dead"]


def drop_dead(program: Program) -> Program:
    """Drop results of control flow that nobody takes, and what then is needless, as carries that feed nothing else.

    So a loop keeps its history only where a gradient asks for it. Variables, keys and counters that nothing takes are
    no inputs any longer; a random operation that does not run does not count.
    """
    needed = {output.value for output in program.outputs}
    makers = first_makers(program)
    sizes: set[Value] = set()
    kept: list[Instruction] = []
    for one in reversed(program.instructions):
        used = [index for index, value in enumerate(one.outputs) if value in needed or value in sizes]
        if not used and not one.op.effect:
            continue
        one = _narrowed(one, used)
        kept.append(one)
        needed.update(one.inputs)
        sizes.update(makers[symbol] for symbol in one.op.symbols if symbol in makers)
    inputs = [one for one in program.inputs if one.kind in ("feed", "argument") or one.value in needed]
    if len(inputs) == len(program.inputs) and kept[::-1] == list(program.instructions):
        return program
    return program.replace(inputs=inputs, instructions=kept[::-1])


def _narrowed(one: Instruction, used: Sequence[int]) -> Instruction:
    """Return an instruction with the outputs ``used`` and no needless inputs."""
    wanted = {one.outputs[index] for index in used}
    while True:
        used = [index for index, value in enumerate(one.outputs) if value in wanted]
        if isinstance(one.op, Cond):
            result = _narrow_cond(one, one.op, used)
        elif isinstance(one.op, Loop):
            result = _narrow_loop(one, one.op, used)
        else:
            return one
        if result is one:
            return one
        one = result


def _restricted(body: Program, outputs: Iterable[int]) -> Program:
    """Return a body that gives only some of its outputs."""
    wanted = [body.outputs[index] for index in outputs]
    return drop_dead(prune(body if len(wanted) == len(body.outputs) else body.replace(outputs=wanted)))


def _alive(body: Program, own: Collection[Symbol] = ()) -> list[bool]:
    """Say of each input whether the body uses it: its elements, or a size that only it tells."""
    taken = {output.value for output in body.outputs}
    mentioned: set[Symbol] = set()
    for one in body.instructions:
        taken.update(one.inputs)
        mentioned |= one.op.symbols
    for symbol in mentioned.intersection(own):
        tells = [given.value for given in body.inputs if symbol in given.value.type.dims]
        if tells and not taken.intersection(tells):
            taken.add(tells[0])
    return [given.value in taken for given in body.inputs]


def _with_inputs(body: Program, alive: Sequence[bool]) -> Program:
    if all(alive):
        return body
    inputs = [given for given, keep in zip(body.inputs, alive, strict=True) if keep]
    renumbered = [ProgramInput(given.value, given.kind, index, given.origin) for index, given in enumerate(inputs)]
    return body.replace(inputs=renumbered)


def _renumbered(body: Program) -> Program:
    outputs = [Output(one.value, one.kind, index) for index, one in enumerate(body.outputs)]
    return body.replace(outputs=outputs)


def _narrow_cond(one: Instruction, op: Cond, used: Sequence[int]) -> Instruction:
    bodies = [_restricted(body, used) for body in (op.then_body, op.else_body)]  # type: ignore[arg-type]
    alive = [any(pair) for pair in zip(*map(_alive, bodies), strict=True)]
    if bodies[0] is op.then_body and bodies[1] is op.else_body and all(alive) and len(used) == len(one.outputs):
        return one
    then_body, else_body = (_renumbered(_with_inputs(body, alive)) for body in bodies)
    inputs = [one.inputs[0], *(value for value, keep in zip(one.inputs[1:], alive, strict=True) if keep)]
    return Instruction(
        op.replace(then_body=then_body, else_body=else_body), inputs, [one.outputs[index] for index in used], one.origin
    )


def _narrow_loop(one: Instruction, op: Loop, used: Sequence[int]) -> Instruction:
    count, start = op.carries, int(op.indexed)
    results = [index for index in used if index >= count]
    own = {Symbol(name) for name in op.varying}
    others = {name: body for name, body in op.bodies().items() if name != "body"}
    carried = {index for index in used if index < count}
    while True:
        body = _restricted(op.body, [*sorted(carried), *results])  # type: ignore[arg-type]
        bodies = {name: _restricted(other, range(len(other.outputs))) for name, other in others.items()} | {
            "body": body
        }
        alive = [any(flags) for flags in zip(*(_alive(each, own) for each in bodies.values()), strict=True)]
        reached = carried | {index for index in range(count) if alive[start + index]}
        if reached == carried:
            break
        carried = reached
    alive[start : start + count] = [index in carried for index in range(count)]
    changes = _slices_kept(one, op, alive) if isinstance(op, Scan) else {}
    unchanged = all(bodies[name] is body for name, body in op.bodies().items())
    if unchanged and all(alive) and len(carried) + len(results) == len(one.outputs):
        return one
    programs = {name: _renumbered(_with_inputs(each, alive)) for name, each in bodies.items()}
    narrowed = op.replace(carries=len(carried), indexed=bool(start and alive[0]), **programs, **changes)
    inputs = [value for value, keep in zip(one.inputs, alive[start:], strict=True) if keep]
    made = [Value(one.outputs[i].type) if i not in used else one.outputs[i] for i in sorted(carried)]
    return Instruction(narrowed, inputs, [*made, *(one.outputs[index] for index in results)], one.origin)


def _slices_kept(one: Instruction, op: Scan, alive: list[bool]) -> dict[str, object]:
    """Decide how a scan that slices less than before knows its length; may keep a slice alive for that."""
    first = int(op.indexed) + op.carries
    left = sum(alive[first : first + op.xs])
    if left or not op.xs:
        return {"xs": left}
    length = one.inputs[op.carries].type.dims[0]
    if any(symbol.data_dependent for symbol in symbols_of(length)):
        alive[first + op.xs - 1] = True
        return {"xs": 1}
    return {"xs": 0, "length": length}
