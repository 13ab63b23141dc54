"""``Arithmetic``: how elements of a dtype are loaded, multiplied and added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from dovetail import DType, bfloat16, float16, float32
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Function, double, vector

__all__ = ["Arithmetic"]


@final
class Arithmetic:
    """Products and sums of one dtype on a machine; halves are computed in float32, integers wrap around.

    Attributes:
        dtype: of the elements in memory.
        computed: the dtype that they are computed in.
        stored: the LLVM type in memory.
        type: the LLVM type that is computed with.
        bytes: of one element that is computed with.
        lanes: how many of these a vector register holds.
        zero: the literal.
    """

    __slots__ = ("bytes", "computed", "dtype", "fused", "half_registers", "lanes", "stored", "type", "zero")

    def __init__(self, dtype: DType, machine: Machine) -> None:
        """Choose types for ``dtype``."""
        self.dtype = dtype
        self.computed = float32 if dtype.is_half else dtype
        self.fused = machine.fma
        self.half_registers = machine.isa != "sse"
        if dtype.is_floating:
            self.type = "double" if dtype.size == 8 else "float"
            self.zero = "0.0"
        else:
            self.type = f"i{8 * dtype.size}"
            self.zero = "0"
        self.stored = f"i{8 * dtype.size}" if dtype.is_half else self.type
        self.bytes = self.computed.size
        self.lanes = machine.lanes(self.bytes)

    @property
    def converts(self) -> bool:
        """Whether loading converts."""
        return self.dtype.is_half

    def vector_type(self, width: int) -> str:
        """The LLVM type of ``width`` elements that are computed with."""
        return vector(self.type, width)

    def zeros(self, width: int) -> str:
        """The constant of ``width`` zeros."""
        return self.zero if width == 1 else "zeroinitializer"

    def load(self, write: Function, pointer: str, width: int = 1, mask: str | None = None) -> str:
        """Load ``width`` stored elements and convert them; lanes that ``mask`` leaves out are 0."""
        stored = vector(self.stored, width)
        if mask is None:
            value = write.value(f"load {stored}, ptr {pointer}, align {self.dtype.size}")
        else:
            suffix = f"v{width}{_suffix(self.stored)}"
            name = f"llvm.masked.load.{suffix}.p0"
            write.module.declare(f"declare {stored} @{name}(ptr, i32, <{width} x i1>, {stored})")
            arguments = f"ptr {pointer}, i32 {self.dtype.size}, <{width} x i1> {mask}, {stored} zeroinitializer"
            value = write.value(f"call {stored} @{name}({arguments})")
        return self._widened(write, value, width)

    def _widened(self, write: Function, value: str, width: int) -> str:
        if self.dtype is bfloat16:
            words, target = vector("i32", width), vector("float", width)
            wide = write.value(f"zext {vector('i16', width)} {value} to {words}")
            sixteen = "16" if width == 1 else f"<{', '.join(['i32 16'] * width)}>"
            return write.value(f"bitcast {words} {write.value(f'shl {words} {wide}, {sixteen}')} to {target}")
        if self.dtype is float16:
            if not self.half_registers:
                return self._widened_by_bits(write, value, width)
            half = write.value(f"bitcast {vector('i16', width)} {value} to {vector('half', width)}")
            return write.value(f"fpext {vector('half', width)} {half} to {vector('float', width)}")
        return value

    def _widened_by_bits(self, write: Function, value: str, width: int) -> str:
        """Convert float16 by integer arithmetic, for machines without instructions for it."""
        words, target = vector("i32", width), vector("float", width)

        def every(number: str) -> str:
            kind = "float" if "x" in number else "i32"
            return number if width == 1 else f"<{', '.join([f'{kind} {number}'] * width)}>"

        wide = write.value(f"zext {vector('i16', width)} {value} to {words}")
        magnitude = write.value(f"and {words} {wide}, {every('32767')}")
        moved = write.value(f"shl {words} {magnitude}, {every('13')}")
        shifted = write.value(f"bitcast {words} {moved} to {target}")
        # The exponents' biases differ by 112; the product is exact, for subnormal numbers too.
        scaled = write.value(f"fmul {target} {shifted}, {every(double(2.0**112))}")
        finite = write.value(f"bitcast {target} {scaled} to {words}")
        special = write.value(f"icmp uge {words} {magnitude}, {every('31744')}")
        infinite = write.value(f"or {words} {finite}, {every('2139095040')}")
        bits = write.value(f"select {vector('i1', width)} {special}, {words} {infinite}, {words} {finite}")
        negative = write.value(f"and {words} {wide}, {every('32768')}")
        sign = write.value(f"shl {words} {negative}, {every('16')}")
        both = write.value(f"or {words} {bits}, {sign}")
        return write.value(f"bitcast {words} {both} to {target}")

    def spread(self, write: Function, value: str, width: int) -> str:
        """Repeat a computed element in all lanes."""
        if width == 1:
            return value
        type = self.vector_type(width)
        one = write.value(f"insertelement {type} poison, {self.type} {value}, i32 0")
        return write.value(f"shufflevector {type} {one}, {type} poison, <{width} x i32> zeroinitializer")

    def shuffle(self, write: Function, value: str, width: int, places: Sequence[int]) -> str:
        """Return the lanes of a vector at these places."""
        order = ", ".join(f"i32 {place}" for place in places)
        type = self.vector_type(width)
        return write.value(f"shufflevector {type} {value}, {type} poison, <{len(places)} x i32> <{order}>")

    def joined(self, write: Function, vectors: Sequence[str], width: int) -> str:
        """Return vectors side by side, as one."""
        result, have = vectors[0], width
        for other in vectors[1:]:
            if have > width:
                other = self.shuffle(write, other, width, [*range(width), *[0] * (have - width)])
            order = ", ".join(f"i32 {place}" for place in range(have + width))
            type = self.vector_type(have)
            result = write.value(f"shufflevector {type} {result}, {type} {other}, <{have + width} x i32> <{order}>")
            have += width
        return result

    def multiply_add(self, write: Function, left: str, right: str, addend: str, width: int) -> str:
        """Compute ``left * right + addend``, rounded once where the machine can."""
        type = self.vector_type(width)
        if not self.dtype.is_floating:
            return write.value(f"add {type} {write.value(f'mul {type} {left}, {right}')}, {addend}")
        if not self.fused:
            return write.value(f"fadd {type} {write.value(f'fmul {type} {left}, {right}')}, {addend}")
        suffix = _suffix(self.type) if width == 1 else f"v{width}{_suffix(self.type)}"
        return write.call(type, f"llvm.fma.{suffix}", f"{type} {left}", f"{type} {right}", f"{type} {addend}")

    def add(self, write: Function, left: str, right: str, width: int) -> str:
        """Add."""
        operation = "fadd" if self.dtype.is_floating else "add"
        return write.value(f"{operation} {self.vector_type(width)} {left}, {right}")


def _suffix(type: str) -> str:
    return {"float": "f32", "double": "f64"}.get(type, type)
