"""What an export may be asked for: versions, layouts, halved weights, training forms, metadata, a serving script."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import AlreadyExistsError, DTypeError, InvalidArgumentError
from dovetail_io.onnx import ExportReport

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

Network = tuple[dt.Session, dt.Tensor, dt.Tensor, dt.Tensor]


@pytest.fixture
def network(rng: np.random.Generator) -> Iterator[Network]:
    """A session, images, the flag of training, and the scores of a convolutional network."""
    images, training = (
        dt.placeholder(dt.float32, ["batch", 8, 6, 3], name="images"),
        dt.placeholder(dt.bool, [], "flag"),
    )
    with dt.name_scope("tower"):
        x = dt.layers.conv2d(images, 8, 3, padding="same", use_bias=False, name="conv")
        x = dt.nn.relu(dt.layers.batch_normalization(x, training=training, momentum=0.9, name="norm"))
    x = dt.layers.dropout(x, 0.25, training=training, name="drop")
    scores = dt.layers.dense(dt.layers.flatten(x), 4, name="scores")
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for variable in dt.global_variables():
            variable.load(rng.uniform(0.1, 0.5, variable.shape.as_list()), session)
        yield session, images, training, scores


def export(network: Network, path: Path, *, flag: bool = False, **options: Any) -> ExportReport:
    session, images, training, scores = network
    return dt.io.export_onnx(session, [images], {"scores": scores}, path, feeds={training: flag}, **options)


def run(path: Path, images: np.ndarray) -> np.ndarray:
    runtime = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (result,) = runtime.run(None, {"images": images})
    return np.asarray(result)


def operators(path: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(path).graph.node)


# The registry of formats. --------------------------------------------------------------------------------------------


def test_saving_by_the_ending_is_the_same(network: Network, tmp_path: Path) -> None:
    session, images, training, scores = network
    export(network, tmp_path / "one.onnx")
    report = dt.save(
        session, tmp_path / "two.onnx", inputs=[images], outputs={"scores": scores}, feeds={training: False}
    )
    assert report.verified_by == "ONNX Runtime"
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


@pytest.mark.parametrize(
    ("what", "options", "message"),
    [
        ({"w": np.zeros(2)}, {}, "holds what a dt.Session computes, not {'w'"),
        (None, {"inputs": [], "opsett": 21}, "there is no option 'opsett'. Did you mean 'opset'"),
        (None, {"inputs": []}, "outputs is missing"),
        (None, {"inputs": [], "outputs": [], "colour": 1}, "no option 'colour'. It takes inputs, outputs, opset"),
    ],
)
def test_what_the_format_does_not_hold(what: Any, options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        dt.save(what if what is not None else dt.Session(), tmp_path / "m.onnx", **options)
    assert not list(tmp_path.iterdir())


def test_a_model_is_only_written(network: Network, tmp_path: Path) -> None:
    export(network, tmp_path / "m.onnx")
    with pytest.raises(InvalidArgumentError, match="only written here; run it with onnxruntime"):
        dt.load(tmp_path / "m.onnx")


# Versions, and where nodes come from. --------------------------------------------------------------------------------


@pytest.mark.parametrize(("opset", "version"), [(18, 8), (20, 9), (21, 10), (23, 10), (25, 10)])
def test_the_file_s_version_is_no_newer_than_needed(opset: int, version: int, network: Network, tmp_path: Path) -> None:
    if opset > onnx.defs.onnx_opset_version():
        pytest.skip("the installed onnx is older")
    export(network, tmp_path / "m.onnx", opset=opset)
    model = onnx.load(tmp_path / "m.onnx")
    assert (model.ir_version, model.opset_import[0].version) == (version, opset)
    export(network, tmp_path / "m.onnx", opset=opset, ir_version=11)
    assert onnx.load(tmp_path / "m.onnx").ir_version == 11


def test_nodes_tell_scope_layer_and_line(network: Network, tmp_path: Path) -> None:
    export(network, tmp_path / "m.onnx")
    (conv,) = [node for node in onnx.load(tmp_path / "m.onnx").graph.node if node.op_type == "Conv"]
    told = {one.key: one.value for one in conv.metadata_props}
    assert conv.name == "tower/conv/Conv2D"
    assert told["dovetail.scope"] == "tower/conv"
    assert told["dovetail.layer"] == "dovetail_layers.convolutional:Conv2D"
    assert told["dovetail.source"] == conv.doc_string
    assert conv.doc_string.startswith("tests/io/test_onnx_options.py:")
    export(network, tmp_path / "m.onnx", opset=18)  # whose files have no such field yet
    assert not any(node.metadata_props for node in onnx.load(tmp_path / "m.onnx").graph.node)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ir_version": 9}, "ir_version is 9; for opset 21 use one from 10 to"),
        ({"ir_version": 99}, "ir_version is 99"),
        ({"functions": True, "inline": True}, "functions=True makes functions of all layers and inline=True of none"),
        ({"fold_batch_norm": True, "keep_training": True}, "give one of them"),
        ({"keep_training": True}, r"done while training only; feed the flag .* feeds=\{is_training: True\}"),
        ({"input_layout": "NCWH"}, "input_layout is 'NCWH'; use one of NWC, NHWC"),
        ({"input_layout": "NCDHW"}, r"of which none has 5 axes: images float32\[batch, 8, 6, 3\]"),
        ({"input_layout": {"images": "NCW"}}, "'NCW' for 'images'"),
        ({"input_layout": {"pictures": "NCHW"}}, "names 'pictures', which is none of images"),
        ({"output_layout": "NCHW"}, "output_layout is 'NCHW', of which none has 4 axes"),
        ({"class_labels": ["a", "b"]}, r"there are 2 class_labels, and no output's .* scores float32\[batch, 4\]"),
        ({"class_labels": list("abcd"), "metadata": {"class_labels": "x"}}, "is an argument and in metadata"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str, network: Network, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        export(network, tmp_path / "m.onnx", **options)
    assert not list(tmp_path.iterdir())


# Layouts. ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["NCHW", {"images": "nchw"}, {"images:0": "NCHW"}])
def test_images_with_channels_first_are_not_transposed_at_all(
    layout: Any, network: Network, rng: np.random.Generator, tmp_path: Path
) -> None:
    report = export(network, tmp_path / "m.onnx", input_layout=layout)
    assert str(report.inputs["images"]) == "float32[batch, 3, 8, 6]"
    assert not operators(tmp_path / "m.onnx")["Transpose"]
    session, images, training, scores = network
    array = rng.normal(size=(5, 8, 6, 3)).astype(np.float32)
    ours = session.run(scores, {images: array, training: False})
    np.testing.assert_allclose(run(tmp_path / "m.onnx", array.transpose(0, 3, 1, 2)), ours, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "layout"), [((4, 5), "NCW"), ((4, 5, 6), "NCHW"), ((3, 4, 5, 6), "NCDHW"), ((4, 5, 6), "NHWC")]
)
def test_maps_in_and_out(shape: tuple[int, ...], layout: str, tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["n", *shape], name="x")
    y = dt.nn.relu(x * np.arange(shape[-1], dtype=np.float32))
    report = dt.io.export_onnx(
        dt.Session(), [x], {"y": y}, tmp_path / "m.onnx", input_layout=layout, output_layout={"y": layout}
    )
    wanted = [shape[-1], *shape[:-1]] if layout.startswith("NC") else list(shape)
    assert report.inputs["x"].shape.as_list()[1:] == report.outputs["y"].shape.as_list()[1:] == wanted
    assert not operators(tmp_path / "m.onnx")["Transpose"]


# Weights in half the size. -------------------------------------------------------------------------------------------


def test_weights_of_half_the_size(network: Network, rng: np.random.Generator, tmp_path: Path) -> None:
    export(network, tmp_path / "whole.onnx")
    report = export(network, tmp_path / "half.onnx", float16_weights=True)
    assert 0.0 < report.relative_difference < 1e-2
    kinds = {one.name: one.data_type for one in onnx.load(tmp_path / "half.onnx").graph.initializer}
    assert kinds["conv/kernel"] == kinds["scores/kernel"] == onnx.TensorProto.FLOAT16
    assert kinds["norm/moving_variance"] == kinds["scores/bias"] == onnx.TensorProto.FLOAT
    sizes = [(tmp_path / f"{name}.onnx").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.75 * sizes[1]
    array = rng.normal(size=(2, 8, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(run(tmp_path / "half.onnx", array), run(tmp_path / "whole.onnx", array), atol=1e-2)


def test_weights_that_a_half_cannot_hold_stay(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["n", 16], name="x")
    y = x @ dt.constant(np.full((16, 16), 1e6, np.float32), name="w")
    dt.io.export_onnx(dt.Session(), [x], [y], tmp_path / "m.onnx", float16_weights=True)
    (weights,) = onnx.load(tmp_path / "m.onnx").graph.initializer
    assert weights.data_type == onnx.TensorProto.FLOAT


# Training forms. -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opset", [18, 21, 23])
def test_dropout_and_batch_normalisation_as_in_training(
    opset: int, network: Network, rng: np.random.Generator, tmp_path: Path
) -> None:
    path = tmp_path / "m.onnx"
    report = export(network, path, flag=True, keep_training=True, opset=opset)
    assert report.verified_by == "ONNX Runtime"
    assert report.relative_difference < 1e-5
    counts = operators(path)
    assert (counts["Dropout"], counts["BatchNormalization"], counts["Transpose"]) == (1, 1, 1)
    assert not {"RandomUniform", "RandomUniformLike", "ReduceMean", "Cast"} & set(counts)
    model = onnx.load(path)
    norm = next(node for node in model.graph.node if node.op_type == "BatchNormalization")
    attributes = {one.name: onnx.helper.get_attribute_value(one) for one in norm.attribute}
    assert attributes["training_mode"] == 1
    assert attributes["momentum"] == pytest.approx(0.9)  # the part of the old average that stays, as ours
    assert list(norm.input[1:]) == [f"norm/{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")]
    assert list(norm.output[1:]) == ["norm/moving_mean/renewed", "norm/moving_variance/renewed"]
    array = rng.normal(size=(64, 8, 6, 3)).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    runtime = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    once, again = (runtime.run(None, {"images": array})[0] for _ in range(2))
    assert not np.array_equal(once, again)


def test_a_flag_that_is_an_input_chooses_when_the_model_runs(tmp_path: Path) -> None:
    x, flag = dt.placeholder(dt.float32, ["n", 50], name="x"), dt.placeholder(dt.bool, [], name="flag")
    y = dt.layers.dropout(x + 1.0, 0.5, training=flag)
    path = tmp_path / "m.onnx"
    dt.io.export_onnx(dt.Session(), [x, flag], {"y": y}, path, keep_training=True)
    runtime = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    zeros = np.zeros((40, 50), np.float32)
    (kept,) = runtime.run(None, {"x": zeros, "flag": np.asarray(False)})
    (dropped,) = runtime.run(None, {"x": zeros, "flag": np.asarray(True)})
    assert (kept == 1.0).all()
    assert set(np.unique(dropped)) == {0.0, 2.0}
    assert abs(dropped.mean() - 1.0) < 0.2


def test_noise_is_drawn_by_the_standard_s_operators(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["n", 3, 5, 4], name="x")
    y = dt.layers.gaussian_noise(dt.layers.alpha_dropout(x, 0.5, training=True), 0.5, training=True)
    z = dt.layers.spatial_dropout2d(x, 0.5, training=True) + dt.random_uniform([4], 1.0, 2.0)
    path = tmp_path / "m.onnx"
    report = dt.io.export_onnx(dt.Session(), [x], {"y": y, "z": z}, path, keep_training=True)
    assert report.relative_difference < 1e-5
    assert {"RandomNormalLike", "RandomUniformLike", "RandomUniform"} <= set(operators(path))


def test_random_integers_are_listed_all_the_same(tmp_path: Path) -> None:
    x = dt.placeholder(dt.int32, ["n"], name="x")
    y = x + dt.random_uniform([1], 0, 10, dt.int32)
    with pytest.raises(dt.errors.UnsupportedOperationError, match="for uniform and normal random numbers only"):
        dt.io.export_onnx(dt.Session(), [x], {"y": y}, tmp_path / "m.onnx", keep_training=True)


# What a model says of itself. ----------------------------------------------------------------------------------------


def test_labels_and_preprocessing_are_in_the_metadata(network: Network, tmp_path: Path) -> None:
    labels = ["ant", "bee", "cat", "Dächs"]
    preprocessing = {"scale": 1 / 255, "mean": np.array([0.5, 0.4, 0.3]), "size": (8, 6)}
    metadata = {"licence": "Apache-2.0", "epochs": 7}
    path = tmp_path / "m.onnx"
    export(network, path, class_labels=labels, preprocessing=preprocessing, metadata=metadata)
    props = {one.key: one.value for one in onnx.load(path).metadata_props}
    assert json.loads(props["class_labels"]) == labels
    assert json.loads(props["preprocessing"]) == {"scale": 1 / 255, "mean": [0.5, 0.4, 0.3], "size": [8, 6]}
    assert (props["licence"], props["epochs"]) == ("Apache-2.0", "7")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [({"model": object()}, "metadata 'model' cannot be kept"), ({1: "x"}, "the key 1; keys are strings")],
)
def test_metadata_that_cannot_be_kept(metadata: Any, message: str, network: Network, tmp_path: Path) -> None:
    with pytest.raises(DTypeError, match=message):
        export(network, tmp_path / "m.onnx", metadata=metadata)


# The serving script. -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_the_serving_script_runs_the_model_without_dovetail(
    layout: str, network: Network, rng: np.random.Generator, tmp_path: Path
) -> None:
    labels, preprocessing = ["ant", "bee", "cat", "dog"], {"scale": 0.5, "mean": [0.1, 0.2, 0.3], "std": 2.0}
    report = export(
        network,
        tmp_path / "my net.onnx",
        input_layout=layout,
        class_labels=labels,
        preprocessing=preprocessing,
        serving_script=True,
    )
    script = tmp_path / "my net_serve.py"
    assert report.serving_script == script
    assert len(script.read_text().splitlines()) < 40
    session, images, training, scores = network
    array = rng.uniform(0, 5, (2, 8, 6, 3)).astype(np.float32)
    given = array if layout == "NHWC" else array.transpose(0, 3, 1, 2)
    np.save(tmp_path / "array.npy", given.astype(np.float64))
    ours = session.run(scores, {images: (array * 0.5 - [0.1, 0.2, 0.3]) / 2.0, training: False})

    code = (
        "import runpy, sys, numpy as np; module = runpy.run_path(sys.argv[1]);"
        "print(module['predict']({'images': np.load(sys.argv[2])})['scores'].tolist());"
        "assert not [one for one in sys.modules if one.startswith('dovetail')]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(script), str(tmp_path / "array.npy")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    np.testing.assert_allclose(json.loads(done.stdout), ours, rtol=1e-4, atol=1e-5)
    done = subprocess.run(
        [sys.executable, str(script), "images=array.npy"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("scores float32[2, 4]\n")
    assert str([labels[place] for place in ours.argmax(1)]) in done.stdout


def test_nobody_s_own_program_is_replaced(network: Network, tmp_path: Path) -> None:
    script = tmp_path / "m_serve.py"
    script.write_text("mine")
    with pytest.raises(AlreadyExistsError, match=r'would replace ".*m_serve.py", which no export wrote'):
        export(network, tmp_path / "m.onnx", serving_script=True)
    assert [one.name for one in tmp_path.iterdir()] == ["m_serve.py"]
    script.unlink()
    for _ in range(2):  # its own it replaces
        export(network, tmp_path / "m.onnx", serving_script=True)


def test_a_script_needs_dtypes_that_numpy_has(tmp_path: Path) -> None:
    x = dt.placeholder(dt.bfloat16, ["n"], name="x")
    with pytest.raises(DTypeError, match="has no bfloat16, the dtype of 'x'"):
        dt.io.export_onnx(dt.Session(), [x], {"y": x + 1}, tmp_path / "m.onnx", serving_script=True)
    assert not list(tmp_path.iterdir())


def test_a_script_takes_strings_and_names_with_scopes(tmp_path: Path) -> None:
    with dt.name_scope("in"):
        x, words = dt.placeholder(dt.int32, [2], name="x"), dt.placeholder(dt.string, [None], name="words")
    path = tmp_path / "m.onnx"
    dt.io.export_onnx(dt.Session(), [x, words], {"y": x + 1, "w": dt.identity(words)}, path, serving_script=True)
    code = (
        "import runpy, sys; predict = runpy.run_path(sys.argv[1])['predict'];"
        "found = predict({'in/x': [1, 2], 'in/words': ['a', 'bc']}); print(found['y'].tolist(), found['w'].tolist())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "m_serve.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[2, 3] ['a', 'bc']\n"
