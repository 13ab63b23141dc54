"""Fields of a class: annotated names that are its attributes or its configuration, read when the class is made."""

from __future__ import annotations

from typing import Any, Final, final

__all__ = ["MISSING", "Field", "FieldSpec", "field", "read_fields"]

MISSING: Final[Any] = object()
"""Stands for a default that a field does not have."""


@final
class Field:
    """One field: its name, the text of its annotation, its default, and whether it is given by name only."""

    __slots__ = ("annotation", "default", "keyword_only", "name")

    def __init__(self, name: str, annotation: str, default: Any = MISSING, keyword_only: bool = False) -> None:
        """Describe a field."""
        self.name = name
        self.annotation = annotation
        self.default = default
        self.keyword_only = keyword_only

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is MISSING


@final
class FieldSpec:
    """What ``field`` says of a field."""

    __slots__ = ("default", "keyword_only")

    def __init__(self, default: Any, keyword_only: bool) -> None:
        """Keep the default."""
        self.default = default
        self.keyword_only = keyword_only


def field(*, default: Any = MISSING, kw_only: bool = False) -> Any:
    """Give a default, and say whether the value is given by name only."""
    return FieldSpec(default, kw_only)


def read_fields(cls: type, inherited: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return the fields of a class: the inherited ones, then its own, in the order of their annotations.

    Names that begin with ``_`` and class variables are none. A default stands in the class's body. A field declared
    again keeps its place, and stays keyword-only if it was.
    """
    known = {one.name: one for one in inherited}
    for name, annotation in cls.__annotations__.items():
        if isinstance(annotation, str):
            text = annotation
        else:
            text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
        if name.startswith("_") or text.startswith(("ClassVar", "typing.ClassVar", "Final", "typing.Final")):
            continue
        before = known.get(name)
        default, keyword_only = cls.__dict__.get(name, MISSING), before is not None and before.keyword_only
        if isinstance(default, FieldSpec):
            default, keyword_only = default.default, default.keyword_only
            if default is MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, default)
        known[name] = Field(name, text, default, keyword_only)
    return tuple(known.values())
