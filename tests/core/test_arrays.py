"""Making, reshaping, joining, padding, sorting tensors: against NumPy, with symbolic sizes, and what is refused."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import dovetail as dt
from dovetail import errors
from dovetail.ops.broadcasting import BroadcastTo, DynamicBroadcastTo
from dovetail.ops.reshaping import DynamicReshape, Reshape
from dovetail.types.shapes import Constraint, Shape
from tests.core.values import grid, run, same


def constraints():
    return [constraint for _, constraint in dt.get_default_graph().constraints]


# Shapes as tensors. --------------------------------------------------------------------------------------------------


def test_shape_size_rank_of_known_ranks_are_known():
    x = dt.placeholder(dt.float32, [None, 3], name="x")
    n = x.shape[0]
    assert dt.shape(x).symbolic_value.tolist() == [n, 3]
    assert dt.size(x).symbolic_value.item() == 3 * n
    assert dt.rank(x).symbolic_value.item() == 2
    assert [one.dtype for one in dt.shape_n([x, x], out_type=dt.int64)] == [dt.int64] * 2
    values = run([dt.shape(x), dt.size(x, out_type=dt.int64), dt.rank(x)], {x: grid(2, 3)})
    same(values[0], np.array([2, 3], np.int32))
    same(values[1], np.int64(6))
    same(values[2], np.int32(2))
    with pytest.raises(errors.DTypeError, match="shape: out_type is float32; use int32 or int64"):
        dt.shape(x, out_type=dt.float32)


def test_shape_size_rank_of_unknown_ranks():
    x = dt.placeholder(dt.float32, None, name="x")
    fetches = [dt.shape(x), dt.size(x), dt.rank(x), dt.shape(x)[0], dt.shape(x, out_type=dt.int64)]
    for shape in ((2, 3), (4,), (2, 1, 0)):
        values = run(fetches, {x: grid(*shape)})
        same(values[0], np.array(shape, np.int32))
        same(values[1], np.int32(np.prod(shape)))
        same(values[2], np.int32(len(shape)))
        same(values[3], np.int32(shape[0]))
        same(values[4], np.array(shape, np.int64))


def test_symbolic_values_flow_through_what_moves_integers():
    x = dt.placeholder(dt.float32, [None, 4, 6], name="x")
    n = x.shape[0]
    sizes = dt.shape(x)
    assert sizes[0].symbolic_value.item() == n
    assert sizes[1:].symbolic_value.tolist() == [4, 6]
    assert sizes[::-1].symbolic_value.tolist() == [6, 4, n]
    assert dt.stack([sizes[0], 24]).symbolic_value.tolist() == [n, 24]
    assert dt.concat([sizes[:1], [24]], 0).symbolic_value.tolist() == [n, 24]
    assert [one.symbolic_value.item() for one in dt.unstack(sizes)] == [n, 4, 6]
    assert [one.symbolic_value.tolist() for one in dt.split(sizes, [1, 2])] == [[n], [4, 6]]
    assert dt.gather(sizes, [2, 0]).symbolic_value.tolist() == [6, n]
    assert dt.gather(sizes, 0).symbolic_value.item() == n
    assert dt.expand_dims(sizes[0], 0).symbolic_value.tolist() == [n]
    assert dt.squeeze(sizes[:1]).symbolic_value.item() == n
    assert dt.reshape(sizes, [3, 1]).symbolic_value.tolist() == [[n], [4], [6]]
    assert dt.reverse(sizes, [0]).symbolic_value.tolist() == [6, 4, n]
    assert dt.range(1, 4).symbolic_value.tolist() == [1, 2, 3]
    assert (sizes[0] * 2 + 1).symbolic_value.item() == 2 * n + 1
    assert dt.cast(sizes, dt.int64).symbolic_value.tolist() == [n, 4, 6]
    assert dt.fill([2], sizes[0]).symbolic_value.tolist() == [n, n]
    flat = dt.reshape(x, dt.stack([sizes[0], sizes[1] * sizes[2]]))
    assert flat.shape == [n, 24]
    assert isinstance(flat.op.definition, Reshape)


# reshape and its kin. ------------------------------------------------------------------------------------------------


@given(st.data())
def test_reshape_is_numpys(data):
    old = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    count = int(np.prod(old))
    new = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6))
    array = grid(*old)
    open_axis = data.draw(st.none() | st.integers(0, max(len(new) - 1, 0)))
    if open_axis is not None and new:
        new = tuple(-1 if axis == open_axis else size for axis, size in enumerate(new))
    known = int(np.prod([size for size in new if size != -1]))
    fits = known == count if -1 not in new else known > 0 and count % known == 0
    with dt.Graph().as_default():
        if not fits:
            with pytest.raises(errors.ShapeError, match="reshape: "):
                dt.reshape(array, new)
            return
        result = dt.reshape(array, new)
        assert result.shape == array.reshape(new).shape
        same(run(result), array.reshape(new))


def test_reshape_of_symbolic_sizes():
    x = dt.placeholder(dt.float32, ["n", 28, 28], name="x")
    n = x.shape[0]
    assert dt.reshape(x, [-1, 784]).shape == [n, 784]
    assert dt.reshape(x, [n, -1]).shape == [n, 784]
    assert dt.reshape(x, [-1]).shape == [784 * n]
    assert dt.reshape(x, [-1, 28]).shape == [28 * n, 28]
    assert dt.reshape(x, [7, -1]).shape == [7, 112 * n]
    assert constraints() == []
    open_ = dt.reshape(x, [5, -1])
    assert open_.shape == [5, 784 * n // 5]
    assert constraints() == [Constraint("divisible", 784 * n, 5)]
    assert run(open_, {x: grid(10, 28, 28)}).shape == (5, 1568)
    with pytest.raises(errors.FeedError, match="multiple of 5"):
        run(open_, {x: grid(3, 28, 28)})
    fixed = dt.reshape(x, [3, 784])
    assert run(fixed, {x: grid(3, 28, 28)}).shape == (3, 784)
    with pytest.raises(errors.FeedError):
        run(fixed, {x: grid(2, 28, 28)})


def test_reshape_of_empty_batches():
    x = dt.placeholder(dt.float32, [None, 2, 3])
    assert run(dt.reshape(x, [-1, 6]), {x: grid(0, 2, 3)}).shape == (0, 6)
    assert run(dt.reshape(x, [dt.shape(x)[0], -1]), {x: grid(0, 2, 3)}).shape == (0, 6)


def test_reshape_of_unknown_rank_keeps_what_is_known():
    x = dt.placeholder(dt.float32, None, name="x")
    flat = dt.reshape(x, [-1, 6])
    assert flat.shape.rank == 2
    assert flat.shape[1] == 6
    (gradient,) = dt.gradients(flat * 2.0, x)
    like = dt.zeros_like(flat)
    for shape in ((2, 3, 2), (12,), (0, 6)):
        values = run([flat, gradient, like, dt.shape(flat)[0]], {x: grid(*shape)})
        same(values[0], grid(*shape).reshape(-1, 6))
        same(values[1], np.full(shape, 2, np.float32))
        assert values[2].shape == values[0].shape
        assert values[3] == len(values[0])


def test_reshape_to_a_shape_that_only_the_run_knows():
    x, size = dt.placeholder(dt.float32, [None, 6]), dt.placeholder(dt.int32, [], name="size")
    for shape in ([size, 3], dt.stack([size, 3]), [size, -1]):
        result = dt.reshape(x, shape)
        assert isinstance(result.op.definition, DynamicReshape)
        assert result.shape.rank == 2
        (gradient,) = dt.gradients(result, x)
        values = run([result, gradient, dt.shape(result)], {x: grid(2, 6), size: 4})
        same(values[0], grid(2, 6).reshape(4, 3))
        same(values[1], np.ones((2, 6), np.float32))
        same(values[2], np.array([4, 3], np.int32))
    assert dt.reshape(x, [size, 3]).shape[1] == 3
    vector = dt.placeholder(dt.int64, [2])
    same(run(dt.reshape(x, vector), {x: grid(2, 6), vector: [3, 4]}), grid(3, 4))
    with pytest.raises(errors.OperationError, match=r"an array of shape \[2, 6\] does not fill shape \[5, 3\]"):
        run(dt.reshape(x, [size, 3]), {x: grid(2, 6), size: 5})


@pytest.mark.parametrize(
    ("shape", "kind", "text"),
    [
        ([4, 2], errors.ShapeError, r"reshape: float32\[2, 3\] has 6 elements, which do not fill shape \[4, 2\] of 8"),
        ([4, -1], errors.ShapeError, r"has 6 elements, which do not divide by 4 for shape \[4, -1\]"),
        ([-1, -1], errors.ShapeError, r"\[-1, -1\] holds -1 more than once"),
        ([0, -1], errors.ShapeError, r"\[0, -1\] of float32\[2, 3\] leaves -1 open"),
        ([-2, 3], errors.ShapeError, r"holds -2; sizes are at least 0"),
        ([None, 3], errors.DTypeError, r"reshape: shape holds None; use ints, dimensions or integer tensors"),
        ([2.0, 3], errors.DTypeError, r"shape holds 2.0"),
        ([[2, 3]], errors.ShapeError, r"shape has shape \[1, 2\]; give a vector"),
    ],
)
def test_shapes_that_reshape_refuses(shape, kind, text):
    with pytest.raises(kind, match=text):
        dt.reshape(grid(2, 3), shape)


def test_errors_of_reshape_name_node_and_line():
    with pytest.raises(errors.ShapeError, match=r'node "flat" made at .*test_arrays\.py:\d+'):
        dt.reshape(grid(2, 3), [5], name="flat")


@given(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3), st.data())
def test_transpose_is_numpys(shape, data):
    perm = data.draw(st.none() | st.permutations(range(len(shape))))
    if perm is not None:
        perm = [axis - len(shape) if data.draw(st.booleans()) else axis for axis in perm]
    array = grid(*shape)
    with dt.Graph().as_default():
        x = dt.placeholder(dt.float32, None)
        fetches = [dt.transpose(array, perm), dt.transpose(x, perm), *dt.gradients(dt.transpose(x, perm) * 2.0, x)]
        values = run(fetches, {x: array})
        assert fetches[0].shape == np.transpose(array, perm).shape
    same(values[0], np.transpose(array, perm))
    same(values[1], np.transpose(array, perm))
    same(values[2], np.full(shape, 2, np.float32))


def test_what_transpose_refuses():
    with pytest.raises(errors.ShapeError, match=r"perm \[0\] has 1 axes, but the input is float32\[2, 3\]"):
        dt.transpose(grid(2, 3), [0])
    with pytest.raises(errors.ShapeError, match=r"perm \[0, 0\] names an axis twice"):
        dt.transpose(grid(2, 3), [0, 0])
    with pytest.raises(errors.InvalidArgumentError, match="not known while the graph is built"):
        dt.transpose(grid(2, 3), dt.placeholder(dt.int32, [2]))
    with pytest.raises(errors.ShapeError, match="at least two axes"):
        dt.matrix_transpose(grid(2))
    assert dt.matrix_transpose(grid(4, 2, 3)).shape == [4, 3, 2]


def test_expand_dims_and_squeeze():
    array = grid(2, 1, 3)
    x = dt.placeholder(dt.float32, [None, 1, 3], name="x")
    n = x.shape[0]
    assert dt.expand_dims(x, -1).shape == dt.expand_dims(x, dim=3).shape == [n, 1, 3, 1]
    assert dt.expand_dims(x, dt.constant(0)).shape == [1, n, 1, 3]
    assert dt.squeeze(x).shape == dt.squeeze(x, squeeze_dims=[1]).shape == dt.squeeze(x, -2).shape == [n, 3]
    batch = dt.squeeze(x, 0)
    assert batch.shape == [1, 3]
    same(run(batch, {x: array[:1]}), array[0])
    with pytest.raises(errors.FeedError):
        run(batch, {x: array})
    anything = dt.placeholder(dt.float32, None)
    values = run([dt.squeeze(anything), dt.expand_dims(anything, -1)], {anything: array})
    same(values[0], array[:, 0])
    same(values[1], array[..., None])
    with pytest.raises(errors.ShapeError, match=r"squeeze: axis 2 of float32\[x.0, 1, 3\] has size 3"):
        dt.squeeze(x, 2)
    with pytest.raises(errors.ShapeError, match="expand_dims: axis 4 is out of range for rank 4"):
        dt.expand_dims(x, 4)
    with pytest.raises(errors.InvalidArgumentError, match="give axis"):
        dt.expand_dims(x)


# Joining. ------------------------------------------------------------------------------------------------------------


@given(st.data())
def test_concat_and_split_are_numpys(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    arrays = [grid(*shape[: axis % len(shape)], size, *shape[axis % len(shape) + 1 :]) for size in sizes]
    whole = np.concatenate(arrays, axis)
    with dt.Graph().as_default():
        inputs = [dt.placeholder(dt.float32, [None] * len(shape)) for _ in arrays]
        joined = dt.concat(inputs, axis)
        weights = whole + 1
        parts = dt.split(whole, sizes, axis)
        fetches = [joined, dt.gradients(joined, inputs, weights), parts]
        values = run(fetches, dict(zip(inputs, arrays, strict=True)))
    same(values[0], whole)
    for part, gradient, array, weight in zip(
        values[2], values[1], arrays, np.split(weights, np.cumsum(sizes)[:-1], axis), strict=True
    ):
        same(part, array)
        same(gradient, weight)


def test_concat_adds_symbolic_sizes():
    x, y = dt.placeholder(dt.float32, ["n", 3]), dt.placeholder(dt.float32, ["m", None], name="y")
    joined = dt.concat([x, y, x], 0)
    assert joined.shape == [2 * x.shape[0] + y.shape[0], 3]
    same(run(joined, {x: grid(2, 3), y: grid(1, 3)}), np.concatenate([grid(2, 3), grid(1, 3), grid(2, 3)]))
    with pytest.raises(errors.FeedError):
        run(joined, {x: grid(2, 3), y: grid(1, 4)})


def test_what_concat_refuses():
    with pytest.raises(
        errors.ShapeError,
        match=r"input 1 is float32\[3, 2\]; sizes may differ only along axis 0, yet they do along axis 1",
    ):
        dt.concat([grid(2, 3), grid(3, 2)], 0)
    with pytest.raises(errors.ShapeError, match=r"input 0 is float32\[2\], input 1 is float32\[2, 3\]; the ranks"):
        dt.concat([grid(2), grid(2, 3)], 0)
    with pytest.raises(errors.ShapeError, match="the inputs are scalars.*Use stack"):
        dt.concat([1.0, 2.0], 0)
    with pytest.raises(errors.DTypeError, match=r"input 0 is float32\[2\], input 1 is int32\[2\]"):
        dt.concat([dt.constant(grid(2)), dt.constant([1, 2])], 0)
    with pytest.raises(errors.InvalidArgumentError, match="the list of values is empty"):
        dt.concat([], 0)


def test_split_into_equal_parts():
    x = dt.placeholder(dt.float32, ["n", 6])
    assert [part.shape for part in dt.split(x, 3, -1)] == [[x.shape[0], 2]] * 3
    left, right = dt.split(x, 2)
    assert left.shape == [x.shape[0] // 2, 6]
    (gradient,) = dt.gradients(right, x)
    values = run([left, right, gradient], {x: grid(4, 6)})
    same(values[0], grid(4, 6)[:2])
    same(values[1], grid(4, 6)[2:])
    same(values[2], np.repeat(np.array([[0], [1]], np.float32), 2, 0) * np.ones((4, 6), np.float32))
    with pytest.raises(errors.FeedError, match="multiple of 2"):
        run(left, {x: grid(3, 6)})
    with pytest.raises(errors.ShapeError, match=r"split: axis 1 of float32\[n, 6\] does not make 4 equal parts"):
        dt.split(x, 4, 1)


def test_split_by_sizes():
    x = dt.placeholder(dt.float32, ["n", 6])
    assert [part.shape[1] for part in dt.split(x, [1, -1, 2], 1)] == [1, 3, 2]
    assert [part.shape[0] for part in dt.split(x, [1, -1])] == [1, x.shape[0] - 1]
    with pytest.raises(
        errors.ShapeError, match=r"the sizes \[1, 2\] make 3 together, but axis 1 of float32\[n, 6\] is 6"
    ):
        dt.split(x, [1, 2], 1)
    with pytest.raises(errors.InvalidArgumentError, match="more than one -1"):
        dt.split(x, [-1, -1], 1)
    with pytest.raises(errors.InvalidArgumentError, match="the number of parts is 0"):
        dt.split(x, 0, 1)
    sizes = dt.placeholder(dt.int32, [2])
    parts = dt.split(x, sizes, 1)
    values = run(parts, {x: grid(2, 6), sizes: [4, 2]})
    same(values[0], grid(2, 6)[:, :4])
    same(values[1], grid(2, 6)[:, 4:])
    unknown = dt.placeholder(dt.int32, [None])
    with pytest.raises(errors.InvalidArgumentError, match="pass num="):
        dt.split(x, unknown, 1)
    assert len(dt.split(x, unknown, 1, num=3)) == 3


@given(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), st.integers(1, 3), st.data())
def test_stack_and_unstack_are_numpys(shape, count, data):
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    arrays = [grid(*shape) + index for index in range(count)]
    whole = np.stack(arrays, axis)
    with dt.Graph().as_default():
        inputs = [dt.placeholder(dt.float32, None) for _ in arrays]
        stacked = dt.stack(inputs, axis)
        x = dt.placeholder(dt.float32, whole.shape)
        parts = dt.unstack(x, axis=axis)
        fetches = [stacked, dt.gradients(stacked, inputs, whole * 2), parts, dt.gradients(parts[-1], x)[0]]
        values = run(fetches, {x: whole, **dict(zip(inputs, arrays, strict=True))})
    same(values[0], whole)
    for array, gradient, part in zip(arrays, values[1], values[2], strict=True):
        same(gradient, array * 2)
        same(part, array)
    expected = np.zeros_like(whole)
    np.moveaxis(expected, axis, 0)[-1] = 1
    same(values[3], expected)


def test_what_stack_and_unstack_refuse():
    with pytest.raises(
        errors.ShapeError, match=r"input 0 is float32\[2\], input 1 is float32\[3\]; the shapes must be equal"
    ):
        dt.stack([grid(2), grid(3)])
    with pytest.raises(errors.ShapeError, match="stack: axis 2 is out of range for rank 2"):
        dt.stack([grid(2), grid(2)], 2)
    x = dt.placeholder(dt.float32, [None, 2], name="x")
    with pytest.raises(errors.InvalidArgumentError, match=r'axis 0 of "x:0" of type float32\[x.0, 2\].*pass num='):
        dt.unstack(x)
    with pytest.raises(errors.ShapeError, match="does not give 3 slices. Make num 2"):
        dt.unstack(x, 3, 1)
    assert len(dt.unstack(x, num=4)) == 4
    same(run(dt.parallel_stack([1, 2])), np.array([1, 2], np.int32))


# Filling. ------------------------------------------------------------------------------------------------------------


def test_zeros_ones_fill():
    values = run(
        [dt.zeros([2, 3]), dt.ones([2], dt.int64), dt.fill([2, 2], 7), dt.zeros([]), dt.zeros([0, 2], dt.bool)]
    )
    same(values[0], np.zeros((2, 3), np.float32))
    same(values[1], np.ones(2, np.int64))
    same(values[2], np.full((2, 2), 7, np.int32))
    same(values[3], np.float32(0))
    same(values[4], np.zeros((0, 2), bool))
    assert run(dt.zeros([1], dt.string)).tolist() == [b""]
    assert run(dt.fill([2], "ab")).tolist() == [b"ab"] * 2
    with pytest.raises(errors.DTypeError, match="no string that is one"):
        dt.ones([1], dt.string)
    with pytest.raises(errors.ShapeError, match=r"fill: the value is float32\[2\]; give a scalar"):
        dt.fill([2], [1.0, 2.0])
    with pytest.raises(errors.ShapeError, match="zeros: the shape .* holds -1"):
        dt.zeros([-1])


def test_likes_follow_symbolic_and_unknown_shapes():
    x, y = dt.placeholder(dt.float32, [None, 2]), dt.placeholder(dt.int32, None)
    assert dt.zeros_like(x).shape == x.shape
    fetches = [dt.zeros_like(x), dt.ones_like(x, dtype=dt.int64), dt.ones_like(y, optimize=False), dt.zeros_like(y)]
    values = run(fetches, {x: grid(3, 2), y: grid(2, 1, 2, dtype=np.int32)})
    same(values[0], np.zeros((3, 2), np.float32))
    same(values[1], np.ones((3, 2), np.int64))
    same(values[2], np.ones((2, 1, 2), np.int32))
    same(values[3], np.zeros((2, 1, 2), np.int32))


def test_filling_shapes_that_only_the_run_knows():
    size = dt.placeholder(dt.int32, [])
    filled = dt.fill([size, 2], 3.0)
    assert isinstance(filled.op.definition, DynamicBroadcastTo)
    assert filled.shape[1] == 2
    values = run([filled, dt.zeros([size]), dt.shape(filled), dt.zeros_like(filled)], {size: 3})
    same(values[0], np.full((3, 2), 3, np.float32))
    same(values[1], np.zeros(3, np.float32))
    same(values[2], np.array([3, 2], np.int32))
    same(values[3], np.zeros((3, 2), np.float32))


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(-4, 4))
def test_range_is_numpys(start, limit, delta):
    assume(delta != 0)
    expected = np.arange(start, limit, delta, dtype=np.int32)
    with dt.Graph().as_default():
        bounds = [dt.placeholder(dt.int32, []) for _ in range(3)]
        static, dynamic = dt.range(start, limit, delta), dt.range(*bounds)
        assert static.shape == expected.shape
        values = run([static, dynamic, dt.size(dynamic)], dict(zip(bounds, (start, limit, delta), strict=True)))
    same(values[0], expected)
    same(values[1], expected)
    assert values[2] == expected.size


def test_range_of_dimensions_and_fractions():
    x = dt.placeholder(dt.float32, [None], name="x")
    n = x.shape[0]
    every, odd, back = dt.range(dt.shape(x)[0]), dt.range(1, n, 2), dt.range(n - 1, -1, -1)
    assert [one.shape for one in (every, odd, back)] == [[n], [n // 2], [n]]
    values = run([every, odd, back, dt.range(n, dtype=dt.float32)], {x: grid(5)})
    same(values[0], np.arange(5, dtype=np.int32))
    same(values[1], np.array([1, 3], np.int32))
    same(values[2], np.arange(4, -1, -1, dtype=np.int32))
    same(values[3], np.arange(5, dtype=np.float32))
    same(run(dt.range(0.0, 1.0, 0.25)), np.arange(0, 1, 0.25, dtype=np.float32))
    same(run(dt.range(np.int64(3))), np.arange(3, dtype=np.int64))
    step = dt.placeholder(dt.float32, [])
    same(run(dt.range(0.0, 1.0, step), {step: 0.5}), np.array([0, 0.5], np.float32))
    with pytest.raises(errors.InvalidArgumentError, match="delta is 0"):
        dt.range(0, 3, 0)
    with pytest.raises(errors.DTypeError, match="not all integers"):
        dt.range(0, 3.5, dtype=dt.int32)
    with pytest.raises(errors.OperationError, match="delta is 0"):
        run(dt.range(0.0, 1.0, step), {step: 0.0})


@given(st.floats(-10, 10, width=32), st.floats(-10, 10, width=32), st.integers(1, 9))
def test_linspace_is_numpys(start, stop, num):
    with dt.Graph().as_default():
        count = dt.placeholder(dt.int32, [])
        values = run([dt.linspace(start, stop, num), dt.lin_space(start, stop, count)], {count: num})
    expected = np.linspace(np.float32(start), np.float32(stop), num, dtype=np.float32)
    for value in values:
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-5)
        assert value[0] == np.float32(start)
        assert num == 1 or value[-1] == np.float32(stop)


def test_eye():
    same(run(dt.eye(3)), np.eye(3, dtype=np.float32))
    same(run(dt.eye(2, 3, dtype=dt.int32)), np.eye(2, 3, dtype=np.int32))
    same(run(dt.eye(2, batch_shape=[2, 1])), np.broadcast_to(np.eye(2, dtype=np.float32), (2, 1, 2, 2)))
    x = dt.placeholder(dt.float32, [None])
    matrix = dt.eye(x.shape[0])
    assert matrix.shape == [x.shape[0]] * 2
    same(run(matrix, {x: grid(2)}), np.eye(2, dtype=np.float32))


# Repeating and padding. ----------------------------------------------------------------------------------------------


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=3))
def test_broadcast_to_is_numpys(shapes):
    array, wanted = grid(*shapes.input_shapes[0]), shapes.result_shape
    with dt.Graph().as_default():
        x, size = dt.placeholder(dt.float32, None), dt.placeholder(dt.int32, [len(wanted)])
        static, dynamic = dt.broadcast_to(array, wanted), dt.broadcast_to(x, size)
        assert static.shape == wanted
        gradient = dt.gradients(dt.broadcast_to(x, wanted), x)[0]
        values = run([static, dynamic, gradient], {x: array, size: np.array(wanted, np.int32)})
    same(values[0], np.broadcast_to(array, wanted))
    same(values[1], np.broadcast_to(array, wanted))
    count = np.prod(wanted) / max(array.size, 1)
    same(values[2], np.full(array.shape, count, np.float32))


def test_what_broadcast_to_refuses():
    with pytest.raises(errors.ShapeError, match=r"broadcast_to: float32\[2\] does not broadcast to shape \[3\]"):
        dt.broadcast_to(grid(2), [3])
    with pytest.raises(errors.ShapeError, match="does not broadcast"):
        dt.broadcast_to(grid(2, 3), [3])
    x = dt.placeholder(dt.float32, ["n"])
    wide = dt.broadcast_to(x, [2, 3])
    assert isinstance(wide.op.definition, BroadcastTo)
    same(run(wide, {x: grid(3)}), np.broadcast_to(grid(3), (2, 3)))
    same(run(wide, {x: grid(1)}), np.zeros((2, 3), np.float32))
    with pytest.raises(errors.FeedError):
        run(wide, {x: grid(2)})
    assert dt.broadcast_static_shape([8, 1], [3]) == Shape([8, 3])
    assert dt.broadcast_dynamic_shape(dt.shape(x), [4, 1]).symbolic_value.tolist() == [4, x.shape[0]]


@given(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), st.data())
def test_tile_is_numpys(shape, data):
    times = data.draw(st.lists(st.integers(0, 3), min_size=len(shape), max_size=len(shape)))
    array = grid(*shape)
    with dt.Graph().as_default():
        x, multiples = dt.placeholder(dt.float32, shape), dt.placeholder(dt.int32, [len(shape)])
        tiled = dt.tile(x, times)
        assert tiled.shape == np.tile(array, times).shape
        fetches = [tiled, dt.tile(x, multiples), dt.gradients(tiled, x)[0]]
        values = run(fetches, {x: array, multiples: np.array(times, np.int32)})
    same(values[0], np.tile(array, times))
    same(values[1], np.tile(array, times))
    same(values[2], np.full(shape, np.prod(times), np.float32))


def test_tile_of_symbolic_sizes():
    x = dt.placeholder(dt.float32, ["n", 1])
    tiled = dt.tile(x, [2, dt.shape(x)[0]])
    assert tiled.shape == [2 * x.shape[0], x.shape[0]]
    same(run(tiled, {x: grid(3, 1)}), np.tile(grid(3, 1), (2, 3)))
    with pytest.raises(errors.ShapeError, match=r"tile: 1 multiples for an input of type float32\[n, 1\]"):
        dt.tile(x, [2])


@given(st.data())
def test_pad_is_numpys(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    mode = data.draw(st.sampled_from(["CONSTANT", "REFLECT", "SYMMETRIC"]))
    skip = 1 if mode == "REFLECT" else 0
    borders = [
        [data.draw(st.integers(0, 3 if mode == "CONSTANT" else size - skip)) for _ in range(2)] for size in shape
    ]
    array = grid(*shape) + 1
    with dt.Graph().as_default():
        x = dt.placeholder(dt.float32, [None] * len(shape))
        padded = dt.pad(x, borders, mode)
        weights = grid(*np.pad(array, borders, mode.lower()).shape)
        fetches = [padded, dt.pad(array, borders, mode), dt.gradients(padded, x, weights)[0]]
        values = run(fetches, {x: array})
        assert fetches[1].shape == weights.shape
    same(values[0], np.pad(array, borders, mode.lower()))
    same(values[1], np.pad(array, borders, mode.lower()))
    places = np.pad(
        np.arange(array.size).reshape(shape),
        borders,
        mode.lower(),
        **({"constant_values": -1} if skip == 0 and mode == "CONSTANT" else {}),
    )
    expected = np.zeros(array.size, np.float32)
    inside = places >= 0
    np.add.at(expected, places[inside], weights[inside])
    same(values[2], expected.reshape(shape))


def test_pad_with_values_and_tensors():
    array = grid(2, 2)
    x, borders = dt.placeholder(dt.float32, [None, 2]), dt.placeholder(dt.int32, [2, 2])
    value = dt.placeholder(dt.float32, [])
    expected = np.pad(array, [[1, 0], [0, 2]], constant_values=5)
    fetches = [
        dt.pad(x, [[1, 0], [0, 2]], constant_values=5),
        dt.pad(x, borders, constant_values=5.0),
        dt.pad(x, [[1, 0], [0, 2]], constant_values=value),
        dt.pad(x, dt.constant([[1, 0], [0, 2]]), constant_values=dt.constant(5.0)),
    ]
    for result in run(fetches, {x: array, value: 5.0, borders: [[1, 0], [0, 2]]}):
        same(result, expected)
    assert fetches[0].shape == [x.shape[0] + 1, 4]
    assert run(dt.pad(["a"], [[0, 1]])).tolist() == [b"a", b""]


@pytest.mark.parametrize(
    ("borders", "mode", "kind", "text"),
    [
        (
            [[1, 1]],
            "CONSTANT",
            errors.ShapeError,
            r"pad: the paddings \[\[1, 1\]\] are for 1 axes, but the input is float32\[2, 3\]",
        ),
        ([[1, -1], [0, 0]], "CONSTANT", errors.ShapeError, "hold a negative number"),
        (
            [[2, 0], [0, 0]],
            "REFLECT",
            errors.ShapeError,
            r"2 mirrored elements are more than axis 0 of float32\[2, 3\] has next to",
        ),
        ([[3, 0], [0, 0]], "SYMMETRIC", errors.ShapeError, "3 mirrored elements are more than axis 0"),
        ([1, 1], "CONSTANT", errors.ShapeError, r"the paddings have shape \[2\]; two numbers for each axis"),
        ([[0, 0], [0, 0]], "EDGE", errors.InvalidArgumentError, "mode is 'EDGE'; use 'CONSTANT'"),
    ],
)
def test_what_pad_refuses(borders, mode, kind, text):
    with pytest.raises(kind, match=text):
        dt.pad(grid(2, 3), borders, mode)


def test_meshgrid():
    for indexing in ("xy", "ij"):
        vectors = [grid(3), grid(2), grid(4)]
        for result, expected in zip(
            run(dt.meshgrid(*vectors, indexing=indexing)), np.meshgrid(*vectors, indexing=indexing), strict=True
        ):
            same(result, expected)
    with pytest.raises(errors.InvalidArgumentError, match="indexing is 'yx'"):
        dt.meshgrid([1], indexing="yx")


def test_space_to_depth_and_back():
    image = grid(2, 4, 6, 3)
    x = dt.placeholder(dt.float32, [None, None, 6, 3], name="x")
    deep = dt.space_to_depth(x, 2)
    batch, height = x.shape[0], x.shape[1]
    assert deep.shape == [batch, height // 2, 3, 12]
    values = run([deep, dt.depth_to_space(deep, 2)], {x: image})
    expected = image.reshape(2, 2, 2, 3, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 2, 3, 12)
    same(values[0], expected)
    same(values[1], image)
    first = run(dt.space_to_depth(image.transpose(0, 3, 1, 2), 2, data_format="NCHW"))
    same(first, expected.transpose(0, 3, 1, 2))
    with pytest.raises(errors.ShapeError, match="axis 2 of .* is no multiple of the block size 4"):
        dt.space_to_depth(x, 4)
    with pytest.raises(errors.ShapeError, match="the channels of .* are no multiple of 4"):
        dt.depth_to_space(x, 2)


def test_diagonals():
    vector, matrix = grid(2, 3) + 1, grid(2, 3, 4)
    same(run(dt.matrix_diag(vector)), np.stack([np.diag(row) for row in vector]))
    same(run(dt.matrix_diag_part(matrix)), np.stack([np.diagonal(one) for one in matrix]))
    same(run(dt.diag(vector[0])), np.diag(vector[0]))
    same(run(dt.diag_part(dt.diag(vector))), vector)
    for lower, upper in ((1, 0), (-1, 1), (0, -1), (-1, -1)):
        offsets = np.subtract.outer(np.arange(4), np.arange(3)).T
        inside = ((lower < 0) | (offsets >= -lower)) & ((upper < 0) | (offsets <= upper))
        same(run(dt.matrix_band_part(matrix, lower, upper)), np.where(inside, matrix, np.float32(0)))
    x = dt.placeholder(dt.float32, ["n", "m"])
    (gradient,) = dt.gradients(dt.matrix_diag_part(x), x)
    same(run(gradient, {x: grid(2, 3)}), np.eye(2, 3, dtype=np.float32))
    with pytest.raises(errors.ShapeError, match="both halves of the shape must be equal"):
        dt.diag_part(grid(2, 3))


# Order. --------------------------------------------------------------------------------------------------------------


@given(
    hnp.arrays(np.int32, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4), elements=st.integers(-3, 3)),
    st.data(),
)
def test_sorting_is_numpys(array, data):
    axis = data.draw(st.integers(-array.ndim, array.ndim - 1))
    with dt.Graph().as_default():
        fetches = [
            dt.sort(array, axis),
            dt.argsort(array, axis),
            dt.sort(array, axis, "DESCENDING"),
            dt.argsort(array, axis, "DESCENDING"),
        ]
        values = run(fetches)
    same(values[0], np.sort(array, axis))
    same(values[1], np.argsort(array, axis, kind="stable").astype(np.int32))
    same(values[2], -np.sort(-array, axis))
    same(values[3], np.argsort(-array, axis, kind="stable").astype(np.int32))


def test_sorting_unknown_ranks_and_its_gradient():
    x = dt.placeholder(dt.float32, None)
    array = np.array([[3, 1, 2], [5, 6, 4]], np.float32)
    ordered = dt.sort(x)
    (gradient,) = dt.gradients(ordered, x, dt.constant(grid(2, 3)))
    values = run([ordered, gradient], {x: array})
    same(values[0], np.sort(array))
    same(values[1], np.array([[2, 0, 1], [4, 5, 3]], np.float32))
    with pytest.raises(errors.ShapeError, match="the rank of .* is unknown; use axis=-1"):
        dt.sort(x, 0)


def test_top_k():
    array = np.array([[3, 1, 3, 2], [5, 6, 4, 6]], np.float32)
    x = dt.placeholder(dt.float32, [None, 4])
    values, places = dt.top_k(x, 2)
    assert values.shape == places.shape == [x.shape[0], 2]
    (gradient,) = dt.gradients(values, x, dt.constant(grid(2, 2) + 1))
    found = run([values, places, gradient], {x: array})
    same(found[0], np.array([[3, 3], [6, 6]], np.float32))
    same(found[1], np.array([[0, 2], [1, 3]], np.int32))
    same(found[2], np.array([[1, 0, 2, 0], [0, 3, 0, 4]], np.float32))
    with pytest.raises(errors.ShapeError, match=r"k is 5, but the last axis of float32\[.*, 4\] has size 4"):
        dt.top_k(x, 5)


def test_unique_in_order_of_appearance():
    x = dt.placeholder(dt.int64, [None])
    found, places, counts = dt.unique_with_counts(x)
    assert found.shape[0] == counts.shape[0] != x.shape[0]
    values = run([found, places, counts, dt.gather(found, places), dt.size(found)], {x: [5, 3, 5, 1, 3]})
    same(values[0], np.array([5, 3, 1], np.int64))
    same(values[1], np.array([0, 1, 0, 2, 1], np.int32))
    same(values[2], np.array([2, 2, 1], np.int32))
    same(values[3], np.array([5, 3, 5, 1, 3], np.int64))
    assert values[4] == 3
    assert run(dt.unique(["b", "a", "b"]).y).tolist() == [b"b", b"a"]
    with pytest.raises(errors.ShapeError, match="a vector is needed"):
        dt.unique(grid(2, 2))


def test_searchsorted():
    rows, values = np.sort(np.random.default_rng(0).integers(0, 5, (2, 4)), -1), np.arange(6).reshape(2, 3)
    for side in ("left", "right"):
        expected = [np.searchsorted(row, value, side) for row, value in zip(rows, values, strict=True)]
        same(run(dt.searchsorted(rows, values, side, dt.int64)), np.array(expected, np.int64))
    with pytest.raises(errors.InvalidArgumentError, match="side is 'middle'"):
        dt.searchsorted([1], [1], "middle")


def test_reverse_sequence():
    array = grid(3, 4, 2)
    lengths = np.array([2, 0, 4], np.int32)
    x = dt.placeholder(dt.float32, [None, 4, 2])
    result = dt.reverse_sequence(x, lengths, 1)
    (gradient,) = dt.gradients(result, x, dt.constant(array))
    expected = array.copy()
    for row, length in enumerate(lengths):
        expected[row, :length] = array[row, :length][::-1]
    values = run(
        [result, gradient, dt.reverse_sequence(array.transpose(1, 0, 2), lengths, seq_dim=0, batch_dim=1)], {x: array}
    )
    same(values[0], expected)
    same(values[1], expected)
    same(values[2], expected.transpose(1, 0, 2))
    with pytest.raises(errors.InvalidArgumentError, match="give seq_axis"):
        dt.reverse_sequence(array, lengths)


def test_variables_are_taken_like_tensors():
    v = dt.Variable(grid(3, 2), name="v")
    picked = dt.gather(v, [1, 1])
    fetches = [v[1:], dt.concat([v, [[1, 2]]], 0), dt.stack([v, v], -1), dt.zeros_like(v), dt.pad(v, [[1, 0], [0, 0]])]
    (gradient,) = dt.gradients(dt.reduce_sum(picked), v)
    with dt.Session() as session:
        session.run(v.initializer)
        values = session.run([*fetches, dt.convert_to_tensor(gradient)])
    same(values[0], grid(3, 2)[1:])
    same(values[1], np.concatenate([grid(3, 2), np.array([[1, 2]], np.float32)]))
    same(values[2], np.stack([grid(3, 2)] * 2, -1))
    same(values[3], np.zeros((3, 2), np.float32))
    same(values[4], np.pad(grid(3, 2), [[1, 0], [0, 0]]))
    same(values[5], np.array([[0, 0], [2, 2], [0, 0]], np.float32))
    assert dt.reshape(v, [-1, dt.shape(v)[0]]).shape == [2, 3]
