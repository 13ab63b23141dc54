"""The folder of compiled kernels: damage, other owners, other processors, several processes, little room."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dovetail.errors import InvalidArgumentError
from dovetail_backend_cpu.llvm import machine as machine_module
from dovetail_backend_cpu.llvm.machine import Machine, host
from dovetail_backend_cpu.runtime import cache as cache_module
from dovetail_backend_cpu.runtime import compile as compile_module
from dovetail_backend_cpu.runtime.cache import ObjectCache, default_folder, default_limit
from tests.backend_cpu import native_kernels as k

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    host()  # what it keeps is not for this folder
    monkeypatch.setenv("DOVETAIL_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compile_module, "_caches", {})
    return tmp_path / "cpu"


@pytest.fixture
def cache(tmp_path: Path) -> ObjectCache:
    return ObjectCache(tmp_path / "objects", 1 << 20)


@pytest.fixture
def load(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """Load a kernel as a new process would; returns which were printed."""

    def run(*kernels: k.TextKernel, machine: Machine | None = None) -> list[str]:
        monkeypatch.setattr(compile_module, "_loaded", {})
        monkeypatch.setattr(compile_module, "_caches", {})
        printers = k.TextPrinters(*kernels)
        tasks = compile_module.load_tasks([one.kernel for one in kernels], machine or host(), printers)
        assert all(task.addresses for task in tasks.values())
        return printers.printed

    return run


def test_what_is_stored_is_loaded(cache: ObjectCache) -> None:
    assert cache.load("k1") is None
    cache.store("k1", b"object")
    assert cache.load("k1") == b"object"
    assert [entry.path.name for entry in cache.entries()] == ["k1.o"]


def test_the_second_process_compiles_nothing(load: Callable[..., list[str]]) -> None:
    assert load(k.ADD, k.DOUBLE) == ["add", "double"]
    assert load(k.ADD, k.DOUBLE) == []
    assert load(k.ADD, k.REVERSE) == ["reverse"]


@posix
def test_folder_and_files_are_for_the_user_only(load: Callable[..., list[str]], folder: Path) -> None:
    load(k.ADD)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: b"X" + data[1:],
        lambda data: data + b"more",
        lambda data: data[:30],
    ],
)
def test_a_damaged_file_is_dropped_and_made_anew(
    load: Callable[..., list[str]], folder: Path, damage: Callable[[bytes], bytes]
) -> None:
    load(k.ADD)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert load(k.ADD) == ["add"]
    assert path.read_bytes() == whole
    assert load(k.ADD) == []


def test_a_file_under_another_name_is_refused(cache: ObjectCache) -> None:
    cache.store("k1", b"object")
    (cache.folder / "k1.o").rename(cache.folder / "k2.o")
    assert cache.load("k2") is None
    assert list(cache.entries()) == []


def test_objects_for_another_processor_are_not_loaded(load: Callable[..., list[str]]) -> None:
    here = host()
    assert load(k.ADD) == ["add"]
    for other in (
        Machine(here.isa, here.triple, here.cpu, here.features + ",+prfchw"),
        Machine(here.isa, here.triple, "generic", here.features),
    ):
        assert load(k.ADD, machine=other) == ["add"]


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="the system does not describe its processor")
def test_the_processor_is_looked_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = machine_module._asked

    def ask() -> Any:
        asked.append(1)
        return real()

    monkeypatch.setattr(machine_module, "_asked", ask)
    find = machine_module.host.__wrapped__
    first = find()
    assert find().key == first.key == host().key
    assert len(asked) == 1
    monkeypatch.setattr(machine_module, "_described", lambda: "flags: another")
    find()
    assert len(asked) == 2
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert find().key == first.key
    assert len(asked) == 3
    monkeypatch.setattr(machine_module, "_described", lambda: None)
    assert find().key == first.key
    assert len(asked) == 4


def test_objects_of_other_printers_are_not_loaded(
    load: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(k.ADD)
    monkeypatch.setattr(compile_module, "_sources", lambda: "changed")
    assert load(k.ADD) == ["add"]


@posix
def test_a_folder_that_others_can_write_to_is_refused(load: Callable[..., list[str]], folder: Path) -> None:
    load(k.ADD)
    folder.chmod(0o777)
    with pytest.warns(RuntimeWarning, match="others can write to the folder .*; run chmod 700") as caught:
        assert load(k.ADD, k.DOUBLE, k.REVERSE) == ["add", "double", "reverse"]
    assert len(caught) == 1


@posix
def test_a_folder_of_another_user_is_refused(
    load: Callable[..., list[str]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(k.ADD)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.warns(RuntimeWarning, match="belongs to another user; set DOVETAIL_CACHE_DIR"):
        assert load(k.ADD) == ["add"]


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES], ids=["read-only", "full", "forbidden"])
def test_a_folder_that_takes_nothing_costs_a_warning(
    load: Callable[..., list[str]], folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    load(k.ADD)

    def refuse(*arguments: Any) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(cache_module.os, "open", refuse)
        with pytest.warns(RuntimeWarning, match="Compiled code is not kept for the next run: .* cannot be written"):
            assert load(k.ADD, k.DOUBLE, k.REVERSE) == ["double", "reverse"]
    assert len(list(folder.iterdir())) == 1


def test_a_full_disk_leaves_no_part_of_a_file(cache: ObjectCache, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fdopen

    def fdopen(*arguments: Any) -> Any:
        file = real(*arguments)

        class Full:
            def __enter__(self) -> Any:
                return self

            def __exit__(self, *error: object) -> None:
                file.close()

            def write(self, data: bytes) -> None:
                file.write(data[:10])
                raise OSError(errno.ENOSPC, "No space left on device")

        return Full()

    monkeypatch.setattr(cache_module.os, "fdopen", fdopen)
    with pytest.warns(RuntimeWarning, match="No space left"):
        cache.store("k1", b"object")
    assert list(cache.folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_costs_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = ObjectCache(tmp_path / "file" / "objects", 1 << 20)
    with pytest.warns(RuntimeWarning, match="cannot be"):
        cache.store("k1", b"object")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.store("k2", b"object")


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path / "objects", 4000)
    for i in range(5):
        cache.store(f"k{i}", bytes(900))
        os.utime(tmp_path / "objects" / f"k{i}.o", (1e9 + 10_000 * i, 1e9 + 10_000 * i))
    assert cache.load("k0") == bytes(900)  # used now
    cache.trim()
    assert sorted(entry.path.stem for entry in cache.entries()) == ["k0", "k3", "k4"]


def test_unfinished_files_of_processes_that_are_gone_are_dropped(cache: ObjectCache) -> None:
    cache.store("k1", b"object")
    old, new = cache.folder / "k2.o.1.x.part", cache.folder / "k3.o.2.y.part"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    cache.trim()
    assert sorted(path.name for path in cache.folder.iterdir()) == ["k1.o", new.name]


def test_a_limit_of_nothing_keeps_nothing(
    load: Callable[..., list[str]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOVETAIL_CACHE_LIMIT", "0")
    assert load(k.ADD) == ["add"]
    assert not folder.exists()


@pytest.mark.parametrize(("text", "wanted"), [("", 256 << 20), ("1000", 1000), ("5k", 5120), ("2GiB", 2 << 30)])
def test_the_limit_is_read(monkeypatch: pytest.MonkeyPatch, text: str, wanted: int) -> None:
    monkeypatch.setenv("DOVETAIL_CACHE_LIMIT", text)
    assert default_limit() == wanted


def test_a_limit_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOVETAIL_CACHE_LIMIT", "lots")
    with pytest.raises(InvalidArgumentError, match="DOVETAIL_CACHE_LIMIT is 'lots'; set it to a number of bytes"):
        default_limit()


@posix
def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOVETAIL_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "dovetail" / "cpu"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_folder() == Path.home() / ".cache" / "dovetail" / "cpu"


_PROCESS = """
import sys
from tests.backend_cpu import native_kernels as k
import numpy as np
n = 8
x, t, out = k.storage(n, "input"), k.storage(n), k.storage(n, "output")
run = k.build([x], [out], [k.DOUBLE(n, x, t), k.REVERSE(n, t, out)], 2)
print(run([np.arange(8.0)], {})[0][0].tolist(), k.PRINTERS.printed)
"""


def _python(code: str, folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "DOVETAIL_CACHE_DIR": str(folder.parent), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def test_processes_share_a_folder(folder: Path) -> None:
    wanted = str((2 * np.arange(8.0)[::-1]).tolist())
    together = [_python(_PROCESS, folder) for _ in range(2)]
    for process in together:
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert output.startswith(wanted)
    output, errors = _python(_PROCESS, folder).communicate(timeout=60)
    assert output == f"{wanted} []\n", errors
    assert all(path.suffix == ".o" for path in folder.iterdir())
