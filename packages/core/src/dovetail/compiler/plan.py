"""``Plan``: a program placed on devices, divided into segments, compiled, and ready to run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, final

from dovetail.compiler.backend import Backend, DeviceInfo, Executable, Status
from dovetail.compiler.passes import decompose_composites, drop_dead, fold, share, simplify
from dovetail.compiler.placement import Devices, Placed
from dovetail.compiler.program import Instruction, Output, Program, ProgramInput, Value, first_makers
from dovetail.compiler.reference import ReferenceExecutable
from dovetail.types.constraints import Constraint
from dovetail.types.dims import Symbol, evaluate

__all__ = ["Plan", "Segment", "SegmentError", "divide", "optimize"]

Stage = Callable[[str, Program], None]


def optimize(program: Program, keeps: Callable[[Any], bool] = lambda op: False, watch: Stage | None = None) -> Program:
    """Run the passes that every backend wants; ``watch`` sees the program after each."""

    def done(name: str, result: Program) -> Program:
        if watch is not None:
            watch(name, result)
        return result

    program = done("lower", program)
    program = done("fold", fold(program))
    program = done("decompose", decompose_composites(program, keeps))
    program = done("simplify", simplify(fold(program)))
    program = done("drop", drop_dead(program))
    return done("share", share(program))


@final
class Segment:
    """Instructions in a row that run on one device.

    Attributes:
        program: what it computes; its outputs are values that later segments or the caller want.
        backend: who compiles it.
        device: where it runs.
        executable: the compiled form.
        taken: places of its inputs among the plan's slots.
        given: places of its outputs.
        tells: sizes that only a run knows, each with an output and an axis that show it.
    """

    __slots__ = ("_reference", "backend", "device", "executable", "given", "program", "taken", "tells", "transfers")

    def __init__(
        self, program: Program, placed: Placed, taken: Sequence[int], given: Sequence[int], num_threads: int | None
    ) -> None:
        """Compile a segment."""
        self.program = program
        self.backend: Backend = placed.backend
        self.device: DeviceInfo = placed.device
        self.taken = tuple(taken)
        self.given = tuple(given)
        self.executable: Executable = placed.backend.compile(program, placed.device, num_threads)
        self.transfers: tuple[tuple[int, Segment | None], ...] = ()
        self._reference: ReferenceExecutable | None = None
        self.tells = tuple(
            (dim, number, axis)
            for number, output in enumerate(program.outputs)
            for axis, dim in enumerate(output.value.type.dims if output.value.type.rank is not None else ())
            if isinstance(dim, Symbol) and dim.data_dependent
        )

    def run_by_reference(
        self, arguments: Sequence[Any], sizes: Mapping[Symbol, int]
    ) -> tuple[Sequence[Any], Status | None]:
        """Run on NumPy, which looks at the shapes that arrays have; takes and gives what the executable would."""
        if self._reference is None:
            self._reference = ReferenceExecutable(self.program)
        outputs, status = self._reference([self.backend.to_host(one) for one in arguments], sizes)
        return [self.backend.from_host(one, self.device) for one in outputs], status


@final
class SegmentError(Exception):
    """A segment reported a failing instruction; the session turns it into ``OperationError``."""

    def __init__(self, program: Program, status: Status) -> None:
        """Carry the instruction and the status."""
        super().__init__(status.message)
        self.instruction: Instruction = status.inner or program.instructions[status.instruction]
        self.status = status


@final
class Plan:
    """A compiled run.

    Attributes:
        program: the program after all passes.
        segments: in order.
    """

    def __init__(
        self,
        program: Program,
        devices: Devices,
        watch: Stage | None = None,
        *,
        num_threads: int | None = None,
        in_place: bool = False,
    ) -> None:
        """Optimize, place and compile a lowered program.

        Args:
            program: the program.
            devices: where it may run.
            watch: sees the program after each pass.
            num_threads: how many threads a run may use, if not as many as the backend likes.
            in_place: whether variables may be written over by their new values.
        """
        self.program = optimize(program, devices.keeps, watch)
        slots: dict[Value, int] = {}
        for given in self.program.inputs:
            slots[given.value] = len(slots)
        self.input_count = len(slots)
        self.segments: list[Segment] = []
        for placed, part in divide(self.program, devices, in_place=in_place):
            takes = [slots[one.value] for one in part.inputs]
            for output in part.outputs:
                slots[output.value] = len(slots)
            gives = [slots[one.value] for one in part.outputs]
            self.segments.append(Segment(part, placed, takes, gives, num_threads))
        # What must hold of sizes that only the run tells.
        self._late = [
            constraint
            for constraint, _ in self.program.constraints
            if any(symbol.data_dependent for symbol in constraint.symbols)
        ]
        self.slot_count = len(slots)
        self.output_slots = tuple(slots[one.value] for one in self.program.outputs)
        home: dict[int, Segment] = {slot: segment for segment in self.segments for slot in segment.given}
        for segment in self.segments:
            segment.transfers = tuple(
                (i, home.get(slot))
                for i, slot in enumerate(segment.taken)
                if _device_name(home.get(slot)) != _device_name(segment)
            )
        self.output_homes = tuple(home.get(slot) for slot in self.output_slots)
        self.on_host = all(_device_name(one) is None for one in self.segments)
        # The one segment that is the whole plan and takes the inputs as they are.
        self._whole: Segment | None = None
        if len(self.segments) == 1 and self.on_host and self.segments[0].taken == tuple(range(self.input_count)):
            (self._whole,) = self.segments
        self._as_they_are = self._whole is not None and self._whole.given == self.output_slots

    def run(self, inputs: Sequence[Any], sizes: Mapping[Symbol, int], version: int | None = None) -> Sequence[Any]:
        """Run all segments on host arrays; returns host arrays.

        Args:
            inputs: in the order of the program's inputs.
            sizes: what its symbols stand for.
            version: a number that tells the contents of all variables, as for ``Executable``.

        Raises:
            SegmentError: an instruction failed.
        """
        if self._whole is not None:
            segment = self._whole
            outputs, status = segment.executable(inputs, sizes, version)
            if status is not None:
                raise SegmentError(segment.program, status)
            if self._as_they_are:
                return outputs
            slots = [*inputs, *outputs]
            return [slots[i] for i in self.output_slots]
        values: list[Any] = [None] * self.slot_count
        values[: self.input_count] = inputs
        as_promised = True
        for segment in self.segments:
            arguments = [values[slot] for slot in segment.taken]
            for index, source in segment.transfers:
                host = arguments[index] if source is None else source.backend.to_host(arguments[index])
                arguments[index] = segment.backend.from_host(host, segment.device)
            if as_promised:
                outputs, status = segment.executable(arguments, sizes, version)
            else:
                outputs, status = segment.run_by_reference(arguments, sizes)
            if status is not None:
                raise SegmentError(segment.program, status)
            for slot, buffer in zip(segment.given, outputs, strict=True):
                values[slot] = buffer
            if segment.tells:
                sizes = {**sizes, **{symbol: outputs[i].shape[axis] for symbol, i, axis in segment.tells}}
                as_promised = as_promised and all(map(functools.partial(_is_met, sizes), self._late))
        return [
            values[slot] if home is None or _device_name(home) is None else home.backend.to_host(values[slot])
            for slot, home in zip(self.output_slots, self.output_homes, strict=True)
        ]


def _is_met(sizes: Mapping[Symbol, int], constraint: Constraint) -> bool:
    """Tell whether sizes are as compiled code takes them to be: where it broadcasts, they are equal."""
    if not constraint.symbols <= sizes.keys():
        return True  # not told yet
    if constraint.kind == "broadcast":
        return evaluate(constraint.left, sizes) == evaluate(constraint.right, sizes)
    return constraint.holds(sizes)


def _given_up(program: Program, groups: Sequence[tuple[Placed, list[Instruction]]]) -> dict[str, tuple[Value, Value]]:
    """Return the variables that the last segment may write over: key, old value, new value.

    No other segment takes the old value, nothing can fail after the last, the old value is no output, and the new value
    no other output.
    """
    if not groups or groups[-1][0].device.device_type not in _HOST_TYPES:
        return {}
    made = {value for one in groups[-1][1] for value in one.outputs}
    earlier = {value for _, instructions in groups[:-1] for one in instructions for value in one.inputs}
    old = {one.key: one.value for one in program.inputs if one.kind == "state"}
    wanted = [one.value for one in program.outputs]
    found: dict[str, tuple[Value, Value]] = {}
    for output in program.outputs:
        before = old.get(output.key) if output.kind == "state" else None
        if before is None or before in earlier or before in wanted:
            continue
        if output.value in made and wanted.count(output.value) == 1 and output.value.type == before.type:
            found[output.key] = before, output.value
    return found


def divide(program: Program, devices: Devices, *, in_place: bool = True) -> list[tuple[Placed, Program]]:
    """Divide a program into parts in a row that run on one device.

    Args:
        program: the program after all passes.
        devices: where instructions may run.
        in_place: whether variables may be written over: inputs and outputs of such parts are of kind ``state``. So are
            inputs that are variables where the program writes none, and new values of variables that it does not read.
            Keys and counters keep their kind.
    """
    groups = _groups(program, devices)
    given_up = _given_up(program, groups) if in_place else {}
    constant = {one.value: one.key for one in program.inputs if one.kind == "state"}
    read = set(constant.values())
    unread = {one.value: one.key for one in program.outputs if one.kind == "state" and one.key not in read}
    drawn = {one.value: one for one in program.inputs if one.kind in ("key", "counter")}
    if any(one.kind == "state" for one in program.outputs):
        constant = {}
    parts: list[tuple[Placed, Program]] = []
    for (placed, instructions), wanted in zip(groups, _wanted_later(program, groups), strict=True):
        outputs = dict.fromkeys(value for one in instructions for value in one.outputs)
        takes = dict.fromkeys(value for one in instructions for value in one.inputs if value not in outputs)
        gives = [value for value in outputs if value in wanted]
        replaced = given_up if len(parts) == len(groups) - 1 else {}
        old = constant or {before: key for key, (before, _) in replaced.items()}
        new = {**unread, **{after: key for key, (_, after) in replaced.items()}}
        inputs = [
            ProgramInput(value, "state", old[value])
            if value in old
            else drawn.get(value, ProgramInput(value, "argument", number))
            for number, value in enumerate(takes)
        ]
        results = [
            Output(value, "state", new[value]) if value in new else Output(value, "result", number)
            for number, value in enumerate(gives)
        ]
        parts.append((placed, Program(inputs, instructions, results)))
    return parts


_HOST_TYPES: Final = frozenset({"CPU"})


def _device_name(segment: Segment | None) -> str | None:
    """The device that holds a segment's buffers; ``None`` for host memory."""
    if segment is None or segment.device.device_type in _HOST_TYPES:
        return None
    return segment.device.name


def _groups(program: Program, devices: Devices) -> list[tuple[Placed, list[Instruction]]]:
    groups: list[tuple[Placed, list[Instruction]]] = []
    for one in program.instructions:
        placed = devices.place(one)
        if groups and groups[-1][0] is placed:
            groups[-1][1].append(one)
        else:
            groups.append((placed, [one]))
    return groups


def _wanted_later(program: Program, groups: Sequence[tuple[Placed, list[Instruction]]]) -> list[set[Value]]:
    wanted = {one.value for one in program.outputs}
    makers = first_makers(program)
    result: list[set[Value]] = []
    for _, instructions in reversed(groups):
        result.append(set(wanted))
        wanted.update(value for one in instructions for value in one.inputs)
        # What tells a size is wanted as well where only the size is.
        wanted.update(makers[symbol] for one in instructions for symbol in one.op.symbols if symbol in makers)
    return result[::-1]
