"""Templates made for an operation, compiled and run in this process: what the tests of templates share."""

import ctypes

import llvmlite.binding as llvm  # noqa: TID253 -- these tests are about its input
import numpy as np

from dovetail.compiler.kernels.ir import Apply, Buffer, Constant, Convert, Epilogue, Load, Local, Store, Template
from dovetail.ops.scalar.expression import BASIS
from dovetail.types.dims import Symbol, evaluate, product, symbols_of
from dovetail.types.dtypes import as_dtype, float32
from dovetail.types.shapes import Shape, TensorType
from dovetail_backend_cpu.llvm.machine import Machine, host
from dovetail_backend_cpu.templates import template_module

llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()

ALIGNMENT = 64
GUARD = 64


def offset_of(axes, dims):
    result = 0
    for axis, dim in zip(axes, dims, strict=True):
        result = result * dim + axis
    return result


def make_template(op, types, *, bias=False, heavy=False, packed=()):
    """A template of ``op``, which stores its result.

    With ``bias``, it stores relu(result + a vector along the last axis); with ``heavy`` its hyperbolic tangent.
    """
    output = op.infer(*types)
    operands = [Buffer(one.dtype, product(one.dims), "in", f"x{i}") for i, one in enumerate(types)]
    result_buffer = Buffer(output.dtype, product(output.dims), "out", "y")
    axes = [Symbol(f"o{i}") for i in range(len(output.dims))]
    computed = float32 if output.dtype.is_half else output.dtype
    result = Local(computed, "acc")
    node = result
    buffers = [*operands]
    if bias:
        bias_buffer = Buffer(output.dtype, output.dims[-1], "in", "bias")
        buffers.append(bias_buffer)
        node = Apply(BASIS["add"], [node, Load(bias_buffer, axes[-1])], computed)
        node = Apply(BASIS["maximum"], [node, Constant(0.0, computed)], computed)
    if heavy:
        for _ in range(2):
            node = Apply(BASIS["tanh"], [node], computed)
    if output.dtype.is_half:
        node = Convert(output.dtype, node)
    buffers.append(result_buffer)
    epilogue = Epilogue(axes, result, [Store(result_buffer, offset_of(axes, output.dims), node)])
    dims = [dim for one in (*types, output) for dim in one.dims]
    sizes = sorted(set().union(*(symbols_of(dim) for dim in dims)), key=str)
    return Template(op, types, output, operands, buffers, sizes, epilogue, packed=packed)


def aligned(count, dtype, fill=None):
    """An array of ``count`` elements, 64-byte aligned, between guards that ``check_guards`` looks at."""
    dtype = np.dtype(dtype)
    raw = np.full(count * dtype.itemsize + 2 * GUARD + ALIGNMENT, 0xA5, np.uint8)
    start = GUARD + (-(raw.ctypes.data + GUARD)) % ALIGNMENT
    array = raw[start : start + count * dtype.itemsize].view(dtype)
    if fill is not None:
        array[...] = fill
    return raw, start, array


def guards_hold(raw, start, array):
    return (raw[:start] == 0xA5).all() and (raw[start + array.nbytes :] == 0xA5).all()


class Compiled:
    """A template as machine code for this machine, or for less of it."""

    def __init__(self, template, isa=None):
        self.template = template
        self.machine = host(isa)
        text, self.plan = template_module(template, "task", self.machine)
        module = llvm.parse_assembly(str(text))
        module.verify()
        # A TargetMachine is owned by the engine that it makes.
        self.target = llvm.Target.from_triple(self.machine.triple).create_target_machine(
            cpu=self.machine.cpu, features=self.machine.features, opt=2, jit=True
        )
        self.engine = llvm.create_mcjit_compiler(module, self.target)
        self.engine.finalize_object()
        kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
        self.functions = [kind(self.engine.get_function_address(one.name)) for one in self.plan.phases]

    def bind(self, sizes, arrays, threads):
        """Frames, slots and memory for a run; keep what is returned alive."""
        values = {symbol: sizes[symbol.name] for symbol in self.template.sizes}
        scratch = [aligned(int(evaluate(self.plan.scratch, values)), np.uint8) for _ in range(threads)]
        workspace = aligned(int(evaluate(self.plan.workspace, values)), np.uint8, 0xFF)
        status = np.zeros(1, np.int64)
        words = [*(one.ctypes.data for one in arrays), *values.values(), workspace[2].ctypes.data]
        frames = [
            np.array([status.ctypes.data, scratch[thread][2].ctypes.data, *words], np.int64)
            for thread in range(threads)
        ]
        slots = np.arange(2, 2 + len(words), dtype=np.int32)
        return frames, slots, scratch, workspace, status

    def run(self, sizes, inputs, threads=1, extra=()):
        """Run on arrays, one thread after the other in each phase; returns the output."""
        template = self.template
        values = {symbol: sizes[symbol.name] for symbol in template.sizes}
        held = []
        for array in (*inputs, *extra):
            kept = aligned(array.size, array.dtype)
            kept[2][...] = array.ravel()
            held.append(kept)
        shape = tuple(int(evaluate(dim, values)) for dim in template.output.dims)
        held.append(aligned(int(np.prod(shape)), template.output.dtype.numpy))
        bound = self.bind(sizes, [one[2] for one in held], threads)
        frames, slots, scratch, workspace, _ = bound
        for phase, function in zip(self.plan.phases, self.functions, strict=True):
            count = threads if phase.parallel else 1
            for thread in range(count):
                function(frames[thread].ctypes.data, slots.ctypes.data, thread, count)
        for one in (*held, *scratch, workspace):
            assert guards_hold(*one), "memory outside a buffer was written"
        return held[-1][2].reshape(shape)


def symbolic(shapes, dtype, symbols=()):
    """Types of arrays of these shapes; sizes at ``symbols`` (input, axis) -> name become symbols."""
    names = dict(symbols)
    return [
        TensorType(
            as_dtype(dtype),
            Shape(tuple(Symbol(names[i, j]) if (i, j) in names else int(size) for j, size in enumerate(shape))),
        )
        for i, shape in enumerate(shapes)
    ]


def machine_for(isa):
    """A machine that need not be this one, to assemble code for."""
    if isa == "neon":
        return Machine("neon", "aarch64-unknown-linux-gnu", "generic", "+neon")
    return Machine("avx512", "x86_64-unknown-linux-gnu", "skylake-avx512", "")
