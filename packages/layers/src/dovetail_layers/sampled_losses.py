"""Losses over very many classes, which compare the right ones with candidates drawn at random."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import ShapeError
from dovetail_layers.candidate_sampling import log_uniform_candidate_sampler
from dovetail_layers.cross_entropy import sigmoid_cross_entropy_with_logits, softmax_cross_entropy_with_logits_v2
from dovetail_layers.embedding import embedding_lookup

__all__ = ["nce_loss", "sampled_softmax_loss"]


def sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "mod",
    name: str | None = "sampled_softmax_loss",
    seed: int | None = None,
) -> Tensor:
    """Return the cross-entropy of a softmax over the right classes and candidates (Jean et al., 2014).

    It is for training; to evaluate, compute the whole softmax, ``inputs @ weightsᵀ + biases``.

    Args:
        weights: of shape ``[num_classes, depth]``, or a list of parts of it.
        biases: of shape ``[num_classes]``.
        labels: the right classes, integers of shape ``[batch, num_true]``.
        inputs: floating, of shape ``[batch, depth]``.
        num_sampled: how many candidates are drawn, for all rows together.
        num_classes: the number of classes.
        num_true: how many right classes each row has.
        sampled_values: what a candidate sampler returned; ``log_uniform_candidate_sampler``'s by default.
        remove_accidental_hits: whether candidates that are right for a row do not count against it.
        partition_strategy: how rows are divided among parts of ``weights``, as for ``embedding_lookup``.
        name: scope of the nodes.
        seed: the seed of the sampler.

    Returns:
        A loss for each row, of shape ``[batch]``.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the labels are no integers.
        InvalidArgumentError: more candidates shall be drawn than there are classes.

    Example:
        >>> weights, biases = dt.get_variable("weights", [1000, 16]), dt.get_variable("biases", [1000])
        >>> dt.nn.sampled_softmax_loss(weights, biases, [[3], [7]], dt.ones([2, 16]), 20, 1000).shape
        Shape([2])
    """
    with dt.name_scope(name or "sampled_softmax_loss"):
        logits, truths = _logits(
            "sampled_softmax_loss",
            weights,
            biases,
            labels,
            inputs,
            num_sampled,
            num_classes,
            num_true,
            sampled_values,
            remove_accidental_hits,
            partition_strategy,
            seed,
        )
        return softmax_cross_entropy_with_logits_v2(truths, logits)


def nce_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = False,
    partition_strategy: str = "mod",
    name: str = "nce_loss",
) -> Tensor:
    """Return the noise-contrastive estimate of a loss over many classes (Gutmann and Hyvärinen, 2010).

    Right classes and candidates are told apart, each by a logistic loss. It is for training; to evaluate, compute
    ``inputs @ weightsᵀ + biases``.

    Args:
        weights: of shape ``[num_classes, depth]``, or a list of parts of it.
        biases: of shape ``[num_classes]``.
        labels: the right classes, integers of shape ``[batch, num_true]``.
        inputs: floating, of shape ``[batch, depth]``.
        num_sampled: how many candidates are drawn, for all rows together.
        num_classes: the number of classes.
        num_true: how many right classes each row has.
        sampled_values: what a candidate sampler returned; ``log_uniform_candidate_sampler``'s by default.
        remove_accidental_hits: whether candidates that are right for a row do not count against it.
        partition_strategy: how rows are divided among parts of ``weights``, as for ``embedding_lookup``.
        name: scope of the nodes.

    Returns:
        A loss for each row, of shape ``[batch]``.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the labels are no integers.
        InvalidArgumentError: more candidates shall be drawn than there are classes.

    Example:
        >>> weights, biases = dt.get_variable("weights", [1000, 16]), dt.get_variable("biases", [1000])
        >>> dt.nn.nce_loss(weights, biases, [[3], [7]], dt.ones([2, 16]), 20, 1000).shape
        Shape([2])
    """
    with dt.name_scope(name):
        logits, truths = _logits(
            "nce_loss",
            weights,
            biases,
            labels,
            inputs,
            num_sampled,
            num_classes,
            num_true,
            sampled_values,
            remove_accidental_hits,
            partition_strategy,
            None,
        )
        return dt.reduce_sum(sigmoid_cross_entropy_with_logits(labels=truths, logits=logits), 1)


def _logits(
    operation: str,
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int,
    sampled_values: Any,
    remove_accidental_hits: bool,
    partition_strategy: str,
    seed: int | None,
) -> tuple[Tensor, Tensor]:
    """Return scores, less the logarithms of how often classes are expected, and what is true of them."""
    x, truths = dt.convert_to_tensor(inputs), dt.convert_to_tensor(labels)
    if x.shape.rank != 2:
        raise ShapeError(f"{operation}: inputs is {x.type}; its axes should be batch and depth.")
    truths = dt.cast(truths, dt.int64) if truths.dtype.is_integer else truths
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(truths, num_true, num_sampled, True, num_classes, seed)
    drawn, of_truths, of_drawn = (dt.stop_gradient(one) for one in sampled_values)
    drawn = dt.cast(drawn, dt.int64)
    ids = dt.concat([dt.reshape(truths, [-1]), drawn], 0)
    rows = embedding_lookup(weights, ids, partition_strategy)
    shifts = embedding_lookup(biases, ids, partition_strategy)
    batch, depth = x.shape.dims
    count = batch * num_true
    right = dt.reduce_sum(dt.expand_dims(x, 1) * dt.reshape(rows[:count], [batch, num_true, depth]), 2)
    right += dt.reshape(shifts[:count], [batch, num_true])
    others = dt.matmul(x, rows[count:], transpose_b=True) + shifts[count:]
    if remove_accidental_hits:
        hit = dt.reduce_any(dt.equal(dt.expand_dims(truths, 2), drawn), 1)
        others = dt.where(hit, dt.fill(dt.shape(others), dt.constant(others.dtype.min, others.dtype)), others)
    right -= dt.log(dt.cast(of_truths, right.dtype))
    others -= dt.log(dt.cast(of_drawn, others.dtype))
    wanted = [dt.ones_like(right) / float(num_true), dt.zeros_like(others)]
    return dt.concat([right, others], 1), dt.concat(wanted, 1)
