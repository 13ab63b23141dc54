"""``ElfLinker``: links the objects that LLVM makes for Linux on x86-64 without LLVM.

What is compiled here has one section of code and some of constants, and refers to little beyond itself; linking it is
a page of arithmetic. LLVM's library, for that alone, would take a tenth of a second and 100 MB in every process whose
code is in the cache. The format: System V Application Binary Interface, AMD64 supplement, chapter 4.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import struct
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, final

from dovetail.errors import DovetailError

__all__ = ["ElfLinker"]

_PROGBITS, _SYMTAB, _RELA, _NOBITS = 1, 2, 4, 8
_WRITE, _ALLOC = 1, 2
_ABSOLUTE_64, _RELATIVE_32, _CALL_32, _GOT_32, _RELATIVE_64, _GOT_32_RELAXED, _GOT_32_REX = 1, 2, 4, 9, 24, 41, 42
_JUMP: Final = bytes.fromhex("ff2502000000 6690")
"""``jmp *2(%rip)``, filled up to eight bytes, after which the address stands."""
_STUB: Final = 16


class _Section(NamedTuple):
    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int


class _Symbol(NamedTuple):
    name: str
    section: int
    value: int


@final
class _Object:
    """An object file, taken apart, and where its sections go."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        (start,) = struct.unpack_from("<Q", data, 0x28)
        size, count = struct.unpack_from("<HH", data, 0x3A)
        self.sections = [
            _Section(kind, flags, offset, length, link, info, alignment)
            for _, kind, flags, _, offset, length, link, info, alignment, _ in (
                struct.unpack_from("<IIQQQQIIQQ", data, start + size * number) for number in range(count)
            )
        ]
        self.symbols: list[_Symbol] = []
        for section in self.sections:
            if section.kind == _SYMTAB:
                self.symbols = self._symbols(section)
        self.places: dict[int, int] = {}

    def _symbols(self, table: _Section) -> list[_Symbol]:
        names = self.sections[table.link].offset
        found = []
        for offset in range(table.offset, table.offset + table.size, 24):
            name, _, _, section, value, _ = struct.unpack_from("<IBBHQQ", self.data, offset)
            begin = names + name
            found.append(_Symbol(self.data[begin : self.data.index(b"\0", begin)].decode(), section, value))
        return found

    def place(self, end: int) -> int:
        """Give each section that is needed at run time a place at ``end`` or after it; returns the new end."""
        for number, section in enumerate(self.sections):
            if section.flags & _ALLOC and section.kind in (_PROGBITS, _NOBITS):
                if section.flags & _WRITE:
                    raise DovetailError("compiled code has variables of its own, which are not linked.")
                end += -end % max(section.alignment, 1)
                self.places[number] = end
                end += section.size
        return end


@final
class ElfLinker:
    """Links object files into this process, for good.

    Args:
        known: addresses of functions by name; others are looked up among the libraries of the process.
    """

    def __init__(self, known: Mapping[str, int]) -> None:
        """Begin with no objects."""
        self._known = known
        self._waiting: list[_Object] = []
        self._addresses: dict[str, int] = {}

    def add(self, data: bytes) -> None:
        """Take an object file, to be linked when the address of a function is first wanted."""
        self._waiting.append(_Object(data))

    def address(self, name: str) -> int:
        """Return the address of a function of the objects that were added."""
        if self._waiting:
            objects, self._waiting = self._waiting, []
            self._link(objects)
        return self._addresses[name]

    def _link(self, objects: Sequence[_Object]) -> None:
        end = 0
        for one in objects:
            end = one.place(end)
        end += -end % _STUB
        strange = dict.fromkeys(
            symbol.name for one in objects for symbol in one.symbols if symbol.section == 0 and symbol.name
        )
        stubs = {name: end + _STUB * number for number, name in enumerate(strange)}
        image = bytearray(end + _STUB * len(stubs))
        for name, place in stubs.items():
            image[place : place + _STUB] = _JUMP + struct.pack("<Q", self._known.get(name) or _library_address(name))
        base = _allocate(len(image))
        for one in objects:
            self._fill(image, base, one, stubs)
        _seal(base, image)
        for one in objects:
            for symbol in one.symbols:
                if symbol.section in one.places and symbol.name:
                    self._addresses[symbol.name] = base + one.places[symbol.section] + symbol.value

    def _fill(self, image: bytearray, base: int, one: _Object, stubs: Mapping[str, int]) -> None:
        """Copy the sections of an object to their places and put in what they refer to."""
        for number, place in one.places.items():
            section = one.sections[number]
            if section.kind == _PROGBITS:
                image[place : place + section.size] = one.data[section.offset : section.offset + section.size]
        for section in one.sections:
            if section.kind != _RELA or section.info not in one.places:
                continue
            target = one.places[section.info]
            for offset in range(section.offset, section.offset + section.size, 24):
                where, info, addend = struct.unpack_from("<QQq", one.data, offset)
                symbol, kind = one.symbols[info >> 32], info & 0xFFFFFFFF
                place = target + where
                got = kind in (_GOT_32, _GOT_32_RELAXED, _GOT_32_REX)
                if symbol.section in one.places and not got:
                    value = one.places[symbol.section] + symbol.value + addend
                elif symbol.name in stubs and (got or kind in (_CALL_32, _RELATIVE_32)):
                    value = stubs[symbol.name] + 8 * got + addend
                else:
                    kind = -1
                if kind == _ABSOLUTE_64:
                    struct.pack_into("<Q", image, place, base + value)
                elif kind == _RELATIVE_64:
                    struct.pack_into("<q", image, place, value - place)
                elif kind in (_RELATIVE_32, _CALL_32) or got:
                    struct.pack_into("<i", image, place, value - place)
                else:
                    raise DovetailError(f"compiled code refers to {symbol.name!r} in a way that is not linked.")


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    library.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return library


def _library_address(name: str) -> int:
    try:
        function = _library()[name]
    except AttributeError:
        raise DovetailError(f"compiled code calls {name!r}, which no library of this process has.") from None
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _allocate(size: int) -> int:
    """Return pages that can be written; they are never given back, for threads may be in them to the end."""
    protection, flags = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    address = _library().mmap(None, size, protection, flags, -1, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        raise MemoryError(f"the system has no {size} bytes for compiled code: errno {ctypes.get_errno()}.")
    return int(address)


def _seal(address: int, image: bytearray) -> None:
    """Write code, after which it can be run and no longer written."""
    ctypes.memmove(address, (ctypes.c_char * len(image)).from_buffer(image), len(image))
    if _library().mprotect(address, len(image), mmap.PROT_READ | mmap.PROT_EXEC):
        raise DovetailError(f"the system does not let code be run that was compiled: errno {ctypes.get_errno()}.")
