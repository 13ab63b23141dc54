"""Finding, loading, quarantine, collisions, versions of the API, and registration inside a process."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from dovetail import plugins as public
from dovetail.errors import InvalidArgumentError, PluginCollisionError, PluginError, PluginNotFoundError
from dovetail.plugins import PluginManager

Install = Any


def message(raised: pytest.ExceptionInfo[BaseException]) -> str:
    return str(raised.value)


def test_nothing_is_scanned_before_something_is_asked_for(plugins: PluginManager) -> None:
    assert not plugins.scanned
    plugins.names("layers")
    assert plugins.scanned


def test_names_come_from_metadata_alone(install: Install, plugins: PluginManager) -> None:
    install("toy", {"layers": ["alpha = toy_never:A", "beta = toy_never:B"]}, {"toy_never": "raise SystemExit"})
    assert {"alpha", "beta"} <= set(plugins.names("layers"))
    (alpha,) = [item for item in plugins.providers("dovetail.layers") if item.name == "alpha"]
    assert (alpha.value, str(alpha.distribution)) == ("toy_never:A", "toy 1.0")
    assert repr(alpha) == "<Provider dovetail.layers 'alpha' = 'toy_never:A' from toy 1.0>"
    assert "toy_never" not in sys.modules


def test_a_plugin_is_imported_once_when_it_is_asked_for(install: Install, plugins: PluginManager) -> None:
    install("toy", {"formats": ["yaml = toy_yaml:Format.Inner"]}, {"toy_yaml": "class Format:\n    class Inner: pass"})
    target = plugins.get("formats", "yaml")
    assert target is sys.modules["toy_yaml"].Format.Inner
    assert plugins.get("dovetail.formats", "yaml") is target


def test_an_entry_may_name_a_module(install: Install, plugins: PluginManager) -> None:
    install("toy", {"ops": ["whole = toy_ops"]}, {"toy_ops": ""})
    assert plugins.get("ops", "whole") is sys.modules["toy_ops"]


def test_a_package_is_loaded_for_what_it_defines(install: Install, plugins: PluginManager) -> None:
    entries = ["one = toy_defining", "two = toy_other"]
    install("toy", {"ops": entries}, {"toy_defining": "defined = 1", "toy_other": "raise SystemExit"})
    assert plugins.load_package("ops", "toy_defining")
    assert sys.modules["toy_defining"].defined == 1
    assert not plugins.load_package("ops", "os")
    with pytest.raises(PluginError, match="SystemExit"):
        plugins.load_package("ops", "toy_other")


def test_threads_get_the_same_object(install: Install, plugins: PluginManager) -> None:
    source = "import time; time.sleep(0.2)\nclass Slow: pass"
    install("toy", {"layers": ["slow = toy_slow:Slow"]}, {"toy_slow": source})
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(plugins.get("layers", "slow"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_an_unknown_name_suggests_the_nearest(install: Install, plugins: PluginManager) -> None:
    install("toy", {"formats": ["yaml = a:b", "toml = a:c"]})
    with pytest.raises(PluginNotFoundError) as raised:
        plugins.get("formats", "yamll")
    assert message(raised).startswith("There is no format 'yamll'. Did you mean 'yaml'?")


def test_an_unknown_group_is_told(plugins: PluginManager) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        plugins.get("layer", "dense")
    assert message(raised).startswith(
        "'layer' is not a group of plugins. The groups are dovetail.layers, dovetail.ops,"
    )


def test_without_any_plugin_the_message_says_so(plugins: PluginManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOVETAIL_PLUGINS", "none")
    with pytest.raises(PluginNotFoundError) as raised:
        plugins.get("ops", "gelu")
    assert message(raised) == "There is no operation 'gelu'. No installed plugin provides any."


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import not_there_at_all", "ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("", "AttributeError: module 'toy_broken' has no attribute 'Broken'"),
    ],
)
def test_a_plugin_that_fails_is_quarantined(install: Install, plugins: PluginManager, source: str, told: str) -> None:
    entries = {"layers": ["broken = toy_broken:Broken"], "formats": ["fine = toy_fine:Fine"]}
    site = install("toy-broken", entries, {"toy_broken": source, "toy_fine": "class Fine: pass"}, version="2.1")
    with pytest.raises(PluginError) as first:
        plugins.get("layers", "broken")
    assert message(first) == (
        "toy-broken 2.1 (entry point 'broken = toy_broken:Broken' in dovetail.layers) could not be imported: "
        f"{told}. Everything else works; `dovetail doctor` shows the traceback."
    )
    (site / "toy_broken.py").write_text("class Broken: pass")  # it is not tried again
    with pytest.raises(PluginError) as second:
        plugins.get("layers", "broken")
    assert message(second) == message(first)
    assert second.value.__cause__ is first.value.__cause__
    assert type(first.value.__cause__).__name__ == told.partition(":")[0]
    assert plugins.get("formats", "fine").__name__ == "Fine"
    (provider,) = [item for item in plugins.providers("layers") if item.name == "broken"]
    failure = plugins.failure(provider)
    assert failure is not None
    steps = [line for line in failure.traceback.splitlines() if line.startswith('  File "')]
    assert failure.traceback.endswith(told + "\n")
    assert all(str(site) in step for step in steps)  # nothing of how it was imported
    assert steps or not source


def test_a_broken_module_fails_once_for_all_its_entries(install: Install, plugins: PluginManager) -> None:
    source = "import builtins\nbuiltins.toy_tries = getattr(builtins, 'toy_tries', 0) + 1\n1 / 0"
    install("toy", {"layers": ["one = toy_twice:One", "two = toy_twice:Two"]}, {"toy_twice": source})
    for name in ("one", "two"):
        with pytest.raises(PluginError, match="division by zero"):
            plugins.get("layers", name)
    import builtins

    assert builtins.__dict__.pop("toy_tries") == 1


def test_a_keyboard_interrupt_is_no_failure_of_the_plugin(install: Install, plugins: PluginManager) -> None:
    site = install("toy", {"layers": ["slow = toy_stop:Slow"]}, {"toy_stop": "raise KeyboardInterrupt"})
    with pytest.raises(KeyboardInterrupt):
        plugins.get("layers", "slow")
    (site / "toy_stop.py").write_text("class Slow: pass  # now it loads")
    assert plugins.get("layers", "slow").__name__ == "Slow"


def test_two_distributions_with_one_name_collide_when_it_is_asked_for(install: Install, plugins: PluginManager) -> None:
    install("toy-a", {"layers": ["taken = toy_a:Taken", "free = toy_a:Free"]}, {"toy_a": "class Free: pass"})
    install("toy-b", {"layers": ["taken = toy_b:Taken"]}, {"toy_b": "raise SystemExit"}, version="2.0")
    assert "taken" in plugins.names("layers")
    assert plugins.get("layers", "free").__name__ == "Free"
    with pytest.raises(PluginCollisionError) as raised:
        plugins.get("layers", "taken")
    assert message(raised) == (
        "dovetail.layers: 'taken' is provided twice: by toy-a 1.0 (toy_a:Taken) and toy-b 2.0 (toy_b:Taken). "
        "Uninstall one of them, or deny it, as by DOVETAIL_PLUGINS=-toy-b"
    )


def test_denying_one_of_two_settles_a_collision(
    install: Install, plugins: PluginManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("toy-a", {"layers": ["taken = toy_a:Taken"]}, {"toy_a": "class Taken: pass"})
    install("toy-b", {"layers": ["taken = toy_b:Taken"]}, {"toy_b": "raise SystemExit"})
    monkeypatch.setenv("DOVETAIL_PLUGINS", "-toy-b")
    assert plugins.get("layers", "taken").__module__ == "toy_a"


@pytest.mark.parametrize("kind", ["dist-info", "egg-info"])
def test_a_distribution_found_twice_counts_once(install: Install, plugins: PluginManager, kind: str) -> None:
    source = {"toy_dup": "class Dup: pass"}
    install("toy.dup", {"layers": ["dup = toy_dup:Dup"]}, source, folder="build", kind=kind)
    install("Toy_Dup", {"layers": ["dup = toy_dup:Dup"]}, source, version="1.1", folder="site")
    assert plugins.get("layers", "dup").__module__ == "toy_dup"
    (provider,) = [item for item in plugins.providers("layers") if item.name == "dup"]
    assert provider.distribution.version == "1.1"  # the one found first on sys.path


def test_damaged_metadata_are_set_apart(install: Install, plugins: PluginManager) -> None:
    site = install("toy", {"layers": ["whole = toy_whole:Whole"]}, {"toy_whole": "class Whole: pass"})
    damaged = site / "damaged-1.0.dist-info"
    damaged.mkdir()
    (damaged / "entry_points.txt").write_text("[dovetail.layers]\nx = y:z\n")
    assert plugins.get("layers", "whole").__name__ == "Whole"
    assert "x" not in plugins.names("layers")
    assert [line for line in plugins.scan.remarks if line.startswith(f"Metadata in {site} cannot be read: ")]


def test_a_misspelt_group_is_remarked(install: Install, plugins: PluginManager) -> None:
    install("toy", {"layer": ["one = toy_one:One"]})
    assert "toy 1.0: nothing reads the group 'dovetail.layer' of its entry 'one'." in plugins.scan.remarks


@pytest.fixture
def installed_core(install: Install) -> None:
    install("dovetail-core", {}, version="0.1.0", folder="first")


@pytest.mark.usefixtures("installed_core")
def test_a_plugin_for_another_version_is_not_imported(install: Install, plugins: PluginManager) -> None:
    install(
        "toy-future",
        {"layers": ["future = toy_future:Future"]},
        {"toy_future": "raise SystemExit('imported')"},
        requires=("numpy", "dovetail_core (>=9)"),
    )
    with pytest.raises(PluginError) as raised:
        plugins.get("layers", "future")
    assert message(raised) == (
        "toy-future 1.0 (entry point 'future = toy_future:Future' in dovetail.layers) wants dovetail-core >=9, "
        "installed 0.1.0; it was not imported. Install versions that fit together: pip install --upgrade "
        "dovetail-core toy-future"
    )
    assert "toy_future" not in sys.modules


@pytest.mark.usefixtures("installed_core")
@pytest.mark.parametrize(
    "requires", [("dovetail-core>=0.1,<0.2",), ("dovetail-core",), ("dovetail-core>=9; extra == 'x'",), ()]
)
def test_a_requirement_that_is_met_lets_it_load(install: Install, plugins: PluginManager, requires: tuple[str]) -> None:
    install("toy", {"layers": ["fits = toy_fits:Fits"]}, {"toy_fits": "class Fits: pass"}, requires=requires)
    assert plugins.get("layers", "fits").__name__ == "Fits"


@pytest.mark.usefixtures("installed_core")
def test_a_requirement_that_cannot_be_read_is_told(install: Install, plugins: PluginManager) -> None:
    install("toy", {"layers": ["odd = toy_odd:Odd"]}, requires=("dovetail-core>=new",))
    with pytest.raises(PluginError, match=r"has a requirement that cannot be read: 'new' is not a version; it was not"):
        plugins.get("layers", "odd")


def test_registered_in_the_process(plugins: PluginManager) -> None:
    target = object()
    plugins.register("layers", "mine", target)
    assert plugins.get("layers", "mine") is target
    assert "mine" in plugins.names("layers")
    plugins.unregister("layers", "mine")
    with pytest.raises(PluginNotFoundError):
        plugins.get("layers", "mine")


def test_registered_for_a_block(plugins: PluginManager) -> None:
    with plugins.registered("optimizers", "mine", int):
        assert plugins.get("optimizers", "mine") is int
    assert "mine" not in plugins.names("optimizers")


def test_registering_twice_names_both_lines(plugins: PluginManager) -> None:
    plugins.register("layers", "mine", 1)
    with pytest.raises(PluginCollisionError) as raised:
        plugins.register("layers", "mine", 2)
    here = Path(__file__)
    assert message(raised).startswith(f"dovetail.layers: 'mine' was already registered at {here}:")
    assert message(raised).endswith("Take it back first: dovetail.plugins.unregister('dovetail.layers', 'mine')")
    with (
        pytest.raises(PluginCollisionError, match=r"test_plugin_registry\.py:\d+ as well"),
        plugins.registered("layers", "mine", 3),
    ):
        pass
    assert plugins.get("layers", "mine") == 1


def test_registered_and_installed_collide(install: Install, plugins: PluginManager) -> None:
    install("toy", {"layers": ["mine = toy_mine:Mine"]})
    plugins.register("layers", "mine", 1)
    with pytest.raises(PluginCollisionError) as raised:
        plugins.get("layers", "mine")
    assert "'mine' is provided twice: by this process, registered at " in message(raised)
    assert message(raised).endswith(
        " and toy 1.0 (toy_mine:Mine). Uninstall one of them, or deny it, as by DOVETAIL_PLUGINS=-toy"
    )


def test_taking_back_what_was_not_registered(plugins: PluginManager) -> None:
    with pytest.raises(PluginNotFoundError, match=r"^dovetail.layers: 'other' was not registered in this process.$"):
        plugins.unregister("layers", "other")


def test_refresh_sees_what_was_installed_since(install: Install, plugins: PluginManager) -> None:
    assert "late" not in plugins.names("layers")
    install("toy", {"layers": ["late = toy_late:Late"]}, {"toy_late": "class Late: pass"})
    assert "late" not in plugins.names("layers")
    plugins.refresh()
    assert plugins.get("layers", "late").__name__ == "Late"


def test_the_public_functions_serve_the_manager_of_the_process() -> None:
    with public.registered("formats", "of-this-test", 7):
        assert public.get("formats", "of-this-test") == 7
        assert "of-this-test" in public.names("formats")
        (provider,) = [item for item in public.providers("formats") if item.name == "of-this-test"]
        assert provider.in_process
        assert str(provider).startswith(f"this process (registered at {__file__}:")
