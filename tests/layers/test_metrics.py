"""Metrics over several batches: as TensorFlow recorded them, and as scikit-learn has them over all at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, OperationError, ShapeError

RECORDED = np.load(Path(__file__).parents[1] / "data" / "tensorflow_metrics.npz")
CASES: list[dict[str, Any]] = json.loads(str(RECORDED["cases"]))

Batch = dict[str, np.ndarray]


def arrays_of(case: str, number: int) -> Batch:
    prefix = f"{case}/{number}/"
    return {key.removeprefix(prefix): RECORDED[key] for key in RECORDED.files if key.startswith(prefix)}


def follow(metric: str, batches: Sequence[Batch], static: bool = False, **arguments: Any) -> list[tuple[Any, Any]]:
    """Return what each update gave, and the metric after it."""
    holders = {
        key: dt.placeholder(dt.as_dtype(one.dtype), one.shape if static else [None, *one.shape[1:]])
        for key, one in batches[0].items()
    }
    value, update = getattr(dt.metrics, metric)(**holders, **arguments)
    results = []
    with dt.Session() as session:
        session.run(dt.local_variables_initializer())
        for batch in batches:
            updated = session.run(update, {holders[key]: one for key, one in batch.items()})
            results.append((updated, session.run(value)))
    return results


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_as_tensorflow_recorded(case: dict[str, Any]) -> None:
    recorded = [arrays_of(case["case"], number) for number in range(case["batches"])]
    inputs = [{key: one for key, one in batch.items() if key not in ("update", "value")} for batch in recorded]
    found = follow(case["metric"], inputs, static=case["metric"] == "mean_tensor", **case["arguments"])
    for (update, value), batch in zip(found, recorded, strict=True):
        for result, wanted in ((update, batch["update"]), (value, batch["value"])):
            assert np.asarray(result).dtype == wanted.dtype
            np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-6)


def test_every_metric_of_tensorflow_is_recorded() -> None:
    beyond = {
        "binary_accuracy",
        "categorical_accuracy",
        "cohen_kappa",
        "confusion_matrix",
        "f1_score",
        "log_loss",
        "matthews_corrcoef",
        "perplexity",
        "precision_at_recall",
        "r2_score",
        "recall_at_precision",
        "sparse_average_precision_at_k",  # another name of one that is
        "sparse_categorical_accuracy",
        "sparse_precision_at_k",  # another name of one that is
        "top_k_accuracy",
    }
    assert {case["metric"] for case in CASES} | beyond == {name for name in dir(dt.metrics) if name[0] != "_"}


# Against scikit-learn, over all batches at once. ---------------------------------------------------------------------


def batches_of(rng: np.random.Generator, make: Callable[[int], Batch]) -> list[Batch]:
    return [{**make(size), "weights": rng.integers(0, 4, size).astype(np.float32)} for size in (20, 1, 45)]


def joined(batches: Sequence[Batch]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, predictions, weights = (
        np.concatenate([batch[key] for batch in batches]) for key in ("labels", "predictions", "weights")
    )
    return labels, predictions, weights


def classes_of(rng: np.random.Generator, count: int) -> list[Batch]:
    def make(size: int) -> Batch:
        labels = rng.integers(0, count, size)
        return {
            "labels": labels,
            "predictions": np.where(rng.uniform(size=size) < 0.6, labels, rng.integers(0, count, size)),
        }

    return batches_of(rng, make)


def guesses_of(rng: np.random.Generator) -> list[Batch]:
    def make(size: int) -> Batch:
        labels = rng.integers(0, 2, size)
        guesses = 1.0 / (1.0 + np.exp(-rng.normal(labels - 0.5, 1.0)))
        return {"labels": labels, "predictions": guesses.round(2).astype(np.float32)}

    return batches_of(rng, make)


def softmax_of(rng: np.random.Generator, count: int) -> list[Batch]:
    def make(size: int) -> Batch:
        scores = np.exp(rng.normal(size=(size, count)))
        return {
            "labels": rng.integers(0, count, size),
            "predictions": scores / scores.sum(1, keepdims=True),
        }

    return batches_of(rng, make)


def last(metric: str, batches: Sequence[Batch], **arguments: Any) -> Any:
    update, value = follow(metric, batches, **arguments)[-1]
    np.testing.assert_array_equal(update, value)
    return value


@pytest.mark.parametrize(
    ("metric", "arguments", "name", "theirs"),
    [
        ("confusion_matrix", {"num_classes": 4}, "confusion_matrix", {}),
        ("f1_score", {"num_classes": 4, "average": "micro"}, "f1_score", {"average": "micro"}),
        ("f1_score", {"num_classes": 4, "average": "macro"}, "f1_score", {"average": "macro"}),
        ("f1_score", {"num_classes": 4, "average": "weighted"}, "f1_score", {"average": "weighted"}),
        ("f1_score", {"num_classes": 4, "average": None}, "f1_score", {"average": None}),
        ("cohen_kappa", {"num_classes": 4}, "cohen_kappa_score", {}),
        ("cohen_kappa", {"num_classes": 4, "weighting": "linear"}, "cohen_kappa_score", {"weights": "linear"}),
        ("cohen_kappa", {"num_classes": 4, "weighting": "quadratic"}, "cohen_kappa_score", {"weights": "quadratic"}),
        ("matthews_corrcoef", {"num_classes": 4}, "matthews_corrcoef", {}),
        ("accuracy", {}, "accuracy_score", {}),
    ],
)
def test_classes_as_scikit_learn_has_them(
    rng: np.random.Generator, metric: str, arguments: dict[str, Any], name: str, theirs: dict[str, Any]
) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    batches = classes_of(rng, 4)
    labels, predictions, weights = joined(batches)
    wanted = getattr(metrics, name)(labels, predictions, sample_weight=weights, **theirs)
    np.testing.assert_allclose(last(metric, batches, **arguments), wanted, rtol=1e-5)


def test_balanced_accuracy_and_overlap_as_scikit_learn_has_them(rng: np.random.Generator) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    batches = classes_of(rng, 3)
    labels, predictions, weights = joined(batches)
    found = follow("mean_per_class_accuracy", batches, num_classes=3)[-1][1]
    assert found == pytest.approx(metrics.balanced_accuracy_score(labels, predictions, sample_weight=weights), rel=1e-5)
    found = follow("mean_iou", batches, num_classes=5)[-1][1]
    wanted = metrics.jaccard_score(labels, predictions, sample_weight=weights, average="macro")
    assert found == pytest.approx(wanted, rel=1e-5)


def test_decisions_as_scikit_learn_has_them(rng: np.random.Generator) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    batches = classes_of(rng, 2)
    labels, predictions, weights = joined(batches)
    for metric, score in (
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1_score", metrics.f1_score),
        ("matthews_corrcoef", metrics.matthews_corrcoef),
    ):
        assert last(metric, batches) == pytest.approx(score(labels, predictions, sample_weight=weights), rel=1e-5)
    truths = [{**batch, "labels": batch["labels"] > 0, "predictions": batch["predictions"] > 0} for batch in batches]
    assert last("f1_score", truths) == last("f1_score", batches)


def test_areas_as_scikit_learn_has_them(rng: np.random.Generator) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    batches = guesses_of(rng)
    labels, predictions, weights = joined(batches)
    thresholds = [float(one) - 1e-4 for one in np.unique(predictions)]
    area = last("auc", batches, thresholds=thresholds)
    assert area == pytest.approx(metrics.roc_auc_score(labels, predictions, sample_weight=weights), abs=1e-5)
    precisions, recalls, _ = metrics.precision_recall_curve(labels, predictions, sample_weight=weights)
    area = last("auc", batches, thresholds=thresholds, curve="PR")
    assert area == pytest.approx(metrics.auc(recalls, precisions), abs=1e-5)
    wanted = metrics.brier_score_loss(labels, predictions, sample_weight=weights)
    assert last("mean_squared_error", batches) == pytest.approx(wanted, rel=1e-5)


def test_one_rate_where_another_has_a_value(rng: np.random.Generator) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    batches = guesses_of(rng)
    labels, predictions, weights = joined(batches)
    chosen = np.linspace(0.0, 1.0, 101, dtype=np.float32)
    rates = [
        metrics.precision_recall_fscore_support(
            labels, predictions > one, sample_weight=weights, average="binary", zero_division=0
        )[:2]
        for one in chosen
    ]
    precisions, recalls = np.array(rates).T
    found = last("precision_at_recall", batches, target_recall=0.8, num_thresholds=101)
    assert found == pytest.approx(precisions[np.argmin(np.abs(recalls - 0.8))], rel=1e-4)
    found = last("recall_at_precision", batches, precision=0.7, num_thresholds=101)
    assert found == pytest.approx(recalls[np.argmin(np.abs(precisions - 0.7))], rel=1e-4)


def test_probabilities_of_classes_as_scikit_learn_has_them(rng: np.random.Generator) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    batches = softmax_of(rng, 5)
    labels, predictions, weights = joined(batches)
    likelihood = metrics.log_loss(labels, predictions, sample_weight=weights, labels=range(5))
    assert last("log_loss", batches) == pytest.approx(likelihood, rel=1e-5)
    assert last("perplexity", batches) == pytest.approx(np.exp(likelihood), rel=1e-5)
    scores = [{**batch, "predictions": np.log(batch["predictions"]) + 3.0} for batch in batches]
    assert last("perplexity", scores, from_logits=True) == pytest.approx(np.exp(likelihood), rel=1e-5)
    for k in (1, 2, 4):
        wanted = metrics.top_k_accuracy_score(labels, predictions, k=k, sample_weight=weights, labels=range(5))
        assert last("top_k_accuracy", batches, k=k) == pytest.approx(wanted, rel=1e-5)
    wanted = metrics.accuracy_score(labels, predictions.argmax(1), sample_weight=weights)
    assert last("sparse_categorical_accuracy", batches) == pytest.approx(wanted, rel=1e-5)
    one_hot = [{**batch, "labels": np.eye(5, dtype=np.float32)[batch["labels"]]} for batch in batches]
    assert last("categorical_accuracy", one_hot) == pytest.approx(wanted, rel=1e-5)


def test_guesses_as_scikit_learn_has_them(rng: np.random.Generator) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    batches = guesses_of(rng)
    labels, predictions, weights = joined(batches)
    wanted = metrics.log_loss(labels, predictions.astype(np.float64), sample_weight=weights)
    assert last("log_loss", batches) == pytest.approx(wanted, rel=1e-5)
    wanted = metrics.accuracy_score(labels, predictions > 0.5, sample_weight=weights)
    assert last("binary_accuracy", batches) == pytest.approx(wanted, rel=1e-5)
    wanted = metrics.accuracy_score(labels, predictions > 0.3, sample_weight=weights)
    assert last("binary_accuracy", batches, threshold=0.3) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("columns", [(), (3,)])
def test_regression_as_scikit_learn_has_it(rng: np.random.Generator, columns: tuple[int, ...]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")

    def make(size: int) -> Batch:
        labels = 1000.0 + rng.normal(size=(size, *columns))
        return {"labels": labels, "predictions": labels + rng.normal(size=(size, *columns)) / 3.0}

    batches = batches_of(rng, make)
    labels, predictions, weights = joined(batches)
    wanted = metrics.r2_score(labels, predictions, sample_weight=weights)
    assert last("r2_score", batches) == pytest.approx(wanted, rel=1e-5)
    for metric, score in (
        ("mean_squared_error", metrics.mean_squared_error),
        ("mean_absolute_error", metrics.mean_absolute_error),
    ):
        spread = [{**batch, "weights": batch["weights"].reshape(-1, *[1] * len(columns))} for batch in batches]
        wanted = score(labels, predictions, sample_weight=weights)
        assert last(metric, spread) == pytest.approx(wanted, rel=1e-4)


# Batches. -------------------------------------------------------------------------------------------------------------


def all_metrics() -> tuple[dict[str, Any], dict[str, tuple[Any, Any]]]:
    """Placeholders, and metrics of them with weights, by name."""
    inputs = {
        "labels": dt.placeholder(dt.int64, [None]),
        "classes": dt.placeholder(dt.int64, [None]),
        "guesses": dt.placeholder(dt.float32, [None]),
        "scores": dt.placeholder(dt.float32, [None, 4]),
        "weights": dt.placeholder(dt.float32, [None]),
    }
    labels, classes, guesses, scores, weights = inputs.values()
    found: dict[str, tuple[Any, Any]] = {}
    for metric in (
        *("mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "binary_accuracy"),
        *("auc", "r2_score"),
    ):
        found[metric] = getattr(dt.metrics, metric)(dt.cast(labels > 1, dt.float32), guesses, weights=weights)
    for metric in ("accuracy", "true_positives", "false_negatives", "precision", "recall"):
        found[metric] = getattr(dt.metrics, metric)(labels, classes, weights=weights)
    for metric in ("mean_iou", "mean_per_class_accuracy", "confusion_matrix", "cohen_kappa", "matthews_corrcoef"):
        found[metric] = getattr(dt.metrics, metric)(labels, classes, num_classes=4, weights=weights)
    found["f1_score"] = dt.metrics.f1_score(labels, classes, num_classes=4, average="macro", weights=weights)
    for metric in ("log_loss", "sparse_categorical_accuracy", "top_k_accuracy"):
        options = {"k": 2} if metric == "top_k_accuracy" else {}
        found[metric] = getattr(dt.metrics, metric)(labels, dt.sigmoid(scores), weights=weights, **options)
    for metric in ("precision_at_k", "recall_at_k", "average_precision_at_k"):
        found[metric] = getattr(dt.metrics, metric)(labels, scores, 2, weights=weights)
    for metric in ("precision_at_recall", "recall_at_precision", "sensitivity_at_specificity"):
        found[metric] = getattr(dt.metrics, metric)(labels > 1, guesses, 0.6, weights=weights)
    found["perplexity"] = dt.metrics.perplexity(labels, scores, weights, from_logits=True)
    found["mean"] = dt.metrics.mean(guesses, weights)
    found["percentage_below"] = dt.metrics.percentage_below(guesses, 0.5, weights)
    return inputs, found


def test_batches_and_their_order_do_not_matter() -> None:
    inputs, metrics = all_metrics()
    updates = [update for _, update in metrics.values()]
    values = {name: value for name, (value, _) in metrics.items()}

    def see(session: dt.Session, batches: Sequence[Batch]) -> dict[str, Any]:
        session.run(dt.local_variables_initializer())
        for batch in batches:
            session.run(updates, {inputs[key]: one for key, one in batch.items()})
        return session.run(values)

    with dt.Session() as session:

        @hypothesis.settings(max_examples=8)
        @hypothesis.given(st.lists(st.integers(0, 6), min_size=1, max_size=4), st.integers(0, 2**16))
        def check(sizes: list[int], seed: int) -> None:
            rng = np.random.default_rng(seed)
            count = sum(sizes)
            whole = {
                "labels": rng.integers(0, 4, count),
                "classes": rng.integers(0, 4, count),
                "guesses": rng.uniform(size=count).round(2),
                "scores": rng.normal(size=(count, 4)),
                "weights": rng.integers(0, 3, count).astype(float),
            }
            order = rng.permutation(count)
            bounds = np.cumsum([0, *sizes])
            parts = [{key: one[order[first:last]] for key, one in whole.items()} for first, last in pairwise(bounds)]
            at_once, by_parts = see(session, [whole]), see(session, parts)
            for name, value in at_once.items():
                np.testing.assert_allclose(by_parts[name], value, rtol=1e-4, atol=1e-5, err_msg=name)

        check()


# What metrics are before there is anything, and at the edges. ---------------------------------------------------------


def run_once(value: Any, update: Any) -> tuple[Any, Any]:
    with dt.Session() as session:
        session.run(dt.local_variables_initializer())
        before = session.run(value)
        session.run(update)
        return before, session.run(value)


def test_before_anything_was_seen() -> None:
    assert run_once(*dt.metrics.precision([0, 1], [1, 1])) == (0.0, 0.5)
    assert run_once(*dt.metrics.mean_iou([0, 1], [0, 1], 2)) == (0.0, 1.0)
    assert run_once(*dt.metrics.perplexity([0], [[1.0, 0.0]])) == (1.0, 1.0)
    assert run_once(*dt.metrics.mean_cosine_distance([[1.0]], [[1.0]], 1)) == (1.0, 0.0)
    assert run_once(*dt.metrics.cohen_kappa([0, 1], [0, 1], 2)) == (0.0, 1.0)
    before, after = run_once(*dt.metrics.precision_at_k([[0]], [[1.0, 0.0]], 1))
    assert np.isnan(before)
    assert after == 1.0


def test_labels_that_do_not_vary() -> None:
    assert run_once(*dt.metrics.r2_score([0.1, 0.1, 0.1], [0.1, 0.1, 0.1])) == (0.0, 1.0)
    assert run_once(*dt.metrics.r2_score([0.1, 0.1, 0.1], [0.1, 0.2, 0.1]))[1] == 0.0
    assert run_once(*dt.metrics.matthews_corrcoef([1, 1], [1, 0]))[1] == 0.0


def test_scores_that_are_equal_or_no_numbers() -> None:
    scores = [[1.0, 1.0, 0.0], [np.nan, 0.0, 0.0], [np.inf, 0.0, 0.0]]
    assert run_once(*dt.metrics.top_k_accuracy([1, 0, 0], scores, k=1))[1] == pytest.approx(1 / 3)


def test_where_ranks_are_unknown_labels_take_the_shape_of_predictions() -> None:
    labels, predictions = dt.placeholder(dt.float32, None), dt.placeholder(dt.float32, None)
    _, update = dt.metrics.mean_squared_error(labels, predictions)
    with dt.Session() as session:
        session.run(dt.local_variables_initializer())
        assert session.run(update, {labels: [1.0, 2.0], predictions: [[2.0], [4.0]]}) == 2.5


def test_a_run_that_fetches_both_gives_the_value_of_before() -> None:
    value, update = dt.metrics.mean([4.0])
    with dt.Session() as session:
        session.run(dt.local_variables_initializer())
        assert session.run([update, value]) == [4.0, 0.0]


def test_names_scopes_and_collections() -> None:
    value, update = dt.metrics.precision_at_k([[0]], [[1.0, 0.0]], 1, 0, None, ["values"], ["updates"])
    assert value.op.name == "precision_at_1_class0/value"
    assert update.op.name == "precision_at_1_class0/update_op"
    assert dt.get_collection("values") == [value]
    assert dt.get_collection("updates") == [update]
    names = ["precision_at_1_class0/true_positives", "precision_at_1_class0/false_positives"]
    assert [one.op.name for one in dt.get_collection(dt.GraphKeys.METRIC_VARIABLES)] == names
    assert dt.global_variables() == []
    dt.metrics.auc([True], [0.5], name="area")
    assert dt.local_variables("area")[0].shape == [200]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: dt.metrics.mean(dt.ones([2, 3]), dt.ones([4, 3])),
            ShapeError,
            r"metrics: the weights are float32\[4, 3\], the values float32\[2, 3\]; give each axis",
        ),
        (
            lambda: dt.metrics.mean(dt.ones([2]), dt.ones([1, 2, 1])),
            ShapeError,
            r"the weights are float32\[1, 2, 1\], the values float32\[2\]; give a number",
        ),
        (
            lambda: dt.metrics.mean_tensor(dt.placeholder(dt.float32, [None])),
            ShapeError,
            r"mean_tensor: the values are float32\[.*\]; their sizes must be known.*Use dt.metrics.mean",
        ),
        (
            lambda: dt.metrics.mean_relative_error([1.0], [1.0], [1.0, 2.0]),
            ShapeError,
            r"mean_relative_error: normalizers are float32\[2\], predictions float32\[1\]",
        ),
        (
            lambda: dt.metrics.r2_score(dt.ones([1, 2, 3]), dt.ones([1, 2, 3])),
            ShapeError,
            r"r2_score: labels are float64\[1, 2, 3\]; use a shape of \[batch\]",
        ),
        (lambda: dt.metrics.mean_iou([0], [1], 0), InvalidArgumentError, "mean_iou: num_classes is 0; use 1 or more"),
        (
            lambda: dt.metrics.auc([1], [0.5], curve="ROT"),
            InvalidArgumentError,
            "auc: curve is 'ROT'; use 'ROC' or 'PR'",
        ),
        (
            lambda: dt.metrics.auc([1], [0.5], summation_method="exact"),
            InvalidArgumentError,
            "auc: summation_method is 'exact'; use 'trapezoidal', 'careful_interpolation', 'minoring' or 'majoring'",
        ),
        (
            lambda: dt.metrics.auc([1], [0.5], num_thresholds=1),
            InvalidArgumentError,
            "auc: num_thresholds is 1; use 2 or more",
        ),
        (
            lambda: dt.metrics.recall_at_thresholds([1], [0.5], []),
            InvalidArgumentError,
            "recall_at_thresholds: there are no thresholds",
        ),
        (
            lambda: dt.metrics.sensitivity_at_specificity([1], [0.5], 1.5),
            InvalidArgumentError,
            "sensitivity_at_specificity: specificity is 1.5; use a number from 0 to 1",
        ),
        (
            lambda: dt.metrics.recall_at_k([[0]], [[1.0]], 0),
            InvalidArgumentError,
            "recall_at_k: k is 0; use 1 or more",
        ),
        (
            lambda: dt.metrics.recall_at_k([[0.0]], [[1.0]], 1),
            DTypeError,
            r"recall_at_k: labels are float32\[1, 1\]; give numbers of classes",
        ),
        (
            lambda: dt.metrics.precision_at_top_k(dt.zeros([2, 3, 4], dt.int64), [[1], [2]]),
            ShapeError,
            r"precision_at_top_k: labels are int64\[2, 3, 4\], predicted classes int32\[2, 1\]; give labels the same",
        ),
        (
            lambda: dt.metrics.top_k_accuracy([1], [0.5]),
            ShapeError,
            r"top_k_accuracy: labels are int32\[1\], predictions float32\[1\]; predictions must have one axis more",
        ),
        (
            lambda: dt.metrics.top_k_accuracy([1], [[0.5, 0.5]], k=0),
            InvalidArgumentError,
            "top_k_accuracy: k is 0; use 1 or more",
        ),
        (
            lambda: dt.metrics.f1_score([1], [1], 3),
            InvalidArgumentError,
            "f1_score: average is 'binary', but there are 3 classes; use 'macro'",
        ),
        (
            lambda: dt.metrics.f1_score([1], [1], average="samples"),
            InvalidArgumentError,
            "f1_score: average is 'samples'; use 'binary', 'micro'",
        ),
        (
            lambda: dt.metrics.cohen_kappa([1], [1], 2, weighting="cubic"),
            InvalidArgumentError,
            "cohen_kappa: weighting is 'cubic'; use None, 'linear' or 'quadratic'",
        ),
        (
            lambda: dt.metrics.perplexity([0.5], [[0.5]]),
            DTypeError,
            r"perplexity: labels are float32\[1\]; give numbers of classes",
        ),
        (
            lambda: dt.metrics.perplexity([1], [0.5]),
            ShapeError,
            r"perplexity: labels are int32\[1\], predictions float32\[1\]; predictions must have one axis more",
        ),
    ],
)
def test_what_does_not_fit(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_what_only_a_run_can_tell() -> None:
    guesses = dt.placeholder(dt.float32, [None])
    _, area = dt.metrics.auc([1, 0], guesses)
    _, overlap = dt.metrics.mean_iou([0, 1], [0, 2], 2)
    with dt.Session() as session:
        session.run(dt.local_variables_initializer())
        with pytest.raises(OperationError, match=r"auc: predictions must be from 0 to 1; use dt.sigmoid.*0.5 1.5"):
            session.run(area, {guesses: [0.5, 1.5]})
        with pytest.raises(OperationError, match="index 2 at .* is out of range for axis 1 of size 2"):
            session.run(overlap)
