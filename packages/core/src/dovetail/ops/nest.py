"""Nested lists, tuples and dicts of values: taken apart into leaves, and put together again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

__all__ = ["Nested", "difference", "flatten", "flatten_with_paths", "map_structure", "owners", "pack"]


class Nested(ABC):
    """A value that structures take apart: it holds values, and is made anew of others."""

    __slots__ = ()

    @abstractmethod
    def parts(self) -> list[Any]:
        """Return the values that it holds."""

    @abstractmethod
    def with_parts(self, parts: list[Any]) -> Any:
        """Return one like it that holds others."""

    @property
    def grows(self) -> bool:
        """Whether the first axis of its parts may change from one iteration of a loop to the next."""
        return False

    def in_loop(self, part: Any, size: Any) -> None:
        """Learn of the tensor that stands for a part in a loop, and of the symbol that stands for its first axis."""
        raise TypeError(f"{type(self).__name__} does not grow")


def owners(structure: Any) -> list[Nested | None]:
    """Return for each leaf the innermost ``Nested`` that holds it."""
    if isinstance(structure, Nested):
        return [structure if one is None else one for part in structure.parts() for one in owners(part)]
    if not _is_nested(structure):
        return [None]
    return [owner for _, part in _parts(structure) for owner in owners(part)]


def flatten(structure: Any) -> list[Any]:
    """Return the leaves in order; dicts are walked in the order of their sorted keys.

    Example:
        >>> flatten([1, (2, {"b": 4, "a": 3})])
        [1, 2, 3, 4]
    """
    return [leaf for _, leaf in flatten_with_paths(structure)]


def flatten_with_paths(structure: Any, path: str = "") -> list[tuple[str, Any]]:
    """Return the leaves with the subscripts that lead to them, such as ``[1]['state']``."""
    if not _is_nested(structure):
        return [(path, structure)]
    return [pair for key, part in _parts(structure) for pair in flatten_with_paths(part, f"{path}{key}")]


def pack(structure: Any, leaves: Iterable[Any]) -> Any:
    """Return the structure with other leaves.

    Example:
        >>> pack([1, (2, {"b": 4, "a": 3})], "wxyz")
        ['w', ('x', {'b': 'z', 'a': 'y'})]
    """
    return _pack(structure, iter(leaves))


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """Apply ``function`` to the leaves of structures of one form; returns that form."""
    return pack(structures[0], [function(*leaves) for leaves in zip(*map(flatten, structures), strict=True)])


def difference(expected: Any, given: Any, path: str = "") -> str | None:
    """Say where two structures differ, in words that fit behind "the results"; lists and tuples count as alike.

    Example:
        >>> difference([1, {"a": 2}], [1, {"b": 2}])
        "differ at [1]: keys ['a'] and keys ['b']"
    """
    mine, theirs = _form(expected), _form(given)
    if mine != theirs:
        return f"differ{f' at {path}' if path else ''}: {mine} and {theirs}"
    if not _is_nested(expected):
        return None
    for (key, one), (_, other) in zip(_parts(expected), _parts(given), strict=True):
        found = difference(one, other, f"{path}{key}")
        if found is not None:
            return found
    return None


def _is_nested(value: Any) -> bool:
    return isinstance(value, (list, tuple, Mapping, Nested))


def _form(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"keys {sorted(value)}"
    if isinstance(value, Nested):
        return f"a {type(value).__name__}"
    if isinstance(value, (list, tuple)):
        return f"{len(value)} values in a list or tuple"
    return "a single value"


def _parts(structure: Any) -> list[tuple[str, Any]]:
    if isinstance(structure, Mapping):
        return [(f"[{key!r}]", structure[key]) for key in sorted(structure)]
    if isinstance(structure, Nested):
        return [("", item) for item in structure.parts()]
    return [(f"[{index}]", item) for index, item in enumerate(structure)]


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if not _is_nested(structure):
        return next(leaves)
    items = [_pack(part, leaves) for _, part in _parts(structure)]
    if isinstance(structure, Mapping):
        made = dict(zip(sorted(structure), items, strict=True))
        return type(structure)((key, made[key]) for key in structure)  # type: ignore[call-arg]
    if isinstance(structure, Nested):
        return structure.with_parts(items)
    kind = type(structure)
    if kind is list or kind is tuple:
        return kind(items)
    return kind(items) if getattr(kind, "_fields", None) is None else kind(*items)
