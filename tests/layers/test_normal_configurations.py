"""Normalisation layers and weighted losses in configurations made by chance, beside their definitions in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings

import dovetail as dt
from tests.conftest import LONG_TESTS
from tests.layers.normal_configurations import (
    Normalized,
    Weighted,
    expected_loss,
    expected_output,
    losses,
    normalizations,
)


@settings(max_examples=600 if LONG_TESTS else 60)
@given(normalizations())
def test_normalisation(config: Normalized) -> None:
    with dt.Graph().as_default():
        layer, rng = config.layer(), config.rng
        x = dt.placeholder(config.dtype, config.fed())
        options: dict[str, Any] = {"training": True} if config.kind == "BatchNormalization" else {}
        y = layer(x, **options)
        array = rng.normal(1.0, 2.0, config.shape).astype(config.dtype)
        weights = {variable.op.name.rpartition("/")[2]: variable for variable in layer.trainable_weights}
        named = {"gamma": config.scale, "beta": config.center and config.kind != "RMSNormalization"}
        assert set(weights) == {name for name, there in named.items() if there}
        values = {name: rng.normal(size=one.shape.as_list()) for name, one in weights.items()}
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            for name, value in values.items():
                weights[name].load(value, session)
            found = session.run(y, {x: array})
    expected = expected_output(config, array.astype(np.float64), values.get("gamma"), values.get("beta"))
    tolerance = 1e-10 if config.dtype == "float64" else 2e-4
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@settings(max_examples=600 if LONG_TESTS else 60)
@given(losses())
def test_weighted_losses(config: Weighted) -> None:
    with dt.Graph().as_default():
        values, weights = config.arrays
        fed = dt.placeholder(dt.float64, [None] * values.ndim)
        static = dt.losses.compute_weighted_loss(values, weights, reduction=config.reduction)
        open_sizes = dt.losses.compute_weighted_loss(fed, weights, reduction=config.reduction)
        with dt.Session() as session:
            found = session.run([static, open_sizes], {fed: values})
    for one in found:
        np.testing.assert_allclose(one, expected_loss(config), rtol=1e-12, atol=1e-12)
