"""``CompilePool``: a thread and processes that compile LLVM text, so that all cores take part.

LLVM lets one thread of a process in at a time, while others may run Python; so one thread compiles, beside the one that
prints the texts, and what is more is for processes.
"""

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
from dovetail_backend_cpu.runtime.codegen import read_block, write_block

__all__ = ["CompilePool"]

Done = Callable[[str, bytes], None]

_SECONDS_A_TEXT: Final = 0.004
_SECONDS_A_BYTE: Final = 1e-6
"""About how long LLVM takes."""
WORTHWHILE_SECONDS: Final = 0.25
"""How much work must wait for each of those that compile, for a worker to pay for its start."""


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
        self._waiting = 0.0

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _start_process(self) -> None:
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
        self._start(self._feed, process)

    def add(self, name: str, text: str) -> None:
        """Queue a text."""
        if not self._threads:
            self._start(self._compile)
        with self._change:
            self._texts.append((name, text))
            self._waiting += _seconds(text)
            self._change.notify_all()
            workers = 1 + len(self._processes)
            more = workers < self._cores and self._waiting > WORTHWHILE_SECONDS * workers
        if more:
            self._start_process()

    def finish(self) -> None:
        """Wait until all is compiled.

        Raises:
            DovetailError: LLVM refused a text.
        """
        with self._change:
            self._change.wait_for(lambda: self._error is not None or not (self._texts or self._running))
            if self._error is not None:
                raise self._error

    def _next(self) -> tuple[str, str] | None:
        with self._change:
            self._change.wait_for(lambda: self._texts or self._closed)
            if self._closed:
                return None
            self._running += 1
            work = self._texts.popleft()
            self._waiting -= _seconds(work[1])
            return work

    def _take(self, work: tuple[str, str], answer: bytes | None) -> None:
        """Hand on what became of a text: ``+`` and the object, ``-`` and what is wrong, or nothing."""
        with self._change:
            self._running -= 1
            self._change.notify_all()
            if answer is None:
                self._texts.append(work)
                self._waiting += _seconds(work[1])
            elif answer[:1] == b"+":
                try:
                    self._done(work[0], answer[1:])
                except BaseException as error:  # noqa: BLE001 - whoever waits raises it
                    self._error = error
            else:
                self._error = DovetailError(f"LLVM refuses the code of {work[0]}: {answer[1:].decode()}")

    def _compile(self) -> None:
        """Compile texts in this process, in a thread."""
        machine = self._machine
        while (work := self._next()) is not None:
            self._take(work, codegen.answer(work[1], machine.triple, machine.cpu, machine.features))

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        """Give one worker texts, from a thread."""
        assert process.stdin is not None
        assert process.stdout is not None
        machine = self._machine
        head = "\0".join([machine.triple, machine.cpu, machine.features, *sys.path]).encode()
        healthy = _try_write(process.stdin, head)
        while healthy and (work := self._next()) is not None:
            answer = read_block(process.stdout) if _try_write(process.stdin, work[1].encode()) else None
            self._take(work, answer)
            healthy = answer is not None

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


def _seconds(text: str) -> float:
    return _SECONDS_A_TEXT + _SECONDS_A_BYTE * len(text)


def _try_write(pipe: IO[bytes], data: bytes) -> bool:
    try:
        write_block(pipe, data)
    except OSError:
        return False
    return True
