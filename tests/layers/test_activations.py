"""Activations on their own: by name, far from zero, as layers, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DovetailError, DTypeError, InvalidArgumentError, ShapeError

NAMES = [
    "celu", "elu", "gelu", "hard_sigmoid", "hard_swish", "hard_tanh", "hardshrink", "leaky_relu", "log_sigmoid",
    "mish", "relu6", "selu", "silu", "softplus", "softshrink", "softsign", "swish", "tanhshrink",
]  # fmt: skip


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feeds)


@pytest.mark.parametrize("name", [*NAMES, "crelu", "glu", "swiglu", "geglu", "reglu", "sparsemax", "log_softmax"])
def test_every_activation_goes_by_its_name(name: str, rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, [None, 6])
    y = dt.layers.dense(x, 4, activation=name)
    assert run(y, {x: rng.normal(size=(3, 6))}).shape == (3, {"crelu": 8}.get(name, 2 if "glu" in name else 4))


@pytest.mark.parametrize("name", NAMES)
def test_nan_stays_and_nothing_overflows(name: str) -> None:
    function = getattr(dt.nn, name)
    assert np.isnan(run(function([np.nan])))
    x = dt.constant([1e4, -1e4, 0.0])
    y = function(x)
    assert np.isfinite(run([y, dt.gradients(y, x)[0]])).all()
    with pytest.raises(DTypeError, match="floating"):
        function([1, 2])


def sparsemax(scores: np.ndarray) -> np.ndarray:
    """The nearest probabilities, by bisection of the threshold."""
    below, above = scores.min() - 1.0, scores.max()
    for _ in range(100):
        middle = (below + above) / 2.0
        below, above = (middle, above) if np.maximum(scores - middle, 0.0).sum() > 1.0 else (below, middle)
    return np.maximum(scores - above, 0.0)


def test_sparsemax_is_the_nearest_point(rng: np.random.Generator) -> None:
    scores = rng.normal(0.0, 1.5, (20, 6))
    scores[0] = 3.0
    scores[1] += 1000.0
    found = run(dt.nn.sparsemax(scores))
    np.testing.assert_allclose(found, [sparsemax(row) for row in scores], atol=1e-11)
    np.testing.assert_allclose(run(dt.nn.sparsemax(scores.T, axis=0)), found.T, atol=1e-12)
    assert (found == 0.0).any()


def test_the_slopes_of_a_rectifier_are_learned() -> None:
    layer = dt.layers.PReLU(shared_axes=(1, -2), alpha_initializer=dt.constant_initializer(0.25))
    x = dt.placeholder(dt.float32, [None, 4, 5, 2])
    y = layer(x)
    assert layer.alpha.shape == [1, 1, 2]
    (slope,) = dt.gradients(y, layer.alpha)
    value, found = run([y, slope], {x: -np.ones((3, 4, 5, 2))})
    assert (value == -0.25).all()
    assert found.tolist() == [[[-60.0, -60.0]]]
    assert dt.layers.prelu(x).shape == x.shape
    assert [weight.shape.as_list() for weight in dt.trainable_variables()] == [[1, 1, 2], [4, 5, 2]]


def test_activations_as_layers(rng: np.random.Generator) -> None:
    x = rng.normal(0.0, 2.0, (3, 4)).astype(np.float32)
    pairs = [
        (dt.layers.relu(x), dt.nn.relu(x)),
        (dt.layers.relu(x, max_value=6.0), dt.nn.relu6(x)),
        (dt.layers.leaky_relu(x), dt.nn.leaky_relu(x, 0.3)),
        (dt.layers.elu(x), dt.nn.elu(x)),
        (dt.layers.thresholded_relu(x, 0.5), dt.nn.threshold(x, 0.5)),
        (dt.layers.softmax(x, 0), dt.nn.softmax(x, 0)),
        (dt.layers.LeakyReLU(0.1)(x), dt.layers.ReLU(negative_slope=0.1)(x)),
    ]
    for one, other in run(pairs):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: dt.nn.glu(dt.ones([2, 5])),
            ShapeError,
            r"glu: .* float32\[2, 5\], whose axis -1 has the odd size 5",
        ),
        (lambda: dt.nn.swiglu(dt.ones([2, 4]), 2), ShapeError, r"swiglu: axis 2 is out of range; .* float32\[2, 4\]"),
        (lambda: dt.nn.sparsemax([1, 2]), DTypeError, r"sparsemax: the logits are int32\[2\]"),
        (lambda: dt.layers.prelu(dt.ones([2, 3]), shared_axes=0), ShapeError, r"shared_axes is 0; .*from 1 to 1 can"),
        (lambda: dt.layers.relu([1.0], -1.0), InvalidArgumentError, r"relu: max_value is -1; it must not be negative"),
    ],
)
def test_what_does_not_fit(make: Callable[[], Any], kind: type[DovetailError], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()
