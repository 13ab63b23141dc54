"""``NativeExecutable``: a program as native code."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail.extend import Executable, Program, Status, Symbol, Timing, dims
from dovetail.kernels import Branch, ReferenceExecutable, Repeat, Schedule, Step, launches
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.runtime.arena import Arena, arenas
from dovetail_backend_cpu.runtime.bind import Bound, bind
from dovetail_backend_cpu.runtime.compile import load_tasks
from dovetail_backend_cpu.runtime.context import Context, InputSpec
from dovetail_backend_cpu.runtime.cores import default_threads
from dovetail_backend_cpu.runtime.native import runner
from dovetail_backend_cpu.runtime.pace import Pace
from dovetail_backend_cpu.runtime.packing import PackedCopies, place_lasting
from dovetail_backend_cpu.runtime.tasks import Printers, standard_printers
from dovetail_backend_cpu.runtime.team import team
from dovetail_backend_cpu.runtime.trace import Tracer

__all__ = ["NativeExecutable"]

_BOUND_LIMIT: Final = 64
_NO_ARENA: Final = Arena(64)


@final
class _Binding:
    """A bound program with its free contexts.

    Attributes:
        pace: says whether all threads take part.
        sources: for each output the place of the input that it is, or -1.
        results: makes the list of outputs from the list of inputs.
    """

    __slots__ = ("bound", "contexts", "pace", "results", "sources", "specs")

    def __init__(
        self, bound: Bound, specs: Sequence[InputSpec], outputs: Sequence[tuple[int, tuple[int, ...], Any]]
    ) -> None:
        self.bound = bound
        self.specs = specs
        self.sources = [source for source, _, _ in outputs]
        self.results = _maker(outputs)
        self.contexts: list[Context] = []
        self.pace = Pace(bound.threads)


@final
class NativeExecutable(Executable):
    """Runs a schedule on native threads.

    Args:
        program: what it computes; a failing run is repeated on the reference, which says what failed.
        schedule: how.
        machine: the processor that code is made for.
        num_threads: how many threads may run a step, at most; by default ``DOVETAIL_NUM_THREADS`` or one a core.
        printers: turn tasks into LLVM text.
    """

    def __init__(
        self,
        program: Program,
        schedule: Schedule,
        machine: Machine,
        num_threads: int | None = None,
        printers: Printers | None = None,
    ) -> None:
        """Compile the tasks that are not compiled yet."""
        self.program = program
        self.schedule = schedule
        self._threads = num_threads or default_threads()
        self._tasks = load_tasks(
            [one.task for one in launches(schedule.steps)], machine, printers or standard_printers()
        )
        self._lasting, size = place_lasting(program, schedule, self._tasks)
        self._copies = PackedCopies(size) if self._lasting else None
        self._run = runner().run
        self._reads_arrays = runner().reads_arrays
        self._symbols = tuple(sorted(_symbols(program, schedule), key=str))
        self._bindings: dict[tuple[int, ...], _Binding] = {}
        self._only: _Binding | None = None

    # Running. --------------------------------------------------------------------------------------------------------

    def __call__(
        self,
        inputs: Sequence[Any],
        sizes: Mapping[Symbol, int],
        version: int | None = None,
        binding: _Binding | None = None,
    ) -> tuple[Sequence[Any], Status | None]:
        """Run the program; in another form than that for its sizes if ``binding`` is given."""
        binding = binding or self._only or self._binding(inputs, sizes)
        try:
            context = binding.contexts.pop()
        except IndexError:
            context = Context(binding.bound, binding.specs)
        items = inputs if type(inputs) is list else list(inputs)
        results = binding.results(items)
        size = context.arena_bytes
        if size:
            arena = arenas.take(size)
            context.use_arena(arena)
        if self._copies is not None:
            copy, packs = self._copies.take(version)
            context.use_copy(copy.address, packs=packs)
        if binding.bound.threads == 1:
            status = self._start(context, binding, items, results)
        else:
            status = self._start_team(context, binding, items, results)
        if size:
            arenas.give(arena)
        if self._copies is not None:
            self._copies.give(copy, version, filled=packs and not status)
        binding.contexts.append(context)
        if status:
            return self._replay(inputs, sizes)
        return results, None

    def profile(
        self, inputs: Sequence[Any], sizes: Mapping[Symbol, int], version: int | None = None
    ) -> tuple[Sequence[Any], Status | None, Sequence[Timing]]:
        """Run the program and say how long each run of a kernel took, on each thread."""
        known = self._learn(inputs, sizes)
        binding = self._bind(known, traced=True)
        tracer = Tracer(binding.bound.threads)
        context = Context(binding.bound, binding.specs)
        context.use_tracer(tracer)
        binding.contexts.append(context)
        outputs, status = self(inputs, sizes, version, binding)
        return outputs, status, tracer.timings(binding.bound, known)

    def _start(self, context: Context, binding: _Binding, items: list[Any], results: list[Any]) -> int:
        """Run the step, once its inputs fit."""
        if not self._reads_arrays:
            kept = self._point(context, binding, items, results)
            status = self._run(context.address)
            del kept
            return status
        status = self._run(context.address, items, results)
        if status < 0:
            kept = self._point(context, binding, items, results)
            status = self._run(context.address)
            del kept
        return status

    def _point(self, context: Context, binding: _Binding, items: list[Any], results: list[Any]) -> list[Any]:
        """Put the addresses of arrays where the native code does not read them itself.

        Returns:
            The inputs, made to fit; to be kept until the run is over.
        """
        kept = [spec.fit(item) for spec, item in zip(binding.specs, items, strict=True)]
        _put_back(binding, items, kept, results)
        context.set_pointers(kept, results)
        return kept

    def _start_team(self, context: Context, binding: _Binding, items: list[Any], results: list[Any]) -> int:
        """Run the step with the team, or on this thread alone where that is faster or another step has the team."""
        pace, threads = binding.pace, team()
        begin = time.perf_counter()
        if pace.alone or not threads.lock.acquire(blocking=False):
            alone = pace.alone
            if context.threads != 1:
                context.use_threads(1, None)
            status = self._start(context, binding, items, results)
            if alone:
                pace.note(time.perf_counter() - begin)
            return status
        try:
            count = threads.grow(binding.bound.threads)
            if context.threads != count or context.team is not threads:
                context.use_threads(count, threads)
            if not threads.hands_itself:
                status = self._start(context, binding, items, results)
            else:
                kept = self._point(context, binding, items, results)
                threads.hand(context.address, count)
                status = self._run(context.address)
                del kept
        finally:
            threads.lock.release()
        if not pace.alone:
            pace.note(time.perf_counter() - begin)
        return status

    def _replay(self, inputs: Sequence[Any], sizes: Mapping[Symbol, int]) -> tuple[Sequence[Any], Status | None]:
        """Find out on the reference what failed; nothing was written to the inputs."""
        return ReferenceExecutable(self.program)(inputs, sizes)

    # Binding. --------------------------------------------------------------------------------------------------------

    def _binding(self, inputs: Sequence[Any], sizes: Mapping[Symbol, int]) -> _Binding:
        try:
            key = tuple([sizes[symbol] for symbol in self._symbols])
        except KeyError:
            sizes = self._learn(inputs, sizes)
            key = tuple([sizes[symbol] for symbol in self._symbols])
        found = self._bindings.get(key)
        if found is None:
            found = self._bind(dict(zip(self._symbols, key, strict=True)))
            while len(self._bindings) >= _BOUND_LIMIT:
                self._bindings.pop(next(iter(self._bindings)), None)
            self._bindings[key] = found
            if not self._symbols:
                self._only = found
        return found

    def _learn(self, inputs: Sequence[Any], sizes: Mapping[Symbol, int]) -> dict[Symbol, int]:
        """Add the sizes that the shapes of inputs tell."""
        found = dict(sizes)
        for given, value in zip(self.program.inputs, inputs, strict=True):
            for dim, size in zip(given.value.type.dims, np.shape(value), strict=True):
                if isinstance(dim, Symbol):
                    found.setdefault(dim, size)
        return found

    def _bind(self, sizes: Mapping[Symbol, int], *, traced: bool = False) -> _Binding:
        schedule = self.schedule
        bound = bind(schedule, sizes, self._tasks, self._threads, lasting=self._lasting, traced=traced)
        places = {storage: i for i, storage in enumerate(schedule.inputs)}
        specs = [
            InputSpec(
                given.value.type.dtype,
                [dims.evaluate(dim, sizes) for dim in given.value.type.dims],
                storage.role == "state",
            )
            for given, storage in zip(self.program.inputs, schedule.inputs, strict=True)
        ]
        outputs = [
            (
                places.get(storage, -1),
                tuple(dims.evaluate(dim, sizes) for dim in output.value.type.dims),
                output.value.type.dtype.numpy,
            )
            for output, storage in zip(self.program.outputs, schedule.outputs, strict=True)
        ]
        return _Binding(bound, specs, outputs)


def _maker(outputs: Sequence[tuple[int, tuple[int, ...], Any]]) -> Callable[[Sequence[Any]], list[Any]]:
    """Return a function that makes the list of outputs: one expression, for it runs in every step."""
    names: dict[str, Any] = {"empty": np.empty}
    parts = []
    for i, (source, shape, dtype) in enumerate(outputs):
        if source < 0:
            names[f"s{i}"], names[f"d{i}"] = shape, dtype
            parts.append(f"empty(s{i}, d{i})")
        else:
            parts.append(f"inputs[{source}]")
    made: Callable[[Sequence[Any]], list[Any]] = eval(f"lambda inputs: [{', '.join(parts)}]", names)
    return made


def _put_back(binding: _Binding, items: Sequence[Any], kept: Sequence[Any], results: list[Any]) -> None:
    """Let outputs that are inputs be what the step writes, where that is not the memory of what was handed in."""
    for i, source in enumerate(binding.sources):
        if source >= 0 and kept[source] is not items[source] and not np.may_share_memory(kept[source], items[source]):
            results[i] = kept[source]


def _symbols(program: Program, schedule: Schedule) -> set[Symbol]:
    """Return the symbols that the code of a step depends on."""
    found: set[Symbol] = set()
    for given in program.inputs:
        found |= given.value.type.shape.symbols
    for output in program.outputs:
        found |= output.value.type.shape.symbols
    for storage in schedule.lifetimes:
        found |= dims.symbols_of(storage.size)
    counters: set[Symbol] = set()

    def look(steps: Sequence[Step]) -> None:
        for step in steps:
            if isinstance(step, Repeat):
                counters.add(step.counter)
                if step.length is not None:
                    found.update(dims.symbols_of(step.length))
                look(step.before)
                look(step.steps)
            elif isinstance(step, Branch):
                look(step.then)
                look(step.otherwise)
            else:
                for size in step.sizes:
                    found.update(dims.symbols_of(size))
                for view in step.buffers:
                    if view is not None:
                        found.update(dims.symbols_of(view.offset))

    look(schedule.steps)
    return found - counters
