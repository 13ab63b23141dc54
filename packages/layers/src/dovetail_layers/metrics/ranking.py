"""Metrics of the ``k`` classes of the highest scores, where an example may have several labels."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail_layers.metrics._streaming import Collections, accumulate, ratio, spread

__all__ = [
    "average_precision_at_k",
    "precision_at_k",
    "precision_at_top_k",
    "recall_at_k",
    "recall_at_top_k",
    "sparse_average_precision_at_k",
    "sparse_precision_at_k",
]


def precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how much of the ``k`` classes of the highest scores is true so far, and an operation that sees a batch.

    Args:
        labels: numbers of the true classes of each example, along the last axis; without it where each has one.
            Fill rows that have fewer with −1.
        predictions: scores, the classes along the last axis.
        k: how many classes are predicted.
        class_id: a class to look at alone: how often it is true where it is predicted.
        weights: a number, or one for each example.
        metrics_collections: collections that the precision joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The precision, float64; NaN before anything was predicted.

    Raises:
        InvalidArgumentError: ``k`` is below 1.
        DTypeError: labels are no integers.
        ShapeError: the shapes do not fit, or the weights.

    Example:
        >>> value, update = dt.metrics.precision_at_k([[0, 1], [2, -1]], [[0.5, 0.1, 0.4], [0.1, 0.5, 0.4]], k=2)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float64(0.5)
    """
    with dt.variable_scope(name, _scope("precision", k, class_id)):
        places = _top_k("precision_at_k", predictions, k)
        return _share_of(
            "precision_at_k",
            labels,
            places,
            "false_positives",
            class_id,
            weights,
            metrics_collections,
            updates_collections,
        )


def precision_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how much of what is predicted is true so far, and an operation that sees a batch.

    Args:
        labels: numbers of the true classes of each example, as for ``precision_at_k``.
        predictions_idx: numbers of the classes predicted, along the last axis.
        k: how many these are; it is only part of the default name.
        class_id: a class to look at alone.
        weights: a number, or one for each example.
        metrics_collections: collections that the precision joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The precision, float64; NaN before anything was predicted.

    Raises:
        DTypeError: labels or predictions are no integers.
        ShapeError: the shapes do not fit, or the weights.

    Example:
        >>> value, update = dt.metrics.precision_at_top_k([[0, 1], [2, -1]], [[0, 2], [1, 2]])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float64(0.5)
    """
    with dt.variable_scope(name, _scope("precision", k, class_id)):
        return _share_of(
            "precision_at_top_k",
            labels,
            predictions_idx,
            "false_positives",
            class_id,
            weights,
            metrics_collections,
            updates_collections,
        )


def recall_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how much of what is true is among the ``k`` highest scores so far, and an operation that sees a batch.

    Args:
        labels: numbers of the true classes of each example, along the last axis; without it where each has one. A
            number that is no class counts as not found, as in TensorFlow 1.
        predictions: scores, the classes along the last axis.
        k: how many classes are predicted.
        class_id: a class to look at alone: how often it is predicted where it is true.
        weights: a number, or one for each example.
        metrics_collections: collections that the recall joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The recall, float64; NaN before anything was true.

    Raises:
        InvalidArgumentError: ``k`` is below 1.
        DTypeError: labels are no integers.
        ShapeError: the shapes do not fit, or the weights.

    Example:
        >>> value, update = dt.metrics.recall_at_k([[0], [2]], [[0.5, 0.1, 0.4], [0.1, 0.5, 0.4]], k=1)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float64(0.5)
    """
    with dt.variable_scope(name, _scope("recall", k, class_id)):
        places = _top_k("recall_at_k", predictions, k)
        return _share_of(
            "recall_at_k",
            labels,
            places,
            "false_negatives",
            class_id,
            weights,
            metrics_collections,
            updates_collections,
        )


def recall_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how much of what is true is predicted so far, and an operation that sees a batch.

    Args:
        labels: numbers of the true classes of each example, as for ``recall_at_k``.
        predictions_idx: numbers of the classes predicted, along the last axis.
        k: how many these are; it is only part of the default name.
        class_id: a class to look at alone.
        weights: a number, or one for each example.
        metrics_collections: collections that the recall joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The recall, float64; NaN before anything was true.

    Raises:
        DTypeError: labels or predictions are no integers.
        ShapeError: the shapes do not fit, or the weights.

    Example:
        >>> value, update = dt.metrics.recall_at_top_k([[0, 1], [2, 1]], [[0, 2], [1, 2]])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float64(0.75)
    """
    with dt.variable_scope(name, _scope("recall", k, class_id)):
        return _share_of(
            "recall_at_top_k",
            labels,
            predictions_idx,
            "false_negatives",
            class_id,
            weights,
            metrics_collections,
            updates_collections,
        )


def average_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean average precision among the ``k`` highest scores so far, and an operation that sees a batch.

    Of an example, it is the sum of the precision among the first ``i`` classes over every ``i`` whose class is true,
    divided by the number of true classes or ``k``, whichever is less.

    Args:
        labels: numbers of the true classes of each example, along the last axis; without it where each has one.
            Numbers that are no class are left out.
        predictions: scores, the classes along the last axis.
        k: how many classes are predicted.
        weights: a number, or one for each example.
        metrics_collections: collections that the mean joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The mean, float64, 0 before anything was seen; NaN where an example has no label.

    Raises:
        InvalidArgumentError: ``k`` is below 1.
        DTypeError: labels are no integers.
        ShapeError: the shapes do not fit, or the weights.

    Example:
        >>> value, update = dt.metrics.average_precision_at_k([[0, 1]], [[0.5, 0.1, 0.4]], k=3)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float64(0.8333333333333333)
    """
    with dt.variable_scope(name, _scope("average_precision", k, None)):
        scores = dt.convert_to_tensor(predictions)
        wanted, found = _rows("average_precision_at_k", labels, _top_k("average_precision_at_k", scores, k))
        there = dt.logical_and(wanted >= 0, wanted < dt.cast(dt.shape(scores)[-1], dt.int64))
        same = dt.equal(dt.expand_dims(found, -1), dt.expand_dims(wanted, -2))
        hits = dt.cast(dt.reduce_any(dt.logical_and(same, dt.expand_dims(there, -2)), axis=-1), dt.float64)
        precisions = dt.cumsum(hits, axis=-1) / dt.range(1, k + 1, dtype=dt.float64)
        possible = dt.minimum(dt.reduce_sum(dt.cast(there, dt.float64), axis=-1), float(k))
        values = dt.divide(dt.reduce_sum(precisions * hits, axis=-1), possible)
        factors = spread(weights, values, dt.float64)
        return accumulate(
            {"total": dt.reduce_sum(values * factors), "max": dt.reduce_sum(factors)},
            ratio,
            metrics_collections,
            updates_collections,
        )


def _scope(metric: str, k: int | None, class_id: int | None) -> str:
    return f"{metric}_at_{'k' if k is None else k}" + ("" if class_id is None else f"_class{class_id}")


def _top_k(metric: str, predictions: Any, k: int) -> Tensor:
    if k < 1:
        raise InvalidArgumentError(f"{metric}: k is {k}; use 1 or more.")
    return dt.top_k(predictions, k)[1]


def _rows(metric: str, labels: Any, places: Any) -> tuple[Tensor, Tensor]:
    """Return labels and predicted classes as int64, each example's along the last axis."""
    wanted, found = dt.convert_to_tensor(labels), dt.convert_to_tensor(places)
    for what, one in (("labels", wanted), ("predicted classes", found)):
        if not one.dtype.is_integer:
            raise DTypeError(f"{metric}: {what} are {one.type}; give numbers of classes. {one.op.where()}")
    if wanted.shape.rank is None or found.shape.rank not in (wanted.shape.rank, wanted.shape.rank + 1):
        raise ShapeError(
            f"{metric}: labels are {wanted.type}, predicted classes {found.type}; give labels the same rank, with the "
            f"classes of each example along the last axis, or one axis less. {wanted.op.where()}"
        )
    if found.shape.rank == wanted.shape.rank + 1:
        wanted = dt.expand_dims(wanted, -1)
    return dt.cast(wanted, dt.int64), dt.cast(found, dt.int64)


def _first(ids: Tensor) -> Tensor:
    """Where a row's number stands for the first time."""
    same = dt.equal(dt.expand_dims(ids, -1), dt.expand_dims(ids, -2))
    places = dt.range(dt.shape(ids)[-1])
    earlier = dt.expand_dims(places, -1) > dt.expand_dims(places, -2)
    return dt.logical_not(dt.reduce_any(dt.logical_and(same, earlier), axis=-1))


def _share_of(
    metric: str,
    labels: Any,
    places: Any,
    misses: str,
    class_id: int | None,
    weights: Any,
    metrics_collections: Collections,
    updates_collections: Collections,
) -> tuple[Tensor, Tensor]:
    """Return hits over hits and misses; the classes of an example are sets."""
    wanted, found = _rows(metric, labels, places)
    hit = dt.equal(dt.expand_dims(found, -1), dt.expand_dims(wanted, -2))
    looked_at, other = (wanted, -2) if misses == "false_negatives" else (found, -1)
    counted = _first(looked_at)
    if class_id is not None:
        counted = dt.logical_and(counted, dt.equal(looked_at, dt.constant(class_id, dt.int64)))
    right = dt.reduce_any(hit, axis=other)
    batch: dict[str, Tensor] = {}
    for kind, holds in (("true_positives", right), (misses, dt.logical_not(right))):
        number = dt.reduce_sum(dt.cast(dt.logical_and(counted, holds), dt.float64), axis=-1)
        batch[kind] = dt.reduce_sum(number * spread(weights, number, dt.float64))
    return accumulate(
        batch, lambda hits, missed: dt.divide(hits, hits + missed), metrics_collections, updates_collections
    )


sparse_average_precision_at_k = average_precision_at_k  # what TensorFlow 1 called them first
sparse_precision_at_k = precision_at_k
