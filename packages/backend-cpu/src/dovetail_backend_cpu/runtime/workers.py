"""``CompilePool``: processes that compile LLVM text, so that all cores take part; LLVM itself lets one thread in."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import IO, Final, Self, final

from dovetail.errors import DovetailError
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.runtime import codegen
from dovetail_backend_cpu.runtime.codegen import compile_text, read_block, write_block

__all__ = ["CompilePool"]

Done = Callable[[str, bytes], None]

_SECONDS_A_TEXT: Final = 0.008
_SECONDS_A_BYTE: Final = 0.5e-6
"""About how long LLVM takes."""
WORTHWHILE_SECONDS: Final = 0.4
"""How much work there must be for each process, for a worker to pay for its start."""


@final
class CompilePool:
    """Compiles texts as they are printed: ``with CompilePool(...) as pool:``, ``pool.add``, then ``pool.finish``.

    A worker that ends early leaves its text to the others and to this process; so does a system that starts none.

    Args:
        machine: what code is for.
        cores: how many processes, this one among them, may work.
        done: called with the name and object of each, in any thread, one at a time.
    """

    def __init__(self, machine: Machine, cores: int, done: Done) -> None:
        """Begin with no workers; they are started as work gathers."""
        self._machine = machine
        self._done = done
        self._texts: deque[tuple[str, str]] = deque()
        self._change = threading.Condition()
        self._running = 0
        self._closed = False
        self._error: BaseException | None = None
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        self._cores = cores
        self._seconds = 0.0

    def _start(self) -> None:
        try:
            process = subprocess.Popen(
                [sys.executable, "-S", "-E", codegen.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except (OSError, ValueError):
            self._cores = 1  # nor will it start another
            return
        self._processes.append(process)
        thread = threading.Thread(target=self._feed, args=(process,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def add(self, name: str, text: str) -> None:
        """Queue a text."""
        with self._change:
            self._texts.append((name, text))
            self._change.notify()
        self._seconds += _SECONDS_A_TEXT + _SECONDS_A_BYTE * len(text)
        processes = 1 + len(self._processes)
        if processes < self._cores and self._seconds > WORTHWHILE_SECONDS * (processes + 1):
            self._start()

    def finish(self) -> None:
        """Compile what is left, and wait for what the workers have.

        Raises:
            DovetailError: LLVM refused a text.
        """
        machine = self._machine
        while self._error is None:
            with self._change:
                if not self._texts:
                    if not self._running:
                        break
                    self._change.wait()
                    continue
                name, text = self._texts.popleft()
            self._keep(name, compile_text(text, machine.triple, machine.cpu, machine.features))
        if self._error is not None:
            raise self._error

    def _keep(self, name: str, data: bytes) -> None:
        with self._change:
            self._done(name, data)

    def _next(self) -> tuple[str, str] | None:
        with self._change:
            while not self._texts:
                if self._closed:
                    return None
                self._change.wait()
            self._running += 1
            return self._texts.popleft()

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        """Give one worker texts, from a thread."""
        assert process.stdin is not None
        assert process.stdout is not None
        machine = self._machine
        head = "\0".join([machine.triple, machine.cpu, machine.features, *sys.path]).encode()
        healthy = _try_write(process.stdin, head)
        while healthy and (work := self._next()) is not None:
            name, text = work
            answer = read_block(process.stdout) if _try_write(process.stdin, text.encode()) else None
            with self._change:
                self._running -= 1
                if answer is None:
                    self._texts.append(work)
                    healthy = False
                elif answer[:1] == b"+":
                    self._done(name, answer[1:])
                else:
                    self._error = DovetailError(f"LLVM refuses the code of {name}: {answer[1:].decode()}")
                self._change.notify_all()

    def __enter__(self) -> Self:
        """Take texts."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the workers."""
        with self._change:
            self._closed = True
            self._texts.clear()
            self._change.notify_all()
        for process in self._processes:
            process.kill()
        for thread in self._threads:
            thread.join()
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with contextlib.suppress(OSError):  # what was not yet written to a worker that is gone
                    pipe.close()


def _try_write(pipe: IO[bytes], data: bytes) -> bool:
    try:
        write_block(pipe, data)
    except OSError:
        return False
    return True
