"""Activations as configuration: a function, or the name of one in ``dt.nn``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from dovetail.errors import LayerError
from dovetail.graph.operation import Tensor
from dovetail.plugins import namespace
from dovetail.types.configured import FUNCTION_NAMES

__all__ = ["Activation", "as_activation"]

Activation: TypeAlias = str | Callable[[Tensor], Tensor] | None
"""A function of a tensor, its name in ``dt.nn`` (``"relu"``), or ``None`` for none."""


def as_activation(activation: Activation) -> Callable[[Any], Tensor]:
    """Return the function that an activation names.

    Raises:
        PluginNotFoundError: ``dt.nn`` has no such function; the message gives the nearest.
        LayerError: it is neither a function nor a name.
    """
    if activation is None:
        return _linear
    found = getattr(namespace("nn"), activation) if isinstance(activation, str) else activation
    if not callable(found):
        raise LayerError(
            f"the activation {activation!r} is a {type(activation).__name__}; give a function, or the name of one in "
            "dt.nn, "
            f"such as 'relu'."
        )
    result: Callable[[Any], Tensor] = found
    return result


def _linear(x: Tensor) -> Tensor:
    return x


def _name_in_nn(function: Any) -> str | None:
    name = getattr(function, "__name__", None)
    if not isinstance(name, str) or not name.isidentifier():
        return None
    return name if getattr(namespace("nn"), name, None) is function else None


FUNCTION_NAMES.append(_name_in_nn)
