"""``ensure_shape``, ``count_up_to`` and fake quantization: what they check, and what they refuse."""

from __future__ import annotations

import pytest

import dovetail as dt
from dovetail import errors
from tests.core.values import grid, run


def test_sizes_are_checked_when_fed():
    x = dt.placeholder(dt.float32, [None, None])
    y = dt.ensure_shape(x, [None, 3])
    assert y.shape[1] == 3
    assert run(y * 2.0, {x: grid(2, 3)}).shape == (2, 3)
    with pytest.raises(errors.DovetailError, match="2.*3|3.*2"):
        run(y * 2.0, {x: grid(3, 2)})
    with pytest.raises(errors.ShapeError, match='ensure_shape: the rank of "u:0" is unknown; use set_shape'):
        dt.ensure_shape(dt.placeholder(dt.float32, None, name="u"), [2])
    fixed = dt.constant(grid(2, 3))
    assert dt.ensure_shape(fixed, [2, None]).shape == [2, 3]
    assert dt.gradients(dt.ensure_shape(fixed, [2, 3]), fixed)[0].shape == [2, 3]


def test_a_size_that_only_a_run_tells_is_checked():
    x = dt.placeholder(dt.float32, [None])
    y = dt.ensure_shape(dt.boolean_mask(x, x > 0.0), [2])
    assert run(y, {x: [1.0, -1.0, 2.0]}).tolist() == [1.0, 2.0]
    with pytest.raises(errors.OperationError, match=r"ensure_shape: .* where shape \[2\] is wanted"):
        run(y, {x: [1.0]})


def test_a_shape_that_is_known_to_be_another():
    with pytest.raises(errors.ShapeError, match=r"ensure_shape: .* is float32\[2, 3\], where shape \[3\] is wanted"):
        dt.ensure_shape(grid(2, 3), [3])
    with pytest.raises(errors.ShapeError, match=r"where shape \[None, 4\] is wanted"):
        dt.ensure_shape(grid(2, 3), [None, 4])


def test_counting_stops_at_the_limit():
    v = dt.Variable(0)
    step = dt.count_up_to(v, 2)
    with dt.Session() as session:
        session.run(v.initializer)
        assert [session.run(step), session.run(step)] == [0, 1]
        with pytest.raises(errors.OperationError, match="count_up_to: the variable has reached 2"):
            session.run(step)
        assert session.run(v) == 2
    with pytest.raises(errors.DTypeError, match="count_up_to: the first argument is 3"):
        dt.count_up_to(3, 2)


def test_what_fake_quantization_refuses():
    with pytest.raises(errors.InvalidArgumentError, match="num_bits is 1; use 2 to 16"):
        dt.fake_quant_with_min_max_args([1.0], num_bits=1)
    with pytest.raises(errors.InvalidArgumentError, match="min is 3.0, max is 2.0; min must be less"):
        dt.fake_quant_with_min_max_args([1.0], 3.0, 2.0)
    with pytest.raises(errors.DTypeError, match=r'"Const.*" is float64\[\], where float32 is wanted'):
        dt.fake_quant_with_min_max_vars(dt.constant(1.0, dt.float64), 0.0, 1.0)
    with pytest.raises(errors.ShapeError, match=r"a limit is float32\[\]; give a vector, one for each place"):
        dt.fake_quant_with_min_max_vars_per_channel([[1.0]], 0.0, 1.0)
