"""Run a schedule's launches as code for ARM under qemu-user: what the tests of NEON share."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from dovetail.extend import Symbol, dims
from dovetail.kernels import Launch, Schedule, Storage, Template
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.runtime.codegen import compile_text
from dovetail_backend_cpu.runtime.tasks import standard_printers

EMULATOR: Final = "qemu-aarch64"
ASSEMBLER, LINKER = "aarch64-linux-gnu-as", "aarch64-linux-gnu-ld"
MACHINE: Final = Machine("neon", "aarch64-unknown-linux-gnu", "generic", "+neon")


def missing() -> str:
    """Say what is not installed of what this needs; empty where all is."""
    return ", ".join(one for one in (EMULATOR, ASSEMBLER, LINKER) if shutil.which(one) is None)


_HEAD: Final = """
.macro address register, label
    adrp \\register, \\label
    add \\register, \\register, :lo12:\\label
.endm
.macro run function, slots, thread, threads
    address x0, frame
    address x1, \\slots
    mov x2, #\\thread
    mov x3, #\\threads
    bl \\function
.endm
.text
.global memcpy, memset, _start
memcpy:
    mov x3, x0
1:  cbz x2, 2f
    ldrb w4, [x1], #1
    strb w4, [x3], #1
    sub x2, x2, #1
    b 1b
2:  ret
memset:
    mov x3, x0
1:  cbz x2, 2f
    strb w1, [x3], #1
    sub x2, x2, #1
    b 1b
2:  ret
_start:
"""
# What is written to a file is written whole.
_TAIL: Final = """
    mov x0, #1
    address x1, results
    ldr x2, =<SIZE>
    mov x8, #64
    svc #0
    mov x0, #0
    mov x8, #93
    svc #0
"""


def run(
    schedule: Schedule, inputs: Sequence[Any], sizes: Mapping[Symbol, int], folder: Path, threads: int = 2
) -> list[np.ndarray[Any, Any]]:
    """Run launches one after another, of each phase one thread after the other; returns the outputs.

    Raises:
        NotImplementedError: the schedule has loops or branches.
        AssertionError: a kernel reports a failure.
    """
    known = dict(sizes)
    for storage, value in zip(schedule.inputs, inputs, strict=True):
        assert dims.evaluate(storage.size, known) == np.size(value)
    places: dict[Storage, str] = {}
    frame: list[str] = ["status", "scratch"]
    slots: list[str] = []
    calls: list[str] = []
    objects: list[str] = []
    printers = standard_printers()
    scratch = workspace = 64

    def place(storage: Storage) -> str:
        return places.setdefault(storage, f"storage{len(places)}")

    for storage in (*schedule.inputs, *schedule.outputs):
        place(storage)
    for number, step in enumerate(schedule.steps):
        if not isinstance(step, Launch):
            raise NotImplementedError(type(step).__name__)
        name = f"task{number}"
        text = printers.text(step.task, name, MACHINE)
        plan = printers.plan(step.task, name, MACHINE)
        (folder / f"{name}.o").write_bytes(compile_text(text, MACHINE.triple, MACHINE.cpu, MACHINE.features))
        objects.append(f"{name}.o")
        own = {one: dims.evaluate(size, known) for one, size in zip(step.task.sizes, step.sizes, strict=True)}
        scratch = max(scratch, dims.evaluate(plan.scratch, own))
        workspace = max(workspace, dims.evaluate(plan.workspace, own))
        words = [
            f"{place(view.storage)} + {dims.evaluate(view.offset, known) * view.storage.dtype.size}"
            for view in step.buffers
            if view is not None
        ]
        words += [str(value) for value in own.values()]
        if isinstance(step.task, Template) and plan.workspace != 0:
            words.append("workspace")
        slots.append(f"slots{number}: .word {', '.join(str(len(frame) + i) for i in range(len(words))) or '0'}")
        frame += words
        for phase in plan.phases:
            count = threads if phase.parallel else 1
            calls += [f"    run {phase.name}, slots{number}, {thread}, {count}" for thread in range(count)]
    data = ["frame: .quad " + ", ".join(frame), *slots, ".balign 64", "results:", "status: .quad 0"]
    shown = []
    for storage in schedule.outputs:
        data += [".balign 64", f"{places[storage]}:"]
        if storage in schedule.inputs:
            raise NotImplementedError("an input that is written")
        shown.append(dims.evaluate(storage.size, known) * storage.dtype.size)
        if shown[-1]:
            data.append(f"    .skip {shown[-1]}, 0xa5")
    for storage, label in places.items():
        if storage in schedule.outputs:
            continue
        data += [".balign 64", f"{label}:"]
        array = storage.array
        if storage in schedule.inputs:
            array = np.asarray(inputs[list(schedule.inputs).index(storage)])
        if array is None:
            data.append(f"    .skip {dims.evaluate(storage.size, known) * storage.dtype.size + 1}, 0xa5")
        else:
            (folder / f"{label}.bin").write_bytes(np.ascontiguousarray(array, storage.dtype.numpy).tobytes())
            data.append(f'    .incbin "{label}.bin"')
    room = [".bss", ".balign 64", f"scratch: .skip {scratch}", ".balign 64", f"workspace: .skip {workspace}"]
    total = 64 + sum(-(-size // 64) * 64 for size in shown)
    text = (
        _HEAD
        + "\n".join(calls)
        + _TAIL.replace("<SIZE>", str(total))
        + ".ltorg\n.data\n.balign 64\n"
        + "\n".join([*data, *room])
        + "\n"
    )
    (folder / "main.s").write_text(text)
    subprocess.run([ASSEMBLER, "-o", "main.o", "main.s"], cwd=folder, check=True)
    subprocess.run([LINKER, "-o", "main", "main.o", *objects], cwd=folder, check=True)
    with (folder / "results.bin").open("wb") as file:
        subprocess.run([EMULATOR, "./main"], cwd=folder, check=True, stdout=file, timeout=120)
    raw = (folder / "results.bin").read_bytes()
    assert raw[:8] == bytes(8), "a kernel reports a failure"
    found, begin = [], 64
    for storage, size in zip(schedule.outputs, shown, strict=True):
        found.append(np.frombuffer(raw[begin : begin + size], storage.dtype.numpy))
        begin += -(-size // 64) * 64
    return found
