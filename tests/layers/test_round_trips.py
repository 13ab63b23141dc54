"""Normalising, random and activating layers: what is saved comes back, and gradients of gradients are right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt

LAYERS: dict[str, Callable[[], Any]] = {
    "batch_normalization": lambda: dt.layers.BatchNormalization(),
    "layer_normalization": lambda: dt.layers.LayerNormalization(),
    "group_normalization": lambda: dt.layers.GroupNormalization(2, beta_constraint=dt.constraints.NonNeg()),
    "instance_normalization": lambda: dt.layers.InstanceNormalization(),
    "rms_normalization": lambda: dt.layers.RMSNormalization((1, -1)),
    "weight_normalization": lambda: dt.layers.WeightNormalization(dt.layers.Conv1D(4, 2)),
    "spectral_normalization": lambda: dt.layers.SpectralNormalization(
        dt.layers.Dense(4, kernel_regularizer=dt.layers.sum_regularizer([dt.layers.orthogonal_regularizer()]))
    ),
    "prelu": lambda: dt.layers.PReLU(dt.constant_initializer(0.25), shared_axes=1),
    "relu": lambda: dt.layers.ReLU(2.0, 0.1, 0.25),
    "leaky_relu": lambda: dt.layers.LeakyReLU(),
    "elu": lambda: dt.layers.ELU(0.5),
    "thresholded_relu": lambda: dt.layers.ThresholdedReLU(0.5),
    "softmax": lambda: dt.layers.Softmax(1),
    "spatial_dropout1d": lambda: dt.layers.SpatialDropout1D(0.25, seed=1),
    "alpha_dropout": lambda: dt.layers.AlphaDropout(0.25, seed=2),
    "gaussian_dropout": lambda: dt.layers.GaussianDropout(0.25, seed=3),
    "gaussian_noise": lambda: dt.layers.GaussianNoise(0.25, seed=4),
}
SMOOTH = [
    "batch_normalization", "layer_normalization", "group_normalization", "instance_normalization",
    "rms_normalization", "weight_normalization", "spectral_normalization", "softmax",
]  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_a_network_comes_back_with_its_weights_and_its_randomness(
    name: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    layer = LAYERS[name]()
    training = dt.placeholder_with_default(False, [], name="training")
    x = dt.placeholder(dt.float32, [None, 3, 4], name="x")
    y = dt.identity(layer(x, training=training), name="y")
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    array = rng.normal(size=(5, 3, 4))
    feeds = [{"x:0": array, "training:0": flag} for flag in (False, True)]
    dt.get_variable("step", [], trainable=False)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        dt.train.Saver().save(session, tmp_path / "net")
        expected = [session.run(y, each) for each in feeds]
    with dt.Graph().as_default() as graph, dt.Session(graph=graph) as session:
        dt.train.import_meta_graph(tmp_path / "net.meta").restore(session, tmp_path / "net")
        found = [session.run("y:0", each) for each in feeds]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", SMOOTH)
def test_a_penalty_of_the_gradient_has_the_gradient_of_its_differences(name: str, rng: np.random.Generator) -> None:
    """As where a critic's slope is to be 1."""
    layer = LAYERS[name]()
    x = dt.placeholder(dt.float64, [2, 3, 4])
    y = layer(dt.tanh(dt.layers.dense(x, 4, name="first")), training=True)
    slope = dt.gradients(dt.reduce_sum(dt.sin(y)), x)[0]
    penalty = dt.reduce_sum(dt.square(slope))
    weight = dt.trainable_variables()[0]
    gradient = dt.gradients(penalty, weight)[0]
    array, kernel, direction = rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())

        def at(shift: float, fetch: Any) -> Any:
            weight.load(kernel + shift * direction, session)
            return session.run(fetch, {x: array})

        claimed = float((at(0.0, gradient) * direction).sum())
        measured = float(at(1e-6, penalty) - at(-1e-6, penalty)) / 2e-6
    assert claimed == pytest.approx(measured, rel=1e-5, abs=1e-6)
