"""Normalisation, regularizers and constraints beside TensorFlow (tools/record_tensorflow_normalization.py)."""

from __future__ import annotations

from typing import Any

import numpy as np

import dovetail as dt
from tests.layers.recorded import Recorded

RECORDED = Recorded("tensorflow_normalization")
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
NAMES = ("scale", "offset", "mean", "variance")


def agree(found: dict[str, Any]) -> None:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for name, value in session.run(found).items():
            np.testing.assert_allclose(value, RECORDED[name], **CLOSE, err_msg=name)


def test_fused_batch_normalisation() -> None:
    x, parts = RECORDED["images"], {name: RECORDED[name] for name in NAMES}
    kinds = {
        "trained": dt.nn.fused_batch_norm(x, parts["scale"], parts["offset"], epsilon=0.01),
        "evaluated": dt.nn.fused_batch_norm(x, **parts, is_training=False),
    }
    agree(
        {f"{kind}/{name}": value for kind, each in kinds.items()
         for name, value in zip(("y", "mean", "variance"), each, strict=True)}
    )  # fmt: skip
    first = dt.nn.fused_batch_norm(x.transpose(0, 3, 1, 2), **parts, data_format="NCHW", is_training=False)[0]
    agree({"evaluated/y": dt.transpose(first, [0, 2, 3, 1])})


def test_constraints() -> None:
    weight, known = dt.constant(RECORDED["weight"]), dt.constraints
    agree(
        {
            "non_neg": known.NonNeg()(weight),
            **{f"max_norm/{axis}": known.MaxNorm(1.5, axis)(weight) for axis in (0, 1)},
            **{f"unit_norm/{axis}": known.UnitNorm(axis)(weight) for axis in (0, 1)},
            **{f"min_max_norm/{axis}": known.MinMaxNorm(2.0, 3.0, 0.7, axis)(weight) for axis in (0, 1)},
        }
    )


def test_regularizers() -> None:
    weight = dt.constant(RECORDED["weight"])
    agree(
        {
            "l1_l2": dt.layers.l1_l2_regularizer(0.3, 0.2)(weight),  # half the squares, where Keras has all
            **{
                f"orthogonal/{mode}": dt.layers.orthogonal_regularizer(0.3, mode)(weight)
                for mode in ("rows", "columns")
            },
        }
    )


def test_layers_of_keras() -> None:
    x = RECORDED["images"]
    agree(
        {
            "layer/group": dt.layers.group_normalization(x, 5),
            "layer/rms": dt.layers.rms_normalization(x),
            "layer/prelu": dt.layers.prelu(x, "ones", shared_axes=(1, 2)),
        }
    )
