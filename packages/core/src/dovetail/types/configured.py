"""``Configured``: objects whose annotated fields are their configuration, which goes into files and comes back.

A configuration is JSON-able data: numbers, strings, truth values, ``None`` and lists stand for themselves. Everything
else is an object with one tag:

| value | in the configuration |
| --- | --- |
| a configured object | ``{"class": "module:Class", "config": {…}}`` |
| a function | its public name, such as ``"relu"``; else ``{"function": "module:name"}`` |
| ``float32`` | ``{"dtype": "float32"}`` |
| an array | ``{"array": {…}}``, as in an attribute |
| ``inf``, ``nan`` | ``{"float": "inf"}`` |
| a dict | ``{"dict": {…}}`` |
"""

from __future__ import annotations

import difflib
import math
import sys
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, ClassVar, Final, Self, dataclass_transform

import numpy as np

from dovetail.errors import ConfigurationError, FormatError
from dovetail.types.attributes import ArrayAttribute, decode, encode
from dovetail.types.dtypes import DType, as_dtype
from dovetail.types.fields import Field, FieldSpec, field, read_fields

__all__ = [
    "FINDERS",
    "FUNCTION_NAMES",
    "Configured",
    "decode_value",
    "encode_value",
    "find_class",
    "known_class",
    "make_public",
    "qualified_name",
]

FINDERS: Final[list[Callable[[str], type | None]]] = []
"""Asked for a class by ``module:Class`` that is not imported yet, as one of an installed plugin."""
FUNCTION_NAMES: Final[list[Callable[[Any], str | None]]] = []
"""Asked for the public name of a function, as of an activation."""

_CLASSES: Final[dict[str, type[Configured]]] = {}
_PUBLIC: Final[dict[Any, str]] = {}
_PLAIN: Final = (bool, int, str, type(None))


def qualified_name(value: Any) -> str:
    """Return the public name of a class, if it has one, else ``module:name`` of a class or function."""
    return _PUBLIC.get(value) or f"{value.__module__}:{value.__qualname__}"


def make_public(cls: type[Configured], name: str) -> None:
    """Give a class a name that stays when the class moves, as ``"dovetail.initializers:zeros"``, to stand in files."""
    _PUBLIC[cls] = name
    _CLASSES[name] = cls


class _Signature:
    """Gives the signature of a configured class to ``inspect.signature``, made when asked for."""

    def __get__(self, instance: Any, owner: type[Configured]) -> Any:
        from inspect import Parameter, Signature

        parameters = [
            Parameter(
                one.name,
                Parameter.KEYWORD_ONLY if one.keyword_only else Parameter.POSITIONAL_OR_KEYWORD,
                default=Parameter.empty if one.required else one.default,
                annotation=one.annotation,
            )
            for one in sorted(owner.fields, key=lambda one: one.keyword_only)
        ]
        return Signature(parameters)


@dataclass_transform(field_specifiers=(field, FieldSpec))
class Configured:
    """An object that is described by its annotated fields, which its constructor takes in their order.

    Class attributes:
        fields: the fields, those of base classes first.
    """

    fields: ClassVar[tuple[Field, ...]] = ()
    _error: ClassVar[type[ConfigurationError]] = ConfigurationError
    __signature__: ClassVar[Any] = _Signature()

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Read the fields of the class from its annotations."""
        super().__init_subclass__(**keywords)
        if "__init__" in cls.__dict__:
            raise cls._error(
                f"{cls.__qualname__} defines __init__; declare its configuration as annotated fields instead "
                f"(`units: int`), and check values in check()."
            )
        cls.fields = read_fields(cls, cls.fields)
        optional = ""
        for one in cls.fields:
            if one.required and optional and not one.keyword_only:
                raise cls._error(
                    f"{cls.__qualname__}.{one.name} has no default but follows {optional!r}, which has one; declare it "
                    "first."
                )
            if not one.required and not one.keyword_only:
                optional = one.name
        _CLASSES[qualified_name(cls)] = cls

    def __init__(self, *args: Any, **config: Any) -> None:
        """Set the fields, positional in their order.

        Raises:
            ConfigurationError: one is missing, unknown, given twice, or of another kind than its annotation says.
        """
        self._begin()
        label = type(self).__qualname__
        positional = [one for one in self.fields if not one.keyword_only]
        if len(args) > len(positional):
            raise self._error(
                f"{label} takes {len(positional)} positional arguments ({_listed(positional)}); {len(args)} were given."
            )
        given = {one.name: value for one, value in zip(positional, args, strict=False)}
        for name, value in config.items():
            if name in given:
                raise self._error(f"{label}: {name!r} is given twice, by position and by name.")
            given[name] = value
        unknown = [name for name in given if name not in {one.name for one in self.fields}]
        if unknown:
            near = difflib.get_close_matches(unknown[0], [one.name for one in self.fields], 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {_listed(self.fields)}."
            raise self._error(f"{label} has no argument {unknown[0]!r}; {hint}")
        for one in self.fields:
            if one.name in given:
                self.__dict__[one.name] = self._checked(one, given[one.name])
            elif one.required:
                raise self._error(f"{label} needs {one.name!r} ({one.annotation}).")
            else:
                self.__dict__[one.name] = self._default(one)
        self.check()

    def _begin(self) -> None:
        """Set what is no configuration."""

    def check(self) -> None:
        """Raise where values of the fields make no sense; called when all are set."""

    def _default(self, one: Field) -> Any:
        """Return the default of a field for this object."""
        return one.default

    def _checked(self, one: Field, value: Any) -> Any:
        where = f"{type(self).__qualname__}.{one.name}"
        if value is one.default:
            return value
        if "DType" in one.annotation and value is not None:
            return as_dtype(value)
        value = self._normalized(value, where)
        if _matches(value, one.annotation) is False:
            raise self._error(
                f"{where} is {_shortened(value)}, a {type(value).__name__}; {one.annotation} is expected."
            )
        return value

    def _normalized(self, value: Any, where: str) -> Any:
        """Return ``value`` in Python's own types, lists as tuples."""
        if isinstance(value, np.generic) and value.dtype.kind in "biuf":
            return value.item()
        if isinstance(value, (list, tuple)):
            return tuple(self._normalized(item, where) for item in value)
        if isinstance(value, Mapping):
            return {str(key): self._normalized(item, where) for key, item in value.items()}
        if isinstance(value, (*_PLAIN, float, DType, np.ndarray, Configured)) or callable(value):
            return value
        raise self._error(
            f"{where} is {_shortened(value)}, a {type(value).__name__}, which no file could keep; use numbers, "
            "strings, "
            f"truth values, arrays, None, functions, layers or initializers, or tuples of these."
        )

    def get_config(self) -> dict[str, Any]:
        """Return the configuration as JSON-able data; fields that have their defaults are part of it.

        Example:
            >>> dt.constant_initializer(0.5).get_config()["value"]
            0.5
        """
        ordered = sorted(self.fields, key=lambda one: one.keyword_only)
        return {one.name: encode_value(self.__dict__[one.name]) for one in ordered}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make an object from what ``get_config`` gave.

        Raises:
            ConfigurationError: the configuration does not fit this class.
            FormatError: the data has another form.
        """
        return cls(**{name: decode_value(value) for name, value in config.items()})

    def __repr__(self) -> str:
        """Show the class and the fields that differ from their defaults."""
        shown = [
            f"{one.name}={self.__dict__[one.name]!r}"
            for one in self.fields
            if one.required or (self.__dict__[one.name] is not one.default and self.__dict__[one.name] != one.default)
        ]
        return f"{type(self).__qualname__}({', '.join(shown)})"


def _listed(fields: Any) -> str:
    return ", ".join(one.name for one in fields) or "none"


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# Kinds. --------------------------------------------------------------------------------------------------------------

_ATOMS: Final[dict[str, Callable[[Any], bool]]] = {
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "None": lambda value: value is None,
}


def _matches(value: Any, annotation: str) -> bool | None:
    """Whether ``value`` is of the kind an annotation names; ``None`` where the annotation is not understood."""
    answers: list[bool | None] = []
    for part in _split(annotation, "|"):
        if part in _ATOMS:
            answers.append(_ATOMS[part](value))
        elif part.startswith("tuple[") and part.endswith("]"):
            answers.append(_matches_tuple(value, _split(part[6:-1], ",")))
        else:
            answers.append(None)
    if True in answers:
        return True
    return None if None in answers else False


def _matches_tuple(value: Any, kinds: list[str]) -> bool | None:
    if not isinstance(value, tuple):
        return False
    if len(kinds) == 2 and kinds[1] == "...":
        kinds = kinds[:1] * len(value)
    if len(kinds) != len(value):
        return False
    answers = [_matches(item, kind) for item, kind in zip(value, kinds, strict=True)]
    return False if False in answers else None if None in answers else True


def _split(text: str, separator: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if character == separator and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


# To data and back. ---------------------------------------------------------------------------------------------------


def encode_value(value: Any) -> Any:
    """Return JSON-able data for a value of a configuration.

    Raises:
        ConfigurationError: the value is of a kind that no configuration holds.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, (list, tuple)):
        return [encode_value(item) for item in value]
    if isinstance(value, Mapping):
        return {"dict": {key: encode_value(item) for key, item in value.items()}}
    if isinstance(value, DType):
        return {"dtype": value.name}
    if isinstance(value, np.ndarray):
        return encode(ArrayAttribute(value))
    if isinstance(value, Configured):
        return {"class": qualified_name(type(value)), "config": value.get_config()}
    if isinstance(value, type) and issubclass(value, Configured):
        return {"class": qualified_name(value), "config": value().get_config()}
    if callable(value):
        for name_of in FUNCTION_NAMES:
            name = name_of(value)
            if name is not None:
                return name
        named = value if hasattr(value, "__qualname__") else type(value)
        return {"function": qualified_name(named)}
    raise ConfigurationError(f"{_shortened(value)}, a {type(value).__name__}, cannot be part of a configuration.")


def decode_value(data: Any) -> Any:
    """Return the value for which ``encode_value`` gave ``data``.

    Raises:
        FormatError: the data has another form, or names a class or function that is not there.
    """
    if isinstance(data, (*_PLAIN, float)):
        return data
    if isinstance(data, list):
        return tuple(decode_value(item) for item in data)
    if isinstance(data, Mapping):
        if set(data) == {"class", "config"} and isinstance(data["config"], Mapping):
            return find_class(str(data["class"])).from_config(data["config"])
        if len(data) == 1:
            ((tag, inner),) = data.items()
            if tag == "dict":
                return {key: decode_value(item) for key, item in inner.items()}
            if tag == "function":
                return _find_function(str(inner))
            value = decode(data)
            return value.array if isinstance(value, ArrayAttribute) else value
    raise FormatError(f"{_shortened(data)} is no value of a configuration. Save it anew.")


def known_class(name: str) -> type[Configured] | None:
    """Return the configured class ``module:Class`` if its module is imported."""
    return _CLASSES.get(name)


def find_class(name: str) -> type[Configured]:
    """Return the configured class ``module:Class``; installed plugins are asked, no other module is imported.

    Raises:
        FormatError: there is none.
    """
    found: Any = _CLASSES.get(name)
    for finder in FINDERS:
        if found is None:
            found = finder(name)
    if found is None:
        module = name.partition(":")[0]
        raise FormatError(
            f"the class {name!r} is not known here. Import the module {module!r}, or install the distribution it "
            f"belongs to."
        )
    if not (isinstance(found, type) and issubclass(found, Configured)):
        raise FormatError(f"{name!r} is no class with a configuration.")
    return found


def _find_function(name: str) -> Callable[..., Any]:
    """Return a function that a module defines which is imported already; data from elsewhere reaches nothing else."""
    module, _, attribute = name.partition(":")
    found: Any = None if module.partition(".")[0] in sys.stdlib_module_names else sys.modules.get(module)
    for part in attribute.split("."):
        found = None if found is None else getattr(found, part, None)
    if not isinstance(found, FunctionType) or qualified_name(found) != name:
        raise FormatError(
            f"the function {name!r} is not known here. Import its module first; a lambda, or a function within "
            "another, "
            f"cannot be found again: define it in a module."
        )
    return found
