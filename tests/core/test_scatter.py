"""Writing rows of variables, segments, and clipping of gradients that are rows: what they refuse, and how they mix."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dovetail as dt
from dovetail import errors
from tests.core.values import grid, run


@settings(max_examples=25)
@given(st.data())
def test_scatter_is_numpys_operation_one_row_after_the_other(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    depth = data.draw(st.integers(1, len(shape)))
    count = data.draw(st.integers(0, 5))
    places = np.stack(
        [data.draw(hnp.arrays(np.int32, count, elements=st.integers(0, size - 1))) for size in shape[:depth]], -1
    )
    rows = grid(count, *shape[depth:]) + 1
    how, ufunc = data.draw(
        st.sampled_from([("add", np.add), ("sub", np.subtract), ("max", np.maximum), ("min", np.minimum)])
    )
    expected = grid(*shape)
    ufunc.at(expected, tuple(places.T), rows)
    with dt.Graph().as_default():
        x = dt.placeholder(dt.float32, [None] * len(shape))
        y = getattr(dt, f"tensor_scatter_nd_{how}")(x, places, rows)
        written = dt.tensor_scatter_nd_update(x, places, rows)
        values = run([y, written], {x: grid(*shape)})
    np.testing.assert_allclose(values[0], expected)
    last = grid(*shape)
    for place, row in zip(places, rows, strict=True):
        last[tuple(place)] = row
    np.testing.assert_array_equal(values[1], last)


@settings(max_examples=25)
@given(st.data())
def test_segments_are_numpys_reductions(data):
    ids = data.draw(hnp.arrays(np.int32, st.integers(1, 6), elements=st.integers(-1, 3)))
    x = grid(len(ids), 2) - 3
    how, reduced = data.draw(
        st.sampled_from([("sum", np.sum), ("mean", np.mean), ("prod", np.prod), ("max", np.max), ("min", np.min)])
    )
    empty = {"sum": 0, "mean": 0, "prod": 1, "max": dt.float32.min, "min": dt.float32.max}[how]
    expected = [reduced(x[ids == one], 0) if (ids == one).any() else np.full(2, empty) for one in range(4)]
    with dt.Graph().as_default():
        data_of, ids_of = dt.placeholder(dt.float32, [None, 2]), dt.placeholder(dt.int32, [None])
        y = getattr(dt, f"unsorted_segment_{how}")(data_of, ids_of, 4)
        np.testing.assert_allclose(run(y, {data_of: x, ids_of: ids}), expected, rtol=1e-6)


def test_methods_of_a_variable_write_the_rows_that_slices_hold():
    v = dt.Variable(grid(4, 2), name="v")
    slices = dt.IndexedSlices([[10.0, 20.0], [30.0, 40.0]], [3, 0])
    writes = [getattr(v, f"scatter_{how}") for how in ("update", "add", "sub", "mul", "div", "min", "max")]
    expected = grid(4, 2)
    rows = np.array([[10, 20], [30, 40]], np.float32)
    with dt.Session() as session:
        session.run(v.initializer)
        for write, how in zip(
            writes, (lambda a, b: b, np.add, np.subtract, np.multiply, np.divide, np.minimum, np.maximum), strict=True
        ):
            expected[[3, 0]] = how(expected[[3, 0]], rows)
            np.testing.assert_allclose(session.run(write(slices)), expected)
        expected[[1, 2], [0, 1]] = 7
        np.testing.assert_allclose(session.run(v.scatter_nd_update([[1, 0], [2, 1]], [7.0, 7.0])), expected)
        expected[1, 0] += 2
        np.testing.assert_allclose(session.run(v.scatter_nd_add([[1, 0]], [2.0])), expected)
        expected[1, 0] -= 3
        np.testing.assert_allclose(session.run(v.scatter_nd_sub([[1, 0]], [3.0])), expected)
        np.testing.assert_allclose(session.run(v), expected)


def test_the_last_of_several_rows_for_one_index_stays():
    v = dt.Variable([0, 0, 0])
    with dt.Session() as session:
        session.run(v.initializer)
        assert session.run(dt.scatter_update(v, [1, 1, 2, 1], [4, 5, 6, 7])).tolist() == [0, 7, 6]
        assert session.run(dt.scatter_update(v, [0, 2], 9)).tolist() == [9, 7, 9]


def test_the_gradient_goes_to_the_row_that_stayed():
    x, rows = dt.placeholder(dt.float32, [3, 1]), dt.placeholder(dt.float32, [None, 1])
    y = dt.tensor_scatter_nd_update(x, [[1], [1], [2]], rows)
    gradients = run(dt.gradients(dt.reduce_sum(y * y), [x, rows]), {x: grid(3, 1) + 1, rows: grid(3, 1) + 4})
    np.testing.assert_allclose(gradients[0], [[2], [0], [0]])
    np.testing.assert_allclose(gradients[1], [[0], [10], [12]])


def test_a_failing_scatter_leaves_the_variable_whole():
    v, i = dt.Variable(grid(3, 2)), dt.placeholder(dt.int32, [None])
    written = dt.scatter_add(v, i, dt.ones([2, 2]), name="written")
    with dt.Session() as session:
        session.run(v.initializer)
        with pytest.raises(errors.OperationError, match=r"index 3 at \[1\] is out of range for axis 0 of size 3"):
            session.run(written, {i: [0, 3]})
        np.testing.assert_array_equal(session.run(v), grid(3, 2))


def test_what_scatter_refuses():
    v = dt.Variable(grid(3, 2), name="v")
    with pytest.raises(errors.DTypeError, match="scatter_add: the first argument is 3; only a dt.Variable"):
        dt.scatter_add(3, [0], [1.0])
    with pytest.raises(errors.DTypeError, match=r"Variable.scatter_add: a list was given; give dt.IndexedSlices"):
        v.scatter_add([1.0])
    text = r"scatter_update: the updates are float32\[1\], but indices of shape \[2\].*need updates of shape \[2, 2\]"
    with pytest.raises(errors.ShapeError, match=text):
        dt.scatter_update(v, [0, 1], [1.0])
    with pytest.raises(errors.ShapeError, match=r"updates of shape \[2, 2\]"):
        dt.scatter_update(v, [0, 1], grid(2, 3))
    with pytest.raises(errors.DTypeError, match=r"scatter_div: the tensor is int32\[2\].*floating.*Use dt.cast"):
        dt.scatter_div(dt.Variable([1, 2]), [0], [2])
    with pytest.raises(errors.DTypeError, match=r"scatter_mul: the indices are float32\[1\]"):
        dt.scatter_mul(v, [0.0], [[1.0, 1.0]])
    with pytest.raises(errors.ShapeError, match="their last axis must hold at most 2 numbers"):
        dt.tensor_scatter_nd_max(grid(3, 2), [[0, 0, 0]], [1.0])


def test_slices_of_an_unknown_whole_say_so():
    slices = dt.IndexedSlices([[1.0]], [0])
    assert slices.shape.rank is None
    with pytest.raises(errors.InvalidArgumentError, match="is not known; give dense_shape"):
        dt.convert_to_tensor(slices)
    assert run(dt.convert_to_tensor(dt.IndexedSlices([[1.0]], [1], [2, 1]))).tolist() == [[0.0], [1.0]]


# Segments. -----------------------------------------------------------------------------------------------------------


def test_ids_that_only_a_run_knows_say_how_many_segments_there_are():
    x, ids = dt.placeholder(dt.float32, [None, 2]), dt.placeholder(dt.int32, [None])
    for how, expected in (
        (dt.segment_sum, [[2, 4], [0, 0], [4, 5]]),
        (dt.segment_mean, [[1, 2], [0, 0], [4, 5]]),
        (dt.segment_max, [[2, 3], [0, 0], [4, 5]]),
        (dt.segment_min, [[0, 1], [0, 0], [4, 5]]),
        (dt.segment_prod, [[0, 3], [1, 1], [4, 5]]),
    ):
        y = how(x, ids)
        value, gradient = run(
            [y, dt.gradients(dt.reduce_sum(y * y), x)[0]], {x: grid(3, 2), ids: np.array([0, 0, 2], np.int32)}
        )
        np.testing.assert_allclose(value, expected)
        assert gradient.shape == (3, 2)
    count = dt.placeholder(dt.int32, [])
    y = dt.unsorted_segment_sum(x, ids, count)
    assert run(y, {x: grid(3, 2), ids: [1, 1, 0], count: 4}).tolist() == [[4, 5], [2, 4], [0, 0], [0, 0]]


def test_what_segments_refuse():
    x, ids = dt.placeholder(dt.float32, [None, 2], name="x"), dt.placeholder(dt.int32, [None], name="ids")
    with pytest.raises(errors.OperationError, match="segment_sum: the segment ids descend. Sort by them"):
        run(dt.segment_sum(x, ids), {x: grid(3, 2), ids: [0, 2, 1]})
    with pytest.raises(errors.OperationError, match=r"index 2 at \[1\] is out of range for axis 0 of size 2"):
        run(dt.unsorted_segment_sum(x, ids, 2), {x: grid(3, 2), ids: [0, 2, 1]})
    with pytest.raises(errors.DTypeError, match=r"unsorted_segment_max: the indices are float32\[1\]"):
        dt.unsorted_segment_max(x, [0.0], 2)
    with pytest.raises(errors.DTypeError, match=r"unsorted_segment_sum: .* is bool\[1\], where a numeric dtype"):
        dt.unsorted_segment_sum([True], [0], 2)
    with pytest.raises(errors.ShapeError, match=r"segment_sum: the segment ids .* are int32\[1, 1\]; give a vector"):
        dt.segment_sum(x, [[0]])
    with pytest.raises(errors.ShapeError, match=r"the ids are int32\[3\], whose sizes must be the first"):
        dt.unsorted_segment_sum(grid(2, 2), [0, 1, 1], 2)
    unknown = dt.placeholder(dt.float32, None, name="u")
    with pytest.raises(errors.ShapeError, match=r'num_segments is known only when run, so the ranks of "u:0"'):
        dt.unsorted_segment_sum(unknown, ids, dt.placeholder(dt.int32, []))
    with pytest.raises(errors.ShapeError, match='unsorted_segment_mean: the rank of "u:0" is unknown; use set_shape'):
        dt.unsorted_segment_mean(unknown, ids, 2)


# Clipping. -----------------------------------------------------------------------------------------------------------


def test_rows_stay_rows_when_clipped_and_none_stays_none():
    table, w = dt.Variable(grid(5, 2)), dt.Variable([3.0])
    loss = dt.reduce_sum(dt.gather(table, [1, 3]) * [[3.0, 0.0], [0.0, 4.0]]) + dt.reduce_sum(w * 12.0)
    unused = dt.Variable([1.0])
    optimizer = dt.train.GradientDescentOptimizer(1.0)
    gradients = dt.gradients(loss, [table, w, unused])
    clipped, norm = dt.clip_by_global_norm(gradients, 6.5)
    assert isinstance(clipped[0], dt.IndexedSlices)
    assert clipped[0].dense_shape == [5, 2]
    assert clipped[2] is None
    step = optimizer.apply_gradients(zip(clipped, [table, w, unused], strict=True))
    expected = grid(5, 2)
    expected[1, 0] -= 1.5
    expected[3, 1] -= 2.0
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert session.run(norm) == 13.0
        session.run(step)
        np.testing.assert_allclose(session.run(table), expected)
        np.testing.assert_allclose(session.run(w), [-3.0])
    rows = dt.clip_by_norm(gradients[0], 1.0)
    assert isinstance(rows, dt.IndexedSlices)
    np.testing.assert_allclose(run(rows.values), [[0.6, 0.0], [0.0, 0.8]])


def test_nothing_to_clip():
    assert dt.global_norm([None]) is None
    assert dt.clip_by_global_norm([None, None], 1.0) == ([None, None], None)


def test_what_clipping_refuses():
    with pytest.raises(errors.DTypeError, match="global_norm: t_list is a Tensor; give a list of tensors"):
        dt.global_norm(dt.constant(1.0))
    with pytest.raises(errors.DTypeError, match='clip_by_norm: "Const_1:0" is int32, where a floating dtype is wanted'):
        dt.clip_by_norm(dt.constant(1), 1)
    with pytest.raises(errors.DTypeError, match="global_norm: input 0 is float32, input 1 is float64"):
        dt.global_norm([dt.constant(1.0), dt.constant(1.0, dt.float64)])
    with pytest.raises(errors.InvalidArgumentError, match="clip_norm is -1; give a positive number"):
        dt.clip_by_global_norm([1.0], -1)
    with pytest.raises(errors.ShapeError, match="clip_by_norm: axis 2 is out of range for rank 1"):
        dt.clip_by_norm([1.0], 1.0, axes=2)
