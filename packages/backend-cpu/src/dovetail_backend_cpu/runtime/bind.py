"""``bind``: a schedule with values for its sizes becomes code for the step runner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail import uint8
from dovetail.extend import Dim, Symbol, dims
from dovetail.kernels import (
    ALIGNMENT,
    Branch,
    Launch,
    Repeat,
    Schedule,
    Step,
    Storage,
    Template,
    View,
    launches,
    plan_memory,
)
from dovetail_backend_cpu.runtime.assembler import Assembler, Label
from dovetail_backend_cpu.runtime.blocks import address_of, words
from dovetail_backend_cpu.runtime.division import Extents, shared_launches
from dovetail_backend_cpu.runtime.hazards import Hazards, Region
from dovetail_backend_cpu.runtime.layout import BOX_BYTES
from dovetail_backend_cpu.runtime.opcodes import Opcode
from dovetail_backend_cpu.runtime.packing import looped_launches, packed_views
from dovetail_backend_cpu.runtime.tasks import NativeTask, Phase, Task

__all__ = ["Bound", "bind"]

_PARTS: Final = 8
"""How many parts a launch with much work has for each thread: who is held up, by another process say, does fewer."""


@final
class Bound:
    """A schedule for given sizes, ready to run in any number of places at once.

    Attributes:
        code: for the step runner.
        frame: the first values of a frame's words, addresses left out.
        arena_words: words that hold addresses in the arena, and ``arena_offsets`` where they point.
        arena_bytes: how large the arena is, without scratch memory.
        scratch_bytes: of each thread's scratch memory.
        lasting_words: words for addresses in the block of packed copies, and ``lasting_offsets`` where they point.
        packs_word: the word that says whether the run fills that block; 0 if there is none.
        input_words: the word for each input's address; ``output_words`` likewise.
        threads: how many threads take part.
        tickets: how many words count parts of calls.
        launches: those that the numbers in calls refer to.
    """

    def __init__(self, binder: _Binder) -> None:
        """Take over what was bound."""
        # What no step uses has no word yet, so these come before the frame is taken.
        self.input_words = [binder.base(storage) for storage in binder.schedule.inputs]
        self.output_words = [binder.base(storage) for storage in binder.schedule.outputs]
        # Kept because code and frame point to them.
        self.code, self._slots = binder.text.finish()
        self._constants = binder.constants
        self.frame = words(binder.text.frame)
        self.arena_words = words([word for word, _ in binder.arena])[: len(binder.arena)]
        self.arena_offsets = words([offset for _, offset in binder.arena])[: len(binder.arena)]
        self.lasting_words = words([word for word, _ in binder.block])[: len(binder.block)]
        self.lasting_offsets = words([offset for _, offset in binder.block])[: len(binder.block)]
        self.packs_word = binder.packs_word
        self.arena_bytes = binder.arena_bytes
        self.scratch_bytes = binder.scratch_bytes
        self.threads = binder.threads
        self.tickets = binder.tickets
        self.launches = binder.launches


def bind(
    schedule: Schedule,
    sizes: Mapping[Symbol, int],
    tasks: Mapping[Task, NativeTask],
    threads: int,
    *,
    lasting: Mapping[Launch, int] | None = None,
    traced: bool = False,
) -> Bound:
    """Make the code of a step.

    Args:
        schedule: what to run.
        sizes: what its symbols stand for.
        tasks: the code of each task.
        threads: how many threads may take part.
        lasting: launches whose packed copies outlast the run, each with its place in a block of memory for these.
        traced: whether calls are timed.
    """
    binder = _Binder(schedule, sizes, tasks, lasting or {}, traced)
    binder.decide(threads)
    binder.run()
    return Bound(binder)


class _Binder:
    """The state of one binding."""

    def __init__(
        self,
        schedule: Schedule,
        sizes: Mapping[Symbol, int],
        tasks: Mapping[Task, NativeTask],
        lasting: Mapping[Launch, int],
        traced: bool,
    ) -> None:
        self.schedule = schedule
        self.sizes = sizes
        self.tasks = tasks
        self.lasting = lasting
        self.traced = traced
        self.text = Assembler()
        self.arena: list[tuple[int, int]] = []
        self.block: list[tuple[int, int]] = []
        self.packs_word = 0
        self.constants: list[Any] = []
        self.launches: list[Launch] = list(launches(schedule.steps))
        self._numbers = {launch: i for i, launch in enumerate(self.launches)}
        self._shared: dict[Launch, int] = {}
        self.threads = 1
        self.tickets = 0
        self._hazards = Hazards()
        # Whether thread 0 is on its own here, so that the others need not be waited for.
        self._alone = True
        self._bases: dict[Storage, int] = {}
        self._views: dict[tuple[Storage, int], int] = {}
        self._counters: dict[Symbol, int] = {}
        self._end = Label()
        self._extents = Extents(schedule, sizes)
        self._place_memory()
        self._find_swaps()

    # Memory. ---------------------------------------------------------------------------------------------------------

    def _place_memory(self) -> None:
        plan = plan_memory(self.schedule, self.sizes, self._keep_workspaces())
        self._offsets = plan.offsets
        workspace = self.scratch_bytes = 0
        for launch in self.launches:
            code = self.tasks[launch.task].plan
            for counters in self._extents.ends:
                local = self._extents.sizes_of(launch, counters)
                self.scratch_bytes = max(self.scratch_bytes, dims.evaluate(code.scratch, local))
                if launch not in self._kept:
                    workspace = max(workspace, dims.evaluate(code.workspace, local))
        self.scratch_bytes = _round(self.scratch_bytes)
        self.arena_bytes = plan.total + _round(workspace)
        self._workspace = (plan.total, self.arena_bytes)
        self._workspace_word: int | None = None
        # Memory outside the arena gets places behind it, for the hazards only.
        self._regions: dict[Storage, Region] = {}
        self._outside = self.arena_bytes + 1

    def _keep_workspaces(self) -> dict[Storage, tuple[int, int]]:
        """Give launches workspaces of their own whose constant phases do not run in every turn, or not in every run.

        Returns:
            The lifetimes of those that are temporaries.
        """
        self._kept: dict[Launch, Storage] = {}
        spans: dict[Storage, tuple[int, int]] = {}
        for number, step in enumerate(self.schedule.steps):
            for launch in looped_launches([step], self.tasks):
                if launch not in self.lasting:
                    workspace = self.tasks[launch.task].plan.workspace
                    size = max(
                        dims.evaluate(workspace, self._extents.sizes_of(launch, counters))
                        for counters in self._extents.ends
                    )
                    storage = self._kept[launch] = Storage(uint8, size, "temporary", "packed")
                    spans[storage] = number, number
        # Places in the block that outlasts the run.
        self._places: dict[Storage, int] = {}
        for launch, offset in self.lasting.items():
            storage = self._kept[launch] = Storage(uint8, self.tasks[launch.task].plan.workspace, "constant", "packed")
            self._places[storage] = offset
        return spans

    def region(self, storage: Storage) -> list[Region]:
        """Where a storage is; the places of all that it trades places with."""
        return [self._region(one) for one in self._partners.get(storage, (storage,))]

    def _region(self, storage: Storage) -> Region:
        found = self._regions.get(storage)
        if found is None:
            offset = self._offsets.get(storage)
            if offset is None:
                found = (self._outside, self._outside + 1)
                self._outside += 1
            else:
                size = dims.evaluate(storage.size, self.sizes) * storage.dtype.size
                found = (offset, offset + max(size, 1))
            self._regions[storage] = found
        return found

    def _find_swaps(self) -> None:
        """Find which storages trade places, directly or by a third."""
        self._partners: dict[Storage, set[Storage]] = {}
        for repeat in _repeats(self.schedule.steps):
            for one, other in repeat.swaps:
                both = self._partners.get(one, {one}) | self._partners.get(other, {other})
                for storage in both:
                    self._partners[storage] = both

    # Threads. --------------------------------------------------------------------------------------------------------

    def decide(self, threads: int) -> None:
        """Decide which launches all threads take part in."""
        if threads == 1:
            return
        found = shared_launches(self.schedule, self._extents, self.tasks)
        self._shared = {launch: min(parts, _PARTS * threads) for launch, parts in found.items()}
        if self._shared:
            self.threads = threads
            self._alone = False

    def _is_shared(self, steps: Iterable[Step]) -> bool:
        return any(launch in self._shared for launch in launches(list(steps)))

    def _meet(self) -> None:
        if not self._alone:
            self.text.emit(Opcode.BARRIER)
        self._hazards.meet()

    def _access(self, reads: Sequence[Region], writes: Sequence[Region], everyone: bool) -> None:
        """Make sure that the threads have met where these accesses need it."""
        if self._alone:
            return
        if self._hazards.conflict(reads, writes, everyone):
            self._meet()
        self._hazards.add(reads, writes, everyone)

    # Steps. ----------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Write the code."""
        schedule = self.schedule
        can_fail = any(launch.task.can_fail for launch in launches(schedule.steps[: schedule.commit]))
        self._pack_lasting()
        for i, step in enumerate(schedule.steps):
            if i == schedule.commit and can_fail:
                self._meet()
                self.text.emit(Opcode.JUMP_IF_FAILED, self._end)
            self._step(step)
        self.text.here(self._end)
        self.text.emit(Opcode.END)

    def _steps(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self._step(step)

    def _step(self, step: Step) -> None:
        if isinstance(step, Launch):
            self._launch(step)
        elif self._alone or self._is_shared([step]):
            self._control(step)
        else:
            self._by_one(step)

    def _control(self, step: Repeat | Branch) -> None:
        if isinstance(step, Repeat):
            self._repeat(step)
        else:
            self._branch(step)

    def _by_one(self, step: Repeat | Branch) -> None:
        """Let thread 0 run loops and branches in which nothing is divided, while the others go on."""
        reads, writes = self._touched([step])
        self._access(reads, writes, everyone=False)
        after = Label()
        self.text.emit(Opcode.JUMP_IF_WORKER, after)
        self._alone = True
        self._control(step)
        moved = sorted({self.base(storage) for repeat in _repeats([step]) for pair in repeat.swaps for storage in pair})
        self._alone = False
        if not moved:
            self.text.here(after)
            return
        # The others do not know how often storages traded places.
        places = [(-1 - word, -word) for word in moved]
        for word in moved:
            self.text.emit(Opcode.PUBLISH, word)
        self.text.here(after)
        self._hazards.add([], places, everyone=False)
        self._access(places, [], everyone=True)
        for word in moved:
            self.text.emit(Opcode.FETCH, word)

    def _touched(self, steps: Iterable[Step]) -> tuple[list[Region], list[Region]]:
        """Return what steps read and write; the words that they publish count as written."""
        reads: list[Region] = []
        writes: list[Region] = []
        for step in steps:
            if isinstance(step, Launch):
                more_reads, more_writes = self._accesses(step)
                if step in self._kept:
                    more_writes += self.region(self._kept[step])
            elif isinstance(step, Branch):
                more_reads, more_writes = self._touched([*step.then, *step.otherwise])
                more_reads += self.region(step.predicate.storage)
            else:
                more_reads, more_writes = self._touched([*step.before, *step.steps])
                if step.condition is not None:
                    more_reads += self.region(step.condition.storage)
                if step.index is not None:
                    more_writes += self.region(step.index)
                for pair in step.swaps:
                    more_writes += [(-1 - self.base(storage), -self.base(storage)) for storage in pair]
            reads += more_reads
            writes += more_writes
        return reads, writes

    def _accesses(self, launch: Launch) -> tuple[list[Region], list[Region]]:
        reads: list[Region] = []
        writes: list[Region] = []
        for buffer, view in zip(launch.task.buffers, launch.buffers, strict=True):
            if view is None:
                continue
            (reads if buffer.role == "in" else writes).extend(self.region(view.storage))
        if launch not in self._kept and self.tasks[launch.task].plan.workspace != 0:
            writes.append(self._workspace)
        return reads, writes

    def _launch(self, launch: Launch) -> None:
        plan = self.tasks[launch.task].plan
        reads, writes = self._accesses(launch)
        kept = self._kept.get(launch)
        if kept is not None:
            (reads if plan.workspace == plan.constant else writes).extend(self.region(kept))
        self._call(launch, [phase for phase in plan.phases if kept is None or not phase.constant], reads, writes)

    def _pack(self, launch: Launch) -> None:
        """Let the constant phases of a launch fill its own workspace."""
        reads = [region for view in packed_views(launch) for region in self.region(view.storage)]
        phases = [phase for phase in self.tasks[launch.task].plan.phases if phase.constant]
        self._call(launch, phases, reads, self.region(self._kept[launch]))

    def _pack_lasting(self) -> None:
        """Fill the block of packed copies, if the run is told to."""
        if not self.lasting:
            return
        after = Label()
        self.packs_word = self.text.word()
        self.text.emit(Opcode.JUMP_IF_ZERO, self.packs_word, after)
        for launch in self.lasting:
            self._pack(launch)
        # Here and not where the copies are read, so that runs that fill nothing need not meet.
        self._meet()
        self.text.here(after)

    def _call(self, launch: Launch, phases: Sequence[Phase], reads: Sequence[Region], writes: Sequence[Region]) -> None:
        code = self.tasks[launch.task]
        slots = [self._address(view) for view in launch.buffers if view is not None]
        slots += [self._size(size) for size in launch.sizes]
        if isinstance(launch.task, Template) and code.plan.workspace != 0:
            kept = self._kept.get(launch)
            slots.append(self._workspace_address() if kept is None else self.base(kept))
        number = self._numbers[launch]
        parts = self._shared.get(launch, 0)
        for phase, address in zip(code.plan.phases, code.addresses, strict=True):
            if phase not in phases:
                continue
            everyone = parts > 0 and phase.parallel
            self._access(reads, writes, everyone)
            if everyone and parts >= 2 * self.threads:
                opcode = Opcode.TRACED_CALL_PARTS if self.traced else Opcode.CALL_PARTS
                self.text.call(opcode, address, slots, number, parts, BOX_BYTES * self.tickets, self.text.word())
                self.tickets += 1
                continue
            if everyone:
                opcode = Opcode.TRACED_CALL if self.traced else Opcode.CALL
            else:
                opcode = Opcode.TRACED_CALL_ONE if self.traced else Opcode.CALL_ONE
            self.text.call(opcode, address, slots, number)

    def _branch(self, step: Branch) -> None:
        predicate = self.text.word()
        otherwise, after = Label(), Label()
        self._load_bool(predicate, step.predicate)
        self.text.emit(Opcode.JUMP_IF_ZERO, predicate, otherwise)
        before = self._hazards.copy()
        self._steps(step.then)
        self.text.emit(Opcode.JUMP, after)
        then, self._hazards = self._hazards, before
        self.text.here(otherwise)
        self._steps(step.otherwise)
        self.text.here(after)
        self._hazards.join(then)

    def _load_bool(self, word: int, view: View) -> None:
        address = self._address(view)
        self._access(self.region(view.storage), [], everyone=True)
        self.text.emit(Opcode.LOAD_BOOL, word, address)

    def _repeat(self, step: Repeat) -> None:
        text = self.text
        head, after = Label(), Label()
        for launch in _innermost([*step.before, *step.steps]):
            if launch in self._kept and launch not in self.lasting:
                self._pack(launch)
        turn, counter = text.word(), text.word()
        length = None
        if step.length is not None:
            length = text.compute(dims.substitute(step.length, self.sizes), self._counters)
        text.emit(Opcode.SET, turn, 0)
        text.emit(Opcode.SET, counter, 0)
        if step.reverse and length is not None:
            text.emit(Opcode.ADD_NUMBER, counter, length, -1)
        self._counters[step.counter] = counter
        exits = self._hazards.copy() if length is not None else Hazards()
        checked = step.condition is not None and any(launch.task.can_fail for launch in self.launches)
        text.here(head)
        if length is not None:
            body = Label()
            text.emit(Opcode.JUMP_IF_LESS, turn, length, body)
            text.emit(Opcode.JUMP, after)
            text.here(body)
        # What the last turn did is not known here, so the threads meet.
        self._meet()
        if checked:
            # With values of a failed kernel the condition may hold for ever.
            text.emit(Opcode.JUMP_IF_FAILED, after)
            self._meet()
        if step.index is not None:
            address = self._address(View(step.index))
            self._access([], self.region(step.index), everyone=False)
            text.emit(Opcode.STORE, address, counter)
        if step.condition is not None:
            self._steps(step.before)
            predicate = text.word()
            self._load_bool(predicate, step.condition)
            text.emit(Opcode.JUMP_IF_ZERO, predicate, after)
            exits.join(self._hazards)
        self._steps(step.steps)
        text.emit(Opcode.ADD_NUMBER, turn, turn, 1)
        text.emit(Opcode.ADD_NUMBER, counter, counter, -1 if step.reverse else 1)
        for one, other in step.swaps:
            text.emit(Opcode.EXCHANGE, self.base(one), self.base(other))
        text.emit(Opcode.JUMP, head)
        text.here(after)
        if length is not None:
            exits.join(self._hazards)
        self._hazards = exits
        if checked:
            # Nobody may fail again before all threads have seen that nobody, or somebody, had.
            self._meet()
        del self._counters[step.counter]

    # Addresses. ------------------------------------------------------------------------------------------------------

    def base(self, storage: Storage) -> int:
        """Return the word that holds a storage's address."""
        found = self._bases.get(storage)
        if found is None:
            found = self._bases[storage] = self.text.word()
            if storage.array is not None:
                array = np.require(storage.array, storage.dtype.numpy, ["C", "A"])
                self.constants.append(array)
                self.text.frame[found] = address_of(array)
            elif storage in self._offsets:
                self.arena.append((found, self._offsets[storage]))
            elif storage in self._places:
                self.block.append((found, self._places[storage]))
        return found

    def _size(self, size: Dim) -> int:
        """Return the word of a size; of any, where it depends on a loop that is not yet reached."""
        size = dims.substitute(size, self.sizes)
        return self.text.compute(size if self._is_known(size) else 1, self._counters)

    def _is_known(self, dim: Dim) -> bool:
        return isinstance(dim, int) or dims.symbols_of(dim) <= set(self._counters)

    def _workspace_address(self) -> int:
        if self._workspace_word is None:
            self._workspace_word = self.text.word()
            self.arena.append((self._workspace_word, self._workspace[0]))
        return self._workspace_word

    def _address(self, view: View) -> int:
        base = self.base(view.storage)
        offset = dims.substitute(view.offset, self.sizes)
        # Constant phases, which run before the loop, are handed places that depend on its counter, but do not look.
        if offset == 0 or not self._is_known(offset):
            return base
        itemsize = view.storage.dtype.size
        if not isinstance(offset, int):
            result = self.text.word()
            self.text.emit(Opcode.MULTIPLY_NUMBER, result, self.text.compute(offset, self._counters), itemsize)
            self.text.emit(Opcode.ADD, result, result, base)
            return result
        if view.storage in self._offsets and view.storage not in self._partners:
            key = (view.storage, offset)
            found = self._views.get(key)
            if found is None:
                found = self._views[key] = self.text.word()
                self.arena.append((found, self._offsets[view.storage] + offset * itemsize))
            return found
        result = self.text.word()
        self.text.emit(Opcode.ADD_NUMBER, result, base, offset * itemsize)
        return result


def _repeats(steps: Iterable[Step]) -> Iterable[Repeat]:
    for step in steps:
        if isinstance(step, Repeat):
            yield step
            yield from _repeats([*step.before, *step.steps])
        elif isinstance(step, Branch):
            yield from _repeats([*step.then, *step.otherwise])


def _innermost(steps: Iterable[Step]) -> Iterable[Launch]:
    """Yield the launches in the body of a loop that are in no loop within."""
    for step in steps:
        if isinstance(step, Launch):
            yield step
        elif isinstance(step, Branch):
            yield from _innermost([*step.then, *step.otherwise])


def _round(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
