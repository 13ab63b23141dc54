"""What is computed together.

The values of a program are divided into those kept in memory and those computed where they are read, and the former
into units, each of which becomes one kernel.

A unit is a *map* (elements of one shape, each on its own, perhaps with small reductions inside), *rows* (for each row,
reductions of its elements and what follows from them), a *product* (a template with what is done to its elements), a
*custom* kernel, or *control* flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias, final

from dovetail.compiler.kernels import rules as _rules
from dovetail.compiler.kernels.elements import (
    Custom,
    Definition,
    Elements,
    Pointwise,
    Product,
    Reduce,
    Reshaped,
    computed,
    rule_for,
)
from dovetail.compiler.kernels.indices import reindex
from dovetail.compiler.kernels.ir import Buffer, loop_symbol
from dovetail.compiler.program import Instruction, Program, Value
from dovetail.errors import UnsupportedOperationError
from dovetail.ops.bodies import ControlOp
from dovetail.types.dims import Dim, Symbol, ceil_div, dim_min, is_nonnegative, product
from dovetail.types.shapes import Shape, TensorType

__all__ = ["Fusion", "Unit", "UnitKind", "long_dims"]

UnitKind: TypeAlias = Literal["map", "rows", "product", "custom", "control"]

_RECOMPUTED: Final = 1
"""A value of at most this weight is computed again by each of its readers rather than kept."""
_BROADCAST: Final = 2
"""A value of at most this weight is computed again for each element of a larger reader."""
_HEAVIEST: Final = 400
"""A value whose expression would be heavier is kept."""
_LOOKED_BACK: Final = 24
_MEMBERS: Final = 24
_BLOCK: Final = 1 << 14
"""About how many elements one step of a divided reduction takes."""
_FEW: Final = 16
"""So few rows do not keep threads busy."""
_WIDE: Final = 1 << 13

_ = _rules


def long_dims(dims: Sequence[Dim]) -> tuple[Dim, ...]:
    """Return the sizes other than 1."""
    return tuple([dim for dim in dims if dim != 1])


@final
class Unit:
    """Values that one kernel computes.

    Attributes:
        kind: see the module.
        domain: sizes of what it loops over, without those of 1: of a map's elements, of the rows, of a product's
            elements.
        roots: the values, in order.
        reads: values in memory that it reads, made elsewhere.
        instruction: for custom, product and control units.
    """

    __slots__ = ("domain", "instruction", "kind", "reads", "roots")

    def __init__(
        self,
        kind: UnitKind,
        domain: Sequence[Dim],
        roots: Sequence[Value],
        reads: Iterable[Value],
        instruction: Instruction | None = None,
    ) -> None:
        """Begin a unit."""
        self.kind: UnitKind = kind
        self.domain = tuple(domain)
        self.roots = list(roots)
        self.reads = set(reads)
        self.instruction = instruction

    def __repr__(self) -> str:
        """Show what it computes."""
        return f"<Unit {self.kind} {list(self.domain)}: {[value.hint for value in self.roots]}>"


@final
class Fusion:
    """Units of a program, in an order in which they can run.

    Attributes:
        definitions: of every value that an instruction makes, and of partial results of divided reductions.
        kept: values in memory: those that units make.
        units: in order.
        wanted: values that the program gives.
        failing: values in whose computation a check may fail, that of what is computed where it is read included.
    """

    def __init__(self, program: Program) -> None:
        """Divide a program.

        Raises:
            UnsupportedOperationError: an operation has no rule.
        """
        self.definitions: dict[Value, Definition] = {}
        self.makers: dict[Value, Instruction] = {}
        self.units: list[Unit] = []
        self.kept: set[Value] = set()
        self._place: dict[Value, int] = {}
        self._weights: dict[Value, int] = {}
        self._binding: set[Value] = set()
        self._parts: set[Value] = set()
        self._read: dict[tuple[Value, tuple[Dim, ...]], list[tuple[Value, tuple[Dim, ...]]]] = {}
        self.failing: set[Value] = set()
        self._custom: dict[Instruction, Custom] = {}
        self._define(program)
        self.wanted = [self.base(output.value) for output in program.outputs]
        self._readers = self._find_readers(program)
        self._keep(program)
        self._group(program)

    def base(self, value: Value) -> Value:
        """Return the value whose elements a view shows."""
        definition = self.definitions.get(value)
        while isinstance(definition, Reshaped):
            value = definition.input
            definition = self.definitions.get(value)
        return value

    def part(self, unit: Unit, value: Value) -> Unit | None:
        """Take a value out of a unit, with what is computed from it there, and return the unit of their own.

        ``None`` where one of them is no ``Pointwise``.
        """
        moved = [value]
        for root in unit.roots[unit.roots.index(value) + 1 :]:
            definition = self.definitions[root]
            if isinstance(definition, Pointwise | Reduce) and not self.reads_of(root).isdisjoint(moved):
                moved.append(root)
        if any(not isinstance(self.definitions[root], Pointwise) for root in moved):
            return None
        unit.roots = [root for root in unit.roots if root not in moved]
        for one in (unit, apart := Unit("map", unit.domain, moved, ())):
            own = [root for root in one.roots if isinstance(self.definitions[root], Pointwise | Reduce)]
            one.reads = {read for root in own for read in self.reads_of(root)}.difference(one.roots)
        if unit.instruction is not None:
            unit.reads |= {self.base(given) for given in unit.instruction.inputs}
        self.units.append(apart)
        return apart

    def definition_of(self, one: Instruction) -> Definition | None:
        """Return the definition of an instruction's first output, or of the instruction where it has none."""
        return self.definitions.get(one.outputs[0]) if one.outputs else self._custom.get(one)

    def copy(self, value: Value) -> tuple[Value, list[Unit]]:
        """Return a new value with the elements of a value in memory, and the unit that copies them.

        Where a unit computes the value element by element, it makes the copy as well, and there is no other unit.
        """
        result = Value(value.type, value.hint)
        self.define_copy(result, value)
        place = self._place.get(value)
        if place is not None and self.units[place].kind in ("map", "rows", "product"):
            self.units[place].roots.append(result)
            return result, []
        return result, [Unit("map", long_dims(value.type.dims), [result], [value])]

    def define_copy(self, result: Value, value: Value) -> None:
        """Define a value as the elements of another of the same type, in memory of its own."""
        self.definitions[result] = Pointwise([value], lambda elements, read, index: read(0, index))
        self.kept.add(result)

    # Definitions. ----------------------------------------------------------------------------------------------------

    def _define(self, program: Program) -> None:
        for one in program.instructions:
            for value in one.outputs:
                self.makers[value] = one
            if isinstance(one.op, ControlOp):
                continue
            rule = rule_for(one.op)
            if rule is None:
                raise UnsupportedOperationError(f"{one.op.name} has no kernel")
            found = rule(one.op, one)
            if isinstance(found, Custom):
                found = self._with_checked(one, found)
                self._custom[one] = found
                self.definitions.update(dict.fromkeys(one.outputs, found))
                continue
            for value, definition in zip(one.outputs, found if isinstance(found, Sequence) else [found], strict=False):
                self.definitions[value] = definition

    def _with_checked(self, one: Instruction, definition: Custom) -> Custom:
        """Let a kernel read what is checked before it in the place of its inputs."""
        inputs = list(definition.inputs)
        for number, check in definition.checked.items():
            value = inputs[number] = Value(inputs[number].type, f"{inputs[number].hint}.checked")
            self.definitions[value] = check
            self.makers[value] = one
            self.kept.add(value)
            self._weights[value] = 0
            if check.fails:
                self.failing.add(value)
        return Custom(
            inputs, definition.build, fails=definition.fails, checked=definition.checked, over=definition.over
        )

    def _find_readers(self, program: Program) -> dict[Value, list[Instruction]]:
        readers: dict[Value, list[Instruction]] = {}
        for one in program.instructions:
            if one.outputs and isinstance(self.definitions.get(one.outputs[0]), Reshaped):
                continue
            for value in dict.fromkeys(map(self.base, one.inputs)):
                readers.setdefault(value, []).append(one)
        return readers

    # What is kept in memory. -----------------------------------------------------------------------------------------

    def _keep(self, program: Program) -> None:
        wanted = set(self.wanted)
        for one in program.instructions:
            for value in one.outputs:
                definition = self.definitions.get(value)
                if isinstance(definition, Reshaped):
                    continue
                kept = isinstance(definition, Pointwise) and self._is_kept(value, definition)
                if kept or not isinstance(definition, Pointwise) or value in wanted:
                    if isinstance(definition, Reduce) and (definition.fails or self._fed_by_failing(definition)):
                        self.failing.add(value)
                    if definition is not None or isinstance(one.op, ControlOp):
                        self.kept.add(value)
                    self._weights[value] = 0

    def _fed_by_failing(self, definition: Reduce) -> bool:
        bases = map(self.base, definition.inputs)
        return any(one in self.failing and one not in self.kept for one in bases)

    def _is_kept(self, value: Value, definition: Pointwise) -> bool:
        inputs = [self.base(one) for one in definition.inputs]
        if definition.fails or any(one in self.failing for one in inputs if one not in self.kept):
            self.failing.add(value)
        weight = definition.weight + sum(self._weights.get(one, 0) for one in inputs)
        binds = definition.binds or any(one in self._binding for one in inputs)
        readers = self._readers.get(value, [])
        self._weights[value] = weight
        if definition.loops or weight > _HEAVIEST or (len(readers) > 1 and weight > _RECOMPUTED):
            return True
        for reader in readers:
            definitions = [self.definitions.get(output) for output in reader.outputs]
            if not definitions or any(not isinstance(each, Pointwise | Reduce) for each in definitions):
                return True
            if binds and any(each.guards for each in definitions if isinstance(each, Pointwise | Reduce)):
                return True
            if weight > _BROADCAST or binds:
                sizes = [
                    product(each.dims) if isinstance(each, Reduce) else output.type.size
                    for each, output in zip(definitions, reader.outputs, strict=True)
                ]
                if any(not is_nonnegative(value.type.size - size) for size in sizes):
                    return True
        if binds:
            self._binding.add(value)
        return False

    # Units. ----------------------------------------------------------------------------------------------------------

    def _group(self, program: Program) -> None:
        for one in _small_first(program):
            definition = self.definition_of(one)
            if isinstance(one.op, ControlOp):
                self._append(Unit("control", (), one.outputs, map(self.base, one.inputs), one))
            elif isinstance(definition, Custom):
                for number in definition.checked:
                    self._add(definition.inputs[number])
                self._append(Unit("custom", (), one.outputs, map(self.base, definition.inputs), one))
            elif isinstance(definition, Product):
                domain = long_dims(one.outputs[0].type.dims)
                self._append(Unit("product", domain, one.outputs, map(self.base, definition.inputs), one))
            else:
                for value in one.outputs:
                    if value in self.kept:
                        self._add(value)

    def _append(self, unit: Unit) -> None:
        for value in unit.roots:
            self._place[value] = len(self.units)
        self.units.append(unit)

    def _add(self, value: Value) -> None:
        definition = self.definitions[value]
        if isinstance(definition, Reduce):
            parts = self._divided(value, definition)
            if parts is not None:
                partial, first, last = parts
                self.definitions[partial] = first
                self.definitions[value] = last
                if value in self.failing:
                    self.failing.add(partial)
                self.kept.add(partial)
                self._add(partial)
                self._add(value)
                return
        reads = self.reads_of(value)
        latest = max((self._place.get(one, -1) for one in reads), default=-1)
        kind, domain = self._natural(value)
        for place in self._candidates(value, latest, reads):
            unit = self.units[place]
            if len(unit.roots) < _MEMBERS and self._fits(unit, value, kind, domain):
                unit.roots.append(value)
                unit.reads |= {one for one in reads if one not in unit.roots}
                self._place[value] = place
                return
        self._append(Unit(kind, domain, [value], reads))

    def _candidates(self, value: Value, latest: int, reads: set[Value]) -> Iterable[int]:
        if latest >= 0:
            yield latest
        for place in range(len(self.units) - 1, max(latest, len(self.units) - _LOOKED_BACK, -1), -1):
            unit = self.units[place]
            shared = unit.reads & reads
            if any(one.type.size != 1 for one in shared):
                yield place

    def _natural(self, value: Value) -> tuple[UnitKind, tuple[Dim, ...]]:
        """Return the kind of a unit begun with a value, and its domain."""
        definition = self.definitions[value]
        if isinstance(definition, Reduce) and in_rows(definition):
            return "rows", long_dims(domain_of(definition))
        return "map", long_dims(value.type.dims)

    def _divided(self, value: Value, definition: Reduce) -> tuple[Value, Reduce, Reduce] | None:
        """Divide a reduction of much to little into blocks along its first axis, summed up afterwards."""
        if definition.block is not None or (definition.inputs[:1] and definition.inputs[0] in self._parts):
            return None
        kept = product(definition.dims[axis] for axis in definition.kept)
        first = definition.axes[0]
        extent = definition.dims[first]
        rest = product(definition.dims[axis] for axis in definition.axes[1:])
        if not isinstance(kept, int) or not isinstance(rest, int) or kept > (_FEW if in_rows(definition) else _WIDE):
            return None
        block = max(1, _BLOCK // max(1, rest * kept))
        if isinstance(extent, int) and extent <= block:
            return None
        blocks = ceil_div(extent, block)
        dtype = computed(value.type.dtype)
        dims = [definition.dims[axis] for axis in definition.kept]
        partial = Value(TensorType(dtype, Shape((blocks, *dims))), f"{value.hint}.parts")
        self._parts.add(partial)
        whole = Reduce(
            definition.inputs,
            definition.kind,
            definition.dims,
            definition.axes,
            definition.node,
            weight=definition.weight,
            guards=definition.guards,
            block=block,
        )
        last = Reduce(
            [partial],
            definition.kind,
            (blocks, *dims),
            (0,),
            lambda elements, read, index: read(0, index),
            finish=definition.finish,
            demand=definition.demand,
        )
        return partial, whole, last

    # Whether values go together. -------------------------------------------------------------------------------------

    def _memory(self, log: list[tuple[Value, tuple[Dim, ...]]]) -> Elements:
        buffers: dict[Value, Buffer] = {}

        def buffer(value: Value) -> tuple[Buffer, Dim] | None:
            if value in self.definitions and value not in self.kept:
                return None
            return buffers.setdefault(value, Buffer(value.type.dtype, value.type.size, "in")), 0

        return Elements(self.definitions, buffer, log)

    def read_at(self, value: Value, index: Sequence[Dim]) -> list[tuple[Value, tuple[Dim, ...]]]:
        """Return which values in memory are read, and where, for the element at an index (of a reduction's array)."""
        key = value, tuple(index)
        log = self._read.get(key)
        if log is None:
            log = self._read[key] = []
            definition = self.definitions[value]
            assert isinstance(definition, Pointwise | Reduce)
            self._memory(log).expand(definition, index)
        return log

    def reads_of(self, value: Value) -> set[Value]:
        """Return the values in memory that a value is computed from."""
        definition = self.definitions[value]
        dims = definition.dims if isinstance(definition, Reduce) else value.type.dims
        return {one for one, _ in self.read_at(value, [loop_symbol(f"i{axis}") for axis in range(len(dims))])}

    def _fits(self, unit: Unit, value: Value, kind: UnitKind, domain: Sequence[Dim]) -> bool:
        """Tell whether a value can be computed in a unit: its loops suit, and it reads there what is made by then."""
        definition = self.definitions[value]
        if unit.kind in ("custom", "control"):
            return False
        loops = [loop_symbol(f"i{axis}") for axis in range(len(unit.domain))]
        if isinstance(definition, Reduce):
            if unit.kind == "product" or kind != unit.kind or tuple(domain) != unit.domain:
                return False
            inner = {axis: loop_symbol(f"j{axis}") for axis in definition.axes}
            index, _ = reduce_index(definition, loops, inner)
        elif unit.kind == "rows":
            dims = long_dims(value.type.dims)
            count = len(unit.domain)
            if dims[:count] != unit.domain or (not unit.domain and dims):
                return False
            index = placed(value.type.dims, [*loops, *(loop_symbol(f"j{axis}") for axis in range(len(dims) - count))])
        else:
            if value.type.size != product(unit.domain):
                return False
            index = reindex(loops, unit.domain, value.type.dims)
        inside = set(unit.roots)
        for one, where in self.read_at(value, index):
            if one not in inside:
                continue
            at = [place for place, dim in zip(where, one.type.dims, strict=True) if dim != 1]
            if unit.kind == "rows":
                if at[: len(loops)] != loops:
                    return False
            elif list(at) != list(loops) and list(where) != list(reindex(loops, unit.domain, one.type.dims)):
                return False
        return True


def _small_first(program: Program) -> list[Instruction]:
    """Return the instructions in order, but first those of single elements that depend on nothing larger.

    Whatever uses a step size, say, can then be computed along with what it is applied to.
    """
    small = {given.value for given in program.inputs if given.value.type.size == 1}
    first: list[Instruction] = []
    rest: list[Instruction] = []
    for one in program.instructions:
        early = (
            not isinstance(one.op, ControlOp)
            and not one.op.effect
            and all(value in small for value in one.inputs)
            and all(value.type.size == 1 for value in one.outputs)
        )
        if early:
            small.update(one.outputs)
        (first if early else rest).append(one)
    return first + rest


def in_rows(definition: Reduce) -> bool:
    """Tell whether a reduction is over the last axis, so that its elements lie in a row."""
    long = [axis for axis, dim in enumerate(definition.dims) if dim != 1]
    return bool(long) and long[-1] in definition.axes


def domain_of(definition: Reduce) -> tuple[Dim, ...]:
    """Return the sizes of what a reduction gives, that of its blocks first where it is divided."""
    dims = [definition.dims[axis] for axis in definition.kept]
    if definition.block is None:
        return tuple(dims)
    return (ceil_div(definition.dims[definition.axes[0]], definition.block), *dims)


def placed(dims: Sequence[Dim], places: Sequence[Dim]) -> tuple[Dim, ...]:
    """Return the index with ``places`` along the axes whose size is not 1."""
    rest = iter(places)
    return tuple([0 if dim == 1 else next(rest) for dim in dims])


def reduce_index(
    definition: Reduce, loops: Sequence[Dim], inner: Mapping[int, Symbol]
) -> tuple[tuple[Dim, ...], list[tuple[Symbol, Dim]]]:
    """Return the index of a reduction's array, and its loops, for an element of its result.

    Args:
        definition: the reduction.
        loops: place of the element along the axes of ``domain_of`` that are not 1.
        inner: a symbol for each axis that is reduced.
    """
    kept = placed(domain_of(definition), loops)
    index: list[Dim] = [0] * len(definition.dims)
    extents: list[tuple[Symbol, Dim]] = []
    start: Dim = 0
    if definition.block is not None:
        start, kept = kept[0] * definition.block, kept[1:]
    for axis, place in zip(definition.kept, kept, strict=True):
        index[axis] = place
    for number, axis in enumerate(definition.axes):
        symbol, extent = inner[axis], definition.dims[axis]
        if number == 0 and definition.block is not None:
            index[axis] = start + symbol
            extents.append((symbol, dim_min(extent - start, definition.block)))
        else:
            index[axis] = symbol
            extents.append((symbol, extent))
    return tuple(index), extents
