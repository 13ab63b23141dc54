"""Normalisation beside what PyTorch computed (tools/record_torch_normalization.py), in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dovetail as dt
from tests.layers.recorded import CLOSE, Recorded

RECORDED = Recorded("torch_normalization")


@pytest.mark.parametrize(("name", "groups"), [("group", 3), ("group_one", 1), ("group_vectors", 2)])
def test_groups_of_channels(name: str, groups: int) -> None:
    RECORDED.check_layer(name, dt.layers.GroupNormalization(groups), "gamma", "beta")


def test_channels_of_one_example() -> None:
    RECORDED.check_layer("instance", dt.layers.InstanceNormalization(), "gamma", "beta")


@pytest.mark.parametrize("kind", ["group", "instance"])
def test_channels_first_are_the_same_transposed(kind: str) -> None:
    recorded = RECORDED.case(kind)
    x, gamma, beta = recorded["x"].transpose(0, 3, 1, 2), recorded["gamma"], recorded["beta"]
    if kind == "group":
        y = dt.nn.group_normalization(x, 3, gamma, beta, axis=1)
    else:
        y = dt.nn.instance_normalization(x, gamma, beta, axis=1)
    np.testing.assert_allclose(dt.Session().run(y), recorded["y"].transpose(0, 3, 1, 2), **CLOSE)


@pytest.mark.parametrize(("name", "axis"), [("rms", -1), ("rms_two_axes", (1, 2))])
def test_root_mean_squares(name: str, axis: Any) -> None:
    RECORDED.check_layer(name, dt.layers.RMSNormalization(axis, 1e-3), "gamma")


@pytest.mark.parametrize(
    ("name", "layer"),
    [("weight_dense", dt.layers.Dense(3)), ("weight_convolution", dt.layers.Conv2D(3, (3, 2)))],
)
def test_kernels_with_lengths_of_their_own(name: str, layer: Any) -> None:
    RECORDED.check_layer(name, dt.layers.WeightNormalization(layer), "g", "kernel", "bias")


@pytest.mark.parametrize(
    ("name", "layer", "iterations"),
    [("spectral_dense", dt.layers.Dense(3), 1), ("spectral_convolution", dt.layers.Conv2D(3, 3), 2)],
)
def test_kernels_over_their_greatest_singular_value(name: str, layer: Any, iterations: int) -> None:
    wrapped = dt.layers.SpectralNormalization(layer, power_iterations=iterations)
    RECORDED.check_layer(name, wrapped, "u", "kernel", "bias", training=True)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        wrapped.u.load(RECORDED[f"{name}/u"], session)
        layer.kernel.load(RECORDED[f"{name}/kernel"], session)
        session.run(wrapped.updates)
        np.testing.assert_allclose(session.run(wrapped.u), RECORDED[f"{name}/next_u"], **CLOSE)
