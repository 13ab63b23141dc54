"""Philox 4x32-10 in lanes; ``dovetail.ops.philox`` defines the bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dovetail.compiler.kernels.ir import Philox
from dovetail_backend_cpu.emit.algebra import Algebra, Term
from dovetail_backend_cpu.emit.state import State
from dovetail_backend_cpu.emit.types import Value, lane_numbers

__all__ = ["print_philox"]

_ROUNDS: Final = 10
_MULTIPLIERS: Final = (0xD2511F53, 0xCD9E8D57)
_WEYL: Final = (0x9E3779B9, 0xBB67AE85)
_GOLDEN: Final = 0x9E3779B97F4A7C15


def print_philox(state: State, node: Philox, args: Sequence[str]) -> Value:
    """Print the random word of a position, or of one in each lane; ``args`` are scalars."""
    scalar = Algebra(state.function, 1, state.machine.fma)
    key, execution, *loops = (scalar.term(text, "i64") for text in args)
    mixed = execution >> 32
    for index in loops:
        mixed = _mix64(mixed + (index + 1) * _wrapped(_GOLDEN))
    uniform = [scalar.cast("trunc", one, "i32") for one in (key, key >> 32, execution, mixed, mixed >> 32)]
    wide = state.indices.varies(node.position)
    algebra = Algebra(state.function, state.width if wide else 1, state.machine.fma)
    spread = [algebra.term(state.splat(one.text, "i32") if wide else one.text, "i32") for one in uniform]
    position = algebra.term(_position(state, node, wide), "i64")
    double = node.dtype.size == 8
    words = _words(algebra, position >> (1 if double else 2), spread)
    if not double:
        which = algebra.cast("trunc", position, "i32") & 3
        low = algebra.select((which & 1).equals(0), words[0], words[1])
        high = algebra.select((which & 1).equals(0), words[2], words[3])
        return Value(algebra.select(which.compare("ult", 2), low, high).text, wide)
    first = (position & 1).equals(0)
    low = algebra.select(first, words[0], words[2])
    high = algebra.select(first, words[1], words[3])
    return Value((algebra.cast("zext", low, "i64") | (algebra.cast("zext", high, "i64") << 32)).text, wide)


def _position(state: State, node: Philox, wide: bool) -> str:
    if not wide:
        return state.indices.value(node.position)
    if state.indices.stride(node.position) == 1:
        first = state.splat(state.indices.value(node.position), "i64")
        return state.function.value(f"add <{state.width} x i64> {first}, {lane_numbers(state.width, 'i64')}")
    parts = [state.indices.value(node.position, lane) for lane in range(state.width)]
    return state.gather(parts, "i64")


def _words(algebra: Algebra, block: Term, uniform: Sequence[Term]) -> list[Term]:
    """Return the four words of a block; ``uniform`` are key low, high, execution low, mixed low, high."""
    k0, k1, execution, mixed, mixed_high = uniform
    c0 = algebra.cast("trunc", block, "i32")
    c1 = algebra.cast("trunc", block >> 32, "i32") ^ mixed_high
    c2, c3 = execution, mixed
    for number in range(_ROUNDS):
        if number:
            k0, k1 = k0 + _signed(_WEYL[0]), k1 + _signed(_WEYL[1])
        high0, low0 = _product(algebra, c0, _MULTIPLIERS[0])
        high1, low1 = _product(algebra, c2, _MULTIPLIERS[1])
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
    return [c0, c1, c2, c3]


def _product(algebra: Algebra, x: Term, multiplier: int) -> tuple[Term, Term]:
    product = algebra.cast("zext", x, "i64") * multiplier
    return algebra.cast("trunc", product >> 32, "i32"), algebra.cast("trunc", product, "i32")


def _mix64(value: Term) -> Term:
    value = (value ^ (value >> 30)) * _wrapped(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> 27)) * _wrapped(0x94D049BB133111EB)
    return value ^ (value >> 31)


def _wrapped(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value
