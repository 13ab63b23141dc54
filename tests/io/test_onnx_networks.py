"""Every layer, every activation, and networks made of them at random: what is exported agrees to 1e-5."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import dovetail as dt
from dovetail.extend import Layer
from dovetail_io.onnx import ExportReport

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

LONG = os.environ.get("DOVETAIL_LONG_TESTS", "0") not in ("", "0")
OPSETS = (18, 21, 23)
TIME, IMAGES, VOLUMES = ["batch", 9, 4], ["batch", 8, 6, 4], ["batch", 5, 4, 6, 2]
SHAPES = {"1D": TIME, "2D": IMAGES, "3D": VOLUMES}

Make = Callable[[Any], Any]
OTHERS: dict[str, tuple[Make, list[Any]]] = {
    "Activation": (lambda layers: layers.Activation("swish"), TIME),
    "AlphaDropout": (lambda layers: layers.AlphaDropout(0.5), TIME),
    "BatchNormalization": (lambda layers: layers.BatchNormalization(), IMAGES),
    "Bidirectional": (lambda layers: layers.Bidirectional(layers.GRU(3, return_sequences=True)), TIME),
    "Dense": (lambda layers: layers.Dense(5, activation="gelu"), TIME),
    "Dropout": (lambda layers: layers.Dropout(0.5), TIME),
    "ELU": (lambda layers: layers.ELU(0.5), TIME),
    "Embedding": (lambda layers: layers.Embedding(7, 3), ["batch", "time"]),
    "Flatten": (lambda layers: layers.Flatten(), IMAGES),
    "GRU": (lambda layers: layers.GRU(3, reset_after=False), ["batch", "time", 4]),
    "GaussianDropout": (lambda layers: layers.GaussianDropout(0.5), TIME),
    "GaussianNoise": (lambda layers: layers.GaussianNoise(0.5), TIME),
    "GroupNormalization": (lambda layers: layers.GroupNormalization(2), IMAGES),
    "InstanceNormalization": (lambda layers: layers.InstanceNormalization(), IMAGES),
    "LSTM": (lambda layers: layers.LSTM(3, peephole=True, return_sequences=True), ["batch", "time", 4]),
    "LayerNormalization": (lambda layers: layers.LayerNormalization(), TIME),
    "LeakyReLU": (lambda layers: layers.LeakyReLU(), TIME),
    "MultiHeadAttention": (lambda layers: layers.MultiHeadAttention(2, causal=True), ["batch", "time", 4]),
    "PReLU": (lambda layers: layers.PReLU(), TIME),
    "PositionEmbedding": (lambda layers: layers.PositionEmbedding(12), ["batch", "time", 4]),
    "RMSNormalization": (lambda layers: layers.RMSNormalization(), TIME),
    "ReLU": (lambda layers: layers.ReLU(2.0, 0.1, 0.25), TIME),
    "Sequential": (lambda layers: layers.Sequential([layers.Dense(3), layers.ReLU()]), TIME),
    "SimpleRNN": (lambda layers: layers.SimpleRNN(3, activation="relu"), ["batch", "time", 4]),
    "Softmax": (lambda layers: layers.Softmax(1), TIME),
    "SpectralNormalization": (lambda layers: layers.SpectralNormalization(layers.Dense(3)), TIME),
    "ThresholdedReLU": (lambda layers: layers.ThresholdedReLU(0.3), TIME),
    "TransformerBlock": (lambda layers: layers.TransformerBlock(2), ["batch", "time", 4]),
    "WeightNormalization": (lambda layers: layers.WeightNormalization(layers.Conv2D(3, 2)), IMAGES),
}
BY_RANK: dict[str, Make] = {
    "AdaptiveAveragePooling": lambda layer: layer(3),
    "AdaptiveMaxPooling": lambda layer: layer(2),
    "AveragePooling": lambda layer: layer(3, 2, "same"),
    "Conv": lambda layer: layer(4, 3, 2, "same", groups=2),
    "ConvTranspose": lambda layer: layer(3, 3, 2, "same"),
    "Cropping": lambda layer: layer(1),
    "DepthwiseConv": lambda layer: layer(3, depth_multiplier=2),
    "GlobalAveragePooling": lambda layer: layer(),
    "GlobalMaxPooling": lambda layer: layer(keepdims=True),
    "MaxPooling": lambda layer: layer(2, 2),
    "SeparableConv": lambda layer: layer(5, 3, padding="same"),
    "SpatialDropout": lambda layer: layer(0.5),
    "UpSampling": lambda layer: layer(2),
    "ZeroPadding": lambda layer: layer(2),
}


def every_layer() -> list[str]:
    found = [name for name in dir(dt.layers) if isinstance(getattr(dt.layers, name), type)]
    return [name for name in found if issubclass(getattr(dt.layers, name), Layer)]


def of_rank(name: str) -> tuple[str, str]:
    """The name without its rank, and the rank, as in ``Conv2DTranspose``."""
    rank = next((rank for rank in SHAPES if rank in name), "")
    return name.replace(rank, "") if rank else name, rank


def initialized(session: dt.Session, rng: np.random.Generator) -> None:
    """Give weights that are not all alike to what begins with zeros or ones."""
    session.run(dt.global_variables_initializer())
    for variable in dt.global_variables():
        value = session.run(variable)
        if value.dtype.kind == "f" and value.ndim and np.ptp(value) == 0:
            variable.load(rng.uniform(0.5, 1.5, value.shape), session)


def export(
    inputs: Any, outputs: Any, path: Path, rng: np.random.Generator, samples: Any = None, **options: Any
) -> ExportReport:
    with dt.Session() as session:
        initialized(session, rng)
        report = dt.io.export_onnx(session, inputs, outputs, path, sample_inputs=samples, **options)
    assert report.verified_by == "ONNX Runtime"
    assert report.relative_difference <= 1e-5
    return report


def as_outputs(result: Any) -> dict[str, dt.Tensor]:
    return {f"y{index}": one for index, one in enumerate(result if isinstance(result, tuple) else [result])}


# Layers and activations. ---------------------------------------------------------------------------------------------


def layers_at_opsets() -> list[Any]:
    """Each layer at each opset; but one of them, in turn, only in the long form."""
    return [
        pytest.param(name, opset, marks=() if turn == place % len(OPSETS) else pytest.mark.long)
        for place, name in enumerate(every_layer())
        for turn, opset in enumerate(OPSETS)
    ]


@pytest.mark.parametrize(("name", "opset"), layers_at_opsets())
def test_every_layer_agrees(name: str, opset: int, tmp_path: Path, rng: np.random.Generator) -> None:
    plain, rank = of_rank(name)
    if rank:
        layer, shape = BY_RANK[plain](getattr(dt.layers, name)), SHAPES[rank]
    else:
        make, shape = OTHERS[name]
        layer = make(dt.layers)
    x = dt.placeholder(dt.int32 if name == "Embedding" else dt.float32, shape, name="x")
    export([x], as_outputs(layer(x)), tmp_path / "m.onnx", rng, opset=opset)


def activations() -> list[str]:
    """Functions of ``dt.nn`` that make a tensor of its shape of one tensor, but what draws random numbers."""
    found = []
    for name in set(dir(dt.nn)) - {"alpha_dropout"}:
        with dt.Graph().as_default():
            function, x = getattr(dt.nn, name), dt.placeholder(dt.float32, [3, 4])
            try:
                y = function(x)
            except (TypeError, dt.errors.DovetailError):
                continue
            if isinstance(y, dt.Tensor) and y.shape == x.shape:
                found.append(name)
    return sorted(found)


ACTIVATIONS = activations()


def test_activations_are_found() -> None:
    assert {"relu", "gelu", "softmax", "selu", "mish", "sparsemax", "hard_swish", "tanhshrink"} <= set(ACTIVATIONS)


@pytest.mark.parametrize("opset", OPSETS)
def test_every_activation_agrees(opset: int, tmp_path: Path, rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, ["batch", 4], name="x")
    outputs = {name: getattr(dt.nn, name)(x) for name in ACTIVATIONS}
    sample = rng.normal(size=(5, 4)) * 3.0
    with dt.Session() as session:
        report = dt.io.export_onnx(session, [x], outputs, tmp_path / "m.onnx", sample_inputs={x: sample}, opset=opset)
    assert report.relative_difference <= 1e-5


# Networks at random. -------------------------------------------------------------------------------------------------


def image_blocks() -> st.SearchStrategy[Sequence[tuple[Any, ...]]]:
    sizes, odd = st.sampled_from([2, 4, 6]), st.sampled_from([1, 3])
    padding, acts = st.sampled_from(["same", "valid"]), st.sampled_from(["relu", "elu", "swish", "gelu", "tanh", None])
    return st.lists(
        st.one_of(
            st.tuples(st.just("conv"), sizes, odd, st.integers(1, 2), st.just("same"), acts, st.booleans()),
            st.tuples(st.just("conv"), sizes, st.just(2), st.just(1), padding, acts, st.booleans()),
            st.tuples(st.just("depthwise"), odd, padding),
            st.tuples(st.just("separable"), sizes, odd),
            st.tuples(st.just("grouped"), st.sampled_from([2, 4])),
            st.tuples(st.just("transposed"), sizes, st.sampled_from([2, 3])),
            st.tuples(st.just("pool"), st.sampled_from(["max", "average"]), st.integers(2, 3), padding),
            st.tuples(st.just("norm"), st.sampled_from(["batch", "group", "layer", "instance", "rms"])),
            st.tuples(st.just("residual"), acts),
            st.tuples(st.just("beside"), odd),
            st.tuples(st.just("gate"), st.just(1)),
            st.tuples(st.just("larger"), st.just(2)),
            st.tuples(st.just("dropout"), st.just(0.5)),
        ),
        min_size=2,
        max_size=7,
    )  # fmt: skip


def image_block(x: dt.Tensor, kind: str, *options: Any) -> dt.Tensor:
    """One part of a network of images; windows are no larger than the images."""
    layers, size = dt.layers, min(dim for dim in x.shape.as_list()[1:3])
    channels = x.shape.as_list()[-1]
    if kind == "conv":
        filters, window, strides, padding, activation, biased = options
        return layers.conv2d(x, filters, min(window, size), strides, padding, activation=activation, use_bias=biased)
    if kind == "depthwise":
        return layers.depthwise_conv2d(x, min(options[0], size), padding=options[1])
    if kind == "separable":
        return layers.separable_conv2d(x, options[0], min(options[1], size), padding="same")
    if kind == "grouped":
        return layers.conv2d(layers.conv2d(x, 4, 1), 4, 3, padding="same", groups=options[0])
    if kind == "transposed":
        return layers.conv2d_transpose(x, *options, strides=2, padding="same") if size < 12 else x
    if kind == "pool":
        pool = getattr(layers, f"{options[0]}_pooling2d")
        return pool(x, min(options[1], size), 2, options[2])
    if kind == "norm":
        groups = {"groups": 2 if channels % 2 == 0 else 1} if options[0] == "group" else {}
        return getattr(layers, f"{options[0]}_normalization")(x, **groups)
    if kind == "residual":
        y = layers.conv2d(x, channels, 3, padding="same", activation=options[0])
        return dt.nn.relu(layers.batch_normalization(x + y))
    if kind == "beside":
        return dt.concat([layers.conv2d(x, 2, options[0], padding="same"), layers.max_pooling2d(x, 3, 1, "same")], 3)
    if kind == "gate":
        scale = layers.dense(layers.global_average_pooling2d(x, keepdims=True), channels, activation="sigmoid")
        return x * scale
    if kind == "larger":
        return layers.up_sampling2d(x, 2) if size < 12 else x
    return layers.dropout(x, options[0])


@settings(max_examples=150 if LONG else 8)
@given(
    blocks=image_blocks(),
    head=st.sampled_from(["flatten", "pool", "maps"]),
    opset=st.sampled_from(OPSETS),
    options=st.fixed_dictionaries(
        {}, optional={"fold_batch_norm": st.just(True), "input_layout": st.just("NCHW"), "functions": st.just(True)}
    ),
)
def test_networks_of_images(
    tmp_path_factory: pytest.TempPathFactory,
    blocks: Any, head: str, opset: int, options: dict[str, Any],
) -> None:  # fmt: skip
    rng = np.random.default_rng(3)
    with dt.Graph().as_default():
        images = dt.placeholder(dt.float32, ["batch", 10, 8, 3], name="images")
        x = images
        for block in blocks:
            x = image_block(x, *block)
        if head == "flatten":
            x = dt.layers.dense(dt.layers.dense(dt.layers.flatten(x), 6, activation="relu"), 3)
        elif head == "pool":
            x = dt.nn.softmax(dt.layers.dense(dt.layers.global_average_pooling2d(x), 5))
        path = tmp_path_factory.mktemp("net") / "m.onnx"
        export([images], {"y": x}, path, rng, opset=opset, **options)
        checks = sum(node.op_type == "Transpose" for node in onnx.load(path).graph.node)
        if not options.get("functions") and not any(block[0] in ("gate", "larger", "norm") for block in blocks):
            assert checks <= 1 + (head == "maps")


def sequence_blocks() -> st.SearchStrategy[Sequence[tuple[Any, ...]]]:
    sizes = st.sampled_from([2, 4])
    return st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["lstm", "gru", "simple_rnn"]), sizes, st.booleans(), st.booleans()),
            st.tuples(st.just("both"), st.sampled_from(["LSTM", "GRU", "SimpleRNN"]), sizes, st.booleans()),
            st.tuples(st.just("conv"), sizes, st.sampled_from([1, 3])),
            st.tuples(st.just("attention"), st.booleans()),
            st.tuples(st.just("transformer"), st.booleans(), st.booleans()),
            st.tuples(st.just("norm"), st.sampled_from(["layer", "rms"])),
            st.tuples(st.just("dense"), sizes, st.sampled_from(["relu", "gelu", "swish"])),
        ),
        min_size=1,
        max_size=4,
    )


def sequence_block(x: dt.Tensor, lengths: dt.Tensor, kind: str, *options: Any) -> dt.Tensor:
    layers = dt.layers
    if kind in ("lstm", "gru", "simple_rnn"):
        units, reverse, limited = options
        given = {"sequence_length": lengths} if limited else {}
        return getattr(layers, kind)(x, units, return_sequences=True, reverse=reverse, **given)
    if kind == "both":
        cell, units, limited = options
        given = {"sequence_length": lengths} if limited else {}
        return layers.bidirectional(x, getattr(layers, cell)(units, return_sequences=True), **given)
    if kind == "conv":
        return layers.conv1d(x, *options, padding="same", activation="relu")
    if kind == "attention":
        return x + layers.multi_head_attention(x, 2, causal=options[0])
    if kind == "transformer":
        return layers.transformer_block(x, 2, causal=options[0], normalize_first=options[1])
    if kind == "norm":
        return getattr(layers, f"{options[0]}_normalization")(x)
    return layers.dense(x, options[0], activation=options[1])


@settings(max_examples=150 if LONG else 8)
@given(
    blocks=sequence_blocks(),
    head=st.sampled_from(["last", "mean", "each"]),
    opset=st.sampled_from(OPSETS),
    options=st.fixed_dictionaries({}, optional={"functions": st.just(True)}),
)
def test_networks_of_sequences(
    tmp_path_factory: pytest.TempPathFactory, blocks: Any, head: str, opset: int, options: dict[str, Any]
) -> None:
    rng = np.random.default_rng(4)
    with dt.Graph().as_default():
        words = dt.placeholder(dt.int32, ["batch", "time"], name="words")
        lengths = dt.placeholder(dt.int32, ["batch"], name="lengths")
        x = dt.layers.embedding(words, 11, 4)
        for block in blocks:
            x = sequence_block(x, lengths, *block)
        x = {"last": lambda: x[:, -1], "mean": lambda: dt.reduce_mean(x, 1), "each": lambda: x}[head]()
        outputs = {"y": dt.layers.dense(x, 3), "longest": dt.reduce_max(lengths)}
        samples = {words: rng.integers(0, 11, (4, 6)), lengths: np.array([6, 1, 3, 0])}
        export(
            [words, lengths], outputs, tmp_path_factory.mktemp("net") / "m.onnx", rng, samples, opset=opset, **options
        )
