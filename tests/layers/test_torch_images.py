"""Random configurations of layers on images beside what PyTorch computed (tools/record_torch_images.py), in float64."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from tests.conftest import LONG_TESTS
from tests.layers.image_configurations import COUNT, Configuration, arrays_of, configuration, projected

RECORDED = np.load(Path(__file__).parents[1] / "data" / "torch_images.npz")
NUMBERS, BEGINS, SHAPES = RECORDED["numbers"], RECORDED["begins"], json.loads(str(RECORDED["shapes"]))


def applied(one: Configuration, x: dt.Tensor, weights: list[np.ndarray]) -> tuple[dt.Tensor, list[Any], Any]:
    """The output, the weights, and the layer if it is one."""
    if one.kind[0].islower():
        tensors = [dt.constant(weight) for weight in weights]
        return getattr(dt.nn, one.kind)(x, *tensors, **one.options), tensors, None
    layer = getattr(dt.layers, one.kind)(**one.options)
    return layer(x), [], layer


@pytest.mark.parametrize("number", range(COUNT if LONG_TESTS else 48))
def test_a_configuration(number: int) -> None:
    one = configuration(number)
    array, *weights = arrays_of(number, one)
    x = dt.placeholder(dt.float64, [None, *array.shape[1:]])
    y, tensors, layer = applied(one, x, weights)
    tensors = tensors if layer is None else layer.weights
    cotangent = np.random.default_rng([number, 2]).normal(size=SHAPES[number])
    gradients = dt.gradients(y, [x, *tensors], dt.constant(cotangent))
    with dt.Session() as session:
        if layer is not None:
            for variable, weight in zip(layer.weights, weights, strict=True):
                variable.load(weight, session)
        value, *found = session.run([y, *gradients], {x: array})
    assert list(value.shape) == SHAPES[number], one
    given = np.concatenate([projected(each) for each in (value, *found)])
    expected = NUMBERS[BEGINS[number] :][: len(given)]
    tolerance = 1e-5 if one.options.get("interpolation") == "bilinear" else 1e-9  # whose coordinates are float32
    np.testing.assert_allclose(given, expected, rtol=tolerance, atol=tolerance, err_msg=str(one))
