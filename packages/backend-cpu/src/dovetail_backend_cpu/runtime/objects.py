"""``Linker``: object files linked into this process."""

from __future__ import annotations

import atexit
from typing import Any, Final, final

from dovetail_backend_cpu.llvm.machine import Machine

__all__ = ["Linker", "add_symbol"]

_engines: Final[list[Any]] = []


@atexit.register
def _keep_code() -> None:
    """Leave code in memory while the process ends: threads may still be in it."""
    while _engines:
        _engines.pop().detach()


def add_symbol(name: str, address: int) -> None:
    """Give objects that are linked later the address of a function."""
    import llvmlite.binding as llvm

    llvm.add_symbol(name, address)


@final
class Linker:
    """Links object files into this process, for good: code is never taken back, for threads may be in it."""

    def __init__(self, machine: Machine) -> None:
        """Begin with no objects."""
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
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
