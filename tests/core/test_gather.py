"""Picking by index and adding by index: against NumPy, their gradients, and indices out of range."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dovetail as dt
from dovetail import errors
from dovetail.ops.indexed_slices import IndexedSlices
from tests.core.values import grid, run, same


@given(st.data())
def test_gather_is_numpys_take(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    places = hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)
    indices = data.draw(hnp.arrays(np.int32, places, elements=st.integers(0, shape[axis] - 1)))
    array, expected = grid(*shape), np.take(grid(*shape), indices, axis)
    weights = grid(*expected.shape) + 1
    with dt.Graph().as_default():
        x = dt.placeholder(dt.float32, [None] * len(shape))
        picked = dt.gather(x, indices, axis=axis)
        (gradient,) = dt.gradients(picked, x, weights)
        unknown = dt.placeholder(dt.float32, None)
        values = run(
            [picked, dt.convert_to_tensor(gradient), dt.gather(unknown, indices, axis=axis)], {x: array, unknown: array}
        )
    added = np.zeros_like(array)
    np.add.at(
        np.moveaxis(added, axis, 0),
        indices,
        np.moveaxis(weights, range(axis % len(shape), axis % len(shape) + indices.ndim), range(indices.ndim)),
    )
    same(values[0], expected)
    same(values[1], added)
    same(values[2], expected)


@given(st.data())
def test_gather_with_batches(data):
    batch = data.draw(hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=3))
    size, between = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 1))
    count = data.draw(st.integers(0, 3))
    indices = data.draw(hnp.arrays(np.int64, (*batch, count), elements=st.integers(0, size - 1)))
    array = grid(*batch, *(2,) * between, size, 3)
    axis = len(batch) + between
    expected = np.zeros((*batch, *(2,) * between, count, 3), np.float32)
    added = np.zeros_like(array)
    weights = grid(*expected.shape) + 1
    for place in np.ndindex(*batch):
        expected[place] = np.take(array[place], indices[place], between)
        np.add.at(np.moveaxis(added[place], between, 0), indices[place], np.moveaxis(weights[place], between, 0))
    with dt.Graph().as_default():
        x = dt.placeholder(dt.float32, array.shape)
        picked = dt.gather(x, indices, axis=axis, batch_dims=len(batch))
        assert picked.shape == expected.shape
        (gradient,) = dt.gradients(picked, x, weights)
        values = run([picked, gradient, dt.gather(x, indices, axis=axis, batch_dims=-1)], {x: array})
    same(values[0], expected)
    same(values[1], added)
    same(values[2], expected)


def test_the_gradient_of_rows_is_rows():
    table = dt.placeholder(dt.float32, [5, 2])
    picked = dt.gather(table, [[1, 3], [1, 0]])
    (gradient,) = dt.gradients(picked, table)
    assert isinstance(gradient, IndexedSlices)
    assert gradient.dense_shape == [5, 2]
    values = run([gradient.values, gradient.indices, dt.convert_to_tensor(gradient)], {table: grid(5, 2)})
    same(values[0], np.ones((4, 2), np.float32))
    same(values[1], np.array([1, 3, 1, 0], np.int32))
    same(values[2], np.array([[1, 1], [2, 2], [0, 0], [1, 1], [0, 0]], np.float32))


def test_rows_of_several_gathers_stay_rows():
    table = dt.placeholder(dt.float32, [5, 2])
    total = dt.reduce_sum(dt.gather(table, [1])) + dt.reduce_sum(dt.gather(table, [1, 4]) * 2.0)
    (gradient,) = dt.gradients(total, table)
    assert isinstance(gradient, IndexedSlices)
    same(run(dt.convert_to_tensor(gradient), {table: grid(5, 2)})[1], np.array([3, 3], np.float32))


def test_second_derivative_of_a_gather():
    x = dt.placeholder(dt.float32, [4])
    (first,) = dt.gradients(dt.reduce_sum(dt.pow(dt.gather(x, [1, 1, 2]), 3.0)), x)
    (second,) = dt.gradients(dt.convert_to_tensor(first), x)
    values = run([dt.convert_to_tensor(first), dt.convert_to_tensor(second)], {x: [1, 2, 3, 4]})
    np.testing.assert_allclose(values[0], [0, 24, 27, 0])
    np.testing.assert_allclose(values[1], [0, 24, 18, 0])


def test_indices_out_of_range_are_named():
    x, i = dt.placeholder(dt.float32, [None, 3], name="x"), dt.placeholder(dt.int32, [None], name="i")
    picked = dt.gather(x, i, name="picked")
    text = r"gather: index 4 at \[1\] is out of range for axis 0 of size 4.*0 to 3"
    with pytest.raises(errors.OperationError, match=text) as caught:
        run(picked, {x: grid(4, 3), i: [0, 4]})
    assert "picked" in str(caught.value)
    assert "test_gather.py" in str(caught.value)
    with pytest.raises(errors.OperationError, match=r"index -1 at \[0\] is out of range for axis 1 of size 3"):
        run(dt.gather(x, i, axis=1), {x: grid(4, 3), i: [-1]})
    with pytest.raises(errors.OperationError, match="picks from axis 0, which is empty"):
        run(picked, {x: grid(0, 3), i: [0]})


def test_what_gather_refuses():
    with pytest.raises(errors.DTypeError, match=r"gather: the indices are float32\[1\]; use an integer type"):
        dt.gather(grid(3), [1.0])
    with pytest.raises(errors.ShapeError, match="gather: axis 2 is out of range for rank 2"):
        dt.gather(grid(3, 3), [1], axis=2)
    with pytest.raises(errors.ShapeError, match="batch_dims is 2, but the indices have rank 1"):
        dt.gather(grid(3, 3), [1], axis=1, batch_dims=2)
    with pytest.raises(errors.ShapeError, match="axis 0 lies within the 1 batch_dims"):
        dt.gather(grid(3, 3), [1, 1, 1], axis=0, batch_dims=1)


def test_strings_and_truth_values_are_gathered():
    assert run(dt.gather(["a", "b"], [1, 1])).tolist() == [b"b", b"b"]
    same(run(dt.gather([True, False], [1, 0])), np.array([False, True]))


def test_batch_gather():
    array, indices = grid(2, 3), np.array([[2, 0], [1, 1]])
    same(run(dt.batch_gather(array, indices)), np.take_along_axis(array, indices, 1))


@given(st.data())
def test_gather_nd_and_scatter_nd_are_numpys(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    depth = data.draw(st.integers(0, len(shape)))
    lead = data.draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    columns = [data.draw(hnp.arrays(np.int32, lead, elements=st.integers(0, size - 1))) for size in shape[:depth]]
    indices = np.stack(columns, -1) if columns else np.zeros((*lead, 0), np.int32)
    array = grid(*shape)
    expected = array[tuple(columns)] if depth else np.broadcast_to(array, (*lead, *shape))
    weights = grid(*expected.shape) + 1
    added = np.zeros_like(array)
    np.add.at(added, tuple(columns) if depth else (), weights if depth else weights.reshape(-1, *shape).sum(0))
    with dt.Graph().as_default():
        x = dt.placeholder(dt.float32, [None] * len(shape))
        picked = dt.gather_nd(x, indices)
        (gradient,) = dt.gradients(picked, x, weights)
        values = run([picked, dt.convert_to_tensor(gradient), dt.scatter_nd(indices, weights, shape)], {x: array})
    same(values[0], expected)
    same(values[1], added)
    same(values[2], added)


def test_coordinates_are_checked_one_by_one():
    x, i = dt.placeholder(dt.float32, [None, 3]), dt.placeholder(dt.int32, [None, 2])
    with pytest.raises(errors.OperationError, match=r"index 3 at \[0\] is out of range for axis 1 of size 3"):
        run(dt.gather_nd(x, i), {x: grid(4, 3), i: [[0, 3]]})
    with pytest.raises(errors.ShapeError, match="their last axis must hold at most 2 numbers"):
        dt.gather_nd(x, dt.constant([[1, 2, 3]]))


def test_scatter_nd_into_a_symbolic_shape():
    x = dt.placeholder(dt.float32, ["n", 2])
    whole = dt.scatter_nd([[0], [0]], dt.constant(grid(2, 2)), dt.shape(x))
    assert whole.shape == x.shape
    same(run(whole, {x: grid(3, 2)}), np.array([[2, 4], [0, 0], [0, 0]], np.float32))
    with pytest.raises(errors.InvalidArgumentError, match="the shape is not known"):
        dt.scatter_nd([[0]], [1.0], dt.placeholder(dt.int32, [1]))


def test_scatter_add_rows():
    x, rows, places = (
        dt.placeholder(dt.float32, [3, 2]),
        dt.placeholder(dt.float32, [None, 2]),
        dt.placeholder(dt.int64, [None]),
    )
    total = dt.scatter_add_rows(x, places, rows)
    gradients = dt.gradients(total, [x, rows], dt.constant(grid(3, 2)))
    feeds = {x: grid(3, 2), rows: np.ones((3, 2), np.float32), places: [2, 0, 2]}
    values = run([total, *gradients], feeds)
    same(values[0], grid(3, 2) + np.array([[1], [0], [2]], np.float32))
    same(values[1], grid(3, 2))
    same(values[2], grid(3, 2)[[2, 0, 2]])
    with pytest.raises(errors.OperationError, match="index 3 at"):
        run(total, {**feeds, places: [0, 1, 3]})
    with pytest.raises(errors.DTypeError, match="only numbers can be added"):
        dt.scatter_add_rows(dt.constant([True]), [0], dt.constant([True]))
    with pytest.raises(errors.ShapeError, match="Give one row for each index"):
        dt.scatter_add_rows(x, [0, 1], dt.constant(grid(2, 3)))


def test_halves_add_up_in_float32():
    rows = np.full((4096,), 1.0, np.float16)
    total = run(dt.scatter_add_rows(np.zeros(1, np.float16), np.zeros(4096, np.int32), rows))
    same(total, np.array([4096], np.float16))


@given(st.data())
def test_boolean_mask_is_numpys(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    axis = data.draw(st.integers(0, len(shape) - 1))
    rank = data.draw(st.integers(1, len(shape) - axis))
    mask = data.draw(hnp.arrays(bool, shape[axis : axis + rank]))
    array = grid(*shape)
    key = (*(slice(None),) * axis, mask)
    with dt.Graph().as_default():
        x, chosen = dt.placeholder(dt.float32, [None] * len(shape)), dt.placeholder(dt.bool, [None] * rank)
        picked = dt.boolean_mask(x, chosen, axis=axis)
        (gradient,) = dt.gradients(picked, x)
        fetches = [picked, dt.convert_to_tensor(gradient), dt.shape(picked), dt.zeros_like(picked)]
        values = run(fetches, {x: array, chosen: mask})
    expected = np.zeros_like(array)
    expected[key] = 1
    same(values[0], array[key])
    same(values[1], expected)
    same(values[2], np.array(array[key].shape, np.int32))
    same(values[3], np.zeros_like(array[key]))


def test_what_follows_a_mask_has_its_size():
    x, mask = dt.placeholder(dt.float32, [None, 2]), dt.placeholder(dt.bool, [None])
    picked = dt.boolean_mask(x, mask)
    feeds = {x: grid(4, 2), mask: [True, False, True, True]}
    assert picked.shape[1] == 2
    assert picked.shape[0] != x.shape[0]
    same(run(dt.zeros([dt.shape(picked)[0], 3]), feeds), np.zeros((3, 3), np.float32))
    same(run(dt.range(dt.shape(picked)[0]), feeds), np.arange(3, dtype=np.int32))
    same(run(dt.zeros_like(picked), feeds), np.zeros((3, 2), np.float32))
    same(run(dt.reshape(picked, [-1]), feeds), grid(4, 2)[[0, 2, 3]].reshape(-1))
    both = dt.concat([picked, x], 0)
    assert both.shape[0] == picked.shape[0] + x.shape[0]
    assert run(dt.shape(both), feeds).tolist() == [7, 2]
    same(run(picked[1:], feeds), grid(4, 2)[[2, 3]])
    two = dt.boolean_mask(picked, picked[:, 0] > 1.0)
    same(run(two, feeds), grid(4, 2)[[2, 3]])


def test_what_boolean_mask_refuses():
    with pytest.raises(
        errors.ShapeError, match=r"a mask of type bool\[2\] does not go along float32\[3, 2\] from axis 0"
    ):
        dt.boolean_mask(grid(3, 2), [True, False])
    with pytest.raises(errors.DTypeError, match="use truth values"):
        dt.boolean_mask(grid(3), [1, 0, 1])
    with pytest.raises(errors.ShapeError, match="a known rank of at least 1"):
        dt.boolean_mask(grid(3), True)
    x = dt.placeholder(dt.float32, None)
    same(run(dt.boolean_mask(x, [True, False, True]), {x: grid(3, 2)}), grid(3, 2)[[0, 2]])


def test_one_hot():
    indices = np.array([[0, 2], [1, -1]])
    expected = (indices[..., None] == np.arange(3)).astype(np.float32)
    same(run(dt.one_hot(indices, 3)), expected)
    same(run(dt.one_hot(indices, 3, axis=0)), np.moveaxis(expected, -1, 0))
    same(run(dt.one_hot(indices, 3, axis=1)), np.moveaxis(expected, -1, 1))
    same(run(dt.one_hot(indices, 3, dtype=dt.int32)), expected.astype(np.int32))
    same(run(dt.one_hot(indices, 3, 5.0, -1.0)), np.where(expected > 0, np.float32(5), np.float32(-1)))
    same(run(dt.one_hot(indices, 3, True, False, dtype=dt.bool)), expected > 0)
    x, depth, on = dt.placeholder(dt.int32, [None]), dt.placeholder(dt.int32, []), dt.placeholder(dt.float64, [])
    hot = dt.one_hot(x, depth, on_value=on)
    assert hot.dtype is dt.float64
    same(run(hot, {x: [1, 0], depth: 2, on: 3.0}), np.array([[0, 3], [3, 0]], np.float64))
    classes = dt.placeholder(dt.float32, [None, 4])
    assert dt.one_hot(x, dt.shape(classes)[0]).shape == [x.shape[0], classes.shape[0]]
    with pytest.raises(errors.DTypeError, match=r"one_hot: the indices are float32\[1\]"):
        dt.one_hot([1.0], 3)
    with pytest.raises(errors.ShapeError, match="axis 3 is out of range for rank 3"):
        dt.one_hot(indices, 3, axis=3)


def test_one_hot_of_unknown_rank():
    x = dt.placeholder(dt.int32, None)
    hot = dt.one_hot(x, 3)
    assert hot.dtype is dt.float32
    same(run(hot, {x: [2, 0]}), np.array([[0, 0, 1], [1, 0, 0]], np.float32))


def test_sequence_mask():
    lengths = np.array([[1, 3], [0, 2]])
    expected = np.arange(4) < lengths[..., None]
    same(run(dt.sequence_mask(lengths, 4)), expected)
    same(run(dt.sequence_mask(lengths, 4, dt.float32)), expected.astype(np.float32))
    x = dt.placeholder(dt.int32, [None])
    mask = dt.sequence_mask(x)
    assert mask.shape.rank == 2
    same(run(mask, {x: [2, 1]}), np.array([[True, True], [True, False]]))


def test_invert_permutation():
    order = np.array([2, 0, 3, 1], np.int32)
    x = dt.placeholder(dt.int32, [None])
    same(run(dt.invert_permutation(order)), np.argsort(order).astype(np.int32))
    same(run(dt.invert_permutation(x), {x: order}), np.argsort(order).astype(np.int32))
    turned = dt.transpose(grid(2, 3), dt.invert_permutation([1, 0]))
    assert turned.shape == [3, 2]
    with pytest.raises(errors.InvalidArgumentError, match=r"\[0, 0\] does not hold each of 0 to 1 once"):
        dt.invert_permutation([0, 0])
