"""Versions and specifiers, held against the rules of PEP 440 and the ``packaging`` library."""

from __future__ import annotations

import re
from importlib.metadata import version
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.plugins.versions import normalize, parse_requirement, parse_version, satisfies

ORDERED = [
    "0.9",
    "1.0.dev1",
    "1.0a1.dev2",
    "1.0a1",
    "1.0a2",
    "1.0b1",
    "1.0rc1",
    "1.0rc1.post3",
    "1.0",
    "1.0+abc",
    "1.0+5",
    "1.0.post1.dev2",
    "1.0.post1",
    "1.1",
    "1.10",
    "1!0.1",
]


def test_versions_order() -> None:
    keys = [parse_version(text) for text in ORDERED]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.0", "1"), ("1.0.0", "v1.0"), ("1.0alpha1", "1.0-a.1"), ("1.0c1", "1.0preview1"), ("1.0-3", "1.0.post3")],
)
def test_spellings_of_one_version_are_equal(one: str, other: str) -> None:
    assert parse_version(one) == parse_version(other)


@pytest.mark.parametrize(
    ("version", "specifiers", "expected"),
    [
        ("0.1.0", "", True),
        ("0.1.0", ">=0.1", True),
        ("0.1.0", ">=9", False),
        ("0.1.0", ">=0.1,<0.2", True),
        ("0.2.0", " >= 0.1 , < 0.2 ", False),
        ("1.4.2", "~=1.4.1", True),
        ("1.5.0", "~=1.4.1", False),
        ("1.5.0", "~=1.4", True),
        ("1.4.2", "==1.4.*", True),
        ("1.4.2", "!=1.4.*", False),
        ("1.4.2", "==1.4.2", True),
        ("1.4.2+local", "==1.4.2", True),
        ("1.4.2", "==1.4.2+local", False),
        ("1.4.2", "!=1.4.2", False),
        ("1.4.2", "===1.4.2", True),
        ("1.4.2.0", "===1.4.2", False),
        ("2.0rc1", "<2.0", False),
        ("2.0rc1", "<2.0rc2", True),
        ("2.0.post1", ">2.0", False),
        ("2.0.post2", ">2.0.post1", True),
        ("2.0+local", ">2.0", False),
        ("1.0", "<=1.0", True),
    ],
)
def test_specifiers(version: str, specifiers: str, expected: bool) -> None:
    assert satisfies(version, specifiers) is expected


@pytest.mark.parametrize(
    ("version", "specifiers", "message"),
    [
        ("1.0", "1.0", "'1.0' is not a version specifier"),
        ("1.0", "=>1.0", "'=>1.0' is not a version specifier"),
        ("1.0", ">=1.*", "'>=1.*' is not a version specifier: only == and != take a wildcard"),
        ("1.0", "~=1", "'~=1' is not a version specifier: ~= needs at least two numbers, as in ~=1.4"),
        ("1.0", ">=latest", "'latest' is not a version"),
        ("new", ">=1", "'new' is not a version"),
    ],
)
def test_malformed_specifiers_are_told(version: str, specifiers: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        satisfies(version, specifiers)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("dovetail-core", ("dovetail-core", "", "")),
        ("dovetail_core>=0.1,<2", ("dovetail-core", ">=0.1,<2", "")),
        ("Dovetail.Core (>=0.1)", ("dovetail-core", ">=0.1", "")),
        ("dovetail-core[cpu] >=0.1; extra == 'x'", ("dovetail-core", ">=0.1", "extra == 'x'")),
    ],
)
def test_requirements(text: str, parts: tuple[str, str, str]) -> None:
    assert parse_requirement(text) == parts


def test_a_malformed_requirement_is_told() -> None:
    with pytest.raises(ValueError, match=r"^'>=1' is not a requirement$"):
        parse_requirement(">=1")


def test_names_are_normalized() -> None:
    assert normalize("Dovetail__Swish.Layer") == "dovetail-swish-layer"


number = st.integers(0, 12).map(str)
releases = st.lists(number, min_size=1, max_size=4).map(".".join)
suffixes = st.sampled_from(
    ["", "", "a1", "b2", "rc1", ".post1", ".dev3", "rc1.dev2", "rc1.post2", "+local.7", ".post2.dev1"]
)
versions = st.builds(
    lambda epoch, release, suffix: epoch + release + suffix, st.sampled_from(["", "", "1!"]), releases, suffixes
)
operators = st.sampled_from(["==", "!=", ">=", "<=", ">", "<", "~="])


# Earlier releases of packaging read ">1.0rc1" and "<1.0.post1" more strictly than the specification.
needs_packaging = pytest.mark.skipif(
    not find_spec("packaging") or parse_version(version("packaging")) < parse_version("26"), reason="packaging >= 26"
)


@needs_packaging
@given(versions, versions, operators, st.booleans())
def test_specifiers_agree_with_packaging(installed: str, wanted: str, operator: str, wildcard: bool) -> None:
    from packaging import specifiers

    if wildcard and operator in ("==", "!=") and "+" not in wanted and "dev" not in wanted:
        wanted += ".*"
    try:
        specifier = specifiers.SpecifierSet(operator + wanted)
    except specifiers.InvalidSpecifier:
        return
    assert satisfies(installed, operator + wanted) == specifier.contains(installed, prereleases=True)


@needs_packaging
@given(versions, versions)
def test_order_agrees_with_packaging(one: str, other: str) -> None:
    from packaging.version import Version

    assert (parse_version(one) < parse_version(other)) == (Version(one) < Version(other))
    assert (parse_version(one) == parse_version(other)) == (Version(one) == Version(other))
