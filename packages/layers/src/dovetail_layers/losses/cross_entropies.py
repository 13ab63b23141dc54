"""Losses of scores: the cross-entropies, and the focal ones made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dovetail as dt
from dovetail import GraphKeys, Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail_layers.cross_entropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
)
from dovetail_layers.losses.arguments import floating_of_one_shape, without_last_axis_of_one
from dovetail_layers.losses.reduction import Reduction, aligned_weights, compute_weighted_loss
from dovetail_layers.softmax import log_softmax

__all__ = [
    "sigmoid_cross_entropy",
    "sigmoid_focal_crossentropy",
    "softmax_cross_entropy",
    "softmax_focal_crossentropy",
    "sparse_softmax_cross_entropy",
]


def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
    *,
    class_weights: Any = None,
) -> Tensor:
    """Return the mean cross-entropy between given probabilities of classes and the softmax of scores.

    Args:
        onehot_labels: probabilities, of the shape of ``logits``.
        logits: floating scores, the classes along the last axis.
        weights: a number, or one for each example.
        label_smoothing: the part of the probability that is spread evenly over all classes (Szegedy et al., 2016).
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.
        class_weights: a number for each class, by which examples of that class are weighted besides. With
            ``Reduction.MEAN`` the sum of the losses is divided by that of the weights, as PyTorch does.

    Raises:
        ShapeError: the shapes do not fit.
        InvalidArgumentError: ``label_smoothing`` is out of range.

    Example:
        >>> dt.Session().run(dt.losses.softmax_cross_entropy([[1.0, 0.0]], [[0.0, 0.0]]))
        np.float32(0.6931472)
    """
    _check_smoothing("softmax_cross_entropy", label_smoothing)
    with dt.name_scope(scope or "softmax_cross_entropy_loss"):
        scores = dt.convert_to_tensor(logits)
        labels = dt.cast(onehot_labels, scores.dtype)
        smoothed = labels
        if label_smoothing:
            classes = dt.cast(dt.shape(scores)[-1], scores.dtype)
            smoothed = labels * (1.0 - label_smoothing) + label_smoothing / classes
        losses = softmax_cross_entropy_with_logits(labels=smoothed, logits=scores)
        if class_weights is not None:
            of_classes = _class_weights("softmax_cross_entropy", class_weights, scores)
            weights = aligned_weights(weights, losses) * dt.reduce_sum(labels * of_classes, -1)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def sparse_softmax_cross_entropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
    *,
    label_smoothing: float = 0,
    class_weights: Any = None,
    ignore_label: int | None = None,
) -> Tensor:
    """Return the mean cross-entropy between classes given by number and the softmax of scores.

    Args:
        labels: integers, of the shape of ``logits`` without its last axis, or with that axis of size 1.
        logits: floating scores, the classes along the last axis.
        weights: a number, or one for each example.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.
        label_smoothing: the part of the probability that is spread evenly over all classes (Szegedy et al., 2016).
        class_weights: a number for each class, by which examples of that class are weighted besides. With
            ``Reduction.MEAN`` the sum of the losses is divided by that of the weights, as PyTorch does.
        ignore_label: examples of this label, which need be no class, have weight 0.

    Raises:
        ShapeError: the shapes do not fit.
        InvalidArgumentError: ``label_smoothing`` is out of range.

    Example:
        >>> scores = [[0.0, 0.0], [9.0, 0.0]]
        >>> dt.Session().run(dt.losses.sparse_softmax_cross_entropy([0, -1], scores, ignore_label=-1))
        np.float32(0.6931472)
    """
    _check_smoothing("sparse_softmax_cross_entropy", label_smoothing)
    with dt.name_scope(scope or "sparse_softmax_cross_entropy_loss"):
        scores = dt.convert_to_tensor(logits)
        rank = None if scores.shape.rank is None else scores.shape.rank - 1
        classes = without_last_axis_of_one(dt.convert_to_tensor(labels), rank)
        factors = without_last_axis_of_one(dt.convert_to_tensor(weights), rank)
        counted = None
        if ignore_label is not None:
            counted = dt.not_equal(classes, dt.constant(ignore_label, classes.dtype))
            classes = dt.select(counted, classes, dt.zeros_like(classes))
        losses = sparse_softmax_cross_entropy_with_logits(labels=classes, logits=scores)
        if label_smoothing:
            even = -dt.reduce_mean(log_softmax(scores), -1)
            losses = (1.0 - label_smoothing) * losses + label_smoothing * even
        if counted is not None:
            factors = aligned_weights(factors, losses) * dt.cast(counted, losses.dtype)
        if class_weights is not None:
            of_classes = _class_weights("sparse_softmax_cross_entropy", class_weights, scores)
            factors = aligned_weights(factors, losses) * dt.gather(of_classes, classes)
        return compute_weighted_loss(losses, factors, "weighted", loss_collection, reduction)


def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean cross-entropy between given probabilities and the sigmoid of scores.

    Args:
        multi_class_labels: probabilities, of the shape of ``logits``.
        logits: floating scores.
        weights: a number, or one for each example or element.
        label_smoothing: moves the labels so much toward one half.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes do not fit.
        InvalidArgumentError: ``label_smoothing`` is out of range.

    Example:
        >>> dt.Session().run(dt.losses.sigmoid_cross_entropy([[1.0]], [[0.0]]))
        np.float32(0.6931472)
    """
    _check_smoothing("sigmoid_cross_entropy", label_smoothing)
    with dt.name_scope(scope or "sigmoid_cross_entropy_loss"):
        scores = dt.convert_to_tensor(logits)
        labels = dt.cast(multi_class_labels, scores.dtype)
        if label_smoothing:
            labels = labels * (1.0 - label_smoothing) + 0.5 * label_smoothing
        losses = sigmoid_cross_entropy_with_logits(labels=labels, logits=scores)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def sigmoid_focal_crossentropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean cross-entropy of sigmoids of scores in which what is already right counts less.

    Where ``p`` is the probability of what is true, the loss is ``-alpha * (1 - p)^gamma * log(p)``, with ``1 - alpha``
    in place of ``alpha`` where the label is 0 (Lin et al., 2017, arXiv:1708.02002).

    Args:
        labels: probabilities, mostly 0 or 1, of the shape of ``logits``.
        logits: floating scores.
        weights: a number, or one for each example or element.
        alpha: the share of the label 1, from 0 to 1; ``None`` for no such factor.
        gamma: how much less, not negative; 0 gives the cross-entropy.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``logits`` holds no numbers.
        InvalidArgumentError: ``gamma`` is negative.

    Example:
        >>> dt.Session().run(dt.losses.sigmoid_focal_crossentropy([1.0], [0.0], alpha=None))
        np.float32(0.1732868)
    """
    operation = "sigmoid_focal_crossentropy"
    _check_gamma(operation, gamma)
    with dt.name_scope(scope or operation):
        wanted, scores = floating_of_one_shape(operation, labels, logits, "logits")
        found = dt.sigmoid(scores)
        missed = wanted * (1.0 - found) + (1.0 - wanted) * found
        losses = sigmoid_cross_entropy_with_logits(labels=wanted, logits=scores) * _power(missed, gamma)
        if alpha is not None:
            losses = losses * (wanted * alpha + (1.0 - wanted) * (1.0 - alpha))
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def softmax_focal_crossentropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean cross-entropy of the softmax of scores in which what is already right counts less.

    For probabilities ``p`` that is ``-sum(alpha * (1 - p)^gamma * labels * log(p))`` over the classes, Keras'
    ``categorical_focal_crossentropy`` (Lin et al., 2017, arXiv:1708.02002).

    Args:
        onehot_labels: probabilities, of the shape of ``logits``.
        logits: floating scores, the classes along the last axis.
        weights: a number, or one for each example.
        alpha: a factor, or one for each class.
        gamma: how much less, not negative; 0 gives the cross-entropy.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``logits`` holds no numbers.
        InvalidArgumentError: ``gamma`` is negative.

    Example:
        >>> dt.Session().run(dt.losses.softmax_focal_crossentropy([[1.0, 0.0]], [[0.0, 0.0]], alpha=1.0))
        np.float32(0.1732868)
    """
    operation = "softmax_focal_crossentropy"
    _check_gamma(operation, gamma)
    with dt.name_scope(scope or operation):
        wanted, scores = floating_of_one_shape(operation, onehot_labels, logits, "logits")
        found = log_softmax(scores)
        factors = _power(-dt.expm1(found), gamma) * dt.constant(alpha, scores.dtype)
        losses = -dt.reduce_sum(factors * wanted * found, -1)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def _power(missed: Tensor, gamma: float) -> Tensor:
    result: Tensor = dt.pow(missed, dt.constant(gamma, missed.dtype))
    return result


def _class_weights(operation: str, class_weights: Any, scores: Tensor) -> Tensor:
    found: Tensor = dt.cast(class_weights, scores.dtype)
    rank, classes = found.shape.rank, scores.shape[-1] if scores.shape.rank else None
    if rank not in (None, 1) or not found.shape.is_compatible_with([classes]):
        raise ShapeError(
            f"{operation}: class_weights are {found.type}, logits {scores.type}; give a vector with a number for each "
            f"class. {scores.op.where()}"
        )
    return found


def _check_smoothing(operation: str, label_smoothing: float) -> None:
    if not 0.0 <= label_smoothing <= 1.0:
        raise InvalidArgumentError(f"{operation}: label_smoothing is {label_smoothing:g}; it must be from 0 to 1.")


def _check_gamma(operation: str, gamma: float) -> None:
    if gamma < 0.0:
        raise InvalidArgumentError(f"{operation}: gamma is {gamma:g}; it must not be negative.")
