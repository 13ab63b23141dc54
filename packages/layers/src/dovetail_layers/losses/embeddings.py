"""Losses of vectors, and of the distances between them."""

from __future__ import annotations

from typing import Any

import numpy as np

import dovetail as dt
from dovetail import GraphKeys, Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail_layers.losses.arguments import floating_of_one_shape
from dovetail_layers.losses.reduction import Reduction, add_loss, compute_weighted_loss

__all__ = ["contrastive_loss", "cosine_distance", "triplet_margin_loss", "triplet_semihard_loss"]


def cosine_distance(
    labels: Any,
    predictions: Any,
    axis: int | None = None,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
    dim: int | None = None,
) -> Tensor:
    """Return the mean of ``1 - sum(labels * predictions)``, the cosine distance of vectors of length 1.

    Nothing is normalised here; ``dt.nn.l2_normalize`` does so.

    Args:
        labels: unit vectors, of the shape of ``predictions``.
        predictions: unit vectors, floating.
        axis: the axis of the vectors.
        weights: a number, or one for each vector; the losses keep the axis, with size 1.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.
        dim: another name of ``axis``.

    Raises:
        InvalidArgumentError: none or both of ``axis`` and ``dim`` are given.
        ShapeError: the shapes differ, or there is no such axis.
        DTypeError: ``predictions`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.cosine_distance([[1.0, 0.0]], [[0.6, 0.8]], axis=1))
        np.float32(0.39999998)
    """
    if (axis is None) == (dim is None):
        raise InvalidArgumentError("cosine_distance: give axis, the axis of the vectors; dim is its old name.")
    with dt.name_scope(scope or "cosine_distance_loss"):
        wanted, found = floating_of_one_shape("cosine_distance", labels, predictions)
        losses = 1.0 - dt.reduce_sum(wanted * found, dim if axis is None else axis, keepdims=True)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def contrastive_loss(
    labels: Any,
    distances: Any,
    weights: Any = 1.0,
    margin: float = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of ``distances²`` for pairs alike and of ``max(margin - distances, 0)²`` for others.

    As TensorFlow Addons has it (Hadsell, Chopra and LeCun, 2006).

    Args:
        labels: 1 for pairs alike, else 0, of the shape of ``distances``.
        distances: a floating tensor, not negative.
        weights: a number, or one for each pair.
        margin: the distance that others should have at least.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``distances`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.contrastive_loss([1, 0, 0], [0.5, 0.5, 2.0])).round(4)
        np.float32(0.1667)
    """
    with dt.name_scope(scope or "contrastive_loss"):
        alike, found = floating_of_one_shape("contrastive_loss", labels, distances, "distances")
        losses = alike * dt.square(found) + (1.0 - alike) * dt.square(dt.relu(margin - found))
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    weights: Any = 1.0,
    margin: float = 1.0,
    swap: bool = False,
    epsilon: float = 1e-6,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean of ``max(distance to the positive - distance to the negative + margin, 0)``, as PyTorch has it.

    A distance is ``sqrt(sum((x - y + epsilon)²))`` along the last axis (Balntas et al., 2016).

    Args:
        anchor: floating vectors along the last axis.
        positive: vectors that should be near, of the shape of ``anchor``.
        negative: vectors that should be far, of the shape of ``anchor``.
        weights: a number, or one for each triple.
        margin: how much farther the negative should be than the positive.
        swap: whether to take the distance between positive and negative where that is less than anchor's to negative.
        epsilon: keeps distances from zero, where they have no gradient.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``anchor`` holds no numbers.

    Example:
        >>> dt.Session().run(dt.losses.triplet_margin_loss([[0.0]], [[1.0]], [[1.5]])).round(4)
        np.float32(0.5)
    """
    with dt.name_scope(scope or "triplet_margin_loss"):
        near, centre = floating_of_one_shape("triplet_margin_loss", positive, anchor, "anchors")
        far, _ = floating_of_one_shape("triplet_margin_loss", negative, centre, "anchors")
        to_far = _distance(centre, far, epsilon)
        if swap:
            to_far = dt.minimum(to_far, _distance(near, far, epsilon))
        losses = dt.relu(_distance(centre, near, epsilon) - to_far + margin)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def triplet_semihard_loss(
    labels: Any,
    embeddings: Any,
    margin: float = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
) -> Tensor:
    """Return the mean of ``max(margin + distance to a positive - distance to a negative, 0)`` over pairs of one class.

    For an example and each other of its class, the negative is the nearest of another class that is farther than that
    other; where there is none, the farthest of another class (Schroff, Kalenichenko and Philbin, 2015,
    arXiv:1503.03832), as TensorFlow Addons has it. Memory grows with the cube of the batch.

    Args:
        labels: the class of each example, integers of shape ``[batch]`` or ``[batch, 1]``.
        embeddings: floating vectors of shape ``[batch, size]``, best of length 1.
        margin: how much farther a negative should be than a positive.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.

    Returns:
        A scalar; 0 where no two examples have one class.

    Raises:
        ShapeError: the embeddings are no matrix.

    Example:
        >>> vectors = [[0.0], [1.0], [1.5]]
        >>> dt.Session().run(dt.losses.triplet_semihard_loss([0, 0, 1], vectors))
        np.float32(1.0)
    """
    with dt.name_scope(scope or "triplet_semihard_loss"):
        vectors = dt.convert_to_tensor(embeddings)
        if vectors.shape.rank != 2:
            raise ShapeError(
                f"triplet_semihard_loss: embeddings are {vectors.type}; a matrix [batch, size] is wanted. "
                f"{vectors.op.where()}"
            )
        classes = dt.reshape(labels, [-1])
        alike = dt.equal(dt.expand_dims(classes, 1), dt.expand_dims(classes, 0))
        distances = _distances(vectors)
        # Axes: anchor, positive, negative.
        to_negative = dt.expand_dims(distances, 1)
        beyond = dt.logical_and(dt.logical_not(dt.expand_dims(alike, 1)), to_negative > dt.expand_dims(distances, 2))
        none = dt.constant(np.inf, distances.dtype)
        nearest = dt.reduce_min(dt.where(beyond, dt.broadcast_to(to_negative, dt.shape(beyond)), none), 2)
        farthest = dt.reduce_max(dt.where(alike, dt.zeros_like(distances), distances), 1, keepdims=True)
        negative = dt.where(dt.reduce_any(beyond, 2), nearest, farthest)
        numbers = dt.range(dt.size(classes))
        others = dt.not_equal(dt.expand_dims(numbers, 1), dt.expand_dims(numbers, 0))
        positives = dt.cast(dt.logical_and(alike, others), distances.dtype)
        losses = dt.relu(margin + distances - negative) * positives
        loss: Tensor = dt.div_no_nan(dt.reduce_sum(losses), dt.reduce_sum(positives))
        add_loss(loss, loss_collection)
        return loss


def _distance(x: Tensor, y: Tensor, epsilon: float) -> Tensor:
    result: Tensor = dt.sqrt(dt.reduce_sum(dt.square(x - y + epsilon), -1))
    return result


def _distances(vectors: Tensor) -> Tensor:
    """Return the distances between all pairs of rows; where one is 0 it has the gradient 0."""
    differences = dt.expand_dims(vectors, 1) - dt.expand_dims(vectors, 0)
    squares = dt.reduce_sum(dt.square(differences), -1)
    apart = squares > 0.0
    result: Tensor = dt.where(apart, dt.sqrt(dt.where(apart, squares, dt.ones_like(squares))), dt.zeros_like(squares))
    return result
