"""Long rows, which sorting takes piece by piece: the order is NumPy's stable one, NaN the greatest."""

from __future__ import annotations

import numpy as np
import pytest

import dovetail as dt
from tests.backend_cpu.conformance import session

BACKEND = "cpu"
RANDOM = np.random.default_rng(0)
SHAPE = (2, 3000)

ROWS = {
    "random": RANDOM.normal(size=SHAPE),
    "rising": np.sort(RANDOM.normal(size=SHAPE)),
    "falling": -np.sort(RANDOM.normal(size=SHAPE)),
    "with ties": RANDOM.integers(0, 5, SHAPE),
    "with NaN": np.where(RANDOM.random(SHAPE) < 0.1, np.nan, RANDOM.normal(size=SHAPE)),
    "equal": np.zeros(SHAPE),
    "endless": np.where(RANDOM.random(SHAPE) < 0.5, -np.inf, np.inf),
}


@pytest.mark.parametrize("name", ROWS)
def test_long_rows_are_sorted_stably(name: str) -> None:
    rows = ROWS[name].astype(np.float32)
    x = dt.placeholder(dt.float32, ["rows", "length"])
    ask = [dt.argsort(x), dt.argsort(x, direction="DESCENDING"), *(dt.nn.top_k(x, k) for k in (1, 7, 1500, 3000))]
    assert not dt.explain(ask).fallbacks
    with session(BACKEND) as opened:
        rising, falling, *tops = opened.run(ask, {x: rows})
    order = np.argsort(np.where(np.isnan(rows), -np.inf, -rows), axis=-1, kind="stable")
    np.testing.assert_array_equal(rising, np.argsort(rows, axis=-1, kind="stable"))
    np.testing.assert_array_equal(falling, order)
    for (values, places), k in zip(tops, (1, 7, 1500, 3000), strict=True):
        np.testing.assert_array_equal(places, order[:, :k])
        np.testing.assert_array_equal(values, np.take_along_axis(rows, order[:, :k], -1))


def test_integers_are_compared_as_integers() -> None:
    rows = np.array([[2**53, 2**53 + 1, -(2**62), 2**62]], np.int64)
    with session(BACKEND) as opened:
        values, places = opened.run(dt.nn.top_k(dt.constant(rows), 3))
    assert places.tolist() == [[3, 1, 0]]
    assert values.tolist() == [[2**62, 2**53 + 1, 2**53]]
