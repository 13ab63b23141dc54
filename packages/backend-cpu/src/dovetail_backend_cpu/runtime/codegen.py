"""LLVM text to the bytes of an object file; run as a program, a worker that does so for whoever started it.

The worker imports LLVM and nothing else, for that is what its start costs; so this file imports nothing of Dovetail.
"""

from __future__ import annotations

import functools
import struct
import sys
from typing import IO, Any, Final

__all__ = ["answer", "compile_text", "read_block", "write_block"]

_LEVEL: Final = 2
"""Of LLVM's code generator."""


@functools.cache
def _target(triple: str, cpu: str, features: str) -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return llvm.Target.from_triple(triple).create_target_machine(
        cpu=cpu, features=features, opt=_LEVEL, reloc="pic", codemodel="small"
    )


def compile_text(text: str, triple: str, cpu: str, features: str) -> bytes:
    """Compile LLVM assembly to an object file.

    The text is in its final form: vectors, blocks of registers, addresses taken out of inner loops. A few cheap passes
    tidy it up, and the code generator does the rest; LLVM's own pipelines take two to three times as long, for steps
    that run no faster.
    """
    import llvmlite.binding as llvm

    target = _target(triple, cpu, features)
    module = llvm.parse_assembly(text)
    module.verify()  # a hundredth of the time; the code generator would end the process over what is malformed
    module.triple = triple
    module.data_layout = str(target.target_data)
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    options = llvm.create_pipeline_tuning_options(speed_level=_LEVEL)
    passes.run(module, llvm.create_pass_builder(target, options))
    result: bytes = target.emit_object(module)
    return result


def answer(text: str, triple: str, cpu: str, features: str) -> bytes:
    """Return ``+`` and the object of a text, or ``-`` and what is wrong with it."""
    try:
        return b"+" + compile_text(text, triple, cpu, features)
    except Exception as error:  # noqa: BLE001 - whoever asked raises it
        return b"-" + str(error).encode()


def read_block(source: IO[bytes]) -> bytes | None:
    """Read bytes that ``write_block`` wrote; ``None`` at the end."""
    head = source.read(8)
    if len(head) < 8:
        return None
    size = struct.unpack("<q", head)[0]
    data = source.read(size)
    return data if len(data) == size else None


def write_block(target: IO[bytes], data: bytes) -> None:
    """Write bytes with their number before them."""
    target.write(struct.pack("<q", len(data)))
    target.write(data)
    target.flush()


def _serve() -> None:
    """Answer each text; the machine and the path come first."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    head = read_block(source)
    if head is None:
        return
    triple, cpu, features, *path = head.decode().split("\0")
    sys.path[:] = path
    while (text := read_block(source)) is not None:
        write_block(target, answer(text.decode(), triple, cpu, features))


if __name__ == "__main__":
    _serve()
