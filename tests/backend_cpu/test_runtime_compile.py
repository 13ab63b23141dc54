"""Compilation in worker processes, and what is told meanwhile."""

from __future__ import annotations

import io
import signal
import sys
from typing import Any

import pytest

from dovetail.errors import DovetailError
from dovetail_backend_cpu.llvm.machine import Machine, host
from dovetail_backend_cpu.runtime import progress as progress_module
from dovetail_backend_cpu.runtime import workers
from dovetail_backend_cpu.runtime.codegen import compile_text
from dovetail_backend_cpu.runtime.progress import Progress
from dovetail_backend_cpu.runtime.runner import runner_text
from dovetail_backend_cpu.runtime.workers import CompilePool


@pytest.fixture(autouse=True)
def eager_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are started for little work too."""
    monkeypatch.setattr(workers, "WORTHWHILE_SECONDS", 0.02)


def texts(count: int) -> dict[str, str]:
    return {f"f{i}": f"define i64 @f{i}(i64 %x) {{\n  %r = mul i64 %x, {i + 3}\n  ret i64 %r\n}}" for i in range(count)}


def compiled(wanted: dict[str, str], cores: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with CompilePool(host(), cores, found.__setitem__) as pool:
        for name, text in wanted.items():
            pool.add(name, text)
        pool.finish()
    return found


@pytest.mark.parametrize("cores", [1, 3])
def test_every_text_is_compiled_to_the_same_bytes(cores: int) -> None:
    machine, wanted = host(), texts(24)
    expected = {
        name: compile_text(text, machine.triple, machine.cpu, machine.features) for name, text in wanted.items()
    }
    assert compiled(wanted, cores) == expected


def test_workers_take_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """With this process hindered from compiling, the workers do all of it."""
    started: list[Any] = []
    real = workers.subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> Any:
        started.append(real(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(workers.subprocess, "Popen", popen)
    wanted = texts(16)
    found: dict[str, bytes] = {}
    with CompilePool(host(), 3, found.__setitem__) as pool:
        for name, text in wanted.items():
            pool.add(name, text)
        with pool._change:
            pool._change.wait_for(lambda: len(found) == len(wanted), timeout=60)
    assert found.keys() == wanted.keys()
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_what_a_worker_leaves_is_compiled_here(monkeypatch: pytest.MonkeyPatch) -> None:
    real = workers.subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> Any:
        process = real(*arguments, **options)
        process.send_signal(signal.SIGKILL)
        return process

    monkeypatch.setattr(workers.subprocess, "Popen", popen)
    assert compiled(texts(16), 2).keys() == texts(16).keys()


def test_a_system_that_starts_no_process_compiles_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> Any:
        raise OSError("no more processes")

    monkeypatch.setattr(workers.subprocess, "Popen", refuse)
    assert compiled(texts(16), 4).keys() == texts(16).keys()


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("ret i32 0", "value doesn't match function result type"),
        ("br label %a\na:\n  %x = add i64 %y, 1\n  %y = add i64 1, 1\n  ret i64 %x", "does not dominate all uses"),
    ],
    ids=["of another type", "used before it is made"],
)
def test_text_that_llvm_refuses_is_an_error(cores: int, body: str, why: str) -> None:
    wanted = texts(16) | {"bad": f"define i64 @bad() {{\n  {body}\n}}"}
    with pytest.raises(DovetailError, match=f"(?s)refuses the code of bad.*{why}"):
        compiled(wanted, cores)


@pytest.mark.parametrize(
    "machine",
    [
        Machine("neon", "aarch64-unknown-linux-gnu", "generic", "+neon"),
        Machine("sse", "x86_64-unknown-linux-gnu", "x86-64", "+sse4.2"),
        Machine("avx512", "x86_64-unknown-linux-gnu", "x86-64-v4", ""),
    ],
    ids=lambda machine: machine.isa,
)
def test_the_runner_assembles_for_other_machines(machine: Machine) -> None:
    try:
        data = compile_text(runner_text(machine), machine.triple, machine.cpu, machine.features)
    except RuntimeError as error:
        if "No available targets" in str(error):
            pytest.skip("this LLVM makes no code for it")
        raise
    assert len(data) > 1000


def test_progress_is_told_once_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    with Progress(5) as progress:
        progress.step()
        assert errors.getvalue() == ""
        now[0] = 3.0
        for _ in range(4):
            progress.step()
    assert errors.getvalue() == "dovetail: compiling; 2 of 5 kernels are done.\n"


def test_progress_says_nothing_of_what_is_quick(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(3) as progress:
        for _ in range(3):
            progress.step()
    assert capsys.readouterr().err == ""
