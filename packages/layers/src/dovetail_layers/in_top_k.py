"""Whether what is true is among the best guesses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, ShapeError
from dovetail.extend import composite

__all__ = ["in_top_k"]


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Scores of five classes, ties, targets that are no class, an infinity."""
    yield rng.normal(size=(4, 5)), np.array([0, 4, 2, 7], np.int32), np.int32(2)
    yield np.array([[1.0, 1.0, 0.0], [0.0, np.inf, 1.0], [2.0, 1.0, 0.0]]), np.array([1, 1, -1]), np.int32(1)


@composite(name="InTopK", samples=_samples, dtypes=lambda *_: (dt.bool,), differentiable=False)
def _in_top_k(predictions: Tensor, targets: Tensor, k: Tensor) -> Tensor:
    """Whether fewer than ``k`` scores of a row are greater than that of its target."""
    classes = dt.cast(dt.shape(predictions)[1], targets.dtype)
    known = dt.logical_and(targets >= 0, targets < classes)
    places = dt.where(known, targets, dt.zeros_like(targets))
    chosen = dt.batch_gather(predictions, dt.expand_dims(places, 1))
    greater = dt.reduce_sum(dt.cast(predictions > chosen, k.dtype), 1)
    return dt.logical_and(dt.logical_and(known, greater < k), dt.reduce_all(dt.is_finite(predictions), 1))


def in_top_k(predictions: Any, targets: Any, k: Any, name: str | None = None) -> Tensor:
    """Say for each row whether the score of its target is among the ``k`` greatest; those as great as the last count.

    Args:
        predictions: scores, floating, of shape ``[batch, classes]``.
        targets: the right class of each row, int32 or int64, of shape ``[batch]``; what is no class is not among them.
        k: how many to look at, an integer or a scalar tensor.
        name: name of the node.

    Returns:
        Truth values of shape ``[batch]``; false where a score of the row is not finite.

    Raises:
        ShapeError: ``predictions`` has no two axes, or ``targets`` is no vector.
        DTypeError: ``predictions`` is not floating, or ``targets`` holds no integers.

    Example:
        >>> dt.Session().run(dt.nn.in_top_k([[0.1, 0.6, 0.3], [0.8, 0.1, 0.1]], [2, 2], 2))
        array([ True,  True])
    """
    scores, classes = dt.convert_to_tensor(predictions), dt.convert_to_tensor(targets)
    if not scores.dtype.is_floating:
        raise DTypeError(f"in_top_k: predictions are {scores.type}, not floating; use dt.cast. {scores.op.where()}")
    if not classes.dtype.is_integer:
        raise DTypeError(f"in_top_k: targets are {classes.type}, no integers; use dt.cast. {classes.op.where()}")
    if scores.shape.rank not in (2, None) or classes.shape.rank not in (1, None):
        raise ShapeError(
            f"in_top_k: predictions are {scores.type}, targets {classes.type}; shapes [batch, classes] and [batch] are "
            f"wanted. {scores.op.where()}"
        )
    result: Tensor = _in_top_k(scores, classes, dt.convert_to_tensor(k), name=name)
    return result
