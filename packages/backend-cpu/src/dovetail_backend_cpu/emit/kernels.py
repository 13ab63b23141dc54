"""A kernel as a module: the function with its arguments, its private memory, and its share of the parallel loop."""

from __future__ import annotations

from collections.abc import Sequence

from dovetail.kernels import Buffer, Dim, Kernel, Loop, Symbol, ceil_div, lower_bound
from dovetail_backend_cpu.emit.state import State
from dovetail_backend_cpu.emit.statements import print_statements
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Function, Module

__all__ = ["kernel_module", "kernel_scratch"]

_ALIGNMENT = 64


def kernel_module(kernel: Kernel, name: str, machine: Machine) -> Module:
    """Print a kernel as the function ``name(frame, slots, thread, threads)``.

    The words of the frame that the slots name are its buffers but for scratch ones, then its sizes. The frame's word 0
    points to the status, to which a failure stores 1, its word 1 to private memory of ``kernel_scratch`` bytes.
    """
    module = Module()
    parameters = [("ptr", "frame"), ("ptr", "slots"), ("i64", "thread"), ("i64", "threads")]
    function = Function(module, name, parameters, attributes="nounwind")
    status = function.value("load ptr, ptr %frame, align 8")
    handed = [buffer for buffer in kernel.buffers if buffer.role != "scratch"]
    pointers = {buffer: _argument(function, "ptr", place) for place, buffer in enumerate(handed)}
    sizes = {symbol: _argument(function, "i64", len(handed) + place) for place, symbol in enumerate(kernel.sizes)}
    private = [buffer for buffer in kernel.buffers if buffer.role == "scratch"]
    pointers.update(dict.fromkeys(private, ""))
    state = State(function, machine, pointers, sizes, status)
    with state.scope(sizes):
        _carve(state, private, pointers)
        body = kernel.body
        if len(body) == 1 and isinstance(body[0], Loop) and body[0].kind == "parallel":
            _print_parallel(state, body[0])
        else:
            print_statements(state, body)
    function.ret()
    return module


def kernel_scratch(kernel: Kernel) -> Dim:
    """Return how many bytes of private memory a kernel needs for its scratch buffers."""
    total: Dim = 0
    for buffer in kernel.buffers:
        if buffer.role == "scratch":
            total = total + _room(buffer)
    return total


def _room(buffer: Buffer) -> Dim:
    return _ALIGNMENT * ceil_div(buffer.size * buffer.dtype.size, _ALIGNMENT)


def _argument(function: Function, type: str, place: int) -> str:
    address = function.value(f"getelementptr inbounds i32, ptr %slots, i64 {place}")
    slot = function.value(f"load i32, ptr {address}, align 4")
    wide = function.value(f"sext i32 {slot} to i64")
    word = function.value(f"getelementptr inbounds i64, ptr %frame, i64 {wide}")
    return function.value(f"load {type}, ptr {word}, align 8")


def _carve(state: State, buffers: Sequence[Buffer], pointers: dict[Buffer, str]) -> None:
    """Give each scratch buffer its place in the private memory."""
    if not buffers:
        return
    function = state.function
    where = function.value("getelementptr inbounds i64, ptr %frame, i64 1")
    memory = function.value(f"load ptr, ptr {where}, align 8")
    offset: Dim = 0
    for buffer in buffers:
        pointers[buffer] = function.value(f"getelementptr i8, ptr {memory}, i64 {state.indices.value(offset)}")
        offset = offset + _room(buffer)


def _print_parallel(state: State, loop: Loop) -> None:
    """Print a thread's range of the flattened loop: its start is found by division, the rest by counting."""
    function = state.function
    extents = [state.indices.value(extent) for _, extent in loop.variables]
    total = extents[0]
    for extent in extents[1:]:
        total = function.value(f"mul nsw i64 {total}, {extent}")
    share = function.value(f"udiv i64 {total}, %threads")
    rest = function.value(f"urem i64 {total}, %threads")
    start = _share_start(function, share, rest, "%thread")
    stop = _share_start(function, share, rest, function.value("add nsw i64 %thread, 1"))
    if len(loop.variables) == 1:
        with function.loop(start, stop) as counter, state.scope({loop.variables[0][0]: counter.index}):
            print_statements(state, loop.body)
        return
    first = _digits(function, start, loop.variables, extents)
    with function.loop(start, stop, carried=[("i64", digit) for digit in first]) as counter:
        symbols = [symbol for symbol, _ in loop.variables]
        with state.scope(dict(zip(symbols, counter.carried, strict=True))):
            print_statements(state, loop.body)
        counter.next(*_stepped(function, counter.carried, extents))


def _share_start(function: Function, share: str, rest: str, thread: str) -> str:
    extra = function.call("i64", "llvm.umin.i64", f"i64 {thread}", f"i64 {rest}")
    return function.value(f"add nsw i64 {function.value(f'mul nsw i64 {thread}, {share}')}, {extra}")


def _digits(
    function: Function, count: str, variables: Sequence[tuple[Symbol, Dim]], extents: Sequence[str]
) -> list[str]:
    """Return the values of the variables in an iteration of the flattened loop."""
    result: list[str] = []
    for (_, extent), text in zip(reversed(variables[1:]), reversed(extents[1:]), strict=True):
        divisor = text
        if (lower_bound(extent) or 0) < 1:  # then there are no iterations, but this is computed before that is known
            divisor = function.call("i64", "llvm.umax.i64", f"i64 {text}", "i64 1")
        result.append(function.value(f"urem i64 {count}, {divisor}"))
        count = function.value(f"udiv i64 {count}, {divisor}")
    return [count, *reversed(result)]


def _stepped(function: Function, digits: Sequence[str], extents: Sequence[str]) -> list[str]:
    """Return the values of the variables in the next iteration, like an odometer."""
    result: list[str] = []
    carry = "1"
    for digit, extent in zip(reversed(digits[1:]), reversed(extents[1:]), strict=True):
        more = function.value(f"add nsw i64 {digit}, {carry}")
        full = function.value(f"icmp eq i64 {more}, {extent}")
        result.append(function.value(f"select i1 {full}, i64 0, i64 {more}"))
        carry = function.value(f"zext i1 {full} to i64")
    return [function.value(f"add nsw i64 {digits[0]}, {carry}"), *reversed(result)]
