"""Record what TensorFlow computes for losses, by `tf.compat.v1.losses` and Keras, for the tests to compare with.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow_losses.npz`, which this script makes:

    python -m venv /tmp/tensorflow && /tmp/tensorflow/bin/pip install tensorflow numpy
    /tmp/tensorflow/bin/python tools/record_tensorflow_losses.py

Inputs stand under their names, results under `loss/weights/reduction`, or under the function's name alone.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

tf: Any = import_module("tensorflow")  # not installed where the types are checked
v1: Any = tf.compat.v1

RNG = np.random.default_rng(20240301)
INPUTS: dict[str, np.ndarray] = {
    "labels": RNG.integers(0, 2, (4, 5)).astype(np.float32),
    "classes": RNG.integers(0, 5, 4),
    "numbers": RNG.normal(size=(4, 5)).astype(np.float32),
    "found": RNG.normal(0.0, 2.0, (4, 5)).astype(np.float32),
    "probabilities": RNG.dirichlet(np.ones(5), 4).astype(np.float32),
    "others": RNG.dirichlet(np.ones(5), 4).astype(np.float32),
    "elements": (RNG.integers(0, 3, (4, 5)) * 0.5).astype(np.float32),
    "rows": np.array([[0.5], [0.0], [2.0], [1.0]], np.float32),
}
INPUTS["onehot"] = np.eye(5, dtype=np.float32)[INPUTS["classes"]]


def weighted(found: dict[str, Any]) -> None:
    """Each loss of TensorFlow 1 with weights of each kind, reduced in each way."""
    x = INPUTS
    per_element = {
        "absolute_difference": (x["numbers"], x["found"]),
        "mean_squared_error": (x["numbers"], x["found"]),
        "huber_loss": (x["numbers"], x["found"]),
        "log_loss": (x["labels"], x["probabilities"]),
        "hinge_loss": (x["labels"], x["found"]),
        "sigmoid_cross_entropy": (x["labels"], x["found"]),
    }
    weights = {"one": 1.0, "number": 2.0, "zero": 0.0, "rows": x["rows"], "elements": x["elements"]}
    for name, pair in per_element.items():
        for kind, weight in weights.items():
            for reduction in v1.losses.Reduction.all():
                found[f"{name}/{kind}/{reduction}"] = getattr(v1.losses, name)(*pair, weight, reduction=reduction)
    by_row = {"one": 1.0, "rows": x["rows"][:, 0]}
    for kind, weight in by_row.items():
        for reduction in v1.losses.Reduction.all():
            more: Any = {"weights": weight, "reduction": reduction}
            found[f"softmax_cross_entropy/{kind}/{reduction}"] = v1.losses.softmax_cross_entropy(
                x["onehot"], x["found"], label_smoothing=0.1, **more
            )
            found[f"sparse_softmax_cross_entropy/{kind}/{reduction}"] = v1.losses.sparse_softmax_cross_entropy(
                x["classes"], x["found"], **more
            )
    for kind in ("one", "rows"):
        for reduction in v1.losses.Reduction.all():
            found[f"cosine_distance/{kind}/{reduction}"] = v1.losses.cosine_distance(
                x["probabilities"], x["others"], 1, weights[kind], reduction=reduction
            )
    for kind, weight in weights.items():
        found[f"mean_pairwise_squared_error/{kind}"] = v1.losses.mean_pairwise_squared_error(
            x["numbers"], x["found"], weight
        )


def functions(found: dict[str, Any]) -> None:
    """Losses of Keras, as means, and functions of `tf.nn`."""
    x, keras = INPUTS, tf.keras.losses
    mean = tf.reduce_mean
    found["squared_hinge"] = mean(keras.squared_hinge(x["labels"], x["found"]))
    found["log_cosh"] = mean(keras.logcosh(x["numbers"], x["found"]))
    found["kl_divergence"] = mean(keras.kld(x["probabilities"], x["others"]))
    found["poisson"] = mean(keras.poisson(x["labels"], x["probabilities"]))
    found["dice"] = keras.dice(x["labels"], x["probabilities"])
    found["mean_absolute_percentage_error"] = mean(keras.mape(x["numbers"], x["found"]))
    found["mean_squared_logarithmic_error"] = mean(keras.msle(x["numbers"], x["found"]))
    found["categorical_hinge"] = mean(keras.categorical_hinge(x["onehot"], x["found"]))
    found["tversky"] = keras.tversky(x["labels"], x["probabilities"], 0.9, 0.3)  # it exchanges the two
    found["dice_rows"] = mean(keras.dice(x["labels"], x["probabilities"], axis=1))
    found["sigmoid_focal_crossentropy"] = mean(
        keras.binary_focal_crossentropy(x["labels"], x["found"], True, from_logits=True)
    )
    found["softmax_focal_crossentropy"] = mean(
        keras.categorical_focal_crossentropy(x["onehot"], x["found"], from_logits=True)
    )
    found["weighted_cross_entropy_with_logits"] = v1.nn.weighted_cross_entropy_with_logits(x["labels"], x["found"], 2.5)
    found["log_poisson_loss"] = v1.nn.log_poisson_loss(x["labels"] * 3.0, x["found"], True)
    found["crelu"] = v1.nn.crelu(x["found"])
    found["relu_layer"] = tf.keras.layers.ReLU(2.0, 0.25, 0.5)(x["found"])


def main() -> None:
    """Compute everything and write it."""
    found: dict[str, Any] = {}
    with tf.Graph().as_default(), v1.Session() as session:  # run eagerly, pairs are counted over all examples
        weighted(found)
        functions(found)
        arrays: Any = {**INPUTS, **session.run(found)}
    arrays["tensorflow_version"] = np.array(tf.__version__)
    path = Path(__file__).parents[1] / "tests" / "data" / "tensorflow_losses.npz"
    np.savez_compressed(path, **arrays)
    print(f"{len(arrays)} arrays, {path.stat().st_size} bytes in {path}")


if __name__ == "__main__":
    main()
