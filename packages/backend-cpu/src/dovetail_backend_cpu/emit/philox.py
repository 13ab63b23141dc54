"""Philox 4x32-10 in lanes; ``dovetail.ops.philox`` defines the bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dovetail.kernels import Philox
from dovetail_backend_cpu.emit.algebra import Algebra, Term
from dovetail_backend_cpu.emit.state import State
from dovetail_backend_cpu.emit.types import Value, lane_numbers
from dovetail_backend_cpu.llvm.text import Function, Module, vector

__all__ = ["print_philox"]

_ROUNDS: Final = 10
_MULTIPLIERS: Final = (0xD2511F53, 0xCD9E8D57)
_WEYL: Final = (0x9E3779B9, 0xBB67AE85)
_LOW: Final = 0xFFFFFFFF
_GOLDEN: Final = 0x9E3779B97F4A7C15


def print_philox(state: State, node: Philox, args: Sequence[str]) -> Value:
    """Print the random word of a position, or of one in each lane; ``args`` are scalars."""
    scalar = Algebra(state.function, 1, state.machine.fma)
    key, execution, *loops = (scalar.term(text, "i64") for text in args)
    mixed = execution >> 32
    for index in loops:
        mixed = _mix64(mixed + (index + 1) * _wrapped(_GOLDEN))
    uniform = [scalar.cast("trunc", one, "i32") for one in (key, key >> 32, execution, mixed, mixed >> 32)]
    if state.indices.varies(node.position):
        if state.indices.stride(node.position) == 1:
            return Value(_neighbours(state, node, uniform), True)
        parts = [state.indices.value(node.position, lane) for lane in range(state.width)]
        return Value(_strewn(state, node, state.gather(parts, "i64"), uniform, state.width), True)
    return Value(_strewn(state, node, state.indices.value(node.position), uniform, 1))


def _strewn(state: State, node: Philox, position: str, uniform: Sequence[Term], width: int) -> str:
    """Print words from any positions: each lane computes its block, and takes one word of it or two."""
    algebra = Algebra(state.function, width, state.machine.fma)
    spread = [algebra.term(state.splat(one.text, "i32") if width > 1 else one.text, "i32") for one in uniform]
    at = algebra.term(position, "i64")
    double = node.dtype.size == 8
    words = _words(algebra, at >> (1 if double else 2), spread)
    if double:
        first = (at & 1).equals(0)
        low = algebra.select(first, words[0], words[2])
        high = algebra.select(first, words[1], words[3])
        return (algebra.cast("zext", low, "i64") | (algebra.cast("zext", high, "i64") << 32)).text
    which = algebra.cast("trunc", at, "i32") & 3
    even = (which & 1).equals(0)
    low = algebra.select(even, words[0], words[1])
    high = algebra.select(even, words[2], words[3])
    return algebra.select(which.compare("ult", 2), low, high).text


# Neighbours share blocks. --------------------------------------------------------------------------------------------


def _neighbours(state: State, node: Philox, uniform: Sequence[Term]) -> str:
    """Print neighbouring words: as many blocks as it takes, by a function of the module."""
    write = state.function
    position, count = state.indices.value(node.position), state.width
    double = node.dtype.size == 8
    if double:  # two words each, the low one first
        position, count = write.value(f"shl i64 {position}, 1"), 2 * count
    whole = max(count, 4)
    _define(write.module, whole, state.machine.fma)
    listed = ", ".join(["i64 " + position, *(f"i32 {one.text}" for one in uniform)])
    words = write.value(f"call <{whole} x i32> @dovetail.philox.{whole}({listed})")
    if whole > count:
        order = ", ".join(f"i32 {lane}" for lane in range(count))
        words = write.value(f"shufflevector <{whole} x i32> {words}, <{whole} x i32> poison, <{count} x i32> <{order}>")
    return write.value(f"bitcast <{count} x i32> {words} to <{count // 2} x i64>") if double else words


def _define(module: Module, count: int, fused: bool) -> None:
    """Write the function that returns ``count`` words from a position on; one block more where that is within one."""
    name = f"dovetail.philox.{count}"
    if any(function.name == name for function in module.functions):
        return
    names = ("k0", "k1", "execution", "mixed", "mixed_high")
    parameters = [("i64", "position"), *(("i32", one) for one in names)]
    write = Function(module, name, parameters, f"<{count} x i32>", "noinline nounwind memory(none)", private=True)
    room = write.value(f"alloca [{count + 4} x i32], align 64")
    one = Algebra(write, 1, fused)
    scalars = [one.term(f"%{name}", "i32") for name in names]
    first = one.term("%position", "i64") >> 2
    offset = one.term("%position", "i64") & 3
    blocks = count // 4
    algebra = Algebra(write, blocks, fused)
    spread = [_splat(write, scalar.text, "i32", blocks) for scalar in scalars]
    counters = algebra.term(_splat(write, first.text, "i64", blocks), "i64")
    if blocks > 1:
        counters = counters + algebra.term(lane_numbers(blocks, "i64"), "i64")
    words = _words(algebra, counters, [algebra.term(text, "i32") for text in spread])
    joined = _interleaved(write, [word.text for word in words], blocks)
    aligned, shifted, done = write.fresh("aligned"), write.fresh("shifted"), write.fresh("done")
    write.do(f"br i1 {offset.equals(0).text}, label %{aligned}, label %{shifted}")
    write.start_block(aligned)
    write.jump(done)
    write.start_block(shifted)
    write.do(f"store <{count} x i32> {joined}, ptr {room}, align 64")
    for place, word in enumerate(_words(one, first + blocks, scalars)):
        address = write.value(f"getelementptr i32, ptr {room}, i64 {count + place}")
        write.do(f"store i32 {word.text}, ptr {address}, align 4")
    address = write.value(f"getelementptr i32, ptr {room}, i64 {offset.text}")
    moved = write.value(f"load <{count} x i32>, ptr {address}, align 4")
    end = write.block
    write.jump(done)
    write.start_block(done)
    result = write.value(f"phi <{count} x i32> [ {joined}, %{aligned} ], [ {moved}, %{end} ]")
    write.ret(f"<{count} x i32> {result}")


def _splat(write: Function, text: str, type: str, width: int) -> str:
    if width == 1:
        return text
    wide = f"<{width} x {type}>"
    one = write.value(f"insertelement {wide} poison, {type} {text}, i64 0")
    return write.value(f"shufflevector {wide} {one}, {wide} poison, <{width} x i32> zeroinitializer")


def _interleaved(write: Function, words: Sequence[str], blocks: int) -> str:
    """Return the first words of all blocks, the second, third and fourth ones as one vector, block by block."""
    if blocks == 1:
        joined = "poison"
        for lane, word in enumerate(words):
            joined = write.value(f"insertelement <4 x i32> {joined}, i32 {word}, i64 {lane}")
        return joined
    wide, order = f"<{blocks} x i32>", ", ".join(f"i32 {lane}" for lane in range(2 * blocks))
    pairs = [
        write.value(f"shufflevector {wide} {a}, {wide} {b}, <{2 * blocks} x i32> <{order}>")
        for a, b in (words[:2], words[2:])
    ]
    places = ", ".join(f"i32 {word * blocks + block}" for block in range(blocks) for word in range(4))
    half = f"<{2 * blocks} x i32>"
    return write.value(f"shufflevector {half} {pairs[0]}, {half} {pairs[1]}, <{4 * blocks} x i32> <{places}>")


def _words(algebra: Algebra, block: Term, uniform: Sequence[Term]) -> list[Term]:
    """Return the four words of a block; ``uniform`` are key low, high, execution low, mixed low, high.

    Words live in the low halves of 64 bits, above them is anything: so a product is one instruction that gives both
    of its halves where they are needed.
    """
    k0, k1, c2, c3, mixed_high = (algebra.cast("zext", one, "i64") for one in uniform)
    c0, c1 = block, (block >> 32) ^ mixed_high
    wide = vector("i64", algebra.width)
    write = algebra.function
    write.module.declare('!8000 = !{!"llvm.loop.unroll.disable"}')
    write.module.declare("!8001 = distinct !{!8001, !8000}")
    # A loop, for ten rounds in a row are ten times as long to compile.
    carried = [(wide, one.text) for one in (c0, c1, c2, c3, k0, k1)]
    with write.loop("0", str(_ROUNDS), 1, carried, metadata=", !llvm.loop !8001", at_least_once=True) as rounds:
        c0, c1, c2, c3, k0, k1 = (algebra.term(text, "i64") for text in rounds.carried)
        first = (c0 & _LOW) * _MULTIPLIERS[0]
        second = (c2 & _LOW) * _MULTIPLIERS[1]
        later = ((second >> 32) ^ c1 ^ k0, second, (first >> 32) ^ c3 ^ k1, first, k0 + _WEYL[0], k1 + _WEYL[1])
        rounds.next(*(one.text for one in later))
    return [algebra.cast("trunc", algebra.term(text, "i64"), "i32") for text in rounds.results[:4]]


def _mix64(value: Term) -> Term:
    value = (value ^ (value >> 30)) * _wrapped(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> 27)) * _wrapped(0x94D049BB133111EB)
    return value ^ (value >> 31)


def _wrapped(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
