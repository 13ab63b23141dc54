"""Kernels in LLVM text for tests of the runtime, and schedules of them without a compiler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dovetail.compiler.kernels.ir import Buffer, Kernel
from dovetail.compiler.kernels.schedule import Branch, Launch, Repeat, Schedule, Storage, View
from dovetail.compiler.program import Output, Program, ProgramInput, Value
from dovetail.types.dims import Symbol
from dovetail.types.dtypes import as_dtype
from dovetail.types.shapes import Shape, TensorType
from dovetail_backend_cpu.llvm.machine import Machine, host
from dovetail_backend_cpu.runtime.executable import NativeExecutable
from dovetail_backend_cpu.runtime.tasks import Phase, Printers, TaskPlan

F64 = as_dtype(np.float64)
I64 = as_dtype(np.int64)
BOOL = as_dtype(np.bool_)
WORK = 1 << 20
SIZE = Symbol("count")


class TextKernel:
    """A kernel whose function is written by hand.

    Args:
        name: what it is called.
        lines: the body; ``%b0``, ``%b1``, … are its buffers, ``%n`` its size, ``%i`` the index of an element where
            ``loop``.
        roles: of the buffers.
        loop: whether the body is that of a loop over ``%n`` elements, divided among threads.
        dtypes: of the buffers.
        can_fail: whether it sets the status word, ``%status``.
    """

    def __init__(
        self,
        name: str,
        lines: str,
        roles: Sequence[Any],
        *,
        loop: bool = True,
        dtypes: Sequence[Any] = (),
        can_fail: bool = False,
    ) -> None:
        self.name, self.lines, self.loop = name, lines, loop
        dtypes = list(dtypes) or [F64] * len(roles)
        buffers = [Buffer(dtype, SIZE, role) for dtype, role in zip(dtypes, roles, strict=True)]
        self.kernel = Kernel(buffers, [SIZE], [], work=SIZE if loop else 1, can_fail=can_fail, label=name)

    def __call__(self, size: Any, *views: Any) -> Launch:
        """Launch it on views or whole storages."""
        places = [one if isinstance(one, View) else View(one) for one in views]
        return Launch(self.kernel, places, [size])

    def text(self, name: str) -> str:
        buffers = len(self.kernel.buffers)
        lines = [f"define void @{name}(ptr %frame, ptr %slots, i64 %thread, i64 %threads) {{", "entry:"]
        for k in range(buffers + 1):
            lines += [
                f"  %s{k} = getelementptr i32, ptr %slots, i64 {k}",
                f"  %w{k} = load i32, ptr %s{k}",
                f"  %f{k} = getelementptr i64, ptr %frame, i32 %w{k}",
                f"  %{'n' if k == buffers else f'b{k}'} = load {'i64' if k == buffers else 'ptr'}, ptr %f{k}",
            ]
        lines += ["  %status = load ptr, ptr %frame", "  %scratch.at = getelementptr i64, ptr %frame, i64 1"]
        lines += ["  %scratch = load ptr, ptr %scratch.at"]
        if not self.loop:
            return "\n".join([*lines, self.lines, "  ret void", "}"])
        lines += [
            "  %p0 = mul i64 %n, %thread",
            "  %first = sdiv i64 %p0, %threads",
            "  %t1 = add i64 %thread, 1",
            "  %p1 = mul i64 %n, %t1",
            "  %stop = sdiv i64 %p1, %threads",
            "  br label %head",
            "head:",
            "  %i = phi i64 [ %first, %entry ], [ %next, %latch ]",
            "  %more = icmp slt i64 %i, %stop",
            "  br i1 %more, label %body, label %done",
            "body:",
        ]
        lines += [f"  %e{k} = getelementptr double, ptr %b{k}, i64 %i" for k in range(buffers)]
        lines += [self.lines, "  br label %latch", "latch:", "  %next = add i64 %i, 1", "  br label %head"]
        return "\n".join([*lines, "done:", "  ret void", "}"])


class TextPrinters(Printers):
    """Finds the text of hand-written kernels; ``printed`` counts how often each was asked for."""

    def __init__(self, *kernels: TextKernel) -> None:
        self.kernels = {one.kernel: one for one in kernels}
        self.printed: list[str] = []

    def key(self, task: Any) -> str:
        return self.kernels[task].text("f") + self.kernels[task].name

    def plan(self, task: Any, name: str, machine: Machine) -> TaskPlan:
        return TaskPlan([Phase(name, self.kernels[task].loop)], scratch=64)

    def text(self, task: Any, name: str, machine: Machine) -> str:
        self.printed.append(self.kernels[task].name)
        return self.kernels[task].text(name)


def elementwise(name: str, expression: Callable[..., str], inputs: int) -> TextKernel:
    """A kernel of doubles: ``expression`` gives the instruction for the values ``%x0``, ``%x1``, …"""
    lines = [f"  %x{k} = load double, ptr %e{k}" for k in range(inputs)]
    values = [f"%x{k}" for k in range(inputs)]
    lines += [f"  %r = {expression(*values)}", f"  store double %r, ptr %e{inputs}"]
    return TextKernel(name, "\n".join(lines), ["in"] * inputs + ["out"])


ADD = elementwise("add", lambda x, y: f"fadd double {x}, {y}", 2)
DOUBLE = elementwise("double", lambda x: f"fmul double {x}, 2.0", 1)
INCREMENT = elementwise("increment", lambda x: f"fadd double {x}, 1.0", 1)
REVERSE = TextKernel(
    "reverse",
    "  %last = sub i64 %n, 1\n  %j = sub i64 %last, %i\n  %from = getelementptr double, ptr %b0, i64 %j\n"
    "  %x = load double, ptr %from\n  store double %x, ptr %e1",
    ["in", "out"],
)
"""Reads what other threads wrote."""
ACCUMULATE = TextKernel(
    "accumulate",
    "  %x = load double, ptr %e0\n  %y = load double, ptr %e1\n  %r = fadd double %x, %y\n  store double %r, ptr %e1",
    ["in", "inout"],
)
SMALL = TextKernel(
    "small",
    "  %x = load double, ptr %b0\n  %l = sub i64 %n, 1\n  %last = getelementptr double, ptr %b0, i64 %l\n"
    "  %y = load double, ptr %last\n  %r = fadd double %x, %y\n  store double %r, ptr %b1",
    ["in", "out"],
    loop=False,
)
"""First plus last element, by one thread."""
BELOW = TextKernel(
    "below",
    "  %x = load double, ptr %b0\n  %nf = sitofp i64 %n to double\n  %c = fcmp olt double %x, %nf\n"
    "  %r = zext i1 %c to i8\n  store i8 %r, ptr %b1",
    ["in", "out"],
    loop=False,
    dtypes=[F64, BOOL],
)
"""Whether the first element is less than the size."""
FAIL_ABOVE = TextKernel(
    "fail_above",
    "  %x = load double, ptr %b0\n  %nf = sitofp i64 %n to double\n  %c = fcmp ogt double %x, %nf\n"
    "  br i1 %c, label %bad, label %good\nbad:\n  store i64 1, ptr %status\n  br label %good\ngood:",
    ["in"],
    loop=False,
    can_fail=True,
)
"""Fails if the first element is greater than the size."""
ADD_ONE = TextKernel(
    "add_one",
    "  %x = load double, ptr %b0\n  %y = load double, ptr %b1\n  %r = fadd double %x, %y\n  store double %r, ptr %b2",
    ["in", "in", "out"],
    loop=False,
)
DOUBLE_ONE = TextKernel(
    "double_one",
    "  %x = load double, ptr %b0\n  %r = fmul double %x, 2.0\n  store double %r, ptr %b1",
    ["in", "out"],
    loop=False,
)
COPY_WORD = TextKernel(
    "copy_word",
    "  %x = load i64, ptr %b0\n  store i64 %x, ptr %b1",
    ["in", "out"],
    loop=False,
    dtypes=[I64, I64],
)
INCREMENT_ONE = TextKernel(
    "increment_one",
    "  %x = load double, ptr %b0\n  %r = fadd double %x, 1.0\n  store double %r, ptr %b0",
    ["inout"],
    loop=False,
)
ZERO = TextKernel("zero", "  store double 0.0, ptr %e0", ["out"])
KERNELS = tuple(one for one in globals().values() if isinstance(one, TextKernel))
PRINTERS = TextPrinters(*KERNELS)


def storage(size: Any, role: Any = "temporary", dtype: Any = F64, array: Any = None) -> Storage:
    """A storage of doubles."""
    return Storage(dtype, size, role, array=array)


def build(
    inputs: Sequence[Storage],
    outputs: Sequence[Storage],
    steps: Sequence[Any],
    threads: int = 1,
    commit: int | None = None,
    shapes: dict[Storage, Any] | None = None,
    printers: Printers | None = None,
) -> NativeExecutable:
    """Make an executable; temporaries live from the first to the last step that has them."""

    def value(storage: Storage) -> Value:
        return Value(TensorType(storage.dtype, Shape((shapes or {}).get(storage, [storage.size]))))

    values = {one: value(one) for one in (*inputs, *outputs)}
    program = Program(
        [ProgramInput(values[one], "argument", i) for i, one in enumerate(inputs)],
        [],
        [Output(values[one], "result", i) for i, one in enumerate(outputs)],
    )
    lifetimes: dict[Storage, tuple[int, int]] = {}
    for i, step in enumerate(steps):
        for one in used([step]):
            if one.role == "temporary":
                lifetimes[one] = (lifetimes.get(one, (i, i))[0], i)
    schedule = Schedule(inputs, outputs, steps, len(steps) if commit is None else commit, lifetimes)
    return NativeExecutable(program, schedule, host(), threads, printers or PRINTERS)


def used(steps: Sequence[Any]) -> list[Storage]:
    """All storages of steps."""
    found: list[Storage] = []
    for step in steps:
        if isinstance(step, Repeat):
            found += used([*step.before, *step.steps]) + [one for pair in step.swaps for one in pair]
            found += [step.condition.storage] if step.condition else []
            found += [step.index] if step.index else []
        elif isinstance(step, Branch):
            found += [step.predicate.storage, *used([*step.then, *step.otherwise])]
        else:
            found += [view.storage for view in step.buffers if view is not None]
    return found
