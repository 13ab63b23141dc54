"""Which converter makes ONNX nodes of which operation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, final

from dovetail.errors import AlreadyExistsError, PluginError
from dovetail.extend import Op, ScalarOp, plugin, plugin_names
from dovetail_io.onnx.model import Value

__all__ = ["Converter", "converter", "converter_of", "find_converter"]

Converter = Callable[..., Value | Sequence[Value | None]]
"""Takes a ``Builder``, the operation and a ``Value`` for each input; returns a ``Value`` for each output, or ``None``
for one that nothing takes."""

_T = TypeVar("_T", bound=Converter)
_Key = tuple[str, str]


@final
class _Entry:
    """A converter, and the first opset that has what it needs."""

    __slots__ = ("function", "since")

    def __init__(self, function: Converter, since: int) -> None:
        self.function = function
        self.since = since


_CONVERTERS: Final[dict[_Key, _Entry]] = {}


def converter(*kinds: type[Op], since: int = 0) -> Callable[[_T], _T]:
    """Declare a converter of the operations of core that these classes define.

    Args:
        kinds: definitions.
        since: the first opset that has the operator; below it, composites are decomposed.

    Raises:
        AlreadyExistsError: an operation has a converter already.
    """
    return _declare([(kind.domain, kind.name) for kind in kinds], since)


def converter_of(package: str, *names: str, since: int = 0) -> Callable[[_T], _T]:
    """Declare a converter of operations that another package defines; it need not be installed.

    Args:
        package: the package, such as ``"dovetail_layers"``; empty for composites of core.
        names: types of operations.
        since: the first opset that has the operator; below it, composites are decomposed.

    Raises:
        AlreadyExistsError: an operation has a converter.
    """
    return _declare([(package, name) for name in names], since)


def _declare(keys: Sequence[_Key], since: int) -> Callable[[_T], _T]:
    def declare(function: _T) -> _T:
        for key in keys:
            if key in _CONVERTERS:
                raise AlreadyExistsError(
                    f"operation {key[1]!r} of {key[0] or 'core'!r} has a converter; keep one of them."
                )
            _CONVERTERS[key] = _Entry(function, since)
        return function

    return declare


def find_converter(kind: type[Op], opset: int) -> Converter | None:
    """Return the converter of an operation: of this package; of the plugin that defines it; or that of all scalar ones.

    A third party declares one by an entry point of the group ``dovetail.onnx`` whose name is the operation's type.

    Raises:
        PluginError: the plugin that declares one is broken.
    """
    from dovetail_io.onnx.converters import elementwise

    entry = _CONVERTERS.get((kind.domain, kind.name))
    if entry is not None and entry.since <= opset:
        return entry.function
    if entry is None and kind.domain:
        found = _of_plugin(kind.name)
        if found is not None:
            return found
    return elementwise.scalar if issubclass(kind, ScalarOp) else None


def _of_plugin(name: str) -> Converter | None:
    if name not in plugin_names("onnx"):
        return None
    function: Any = plugin("onnx", name)
    if not callable(function):
        raise PluginError(
            f"dovetail.onnx: {name!r} is {function!r}; a converter is a function of builder, operation and values."
        )
    return functools.partial(_checked, name, function)


def _checked(name: str, function: Converter, *arguments: Any) -> Value | Sequence[Value | None]:
    result = function(*arguments)
    values = result if isinstance(result, (tuple, list)) else (result,)
    for value in values:
        if not isinstance(value, Value):
            raise PluginError(
                f"dovetail.onnx: the converter of {name!r} returned {value!r}; return what builder.node gave."
            )
    return result
