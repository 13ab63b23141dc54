"""Vector mathematics against NumPy in float64 and mpmath, and exact functions against their definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from dovetail.compiler.kernels.ir import Apply, Buffer, Constant, Convert, Load, Node
from dovetail.ops.scalar import basis, special
from dovetail.ops.scalar.expression import Basis
from dovetail.types.dims import Symbol
from dovetail.types.dtypes import (
    DType,
    bfloat16,
    bool_,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from dovetail_backend_cpu.llvm.machine import Machine
from tests.backend_cpu.native import AVX512, NEON, Native, assemble, elementwise, machines

Array = np.ndarray[Any, Any]

N, J = Symbol("n"), Symbol("j")
INTEGERS = (int8, int16, int32, int64, uint8, uint16, uint32, uint64)
EDGES = [0.0, 1.0, np.inf, 0.5, 2.0, 3.0, 1e-45, 1e-40, 1.17549435e-38, 3.4028235e38, 0.99999994, 1.0000001, 88.72,
         88.73, 87.3, 103.9, 104.0, 1e5, 1e10, 1e20, 1.5707964, 4.0, 12.0, 1e-8]  # fmt: skip
UNARY = (
    basis.exp, basis.expm1, basis.log, basis.log1p, basis.sqrt, basis.rsqrt, basis.sigmoid, basis.sin, basis.cos,
    basis.tan, basis.asin, basis.acos, basis.atan, basis.sinh, basis.cosh, basis.tanh, basis.asinh, basis.acosh,
    basis.atanh, basis.erf, basis.erfc, basis.digamma, basis.lgamma,
)  # fmt: skip
MACHINES = pytest.mark.parametrize("machine", machines(), ids=lambda machine: machine.isa)


def _run(nodes: Sequence[Node], inputs: Sequence[Buffer], arrays: Sequence[Array], machine: Machine) -> list[Array]:
    results = [np.zeros(arrays[0].size, node.dtype.numpy) for node in nodes]
    assert not Native(elementwise(nodes, inputs, J, N), machine)(*arrays, *results, sizes={N: arrays[0].size})
    return results


def _apply(functions: Sequence[Basis], arrays: Sequence[Array], dtype: DType, machine: Machine) -> list[Array]:
    inputs = [Buffer(dtype, N, "in") for _ in arrays]
    args = [Load(buffer, J) for buffer in inputs]
    nodes = [Apply(one, args, bool_ if one.result == "bool" else dtype) for one in functions]
    return _run(nodes, inputs, arrays, machine)


def _distance(got: Array, wanted: Array) -> Array:
    """Return how many units in the last place values are off; the wanted ones have more digits."""
    rounded = wanted.astype(got.dtype)
    same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    unit = np.spacing(np.abs(np.where(np.isfinite(rounded), rounded, 1))).astype(wanted.dtype)
    off = np.abs(got.astype(wanted.dtype) - wanted) / unit
    return np.where(same, 0, np.where(np.isfinite(off), off, np.inf))


def _floats() -> Array:
    rng = np.random.default_rng(0)
    everywhere = rng.integers(0, 1 << 32, 40000, dtype=np.uint32).view(np.float32)
    near = np.concatenate([rng.normal(size=15000) * scale for scale in (0.1, 1.0, 10.0, 100.0)])
    return np.concatenate(
        [EDGES, np.negative(EDGES), [np.nan], near, np.linspace(-1e5, 1e5, 20003), everywhere]
    ).astype(np.float32)


@MACHINES
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_float32_functions_are_within_four_units_in_the_last_place(machine: Machine) -> None:
    x = _floats()
    for function, got in zip(UNARY, _apply(UNARY, [x], float32, machine), strict=True):
        off = _distance(got, np.asarray(function.numpy(x.astype(np.float64))))
        worst = int(off.argmax())
        assert off[worst] <= 4, (function.name, x[worst], got[worst])


@MACHINES
def test_odd_functions_keep_the_sign_of_zero(machine: Machine) -> None:
    odd = [basis.expm1, basis.log1p, basis.sin, basis.tan, basis.asin, basis.atan, basis.sinh, basis.tanh, basis.erf]
    for dtype in (float32, float64):
        zeros = np.array([0.0, -0.0], dtype.numpy)
        for got in _apply(odd, [zeros], dtype, machine):
            assert np.signbit(got).tolist() == [False, True]


@MACHINES
def test_float64_functions_are_within_a_few_units_in_the_last_place(machine: Machine) -> None:
    mpmath = pytest.importorskip("mpmath")
    exact = {
        "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
        "rsqrt": lambda x: 1 / mpmath.sqrt(x),
        "lgamma": lambda x: mpmath.loggamma(x).real,
    }
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [rng.normal(size=12), rng.normal(size=10) * 10, rng.uniform(-1, 1, 10), [1e-8, 300.0, 1e7, 1e22]]
    )
    with mpmath.workprec(120):
        for function, got in zip(UNARY, _apply(UNARY, [x], float64, machine), strict=True):
            compute = exact.get(function.name) or getattr(mpmath, function.name)
            for value, result in zip(x, got, strict=True):
                if function.name in ("lgamma", "digamma") and (value < 0.5 or value > 1e6):
                    continue  # near their zeros only the reference's formula counts
                wanted = compute(mpmath.mpf(float(value))) if np.isfinite(result) else mpmath.nan
                if isinstance(wanted, mpmath.mpc) or not mpmath.isfinite(wanted):
                    continue
                unit = np.spacing(max(abs(float(wanted)), 1e-300))
                assert abs(mpmath.mpf(float(result)) - wanted) <= 5 * unit, (function.name, value, result)


@MACHINES
@pytest.mark.parametrize("dtype", [float32, float64], ids=lambda dtype: dtype.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_functions_of_two_numbers(machine: Machine, dtype: DType) -> None:
    special_values = [0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 0.5, -0.5, 2, -2, 3, -3, 1e30, -1e30, 1e-30, 7.25]
    grid = np.meshgrid(special_values, special_values)
    rng = np.random.default_rng(0)
    x = np.concatenate([grid[0].ravel(), np.abs(rng.normal(size=1000)) * 10.0 ** rng.integers(-3, 4, 1000)])
    y = np.concatenate([grid[1].ravel(), rng.normal(size=500) * 10, rng.integers(-30, 30, 500)])
    x, y = x.astype(dtype.numpy), y.astype(dtype.numpy)
    functions = (basis.power, basis.atan2, basis.remainder, basis.floor_divide, basis.maximum, basis.minimum)
    for function, got in zip(functions, _apply(functions, [x, y], dtype, machine), strict=True):
        if function in (basis.power, basis.atan2):
            off = _distance(got, function.numpy(x.astype(np.longdouble), y.astype(np.longdouble)))
            worst = int(off.argmax())
            assert off[worst] <= 3, (function.name, x[worst], y[worst], got[worst])
        else:
            np.testing.assert_array_equal(got, function.numpy(x, y), err_msg=function.name)


@MACHINES
def test_constant_powers(machine: Machine) -> None:
    x = np.array([0.0, -0.0, 1.5, 3e-20, 2e15, np.inf, 0.3, 7.0], np.float32)
    buffer = Buffer(float32, N, "in")
    exponents = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 2.5)
    nodes = [Apply(basis.power, [Load(buffer, J), Constant(one, float32)], float32) for one in exponents]
    for exponent, got in zip(exponents, _run(nodes, [buffer], [x], machine), strict=True):
        with np.errstate(all="ignore"):
            assert _distance(got, np.power(x.astype(np.float64), exponent)).max() <= 2, exponent


def _numbers(dtype: DType, count: int = 501) -> Array:
    rng = np.random.default_rng(0)
    low, high = int(dtype.min), int(dtype.max)
    values = rng.integers(low, high, count, dtype=dtype.numpy, endpoint=True)
    values[::3] = rng.integers(max(low, -5), 6, values[::3].size)
    values[:4] = low, high, low, high
    return values


@MACHINES
@pytest.mark.parametrize("dtype", INTEGERS, ids=lambda dtype: dtype.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_integers_follow_numpy(machine: Machine, dtype: DType) -> None:
    if machine is not machines()[0] and dtype.size in (2, 8):
        pytest.skip("SSE treats all sizes alike; the other ones are enough")
    x, y = _numbers(dtype), _numbers(dtype)[::-1].copy()
    y[y == 0] = 3
    if not dtype.is_unsigned:
        y[0] = -1  # the least number by -1 wraps
    functions = (
        basis.add, basis.subtract, basis.multiply, basis.floor_divide, basis.remainder, basis.maximum, basis.minimum,
        basis.bitwise_and, basis.bitwise_or, basis.bitwise_xor, basis.left_shift, basis.right_shift, basis.less,
        basis.equal, basis.greater_equal,
    )  # fmt: skip
    for function, got in zip(functions, _apply(functions, [x, y], dtype, machine), strict=True):
        np.testing.assert_array_equal(got, function.numpy(x, y) if function.integer is None else function.integer(x, y),
                                      err_msg=function.name)  # fmt: skip
    unary = (basis.negative, basis.absolute, basis.sign, basis.square, basis.invert, basis.round_)
    for function, got in zip(unary, _apply(unary, [x], dtype, machine), strict=True):
        np.testing.assert_array_equal(got, (function.integer or function.numpy)(x), err_msg=function.name)
    exponents = (np.abs(y.astype(np.int64)) % 13).astype(dtype.numpy)
    np.testing.assert_array_equal(_apply([basis.power], [x, exponents], dtype, machine)[0], np.power(x, exponents))


@pytest.mark.parametrize("dtype", [int8, int32, uint32, int64], ids=lambda dtype: dtype.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_constant_divisors(dtype: DType) -> None:
    x = _numbers(dtype)
    buffer = Buffer(dtype, N, "in")
    divisors = [one for one in (1, 2, 3, 7, 10, -1, -4) if one > 0 or not dtype.is_unsigned]
    pairs = [(function, one) for one in divisors for function in (basis.floor_divide, basis.remainder)]
    nodes = [Apply(function, [Load(buffer, J), Constant(one, dtype)], dtype) for function, one in pairs]
    for (function, one), got in zip(pairs, _run(nodes, [buffer], [x], machines()[0]), strict=True):
        wanted = (np.floor_divide if function is basis.floor_divide else np.remainder)(x, dtype.numpy.type(one))
        np.testing.assert_array_equal(got, wanted, err_msg=f"{function.name} {one}")


@pytest.mark.parametrize("function", [basis.floor_divide, basis.remainder], ids=lambda function: function.name)
@pytest.mark.parametrize("dtype", [int8, int32, uint64], ids=lambda dtype: dtype.name)
def test_integer_division_by_zero_fails(function: Basis, dtype: DType) -> None:
    x, y = (Buffer(dtype, N, "in") for _ in range(2))
    native = Native(elementwise([Apply(function, [Load(x, J), Load(y, J)], dtype)], [x, y], J, N))
    divisors = np.ones(37, dtype.numpy)
    result = np.zeros(37, dtype.numpy)
    assert not native(divisors, divisors, result, sizes={N: 37})
    divisors[36] = 0
    assert native(divisors, divisors, result, sizes={N: 37})


@MACHINES
@pytest.mark.parametrize("source", [float16, bfloat16, float32, float64, *INTEGERS, bool_], ids=lambda one: one.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_conversions(machine: Machine, source: DType) -> None:
    if machine is not machines()[0] and (source.is_integer or source.is_bool):
        pytest.skip("only halves are converted in another way with SSE")
    rng = np.random.default_rng(0)
    if source.is_bool:
        x = rng.integers(0, 2, 99).astype(bool)
    elif source.is_integer:
        x = _numbers(source)
    else:
        odd = [0.0, -0.0, np.inf, -np.inf, np.nan, 65504, 65519.99, 65520, 6e-8, 3e-8, 127.5, -128.9, 255.5, 2.0**31]
        odd += [-(2.0**31), 2.0**63, -(2.0**63), 2.0**64, 1e30, 1 + 2.0**-11, 1 + 2.0**-11 + 2.0**-40, 1 + 2.0**-8]
        x = np.concatenate([odd, rng.normal(size=400) * 10.0 ** rng.integers(-9, 12, 400)]).astype(source.numpy)
    targets = [one for one in (float16, bfloat16, float32, float64, *INTEGERS, bool_) if one is not source]
    buffer = Buffer(source, N, "in")
    results = _run([Convert(one, Load(buffer, J)) for one in targets], [buffer], [x], machine)
    for target, got in zip(targets, results, strict=True):
        if source.is_floating and target.is_integer:
            wanted = special.to_integer(x.astype(np.float32) if source.is_half else x, target.numpy)
        else:
            wanted = x.astype(target.numpy)
        if target.is_half:
            got, wanted = got.astype(np.float32), wanted.astype(np.float32)
        np.testing.assert_array_equal(got, wanted, err_msg=target.name)


@pytest.mark.parametrize("machine", [AVX512, NEON], ids=lambda machine: machine.isa)
def test_other_machines_assemble(machine: Machine) -> None:
    buffer = Buffer(float32, N, "in")
    nodes = [Apply(one, [Load(buffer, J)], float32) for one in (*UNARY, basis.sign)]
    text = assemble(elementwise(nodes, [buffer], J, N), machine)
    called = [line for line in text.splitlines() if line.split()[:1] in (["callq"], ["call"], ["bl"])]
    assert called
    assert all("dovetail." in line for line in called)
