"""Losses of differences between numbers."""

from __future__ import annotations

import math
from typing import Any, Final

import dovetail as dt
from dovetail import GraphKeys, Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import Expression, basis, scalar
from dovetail_layers.activations import minus_absolute
from dovetail_layers.losses.arguments import floating_of_one_shape
from dovetail_layers.losses.reduction import Reduction, add_loss, aligned_weights, compute_weighted_loss

__all__ = [
    "absolute_difference",
    "huber_loss",
    "log_cosh",
    "mean_absolute_percentage_error",
    "mean_pairwise_squared_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
]

_LOG_2: Final = math.log(2.0)
_LEAST: Final = 1e-7
"""The least number that divides, as in Keras."""


@scalar(name="HuberLoss", floating=True)
def _huber(difference: Expression, *, delta: float = 1.0) -> Expression:
    """``difference² / 2`` up to ``delta``, from there on ``delta * (|difference| - delta / 2)``."""
    size = basis.absolute(difference)
    return basis.select(size <= delta, 0.5 * basis.square(difference), delta * size - 0.5 * delta * delta)


@scalar(name="LogCosh", floating=True)
def _log_cosh(difference: Expression) -> Expression:
    """``log(cosh(difference))``, without overflow."""
    below = minus_absolute(difference)
    return basis.log1p(basis.exp(2.0 * below)) - below - _LOG_2


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of the squared differences.

    Args:
        labels: what is true, of the shape of ``predictions``.
        predictions: what is predicted, floating.
        weights: a number, or one for each example or element.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ: a vector beside a column would broadcast to a matrix.

    Example:
        >>> dt.Session().run(dt.losses.mean_squared_error([1.0, 2.0], [1.0, 4.0]))
        np.float32(2.0)
    """
    with dt.name_scope(scope or "mean_squared_error"):
        wanted, found = floating_of_one_shape("mean_squared_error", labels, predictions)
        return compute_weighted_loss(
            dt.squared_difference(found, wanted), weights, "weighted", loss_collection, reduction
        )


def absolute_difference(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of the absolute differences.

    Args:
        labels: what is true, of the shape of ``predictions``.
        predictions: what is predicted, floating.
        weights: a number, or one for each example or element.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> dt.Session().run(dt.losses.absolute_difference([1.0, 2.0], [1.0, 4.0]))
        np.float32(1.0)
    """
    with dt.name_scope(scope or "absolute_difference"):
        wanted, found = floating_of_one_shape("absolute_difference", labels, predictions)
        return compute_weighted_loss(dt.abs(found - wanted), weights, "weighted", loss_collection, reduction)


def huber_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: float = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of losses that are quadratic in small differences and linear in great ones (Huber, 1964).

    The loss of a difference ``d`` is ``d² / 2`` where ``|d| <= delta``, else ``delta * |d| - delta² / 2``.

    Args:
        labels: what is true, of the shape of ``predictions``.
        predictions: what is predicted, floating.
        weights: a number, or one for each example or element.
        delta: the difference up to which the loss is quadratic, positive.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        InvalidArgumentError: ``delta`` is not positive.
        ShapeError: the shapes differ.
        DTypeError: ``predictions`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.huber_loss([1.0, 1.0], [2.0, 4.0]))
        np.float32(1.5)
    """
    if delta <= 0.0:
        raise InvalidArgumentError(f"huber_loss: delta is {delta:g}; it must be positive.")
    with dt.name_scope(scope or "huber_loss"):
        wanted, found = floating_of_one_shape("huber_loss", labels, predictions)
        losses = _huber(found - wanted, delta=float(delta))
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def log_cosh(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of the logarithms of the hyperbolic cosines of the differences.

    For small differences ``d`` that is nearly ``d² / 2``, for great ones ``|d| - log(2)``.

    Args:
        labels: what is true, of the shape of ``predictions``.
        predictions: what is predicted, floating.
        weights: a number, or one for each example or element.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``predictions`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.log_cosh([0.0, 0.0], [0.0, 1.0])).round(4)
        np.float32(0.2169)
    """
    with dt.name_scope(scope or "log_cosh"):
        wanted, found = floating_of_one_shape("log_cosh", labels, predictions)
        return compute_weighted_loss(_log_cosh(found - wanted), weights, "weighted", loss_collection, reduction)


def mean_absolute_percentage_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of the absolute differences, in percent of the labels.

    Args:
        labels: what is true, of the shape of ``predictions``; the least size that is taken is 1e-7.
        predictions: what is predicted, floating.
        weights: a number, or one for each example or element.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``predictions`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.mean_absolute_percentage_error([2.0, 4.0], [1.0, 4.0]))
        np.float32(25.0)
    """
    with dt.name_scope(scope or "mean_absolute_percentage_error"):
        wanted, found = floating_of_one_shape("mean_absolute_percentage_error", labels, predictions)
        losses = 100.0 * dt.abs((wanted - found) / dt.maximum(dt.abs(wanted), _LEAST))
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def mean_squared_logarithmic_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of the squared differences of ``log(1 + labels)`` and ``log(1 + predictions)``.

    Args:
        labels: what is true, of the shape of ``predictions``; negative numbers count as 0.
        predictions: what is predicted, floating; negative numbers count as 0.
        weights: a number, or one for each example or element.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``predictions`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.mean_squared_logarithmic_error([1.0, 3.0], [1.0, 1.0])).round(4)
        np.float32(0.2402)
    """
    with dt.name_scope(scope or "mean_squared_logarithmic_error"):
        pair = floating_of_one_shape("mean_squared_logarithmic_error", labels, predictions)
        wanted, found = (dt.log1p(dt.maximum(one, _LEAST)) for one in pair)
        losses = dt.squared_difference(found, wanted)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def mean_pairwise_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
) -> Tensor:
    """Return the squared differences between the differences of each two elements of an example.

    For labels ``a, b, c`` and predictions ``x, y, z`` of one example that is
    ``((a-b) - (x-y))² + ((a-c) - (x-z))² + ((b-c) - (y-z))²`` over 3. The losses of examples are added.

    Args:
        labels: what is true, of the shape of ``predictions``.
        predictions: what is predicted, floating, of rank 1 or more; the first axis is that of the examples.
        weights: a number, or one for each example or element; an element of weight 0 belongs to no pair that counts.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.

    Raises:
        ShapeError: the shapes differ, or the rank is 0 or not known.
        DTypeError: ``predictions`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.mean_pairwise_squared_error([[1.0, 2.0, 3.0]], [[1.0, 2.0, 6.0]]))
        np.float32(6.0)
    """
    with dt.name_scope(scope or "mean_pairwise_squared_error"):
        wanted, found = floating_of_one_shape("mean_pairwise_squared_error", labels, predictions)
        rank = found.shape.rank
        if not rank:
            raise ShapeError(
                f"mean_pairwise_squared_error: predictions are {found.type}; a known rank of 1 or more is wanted, "
                f"with the examples along the first axis. {found.op.where()}"
            )
        differences, axes = found - wanted, list(range(1, rank))
        factors = aligned_weights(weights, differences)
        present = dt.broadcast_to(
            dt.cast(dt.not_equal(factors, dt.zeros_like(factors)), found.dtype), dt.shape(differences)
        )
        count = dt.reduce_sum(present, axes, keepdims=True)
        squares = dt.reduce_sum(dt.square(differences), axes, keepdims=True)
        total = dt.reduce_sum(differences, axes, keepdims=True)
        others = dt.maximum(count - 1.0, 0.0)
        losses = 2.0 * (dt.div_no_nan(squares, others) - dt.div_no_nan(dt.square(total), count * others))
        loss: Tensor = dt.reduce_sum(losses * factors)
        add_loss(loss, loss_collection)
        return loss
