"""Loads and stores: scalars, vectors of neighbours, and lanes one by one where their places are strewn."""

from __future__ import annotations

from collections.abc import Callable

from dovetail import DType
from dovetail.kernels import Buffer, Dim
from dovetail_backend_cpu.emit.state import State
from dovetail_backend_cpu.emit.types import Value, memory_type, register_type
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import vector

__all__ = ["has_masks", "load", "store"]


def has_masks(machine: Machine, size: int) -> bool:
    """Tell whether the machine loads and stores vectors of elements of ``size`` bytes under a mask."""
    return machine.isa == "avx512" or (machine.isa == "avx2" and size >= 4)


def load(state: State, buffer: Buffer, offset: Dim) -> Value:
    """Print a load of an element, or of one for each lane."""
    type = memory_type(buffer.dtype)
    if not state.indices.varies(offset):
        address = _chosen(state, buffer, offset, state.zeros, uniform=True)
        return _loaded(state, buffer, f"load {type}, ptr {address}", wide=False)
    stride = state.indices.stride(offset)
    guarded = state.guard is not None
    if stride == 1 and (not guarded or has_masks(state.machine, buffer.dtype.size)):
        wide = vector(type, state.width)
        address = _chosen(state, buffer, offset, state.zeros, uniform=False)
        if not guarded:
            return _loaded(state, buffer, f"load {wide}, ptr {address}", wide=True)
        return _loaded(state, buffer, _masked_load(state, type, address), wide=True, intrinsic=True)
    if stride == -1 and not guarded and state.sound(offset) is None:
        wide = vector(type, state.width)
        address = _address(state, buffer, offset, state.width - 1)
        order = ", ".join(f"i32 {lane}" for lane in reversed(range(state.width)))
        text = f"load {wide}, ptr {address}, align {buffer.dtype.size}{state.alias(buffer)}"
        value = state.function.value(text)
        value = state.function.value(f"shufflevector {wide} {value}, {wide} poison, <{state.width} x i32> <{order}>")
        return Value(_to_register(state, buffer.dtype, value, wide=True), True)
    parts = [
        _loaded(state, buffer, f"load {type}, ptr {address}", wide=False).text
        for address in _lane_addresses(state, buffer, offset, state.zeros)
    ]
    return Value(state.gather(parts, register_type(buffer.dtype)), True)


def store(state: State, buffer: Buffer, offset: Dim, value: Value) -> None:
    """Print a store of an element, or of one for each lane."""
    if not state.indices.varies(offset):
        text = state.lane(value.text, register_type(buffer.dtype), 0) if value.wide else value.text
        text = _to_memory(state, buffer.dtype, text, wide=False)
        address = _chosen(state, buffer, offset, state.spare, uniform=True)
        _store(state, buffer, text, address, wide=False)
        return
    stride = state.indices.stride(offset)
    guarded = state.guard is not None
    text = _to_memory(state, buffer.dtype, state.widen(value, buffer.dtype), wide=True)
    if stride == 1 and (not guarded or has_masks(state.machine, buffer.dtype.size)):
        address = _chosen(state, buffer, offset, state.spare, uniform=False)
        if guarded:
            _masked_store(state, buffer, text, address)
        else:
            _store(state, buffer, text, address, wide=True)
        return
    type = memory_type(buffer.dtype)
    for lane, address in enumerate(_lane_addresses(state, buffer, offset, state.spare)):
        _store(state, buffer, state.lane(text, type, lane), address, wide=False)


def _address(state: State, buffer: Buffer, offset: Dim, lane: int = 0) -> str:
    type = memory_type(buffer.dtype)
    index = state.indices.value(offset, lane)
    if index == "0":
        return state.pointers[buffer]
    return state.function.value(f"getelementptr {type}, ptr {state.pointers[buffer]}, i64 {index}")


def _chosen(state: State, buffer: Buffer, offset: Dim, otherwise: Callable[[], str], *, uniform: bool) -> str:
    """Return the address of an element, or other memory where nothing there may be touched."""
    address = _address(state, buffer, offset)
    sound = state.sound(offset)
    if uniform and state.guard is not None and not state.sure:
        some = state.any_lane(state.guard)
        sound = some if sound is None else state.function.value(f"and i1 {sound}, {some}")
    if sound is None:
        return address
    return state.function.value(f"select i1 {sound}, ptr {address}, ptr {otherwise()}")


def _lane_addresses(state: State, buffer: Buffer, offset: Dim, otherwise: Callable[[], str]) -> list[str]:
    """Return the address of each lane's element; lanes without a part get other memory."""
    stride = state.indices.stride(offset)
    type = memory_type(buffer.dtype)
    sound = state.sound(offset)
    first = _address(state, buffer, offset)
    result = []
    for lane in range(state.width):
        if lane == 0:
            address = first
        elif isinstance(stride, int):
            address = state.function.value(f"getelementptr {type}, ptr {first}, i64 {lane * stride}")
        else:
            address = _address(state, buffer, offset, lane)
        if state.guard is not None:
            part = state.lane(state.guard, "i1", lane)
            part = part if sound is None else state.function.value(f"and i1 {part}, {sound}")
            address = state.function.value(f"select i1 {part}, ptr {address}, ptr {otherwise()}")
        elif sound is not None:
            address = state.function.value(f"select i1 {sound}, ptr {address}, ptr {otherwise()}")
        result.append(address)
    return result


def _loaded(state: State, buffer: Buffer, text: str, *, wide: bool, intrinsic: bool = False) -> Value:
    align = "" if intrinsic else f", align {buffer.dtype.size}"
    value = state.function.value(f"{text}{align}{state.alias(buffer)}")
    return Value(_to_register(state, buffer.dtype, value, wide=wide), wide)


def _mangled(type: str, width: int) -> str:
    return f"v{width}{ {'float': 'f32', 'double': 'f64'}.get(type, type) }"


def _masked_load(state: State, type: str, address: str) -> str:
    wide, mask = vector(type, state.width), vector("i1", state.width)
    name = f"llvm.masked.load.{_mangled(type, state.width)}.p0"
    size = {"float": 4, "double": 8}.get(type) or int(type[1:]) // 8
    state.function.module.declare(f"declare {wide} @{name}(ptr, i32, {mask}, {wide})")
    return f"call {wide} @{name}(ptr {address}, i32 {size}, {mask} {state.guard}, {wide} zeroinitializer)"


def _masked_store(state: State, buffer: Buffer, text: str, address: str) -> None:
    type = memory_type(buffer.dtype)
    wide, mask = vector(type, state.width), vector("i1", state.width)
    name = f"llvm.masked.store.{_mangled(type, state.width)}.p0"
    state.function.module.declare(f"declare void @{name}({wide}, ptr, i32, {mask})")
    state.function.do(
        f"call void @{name}({wide} {text}, ptr {address}, i32 {buffer.dtype.size}, {mask} {state.guard})"
        f"{state.alias(buffer)}"
    )


def _store(state: State, buffer: Buffer, text: str, address: str, *, wide: bool) -> None:
    type = vector(memory_type(buffer.dtype), state.width if wide else 1)
    state.function.do(f"store {type} {text}, ptr {address}, align {buffer.dtype.size}{state.alias(buffer)}")


def _to_register(state: State, dtype: DType, text: str, *, wide: bool) -> str:
    if not dtype.is_bool:
        return text
    width = state.width if wide else 1
    zero = "zeroinitializer" if width > 1 else "0"
    return state.function.value(f"icmp ne {vector('i8', width)} {text}, {zero}")


def _to_memory(state: State, dtype: DType, text: str, *, wide: bool) -> str:
    if not dtype.is_bool:
        return text
    width = state.width if wide else 1
    return state.function.value(f"zext {vector('i1', width)} {text} to {vector('i8', width)}")
