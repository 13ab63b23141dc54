"""``load_tasks``: tasks become code in memory, each compiled once in a process."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from typing import Final

from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.runtime.objects import Linker, compile_text
from dovetail_backend_cpu.runtime.tasks import NativeTask, Printers, Task

__all__ = ["load_tasks"]

_loaded: Final[dict[str, NativeTask]] = {}
_lock: Final = threading.Lock()


def load_tasks(tasks: Iterable[Task], machine: Machine, printers: Printers) -> dict[Task, NativeTask]:
    """Return the code of tasks; those that are new to the process are compiled."""
    named = {task: _name(task, machine, printers) for task in dict.fromkeys(tasks)}
    with _lock:
        fresh = {name: task for task, name in named.items() if name not in _loaded}
        if fresh:
            linker = Linker(machine)
            for name, task in fresh.items():
                linker.add(compile_text(printers.text(task, name, machine), machine))
            for name, task in fresh.items():
                plan = printers.plan(task, name, machine)
                _loaded[name] = NativeTask(plan, [linker.address(phase.name) for phase in plan.phases])
        return {task: _loaded[name] for task, name in named.items()}


def _name(task: Task, machine: Machine, printers: Printers) -> str:
    import llvmlite

    text = f"{llvmlite.__version__}\n{machine.key}\n{printers.key(task)}"
    return "k" + hashlib.sha256(text.encode()).hexdigest()[:32]
