"""The step runner as Python calls it: compiled once, with addresses for what it calls itself."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable
from typing import Any, Final, final

from dovetail_backend_cpu.llvm.machine import host
from dovetail_backend_cpu.runtime.compile import load_texts, object_name
from dovetail_backend_cpu.runtime.objects import add_symbol
from dovetail_backend_cpu.runtime.pyobjects import matches

__all__ = ["FUTEX", "Runner", "runner"]

_FUTEX_NUMBERS: Final = {"x86_64": 202, "AMD64": 202, "aarch64": 98}
_METH_FASTCALL: Final = 0x80


def _futex_number() -> int:
    import platform

    return _FUTEX_NUMBERS.get(platform.machine(), 0) if sys.platform == "linux" else 0


FUTEX: Final = _futex_number()
"""The number of the system call by which threads sleep until a word changes; 0 where there is none."""


class _MethodDef(ctypes.Structure):
    """How CPython describes a function written in C."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


@final
class Runner:
    """The functions of the step runner.

    Attributes:
        reads_arrays: whether ``run`` finds the addresses of arrays itself.
        run: called with the address of a job, or with that, the list of inputs and the list of outputs; gives the
            status word, or -1 where an input does not fit its description. Other Python threads run meanwhile.
        work: the life of a worker: returns 0 when it is told to stop, 1 when it is to wait outside.
        put: hands a job to a worker; returns what its mailbox held.
        clock: the time, in ticks.
        spin: waits as many turns as it is told.
    """

    def __init__(self, address: Callable[[str], int]) -> None:
        """Make Python functions of the native ones."""
        integer = ctypes.c_int64
        self.work = ctypes.CFUNCTYPE(integer, integer, integer)(address("work"))
        self.put = ctypes.CFUNCTYPE(integer, integer, integer, integer)(address("put"))
        self.spin = ctypes.PYFUNCTYPE(None, integer)(address("spin"))
        self.clock = ctypes.PYFUNCTYPE(integer)(address("clock"))
        self.reads_arrays = matches()
        self.run: Callable[..., int]
        if self.reads_arrays:
            # A call through ctypes takes half a microsecond and more; one of a builtin function a tenth.
            self._method = _MethodDef(b"run", address("run"), _METH_FASTCALL, None)
            make = ctypes.pythonapi["PyCFunction_NewEx"]
            make.restype = ctypes.py_object
            make.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]
            self.run = make(ctypes.addressof(self._method), None, None)
        else:
            self.run = ctypes.CFUNCTYPE(integer, integer)(address("start"))


@functools.cache
def runner() -> Runner:
    """Return the step runner of this process."""
    for name, address in _symbols().items():
        add_symbol(name, address)
    machine = host()

    def text() -> str:
        from dovetail_backend_cpu.runtime.runner import runner_text  # not needed where the cache has the object

        return runner_text(machine)

    linker = load_texts({object_name("runner", machine): text}, machine)
    return Runner(linker.address)


def _symbols() -> dict[str, int]:
    """Addresses of what the runner calls."""

    def address(function: Any) -> int:
        return int(ctypes.cast(function, ctypes.c_void_p).value or 0)

    names = ("PyEval_SaveThread", "PyEval_RestoreThread", "PyLong_AsVoidPtr", "PyLong_FromSsize_t")
    found = {f"{name}": address(getattr(ctypes.pythonapi, name)) for name in names}
    if sys.platform == "win32":
        found["dovetail_yield"] = address(ctypes.WinDLL("kernel32").SwitchToThread)
        # Never called: there is no number of a futex call.
        found["dovetail_syscall"] = found["dovetail_yield"]
    else:
        library = ctypes.CDLL(None)
        found["dovetail_yield"] = address(library.sched_yield)
        found["dovetail_syscall"] = address(library.syscall)
    return found
