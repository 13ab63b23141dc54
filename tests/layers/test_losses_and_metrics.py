"""Weighted losses, their collections and sums; measures that add up over batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import InvalidArgumentError, ShapeError


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        return session.run(fetches, feeds)


LOSSES = np.array([[1.0, 2.0], [3.0, 6.0]], np.float32)


@pytest.mark.parametrize(
    ("weights", "reduction", "expected"),
    [
        (1.0, "SUM_BY_NONZERO_WEIGHTS", 3.0),
        (2.0, "SUM_BY_NONZERO_WEIGHTS", 6.0),
        (0.0, "SUM_BY_NONZERO_WEIGHTS", 0.0),
        ([1.0, 0.0], "SUM_BY_NONZERO_WEIGHTS", 1.5),
        ([[1.0], [0.5]], "SUM_BY_NONZERO_WEIGHTS", 7.5 / 4),
        ([[1.0, 0.0], [0.0, 2.0]], "SUM_OVER_NONZERO_WEIGHTS", 6.5),
        ([1.0, 3.0], "SUM", 30.0),
        ([1.0, 3.0], "MEAN", 30.0 / 8.0),
        ([1.0, 3.0], "SUM_OVER_BATCH_SIZE", 7.5),
        ([1.0, 3.0], "NONE", [[1.0, 2.0], [9.0, 18.0]]),
    ],
)
def test_weights_and_reductions(weights: Any, reduction: str, expected: Any) -> None:
    reduced = dt.losses.compute_weighted_loss(LOSSES, weights, reduction=getattr(dt.losses.Reduction, reduction))
    np.testing.assert_allclose(run(reduced), expected)
    assert dt.losses.get_losses() == [reduced]


def test_batches_of_unknown_and_empty_size() -> None:
    labels, scores = dt.placeholder(dt.int64, [None]), dt.placeholder(dt.float32, [None, 3])
    weights = dt.placeholder(dt.float32, [None])
    loss = dt.losses.sparse_softmax_cross_entropy(labels, scores, weights)
    for count in (0, 1, 4):
        found = run(loss, {labels: [1] * count, scores: np.zeros((count, 3)), weights: [2.0] * count})
        assert found == pytest.approx(2.0 * np.log(3.0) if count else 0.0)


def test_losses_join_a_collection_and_add_up() -> None:
    first = dt.losses.mean_squared_error([1.0, 2.0], [2.0, 4.0], scope="first")
    dt.losses.absolute_difference([1.0, 2.0], [2.0, 4.0], scope="second")
    apart = dt.losses.mean_squared_error([1.0], [2.0], loss_collection=None)
    dt.losses.add_loss(dt.constant(10.0))
    dt.layers.dense(
        dt.ones([1, 2]),
        1,
        use_bias=False,
        kernel_initializer=dt.ones_initializer(),
        kernel_regularizer=dt.layers.l1_regularizer(0.5),
    )
    assert apart not in dt.losses.get_losses()
    assert dt.losses.get_losses("first") == [first]
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert session.run(dt.losses.get_total_loss()) == 2.5 + 1.5 + 10.0 + 1.0
        assert session.run(dt.losses.get_total_loss(add_regularization_losses=False)) == 14.0
        assert session.run(dt.losses.get_regularization_loss()) == 1.0


def test_sums_without_losses() -> None:
    assert run(dt.losses.get_regularization_loss()) == 0.0
    with pytest.raises(InvalidArgumentError, match="get_total_loss: there are no losses"):
        dt.losses.get_total_loss()


def test_sigmoid_cross_entropy_smooths_toward_one_half() -> None:
    loss = dt.losses.sigmoid_cross_entropy([[1.0, 0.0]], [[2.0, 2.0]], label_smoothing=0.2)
    expected = np.mean([np.log1p(np.exp(2.0)) - 2.0 * label for label in (0.9, 0.1)])
    assert run(loss) == pytest.approx(expected, rel=1e-6)


def test_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"mean_squared_error: labels are float32\[3\], predictions float32\[3, 1\]"):
        dt.losses.mean_squared_error([1.0, 2.0, 3.0], dt.ones([3, 1]))
    with pytest.raises(
        InvalidArgumentError, match="the reduction is 'sum'; use one of dt.losses.Reduction: none, weighted_sum"
    ):
        dt.losses.compute_weighted_loss(LOSSES, reduction="sum")
    with pytest.raises(ShapeError, match=r"the weights are float32\[1, 1, 2\], the losses float32\[2, 2\]"):
        dt.losses.compute_weighted_loss(LOSSES, dt.ones([1, 1, 2]))
    with pytest.raises(
        ShapeError, match=r"labels are int32\[2, 2\], logits float32\[2, 3\]; labels must have one axis less"
    ):
        dt.losses.sparse_softmax_cross_entropy([[1, 2], [2, 0]], dt.ones([2, 3]))


def test_accuracy_adds_up_over_batches() -> None:
    labels, predictions = dt.placeholder(dt.int64, [None]), dt.placeholder(dt.int32, [None])
    value, update = dt.metrics.accuracy(labels, predictions)
    assert [variable.op.name for variable in dt.local_variables()] == ["accuracy/total", "accuracy/count"]
    assert dt.global_variables() == []
    assert dt.get_collection(dt.GraphKeys.METRIC_VARIABLES) == dt.local_variables()
    with dt.Session() as session:
        session.run(dt.local_variables_initializer())
        assert session.run(value) == 0.0
        assert session.run(update, {labels: [1, 2, 3, 4], predictions: [1, 2, 3, 0]}) == 0.75
        assert session.run(update, {labels: [], predictions: []}) == 0.75
        assert session.run(update, {labels: [1, 2, 3, 4], predictions: [0, 0, 0, 0]}) == 0.375
        assert session.run(value) == 0.375
        session.run(dt.local_variables_initializer())
        assert session.run(value) == 0.0


def test_weighted_means_in_collections() -> None:
    value, update = dt.metrics.mean([1.0, 4.0], [3.0, 1.0], "values", ["updates"], name="average")
    assert dt.get_collection("values") == [value]
    assert dt.get_collection("updates") == [update]
    other = dt.metrics.mean([1.0], name="average")[0]
    assert other.op.name == "average_1/value"
    with dt.Session() as session:
        session.run(dt.local_variables_initializer())
        assert session.run(update) == 1.75


def test_accuracy_of_other_shapes() -> None:
    with pytest.raises(
        ShapeError, match=r"accuracy: labels are int32\[2\], predictions float32\[2, 3\].*Use dt.argmax"
    ):
        dt.metrics.accuracy([1, 2], dt.ones([2, 3]))
