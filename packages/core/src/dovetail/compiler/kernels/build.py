"""From a program to a ``Schedule``: units in order, loops and branches around them, and where everything lies."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, final

from dovetail.compiler.kernels.elements import Custom, Definition, Pointwise, Product, Reduce, rule_for
from dovetail.compiler.kernels.fusion import Fusion, Unit, long_dims
from dovetail.compiler.kernels.indices import linear, reindex
from dovetail.compiler.kernels.ir import loop_symbol
from dovetail.compiler.kernels.nests import Nest
from dovetail.compiler.kernels.schedule import Branch, Launch, Repeat, Schedule, Step, Storage, View, launches
from dovetail.compiler.program import Instruction, Program, Value, bodies_of
from dovetail.errors import UnsupportedOperationError
from dovetail.graph.op import Op
from dovetail.ops.bodies import ControlOp
from dovetail.ops.constants import Constant
from dovetail.ops.control_flow import Cond
from dovetail.ops.loops import Loop, Scan, While
from dovetail.types.constraints import Settled, collecting
from dovetail.types.dims import Dim, Symbol
from dovetail.types.dtypes import bool_, int64
from dovetail.types.shapes import TensorType

__all__ = ["donations", "has_kernels", "schedule"]

_LABELLED: Final = 3


def has_kernels(op: Op, inputs: Sequence[TensorType]) -> bool:
    """Tell whether kernels can compute an operation: they hold no strings, complex numbers or opaque sizes."""
    if not isinstance(op, ControlOp) and rule_for(op) is None:
        return False
    if isinstance(op, Loop) and (op.varying or (isinstance(op, While) and len(op.body.output_types) > op.carries)):
        return False
    if not all(map(_in_kernels, inputs)):
        return False
    with collecting(Settled()):
        outputs = op.infer_all(inputs)
    if not all(map(_in_kernels, outputs)) or _tells_sizes(inputs, outputs):
        return False
    for body in bodies_of(op).values():
        if not all(map(_in_kernels, (*body.input_types, *body.output_types))):
            return False
        for one in body.instructions:
            made = [value.type for value in one.outputs]
            if not all(map(_in_kernels, made)):
                return False
            taken = [value.type for value in one.inputs]
            if _tells_sizes(taken, made) or not has_kernels(one.op, taken):
                return False
    return True


def _in_kernels(kind: TensorType) -> bool:
    return kind.rank is not None and not (kind.dtype.is_string or kind.dtype.is_complex)


def _tells_sizes(inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> bool:
    """Tell whether outputs have sizes that only a run knows, and that the inputs do not have."""
    known = frozenset[Symbol]().union(*(one.shape.symbols for one in inputs))
    return any(one.data_dependent and one not in known for kind in outputs for one in kind.shape.symbols)


def schedule(program: Program, donated: Mapping[int, int] | None = None) -> Schedule:
    """Return the schedule of a program.

    Args:
        program: operations for which ``has_kernels``.
        donated: for the place of an output that of an input of the same type whose memory it may take: the input is
            given up once all that can fail is done.
    """
    return _Top(program, donated or {}).schedule()


def donations(program: Program) -> dict[int, int]:
    """Return for the place of each output that is the new value of a state the place of the input that it replaces."""
    places = {given.key: number for number, given in enumerate(program.inputs) if given.kind == "state"}
    return {
        number: places[output.key]
        for number, output in enumerate(program.outputs)
        if output.kind == "state" and output.key in places
    }


class _Builder:
    """Makes the steps of a program, or of a body."""

    def __init__(self, program: Program, where: Mapping[Value, View], lasting: Iterable[Value] = ()) -> None:
        self.program = program
        self.lasting = set(lasting)
        self.fusion = Fusion(program)
        self.where: dict[Value, View] = dict(where)
        self.in_place: dict[Value, Value] = {}
        for one in program.instructions:
            if isinstance(one.op, Constant) and one.outputs[0] not in self.fusion.definitions:
                value = one.outputs[0]
                array = one.op.value.array
                self.where[value] = View(Storage(value.type.dtype, array.size, "constant", value.hint, array))

    def place_outputs(self, targets: Sequence[View]) -> list[Unit]:
        """Let results be made where they are wanted; returns units that copy those that are somewhere already."""
        copies: list[Unit] = []
        for value, target in zip(self.fusion.wanted, targets, strict=True):
            if value in self.where or not self._placeable(value):
                copied, units = self.fusion.copy(value)
                self.where[copied] = target
                copies.extend(units)
            else:
                self.where[value] = target
        return copies

    def _placeable(self, value: Value) -> bool:
        """Tell whether a value's memory can be chosen: the carries of a loop have theirs."""
        maker = self.fusion.makers.get(value)
        if maker is not None and isinstance(maker.op, Loop):
            return maker.outputs.index(value) >= maker.op.carries
        return value in self.fusion.kept

    def steps_of(self, units: Sequence[Unit]) -> list[list[Step]]:
        """Return the steps of each unit, in order."""
        wanted = {value for unit in units for value in unit.reads}.union(self.fusion.wanted)
        steps: list[list[Step]] = []
        for unit in units:
            if unit.kind == "control":
                assert unit.instruction is not None
                steps.append(self._control(unit.instruction))
            else:
                steps.append([self._launch(unit, {one for one in unit.roots if one in wanted or one in self.where})])
        return steps

    def _launch(self, unit: Unit, stored: set[Value]) -> Launch:
        places = {root: self.in_place[root] for root in unit.roots if root in self.in_place}
        makers = list(dict.fromkeys(self.fusion.makers[value] for value in unit.roots if value in self.fusion.makers))
        if unit.instruction is not None and unit.instruction not in makers:
            makers.insert(0, unit.instruction)
        nest = Nest(self.fusion, unit, stored, places, self.lasting, _label(makers))
        views = [None if value is None else self.view(value) for value in nest.values]
        return Launch(nest.task, views, nest.task.sizes, makers)

    def view(self, value: Value) -> View:
        """Return where a value is, making room for it if need be."""
        found = self.where.get(value)
        if found is None:
            source = self.in_place.get(value)
            if source is not None:
                found = self.view(source)
            else:
                found = View(Storage(value.type.dtype, value.type.size, "temporary", value.hint))
            self.where[value] = found
        return found

    def copy_to(self, value: Value, target: View) -> Launch:
        """Return the step that copies a value in memory."""
        source = self.fusion.base(value)
        copied = Value(source.type, value.hint)
        self.fusion.define_copy(copied, source)
        self.where[copied] = target
        return self._launch(Unit("map", long_dims(source.type.dims), [copied], [source]), {copied})

    # Control flow. ---------------------------------------------------------------------------------------------------

    def _control(self, one: Instruction) -> list[Step]:
        if isinstance(one.op, Cond):
            return [self._branch(one, one.op)]
        if isinstance(one.op, Loop):
            return self._repeat(one, one.op)
        raise UnsupportedOperationError(f"{one.op.name} has no steps")

    def memory_of(self, value: Value) -> View:
        """Return where a value that is in memory already is."""
        return self.view(self.fusion.base(value))

    def _branch(self, one: Instruction, op: Cond) -> Step:
        arguments = [self.memory_of(value) for value in one.inputs[1:]]
        targets = [self.view(value) for value in one.outputs]
        branches = [
            _body_steps(body, [value.type for value in one.inputs[1:]], arguments, targets)
            for body in (op.then_body, op.else_body)
        ]
        return Branch(self.memory_of(one.inputs[0]), *branches)

    def _repeat(self, one: Instruction, op: Loop) -> list[Step]:
        count, end = op.carries, op.carries + op.sliced
        counter = loop_symbol(f"counter.{len(self.where)}.{op.label.replace('/', '.')}")
        steps: list[Step] = []
        pairs: list[tuple[Storage, Storage]] = []
        for value, result in zip(one.inputs[:count], one.outputs[:count], strict=True):
            kind = value.type
            now, after = (Storage(kind.dtype, kind.size, "temporary", result.hint or kind.dtype.name) for _ in range(2))
            pairs.append((now, after))
            steps.append(self.copy_to(value, View(now)))
            self.where[result] = View(now)
        index = Storage(int64, 1, "temporary", "index") if op.indexed else None
        arguments = [View(index)] if index is not None else []
        arguments += [View(now) for now, _ in pairs]
        for value in one.inputs[count:end]:
            memory = self.memory_of(value)
            row = _row_size(value.type)
            arguments.append(View(memory.storage, memory.offset + counter * row))
        arguments += [self.memory_of(value) for value in one.inputs[end:]]
        types = op.body_types([value.type for value in one.inputs])
        targets = [View(after) for _, after in pairs]
        for result in one.outputs[count:]:
            memory = self.view(result)
            targets.append(View(memory.storage, memory.offset + counter * _row_size(result.type)))
        first = int(op.indexed) + end
        body = _body_steps(op.body, types, arguments, targets, first)
        if isinstance(op, While):
            flag = View(Storage(bool_, 1, "temporary", "condition"))
            before = _body_steps(op.condition, types, arguments, [flag])
            repeat = Repeat(counter, None, body, swaps=pairs, before=before, condition=flag, index=index)
        else:
            assert isinstance(op, Scan)
            length = one.inputs[count].type.dims[0] if op.xs else op.length
            repeat = Repeat(counter, length, body, swaps=pairs, reverse=op.reverse, index=index)
        return [*steps, repeat]


def _row_size(kind: TensorType) -> Dim:
    return linear((1, *[0] * (len(kind.dims) - 1)), kind.dims)


def _body_steps(
    body: Any,
    types: Sequence[TensorType],
    arguments: Sequence[View],
    targets: Sequence[View],
    constants: int | None = None,
) -> list[Step]:
    """Return the steps of a lowered body.

    Args:
        body: a program.
        types: types of its inputs.
        arguments: where they are.
        targets: where its results are left.
        constants: the first input that is the same in all iterations of the loop that it is the body of.
    """
    dims: dict[Symbol, Dim] = {}
    for given, outer in zip(body.inputs, types, strict=True):
        sizes = zip(given.value.type.dims, outer.dims, strict=True)
        dims.update({inner: size for inner, size in sizes if isinstance(inner, Symbol) and inner != size})
    if dims:
        body = body.substitute(dims)
    lasting = [] if constants is None else [given.value for given in body.inputs[constants:]]
    builder = _Builder(body, {given.value: view for given, view in zip(body.inputs, arguments, strict=True)}, lasting)
    copies = builder.place_outputs(targets)
    return [step for steps in builder.steps_of([*builder.fusion.units, *copies]) for step in steps]


def _label(makers: Iterable[Instruction]) -> str:
    names = list(dict.fromkeys(one.op.name for one in makers))
    return " ".join(names[:_LABELLED]) + (" …" if len(names) > _LABELLED else "")


@final
class _Top(_Builder):
    """Makes the schedule of a whole program: decides which memory is taken over, and the order."""

    def __init__(self, program: Program, donated: Mapping[int, int]) -> None:
        self.given = [
            Storage(one.value.type.dtype, one.value.type.size, "input", one.value.hint) for one in program.inputs
        ]
        writes = any(one.kind == "state" for one in program.outputs)
        super().__init__(
            program,
            {one.value: View(storage) for one, storage in zip(program.inputs, self.given, strict=True)},
            [] if writes else [one.value for one in program.inputs if one.kind == "state"],
        )
        self.donated = dict(donated)

    def schedule(self) -> Schedule:
        """Order the units, place the outputs, and make the steps."""
        fusion = self.fusion
        made_by = {value: unit for unit in fusion.units for value in unit.roots}
        copies: list[Unit] = []
        copied: dict[int, Value] = {}
        taken: dict[int, Value] = {}
        claimed: set[Value] = set()
        for number, value in enumerate(fusion.wanted):
            if number in self.donated and self._can_take(value, self.donated[number], made_by) and value not in claimed:
                taken[number] = value
                claimed.add(value)
        for number, value in enumerate(fusion.wanted):
            if number in taken:
                continue
            if value in self.where or value in claimed or not self._placeable(value):
                copied[number], more = fusion.copy(value)
                copies.extend(more)
                made_by.update({one: unit for unit in (*fusion.units, *more) for one in unit.roots})
            else:
                claimed.add(value)
        self._part_writers([*fusion.units, *copies], taken, made_by)
        order, taken = self._ordered([*fusion.units, *copies], taken, made_by)
        outputs: list[Storage] = []
        for number, value in enumerate(fusion.wanted):
            source = self.donated.get(number)
            if number in taken and source is not None:
                given = self.program.inputs[source].value
                storage = self.given[source]
                storage.role = "state"
                self.in_place[value] = given
                self.where[value] = self.where[given]
            else:
                storage = Storage(value.type.dtype, value.type.size, "output", value.hint)
                self.where[copied.get(number, value)] = View(storage)
            outputs.append(storage)
        writers = {made_by[value] for value in taken.values()}
        steps: list[Step] = []
        commit: int | None = None
        for unit, own in zip(order, self.steps_of(order), strict=True):
            if commit is None and unit in writers:
                commit = len(steps)
            steps.extend(own)
        lifetimes = _lifetimes(steps)
        return Schedule(self.given, outputs, steps, len(steps) if commit is None else commit, lifetimes)

    def _part_writers(self, units: Sequence[Unit], taken: Mapping[int, Value], made_by: dict[Value, Unit]) -> None:
        """Give a new value a unit of its own where the old one is read later than the unit that it was put into."""
        for number, value in taken.items():
            given = self.program.inputs[self.donated[number]].value
            unit = made_by[value]
            readers = [one for one in units if one is not unit and given in one.reads]
            if readers and not _descendants(unit, units).isdisjoint(readers):
                apart = self.fusion.part(unit, value)
                if apart is not None:
                    made_by.update(dict.fromkeys(apart.roots, apart))

    def _can_take(self, value: Value, source: int, made_by: Mapping[Value, Unit]) -> bool:
        """Tell whether a result may be written over an input: it is made element by element, or its kernel can."""
        given = self.program.inputs[source].value
        unit = made_by.get(value)
        if unit is None or unit.kind == "control" or given.type.size != value.type.size:
            return False
        definition = self.fusion.definitions[value]
        if isinstance(definition, Custom):
            read = [self.fusion.base(one) for one in definition.inputs]
            return [number for number, one in enumerate(read) if one is given] == [definition.over]
        if unit.kind == "product" and any(self.fusion.base(one) is given for one in _operands(unit)):
            return False
        if isinstance(definition, Product):
            return given not in unit.reads
        return self._reads_in_place(unit, value, given)

    def _reads_in_place(self, unit: Unit, value: Value, given: Value) -> bool:
        """Tell whether every root of a unit reads an input only at the element that is written."""
        if given not in unit.reads:
            return True
        if unit.kind == "rows":
            return False
        loops = [loop_symbol(f"i{axis}") for axis in range(len(unit.domain))]
        for root in unit.roots:
            definition = self.fusion.definitions[root]
            if isinstance(definition, Product):
                continue
            if not isinstance(definition, Pointwise):
                if given in self.fusion.reads_of(root):
                    return False
                continue
            dims = root.type.dims
            where = reindex(loops, unit.domain, dims)
            offset = linear(where, dims)
            for one, at in self.fusion.read_at(root, where):
                if one is given and linear(at, given.type.dims) != offset:
                    return False
        return True

    def _ordered(
        self, units: Sequence[Unit], taken: dict[int, Value], made_by: Mapping[Value, Unit]
    ) -> tuple[list[Unit], dict[int, Value]]:
        """Order units so that inputs are read before they are written over, and all that can fail is done by then."""
        failing = [unit for unit in units if self._may_fail(unit)]
        needed = _ancestors(failing, made_by)
        taken = {number: value for number, value in taken.items() if made_by[value] not in needed}
        while True:
            writers = {made_by[value]: number for number, value in taken.items()}
            before: dict[Unit, set[Unit]] = {unit: set() for unit in units}
            for unit in units:
                for value in unit.reads:
                    maker = made_by.get(value)
                    if maker is not None and maker is not unit:
                        before[unit].add(maker)
            for number, value in taken.items():
                writer = made_by[value]
                given = self.program.inputs[self.donated[number]].value
                before[writer].update(unit for unit in units if unit is not writer and given in unit.reads)
            for writer in writers:
                before[writer].update(unit for unit in failing if unit is not writer)
            order = _sorted(units, before)
            if len(order) == len(units):
                return order, taken
            # A cycle: one of those that are left gives up its place; a new array is made for it.
            done = set(order)
            stuck = [writers[unit] for unit in units if unit in writers and unit not in done]
            taken = {number: value for number, value in taken.items() if number != stuck[-1]}

    def _may_fail(self, unit: Unit) -> bool:
        if unit.kind == "control":
            assert unit.instruction is not None
            return any(_fails(body) for body in bodies_of(unit.instruction.op).values())
        if unit.kind == "custom":
            assert unit.instruction is not None
            definition = self.fusion.definition_of(unit.instruction)
            return isinstance(definition, Custom) and definition.fails
        return any(root in self.fusion.failing for root in unit.roots)


def _descendants(unit: Unit, units: Sequence[Unit]) -> set[Unit]:
    """Return what needs a unit, directly or not."""
    made = set(unit.roots)
    found: set[Unit] = set()
    for one in units:  # in an order in which they could run
        if one is not unit and not made.isdisjoint(one.reads):
            found.add(one)
            made.update(one.roots)
    return found


def _ancestors(units: Iterable[Unit], made_by: Mapping[Value, Unit]) -> set[Unit]:
    """Return units and all that they need."""
    found: set[Unit] = set()
    stack = list(units)
    while stack:
        unit = stack.pop()
        if unit not in found:
            found.add(unit)
            stack.extend(made_by[value] for value in unit.reads if value in made_by)
    return found


def _fails(body: Program) -> bool:
    """Tell whether something in a body may fail, by the definitions of what it computes."""
    return any(
        any(_fails(inner) for inner in bodies_of(one.op).values())
        or any(
            definition.fails for definition in _definitions(one) if isinstance(definition, Pointwise | Reduce | Custom)
        )
        for one in body.instructions
    )


def _definitions(one: Instruction) -> Sequence[Definition]:
    """Return the definitions of what an instruction computes, its checks before a kernel among them."""
    rule = None if isinstance(one.op, ControlOp) else rule_for(one.op)
    found = () if rule is None else rule(one.op, one)
    if isinstance(found, Custom):
        return (found, *found.checked.values())
    return found if isinstance(found, Sequence) else (found,)


def _operands(unit: Unit) -> tuple[Value, ...]:
    return unit.instruction.inputs if unit.instruction is not None else ()


def _sorted(units: Sequence[Unit], before: Mapping[Unit, set[Unit]]) -> list[Unit]:
    """Sort topologically, keeping the given order where there is a choice; stops at a cycle."""
    place = {unit: number for number, unit in enumerate(units)}
    after: dict[Unit, list[Unit]] = {}
    for unit, earlier in before.items():
        for one in earlier:
            after.setdefault(one, []).append(unit)
    left = {unit: len(earlier) for unit, earlier in before.items()}
    ready = [place[unit] for unit in units if not left[unit]]
    heapq.heapify(ready)
    order: list[Unit] = []
    while ready:
        unit = units[heapq.heappop(ready)]
        order.append(unit)
        for one in after.get(unit, ()):
            left[one] -= 1
            if not left[one]:
                heapq.heappush(ready, place[one])
    return order


def _lifetimes(steps: Sequence[Step]) -> dict[Storage, tuple[int, int]]:
    found: dict[Storage, tuple[int, int]] = {}
    for number, step in enumerate(steps):
        for storage in _storages(step):
            if storage.role == "temporary":
                first, _ = found.get(storage, (number, number))
                found[storage] = first, number
    # After a loop the last value may lie in either of a pair, so both are in use as long as one is.
    for one, other in (pair for step in steps for pair in _swapped([step])):
        spans = found[one], found[other]
        found[one] = found[other] = min(span[0] for span in spans), max(span[1] for span in spans)
    return found


def _swapped(steps: Sequence[Step]) -> Iterable[tuple[Storage, Storage]]:
    for step in steps:
        if isinstance(step, Repeat):
            yield from step.swaps
            yield from _swapped([*step.before, *step.steps])
        elif isinstance(step, Branch):
            yield from _swapped([*step.then, *step.otherwise])


def _storages(step: Step) -> Iterable[Storage]:
    for one in launches([step]):
        for view in one.buffers:
            if view is not None:
                yield view.storage
    stack: list[Step] = [step]
    while stack:
        one_step = stack.pop()
        if isinstance(one_step, Repeat):
            for pair in one_step.swaps:
                yield from pair
            if one_step.condition is not None:
                yield one_step.condition.storage
            if one_step.index is not None:
                yield one_step.index
            stack.extend([*one_step.before, *one_step.steps])
        elif isinstance(one_step, Branch):
            yield one_step.predicate.storage
            stack.extend([*one_step.then, *one_step.otherwise])
