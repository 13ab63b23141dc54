"""Losses beside what TensorFlow computed (tools/record_tensorflow_losses.py), in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dovetail as dt
from tests.layers.recorded import Recorded

RECORDED = Recorded("tensorflow_losses")
CLOSE = {"rtol": 2e-5, "atol": 1e-6}
WEIGHTS = {"one": 1.0, "number": 2.0, "zero": 0.0, "rows": RECORDED["rows"], "elements": RECORDED["elements"]}
PAIRS = {
    "absolute_difference": ("numbers", "found"),
    "mean_squared_error": ("numbers", "found"),
    "huber_loss": ("numbers", "found"),
    "log_loss": ("labels", "probabilities"),
    "hinge_loss": ("labels", "found"),
    "sigmoid_cross_entropy": ("labels", "found"),
}


def run(fetches: Any) -> Any:
    with dt.Session() as session:
        return session.run(fetches)


def agree(found: dict[str, Any]) -> None:
    for name, value in run(found).items():
        np.testing.assert_allclose(value, RECORDED[name], **CLOSE, err_msg=name)


@pytest.mark.parametrize("name", PAIRS)
def test_weights_and_reductions_of_elements(name: str) -> None:
    pair = [RECORDED[key] for key in PAIRS[name]]
    loss = getattr(dt.losses, name)
    agree(
        {
            f"{name}/{kind}/{reduction}": loss(*pair, weight, reduction=reduction)
            for kind, weight in WEIGHTS.items()
            for reduction in dt.losses.Reduction.all()
        }
    )


def test_weights_and_reductions_of_rows() -> None:
    found = {}
    for reduction in dt.losses.Reduction.all():
        for kind in ("one", "rows"):
            weight = 1.0 if kind == "one" else RECORDED["rows"][:, 0]
            more: Any = {"weights": weight, "reduction": reduction}
            found[f"softmax_cross_entropy/{kind}/{reduction}"] = dt.losses.softmax_cross_entropy(
                RECORDED["onehot"], RECORDED["found"], label_smoothing=0.1, **more
            )
            found[f"sparse_softmax_cross_entropy/{kind}/{reduction}"] = dt.losses.sparse_softmax_cross_entropy(
                RECORDED["classes"], RECORDED["found"], **more
            )
            found[f"cosine_distance/{kind}/{reduction}"] = dt.losses.cosine_distance(
                RECORDED["probabilities"], RECORDED["others"], 1, WEIGHTS[kind], reduction=reduction
            )
    agree(found)


def test_pairs_of_elements() -> None:
    pair = RECORDED["numbers"], RECORDED["found"]
    agree(
        {
            f"mean_pairwise_squared_error/{kind}": dt.losses.mean_pairwise_squared_error(*pair, weight)
            for kind, weight in WEIGHTS.items()
        }
    )


def test_losses_of_keras_and_functions() -> None:
    labels, found = RECORDED["labels"], RECORDED["found"]
    probabilities, onehot = RECORDED["probabilities"], RECORDED["onehot"]
    agree(
        {
            "squared_hinge": dt.losses.squared_hinge(labels, found),
            "log_cosh": dt.losses.log_cosh(RECORDED["numbers"], found),
            "kl_divergence": dt.losses.kl_divergence(probabilities, RECORDED["others"]),
            "poisson": dt.losses.poisson(labels, probabilities),
            "dice": dt.losses.dice(labels, probabilities),
            "mean_absolute_percentage_error": dt.losses.mean_absolute_percentage_error(RECORDED["numbers"], found),
            "mean_squared_logarithmic_error": dt.losses.mean_squared_logarithmic_error(RECORDED["numbers"], found),
            "categorical_hinge": dt.losses.categorical_hinge(onehot, found),
            "tversky": dt.losses.tversky(labels, probabilities, 1.0, 0.3, 0.9),
            "dice_rows": dt.losses.dice(labels, probabilities, axis=1),
            "sigmoid_focal_crossentropy": dt.losses.sigmoid_focal_crossentropy(labels, found),
            "softmax_focal_crossentropy": dt.losses.softmax_focal_crossentropy(onehot, found),
            "weighted_cross_entropy_with_logits": dt.nn.weighted_cross_entropy_with_logits(labels, found, 2.5),
            "log_poisson_loss": dt.nn.log_poisson_loss(labels * 3.0, found, True),
            "crelu": dt.nn.crelu(found),
            "relu_layer": dt.layers.relu(found, 2.0, 0.25, 0.5),
        }
    )
