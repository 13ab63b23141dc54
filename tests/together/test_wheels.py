"""Each distribution is built, installed alone with what it asks for, and used as its README says.

The environments are clean: they see the standard library, what the wheel requires (taken over by links from the
environment that runs the tests, so nothing is fetched) and nothing else.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
NAMES = [
    "dovetail-core",
    "dovetail-layers",
    "dovetail-optim",
    "dovetail-io",
    "dovetail-train",
    "dovetail-backend-cpu",
]
BY_DEFAULT = NAMES[:5]  # what the meta-distribution asks for without extras
CORE_LIMIT = 1_000_000

# Where the package is imported from, and which distributions the environment holds.
INSPECT = """
import importlib, importlib.metadata, json, re, sys
found = [re.sub("[-_.]+", "-", one.name).lower() for one in importlib.metadata.distributions()]
print(json.dumps([importlib.import_module(sys.argv[1]).__file__, found]))
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Runs a command without the settings of whoever runs the tests; its output, or a failure that shows it."""
    personal = ("PYTHON", "PIP_", "DOVETAIL")
    environment = {name: text for name, text in os.environ.items() if not name.startswith(personal)}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment["DOVETAIL_CACHE_DIR"] = os.environ["DOVETAIL_CACHE_DIR"]  # that of the tests, not the user's
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def build(project: Path, scratch: Path, outcome: Path) -> None:
    """Builds source distribution and wheel from a copy, which holds no leftover of earlier builds."""
    leftovers = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    copy = scratch / project.name
    shutil.copytree(project, copy, ignore=leftovers)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", outcome, copy, cwd=scratch)


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels and source distributions of all packages, built by the first worker that asks."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # the folder of this run of the tests
    finished, unfinished = shared / "wheels", shared / "wheels-unfinished"
    try:
        (shared / "wheels-claimed").mkdir()
    except FileExistsError:
        return wait_for(finished)
    scratch = tmp_path_factory.mktemp("sources")
    for project in sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml")):
        build(project, scratch, unfinished)
    unfinished.rename(finished)
    return finished


def wait_for(folder: Path, seconds: float = 120.0) -> Path:
    deadline = time.monotonic() + seconds
    while not folder.exists():
        if time.monotonic() > deadline:
            pytest.fail("the wheels were not built; another worker says why")
        time.sleep(0.1)
    return folder


def wheel(dist: Path, name: str) -> Path:
    (path,) = dist.glob(f"{name.replace('-', '_')}-*.whl")
    return path


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.cache
def needs_of(requirement: str) -> frozenset[str]:
    """The distributions that an installed distribution asks for, and what those ask for, and so on."""
    wanted = Requirement(requirement)
    found: set[str] = set()
    for line in importlib.metadata.requires(wanted.name) or []:
        need = Requirement(line)
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in wanted.extras or {""}):
            extras = f"[{','.join(sorted(need.extras))}]" if need.extras else ""
            found |= {normalized(need.name), *needs_of(need.name + extras)}
    return frozenset(found)


def link(distribution: str, site: Path) -> None:
    """Makes an installed distribution visible in another environment."""
    installed = importlib.metadata.distribution(distribution)
    for top in {file.parts[0] for file in installed.files or []} - {"..", "__pycache__"}:
        source, target = Path(str(installed.locate_file(top))), site / top
        if target.exists():
            continue
        try:
            target.symlink_to(source, target_is_directory=source.is_dir())
        except OSError:  # Windows allows links to administrators only
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)


def clean_environment(folder: Path, dist: Path, requirement: str) -> Path:
    """Makes an environment with one distribution and what it needs; its interpreter."""
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    site = Path(run(python, "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    for need in needs_of(requirement):
        if need not in NAMES:
            link(need, site)
    pip = [sys.executable, "-m", "pip", "--python", python]
    run(*pip, "install", "--quiet", "--no-index", "--find-links", dist, requirement, cwd=folder)
    run(*pip, "check", cwd=folder)
    return python


def snippets(package: str) -> list[str]:
    readme = (ROOT / "packages" / package.removeprefix("dovetail-") / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_wheel_holds_its_package_and_nothing_else(dist: Path, name: str) -> None:
    module = "dovetail" if name == "dovetail-core" else name.replace("-", "_")
    with zipfile.ZipFile(wheel(dist, name)) as archive:
        held = set(archive.namelist())
    source = ROOT / "packages" / name.removeprefix("dovetail-") / "src"
    expected = {
        path.relative_to(source).as_posix()
        for pattern in ("*.py", "*.pyi", "*.html", "py.typed")
        for path in (source / module).rglob(pattern)
    }
    assert {path for path in held if ".dist-info/" not in path} == expected
    assert f"{module}/py.typed" in held
    assert any(path.endswith("/licenses/LICENSE") for path in held)


def test_core_is_small(dist: Path) -> None:
    assert wheel(dist, "dovetail-core").stat().st_size < CORE_LIMIT


@pytest.mark.parametrize(
    ("requirement", "shown"),
    [
        pytest.param("dovetail-core", 1, id="core"),
        pytest.param("dovetail-layers", 1, id="layers"),
        pytest.param("dovetail-optim", 1, id="optim"),
        pytest.param("dovetail-io", 1, id="io"),
        pytest.param("dovetail-io[onnx]", 2, id="io-onnx"),
        pytest.param("dovetail-train", 1, id="train"),
        pytest.param("dovetail-backend-cpu", 1, id="backend-cpu"),
    ],
)
def test_distribution_works_alone(dist: Path, tmp_path: Path, requirement: str, shown: int) -> None:
    name = requirement.partition("[")[0]
    module = "dovetail" if name == "dovetail-core" else name.replace("-", "_")
    python = clean_environment(tmp_path / "environment", dist, requirement)

    origin, installed = json.loads(run(python, "-I", "-W", "error", "-c", INSPECT, module, cwd=tmp_path))
    assert Path(origin).is_relative_to(tmp_path), "imported from elsewhere"
    assert set(installed) == {name, *needs_of(requirement)}

    program = tmp_path / "program.py"
    program.write_text("\n".join(snippets(name)[:shown]), encoding="utf-8")
    run(python, "-I", "-W", "error", program, cwd=tmp_path)


def test_command_is_installed(dist: Path, tmp_path: Path) -> None:
    python = clean_environment(tmp_path / "environment", dist, "dovetail-core")
    (command,) = python.parent.glob("dovetail*")
    assert "doctor" in run(command, "--help", cwd=tmp_path)


def test_meta_distribution_asks_for_all_parts(dist: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "dovetail"
    scratch.mkdir()
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, scratch)
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path, scratch, cwd=tmp_path)
    (path,) = tmp_path.glob("dovetail-*.whl")
    with zipfile.ZipFile(path) as archive:
        assert all(".dist-info/" in held for held in archive.namelist())
        (metadata,) = (archive.read(held).decode() for held in archive.namelist() if held.endswith("/METADATA"))
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    needs = set(re.findall(r"^Requires-Dist: (dovetail[^;\n]*)$", metadata, re.MULTILINE))
    assert needs == {f"{name}=={version}" for name in BY_DEFAULT}
    extras = set(re.findall(r"^Provides-Extra: (.*)$", metadata, re.MULTILINE))
    assert extras == {"all", "cpu", "cuda", "image", "onnx", "scipy", "sklearn", "tensorboard"}
