"""Record what TensorFlow's metrics give after each of a few batches, for the tests to compare with.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow_metrics.npz`, which this script makes:

    python -m venv /tmp/tensorflow && /tmp/tensorflow/bin/pip install tensorflow-cpu
    /tmp/tensorflow/bin/python tools/record_tensorflow_metrics.py

The file holds the list `cases` as JSON, each with the metric's name and its plain arguments; `case/batch/argument` are
the tensors of a batch, `case/batch/update` what the update gave, and `case/batch/value` the metric after it.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

tf: Any = import_module("tensorflow").compat.v1  # not installed where the types are checked

RNG = np.random.default_rng(20241125)
FOUND: dict[str, np.ndarray] = {}
CASES: list[dict[str, Any]] = []

Batches = list[dict[str, np.ndarray]]


def record(metric: str, batches: Batches, **arguments: Any) -> None:
    """Run a metric over batches."""
    case = f"{len(CASES)}-{metric}"
    CASES.append({"case": case, "metric": metric, "arguments": arguments, "batches": len(batches)})
    with tf.Graph().as_default(), tf.Session() as session:
        holders = {key: tf.placeholder(one.dtype, [None, *one.shape[1:]]) for key, one in batches[0].items()}
        if metric == "mean_tensor":
            holders = {key: tf.placeholder(one.dtype, one.shape) for key, one in batches[0].items()}
        value, update = getattr(tf.metrics, metric)(**holders, **arguments)
        session.run(tf.local_variables_initializer())
        for number, batch in enumerate(batches):
            updated = session.run(update, {holders[key]: one for key, one in batch.items()})
            for key, one in {**batch, "update": updated, "value": session.run(value)}.items():
                FOUND[f"{case}/{number}/{key}"] = np.asarray(one)


def weighted(batches: Batches, *shape: int) -> Batches:
    """Give each batch weights, some of them 0."""
    return [
        {**one, "weights": RNG.integers(0, 4, size=(len(next(iter(one.values()))), *shape)) / np.float32(2.0)}
        for one in batches
    ]


def numbers(*shape: int) -> Batches:
    """Give labels and predictions of regression."""
    return [
        {
            "labels": RNG.normal(size=(size, *shape)).astype(np.float32),
            "predictions": RNG.normal(size=(size, *shape)).astype(np.float32),
        }
        for size in (4, 7)
    ]


def classes(count: int, *shape: int) -> Batches:
    """Give labels and predictions that are numbers of classes."""
    return [
        {
            "labels": RNG.integers(0, count, size=(size, *shape)),
            "predictions": RNG.integers(0, count, size=(size, *shape)),
        }
        for size in (5, 9)
    ]


def probabilities(*shape: int) -> Batches:
    """Give truths and probabilities, 0 and 1 among them."""
    batches: Batches = []
    for size in (6, 30):
        labels = RNG.integers(0, 2, size=(size, *shape)).astype(bool)
        guesses = np.clip(RNG.normal(0.35 + 0.3 * labels, 0.3), 0.0, 1.0)
        batches.append({"labels": labels, "predictions": guesses.astype(np.float32)})
    return batches


def scores(count: int, labels: int) -> Batches:
    """Give scores of classes, and several true classes for each example; −1 fills the rows."""
    batches: Batches = []
    for size in (3, 8):
        rows = np.stack([RNG.permutation(count)[:labels] for _ in range(size)]).astype(np.int64)
        rows[:, 1:][RNG.uniform(size=(size, labels - 1)) < 0.3] = -1
        batches.append({"labels": rows, "predictions": RNG.normal(size=(size, count)).astype(np.float32)})
    return batches


def means() -> None:
    """Means and errors."""
    values = [{"values": RNG.normal(size=(size, 3)).astype(np.float32)} for size in (2, 5)]
    record("mean", values)
    record("mean", weighted(values, 3))
    record("mean", weighted(values, 1))
    record("mean", weighted(values))
    record("percentage_below", values, threshold=0.25)
    record("percentage_below", weighted(values, 3), threshold=0.25)
    same = [{"values": RNG.normal(size=(2, 3)).astype(np.float32)} for _ in range(3)]
    record("mean_tensor", same)
    record("mean_tensor", weighted(same, 3))
    for metric in ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error"):
        record(metric, numbers())
        record(metric, weighted(numbers(2), 2))
        record(metric, [{**one, "labels": one["labels"][:, None]} for one in numbers()])
    normalizers = [{**one, "normalizer": np.maximum(one["labels"], 0.0)} for one in numbers(2)]
    record("mean_relative_error", normalizers)
    record("mean_relative_error", weighted(normalizers, 1))
    record("mean_cosine_distance", numbers(4), dim=1)
    record("mean_cosine_distance", weighted(numbers(4), 1), dim=1)


def decisions() -> None:
    """Accuracies, counts and confusion matrices."""
    record("accuracy", classes(3))
    record("accuracy", weighted(classes(3, 2), 2))
    record("accuracy", [{**one, "predictions": one["predictions"] + np.float32(0.5)} for one in classes(3)])
    for metric in (
        "true_positives",
        "false_positives",
        "true_negatives",
        "false_negatives",
        "precision",
        "recall",
    ):
        record(metric, classes(2))
        record(metric, weighted(classes(2, 3), 1))
    for metric in ("mean_iou", "mean_per_class_accuracy"):
        record(metric, classes(3), num_classes=4)
        record(metric, weighted(classes(4, 3), 3), num_classes=4)
        record(
            metric, [{key: one + np.float32(0.75) for key, one in batch.items()} for batch in classes(3)], num_classes=3
        )


def curves() -> None:
    """What thresholds decide."""
    thresholds = [0.1, 0.5, 0.75]
    for metric in (
        "true_positives_at_thresholds",
        "false_positives_at_thresholds",
        "true_negatives_at_thresholds",
        "false_negatives_at_thresholds",
        "precision_at_thresholds",
        "recall_at_thresholds",
    ):
        record(metric, probabilities(), thresholds=thresholds)
        record(metric, weighted(probabilities(2), 1), thresholds=thresholds)
    for curve in ("ROC", "PR"):
        for method in ("trapezoidal", "careful_interpolation", "minoring", "majoring"):
            record("auc", probabilities(), curve=curve, summation_method=method)
            record("auc", weighted(probabilities(2), 2), curve=curve, summation_method=method, num_thresholds=20)
    record("auc", probabilities(), thresholds=[0.5, 0.2, 0.9])
    for metric, rate in (("sensitivity_at_specificity", "specificity"), ("specificity_at_sensitivity", "sensitivity")):
        record(metric, probabilities(), **{rate: 0.7})
        record(metric, weighted(probabilities()), **{rate: 0.4}, num_thresholds=11)


def rankings() -> None:
    """What is among the highest scores."""
    for metric in ("precision_at_k", "recall_at_k"):
        record(metric, scores(6, 3), k=2)
        record(metric, weighted(scores(6, 3)), k=3)
        record(metric, scores(6, 3), k=3, class_id=1)
        record(metric, [{**one, "labels": one["labels"][:, 0]} for one in scores(6, 3)], k=2)
    record("average_precision_at_k", scores(6, 3), k=4)
    record("average_precision_at_k", weighted(scores(6, 3)), k=2)
    places = [{"labels": one["labels"], "predictions_idx": one["labels"][:, ::-1].copy()} for one in scores(6, 2)]
    for metric in ("precision_at_top_k", "recall_at_top_k"):
        record(metric, places)
        record(metric, places, class_id=2)


if __name__ == "__main__":
    means()
    decisions()
    curves()
    rankings()
    path = Path(__file__).parents[1] / "tests" / "data" / "tensorflow_metrics.npz"
    FOUND["cases"] = np.array(json.dumps(CASES))
    np.savez_compressed(path, **FOUND)  # type: ignore[arg-type]
    print(f"{len(CASES)} cases, {path.stat().st_size} bytes in {path}")
