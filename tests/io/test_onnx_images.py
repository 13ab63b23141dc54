"""Layers and functions on images, exported and run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

IMAGES = {1: [None, 8, 4], 2: [None, 6, 9, 4], 3: [None, 4, 5, 6, 4]}


def exported(
    function: Callable[[Any], Any], shape: list[Any], path: Path, rng: np.random.Generator, opset: int = 21
) -> list[str]:
    """Export a function of images with an open batch, verified; returns the operators of the model."""
    x = dt.placeholder(dt.float32, shape, name="x")
    y = function(x)
    sample = rng.normal(size=[2, *shape[1:]]).astype(np.float32)
    outputs = list(y) if isinstance(y, tuple) else [y]
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        report = dt.io.export_onnx(session, {"x": x}, outputs, path, sample_inputs={"x": sample}, opset=opset)
    assert report.verified_by
    model = onnx.load(path)
    nodes = [*model.graph.node, *(node for one in model.functions for node in one.node)]
    return [node.op_type for node in nodes]


@pytest.mark.parametrize("opset", [18, 21, 23])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_layers(rank: int, opset: int, tmp_path: Path, rng: np.random.Generator) -> None:
    def network(x: Any) -> tuple[Any, ...]:
        layers = dt.layers
        y = getattr(layers, f"conv{rank}d")(x, 6, 3, 2, "same", groups=2)
        z = getattr(layers, f"conv{rank}d_transpose")(x, 3, 3, 2, output_padding=1)
        pooled = [getattr(layers, f"{kind}_pooling{rank}d") for kind in ("max", "average", "global_max")]
        adaptive = [getattr(layers, f"adaptive_{kind}_pooling{rank}d")(x, 3) for kind in ("max", "average")]
        border = getattr(layers, f"cropping{rank}d")(getattr(layers, f"zero_padding{rank}d")(x, 2), 1)
        larger = getattr(layers, f"up_sampling{rank}d")(x, 2)
        outputs = [y, z, pooled[0](x, 2), pooled[1](x, 3, 2, "same"), pooled[2](x), *adaptive, border, larger]
        if rank < 3:
            outputs.append(getattr(layers, f"depthwise_conv{rank}d")(x, 3, depth_multiplier=2))
            outputs.append(getattr(layers, f"separable_conv{rank}d")(x, 5, 3, padding="same"))
        return tuple(outputs)

    used = exported(network, IMAGES[rank], tmp_path / "model.onnx", rng, opset)
    assert {"Conv", "ConvTranspose", "MaxPool", "AveragePool"} <= set(used)
    assert used.count("Conv") == (1 if rank == 3 else 4)


@pytest.mark.parametrize("size", [[3, 5], [12, 18], [7, 1]])
@pytest.mark.parametrize("rules", [{}, {"align_corners": True}, {"half_pixel_centers": True}])
def test_resizing(size: list[int], rules: dict[str, bool], tmp_path: Path, rng: np.random.Generator) -> None:
    def network(x: Any) -> tuple[Any, ...]:
        functions = [dt.image.resize_bilinear, dt.image.resize_nearest_neighbor, dt.image.resize_bicubic]
        results = [function(x, size, **rules) for function in functions]
        return (*results, dt.image.resize_area(x, size)) if not rules else tuple(results)

    used = exported(network, IMAGES[2], tmp_path / "model.onnx", rng)
    repeated = not rules and size == [12, 18]
    assert used.count("Resize") == (2 if repeated else 1)


def test_resizing_to_a_size_known_only_when_fed(tmp_path: Path, rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, [1, "height", "width", 2], name="x")
    y = dt.image.resize_bilinear(x, dt.shape(x)[1:3] * 2, half_pixel_centers=True)
    sample = rng.normal(size=(1, 4, 5, 2)).astype(np.float32)
    with dt.Session() as session:
        report = dt.io.export_onnx(session, {"x": x}, [y], tmp_path / "model.onnx", sample_inputs={"x": sample})
    assert report.verified_by


def test_functions(tmp_path: Path, rng: np.random.Generator) -> None:
    def network(x: Any) -> tuple[Any, ...]:
        values, places = dt.nn.max_pool_with_argmax(x, 3, 2, "SAME")
        return (
            values,
            places,
            dt.nn.pool(x, [2, 2], "MAX", "VALID", 2),
            dt.nn.pool(x, [2, 2], "AVG", "SAME", 2),
            dt.nn.dilation2d(x, dt.zeros([2, 2, 4]), 1, 1, "SAME"),
            dt.nn.erosion2d(x, dt.zeros([2, 2, 4]), 2, 1, "VALID"),
            dt.nn.atrous_conv2d(x, dt.ones([2, 2, 4, 3]), 2, "SAME"),
        )

    assert "MaxPool" in exported(network, IMAGES[2], tmp_path / "model.onnx", rng)
