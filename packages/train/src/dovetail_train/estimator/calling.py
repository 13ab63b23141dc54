"""How functions of the user are called: with those of the known arguments that they take."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import CodeType, FunctionType
from typing import Any

from dovetail.errors import InvalidArgumentError

__all__ = ["call_with"]


def call_with(
    function: Callable[..., Any], what: str, given: Sequence[Any], known: Mapping[str, Any], needed: Sequence[str] = ()
) -> Any:
    """Call a function with what it takes.

    Args:
        function: the function.
        what: what it is called in messages.
        given: its first arguments, by place.
        known: values by name, of which it gets those that it takes.
        needed: the names of ``known`` that it must take.

    Raises:
        InvalidArgumentError: it takes an argument that has no default and is not known, or does not take what it must.
    """
    if isinstance(function, FunctionType) and not needed and _takes_nothing(function.__code__):
        return function(*given)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return function(*given)
    parameters = list(signature.parameters.values())
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters)
    named = [one for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)][len(given) :]
    names = [one.name for one in named]
    for one in named:
        if one.name not in known and one.default is one.empty:
            near = difflib.get_close_matches(one.name, known, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidArgumentError(
                f"{what} takes {one.name!r}, which is none of {', '.join(map(repr, known))}.{hint} Give it a default, "
                "or bind it by functools.partial."
            )
    for name in needed:
        if name not in names and not takes_any:
            raise InvalidArgumentError(f"{what} does not take {name!r}, which was given; let it take that argument.")
    return function(*given, **{name: value for name, value in known.items() if name in names or takes_any})


def _takes_nothing(code: CodeType) -> bool:
    """Say whether a function has no arguments at all, as most lambdas; faster than its signature."""
    return not (code.co_argcount or code.co_kwonlyargcount or code.co_flags & (CO_VARARGS | CO_VARKEYWORDS))
