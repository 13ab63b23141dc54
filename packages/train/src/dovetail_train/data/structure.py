"""``Structure``: how the arrays of an element are nested in tuples and dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, final

import numpy as np

__all__ = ["Structure"]

_PLAIN: Final = (np.ndarray, np.generic, float, int, str, bytes, list)


@final
class Structure:
    """The form of an element: one array, or tuples and dicts of such forms.

    Elements travel through a pipeline as flat sequences of arrays; this takes them apart and puts them together. Lists
    are arrays, as in TensorFlow; tuples and dicts nest.

    Args:
        kind: the type of the tuple or mapping; ``None`` for one array.
        keys: keys of a mapping, positions of a tuple.
        parts: the form of each part.
    """

    __slots__ = ("_flat", "_keys", "_kind", "_parts", "size")

    def __init__(self, kind: type | None, keys: Sequence[Any] = (), parts: Sequence[Structure] = ()) -> None:
        """Keep the form."""
        self._kind = kind
        self._keys = tuple(keys)
        self._parts = tuple(parts)
        self._flat = all(part._kind is None for part in parts)
        self.size: int = 1 if kind is None else sum(part.size for part in parts)

    @staticmethod
    def of(element: Any) -> Structure:
        """Return the form of an element."""
        if isinstance(element, Mapping):
            return Structure(type(element), list(element), [Structure.of(part) for part in element.values()])
        if isinstance(element, tuple):
            return Structure(type(element), range(len(element)), [Structure.of(part) for part in element])
        return LEAF

    @property
    def is_tuple(self) -> bool:
        """Whether functions of an element take its parts as arguments."""
        return self._kind is not None and issubclass(self._kind, tuple)

    def parts(self) -> Sequence[Structure]:
        """Return the forms of the parts."""
        return self._parts

    def flatten(self, element: Any) -> list[Any] | None:
        """Return the arrays of an element in order; ``None`` where it has another form."""
        kind = self._kind
        if kind is None:
            return None if _nests(element) else [element]
        if isinstance(element, tuple):
            if not issubclass(kind, tuple) or len(element) != len(self._parts):
                return None
            values: Any = element
        elif isinstance(element, Mapping):
            if not issubclass(kind, Mapping) or len(element) != len(self._keys):
                return None
            try:
                values = [element[key] for key in self._keys]
            except KeyError:
                return None
        else:
            return None
        if self._flat:
            return None if any(map(_nests, values)) else list(values)
        leaves: list[Any] = []
        for part, value in zip(self._parts, values, strict=True):
            below = part.flatten(value)
            if below is None:
                return None
            leaves += below
        return leaves

    def pack(self, leaves: Sequence[Any]) -> Any:
        """Return an element of this form."""
        if self._kind is None:
            return leaves[0]
        return self._pack(leaves) if self._flat else self._pack(list(self._grouped(leaves)))

    def _pack(self, values: Sequence[Any]) -> Any:
        kind: Any = self._kind
        if not self.is_tuple:
            return dict(zip(self._keys, values, strict=True))
        return tuple(values) if kind is tuple else kind(*values)

    def _grouped(self, leaves: Sequence[Any]) -> Iterator[Any]:
        at = 0
        for part in self._parts:
            yield part.pack(leaves[at : at + part.size])
            at += part.size

    def call(self, function: Callable[..., Any], leaves: Sequence[Any], **keywords: Any) -> Any:
        """Call a function with an element: the parts of a tuple are its arguments, as in TensorFlow."""
        element = self.pack(leaves)
        return function(*element, **keywords) if self.is_tuple else function(element, **keywords)

    def paths(self, before: str = "") -> list[str]:
        """Return what to call each array in a message, such as ``['image']`` or ``[0]``; one alone has no name."""
        if self._kind is None:
            return [before]
        return [
            name for key, part in zip(self._keys, self._parts, strict=True) for name in part.paths(f"{before}[{key!r}]")
        ]

    def describe(self) -> str:
        """Say in words what an element is."""
        if self._kind is None:
            return "one array"
        if self.is_tuple:
            return f"a tuple of {len(self._parts)}"
        return f"a dict with the keys {', '.join(map(repr, self._keys))}"

    def __eq__(self, other: object) -> bool:
        """Whether elements of the two have the same parts in the same places."""
        if not isinstance(other, Structure):
            return NotImplemented
        if self._kind is None or other._kind is None:
            return self._kind is other._kind
        if self.is_tuple != other.is_tuple:
            return False
        if self.is_tuple:
            return self._parts == other._parts
        return dict(zip(self._keys, self._parts, strict=True)) == dict(zip(other._keys, other._parts, strict=True))

    def __hash__(self) -> int:
        """Hash by what both forms of equality share."""
        return hash((self.size, len(self._parts)))


def _nests(value: Any) -> bool:
    if isinstance(value, _PLAIN):  # asking for an abstract class takes ten times as long
        return False
    return isinstance(value, (tuple, Mapping))


LEAF = Structure(None)
