"""The multiply-add peak of the machine, measured: the greatest GFLOP/s of float32 that its cores reach."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

ACCUMULATORS = 12  # enough to hide the latency of a multiply-add, and to stay in sixteen registers
ITERATIONS = 4_000_000


def loop_text(lanes: int) -> str:
    """Return LLVM's text of a loop of independent multiply-adds on vectors of ``lanes`` float32."""
    vector = f"<{lanes} x float>"
    chains = range(ACCUMULATORS)
    carried = [f"  %a{i} = phi {vector} [zeroinitializer, %entry], [%b{i}, %loop]" for i in chains]
    steps = [f"  %b{i} = call {vector} @llvm.fma.v{lanes}f32({vector} %a{i}, {vector} %m, {vector} %m)" for i in chains]
    sums = [f"  %s{i} = fadd {vector} %{'b0' if i == 1 else f's{i - 1}'}, %b{i}" for i in chains if i]
    return "\n".join(
        [
            f"declare {vector} @llvm.fma.v{lanes}f32({vector}, {vector}, {vector})",
            "define void @multiply_adds(i64 %count, float %x, ptr %out) {",
            "entry:",
            f"  %one = insertelement {vector} zeroinitializer, float %x, i32 0",
            f"  %m = shufflevector {vector} %one, {vector} zeroinitializer, <{lanes} x i32> zeroinitializer",
            "  br label %loop",
            "loop:",
            "  %i = phi i64 [0, %entry], [%j, %loop]",
            *carried,
            *steps,
            "  %j = add i64 %i, 1",
            "  %again = icmp ult i64 %j, %count",
            "  br i1 %again, label %loop, label %end",
            "end:",
            *sums,
            f"  store {vector} %s{ACCUMULATORS - 1}, ptr %out, align 4",
            "  ret void",
            "}",
        ]
    )


def native_loop() -> tuple[Callable[[], None], float]:
    """Return a function that runs the loop once, without Python's lock, and its GFLOP.

    Raises:
        ImportError: llvmlite is not installed.
    """
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features()
    lanes = 16 if features.get("avx512f") else 8 if features.get("avx") else 4
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=2, jit=True
    )
    module = llvm.parse_assembly(loop_text(lanes))
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    address = engine.get_function_address("multiply_adds")
    call = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_float, ctypes.c_void_p)(address)

    def run(keep: object = engine) -> None:  # the code lives as long as its engine
        out = np.empty(lanes, np.float32)
        call(ITERATIONS, 0.5, out.ctypes.data)

    return run, 2e-9 * lanes * ACCUMULATORS * ITERATIONS


def large_product(size: int = 1536) -> tuple[Callable[[], None], float]:
    """Return a function that computes a large product by NumPy, and its GFLOP; where there is no llvmlite."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, size, size), dtype=np.float32)
    out = np.empty_like(a)

    def run() -> None:
        np.matmul(a, b, out=out)

    return run, 2e-9 * size**3


def peak_gflops(threads: int, rounds: int = 40) -> tuple[float, str]:
    """Return the greatest GFLOP/s that ``threads`` threads reached together, and how it was measured."""
    try:
        run, work = native_loop()
        how = "a loop of multiply-adds"
    except ImportError:
        run, work = large_product()
        how, threads = "a large product in NumPy", 1  # which has threads of its own
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(rounds):
            begin = time.perf_counter()
            for done in [pool.submit(run) for _ in range(threads)]:
                done.result()
            best = max(best, threads * work / (time.perf_counter() - begin))
    return best, how
