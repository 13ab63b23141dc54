"""Whole networks in ONNX: what they compute, how few transpositions they hold, and which functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import dovetail as dt
from dovetail import plugins
from dovetail.extend import Layer
from dovetail_io.onnx import ExportReport

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

ROOT = Path(__file__).resolve().parents[2]


def lenet(training: dt.Tensor) -> tuple[dt.Tensor, dt.Tensor]:
    """A network with batch normalisation and dropout."""
    images = dt.placeholder(dt.float32, ["batch", 8, 8, 1], name="images")
    x = dt.layers.conv2d(images, 6, 3, padding="same", name="conv1")
    x = dt.nn.relu(dt.layers.batch_normalization(x, training=training, name="norm1"))
    x = dt.layers.max_pooling2d(x, 2, 2, name="pool1")
    x = dt.layers.conv2d(x, 8, 3, padding="same", strides=2, use_bias=False, name="conv2")
    x = dt.nn.relu(dt.layers.batch_normalization(x, training=training, name="norm2"))
    x = dt.layers.flatten(x, name="flat")
    x = dt.layers.dense(x, 16, activation="relu", name="hidden")
    x = dt.layers.dropout(x, rate=0.5, training=training, name="dropout")
    return images, dt.nn.softmax(dt.layers.dense(x, 10, name="scores"), name="probabilities")


def initialized(rng: np.random.Generator) -> dt.Session:
    """A session whose variables are all random, moving averages too."""
    session = dt.Session()
    session.run(dt.global_variables_initializer())
    for variable in dt.global_variables():
        value = rng.uniform(0.5, 1.5, variable.shape.as_list())
        session.run(variable.assign(value.astype(np.float32) * (0.2 if "kernel" in variable.name else 1.0)))
    return session


@pytest.fixture
def network(rng: np.random.Generator) -> Iterator[tuple[dt.Session, dt.Tensor, dt.Tensor]]:
    training = dt.placeholder(dt.bool, [], name="training")
    images, probabilities = lenet(training)
    with initialized(rng) as session:
        yield session, images, probabilities


def operators(path: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def export(network: Any, path: Path, **options: Any) -> ExportReport:
    session, images, probabilities = network
    return dt.io.export_onnx(session, [images], [probabilities], path, feeds={"training:0": False}, **options)


# The network. --------------------------------------------------------------------------------------------------------


def test_lenet_agrees_at_any_batch_with_one_transposition(network: Any, rng: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    report = export(network, path)
    assert report.largest_difference < 1e-5
    assert [one["batch"] for one in report.sizes] == [1, 3, 7]
    assert repr(report).startswith(f'ExportReport("{path}", opset 21: images float32[batch, 8, 8, 1] -> probabilities ')

    runtime = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    session, images, probabilities = network
    for batch in (1, 7, 360):
        array = rng.normal(size=(batch, 8, 8, 1)).astype(np.float32)
        (theirs,) = runtime.run(None, {"images": array})
        ours = session.run(probabilities, {images: array, "training:0": False})
        assert np.abs(ours - theirs).max() < 1e-5

    counts = operators(path)
    assert counts == {
        "Transpose": 1,
        "Conv": 2,
        "BatchNormalization": 2,
        "Relu": 3,
        "MaxPool": 1,
        "Reshape": 1,
        "Gemm": 2,
        "Softmax": 1,
    }


def test_weights_keep_their_names_and_lie_as_onnx_wants_them(network: Any, tmp_path: Path) -> None:
    export(network, tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    shapes = {one.name: list(one.dims) for one in model.graph.initializer}
    assert shapes["conv1/kernel"] == [6, 1, 3, 3]
    assert shapes["conv1/bias"] == [6]
    assert shapes["hidden/kernel"] == [32, 16]
    assert {"norm1/gamma", "norm1/beta", "norm1/moving_mean", "norm1/moving_variance"} <= set(shapes)
    session, *_ = network
    kernel = onnx.numpy_helper.to_array(next(one for one in model.graph.initializer if one.name == "conv1/kernel"))
    np.testing.assert_array_equal(kernel, session.run("conv1/kernel:0").transpose(3, 2, 0, 1))


def test_the_file_says_what_it_is(network: Any, tmp_path: Path) -> None:
    export(network, tmp_path / "model.onnx", name="digits", metadata={"classes": "0 1 2"})
    model = onnx.load(tmp_path / "model.onnx")
    assert (model.ir_version, model.opset_import[0].version, model.producer_name) == (10, 21, "dovetail")
    assert model.graph.name == "digits"
    assert {one.key: one.value for one in model.metadata_props} == {"classes": "0 1 2"}
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    assert conv.name == "conv1/Conv2D"
    assert conv.doc_string.startswith("tests/io/test_onnx_models.py:")
    (batch, *_) = model.graph.input[0].type.tensor_type.shape.dim
    assert batch.dim_param == "batch"


def test_batch_normalisation_is_folded_on_request(network: Any, tmp_path: Path) -> None:
    report = export(network, tmp_path / "model.onnx", fold_batch_norm=True)
    assert report.largest_difference < 5e-5  # folded weights round otherwise
    assert "BatchNormalization" not in operators(tmp_path / "model.onnx")


def test_normalisation_is_folded_into_products_and_transposed_convolutions(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    images = dt.placeholder(dt.float32, ["batch", 4, 4, 4], name="images")
    x = dt.layers.batch_normalization(dt.layers.conv2d_transpose(images, 6, 3, 2, "same"))
    x = dt.layers.batch_normalization(dt.layers.depthwise_conv2d(x, 3, depth_multiplier=2))
    x = dt.layers.batch_normalization(dt.layers.dense(dt.layers.flatten(x), 5, use_bias=False))
    x = dt.layers.batch_normalization(dt.layers.dense(x, 4))
    with initialized(rng) as session:
        report = dt.io.export_onnx(session, [images], [x], tmp_path / "m.onnx", fold_batch_norm=True)
    assert report.relative_difference < 1e-5
    counts = {"Transpose": 1, "ConvTranspose": 1, "Conv": 1, "Reshape": 1, "Gemm": 2}
    assert operators(tmp_path / "m.onnx") == counts


@pytest.mark.parametrize("opset", range(18, min(25, onnx.defs.onnx_opset_version()) + 1))
def test_each_opset(opset: int, tmp_path: Path, rng: np.random.Generator) -> None:
    training = dt.placeholder_with_default(False, [], name="training")
    images, probabilities = lenet(training)
    ids, attended = attention()
    with initialized(rng) as session:
        path = tmp_path / "model.onnx"
        best = dt.argmax(probabilities, 1)
        report = dt.io.export_onnx(session, [images, ids], [probabilities, best, attended], path, opset=opset)
    assert report.largest_difference < 1e-5
    assert onnx.load(path).opset_import[0].version == opset


def attention() -> tuple[dt.Tensor, dt.Tensor]:
    """Sequences of open length: everything reshapes by sizes that only a run knows."""
    ids = dt.placeholder(dt.int32, ["sequences", "length"], name="ids")
    rows, length = dt.shape(ids)[0], dt.shape(ids)[1]
    table = dt.get_variable("table", [20, 8])
    x = dt.layers.dense(dt.reshape(dt.gather(table, ids), [rows * length, 8]), 12, name="query")
    x = dt.transpose(dt.reshape(x, [rows, length, 3, 4]), [0, 2, 1, 3])
    x = dt.matmul(dt.nn.softmax(dt.matmul(x, x, transpose_b=True)), x)
    x = dt.reshape(dt.transpose(x, [0, 2, 1, 3]), [rows, length, 12])
    return ids, dt.reverse(x, [1])[:, -1] + dt.cast(length, dt.float32)


# Sizes. --------------------------------------------------------------------------------------------------------------


def test_open_sizes_stay_open(tmp_path: Path, rng: np.random.Generator) -> None:
    ids, attended = attention()
    with initialized(rng) as session:
        report = dt.io.export_onnx(session, [ids], [attended], tmp_path / "model.onnx")
    assert [len({one[name] for one in report.sizes}) for name in ("sequences", "length")] == [3, 3]
    assert report.largest_difference < 1e-5


def test_open_sizes_that_must_be_equal(tmp_path: Path) -> None:
    x, y = dt.placeholder(dt.float32, [None, 3], name="x"), dt.placeholder(dt.float32, [None, 3], name="y")
    z = dt.reshape(x + y, [dt.shape(x)[0] * 3])
    report = dt.io.export_onnx(dt.Session(), [x, y], {"z": z}, tmp_path / "model.onnx")
    assert [tuple(one.values()) for one in report.sizes] == [(1, 1), (3, 3), (7, 7)]


def test_sizes_that_depend_on_data(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["n", 3], name="x")
    kept = dt.boolean_mask(x, x[:, 0] > 0.0)
    outputs = {"kept": kept, "flat": dt.reshape(kept, [-1]), "likes": dt.ones_like(kept), "where": dt.where(x > 0.0)}
    report = dt.io.export_onnx(dt.Session(), [x], outputs, tmp_path / "model.onnx")
    assert len(report.sizes) == 3


@settings(max_examples=25)
@given(
    window=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilations=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.sampled_from(["SAME", "VALID"]),
    pooled=st.sampled_from([dt.nn.max_pool, dt.nn.avg_pool, None]),
)
def test_windows_over_images_of_open_size(
    tmp_path_factory: pytest.TempPathFactory, window: Any, strides: Any, dilations: Any, padding: str, pooled: Any
) -> None:
    with dt.Graph().as_default():
        x = dt.placeholder(dt.float32, ["batch", "height", "width", 2], name="x")
        if pooled is None:
            kernel = dt.constant(np.linspace(-1.0, 1.0, 6 * window[0] * window[1], dtype=np.float32))
            kernel = dt.reshape(kernel, [*window, 2, 3])
            y = dt.nn.conv2d(x, kernel, [1, *strides, 1], padding, dilations=[1, *dilations, 1])
        else:
            y = pooled(x, [1, *window, 1], [1, *strides, 1], padding)
        path = tmp_path_factory.mktemp("windows") / "model.onnx"
        report = dt.io.export_onnx(dt.Session(), [x], [y], path)
    assert len(report.sizes) >= 3
    assert report.largest_difference < 1e-5


# Layout. -------------------------------------------------------------------------------------------------------------


def test_residual_networks_keep_one_transposition(tmp_path: Path, rng: np.random.Generator) -> None:
    """Sums, concatenations, paddings, slices, activations and means between convolutions do not need the layout."""
    images = dt.placeholder(dt.float32, ["batch", 8, 8, 3], name="images")
    x = dt.layers.conv2d(images * 2.0 - 1.0, 4, 3, padding="same")
    for _ in range(2):
        y = dt.nn.elu(dt.layers.batch_normalization(x))
        y = dt.layers.conv2d(dt.pad(y, [[0, 0], [1, 1], [1, 1], [0, 0]]), 4, 3)
        left, right = dt.split(dt.concat([y, dt.tanh(y)], 3), 2, axis=3)
        scale = dt.reduce_max(left, [1, 2], keepdims=True)
        x = x + dt.where(left > 0.0, right, scale * 0.5)[:, :, :, ::-1]
    scores = dt.layers.dense(dt.reduce_mean(x, [1, 2]), 5)
    with initialized(rng) as session:
        report = dt.io.export_onnx(session, [images], [scores], tmp_path / "model.onnx")
    assert report.largest_difference < 1e-4
    assert operators(tmp_path / "model.onnx")["Transpose"] == 1


def test_images_in_and_out_keep_two_transpositions(tmp_path: Path, rng: np.random.Generator) -> None:
    images = dt.placeholder(dt.float32, ["batch", 8, 8, 3], name="images")
    y = dt.layers.conv2d(dt.nn.relu(dt.layers.conv2d(images, 4, 3)), 4, 3)
    with initialized(rng) as session:
        dt.io.export_onnx(session, [images], {"maps": y}, tmp_path / "model.onnx")
    assert operators(tmp_path / "model.onnx") == {"Transpose": 2, "Conv": 2, "Relu": 1}


def test_a_layout_of_one_pixel_needs_no_transposition_before_a_reshape(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    images = dt.placeholder(dt.float32, ["batch", 3, 3, 2], name="images")
    y = dt.reshape(dt.layers.conv2d(images, 4, 3), [-1, 4])
    with initialized(rng) as session:
        dt.io.export_onnx(session, [images], [y], tmp_path / "model.onnx")
    assert operators(tmp_path / "model.onnx") == {"Transpose": 1, "Conv": 1, "Reshape": 1}


def test_transpositions_that_do_not_cancel_do_not_multiply(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["n", 2, 3], name="x")
    y = dt.transpose(x, [0, 2, 1])
    dt.io.export_onnx(dt.Session(), [x], {"a": dt.exp(y), "b": dt.tanh(y), "c": y}, tmp_path / "model.onnx")
    assert operators(tmp_path / "model.onnx")["Transpose"] == 1


# Control flow, state. ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opset", [18, 21, 23])
def test_branches_and_loops(opset: int, tmp_path: Path, rng: np.random.Generator) -> None:
    x, flag = dt.placeholder(dt.float32, ["n", 3], name="x"), dt.placeholder(dt.bool, [], name="flag")
    weights = dt.get_variable("weights", [3, 3])
    _, looped = dt.while_loop(
        lambda i, z: i < 4, lambda i, z: (i + 1, dt.tanh(z @ weights) + dt.cast(i, dt.float32)), [dt.constant(0), x]
    )
    outputs = {
        "chosen": dt.cond(flag, lambda: x @ weights, lambda: dt.reverse(x, [1])),
        "looped": looped,
        "scanned": dt.scan(lambda total, row: 0.5 * total + row, x, initializer=dt.zeros([3])),
        "backwards": dt.scan(lambda total, row: 0.5 * total + row, x, initializer=dt.zeros([3]), reverse=True),
        "mapped": dt.map_fn(lambda row: dt.reduce_sum(row) * row, x),
        "products": dt.cumprod(x, 1, exclusive=True, reverse=True),
    }
    with initialized(rng) as session:
        report = dt.io.export_onnx(session, [x, flag], outputs, tmp_path / "model.onnx", opset=opset)
    assert {"If", "Loop", "Scan"} <= set(operators(tmp_path / "model.onnx"))
    assert report.largest_difference < 1e-5


def test_any_tensor_can_be_an_input(network: Any, tmp_path: Path) -> None:
    session, _, probabilities = network
    report = dt.io.export_onnx(
        session, {"features": "hidden/Relu:0"}, {"p": probabilities}, tmp_path / "m.onnx", feeds={"training:0": False}
    )
    assert str(report.inputs["features"]) == "float32[batch, 16]"
    assert "Conv" not in operators(tmp_path / "m.onnx")


def test_feeds_become_constants(tmp_path: Path) -> None:
    x, scale = dt.placeholder(dt.float32, [None, 2], name="x"), dt.placeholder(dt.float32, [None], name="scale")
    dt.io.export_onnx(dt.Session(), [x], [x * scale], tmp_path / "m.onnx", feeds={scale: [2.0, 3.0]})
    runtime = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(runtime.run(None, {"x": np.ones((1, 2), np.float32)})[0], [[2.0, 3.0]])


def test_an_output_that_is_an_input_or_a_constant_is_made_by_a_node(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float32, ["n"], name="x")
    outputs = {"same": x, "again": dt.identity(x), "fixed": dt.constant([1, 2]), "doubled": 2.0 * x}
    assert len(dt.io.export_onnx(dt.Session(), [x], outputs, tmp_path / "m.onnx").outputs) == 4


def test_samples_are_cut_and_repeated(tmp_path: Path) -> None:
    """Indices beyond a table would fail at random; those of the samples are valid."""
    ids = dt.placeholder(dt.int64, ["n"], name="ids")
    y = dt.gather(dt.constant([1.0, 2.0, 3.0]), dt.abs(ids) % 3)
    report = dt.io.export_onnx(dt.Session(), [ids], [y], tmp_path / "m.onnx", sample_inputs={ids: [2, 0, 1, 1]})
    assert [one["n"] for one in report.sizes] == [4, 1, 3]


@pytest.mark.parametrize("dtype", [dt.float16, dt.bfloat16])
def test_half_types(dtype: dt.DType, tmp_path: Path) -> None:
    x = dt.placeholder(dtype, ["n", 4, 4, 2], name="x")
    kernel = dt.constant(np.linspace(-1, 1, 36).reshape(3, 3, 2, 2), dtype)
    y = dt.nn.softmax(dt.reduce_mean(dt.nn.relu(dt.nn.conv2d(x, kernel, [1, 1, 1, 1], "SAME")), [1, 2]))
    report = dt.io.export_onnx(dt.Session(), [x], [y], tmp_path / "m.onnx")
    assert report.verified_by == "ONNX Runtime"


@pytest.mark.parametrize("dtype", [dt.int8, dt.uint8, dt.int16, dt.uint16, dt.int32, dt.uint32, dt.int64])
def test_integers(dtype: dt.DType, tmp_path: Path, rng: np.random.Generator) -> None:
    """Also where neither the standard nor ONNX Runtime has an operator for the dtype; small ones wrap."""
    x = dt.placeholder(dtype, ["n", 4], name="x")
    y = x * x if dtype.size < 4 else x
    outputs = [
        y + x, dt.reduce_sum(y, 1), dt.reduce_prod(y, 1), dt.reduce_max(x, 0), dt.maximum(x, y), dt.where(x > y, x, y),
        dt.cumsum(y, 1), dt.argmax(x, 1), dt.pad(x, [[0, 0], [1, 1]]), x // (dt.abs(y) // 2 + 1), x % 3, -x,
        dt.matmul(x, x, transpose_b=True), dt.left_shift(x, 3), dt.right_shift(x, 1), dt.cast(y, dt.float32),
    ]  # fmt: skip
    samples = rng.integers(max(dtype.min, -200), min(dtype.max, 200), (6, 4), endpoint=True).astype(dtype.numpy)
    dt.io.export_onnx(dt.Session(), [x], outputs, tmp_path / "m.onnx", sample_inputs={x: samples})


def test_double_precision_is_compared_by_the_reference(tmp_path: Path) -> None:
    x = dt.placeholder(dt.float64, ["n", 4, 4, 1], name="x")
    y = dt.nn.conv2d(x, dt.ones([2, 2, 1, 1], dt.float64), [1, 1, 1, 1], "VALID", name="conv")
    with pytest.warns(
        UserWarning, match=r'no CPU kernel for Conv in the dtype of node "conv" \(tests/io/test_onnx_models'
    ):
        report = dt.io.export_onnx(dt.Session(), [x], [y], tmp_path / "m.onnx")
    assert report.verified_by == "the ONNX reference"


# Functions. ----------------------------------------------------------------------------------------------------------


def test_layers_as_functions_on_request(network: Any, tmp_path: Path) -> None:
    report = export(network, tmp_path / "m.onnx", functions=True)
    assert report.largest_difference < 1e-5
    model = onnx.load(tmp_path / "m.onnx")
    functions = {one.name: one for one in model.functions}
    assert {one.domain for one in model.functions} == {"dovetail.dovetail-layers"}
    assert set(functions) >= {"Conv2D", "BatchNormalization", "MaxPooling2D", "Flatten", "Dense"}
    assert list(functions["Dense"].input)[1:] == ["kernel", "bias"]
    calls = [node for node in model.graph.node if node.op_type == "BatchNormalization"]
    assert [call.name for call in calls] == ["norm1", "norm2"]  # two calls, one body
    assert all(
        node.op_type != "Transpose" or "kernel" not in node.input for one in model.functions for node in one.node
    )


def test_by_default_the_standard_s_operators_stand_for_themselves(network: Any, tmp_path: Path) -> None:
    export(network, tmp_path / "m.onnx")
    assert not onnx.load(tmp_path / "m.onnx").functions


def test_equal_layers_share_a_function_and_others_do_not(tmp_path: Path, rng: np.random.Generator) -> None:
    x = dt.placeholder(dt.float32, ["n", 4], name="x")
    y = dt.layers.dense(dt.layers.dense(x, 4), 4)
    y = dt.layers.dense(y, 4, activation="relu")
    with initialized(rng) as session:
        dt.io.export_onnx(session, [x], [y], tmp_path / "m.onnx", functions=True)
    model = onnx.load(tmp_path / "m.onnx")
    assert [one.name for one in model.functions] == ["Dense", "Dense_2"]
    assert [node.op_type for node in model.graph.node] == ["Dense", "Dense", "Dense_2"]


@pytest.fixture
def swish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example of a third party's layer, installed for one test."""
    metadata = tmp_path / "site" / "dovetail_swish-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: dovetail-swish\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[dovetail.layers]\nswish = dovetail_swish:Swish\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.syspath_prepend(str(ROOT / "examples/plugins/dovetail-swish/src"))
    plugins.refresh()
    yield
    monkeypatch.undo()
    plugins.refresh()


@pytest.mark.usefixtures("swish")
@pytest.mark.parametrize("opset", [18, 21, 23])
def test_a_third_party_s_layer_is_a_function_of_its_decomposition(
    opset: int, tmp_path: Path, rng: np.random.Generator
) -> None:
    x = dt.placeholder(dt.float32, ["n", 4], name="x")
    y = dt.layers.dense(dt.layers.swish(dt.layers.dense(x, 4, name="before")), 4, name="after")
    with initialized(rng) as session:
        report = dt.io.export_onnx(session, [x], [y], tmp_path / "m.onnx", opset=opset)
        dt.io.export_onnx(session, [x], [y], tmp_path / "inlined.onnx", opset=opset, inline=True)
    assert report.largest_difference < 1e-5
    model = onnx.load(tmp_path / "m.onnx")
    (function,) = model.functions
    assert (function.domain, function.name) == ("dovetail.dovetail-swish", "Swish")
    assert list(function.input) == ["x0", "beta"]
    assert [node.op_type for node in function.node] == ["Mul", "Sigmoid", "Mul"]
    assert [node.op_type for node in model.graph.node] == ["Gemm", "Swish", "Gemm"]
    assert model.graph.node[1].doc_string.startswith("tests/io/test_onnx_models.py:")
    assert not onnx.load(tmp_path / "inlined.onnx").functions


def test_a_layer_that_needs_a_size_from_elsewhere_is_inlined(tmp_path: Path) -> None:
    x, y = dt.placeholder(dt.float32, ["n", 2], name="x"), dt.placeholder(dt.float32, ["m", 2], name="y")

    class Longer(Layer):
        """A layer that repeats its input as often as another tensor is long."""

        def call(self, inputs: dt.Tensor) -> dt.Tensor:
            return dt.tile(dt.tanh(inputs), [y.shape[0], 1])

    z = dt.concat([Longer(name="longer")(x), y], 0)
    dt.io.export_onnx(dt.Session(), [x, y], {"z": z}, tmp_path / "m.onnx", functions=True)
    assert not onnx.load(tmp_path / "m.onnx").functions


def test_a_layer_around_which_data_passes_is_inlined(tmp_path: Path, rng: np.random.Generator) -> None:
    """Between two parts of the call stands a node of another: one node could not be before and after it."""

    class Between(Layer):
        """A layer whose result is computed from what was made of its own middle, outside."""

        def call(self, x: dt.Tensor) -> dt.Tensor:
            inner = dt.tanh(x)
            with dt.get_default_graph().cleared_scopes():
                outside = dt.exp(inner)
            return inner + outside

    x = dt.placeholder(dt.float32, ["n", 4], name="x")
    y = Between(name="between")(x)
    with initialized(rng) as session:
        dt.io.export_onnx(session, [x], [y], tmp_path / "m.onnx", functions=True)
    model = onnx.load(tmp_path / "m.onnx")
    assert not model.functions
    assert [node.op_type for node in model.graph.node] == ["Tanh", "Exp", "Add"]
