"""``Plan``: a program placed on devices, divided into segments, compiled, and ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, final

from dovetail.compiler.backend import Backend, DeviceInfo, Executable, Status
from dovetail.compiler.passes import decompose_composites, drop_dead, fold, share, simplify
from dovetail.compiler.placement import Devices, Placed
from dovetail.compiler.program import Instruction, Output, Program, ProgramInput, Value
from dovetail.types.dims import Symbol

__all__ = ["Plan", "Segment", "SegmentError", "optimize"]

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
    """

    __slots__ = ("backend", "device", "executable", "given", "program", "taken", "transfers")

    def __init__(self, program: Program, placed: Placed, taken: Sequence[int], given: Sequence[int]) -> None:
        """Compile a segment."""
        self.program = program
        self.backend: Backend = placed.backend
        self.device: DeviceInfo = placed.device
        self.taken = tuple(taken)
        self.given = tuple(given)
        self.executable: Executable = placed.backend.compile(program, placed.device)
        self.transfers: tuple[tuple[int, Segment | None], ...] = ()


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

    def __init__(self, program: Program, devices: Devices, watch: Stage | None = None) -> None:
        """Optimize, place and compile a lowered program."""
        self.program = optimize(program, devices.keeps, watch)
        slots: dict[Value, int] = {}
        for given in self.program.inputs:
            slots[given.value] = len(slots)
        self.input_count = len(slots)
        self.segments: list[Segment] = []
        groups = _groups(self.program, devices)
        wanted_later = _wanted_later(groups, self.program.outputs)
        for (placed, instructions), wanted in zip(groups, wanted_later, strict=True):
            made = {value for one in instructions for value in one.outputs}
            takes = dict.fromkeys(value for one in instructions for value in one.inputs if value not in made)
            gives = [
                value for value in dict.fromkeys(v for one in instructions for v in one.outputs) if value in wanted
            ]
            part = Program(
                [ProgramInput(value, "argument", i) for i, value in enumerate(takes)],
                instructions,
                [Output(value, "result", i) for i, value in enumerate(gives)],
            )
            for value in gives:
                slots[value] = len(slots)
            self.segments.append(Segment(part, placed, [slots[v] for v in takes], [slots[v] for v in gives]))
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

    def run(self, inputs: Sequence[Any], sizes: Mapping[Symbol, int]) -> Sequence[Any]:
        """Run all segments on host arrays; returns host arrays.

        Raises:
            SegmentError: an instruction failed.
        """
        if len(self.segments) == 1 and self.on_host and self.segments[0].taken == tuple(range(self.input_count)):
            segment = self.segments[0]
            outputs, status = segment.executable(inputs, sizes)
            if status is not None:
                raise SegmentError(segment.program, status)
            if segment.given == self.output_slots:
                return outputs
            slots = [*inputs, *outputs]
            return [slots[i] for i in self.output_slots]
        values: list[Any] = [None] * self.slot_count
        values[: self.input_count] = inputs
        for segment in self.segments:
            arguments = [values[slot] for slot in segment.taken]
            for index, source in segment.transfers:
                host = arguments[index] if source is None else source.backend.to_host(arguments[index])
                arguments[index] = segment.backend.from_host(host, segment.device)
            outputs, status = segment.executable(arguments, sizes)
            if status is not None:
                raise SegmentError(segment.program, status)
            for slot, buffer in zip(segment.given, outputs, strict=True):
                values[slot] = buffer
        return [
            values[slot] if home is None or _device_name(home) is None else home.backend.to_host(values[slot])
            for slot, home in zip(self.output_slots, self.output_homes, strict=True)
        ]


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


def _wanted_later(groups: Sequence[tuple[Placed, list[Instruction]]], outputs: Sequence[Output]) -> list[set[Value]]:
    wanted = {one.value for one in outputs}
    result: list[set[Value]] = []
    for _, instructions in reversed(groups):
        result.append(set(wanted))
        wanted.update(value for one in instructions for value in one.inputs)
    return result[::-1]
