"""Definitions of operations by domain, name and version."""

from __future__ import annotations

import difflib
from typing import Final, TypeVar

from dovetail.errors import AlreadyExistsError, NotFoundError
from dovetail.graph.op import Op

__all__ = ["all_definitions", "find_definition", "primitive", "register"]

_DEFINITIONS: Final[dict[tuple[str, str, int], type[Op]]] = {}
_T = TypeVar("_T", bound=type[Op])


def register(cls: _T) -> _T:
    """Make a definition known by its domain, name and version.

    Raises:
        AlreadyExistsError: another class has taken them.
    """
    key = (cls.domain, cls.name, cls.version)
    known = _DEFINITIONS.get(key)
    if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
        raise AlreadyExistsError(
            f"operation {cls.name!r} version {cls.version} of {cls.domain or 'core'!r} is already defined by "
            f"{known.__module__}.{known.__qualname__}; choose another name or raise the version."
        )
    _DEFINITIONS[key] = cls
    return cls


def primitive(cls: _T) -> _T:
    """Class decorator: declare a primitive operation (type rule, reference, gradient, samples)."""
    cls.kind = "primitive"
    return register(cls)


def find_definition(domain: str, name: str, version: int) -> type[Op]:
    """Return the definition.

    Raises:
        NotFoundError: there is none; the message names the nearest, or the package that would define it.
    """
    found = _DEFINITIONS.get((domain, name, version))
    if found is not None:
        return found
    if domain:
        raise NotFoundError(
            f"operation {name!r} (version {version}) is defined by the package {domain!r}, which is not imported here. "
            f"Install and import it."
        )
    versions = sorted(key[2] for key in _DEFINITIONS if key[:2] == (domain, name))
    if versions:
        raise NotFoundError(f"operation {name!r} is known in version {versions}, not {version}; update dovetail-core.")
    near = difflib.get_close_matches(name, [key[1] for key in _DEFINITIONS if key[0] == domain], 3)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    raise NotFoundError(f"there is no operation {name!r}.{hint}")


def all_definitions() -> list[type[Op]]:
    """Every definition known now, in the order of registration."""
    return list(_DEFINITIONS.values())
