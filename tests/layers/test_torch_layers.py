"""Layers and functions of networks beside what PyTorch computed (tools/record_torch.py), in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from tests.layers.recorded import CLOSE, Recorded, load

RECORDED = Recorded("torch")
case, check, check_layer = RECORDED.case, RECORDED.check, RECORDED.check_layer


def test_dense() -> None:
    check_layer("dense", dt.layers.Dense(3, activation="tanh"), "kernel", "bias")


def test_dense_along_the_last_of_three_axes() -> None:
    check_layer("dense_rank3", dt.layers.Dense(5, use_bias=False), "kernel")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("conv2d_valid", {}),
        ("conv2d_same", {"padding": "same"}),
        ("conv2d_valid_strides", {"strides": 2}),
        ("conv2d_same_strides", {"strides": (2, 2), "padding": "SAME"}),
        ("conv2d_same_dilated", {"dilation_rate": 2, "padding": "same"}),
    ],
)
def test_conv2d(name: str, options: dict[str, Any]) -> None:
    check_layer(name, dt.layers.Conv2D(4, (3, 2), **options), "kernel", "bias")


def test_conv2d_with_channels_first_is_the_same_transposed() -> None:
    recorded = case("conv2d_same_strides")
    layer = dt.layers.Conv2D(4, (3, 2), strides=2, padding="same", data_format="channels_first")
    y = layer(recorded["x"].transpose(0, 3, 1, 2))
    with dt.Session() as session:
        load(session, layer, [recorded["kernel"], recorded["bias"]])
        value = session.run(y)
    np.testing.assert_allclose(value, recorded["y"].transpose(0, 3, 1, 2), **CLOSE)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("max_pool", dt.layers.MaxPooling2D(2, 2)),
        ("max_pool_same", dt.layers.MaxPooling2D((3, 3), (2, 2), padding="same")),
        ("avg_pool", dt.layers.AveragePooling2D(2, 2)),
    ],
)
def test_pooling(name: str, layer: Any) -> None:
    check_layer(name, layer)


@pytest.mark.parametrize("name", ["batch_norm_images", "batch_norm_vectors"])
@pytest.mark.parametrize("flag", ["bool", "placeholder"])
def test_batch_normalization_over_three_batches_and_in_evaluation(name: str, flag: str) -> None:
    weights = case(name)
    layer = dt.layers.BatchNormalization(momentum=0.9, epsilon=1e-3)
    x = dt.placeholder(dt.float64, [None, *case(f"{name}/0")["x"].shape[1:]])
    cotangent = dt.placeholder(dt.float64, x.shape)
    training = dt.placeholder(dt.bool, [])
    outputs = {True: layer(x, training=training)}
    outputs[False] = outputs[True]
    if flag == "bool":
        layer = dt.layers.BatchNormalization(momentum=0.9, epsilon=1e-3)
        outputs = {True: layer(x, training=True), False: layer(x)}
    gradients = {key: dt.gradients(y, [x, layer.gamma, layer.beta], cotangent) for key, y in outputs.items()}
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        layer.gamma.load(weights["gamma"], session)
        layer.beta.load(weights["beta"], session)
        for step in range(4):
            recorded = case(f"{name}/{step}")
            feeds = {x: recorded["x"], cotangent: recorded["cotangent"]}
            if flag == "placeholder":
                feeds[training] = step < 3
            y, found, _ = session.run(
                [outputs[step < 3], gradients[step < 3], layer.updates if step < 3 else []], feeds
            )
            np.testing.assert_allclose(y, recorded["y"], **CLOSE)
            for key, gradient in zip(("x", "gamma", "beta"), found, strict=True):
                np.testing.assert_allclose(gradient, recorded[f"grad_{key}"], rtol=1e-8, atol=1e-10, err_msg=key)
            mean, variance = session.run([layer.moving_mean, layer.moving_variance])
            np.testing.assert_allclose(mean, recorded["mean"], **CLOSE)
            np.testing.assert_allclose(variance, recorded["variance"], **CLOSE)


@pytest.mark.parametrize(
    "name",
    [
        "relu", "relu6", "elu", "selu", "leaky_relu", "softplus", "softsign", "sigmoid", "tanh", "gelu", "swish",
        "hard_sigmoid",
    ],
)  # fmt: skip
def test_activations(name: str) -> None:
    check(f"activation/{name}", getattr(dt.nn, name), "x")


def test_gelu_by_a_tangent() -> None:
    check("activation/gelu_tanh", lambda x: dt.nn.gelu(x, approximate=True), "x")


def test_softmax() -> None:
    check("softmax", dt.nn.softmax, "x")
    check("softmax_axis", lambda x: dt.nn.softmax(x, axis=0), "x")
    check("log_softmax", dt.nn.log_softmax, "x")


def test_cross_entropies() -> None:
    labels = RECORDED["sparse_cross_entropy/labels"]
    check(
        "sparse_cross_entropy", lambda x: dt.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x), "x"
    )
    check("cross_entropy", lambda x, p: dt.nn.softmax_cross_entropy_with_logits_v2(p, x), "x", "labels")
    check(
        "sigmoid_cross_entropy",
        lambda x, p: dt.nn.sigmoid_cross_entropy_with_logits(labels=p, logits=x),
        "x",
        "labels",
    )


def test_losses() -> None:
    labels = np.eye(5)[RECORDED["smoothed_cross_entropy/labels"]]
    check("smoothed_cross_entropy", lambda x: dt.losses.softmax_cross_entropy(labels, x, label_smoothing=0.1), "x")
    check("mean_squared_error", lambda x, t: dt.losses.mean_squared_error(t, x), "input", "target")


@pytest.mark.parametrize(("name", "axis"), [("layer_norm", -1), ("layer_norm_two_axes", (1, 2))])
def test_layer_normalization(name: str, axis: Any) -> None:
    check_layer(name, dt.layers.LayerNormalization(axis), "gamma", "beta")


def test_embedding() -> None:
    recorded = case("embedding")
    layer = dt.layers.Embedding(6, 3, dtype=dt.float64)
    y = layer(recorded["ids"])
    (gradient,) = dt.gradients(y, layer.embeddings, recorded["cotangent"])
    assert isinstance(gradient, dt.IndexedSlices)
    with dt.Session() as session:
        load(session, layer, [recorded["embeddings"]])
        value, found = session.run([y, dt.convert_to_tensor(gradient)])
    np.testing.assert_allclose(value, recorded["y"], **CLOSE)
    np.testing.assert_allclose(found, recorded["grad_embeddings"], **CLOSE)


def check_inputs(
    name: str, layer: Any, function: Callable[..., dt.Tensor], inputs: dict[str, str], weights: list[str]
) -> None:
    """Compare a function of a layer and its inputs, whose keyword arguments have recorded names of their own."""
    recorded = case(name)
    tensors = {
        argument: dt.placeholder(dt.float64, [None, *recorded[key].shape[1:]]) for argument, key in inputs.items()
    }
    y = function(layer, **tensors)
    assert [weight.op.name.rpartition("/")[2] for weight in layer.weights] == weights
    gradients = dt.gradients(y, [*tensors.values(), *layer.weights], recorded["cotangent"])
    with dt.Session() as session:
        load(session, layer, [recorded[key] for key in weights])
        feeds = {tensors[argument]: recorded[key] for argument, key in inputs.items()}
        value, found = session.run([y, gradients], feeds)
    np.testing.assert_allclose(value, recorded["y"], **CLOSE)
    for key, gradient in zip([*inputs.values(), *weights], found, strict=True):
        np.testing.assert_allclose(gradient, recorded[f"grad_{key}"], **CLOSE, err_msg=f"gradient of {key}")


@pytest.mark.parametrize(
    ("name", "layer", "states", "biases"),
    [
        ("lstm", dt.layers.LSTM, ["hidden", "cell"], ["bias"]),
        ("gru", dt.layers.GRU, ["hidden"], ["bias", "recurrent_bias"]),
        ("rnn_tanh", dt.layers.SimpleRNN, ["hidden"], ["bias"]),
        ("rnn_relu", lambda *size, **more: dt.layers.SimpleRNN(*size, **more, activation="relu"), ["hidden"], ["bias"]),
    ],
)
def test_recurrent_layers(name: str, layer: Callable[..., Any], states: list[str], biases: list[str]) -> None:
    def walk(layer: Any, inputs: dt.Tensor, **initial: dt.Tensor) -> dt.Tensor:
        return dt.concat([dt.reshape(one, [-1]) for one in layer(inputs, **initial)], 0)

    check_inputs(
        name,
        layer(4, return_sequences=True, return_state=True),
        walk,
        {"inputs": "x", **{f"initial_{state}": state for state in states}},
        ["kernel", "recurrent_kernel", *biases],
    )


def test_attention_to_the_own_sequence() -> None:
    layer = dt.layers.MultiHeadAttention(2, causal=True)
    weights = ["kernel", "bias", "output_kernel", "output_bias"]
    check_inputs("self_attention", layer, lambda layer, query: layer(query), {"query": "x"}, weights)


def test_attention_to_another_sequence() -> None:
    layer = dt.layers.MultiHeadAttention(2)
    mask = case("cross_attention")["mask"]
    weights = [f"{name}_{kind}" for name in ("query", "key", "value", "output") for kind in ("kernel", "bias")]

    def attend(layer: Any, query: dt.Tensor, key: dt.Tensor) -> dt.Tensor:
        return layer(query, key=key, mask=mask)

    check_inputs("cross_attention", layer, attend, {"query": "x", "key": "key"}, weights)


def test_a_network_trained_for_four_steps() -> None:
    recorded, first, last = case("network"), case("network/first"), case("network/last")
    images = dt.placeholder(dt.float64, [None, 6, 6, 1])
    training = dt.placeholder_with_default(False, [])
    x = dt.layers.conv2d(images, 3, 3, padding="same")
    x = dt.nn.relu(dt.layers.batch_normalization(x, training=training))
    x = dt.layers.flatten(dt.layers.max_pooling2d(x, 2, 2))
    scores = dt.layers.dense(x, 4)
    loss = dt.losses.sparse_softmax_cross_entropy(recorded["labels"], scores)
    step = dt.train.GradientDescentOptimizer(0.2).minimize(loss)
    weights = {variable.op.name.replace("/", "."): variable for variable in dt.global_variables()}
    assert set(first) == {key for key in weights if "moving" not in key}
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for key, value in first.items():
            weights[key].load(value, session)
        losses = [session.run([loss, step], {images: recorded["x"], training: True})[0] for _ in range(4)]
        np.testing.assert_allclose(losses, recorded["losses"], **CLOSE)
        for key, value in last.items():
            np.testing.assert_allclose(session.run(weights[key]), value, rtol=1e-8, atol=1e-10, err_msg=key)
        np.testing.assert_allclose(session.run(weights["batch_normalization.moving_mean"]), recorded["mean"], **CLOSE)
        np.testing.assert_allclose(
            session.run(weights["batch_normalization.moving_variance"]), recorded["variance"], **CLOSE
        )
        np.testing.assert_allclose(session.run(scores, {images: recorded["x"]}), recorded["scores"], rtol=1e-8)
