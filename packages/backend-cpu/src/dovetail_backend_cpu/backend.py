"""``CpuBackend``: whole steps as native code. Light to import: what compiles is imported when it is needed."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from dovetail.extend import Availability, Backend, DeviceInfo, Executable, Op, Program, TensorType

if TYPE_CHECKING:
    from dovetail.kernels import Schedule

__all__ = ["CpuBackend"]


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
        """Compile a program; states that it replaces are written in place."""
        from dovetail_backend_cpu.llvm.machine import host
        from dovetail_backend_cpu.runtime.executable import NativeExecutable

        return NativeExecutable(program, self.schedule(program), host(), num_threads)

    def schedule(self, program: Program) -> Schedule:
        """Return the kernels of a program."""
        from dovetail.kernels import donations, schedule

        return schedule(program, donations(program))
