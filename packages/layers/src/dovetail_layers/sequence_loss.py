"""The loss of sequences of words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import ShapeError
from dovetail_layers.cross_entropy import sparse_softmax_cross_entropy_with_logits

__all__ = ["sequence_loss"]


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Tensor:
    """Return the weighted mean of the cross-entropies of all steps of sequences, as TensorFlow 1's ``seq2seq`` has it.

    Args:
        logits: scores of classes, floating, of shape ``[batch, time, classes]``.
        targets: the right classes, integers of shape ``[batch, time]``.
        weights: floating, of shape ``[batch, time]``, such as 1 within the length of a sequence and 0 beyond.
        average_across_timesteps: whether the mean is taken over steps, by their weights.
        average_across_batch: whether the mean is taken over sequences.
        softmax_loss_function: takes ``labels`` and ``logits`` by name and gives a loss for each step;
            ``dt.nn.sparse_softmax_cross_entropy_with_logits`` by default.
        name: scope of the nodes.

    Returns:
        A scalar; where one mean is left out a vector, where both are a matrix ``[batch, time]``.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> weights = dt.sequence_mask([2, 1], 3, dtype=dt.float32)
        >>> dt.Session().run(dt.losses.sequence_loss(dt.zeros([2, 3, 4]), dt.zeros([2, 3], dt.int32), weights))
        np.float32(1.3862944)
    """
    with dt.name_scope(name or "sequence_loss"):
        scores, classes = dt.convert_to_tensor(logits), dt.convert_to_tensor(targets)
        factors = dt.cast(weights, scores.dtype)
        for label, one, rank in (("logits", scores, 3), ("targets", classes, 2), ("weights", factors, 2)):
            if one.shape.rank != rank:
                axes = "batch, time and classes" if rank == 3 else "batch and time"
                raise ShapeError(f"sequence_loss: {label} is {one.type}; its axes should be {axes}.")
        function = softmax_loss_function or sparse_softmax_cross_entropy_with_logits
        losses: Tensor = function(labels=classes, logits=scores) * factors
        if average_across_timesteps and average_across_batch:
            return dt.div_no_nan(dt.reduce_sum(losses), dt.reduce_sum(factors))
        if average_across_timesteps:
            return dt.div_no_nan(dt.reduce_sum(losses, 1), dt.reduce_sum(factors, 1))
        if average_across_batch:
            return dt.div_no_nan(dt.reduce_sum(losses, 0), dt.reduce_sum(factors, 0))
        return losses
