"""Assertions: those that hold, those that fail a run, those that the graph itself decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, OperationError, ShapeError


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        return session.run(fetches, feeds)


@pytest.mark.parametrize(
    ("function", "good", "bad", "sign"),
    [
        (dt.assert_equal, [1, 2], [1, 3], "=="),
        (dt.assert_none_equal, [2, 3], [2, 2], "!="),
        (dt.assert_less, [2, 3], [1, 3], "<"),
        (dt.assert_less_equal, [1, 3], [0, 3], "<="),
        (dt.assert_greater, [0, 1], [0, 2], ">"),
        (dt.assert_greater_equal, [1, 2], [2, 2], ">="),
    ],
)
def test_comparisons(function: Callable[..., Any], good: list[int], bad: list[int], sign: str) -> None:
    x, y = dt.placeholder(dt.int32, [None], name="x"), dt.placeholder(dt.int32, [None], name="y")
    op = function(x, y, message="Sizes differ.")
    run(op, {x: [1, 2], y: good})
    run(op, {x: [], y: []})
    with pytest.raises(OperationError) as raised:
        run(op, {x: [1, 2], y: bad})
    text = f'Sizes differ. x {sign} y does not hold for every element, where x is "x:0" and y is "y:0": 1 2; '
    assert text + " ".join(map(str, bad)) in str(raised.value)
    assert f'"{function.__name__}/' in str(raised.value)


@pytest.mark.parametrize(
    ("function", "good", "bad", "sign"),
    [
        (dt.assert_positive, [0.5, 2.0], [0.0, 2.0], ">"),
        (dt.assert_negative, [-0.5], [0.0], "<"),
        (dt.assert_non_negative, [0.0, 1.0], [-0.5, 1.0], ">="),
        (dt.assert_non_positive, [0.0, -1.0], [0.5], "<="),
    ],
)
def test_signs(function: Callable[..., Any], good: list[float], bad: list[float], sign: str) -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    with dt.control_dependencies([function(x, summarize=1)]):
        y = dt.identity(x)
    np.testing.assert_array_equal(run(y, {x: good}), np.float32(good))
    with pytest.raises(OperationError) as raised:
        run(y, {x: bad})
    shown = f"{bad[0]} …" if len(bad) > 1 else f"{bad[0]}"
    assert f'x {sign} 0 does not hold for every element, where x is "x:0": {shown}' in str(raised.value)


def test_near() -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    run(dt.assert_near(x, [1.0, 1000.0]), {x: [1.0 + 1e-7, 1000.0001]})
    run(dt.assert_near(x, [1.0, 2.0], rtol=0.0, atol=0.5), {x: [1.5, 1.75]})
    near = dt.assert_near(x, 1.0, data=[x], message="Drifted.")
    with pytest.raises(OperationError, match=r'Drifted. x and y are not near each other, where x is "x:0" .*: 1.5'):
        run(near, {x: [1.5]})
    with pytest.raises(DTypeError, match=r"^assert_near: x is int32\[\], not floating; use assert_equal."):
        dt.assert_near(1, 1)


def test_ranks() -> None:
    x, free = dt.zeros([2, 3]), dt.placeholder(dt.float32, name="free")
    for op in (dt.assert_rank(x, 2), dt.assert_rank_at_least(x, 1), dt.assert_rank_in(x, (2, 4))):
        run(op)
    with pytest.raises(ShapeError, match=r"^Images! assert_rank: x is float32\[2, 3\], of rank 2; rank 4 is wanted."):
        dt.assert_rank(x, 4, message="Images!")
    with pytest.raises(ShapeError, match="of rank 2; rank 3 or more is wanted."):
        dt.assert_rank_at_least(x, 3)
    with pytest.raises(ShapeError, match=r"of rank 2; one of the ranks \[0, 1\] is wanted."):
        dt.assert_rank_in(x, (0, 1))
    for op, text in (
        (dt.assert_rank(free, 1), "rank 1 is wanted"),
        (dt.assert_rank_at_least(free, 1), "rank 1 or more is wanted"),
        (dt.assert_rank_in(free, [1, 3]), r"one of the ranks \[1, 3\] is wanted"),
    ):
        run(op, {free: [1.0]})
        with pytest.raises(OperationError, match=rf'"free:0" has another rank; {text}: 0'):
            run(op, {free: 1.0})
    assert dt.assert_scalar(3.0).shape.rank == 0
    with pytest.raises(ShapeError, match=r"^assert_scalar: the tensor is float32\[2, 3\]; a scalar is wanted."):
        dt.assert_scalar(x)


def test_types() -> None:
    x = dt.zeros([2], name="x")
    run([dt.assert_integer(3), dt.assert_type(x, dt.float32)])
    with pytest.raises(DTypeError, match=r"^assert_integer: x is float32\[2\]; integers are wanted."):
        dt.assert_integer(x)
    with pytest.raises(DTypeError, match=r"^Labels! assert_type: the tensor is float32\[2\]; int64 is wanted."):
        dt.assert_type(x, dt.int64, message="Labels!")
    assert dt.assert_same_float_dtype() is dt.float32
    assert dt.assert_same_float_dtype([x, dt.ones([1])]) is dt.float32
    with pytest.raises(DTypeError, match=r'^assert_same_float_dtype: "y:0" is float64\[\]; float32 is wanted, as the'):
        dt.assert_same_float_dtype([x, dt.constant(1.0, dt.float64, name="y")])
    with pytest.raises(DTypeError, match="^assert_same_float_dtype: the type is int32; a floating one is wanted.$"):
        dt.assert_same_float_dtype([dt.constant(1)])
    dt.assert_proper_iterable([x])
    dt.assert_proper_iterable({"x": x})
    for single in (x, np.zeros(2), "text", 3):
        with pytest.raises(DTypeError, match="^assert_proper_iterable: .* is a .*; give a list of them.$"):
            dt.assert_proper_iterable(single)
    assert dt.is_numeric_tensor(x)
    assert not dt.is_numeric_tensor(3.0)
    assert not dt.is_numeric_tensor(dt.constant("text"))


def test_order() -> None:
    x = dt.placeholder(dt.float32, [None])
    both = [dt.is_non_decreasing(x), dt.is_strictly_increasing(x)]
    for values, expected in (
        ([], [True, True]),
        ([3.0], [True, True]),
        ([1.0, 2.0, 3.0], [True, True]),
        ([1.0, 1.0], [True, False]),
        ([2.0, 1.0], [False, False]),
    ):
        assert run(both, {x: values}) == expected


def test_variables_must_have_values() -> None:
    v = dt.Variable(1.0, name="v")
    w = dt.Variable(2.0, name="w")
    everything, one = dt.assert_variables_initialized(), dt.assert_variables_initialized([v])
    with dt.Session() as session:
        session.run(v.initializer)
        session.run(one)
        with pytest.raises(OperationError, match="variables have no value; run their initializers: w"):
            session.run(everything)
        session.run(w.initializer)
        session.run(everything)
