"""How summaries are named, and where they are collected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import dovetail as dt
from dovetail.errors import DTypeError
from dovetail.extend import Op

__all__ = ["collect", "make_summary"]

_UNFIT: Final = re.compile(r"[^-/\w.]", re.ASCII)


def make_summary(
    function: str,
    op: Callable[[str], Op],
    name: Any,
    value: Any,
    collections: Iterable[Any] | None,
    family: str | None,
    *others: dt.Tensor,
) -> dt.Tensor:
    """Make the node of a summary, in a scope of its name, and collect it.

    Args:
        function: which function of ``dt.summary`` is called, for messages.
        op: makes the definition from the tag.
        name: what to call it; or, where ``value`` is ``None``, the value, which gives its name.
        value: what is summarized.
        collections: where to put it; ``GraphKeys.SUMMARIES`` by default.
        family: what TensorBoard shows it under.
        others: further inputs.

    Raises:
        DTypeError: there is nothing to summarize, or the name is no string.
    """
    if value is None:
        made = _of_tensor(function, op, name, family, others)
    else:
        if not isinstance(name, str):
            raise DTypeError(f"summary.{function}: the name is {name!r}; give a string, then what is to be shown.")
        base = _clean(name)
        family = family and _clean(family)
        with dt.name_scope(f"{family}/{base}" if family else base) as scope:
            own = scope.rstrip("/")
            made = op(f"{family}/{own}" if family else own)(dt.convert_to_tensor(value), *others, name=scope)
    return collect(made, collections, [dt.GraphKeys.SUMMARIES])


def collect(made: dt.Tensor, collections: Iterable[Any] | None, default: Iterable[Any]) -> dt.Tensor:
    """Put a summary into collections."""
    dt.add_to_collections(default if collections is None else collections, made)
    return made


def _of_tensor(
    function: str, op: Callable[[str], Op], value: Any, family: str | None, others: tuple[dt.Tensor, ...]
) -> dt.Tensor:
    """Make the node of a tensor that gives its own name, whatever scope is open."""
    if not isinstance(value, (dt.Tensor, dt.Variable)):
        raise DTypeError(
            f"summary.{function}: there is nothing to show but {value!r}; give a name and a tensor, or a tensor alone."
        )
    name = value.op.name
    if isinstance(value, dt.Tensor) and value.value_index:
        name = f"{name}_{value.value_index}"
    ending = f"/{function}"
    with dt.get_default_graph().name_scope(None), dt.name_scope(name + ending) as scope:
        tag = name + scope.rstrip("/").removeprefix(name + ending)  # a second one of a tensor has a number
        made: dt.Tensor = op(f"{_clean(family)}/{tag}" if family else tag)(
            dt.convert_to_tensor(value), *others, name=scope
        )
        return made


def _clean(name: str) -> str:
    clean = _UNFIT.sub("_", name).lstrip("/")
    if clean != name:
        dt.logging.info("Summary name %s is illegal; using %s instead.", name, clean)
    return clean
