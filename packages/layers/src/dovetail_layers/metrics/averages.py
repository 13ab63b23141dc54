"""Metrics that are means: of anything, of how often something holds."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import ShapeError
from dovetail_layers.metrics._streaming import Collections, accumulate, average, ratio, spread

__all__ = ["mean", "mean_tensor", "percentage_below"]


def mean(
    values: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the weighted mean of everything seen, and an operation that sees ``values``.

    The local variables ``total`` and ``count`` hold what was seen; ``dt.local_variables_initializer()`` makes them
    forget it. All metrics are used like this one.

    Args:
        values: numbers.
        weights: a number, or weights of the rank of ``values``, with its sizes or 1.
        metrics_collections: collections that the mean joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The mean so far, 0 before anything was seen; and the mean after seeing ``values``, which must be run for each
        batch. A run that fetches both gives the former as it was before the batch.

    Raises:
        ShapeError: the weights do not fit.

    Example:
        >>> value, update = dt.metrics.mean([1.0, 3.0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(2.0)
    """
    with dt.variable_scope(name, "mean"):
        return average(dt.convert_to_tensor(values), weights, metrics_collections, updates_collections)


def mean_tensor(
    values: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean of each element over all batches, and an operation that sees ``values``.

    Args:
        values: numbers, of static shape.
        weights: a number, or weights of the rank of ``values``, with its sizes or 1.
        metrics_collections: collections that the mean joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shape is not static, or the weights do not fit.

    Example:
        >>> value, update = dt.metrics.mean_tensor([1.0, 3.0])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        array([1., 3.], dtype=float32)
    """
    with dt.variable_scope(name, "mean"):
        seen = dt.cast(values, dt.float32)
        if seen.shape.rank is None or not seen.shape.is_static:
            raise ShapeError(
                f"mean_tensor: the values are {seen.type}; their sizes must be known while the graph is built. Use "
                f"dt.metrics.mean for one mean of all. {seen.op.where()}"
            )
        factors = spread(weights, seen)
        return accumulate(
            {"total_tensor": seen * factors, "count_tensor": factors}, ratio, metrics_collections, updates_collections
        )


def percentage_below(
    values: Any,
    threshold: Any,
    weights: Any = None,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the part of everything seen that lies below a threshold, and an operation that sees ``values``.

    Args:
        values: numbers.
        threshold: a number; what equals it is not below it.
        weights: a number, or weights of the rank of ``values``, with its sizes or 1.
        metrics_collections: collections that the part joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        The part, from 0 to 1, so far and after seeing ``values``.

    Example:
        >>> value, update = dt.metrics.percentage_below([1.0, 2.0, 3.0, 4.0], 2.0)
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(0.25)
    """
    with dt.variable_scope(name, "percentage_below_threshold"):
        below = dt.less(dt.convert_to_tensor(values), threshold)
        return average(below, weights, metrics_collections, updates_collections)
