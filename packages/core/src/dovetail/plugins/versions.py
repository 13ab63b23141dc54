"""Versions and version specifiers, as much of them as a check before an import needs.

Core does not depend on the ``packaging`` library, yet must tell whether a plugin's requirement on
``dovetail-core`` is met before it imports the plugin. The rules are those of PEP 440; pre-releases count as
versions like any other, for what is installed is installed.
"""

from __future__ import annotations

import re

__all__ = ["normalize", "parse_requirement", "parse_version", "satisfies"]

# `re` compiles these, and remembers them, at the first use: not while Dovetail is imported.
_VERSION = r"""(?xi)
    v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)
    (?:[-_.]?(?P<pre>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?P<pre_number>\d*))?
    (?P<post>-(?P<post_dash>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>\d*))?
    (?P<dev>[-_.]?dev[-_.]?(?P<dev_number>\d*))?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?"""
_CLAUSE = r"(===|==|!=|<=|>=|~=|<|>)\s*([^\s]+)"
_REQUIREMENT = r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*\(?(?P<specifiers>[^;@)]*)\)?"
_PRE_LETTERS = {"alpha": "a", "a": "a", "beta": "b", "b": "b", "preview": "rc", "pre": "rc", "c": "rc", "rc": "rc"}

# Each part of a version sorts as a pair: its rank among the forms that the part can take, then its value.
_Local = tuple[tuple[int, int, str], ...]
_Key = tuple[int, tuple[int, ...], tuple[int, str, int], tuple[int, int], tuple[int, int], _Local]


def normalize(distribution: str) -> str:
    """Give the form in which the names of distributions are compared (PEP 503).

    >>> normalize("Dovetail_Layers")
    'dovetail-layers'
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


class _Version:
    """A version in parts; ``key`` orders versions, ``public`` leaves out the local part."""

    __slots__ = ("dev", "epoch", "key", "local", "post", "pre", "release")

    def __init__(self, text: str) -> None:
        match = re.fullmatch(_VERSION, text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a version")
        self.epoch = int(match["epoch"] or 0)
        self.release = tuple(int(part) for part in match["release"].split("."))
        self.pre = (_PRE_LETTERS[match["pre"].lower()], int(match["pre_number"] or 0)) if match["pre"] else None
        self.post = int(match["post_dash"] or match["post_number"] or 0) if match["post"] else None
        self.dev = int(match["dev_number"] or 0) if match["dev"] else None
        self.local = tuple(_local_part(part) for part in re.split(r"[-_.]", match["local"])) if match["local"] else ()
        self.key = self._key(self.local)

    @property
    def public(self) -> _Key:
        return self._key(())

    def _key(self, local: _Local) -> _Key:
        release = self.release
        while len(release) > 1 and release[-1] == 0:
            release = release[:-1]
        if self.pre is not None:
            pre = (1, *self.pre)
        elif self.post is None and self.dev is not None:
            pre = (0, "", 0)  # 1.0.dev1 goes before 1.0a1
        else:
            pre = (2, "", 0)
        post = (0, 0) if self.post is None else (1, self.post)
        dev = (1, 0) if self.dev is None else (0, self.dev)
        return (self.epoch, release, pre, post, dev, local)

    def has_prefix(self, prefix: _Version) -> bool:
        """Say whether ``== prefix.*`` holds: the release, padded by zeros, starts as the prefix's."""
        length = len(prefix.release)
        padded = (*self.release, *(0,) * length)[:length]
        if self.epoch != prefix.epoch or padded != prefix.release:
            return False
        if prefix.pre is not None and self.pre != prefix.pre:
            return False
        return prefix.post is None or (self.pre == prefix.pre and self.post == prefix.post)


def _local_part(part: str) -> tuple[int, int, str]:
    return (1, int(part), "") if part.isdigit() else (0, 0, part.lower())


def parse_version(text: str) -> _Key:
    """Give a key by which versions order; two texts of one version have equal keys.

    Raises:
        ValueError: If ``text`` is not a version by PEP 440.

    >>> parse_version("1.0rc1") < parse_version("1.0") == parse_version("1") < parse_version("1.0.post1")
    True
    """
    return _Version(text).key


def parse_requirement(text: str) -> tuple[str, str, str]:
    """Split a ``Requires-Dist`` into the normalized name, the specifiers and the marker.

    Raises:
        ValueError: If ``text`` does not start with the name of a distribution.

    >>> parse_requirement("dovetail_core[cpu] (>=0.1,<2) ; extra == 'onnx'")
    ('dovetail-core', '>=0.1,<2', "extra == 'onnx'")
    """
    match = re.match(_REQUIREMENT, text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a requirement")
    return normalize(match["name"]), match["specifiers"].strip(), text.partition(";")[2].strip()


def satisfies(version: str, specifiers: str) -> bool:
    """Say whether ``version`` meets every clause of ``specifiers``, such as ``">=0.1, <2"``.

    Raises:
        ValueError: If the version, or a clause, does not follow PEP 440.

    >>> satisfies("0.1.0", ">=9"), satisfies("1.4.2", "~=1.4, !=1.4.1")
    (False, True)
    """
    clauses = [clause.strip() for clause in specifiers.split(",") if clause.strip()]
    return all(_meets(version, clause) for clause in clauses)


def _meets(version: str, clause: str) -> bool:
    match = re.fullmatch(_CLAUSE, clause)
    if match is None:
        raise ValueError(f"{clause!r} is not a version specifier")
    operator, wanted_text = match.groups()
    if operator == "===":
        return version.strip().lower() == wanted_text.lower()
    installed = _Version(version)
    if wanted_text.endswith(".*"):
        if operator not in ("==", "!="):
            raise ValueError(f"{clause!r} is not a version specifier: only == and != take a wildcard")
        return installed.has_prefix(_Version(wanted_text[:-2])) == (operator == "==")
    wanted = _Version(wanted_text)
    if operator in ("==", "!="):
        same = installed.key == wanted.key if wanted.local else installed.public == wanted.key
        return same == (operator == "==")
    if operator == ">=":
        return installed.public >= wanted.key
    if operator == "<=":
        return installed.public <= wanted.key
    if operator == "~=":
        return _compatible(installed, wanted, clause)
    return _strictly_below(installed, wanted) if operator == "<" else _strictly_above(installed, wanted)


def _compatible(installed: _Version, wanted: _Version, clause: str) -> bool:
    if len(wanted.release) < 2:
        raise ValueError(f"{clause!r} is not a version specifier: ~= needs at least two numbers, as in ~=1.4")
    length = len(wanted.release) - 1
    padded = (*installed.release, *(0,) * length)[:length]
    same_series = installed.epoch == wanted.epoch and padded == wanted.release[:-1]
    return same_series and installed.public >= wanted.key


def _strictly_below(installed: _Version, wanted: _Version) -> bool:
    # "<1.0" leaves out the pre-releases of 1.0 itself, unless it names a pre-release.
    wanted_is_early = wanted.pre is not None or wanted.dev is not None
    installed_is_early = installed.pre is not None or installed.dev is not None
    same_base = _base(installed) == _base(wanted) and wanted.post in (None, installed.post)
    if same_base and installed_is_early and not wanted_is_early:
        return False
    return installed.key < wanted.key


def _strictly_above(installed: _Version, wanted: _Version) -> bool:
    # ">1.0" leaves out 1.0.post1 and 1.0+local, unless it names a post-release.
    same_base = _base(installed) == _base(wanted) and installed.pre == wanted.pre
    if same_base and installed.post is not None and wanted.post is None and wanted.dev is None:
        return False
    return installed.public > wanted.key


def _base(version: _Version) -> tuple[int, tuple[int, ...]]:
    return version.key[0], version.key[1]
