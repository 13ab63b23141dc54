"""What holds for the repository as a whole."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
PUBLIC_IN_CORE = {"dovetail", "dovetail.errors", "dovetail.extend", "dovetail.kernels"}

# A folder that exists on one machine only. `/tmp` and the like are everybody's.
MACHINE_PATH = re.compile(r"(?<![\w.~$}/-])/(?:root|home|Users|work|opt|mnt|srv)/\w|\b[A-Z]:\\\\?Users\\")

packages = pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)


@cache
def project(package: Path) -> dict[str, Any]:
    return tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def import_folder(package: Path) -> Path:
    (folder,) = (path.parent for path in package.glob("src/*/__init__.py"))
    return folder


@pytest.fixture(scope="module")
def version_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("version_tool", ROOT / "tools" / "version.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_first_packages_are_there() -> None:
    assert {"core", "layers", "optim", "io", "train", "backend-cpu"} <= {package.name for package in PACKAGES}


def test_every_copy_of_the_version_agrees_with_the_file(version_tool: ModuleType) -> None:
    assert version_tool.differing() == []


@packages
def test_distribution_has_the_version_of_the_file(package: Path, version_tool: ModuleType) -> None:
    version = version_tool.stated_version()
    assert project(package)["version"] == version
    installed = importlib.metadata.version(project(package)["name"])
    assert installed == version, f"{package.name} is installed as {installed}: run make venv"


@packages
def test_our_distributions_are_required_in_the_same_version(package: Path, version_tool: ModuleType) -> None:
    ours = [need for need in project(package)["dependencies"] if need.startswith("dovetail")]
    assert all(need.endswith(f"=={version_tool.stated_version()}") for need in ours), ours
    assert (ours == []) == (package.name == "core")


def test_a_changed_version_reaches_every_copy(version_tool: ModuleType, tmp_path: Path) -> None:
    for path in [ROOT / "VERSION", *version_tool.rewritten()]:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (tmp_path / "VERSION").write_text("98.7.6rc5\n")
    assert len(version_tool.differing(tmp_path)) == len(PACKAGES) + 2  # and the root's, and the constant in core
    for path, (_, wanted) in version_tool.rewritten(tmp_path).items():
        path.write_text(wanted, encoding="utf-8")
        assert "98.7.6rc5" in wanted
        assert version_tool.stated_version() not in re.findall(r'(?:==|ersion(?:__)? = ")([\d.]+)', wanted)
    assert version_tool.differing(tmp_path) == []


def test_what_is_no_version_is_refused(version_tool: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text("soon\n")
    with pytest.raises(ValueError, match="VERSION holds 'soon'"):
        version_tool.stated_version(tmp_path)


@packages
def test_package_is_complete(package: Path) -> None:
    readme = (package / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {project(package)['name']}\n")
    assert len(readme.splitlines()) <= 60, "a README of a package fits on one screen"
    assert "```python" in readme
    assert (import_folder(package) / "py.typed").is_file()
    assert (package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert project(package)["requires-python"] == ">=3.11"


def test_core_needs_three_distributions_only() -> None:
    needs = {re.split(r"[<>=!~;\[ ]", need)[0] for need in project(ROOT / "packages/core")["dependencies"]}
    assert needs == {"numpy", "ml_dtypes", "pluggy"}


@pytest.mark.parametrize("package", [p for p in PACKAGES if p.name != "core"], ids=lambda path: path.name)
def test_plugin_imports_only_what_core_makes_public(package: Path) -> None:
    own = import_folder(package).name
    private = []
    for path in sorted(import_folder(package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module or ""]
            else:
                continue
            for module in modules:
                top = module.partition(".")[0]
                if top.startswith("dovetail") and top != own and module not in PUBLIC_IN_CORE:
                    private.append(f"{path.relative_to(ROOT)}:{node.lineno}: {module}")
    assert private == []


def tracked_files() -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a checkout")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("made at /" + "home/ada/train.py", True),
        ('"C:\\\\' + 'Users\\\\ada"', True),
        ("https://example.org/home/page", False),
        ("packages/" + "work/list", False),
    ],
)
def test_a_machine_path_is_told_from_others(line: str, found: bool) -> None:
    assert bool(MACHINE_PATH.search(line)) == found


def test_no_file_names_a_path_of_one_machine() -> None:
    hits = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, an array
        hits += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.splitlines(), start=1)
            if MACHINE_PATH.search(line)
        ]
    assert hits == []
