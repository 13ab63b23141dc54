"""Classes drawn at random, as candidates that a loss over very many classes compares the right ones with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError

__all__ = [
    "Candidates",
    "all_candidate_sampler",
    "compute_accidental_hits",
    "fixed_unigram_candidate_sampler",
    "learned_unigram_candidate_sampler",
    "log_uniform_candidate_sampler",
    "uniform_candidate_sampler",
]


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


def fixed_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Sequence[float] = (),
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Draw classes with probabilities that are given, by a list of counts or by a file.

    Args:
        true_classes: the right classes, integers of shape ``[batch, num_true]``.
        num_true: how many right classes each row has.
        num_sampled: how many classes are drawn, for all rows together.
        unique: whether no class is drawn twice.
        range_max: the number of classes.
        vocab_file: a file of lines whose last field, after a comma, is the count of a class; give this or
            ``unigrams``.
        distortion: the power that counts are raised to: 0 makes all classes equally probable.
        num_reserved_ids: so many classes, from 0 on, are in no list, and are never drawn.
        num_shards: of how many parts one is drawn from, in training by several processes.
        shard: which part: classes whose number, modulo ``num_shards``, is this.
        unigrams: the counts of classes, from ``num_reserved_ids`` on.
        seed: the operation's seed.
        name: scope of the nodes.

    Returns:
        ``sampled_candidates``, int64 of shape ``[num_sampled]``, ``true_expected_count``, float32 of the shape of
        ``true_classes``, and ``sampled_expected_count``, of shape ``[num_sampled]``.

    Raises:
        DTypeError: the classes are no integers.
        ShapeError: they have another shape.
        NotFoundError: there is no such file.
        InvalidArgumentError: more classes shall be drawn than there are, a number is not positive, or there are other
            counts than classes.

    Example:
        >>> found = dt.nn.fixed_unigram_candidate_sampler([[3], [1]], 1, 2, True, 4, unigrams=[5, 1, 1, 1])
        >>> found.sampled_candidates.shape
        Shape([2])
    """
    operation = "fixed_unigram_candidate_sampler"
    truths = _checked(operation, true_classes, num_true, num_sampled, unique, range_max)
    weights = _weights(operation, vocab_file, unigrams, num_reserved_ids, range_max) ** distortion
    weights[:num_reserved_ids] = 0.0
    if not 0 <= shard < num_shards:
        raise InvalidArgumentError(f"{operation}: shard is {shard} of {num_shards}; count from 0.")
    weights[np.arange(range_max) % num_shards != shard] = 0.0
    possible = int(np.count_nonzero(weights))
    if possible < (num_sampled if unique else 1):
        raise InvalidArgumentError(
            f"{operation}: {possible} classes have a count above 0, and {num_sampled} shall be drawn. Draw fewer, or "
            "give unique=False."
        )
    with dt.name_scope(name or operation):
        chances = dt.constant(weights / weights.sum(), dt.float32)
        return _drawn(chances, truths, num_sampled, unique, seed)


def learned_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Draw classes as often as they were right so far: each begins with a count of 1, to which each run adds.

    The counts are a local variable, which ``dt.local_variables_initializer`` makes. The arguments and errors are those
    of ``uniform_candidate_sampler``.

    Example:
        >>> found = dt.nn.learned_unigram_candidate_sampler([[3], [5]], 1, 4, True, 10)
        >>> found.sampled_candidates.shape
        Shape([4])
    """
    operation = "learned_unigram_candidate_sampler"
    truths = _checked(operation, true_classes, num_true, num_sampled, unique, range_max)
    with dt.name_scope(name or operation):
        counts = dt.Variable(
            dt.ones([range_max]), trainable=False, collections=[dt.GraphKeys.LOCAL_VARIABLES], name="counts"
        )
        seen = dt.identity(counts)
        found = _drawn(seen / dt.reduce_sum(seen), truths, num_sampled, unique, seed)
        rows = dt.reshape(truths, [-1])
        with dt.control_dependencies([*found, dt.scatter_add(counts, rows, dt.ones_like(rows, dt.float32))]):
            return Candidates(*map(dt.identity, found))


def all_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    seed: int | None = None,
    name: str | None = None,
) -> Candidates:
    """Give all classes, each of which is expected once: for looking at what sampling costs.

    Args:
        true_classes: the right classes, integers of shape ``[batch, num_true]``.
        num_true: how many right classes each row has.
        num_sampled: the number of classes.
        unique: whether no class is drawn twice, which is so in any case.
        seed: has no effect, as nothing is drawn at random.
        name: scope of the nodes.

    Raises:
        DTypeError: the classes are no integers.
        ShapeError: they have another shape.
        InvalidArgumentError: a number is not positive.

    Example:
        >>> dt.Session().run(dt.nn.all_candidate_sampler([[3]], 1, 4, True).sampled_candidates)
        array([0, 1, 2, 3])
    """
    operation = "all_candidate_sampler"
    truths = _checked(operation, true_classes, num_true, num_sampled, unique, num_sampled)
    with dt.name_scope(name or operation):
        every = dt.range(num_sampled, dtype=dt.int64)
        return Candidates(every, dt.ones_like(truths, dt.float32), dt.ones([num_sampled]))


def compute_accidental_hits(
    true_classes: Any,
    sampled_candidates: Any,
    num_true: int,
    seed: int | None = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return where a candidate is one of the right classes of a row, and a weight that takes it out of a softmax.

    Args:
        true_classes: the right classes, integers of shape ``[batch, num_true]``.
        sampled_candidates: the candidates, integers of shape ``[num_sampled]``.
        num_true: how many right classes each row has.
        seed: has no effect, as nothing is drawn at random.
        name: scope of the nodes.

    Returns:
        For each hit its row (int32), the candidate's place (int64), and the least float32, to add to its logit.

    Raises:
        DTypeError: the classes are no integers.
        ShapeError: they have another shape.

    Example:
        >>> rows, places, weights = dt.nn.compute_accidental_hits([[3], [5]], [5, 7, 3], 1)
        >>> dt.Session().run([rows, places])
        [array([0, 1], dtype=int32), array([2, 0])]
    """
    operation = "compute_accidental_hits"
    with dt.name_scope(name or operation):
        candidates = dt.convert_to_tensor(sampled_candidates)
        truths = _truths(operation, true_classes, num_true)
        if not candidates.dtype.is_integer or candidates.shape.rank not in (1, None):
            raise DTypeError(f"{operation}: sampled_candidates is {candidates.type}; give a vector of integers.")
        same = dt.equal(dt.expand_dims(dt.cast(truths, dt.int64), -1), dt.cast(candidates, dt.int64))
        hits = dt.where(same)
        rows = hits[:, 0]
        return dt.cast(rows, dt.int32), hits[:, 2], dt.fill([dt.shape(rows)[0]], dt.constant(dt.float32.min))


def _weights(
    operation: str, vocab_file: str, unigrams: Sequence[float], reserved: int, range_max: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a count for each class, of those reserved 0."""
    if bool(vocab_file) == bool(len(unigrams)):
        raise InvalidArgumentError(f"{operation}: give the counts of classes either by vocab_file or by unigrams.")
    if vocab_file:
        with dt.gfile.GFile(vocab_file) as file:
            lines = [line for line in file.read().splitlines() if line.strip()]
        try:
            counts = [float(line.rpartition(",")[2]) for line in lines]
        except ValueError as error:
            raise InvalidArgumentError(
                f'{operation}: in "{vocab_file}", {error}; the last field of a line, after a comma, is a count.'
            ) from error
    else:
        counts = [float(one) for one in unigrams]
    if len(counts) + reserved != range_max or min(counts) < 0.0:
        raise InvalidArgumentError(
            f"{operation}: there are {len(counts)} counts and {reserved} reserved classes, and range_max is "
            f"{range_max}; give a count of at least 0 for each class that is not reserved."
        )
    return np.array([0.0] * reserved + counts)


def _drawn(chances: Tensor, truths: Tensor, count: int, unique: bool, seed: int | None) -> Candidates:
    """Draw classes of these probabilities."""
    if unique:
        classes = chances.shape[0]
        assert isinstance(classes, int)
        drawn, expected = _arrivals(lambda numbers: dt.gather(chances, numbers), count, classes, seed)
    else:
        drawn = dt.cast(dt.multinomial(dt.expand_dims(dt.log(chances), 0), count, seed), dt.int64)[0]

        def expected(each: Tensor) -> Tensor:
            return each * float(count)

    return Candidates(drawn, expected(dt.gather(chances, truths)), expected(dt.gather(chances, drawn)))


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
    return _truths(operation, true_classes, num_true)


def _truths(operation: str, true_classes: Any, num_true: int) -> Tensor:
    truths = dt.convert_to_tensor(true_classes)
    if not truths.dtype.is_integer:
        raise DTypeError(f"{operation}: true_classes is {truths.type}; give integers, by dt.cast if need be.")
    if truths.shape.rank != 2 or truths.shape[1] != num_true:
        raise ShapeError(f"{operation}: true_classes is {truths.type}, where [batch, {num_true}] is wanted.")
    return truths
