"""Distributions made on the spot: a folder with metadata and modules, put on ``sys.path``."""

from __future__ import annotations

import importlib.metadata
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dovetail.plugins import Namespace, PluginManager, manager

Install = Callable[..., Path]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the settings of whoever runs the tests out of them, and those of a test out of the process's manager."""
    monkeypatch.delenv("DOVETAIL_PLUGINS", raising=False)
    monkeypatch.delenv("DOVETAIL_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-settings"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "no-settings"))
    monkeypatch.chdir(tmp_path)
    assert manager.policy.source == "default"  # read now, with what is really installed


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution for one test.

    The function takes the distribution's name, its entry points by group (``{"layers": ["dense = toy:Dense"]}``), the
    sources of its modules, its version and requirements, and the kind of its metadata folder.
    """
    modules: set[str] = set()

    def install(
        name: str,
        entries: dict[str, list[str]],
        sources: dict[str, str] | None = None,
        *,
        version: str = "1.0",
        requires: tuple[str, ...] = (),
        folder: str = "site",
        kind: str = "dist-info",
    ) -> Path:
        site = tmp_path / folder
        stem = name.replace("-", "_")
        metadata = site / (f"{stem}-{version}.dist-info" if kind == "dist-info" else f"{stem}.egg-info")
        metadata.mkdir(parents=True)
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in requires]
        (metadata / ("METADATA" if kind == "dist-info" else "PKG-INFO")).write_text("\n".join(lines) + "\n")
        text = "".join(f"[dovetail.{group}]\n" + "\n".join(lines) + "\n" for group, lines in entries.items())
        (metadata / "entry_points.txt").write_text(text)
        for module, source in (sources or {}).items():
            (site / f"{module}.py").write_text(textwrap.dedent(source))
            modules.add(module)
        if str(site) not in sys.path:
            monkeypatch.syspath_prepend(str(site))
        return site

    yield install
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PluginManager:
    """Give a manager of its own, which has looked at nothing yet and will find only what a test installs."""
    everything = importlib.metadata.distributions
    monkeypatch.setattr(
        importlib.metadata,
        "distributions",
        lambda: (item for item in everything() if Path(str(item.locate_file(""))).is_relative_to(tmp_path)),
    )
    return PluginManager()


@pytest.fixture
def layers(plugins: PluginManager) -> Namespace:
    """Give a namespace ``layers`` of its own."""
    return Namespace("dovetail.layers", plugins)
