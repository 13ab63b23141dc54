"""How losses of elements become one, and the collections that losses join."""

from __future__ import annotations

from typing import Any, ClassVar, final

import dovetail as dt
from dovetail import GraphKeys, Tensor
from dovetail.errors import InvalidArgumentError, ShapeError

__all__ = [
    "Reduction",
    "add_loss",
    "aligned_weights",
    "compute_weighted_loss",
    "get_losses",
    "get_regularization_loss",
    "get_regularization_losses",
    "get_total_loss",
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

    @classmethod
    def validate(cls, key: str) -> None:
        """Look whether there is such a reduction.

        Raises:
            InvalidArgumentError: there is none.
        """
        if key not in cls.all():
            raise InvalidArgumentError(
                f"the reduction is {key!r}; use one of dt.losses.Reduction: {', '.join(cls.all())}."
            )


def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Weight the losses of elements and make one loss of them.

    Args:
        losses: numbers.
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
    Reduction.validate(reduction)
    with dt.name_scope(scope or "weighted_loss"):
        given = dt.convert_to_tensor(losses)
        # Half types have too few digits for counts and long sums, integers none for means.
        values = dt.cast(given, dt.float32) if given.dtype.is_half or not given.dtype.is_floating else given
        factors = aligned_weights(weights, values)
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
        loss = loss if loss.dtype is given.dtype else dt.cast(loss, given.dtype)
        if loss_collection is not None:
            add_loss(loss, loss_collection)
        return loss


def aligned_weights(weights: Any, values: Tensor) -> Tensor:
    """Return weights of the dtype and rank of ``values``; of lower rank, they weight its first axes.

    Raises:
        ShapeError: they do not broadcast to the shape of ``values``.
    """
    factors: Tensor = dt.cast(weights, values.dtype)
    rank, wanted = factors.shape.rank, values.shape.rank
    if rank is None or wanted is None or rank == 0:
        return factors
    pairs = list(zip(factors.shape, values.shape, strict=False))
    if rank > wanted or any(
        one != 1 and isinstance(one, int) and isinstance(size, int) and one != size for one, size in pairs
    ):
        raise ShapeError(
            f"the weights are {factors.type}, the losses {values.type}; give weights of at most their rank, whose "
            "sizes are those of the losses' first axes, or 1."
        )
    if rank == wanted:
        return factors
    result: Tensor = dt.reshape(factors, [*(dt.shape(factors)[axis] for axis in range(rank)), *[1] * (wanted - rank)])
    return result


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
