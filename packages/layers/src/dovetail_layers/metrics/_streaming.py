"""What metrics share: local variables that add up over batches, weights, and how labels and predictions meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dovetail as dt
from dovetail import DType, GraphKeys, Tensor
from dovetail.errors import ShapeError
from dovetail.extend import Dim

__all__ = ["Collections", "accumulate", "agreeing", "average", "class_numbers", "ratio", "spread", "truths"]

Collections = str | Sequence[str] | None
"""Names of collections that a value or an update joins."""


def accumulate(
    batch: Mapping[str, Tensor],
    measure: Callable[..., Tensor],
    metrics_collections: Collections,
    updates_collections: Collections,
    updated: Callable[..., Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Return a measure of sums over all batches seen, and the operation that sees one more.

    Args:
        batch: what this batch adds, of static shape, by the name of the local variable that it adds to.
        measure: makes the metric of the sums, given in the order of ``batch``.
        metrics_collections: collections that the metric joins.
        updates_collections: collections that the update joins.
        updated: makes the update's result of the sums; ``measure`` by default.
    """
    counters = {name: _counter(name, amount) for name, amount in batch.items()}
    value = dt.identity(measure(*(counter.value() for counter in counters.values())), name="value")
    sums = [counters[name].assign_add(amount) for name, amount in batch.items()]
    update = dt.identity((updated or measure)(*sums), name="update_op")
    graph = dt.get_default_graph()
    graph.add_to_collections(metrics_collections or (), value)
    graph.add_to_collections(updates_collections or (), update)
    return value, update


def _counter(name: str, amount: Tensor) -> dt.Variable:
    scope = dt.get_variable_scope().name
    with dt.name_scope(None):
        return dt.Variable(
            lambda: dt.zeros(amount.shape, amount.dtype),
            trainable=False,
            collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
            name=f"{scope}/{name}" if scope else name,
        )


def ratio(total: Tensor, count: Tensor) -> Tensor:
    """Return ``total / count``, 0 where nothing was counted."""
    return dt.div_no_nan(total, dt.maximum(count, dt.zeros_like(count)))


def average(
    values: Tensor,
    weights: Any,
    metrics_collections: Collections,
    updates_collections: Collections,
    after: Callable[[Tensor], Tensor] = dt.identity,
) -> tuple[Tensor, Tensor]:
    """Return ``after`` of the weighted mean of all ``values`` seen, and the operation that sees some."""
    seen = dt.cast(values, dt.float32)
    factors = spread(weights, seen)
    return accumulate(
        {"total": dt.reduce_sum(seen * factors), "count": dt.reduce_sum(factors)},
        lambda total, count: after(ratio(total, count)),
        metrics_collections,
        updates_collections,
    )


def agreeing(metric: str, labels: Any, predictions: Any, what: str = "labels") -> tuple[Tensor, Tensor]:
    """Return labels and predictions in one shape: a last axis of size 1 that only one of them has is dropped.

    Where a rank is unknown, the labels take the shape of the predictions. ``what`` names them in errors.

    Raises:
        ShapeError: the shapes differ.
    """
    wanted, found = dt.convert_to_tensor(labels), dt.convert_to_tensor(predictions)
    labels_rank, predictions_rank = wanted.shape.rank, found.shape.rank
    if labels_rank is None or predictions_rank is None:
        return dt.reshape(wanted, dt.shape(found)), found
    if predictions_rank == labels_rank + 1 and _may_be_one(found.shape[-1]):
        found = dt.squeeze(found, -1)
    elif labels_rank == predictions_rank + 1 and _may_be_one(wanted.shape[-1]):
        wanted = dt.squeeze(wanted, -1)
    if not wanted.shape.is_compatible_with(found.shape):
        raise ShapeError(
            f"{metric}: {what} are {wanted.type}, predictions {found.type}; their shapes must be equal. Use dt.argmax "
            f"on scores, or dt.squeeze. {found.op.where()}"
        )
    return wanted, found


def truths(metric: str, labels: Any, predictions: Any) -> tuple[Tensor, Tensor]:
    """Return labels and predictions in one shape as truth values: what is not 0 is true."""
    wanted, found = agreeing(metric, labels, predictions)
    return dt.cast(wanted, dt.bool), dt.cast(found, dt.bool)


def spread(weights: Any, values: Tensor, dtype: DType = dt.float32) -> Tensor:
    """Return weights in the shape of ``values``, ones where there are none.

    Weights of one axis less get one of size 1 at the end; one too many must be of size 1. Sizes are then equal, or 1.

    Raises:
        ShapeError: they do not fit.
    """
    factors = dt.cast(1.0 if weights is None else weights, dtype)
    rank, wanted = factors.shape.rank, values.shape.rank
    if rank is not None and wanted is not None and rank != 0:
        if rank == wanted + 1 and _may_be_one(factors.shape[-1]):
            factors = dt.squeeze(factors, -1)
        elif rank == wanted - 1:
            factors = dt.expand_dims(factors, -1)
        elif rank != wanted:
            raise ShapeError(
                f"metrics: the weights are {factors.type}, the values {values.type}; give a number, or weights of the "
                f"values' rank, with their sizes or 1. {factors.op.where()}"
            )
    try:
        return dt.broadcast_to(factors, dt.shape(values))
    except ShapeError as error:
        raise ShapeError(
            f"metrics: the weights are {factors.type}, the values {values.type}; give each axis of the weights the "
            f"values' size, or 1. {factors.op.where()}"
        ) from error


def _may_be_one(dim: Dim) -> bool:
    return dim == 1 or not isinstance(dim, int)


def class_numbers(value: Tensor) -> Tensor:
    """Return numbers of classes as a vector of int64; what is no whole number is cut, as TensorFlow 1 does."""
    return dt.reshape(dt.cast(value, dt.int64), [-1])
