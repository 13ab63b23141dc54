"""Which launches of a schedule all threads share: those with so much work that it pays to meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, final

from dovetail.extend import Symbol, dims
from dovetail.kernels import Branch, Launch, Repeat, Schedule, Step, Template
from dovetail_backend_cpu.runtime.tasks import NativeTask, Task

__all__ = ["Extents", "shared_launches"]

TASK_WORK: Final = 32768
"""Scalar operations, two microseconds or so, below which a task runs on one thread: a barrier takes half of one."""
STEP_WORK: Final = 262144
"""Scalar operations in tasks for all threads below which a whole step runs on one, and wakes no other: that two threads
would save a few microseconds, two of which it takes to hand the step out, is not worth a core."""
PART_WORK: Final = 1048576
"""Scalar operations, some sixty microseconds, of a part of a task at least, where threads take one after another."""
_TEMPLATE_PACE: Final = 8
"""How many times as fast operations go in products as in kernels, which wait for memory."""
_GUESS: Final = 8
"""How many turns a loop is taken to make whose condition decides."""


@final
class Extents:
    """What sizes come to in one binding.

    Attributes:
        ends: the first and the last value of each counter of a loop of known length, for bounds of sizes.
    """

    def __init__(self, schedule: Schedule, sizes: Mapping[Symbol, int]) -> None:
        """Look through a schedule, whose symbols stand for ``sizes``."""
        self._sizes = sizes
        last: dict[Symbol, int] = {}

        def look(steps: Iterable[Step]) -> None:
            for step in steps:
                if isinstance(step, Repeat):
                    length = 1 if step.length is None else dims.evaluate(step.length, {**sizes, **last})
                    last[step.counter] = max(length - 1, 0)
                    look(step.before)
                    look(step.steps)
                elif isinstance(step, Branch):
                    look(step.then)
                    look(step.otherwise)

        look(schedule.steps)
        self.ends = dict.fromkeys(last, 0), last
        self._middle = {symbol: value // 2 for symbol, value in last.items()}

    def sizes_of(self, launch: Launch, counters: Mapping[Symbol, int]) -> dict[Symbol, int]:
        """Return what a launch's task gets as sizes in one turn of the loops around it."""
        known = {**self._sizes, **counters}
        return {
            symbol: dims.evaluate(size, known) for symbol, size in zip(launch.task.sizes, launch.sizes, strict=True)
        }

    def work_of(self, launch: Launch) -> int:
        """Return how much work a launch is, halfway through the loops around it."""
        return dims.evaluate(launch.task.work, self.sizes_of(launch, self._middle))

    def turns_of(self, loop: Repeat) -> int:
        """Return how many turns a loop makes, halfway through the loops around it."""
        return _GUESS if loop.length is None else dims.evaluate(loop.length, {**self._sizes, **self._middle})


def shared_launches(schedule: Schedule, extents: Extents, tasks: Mapping[Task, NativeTask]) -> dict[Launch, int]:
    """Return the launches that all threads take part in, and in how many parts each can be done.

    There are none where there is little work for threads in a whole step.
    """
    found: dict[Launch, int] = {}

    def divide(steps: Iterable[Step]) -> int:
        total = 0
        for step in steps:
            if isinstance(step, Launch):
                work = extents.work_of(step) // (_TEMPLATE_PACE if isinstance(step.task, Template) else 1)
                if work >= TASK_WORK and any(phase.parallel for phase in tasks[step.task].plan.phases):
                    found[step] = max(work // PART_WORK, 1)
                    total += work
            elif isinstance(step, Branch):
                total += max(divide(step.then), divide(step.otherwise))
            else:
                total += extents.turns_of(step) * divide([*step.before, *step.steps])
        return total

    return found if divide(schedule.steps) >= STEP_WORK else {}
