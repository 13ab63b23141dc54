"""Packed copies of operands: which launches keep theirs for longer than one call, and the memory they are kept in.

The constant phases of a template only read operands that are marked as packed. Within a loop they run once before it.
Where these operands are variables of a program that writes none, they run once for all runs between two changes of the
variables.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import final

from dovetail.extend import Program
from dovetail.kernels import ALIGNMENT, Branch, Launch, Repeat, Schedule, Step, Template, View, launches
from dovetail_backend_cpu.runtime.blocks import address_of, aligned_bytes
from dovetail_backend_cpu.runtime.tasks import NativeTask, Task

__all__ = ["PackedCopies", "PackedCopy", "looped_launches", "packed_views", "place_lasting"]


def packed_views(launch: Launch) -> list[View]:
    """Return where the operands of a template are that are marked as packed."""
    task = launch.task
    assert isinstance(task, Template)
    places = {buffer: view for buffer, view in zip(task.buffers, launch.buffers, strict=True) if view is not None}
    return [places[buffer] for buffer, packed in zip(task.operands, task.packed, strict=False) if packed]


def place_lasting(
    program: Program, schedule: Schedule, tasks: Mapping[Task, NativeTask]
) -> tuple[dict[Launch, int], int]:
    """Return the launches whose packed copies outlast a run.

    Returns:
        For each the offset in a block of memory that all sizes of a program share, and how long the block is.
    """
    offsets: dict[Launch, int] = {}
    total = 0
    if any(one.kind == "state" for one in program.outputs):
        return offsets, total
    variables = {
        storage
        for given, storage in zip(program.inputs, schedule.inputs, strict=True)
        if given.kind == "state"
    }  # fmt: skip
    for launch in launches(schedule.steps):
        plan = tasks[launch.task].plan
        # What of the workspace is not constant belongs to one run.
        if not isinstance(plan.constant, int) or plan.constant == 0 or plan.constant != plan.workspace:
            continue
        if all(view.storage in variables and isinstance(view.offset, int) for view in packed_views(launch)):
            offsets[launch] = total
            total += -(-plan.constant // ALIGNMENT) * ALIGNMENT
    return offsets, total


def looped_launches(steps: Iterable[Step], tasks: Mapping[Task, NativeTask], *, inside: bool = False) -> list[Launch]:
    """Return the launches within loops whose constant phases can run before the innermost loop around them."""
    found: list[Launch] = []
    for step in steps:
        if isinstance(step, Launch):
            if inside and tasks[step.task].plan.constant != 0:
                found.append(step)
        elif isinstance(step, Repeat):
            found += looped_launches([*step.before, *step.steps], tasks, inside=True)
        else:
            assert isinstance(step, Branch)
            found += looped_launches([*step.then, *step.otherwise], tasks, inside=inside)
    return found


@final
class PackedCopy:
    """A block of memory with packed copies.

    Attributes:
        address: of the block.
        version: of the variables that it was made from; ``None`` while it is being filled.
        users: how many runs read it now.
    """

    __slots__ = ("_block", "address", "users", "version")

    def __init__(self, size: int) -> None:
        """Allocate ``size`` bytes."""
        self._block = aligned_bytes(size)
        self.address = address_of(self._block)
        self.version: int | None = None
        self.users = 0


@final
class PackedCopies:
    """The packed copies of one executable, which its runs share as long as the variables are what they were.

    A run that finds them out of date makes new ones: in the same memory if no other run reads it.
    """

    def __init__(self, size: int) -> None:
        """Begin with none; each takes ``size`` bytes."""
        self._size = size
        self._current: PackedCopy | None = None
        self._lock = threading.Lock()

    def take(self, version: int | None) -> tuple[PackedCopy, bool]:
        """Return copies for a run, and whether the run must fill them."""
        with self._lock:
            copy = self._current
            if copy is not None:
                if version is not None and copy.version == version:
                    copy.users += 1
                    return copy, False
                if copy.users == 0:
                    self._current = None
                else:
                    copy = None
            copy = copy or PackedCopy(self._size)
            copy.version = None
            copy.users = 1
            return copy, True

    def give(self, copy: PackedCopy, version: int | None, *, filled: bool) -> None:
        """Take back what a run used; if it has ``filled`` it, later runs of that version may use it."""
        with self._lock:
            copy.users -= 1
            if filled:
                copy.version = version
                self._current = copy
