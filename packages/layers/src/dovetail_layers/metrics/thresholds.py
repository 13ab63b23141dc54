"""Counts, precision and recall of probabilities, at several thresholds each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import definitions
from dovetail_layers.metrics._streaming import Collections, accumulate, agreeing, spread

__all__ = [
    "false_negatives_at_thresholds",
    "false_positives_at_thresholds",
    "precision_at_thresholds",
    "recall_at_thresholds",
    "true_negatives_at_thresholds",
    "true_positives_at_thresholds",
]

EPSILON = 1e-7
"""What keeps a quotient of counts finite; TensorFlow 1 adds it to every denominator."""


def decisions_at(
    metric: str, labels: Any, predictions: Any, weights: Any, thresholds: Sequence[float], *kinds: str
) -> dict[str, Tensor]:
    """Return the weight of the examples of each kind, such as ``"true_positives"``, at each threshold.

    Raises:
        InvalidArgumentError: there are no thresholds.
        ShapeError: labels, predictions and weights do not fit.
    """
    if not len(thresholds):
        raise InvalidArgumentError(f"{metric}: there are no thresholds; give at least one number.")
    wanted, found = agreeing(metric, labels, predictions)
    found = dt.cast(found, dt.float32)
    within = dt.reduce_all(dt.logical_and(found >= 0.0, found <= 1.0))
    check = definitions.Assertion(f"{metric}: predictions must be from 0 to 1; use dt.sigmoid on scores. They begin:")
    with dt.control_dependencies([check(within, found)]):
        factors = dt.reshape(spread(weights, found), [1, -1])
    true = dt.reshape(dt.cast(wanted, dt.bool), [1, -1])
    positive = dt.reshape(found, [1, -1]) > dt.reshape(dt.constant(thresholds, dt.float32), [-1, 1])
    holds: dict[str, Callable[[], Tensor]] = {
        "true_positives": lambda: dt.logical_and(true, positive),
        "false_positives": lambda: dt.logical_and(dt.logical_not(true), positive),
        "true_negatives": lambda: dt.logical_not(dt.logical_or(true, positive)),
        "false_negatives": lambda: dt.logical_and(true, dt.logical_not(positive)),
    }
    return {kind: dt.reduce_sum(dt.cast(holds[kind](), dt.float32) * factors, axis=1) for kind in kinds}


def true_positives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how many true examples lay above each threshold so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: probabilities, of the same shape.
        thresholds: what is above one is found true.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the numbers join.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        InvalidArgumentError: there are no thresholds.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a prediction is no probability.

    Example:
        >>> value, update = dt.metrics.true_positives_at_thresholds([1, 1, 0], [0.9, 0.4, 0.6], [0.3, 0.5])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        array([2., 1.], dtype=float32)
    """
    return _count(
        "true_positives", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name
    )


def false_positives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how many false examples lay above each threshold so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: probabilities, of the same shape.
        thresholds: what is above one is found true.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the numbers join.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        InvalidArgumentError: there are no thresholds.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a prediction is no probability.

    Example:
        >>> value, update = dt.metrics.false_positives_at_thresholds([1, 1, 0], [0.9, 0.4, 0.6], [0.3, 0.7])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        array([1., 0.], dtype=float32)
    """
    return _count(
        "false_positives", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name
    )


def true_negatives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how many false examples did not lie above each threshold so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: probabilities, of the same shape.
        thresholds: what is above one is found true.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the numbers join.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        InvalidArgumentError: there are no thresholds.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a prediction is no probability.

    Example:
        >>> value, update = dt.metrics.true_negatives_at_thresholds([1, 1, 0], [0.9, 0.4, 0.6], [0.3, 0.7])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        array([0., 1.], dtype=float32)
    """
    return _count(
        "true_negatives", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name
    )


def false_negatives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how many true examples did not lie above each threshold so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: probabilities, of the same shape.
        thresholds: what is above one is found true.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the numbers join.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        InvalidArgumentError: there are no thresholds.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a prediction is no probability.

    Example:
        >>> value, update = dt.metrics.false_negatives_at_thresholds([1, 1, 0], [0.9, 0.4, 0.6], [0.3, 0.7])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        array([0., 1.], dtype=float32)
    """
    return _count(
        "false_negatives", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name
    )


def _count(
    kind: str,
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any,
    metrics_collections: Collections,
    updates_collections: Collections,
    name: str | None,
) -> tuple[Tensor, Tensor]:
    with dt.variable_scope(name, kind):
        batch = decisions_at(f"{kind}_at_thresholds", labels, predictions, weights, thresholds, kind)
        return accumulate(batch, dt.identity, metrics_collections, updates_collections)


def precision_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how much of what lay above each threshold is true so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: probabilities, of the same shape.
        thresholds: what is above one is found true.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the precisions join.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        InvalidArgumentError: there are no thresholds.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a prediction is no probability.

    Example:
        >>> value, update = dt.metrics.precision_at_thresholds([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1], [0.2, 0.7])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        array([0.6666667, 0.9999999], dtype=float32)
    """
    with dt.variable_scope(name, "precision_at_thresholds"):
        batch = decisions_at(
            "precision_at_thresholds", labels, predictions, weights, thresholds, "true_positives", "false_positives"
        )
        return accumulate(batch, share, metrics_collections, updates_collections)


def recall_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how much of what is true lay above each threshold so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: probabilities, of the same shape.
        thresholds: what is above one is found true.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the recalls join.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        InvalidArgumentError: there are no thresholds.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a prediction is no probability.

    Example:
        >>> value, update = dt.metrics.recall_at_thresholds([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1], [0.2, 0.7])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        array([1. , 0.5], dtype=float32)
    """
    with dt.variable_scope(name, "recall_at_thresholds"):
        batch = decisions_at(
            "recall_at_thresholds", labels, predictions, weights, thresholds, "true_positives", "false_negatives"
        )
        return accumulate(batch, share, metrics_collections, updates_collections)


def share(hits: Tensor, misses: Tensor) -> Tensor:
    """Return the part that hits are of both, 0 where there are none."""
    return dt.divide(hits, hits + misses + EPSILON)
