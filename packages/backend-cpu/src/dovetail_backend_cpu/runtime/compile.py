"""``load_tasks``: tasks become code in memory, each compiled once in a process and kept for the next."""

from __future__ import annotations

import functools
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from dovetail.kernels import Template
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.runtime.cache import ObjectCache, default_folder, default_limit
from dovetail_backend_cpu.runtime.objects import Linker, new_linker
from dovetail_backend_cpu.runtime.tasks import NativeTask, Printers, Task

__all__ = ["load_tasks", "load_texts", "object_cache", "object_name"]

_loaded: Final[dict[str, NativeTask]] = {}
# A lock for the whole of it: a thread that wants what another is compiling waits for that.
_lock = threading.RLock()
_caches: Final[dict[tuple[Path, int], ObjectCache]] = {}


def _begin_anew() -> None:
    """A forked process has none of the threads that may have held the lock."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def object_cache() -> ObjectCache:
    """Return the cache that the environment names now."""
    key = default_folder(), default_limit()
    found = _caches.get(key)
    if found is None:
        found = _caches[key] = ObjectCache(*key)
    return found


def load_tasks(tasks: Iterable[Task], machine: Machine, printers: Printers) -> dict[Task, NativeTask]:
    """Return the code of tasks; those that are new to the process are read from the cache, or compiled."""
    named = {task: object_name(printers.key(task), machine) for task in dict.fromkeys(tasks)}
    with _lock:
        fresh = {name: task for task, name in named.items() if name not in _loaded}
        if fresh:
            # Templates first: they take longest.
            ordered = sorted(fresh, key=lambda name: not isinstance(fresh[name], Template))
            linker = load_texts(
                {name: functools.partial(printers.text, fresh[name], name, machine) for name in ordered}, machine
            )
            for name, task in fresh.items():
                plan = printers.plan(task, name, machine)
                _loaded[name] = NativeTask(plan, [linker.address(phase.name) for phase in plan.phases])
        return {task: _loaded[name] for task, name in named.items()}


def load_texts(texts: Mapping[str, Callable[[], str]], machine: Machine) -> Linker:
    """Link objects by name; those that the cache does not have are made of the text that a function prints."""
    cache = object_cache()
    linker = new_linker(machine)
    missing = []
    for name in texts:
        data = cache.load(name)
        if data is None:
            missing.append(name)
        else:
            linker.add(data)
    if missing:

        def done(name: str, data: bytes) -> None:
            linker.add(data)
            cache.store(name, data)

        _compile({name: texts[name] for name in missing}, machine, done)
        cache.trim()
    return linker


def _compile(texts: Mapping[str, Callable[[], str]], machine: Machine, done: Callable[[str, bytes], None]) -> None:
    # Imported here: a process that finds everything in the cache starts no other.
    from dovetail_backend_cpu.runtime.cores import usable_cores
    from dovetail_backend_cpu.runtime.progress import Progress
    from dovetail_backend_cpu.runtime.workers import CompilePool

    with Progress(len(texts)) as progress:

        def one(name: str, data: bytes) -> None:
            done(name, data)
            progress.step()

        with CompilePool(machine, usable_cores(), one) as pool:
            for name, text in texts.items():
                pool.add(name, text())
            pool.finish()


def object_name(key: str, machine: Machine) -> str:
    """Return the name of an object: a hash of all that it depends on."""
    import llvmlite

    text = "\n".join([llvmlite.__version__, machine.key, _sources(), key])
    return "k" + hashlib.sha256(text.encode()).hexdigest()[:40]


@functools.cache
def _sources() -> str:
    """Return a hash of this distribution's files, which is what the version of the printers is."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
