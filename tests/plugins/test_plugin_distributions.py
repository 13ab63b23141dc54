"""Plugins by third parties: built to wheels, installed beside core's wheel, and used from a clean environment.

The environment holds core, what core requires, and the plugins that a test names: nothing else is on its path.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("plugin-distributions")  # one worker builds the wheels

ROOT = Path(__file__).parents[2]
PROJECTS = {
    "dovetail-core": ROOT / "packages" / "core",
    "dovetail-swish": ROOT / "examples" / "plugins" / "dovetail-swish",
    **{path.parent.name: path.parent for path in Path(__file__).parent.glob("distributions/*/pyproject.toml")},
}
REQUIRED = ("numpy", "ml_dtypes", "pluggy")

BUILD = """
import os, sys
from setuptools import build_meta
out, *projects = sys.argv[1:]  # setuptools changes sys.argv
for project in projects:
    os.chdir(project)
    build_meta.build_wheel(out)
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build all of them, and give the wheels by name."""
    sources, out = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheels")
    leftovers = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    copies = [str(shutil.copytree(path, sources / name, ignore=leftovers)) for name, path in PROJECTS.items()]
    done = subprocess.run([sys.executable, "-c", BUILD, str(out), *copies], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {path.name.partition("-")[0].replace("_", "-"): path for path in out.glob("*.whl")}


@pytest.fixture(scope="session")
def requirements(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with what core requires, and nothing else, taken over from where the tests run."""
    folder = tmp_path_factory.mktemp("requirements")
    for name in REQUIRED:
        files = distribution(name).files or []
        for top in {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}:
            (folder / top).symlink_to(distribution(name).locate_file(top))
    return folder


@pytest.fixture
def run(wheels: dict[str, Path], requirements: Path, tmp_path: Path) -> Run:
    """Run a program in an environment with core and the plugins that are named."""

    def run(program: str, *plugins: str, **settings: str) -> subprocess.CompletedProcess[str]:
        site = tmp_path / "site"
        for name in ("dovetail-core", *plugins):
            with zipfile.ZipFile(wheels[name]) as wheel:
                wheel.extractall(site)
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "DOVETAIL"))}
        clean |= {"PYTHONPATH": os.pathsep.join(map(str, (site, requirements))), "HOME": str(tmp_path), **settings}
        clean |= {"PYTHONDONTWRITEBYTECODE": "1"}
        # -S: no site-packages of the environment that runs the tests.
        command = [sys.executable, "-S", "-W", "error", "-c", textwrap.dedent(program)]
        return subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True, check=False)

    return run


def output(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout
    return done.stderr.strip().splitlines()[-1]


def test_the_environment_is_clean(run: Run) -> None:
    found = output(
        run("import importlib.metadata as m; print(*sorted({d.name for d in m.distributions()}))", "dovetail-swish")
    )
    assert found.split() == ["dovetail-core", "dovetail-swish", *sorted(REQUIRED)]


def test_a_third_partys_layer_learns(run: Run) -> None:
    program = """
        import json, numpy as np, dovetail as dt
        x = dt.placeholder(dt.float32, [None, 3])
        y = dt.layers.swish(x, beta=2.0, per_channel=True, name="act")
        (beta,) = dt.trainable_variables()
        (slope,) = dt.gradients(dt.reduce_sum(y), [beta])
        values = np.arange(6, dtype=np.float32).reshape(2, 3) - 2
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            first, grad = session.run([y, slope], {x: values})
            session.run(dt.assign_sub(beta, 0.1 * slope), {x: values})
            after = session.run(beta)
        print(json.dumps([beta.name, first.tolist(), grad.tolist(), after.tolist()]))
    """
    name, first, grad, after = json.loads(output(run(program, "dovetail-swish")))
    assert name == "act/beta:0"
    values = [[-2.0, -1.0, 0.0], [1.0, 2.0, 3.0]]
    from math import exp

    def sigmoid(value: float) -> float:
        return 1 / (1 + exp(-value))

    assert first == [[pytest.approx(x * sigmoid(2 * x), abs=1e-6) for x in row] for row in values]
    expected = [sum(x * x * sigmoid(2 * x) * sigmoid(-2 * x) for x in column) for column in zip(*values, strict=True)]
    assert grad == [pytest.approx(value, abs=1e-6) for value in expected]
    assert after == [pytest.approx(2 - 0.1 * value, abs=1e-6) for value in expected]


def test_its_weights_are_shared_by_one_instance_and_not_by_the_function(run: Run) -> None:
    program = """
        import dovetail as dt
        x = dt.placeholder(dt.float32, [None, 3])
        layer = dt.layers.Swish(trainable=False)
        layer(x), layer(x)
        print(len(dt.trainable_variables()), len(dt.global_variables()))
        dt.layers.swish(x), dt.layers.swish(x)
        print(len(dt.trainable_variables()), len(dt.global_variables()))
    """
    assert output(run(program, "dovetail-swish")).split() == ["0", "1", "2", "3"]


def test_a_plugin_not_asked_for_costs_nothing(run: Run) -> None:
    program = """
        import sys, time, dovetail as dt
        x = dt.placeholder(dt.float32, [None, 3])
        dt.layers.swish(x)
        print("toy_slow" in sys.modules, "slow" in dir(dt.layers))
        started = time.perf_counter()
        dt.layers.slow(x)
        print("toy_slow" in sys.modules, time.perf_counter() - started > 1)
    """
    assert output(run(program, "dovetail-swish", "toy-slow")).split() == ["False", "True", "True", "True"]


def test_a_broken_plugin_stands_alone(run: Run) -> None:
    program = """
        import dovetail as dt
        from dovetail.layers import swish, Swish
        x = dt.placeholder(dt.float32, [None, 3])
        swish(x)
        try:
            dt.layers.broken
        except dt.errors.PluginError as error:
            print(repr(error.__cause__))
        swish(x)
        dt.layers.Broken
    """
    done = run(program, "dovetail-swish", "toy-broken")
    assert "ModuleNotFoundError(\"No module named 'a_module_that_does_not_exist'\")" in done.stdout
    assert last_line(done) == (
        "dovetail.errors.PluginError: toy-broken 1.0 (entry point 'broken = toy_broken:Broken' in dovetail.layers) "
        "could not be imported: ModuleNotFoundError: No module named 'a_module_that_does_not_exist'. Everything else "
        "works; `dovetail doctor` shows the traceback."
    )


TAKEN = """
    import dovetail as dt
    x = dt.placeholder(dt.float32, [None, 3])
    dt.layers.unswish(x)
    print(type(dt.layers.Swish()).__module__)
"""


def test_a_claimed_name_is_an_error_that_names_both(run: Run) -> None:
    told = last_line(run(TAKEN, "dovetail-swish", "toy-taken"))
    assert re.fullmatch(
        r"dovetail\.errors\.PluginCollisionError: dovetail\.layers: 'Swish' is provided twice: by .* and .*\. "
        r"Uninstall one of them, or deny it, as by DOVETAIL_PLUGINS=-.*",
        told,
    )
    assert "dovetail-swish 1.0 (dovetail_swish:Swish)" in told
    assert "toy-taken 1.0 (toy_taken:Swish)" in told


def test_denying_one_of_them_settles_it(run: Run) -> None:
    assert output(run(TAKEN, "dovetail-swish", "toy-taken", DOVETAIL_PLUGINS="-dovetail-swish")).strip() == "toy_taken"


def test_a_plugin_for_another_version_is_not_imported(run: Run) -> None:
    program = "import dovetail as dt; dt.layers.future"
    version = (ROOT / "VERSION").read_text().strip()
    assert last_line(run(program, "toy-future")) == (
        "dovetail.errors.PluginError: toy-future 1.0 (entry point 'future = toy_future:Future' in dovetail.layers) "
        f"wants dovetail-core >=9, installed {version}; it was not imported. Install versions that fit together: "
        "pip install --upgrade dovetail-core toy-future"
    )


def test_without_the_plugin_the_message_says_what_to_install(run: Run) -> None:
    told = (
        "dovetail.layers has no 'dense'. dovetail-layers, which is not installed, may provide it: "
        "pip install dovetail-layers"
    )
    done = run("import dovetail as dt; dt.layers.dense")
    assert last_line(done) == f"dovetail.errors.PluginNotFoundError: {told}"
    done = run("from dovetail.layers import dense")
    assert last_line(done) == f"dovetail.errors.PluginError: {told}"


def test_the_doctor_tells_them_apart(run: Run) -> None:
    program = "import sys; from dovetail.plugins.cli import main; sys.exit(main(['doctor', '--json']))"
    done = run(program, "dovetail-swish", "toy-slow", "toy-broken", "toy-taken", "toy-future")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert {item["name"]: item["state"] for item in report["distributions"]} == {
        "dovetail-swish": "collides",
        "toy-broken": "quarantined",
        "toy-future": "wants another version",
        "toy-slow": "ok",
        "toy-taken": "collides",
    }
    assert report["broken"] == 4


def test_importing_dovetail_loads_no_plugin_and_scans_nothing(run: Run) -> None:
    program = """
        import sys, dovetail
        from dovetail.plugins import manager
        heavy = ["llvmlite", "cupy", "onnx", "onnxruntime", "tensorboard", "pluggy", "importlib.metadata"]
        plugins = ["toy_slow", "dovetail_swish", "dovetail_layers", "dovetail_optim", "dovetail_io", "dovetail_train"]
        print([name for name in heavy + plugins if name in sys.modules], manager.scanned)
    """
    assert output(run(program, "dovetail-swish", "toy-slow")).strip() == "[] False"


def test_what_most_programs_do_without_is_imported_when_it_is_asked_for(run: Run) -> None:
    program = """
        import sys, dovetail as dt
        own = [f"dovetail.{name}" for name in ("app", "gfile", "logging", "test", "testing", "views")]
        late = [*own, "logging", "shutil", "glob", "unittest", "html"]
        print([name for name in late if name in sys.modules], {"draw", "gfile", "summary_table"} <= set(dir(dt)))
        print(dt.gfile.Exists("."), dt.draw.__name__, [name for name in own if name in sys.modules])
    """
    assert output(run(program)).splitlines() == ["[] True", "True draw ['dovetail.gfile', 'dovetail.views']"]
