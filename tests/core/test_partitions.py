"""Counting, blocks and partitions: against NumPy where TensorFlow was not asked, and what they refuse."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dovetail as dt
from dovetail import errors
from tests.core.values import grid, run, same


@settings(max_examples=25)
@given(st.data())
def test_repeat_is_numpys(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1) | st.none())
    size = shape[axis] if axis is not None else int(np.prod(shape))
    repeats = data.draw(
        st.integers(0, 3) | hnp.arrays(np.int32, (size,), elements=st.integers(0, 3)).map(lambda one: one.tolist())
    )
    with dt.Graph().as_default():
        x = dt.placeholder(dt.float32, [None] * len(shape))
        same(run(dt.repeat(x, repeats, axis), {x: grid(*shape)}), np.repeat(grid(*shape), repeats, axis))


@settings(max_examples=25)
@given(st.data())
def test_blocks_go_to_the_batch_and_back(data):
    block = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=len(block), max_size=len(block)))
    with dt.Graph().as_default():
        x = dt.placeholder(dt.float32, [None, *sizes, 2])
        paddings, crops = dt.required_space_to_batch_paddings(sizes, block)
        away = dt.space_to_batch_nd(x, block, paddings)
        array = grid(3, *sizes, 2)
        same(run(dt.batch_to_space_nd(away, block, crops), {x: array}), array)


@settings(max_examples=25)
@given(st.data())
def test_partitions_are_stitched_together(data):
    numbers = data.draw(hnp.arrays(np.int32, st.integers(0, 6), elements=st.integers(0, 2)))
    array = grid(len(numbers), 2)
    with dt.Graph().as_default():
        x, i = dt.placeholder(dt.float32, [None, 2]), dt.placeholder(dt.int32, [None])
        parts = dt.dynamic_partition(x, i, 3)
        places = dt.dynamic_partition(dt.range(dt.shape(x)[0]), i, 3)
        if len(numbers):
            same(run(dt.dynamic_stitch(places, parts), {x: array, i: numbers}), array)
        for number, part in enumerate(run(parts, {x: array, i: numbers})):
            same(part, array[numbers == number])


def test_sets_of_text():
    x, y = dt.placeholder(dt.string, [None]), dt.placeholder(dt.string, [None])
    out, idx = run(list(dt.setdiff1d(x, y)), {x: ["b", "a", "c", "a"], y: ["c", "d"]})
    assert out.tolist() == [b"b", b"a", b"a"]
    assert idx.tolist() == [0, 1, 3]


def test_a_confusion_matrix_of_known_size_does_not_cut_the_program():
    labels, predictions = dt.placeholder(dt.int32, [None]), dt.placeholder(dt.int64, [None])
    matrix = dt.confusion_matrix(labels, predictions, 3)
    assert matrix.shape == [3, 3]
    assert run(matrix, {labels: [0, 2, 2], predictions: [1, 2, 2]}).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 2]]
    with pytest.raises(errors.OperationError, match="index 3 at .* is out of range for axis 0 of size 3"):
        run(matrix, {labels: [3], predictions: [1]})


def test_large_numbers_do_not_overflow():
    x = dt.placeholder(dt.float32, [3])
    y = dt.math.cumulative_logsumexp(x)
    (gradient,) = dt.gradients(y, x)
    value, slope = run([y, gradient], {x: [1000.0, 1000.0, -np.inf]})
    np.testing.assert_allclose(value, [1000.0, 1000.0 + np.log(2.0), 1000.0 + np.log(2.0)], rtol=1e-6)
    np.testing.assert_allclose(slope, [2.0, 1.0, 0.0], rtol=1e-4)


def test_what_counting_refuses():
    with pytest.raises(errors.DTypeError, match=r"bincount: the indices are float32\[1\]; use an integer type"):
        dt.bincount([1.0])
    with pytest.raises(errors.DTypeError, match=r"confusion_matrix: .* is float32\[1\]; give integers, as dt"):
        dt.confusion_matrix([1.0], [1])
    with pytest.raises(errors.ShapeError, match=r"labels are int32\[2\], predictions int32\[1\]; give vectors"):
        dt.confusion_matrix([0, 1], [1])
    with pytest.raises(errors.ShapeError, match=r"histogram_fixed_width: value_range is float32\[3\]; give two"):
        dt.histogram_fixed_width([1.0], [0.0, 1.0, 2.0])
    with pytest.raises(errors.InvalidArgumentError, match="nbins is .* not known while the graph is built; use an int"):
        dt.histogram_fixed_width_bins([1.0], [0.0, 1.0], dt.placeholder(dt.int32, []))
    with pytest.raises(errors.DTypeError, match="cumulative_logsumexp: the input is int32, where a floating dtype"):
        dt.math.cumulative_logsumexp([1])


def test_what_blocks_and_patches_refuse():
    with pytest.raises(errors.ShapeError, match=r"axis 1 of float32\[1, 3, 4\], with its padding, is no multiple"):
        dt.space_to_batch_nd(grid(1, 3, 4), [2], [[0, 0]])
    with pytest.raises(errors.ShapeError, match=r"a block of 2 sizes needs a batch and as many axes"):
        dt.space_to_batch_nd(grid(1, 4), [2, 2], [[0, 0], [0, 0]])
    with pytest.raises(errors.InvalidArgumentError, match=r"paddings are of shape \[2\]; give two ints for each"):
        dt.space_to_batch_nd(grid(1, 4), [2], [0, 0])
    with pytest.raises(errors.InvalidArgumentError, match=r"block_shape is \[0\]; give positive ints"):
        dt.batch_to_space_nd(grid(2, 4), [0], [[0, 0]])
    with pytest.raises(errors.ShapeError, match=r"the batch of float32\[3, 4\] is no multiple of 2"):
        dt.batch_to_space_nd(grid(3, 4), [2], [[0, 0]])
    with pytest.raises(errors.ShapeError, match="crops of 3 and 6 are more than axis 1 has, which is 8"):
        dt.batch_to_space_nd(grid(2, 4), [2], [[3, 6]])
    ones = [1, 1, 1, 1]
    with pytest.raises(errors.InvalidArgumentError, match=r"ksizes is \[2, 2\]; give \[1, rows, columns, 1\]"):
        dt.extract_image_patches(grid(1, 4, 4, 1), [2, 2], ones, ones, "SAME")
    with pytest.raises(errors.InvalidArgumentError, match="padding is 'FULL'; use 'VALID' or 'SAME'"):
        dt.extract_image_patches(grid(1, 4, 4, 1), ones, ones, ones, "FULL")
    with pytest.raises(errors.ShapeError, match=r"patches of 5 elements, 1 apart, do not fit float32\[1, 4, 4, 1\]"):
        dt.extract_image_patches(grid(1, 4, 4, 1), [1, 5, 1, 1], ones, ones, "VALID")
    with pytest.raises(errors.ShapeError, match=r"the images are float32\[4, 4\]; \[batch, height, width, channels\]"):
        dt.extract_image_patches(grid(4, 4), ones, ones, ones, "VALID")


def test_what_partitions_refuse():
    with pytest.raises(errors.InvalidArgumentError, match="there are 1 tensors of indices and 2 of data; give as many"):
        dt.dynamic_stitch([[0]], [[1], [2]])
    with pytest.raises(errors.DTypeError, match=r"dynamic_partition: the indices are float32\[1\]"):
        dt.dynamic_partition([1], [0.0], 2)
    with pytest.raises(errors.DTypeError, match=r"setdiff1d: x is int32\[1\], y is int64\[1\]. Make the dtypes equal"):
        dt.setdiff1d([1], dt.constant([1], dt.int64))
    with pytest.raises(errors.ShapeError, match=r"setdiff1d: .* is int32\[1, 1\]; a vector is needed"):
        dt.setdiff1d([[1]], [1])
    with pytest.raises(errors.InvalidArgumentError, match="unravel_index: dims are not known while the graph is built"):
        dt.unravel_index([1], dt.placeholder(dt.int32, [2]))
    with pytest.raises(errors.ShapeError, match="repeat: axis 1 is out of range for rank 1"):
        dt.repeat([1], 2, axis=1)
