"""The usual networks: shapes, what they are made of, what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail_train.networks import autoencoder, convolutional_network, dense_network, recurrent_network

MAKERS: dict[str, Callable[..., Any]] = {
    "dense": lambda x, **options: dense_network(x, [6, 5], 3, **options),
    "convolutional": lambda x, **options: convolutional_network(x, [2, 4], 3, hidden_units=[5], **options),
    "recurrent": lambda x, **options: recurrent_network(x, [4, 3], 3, hidden_units=[5], **options),
    "autoencoder": lambda x, **options: autoencoder(x, [6, 2], **options).reconstruction,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_the_batch_stays_open_and_every_weight_is_trained(kind: str, rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, [None, 8, 8], name="x")
    result = MAKERS[kind](x)
    train = dt.train.GradientDescentOptimizer(0.1).minimize(dt.reduce_sum(result**2))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for size in (1, 3):
            given = rng.normal(size=(size, 8, 8)).astype(np.float32)
            assert session.run(result, {x: given}).shape[0] == size
        before = session.run(dt.trainable_variables())
        session.run(train, {x: given})
        after = session.run(dt.trainable_variables())
    names = [one.op.name for one in dt.trainable_variables()]
    changed = [name for name, old, new in zip(names, before, after, strict=True) if not np.array_equal(old, new)]
    assert changed == names


@pytest.mark.parametrize("kind", MAKERS)
def test_dropout_acts_while_training_only(kind: str, rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, [None, 8, 8], name="x")
    training = dt.placeholder_with_default(False, [], name="training")
    result = MAKERS[kind](x, dropout=0.5, training=training)
    given = {x: rng.normal(size=(4, 8, 8)).astype(np.float32)}
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        still, again = (session.run(result, given) for _ in range(2))
        one, other = (session.run(result, {**given, training: True}) for _ in range(2))
    assert np.array_equal(still, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("kind", ["dense", "convolutional", "autoencoder"])
def test_batch_normalisation_keeps_averages(kind: str) -> None:
    MAKERS[kind](dt.zeros([4, 8, 8]), batch_norm=True, training=True)
    kept = [one.op.name for one in dt.global_variables() if one not in dt.trainable_variables()]
    assert any(name.endswith("moving_mean") for name in kept)


def test_regularizers_reach_every_kernel() -> None:
    dense_network(dt.zeros([4, 8]), [6, 5], 3, kernel_regularizer=dt.layers.l2_regularizer(0.1))
    assert len(dt.losses.get_regularization_losses()) == 3


def test_two_networks_of_a_kind_have_weights_of_their_own() -> None:
    first, second = (dense_network(dt.zeros([4, 8]), [6], 3) for _ in range(2))
    assert len(dt.trainable_variables()) == 8
    named = dense_network(dt.zeros([4, 8]), [6], 3, name="dnn")
    assert named.op.name.startswith("dnn/")
    assert first.op.name != second.op.name


def test_a_narrow_image_is_not_pooled_away() -> None:
    assert convolutional_network(dt.zeros([2, 3, 3]), [2] * 5, 4).shape == [2, 4]


def test_what_stands_beyond_a_length_has_no_effect(rng: np.random.Generator) -> None:
    one = rng.normal(size=(2, 5, 3)).astype(np.float32)
    other = one.copy()
    other[0, 2:] = 9.0
    x = dt.placeholder(dt.float32, [None, 5, 3])
    result = recurrent_network(x, [4, 4], 2, cell="gru", bidirectional=True, sequence_length=dt.constant([2, 5]))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert np.array_equal(session.run(result, {x: one}), session.run(result, {x: other}))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda x: convolutional_network(x[:, 0], [2], 3), ShapeError, r"images are float32\[4, 8\]"),
        (lambda x: convolutional_network(x, [2], 3, pool_size=0), InvalidArgumentError, "pool_size is 0"),
        (lambda x: recurrent_network(x[:, 0, 0], [2], 3), ShapeError, r"sequences are float32\[4\]"),
        (lambda x: recurrent_network(x, [], 3), InvalidArgumentError, "units is empty"),
        (lambda x: recurrent_network(x, [2], 3, cell="ltsm"), InvalidArgumentError, "'ltsm'; use 'lstm', 'gru' or"),
        (lambda x: autoencoder(x, []), InvalidArgumentError, "hidden_units is empty"),
        (
            lambda x: autoencoder(dt.placeholder(dt.float32, [None, None]), [2]),
            ShapeError,
            "all sizes but the first must be known",
        ),
    ],
)
def test_what_is_refused(make: Callable[[Any], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make(dt.zeros([4, 8, 8]))
