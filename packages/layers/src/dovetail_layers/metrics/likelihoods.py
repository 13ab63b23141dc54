"""Metrics of predicted probabilities: log loss, perplexity."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, ShapeError
from dovetail_layers.cross_entropy import sparse_softmax_cross_entropy_with_logits
from dovetail_layers.metrics._streaming import Collections, agreeing, average

__all__ = ["log_loss", "perplexity"]


def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    epsilon: float = 1e-7,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean of ``−log`` of the probability of the truth so far, and an operation that sees a batch.

    Args:
        labels: truths, 0 or 1, in the shape of ``predictions``; or numbers of classes, with one axis less.
        predictions: probabilities that a label is 1; or of each class, along the last axis.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1.
        epsilon: probabilities are kept this far from 0 and 1.
        metrics_collections: collections that the mean joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Raises:
        ShapeError: the shapes do not fit, or the weights.
        OperationError: when run, a label is no class.

    Example:
        >>> value, update = dt.metrics.log_loss([1, 0], [0.5, 0.75])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(1.0397208)
    """
    with dt.variable_scope(name, "log_loss"):
        wanted, found = dt.convert_to_tensor(labels), dt.cast(predictions, dt.float32)
        if _has_classes(wanted, found):
            given = _given(wanted, found)
        else:
            wanted, found = agreeing("log_loss", wanted, found)
            true = dt.cast(wanted, found.dtype)
            given = true * found + (1.0 - true) * (1.0 - found)
        losses = -dt.log(dt.clip_by_value(given, epsilon, 1.0 - epsilon))
        return average(losses, weights, metrics_collections, updates_collections)


def perplexity(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    from_logits: bool = False,
    metrics_collections: Collections = None,
    updates_collections: Collections = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return ``exp`` of the mean log loss so far, and an operation that sees a batch.

    Args:
        labels: numbers of classes, such as words.
        predictions: probabilities of each class, along an axis more than ``labels`` has.
        weights: a number, or weights of the rank of ``labels``, with its sizes or 1, such as
            ``dt.sequence_mask(lengths)``.
        from_logits: whether predictions are scores, of which the softmax is taken.
        metrics_collections: collections that the perplexity joins.
        updates_collections: collections that the update joins.
        name: scope of the nodes and variables.

    Returns:
        1 where every label was given the probability 1, and before anything was seen.

    Raises:
        DTypeError: labels are no integers.
        ShapeError: the shapes do not fit, or the weights.
        OperationError: when run, a label is no class.

    Example:
        >>> value, update = dt.metrics.perplexity([0, 1], [[0.5, 0.5], [0.5, 0.5]])
        >>> with dt.Session() as session:
        ...     session.run(dt.local_variables_initializer())
        ...     session.run(update)
        np.float32(2.0)
    """
    with dt.variable_scope(name, "perplexity"):
        wanted, found = dt.convert_to_tensor(labels), dt.cast(predictions, dt.float32)
        if not wanted.dtype.is_integer:
            raise DTypeError(f"perplexity: labels are {wanted.type}; give numbers of classes. {wanted.op.where()}")
        if not _has_classes(wanted, found):
            raise ShapeError(
                f"perplexity: labels are {wanted.type}, predictions {found.type}; predictions must have one axis more, "
                f"of a probability for each class. {found.op.where()}"
            )
        if from_logits:
            losses = sparse_softmax_cross_entropy_with_logits(labels=wanted, logits=found)
        else:
            losses = -dt.log(dt.maximum(_given(wanted, found), dt.constant(1e-7)))
        return average(losses, weights, metrics_collections, updates_collections, dt.exp)


def _has_classes(labels: Tensor, predictions: Tensor) -> bool:
    rank = labels.shape.rank
    return labels.dtype.is_integer and rank is not None and predictions.shape.rank == rank + 1


def _given(labels: Tensor, predictions: Tensor) -> Tensor:
    """The probability that was given to each label."""
    return dt.squeeze(dt.batch_gather(predictions, dt.expand_dims(labels, -1)), -1)
