"""Classes drawn at random, as candidates that a loss over very many classes compares the right ones with."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError

__all__ = ["Candidates", "log_uniform_candidate_sampler", "uniform_candidate_sampler"]


class Candidates(NamedTuple):
    """Classes drawn, and how often the right classes and those drawn are expected among them."""

    sampled_candidates: Tensor
    true_expected_count: Tensor
    sampled_expected_count: Tensor


def uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Draw classes, each as probable as any other.

    Args:
        true_classes: the right classes, integers of shape ``[batch, num_true]``.
        num_true: how many right classes each row has.
        num_sampled: how many classes are drawn, for all rows together.
        unique: whether no class is drawn twice.
        range_max: the number of classes.
        seed: the operation's seed.
        name: scope of the nodes.

    Returns:
        ``sampled_candidates``, int64 of shape ``[num_sampled]``, ``true_expected_count``, float32 of the shape of
        ``true_classes``, and ``sampled_expected_count``, of shape ``[num_sampled]``.

    Raises:
        DTypeError: the classes are no integers.
        ShapeError: they have another shape.
        InvalidArgumentError: more classes shall be drawn than there are, or a number is not positive.

    Example:
        >>> found = dt.nn.uniform_candidate_sampler([[3], [5]], 1, 4, True, 10)
        >>> found.sampled_candidates.shape, dt.Session().run(found.true_expected_count[0, 0])
        (Shape([4]), np.float32(0.4))
    """
    operation = "uniform_candidate_sampler"
    truths = _checked(operation, true_classes, num_true, num_sampled, unique, range_max)
    with dt.name_scope(name or operation):
        if unique:
            order = dt.argsort(dt.random_uniform([range_max], seed=seed))
            drawn = dt.cast(order[:num_sampled], dt.int64)
        else:
            drawn = dt.random_uniform([num_sampled], 0, range_max, dt.int64, seed)
        share = dt.constant(num_sampled / range_max, dt.float32)
        return Candidates(drawn, dt.fill(dt.shape(truths), share), dt.fill([num_sampled], share))


def log_uniform_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Draw classes that are the rarer the greater their number: ``log((k + 2) / (k + 1)) / log(range_max + 1)``.

    This is near to Zipf's law, for words in the order of their frequency. Without repetition, classes are those that
    come first when each arrives at a rate that is its probability, which is drawing again until all differ; how often
    one is expected follows from the time when they had arrived.

    Args:
        true_classes: the right classes, integers of shape ``[batch, num_true]``.
        num_true: how many right classes each row has.
        num_sampled: how many classes are drawn, for all rows together.
        unique: whether no class is drawn twice.
        range_max: the number of classes.
        seed: the operation's seed.
        name: scope of the nodes.

    Returns:
        ``sampled_candidates``, int64 of shape ``[num_sampled]``, ``true_expected_count``, float32 of the shape of
        ``true_classes``, and ``sampled_expected_count``, of shape ``[num_sampled]``.

    Raises:
        DTypeError: the classes are no integers.
        ShapeError: they have another shape.
        InvalidArgumentError: more classes shall be drawn than there are, or a number is not positive.

    Example:
        >>> found = dt.nn.log_uniform_candidate_sampler([[3], [5]], 1, 4, True, 10000)
        >>> found.sampled_candidates.shape
        Shape([4])
    """
    operation = "log_uniform_candidate_sampler"
    truths = _checked(operation, true_classes, num_true, num_sampled, unique, range_max)

    def chance(classes: Tensor) -> Tensor:
        numbers = dt.cast(classes, dt.float32)
        result: Tensor = dt.log1p(1.0 / (numbers + 1.0)) / math.log(range_max + 1.0)
        return result

    with dt.name_scope(name or operation):
        if unique:
            drawn, expected = _arrivals(chance, num_sampled, range_max, seed)
        else:
            spread = dt.exp(dt.random_uniform([num_sampled], seed=seed) * math.log(range_max + 1.0))
            drawn = dt.minimum(dt.cast(spread, dt.int64) - 1, range_max - 1)

            def expected(chances: Tensor) -> Tensor:
                return chances * float(num_sampled)

        return Candidates(drawn, expected(chance(truths)), expected(chance(drawn)))


def _arrivals(
    chance: Callable[[Tensor], Tensor], count: int, classes: int, seed: int | None
) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Return the classes that arrive first, and a function from probabilities to how often one is expected by then."""
    uniform = dt.maximum(dt.random_uniform([classes], seed=seed), float(np.finfo(np.float32).tiny))
    times = -dt.log(uniform) / chance(dt.range(classes))
    first = dt.top_k(-times, count)
    until = -first.values[-1]
    return dt.cast(first.indices, dt.int64), lambda chances: -dt.expm1(-chances * until)


def _checked(
    operation: str, true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int
) -> Tensor:
    for label, number in (("num_true", num_true), ("num_sampled", num_sampled), ("range_max", range_max)):
        if number < 1:
            raise InvalidArgumentError(f"{operation}: {label} is {number}; it must be positive.")
    if unique and num_sampled > range_max:
        raise InvalidArgumentError(
            f"{operation}: num_sampled is {num_sampled} and range_max {range_max}; so many different classes there are "
            "not. Draw fewer, or give unique=False."
        )
    truths = dt.convert_to_tensor(true_classes)
    if not truths.dtype.is_integer:
        raise DTypeError(f"{operation}: true_classes is {truths.type}; give integers, by dt.cast if need be.")
    if truths.shape.rank != 2 or truths.shape[1] != num_true:
        raise ShapeError(f"{operation}: true_classes is {truths.type}, where [batch, {num_true}] is wanted.")
    return truths
