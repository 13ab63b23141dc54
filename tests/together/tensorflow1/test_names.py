"""docs/tensorflow1.md says what is so: names are there and tested, or raise an error that says what to use."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.make_tensorflow1 import DOCUMENT, document, is_there, names, owner_of

from dovetail.errors import AbsentNameError
from dovetail.plugins.absent import absent_names
from dovetail.plugins.tensorflow1 import DIFFERS

ROOT = Path(__file__).resolve().parents[3]
EVERY = [name for listed in names().values() for name in listed]
OURS = re.compile(r"\b(?:dt|dovetail)\.((?:\w+\.)*\w+)")


def test_the_page_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run python tools/make_tensorflow1.py"


def test_every_name_is_there_or_left_out() -> None:
    assert [name for name in EVERY if is_there(name) == (name in absent_names())] == []
    assert len(EVERY) == len(set(EVERY)) > 1200


def test_the_tables_speak_of_names_that_tensorflow_has() -> None:
    assert set(absent_names()) - set(EVERY) == set()
    assert [name for name in DIFFERS if not is_there(name)] == []


def test_a_name_that_is_left_out_says_what_to_use() -> None:
    for name, advice in absent_names().items():
        owner, last = owner_of(name)
        with pytest.raises(AbsentNameError) as raised:
            getattr(owner, last)
        where = f"dovetail.{name}".rpartition(".")[0]
        assert str(raised.value) == (
            f"{where} leaves out {last!r} of TensorFlow 1: {advice}. docs/tensorflow1.md lists all names."
        )
        assert raised.value.name == last


def test_advice_names_what_is_there() -> None:
    for advice in [*absent_names().values(), *DIFFERS.values()]:
        for mentioned in re.findall(r"\bdt\.((?:\w+\.)*\w+)", advice):
            assert is_there(mentioned), f"{mentioned} in {advice!r}"


# Each name that is there is used by a test. ---------------------------------------------------------------------------


def attributes(tree: ast.AST, roots: set[str]) -> Iterator[str]:
    """The attributes that a program asks of the package, by whatever name it was imported: ``nn.relu``."""
    for node in ast.walk(tree):
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if parts:
            yield f".{parts[-1]}"
        if isinstance(node, ast.Name) and node.id in roots and parts:
            yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "dovetail":
            space = (node.module or "").partition(".")[2]
            yield from (f"{space}.{alias.name}" if space else alias.name for alias in node.names)


@functools.cache
def used() -> frozenset[str]:
    """The names that tests use: test files, and examples in docstrings, which are tests too."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("*.py"):
        tree = ast.parse(path.read_bytes())
        found.update(attributes(tree, {"dt", "tf", "dovetail"}))
        texts = [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        found.update(f"'{text}'" for text in texts if text.isidentifier())
    for path in (ROOT / "packages").rglob("src/**/*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.lstrip().startswith((">>>", "...")):
                found.update(OURS.findall(line))
    return frozenset(found)


def is_used(name: str) -> bool:
    """Whether a test uses a name as it stands, or one that stands for the same object, or asks for it by a string."""
    space, _, last = name.rpartition(".")
    if space in ("Graph", "Session"):
        return f".{last}" in used()
    target = getattr(*owner_of(name))
    same = [last, *(f"{other}.{last}" for other in ("nn", "math", "linalg", "random", "initializers"))]
    aliases = [one for one in same if is_there(one) and getattr(*owner_of(one)) is target]
    return any(one in used() for one in [name, *aliases]) or f"'{last}'" in used()


def test_every_name_that_is_there_is_used_by_a_test() -> None:
    assert [name for name in EVERY if is_there(name) and not is_used(name)] == []
