"""Losses on their own: ignored labels, triples, half types, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DovetailError, DTypeError, InvalidArgumentError, ShapeError


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        return session.run(fetches, feeds)


def test_labels_and_weights_in_a_column_are_taken_as_a_vector(rng: np.random.Generator) -> None:
    scores, labels, weights = rng.normal(size=(3, 4)), np.array([0, 3, 1]), np.array([1.0, 0.0, 2.0])
    column = dt.losses.sparse_softmax_cross_entropy(labels[:, None], scores, weights[:, None])
    vector = dt.losses.sparse_softmax_cross_entropy(labels, scores, weights)
    one, other = run([column, vector])
    assert one == other


def test_an_ignored_label_takes_no_part_whatever_its_scores() -> None:
    labels, scores = dt.placeholder(dt.int32, [None, 2]), dt.placeholder(dt.float32, [None, 2, 3])
    loss = dt.losses.sparse_softmax_cross_entropy(labels, scores, weights=2.0, ignore_label=255)
    (slope,) = dt.gradients(loss, scores)
    feeds = {labels: [[0, 255], [255, 2]], scores: np.zeros((2, 2, 3))}
    value, gradient = run([loss, slope], feeds)
    assert value == pytest.approx(2.0 * np.log(3.0))
    assert (gradient[[0, 1], [1, 0]] == 0.0).all()
    assert (gradient[[0, 1], [0, 1]] != 0.0).all()
    assert run(loss, {labels: [[255, 255]], scores: np.zeros((1, 2, 3))}) == 0.0


def test_more_elements_than_a_half_type_can_count() -> None:
    values = dt.fill([70_000], dt.constant(0.5, dt.float16))
    for reduction in (dt.losses.Reduction.SUM_BY_NONZERO_WEIGHTS, dt.losses.Reduction.SUM_OVER_BATCH_SIZE):
        loss = dt.losses.compute_weighted_loss(values, reduction=reduction)
        assert loss.dtype is dt.float16
        assert run(loss) == 0.5


def semihard(labels: np.ndarray, vectors: np.ndarray, margin: float) -> float:
    """The definition, pair by pair."""
    distances = np.sqrt(((vectors[:, None] - vectors[None]) ** 2).sum(-1))
    found = []
    for anchor, positive in zip(*np.nonzero(labels[:, None] == labels[None]), strict=True):
        if anchor != positive:
            others = distances[anchor][labels != labels[anchor]]
            beyond = others[others > distances[anchor, positive]]
            negative = beyond.min() if beyond.size else others.max(initial=0.0)
            found.append(max(margin + distances[anchor, positive] - negative, 0.0))
    return float(np.mean(found)) if found else 0.0


@pytest.mark.parametrize("labels", [[0, 1, 0, 2, 1, 1, 0], [0, 1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 0, 1]])
def test_semihard_triples(labels: list[int], rng: np.random.Generator) -> None:
    vectors = rng.normal(size=(7, 3))
    x = dt.placeholder(dt.float64, [None, 3])
    loss = dt.losses.triplet_semihard_loss(labels, x, margin=0.8)
    assert run(loss, {x: vectors}) == pytest.approx(semihard(np.array(labels), vectors, 0.8))
    assert np.isfinite(run(dt.gradients(loss, x)[0], {x: np.zeros((7, 3))})).all()


def test_semihard_triples_have_the_gradient_of_their_differences(rng: np.random.Generator) -> None:
    labels, vectors = np.array([0, 1, 0, 1, 1]), rng.normal(size=(5, 3))
    x = dt.placeholder(dt.float64, [5, 3])
    gradient = run(dt.gradients(dt.losses.triplet_semihard_loss(labels, x), x)[0], {x: vectors})
    direction = 1e-6 * rng.normal(size=(5, 3))
    change = semihard(labels, vectors + direction, 1.0) - semihard(labels, vectors - direction, 1.0)
    assert change == pytest.approx(2.0 * (gradient * direction).sum(), rel=1e-5)


@pytest.mark.parametrize("dtype", ["int32", "float16", "bfloat16"])
def test_losses_are_computed_in_float32_at_least(dtype: str) -> None:
    loss = dt.losses.mean_squared_error([1, 2], dt.constant([1, 4], dtype))
    assert loss.dtype is dt.float32
    assert run(loss) == 2.0
    certain = dt.losses.log_loss([1, 0], dt.constant([0, 1], dtype))
    assert run(certain) == pytest.approx(-np.log(1e-7), rel=1e-4)


def test_contrastive_pairs() -> None:
    losses = dt.losses.contrastive_loss([1, 0, 0], [0.5, 0.5, 3.0], margin=2.0, reduction=dt.losses.Reduction.NONE)
    assert run(losses).tolist() == [0.25, 2.25, 0.0]


def test_empty_sets_agree() -> None:
    assert run(dt.losses.dice(dt.zeros([4]), dt.zeros([4]))) == 0.0


def test_every_loss_joins_the_collection_or_not() -> None:
    pair = [[1.0, 0.0]], [[0.5, 0.5]]
    names = [
        "absolute_difference", "mean_squared_error", "huber_loss", "log_cosh", "log_loss", "hinge_loss",
        "squared_hinge", "kl_divergence", "poisson", "dice", "sigmoid_cross_entropy", "softmax_cross_entropy",
        "sigmoid_focal_crossentropy", "softmax_focal_crossentropy", "mean_pairwise_squared_error", "contrastive_loss",
        "mean_absolute_percentage_error", "mean_squared_logarithmic_error", "categorical_hinge", "tversky",
    ]  # fmt: skip
    made = []
    for name in names:
        loss = getattr(dt.losses, name)
        made.append(loss(*pair, scope=name))
        loss(*pair, loss_collection=None)
    made.append(dt.losses.cosine_distance(*pair, axis=1))
    made.append(dt.losses.triplet_margin_loss(*pair, pair[0]))
    made.append(dt.losses.triplet_semihard_loss([0, 0], dt.ones([2, 3])))
    made.append(dt.losses.margin_ranking_loss(*pair, pair[0]))
    made.append(dt.losses.gaussian_nll_loss(*pair, pair[0]))
    assert dt.losses.get_losses() == made
    assert np.isfinite(run(made)).all()


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: dt.losses.huber_loss([1.0], [1.0], delta=0.0),
            InvalidArgumentError,
            r"huber_loss: delta is 0; it must be positive",
        ),
        (
            lambda: dt.losses.huber_loss(["a", "b"], ["a", "b"]),
            DTypeError,
            r"huber_loss: predictions are string\[2\], where a floating type is wanted",
        ),
        (
            lambda: dt.losses.hinge_loss([1.0, 0.0], dt.ones([2, 1])),
            ShapeError,
            r"hinge_loss: labels are float32\[2\], logits float32\[2, 1\]; their shapes must be equal",
        ),
        (
            lambda: dt.losses.softmax_cross_entropy([[1.0]], [[1.0]], label_smoothing=2.0),
            InvalidArgumentError,
            r"softmax_cross_entropy: label_smoothing is 2; it must be from 0 to 1",
        ),
        (
            lambda: dt.losses.sigmoid_focal_crossentropy([1.0], [1.0], gamma=-1.0),
            InvalidArgumentError,
            r"sigmoid_focal_crossentropy: gamma is -1; it must not be negative",
        ),
        (
            lambda: dt.losses.sparse_softmax_cross_entropy([1], dt.ones([1, 3]), class_weights=[1.0, 2.0]),
            ShapeError,
            r"class_weights are float32\[2\], logits float32\[1, 3\]; give a vector with a number for each class",
        ),
        (
            lambda: dt.losses.cosine_distance([1.0], [1.0]),
            InvalidArgumentError,
            r"cosine_distance: give axis, the axis of the vectors",
        ),
        (
            lambda: dt.losses.mean_pairwise_squared_error(1.0, 1.0),
            ShapeError,
            r"mean_pairwise_squared_error: predictions are float32\[\]; a known rank of 1 or more",
        ),
        (
            lambda: dt.losses.triplet_semihard_loss([1], [1.0]),
            ShapeError,
            r"triplet_semihard_loss: embeddings are float32\[1\]; a matrix \[batch, size\] is wanted",
        ),
        (
            lambda: dt.losses.compute_weighted_loss(dt.ones([1, 2]), dt.ones([3, 2])),
            ShapeError,
            r"the weights are float32\[3, 2\], the losses float32\[1, 2\]; give weights of at most their rank",
        ),
        (
            lambda: dt.nn.weighted_cross_entropy_with_logits([1.0], [1.0]),
            InvalidArgumentError,
            r"weighted_cross_entropy_with_logits: give labels \(targets is their old name\), logits and pos_weight",
        ),
        (
            lambda: dt.nn.weighted_cross_entropy_with_logits([1.0, 0.0], [[1.0]], 1.0),
            ShapeError,
            r"weighted_cross_entropy_with_logits: labels are float32\[2\], logits float32\[1, 1\]",
        ),
        (
            lambda: dt.nn.log_poisson_loss([1.0, 2.0], [1.0]),
            ShapeError,
            r"log_poisson_loss: targets are float32\[2\], log_input float32\[1\]; their shapes must be equal",
        ),
    ],
)
def test_what_does_not_fit(make: Callable[[], Any], kind: type[DovetailError], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()
