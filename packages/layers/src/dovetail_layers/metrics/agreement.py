"""Metrics of predicted classes that a confusion matrix tells: overlap, F scores, agreement beyond chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail_layers.metrics._streaming import Collections, accumulate, agreeing, class_numbers, ratio, spread

__all__ = ["cohen_kappa", "confusion_matrix", "f1_score", "matthews_corrcoef", "mean_iou"]

_AVERAGES = ("micro", "macro", "weighted", None)
_WEIGHTINGS = (None, "linear", "quadratic")


def _streaming_matrix(
    metric: str,
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any,
    measure: Callable[[Tensor], Tensor],
    metrics_collections: Collections,
    updates_collections: Collections,
    updated: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return a measure of the confusion matrix of all batches, float64, its rows the labels."""
    if num_classes < 1:
        raise InvalidArgumentError(f"{metric}: num_classes is {num_classes}; use 1 or more.")
    wanted, found = agreeing(metric, labels, predictions)
    factors = dt.reshape(spread(weights, wanted, dt.float64), [-1])
    places = dt.stack([class_numbers(wanted), class_numbers(found)], axis=1)
    counted = dt.scatter_nd(places, factors, [num_classes, num_classes])
    return accumulate(
        {"total_confusion_matrix": counted}, measure, metrics_collections, updates_collections, updated=updated
    )


def _single(value: Tensor) -> Tensor:
    """Return what was worked out in float64 as the float32 that a metric is."""
    result: Tensor = dt.cast(value, dt.float32)
    return result


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how often each class was taken for each other so far, and an operation that sees a batch.

    Args:
        labels: numbers of classes.
        predictions: numbers of classes, of the same shape.
        num_classes: how many classes there are.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the matrix joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        float64 ``[num_classes, num_classes]``: a row for each label, a column for each prediction.

    Raises:
        InvalidArgumentError: there is no class.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a label or a prediction is no class.

    Example:
        >>> value, update = dt.metrics.confusion_matrix([0, 0, 1], [0, 1, 1], num_classes=2)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        array([[1., 1.],
               [0., 1.]])
    """
    with dt.variable_scope(name, "confusion_matrix"):
        return _streaming_matrix(
            "confusion_matrix",
            labels,
            predictions,
            num_classes,
            weights,
            dt.identity,
            metrics_collections,
            updates_collections,
        )


def mean_iou(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean over classes of intersection over union so far, and an operation that sees a batch.

    Of a class, it is ``true positives / (true positives + false positives + false negatives)``; classes that neither
    labels nor predictions hold are left out.

    Args:
        labels: numbers of classes.
        predictions: numbers of classes, of the same shape.
        num_classes: how many classes there are.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the mean joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The mean so far; and, as in TensorFlow 1, the confusion matrix after seeing the batch.

    Raises:
        InvalidArgumentError: there is no class.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a label or a prediction is no class.

    Example:
        >>> value, update = dt.metrics.mean_iou([0, 0, 1, 1], [0, 1, 1, 1], num_classes=2)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     _ = session.run(update)
        ...     session.run(value)
        np.float32(0.5833334)
    """
    with dt.variable_scope(name, "mean_iou"):
        return _streaming_matrix(
            "mean_iou",
            labels,
            predictions,
            num_classes,
            weights,
            _mean_overlap,
            metrics_collections,
            updates_collections,
            updated=dt.identity,
        )


def _mean_overlap(matrix: Tensor) -> Tensor:
    hits = dt.cast(dt.diag_part(matrix), dt.float32)
    union = dt.cast(dt.reduce_sum(matrix, 0) + dt.reduce_sum(matrix, 1), dt.float32) - hits
    present = dt.cast(dt.not_equal(union, dt.zeros_like(union)), dt.float32)
    return dt.div_no_nan(dt.reduce_sum(ratio(hits, union)), dt.reduce_sum(present))


def f1_score(
    labels: Any,
    predictions: Any,
    num_classes: int = 2,
    weights: Any = None,
    average: str | None = "binary",
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the harmonic mean of precision and recall so far, and an operation that sees a batch.

    Args:
        labels: numbers of classes; for ``"binary"`` also truth values.
        predictions: numbers of classes, of the same shape.
        num_classes: how many classes there are.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        average: ``"binary"``, of class 1 where there are two; ``"micro"``, of all decisions; ``"macro"``, the mean
            over classes; ``"weighted"``, the mean over classes weighted by their labels; ``None``, one for each class.
        metrics_collections: collections that the score joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The score, 0 where precision and recall are.

    Raises:
        InvalidArgumentError: the average is not known, or is ``"binary"`` for more than two classes.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a label or a prediction is no class.

    Example:
        >>> value, update = dt.metrics.f1_score([1, 1, 0, 0], [1, 0, 1, 1])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.4)
    """
    if average == "binary" and num_classes != 2:
        raise InvalidArgumentError(
            f"f1_score: average is 'binary', but there are {num_classes} classes; use 'macro', 'micro', 'weighted' or "
            "None."
        )
    if average != "binary" and average not in _AVERAGES:
        raise InvalidArgumentError(
            f"f1_score: average is {average!r}; use 'binary', 'micro', 'macro', 'weighted' or None."
        )

    def score(matrix: Tensor) -> Tensor:
        hits, found, there = dt.diag_part(matrix), dt.reduce_sum(matrix, 0), dt.reduce_sum(matrix, 1)
        if average == "micro":
            result = ratio(dt.reduce_sum(hits), dt.reduce_sum(there))
        else:
            result = ratio(2.0 * hits, found + there)
            if average == "binary":
                result = result[1]
            elif average == "macro":
                present = dt.cast(found + there > 0.0, dt.float64)
                result = ratio(dt.reduce_sum(result), dt.reduce_sum(present))
            elif average == "weighted":
                result = ratio(dt.reduce_sum(result * there), dt.reduce_sum(there))
        return _single(result)

    with dt.variable_scope(name, "f1_score"):
        return _streaming_matrix(
            "f1_score", labels, predictions, num_classes, weights, score, metrics_collections, updates_collections
        )


def cohen_kappa(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    weighting: str | None = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how far two ratings agree beyond chance so far, Cohen's kappa, and an operation that sees a batch.

    It is ``1 − Σ d o / Σ d e``: ``o`` counts pairs of ratings, ``e`` what chance would make of how often each is given,
    ``d`` says how much a pair disagrees (Cohen, 1960 and 1968).

    Args:
        labels: numbers of classes.
        predictions: numbers of classes, of the same shape.
        num_classes: how many classes there are.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        weighting: how much a pair disagrees: ``None``, 1 where they differ; ``"linear"``, by their distance;
            ``"quadratic"``, by its square.
        metrics_collections: collections that kappa joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        At most 1; 0 for what chance gives, and where chance leaves nothing to disagree about.

    Raises:
        InvalidArgumentError: the weighting is not known, or there is no class.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a label or a prediction is no class.

    Example:
        >>> value, update = dt.metrics.cohen_kappa([0, 0, 1, 1], [0, 1, 1, 1], num_classes=2)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.5)
    """
    if weighting not in _WEIGHTINGS:
        raise InvalidArgumentError(f"cohen_kappa: weighting is {weighting!r}; use None, 'linear' or 'quadratic'.")

    def kappa(matrix: Tensor) -> Tensor:
        ratings = dt.range(num_classes, dtype=dt.float64)
        apart = dt.abs(dt.expand_dims(ratings, 0) - dt.expand_dims(ratings, 1))
        if weighting is None:
            apart = dt.cast(apart > 0.0, dt.float64)
        elif weighting == "quadratic":
            apart = dt.square(apart)
        chance = dt.expand_dims(dt.reduce_sum(matrix, 1), 1) * dt.expand_dims(dt.reduce_sum(matrix, 0), 0)
        expected = dt.reduce_sum(apart * chance)
        observed = dt.reduce_sum(apart * matrix) * dt.reduce_sum(matrix)
        return _single(dt.div_no_nan(expected - observed, expected))

    with dt.variable_scope(name, "cohen_kappa"):
        return _streaming_matrix(
            "cohen_kappa", labels, predictions, num_classes, weights, kappa, metrics_collections, updates_collections
        )


def matthews_corrcoef(
    labels: Any,
    predictions: Any,
    num_classes: int = 2,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the correlation of labels and predictions so far, and an operation that sees a batch.

    For two classes it is Matthews' coefficient (1975); for more, Gorodkin's R_K (2004).

    Args:
        labels: numbers of classes.
        predictions: numbers of classes, of the same shape.
        num_classes: how many classes there are.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the coefficient joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        From −1 to 1; 0 where labels or predictions are all of one class.

    Raises:
        InvalidArgumentError: there is no class.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a label or a prediction is no class.

    Example:
        >>> value, update = dt.metrics.matthews_corrcoef([1, 1, 1, 0], [1, 0, 1, 1])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(-0.33333334)
    """
    with dt.variable_scope(name, "matthews_corrcoef"):
        return _streaming_matrix(
            "matthews_corrcoef",
            labels,
            predictions,
            num_classes,
            weights,
            _correlation,
            metrics_collections,
            updates_collections,
        )


def _correlation(matrix: Tensor) -> Tensor:
    there, found, total = dt.reduce_sum(matrix, 1), dt.reduce_sum(matrix, 0), dt.reduce_sum(matrix)
    together = dt.reduce_sum(dt.diag_part(matrix)) * total - dt.reduce_sum(there * found)
    label_spread = dt.square(total) - dt.reduce_sum(dt.square(there))
    prediction_spread = dt.square(total) - dt.reduce_sum(dt.square(found))
    return _single(dt.div_no_nan(together, dt.sqrt(label_spread * prediction_spread)))
