"""Small functions of ``dt.nn``: what they refuse. Their values are those of TensorFlow (tests/together/tensorflow1)."""

from __future__ import annotations

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError


def test_local_response_normalization_wants_images() -> None:
    with pytest.raises(DTypeError, match=r"^local_response_normalization: the input is int32\[1, 1, 1, 2\]"):
        dt.nn.lrn([[[[1, 2]]]])
    with pytest.raises(
        ShapeError,
        match=r"the input is float32\[2, 3\]; \[batch, height, width, channels\] is wanted",
    ):
        dt.nn.lrn(dt.zeros([2, 3]))
    with pytest.raises(InvalidArgumentError, match=r"depth_radius is -1; it must not be negative."):
        dt.nn.lrn(dt.zeros([1, 1, 1, 2]), depth_radius=-1)


def test_in_top_k_wants_scores_and_classes() -> None:
    with pytest.raises(DTypeError, match=r"^in_top_k: predictions are int32\[1, 2\], not floating"):
        dt.nn.in_top_k([[1, 2]], [0], 1)
    with pytest.raises(DTypeError, match=r"^in_top_k: targets are float32\[1\], no integers"):
        dt.nn.in_top_k([[1.0, 2.0]], [0.0], 1)
    with pytest.raises(ShapeError, match=r"^in_top_k: predictions are float32\[2\], targets int32\[1\]; shapes "):
        dt.nn.in_top_k([1.0, 2.0], [0], 1)


def test_in_top_k_of_any_batch_and_a_number_that_is_fed() -> None:
    scores, targets, k = (
        dt.placeholder(dt.float32, [None, 3]),
        dt.placeholder(dt.int64, [None]),
        dt.placeholder(dt.int32, []),
    )
    best = dt.nn.in_top_k(scores, targets, k)
    with dt.Session() as session:
        for wanted, expected in ((1, [False, False]), (2, [True, False]), (3, [True, True])):
            feed = {scores: [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]], targets: [1, 2], k: wanted}
            np.testing.assert_array_equal(session.run(best, feed), expected)


def test_zero_fraction_of_nothing_is_no_number() -> None:
    assert np.isnan(dt.Session().run(dt.nn.zero_fraction(dt.zeros([0]))))
