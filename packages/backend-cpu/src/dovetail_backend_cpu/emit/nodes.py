"""Nodes of the kernel IR as instructions: scalars where all lanes agree, vectors where they differ."""

from __future__ import annotations

from collections.abc import Sequence

from dovetail import int64
from dovetail.kernels import (
    Apply,
    Choose,
    Constant,
    Convert,
    Dim,
    Index,
    Load,
    Local,
    Node,
    Philox,
    basis,
    is_nonnegative,
)
from dovetail_backend_cpu.emit import integers, philox, powers
from dovetail_backend_cpu.emit.algebra import Algebra, Term
from dovetail_backend_cpu.emit.arithmetic import SIMPLE
from dovetail_backend_cpu.emit.convert import convert
from dovetail_backend_cpu.emit.mathematics import call_function
from dovetail_backend_cpu.emit.memory import load
from dovetail_backend_cpu.emit.state import State
from dovetail_backend_cpu.emit.types import Value, constant, lane_numbers, register_type
from dovetail_backend_cpu.llvm.text import vector

__all__ = ["index_vector", "print_node"]


def print_node(state: State, node: Node) -> Value:
    """Print a node at the current point, unless its value is known; returns the value."""
    stack = [node]
    while stack:
        top = stack[-1]
        if state.known(top) is not None:
            stack.pop()
            continue
        # Chains are long, so operands are printed by this loop; only guarded ones recur, inside their guard.
        args = () if isinstance(top, Choose) else top.args
        missing = [arg for arg in args if state.known(arg) is None]
        if missing:
            stack += reversed(missing)
            continue
        stack.pop()
        state.define(top, _print(state, top, [_known(state, arg) for arg in args]))
    return _known(state, node)


def _known(state: State, node: Node) -> Value:
    found = state.known(node)
    assert found is not None
    return found


def _print(state: State, node: Node, args: Sequence[Value]) -> Value:
    if isinstance(node, Constant):
        return Value(constant(node.value, node.dtype))
    if isinstance(node, Load):
        return load(state, node.buffer, node.offset)
    if isinstance(node, Apply):
        return _apply(state, node, args)
    if isinstance(node, Convert):
        wide = args[0].wide
        algebra = _algebra(state, wide)
        source = node.args[0].dtype
        x = algebra.term(args[0].text, register_type(source))
        if args[0].text[0] != "%" and algebra.width > 1:
            x = algebra.term(state.widen(args[0], source), register_type(source))
        return Value(convert(algebra, state.machine, x, source, node.dtype).text, wide)
    if isinstance(node, Index):
        return _index(state, node)
    if isinstance(node, Choose):
        return _choose(state, node)
    if isinstance(node, Philox):
        return philox.print_philox(state, node, [arg.text for arg in args])
    assert isinstance(node, Local)
    raise AssertionError(f"the local {node.hint!r} has no value here")


def _algebra(state: State, wide: bool) -> Algebra:
    return Algebra(state.function, state.width if wide else 1, state.machine.fma)


def _apply(state: State, node: Apply, args: Sequence[Value]) -> Value:
    function = node.function
    if function is basis.select and not args[0].wide and (args[1].wide or args[2].wide):
        return _uniform_select(state, node, args)
    wide = any(arg.wide for arg in args)
    algebra = _algebra(state, wide)
    terms: list[Term] = []
    for arg, value in zip(node.args, args, strict=True):
        text = state.widen(value, arg.dtype) if wide else value.text
        terms.append(algebra.term(text, register_type(arg.dtype)))
    dtype = node.args[-1].dtype
    if function is basis.select:
        return Value(algebra.select(terms[0], terms[1], terms[2]).text, wide)
    if dtype.is_integer and function in (basis.floor_divide, basis.remainder):
        divisor = node.args[1]
        fixed = divisor.value if isinstance(divisor, Constant) else None
        part = integers.quotient if function is basis.floor_divide else integers.remainder
        if fixed is None or fixed == 0:
            state.fail_where(terms[1].equals(0).text, wide)
        return Value(part(algebra, dtype, terms[0], terms[1], None if fixed is None else int(fixed)).text, wide)
    if function is basis.power:
        exponent = node.args[1]
        if dtype.is_integer and not isinstance(exponent, Constant) and not dtype.is_unsigned:
            state.fail_where((terms[1] < 0).text, wide)
        if isinstance(exponent, Constant):
            if dtype.is_integer and exponent.value < 0:
                state.fail_where("true", False)
            short = powers.short_power(algebra, dtype, terms[0], exponent.value)
            if short is not None:
                return Value(short.text, wide)
    simple = SIMPLE.get(function)
    if simple is not None:
        return Value(simple(algebra, dtype, *terms).text, wide)
    return Value(call_function(algebra, state.machine, function, dtype, terms).text, wide)


def _uniform_select(state: State, node: Apply, args: Sequence[Value]) -> Value:
    type = vector(register_type(node.dtype), state.width)
    a, b = (state.widen(value, node.dtype) for value in args[1:])
    return Value(state.function.value(f"select i1 {args[0].text}, {type} {a}, {type} {b}"), True)


def index_vector(state: State, index: Dim) -> str:
    """Return an index as an i64 in each lane."""
    stride = state.indices.stride(index)
    if stride is None:
        parts = [state.indices.value(index, lane) for lane in range(state.width)]
        return state.gather(parts, "i64")
    first = state.splat(state.indices.value(index), "i64")
    if stride == 0:
        return first
    wide = vector("i64", state.width)
    steps = lane_numbers(state.width, "i64")
    if stride != 1:
        steps = state.function.value(f"mul {wide} {steps}, {state.splat(state.indices.value(stride), 'i64')}")
    return state.function.value(f"add {wide} {first}, {steps}")


def _index(state: State, node: Index) -> Value:
    wide = state.indices.varies(node.index)
    text = index_vector(state, node.index) if wide else state.indices.value(node.index)
    if text[0] != "%" and not wide:
        if node.dtype.is_floating:
            return Value(constant(int(text), node.dtype))
        return Value(text)
    algebra = _algebra(state, wide)
    return Value(convert(algebra, state.machine, algebra.term(text, "i64"), int64, node.dtype).text, wide)


# Choices. ------------------------------------------------------------------------------------------------------------


def _choose(state: State, node: Choose) -> Value:
    then, otherwise = node.args
    uniform = [one for one in node.conditions if not state.indices.varies(one) and not is_nonnegative(one)]
    varying = [one for one in node.conditions if state.indices.varies(one) and not is_nonnegative(one)]
    if uniform:
        condition = _all_hold(state, uniform)
        inner = Choose(varying, then, otherwise) if varying else then
        return _branch(state, condition, inner, otherwise, node)
    if not varying:
        return print_node(state, then)
    mask = _lane_mask(state, varying)
    with state.guarded(mask):
        first = print_node(state, then)
        first_text = state.widen(first, node.dtype)
    if isinstance(otherwise, Constant):
        second = print_node(state, otherwise)
        if isinstance(then, Load) and not otherwise.value and first.wide and state.indices.stride(then.offset) == 1:
            return first  # what a masked load does not load is zero
        second_text = state.widen(second, node.dtype)
    else:
        opposite = state.function.value(f"xor {vector('i1', state.width)} {mask}, splat (i1 true)")
        with state.guarded(opposite):
            second_text = state.widen(print_node(state, otherwise), node.dtype)
    type = vector(register_type(node.dtype), state.width)
    text = f"select {vector('i1', state.width)} {mask}, {type} {first_text}, {type} {second_text}"
    return Value(state.function.value(text), True)


def _all_hold(state: State, conditions: Sequence[Dim]) -> str:
    result = ""
    for condition in conditions:
        one = state.function.value(f"icmp sge i64 {state.indices.value(condition)}, 0")
        result = state.function.value(f"and i1 {result}, {one}") if result else one
    return result


def _lane_mask(state: State, conditions: Sequence[Dim]) -> str:
    result: str | None = None
    for condition in conditions:
        stride = state.indices.stride(condition)
        if stride in (1, -1):
            one = _boundary(state, condition, upward=stride == 1)
        else:
            wide = vector("i64", state.width)
            one = state.function.value(f"icmp sge {wide} {index_vector(state, condition)}, zeroinitializer")
        result = state.both(one, result)
    assert result is not None
    return result


def _boundary(state: State, condition: Dim, *, upward: bool) -> str:
    """Return where an index that grows or falls by one from lane to lane is at least 0, by comparing 32 bits."""
    first = state.indices.value(condition)
    call, type = state.function.call, f"<{state.width} x i32>"
    if upward:
        first = state.function.value(f"sub i64 0, {first}")
    limited = call("i64", "llvm.smax.i64", f"i64 {first}", f"i64 {0 if upward else -1}")
    limited = call("i64", "llvm.smin.i64", f"i64 {limited}", f"i64 {state.width}")
    limit = state.splat(state.function.value(f"trunc i64 {limited} to i32"), "i32")
    predicate = "sge" if upward else "sle"
    return state.function.value(f"icmp {predicate} {type} {lane_numbers(state.width)}, {limit}")


def _is_plain(node: Node) -> bool:
    return isinstance(node, Constant | Local)


def _branch(state: State, condition: str, then: Node, otherwise: Node, node: Choose) -> Value:
    """Print both sides under a branch; one that is known already needs none."""
    write = state.function
    if (_is_plain(then) or state.known(then) is not None) and (
        _is_plain(otherwise) or state.known(otherwise) is not None
    ):
        a, b = print_node(state, then), print_node(state, otherwise)
        wide = a.wide or b.wide
        width = state.width if wide else 1
        texts = [state.widen(one, node.dtype) if wide else one.text for one in (a, b)]
        type = vector(register_type(node.dtype), width)
        return Value(write.value(f"select i1 {condition}, {type} {texts[0]}, {type} {texts[1]}"), wide)
    one, other, done = write.fresh("chosen"), write.fresh("else"), write.fresh("done")
    write.do(f"br i1 {condition}, label %{one}, label %{other}")
    ends, values, places = [], [], []
    for label, side in ((one, then), (other, otherwise)):
        write.start_block(label)
        with state.region():
            value = print_node(state, side)
            values.append(value)
            # Whether the joined value is wide shows only when both sides are printed.
            places.append(state.widen(value, node.dtype) if state.width > 1 else value.text)
        ends.append(write.block)
        write.jump(done)
    write.start_block(done)
    wide = values[0].wide or values[1].wide
    texts = places if wide else [value.text for value in values]
    type = vector(register_type(node.dtype), state.width if wide else 1)
    return Value(write.value(f"phi {type} [ {texts[0]}, %{ends[0]} ], [ {texts[1]}, %{ends[1]} ]"), wide)
