"""Slicing against NumPy: static, symbolic and dynamic bounds, unknown rank, gradients, and what is refused."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dovetail as dt
from dovetail import errors
from dovetail.ops.slicing import DynamicSlice, StridedSlice
from dovetail.types.dims import dim_max, dim_min
from tests.core.values import grid, run, same


@given(st.data())
def test_basic_indexing_is_numpys(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
    key = data.draw(hnp.basic_indices(shape, max_dims=6, allow_newaxis=True, allow_ellipsis=True))
    array = grid(*shape)
    with dt.Graph().as_default():
        x = dt.constant(array)
        taken = x[key]
        assert taken.shape == array[key].shape
        (gradient,) = dt.gradients(taken, x, np.asarray(array[key] + 1))
        expected = np.zeros_like(array)
        expected[key] = array[key] + 1
        values = run([taken, gradient])
    same(values[0], array[key])
    same(values[1], expected)


@given(st.data())
def test_indexing_symbolic_axes_is_numpys(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5))
    key = data.draw(hnp.basic_indices(shape, max_dims=5, allow_newaxis=True, allow_ellipsis=True))
    array = grid(*shape)
    with dt.Graph().as_default():
        x = dt.placeholder(dt.float32, [None] * len(shape), name="x")
        taken = x[key]
        sizes = dict(zip(x.shape, shape, strict=True))
        assert taken.shape.evaluate(sizes) == array[key].shape
        (gradient,) = dt.gradients(taken, x)
        values = run([taken, gradient, dt.shape(taken)], {x: array})
    expected = np.zeros_like(array)
    expected[key] = 1
    same(values[0], array[key])
    same(values[1], expected)
    np.testing.assert_array_equal(values[2], array[key].shape)


@given(st.data())
def test_indexing_unknown_rank_is_numpys(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    key = data.draw(hnp.basic_indices(shape, max_dims=5, allow_newaxis=True, allow_ellipsis=True))
    array = grid(*shape)
    with dt.Graph().as_default():
        x = dt.placeholder(dt.float32, None)
        taken = x[key]
        (gradient,) = dt.gradients(taken, x)
        values = run([taken, gradient], {x: array})
    expected = np.zeros_like(array)
    expected[key] = 1
    same(values[0], array[key])
    same(values[1], expected)


@given(st.integers(0, 6), st.slices(5) | st.slices(7))
def test_bounds_may_be_tensors(size, key):
    array = grid(size, 2)
    with dt.Graph().as_default():
        x = dt.placeholder(dt.float32, [None, 2])
        bounds = [None if bound is None else dt.placeholder(dt.int32, []) for bound in (key.start, key.stop)]
        feeds = {t: v for t, v in zip(bounds, (key.start, key.stop), strict=True) if t is not None}
        taken = x[bounds[0] : bounds[1] : key.step]
        (gradient,) = dt.gradients(taken, x)
        values = run([taken, gradient, dt.shape(taken)], {x: array, **feeds})
    expected = np.zeros_like(array)
    expected[key] = 1
    same(values[0], array[key])
    same(values[1], expected)
    np.testing.assert_array_equal(values[2], array[key].shape)


def test_simple_slices_have_simple_sizes():
    x = dt.placeholder(dt.float32, ["n", 4])
    n = x.shape[0]
    assert x[1:].shape == [dim_max(n - 1, 0), 4]
    assert x[:-1].shape == [dim_max(n - 1, 0), 4]
    assert x[1:-1].shape == [dim_max(n - 2, 0), 4]
    assert x[-3:].shape == [dim_min(n, 3), 4]
    assert x[:5].shape == [dim_min(n, 5), 4]
    assert x[::-1].shape == x[:n].shape == x[...].shape == [n, 4]
    assert x[::2].shape == [(n + 1) // 2, 4]
    assert x[:, None, 0].shape == [n, 1]


def test_dimensions_of_shapes_may_be_bounds():
    x = dt.placeholder(dt.float32, [None, 6])
    half = x[:, : dt.shape(x)[1] // 2]
    assert half.shape == [x.shape[0], 3]
    assert isinstance(half.op.definition, StridedSlice)
    rows = x[: dt.shape(x)[0] // 2]
    assert rows.shape == [x.shape[0] // 2, 6]
    array = grid(5, 6)
    same(run(rows, {x: array}), array[:2])
    last = x[dt.shape(x)[0] - 1]
    assert last.shape == [6]
    same(run(last, {x: array}), array[4])


def test_an_index_in_a_tensor():
    x, i = dt.placeholder(dt.float32, [None, 3]), dt.placeholder(dt.int64, [])
    row = x[i]
    assert isinstance(row.op.definition, DynamicSlice)
    assert row.shape == [3]
    array = grid(4, 3)
    for index in (0, 3, -1, -4):
        same(run(row, {x: array, i: index}), array[index])
        same(run(x[1:, i % 3], {x: array, i: index}), array[1:, index % 3])


def test_an_index_in_a_tensor_that_is_out_of_range():
    x, i = dt.placeholder(dt.float32, [None, 3], name="x"), dt.placeholder(dt.int32, [])
    with pytest.raises(errors.OperationError, match=r"index 4 is out of range for axis 0 of float32\[4, 3\].*-4 to 3"):
        run(x[i], {x: grid(4, 3), i: 4})


def test_second_derivative_of_a_slice():
    x = dt.constant(grid(4, 3))
    y = dt.reduce_sum(dt.square(x[1:3, ::-1]) * x[:2])
    (first,) = dt.gradients(y, x)
    (second,) = dt.gradients(dt.reduce_sum(first * first), x)
    value = grid(4, 3)
    flipped = value[1:3, ::-1]

    def gradient(v):
        result = np.zeros_like(v)
        result[1:3] += (2 * v[1:3, ::-1] * v[:2])[:, ::-1]
        result[:2] += np.square(v[1:3, ::-1])
        return result

    same(run(first), gradient(value))
    assert flipped.shape == (2, 3)
    exact, step = run(second), 1e-2
    for place in np.ndindex(4, 3):
        up, down = value.astype(np.float64), value.astype(np.float64)
        up[place] += step
        down[place] -= step
        slope = (np.square(gradient(up)).sum() - np.square(gradient(down)).sum()) / (2 * step)
        np.testing.assert_allclose(exact[place], slope, rtol=1e-3)


def test_masks_and_indices_in_brackets():
    array = grid(4, 3)
    x = dt.constant(array)
    same(run(x[dt.constant([2, 0])]), array[[2, 0]])
    same(run(x[[2, 0]]), array[[2, 0]])
    same(run(x[np.array([[2, 0], [1, 1]])]), array[np.array([[2, 0], [1, 1]])])
    same(run(x[1:, [2, 0]]), array[1:, [2, 0]])
    same(run(x[..., [2, 0]]), array[..., [2, 0]])
    same(run(x[None, :, [2, 0]]), array[None][:, :, [2, 0]])
    same(run(x[x > 4.0]), array[array > 4])
    same(run(x[np.array([True, False, True, False])]), array[[0, 2]])
    same(run(x[dt.reduce_sum(x, 1) > 10.0]), array[array.sum(1) > 10])


def test_iterating_over_a_tensor():
    array = grid(2, 3)
    first, second = dt.constant(array)
    same(run(first), array[0])
    same(run(second), array[1])


def test_strings_and_truth_values_are_sliced():
    assert run(dt.constant(["a", "bc"])[1]) == b"bc"
    same(run(dt.constant([True, False])[::-1]), [False, True])


@pytest.mark.parametrize(
    ("key", "kind", "text"),
    [
        (
            np.s_[4],
            errors.ShapeError,
            r"slice: index 4 is out of range for axis 0 of float32\[4, 3\]. Use one from -4 to 3.",
        ),
        (
            np.s_[:, -4],
            errors.ShapeError,
            r"index -4 is out of range for axis 1 of float32\[4, 3\]. Use one from -3 to 2.",
        ),
        (np.s_[0, 0, 0], errors.ShapeError, r"3 axes are indexed, but the input is float32\[4, 3\]"),
        (np.s_[::0], errors.ShapeError, r"the stride is 0; use an int other than 0"),
        (np.s_[1.5], errors.DTypeError, r"1.5 is no index; use an int, a slice"),
        (np.s_[True], errors.DTypeError, r"True is no index"),
        (np.s_["a"], errors.DTypeError, r"'a' is no index"),
        (np.s_[[0, 1], [0, 1]], errors.DTypeError, r"at most one of the indices.*gather_nd"),
        (np.s_[0, [0, 1]], errors.DTypeError, r"only slices, ... and None may stand"),
    ],
)
def test_what_no_index_may_be(key, kind, text):
    x = dt.constant(grid(4, 3))
    with pytest.raises(kind, match=text):
        x[key]


def test_errors_name_the_line():
    x = dt.constant(grid(4, 3))
    with pytest.raises(errors.ShapeError, match=r"\(node \"strided_slice\" made at .*test_indexing\.py:\d+\)"):
        x[7]


def test_two_ellipses_are_refused():
    x = dt.constant(grid(4, 3))
    with pytest.raises(errors.ShapeError, match=r"more than one \.\.\."):
        x[..., 0, ...]


def test_an_index_beyond_a_fed_axis():
    x = dt.placeholder(dt.float32, [None, 3], name="x")
    row = x[2]
    same(run(row, {x: grid(3, 3)}), grid(3, 3)[2])
    with pytest.raises(errors.FeedError, match="x"):
        run(row, {x: grid(2, 3)})


def test_slice():
    array = grid(4, 5)
    x = dt.placeholder(dt.float32, [None, 5], name="x")
    part = dt.slice(x, [1, 2], [2, -1])
    assert part.shape == [2, 3]
    same(run(part, {x: array}), array[1:3, 2:])
    rest = dt.slice(x, [1, 0], [-1, 5])
    assert rest.shape == [x.shape[0] - 1, 5]
    same(run(rest, {x: array}), array[1:])
    with pytest.raises(errors.ShapeError, match=r"slice: 5 elements from index 1 on do not lie within axis 1"):
        dt.slice(x, [0, 1], [1, 5])
    with pytest.raises(errors.ShapeError, match=r"begin has 1 elements, size 1, but the input is float32"):
        dt.slice(x, [0], [1])


def test_slice_with_a_beginning_in_a_tensor_has_a_known_size():
    array = grid(4, 5)
    x, begin = dt.placeholder(dt.float32, [None, 5]), dt.placeholder(dt.int32, [])
    part = dt.slice(x, [begin, 0], [2, 3])
    assert part.shape == [2, 3]
    same(run(part, {x: array, begin: 1}), array[1:3, :3])
    both = dt.placeholder(dt.int32, [2])
    same(run(dt.slice(x, both, [1, -1]), {x: array, both: [2, 1]}), array[2:3, 1:])
    with pytest.raises(errors.OperationError, match=r"2 elements from index 3 on do not lie within axis 0"):
        run(part, {x: array, begin: 3})


@pytest.mark.parametrize(
    ("arguments", "masks", "key"),
    [
        (([1, 0], [3, 5], [1, 2]), {}, np.s_[1:3, 0:5:2]),
        (([1], [-1]), {}, np.s_[1:-1]),
        (([1, 1], [3, 3]), {"begin_mask": 1, "end_mask": 2}, np.s_[:3, 1:]),
        (([0, 1], [0, 2]), {"shrink_axis_mask": 2, "begin_mask": 1, "end_mask": 1}, np.s_[:, 1]),
        (([0, 2], [0, 4]), {"ellipsis_mask": 1}, np.s_[..., 2:4]),
        (([0, 0, 2], [0, 0, 4]), {"new_axis_mask": 1, "shrink_axis_mask": 2}, np.s_[None, 0, 2:4]),
        (([-1, 4], [0, -6], [-1, -2]), {"end_mask": 1}, np.s_[-1::-1, 4:-6:-2]),
    ],
)
def test_strided_slice_masks(arguments, masks, key):
    array = grid(4, 5)
    same(run(dt.strided_slice(array, *arguments, **masks)), array[key])


def test_strided_slice_by_tensors():
    array, bounds = grid(4, 5), dt.placeholder(dt.int32, [2])
    taken = dt.strided_slice(array, bounds, [3, 5])
    same(run(taken, {bounds: [1, 2]}), array[1:3, 2:5])
    with pytest.raises(errors.InvalidArgumentError, match="more than one bit"):
        dt.strided_slice(array, [0, 0], [0, 0], ellipsis_mask=3)
    with pytest.raises(errors.ShapeError, match="begin has 1 elements, end 2"):
        dt.strided_slice(array, [0], [0, 0])


def test_reverse():
    array = grid(2, 3, 4)
    x = dt.placeholder(dt.float32, [None, 3, 4])
    y = dt.reverse(x, [0, -1])
    (gradient,) = dt.gradients(y, x, grid(2, 3, 4))
    values = run([y, gradient], {x: array})
    same(values[0], array[::-1, :, ::-1])
    same(values[1], array[::-1, :, ::-1])
    with pytest.raises(errors.ShapeError, match="axis 3 is out of range for rank 3"):
        dt.reverse(x, [3])
    with pytest.raises(errors.ShapeError, match="named twice"):
        dt.reverse(x, [0, -3])


@given(st.integers(0, 5), st.integers(-7, 7), st.integers(0, 1))
def test_roll(size, shift, axis):
    array = grid(size, 3)
    with dt.Graph().as_default():
        x, places = dt.placeholder(dt.float32, [None, 3]), dt.placeholder(dt.int32, [])
        static, dynamic = dt.roll(x, shift, axis), dt.roll(x, places, axis)
        values = run([static, dynamic, dt.roll(array, [shift, 1], [axis, 0])], {x: array, places: shift})
    same(values[0], np.roll(array, shift, axis))
    same(values[1], np.roll(array, shift, axis))
    same(values[2], np.roll(array, [shift, 1], [axis, 0]))
