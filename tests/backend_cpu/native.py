"""Compile a kernel of the kernel IR and run it on arrays: what the tests of the printer share."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dovetail.compiler.kernels.ir import Buffer, Kernel, Loop, Node, Store
from dovetail.types.dims import Dim, Symbol, evaluate, symbols_of
from dovetail_backend_cpu.emit.kernels import kernel_module, kernel_scratch
from dovetail_backend_cpu.llvm.machine import Machine, host

NEON = Machine("neon", "aarch64-linux-gnu", "generic", "+neon")
AVX512 = Machine(
    "avx512", "x86_64-unknown-linux-gnu", "x86-64-v4", "+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx2,+fma,+f16c,+bmi2"
)


def optimized(text: str, machine: Machine, level: int = 1) -> tuple[Any, Any]:
    """Parse, verify and optimise a module; returns it with its target machine."""
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    module = llvm.parse_assembly(text)
    module.verify()
    target = llvm.Target.from_triple(machine.triple).create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=level, codemodel="small", reloc="pic"
    )
    module.triple = machine.triple
    module.data_layout = str(target.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)
    return module, target


def assemble(kernel: Kernel, machine: Machine) -> str:
    """Return the machine's assembly of a kernel."""
    module, target = optimized(str(kernel_module(kernel, "kernel", machine)), machine)
    return str(target.emit_assembly(module))


class Native:
    """A compiled kernel."""

    def __init__(self, kernel: Kernel, machine: Machine | None = None, level: int = 1) -> None:
        """Compile for this machine, or a restriction of it."""
        self.kernel = kernel
        self.text = str(kernel_module(kernel, "kernel", machine or host()))
        self._load(self.text, machine or host(), level)

    @classmethod
    def of_text(cls, text: str, kernel: Kernel, machine: Machine) -> Native:
        """Compile a module that defines ``kernel`` in another way."""
        self = cls.__new__(cls)
        self.kernel, self.text = kernel, text
        self._load(text, machine, 1)
        return self

    def _load(self, text: str, machine: Machine, level: int) -> None:
        import llvmlite.binding as llvm

        module, target = optimized(text, machine, level)
        self._engine = llvm.create_mcjit_compiler(module, target)
        self._engine.finalize_object()
        prototype = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
        self.function = prototype(self._engine.get_function_address("kernel"))

    def __call__(
        self, *arrays: np.ndarray[Any, Any], sizes: Mapping[Symbol, int] | None = None, threads: int = 1
    ) -> bool:
        """Run for each thread in turn on contiguous arrays; returns whether the kernel failed."""
        known = sizes or {}
        words: Sequence[int] = [array.ctypes.data for array in arrays] + [known[one] for one in self.kernel.sizes]
        for array, buffer in zip(arrays, [one for one in self.kernel.buffers if one.role != "scratch"], strict=True):
            assert array.dtype == buffer.dtype.numpy, (array.dtype, buffer.dtype)
            assert array.size == evaluate(buffer.size, known), (array.size, buffer.size)
        status = np.zeros(1, np.int64)
        room = evaluate(kernel_scratch(self.kernel), known)
        scratch = np.full(room + 64, 0xA5, np.uint8)
        start = -scratch.ctypes.data % 64
        frame = np.array([status.ctypes.data, scratch.ctypes.data + start, *words], np.int64)
        slots = np.arange(2, 2 + len(words), dtype=np.int32)
        for thread in range(threads):
            self.function(frame.ctypes.data, slots.ctypes.data, thread, threads)
        return bool(status[0])


def elementwise(nodes: Sequence[Node], inputs: Sequence[Buffer], index: Symbol, extent: Dim) -> Kernel:
    """Make a kernel that stores each node at the index, in lanes; its inputs come first."""
    outputs = [Buffer(node.dtype, extent, "out") for node in nodes]
    body = [Store(buffer, index, node) for buffer, node in zip(outputs, nodes, strict=True)]
    sizes = sorted(symbols_of(extent), key=str)
    return Kernel([*inputs, *outputs], sizes, [Loop([(index, extent)], body, "vector")])


def machines() -> list[Machine]:
    """Return this machine at its best, and restricted to SSE where it has that."""
    best = host()
    return [best] if best.isa in ("sse", "neon") else [best, host("sse")]
