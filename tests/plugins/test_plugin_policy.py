"""Allow and deny lists: where they are read, which of them decides, what is said of a malformed one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from dovetail.errors import FormatError, InvalidArgumentError, PluginNotFoundError
from dovetail.plugins import Distribution, PluginManager
from dovetail.plugins.policy import current_policy

Install = Any

SWISH = Distribution("Dovetail_Swish", "1.0")
OTHER = Distribution("other", "1.0")
CORE = Distribution("dovetail-core", "0.1.0")


def denials() -> tuple[str | None, str | None]:
    policy = current_policy()
    assert policy.denial(CORE) is None
    return policy.denial(SWISH), policy.denial(OTHER)


def test_by_default_everything_is_allowed() -> None:
    assert denials() == (None, None)


@pytest.mark.parametrize(
    ("listed", "swish", "other"),
    [
        ("-dovetail-swish", "denied by DOVETAIL_PLUGINS=-dovetail-swish", None),
        ("-DOVETAIL.swish, -x", "denied by DOVETAIL_PLUGINS=-DOVETAIL.swish, -x", None),
        (
            "dovetail_swish",
            None,
            "denied by DOVETAIL_PLUGINS=dovetail_swish, which does not name it among the allowed",
        ),
        (
            "none",
            "denied by DOVETAIL_PLUGINS=none, which does not name it among the allowed",
            "denied by DOVETAIL_PLUGINS=none, which does not name it among the allowed",
        ),
        ("other,dovetail-swish,-other", None, "denied by DOVETAIL_PLUGINS=other,dovetail-swish,-other"),
        ("  ", None, None),
    ],
)
def test_the_environment(monkeypatch: pytest.MonkeyPatch, listed: str, swish: str | None, other: str | None) -> None:
    monkeypatch.setenv("DOVETAIL_PLUGINS", listed)
    assert denials() == (swish, other)


@pytest.mark.parametrize(("listed", "culprit"), [("none,other", "none"), ("a b", "a b"), ("--x", "--x"), ("-", "-")])
def test_a_malformed_environment_is_told(monkeypatch: pytest.MonkeyPatch, listed: str, culprit: str) -> None:
    monkeypatch.setenv("DOVETAIL_PLUGINS", listed)
    with pytest.raises(InvalidArgumentError) as raised:
        current_policy()
    assert str(raised.value) == (
        f"DOVETAIL_PLUGINS={listed}: {culprit!r} is not understood. Write names of distributions divided by commas: "
        "'name' to allow only those named, '-name' to deny one, or 'none' alone for no plugins."
    )


def test_the_first_that_exists_decides_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    user = tmp_path / "home" / "dovetail" / "config.toml"
    user.parent.mkdir(parents=True)
    monkeypatch.setenv("APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME", str(tmp_path / "home"))
    user.write_text('[plugins]\ndeny = ["other"]\n')
    assert denials() == (None, f"denied by {user}")
    here = tmp_path / "dovetail.toml"
    here.write_text('[plugins]\nallow = ["other"]\n')
    assert denials() == (f"denied by {here}, which does not name it among the allowed", None)
    named = tmp_path / "named.toml"
    named.write_text('title = "no table of plugins"\n')
    monkeypatch.setenv("DOVETAIL_CONFIG", str(named))
    assert denials() == (None, None)
    monkeypatch.setenv("DOVETAIL_PLUGINS", "-other")
    assert denials() == (None, "denied by DOVETAIL_PLUGINS=-other")


def test_an_empty_allow_list_allows_nothing(tmp_path: Path) -> None:
    (tmp_path / "dovetail.toml").write_text("[plugins]\nallow = []\n")
    assert all(denials())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[plugins]\nallow = [", r" is not a TOML file: .*\(at end of document\)"),
        ("[plugins]\nallow = nothing\n", r" is not a TOML file: .*\(at line 2, column 9\)\."),
        ('x = 1\n[plugins]\n\ndeny = "a"\n', r":4: deny must be a list of names of distributions, not 'a'\."),
        ("[plugins]\nallow = ['a b']\n", r":2: allow must be a list of names of distributions, not \['a b'\]\."),
        ("[plugins]\nalow = []\n", r":2: \[plugins\] has no setting 'alow'; it has allow and deny\."),
        ("plugins = 3\n", r":1: plugins must be a table, \[plugins\], not 3\."),
    ],
)
def test_a_malformed_file_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "dovetail.toml"
    path.write_text(text)
    with pytest.raises(FormatError, match=f"^{re.escape(str(path))}{told}"):
        current_policy()


def test_a_named_file_must_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOVETAIL_CONFIG", str(tmp_path / "gone.toml"))
    with pytest.raises(FormatError) as raised:
        current_policy()
    assert str(raised.value) == f"DOVETAIL_CONFIG names {tmp_path / 'gone.toml'}, which is not a file."


def test_a_denied_plugin_is_never_imported(
    install: Install, plugins: PluginManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("dovetail-swish", {"layers": ["swish = toy_swish:Swish"]}, {"toy_swish": "raise SystemExit"})
    monkeypatch.setenv("DOVETAIL_PLUGINS", "-dovetail-swish")
    assert "swish" not in plugins.names("layers")
    with pytest.raises(PluginNotFoundError) as raised:
        plugins.get("layers", "swish")
    assert str(raised.value) == (
        "dovetail.layers: 'swish' is provided by dovetail-swish 1.0, which is denied by "
        "DOVETAIL_PLUGINS=-dovetail-swish."
    )
    (provider,) = [item for item in plugins.providers("layers") if item.name == "swish"]
    with pytest.raises(
        PluginNotFoundError, match=r"is denied by DOVETAIL_PLUGINS=-dovetail-swish; it was not imported"
    ):
        plugins.load(provider)
    assert "toy_swish" not in sys.modules


def test_what_the_process_registers_cannot_be_denied(plugins: PluginManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOVETAIL_PLUGINS", "none")
    with plugins.registered("layers", "mine", 1):
        assert plugins.get("layers", "mine") == 1
