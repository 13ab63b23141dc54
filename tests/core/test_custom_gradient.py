"""Gradients that users define, partial derivatives, and Hessians."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, GradientError, ShapeError
from dovetail.ops.custom_gradient import CustomGradient
from dovetail.ops.graphdata import graph_from_data, graph_to_data


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feeds)


@dt.custom_gradient
def thrice(x: dt.Tensor) -> Any:
    return x * 1.0, lambda dy: 3.0 * dy


def test_the_gradient_is_the_one_defined() -> None:
    x = dt.constant([1.0, 2.0])
    y = thrice(x)
    assert y.op.name == "thrice"
    np.testing.assert_array_equal(run(y), [1.0, 2.0])
    np.testing.assert_array_equal(run(dt.gradients(y * y, x)[0]), [6.0, 12.0])


def test_a_function_without_a_name_serves_as_well() -> None:
    x = dt.constant(2.0)
    unnamed = dt.custom_gradient(lambda x: (x * x, lambda dy: dy * 5.0))(x)
    partial = dt.custom_gradient(functools.partial(lambda factor, x: (factor * x, lambda dy: dy * 7.0), 3.0))(x)
    assert unnamed.op.name == "CustomGradient"
    assert run([unnamed, *dt.gradients(unnamed, x), partial, *dt.gradients(partial, x)]) == [4.0, 5.0, 6.0, 7.0]


def test_several_outputs_and_arguments() -> None:
    @dt.custom_gradient
    def both(x: dt.Tensor, y: dt.Tensor) -> Any:
        return [x + y, x * y], lambda first, second: (first, 10.0 * second)

    x, y = dt.constant(2.0), dt.constant(3.0)
    total, product = both(x, y)
    assert run([total, product]) == [5.0, 6.0]
    assert run(dt.gradients(total + product, [x, y])) == [1.0, 10.0]
    assert run(dt.gradients(total, [x, y])) == [1.0, 0.0]


def test_what_is_used_from_around_counts_as_constant() -> None:
    w = dt.Variable(4.0, name="w")

    @dt.custom_gradient
    def scaled(x: dt.Tensor) -> Any:
        return x * w, lambda dy: dy * w * 0.5

    x = dt.constant(2.0)
    y = scaled(x)
    in_loop = dt.map_fn(scaled, dt.constant([1.0, 2.0]))
    by_x, by_w = dt.gradients(y, [x, w])
    assert by_w is None
    value, slope, several = run([y, by_x, in_loop])
    assert (value, slope) == (8.0, 2.0)
    np.testing.assert_array_equal(several, [4.0, 8.0])


def test_it_is_saved_with_its_gradient() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    thrice(x)
    data = graph_to_data(dt.get_default_graph())
    with dt.Graph().as_default() as graph:
        graph_from_data(data, graph)
        x, y = graph.get_tensor_by_name("x:0"), graph.get_tensor_by_name("thrice:0")
        np.testing.assert_array_equal(run(dt.gradients(y, x)[0], {x: [1.0, 2.0]}), [3.0, 3.0])


def test_a_gradient_for_each_argument_is_wanted() -> None:
    @dt.custom_gradient
    def lacking(x: dt.Tensor, y: dt.Tensor) -> Any:
        return x * y, lambda dy: dy

    with pytest.raises(GradientError) as raised:
        lacking(dt.constant(1.0), dt.constant(2.0))
    assert str(raised.value) == (
        "custom_gradient: the gradient of lacking gives 1 values for 2 arguments; return one for each."
    )


def test_stopped_tensors_have_partial_derivatives() -> None:
    a = dt.constant(0.0)
    b = 2.0 * a
    v = dt.Variable(2.0)
    assert run(dt.gradients(a + b, [a, b], stop_gradients=[a, b])) == [1.0, 1.0]
    assert run(dt.gradients(a + b, [a, b])) == [3.0, 1.0]
    assert run(dt.gradients(v * v * v, v, stop_gradients=[v])) == [12.0]
    assert dt.gradients(b * b, a, stop_gradients=b) == [None]


def test_hessians() -> None:
    x = dt.placeholder(dt.float64, [None, 2])
    w = dt.Variable(np.array([1.0, -2.0]))
    y = dt.reduce_sum(x[:, 0] ** 2 * x[:, 1]) * w[0] ** 3 + w[1]
    rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    by_x, by_w, by_both = run([*dt.hessians(y, [x, w]), dt.hessians(y, w)[0]], {x: rows})
    expected = np.zeros((2, 2, 2, 2))
    for row, (a, b) in enumerate(rows):
        expected[row, :, row, :] = [[2 * b, 2 * a], [2 * a, 0]]
    np.testing.assert_allclose(by_x, expected)
    np.testing.assert_allclose(by_w, [[6.0 * (2.0 + 36.0), 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(by_both, by_w)
    free = dt.constant([1.0, 2.0])
    np.testing.assert_array_equal(run(dt.hessians(dt.constant(3.0), free)[0]), np.zeros((2, 2)))
    np.testing.assert_array_equal(run(dt.hessians(dt.reduce_sum(free), free)[0]), np.zeros((2, 2)))


def test_hessians_want_a_scalar() -> None:
    x = dt.constant([1.0, 2.0], name="x")
    with pytest.raises(ShapeError, match=r'^hessians: "Square:0" is float32\[2\]; give a scalar, by dt.reduce_sum.'):
        dt.hessians(dt.square(x), x)


def test_a_body_is_for_the_dtypes_that_it_was_made_for() -> None:
    (sample,) = CustomGradient.samples(np.random.default_rng(0))
    with pytest.raises(DTypeError, match=r"custom_gradient: the body was made for float64 and is given float32\. Use"):
        sample.op(dt.constant([1.0]))
