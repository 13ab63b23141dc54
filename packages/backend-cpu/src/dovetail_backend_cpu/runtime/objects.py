"""``new_linker``: makes what links object files into this process."""

from __future__ import annotations

import atexit
import platform
import sys
from typing import Any, Final, Protocol, final

from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.runtime.elf import ElfLinker

__all__ = ["Linker", "add_symbol", "new_linker"]

_symbols: Final[dict[str, int]] = {}
_engines: Final[list[Any]] = []


class Linker(Protocol):
    """Links object files into this process, for good: code is never taken back, for threads may be in it."""

    def add(self, data: bytes) -> None:
        """Link an object file."""

    def address(self, name: str) -> int:
        """Return the address of a function of the objects that were added."""


def add_symbol(name: str, address: int) -> None:
    """Give objects that are linked later the address of a function."""
    _symbols[name] = address


def new_linker(machine: Machine) -> Linker:
    """Return a linker that has no objects yet: our own where it knows the format, else LLVM's."""
    if sys.platform == "linux" and platform.machine() == "x86_64":
        return ElfLinker(_symbols)
    return LLVMLinker(machine)


@final
class LLVMLinker:
    """Links by LLVM, for all platforms."""

    def __init__(self, machine: Machine) -> None:
        """Begin with no objects."""
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        for name, address in _symbols.items():
            llvm.add_symbol(name, address)
        target = llvm.Target.from_triple(machine.triple).create_target_machine(
            cpu=machine.cpu, features=machine.features, reloc="pic", codemodel="small"
        )
        empty = llvm.parse_assembly("")
        empty.triple = machine.triple
        self._engine = llvm.create_mcjit_compiler(empty, target)
        _engines.append(self._engine)

    def add(self, data: bytes) -> None:
        """Link an object file."""
        import llvmlite.binding as llvm

        self._engine.add_object_file(llvm.ObjectFileRef.from_data(data))

    def address(self, name: str) -> int:
        """Return the address of a function of the objects that were added."""
        return int(self._engine.get_function_address(name))


@atexit.register
def _keep_code() -> None:
    """Leave code in memory while the process ends: threads may still be in it."""
    while _engines:
        _engines.pop().detach()
