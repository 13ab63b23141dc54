"""``dt.metrics``: measures that add up over batches, in local variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dovetail as dt
from dovetail import GraphKeys, Tensor
from dovetail.errors import ShapeError

__all__ = ["accuracy", "mean"]


def mean(
    values: Any,
    weights: Any = None,
    metrics_collections: str | Sequence[str] | None = None,
    updates_collections: str | Sequence[str] | None = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the weighted mean of everything seen, and an operation that sees ``values``.

    The local variables ``total`` and ``count`` hold what was seen; ``dt.local_variables_initializer()`` makes them
    forget it.

    Args:
        values: numbers.
        weights: numbers that broadcast to ``values``.
        metrics_collections: collections that the mean joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The mean so far, 0 before anything was seen; and the mean after seeing ``values``, which must be run for each
        batch.

    Example:
        >>> value, update = dt.metrics.mean([1.0, 3.0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(2.0)
    """
    with dt.variable_scope(name, "mean"):
        seen = dt.cast(values, dt.float32)
        if weights is None:
            amount = dt.cast(dt.size(seen), dt.float32)
            summed = dt.reduce_sum(seen)
        else:
            factors = dt.broadcast_to(dt.cast(weights, dt.float32), dt.shape(seen))
            amount = dt.reduce_sum(factors)
            summed = dt.reduce_sum(seen * factors)
        total, count = _counter("total"), _counter("count")
        value = dt.div_no_nan(total, count, name="value")
        update = dt.div_no_nan(total.assign_add(summed), count.assign_add(amount), name="update_op")
    if metrics_collections:
        dt.get_default_graph().add_to_collections(metrics_collections, value)
    if updates_collections:
        dt.get_default_graph().add_to_collections(updates_collections, update)
    return value, update


def accuracy(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: str | Sequence[str] | None = None,
    updates_collections: str | Sequence[str] | None = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how often everything predicted so far was right, and an operation that sees a batch.

    Args:
        labels: what is true.
        predictions: what is predicted, of the same shape, such as ``dt.argmax(logits, 1)``.
        weights: numbers that broadcast to ``labels``.
        metrics_collections: collections that the accuracy joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The accuracy so far, 0 before anything was seen; and the accuracy after seeing the batch, which must be run
        for each.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> value, update = dt.metrics.accuracy([1, 2, 3], [1, 2, 0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.6666667)
    """
    found = dt.convert_to_tensor(predictions)
    wanted = dt.convert_to_tensor(labels)
    if not wanted.shape.is_compatible_with(found.shape):
        raise ShapeError(
            f"accuracy: labels are {wanted.type}, predictions {found.type}; their shapes must be equal. Use dt.argmax "
            "on scores, or "
            f"dt.squeeze. {found.op.where()}"
        )
    if wanted.dtype is not found.dtype:
        wanted = dt.cast(wanted, found.dtype)
    right = dt.cast(dt.equal(found, wanted), dt.float32)
    return mean(right, weights, metrics_collections, updates_collections, name or "accuracy")


def _counter(name: str) -> dt.Variable:
    scope = dt.get_variable_scope().name
    with dt.name_scope(None):
        return dt.Variable(
            0.0,
            trainable=False,
            collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
            name=f"{scope}/{name}" if scope else name,
        )
