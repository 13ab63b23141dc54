"""Runs a function in a child process that is killed as it enters one of its system calls; Linux only, by ptrace."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Final

TRACE_ME, CONTINUE_TO_CALL, SET_OPTIONS, CALL_INFO = 0, 24, 0x4200, 0x420E
MARK_CALLS, FOLLOW_THREADS, KILL_WITH_TRACER = 0x1, 0x8, 0x100000
ALL_CHILDREN: Final = 0x40000000
AT_ENTRY: Final = 1

# All calls by which a program changes files, and what decides when that happens; by the numbers of the architecture.
CALLS: Final[Mapping[str, Mapping[int, str]]] = {
    "x86_64": {
        1: "write", 2: "open", 3: "close", 18: "pwrite", 20: "writev", 40: "sendfile", 73: "flock", 74: "fsync",
        75: "fdatasync", 76: "truncate", 77: "ftruncate", 82: "rename", 83: "mkdir", 84: "rmdir", 85: "creat",
        86: "link", 87: "unlink", 88: "symlink", 90: "chmod", 257: "openat", 258: "mkdirat", 263: "unlinkat",
        264: "renameat", 265: "linkat", 266: "symlinkat", 280: "utimensat", 285: "fallocate", 296: "pwritev",
        316: "renameat2", 326: "copy_file_range", 437: "openat2",
    },
    "aarch64": {
        32: "flock", 33: "mknodat", 34: "mkdirat", 35: "unlinkat", 36: "symlinkat", 37: "linkat", 38: "renameat",
        45: "truncate", 46: "ftruncate", 47: "fallocate", 56: "openat", 57: "close", 64: "write", 66: "writev",
        68: "pwrite", 70: "pwritev", 71: "sendfile", 82: "fsync", 83: "fdatasync", 88: "utimensat", 276: "renameat2",
        285: "copy_file_range", 437: "openat2",
    },
}  # fmt: skip


def why_not() -> str:
    """Why processes cannot be traced here; empty where they can."""
    if sys.platform != "linux" or platform.machine() not in CALLS:
        return f"no tracing on {sys.platform}, {platform.machine()}"
    try:
        killed_at(lambda: None, 0)
    except OSError as error:
        return f"processes may not be traced here: {error}"
    return ""


def _ptrace(request: int, pid: int, address: int, data: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    library.ptrace.restype = ctypes.c_long
    result: int = library.ptrace(ctypes.c_long(request), ctypes.c_long(pid), ctypes.c_void_p(address), data)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _child(action: Callable[[], object]) -> None:
    status = 1
    try:
        _ptrace(TRACE_ME, 0, 0, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        action()
        status = 0
    finally:
        os._exit(status)


def killed_at(action: Callable[[], object], at: int) -> str | None:
    """Run ``action`` in a child that is killed before its call number ``at``, of those in ``CALLS``.

    Threads of the child are followed too.

    Returns:
        The name of the call, or ``None`` where the action ended before it.

    Raises:
        OSError: processes may not be traced.
        RuntimeError: the action failed.
    """
    calls = CALLS[platform.machine()]
    pid = os.fork()
    if not pid:
        _child(action)
    _, status = os.waitpid(pid, ALL_CHILDREN)
    if not os.WIFSTOPPED(status):
        raise PermissionError("the child may not ask for it")
    _ptrace(SET_OPTIONS, pid, 0, ctypes.c_void_p(MARK_CALLS | FOLLOW_THREADS | KILL_WITH_TRACER))
    _ptrace(CONTINUE_TO_CALL, pid, 0, None)
    count = 0
    information = ctypes.create_string_buffer(88)
    while True:
        stopped, status = os.waitpid(-1, ALL_CHILDREN)
        if not os.WIFSTOPPED(status):
            if stopped != pid:
                continue  # a thread has ended
            if status:
                raise RuntimeError(f"the action failed with status {status}")
            return None
        number = os.WSTOPSIG(status)
        if number == signal.SIGTRAP | 0x80:
            _ptrace(CALL_INFO, stopped, len(information), information)
            call = struct.unpack_from("<Q", information, 24)[0]
            if information.raw[0] == AT_ENTRY and call in calls:
                if count == at:
                    os.kill(pid, signal.SIGKILL)
                    _reap(pid)
                    return calls[call]
                count += 1
            number = 0
        deliver = 0 if number in (signal.SIGTRAP, signal.SIGSTOP) else number
        _ptrace(CONTINUE_TO_CALL, stopped, 0, ctypes.c_void_p(deliver))


def _reap(pid: int) -> None:
    while os.waitpid(-1, ALL_CHILDREN)[0] != pid:
        pass
