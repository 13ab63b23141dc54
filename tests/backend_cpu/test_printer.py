"""Kernels of the kernel IR, written by hand, against NumPy: on each instruction set, with one to three threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from dovetail.compiler.kernels.ir import (
    Apply,
    Assign,
    Bind,
    Buffer,
    Check,
    Choose,
    Constant,
    Convert,
    Index,
    Kernel,
    Let,
    Load,
    Local,
    Loop,
    Node,
    Philox,
    Reduction,
    Statement,
    Store,
    While,
)
from dovetail.ops.philox import random_bits
from dovetail.ops.scalar import basis
from dovetail.ops.scalar.expression import Basis
from dovetail.types.dims import Symbol, ceil_div, dim_max, dim_min
from dovetail.types.dtypes import DType, bfloat16, bool_, float32, float64, int8, int32, int64, uint32, uint64
from dovetail_backend_cpu.emit.body import Body, Lanes
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Function, Module
from tests.backend_cpu.native import AVX512, NEON, Native, assemble, machines

Array = np.ndarray[Any, Any]

N, R, J, K, T = (Symbol(name) for name in ("n", "i", "j", "k", "t"))
MACHINES = pytest.mark.parametrize("machine", machines(), ids=lambda machine: machine.isa)
OTHERS = pytest.mark.parametrize("machine", [AVX512, NEON], ids=lambda machine: machine.isa)


def apply(function: Basis, *args: Node) -> Apply:
    return Apply(function, args, bool_ if function.result == "bool" else args[-1].dtype)


def number(value: float, dtype: DType = float32) -> Constant:
    return Constant(value, dtype)


def normal(*shape: int) -> Array:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def chain() -> Kernel:
    """max(x * y + 2, 0), in tiles of 1024 elements."""
    x, y, out = Buffer(float32, N, "in"), Buffer(float32, N, "in"), Buffer(float32, N, "out")
    at = T * 1024 + J
    node = apply(basis.maximum, apply(basis.add, apply(basis.multiply, Load(x, at), Load(y, at)), number(2)), number(0))
    inner = Loop([(J, dim_min(1024, N - 1024 * T))], [Store(out, at, node)], "vector")
    return Kernel([x, y, out], [N], [Loop([(T, ceil_div(N, 1024))], [inner], "parallel")])


def softmax(columns: int) -> Kernel:
    x, out = Buffer(float32, N * columns, "in"), Buffer(float32, N * columns, "out")
    row = Buffer(float32, columns, "scratch")
    highest, total = Local(float32), Local(float32)
    decay = apply(basis.exp, apply(basis.subtract, Load(x, R * columns + J), highest))
    body: list[Statement] = [
        Reduction([(highest, "max", Load(x, R * columns + K))], [(K, columns)], vector=True),
        Loop([(J, columns)], [Store(row, J, decay)], "vector"),
        Reduction([(total, "sum", Load(row, K))], [(K, columns)], vector=True),
        Loop([(J, columns)], [Store(out, R * columns + J, apply(basis.divide, Load(row, J), total))], "vector"),
    ]
    return Kernel([x, row, out], [N], [Loop([(R, N)], body, "parallel")])


@MACHINES
def test_chains_of_any_length_on_any_number_of_threads(machine: Machine) -> None:
    native = Native(chain(), machine)
    for count in (0, 1, 5, 31, 1000, 1024, 1025, 5000):
        x, y = normal(count), normal(count)[::-1].copy()
        for threads in (1, 2, 3, 7):
            out = np.zeros(count, np.float32)
            native(x, y, out, sizes={N: count}, threads=threads)
            np.testing.assert_array_equal(out, np.maximum(x * y + np.float32(2), 0))


@MACHINES
@pytest.mark.parametrize("columns", [1, 3, 10, 64, 100])
def test_row_softmax(machine: Machine, columns: int) -> None:
    native, x = Native(softmax(columns), machine), normal(13, columns)
    results = []
    for rows, threads in ((13, 1), (13, 3), (5, 2)):
        out = np.zeros((rows, columns), np.float32)
        native(x[:rows], out, sizes={N: rows}, threads=threads)
        results.append(out)
    wanted = np.exp(x - x.max(1, keepdims=True))
    np.testing.assert_allclose(results[0], wanted / wanted.sum(1, keepdims=True), rtol=2e-6)
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0][:5])


@OTHERS
def test_other_machines_assemble(machine: Machine) -> None:
    for kernel in (chain(), softmax(10), softmax(100), convolution_window(), random_words(uint32), gathered()):
        assert "kernel" in assemble(kernel, machine)


@MACHINES
def test_reductions_of_every_kind_and_dtype(machine: Machine) -> None:
    kinds: dict[str, Any] = {"sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min}
    for dtype in (float32, float64, int8, int64):
        for count in (1, 7, 67):
            x = Buffer(dtype, count, "in")
            locals = [Local(dtype) for _ in kinds]
            outs = [Buffer(dtype, 1, "out") for _ in kinds]
            reduction = Reduction(
                [(local, kind, Load(x, K)) for local, kind in zip(locals, kinds, strict=True)],  # type: ignore[misc]
                [(K, count)],
                vector=True,
            )
            stores = [Store(out, 0, local) for out, local in zip(outs, locals, strict=True)]
            rng = np.random.default_rng(0)
            data = rng.integers(-3, 4, count).astype(dtype.numpy) if dtype.is_integer else rng.normal(size=count)
            data = data.astype(dtype.numpy)
            results = [np.zeros(1, dtype.numpy) for _ in kinds]
            Native(Kernel([x, *outs], [], [reduction, *stores]), machine)(data, *results)
            for got, function in zip(results, kinds.values(), strict=True):
                options = {} if function in (np.max, np.min) else {"dtype": dtype.numpy}
                np.testing.assert_allclose(got[0], function(data, **options), rtol=1e-5, atol=1e-6)


@MACHINES
def test_reductions_of_nothing_of_nan_and_of_truth(machine: Machine) -> None:
    x = Buffer(float32, N, "in")
    total, highest, some, every = Local(float32), Local(float32), Local(bool_), Local(bool_)
    positive = apply(basis.greater, Load(x, K), number(0))
    reduction = Reduction(
        [(total, "sum", Load(x, K)), (highest, "max", Load(x, K)), (some, "any", positive), (every, "all", positive)],
        [(K, N)],
        vector=True,
    )
    outs = [Buffer(local.dtype, 1, "out") for local in (total, highest, some, every)]
    stores = [Store(out, 0, local) for out, local in zip(outs, (total, highest, some, every), strict=True)]
    native = Native(Kernel([x, *outs], [N], [reduction, *stores]), machine)

    def run(values: Array) -> list[Any]:
        results = [np.zeros(1, out.dtype.numpy) for out in outs]
        native(values.astype(np.float32), *results, sizes={N: values.size})
        return [one[0] for one in results]

    assert run(np.zeros(0)) == [0, -np.inf, False, True]
    assert run(np.arange(1, 40)) == [780, 39, True, True]
    assert run(-np.arange(37)) == [-666, 0, False, False]
    for place in (0, 33, 70, 75):
        values = np.ones(76)
        values[place] = np.nan
        assert np.isnan(run(values)[1])


@MACHINES
def test_columns_reduced_and_carried_in_lanes(machine: Machine) -> None:
    rows, columns = 9, 37
    x = Buffer(float32, rows * columns, "in")
    sums, running = Buffer(float32, columns, "out"), Buffer(float32, rows * columns, "out")
    total, carried = Local(float32), Local(float32)
    after = Local(float32)
    body: list[Statement] = [
        Reduction([(total, "sum", Load(x, K * columns + J))], [(K, rows)]),
        Store(sums, J, total),
        Loop(
            [(R, rows)],
            [
                Let(after, apply(basis.add, carried, Load(x, R * columns + J))),
                Store(running, R * columns + J, after),
                Assign(carried, after),
            ],
            carried=[(carried, number(0))],
            reverse=True,
        ),
    ]
    native = Native(Kernel([x, sums, running], [], [Loop([(J, columns)], body, "vector")]), machine)
    data, first, second = normal(rows, columns), np.zeros(columns, np.float32), np.zeros((rows, columns), np.float32)
    native(data, first, second)
    np.testing.assert_allclose(first, data.sum(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(second, np.cumsum(data[::-1], 0)[::-1])


def convolution_window() -> Kernel:
    """A row of 21 columns with three columns of padding before, two behind, and every other row missing."""
    x, out = Buffer(float32, N * 21, "in"), Buffer(float32, N * 26, "out")
    padded = Choose([J - 3, 23 - J], Load(x, R * 21 + J - 3), number(0))
    odd = R - 2 * (R // 2)
    node = apply(basis.add, Choose([odd - 1], padded, number(7)), Choose([J - 20], number(1), Load(x, R * 21 + J)))
    return Kernel(
        [x, out], [N], [Loop([(R, N)], [Loop([(J, 26)], [Store(out, R * 26 + J, node)], "vector")], "parallel")]
    )


@MACHINES
def test_choices_load_nothing_outside(machine: Machine) -> None:
    x = normal(6, 21)
    out = np.zeros((6, 26), np.float32)
    Native(convolution_window(), machine)(x, out, sizes={N: 6}, threads=2)
    wanted = np.pad(x, ((0, 0), (3, 2)))
    wanted[::2] = 7
    wanted += np.concatenate([x[:, :20], np.ones((6, 6), np.float32)], 1)
    np.testing.assert_array_equal(out, wanted)


@MACHINES
def test_strides_broadcasts_and_several_parallel_variables(machine: Machine) -> None:
    x, bias, out = Buffer(float32, N * 6 * 20, "in"), Buffer(float32, 6, "in"), Buffer(float32, N * 6 * 20, "out")
    # out[i, k, j] = x[i, 19 - j, k] + bias[k] + x[i, j // 2, k]
    node = apply(basis.add, Load(x, R * 120 + (19 - J) * 6 + K), Load(bias, K))
    node = apply(basis.add, node, Load(x, R * 120 + (J // 2) * 6 + K))
    inner = Loop([(J, 20)], [Store(out, R * 120 + K * 20 + J, node)], "vector")
    native = Native(Kernel([x, bias, out], [N], [Loop([(R, N), (K, 6)], [inner], "parallel")]), machine)
    data, row = normal(5, 20, 6), normal(6)
    for count in (0, 1, 5):
        wanted = (data[:, ::-1] + row + data[:, np.arange(20) // 2]).transpose(0, 2, 1)[:count]
        for threads in (1, 2, 3):
            result = np.zeros((count, 6, 20), np.float32)
            native(data[:count], row, result, sizes={N: count}, threads=threads)
            np.testing.assert_array_equal(result, wanted)


def gathered() -> Kernel:
    table, places = Buffer(float32, N * 5, "in"), Buffer(int32, 19, "in")
    rows, picked = Buffer(float32, 19 * 5, "out"), Buffer(float32, 19, "out")
    row, place = Symbol("row"), Symbol("place")
    by_row: list[Statement] = [
        Bind(row, Load(places, R), N),
        Loop([(J, 5)], [Store(rows, R * 5 + J, Load(table, row * 5 + J))], "vector"),
    ]
    by_lane: list[Statement] = [Bind(place, Load(places, K), N), Store(picked, K, Load(table, place * 5 + 1))]
    return Kernel([table, places, rows, picked], [N], [Loop([(R, 19)], by_row), Loop([(K, 19)], by_lane, "vector")])


@MACHINES
def test_binds_gather_and_fail_outside(machine: Machine) -> None:
    native, table = Native(gathered(), machine), normal(11, 5)
    places = np.random.default_rng(0).integers(0, 11, 19).astype(np.int32)
    rows, picked = np.zeros((19, 5), np.float32), np.zeros(19, np.float32)
    assert not native(table, places, rows, picked, sizes={N: 11})
    np.testing.assert_array_equal(rows, table[places])
    np.testing.assert_array_equal(picked, table[places, 1])
    for wrong in (-1, 11, 2**31 - 1):
        places[18] = wrong
        assert native(table, places, rows, picked, sizes={N: 11})
        np.testing.assert_array_equal(rows[18], table[0])
    assert native(table[:0], places, rows, picked, sizes={N: 0})


@MACHINES
def test_scatter_adds_in_order(machine: Machine) -> None:
    table, places, rows = Buffer(float32, 8 * 21, "inout"), Buffer(int64, 30, "in"), Buffer(float32, 30 * 21, "in")
    row = Symbol("row")
    inner = Loop([(J, 21)], [Store(table, row * 21 + J, Load(rows, R * 21 + J), add=True)], "vector")
    native = Native(
        Kernel([table, places, rows], [], [Loop([(R, 30)], [Bind(row, Load(places, R), 8), inner])]), machine
    )
    result, added = np.zeros((8, 21), np.float32), normal(30, 21)
    where = np.random.default_rng(0).integers(0, 8, 30)
    assert not native(result, where, added)
    wanted = np.zeros((8, 21), np.float32)
    np.add.at(wanted, where, added)
    np.testing.assert_array_equal(result, wanted)


def random_words(dtype: DType) -> Kernel:
    key, execution, out = Buffer(uint64, 1, "in"), Buffer(uint64, 1, "in"), Buffer(dtype, N, "out")
    at = T * 256 + J
    words = Philox(dtype, [Load(key, 0), Load(execution, 0), number(3, int64), number(-1, int64)], at)
    inner = Loop([(J, dim_max(dim_min(256, N - 256 * T), 0))], [Store(out, at, words)], "vector")
    return Kernel([key, execution, out], [N], [Loop([(T, ceil_div(N, 256))], [inner], "parallel")])


@MACHINES
@pytest.mark.parametrize("dtype", [uint32, uint64], ids=lambda dtype: dtype.name)
def test_random_words_are_those_of_the_reference(machine: Machine, dtype: DType) -> None:
    native = Native(random_words(dtype), machine)
    for key, execution in ((0, 0), (0x123456789ABCDEF0, (5 << 32) + 7)):
        for count in (1, 6, 300):
            out = np.zeros(count, dtype.numpy)
            native(np.array([key], np.uint64), np.array([execution], np.uint64), out, sizes={N: count}, threads=2)
            np.testing.assert_array_equal(out, random_bits(count, dtype, key, execution, (3, -1)))


@pytest.mark.parametrize("offset", [0, 1, 6])
@pytest.mark.parametrize("dtype", [uint32, uint64], ids=lambda dtype: dtype.name)
def test_random_words_from_any_position(dtype: DType, offset: int) -> None:
    out, spread = Buffer(dtype, 77, "out"), Buffer(dtype, 77, "out")
    args = [number(11, uint64), number(2, uint64)]
    stores = [
        Store(out, J, Philox(dtype, args, J + offset)),
        Store(spread, J, Philox(dtype, args, J * 3 + offset)),
    ]
    results = [np.zeros(77, dtype.numpy) for _ in range(2)]
    Native(Kernel([out, spread], [], [Loop([(J, 77)], stores, "vector")]))(*results)
    wanted = random_bits(77 * 3 + offset, dtype, 11, 2)
    np.testing.assert_array_equal(results[0], wanted[offset : offset + 77])
    np.testing.assert_array_equal(results[1], wanted[offset::3][:77])


@MACHINES
def test_while_counts_in_carried_locals(machine: Machine) -> None:
    out = Buffer(int32, 2, "out")
    count, total = Local(int32), Local(int32)
    body: list[Statement] = [
        Assign(count, apply(basis.add, count, number(1, int32))),
        Assign(total, apply(basis.add, total, count)),  # the count of this iteration, not of the next
    ]
    loop = While(
        apply(basis.less, count, number(10, int32)), body, [(count, number(0, int32)), (total, number(5, int32))]
    )
    result = np.zeros(2, np.int32)
    Native(Kernel([out], [], [loop, Store(out, 0, count), Store(out, 1, total)]), machine)(result)
    assert result.tolist() == [10, 50]


@MACHINES
def test_checks_in_scalars_and_lanes(machine: Machine) -> None:
    x, out = Buffer(float32, N, "in"), Buffer(float32, N, "out")
    body: list[Statement] = [Check(apply(basis.less, Load(x, J), number(9))), Store(out, J, Load(x, J))]
    native = Native(Kernel([x, out], [N], [Loop([(J, N)], body, "vector")]), machine)
    for count in (1, 8, 75):
        data, result = np.zeros(count, np.float32), np.ones(count, np.float32)
        assert not native(data, result, sizes={N: count})
        data[-1] = 9
        assert native(data, result, sizes={N: count})
        np.testing.assert_array_equal(result, data)


@MACHINES
def test_halves_truth_and_indices_in_memory(machine: Machine) -> None:
    x, flag = Buffer(bfloat16, N, "in"), Buffer(bool_, N, "in")
    out, kept = Buffer(bfloat16, N, "out"), Buffer(bool_, N, "out")
    value = Convert(float32, Load(x, J))
    chosen = apply(basis.select, Load(flag, J), apply(basis.multiply, value, number(3)), Index(2 * J, float32))
    body: list[Statement] = [
        Store(out, J, Convert(bfloat16, chosen)),
        Store(kept, J, apply(basis.logical_and, Load(flag, J), apply(basis.greater, value, number(0)))),
    ]
    native = Native(Kernel([x, flag, out, kept], [N], [Loop([(J, N)], body, "vector")]), machine)
    data, flags = normal(53).astype(bfloat16.numpy), normal(53) > 0.2
    first, second = np.zeros(53, bfloat16.numpy), np.zeros(53, bool)
    native(data, flags, first, second, sizes={N: 53})
    single = data.astype(np.float32)
    np.testing.assert_array_equal(
        first.astype(np.float32),
        np.where(flags, single * 3, 2 * np.arange(53)).astype(bfloat16.numpy).astype(np.float32),
    )
    np.testing.assert_array_equal(second, flags & (single > 0))


def test_a_load_after_a_store_reads_what_was_stored() -> None:
    x = Buffer(float32, 1, "inout")
    twice = apply(basis.add, Load(x, 0), Load(x, 0))
    result = np.array([3], np.float32)
    Native(Kernel([x], [], [Store(x, 0, twice), Store(x, 0, twice)]))(result)
    assert result[0] == 12


@MACHINES
@pytest.mark.parametrize("dtype", [float32, int8, float64], ids=lambda dtype: dtype.name)
@pytest.mark.parametrize("stride", [1, 3])
def test_masked_lanes_touch_nothing_else(machine: Machine, dtype: DType, stride: int) -> None:
    x, out = Buffer(dtype, 24, "in"), Buffer(dtype, 24, "inout")
    given, doubled = Local(dtype), Local(dtype)
    statements: list[Statement] = [
        Let(doubled, apply(basis.add, given, apply(basis.add, Load(x, J * stride), Load(x, 0)))),
        Store(out, J * stride, doubled),
    ]
    module = Module()
    parameters = [("ptr", "frame"), ("ptr", "slots"), ("i64", "thread"), ("i64", "threads")]
    function = Function(module, "kernel", parameters)
    pointers = {}
    for place, buffer in enumerate((x, out)):
        address = function.value(f"getelementptr i64, ptr %frame, i64 {2 + place}")
        pointers[buffer] = function.value(f"load ptr, ptr {address}, align 8")
    status = function.value("load ptr, ptr %frame, align 8")
    live = [True, False, True, True, False, False, False, True]
    mask = f"<{', '.join(f'i1 {str(one).lower()}' for one in live)}>"
    body = Body(function, machine, pointers, {}, status)
    ones = "splat (i8 1)" if dtype is int8 else f"splat ({'float' if dtype is float32 else 'double'} 1.0)"
    body.run(statements, {J: "0"}, Lanes(J, 8, mask), {given: ones})
    function.ret()
    native = Native.of_text(str(module), Kernel([x, out], [], []), machine)
    data, result = np.arange(24).astype(dtype.numpy), np.full(24, 99, dtype.numpy)
    native(data, result)
    wanted = np.full(24, 99)
    places = np.flatnonzero(live) * stride
    wanted[places] = places + 1
    np.testing.assert_array_equal(result, wanted)
