"""Errors for names of TensorFlow 1 that Dovetail leaves out: they say what to use."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from types import FrameType, MappingProxyType
from typing import Any, NoReturn

from dovetail.errors import AbsentNameError, PluginError

__all__ = ["absent_names", "advice_for", "attributes_of", "is_import_statement", "missing_member", "refuse"]


@functools.cache
def absent_names() -> dict[str, str]:
    """Give what is left out, by names such as ``nn.raw_rnn``, with what to use."""
    from dovetail.plugins.tensorflow1 import ABSENT

    return {
        f"{space}.{name}" if space else name: advice
        for space, names in ABSENT.items()
        for shared, advice in names.items()
        for name in shared.split()
    }


def advice_for(space: str, name: str) -> str | None:
    """Say what to use in place of a name of ``dt.<space>``; ``None`` where TensorFlow 1 has none such either."""
    return absent_names().get(f"{space}.{name}" if space else name)


def refuse(where: str, name: str, advice: str, frame: FrameType) -> NoReturn:
    """Raise the error for a name that is left out.

    Raises:
        AbsentNameError: where an attribute was asked for.
        PluginError: where ``from … import`` asks, which would replace the other error and its advice.
    """
    message = _message(where, name, advice)
    if is_import_statement(frame):
        raise PluginError(message)
    raise AbsentNameError(message, name=name)


def is_import_statement(frame: FrameType) -> bool:
    """Say whether a frame asks for an attribute by ``from … import``."""
    import opcode

    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == opcode.opmap["IMPORT_FROM"]


def attributes_of(module: str, later: Mapping[str, str] = MappingProxyType({})) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a module, which is asked for attributes that it has not.

    Args:
        module: its name.
        later: attributes that are made when they are first asked for: a module, or ``module:attribute``.
    """
    space = module.partition(".")[2]

    def missing(name: str) -> Any:
        place = later.get(name)
        if place is not None:
            source, _, attribute = place.partition(":")
            found = importlib.import_module(source)
            found = getattr(found, attribute) if attribute else found
            setattr(sys.modules[module], name, found)
            return found
        advice = None if name.startswith("_") else advice_for(space, name)
        if advice is not None:
            refuse(module, name, advice, sys._getframe(1))
        raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name, obj=sys.modules[module])

    return missing


def missing_member(owner: str, name: str) -> AttributeError:
    """Give the error for an attribute that an object of the class ``owner`` has not."""
    advice = None if name.startswith("_") else advice_for(owner, name)
    if advice is None:
        return AttributeError(f"{owner!r} object has no attribute {name!r}", name=name)
    return AbsentNameError(_message(f"dovetail.{owner}", name, advice), name=name)


def _message(where: str, name: str, advice: str) -> str:
    return f"{where} leaves out {name!r} of TensorFlow 1: {advice}. docs/tensorflow1.md lists all names."
