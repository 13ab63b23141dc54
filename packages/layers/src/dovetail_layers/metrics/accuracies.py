"""Metrics that say how often predictions of classes are right."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail_layers.metrics._streaming import (
    Collections,
    accumulate,
    agreeing,
    average,
    class_numbers,
    ratio,
    spread,
)

__all__ = [
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "mean_per_class_accuracy",
    "sparse_categorical_accuracy",
    "top_k_accuracy",
]


def accuracy(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how often everything predicted so far was right, and an operation that sees a batch.

    Args:
        labels: what is true.
        predictions: what is predicted, of the same shape, such as ``dt.argmax(logits, 1)``; of another dtype, it is
            cast to that of the labels.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the accuracy joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The accuracy so far, 0 before anything was seen; and the accuracy after seeing the batch, which must be run
        for each.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.accuracy([1, 2, 3], [1, 2, 0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.6666667)
    """
    with dt.variable_scope(name, "accuracy"):
        wanted, found = agreeing("accuracy", labels, predictions)
        right = dt.equal(dt.cast(found, wanted.dtype), wanted)
        return average(right, weights, metrics_collections, updates_collections)


def binary_accuracy(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    threshold: float = 0.5,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how often probabilities lay on the right side of a threshold so far, and an operation that sees a batch.

    Args:
        labels: what is true, 0 or 1.
        predictions: probabilities, of the same shape.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        threshold: what is above it predicts 1.
        metrics_collections: collections that the accuracy joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.binary_accuracy([1, 1, 0, 0], [0.98, 1.0, 0.0, 0.6])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.75)
    """
    with dt.variable_scope(name, "binary_accuracy"):
        wanted, found = agreeing("binary_accuracy", labels, predictions)
        right = dt.equal(dt.cast(found > threshold, wanted.dtype), wanted)
        return average(right, weights, metrics_collections, updates_collections)


def categorical_accuracy(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how often the class of the highest score was right so far, and an operation that sees a batch.

    Args:
        labels: one-hot vectors, or probabilities, the classes along the last axis.
        predictions: scores, of the same shape.
        weights: a number, or one for each example.
        metrics_collections: collections that the accuracy joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.5)
    """
    with dt.variable_scope(name, "categorical_accuracy"):
        wanted, found = agreeing("categorical_accuracy", labels, predictions)
        right = dt.equal(dt.argmax(wanted, -1), dt.argmax(found, -1))
        return average(right, weights, metrics_collections, updates_collections)


def sparse_categorical_accuracy(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how often the class of the highest score was right so far, and an operation that sees a batch.

    Args:
        labels: numbers of classes.
        predictions: scores, with one axis more than ``labels``, of the classes.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the accuracy joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shapes do not fit, or the weights.

    Example:
        >>> value, update = dt.metrics.sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.4, 0.6]])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.5)
    """
    with dt.variable_scope(name, "sparse_categorical_accuracy"):
        wanted, found = agreeing("sparse_categorical_accuracy", labels, dt.argmax(predictions, -1))
        right = dt.equal(dt.cast(wanted, dt.int64), found)
        return average(right, weights, metrics_collections, updates_collections)


def top_k_accuracy(
    labels: Any,
    predictions: Any,
    k: int = 5,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how often the class was among the ``k`` of the highest scores so far, and an operation that sees a batch.

    A class counts as among them where fewer than ``k`` classes have a higher score, as in ``dt.nn.in_top_k``; one
    whose score is NaN or infinite does not.

    Args:
        labels: numbers of classes.
        predictions: scores, with one axis more than ``labels``, of the classes.
        k: how many classes may be named.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the accuracy joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        InvalidArgumentError: ``k`` is below 1.
        ShapeError: the shapes do not fit, or the weights.
        OperationError: when run, a label is no class.

    Example:
        >>> value, update = dt.metrics.top_k_accuracy([2, 0], [[0.5, 0.1, 0.4], [0.1, 0.5, 0.4]], k=2)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.5)
    """
    if k < 1:
        raise InvalidArgumentError(f"top_k_accuracy: k is {k}; use 1 or more.")
    with dt.variable_scope(name, "top_k_accuracy"):
        wanted, scores = dt.convert_to_tensor(labels), dt.convert_to_tensor(predictions)
        if wanted.shape.rank is None or scores.shape.rank != wanted.shape.rank + 1:
            raise ShapeError(
                f"top_k_accuracy: labels are {wanted.type}, predictions {scores.type}; predictions must have one axis "
                f"more, of a score for each class. {scores.op.where()}"
            )
        own = dt.batch_gather(scores, dt.expand_dims(wanted, -1))
        higher = dt.reduce_sum(dt.cast(scores > own, dt.int32), axis=-1)
        right = dt.logical_and(higher < k, dt.is_finite(dt.squeeze(own, -1)))
        return average(right, weights, metrics_collections, updates_collections)


def mean_per_class_accuracy(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean over classes of how often each was recognised so far, and an operation that sees a batch.

    Args:
        labels: numbers of classes.
        predictions: numbers of classes, of the same shape.
        num_classes: how many classes there are; one without an example counts as 0.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the mean joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The mean so far; and the accuracy of each class after seeing the batch.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a label is no class.

    Example:
        >>> value, update = dt.metrics.mean_per_class_accuracy([0, 0, 1, 1], [0, 1, 1, 1], num_classes=2)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update), session.run(value)
        (array([0.5, 1. ], dtype=float32), np.float32(0.75))
    """
    with dt.variable_scope(name, "mean_accuracy"):
        wanted, found = agreeing("mean_per_class_accuracy", labels, predictions)
        factors = dt.reshape(spread(weights, wanted), [-1])
        places = class_numbers(wanted)
        right = dt.cast(dt.equal(places, class_numbers(found)), factors.dtype)
        rows = dt.expand_dims(places, -1)
        return accumulate(
            {
                "total": dt.scatter_nd(rows, factors, [num_classes]),
                "count": dt.scatter_nd(rows, right * factors, [num_classes]),
            },
            lambda total, count: dt.reduce_mean(ratio(count, total)),
            metrics_collections,
            updates_collections,
            updated=lambda total, count: ratio(count, total),
        )
