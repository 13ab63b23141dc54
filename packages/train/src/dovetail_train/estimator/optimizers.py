"""Optimizers of ready estimators: by name, as objects, or made by a function."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, TypeAlias

import dovetail as dt
from dovetail.errors import DTypeError, NotFoundError
from dovetail.extend import Optimizer, plugin, plugin_names

__all__ = ["OptimizerLike", "as_optimizer", "check_optimizer", "step_with"]

OptimizerLike: TypeAlias = str | Optimizer | Callable[[], Optimizer]
"""The name of an optimizer (``"Adam"``), an optimizer, or a function that makes one in the graph, such as
``lambda: dt.train.AdamOptimizer(dt.train.exponential_decay(…))``."""

_SHORT = {"sgd": "gradient_descent"}


def as_optimizer(given: OptimizerLike, learning_rate: float | None, who: str) -> Optimizer:
    """Return the optimizer that is meant.

    Args:
        given: what the user gave.
        learning_rate: of an optimizer that is given by name; its own default where ``None``.
        who: the estimator, for messages.

    Raises:
        NotFoundError: there is no optimizer of that name.
        DTypeError: it is something else.
    """
    if isinstance(given, str):
        options = {} if learning_rate is None else {"learning_rate": learning_rate}
        made: Any = plugin("dovetail.optimizers", check_optimizer(given, who))(**options)
    else:
        made = given() if callable(given) and not isinstance(given, Optimizer) else given
    if not isinstance(made, Optimizer):
        raise DTypeError(
            f"{who}: optimizer is {given!r}; give a name such as 'Adam', an optimizer of dt.train, or a function that "
            "returns one."
        )
    return made


def check_optimizer(given: Any, who: str) -> Any:
    """Return the name under which an optimizer is known, where a name is given, and else what is given.

    Raises:
        NotFoundError: there is none.
    """
    if not isinstance(given, str):
        return given
    known = {_plain(name): name for name in plugin_names("dovetail.optimizers")}
    name = _SHORT.get(given.lower(), given)
    found = known.get(_plain(name.removesuffix("Optimizer")))
    if found is None:
        near = difflib.get_close_matches(_plain(given), [*known, *_SHORT], 1, 0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise NotFoundError(
            f"{who}: there is no optimizer {given!r}; use one of {', '.join(map(repr, sorted(known)))}.{hint}"
        )
    return found


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def step_with(optimizer: OptimizerLike, learning_rate: float | None, who: str) -> Callable[[dt.Tensor], dt.Operation]:
    """Return a function that makes a step of training to lessen a loss; a name is looked up at once.

    Raises:
        NotFoundError: there is no optimizer of that name.
    """
    check_optimizer(optimizer, who)

    def step(loss: dt.Tensor) -> dt.Operation:
        chosen = as_optimizer(optimizer, learning_rate, who)
        made: dt.Operation = chosen.minimize(loss, global_step=dt.train.get_global_step())
        return made

    return step
