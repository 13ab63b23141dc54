"""The reference backend: each instruction by its operation's NumPy definition."""

from __future__ import annotations

import functools
import time
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail.compiler.backend import Backend, DeviceInfo, Executable, Status
from dovetail.compiler.program import Instruction, Program, Value, bodies_of
from dovetail.compiler.timing import Timing
from dovetail.graph.op import Op
from dovetail.ops.scalar import compile_numpy
from dovetail.ops.scalars import ScalarOp
from dovetail.types.dims import Dim, Symbol, evaluate, symbols_of
from dovetail.types.dtypes import as_dtype

__all__ = ["ReferenceBackend", "ReferenceExecutable", "kernel"]

_BOUND_LIMIT: Final = 64
_OWNER: Final = "EXECUTABLE"
Watch = Callable[[Instruction, Sequence[Any], Sequence[Any]], None]


def kernel(op: Op) -> Callable[..., Any]:
    """Return the function that computes an operation without bodies, whose attributes are concrete."""
    if isinstance(op, ScalarOp):
        return compile_numpy(op.scalar_expression, guarded=False)
    return op.reference


@final
class ReferenceExecutable(Executable):
    """A program as one generated Python function, with a line for each instruction.

    The line of a traceback tells which instruction failed.
    """

    def __init__(self, program: Program) -> None:
        """Generate the function."""
        self.program = program
        self._bodies = {
            body: ReferenceExecutable(body) for one in program.instructions for body in bodies_of(one.op).values()
        }
        self._symbolic = [i for i, one in enumerate(program.instructions) if one.op.is_symbolic]
        self._kernels: list[Callable[..., Any] | None] = [
            None if one.op.is_symbolic else self._kernel(one.op, {}) for one in program.instructions
        ]
        known = set(program.symbols)
        self._late = {i for i in self._symbolic if not program.instructions[i].op.symbols <= known}
        self._bound: dict[tuple[int, ...], list[Callable[..., Any] | None]] = {}
        self._symbols = sorted(known, key=str)
        self._run = self._generate(known)

    def _generate(self, known: set[Symbol]) -> Callable[..., Any]:
        names: dict[Value, str] = {}
        last_use: dict[Value, int] = {}
        outputs = {output.value for output in self.program.outputs}
        for index, one in enumerate(self.program.instructions):
            for value in (*one.inputs, *one.outputs):
                last_use[value] = index
        for i, given in enumerate(self.program.inputs):
            names[given.value] = f"i{i}"
        lines = [f"def run(K, S, {''.join(f'i{i}, ' for i in range(len(self.program.inputs)))}*, late, learn):"]
        count = 0
        bound = set(known)
        for index, one in enumerate(self.program.instructions):
            for value in one.outputs:
                names[value] = f"v{count}"
                count += 1
            arguments = ", ".join(names[value] for value in one.inputs)
            callee = f"late({index}, S)" if index in self._late else f"K[{index}]"
            targets = ", ".join(names[value] for value in one.outputs)
            call = f"{callee}({arguments})"
            text = f"{targets} = {call}" if targets else call
            fresh = {s for value in one.outputs for s in value.type.shape.symbols} - bound
            if fresh:
                text += f"; S = learn({index}, S, ({targets},))"
                bound |= fresh
            dead = [names[v] for v in {*one.inputs, *one.outputs} if last_use[v] == index and v not in outputs]
            if dead:
                text += f"; {' = '.join(sorted(dead))} = None"
            lines.append(f"    {text}")
        lines.append(f"    return ({''.join(f'{names[o.value]}, ' for o in self.program.outputs)})")
        namespace: dict[str, Any] = {_OWNER: self}
        exec(compile("\n".join(lines), "<dovetail program>", "exec"), namespace)
        function: Callable[..., Any] = namespace["run"]
        return function

    def _kernel(self, op: Op, sizes: Mapping[Symbol, int]) -> Callable[..., Any]:
        """Return the function of an operation for these sizes; control flow runs the functions of its bodies."""
        op = op.bind(sizes)
        bodies = bodies_of(op)
        if not bodies:
            return kernel(op)
        functions = {name: self._bodies[body].function(sizes) for name, body in bodies.items()}
        return functools.partial(op.reference, **functions, sizes=sizes)

    def _late_kernel(self, index: int, sizes: Mapping[Symbol, int]) -> Callable[..., Any]:
        return self._kernel(self.program.instructions[index].op, sizes)

    def _learn(self, index: int, sizes: Mapping[Symbol, int], arrays: Sequence[Any]) -> Mapping[Symbol, int]:
        found = dict(sizes)
        for value, array in zip(self.program.instructions[index].outputs, arrays, strict=True):
            dims = value.type.dims if value.type.rank is not None else ()
            for dim, size in zip(dims, np.shape(array), strict=bool(dims)):
                if isinstance(dim, Symbol):
                    found.setdefault(dim, size)
        return found

    def kernels(self, sizes: Mapping[Symbol, int]) -> list[Callable[..., Any] | None]:
        """Return the function of each instruction for these sizes."""
        if not self._symbolic:
            return self._kernels
        key = tuple(sizes.get(symbol, -1) for symbol in self._symbols)
        found = self._bound.get(key)
        if found is None:
            if len(self._bound) >= _BOUND_LIMIT:
                self._bound.pop(next(iter(self._bound)))
            found = list(self._kernels)
            for index in self._symbolic:
                if index not in self._late:
                    found[index] = self._kernel(self.program.instructions[index].op, sizes)
            self._bound[key] = found
        return found

    def function(self, sizes: Mapping[Symbol, int]) -> Callable[..., Any]:
        """Return the program as a function that raises errors, for the body of control flow.

        Symbols that have no size around the body get theirs from the arrays that it is called with.
        """
        if all(symbol in sizes for symbol in self._symbols):
            return functools.partial(self._run, self.kernels(sizes), sizes, late=self._late_kernel, learn=self._learn)

        def run(*arrays: Any) -> Any:
            found = _with_sizes_of(self.program, arrays, sizes)
            return self._run(self.kernels(found), found, *arrays, late=self._late_kernel, learn=self._learn)

        return run

    def __call__(
        self, inputs: Sequence[Any], sizes: Mapping[Symbol, int], version: int | None = None
    ) -> tuple[Sequence[Any], Status | None]:
        """Run the program."""
        try:
            kernels = self.kernels(sizes) if self._symbolic else self._kernels
            with np.errstate(all="ignore"):
                return self._run(kernels, sizes, *inputs, late=self._late_kernel, learn=self._learn), None
        except Exception as error:  # noqa: BLE001 - an operation may fail in any way; the session says which
            return (), self._status(error, inputs)

    def profile(
        self, inputs: Sequence[Any], sizes: Mapping[Symbol, int], version: int | None = None
    ) -> tuple[Sequence[Any], Status | None, Sequence[Timing]]:
        """Run one instruction after another, and time each."""
        timings: list[Timing] = []
        steps = self.trace(inputs, sizes)
        begin = time.perf_counter_ns()
        while True:
            try:
                one, taken, given = next(steps)
            except StopIteration as done:
                return done.value, None, timings
            except Exception:  # noqa: BLE001 - the run repeated says what failed, and how
                return *self(inputs, sizes), timings
            end = time.perf_counter_ns()
            flops = one.op.flops([value.type for value in one.inputs], [value.type for value in one.outputs])
            number = len(timings)
            moved = sum(np.asarray(array).nbytes for array in (*taken, *given))
            timings.append(
                Timing(
                    one.op.name,
                    [one],
                    begin,
                    end,
                    part=number,
                    occurrence=number,
                    flops=flops if isinstance(flops, int) else _known(flops, sizes),
                    bytes=moved,
                )
            )
            begin = time.perf_counter_ns()

    def _status(self, error: Exception, inputs: Sequence[Any]) -> Status:
        """Find the instruction that failed, in this program and, where it is control flow, in the innermost body."""
        outer: int | None = None
        inner: tuple[Instruction, list[Any]] | None = None
        for frame, line in traceback.walk_tb(error.__traceback__):
            owner = frame.f_globals.get(_OWNER)
            if isinstance(owner, ReferenceExecutable) and frame.f_code is owner._run.__code__:
                one = owner.program.instructions[line - 2]
                inner = one, _arguments(owner.program, one, frame.f_locals)
                if owner is self:
                    outer = line - 2
        if outer is None or inner is None:
            raise error
        return Status(outer, _sentence(error), [_describe(array) for array in inner[1]], error, inner[0])

    def trace(
        self, inputs: Sequence[Any], sizes: Mapping[Symbol, int], inside: Watch | None = None
    ) -> Generator[tuple[Instruction, Sequence[Any], Sequence[Any]], None, Sequence[Any]]:
        """Run one instruction after another and yield each with its inputs and outputs, as arrays; gives the outputs.

        ``inside`` sees the instructions of bodies in the same way.
        """
        values: dict[Value, Any] = {g.value: a for g, a in zip(self.program.inputs, inputs, strict=True)}
        for index, one in enumerate(self.program.instructions):
            arrays = [values[value] for value in one.inputs]
            bodies = bodies_of(one.op)
            if inside is None or not bodies:
                function = self._kernel(one.op, sizes)
            else:
                watched = {name: self._watched(body, sizes, inside) for name, body in bodies.items()}
                function = functools.partial(one.op.bind(sizes).reference, **watched, sizes=sizes)
            with np.errstate(all="ignore"):
                result = function(*arrays)
            outputs = result if len(one.outputs) != 1 else (result,)
            values.update(zip(one.outputs, outputs, strict=True))
            sizes = self._learn(index, sizes, outputs)
            yield one, arrays, outputs
        return [values[output.value] for output in self.program.outputs]

    def _watched(self, body: Program, sizes: Mapping[Symbol, int], inside: Watch) -> Callable[..., Any]:
        executable = self._bodies[body]

        def run(*arrays: Any) -> Sequence[Any]:
            steps = executable.trace(arrays, _with_sizes_of(body, arrays, sizes), inside)
            while True:
                try:
                    step = next(steps)
                except StopIteration as done:
                    result: Sequence[Any] = done.value
                    return result
                inside(*step)

        return run


def _with_sizes_of(body: Program, arrays: Sequence[Any], sizes: Mapping[Symbol, int]) -> dict[Symbol, int]:
    """Add to ``sizes`` those that the arrays tell of a body's own symbols."""
    found = dict(sizes)
    for type, array in zip(body.input_types, arrays, strict=True):
        for dim, size in zip(type.dims, np.shape(array), strict=True):
            if isinstance(dim, Symbol):
                found.setdefault(dim, size)
    return found


def _known(dim: Dim, sizes: Mapping[Symbol, int]) -> int:
    """Compute a dimension, or 0 where the run learned its sizes on the way."""
    return evaluate(dim, sizes) if symbols_of(dim) <= set(sizes) else 0


def _sentence(error: Exception) -> str:
    text = str(error)
    return text or type(error).__name__


def _arguments(program: Program, one: Instruction, frame_locals: Mapping[str, Any]) -> list[Any]:
    names: dict[Value, str] = {given.value: f"i{i}" for i, given in enumerate(program.inputs)}
    count = 0
    for other in program.instructions:
        if other is one:
            break
        for value in other.outputs:
            names[value] = f"v{count}"
            count += 1
    return [frame_locals.get(names.get(value, ""), None) for value in one.inputs]


def _describe(array: Any) -> str:
    if array is None:
        return "?"
    return f"{as_dtype(np.asarray(array).dtype).name}{list(np.shape(array))}"


class ReferenceBackend(Backend):
    """NumPy, one operation after another: the meaning of every program, for any device type."""

    name = "reference"
    priority = -100

    def __init__(self, device_type: str = "CPU") -> None:
        """Serve ``device_type``; tests use others to divide programs."""
        self.device_type = device_type

    def devices(self) -> Sequence[DeviceInfo]:
        """One device."""
        return [DeviceInfo(self.device_type, 0)]

    def compile(self, program: Program, device: DeviceInfo, num_threads: int | None = None) -> Executable:
        """Generate the function."""
        return ReferenceExecutable(program)
