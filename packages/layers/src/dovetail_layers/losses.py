"""``dt.losses``: weighted losses that join a collection, and their sum."""

from __future__ import annotations

from typing import Any, ClassVar, final

import dovetail as dt
from dovetail import GraphKeys, Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail_layers.cross_entropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
)

__all__ = [
    "Reduction",
    "absolute_difference",
    "add_loss",
    "compute_weighted_loss",
    "get_losses",
    "get_regularization_loss",
    "get_regularization_losses",
    "get_total_loss",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]


@final
class Reduction:
    """How losses of elements become one.

    Attributes:
        NONE: they do not.
        SUM: by their weighted sum.
        MEAN: by the weighted sum over the sum of the weights.
        SUM_OVER_BATCH_SIZE: by the weighted sum over the number of elements.
        SUM_BY_NONZERO_WEIGHTS: by the weighted sum over the number of elements whose weight is not zero.
    """

    NONE: ClassVar[str] = "none"
    SUM: ClassVar[str] = "weighted_sum"
    MEAN: ClassVar[str] = "weighted_mean"
    SUM_OVER_BATCH_SIZE: ClassVar[str] = "weighted_sum_over_batch_size"
    SUM_OVER_NONZERO_WEIGHTS: ClassVar[str] = "weighted_sum_by_nonzero_weights"
    SUM_BY_NONZERO_WEIGHTS: ClassVar[str] = "weighted_sum_by_nonzero_weights"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """Return all of them."""
        return (cls.NONE, cls.SUM, cls.MEAN, cls.SUM_OVER_BATCH_SIZE, cls.SUM_BY_NONZERO_WEIGHTS)


def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Weight the losses of elements and make one loss of them.

    Args:
        losses: a floating tensor.
        weights: a number, or a tensor whose axes are those of ``losses`` or 1; of lower rank, it weights the first
            axes.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Returns:
        A scalar; for ``Reduction.NONE`` a tensor of the type of ``losses``.

    Raises:
        InvalidArgumentError: the reduction is not known.
        ShapeError: the weights do not fit.

    Example:
        >>> dt.Session().run(dt.losses.compute_weighted_loss([1.0, 2.0, 4.0], [1.0, 1.0, 0.0]))
        np.float32(1.5)
    """
    if reduction not in Reduction.all():
        raise InvalidArgumentError(
            f"the reduction is {reduction!r}; use one of dt.losses.Reduction: {', '.join(Reduction.all())}."
        )
    with dt.name_scope(scope or "weighted_loss"):
        values = dt.convert_to_tensor(losses)
        factors = _aligned(dt.cast(weights, values.dtype), values)
        weighted = values * factors
        if reduction == Reduction.NONE:
            loss: Tensor = weighted
        else:
            loss = dt.reduce_sum(weighted)
            if reduction == Reduction.MEAN:
                loss = dt.div_no_nan(loss, dt.reduce_sum(dt.broadcast_to(factors, dt.shape(values))))
            elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
                loss = dt.div_no_nan(loss, dt.cast(dt.size(values), values.dtype))
            elif reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
                present = dt.cast(dt.not_equal(factors, dt.zeros_like(factors)), values.dtype)
                loss = dt.div_no_nan(loss, dt.reduce_sum(dt.broadcast_to(present, dt.shape(values))))
        if loss_collection is not None:
            add_loss(loss, loss_collection)
        return loss


def _aligned(weights: Tensor, values: Tensor) -> Tensor:
    """Give weights of lower rank, which weight the first axes, axes of size 1 at the end."""
    rank, wanted = weights.shape.rank, values.shape.rank
    if rank is None or wanted is None or rank == 0 or rank == wanted:
        return weights
    if rank > wanted:
        raise ShapeError(
            f"the weights are {weights.type}, the losses {values.type}; give weights of at most their rank."
        )
    return dt.reshape(weights, [*(dt.shape(weights)[axis] for axis in range(rank)), *[1] * (wanted - rank)])


def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
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

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> dt.Session().run(dt.losses.softmax_cross_entropy([[1.0, 0.0]], [[0.0, 0.0]]))
        np.float32(0.6931472)
    """
    with dt.name_scope(scope or "softmax_cross_entropy_loss"):
        scores = dt.convert_to_tensor(logits)
        labels = dt.cast(onehot_labels, scores.dtype)
        if label_smoothing:
            classes = dt.cast(dt.shape(scores)[-1], scores.dtype)
            labels = labels * (1.0 - label_smoothing) + label_smoothing / classes
        losses = softmax_cross_entropy_with_logits(labels=labels, logits=scores)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


def sparse_softmax_cross_entropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return the mean cross-entropy between classes given by number and the softmax of scores.

    Args:
        labels: integers, of the shape of ``logits`` without its last axis.
        logits: floating scores, the classes along the last axis.
        weights: a number, or one for each example.
        scope: scope of the nodes.
        loss_collection: the collection that the loss joins; ``None`` for none.
        reduction: how one loss is made, of ``Reduction``.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> dt.Session().run(dt.losses.sparse_softmax_cross_entropy([0, 1], [[0.0, 0.0], [0.0, 0.0]]))
        np.float32(0.6931472)
    """
    with dt.name_scope(scope or "sparse_softmax_cross_entropy_loss"):
        losses = sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


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

    Example:
        >>> dt.Session().run(dt.losses.sigmoid_cross_entropy([[1.0]], [[0.0]]))
        np.float32(0.6931472)
    """
    with dt.name_scope(scope or "sigmoid_cross_entropy_loss"):
        scores = dt.convert_to_tensor(logits)
        labels = dt.cast(multi_class_labels, scores.dtype)
        if label_smoothing:
            labels = labels * (1.0 - label_smoothing) + 0.5 * label_smoothing
        losses = sigmoid_cross_entropy_with_logits(labels=labels, logits=scores)
        return compute_weighted_loss(losses, weights, "weighted", loss_collection, reduction)


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
        wanted, found = _of_one_shape("mean_squared_error", labels, predictions)
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
        wanted, found = _of_one_shape("absolute_difference", labels, predictions)
        return compute_weighted_loss(dt.abs(found - wanted), weights, "weighted", loss_collection, reduction)


def _of_one_shape(operation: str, labels: Any, predictions: Any) -> tuple[Tensor, Tensor]:
    found = dt.convert_to_tensor(predictions)
    wanted = dt.cast(labels, found.dtype)
    if not wanted.shape.is_compatible_with(found.shape):
        raise ShapeError(
            f"{operation}: labels are {wanted.type}, predictions {found.type}; their shapes must be equal, for "
            "broadcasting would "
            f"compare each with each. Use dt.reshape or dt.expand_dims. {found.op.where()}"
        )
    return wanted, found


def add_loss(loss: Tensor, loss_collection: str | None = GraphKeys.LOSSES) -> None:
    """Let a loss join a collection, so that ``get_total_loss`` counts it."""
    if loss_collection is not None:
        dt.add_to_collection(loss_collection, loss)


def get_losses(scope: str | None = None, loss_collection: str = GraphKeys.LOSSES) -> list[Tensor]:
    """Return the losses that joined a collection, only those whose name begins with ``scope`` if given."""
    return dt.get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[Tensor]:
    """Return the losses of weights that have a regularizer."""
    return dt.get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_regularization_loss(scope: str | None = None, name: str = "total_regularization_loss") -> Tensor:
    """Return the sum of the losses of weights that have a regularizer; 0 where there are none."""
    losses = get_regularization_losses(scope)
    return dt.add_n(losses, name=name) if losses else dt.constant(0.0)


def get_total_loss(
    add_regularization_losses: bool = True, name: str = "total_loss", scope: str | None = None
) -> Tensor:
    """Return the sum of all losses.

    Args:
        add_regularization_losses: whether to add the losses of weights.
        name: name of the node.
        scope: only losses whose name begins so.

    Raises:
        InvalidArgumentError: there are none.
    """
    losses = [*get_losses(scope), *(get_regularization_losses(scope) if add_regularization_losses else ())]
    if not losses:
        raise InvalidArgumentError(
            "get_total_loss: there are no losses; make one by dt.losses, or add one by dt.losses.add_loss."
        )
    return dt.add_n(losses, name=name)
