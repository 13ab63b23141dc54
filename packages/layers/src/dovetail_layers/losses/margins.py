"""Losses of scores that need not be further on the right side than a margin."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import GraphKeys, Tensor
from dovetail_layers.losses.arguments import floating_of_one_shape
from dovetail_layers.losses.reduction import Reduction, compute_weighted_loss

__all__ = [
    "categorical_hinge",
    "hinge_loss",
    "margin_ranking_loss",
    "squared_hinge",
]


def hinge_loss(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of ``max(1 - sign * logits, 0)``, where ``sign`` is -1 for the label 0, and 1 for 1.

    Args:
        labels: 0 or 1, of the shape of ``logits``.
        logits: floating scores, of which positive ones stand for 1.
        weights: a number, or one for each example or element.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``logits`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.hinge_loss([1, 0], [0.5, 1.0]))
        np.float32(1.25)
    """
    with dt.name_scope(scope or "hinge_loss"):
        losses = _missing("hinge_loss", labels, logits)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def squared_hinge(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of ``max(1 - sign * logits, 0)²``, where ``sign`` is -1 for the label 0, and 1 for 1.

    Args:
        labels: 0 or 1, of the shape of ``logits``.
        logits: floating scores, of which positive ones stand for 1.
        weights: a number, or one for each example or element.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``logits`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.squared_hinge([1, 0], [0.5, 1.0]))
        np.float32(2.125)
    """
    with dt.name_scope(scope or "squared_hinge"):
        losses = dt.square(_missing("squared_hinge", labels, logits))
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def categorical_hinge(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of ``max(1 + greatest score of another class - score of the true class, 0)``.

    Args:
        onehot_labels: 1 for the true class, 0 for others, of the shape of ``logits``.
        logits: floating scores, the classes along the last axis.
        weights: a number, or one for each example.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``logits`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.categorical_hinge([[0, 1, 0]], [[0.5, 1.0, 0.75]]))
        np.float32(0.75)
    """
    with dt.name_scope(scope or "categorical_hinge"):
        wanted, scores = floating_of_one_shape("categorical_hinge", onehot_labels, logits, "logits")
        others = dt.reduce_max((1.0 - wanted) * scores, -1)
        losses = dt.relu(1.0 + others - dt.reduce_sum(wanted * scores, -1))
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def margin_ranking_loss(
    labels: Any,
    first: Any,
    second: Any,
    weights: Any = 1.0,
    margin: float = 0.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of ``max(margin - labels * (first - second), 0)``, as PyTorch has it.

    Args:
        labels: 1 where the first score should be the greater, -1 where the second, of the shape of the scores.
        first: floating scores.
        second: scores of the same shape.
        weights: a number, or one for each pair.
        margin: how much greater it should be.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``first`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.margin_ranking_loss([1, -1], [2.0, 2.0], [1.0, 1.5]))
        np.float32(0.25)
    """
    with dt.name_scope(scope or "margin_ranking_loss"):
        order, greater = floating_of_one_shape("margin_ranking_loss", labels, first, "first scores")
        less, _ = floating_of_one_shape("margin_ranking_loss", second, greater, "first scores")
        losses = dt.relu(margin - order * (greater - less))
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def _missing(operation: str, labels: Any, logits: Any) -> Tensor:
    """Return how far scores are from the margin."""
    wanted, scores = floating_of_one_shape(operation, labels, logits, "logits")
    result: Tensor = dt.relu(1.0 - (2.0 * wanted - 1.0) * scores)
    return result
