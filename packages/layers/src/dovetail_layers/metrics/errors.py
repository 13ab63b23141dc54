"""Metrics of regression: how far predictions are from numbers."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import ShapeError
from dovetail_layers.metrics._streaming import Collections, accumulate, agreeing, average, ratio, spread

__all__ = [
    "mean_absolute_error",
    "mean_cosine_distance",
    "mean_relative_error",
    "mean_squared_error",
    "r2_score",
    "root_mean_squared_error",
]


def _numbers(metric: str, labels: Any, predictions: Any, what: str = "labels") -> tuple[Tensor, Tensor]:
    wanted, found = agreeing(metric, labels, predictions, what)
    return dt.cast(wanted, found.dtype), found


def mean_absolute_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean of the absolute errors so far, and an operation that sees a batch.

    Args:
        labels: what is true.
        predictions: what is predicted, of the same shape.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the mean joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.mean_absolute_error([1.0, 2.0], [2.0, 4.0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(1.5)
    """
    with dt.variable_scope(name, "mean_absolute_error"):
        wanted, found = _numbers("mean_absolute_error", labels, predictions)
        return average(dt.abs(found - wanted), weights, metrics_collections, updates_collections)


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean of the squared errors so far, and an operation that sees a batch.

    Args:
        labels: what is true.
        predictions: what is predicted, of the same shape.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the mean joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.mean_squared_error([1.0, 2.0], [2.0, 4.0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(2.5)
    """
    with dt.variable_scope(name, "mean_squared_error"):
        wanted, found = _numbers("mean_squared_error", labels, predictions)
        return average(dt.squared_difference(wanted, found), weights, metrics_collections, updates_collections)


def root_mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the root of the mean of the squared errors so far, and an operation that sees a batch.

    Args:
        labels: what is true.
        predictions: what is predicted, of the same shape.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the root joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.root_mean_squared_error([0.0, 0.0], [3.0, 3.0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(3.0)
    """
    with dt.variable_scope(name, "root_mean_squared_error"):
        wanted, found = _numbers("root_mean_squared_error", labels, predictions)
        squares = dt.squared_difference(wanted, found)
        return average(squares, weights, metrics_collections, updates_collections, dt.sqrt)


def mean_relative_error(
    labels: Any,
    predictions: Any,
    normalizer: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean of absolute errors over a normalizer so far, and an operation that sees a batch.

    Args:
        labels: what is true.
        predictions: what is predicted, of the same shape.
        normalizer: what each error is divided by, of the same shape; where it is 0, the error counts as 0.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        metrics_collections: collections that the mean joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.mean_relative_error([1.0, 2.0], [2.0, 4.0], normalizer=[1.0, 2.0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(1.0)
    """
    with dt.variable_scope(name, "mean_relative_error"):
        wanted, found = _numbers("mean_relative_error", labels, predictions)
        scale, found = _numbers("mean_relative_error", normalizer, found, "normalizers")
        relative = dt.div_no_nan(dt.abs(wanted - found), scale)
        return average(relative, weights, metrics_collections, updates_collections)


def mean_cosine_distance(
    labels: Any,
    predictions: Any,
    dim: int,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return 1 less the mean cosine of the angle between vectors so far, and an operation that sees a batch.

    Args:
        labels: vectors of length 1; they are not normalised.
        predictions: vectors of length 1, of the same shape.
        dim: the axis along which the vectors lie.
        weights: a number, or weights of the rank of ``labels`` whose axis ``dim`` has size 1.
        metrics_collections: collections that the distance joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The distance, 1 before anything was seen.

    Raises:
        ShapeError: the shapes differ, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.mean_cosine_distance([[1.0, 0.0]], [[0.6, 0.8]], dim=1)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.39999998)
    """
    with dt.variable_scope(name, "mean_cosine_distance"):
        wanted, found = _numbers("mean_cosine_distance", labels, predictions)
        cosines = dt.reduce_sum(wanted * found, axis=dim, keepdims=True)
        return average(cosines, weights, metrics_collections, updates_collections, lambda mean: 1.0 - mean)


def r2_score(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the part of the labels' variance that predictions explain, R², and an operation that sees a batch.

    R² is ``1 − Σ w (y − p)² / Σ w (y − ȳ)²``; where labels have several columns, the mean of R² of each. Sums are kept
    in float64.

    Args:
        labels: what is true, ``[batch]`` or ``[batch, columns]``.
        predictions: what is predicted, of the same shape.
        weights: a number, or one for each example.
        metrics_collections: collections that R² joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        At most 1; where labels do not vary, 1 if predictions are right and 0 if not, as scikit-learn has it.

    Raises:
        ShapeError: the shapes differ or have more axes, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.r2_score([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.94860816)
    """
    with dt.variable_scope(name, "r2_score"):
        wanted, found = (dt.cast(one, dt.float64) for one in agreeing("r2_score", labels, predictions))
        columns = wanted.shape[1:] if wanted.shape.rank is not None else None
        if columns is None or len(columns) > 1 or not columns.is_static:
            raise ShapeError(
                f"r2_score: labels are {wanted.type}; use a shape of [batch] or [batch, columns], the columns static. "
                f"{wanted.op.where()}"
            )
        factors = spread(weights, wanted, dt.float64)
        batch = {
            "count": factors,
            "total": wanted * factors,
            "squares": dt.square(wanted) * factors,
            "errors": dt.squared_difference(wanted, found) * factors,
        }
        return accumulate(
            {key: dt.reduce_sum(one, axis=0) for key, one in batch.items()},
            _explained,
            metrics_collections,
            updates_collections,
        )


def _explained(count: Tensor, total: Tensor, squares: Tensor, errors: Tensor) -> Tensor:
    spread_out = squares - ratio(dt.square(total), count)
    constant = spread_out <= 1e-12 * squares  # what is left of rounding where all labels are equal
    right = dt.cast(dt.equal(errors, dt.zeros_like(errors)), dt.float64)
    score = dt.where(
        constant, dt.where(count > 0.0, right, dt.zeros_like(right)), 1.0 - dt.div_no_nan(errors, spread_out)
    )
    mean: Tensor = dt.cast(dt.reduce_mean(score), dt.float32)
    return mean
