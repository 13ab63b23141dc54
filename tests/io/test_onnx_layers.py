"""Layers and functions of networks, exported at several opsets: the operators that stand for them, and the values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

CASES: dict[str, tuple[Callable[[Any], Any], str, int]] = {
    "group_normalization": (lambda x: dt.layers.group_normalization(x, 2), "GroupNormalization", 21),
    "group_normalization_first": (lambda x: dt.layers.group_normalization(x, 3, 1), "GroupNormalization", 21),
    "instance_normalization": (dt.layers.instance_normalization, "ReduceMean", 18),
    "rms_normalization": (dt.layers.rms_normalization, "RMSNormalization", 23),
    "rms_normalization_without_scale": (
        lambda x: dt.layers.rms_normalization(x, (1, 3), scale=False), "ReduceMean", 18
    ),
    "weight_normalization": (lambda x: dt.layers.weight_normalization(x, dt.layers.Dense(3)), "MatMul", 18),
    "spectral_normalization": (lambda x: dt.layers.spectral_normalization(x, dt.layers.Conv2D(3, 2)), "Conv", 18),
    "prelu": (lambda x: dt.layers.prelu(x, dt.constant_initializer(0.3), shared_axes=(1, 2)), "PRelu", 18),
    "softshrink": (lambda x: dt.nn.softshrink(x, threshold=0.3), "Shrink", 18),
    "hardshrink": (dt.nn.hardshrink, "Shrink", 18),
    "threshold": (lambda x: dt.nn.threshold(x, 0.3), "ThresholdedRelu", 18),
    "threshold_with_a_value": (lambda x: dt.nn.threshold(x, 0.3, 2.0), "Where", 18),
    "hard_swish": (dt.nn.hard_swish, "HardSwish", 18),
    "mish": (dt.nn.mish, "Mish", 18),
    "elu": (lambda x: dt.layers.elu(x, 0.5), "Elu", 18),
    "swiglu": (dt.nn.swiglu, "Sigmoid", 18),
    "sparsemax": (dt.nn.sparsemax, "TopK", 18),
    "dropouts": (
        lambda x: dt.layers.gaussian_noise(dt.layers.alpha_dropout(dt.layers.spatial_dropout2d(x, 0.5), 0.5), 0.5),
        "Identity", 18,
    ),
}  # fmt: skip


@pytest.mark.parametrize("opset", [18, 21, 23])
@pytest.mark.parametrize("name", CASES)
def test_layers_at_opsets(name: str, opset: int, tmp_path: Path, rng: np.random.Generator) -> None:
    make, operator, since = CASES[name]
    x = dt.placeholder(dt.float32, ["batch", 3, 5, 4], name="x")
    y = make(x)
    path = tmp_path / "model.onnx"
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for variable in dt.trainable_variables():
            variable.load(rng.uniform(0.5, 1.5, variable.shape.as_list()), session)
        report = dt.io.export_onnx(session, [x], [y], path, opset=opset)
    assert report.largest_difference < 1e-5
    counts = Counter(node.op_type for node in onnx.load(path).graph.node)
    assert bool(counts[operator]) == (opset >= since), counts


def test_a_loss_goes_along(tmp_path: Path) -> None:
    """As when a measure is wanted beside the prediction."""
    x = dt.placeholder(dt.float32, ["batch", 4], name="x")
    labels = dt.placeholder(dt.int32, ["batch"], name="labels")
    losses = [
        dt.losses.sparse_softmax_cross_entropy(labels, x, ignore_label=3, label_smoothing=0.1),
        dt.losses.huber_loss(dt.zeros_like(x), x),
        dt.losses.triplet_semihard_loss(labels, x),
    ]
    samples = {"x": np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 0]], "labels": np.array([0, 3, 0, 1, 1], np.int32)}
    with dt.Session() as session:
        report = dt.io.export_onnx(session, [x, labels], losses, tmp_path / "model.onnx", sample_inputs=samples)
    assert report.largest_difference < 1e-5
