"""``TensorArray``: in loops and branches, of sizes that a run tells, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import dovetail as dt
from dovetail import errors
from tests.core.values import grid, run


def test_writing_gives_a_new_array_and_leaves_the_old():
    array = dt.TensorArray(dt.float32, size=2)
    assert array.element_shape.rank is None
    one = array.write(0, [1.0, 2.0])
    other = one.write(0, [3.0, 4.0])
    assert other.element_shape == [2]
    assert repr(other) == "<dovetail.TensorArray float32[2, 2]>"
    values = run([array.stack(), one.stack(), other.stack()])
    assert [value[0].tolist() for value in values] == [[0, 0], [1, 2], [3, 4]]


def test_an_array_in_a_loop_has_gradients_to_second_order():
    x = dt.placeholder(dt.float32, [3])

    def step(i, array):
        return i + 1, array.write(i, dt.pow(x[i], 3.0))

    _, array = dt.while_loop(lambda i, _: i < 3, step, (0, dt.TensorArray(dt.float32, 3)))
    (first,) = dt.gradients(dt.reduce_sum(array.stack()), x)
    (second,) = dt.gradients(dt.reduce_sum(first), x)
    values = run([array.stack(), first, second], {x: [1.0, 2.0, 3.0]})
    np.testing.assert_allclose(values, [[1, 8, 27], [3, 12, 27], [6, 12, 18]])


def test_loops_in_loops_and_branches_fill_one_array():
    def outer(i, array):
        def inner(j, filled):
            filled = dt.cond(dt.equal(i, j), lambda: filled.write(i * 2 + j, [1.0]), lambda: filled)
            return j + 1, filled

        return i + 1, dt.while_loop(lambda j, _: j < 2, inner, (0, array))[1]

    _, array = dt.while_loop(lambda i, _: i < 2, outer, (0, dt.TensorArray(dt.float32, size=4, element_shape=[1])))
    assert run(array.stack()).reshape(-1).tolist() == [1, 0, 0, 1]


def test_a_size_that_only_a_run_tells():
    n = dt.placeholder(dt.int32, [])
    _, array = dt.while_loop(
        lambda i, _: i < n, lambda i, a: (i + 1, a.write(i, dt.to_float(i))), (0, dt.TensorArray(dt.float32, size=n))
    )
    for count in (3, 1, 5):
        stacked, size = run([array.stack(), array.size()], {n: count})
        assert stacked.tolist() == list(range(count))
        assert size == count


def test_an_array_that_grows_in_a_loop_says_that_it_has_no_gradient():
    x = dt.placeholder(dt.float32, [3])
    growing = dt.TensorArray(dt.float32, size=0, dynamic_size=True)
    _, array = dt.while_loop(lambda i, _: i < 3, lambda i, one: (i + 1, one.write(i, x[i] * 2.0)), (0, growing))
    assert run(array.stack(), {x: [1.0, 2.0, 3.0]}).tolist() == [2.0, 4.0, 6.0]
    with pytest.raises(errors.GradientError, match="changes its shape from one iteration to the next"):
        dt.gradients(dt.reduce_sum(array.stack()), x)


def test_what_was_never_written_says_so():
    with pytest.raises(errors.ShapeError, match="stack: nothing says what shape the elements have. Write one"):
        dt.TensorArray(dt.float32, size=2).stack()


def test_what_tensor_arrays_refuse():
    array = dt.TensorArray(dt.float32, size=2).write(0, [1.0, 2.0])
    with pytest.raises(errors.ShapeError, match=r"write: .* is float32\[3\], but the elements have shape \[2\]"):
        array.write(1, grid(3))
    with pytest.raises(errors.DTypeError, match=r"write: .* is int32\[2\], the array holds float32"):
        array.write(1, dt.constant([1, 2]))
    with pytest.raises(errors.ShapeError, match=r"the index is int32\[1\]; give a scalar, or use scatter"):
        array.write([1], [1.0, 2.0])
    with pytest.raises(errors.OperationError, match=r"index 2 at \[0\] is out of range for axis 0 of size 2"):
        run(array.write(2, [1.0, 2.0]).stack())
    with pytest.raises(errors.ShapeError, match=r"the value is float32\[3, 2\], but the array has 2 elements"):
        array.unstack(grid(3, 2))
    with pytest.raises(errors.InvalidArgumentError, match=r"split: the lengths are \[1, 2\]; elements have one shape"):
        dt.TensorArray(dt.float32, size=2).split(grid(3, 2), [1, 2])
    with pytest.raises(errors.ShapeError, match=r"concat: the elements have shape \[\]; they need a first axis"):
        dt.TensorArray(dt.float32, size=2).unstack(grid(2)).concat()
    with pytest.raises(errors.ShapeError, match=r"unstack: the value is float32\[\]; give the elements along"):
        array.unstack(1.0)
    with pytest.raises(errors.InvalidArgumentError, match="TensorArray: give size, the number of elements"):
        dt.TensorArray(dt.float32)
    with pytest.raises(errors.InvalidArgumentError, match="there are no handles here"):
        dt.TensorArray(dt.float32, 1, handle=array)
