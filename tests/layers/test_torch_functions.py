"""Activations and losses beside what PyTorch computed (tools/record_torch_functions.py), in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from tests.layers.recorded import Recorded

RECORDED = Recorded("torch_functions")
MEAN = dt.losses.Reduction.MEAN


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("elu", lambda x: dt.nn.elu(x, alpha=0.5)),
        ("celu", lambda x: dt.nn.celu(x, alpha=0.5)),
        ("hard_swish", dt.nn.hard_swish),
        ("hard_tanh", dt.nn.hard_tanh),
        ("mish", dt.nn.mish),
        ("log_sigmoid", dt.nn.log_sigmoid),
        ("hardshrink", dt.nn.hardshrink),
        ("softshrink", dt.nn.softshrink),
        ("tanhshrink", dt.nn.tanhshrink),
        ("threshold", lambda x: dt.nn.threshold(x, 0.5, -1.0)),
        ("logit", dt.nn.logit),
        ("logit_epsilon", lambda x: dt.nn.logit(x, epsilon=0.2)),
        ("glu", dt.nn.glu),
        ("glu_axis", lambda x: dt.nn.glu(x, 1)),
        ("swiglu", dt.nn.swiglu),
        ("geglu", dt.nn.geglu),
        ("reglu", dt.nn.reglu),
    ],
)
def test_activations(name: str, function: Callable[[dt.Tensor], dt.Tensor]) -> None:
    RECORDED.check(name, function, "x")


def test_a_rectifier_with_slopes() -> None:
    RECORDED.check("prelu", lambda x, alpha: dt.nn.prelu(x, dt.expand_dims(alpha, 1)), "x", "alpha")


def test_losses_of_differences() -> None:
    RECORDED.check("huber", lambda x, y: dt.losses.huber_loss(y, x, delta=0.7), "x", "target")
    RECORDED.check("absolute", lambda x, y: dt.losses.absolute_difference(y, x), "input", "target")


def test_losses_of_counts() -> None:
    counts = RECORDED["counts/counts"]
    RECORDED.check("poisson", lambda x: dt.losses.poisson(counts, x), "x")
    RECORDED.check("log_poisson", lambda x: dt.nn.log_poisson_loss(counts, x), "x")
    RECORDED.check("log_poisson_full", lambda x: dt.nn.log_poisson_loss(counts, x, True), "x")


def test_divergence() -> None:
    RECORDED.check("kl", lambda x, y: dt.losses.kl_divergence(y, x), "x", "target")


def test_a_cross_entropy_in_which_the_positive_count_more() -> None:
    signs = RECORDED["signs/signs"]
    RECORDED.check("weighted_cross_entropy", lambda x: dt.nn.weighted_cross_entropy_with_logits(signs, x, 3.0), "x")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ignored", {}),
        ("class_weights", {"class_weights": RECORDED["labels/weights"], "reduction": MEAN}),
        ("smoothed_and_ignored", {"label_smoothing": 0.2}),
    ],
)
def test_cross_entropies_of_classes(name: str, options: dict[str, Any]) -> None:
    labels = RECORDED["labels/labels"]
    RECORDED.check(name, lambda x: dt.losses.sparse_softmax_cross_entropy(labels, x, ignore_label=-1, **options), "x")


def test_class_weights_of_probabilities() -> None:
    labels, weights = RECORDED["labels/labels"], RECORDED["labels/weights"]
    onehot = (labels[:, None] == np.arange(5)).astype(float)  # a row of zeros where the label is ignored
    RECORDED.check(
        "class_weights",
        lambda x: dt.losses.softmax_cross_entropy(onehot, x, class_weights=weights, reduction=MEAN),
        "x",
    )


def test_triples() -> None:
    names = ("anchor", "positive", "negative")
    RECORDED.check("triplet", dt.losses.triplet_margin_loss, *names)
    RECORDED.check("triplet_swap", lambda *each: dt.losses.triplet_margin_loss(*each, margin=0.5, swap=True), *names)


def test_ranks_and_densities() -> None:
    order = RECORDED["order/order"]
    RECORDED.check("ranking", lambda x, y: dt.losses.margin_ranking_loss(order, x, y, margin=0.3), "first", "second")
    for name, full in (("gaussian", False), ("gaussian_full", True)):
        RECORDED.check(
            name,
            lambda x, y, spread, full=full: dt.losses.gaussian_nll_loss(y, x, spread, full=full),  # type: ignore[misc]
            "first",
            "second",
            "spread",
        )
