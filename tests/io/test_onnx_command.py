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
    assert main(["export", "--outputs", "probabilities", "--feed", "is_training=false", source, "m.onnx"]) == 0
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
        *(
            "--sample-inputs",
            "only.npz",
            "--class-labels",
            "labels.txt",
            "--metadata",
            "by=me",
            "--metadata",
            "of=you=we",
        ),
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


@pytest.fixture
def bundle(saved: str) -> str:
    """A bundle of two graphs made of the checkpoint; that for serving has two signatures."""
    tags = dt.saved_model.tag_constants
    builder = dt.saved_model.builder.SavedModelBuilder("bundle")
    with dt.Session() as session:
        saver = dt.train.import_meta_graph(f"{saved}.meta")
        assert saver is not None
        saver.restore(session, saved)
        images, probabilities, flag = (
            session.graph.get_tensor_by_name(f"{name}:0") for name in ("images", "probabilities", "is_training")
        )
        best = dt.argmax(probabilities, 1, name="best")
        predict = dt.saved_model.predict_signature_def
        signatures = {
            "serving_default": predict({"pictures": images}, {"chances": probabilities}),
            "with_flag": predict({"pictures": images, "flag": flag}, {"best": best}),
        }
        builder.add_meta_graph_and_variables(session, [tags.TRAINING])
        builder.add_meta_graph([tags.SERVING], signature_def_map=signatures)
        builder.save()
    dt.reset_default_graph()
    return "bundle"


def names(path: str) -> tuple[list[str], list[str]]:
    graph = onnx.load(path).graph
    return [one.name for one in graph.input], [one.name for one in graph.output]


def test_a_bundle_becomes_a_model_by_its_signatures(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", bundle, "m.onnx", "--feed", "is_training=false"]) == 0
    assert names("m.onnx") == (["pictures"], ["chances"])
    check("m.onnx", name="pictures")
    assert main(["export", bundle, "b.onnx", "--signature", "with_flag", "--keep-training"]) == 0
    assert names("b.onnx") == (["pictures", "flag"], ["best"])
    assert main(["export", bundle, "b.onnx", "--signature", "with_flag", "--feed", "is_training=false"]) == 0
    assert names("b.onnx") == (["pictures"], ["best"])
    flags = ["--feed", "is_training=false"]
    assert main(["export", bundle, "t.onnx", "--tags", "train", "--outputs", "probabilities", *flags]) == 0
    assert names("t.onnx") == (["images"], ["probabilities"])
    assert main(["export", bundle, "t.onnx", "--outputs", "best:0, probabilities", "--tags", "train", *flags]) == 0
    assert names("t.onnx") == (["images"], ["best", "probabilities"])

    for arguments, message in [
        (["--signature", "servin_default"], "no signature 'servin_default'; it has 'serving_default', 'with_flag'"),
        (["--tags", "serve,gpu"], "no graph with the tags"),
        (["--tags", "train"], "no signature 'serving_default'; it has none"),
        ([], "is_training"),
    ]:
        assert main(["export", bundle, "no.onnx", *arguments]) == 1
        assert message in capsys.readouterr().err
    assert not Path("no.onnx").exists()


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["classifier-100", "--tags", "serve"], "is a checkpoint, which has no tags; leave --tags out"),
        (["classifier-100"], r'"classifier-100" does not say what .* --outputs. Nothing takes .*probabilities:0'),
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
