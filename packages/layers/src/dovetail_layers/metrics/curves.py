"""Metrics of curves that thresholds draw: the area under one, and one rate where another has a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail_layers.metrics._streaming import Collections, accumulate, ratio
from dovetail_layers.metrics.thresholds import EPSILON, decisions_at, share

__all__ = [
    "auc",
    "precision_at_recall",
    "recall_at_precision",
    "sensitivity_at_specificity",
    "specificity_at_sensitivity",
]

_CURVES = ("ROC", "PR")
_SUMMATIONS = ("trapezoidal", "careful_interpolation", "minoring", "majoring")
_SMOOTHING = 1e-6


def _spaced(metric: str, count: int) -> list[float]:
    """Give thresholds at equal distances, the first below 0 and the last above 1."""
    if count < 2:
        raise InvalidArgumentError(f"{metric}: num_thresholds is {count}; use 2 or more.")
    return _between([(i + 1) / (count - 1) for i in range(count - 2)])


def _between(thresholds: Sequence[float]) -> list[float]:
    return [-EPSILON, *thresholds, 1.0 + EPSILON]


def auc(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    curve: str = "ROC",
    name: str | None = None,
    summation_method: str = "trapezoidal",
    thresholds: Sequence[float] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the area under a curve drawn by thresholds so far, and an operation that sees a batch.

    The area is a sum over intervals between thresholds, so the closer they lie to the predictions, the better it
    agrees with the exact area; with all predictions as thresholds it is that area.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: probabilities, of the same shape.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        num_thresholds: how many thresholds to spread evenly.
        metrics_collections: collections that the area joins.
        updates_collections: collections that the update joins.
        curve: ``"ROC"``, the rate of true positives over that of false ones; ``"PR"``, precision over recall.
        name: scope of the nodes and variables.
        summation_method: ``"trapezoidal"``; ``"minoring"`` and ``"majoring"``, by the lower and the higher value at
            the ends of each interval; ``"careful_interpolation"``, for PR, where precision is no straight line between
            thresholds (Davis and Goadrich, 2006).
        thresholds: thresholds from 0 to 1, in place of ``num_thresholds`` of them.

    Raises:
        InvalidArgumentError: curve or method is not known, or there are too few thresholds.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a prediction is no probability.

    Example:
        >>> value, update = dt.metrics.auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     round(float(session.run(update)), 4)
        0.75
    """
    if curve not in _CURVES:
        raise InvalidArgumentError(f"auc: curve is {curve!r}; use {_listed(_CURVES)}.")
    if summation_method not in _SUMMATIONS:
        raise InvalidArgumentError(f"auc: summation_method is {summation_method!r}; use {_listed(_SUMMATIONS)}.")

    def area(tp: Tensor, fn: Tensor, tn: Tensor, fp: Tensor) -> Tensor:
        if curve == "PR" and summation_method == "careful_interpolation":
            return _interpolated(tp, fn, fp)
        found = dt.divide(tp + _SMOOTHING, tp + fn + _SMOOTHING)
        if curve == "ROC":
            x, y = dt.divide(fp, fp + tn + _SMOOTHING), found
        else:
            x, y = found, dt.divide(tp + _SMOOTHING, tp + fp + _SMOOTHING)
        if summation_method == "minoring":
            height = dt.minimum(y[:-1], y[1:])
        elif summation_method == "majoring":
            height = dt.maximum(y[:-1], y[1:])
        else:
            height = (y[:-1] + y[1:]) / 2.0
        return dt.reduce_sum((x[:-1] - x[1:]) * height)

    with dt.variable_scope(name, "auc"):
        chosen = _spaced("auc", num_thresholds) if thresholds is None else _between(sorted(thresholds))
        kinds = ("true_positives", "false_negatives", "true_negatives", "false_positives")
        batch = decisions_at("auc", labels, predictions, weights, chosen, *kinds)
        return accumulate(batch, area, metrics_collections, updates_collections)


def _interpolated(tp: Tensor, fn: Tensor, fp: Tensor) -> Tensor:
    """The area under precision over recall where, between thresholds, true positives are linear in positives."""
    positives = tp + fp
    before, after = positives[:-1], positives[1:]
    gained = tp[:-1] - tp[1:]
    slope = ratio(gained, before - after)
    intercept = tp[1:] - slope * after
    both = dt.logical_and(before > 0.0, after > 0.0)
    growth = dt.where(both, ratio(before, after), dt.ones_like(after))
    return dt.reduce_sum(ratio(slope * (gained + intercept * dt.log(growth)), tp[1:] + fn[1:]))


def sensitivity_at_specificity(
    labels: Any,
    predictions: Any,
    specificity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the sensitivity at the threshold whose specificity is nearest so far, and an operation that sees a batch.

    Sensitivity is the part of what is true that is found; specificity the part of what is false that is not.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: probabilities, of the same shape.
        specificity: the specificity wanted, from 0 to 1.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        num_thresholds: how many thresholds to spread evenly.
        metrics_collections: collections that the sensitivity joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        InvalidArgumentError: the specificity is not from 0 to 1, or there are too few thresholds.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a prediction is no probability.

    Example:
        >>> value, update = dt.metrics.sensitivity_at_specificity([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.5)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     round(float(session.run(update)), 4)
        1.0
    """
    with dt.variable_scope(name, "sensitivity_at_specificity"):
        _check_rate("sensitivity_at_specificity", "specificity", specificity)
        thresholds = _spaced("sensitivity_at_specificity", num_thresholds)
        kinds = ("true_negatives", "false_positives", "true_positives", "false_negatives")
        batch = decisions_at("sensitivity_at_specificity", labels, predictions, weights, thresholds, *kinds)
        return accumulate(
            batch,
            lambda tn, fp, tp, fn: _at_nearest(share(tn, fp), specificity, share(tp, fn)),
            metrics_collections,
            updates_collections,
        )


def specificity_at_sensitivity(
    labels: Any,
    predictions: Any,
    sensitivity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the specificity at the threshold whose sensitivity is nearest so far, and an operation that sees a batch.

    Sensitivity is the part of what is true that is found; specificity the part of what is false that is not. Of
    several thresholds that are as near, the highest counts.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: probabilities, of the same shape.
        sensitivity: the sensitivity wanted, from 0 to 1.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        num_thresholds: how many thresholds to spread evenly.
        metrics_collections: collections that the specificity joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        InvalidArgumentError: the sensitivity is not from 0 to 1, or there are too few thresholds.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a prediction is no probability.

    Example:
        >>> value, update = dt.metrics.specificity_at_sensitivity([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.5)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     round(float(session.run(update)), 4)
        1.0
    """
    with dt.variable_scope(name, "specificity_at_sensitivity"):
        _check_rate("specificity_at_sensitivity", "sensitivity", sensitivity)
        thresholds = _spaced("specificity_at_sensitivity", num_thresholds)
        thresholds[-1] = 1.0 - EPSILON  # as in TensorFlow 1, where a prediction of 1 is always found
        kinds = ("true_positives", "false_negatives", "true_negatives", "false_positives")
        batch = decisions_at("specificity_at_sensitivity", labels, predictions, weights, thresholds, *kinds)
        return accumulate(
            batch,
            lambda tp, fn, tn, fp: _at_nearest(
                dt.reverse(share(tp, fn), [0]), sensitivity, dt.reverse(share(tn, fp), [0])
            ),
            metrics_collections,
            updates_collections,
        )


def precision_at_recall(
    labels: Any,
    predictions: Any,
    target_recall: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the precision at the threshold whose recall is nearest so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: probabilities, of the same shape.
        target_recall: the recall wanted, from 0 to 1.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        num_thresholds: how many thresholds to spread evenly.
        metrics_collections: collections that the precision joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        InvalidArgumentError: the recall is not from 0 to 1, or there are too few thresholds.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a prediction is no probability.

    Example:
        >>> value, update = dt.metrics.precision_at_recall([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 1.0)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     round(float(session.run(update)), 4)
        0.5
    """
    with dt.variable_scope(name, "precision_at_recall"):
        _check_rate("precision_at_recall", "target_recall", target_recall)
        thresholds = _spaced("precision_at_recall", num_thresholds)
        kinds = ("true_positives", "false_negatives", "false_positives")
        batch = decisions_at("precision_at_recall", labels, predictions, weights, thresholds, *kinds)
        return accumulate(
            batch,
            lambda tp, fn, fp: _at_nearest(share(tp, fn), target_recall, share(tp, fp)),
            metrics_collections,
            updates_collections,
        )


def recall_at_precision(
    labels: Any,
    predictions: Any,
    precision: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the recall at the threshold whose precision is nearest so far, and an operation that sees a batch.

    Args:
        labels: what is true; what is not 0 counts as true.
        predictions: probabilities, of the same shape.
        precision: the precision wanted, from 0 to 1.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        num_thresholds: how many thresholds to spread evenly.
        metrics_collections: collections that the recall joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        InvalidArgumentError: the precision is not from 0 to 1, or there are too few thresholds.
        ShapeError: the shapes differ, or the weights do not fit.
        OperationError: when run, a prediction is no probability.

    Example:
        >>> value, update = dt.metrics.recall_at_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.6)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     round(float(session.run(update)), 4)
        1.0
    """
    with dt.variable_scope(name, "recall_at_precision"):
        _check_rate("recall_at_precision", "precision", precision)
        thresholds = _spaced("recall_at_precision", num_thresholds)
        kinds = ("true_positives", "false_positives", "false_negatives")
        batch = decisions_at("recall_at_precision", labels, predictions, weights, thresholds, *kinds)
        return accumulate(
            batch,
            lambda tp, fp, fn: _at_nearest(share(tp, fp), precision, share(tp, fn)),
            metrics_collections,
            updates_collections,
        )


def _at_nearest(rates: Tensor, target: float, results: Tensor) -> Tensor:
    """The result at the first threshold whose rate is nearest to the target."""
    return dt.gather(results, dt.argmin(dt.abs(rates - target), 0))


def _check_rate(metric: str, what: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise InvalidArgumentError(f"{metric}: {what} is {value}; use a number from 0 to 1.")


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(map(repr, names[:-1]))} or {names[-1]!r}"
