"""Exports of estimators, exporters, and evaluation while training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, NotFoundError

X = np.array([[-2.0], [-1.0], [1.0], [2.0]], np.float32)
COLOURS = np.array(["red", "red", "blue", "blue"])
LABELS = np.array(["cold", "cold", "warm", "warm"])
NOTHING: Any = None
export = dt.estimator.export


def data() -> Any:
    return {"x": X, "colour": COLOURS}, LABELS


def make(folder: Path, **options: Any) -> Any:
    column = dt.feature_column
    colour = column.categorical_column_with_vocabulary_list("colour", ["red", "green", "blue"])
    columns = [column.numeric_column("x"), column.embedding_column(colour, 2)]
    return dt.estimator.DNNClassifier(
        [4], columns, folder, label_vocabulary=["cold", "warm"], optimizer="Adam", **options
    )


def test_a_bundle_predicts_what_the_estimator_does(tmp_path: Path) -> None:
    estimator = make(tmp_path / "model").train(data, steps=20)
    expected = estimator.predict_on_batch({"x": X, "colour": COLOURS})
    folder = estimator.export_saved_model(tmp_path / "exports")
    assert Path(folder).name.isdecimal()
    predict = dt.saved_model.predictor(folder)
    found = predict({"x": X, "colour": COLOURS})
    assert sorted(found) == sorted(expected)
    for name, value in expected.items():
        if value.dtype == object:
            assert found[name].tolist() == value.tolist()
        else:
            np.testing.assert_allclose(found[name], value, rtol=1e-6)
    classes = predict({"x": X[:1], "colour": COLOURS[:1]}, signature="classification")
    assert sorted(classes) == ["classes", "scores"]
    assert Path(estimator.export_saved_model(tmp_path / "exports")).name > Path(folder).name


def test_a_receiver_and_assets_may_be_given(tmp_path: Path) -> None:
    estimator = make(tmp_path / "model").train(data, steps=1)
    receive = export.build_raw_serving_input_receiver_fn({"x": X, "colour": COLOURS})
    (tmp_path / "notes.txt").write_text("notes")
    folder = estimator.export_saved_model(
        tmp_path / "exports", receive, {"doc/notes.txt": tmp_path / "notes.txt"}, checkpoint_path=None
    )
    assert (Path(folder) / "assets.extra" / "doc" / "notes.txt").read_text() == "notes"

    def halves() -> Any:
        raw = dt.placeholder(dt.float32, [None, 1], name="raw")
        colour = dt.fill(dt.shape(raw)[:1], dt.constant("red"))
        return export.ServingInputReceiver({"x": raw / 2.0, "colour": colour}, raw)

    predict = dt.saved_model.predictor(estimator.export_saved_model(tmp_path / "other", halves))
    expected = estimator.predict_on_batch({"x": X / 2, "colour": np.array(["red"] * 4)})
    np.testing.assert_allclose(predict({"input": X})["logits"], expected["logits"], rtol=1e-6)


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    estimator = make(tmp_path / "model")
    with pytest.raises(NotFoundError, match="there is no checkpoint"):
        estimator.export_saved_model(tmp_path)
    estimator.train(data, steps=1)
    with pytest.raises(InvalidArgumentError, match="no features have been seen yet; train, evaluate or predict"):
        make(tmp_path / "model").export_saved_model(tmp_path)
    with pytest.raises(DTypeError, match="returned 3; let it return a dt.estimator.export.ServingInputReceiver"):
        estimator.export_saved_model(tmp_path, lambda: 3)
    with pytest.raises(NotFoundError, match="the asset 'a', \"nowhere\", is no file"):
        estimator.export_saved_model(tmp_path, assets_extra={"a": "nowhere"})

    def two(features: Any, mode: str) -> Any:
        w = dt.get_variable("w", [])
        outputs = {"a": {"y": features * w}, "b": export.PredictOutput(features)}
        return dt.estimator.EstimatorSpec(mode, features * w, export_outputs=outputs)

    def trained(features: Any, labels: Any, mode: str) -> Any:
        if mode == "infer":
            return two(features, mode)
        loss = dt.reduce_sum(dt.get_variable("w", []) * features)
        train = dt.train.GradientDescentOptimizer(0.1).minimize(loss, dt.train.get_global_step())
        return dt.estimator.EstimatorSpec(mode, loss=loss, train_op=train)

    other = dt.estimator.Estimator(trained, tmp_path / "two").train(lambda: (X, X), steps=1)
    with pytest.raises(InvalidArgumentError, match="has 'a', 'b'; call one of them 'serving_default'"):
        other.export_saved_model(tmp_path)
    for wrong in (lambda: export.ClassificationOutput(), lambda: dt.estimator.LatestExporter("a", exports_to_keep=0)):
        with pytest.raises(InvalidArgumentError):
            wrong()


# Evaluation while training. ------------------------------------------------------------------------------------------


def test_training_is_evaluated_at_checkpoints_and_at_the_end(tmp_path: Path) -> None:
    config = dt.estimator.RunConfig(save_checkpoints_steps=5)
    exporters = [
        dt.estimator.FinalExporter("final"),
        dt.estimator.LatestExporter("latest", exports_to_keep=2),
        dt.estimator.BestExporter(),
    ]
    calls = []
    estimator = make(tmp_path, config=config)
    original = estimator.evaluate

    def evaluate(*args: Any, **options: Any) -> Any:
        result = original(*args, **options)
        calls.append(result["global_step"])
        return result

    estimator.evaluate = evaluate
    specs = dt.estimator.TrainSpec(data, 15), dt.estimator.EvalSpec(data, exporters=exporters, throttle_secs=0)
    metrics, exports = dt.estimator.train_and_evaluate(estimator, *specs)
    assert calls[-1] == 15
    assert {5, 10} <= set(calls)
    assert metrics is not None
    assert metrics["global_step"] == 15
    assert len(exports) == 3
    assert len([one for one in (tmp_path / "export" / "final").iterdir() if one.name.isdecimal()]) == 1
    assert len([one for one in (tmp_path / "export" / "latest").iterdir() if one.name.isdecimal()]) == 2
    assert dt.estimator.train_and_evaluate(estimator, *specs) == (None, [])


def test_the_best_of_earlier_programs_stays_the_best(tmp_path: Path) -> None:
    exporter = dt.estimator.BestExporter("best")
    estimator = make(tmp_path).train(data, steps=1)
    path, checkpoint = tmp_path / "best", estimator.latest_checkpoint()
    assert exporter.export(estimator, path, checkpoint, {"loss": 2.0}, False)
    assert exporter.export(estimator, path, checkpoint, {"loss": 2.5}, True) is None
    again = dt.estimator.BestExporter("best")
    assert again.export(estimator, path, checkpoint, {"loss": 2.0}, False) is None
    assert again.export(estimator, path, checkpoint, {"loss": np.float32(1.0)}, False)
    (path / "best.json").write_text("{")
    with pytest.raises(dt.errors.FormatError, match="best.json.*is damaged"):
        again.export(estimator, path, checkpoint, {"loss": 0.5}, False)


@pytest.mark.parametrize(
    ("make_spec", "error", "words"),
    [
        (lambda: dt.estimator.TrainSpec(data, 0), InvalidArgumentError, "TrainSpec: max_steps is 0"),
        (lambda: dt.estimator.TrainSpec(NOTHING), InvalidArgumentError, "input_fn is a NoneType"),
        (lambda: dt.estimator.EvalSpec(data, steps=-1), InvalidArgumentError, "EvalSpec: steps is -1"),
        (lambda: dt.estimator.EvalSpec(data, throttle_secs=-1), InvalidArgumentError, "throttle_secs is -1"),
        (lambda: dt.estimator.EvalSpec(data, exporters=[NOTHING]), DTypeError, "exporters holds None"),
        (
            lambda: dt.estimator.EvalSpec(data, exporters=[dt.estimator.FinalExporter("a")] * 2),
            InvalidArgumentError,
            "two exporters have one name: a, a",
        ),
        (
            lambda: dt.estimator.train_and_evaluate(NOTHING, NOTHING, NOTHING),
            DTypeError,
            "train_spec is None; give a dt.est",
        ),
    ],
)
def test_specifications(make_spec: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make_spec()
