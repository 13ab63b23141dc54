"""Conversions between dtypes, as NumPy makes them; real numbers that no integer holds give the nearest one, NaN 0."""

from __future__ import annotations

from dovetail import DType, bfloat16, float16, float32, float64
from dovetail_backend_cpu.emit.algebra import Algebra, Term
from dovetail_backend_cpu.emit.types import register_type
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import vector

__all__ = ["convert"]


def convert(algebra: Algebra, machine: Machine, x: Term, source: DType, target: DType) -> Term:
    """Write the conversion of ``x`` from ``source`` to ``target``."""
    if source is target:
        return x
    if source.is_half:
        wide = _from_bfloat16(algebra, x) if source is bfloat16 else _from_float16(algebra, machine, x)
        return convert(algebra, machine, wide, float32, target)
    if target.is_half:
        if source is float64 and target is float16:  # NumPy rounds once, the library of bfloat16 by float32
            single = _to_odd(algebra, x)
        else:
            single = convert(algebra, machine, x, source, float32)
        return _to_bfloat16(algebra, single) if target is bfloat16 else _to_float16(algebra, machine, single)
    type = register_type(target)
    if target.is_bool:
        return x.compare("une" if source.is_floating else "ne", 0)
    if source.is_bool:
        return algebra.cast("uitofp" if target.is_floating else "zext", x, type)
    if source.is_floating and target.is_floating:
        return algebra.cast("fptrunc" if target.size < source.size else "fpext", x, type)
    if source.is_floating:
        return _to_integer(algebra, x, target)
    if target.is_floating:
        return algebra.cast("uitofp" if source.is_unsigned else "sitofp", x, type)
    if target.size == source.size:
        return x
    if target.size < source.size:
        return algebra.cast("trunc", x, type)
    return algebra.cast("zext" if source.is_unsigned else "sext", x, type)


def _to_integer(algebra: Algebra, x: Term, target: DType) -> Term:
    width, type = algebra.width, register_type(target)
    name = "fptoui" if target.is_unsigned else "fptosi"
    source = {"float": "f32", "double": "f64"}[x.type]
    prefix = "" if width == 1 else f"v{width}"
    wide, real = vector(type, width), vector(x.type, width)
    full = f"llvm.{name}.sat.{prefix}{type}.{prefix}{source}"
    algebra.function.module.declare(f"declare {wide} @{full}({real})")
    return algebra.emit(f"call {wide} @{full}({real} {x.text})", type)


def _to_odd(algebra: Algebra, x: Term) -> Term:
    """Round a double to a float whose last bit tells if something was lost, so that rounding it again is right."""
    near = x.single()
    back = near.double()
    bits = near.bits()
    away = abs(back) > abs(x)
    toward = algebra.select(away, bits - 1, bits)
    lost = (back < x) | (back > x)
    return algebra.select(lost, toward | 1, bits).real()


def _from_bfloat16(algebra: Algebra, x: Term) -> Term:
    return (algebra.cast("zext", x, "i32") << 16).real()


def _to_bfloat16(algebra: Algebra, x: Term) -> Term:
    bits = x.bits()
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    quiet = bits | 0x400000
    return algebra.cast("trunc", algebra.select(x.is_nan(), quiet, rounded) >> 16, "i16")


def _from_float16(algebra: Algebra, machine: Machine, x: Term) -> Term:
    if machine.isa != "sse":
        return algebra.cast("fpext", algebra.cast("bitcast", x, "half"), "float")
    bits = algebra.cast("zext", x, "i32")
    magnitude = bits & 0x7FFF
    # The exponent is moved by a product, which subnormal numbers take part in; what was infinite is made so again.
    shifted = (magnitude << 13).real() * 2.0**112
    special = (magnitude << 13) | 0x7F800000
    value = algebra.select(magnitude.compare("uge", 0x7C00), special, shifted.bits())
    return (value | ((bits & 0x8000) << 16)).real()


def _to_float16(algebra: Algebra, machine: Machine, x: Term) -> Term:
    if machine.isa != "sse":
        return algebra.cast("bitcast", algebra.cast("fptrunc", x, "half"), "i16")
    bits = x.bits()
    sign = (bits >> 16) & 0x8000
    magnitude = bits & 0x7FFFFFFF
    # Below 2**-14 a sum with 0.5 rounds to multiples of 2**-24; above, the exponent is moved in the bits.
    tiny = (magnitude.real() + 0.5).bits() - 0x3F000000
    normal = (magnitude + (0xFFF - (112 << 23)) + ((magnitude >> 13) & 1)) >> 13
    value = algebra.select(magnitude.compare("ult", 113 << 23), tiny, normal)
    value = algebra.select(magnitude.compare("uge", 0x47800000), 0x7C00, value)
    value = algebra.select(magnitude.compare("ugt", 0x7F800000), ((magnitude >> 13) & 0x3FF) | 0x7E00, value)
    return algebra.cast("trunc", value | sign, "i16")
