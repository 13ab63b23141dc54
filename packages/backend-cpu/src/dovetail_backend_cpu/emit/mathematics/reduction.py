"""Angles less their quarter turns: by a split half pi for common angles, by the bits of 2/pi for large ones."""

from __future__ import annotations

import itertools
from typing import Final

from dovetail_backend_cpu.emit.algebra import Algebra, Term
from dovetail_backend_cpu.llvm.text import Function, Module, vector

__all__ = ["reduced"]

# W. J. Cody and W. Waite, "Software Manual for the Elementary Functions", 1980: half pi in parts of 33 bits, so that
# products with less than 2**20 quarter turns are exact.
_HALF_PI: Final = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32)
_LARGE: Final = 1.6e6
_MAGIC: Final = 6755399441055744.0
_MAGIC_BITS: Final = 0x4338000000000000

# M. Payne and R. Hanek, "Radian reduction for trigonometric functions", SIGNUM 18 (1983): the bits of 2/pi after 64
# zeros; a window of 192 of them decides about any double.
_TWO_OVER_PI: Final = (
    0x0, 0xA2F9836E4E441529, 0xFC2757D1F534DDC0, 0xDB6295993C439041, 0xFE5163ABDEBBC561, 0xB7246E3A424DD2E0,
    0x06492EEA09D1921C, 0xFE1DEB1CB129A73E, 0xE88235F52EBB4484, 0xE99C7026B45F7E41, 0x3991D639835339F4,
    0x9C845F8BBDF9283B, 0x1FF897FFDE05980F, 0xEF2F118B5A0A6D1F, 0x6D367ECF27CB09B7, 0x4F463F669E5FEA2D,
    0x7527BAC7EBE5F17B, 0x3D0739F78A5292EA, 0x6BFB5FB11F8D5D08, 0x56033046FC7B6BAB,
)  # fmt: skip


def reduced(algebra: Algebra, x: Term) -> tuple[Term, Term]:
    """Return a double less the nearest number of quarter turns, and that number modulo 4 as an i64."""
    shifted = algebra.fma(x, 0.6366197723675814, _MAGIC)
    turns = shifted - _MAGIC
    quarters = shifted.bits() - _MAGIC_BITS
    rest = x
    for part in _HALF_PI:
        rest = algebra.fma(turns, -part, rest)
    large = abs(x) > _LARGE
    return _with_large(algebra, x, large, rest, quarters)


def _with_large(algebra: Algebra, x: Term, large: Term, rest: Term, quarters: Term) -> tuple[Term, Term]:
    """Replace the lanes of large angles, one by one, where there are any."""
    write, width = algebra.function, algebra.width
    real, whole, mask = vector("double", width), vector("i64", width), vector("i1", width)
    some = large.text
    if width > 1:
        write.module.declare(f"declare i1 @llvm.vector.reduce.or.v{width}i1({mask})")
        some = write.value(f"call i1 @llvm.vector.reduce.or.v{width}i1({mask} {large.text})")
    before = write.block
    _define(write.module)
    slow, done = write.fresh("slow"), write.fresh("done")
    write.do(f"br i1 {some}, label %{slow}, label %{done}")
    write.start_block(slow)
    new_rest, new_quarters = rest.text, quarters.text
    with_lanes = width > 1
    with write.loop("0", str(width), carried=[(real, new_rest), (whole, new_quarters)], at_least_once=True) as lane:
        one = write.value(f"extractelement {real} {x.text}, i64 {lane.index}") if with_lanes else x.text
        big = write.value(f"extractelement {mask} {large.text}, i64 {lane.index}") if with_lanes else large.text
        a, b = lane.carried
        pair = write.value(f"call {{ double, i64 }} @dovetail.reduce(double {one})")
        r = write.value(f"extractvalue {{ double, i64 }} {pair}, 0")
        q = write.value(f"extractvalue {{ double, i64 }} {pair}, 1")
        if with_lanes:
            r = write.value(f"insertelement {real} {a}, double {r}, i64 {lane.index}")
            q = write.value(f"insertelement {whole} {b}, i64 {q}, i64 {lane.index}")
        lane.next(
            write.value(f"select i1 {big}, {real} {r}, {real} {a}"),
            write.value(f"select i1 {big}, {whole} {q}, {whole} {b}"),
        )
    after = write.block
    write.jump(done)
    write.start_block(done)
    r = write.value(f"phi {real} [ {rest.text}, %{before} ], [ {lane.results[0]}, %{after} ]")
    q = write.value(f"phi {whole} [ {quarters.text}, %{before} ], [ {lane.results[1]}, %{after} ]")
    return algebra.term(r, "double"), algebra.term(q, "i64")


def _define(module: Module) -> None:
    """Write the reduction of one double of any size; that of an infinity or NaN is NaN."""
    if any(function.name == "dovetail.reduce" for function in module.functions):
        return
    words = ", ".join(f"i64 {word}" for word in _TWO_OVER_PI)
    count = len(_TWO_OVER_PI)
    module.declare(f"@dovetail.two_over_pi = internal constant [{count} x i64] [{words}], align 8")
    module.declare("declare i64 @llvm.fshl.i64(i64, i64, i64)")
    module.declare("declare i128 @llvm.ctlz.i128(i128, i1)")
    function = Function(
        module, "dovetail.reduce", [("double", "x")], "{ double, i64 }", "noinline nounwind memory(none)", private=True
    )
    algebra = Algebra(function, 1, False)
    x = algebra.term("%x", "double")
    bits = x.bits()
    mantissa = (bits & ((1 << 52) - 1)) | (1 << 52)
    exponent = ((bits >> 52) & 0x7FF) - 1075
    # x is the mantissa times two to the exponent; bits of 2/pi above weight 2**(2 - exponent) give whole turns.
    first = exponent - 2 + 64
    inside = (exponent > -33) & (exponent < 972)  # others are not large, or no numbers
    first = algebra.select(inside, first, algebra.constant(0, "i64"))
    word, shift = first >> 6, first & 63
    loaded = []
    for place in range(4):
        at = word + place
        address = function.value(f"getelementptr [{count} x i64], ptr @dovetail.two_over_pi, i64 0, i64 {at.text}")
        loaded.append(algebra.emit(f"load i64, ptr {address}, align 8", "i64"))
    window = [
        algebra.emit(f"call i64 @llvm.fshl.i64(i64 {a.text}, i64 {b.text}, i64 {shift.text})", "i64")
        for a, b in itertools.pairwise(loaded)
    ]
    wide = [algebra.cast("zext", one, "i128") for one in window]
    factor = algebra.cast("zext", mantissa, "i128")
    product = ((wide[0] * factor) << 64) + wide[1] * factor + ((wide[2] * factor) >> 64)
    quarters = (product + (1 << 125)) >> 126
    fraction = product << 2
    negative = fraction < 0
    size = algebra.select(negative, -fraction, fraction)
    zeros = algebra.emit(f"call i128 @llvm.ctlz.i128(i128 {size.text}, i1 false)", "i128")
    top = algebra.cast("trunc", (size << (zeros & 127)) >> 75, "i64")
    value = algebra.cast("sitofp", top, "double") * 1.5707963267948966
    # The 53 leading bits stand for top * 2**(-53 - zeros).
    scale = ((970 - algebra.cast("trunc", zeros, "i64")) << 52).real()
    value = value * scale
    turn = algebra.cast("trunc", quarters, "i64")
    below = bits < 0
    value = algebra.select(negative ^ below, -value, value)
    turn = algebra.select(below, -turn, turn)
    value = algebra.select(abs(x) < float("inf"), value, x - x)
    pair = function.value(f"insertvalue {{ double, i64 }} poison, double {value.text}, 0")
    pair = function.value(f"insertvalue {{ double, i64 }} {pair}, i64 {turn.text}, 1")
    function.ret(f"{{ double, i64 }} {pair}")
