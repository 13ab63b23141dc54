"""First values of variables: what they are, how they are spread, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import ConfigurationError, DTypeError, InvalidArgumentError, ShapeError


def values(initializer: Any, shape: Any, dtype: Any = None) -> np.ndarray:
    return dt.Session().run(initializer(shape) if dtype is None else initializer(shape, dtype))


def test_zeros_and_ones_of_every_kind() -> None:
    assert values(dt.zeros_initializer(), [2]).tolist() == [0.0, 0.0]
    assert values(dt.zeros_initializer(dt.int64), []).dtype == np.int64
    assert values(dt.zeros_initializer(), [2], dt.bool).tolist() == [False, False]
    assert values(dt.zeros_initializer(), [2], dt.string).tolist() == [b"", b""]
    assert values(dt.ones_initializer(), [1, 2], "int32").tolist() == [[1, 1]]
    with pytest.raises(DTypeError, match="no string that is one"):
        values(dt.ones_initializer(), [2], dt.string)


def test_constants() -> None:
    assert values(dt.constant_initializer(2), [2]).tolist() == [2.0, 2.0]
    assert values(dt.constant_initializer(2), [2], dt.int32).dtype == np.int32
    assert values(dt.constant_initializer([1.0, 2.0, 3.0]), [2, 2]).tolist() == [[1.0, 2.0], [3.0, 3.0]]
    assert values(dt.constant_initializer(np.arange(4).reshape(2, 2)), [4], dt.int64).tolist() == [0, 1, 2, 3]
    with pytest.raises(ShapeError, match=r"3 values for a variable of shape \[2\], which has 2 elements"):
        values(dt.constant_initializer([1.0, 2.0, 3.0]), [2])
    with pytest.raises(ShapeError, match=r"the value has shape \[2, 1\], the variable \[2\]"):
        values(dt.constant_initializer([[1.0], [2.0]], verify_shape=True), [2])


def test_identity() -> None:
    np.testing.assert_array_equal(values(dt.identity_initializer(gain=2.0), [2, 3]), 2.0 * np.eye(2, 3))
    with pytest.raises(ShapeError, match="makes matrices"):
        values(dt.identity_initializer(), [2])


SHAPE = (5, 4, 30, 20)
FAN_IN, FAN_OUT = 5 * 4 * 30, 5 * 4 * 20


@pytest.mark.parametrize(
    ("initializer", "variance", "limit"),
    [
        (dt.random_uniform_initializer(-2.0, 1.0), 9.0 / 12.0, None),
        (dt.random_normal_initializer(stddev=0.5), 0.25, None),
        (dt.truncated_normal_initializer(stddev=0.5), 0.25 * 0.7737413, 1.0),
        (dt.glorot_uniform_initializer(), 2.0 / (FAN_IN + FAN_OUT), np.sqrt(6.0 / (FAN_IN + FAN_OUT))),
        (dt.glorot_normal_initializer(), 2.0 / (FAN_IN + FAN_OUT), None),
        (dt.initializers.he_uniform(), 2.0 / FAN_IN, np.sqrt(6.0 / FAN_IN)),
        (dt.initializers.he_normal(), 2.0 / FAN_IN, None),
        (dt.initializers.lecun_uniform(), 1.0 / FAN_IN, np.sqrt(3.0 / FAN_IN)),
        (dt.initializers.lecun_normal(), 1.0 / FAN_IN, 2.0 * np.sqrt(1.0 / FAN_IN) / 0.8796),
        (dt.variance_scaling_initializer(3.0, "fan_out", "uniform"), 3.0 / FAN_OUT, None),
        (dt.variance_scaling_initializer(3.0, "fan_avg", "untruncated_normal"), 6.0 / (FAN_IN + FAN_OUT), None),
        (dt.variance_scaling_initializer(3.0, distribution="normal"), 3.0 / FAN_IN, None),
    ],
)
def test_spread(initializer: Any, variance: float, limit: float | None) -> None:
    dt.set_random_seed(1)
    found = values(initializer, SHAPE, dt.float64)
    assert found.shape == SHAPE
    assert found.dtype == np.float64
    assert found.var() == pytest.approx(variance, rel=0.05)
    if limit is not None:
        assert np.abs(found).max() <= limit * 1.001
        assert np.abs(found).max() >= limit * 0.99


@pytest.mark.parametrize(("shape", "fans"), [([], 1.0), ([7], 7.0), ([7, 2], 7.0), ([3, 7, 2], 21.0)])
def test_how_many_inputs_a_unit_has(shape: list[int], fans: float) -> None:
    limit = np.sqrt(3.0 / fans)
    found = values(dt.initializers.lecun_uniform(seed=5), [*shape])
    assert np.abs(found).max() <= limit
    wide = dt.initializers.lecun_uniform(seed=5)
    assert repr(wide) == "LecunUniform(seed=5)"


def test_integers_need_a_bound() -> None:
    found = values(dt.random_uniform_initializer(2, 5), [100], dt.int32)
    assert set(found.tolist()) == {2, 3, 4}
    with pytest.raises(InvalidArgumentError, match="give maxval, the bound above of the integers"):
        values(dt.random_uniform_initializer(), [2], dt.int32)
    with pytest.raises(DTypeError, match="makes floating values, not int32"):
        values(dt.random_normal_initializer(), [2], dt.int32)


def test_seeds_decide_and_variables_differ() -> None:
    dt.set_random_seed(3)
    a = dt.get_variable("a", [4])
    b = dt.get_variable("b", [4])
    with dt.Session() as one, dt.Session() as other:
        for session in (one, other):
            session.run(dt.global_variables_initializer())
        np.testing.assert_array_equal(one.run(a), other.run(a))
        assert not np.array_equal(one.run(a), one.run(b))


@pytest.mark.parametrize(
    "name", sorted(set(dir(dt.initializers)) & {"constant", "he_normal", "random_uniform", "zeros"})
)
def test_configurations_make_the_round_trip(name: str) -> None:
    initializer = getattr(dt.initializers, name)(dtype=np.float64)
    again = type(initializer).from_config(json.loads(json.dumps(initializer.get_config())))
    assert again == initializer
    assert hash(again) == hash(initializer)
    assert again != type(initializer)(dtype="float32")
    assert again.dtype is dt.float64


def test_wrong_arguments() -> None:
    with pytest.raises(InvalidArgumentError, match="mode is 'fan'; use one of 'fan_in', 'fan_out', 'fan_avg'"):
        dt.variance_scaling_initializer(mode="fan")
    with pytest.raises(InvalidArgumentError, match="scale is 0; it must be positive"):
        dt.variance_scaling_initializer(0)
    with pytest.raises(ConfigurationError, match="RandomNormal.stddev is 'a', a str; float is expected"):
        dt.random_normal_initializer(stddev="a")
    with pytest.raises(ShapeError, match="has sizes that are not known; give integers"):
        dt.zeros_initializer()(dt.placeholder(dt.float32, [None]).shape)
