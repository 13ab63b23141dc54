"""What stands behind a network: the shape of its targets, the loss, and what is predicted of its outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import dovetail as dt
from dovetail import Tensor

__all__ = ["CLASSES", "LABELS", "LOSSES", "RECONSTRUCTION", "TWO_CLASSES", "Head", "regression"]

Loss = Callable[[Tensor, Tensor], Tensor]


class Head(NamedTuple):
    """The end of a network.

    Attributes:
        name: names it in the key of a network.
        loss: of targets and outputs, a number for each sample.
        predictions: of the outputs.
        numbered: whether targets are numbers of classes, ``int64[batch]``, instead of ``[batch, outputs]``.
        given: the loss that the user chose, its name or a function.
    """

    name: str
    loss: Loss
    predictions: Callable[[Tensor], Tensor]
    numbered: bool = False
    given: str | Loss | None = None


def _softmax_loss(targets: Tensor, outputs: Tensor) -> Tensor:
    loss: Tensor = dt.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=outputs)
    return loss


def _sigmoid_loss(targets: Tensor, outputs: Tensor) -> Tensor:
    each = dt.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=outputs)
    return dt.reduce_sum(each, axis=1)


def _two(outputs: Tensor) -> Tensor:
    second = dt.nn.sigmoid(outputs)
    return dt.concat([1.0 - second, second], axis=1)


CLASSES: Final = Head("classes", _softmax_loss, lambda outputs: dt.nn.softmax(outputs), numbered=True)
"""One of several classes."""
TWO_CLASSES: Final = Head("two classes", _sigmoid_loss, _two)
"""One of two classes, by one output."""
LABELS: Final = Head("labels", _sigmoid_loss, lambda outputs: dt.nn.sigmoid(outputs))
"""Any of several labels."""


def _huber(targets: Tensor, outputs: Tensor) -> Tensor:
    distance = dt.abs(outputs - targets)
    return dt.where(distance <= 1.0, 0.5 * dt.square(distance), distance - 0.5)


LOSSES: Final[dict[str, Loss]] = {
    "squared_error": lambda targets, outputs: 0.5 * dt.square(outputs - targets),
    "absolute_error": lambda targets, outputs: dt.abs(outputs - targets),
    "huber": _huber,
    "poisson": lambda targets, outputs: dt.exp(outputs) - targets * outputs,
}
"""Losses of regression by name, element by element."""


def regression(loss: str | Loss) -> Head:
    """Return the head of regression by a loss of that name, or by a function of targets and outputs."""
    function: Any = LOSSES[loss] if isinstance(loss, str) else loss

    def of_samples(targets: Tensor, outputs: Tensor) -> Tensor:
        each: Tensor = function(targets, outputs)
        axes = range(1, len(each.shape.dims))
        return dt.reduce_mean(each, axis=list(axes)) if axes else each

    return Head("regression", of_samples, dt.exp if loss == "poisson" else dt.identity, given=loss)


RECONSTRUCTION: Final = regression("squared_error")._replace(name="reconstruction")
"""The inputs themselves, by squared errors."""
