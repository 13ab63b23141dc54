"""Ready estimators: marks that they reach, what they predict and measure, and the mistakes that are made with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import (
    DTypeError,
    InvalidArgumentError,
    NotFoundError,
    PluginNotFoundError,
    ShapeError,
    UnsupportedOperationError,
)

estimator = dt.estimator
numeric = dt.feature_column.numeric_column
WRONG: Any = 3
X = np.linspace(-2.0, 2.0, 24, dtype=np.float32)
SIGNS = (X > 0).astype(np.int64)
THIRDS = np.digitize(X, [-0.7, 0.7])


def whole(labels: Any) -> Callable[[], Any]:
    return lambda: ({"x": X, "weight": np.ones_like(X)}, labels)


CLASSIFIERS: dict[str, Callable[..., Any]] = {
    "dnn": lambda **options: estimator.DNNClassifier([8], [numeric("x")], **options),
    "linear": lambda **options: estimator.LinearClassifier([numeric("x")], **options),
    "combined": lambda optimizer="Adam", **options: estimator.DNNLinearCombinedClassifier(
        linear_feature_columns=[numeric("x")],
        dnn_feature_columns=[numeric("x")],
        dnn_hidden_units=[8],
        linear_optimizer=optimizer,
        dnn_optimizer=optimizer,
        **options,
    ),
}
REGRESSORS: dict[str, Callable[..., Any]] = {
    "dnn": lambda **options: estimator.DNNRegressor([8], [numeric("x")], **options),
    "linear": lambda **options: estimator.LinearRegressor([numeric("x")], **options),
    "combined": lambda optimizer="Adam", **options: estimator.DNNLinearCombinedRegressor(
        linear_feature_columns=[numeric("x")],
        dnn_feature_columns=[numeric("x")],
        dnn_hidden_units=[8],
        linear_optimizer=optimizer,
        dnn_optimizer=optimizer,
        **options,
    ),
}
ADAM = dt.train.AdamOptimizer(0.05)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_two_classes(tmp_path: Path, kind: str) -> None:
    config = estimator.RunConfig(tf_random_seed=1)
    model = CLASSIFIERS[kind](model_dir=tmp_path, optimizer=ADAM, config=config).train(whole(SIGNS), steps=120)
    found = model.evaluate(whole(SIGNS))
    assert found["accuracy"] == 1.0
    assert found["auc"] == pytest.approx(1.0, abs=1e-3)
    assert found["label/mean"] == 0.5
    assert found["accuracy_baseline"] == 0.5
    assert found["loss"] == pytest.approx(24 * found["average_loss"], rel=1e-5)
    assert sorted(found) == [
        "accuracy",
        "accuracy_baseline",
        "auc",
        "auc_precision_recall",
        "average_loss",
        "global_step",
        "label/mean",
        "loss",
        "precision",
        "prediction/mean",
        "recall",
    ]
    rows = list(model.predict(whole(SIGNS)))
    assert [int(row["class_ids"][0]) for row in rows] == SIGNS.tolist()
    assert rows[0]["classes"].tolist() == [b"0"]
    np.testing.assert_allclose([row["probabilities"].sum() for row in rows], 1.0, rtol=1e-6)
    np.testing.assert_allclose(
        [row["probabilities"][1] for row in rows], [row["logistic"][0] for row in rows], rtol=1e-5
    )


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_three_classes_by_name(tmp_path: Path, kind: str) -> None:
    names = np.array(["low", "middle", "high"])
    model = CLASSIFIERS[kind](
        model_dir=tmp_path, optimizer=ADAM, n_classes=3, label_vocabulary=["low", "middle", "high"]
    ).train(whole(names[THIRDS]), steps=200)
    found = model.evaluate(whole(names[THIRDS]))
    assert found["accuracy"] > 0.85
    assert sorted(found) == ["accuracy", "average_loss", "global_step", "loss"]
    row = next(model.predict(whole(None)))
    assert sorted(row) == ["class_ids", "classes", "logits", "probabilities"]
    assert row["classes"].tolist() == [b"low"]


@pytest.mark.parametrize("kind", REGRESSORS)
def test_numbers(tmp_path: Path, kind: str) -> None:
    model = REGRESSORS[kind](model_dir=tmp_path, optimizer=ADAM).train(whole(3 * X - 1), steps=250)
    found = model.evaluate(whole(3 * X - 1))
    assert found["average_loss"] < 0.1
    assert sorted(found) == ["average_loss", "global_step", "label/mean", "loss", "prediction/mean"]
    assert found["label/mean"] == pytest.approx(-1.0, abs=1e-5)
    assert model.predict_on_batch({"x": X})["predictions"].shape == (24, 1)


def test_several_numbers(tmp_path: Path) -> None:
    model = estimator.LinearRegressor([numeric("x")], tmp_path, label_dimension=2, optimizer=ADAM)
    model.train(whole(np.stack([X, -X], 1)), steps=200)
    np.testing.assert_allclose(model.predict_on_batch({"x": X})["predictions"], np.stack([X, -X], 1), atol=0.1)
    with pytest.raises(ShapeError, match=r"the labels are .*but label_dimension is 2; give \[batch, 2\]"):
        model.train(whole(X), steps=1)


def test_iris_reaches_its_mark_as_the_mean_of_three_seeds(tmp_path: Path) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    iris = datasets.load_iris()
    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    accuracies = []
    for seed in (1, 2, 3):
        order = np.random.default_rng(seed).permutation(150)
        train, test = order[:100], order[100:]
        columns = [numeric(name) for name in names]
        config = estimator.RunConfig(tf_random_seed=seed)
        model = estimator.DNNClassifier([16, 16], columns, tmp_path / str(seed), n_classes=3, config=config)
        features = dict(zip(names, iris.data.T.astype(np.float32), strict=True))
        some = {name: values[train] for name, values in features.items()}
        rest = {name: values[test] for name, values in features.items()}
        numpy_input_fn = estimator.inputs.numpy_input_fn
        model.train(numpy_input_fn(some, iris.target[train], 32, num_epochs=None, shuffle=True), steps=400)
        accuracies.append(model.evaluate(numpy_input_fn(rest, iris.target[test], shuffle=False))["accuracy"])
    assert np.mean(accuracies) >= 0.95, accuracies


def test_baselines_learn_what_is_frequent(tmp_path: Path) -> None:
    labels = np.array([2] * 12 + [1] * 8 + [0] * 4)
    model = estimator.BaselineClassifier(tmp_path / "a", n_classes=3).train(whole(labels), steps=200)
    np.testing.assert_allclose(
        model.predict_on_batch({"x": X})["probabilities"][0], [4 / 24, 8 / 24, 12 / 24], atol=0.02
    )
    mean = estimator.BaselineRegressor(tmp_path / "b").train(whole(X + 4), steps=300)
    np.testing.assert_allclose(mean.predict_on_batch({"x": X})["predictions"], 4.0, atol=0.05)


def test_weights_count_examples(tmp_path: Path) -> None:
    twice = np.concatenate([X, X[:5]]), np.concatenate([SIGNS, SIGNS[:5]])
    weights = np.ones_like(X)
    weights[:5] = 2.0
    plain = estimator.LinearClassifier([numeric("x")], tmp_path / "a", optimizer="SGD")
    plain.train(lambda: ({"x": twice[0]}, twice[1]), steps=5)
    weighed = estimator.LinearClassifier([numeric("x")], tmp_path / "b", optimizer="SGD", weight_column="weight")
    weighed.train(lambda: ({"x": X, "weight": weights}, SIGNS), steps=5)
    for name in ("linear/linear_model/x/weights", "linear/linear_model/bias_weights"):
        np.testing.assert_allclose(weighed.get_variable_value(name), plain.get_variable_value(name), rtol=1e-4)
    found = weighed.evaluate(lambda: ({"x": X, "weight": weights}, SIGNS))
    expected = plain.evaluate(lambda: ({"x": twice[0]}, twice[1]))
    assert found["average_loss"] == pytest.approx(expected["average_loss"], rel=1e-4)


def test_names_are_those_of_tensorflow(tmp_path: Path) -> None:
    model = estimator.DNNClassifier([4], [numeric("x")], tmp_path, batch_norm=True, dropout=0.1)
    names = model.train(whole(SIGNS), steps=1).get_variable_names()
    assert {"dnn/hiddenlayer_0/kernel", "dnn/hiddenlayer_0/bias", "dnn/logits/kernel", "global_step"} <= set(names)


def bars(count: int, seed: int) -> tuple[Any, Any]:
    """Pictures with a bar that stands or lies."""
    rng = np.random.default_rng(seed)
    images, labels = np.zeros((count, 8, 8), np.uint8), rng.integers(0, 2, count)
    for image, label in zip(images, labels, strict=True):
        place = rng.integers(1, 7)
        image[(place, slice(None)) if label else (slice(None), place)] = 255
    return images, labels


def test_pictures(tmp_path: Path) -> None:
    model = estimator.CNNClassifier(
        2, [8], hidden_units=[16], model_dir=tmp_path, optimizer=dt.train.AdamOptimizer(0.01)
    )
    model.train(lambda: bars(64, 0), steps=60)
    assert model.evaluate(lambda: bars(64, 1))["accuracy"] > 0.95
    other = estimator.CNNClassifier(2, [8], feature_key="image", model_dir=tmp_path / "other")
    with pytest.raises(NotFoundError, match="no feature 'image'; input_fn gives 'imag'"):
        other.train(lambda: ({"imag": bars(4, 0)[0]}, bars(4, 0)[1]), steps=1)
    two = estimator.CNNClassifier(2, [8], model_dir=tmp_path / "two")
    with pytest.raises(InvalidArgumentError, match="there are 2 features, 'a', 'b'; name one as feature_key"):
        two.train(lambda: ({"a": X, "b": X}, SIGNS), steps=1)


def test_sequences_of_tokens_of_any_length(tmp_path: Path) -> None:
    def source(seed: int) -> Any:
        rng = np.random.default_rng(seed)
        for length in (6, 9, 4) * 20:
            tokens = rng.integers(1, 5, (16, length))
            tokens[:, -1] = np.where(rng.random(16) < 0.5, 0, tokens[:, -1])  # padding
            yield tokens, (tokens[:, 0] > 2).astype(np.int64)

    model = estimator.RNNClassifier(
        2,
        [12],
        "gru",
        vocabulary_size=5,
        embedding_dimension=4,
        model_dir=tmp_path,
        optimizer=dt.train.AdamOptimizer(0.02),
    )
    model.train(lambda: source(0))
    assert model.evaluate(lambda: source(1))["accuracy"] > 0.9
    short = model.predict_on_batch(np.array([[1, 4, 2]]))["logits"]
    padded = model.predict_on_batch(np.array([[1, 4, 2, 0, 0]]))["logits"]
    np.testing.assert_allclose(short, padded, rtol=1e-5)
    with pytest.raises(DTypeError, match="but vocabulary_size is 5; give integers"):
        model.predict_on_batch(np.zeros((1, 3), np.float32))


def test_sequences_of_numbers_with_lengths(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 5, 2)).astype(np.float32)
    features = {"x": x, "length": rng.integers(1, 6, 32)}
    model = estimator.RNNClassifier(
        units=[6], bidirectional=True, feature_key="x", sequence_length_key="length", model_dir=tmp_path, dropout=0.1
    )
    model.train(lambda: (features, (x[:, 0, 0] > 0).astype(int)), steps=3)
    changed = x.copy()
    changed[features["length"] == 2, 2:] = 9.0
    one, other = (model.predict_on_batch({**features, "x": value})["logits"] for value in (x, changed))
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_an_autoencoder_restores_and_finds_what_is_unusual(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    t = rng.uniform(-1, 1, (200, 1)).astype(np.float32)
    x = np.concatenate([t, -t, 0.5 * t, t], 1)
    model = estimator.Autoencoder(
        [8, 1], tmp_path, activation_fn="tanh", optimizer=dt.train.AdamOptimizer(0.02), noise=0.01
    )
    model.train(lambda: x, steps=250)
    assert model.evaluate(lambda: x)["average_loss"] < 0.02
    error = model.predict_on_batch(np.array([[0.5, -0.5, 0.25, 0.5], [1, 1, -1, -1]], np.float32))["error"]
    assert error[1] > 10 * error[0]


# What is refused. ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "labels", "words"),
    [
        ({}, np.where(np.arange(24) == 7, 2, SIGNS), "the label in row 7 is 2, but there are 2 classes, from 0 to 1"),
        (
            {"n_classes": 3},
            np.where(np.arange(24) == 3, -1, THIRDS),
            "row 3 is -1, but there are 3 classes, from 0 to 2",
        ),
        ({}, np.where(np.arange(24) == 5, np.nan, SIGNS), "the label in row 5 is nan"),
        (
            {"label_vocabulary": ["a", "b"]},
            np.where(np.arange(24) == 4, "c", "a"),
            "the label in row 4 is 'c', which is none of 'a', 'b'",
        ),
        ({}, None, "batch 1 of the input has no labels; LinearClassifier takes a pair"),
        ({}, {"a": SIGNS, "b": SIGNS}, "has 2 arrays of labels"),
    ],
)
def test_labels_out_of_range_name_row_value_and_classes(tmp_path: Path, options: Any, labels: Any, words: str) -> None:
    model = estimator.LinearClassifier([numeric("x")], tmp_path, **options)
    source = whole(labels) if labels is not None else lambda: {"x": X}
    with pytest.raises(InvalidArgumentError, match=words):
        model.train(source, steps=1)


def test_a_label_out_of_range_later_names_its_batch_and_training_is_saved(tmp_path: Path) -> None:
    model = estimator.LinearClassifier([numeric("x")], tmp_path)
    good, bad = ({"x": X}, SIGNS), ({"x": X}, SIGNS + 1)
    with pytest.raises(InvalidArgumentError, match="train: batch 3 of the input: the label in row 12 is 2") as caught:
        model.train(lambda: iter([good, good, bad]))
    assert "model.ckpt-2" in caught.value.__notes__[-1]
    with pytest.raises(InvalidArgumentError, match="evaluate: batch 1 of the input: the label in row 12 is 2"):
        model.evaluate(lambda: bad)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: estimator.LinearClassifier([numeric("x")], n_classes=1), InvalidArgumentError, "n_classes is 1"),
        (
            lambda: estimator.LinearClassifier([numeric("x")], optimizer="Adagrat"),
            NotFoundError,
            "LinearClassifier: there is no optimizer 'Adagrat'; use one of .*Did you mean 'adagrad'",
        ),
        (
            lambda: estimator.LinearClassifier([numeric("x")], label_vocabulary=["a"]),
            InvalidArgumentError,
            "but n_classes 2",
        ),
        (
            lambda: estimator.LinearClassifier([numeric("x")], weight_column=WRONG),
            DTypeError,
            "weight_column is 3; give a feature's name",
        ),
        (
            lambda: estimator.LinearClassifier([numeric("x")], loss_reduction="none"),
            InvalidArgumentError,
            "which gives no single loss",
        ),
        (lambda: estimator.DNNClassifier([0], [numeric("x")]), InvalidArgumentError, r"hidden_units is \[0\]"),
        (lambda: estimator.DNNClassifier([4], [numeric("x")], dropout=1.0), InvalidArgumentError, "dropout is 1.0"),
        (
            lambda: estimator.DNNClassifier([4], [numeric("x")], activation_fn="reluu"),
            PluginNotFoundError,
            "reluu.*Did you mean 'relu'",
        ),
        (
            lambda: estimator.DNNClassifier([4], [numeric("x")], input_layer_partitioner=WRONG),
            UnsupportedOperationError,
            "variables are whole",
        ),
        (
            lambda: estimator.DNNLinearCombinedClassifier(dnn_feature_columns=[numeric("x")]),
            InvalidArgumentError,
            "without dnn_hidden_units",
        ),
        (lambda: estimator.DNNLinearCombinedRegressor(), InvalidArgumentError, "give linear_feature_columns"),
        (lambda: estimator.LinearRegressor([numeric("x")], label_dimension=0), InvalidArgumentError, "label_dimension"),
        (lambda: estimator.RNNClassifier(vocabulary_size=0), InvalidArgumentError, "vocabulary_size is 0"),
    ],
)
def test_estimators_that_cannot_be(make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_what_the_graph_refuses(tmp_path: Path) -> None:
    model = estimator.LinearClassifier([numeric("y")], tmp_path, optimizer=lambda: WRONG)
    with pytest.raises(NotFoundError, match="no feature 'y'; input_fn gives 'x', 'weight'"):
        model.train(whole(SIGNS), steps=1)
    model = estimator.LinearClassifier([numeric("x")], tmp_path, optimizer=lambda: WRONG)
    with pytest.raises(DTypeError, match="give a name such as 'Adam', an optimizer of dt.train"):
        model.train(whole(SIGNS), steps=1)
    model = estimator.LinearClassifier([numeric("x")], tmp_path, n_classes=3)
    with pytest.raises(DTypeError, match="the labels are float32; give integers"):
        model.train(whole(THIRDS.astype(np.float32)), steps=1)
    with pytest.raises(DTypeError, match="the labels are text; give label_vocabulary"):
        model.train(whole(np.array(["a"] * 24)), steps=1)
    with pytest.raises(InvalidArgumentError, match="the label in row 2 is nan"):
        estimator.LinearRegressor([numeric("x")], tmp_path).train(
            whole(np.where(np.arange(24) == 2, np.nan, X)), steps=1
        )
