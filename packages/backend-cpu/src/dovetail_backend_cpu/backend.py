"""``CpuBackend``: whole steps as native code. Light to import: what compiles is imported when it is needed."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, final

from dovetail.extend import Availability, Backend, DeviceInfo, Executable, Op, Program, TensorType

if TYPE_CHECKING:
    from dovetail.kernels import Schedule

__all__ = ["CpuBackend"]

_FEW_NUMBERS: Final = 1 << 25
"""How many numbers NumPy makes, some three nanoseconds each, while LLVM compiles what would make them."""


@final
class CpuBackend(Backend):
    """Compiles programs for the processor's cores through LLVM."""

    name = "cpu"
    device_type = "CPU"
    priority = 10

    def availability(self) -> Availability:
        """It can run wherever llvmlite is installed."""
        if importlib.util.find_spec("llvmlite") is None:
            return Availability(False, "llvmlite is not installed; pip install llvmlite.")
        return Availability(True)

    def devices(self) -> Sequence[DeviceInfo]:
        """The processor."""
        return [DeviceInfo("CPU", 0)]

    def supports(self, op: Op, inputs: Sequence[TensorType]) -> bool:
        """Whether the operation has a kernel: all that have no strings and no sizes that only a run knows."""
        from dovetail.kernels import has_kernels

        return has_kernels(op, inputs)

    def compile(self, program: Program, device: DeviceInfo, num_threads: int | None = None) -> Executable:
        """Compile a program; states that it replaces are written in place.

        What gives variables their first values runs once, and on the reference unless they are many: code for it would
        take longer to make than NumPy takes.
        """
        schedule = self.schedule(program)
        if schedule is None:
            from dovetail.kernels import ReferenceExecutable

            return ReferenceExecutable(program)
        from dovetail_backend_cpu.llvm.machine import host
        from dovetail_backend_cpu.runtime.executable import NativeExecutable

        return NativeExecutable(program, schedule, host(), num_threads)

    def schedule(self, program: Program) -> Schedule | None:
        """Return the kernels of a program; ``None`` for first values of few variables."""
        if _is_short_start(program):
            return None
        from dovetail.kernels import donations, schedule

        return schedule(program, donations(program))


def _is_short_start(program: Program) -> bool:
    """Tell whether a program gives variables their first values and does nothing else, and how few they are."""
    if not program.outputs or any(one.kind != "state" for one in program.outputs):
        return False
    if any(one.kind not in ("key", "counter") for one in program.inputs):
        return False
    sizes = [value.type.size for one in program.instructions for value in one.outputs]
    known = [size for size in sizes if isinstance(size, int)]
    return len(known) == len(sizes) and sum(known) <= _FEW_NUMBERS
