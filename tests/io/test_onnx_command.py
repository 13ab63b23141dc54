"""``dovetail export``: from saved models to ONNX files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import dovetail as dt
from dovetail.plugins.cli import main

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture
def saved(rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A checkpoint of a classifier with its graph, in the current folder; gives its path."""
    monkeypatch.chdir(tmp_path)
    images = dt.placeholder(dt.float32, ["batch", 6, 6, 2], name="images")
    training = dt.placeholder(dt.bool, [], name="is_training")
    x = dt.layers.dropout(dt.layers.conv2d(images, 4, 3, name="conv"), 0.5, training=training)
    dt.nn.softmax(dt.layers.dense(dt.layers.flatten(x), 3), name="probabilities")
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        path = dt.train.Saver().save(session, "./classifier", global_step=100)
        array = rng.normal(size=(4, 6, 6, 2)).astype(np.float32)
        np.savez("samples.npz", images=array, expected=session.run("probabilities:0", {images: array, training: False}))
    dt.reset_default_graph()
    return path


def check(path: str, *, name: str = "images") -> None:
    """Compare what the model says of the samples with what the session said before it was saved."""
    with np.load("samples.npz") as samples:
        runtime = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (found,) = runtime.run(None, {name: samples["images"]})
        np.testing.assert_allclose(found, samples["expected"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("source", ["classifier-100", "classifier-100.meta", "classifier-100.safetensors", "."])
def test_a_checkpoint_becomes_a_model(source: str, saved: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", source, "m.onnx", "--outputs", "probabilities", "--feed", "is_training=false"]) == 0
    out = capsys.readouterr().out
    assert out.startswith('ExportReport("m.onnx", opset 21: images float32[batch, 6, 6, 2] -> probabilities ')
    assert "compared by ONNX Runtime at batch=1 and batch=3 and batch=7" in out
    check("m.onnx")
    assert dt.get_default_graph().get_operations() == []


@pytest.mark.usefixtures("saved")
def test_what_the_command_passes_on() -> None:
    Path("labels.txt").write_text("ant\nbee\n\ncat\n")
    with np.load("samples.npz") as samples:
        np.savez("only.npz", images=samples["images"])
    arguments = [
        *("export", "classifier-100", "m.onnx", "--inputs", "images", "--outputs", "probabilities:0"),
        *("--feed", "is_training=False", "--opset", "18", "--ir-version", "9", "--functions", "--float16-weights"),
        *("--sample-inputs", "only.npz", "--class-labels", "labels.txt", "--metadata", "by=me", "of=you=we"),
        *("--preprocessing", '{"scale": 0.5}', "--serving-script"),
    ]
    assert main(arguments) == 0
    model = onnx.load("m.onnx")
    assert (model.opset_import[0].version, model.ir_version) == (18, 9)
    assert {one.name for one in model.functions} >= {"Conv2D", "Dense"}
    assert {one.key: one.value for one in model.metadata_props} == {
        "by": "me", "of": "you=we", "class_labels": '["ant", "bee", "cat"]', "preprocessing": '{"scale": 0.5}',
    }  # fmt: skip
    assert any(one.data_type == onnx.TensorProto.FLOAT16 for one in model.graph.initializer)
    assert Path("m_serve.py").exists()
    arguments[1:] = ["classifier-100", "t.onnx", "--outputs", "probabilities", "--feed", "is_training=true"]
    assert main([*arguments, "--keep-training", "--input-layout", "NCHW", "--no-verify"]) == 0
    model = onnx.load("t.onnx")
    assert "Dropout" in {node.op_type for node in model.graph.node}
    assert [one.dim_value for one in model.graph.input[0].type.tensor_type.shape.dim[1:]] == [2, 6, 6]


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["classifier-100"], r'"classifier-100" is a checkpoint, .* --outputs. Nothing takes .*probabilities:0'),
        (["classifier-100", "--outputs", "probabilites"], "no tensor 'probabilites'. Did you mean 'probabilities'"),
        (["classifier-7", "--outputs", "probabilities"], "classifier-7"),
        (["elsewhere", "--outputs", "probabilities"], "elsewhere"),
        (["bare-100", "--outputs", "probabilities"], "has no graph beside it, no file .*bare-100.meta"),
        (["classifier-100", "--outputs", "probabilities", "--feed", "is_training"], "not of the form NAME=VALUE"),
        (
            ["classifier-100", "--outputs", "probabilities", "--feed", "is_training=maybe"],
            "'maybe' is no value: ",
        ),
        (["classifier-100", "--outputs", "probabilities", "--feed", "is_training=true"], "draws random numbers"),
        (["classifier-100", "--outputs", "probabilities", "--class-labels", "none.txt"], 'labels "none.txt" cannot'),
        (["classifier-100", "--outputs", "probabilities", "--opset", "9"], "opset is 9; use one from 18"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in Path().glob("classifier-100.*"):
        if path.suffix != ".meta":
            shutil.copy(path, path.with_stem(path.stem.replace("classifier", "bare")))
    assert main(["export", arguments[0], "m.onnx", *arguments[1:]]) == 1
    error = capsys.readouterr().err
    assert error.startswith("dovetail: ")
    assert re.search(message, error), error
    assert not Path("m.onnx").exists()
