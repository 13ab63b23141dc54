"""Losses of probabilities, and of rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import dovetail as dt
from dovetail import GraphKeys, Tensor
from dovetail_layers.losses.arguments import floating_of_one_shape
from dovetail_layers.losses.reduction import Reduction, compute_weighted_loss

__all__ = [
    "dice",
    "gaussian_nll_loss",
    "kl_divergence",
    "log_loss",
    "poisson",
    "tversky",
]


def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of ``-labels * log(predictions) - (1 - labels) * log(1 - predictions)``.

    For scores, ``sigmoid_cross_entropy`` is more exact.

    Args:
        labels: probabilities, mostly 0 or 1, of the shape of ``predictions``.
        predictions: probabilities, floating.
        weights: a number, or one for each example or element.
        epsilon: what is added to each probability, to keep the logarithm finite.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``predictions`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.log_loss([1.0, 0.0], [0.5, 0.5])).round(4)
        np.float32(0.6931)
    """
    with dt.name_scope(scope or "log_loss"):
        wanted, found = floating_of_one_shape("log_loss", labels, predictions)
        losses = -wanted * dt.log(found + epsilon) - (1.0 - wanted) * dt.log(1.0 - found + epsilon)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def kl_divergence(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    axis: int = -1,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of ``sum(labels * log(labels / predictions))`` (Kullback and Leibler, 1951), as Keras has it.

    Args:
        labels: probabilities, of the shape of ``predictions``.
        predictions: probabilities, floating.
        weights: a number, or one for each example.
        axis: the axis of the sum.
        epsilon: the least probability that is taken.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ, or there is no such axis.
        DTypeError: ``predictions`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])).round(4)
        np.float32(0.1438)
    """
    with dt.name_scope(scope or "kl_divergence"):
        pair = floating_of_one_shape("kl_divergence", labels, predictions)
        wanted, found = (dt.clip_by_value(one, epsilon, 1.0) for one in pair)
        losses = dt.reduce_sum(wanted * (dt.log(wanted) - dt.log(found)), axis)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def poisson(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of ``predictions - labels * log(predictions)``, for counts of Poisson's distribution.

    Up to what depends on the labels alone it is the negative logarithm of their probability.
    ``dt.nn.log_poisson_loss`` takes the logarithm of the rate.

    Args:
        labels: counts, of the shape of ``predictions``.
        predictions: rates, floating and not negative.
        weights: a number, or one for each example or element.
        epsilon: what is added to the rate, to keep the logarithm finite.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``predictions`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.poisson([3.0, 0.0], [1.0, 2.0])).round(4)
        np.float32(1.5)
    """
    with dt.name_scope(scope or "poisson"):
        wanted, found = floating_of_one_shape("poisson", labels, predictions)
        losses = found - wanted * dt.log(found + epsilon)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def dice(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    axis: int | Sequence[int] | None = None,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return one less the overlap of two sets, twice what both have over the sum of what each has (Dice, 1945).

    Args:
        labels: how much each element belongs to the set, from 0 to 1, of the shape of ``predictions``.
        predictions: likewise as predicted, floating.
        weights: a number, or one for each loss that is left.
        axis: the axis, or several, over which a set extends; all by default. For images one by one, ``(1, 2, 3)``.
        epsilon: what is added above and below, so that two empty sets agree.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ, or there is no such axis.
        DTypeError: ``predictions`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.dice([1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0])).round(4)
        np.float32(0.3333)
    """
    with dt.name_scope(scope or "dice"):
        wanted, found = floating_of_one_shape("dice", labels, predictions)
        both = dt.reduce_sum(wanted * found, axis)
        each = dt.reduce_sum(wanted, axis) + dt.reduce_sum(found, axis)
        losses = 1.0 - (2.0 * both + epsilon) / (each + epsilon)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def tversky(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: int | Sequence[int] | None = None,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return one less Tversky's index of two sets, in which what is wrongly in and wrongly out counts differently.

    The index is ``both / (both + alpha * wrongly in + beta * wrongly out)``; with both 0.5 the loss is ``dice``
    (Salehi, Erdogmus and Gholipour, 2017, arXiv:1706.05721). Keras exchanges ``alpha`` and ``beta``.

    Args:
        labels: how much each element belongs to the set, from 0 to 1, of the shape of ``predictions``.
        predictions: likewise as predicted, floating.
        weights: a number, or one for each loss that is left.
        alpha: the weight of what is predicted and not true.
        beta: the weight of what is true and not predicted.
        axis: the axis, or several, over which a set extends; all by default.
        epsilon: what is added above and below, so that two empty sets agree.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``predictions`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.tversky([1.0, 1.0, 0.0], [1.0, 0.0, 0.0], alpha=0.0, beta=1.0)).round(4)
        np.float32(0.5)
    """
    with dt.name_scope(scope or "tversky"):
        wanted, found = floating_of_one_shape("tversky", labels, predictions)
        both = dt.reduce_sum(wanted * found, axis)
        wrongly_in = dt.reduce_sum((1.0 - wanted) * found, axis)
        wrongly_out = dt.reduce_sum(wanted * (1.0 - found), axis)
        losses = 1.0 - (both + epsilon) / (both + alpha * wrongly_in + beta * wrongly_out + epsilon)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def gaussian_nll_loss(
    labels: Any,
    predictions: Any,
    variances: Any,
    weights: Any = 1.0,
    full: bool = False,
    epsilon: float = 1e-6,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean negative logarithm of the probability density of normal distributions (Nix and Weigend, 1994).

    That is ``(log(variances) + (labels - predictions)² / variances) / 2``, up to ``log(2 * pi) / 2``.

    Args:
        labels: what is true, of the shape of ``predictions``.
        predictions: the means, floating.
        variances: of the shape of ``predictions``.
        weights: a number, or one for each example or element.
        full: whether to add ``log(2 * pi) / 2``.
        epsilon: the least variance that is taken.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``predictions`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.gaussian_nll_loss([1.0, 3.0], [1.0, 1.0], [1.0, 1.0]))
        np.float32(1.0)
    """
    with dt.name_scope(scope or "gaussian_nll_loss"):
        wanted, found = floating_of_one_shape("gaussian_nll_loss", labels, predictions)
        given, _ = floating_of_one_shape("gaussian_nll_loss", variances, found)
        spread = dt.maximum(given, dt.constant(epsilon, given.dtype))
        losses = 0.5 * (dt.log(spread) + dt.squared_difference(wanted, found) / spread)
        if full:
            losses = losses + 0.5 * math.log(2.0 * math.pi)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)
