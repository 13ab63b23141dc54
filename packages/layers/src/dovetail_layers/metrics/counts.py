"""Metrics of decisions between true and false: counts, precision, recall and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail_layers.metrics._streaming import Collections, accumulate, ratio, spread, truths

__all__ = [
    "false_negatives",
    "false_positives",
    "precision",
    "recall",
    "true_negatives",
    "true_positives",
]


def decisions(metric: str, labels: Any, predictions: Any, weights: Any, *kinds: str) -> dict[str, Tensor]:
    """Return the weight of the examples of each kind, such as ``"true_positives"``, in a batch."""
    wanted, found = truths(metric, labels, predictions)
    factors = spread(weights, wanted)
    holds: dict[str, Callable[[], Tensor]] = {
        "true_positives": lambda: dt.logical_and(wanted, found),
        "false_positives": lambda: dt.logical_and(dt.logical_not(wanted), found),
        "true_negatives": lambda: dt.logical_not(dt.logical_or(wanted, found)),
        "false_negatives": lambda: dt.logical_and(wanted, dt.logical_not(found)),
    }
    return {kind: dt.reduce_sum(dt.cast(holds[kind](), dt.float32) * factors) for kind in kinds}


def true_positives(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how many true examples were found true so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: what is predicted, of the same shape; what is not 0 counts as true.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the number joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.true_positives([1, 1, 0, 0], [1, 0, 1, 0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(1.0)
    """
    return _count("true_positives", labels, predictions, weights, metrics_collections, updates_collections, name)


def false_positives(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how many false examples were found true so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: what is predicted, of the same shape; what is not 0 counts as true.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the number joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.false_positives([1, 1, 0, 0], [1, 0, 1, 1])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(2.0)
    """
    return _count("false_positives", labels, predictions, weights, metrics_collections, updates_collections, name)


def true_negatives(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how many false examples were found false so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: what is predicted, of the same shape; what is not 0 counts as true.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the number joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.true_negatives([1, 1, 0, 0], [1, 0, 1, 0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(1.0)
    """
    return _count("true_negatives", labels, predictions, weights, metrics_collections, updates_collections, name)


def false_negatives(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how many true examples were found false so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: what is predicted, of the same shape; what is not 0 counts as true.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the number joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.false_negatives([1, 1, 0, 0], [0, 0, 1, 0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(2.0)
    """
    return _count("false_negatives", labels, predictions, weights, metrics_collections, updates_collections, name)


def _count(
    kind: str,
    labels: Any,
    predictions: Any,
    weights: Any,
    metrics_collections: Collections,
    updates_collections: Collections,
    name: str | None,
) -> tuple[Tensor, Tensor]:
    with dt.variable_scope(name, kind):
        batch = decisions(kind, labels, predictions, weights, kind)
        return accumulate({"count": batch[kind]}, dt.identity, metrics_collections, updates_collections)


def precision(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how much of what was found true is true so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: what is predicted, of the same shape; what is not 0 counts as true.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the precision joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The precision, 0 where nothing was found true.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.precision([1, 1, 0, 0], [1, 0, 1, 0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.5)
    """
    with dt.variable_scope(name, "precision"):
        batch = decisions("precision", labels, predictions, weights, "true_positives", "false_positives")
        return accumulate(batch, _share, metrics_collections, updates_collections)


def recall(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how much of what is true was found so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: what is predicted, of the same shape; what is not 0 counts as true.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the recall joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The recall, 0 where nothing is true.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.recall([1, 1, 1, 0], [1, 0, 1, 0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.6666667)
    """
    with dt.variable_scope(name, "recall"):
        batch = decisions("recall", labels, predictions, weights, "true_positives", "false_negatives")
        return accumulate(batch, _share, metrics_collections, updates_collections)


def _share(hits: Tensor, misses: Tensor) -> Tensor:
    return ratio(hits, hits + misses)
