"""``dt.testing.assert_gradients`` finds what is wrong and passes what is right; TensorFlow 1's ``dt.test``."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, GraphError, InvalidArgumentError, ShapeError
from dovetail.extend import composite


def network(dtype: Any = dt.float32) -> tuple[Any, list[Any], dict[Any, Any]]:
    x = dt.placeholder(dtype, [None, 3], name="x")
    kernel = dt.Variable(dt.constant([[0.3, -0.2], [0.1, 0.5], [-0.7, 0.4]], dtype), name="kernel")
    rows = dt.gather(kernel, [2, 0, 2])
    y = dt.tanh(dt.matmul(x, kernel)) * dt.reduce_sum(dt.square(rows))
    return y, [x, kernel], {x: [[0.1, 0.5, -0.3], [1.0, 0.2, 0.4]]}


@pytest.mark.parametrize("dtype", [dt.float16, dt.float32, dt.float64])
def test_right_gradients_pass_whatever_the_precision(dtype: Any) -> None:
    y, xs, feeds = network(dtype)
    before = dt.get_default_graph().version
    dt.testing.assert_gradients(y, xs, feeds, order=4)
    assert dt.get_default_graph().version == before, "the graph got nodes"


def test_values_of_variables_come_from_the_session() -> None:
    y, xs, feeds = network()
    with dt.Session() as session:
        session.run(xs[1].initializer)
        xs[1].load(np.zeros((3, 2)))
        dt.testing.assert_gradients(y, xs, feeds)
        np.testing.assert_array_equal(session.run(xs[1]), np.zeros((3, 2)))
        xs[1].load(np.full((3, 2), 50.0))
        with pytest.raises(AssertionError, match="is off"):  # tanh is flat there, but not to the last bit
            dt.testing.assert_gradients(y, xs, feeds, session, rtol=0.0, atol=0.0)


def test_loops_and_tensors_in_between() -> None:
    x = dt.placeholder(dt.float32, [4])
    inner = dt.exp(x)
    y = dt.scan(lambda total, one: dt.sin(total) * one, inner)
    z = dt.cond(dt.reduce_sum(x) > 0.0, lambda: y * y, lambda: y)
    dt.testing.assert_gradients(z, [x, inner], {x: [0.1, -0.2, 0.3, 0.4]})


def test_what_does_not_depend_has_no_derivative() -> None:
    x, other = dt.placeholder(dt.float32, [2]), dt.placeholder(dt.float32, [2])
    dt.testing.assert_gradients(2.0 * x, [x, other], {x: [1.0, 2.0], other: [3.0, 4.0]})
    y = x * dt.stop_gradient(other)
    with pytest.raises(AssertionError, match=r'with respect to "Placeholder_1:0" is off at 2 of 2 elements'):
        dt.testing.assert_gradients(y, [x, other], {x: [1.0, 2.0], other: [3.0, 4.0]})


def test_the_worst_element_is_told() -> None:
    x = dt.placeholder(dt.float32, [2, 2], name="x")
    half = dt.where([[True, True], [True, False]], x, dt.stop_gradient(x), name="half")
    with pytest.raises(AssertionError) as caught:
        dt.testing.assert_gradients(dt.reduce_sum(half, name="y"), x, {x: [[1.0, 2.0], [3.0, 4.0]]})
    pattern = (
        r'the first derivative of "y:0" \(node "y" made at .*test_testing.py:\d+\) with respect to "x:0" is off at '
        r"1 of 4 elements. The worst is at \[1, 1\]: the graph says 0, differences say (\S+); they are "
        r"(\S+) apart, (\S+) is allowed."
    )
    said = re.fullmatch(pattern, str(caught.value))
    assert said is not None, str(caught.value)
    measured, apart, allowed = map(float, said.groups())
    assert abs(measured) == pytest.approx(apart, rel=1e-2)
    assert allowed == pytest.approx(1e-6 + 1e-4 * abs(measured), rel=1e-2)


@composite(gradient=lambda op, inputs, outputs, grads: [grads[0] * 3.0 * dt.stop_gradient(dt.square(inputs[0]))])
def cube_with_a_constant_gradient(x: Any) -> Any:
    """A cube whose gradient claims to be constant."""
    return x * x * x


def test_the_second_order_is_looked_at_too() -> None:
    x = dt.placeholder(dt.float64, [3])
    y = cube_with_a_constant_gradient(x)
    dt.testing.assert_gradients(y, x, {x: [1.0, 2.0, 3.0]}, order=1)
    with pytest.raises(AssertionError, match=r"the second derivative of .* the graph says 0, differences say"):
        dt.testing.assert_gradients(y, x, {x: [1.0, 2.0, 3.0]})


def test_all_elements_or_some() -> None:
    x = dt.placeholder(dt.float64, [100])
    y = x * dt.stop_gradient(x)
    for elements, count in ((7, 7), (-1, 100), (1000, 100)):
        with pytest.raises(AssertionError, match=rf"is off at {count} of {count} elements"):
            dt.testing.assert_gradients(y, x, {x: np.ones(100)}, elements=elements)


def test_what_cannot_be_asked() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    with pytest.raises(InvalidArgumentError, match="assert_gradients: order is 5; use 1 to 4"):
        dt.testing.assert_gradients(x, x, {x: [1.0, 2.0]}, order=5)
    with pytest.raises(InvalidArgumentError, match=r'"root:0" .* or a derivative of it holds nan; choose values where'):
        dt.testing.assert_gradients(dt.sqrt(x, name="root"), x, {x: [4.0, -1.0]})
    whole = dt.constant([1], name="whole")
    with pytest.raises(DTypeError, match=r'"whole:0" is int32\[1\]; only floating and complex tensors have'):
        dt.testing.assert_gradients(x, whole, {x: [1.0, 2.0]})
    noisy = x * dt.cast(dt.random_uniform([2], 0, 100, dt.int32), dt.float32)
    with pytest.raises(InvalidArgumentError, match="in one run and .* in the next; leave out what draws random"):
        dt.testing.assert_gradients(noisy, x, {x: [1.0, 2.0]})
    noisy = x * dt.random_uniform([2])
    with pytest.raises(InvalidArgumentError, match="cannot be computed in float64: .*Leave out what draws random"):
        dt.testing.assert_gradients(noisy, x, {x: [1.0, 2.0]})


# TensorFlow 1's. ------------------------------------------------------------------------------------------------------


def test_jacobians_of_one_and_of_several() -> None:
    x, kernel = dt.placeholder(dt.float64, [2, 3]), dt.Variable(np.ones((3, 2)))
    y = dt.matmul(x, kernel)
    with dt.Session() as session:
        (by_graph, measured), (_, of_kernel) = dt.test.compute_gradient(
            [x, kernel], [[2, 3], [3, 2]], y, [2, 2], [np.eye(2, 3), np.ones((3, 2))], init_targets=[kernel.initializer]
        )
        np.testing.assert_allclose(by_graph, np.kron(np.eye(2), np.ones((3, 2))))
        np.testing.assert_allclose(measured, by_graph, atol=1e-9)
        np.testing.assert_allclose(of_kernel, np.kron(np.eye(2, 3).T, np.eye(2)), atol=1e-9)
        error = dt.test.compute_gradient_error(x, [2, 3], y, [2, 2])
        assert error < 1e-9
        assert error == dt.test.compute_gradient_error(x, [2, 3], y, [2, 2], extra_feed_dict={kernel: np.ones((3, 2))})
        apart = dt.test.compute_gradient_error(x, [2, 3], y * dt.stop_gradient(y), [2, 2])
        assert apart > 1.0
        rows = dt.gather(kernel, [1])
        by_graph, measured = dt.test.compute_gradient(kernel, [3, 2], rows, [1, 2], session.run(kernel))
        np.testing.assert_array_equal(by_graph, np.eye(2, 6, 2).T)
        np.testing.assert_allclose(measured, by_graph, atol=1e-9)


def test_jacobians_that_are_empty_or_zero() -> None:
    x, empty = dt.placeholder(dt.float64, [2]), dt.placeholder(dt.float64, [0])
    with dt.Session():
        assert dt.test.compute_gradient(empty, [0], empty * 2.0, [0])[1].shape == (0, 0)
        assert dt.test.compute_gradient_error(empty, [0], empty * 2.0, [0]) == 0.0
        by_graph, measured = dt.test.compute_gradient(x, [2], dt.ones([3], dt.float64), [3])
    np.testing.assert_array_equal(by_graph, np.zeros((2, 3)))
    np.testing.assert_array_equal(measured, np.zeros((2, 3)))


def test_jacobians_of_what_does_not_fit() -> None:
    x = dt.placeholder(dt.float64, [2], name="x")
    with pytest.raises(GraphError, match="there is no default session"):
        dt.test.compute_gradient(x, [2], x * 2.0, [2])
    with dt.Session(), pytest.raises(ShapeError, match=r'the value of "x:0" has shape \[3\], where \[2\] is said'):
        dt.test.compute_gradient(x, [2], x * 2.0, [2], np.ones(3))
