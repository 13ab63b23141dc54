"""Random omission and noise, regularizers and constraints, on their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DovetailError, DTypeError, InvalidArgumentError, ShapeError


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feeds)


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (dt.layers.spatial_dropout1d, [30, 5, 20]),
        (dt.layers.spatial_dropout2d, [30, 3, 4, 20]),
        (dt.layers.spatial_dropout3d, [30, 2, 2, 3, 20]),
    ],
)
def test_whole_channels_are_dropped(function: Callable[..., Any], shape: list[int]) -> None:
    dt.set_random_seed(3)
    first = [shape[0], shape[-1], *shape[1:-1]]
    last, other = run(
        [
            function(dt.ones(shape), 0.25, training=True),
            function(dt.ones(first), 0.25, "channels_first", training=True),
        ]
    )
    for maps in (last.reshape(30, -1, 20).transpose(0, 2, 1), other.reshape(30, 20, -1)):
        assert set(np.unique(maps).tolist()) == {0.0, np.float32(1.0 / 0.75)}
        assert (maps == maps[:, :, :1]).all()
        assert (maps == 0.0).mean() == pytest.approx(0.25, abs=0.05)


RANDOM: list[Callable[..., Any]] = [
    lambda x, **more: dt.layers.spatial_dropout1d(x, 0.5, **more),
    lambda x, **more: dt.layers.alpha_dropout(x, 0.5, **more),
    lambda x, **more: dt.layers.gaussian_dropout(x, 0.5, **more),
    lambda x, **more: dt.layers.gaussian_noise(x, 0.5, **more),
]


@pytest.mark.parametrize("function", RANDOM)
def test_nothing_happens_in_evaluation_and_all_follow_their_seed(function: Callable[..., Any]) -> None:
    dt.set_random_seed(5)
    training = dt.placeholder_with_default(False, [])
    x = dt.ones([4, 5, 6])
    y = function(x, seed=1, training=training)
    with dt.Session() as one, dt.Session() as other:
        np.testing.assert_array_equal(one.run(y), np.ones([4, 5, 6]))
        first = one.run(y, {training: True})
        assert not np.array_equal(first, np.ones([4, 5, 6]))
        assert not np.array_equal(first, one.run(y, {training: True}))
        np.testing.assert_array_equal(first, other.run(y, {training: True}))
    assert run(function(x)).tolist() == np.ones([4, 5, 6]).tolist()


def test_alpha_dropout_keeps_mean_and_variance(rng: np.random.Generator) -> None:
    dt.set_random_seed(7)
    x = rng.normal(size=(300, 300))
    y = run(dt.layers.alpha_dropout(x, 0.3, training=True))
    assert y.mean() == pytest.approx(0.0, abs=0.02)
    assert y.std() == pytest.approx(1.0, abs=0.02)
    values, counts = np.unique(y, return_counts=True)
    assert counts.max() / y.size == pytest.approx(0.3, abs=0.02)
    assert np.array_equal(values[counts > 1], values[counts == counts.max()])
    assert run(dt.nn.alpha_dropout(x, 0.0)).tolist() == x.tolist()


def test_moments_of_noise() -> None:
    dt.set_random_seed(8)
    x = dt.fill([300, 300], 2.0)
    scaled, moved = run(
        [dt.layers.gaussian_dropout(x, 0.2, training=True), dt.layers.gaussian_noise(x, 0.7, training=True)]
    )
    assert scaled.mean() == pytest.approx(2.0, abs=0.02)
    assert scaled.std() == pytest.approx(2.0 * 0.5, abs=0.02)
    assert moved.mean() == pytest.approx(2.0, abs=0.02)
    assert moved.std() == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize(
    ("constraint", "axis", "expected"),
    [
        (dt.constraints.max_norm(1.0), 0, lambda norms: np.minimum(norms, 1.0)),
        (dt.constraints.unit_norm(), 0, np.ones_like),
        (dt.constraints.min_max_norm(0.9, 1.1), 0, lambda norms: np.clip(norms, 0.9, 1.1)),
    ],
)
def test_constraints_hold_after_each_update(constraint: Any, axis: int, expected: Any) -> None:
    layer = dt.layers.Dense(5, kernel_constraint=constraint)
    loss = dt.reduce_sum(dt.square(layer(dt.ones([2, 3])) - 5.0))
    step = dt.train.GradientDescentOptimizer(0.05).minimize(loss)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for _ in range(3):
            session.run(step)
            norms = np.linalg.norm(session.run(layer.kernel), axis=axis)
            np.testing.assert_allclose(norms, expected(norms), rtol=1e-5)


def test_regularization_of_given_and_of_collected_weights() -> None:
    weights = [dt.constant([3.0, 4.0]), dt.Variable([1.0, -1.0])]
    given = dt.layers.apply_regularization(dt.layers.l2_regularizer(2.0), weights)
    for weight in weights:
        dt.add_to_collection(dt.GraphKeys.WEIGHTS, weight)
    collected = dt.layers.apply_regularization(dt.layers.l1_regularizer(1.0))
    assert dt.losses.get_regularization_losses() == [given, collected]
    assert run([given, collected]) == [27.0, 9.0]


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: dt.layers.spatial_dropout2d(dt.ones([1, 2, 2, 1]), 1.0),
            InvalidArgumentError,
            "spatial_dropout2d: rate is 1; it must be at least 0 and less than 1",
        ),
        (
            lambda: dt.layers.spatial_dropout1d(dt.ones([1, 2, 1]), data_format="NWC"),
            InvalidArgumentError,
            "spatial_dropout1d: data_format is 'NWC'; use 'channels_last' or 'channels_first'",
        ),
        (
            lambda: dt.layers.spatial_dropout1d(dt.ones([1, 2])),
            ShapeError,
            r"spatial_dropout1d: input 0 is float32\[1, 2\], of rank 2; rank 3 is expected",
        ),
        (lambda: dt.layers.AlphaDropout(-1.0), InvalidArgumentError, "alpha_dropout: rate is -1; it must be"),
        (lambda: dt.nn.alpha_dropout([1, 2]), DTypeError, r"alpha_dropout: the input is int32\[2\]"),
        (lambda: dt.layers.GaussianDropout(1.0), InvalidArgumentError, "gaussian_dropout: rate is 1; it must be"),
        (lambda: dt.layers.GaussianNoise(-0.5), InvalidArgumentError, "gaussian_noise: stddev is -0.5; it must not"),
        (lambda: dt.constraints.max_norm(-1.0), InvalidArgumentError, "max_norm: max_value is -1; it must not be"),
        (
            lambda: dt.constraints.min_max_norm(2.0, 1.0),
            InvalidArgumentError,
            "min_max_norm: min_value is 2, max_value 1; the first must not be negative, nor greater",
        ),
        (
            lambda: dt.constraints.min_max_norm(rate=2.0),
            InvalidArgumentError,
            "min_max_norm: rate is 2; it must be from 0 to 1",
        ),
        (
            lambda: dt.layers.l1_l2_regularizer(scale_l2=-1.0),
            InvalidArgumentError,
            "l1_l2_regularizer: scale_l2 is -1; it must not be negative",
        ),
        (
            lambda: dt.layers.orthogonal_regularizer(mode="diagonal"),
            InvalidArgumentError,
            "orthogonal_regularizer: mode is 'diagonal'; use 'rows' or 'columns'",
        ),
        (
            lambda: dt.layers.orthogonal_regularizer()(dt.ones([3])),
            ShapeError,
            r"orthogonal_regularizer: the weight is float32\[3\]; a matrix is wanted",
        ),
        (lambda: dt.layers.sum_regularizer([]), InvalidArgumentError, "sum_regularizer: there are no regularizers"),
        (
            lambda: dt.layers.apply_regularization(dt.layers.l1_regularizer(1.0)),
            InvalidArgumentError,
            "apply_regularization: there are no weights; give weights_list",
        ),
    ],
)
def test_what_does_not_fit(make: Callable[[], Any], kind: type[DovetailError], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()
