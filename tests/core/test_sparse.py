"""``SparseTensor``: fed, fetched, in loops, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import dovetail as dt
from dovetail import errors
from tests.core.values import run


def test_fed_and_fetched():
    x = dt.sparse_placeholder(dt.float32, [None, 3], name="x")
    doubled = dt.SparseTensor(x.indices, x.values * 2.0, x.dense_shape)
    given = dt.SparseTensorValue(np.array([[0, 2], [1, 0]]), np.array([3.0, 4.0], np.float32), np.array([2, 3]))
    with dt.Session() as session:
        for fed in (given, tuple(given)):
            value, dense = session.run([doubled, dt.sparse_tensor_to_dense(doubled)], {x: fed})
            assert isinstance(value, dt.SparseTensorValue)
            assert value.values.tolist() == [6.0, 8.0]
            assert value.dense_shape.tolist() == [2, 3]
            assert dense.tolist() == [[0, 0, 6], [8, 0, 0]]
        assert doubled.eval({x: given}, session).indices.tolist() == [[0, 2], [1, 0]]


def test_a_known_shape_is_known_while_the_graph_is_built():
    x = dt.sparse_placeholder(dt.float32, [4, 3])
    product = dt.sparse_tensor_dense_matmul(x, dt.ones([3, 2]))
    assert x.get_shape() == [4, 3]
    assert product.shape == [4, 2]
    assert run(product, {x: ([[3, 1]], [5.0], [4, 3])})[3].tolist() == [5.0, 5.0]


def test_gradients_go_to_the_elements():
    values, dense = dt.placeholder(dt.float32, [2]), dt.placeholder(dt.float32, [2, 1])
    product = dt.sparse_tensor_dense_matmul(dt.SparseTensor([[0, 1], [1, 0]], values, [2, 2]), dense)
    loss = dt.reduce_sum(product * product)
    first = dt.gradients(loss, [values, dense])
    (second,) = dt.gradients(first[0], values)
    found = run([*map(dt.convert_to_tensor, first), second], {values: [2.0, 3.0], dense: [[5.0], [7.0]]})
    np.testing.assert_allclose(found[0], [2 * 2 * 49, 2 * 3 * 25])
    np.testing.assert_allclose(found[1], [[2 * 9 * 5], [2 * 4 * 7]])
    np.testing.assert_allclose(found[2], [2 * 49, 2 * 25])


def test_a_sparse_tensor_is_a_variable_of_a_loop():
    x = dt.SparseTensor([[0], [2]], [1.0, 2.0], [3])
    _, grown = dt.while_loop(
        lambda i, _: i < 3,
        lambda i, one: (i + 1, dt.SparseTensor(one.indices, one.values * 2.0, one.dense_shape)),
        (0, x),
    )
    assert run(grown).values.tolist() == [8.0, 16.0]


def test_what_sparse_tensors_refuse():
    with pytest.raises(errors.ShapeError, match=r'SparseTensor: indices ".*" is int64\[1\]; it must have rank 2'):
        dt.SparseTensor([0], [1.0], [2])
    with pytest.raises(errors.DTypeError, match="a list was given, where a SparseTensor is wanted"):
        dt.sparse_tensor_to_dense([1.0])
    with pytest.raises(errors.DTypeError, match=r"the sparse matrix is float32, the dense one int32\[1, 1\]. Make the"):
        dt.sparse_tensor_dense_matmul(dt.SparseTensor([[0, 0]], [1.0], [1, 1]), dt.constant([[1]]))
    x = dt.sparse_placeholder(dt.float32, [2])
    with pytest.raises(errors.FeedError, match="give a SparseTensorValue, or a tuple of indices"):
        run(dt.sparse_tensor_to_dense(x), {x: [1.0, 2.0]})
    with pytest.raises(errors.OperationError, match=r"index 2 at \[0\] is out of range for axis 0 of size 2"):
        run(dt.sparse_tensor_to_dense(x), {x: ([[2]], [1.0], [2])})
