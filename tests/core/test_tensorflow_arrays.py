"""Programs of arrays against what TensorFlow computed for them; `tools/record_tensorflow_arrays.py` recorded it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dovetail as dt
from tests.core.array_cases import CASES, Case, cotangents, plain

RECORDED = np.load(Path(__file__).parents[1] / "data" / "tensorflow_arrays.npz")


def check(name: str, value: np.ndarray) -> None:
    expected = RECORDED[name]
    value = plain(value)
    assert value.shape == expected.shape
    assert value.dtype == expected.dtype
    if value.dtype.kind == "f":
        np.testing.assert_allclose(value, expected, rtol=2e-5, atol=2e-6)
    else:
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize(("name", "case"), CASES.items(), ids=CASES)
def test_a_program_gives_what_tensorflow_gives(name: str, case: Case) -> None:
    inputs = [dt.placeholder(one.dtype, one.shape) for one in case.arrays]
    result = case.program(dt, *inputs)
    outputs = list(result) if isinstance(result, (list, tuple)) else [result]
    feeds = dict(zip(inputs, case.arrays, strict=True))
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        values = session.run(outputs, feeds)
        for i, value in enumerate(values):
            check(f"{name}/out{i}", value)
        wrt = [one for one in inputs if one.dtype.is_floating]
        if case.gradients and wrt:
            session.run(dt.global_variables_initializer())
            chosen = [i for i, one in enumerate(outputs) if one.dtype.is_floating]
            weights = cotangents([np.shape(values[i]) for i in chosen])
            grads = dt.gradients([outputs[i] for i in chosen], wrt, [dt.constant(one) for one in weights])
            for i, grad in enumerate(grads):
                check(f"{name}/grad{i}", session.run(dt.convert_to_tensor(grad), feeds))


def test_every_recorded_case_is_run() -> None:
    assert {key.partition("/")[0] for key in RECORDED.files} == set(CASES)
