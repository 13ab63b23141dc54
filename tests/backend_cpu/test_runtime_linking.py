"""Object files linked into the process: by LLVM and without it."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dovetail.errors import DovetailError
from dovetail_backend_cpu.llvm.machine import host
from dovetail_backend_cpu.runtime.codegen import compile_text
from dovetail_backend_cpu.runtime.elf import ElfLinker
from dovetail_backend_cpu.runtime.objects import LLVMLinker, new_linker

elf = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="objects have this format on Linux on x86-64 only"
)

# Constants, a table of jumps, a call within the object, one of another and a function of the C library.
FIRST = """
declare ptr @memcpy(ptr, ptr, i64)
declare i64 @known(i64)
@table = private unnamed_addr constant [4 x i64] [i64 3, i64 5, i64 7, i64 11]

define i64 @inner(i64 %x) noinline {
  %place = and i64 %x, 3
  %at = getelementptr [4 x i64], ptr @table, i64 0, i64 %place
  %r = load i64, ptr %at
  ret i64 %r
}

define i64 @prime(i64 %x) {
  %r = call i64 @inner(i64 %x)
  ret i64 %r
}

define i64 @copied(ptr %to, ptr %from, i64 %size) {
  %r = call ptr @memcpy(ptr %to, ptr %from, i64 %size)
  ret i64 %size
}

define double @half(double %x) {
  %r = fmul double %x, 0.15
  ret double %r
}

define i64 @asks(i64 %x) {
  %r = call i64 @known(i64 %x)
  %s = add i64 %r, 1
  ret i64 %s
}
"""
SECOND = """
define i64 @chosen(i64 %x) {
  switch i64 %x, label %other [ i64 0, label %a  i64 1, label %b  i64 2, label %c  i64 3, label %d  i64 4, label %e ]
a:
  ret i64 17
b:
  ret i64 -4
c:
  ret i64 900
d:
  ret i64 12345678901234
e:
  ret i64 5
other:
  ret i64 0
}
"""
ASKED = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(lambda x: 10 * x)


def compiled(text: str) -> bytes:
    machine = host()
    return compile_text(text, machine.triple, machine.cpu, machine.features)


def linkers() -> list[Any]:
    import llvmlite.binding as llvm

    address = ctypes.cast(ASKED, ctypes.c_void_p).value
    assert address is not None
    llvm.add_symbol("known", address)
    return [pytest.param(lambda: ElfLinker({"known": address}), marks=elf, id="elf"), pytest.param(_llvm, id="llvm")]


def _llvm() -> LLVMLinker:
    return LLVMLinker(host())


@pytest.mark.parametrize("make", linkers())
def test_functions_of_objects_run(make: Any) -> None:
    linker = make()
    linker.add(compiled(FIRST))
    linker.add(compiled(SECOND))

    def function(name: str, result: Any, *kinds: Any) -> Any:
        return ctypes.CFUNCTYPE(result, *kinds)(linker.address(name))

    number = ctypes.c_int64
    assert [function("prime", number, number)(i) for i in range(4)] == [3, 5, 7, 11]
    assert [function("chosen", number, number)(i) for i in range(6)] == [17, -4, 900, 12345678901234, 5, 0]
    assert function("half", ctypes.c_double, ctypes.c_double)(3.0) == 3.0 * 0.15
    assert function("asks", number, number)(7) == 71
    source, target = ctypes.create_string_buffer(b"dovetail"), ctypes.create_string_buffer(9)
    function("copied", number, ctypes.c_void_p, ctypes.c_void_p, number)(
        ctypes.addressof(target), ctypes.addressof(source), 8
    )
    assert target.value == b"dovetail"


@elf
def test_objects_that_come_later_are_linked_too() -> None:
    linker = new_linker(host())
    assert isinstance(linker, ElfLinker)
    linker.add(compiled(SECOND))
    first = linker.address("chosen")
    linker.add(compiled("define i64 @more(i64 %x) {\n  ret i64 4\n}"))
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(linker.address("more"))(1) == 4
    assert linker.address("chosen") == first


@elf
def test_a_function_that_nobody_has_is_named() -> None:
    linker = ElfLinker({})
    text = "declare i64 @nobody(i64)\ndefine i64 @f(i64 %x) {\n  %r = call i64 @nobody(i64 %x)\n  ret i64 %r\n}"
    linker.add(compiled(text))
    with pytest.raises(DovetailError, match="'nobody', which no library of this process has"):
        linker.address("f")


@elf
def test_variables_of_compiled_code_are_refused() -> None:
    linker = ElfLinker({})
    body = "%r = load i64, ptr @v\n  store i64 4, ptr @v\n  ret i64 %r"
    linker.add(compiled(f"@v = global i64 3\ndefine i64 @f() {{\n  {body}\n}}"))
    with pytest.raises(DovetailError, match="has variables of its own"):
        linker.address("f")


@elf
def test_a_process_that_finds_its_code_in_the_cache_does_not_load_llvm(tmp_path: Path) -> None:
    program = """
import sys
import dovetail as dt
w = dt.Variable([[1.0, 2.0], [3.0, 4.0]])
x = dt.placeholder(dt.float32, [None, 2])
y = dt.reduce_sum(dt.tanh(dt.matmul(x, w)))
step = dt.assign_sub(w, dt.gradients(y, [w])[0])
with dt.Session() as session:
    session.run(dt.global_variables_initializer())
    print(session.run([y, step], {x: [[0.5, 1.0]] * 3}))
print("llvmlite.binding" in sys.modules, file=sys.stderr)
"""

    def run() -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "DOVETAIL_CACHE_DIR": str(tmp_path), "DOVETAIL_BACKENDS": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout, done.stderr.strip()

    cold, warm = run(), run()
    assert cold[1] == "True"
    assert warm == (cold[0], "False")
