"""``dovetail cache``."""

from __future__ import annotations

from pathlib import Path

import pytest

from dovetail_backend_cpu.runtime.cache import ObjectCache
from dovetail_backend_cpu.runtime.command import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOVETAIL_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("DOVETAIL_CACHE_LIMIT", "5M")
    cache = ObjectCache(tmp_path / "cpu", 1 << 20)
    cache.store("k1", bytes(3000))
    cache.store("k2", bytes(1000))
    return cache.folder


@pytest.mark.parametrize("arguments", [[], ["show"]])
def test_show_tells_folder_and_size(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"folder   {folder}\nkernels  2\nsize     4.0 KiB of 5.0 MiB\n"


def test_clear_deletes_what_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "k3.o.1.x.part").write_bytes(b"half")
    (folder / "notes.txt").write_text("mine")
    assert main(["clear"]) == 0
    assert capsys.readouterr().out == f"4.0 KiB freed in {folder}\n"
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    assert main(["clear"]) == 0
    assert capsys.readouterr().out == f"0.0 KiB freed in {folder}\n"


def test_another_command_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["burn"])
    assert exit.value.code == 2
    assert "invalid choice: 'burn'" in capsys.readouterr().err
