r"""Which distributions may be imported: allow and deny lists, applied to names before any import.

The first of these that exists decides alone:

1. the environment variable ``DOVETAIL_PLUGINS``: names of distributions divided by commas, where ``name`` allows only
   the distributions so named, ``-name`` denies one, and ``none`` alone denies all;
2. the file that ``DOVETAIL_CONFIG`` names;
3. ``dovetail.toml`` in the current folder;
4. ``config.toml`` in the user's folder, ``~/.config/dovetail`` (``$XDG_CONFIG_HOME/dovetail`` where that is set,
   ``%APPDATA%\dovetail`` on Windows).

A file says it in a table::

    [plugins]
    allow = ["dovetail-layers", "dovetail-optim"]   # only these
    deny = ["dovetail-swish"]                       # all but these
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, final

from dovetail.errors import FormatError, InvalidArgumentError
from dovetail.plugins.records import CORE, Distribution
from dovetail.plugins.versions import normalize

__all__ = ["Policy", "current_policy"]

_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


@final
class Policy:
    """An allow list (None: all are allowed), a deny list, and where they were read."""

    __slots__ = ("allow", "deny", "source")

    def __init__(self, source: str, allow: frozenset[str] | None, deny: frozenset[str]) -> None:
        self.source = source
        self.allow = allow
        self.deny = deny

    def denial(self, distribution: Distribution) -> str | None:
        """Say by what ``distribution`` is denied, as ``denied by DOVETAIL_PLUGINS``; None where it is allowed."""
        if distribution.key == CORE:
            return None
        if distribution.key in self.deny:
            return f"denied by {self.source}"
        if self.allow is not None and distribution.key not in self.allow:
            return f"denied by {self.source}, which does not name it among the allowed"
        return None


def current_policy() -> Policy:
    """Read the policy that is in force.

    Raises:
        InvalidArgumentError: If ``DOVETAIL_PLUGINS`` is malformed.
        FormatError: If the configuration file is malformed, or ``DOVETAIL_CONFIG`` names none.
    """
    listed = os.environ.get("DOVETAIL_PLUGINS", "").strip()
    if listed:
        return _from_environment(listed)
    named = os.environ.get("DOVETAIL_CONFIG")
    if named:
        if not Path(named).is_file():
            raise FormatError(f"DOVETAIL_CONFIG names {named}, which is not a file.")
        return _from_file(Path(named))
    for path in (Path.cwd() / "dovetail.toml", _user_folder() / "config.toml"):
        if path.is_file():
            return _from_file(path)
    return Policy("default", None, frozenset())


def _user_folder() -> Path:
    if sys.platform == "win32":
        base = os.environ.get("APPDATA")
    else:
        base = os.environ.get("XDG_CONFIG_HOME")
    return Path(base or "~/.config").expanduser() / "dovetail"


def _from_environment(listed: str) -> Policy:
    source = f"DOVETAIL_PLUGINS={listed}"
    names = [name.strip() for name in listed.split(",") if name.strip()]
    if names == ["none"]:
        return Policy(source, frozenset(), frozenset())
    for name in names:
        if name == "none" or not _is_name(name.removeprefix("-")):
            raise InvalidArgumentError(
                f"{source}: {name!r} is not understood. Write names of distributions divided by commas: 'name' to "
                "allow only those named, '-name' to deny one, or 'none' alone for no plugins."
            )
    allowed = frozenset(normalize(name) for name in names if not name.startswith("-"))
    denied = frozenset(normalize(name[1:]) for name in names if name.startswith("-"))
    return Policy(source, allowed or None, denied)


def _from_file(path: Path) -> Policy:
    import tomllib

    try:
        text = path.read_bytes().decode()
        table = tomllib.loads(text).get("plugins", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is not a TOML file: {error}.") from error
    if not isinstance(table, dict):
        raise FormatError(f"{_at(path, text, 'plugins')}: plugins must be a table, [plugins], not {table!r}.")
    for key in table:
        if key not in ("allow", "deny"):
            raise FormatError(f"{_at(path, text, key)}: [plugins] has no setting {key!r}; it has allow and deny.")
    allow = _names(path, text, table, "allow") if "allow" in table else None
    return Policy(str(path), allow, _names(path, text, table, "deny"))


def _names(path: Path, text: str, table: dict[str, Any], key: str) -> frozenset[str]:
    names = table.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) and _is_name(name) for name in names):
        raise FormatError(f"{_at(path, text, key)}: {key} must be a list of names of distributions, not {names!r}.")
    return frozenset(normalize(name) for name in names)


def _is_name(text: str) -> bool:
    normal = normalize(text)
    return bool(normal) and not normal.startswith("-") and set(normal) <= _NAME_CHARACTERS


def _at(path: Path, text: str, key: str) -> str:
    lines = text.splitlines()
    table = next((number for number, line in enumerate(lines) if line.strip().startswith("[plugins]")), 0)
    for number, line in enumerate(lines[table:], start=table + 1):
        if line.strip().partition("=")[0].strip().strip("\"'") == key:
            return f"{path}:{number}"
    return str(path)
