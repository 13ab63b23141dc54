"""Networks on images: a training step runs natively as a whole, and computes what the reference does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import dovetail as dt
from tests.backend_cpu import conformance


def mobile(x: dt.Tensor) -> dt.Tensor:
    """Depthwise and separable convolutions, in groups, with a residual connection (Howard et al., 2017)."""
    x = dt.layers.conv2d(x, 8, 3, 2, "same", activation="relu6")
    y = dt.layers.depthwise_conv2d(x, 3, padding="same", depth_multiplier=3, activation="relu6")
    x = x + dt.layers.conv2d(y, 8, 1)
    x = dt.layers.separable_conv2d(x, 12, 3, 2, "same", activation="relu")
    x = dt.layers.conv2d(x, 12, 3, padding="same", groups=4)
    return dt.layers.dense(dt.layers.global_average_pooling2d(x), 3)


def hourglass(x: dt.Tensor) -> dt.Tensor:
    """Down by pooling, up by transposed convolution, interpolation and repetition (Ronneberger et al., 2015)."""
    top = dt.layers.conv2d(x, 4, 3, padding="same", activation="relu")
    low = dt.layers.conv2d(dt.layers.max_pooling2d(top, 2), 6, 3, padding="same", activation="relu")
    first = dt.layers.conv2d_transpose(low, 4, 3, 2, "same")
    second = dt.layers.conv2d(dt.layers.up_sampling2d(low, interpolation="bilinear"), 4, 1)
    third = dt.layers.conv2d(dt.layers.up_sampling2d(low), 4, 1)
    y = dt.concat([top, first, second, third], -1)
    y = dt.layers.cropping2d(dt.layers.zero_padding2d(y, 2), 1)
    return dt.layers.flatten(dt.layers.adaptive_average_pooling2d(dt.layers.conv2d(y, 2, 3), (3, 4)))


def others(x: dt.Tensor) -> dt.Tensor:
    """What is used seldom: dilated windows, places of maxima, morphology, bicubic and area resizing."""
    parts = [
        dt.nn.pool(x, [2, 2], "MAX", "VALID", dilation_rate=2),
        dt.nn.pool(x, [2, 2], "AVG", "SAME", dilation_rate=2),
        dt.nn.dilation2d(x, dt.zeros([2, 2, 2]), 2, 1, "SAME"),
        dt.image.resize_bicubic(x, [5, 4]),
        dt.image.resize_area(x, [5, 4]),
        dt.layers.adaptive_max_pooling2d(x, (5, 3)),
        dt.cast(dt.nn.max_pool_with_argmax(x, 2)[1], dt.float32),
        dt.nn.atrous_conv2d(x, dt.ones([3, 3, 2, 2]), 2, "SAME"),
    ]
    return dt.concat([dt.layers.flatten(part) for part in parts], 1)


def sequence(x: dt.Tensor) -> dt.Tensor:
    """One spatial axis: rows as sequences."""
    y = dt.layers.conv1d(dt.reshape(x, [-1, 80, 2]), 4, 3, padding="causal", dilation_rate=2, activation="relu")
    y = dt.layers.average_pooling1d(dt.layers.separable_conv1d(y, 6, 3, padding="same"), 2)
    return dt.layers.flatten(dt.layers.conv1d_transpose(y, 3, 4, 2))


def volume(x: dt.Tensor) -> dt.Tensor:
    """Three spatial axes: a batch of one volume to each image."""
    y = dt.layers.conv3d(dt.reshape(x, [-1, 4, 5, 4, 2]), 4, 3, padding="same", activation="relu")
    y = dt.layers.conv3d_transpose(dt.layers.max_pooling3d(y, 2), 3, 2, 2)
    return dt.layers.flatten(dt.layers.up_sampling3d(y, 2))


@pytest.mark.parametrize("network", [mobile, hourglass, others, sequence, volume], ids=lambda one: one.__name__)
def test_a_training_step(network: Callable[[dt.Tensor], dt.Tensor], rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, [None, 10, 8, 2])
    y = network(x)
    target = rng.normal(size=y.shape[-1]).astype(np.float32)
    loss = dt.reduce_mean(dt.square(y / 10.0 - target))
    variables = dt.trainable_variables()
    gradients = dt.gradients(loss, [x, *variables])
    fed = {x: rng.normal(size=(3, 10, 8, 2)).astype(np.float32)}
    with conformance.session(conformance.REFERENCE) as session:
        session.run(dt.global_variables_initializer())
        weights = session.run(list(variables))
    for backend in ("cpu", conformance.REFERENCE):
        with conformance.session(backend) as session:
            for variable, weight in zip(variables, weights, strict=True):
                variable.load(weight, session)
            result = session.run([y, loss, *gradients], fed)
            if backend == "cpu":
                found = result
                assert not conformance.fallen_back(session, backend)
    conformance.assert_agree(found, result)
