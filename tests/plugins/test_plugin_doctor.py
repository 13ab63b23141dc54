"""The doctor: every state of a plugin, as values, as text and as the exit status of the command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from dovetail.plugins import PluginManager
from dovetail.plugins.cli import main
from dovetail.plugins.doctor import examine, render

Install = Any

LAYER = "class Layer:\n    @classmethod\n    def function(cls): return cls\n"


@pytest.fixture
def ward(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install one plugin of each state, and deny the rest of what is installed here."""
    install("dovetail-core", {}, version="0.1.0", folder="first")
    install("toy-fine", {"layers": ["fine = toy_fine:Layer"]}, {"toy_fine": "print('hello')\n" + LAYER})
    install("toy-broken", {"layers": ["broken = toy_broken:Layer"]}, {"toy_broken": "1 / 0"})
    install("toy-denied", {"layers": ["denied = toy_denied:Layer"]}, {"toy_denied": "raise SystemExit"})
    install("toy-future", {"formats": ["future = toy_future:Format"]}, requires=("dovetail-core>=9",))
    install("toy-one", {"layers": ["taken = toy_one:Layer", "own = toy_one:Layer"]}, {"toy_one": LAYER})
    install("toy-two", {"layers": ["taken = toy_two:Layer"]}, {"toy_two": LAYER}, version="2.0")
    install("toy-nn-one", {"namespaces": ["nn = toy_nn_one"]}, {"toy_nn_one": "__all__ = ['toylu']\ntoylu = 1"})
    install("toy-nn-two", {"namespaces": ["nn.toylu = toy_nn_two:toylu"]}, {"toy_nn_two": "toylu = 1"})
    names = ("fine", "broken", "future", "one", "two", "nn-one", "nn-two")
    monkeypatch.setenv("DOVETAIL_PLUGINS", ",".join(f"toy-{name}" for name in names))


def by_name(report: dict[str, Any]) -> dict[str, Any]:
    return {item["name"]: item for item in report["distributions"]}


@pytest.mark.usefixtures("ward")
def test_every_state_is_told(plugins: PluginManager) -> None:
    found = by_name(examine(plugins))
    states = {name: item["state"] for name, item in found.items() if name.startswith("toy-")}
    assert states == {
        "toy-fine": "ok",
        "toy-broken": "quarantined",
        "toy-denied": "denied",
        "toy-future": "wants another version",
        "toy-one": "collides",
        "toy-two": "collides",
        "toy-nn-one": "collides",
        "toy-nn-two": "collides",
    }
    details = {name: item["provides"][0]["detail"] for name, item in found.items() if name.startswith("toy-")}
    assert details["toy-fine"] == ""
    assert details["toy-broken"] == "ZeroDivisionError: division by zero"
    assert details["toy-denied"].startswith("denied by DOVETAIL_PLUGINS=toy-fine,")
    assert details["toy-future"] == "wants dovetail-core >=9, installed 0.1.0"
    assert details["toy-one"] == "dovetail.layers: 'taken' is also provided by toy-two 2.0"
    assert details["toy-two"] == "dovetail.layers: 'taken' is also provided by toy-one 1.0"
    assert details["toy-nn-one"] == "dovetail.nn: 'toylu' is also provided by toy-nn-two 1.0"
    broken = found["toy-broken"]["provides"][0]
    assert "1 / 0" in broken["traceback"]
    assert {entry["name"]: entry["state"] for entry in found["toy-one"]["provides"]} == {
        "taken": "collides",
        "own": "ok",
    }
    assert "toy_denied" not in sys.modules


@pytest.mark.usefixtures("ward")
def test_without_loading_nothing_is_imported(plugins: PluginManager) -> None:
    found = by_name(examine(plugins, load=False))
    assert found["toy-fine"]["state"] == "not loaded yet"
    assert found["toy-broken"]["state"] == "not loaded yet"
    assert found["toy-future"]["state"] == "wants another version"
    assert not [name for name in sys.modules if name.startswith("toy_")]


@pytest.mark.usefixtures("ward")
def test_the_text_can_be_read(plugins: PluginManager) -> None:
    text = render(examine(plugins))
    lines = text.splitlines()
    assert re.match(r"dovetail-core 0\.1\.0, Python 3\.\d+\.\S+, NumPy 2\.\S+, \S+", lines[0])
    assert lines[1].startswith("allow and deny lists: allow toy-broken, toy-fine, toy-future, toy-nn-one, ")
    fine = lines.index(next(line for line in lines if line.startswith("toy-fine 1.0")))
    assert lines[fine].split() == ["toy-fine", "1.0", "ok"]
    assert lines[fine + 1].split() == ["dovetail.layers", "fine"]
    assert "  ! broken: quarantined: ZeroDivisionError: division by zero" in lines
    assert "      ZeroDivisionError: division by zero" in lines
    assert "  ! future: wants another version: wants dovetail-core >=9, installed 0.1.0" in lines
    assert "  ! taken: collides: dovetail.layers: 'taken' is also provided by toy-two 2.0" in lines
    assert any(line.startswith("  ! denied: denied by DOVETAIL_PLUGINS=") for line in lines)
    assert re.fullmatch(r"6 of \d+ plugins need help; the lines marked ! say why\.", lines[-1])
    titles = [line for line in lines if line.startswith("toy-")]
    assert len({title.rindex(title.split(maxsplit=2)[2]) for title in titles}) == 1  # the states stand in one column


@pytest.mark.usefixtures("ward")
def test_the_command_prints_text_or_json(plugins: PluginManager, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"], plugins) == 1
    assert "toy-broken 1.0" in capsys.readouterr().out
    assert main(["doctor", "--json"], plugins) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["broken"] == 6
    assert by_name(report)["toy-broken"]["provides"][0]["state"] == "quarantined"


def test_what_a_plugin_prints_stays_out_of_the_report(
    install: Install, plugins: PluginManager, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("toy", {"layers": ["loud = toy_loud:Layer"]}, {"toy_loud": "print('hello')\n" + LAYER})
    monkeypatch.setenv("DOVETAIL_PLUGINS", "toy")
    assert main(["doctor", "--json"], plugins) == 0
    out, err = capsys.readouterr()
    assert by_name(json.loads(out))["toy"]["state"] == "ok"
    assert err == "hello\n"


def test_nothing_installed(plugins: PluginManager, monkeypatch: pytest.MonkeyPatch) -> None:
    from dovetail.plugins import discovery

    monkeypatch.setattr(discovery, "scan", lambda: discovery.Scan(None))
    text = render(examine(plugins))
    assert text.startswith("dovetail-core without metadata, ")
    assert text.splitlines()[1:] == [
        "allow and deny lists: none; every plugin may be loaded",
        "",
        "No plugins are installed.",
        "",
        "Everything is in order.",
    ]


def test_a_misspelt_denial_is_remarked(
    install: Install, plugins: PluginManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("toy-swish", {"layers": ["swish = toy_swish:Layer"]}, {"toy_swish": LAYER})
    monkeypatch.setenv("DOVETAIL_PLUGINS", "-toy-swihs")
    (remark,) = examine(plugins, load=False)["remarks"]
    assert remark == (
        "DOVETAIL_PLUGINS=-toy-swihs names 'toy-swihs', which is no installed plugin. Did you mean 'toy-swish'?"
    )


def test_backends_say_whether_they_can_run_here(
    install: Install, plugins: PluginManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
    class Availability:
        def __init__(self, yes): self.yes = yes
        def __bool__(self): return self.yes
        def __repr__(self): return "available" if self.yes else "not available: no such device"
    class Here:
        def availability(self): return Availability(True)
    class There:
        def availability(self): return Availability(False)
    class Odd:
        def availability(self): raise RuntimeError("driver")
    there = There()
    """
    entries = ["here = toy_backends:Here", "there = toy_backends:there", "odd = toy_backends:Odd"]
    install("toy", {"backends": entries}, {"toy_backends": source})
    monkeypatch.setenv("DOVETAIL_PLUGINS", "toy")
    report = examine(plugins)
    found = {item["name"]: (item["available"], item["detail"]) for item in report["backends"] if "toy" in str(item)}
    assert found == {
        "here": (True, "available"),
        "there": (False, "not available: no such device"),
        "odd": (False, "cannot tell: RuntimeError: driver"),
    }
    assert "  there  not available: no such device" in render(report).splitlines()


def test_a_slow_import_is_told(install: Install, plugins: PluginManager, monkeypatch: pytest.MonkeyPatch) -> None:
    install("toy-slow", {"layers": ["slow = toy_slow:Layer"]}, {"toy_slow": "import time; time.sleep(1.1)\n" + LAYER})
    monkeypatch.setenv("DOVETAIL_PLUGINS", "toy-slow")
    report = examine(plugins)
    assert by_name(report)["toy-slow"]["provides"][0]["seconds"] >= 1.0
    assert re.search(r"^  ! slow: slow: its import took 1\.\d s$", render(report), re.MULTILINE)


def test_what_the_process_registers_is_shown(plugins: PluginManager) -> None:
    with plugins.registered("layers", "mine", int):
        report = examine(plugins, load=False)
    (entry,) = by_name(report)["this process"]["provides"]
    assert (entry["name"], entry["state"]) == ("mine", "ok")
    assert entry["value"].startswith(f"registered at {__file__}:")


def test_broken_hooks_are_found(install: Install, plugins: PluginManager, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from dovetail.plugins import hookimpl\n@hookimpl\ndef step_ran(): pass\n"
    install("toy", {"hooks": ["count = toy_hooks"]}, {"toy_hooks": source})
    monkeypatch.setenv("DOVETAIL_PLUGINS", "toy")
    (entry,) = by_name(examine(plugins))["toy"]["provides"]
    assert entry["state"] == "quarantined"
    assert "unknown hook 'step_ran'" in entry["detail"]


def test_the_version(capsys: pytest.CaptureFixture[str], install: Install) -> None:
    install("dovetail-core", {}, version="0.1.0", folder="first")
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "dovetail-core 0.1.0\n"


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "show every plugin, what it provides and how it is" in capsys.readouterr().out


def test_plugins_add_commands(install: Install, plugins: PluginManager, capsys: pytest.CaptureFixture[str]) -> None:
    source = "def greet(arguments):\n    print('hello', *arguments)\n    return 3 if arguments else None\n"
    install("toy", {"commands": ["greet = toy_commands:greet"]}, {"toy_commands": source})
    assert main(["greet"], plugins) == 0
    assert main(["greet", "--loud", "you"], plugins) == 3
    assert capsys.readouterr().out == "hello\nhello --loud you\n"


def test_the_help_names_the_commands_of_plugins(
    install: Install, plugins: PluginManager, capsys: pytest.CaptureFixture[str]
) -> None:
    install("toy", {"commands": ["greet = toy_greet:greet"]})
    assert main([], plugins) == 2
    assert "Commands of installed plugins: greet." in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are another matter there")
def test_a_reader_that_leaves_is_no_error() -> None:
    code = "import sys; from dovetail.plugins.cli import main; sys.exit(main(['doctor', '--json', '--no-load']))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait() == 1
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


def test_an_unknown_command_is_told(plugins: PluginManager, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docter"], plugins) == 2
    assert capsys.readouterr().err == "dovetail: There is no command 'docter'. Did you mean 'doctor'?\n"


def test_a_command_of_a_missing_distribution_says_what_to_install(
    plugins: PluginManager, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dovetail.plugins.first_party._is_installed", lambda name: name == "dovetail-core")
    assert main(["cache"], plugins) == 2
    assert capsys.readouterr().err.endswith("may provide it: pip install dovetail-backend-cpu\n")


def test_a_malformed_list_is_told(
    plugins: PluginManager, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOVETAIL_PLUGINS", "a b")
    assert main(["doctor"], plugins) == 1
    assert capsys.readouterr().err.startswith("dovetail: DOVETAIL_PLUGINS=a b: 'a b' is not understood.")
