"""Operations on images beside what TensorFlow computed for the same program (tools/record_tensorflow_images.py)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dovetail as dt
from tests.layers.image_cases import CASES, inputs_of

RECORDED = np.load(Path(__file__).parents[1] / "data" / "tensorflow_images.npz")


def close(found: np.ndarray, expected: np.ndarray) -> None:
    """Compare at the precision of the dtype."""
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected)
        return
    tolerance = 1e-10 if expected.dtype == np.float64 else 3e-6
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("name", CASES)
def test_a_program_computes_what_tensorflow_does(name: str) -> None:
    case = CASES[name]
    arrays = inputs_of(name)
    tensors = [dt.constant(array) for array in arrays]
    result = case.function(dt, *tensors)
    outputs = list(result) if isinstance(result, tuple) else [result]
    with dt.Session() as session:
        for number, value in enumerate(session.run(outputs)):
            close(value, RECORDED[f"{name}/y_{number}"])
        if case.gradients:
            cotangent = np.random.default_rng(1).normal(size=outputs[0].shape.as_list())
            gradients = dt.gradients(outputs[0], tensors, dt.constant(cotangent, outputs[0].dtype))
            for number, value in enumerate(session.run([dt.convert_to_tensor(one) for one in gradients])):
                close(value, RECORDED[f"{name}/grad_{number}"])
