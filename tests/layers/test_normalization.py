"""Normalisation layers on their own: half types, wrapped layers, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DovetailError, InvalidArgumentError, LayerError, ShapeError
from dovetail.extend import Layer


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feeds)


LAYERS: list[Callable[[Any], Any]] = [
    lambda x: dt.layers.group_normalization(x, 2),
    lambda x: dt.layers.group_normalization(x, 3, axis=1),
    lambda x: dt.layers.instance_normalization(x),
    lambda x: dt.layers.instance_normalization(x, 1, center=False, scale=False),
    lambda x: dt.layers.rms_normalization(x),
    lambda x: dt.layers.rms_normalization(x, (1, -1), scale=False),
    lambda x: dt.layers.rms_normalization(x, 1),
    lambda x: dt.layers.weight_normalization(x, dt.layers.Dense(4)),
    lambda x: dt.layers.spectral_normalization(x, dt.layers.Dense(4), training=True),
]


@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_batches_of_any_size_and_half_types(make: Callable[[Any], Any], dtype: str, rng: np.random.Generator) -> None:
    x = dt.placeholder(dtype, [None, 3, 5, 4])
    y = make(x)
    assert y.shape.as_list() == [None, 3, 5, 4]
    assert y.dtype is x.dtype
    for batch in (0, 1, 5):
        value = run(y, {x: rng.normal(3.0, 2.0, (batch, 3, 5, 4))})
        assert value.shape == (batch, 3, 5, 4)
        assert np.isfinite(value.astype(np.float32)).all()


def test_what_groups_are_normalised_to(rng: np.random.Generator) -> None:
    x = rng.normal(3.0, 2.0, (2, 7, 6))
    y = run(dt.layers.group_normalization(x, 3, epsilon=0.0))
    for part in np.split(y, 3, axis=2):
        np.testing.assert_allclose(part.mean((1, 2)), 0.0, atol=1e-12)
        np.testing.assert_allclose(part.std((1, 2)), 1.0, atol=1e-12)


def test_older_names_of_batch_normalisation(rng: np.random.Generator) -> None:
    x, parts = rng.normal(size=(2, 3, 3, 4)), rng.uniform(0.5, 2.0, (4, 4))
    mean, variance, offset, scale = parts
    old = dt.nn.batch_norm_with_global_normalization
    found = [
        old(x, mean, variance, offset, scale, 0.1, True),
        old(input=x, mean=mean, variance=variance, beta=offset, variance_epsilon=0.1),
    ]
    normal = (x - mean) / np.sqrt(variance + 0.1)
    for one, expected in zip(run(found), (normal * scale + offset, normal + offset), strict=True):
        np.testing.assert_allclose(one, expected)
    with pytest.raises(InvalidArgumentError, match=r"give m \(mean\), once"):
        old(x, v=variance)


class Twice(Layer):
    """A layer whose kernel is used in two places."""

    def build(self, x: Any) -> None:
        self.kernel = self.weight("kernel", [x.dims[-1], x.dims[-1]])

    def call(self, x: dt.Tensor) -> dt.Tensor:
        return dt.matmul(dt.matmul(x, self.kernel), self.kernel)


def test_a_wrapped_layer_keeps_its_kernel_and_begins_where_it_would() -> None:
    layer = Twice()
    wrapped = dt.layers.WeightNormalization(layer)
    x = dt.placeholder(dt.float32, [None, 3])
    y, plain = wrapped(x), layer(x)
    assert isinstance(layer.kernel, dt.Variable)
    one, other, g, kernel = run([y, plain, wrapped.g, layer.kernel], {x: np.eye(3)})
    np.testing.assert_allclose(one, other, rtol=1e-5)
    np.testing.assert_allclose(g[0], np.linalg.norm(kernel, axis=0), rtol=1e-6)
    assert [weight.op.name for weight in wrapped.trainable_weights] == [
        "weight_normalization/g",
        "weight_normalization/layer/kernel",
    ]


def test_a_wrapped_layer_within_a_branch_and_called_again() -> None:
    wrapped = dt.layers.WeightNormalization(dt.layers.Dense(2, use_bias=False))
    flag, x = dt.placeholder(dt.bool, []), dt.ones([1, 2])
    y = dt.cond(flag, lambda: wrapped(x), lambda: x)
    again = wrapped(x)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        one, other = session.run([y, again], {flag: True})
        np.testing.assert_allclose(one, other)


def test_a_wrapped_layer_whose_kernel_is_regularized_and_constrained() -> None:
    inner = dt.layers.Dense(
        3, kernel_regularizer=dt.layers.l2_regularizer(1.0), kernel_constraint=dt.constraints.MaxNorm(0.5)
    )
    wrapped = dt.layers.SpectralNormalization(inner)
    loss = dt.reduce_sum(dt.square(wrapped(dt.ones([2, 4]), training=True)))
    assert len(wrapped.losses) == len(dt.losses.get_regularization_losses()) == 1
    step = dt.train.GradientDescentOptimizer(0.1).minimize(loss)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        before = session.run(wrapped.u)
        session.run(step)
        assert not np.allclose(session.run(wrapped.u), before)
        assert np.linalg.norm(session.run(inner.kernel), axis=0).max() <= 0.5 + 1e-6


def test_the_greatest_singular_value_is_found_and_kept_in_evaluation(rng: np.random.Generator) -> None:
    kernel = rng.normal(size=(6, 4)).astype(np.float32)
    inner = dt.layers.Dense(4, use_bias=False)
    wrapped = dt.layers.SpectralNormalization(inner, power_iterations=50)
    training = dt.placeholder_with_default(False, [])
    y = wrapped(dt.eye(6), training=training)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        inner.kernel.load(kernel, session)
        session.run(wrapped.updates, {training: True})
        expected = kernel / np.linalg.norm(kernel, 2)
        np.testing.assert_allclose(session.run(y), expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(session.run(y, {training: True}), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: dt.layers.WeightNormalization(dt.layers.LSTM(3), "recurrent_kernel"), [2, 5, 4]),
        (lambda: dt.layers.SpectralNormalization(dt.layers.GRU(3)), [2, 5, 4]),
        (lambda: dt.layers.WeightNormalization(dt.layers.DepthwiseConv2D(3), "depthwise_kernel"), [2, 5, 5, 4]),
        (lambda: dt.layers.WeightNormalization(dt.layers.Conv2DTranspose(5, 3), axis=-2), [2, 5, 5, 4]),
        (lambda: dt.layers.SpectralNormalization(dt.layers.SeparableConv2D(5, 3), "pointwise_kernel"), [2, 5, 5, 4]),
        (lambda: dt.layers.SpectralNormalization(dt.layers.Embedding(4, 3), "embeddings"), [2]),
    ],
)
def test_layers_of_every_kind_learn_when_wrapped(make: Callable[[], Any], shape: list[int]) -> None:
    dt.set_random_seed(1)
    x = dt.ones(shape, dt.float32 if len(shape) > 1 else dt.int32)
    loss = dt.reduce_sum(dt.square(make()(x, training=True)))
    step = dt.train.AdamOptimizer(0.01).minimize(loss)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        before = session.run(loss)
        for _ in range(3):
            session.run(step)
        assert session.run(loss) < before


def test_configurations_come_back() -> None:
    for layer in (
        dt.layers.WeightNormalization(dt.layers.Conv2D(3, 3), axis=-1),
        dt.layers.SpectralNormalization(dt.layers.Dense(3), power_iterations=2),
        dt.layers.Dense(
            3,
            kernel_constraint=dt.constraints.MinMaxNorm(0.5, 2.0, axis=(0, 1)),
            kernel_regularizer=dt.layers.sum_regularizer(
                [dt.layers.l1_l2_regularizer(), dt.layers.l1_regularizer(2.0)]
            ),
        ),
        dt.layers.GroupNormalization(4, beta_constraint=dt.constraints.NonNeg()),
    ):
        config = layer.get_config()
        assert type(layer).from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: dt.layers.group_normalization(dt.ones([2, 5]), 2),
            ShapeError,
            r"group_normalization: the input is float32\[2, 5\], whose axis -1 has the size 5; 2 groups want",
        ),
        (
            lambda: dt.layers.group_normalization(dt.ones([2, 4]), 2, 0),
            ShapeError,
            r"group_normalization: axis 0 is that of the batch; the input is float32\[2, 4\]",
        ),
        (
            lambda: dt.nn.group_normalization(dt.ones([2, 4]), 2, axis=3),
            ShapeError,
            r"group_normalization: the input is float32\[2, 4\], axis 3; a known rank is wanted",
        ),
        (
            lambda: dt.layers.group_normalization(dt.ones([2, 4]), 0),
            InvalidArgumentError,
            "group_normalization: groups is 0; it must be positive",
        ),
        (
            lambda: dt.nn.instance_normalization(dt.ones([2, 4])),
            ShapeError,
            r"instance_normalization: the input is float32\[2, 4\]; rank 3 or more is wanted",
        ),
        (
            lambda: dt.layers.rms_normalization(dt.ones([2, 4]), 2),
            ShapeError,
            r"rms_normalization: axis 2 is out of range; the input is float32\[2, 4\]",
        ),
        (
            lambda: dt.layers.rms_normalization(dt.ones([2, 4]), ()),
            InvalidArgumentError,
            "rms_normalization: axis is empty; give one axis or more",
        ),
        (
            lambda: dt.layers.rms_normalization(dt.ones([2, 4]), epsilon=-1.0),
            InvalidArgumentError,
            "rms_normalization: epsilon is -1; it must not be negative",
        ),
        (
            lambda: dt.layers.batch_normalization(dt.ones([2, 4]), renorm=True),
            InvalidArgumentError,
            "batch_normalization: renorm is not supported; leave it off, or use group_normalization",
        ),
        (
            lambda: dt.layers.batch_normalization(dt.ones([2, 4]), virtual_batch_size=8),
            InvalidArgumentError,
            "batch_normalization: virtual_batch_size is 8, which is not supported; leave it off, or split",
        ),
        (
            lambda: dt.nn.fused_batch_norm(dt.ones([2, 4, 4, 1]), [1.0], [0.0], is_training=False),
            InvalidArgumentError,
            "fused_batch_norm: mean and variance are needed where is_training is False",
        ),
        (
            lambda: dt.nn.fused_batch_norm(dt.ones([2, 4, 4, 1]), [1.0], [0.0], data_format="NHW"),
            InvalidArgumentError,
            "fused_batch_norm: data_format is 'NHW'; use 'NHWC' or 'NCHW'",
        ),
        (
            lambda: dt.layers.weight_normalization(dt.ones([2, 4]), dt.layers.Dense(3), "weights"),
            LayerError,
            r"weight_normalization: Dense\(units=3\) has no weight 'weights'; it has bias, kernel. Give parameter",
        ),
        (
            lambda: dt.layers.weight_normalization(dt.ones([2, 4]), dt.layers.Dense(3), axis=2),
            InvalidArgumentError,
            r"weight_normalization: axis 2 is out of range; 'kernel' has the shape \[4, 3\]",
        ),
        (
            lambda: dt.layers.SpectralNormalization(dt.layers.Dense(3), power_iterations=0),
            InvalidArgumentError,
            "spectral_normalization: power_iterations is 0; it must be positive",
        ),
    ],
)
def test_what_does_not_fit(make: Callable[[], Any], kind: type[DovetailError], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()
