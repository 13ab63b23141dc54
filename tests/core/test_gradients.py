"""Gradients: TensorFlow 1's rules, sparse rows, orders, unknown ranks, what stops them."""

from __future__ import annotations

import numpy as np
import pytest

import dovetail as dt
from dovetail import errors


def run(fetches: object, feed_dict: object = None) -> object:
    with dt.Session() as session:
        if dt.global_variables():
            session.run(dt.global_variables_initializer())
        return session.run(fetches, feed_dict)


def test_sums_over_ys_and_over_paths() -> None:
    x = dt.constant(3.0)
    y = x * x
    assert run(dt.gradients([y, y + x, 2.0 * y], [x])) == [25.0]


def test_with_respect_to_an_intermediate_and_its_source() -> None:
    x = dt.constant(2.0)
    y = x * x
    z = y * y
    assert run(dt.gradients(z, [x, y])) == [32.0, 8.0]


def test_of_itself_and_of_what_does_not_depend() -> None:
    x, other = dt.constant(2.0), dt.constant(1.0)
    grads = dt.gradients(x, [x, other])
    assert run(grads[0]) == 1.0
    assert grads[1] is None


def test_grad_ys_weigh_and_are_checked() -> None:
    x = dt.constant([1.0, 2.0])
    assert run(dt.gradients(x * x, x, grad_ys=[[1.0, 10.0]]))[0].tolist() == [2.0, 40.0]
    with pytest.raises(errors.ShapeError, match=r"grad_ys of type float32\[3\] does not fit"):
        dt.gradients(x * x, x, grad_ys=[[1.0, 1.0, 1.0]])
    with pytest.raises(errors.ShapeError, match=r"1 ys but 2 grad_ys"):
        dt.gradients(x * x, x, grad_ys=[x, x])


def test_stop_gradients_and_stop_gradient() -> None:
    x = dt.constant(3.0)
    y = x * x
    assert run(dt.gradients(y * x, x, stop_gradients=y)) == [9.0]
    assert run(dt.gradients(dt.stop_gradient(y) * x, x)) == [9.0]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_any_order(order: int) -> None:
    x = dt.constant(0.7, dt.float64)
    y = dt.sin(x)
    for _ in range(order):
        (y,) = dt.gradients(y, x)
    expected = [np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v), np.sin][order - 1](0.7)
    np.testing.assert_allclose(run(y), expected)


def test_broadcasting_is_undone() -> None:
    x = dt.placeholder(dt.float32, [None, 3], name="x")
    b = dt.placeholder(dt.float32, [None, 3], name="b")
    grads = dt.gradients(x * b, [x, b])
    for rows, other in ((4, 4), (4, 1), (1, 4)):
        found = run(grads, {x: np.full((rows, 3), 2.0), b: np.full((other, 3), 5.0)})
        assert found[0].shape == (rows, 3)
        assert found[1].shape == (other, 3)
        assert found[0][0, 0] == 5.0 * max(rows, other) / rows
        assert found[1][0, 0] == 2.0 * max(rows, other) / other


def test_rows_that_are_gathered_have_sparse_gradients() -> None:
    table = dt.Variable(np.arange(8.0, dtype=np.float32).reshape(4, 2), name="table")
    picked = dt.gather(table, [1, 3, 1])
    (grad,) = dt.gradients(dt.reduce_sum(picked * picked), table)
    assert isinstance(grad, dt.IndexedSlices)
    value = run(grad)
    assert value.indices.tolist() == [1, 3, 1]
    np.testing.assert_array_equal(value.values, [[4, 6], [12, 14], [4, 6]])
    np.testing.assert_array_equal(run(dt.convert_to_tensor(grad)), [[0, 0], [8, 12], [0, 0], [12, 14]])


def test_sparse_and_dense_gradients_add_up() -> None:
    table = dt.Variable(np.ones((3, 2), np.float32), name="table")
    loss = dt.reduce_sum(dt.gather(table, [0, 0])) + dt.reduce_sum(table * 3.0)
    (grad,) = dt.gradients(loss, table)
    np.testing.assert_array_equal(run(dt.convert_to_tensor(grad)), [[5, 5], [3, 3], [3, 3]])
    (both,) = dt.gradients(dt.reduce_sum(dt.gather(table, [0])) + dt.reduce_sum(dt.gather(table, [2])), table)
    assert isinstance(both, dt.IndexedSlices)
    assert run(both).indices.tolist() in ([0, 2], [2, 0])


def test_variables_read_several_times() -> None:
    w = dt.Variable(3.0)
    y = w * w
    update = w.assign_add(1.0)
    later = w * 2.0
    (grad,) = dt.gradients(y + later, w)
    with dt.Session() as session:
        session.run(w.initializer)
        assert session.run(grad) == 8.0
        session.run(update)
        assert session.run(grad) == 10.0


def test_integers_and_booleans_stop_gradients() -> None:
    x = dt.constant([1.5, 2.5])
    assert dt.gradients(dt.cast(dt.cast(x, dt.int32), dt.float32), x) == [None]
    assert dt.gradients(dt.cast(x > 2.0, dt.float32), x) == [None]


def test_jacobian_vector_products_by_double_reverse() -> None:
    x = dt.constant([1.0, 2.0, 3.0], dt.float64)
    dummy = dt.zeros_like(x)
    v = dt.constant([1.0, 0.0, -1.0], dt.float64)
    y = x * x
    (vjp,) = dt.gradients(y, x, grad_ys=dummy)
    (jvp,) = dt.gradients(vjp, dummy, grad_ys=v)
    np.testing.assert_array_equal(run(jvp), [2.0, 0.0, -6.0])


def test_broadcasting_is_undone_where_only_gradients_run() -> None:
    """The sum that was broadcast is no part of the program, and which sizes are 1 is known when they are fed."""
    x, y = (dt.placeholder(dt.float64, [None, None]) for _ in range(2))
    weights = np.arange(6.0).reshape(2, 3)
    grads = dt.gradients(x + y, [x, y], grad_ys=weights)
    left, right = run(grads, {x: np.ones((2, 1)), y: np.ones((2, 3))})
    np.testing.assert_array_equal(left, weights.sum(1, keepdims=True))
    np.testing.assert_array_equal(right, weights)
    whole = dt.placeholder(dt.float64, [2, 3])
    (part,) = dt.gradients(x + y, x, grad_ys=whole)
    (again,) = dt.gradients(part, whole, grad_ys=part)
    (found,) = run([again], {x: np.ones((2, 1)), y: np.ones((2, 3)), whole: weights})
    np.testing.assert_array_equal(found, np.broadcast_to(left, (2, 3)))


def test_what_broadcasts_is_found_before_sizes_are_said_not_to_fit() -> None:
    """The gradient demands that the batches are equal, as they are taken to be until one is fed as 1."""
    x, y = (dt.placeholder(dt.float64, [None] * rank) for rank in (4, 3))
    weights = np.ones((2, 3, 2, 2))
    grads = dt.gradients(dt.einsum("...ij,...jk->...ik", x, y), [x, y], grad_ys=weights)
    left, right = np.ones((2, 1, 2, 3)), np.ones((3, 3, 2))
    assert [one.shape for one in run(grads, {x: left, y: right})] == [left.shape, right.shape]
    with pytest.raises(errors.FeedError, match="the sizes fed do not fit"):
        run(grads, {x: np.ones((2, 4, 2, 3)), y: right})
