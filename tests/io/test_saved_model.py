"""Bundles: what is saved comes back by tags and signatures, and mistakes are told."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import dovetail as tf
from dovetail.errors import (
    DovetailError,
    DTypeError,
    FeedError,
    FormatError,
    GraphError,
    InvalidArgumentError,
    NotFoundError,
    ShapeError,
    StorageError,
    UninitializedVariableError,
)
from dovetail.extend import hook, hookimpl

FEED = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)


def network(*, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """A small network in the default graph: for training with more variables than for serving."""
    x = tf.placeholder(tf.float32, ["batch", 2], name="x")
    h = tf.layers.dense(x, 3, name="hidden")
    y = tf.nn.softmax(h, name="y")
    if training:
        loss = tf.reduce_mean(tf.square(y))
        tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, tf.train.get_or_create_global_step(), name="train")
    return x, y


def signatures() -> dict[str, tf.saved_model.SignatureDef]:
    graph = tf.get_default_graph()
    x, y = graph.get_tensor_by_name("x:0"), graph.get_tensor_by_name("y:0")
    predict = tf.saved_model.signature_def_utils.predict_signature_def(inputs={"x": x}, outputs={"y": y})
    return {tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: predict}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A bundle of a graph for training and one for serving, and what it answers to FEED, on whichever backend."""
    exports = tmp_path_factory.mktemp("bundles") / "exports"
    builder = tf.saved_model.builder.SavedModelBuilder(str(exports / "1"))
    with tf.Session(graph=tf.Graph()) as session:
        with session.graph.as_default():
            _, y = network(training=True)
        session.run(tf.global_variables_initializer())
        session.run("train", {"x:0": FEED})
        builder.add_meta_graph_and_variables(session, [tf.saved_model.tag_constants.TRAINING], signatures())
        expected = session.run(y, {"x:0": FEED})
    with tf.Graph().as_default():
        network(training=False)
        builder.add_meta_graph([tf.saved_model.tag_constants.SERVING, "cpu"], signatures())
    assert not exports.exists()
    assert builder.save() == str(exports / "1" / "saved_model.json")
    return exports, expected


@pytest.fixture
def saved(exported: tuple[Path, np.ndarray], tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A copy of it for a test."""
    shutil.copytree(exported[0], tmp_path / "exports")
    return tmp_path / "exports" / "1", exported[1]


def test_graphs_of_a_bundle_share_variables(saved: tuple[Path, np.ndarray]) -> None:
    folder, expected = saved
    for tags in (["train"], ["cpu", "serve"]):
        with tf.Session(graph=tf.Graph()) as session:
            loaded = tf.saved_model.loader.load(session, tags, str(folder))
            names = loaded.signature_def["serving_default"]
            found = session.run(names.outputs["y"].name, {names.inputs["x"].name: FEED})
            np.testing.assert_allclose(found, expected, rtol=1e-5)
            assert names.method_name == "tensorflow/serving/predict"
            assert len(tf.global_variables()) == (5 if tags == ["train"] else 2)
            if tags == ["train"]:
                assert session.run("global_step:0") == 1
                session.run("train", {"x:0": FEED})
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        "saved_model.json",
        "graphs/1.meta",
        "graphs/2.meta",
        "variables/variables.json",
        "variables/variables.safetensors",
    }
    assert not list(folder.parent.glob(".*"))


def test_the_variables_are_a_checkpoint_that_other_libraries_read(saved: tuple[Path, np.ndarray]) -> None:
    folder, expected = saved
    assert "hidden/kernel" in safetensors.numpy.load_file(folder / "variables" / "variables.safetensors")
    network(training=False)
    with tf.Session() as session:
        tf.train.Saver().restore(session, str(folder / "variables" / "variables"))
        np.testing.assert_allclose(session.run("y:0", {"x:0": FEED}), expected, rtol=1e-5)


def test_a_graph_is_loaded_into_a_scope(saved: tuple[Path, np.ndarray]) -> None:
    folder, expected = saved
    tf.constant(1.0, name="x")
    with tf.Session() as session:
        loaded = tf.saved_model.load(session, {"serve", "cpu"}, folder, import_scope="served")
        info = loaded.signature_def["serving_default"]
        x, y = (
            tf.saved_model.get_tensor_from_tensor_info(one, import_scope="served")
            for one in (info.inputs["x"], info.outputs["y"])
        )
        assert x.name == "served/x:0"
        np.testing.assert_allclose(session.run(y, {x: FEED}), expected, rtol=1e-5)


def test_what_the_tutorials_call_runs(tmp_path: Path) -> None:
    base = str(tmp_path / "mnist")
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    w = tf.Variable(tf.zeros([4, 10]))
    y = tf.nn.softmax(tf.matmul(x, w), name="y")
    values, indices = tf.nn.top_k(y, 10)
    table = tf.constant([str(i) for i in range(10)])
    prediction_classes = tf.gather(table, indices)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        export_path = os.path.join(tf.compat.as_bytes(base), tf.compat.as_bytes(str(1)))  # noqa: PTH118 - as they do
        builder = tf.saved_model.builder.SavedModelBuilder(export_path)
        classification_signature = tf.saved_model.signature_def_utils.build_signature_def(
            inputs={tf.saved_model.signature_constants.CLASSIFY_INPUTS: tf.saved_model.utils.build_tensor_info(x)},
            outputs={
                tf.saved_model.signature_constants.CLASSIFY_OUTPUT_CLASSES: tf.saved_model.utils.build_tensor_info(
                    prediction_classes
                ),
                tf.saved_model.signature_constants.CLASSIFY_OUTPUT_SCORES: tf.saved_model.utils.build_tensor_info(
                    values
                ),
            },
            method_name=tf.saved_model.signature_constants.CLASSIFY_METHOD_NAME,
        )
        prediction_signature = tf.saved_model.signature_def_utils.build_signature_def(
            inputs={"images": tf.saved_model.utils.build_tensor_info(x)},
            outputs={"scores": tf.saved_model.utils.build_tensor_info(y)},
            method_name=tf.saved_model.signature_constants.PREDICT_METHOD_NAME,
        )
        builder.add_meta_graph_and_variables(
            sess,
            [tf.saved_model.tag_constants.SERVING],
            signature_def_map={
                "predict_images": prediction_signature,
                tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: classification_signature,
            },
            main_op=tf.tables_initializer(),
            strip_default_attrs=True,
        )
        builder.save()
    assert tf.saved_model.loader.maybe_saved_model_directory(export_path)
    assert tf.saved_model.maybe_saved_model_directory(export_path)
    assert (tmp_path / "mnist" / "1" / tf.saved_model.constants.SAVED_MODEL_FILENAME).is_file()
    assert not tf.saved_model.contains_saved_model(base)
    predict = tf.saved_model.predictor(export_path)
    found = predict({"inputs": np.ones((2, 4), np.float32)})
    assert found["classes"].shape == (2, 10)
    assert sorted(found["classes"][0].tolist()) == [str(i).encode() for i in range(10)]
    np.testing.assert_allclose(predict(images=np.ones((1, 4)), signature="predict_images")["scores"], 0.1, rtol=1e-6)


def test_assets_lie_in_the_bundle_and_their_places_reach_the_graph(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "words.txt", tmp_path / "b" / "words.txt"]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        path.write_text(f"words {number}")
    tensors = [tf.constant(str(path), name=f"path_{number}") for number, path in enumerate(paths)]
    seen = tf.Variable("", name="seen", trainable=False)
    init = tf.assign(seen, tensors[1]).op
    for tensor in tensors:
        tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, tensor)
    x = tf.placeholder(tf.float32, [], name="x")
    y = tf.identity(tensors[0]), 2.0 * x
    builder = tf.saved_model.Builder(tmp_path / "out")
    signature = tf.saved_model.predict_signature_def({"x": x}, {"path": y[0], "y": y[1]})
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {"serving_default": signature},
            assets_collection=tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS),
            main_op=init,
        )
    builder.save()
    (tmp_path / "out").rename(tmp_path / "moved")
    for path in paths:
        path.unlink()
    with tf.Session(graph=tf.Graph()) as session:
        tf.saved_model.load(session, ["serve"], tmp_path / "moved")
        place = Path(os.fsdecode(session.run("seen:0")))
        assert place.read_text() == "words 1"
        assert place.parent == tmp_path / "moved" / "assets"
    answer = tf.saved_model.predictor(tmp_path / "moved")(x=3.0)
    assert Path(os.fsdecode(answer["path"])).read_text() == "words 0"
    assert answer["y"] == 6.0


# The predictor. ------------------------------------------------------------------------------------------------------


def test_a_predictor_plans_once_and_answers_in_threads(saved: tuple[Path, np.ndarray]) -> None:
    folder, expected = saved
    plans: list[Any] = []

    class Listener:
        @hookimpl
        def plan_compiled(self, program: Any) -> None:
            plans.append(program)

    predict = tf.saved_model.predictor(folder, tags=["serve", "cpu"])
    listener = Listener()
    hook.register(listener)
    try:
        np.testing.assert_allclose(predict({"x": FEED})["y"], expected, rtol=1e-5)
        for size in range(1, 6):
            assert predict(x=np.zeros((size, 2)))["y"].shape == (size, 3)
        with ThreadPoolExecutor(4) as threads:
            for found in threads.map(lambda _: predict(x=FEED)["y"], range(40)):
                np.testing.assert_allclose(found, expected, rtol=1e-5)
        assert len(plans) == 1
    finally:
        hook.unregister(listener)
    assert predict.inputs == {"x": "float32[batch, 2]"}
    assert predict.outputs == {"y": "float32[batch, 3]"}
    assert list(predict.signatures) == ["serving_default"]
    with predict:
        pass
    with pytest.raises(DovetailError, match="closed"):
        predict(x=FEED)


def test_first_answers_of_many_threads_are_prepared_once(saved: tuple[Path, np.ndarray]) -> None:
    folder, expected = saved
    predict = tf.saved_model.predictor(folder, tags="train")
    start = threading.Barrier(4)

    def ask(_: int) -> np.ndarray:
        start.wait()
        return np.asarray(predict({"x": FEED}, signature="serving_default")["y"])

    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(ask, range(4)):
            np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_wrong_inputs_are_told_by_the_names_of_the_signature(saved: tuple[Path, np.ndarray]) -> None:
    predict = tf.saved_model.predictor(saved[0], tags=["serve", "cpu"])
    for given, message in [
        ({}, r"the signature 'serving_default' takes \{'x': float32\[batch, 2\]\}; 'x' missing\."),
        ({"xs": FEED}, r"'x' missing and 'xs' unknown. Did you mean 'x'\?"),
        ({"x": FEED, "z": 1}, r"'z' unknown"),
        ({"x": np.zeros((2, 3))}, r"takes 'x' \(x:0: float32\[batch, 2\]\): .*value fed has shape \[2, 3\]"),
        ({"x": "text"}, r"takes 'x' \(x:0: float32\[batch, 2\]\): .*does not fit"),
        (FEED, "the inputs are ndarray; give a dict, such as {'x': …}"),
    ]:
        with pytest.raises(FeedError, match=message):
            predict(given)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError, match=r"has no signature 'serving'; it has 'serving_default'. Did you mean"):
        predict({"x": FEED}, signature="serving")


def test_a_placeholder_that_no_input_feeds_is_told(tmp_path: Path) -> None:
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    flag = tf.placeholder(tf.bool, [], name="is_training")
    y = tf.layers.dropout(x, rate=0.5, training=flag)
    with tf.Session() as session:
        tf.saved_model.simple_save(session, tmp_path / "net", {"x": x}, {"y": y})
    with pytest.raises(InvalidArgumentError) as caught:
        tf.saved_model.predictor(tmp_path / "net")
    assert "the outputs of the signature 'serving_default' need 'is_training:0' (bool[])" in str(caught.value)
    assert "feeds={'is_training:0': …}" in str(caught.value)
    assert "test_saved_model.py:" in str(caught.value)
    for path, key in ((tmp_path / "net", "is_training:0"), (tmp_path / "net" / "saved_model.json", "is_training")):
        predict = tf.saved_model.predictor(path, feeds={key: False})
        np.testing.assert_array_equal(predict(x=FEED)["y"], FEED)
    with pytest.raises(NotFoundError, match="feeds of .*net"):
        tf.saved_model.predictor(tmp_path / "net", feeds={"training:0": False})


def test_tags_and_signatures_that_are_not_there_are_told(saved: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, _ = saved
    with pytest.raises(
        NotFoundError, match=r"no graph with the tags \['serve'\]; it has graphs with \['train'\] and \['s"
    ):
        tf.saved_model.predictor(folder)
    with pytest.raises(NotFoundError, match="has no signature 'predict'; it has 'serving_default'"):
        tf.saved_model.predictor(folder, "predict", ["train"])
    with pytest.raises(NotFoundError, match=r"no saved model in .*exports.*There is one in '.*exports/1'"):
        tf.saved_model.predictor(folder.parent)
    with pytest.raises(NotFoundError, match="the folder does not exist"):
        tf.saved_model.predictor(tmp_path / "nowhere")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "saved_model.pb").touch()
    with pytest.raises(NotFoundError, match="is a saved model of TensorFlow, which Dovetail does not read"):
        tf.saved_model.predictor(tmp_path / "theirs")
    with pytest.raises(DTypeError, match="the first argument is 'x'; give a dt.Session"):
        tf.saved_model.load("x", ["serve"], folder)  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match="tags are 3; give a list of strings"):
        tf.saved_model.predictor(folder, tags=3)
    network(training=False)
    with tf.Session() as session, pytest.raises(GraphError, match="already has an operation 'x'.*import_scope"):
        tf.saved_model.load(session, ["train"], folder)


# The builder. --------------------------------------------------------------------------------------------------------


def test_a_folder_that_holds_something_is_refused(saved: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, _ = saved
    with pytest.raises(
        InvalidArgumentError, match=r"exports/1\" is there already and not empty; .* such as '.*exports/2'"
    ):
        tf.saved_model.builder.SavedModelBuilder(folder)
    with pytest.raises(InvalidArgumentError, match=r"such as '.*exports-2'"):
        tf.saved_model.builder.SavedModelBuilder(folder.parent)
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgumentError, match="is there already"):
        tf.saved_model.builder.SavedModelBuilder(tmp_path / "file")
    x = tf.placeholder(tf.float32, [], name="x")
    (tmp_path / "empty").mkdir()
    late = tf.saved_model.builder.SavedModelBuilder(tmp_path / "late")
    with tf.Session() as session:
        tf.saved_model.simple_save(session, tmp_path / "empty", {"x": x}, {"y": 2.0 * x})
        late.add_meta_graph_and_variables(session, ["serve"])
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "mine").write_text("precious")
    with pytest.raises(InvalidArgumentError, match='late" is there already'):
        late.save()
    assert (tmp_path / "late" / "mine").read_text() == "precious"
    assert not list(tmp_path.glob(".*"))
    assert tf.saved_model.predictor(tmp_path / "empty")(x=1.0) == {"y": 2.0}


def test_graphs_are_added_in_order(tmp_path: Path) -> None:
    builder = tf.saved_model.builder.SavedModelBuilder(tmp_path / "out")
    with pytest.raises(InvalidArgumentError, match="there is nothing to save; call add_meta_graph_and_variables"):
        builder.save()
    with pytest.raises(InvalidArgumentError, match="there are no variables yet; call add_meta_graph_and_variables"):
        builder.add_meta_graph(["serve"])
    v = tf.Variable([1.0, 2.0], name="v")
    with tf.Session() as session:
        with pytest.raises(UninitializedVariableError, match="1 of 1 variables have no value to save: v"):
            builder.add_meta_graph_and_variables(session, ["train"])
        session.run(v.initializer)
        with pytest.raises(DTypeError, match="the first argument is"):
            builder.add_meta_graph_and_variables(["train"], session)  # type: ignore[arg-type]
        for tags, reason in [([], "there are no tags"), ([3], r"tags are \[3\]"), (3, "tags are 3")]:
            with pytest.raises(DovetailError, match=reason):
                builder.add_meta_graph_and_variables(session, tags)  # type: ignore[arg-type]
        builder.add_meta_graph_and_variables(session, ["train"])
        with pytest.raises(InvalidArgumentError, match="the variables have been added already; .* add_meta_graph"):
            builder.add_meta_graph_and_variables(session, ["serve"])
        with pytest.raises(InvalidArgumentError, match=r"tags \['train'\] has been added already"):
            builder.add_meta_graph(["train", "train"])
        v.load([5.0, 6.0], session)
    for value, error, message in [
        (np.zeros(3, np.float32), ShapeError, r'"v" is float32\[3\] in this graph, but float32\[2\] was added'),
        (np.zeros(2), DTypeError, r'"v" is float64\[2\] in this graph, but float32\[2\] was added'),
    ]:
        with tf.Graph().as_default():
            tf.Variable(value, name="v")
            with pytest.raises(error, match=message):
                builder.add_meta_graph(["serve"])
    with tf.Graph().as_default():
        tf.Variable(1.0, name="vv")
        with pytest.raises(NotFoundError, match=r'"vv" of this graph is not among the 1 that were added .*Graphs of a'):
            builder.add_meta_graph(["serve"])
    builder.save()
    with tf.Session(graph=tf.Graph()) as session:
        tf.saved_model.load(session, ["train"], tmp_path / "out")
        assert session.run("v:0").tolist() == [1.0, 2.0], "the values of the moment when they were added"


def test_a_saver_chooses_the_variables(tmp_path: Path) -> None:
    v, w = tf.Variable(1.0, name="v"), tf.Variable(2.0, name="w")
    builder = tf.saved_model.builder.SavedModelBuilder(tmp_path / "out")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        builder.add_meta_graph_and_variables(session, ["serve"], saver=tf.train.Saver({"renamed": v}))
    builder.save()
    assert tf.io.Checkpoint(tmp_path / "out" / "variables" / "variables").names == ["renamed"]
    with tf.Session(graph=tf.Graph()) as session:
        tf.saved_model.load(session, ["serve"], tmp_path / "out")
        assert session.run("v:0") == 1.0
        assert session.initialized_variables() == ["v"]
    assert w.op.name == "w"


def test_signatures_of_other_graphs_are_refused(tmp_path: Path) -> None:
    with tf.Graph().as_default():
        network(training=False)
        theirs = signatures()
    x = tf.placeholder(tf.float64, [], name="x")
    builder = tf.saved_model.builder.SavedModelBuilder(tmp_path / "out")
    with tf.Session() as session:
        for given, error, message in [
            (theirs, DTypeError, "the input 'x' of the signature 'serving_default' says that 'x:0' is float32"),
            ({"a": 3}, DTypeError, "signature_def_map has 'a': 3; give a string and a signature"),
            ([3], DTypeError, r"signature_def_map is \[3\]"),
        ]:
            with pytest.raises(error, match=message):
                builder.add_meta_graph_and_variables(session, ["serve"], given)  # type: ignore[arg-type]
        signature = tf.saved_model.SignatureDef({}, theirs["serving_default"].outputs, "")
        with pytest.raises(NotFoundError, match="the output 'y' of the signature 'a' is 'y:0', which the graph"):
            builder.add_meta_graph_and_variables(session, ["serve"], {"a": signature})
        with pytest.raises(DTypeError, match="main_op is .*x.*; give an operation"):
            builder.add_meta_graph_and_variables(session, ["serve"], main_op=x)  # type: ignore[arg-type]
        with pytest.raises(DTypeError, match="an asset is 'a.txt'; give string scalars"):
            builder.add_meta_graph_and_variables(session, ["serve"], assets_collection=["a.txt"])  # type: ignore[list-item]
        with pytest.raises(NotFoundError, match=r'the asset "nowhere.txt", which .Const:0. holds, is no file'):
            builder.add_meta_graph_and_variables(session, ["serve"], assets_collection=[tf.constant("nowhere.txt")])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x, s: tf.saved_model.build_tensor_info(3), "build_tensor_info: 3 is no tensor"),
        (lambda x, s: tf.saved_model.build_signature_def({"x": x}), r"inputs has 'x': .*; give a string and what"),
        (
            lambda x, s: tf.saved_model.signature_def_utils.build_signature_def(outputs=[x]),
            r"outputs is \[.*; give a dict",
        ),
        (
            lambda x, s: tf.saved_model.predict_signature_def({}, {"y": x}),
            "inputs is {}; give a dict of tensors by name",
        ),
        (lambda x, s: tf.saved_model.regression_signature_def(x, s), r"predictions are string\[\]; give float32"),
        (lambda x, s: tf.saved_model.regression_signature_def(x, None), "examples and predictions must both be given"),
        (
            lambda x, s: tf.saved_model.classification_signature_def(x, x, None),
            r"classes: float32\[\]; classes must be st",
        ),
        (
            lambda x, s: tf.saved_model.classification_signature_def(x, None, None),
            "give examples, and classes or scores",
        ),
    ],
)
def test_signatures_are_checked(make: Callable[[tf.Tensor, tf.Tensor], Any], message: str) -> None:
    with pytest.raises(DovetailError, match=message):
        make(tf.placeholder(tf.float32, [], name="x"), tf.constant("text"))


def test_valid_signatures_are_told_from_others() -> None:
    x, s = tf.placeholder(tf.float32, [None], name="x"), tf.placeholder(tf.string, [None], name="s")
    utils = tf.saved_model.signature_def_utils
    for signature in (
        utils.predict_signature_def({"a": x}, {"b": s}),
        utils.regression_signature_def(s, x),
        utils.classification_signature_def(s, s, x),
        utils.classification_signature_def(x, None, x),
    ):
        assert utils.is_valid_signature(signature)
        assert tf.saved_model.is_valid_signature(signature)
        assert not utils.is_valid_signature(signature._replace(method_name="other"))
        assert not utils.is_valid_signature(signature._replace(outputs={}))
    assert not utils.is_valid_signature(None)
    unknown = tf.saved_model.build_tensor_info(tf.placeholder(tf.float32, name="u"))
    assert str(unknown) == "float32[...]"


# Damage. -------------------------------------------------------------------------------------------------------------


def test_every_file_counts(saved: tuple[Path, np.ndarray]) -> None:
    folder, _ = saved
    bundle = tf.saved_model.Bundle(folder)
    bundle.verify()
    for path in [*bundle.files, "saved_model.json"]:
        place = folder / path
        content = place.read_bytes()
        for damaged in (content[:-1], content[:9] + bytes([content[9] ^ 1]) + content[10:], content + b" "):
            place.write_bytes(damaged)
            with pytest.raises(FormatError, match=str(place)):
                tf.saved_model.Bundle(folder).verify()
        place.unlink()
        with pytest.raises(DovetailError, match="is missing"):
            tf.saved_model.Bundle(folder).verify()
        place.write_bytes(content)
    bundle.verify()


def test_every_byte_of_a_small_bundle_counts(tmp_path: Path, long_tests: bool) -> None:
    x = tf.placeholder(tf.float32, [], name="x")
    w = tf.Variable(3.0, name="w")
    with tf.Session() as session:
        session.run(w.initializer)
        tf.saved_model.simple_save(session, tmp_path / "net", {"x": x}, {"y": tf.multiply(w, x, name="y")})
    places = [path for path in sorted((tmp_path / "net").rglob("*")) if path.is_file()]
    assert len(places) == 4
    noticed = 0
    for place in places:
        content = place.read_bytes()
        for at in range(0, len(content), 1 if long_tests else 29):
            place.write_bytes(content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :])
            with pytest.raises(DovetailError):
                tf.saved_model.Bundle(tmp_path / "net").verify()
            with pytest.raises(DovetailError):
                tf.saved_model.predictor(tmp_path / "net")
            noticed += 1
        place.write_bytes(content)
    assert noticed > 100
    assert tf.saved_model.predictor(tmp_path / "net")(x=2.0) == {"y": 6.0}


def test_files_of_another_bundle_are_noticed_on_loading(saved: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, _ = saved
    for path in ("graphs/1.meta", "variables/variables.json"):
        other = json.loads((folder / path).read_text())
        del other["digest"]
        other["dovetail"] = "another"
        text = ("{\n" + "".join(f"{json.dumps(key)}: {json.dumps(one)},\n" for key, one in other.items())).encode()
        content = (folder / path).read_bytes()
        (folder / path).write_bytes(text + f'"digest": "{hashlib.sha256(text).hexdigest()}"\n}}\n'.encode())
        with tf.Session(graph=tf.Graph()) as session, pytest.raises(FormatError, match="is damaged"):
            tf.saved_model.load(session, ["train"], folder)
        (folder / path).write_bytes(content)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["files"][0].update(path="../secret"),
        lambda data: data["files"][0].update(path="variables/../../secret"),
        lambda data: data["files"][0].update(path="/etc/passwd"),
        lambda data: data["files"].append(data["files"][0]),
        lambda data: data["files"][0].update(bytes="1"),
        lambda data: data["meta_graphs"][0].update(graph="graphs/9.meta"),
        lambda data: data["meta_graphs"][0].update(tags=[]),
        lambda data: data["meta_graphs"][0].update(assets={"x:0": "assets/no"}),
        lambda data: data["meta_graphs"][0]["signature_def"].update(a={"inputs": 3}),
        lambda data: data.update(meta_graphs=3),
        lambda data: data.update(saved=None),
    ],
)
def test_forged_manifests_are_refused(saved: tuple[Path, np.ndarray], change: Callable[[Any], None]) -> None:
    path = saved[0] / "saved_model.json"
    data = json.loads(path.read_text())
    del data["digest"]
    change(data)
    text = ("{\n" + "".join(f"{json.dumps(key)}: {json.dumps(one)},\n" for key, one in data.items())).encode()
    path.write_bytes(text + f'"digest": "{hashlib.sha256(text).hexdigest()}"\n}}\n'.encode())
    with pytest.raises(FormatError, match=r'saved_model.json" is damaged'):
        tf.saved_model.Bundle(saved[0])


def test_a_link_out_of_the_folder_is_not_followed(saved: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, _ = saved
    (folder / "graphs").rename(tmp_path / "elsewhere")
    (folder / "graphs").symlink_to(tmp_path / "elsewhere")
    with tf.Session(graph=tf.Graph()) as session, pytest.raises(FormatError, match="leads to .*elsewhere/1.meta"):
        tf.saved_model.load(session, ["train"], folder)
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(FormatError, match="out of its folder"):
        tf.saved_model.Bundle(tmp_path / "link").verify()


def test_a_bundle_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, _ = network(training=False)
    builder = tf.saved_model.builder.SavedModelBuilder(tmp_path / "exports" / "1")
    (tmp_path / "words.txt").write_text("a b c")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.constant(str(tmp_path / "words.txt"))
        builder.add_meta_graph_and_variables(session, ["serve"], signatures(), assets_collection=[path])
    real, left = os.fsync, 0

    def fsync(descriptor: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    attempts = 0
    while not (tmp_path / "exports" / "1").exists():
        assert not [path for name in ("*", ".*") for path in tmp_path.glob(f"exports/{name}")]
        left = attempts
        attempts += 1
        with pytest.raises(StorageError, match="No space left on device"):
            builder.save()
    assert attempts > 10
    monkeypatch.undo()
    tf.saved_model.Bundle(tmp_path / "exports" / "1").verify()
    assert x.name == "x:0"


def test_what_a_killed_writer_left_is_cleared_away(tmp_path: Path) -> None:
    left = tmp_path / f".[1].{'0' * 16}.partial"
    (left / "variables").mkdir(parents=True)
    x = tf.placeholder(tf.float32, [], name="x")
    with tf.Session() as session:
        tf.saved_model.simple_save(session, tmp_path / "[1]", {"x": x}, {"y": 2.0 * x})
    assert [path.name for path in tmp_path.iterdir()] == ["[1]"]
