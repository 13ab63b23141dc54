"""Loops: values against Python's, gradients to second order by finite differences, shapes, sizes, errors."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

import dovetail as dt
from dovetail import errors
from dovetail.compiler.program import verify

STEP = 1e-6


class State(NamedTuple):
    h: Any
    c: Any


def run(fetches: Any, feed_dict: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feed_dict)


def check_gradients(build: Callable[..., Any], *arrays: np.ndarray, symbolic: bool = False) -> None:
    """Compare first and second derivatives of a weighted sum with finite differences in float64."""
    rng = np.random.default_rng(len(arrays))
    xs = [dt.placeholder(dt.float64, [None, *one.shape[1:]] if symbolic else one.shape) for one in arrays]
    feeds = dict(zip(xs, arrays, strict=True))
    with dt.Session() as session:

        def numeric(function: Any, index: int) -> np.ndarray:
            found = np.zeros_like(arrays[index])
            for place in np.ndindex(*arrays[index].shape):
                sides = []
                for sign in (1.0, -1.0):
                    moved = arrays[index].copy()
                    moved[place] += sign * STEP
                    sides.append(session.run(function, {**feeds, xs[index]: moved}))
                found[place] = (sides[0] - sides[1]) / (2 * STEP)
            return found

        y = build(*xs)
        weights = rng.normal(size=np.shape(session.run(y, feeds)))
        function = dt.reduce_sum(y * weights)
        for _ in range(2):
            gradients = dt.gradients(function, xs)
            verify(session.program([one for one in gradients if one is not None], feeds))
            for index, one in enumerate(gradients):
                expected = numeric(function, index)
                found = np.zeros_like(expected) if one is None else session.run(one, feeds)
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
            parts = [
                dt.reduce_sum(one * rng.normal(size=array.shape))
                for one, array in zip(gradients, arrays, strict=True)
                if one is not None
            ]
            if not parts:  # the derivative is constant
                return
            function = dt.add_n(parts)


# while_loop. ---------------------------------------------------------------------------------------------------------


def test_while_loop_repeats_its_body() -> None:
    i, total = dt.while_loop(lambda i, total: i < 5, lambda i, total: [i + 1, total + i], [0, 0])
    assert run([i, total]) == [5, 10]


@pytest.mark.parametrize("count", [0, 1, 7])
def test_while_loop_does_what_python_does(count: int) -> None:
    n = dt.placeholder(dt.int32, [], name="n")
    values = dt.while_loop(
        lambda i, a, b: i < n, lambda i, a, b: (i + 1, b, a + b), (0, dt.constant(0), dt.constant(1))
    )
    a, b = 0, 1
    for _ in range(count):
        a, b = b, a + b
    assert run(values, {n: count}) == (count, a, b)


def test_loop_variables_may_be_nested() -> None:
    x = dt.constant([1.0, 2.0])

    def body(i: Any, s: Any) -> Any:
        return i + 1, {"pair": State(s["pair"].c, s["pair"].h + 1.0), "rest": [s["rest"][0] * 2.0]}

    s = dt.while_loop(lambda i, s: i < 3, body, (0, {"pair": State(x, x * 0.0), "rest": [x]}))[1]
    assert isinstance(s["pair"], State)
    values = run(s)
    assert values["pair"].h.tolist() == [1.0, 1.0]
    assert values["pair"].c.tolist() == [3.0, 4.0]
    assert values["rest"][0].tolist() == [8.0, 16.0]


def test_a_single_loop_variable_comes_as_it_is() -> None:
    assert run(dt.while_loop(lambda i: i < 3, lambda i: i + 1, [0])) == 3
    assert run(dt.while_loop(lambda i: i < 3, lambda i: [i + 1], [0], return_same_structure=True)) == [3]
    assert run(dt.while_loop(lambda i: i < 3, lambda i: (i + 1,), dt.constant(0))) == 3


def test_maximum_iterations() -> None:
    for limit, expected in ((3, 3), (dt.constant(4), 4), (100, 10), (0, 0)):
        i = dt.while_loop(lambda i: i < 10, lambda i: i + 1, [0], maximum_iterations=limit)
        assert run(i) == expected


def test_strings_and_integers_are_carried() -> None:
    x = dt.placeholder(dt.string, [], name="x")
    i, text = dt.while_loop(lambda i, text: i < 3, lambda i, text: (i + 1, x), [dt.constant(0, dt.int64), "first"])
    assert run([i, text], {x: "fed"}) == [3, b"fed"]
    assert run(dt.map_fn(lambda one: one, dt.constant(["a", "bc"]))).tolist() == [b"a", b"bc"]
    last = dt.scan(lambda old, one: one, dt.constant(["a", "bc"]), initializer=dt.constant(""))
    assert run(last).tolist() == [b"a", b"bc"]


def test_bodies_capture_what_is_around_at_any_depth() -> None:
    x = dt.placeholder(dt.float32, [], name="x")

    def outer(i: Any, total: Any) -> Any:
        inner = dt.while_loop(lambda j, a: j < i, lambda j, a: (j + 1, a + x * dt.cast(i, dt.float32)), [0, 0.0])[1]
        return i + 1, total + dt.cond(inner > 10.0, lambda: inner * x, lambda: inner)

    total = dt.while_loop(lambda i, t: i < 4, outer, [0, 0.0])[1]
    expected = sum(i * i * 2.0 * (2.0 if i * i * 2.0 > 10 else 1.0) for i in range(4))
    assert run(total, {x: 2.0}) == expected


def test_sizes_may_change_where_shape_invariants_say_so() -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    _, grown = dt.while_loop(
        lambda i, a: i < 3,
        lambda i, a: (i + 1, dt.concat([a, a[:1] * 0.0 + dt.cast(dt.shape(a)[0], dt.float32)], 0)),
        [0, x],
        shape_invariants=[[], [None]],
    )
    values = run([grown, dt.shape(grown), dt.zeros_like(grown)], {x: [1.0, 1.0]})
    assert [one.tolist() for one in values] == [[1.0, 1.0, 2.0, 3.0, 4.0], [5], [0.0] * 5]
    with pytest.raises(errors.GradientError, match=r"variable 1, \"x:0\".* changes its shape from one iteration"):
        dt.gradients(grown, x)


@pytest.mark.parametrize("rows", [None, dt.Symbol("rows")])
def test_shape_invariants_in_nested_structures(rows: Any) -> None:
    x = dt.constant([[1.0, 2.0]])
    _, parts = dt.while_loop(
        lambda i, parts: i < 2,
        lambda i, parts: (i + 1, {"a": dt.concat([parts["a"]] * 2, 0), "b": parts["b"] + 1.0}),
        [dt.constant(0), {"a": x, "b": x}],
        shape_invariants=[dt.constant(0).get_shape(), {"a": [rows, 2], "b": x.get_shape()}],
    )
    values = run(parts)
    assert values["a"].shape == (4, 2)
    assert values["b"].tolist() == [[3.0, 4.0]]
    assert parts["b"].shape.as_list() == [1, 2]


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (lambda i, a: (i + 1, dt.concat([a, a], 0)), errors.ShapeError, r"pass shape_invariants with \[None\] for it"),
        (lambda i, a: (i + 1, dt.stack([a, a])), errors.ShapeError, r"float32\[2, 3\] after .* keep its rank"),
        (lambda i, a: (i + 1, dt.boolean_mask(a, a > 0.0)), errors.ShapeError, "pass shape_invariants"),
        (lambda i, a: (i + 1, dt.cast(a, dt.int32)), errors.DTypeError, r"int32\[3\] after .* keep its dtype"),
        (lambda i, a: (i + 1,), errors.InvalidArgumentError, "2 values in a list or tuple and 1 values"),
        (lambda i, a: (i + 1, [a]), errors.InvalidArgumentError, r"differ at \[1\]: a single value and 1 values"),
        (lambda i, a: None, errors.InvalidArgumentError, "differ: 2 values"),
        (lambda i, a: (i, None), errors.InvalidArgumentError, "body .* returns None"),
    ],
)
def test_the_body_must_keep_types_and_structure(body: Any, error: Any, message: str) -> None:
    x = dt.placeholder(dt.float32, [3], name="x")
    with pytest.raises(error, match=f"^while_loop: .*{message}") as found:
        dt.while_loop(lambda i, a: i < 3, body, [0, x])
    assert "test_loops.py:" in str(found.value)
    if error is not errors.InvalidArgumentError:
        assert 'loop_vars[1] ("x:0") is float32[3] at the beginning' in str(found.value)


def test_a_size_that_grows_is_refused_even_if_it_is_symbolic() -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    with pytest.raises(errors.ShapeError, match=r"float32\[x.0\] at the beginning and float32\[2\*x.0\] after"):
        dt.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, dt.concat([a, a], 0)), [0, x])


def test_conditions_and_arguments_are_checked() -> None:
    with pytest.raises(errors.DTypeError, match=r"while_loop: the predicate is int32\[\]"):
        dt.while_loop(lambda i: i, lambda i: i, [0])
    with pytest.raises(errors.InvalidArgumentError, match="there are no loop variables"):
        dt.while_loop(lambda: True, lambda: (), [])
    with pytest.raises(errors.DTypeError, match="cond and body are functions"):
        dt.while_loop(True, lambda i: i, [0])
    with pytest.raises(errors.InvalidArgumentError, match="has not the structure of loop_vars"):
        dt.while_loop(lambda i: i < 3, lambda i: i + 1, [0], shape_invariants=[[], []])
    with pytest.raises(errors.ShapeError, match=r"shape_invariants gives \[None\] for .* the ranks differ"):
        dt.while_loop(lambda i: i < 3, lambda i: i + 1, [0], shape_invariants=[[None]])
    v = dt.Variable(0)
    with pytest.raises(errors.InvalidArgumentError, match="cond writes a variable; do so in body"):
        dt.while_loop(lambda i: v.assign_add(1) < 3, lambda i: i + 1, [0])


def test_loops_of_unknown_rank() -> None:
    x = dt.placeholder(dt.float32, None, name="x")
    doubled = dt.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * 2.0), [0, x])[1]
    sums = dt.scan(lambda a, b: a + b, x)
    gradients = [*dt.gradients(doubled, x), *dt.gradients(sums, x)]
    with dt.Session() as session:
        assert session.run(doubled, {x: 2.0}) == 16.0
        values = session.run([doubled, sums, *gradients], {x: [[1.0, 2.0], [3.0, 4.0]]})
    assert [one.tolist() for one in values[:2]] == [[[8.0, 16.0], [24.0, 32.0]], [[1.0, 2.0], [4.0, 6.0]]]
    assert [one.tolist() for one in values[2:]] == [[[8.0, 8.0], [8.0, 8.0]], [[2.0, 2.0], [1.0, 1.0]]]


def test_loops_are_quick() -> None:
    x = dt.placeholder_with_default(1.0, [])
    i, value = dt.while_loop(lambda i, x: i < 10_000, lambda i, x: (i + 1, x * 1.0001), [0, x])
    with dt.Session() as session:
        session.run([i, value])
        begin = time.perf_counter()
        session.run([i, value])
        assert time.perf_counter() - begin < 5.0  # 0.05 s on a quiet machine; a quadratic loop takes minutes


# scan, map_fn, foldl, foldr. -----------------------------------------------------------------------------------------


def test_scan_gives_every_value_of_the_accumulator() -> None:
    x = dt.constant([1, 2, 3, 4])
    assert run(dt.scan(lambda a, b: a + b, x)).tolist() == [1, 3, 6, 10]
    assert run(dt.scan(lambda a, b: a + b, x, initializer=10)).tolist() == [11, 13, 16, 20]
    assert run(dt.scan(lambda a, b: a + b, x, reverse=True)).tolist() == [10, 9, 7, 4]
    assert run(dt.scan(lambda a, b: a * b, x, initializer=1, reverse=True)).tolist() == [24, 24, 12, 4]


def test_scan_of_several_tensors() -> None:
    """The Fibonacci numbers of TensorFlow 1's manual, and a dict."""
    initializer = (np.array(0), np.array(1))
    first, _ = dt.scan(lambda a, _: (a[1], a[0] + a[1]), np.zeros(6), initializer)
    assert run(first).tolist() == [1, 1, 2, 3, 5, 8]
    pair = dt.scan(
        lambda a, x: {"sum": a["sum"] + x["v"], "n": a["n"] + 1},
        {"v": dt.constant([[1.0, 2.0], [3.0, 4.0]]), "w": dt.constant([1, 2])},
        initializer={"n": 0, "sum": dt.zeros([2])},
    )
    values = run(pair)
    assert values["n"].tolist() == [1, 2]
    assert values["sum"].tolist() == [[1.0, 2.0], [4.0, 6.0]]


def test_map_fn() -> None:
    elems = np.array([1, 2, 3, 4, 5, 6])
    assert run(dt.map_fn(lambda x: x * x, elems)).tolist() == [1, 4, 9, 16, 25, 36]
    pair = (np.array([1, 2, 3]), np.array([-1, 1, -1]))
    assert run(dt.map_fn(lambda x: x[0] * x[1], pair, dtype=dt.int64)).tolist() == [-1, 2, -3]
    alternates = dt.map_fn(lambda x: (x, -x), np.array([1, 2, 3]), dtype=(dt.int64, dt.int64))
    assert [one.tolist() for one in run(alternates)] == [[1, 2, 3], [-1, -2, -3]]


def test_folds() -> None:
    x = dt.constant([1, 2, 3])
    assert run(dt.foldl(lambda a, b: 10 * a + b, x)) == 123
    assert run(dt.foldr(lambda a, b: 10 * a + b, x)) == 321
    assert run(dt.foldl(lambda a, b: a + b, x, initializer=10)) == 16


def test_python_numbers_take_the_dtype_of_the_accumulator() -> None:
    x = dt.constant([1.0, 2.0], dt.float64)
    assert run(dt.scan(lambda a, b: 0, x)).dtype == np.float64


@pytest.mark.parametrize("size", [0, 1, 5])
def test_the_length_may_be_fed(size: int) -> None:
    x = dt.placeholder(dt.float32, [None, 2], name="x")
    sums = dt.scan(lambda a, b: a + b, x, initializer=dt.zeros([2]))
    total = dt.foldl(lambda a, b: a + b, x, initializer=dt.zeros([2]))
    assert sums.shape[0] == x.shape[0]
    gradients = dt.gradients([sums, total], x)
    fed = np.arange(2 * size, dtype=np.float32).reshape(size, 2)
    values = run([sums, total, *gradients], {x: fed})
    np.testing.assert_array_equal(values[0], np.cumsum(fed, 0))
    np.testing.assert_array_equal(values[1], fed.sum(0))
    np.testing.assert_array_equal(values[2], np.repeat(np.arange(size, 0.0, -1.0) + 1.0, 2).reshape(size, 2))


def test_the_batch_may_be_fed() -> None:
    """A recurrent network over [time, batch, units], at several batch sizes in one session."""
    x = dt.placeholder(dt.float32, [3, None, 2], name="x")
    w = dt.Variable(np.array([[0.5, -1.0], [1.0, 0.25]], np.float32), name="w")
    begin = dt.zeros([dt.shape(x)[1], 2])
    h = dt.scan(lambda h, row: dt.tanh(dt.matmul(h, w) + row), x, initializer=begin)
    assert h.shape[1] == x.shape[1]
    gradient = dt.gradients(h[-1], w)[0]
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        for batch in (1, 4, 2):
            fed = np.random.default_rng(batch).normal(size=(3, batch, 2)).astype(np.float32)
            state, matrix = np.zeros((batch, 2), np.float32), session.run(w)
            for row in fed:
                state = np.tanh(state @ matrix + row)
            found, slope = session.run([h, gradient], {x: fed})
            np.testing.assert_allclose(found[-1], state, rtol=1e-5)
            assert slope.shape == (2, 2)


def test_sizes_that_broadcast_inside_are_settled_by_the_feed() -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    z = dt.placeholder(dt.float32, [None], name="z")
    y = dt.scan(lambda a, b: a + b * x * z, dt.constant([1.0, 2.0]), initializer=x * z)
    gradients = dt.gradients(y, [x, z])
    with dt.Session() as session:
        assert session.run(gradients, {x: [1.0, 2.0], z: [3.0, 4.0]})[1].tolist() == [6.0, 12.0]
        assert session.run(gradients, {x: [1.0, 2.0], z: [3.0]})[1].tolist() == [18.0]
        with pytest.raises(errors.FeedError, match="x.0 = 2 and z.0 = 3 must be equal, or one of them 1"):
            session.run(y, {x: [1.0, 2.0], z: [3.0, 2.0, 1.0]})


def test_sizes_that_data_determine_flow_into_loops() -> None:
    x = dt.placeholder(dt.float32, [None, 2], name="x")
    kept = dt.boolean_mask(x, x[:, 0] > 0.0)
    count = dt.cast(dt.shape(kept)[0], dt.float32)
    y = dt.scan(lambda a, b: a + b * count + dt.reduce_sum(dt.zeros_like(kept)), kept, initializer=dt.zeros([2]))
    with dt.Session() as session:
        for rows in ([[1.0, 2.0], [-1.0, 3.0], [2.0, 2.0]], [[1.0, 2.0], [-1.0, 3.0], [2.0, 2.0], [1.0, 1.0]]):
            fed = np.array(rows, np.float32)
            picked = fed[fed[:, 0] > 0]
            np.testing.assert_allclose(session.run(y, {x: fed}), np.cumsum(picked, 0) * len(picked))


def test_results_of_different_shapes_cannot_be_stacked() -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    y = dt.map_fn(lambda one: dt.boolean_mask(x, x > one), x)
    with pytest.raises(errors.OperationError, match=r"to be stacked, but one has shape \[2\], another \[1\]. Pad them"):
        run(y, {x: [1.0, 2.0, 3.0]})
    sums = dt.map_fn(lambda one: dt.reduce_sum(dt.boolean_mask(x, x > one)), x)
    assert run(sums, {x: [1.0, 2.0]}).tolist() == [2.0, 0.0]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda x: dt.scan(lambda a, b: dt.stack([a, b]), x), errors.ShapeError, r"yet fn returns float32\[2\] for it"),
        (lambda x: dt.scan(lambda a, b: dt.cast(a, dt.int32), x), errors.DTypeError, "keep its dtype"),
        (lambda x: dt.scan(lambda a, b: (a, b), x), errors.InvalidArgumentError, "a single value and 2 values"),
        (lambda x: dt.scan(lambda a, b: a, dt.constant(1.0)), errors.ShapeError, "its first axis is to be walked"),
        (lambda x: dt.scan(lambda a, b: None, x), errors.InvalidArgumentError, "returns None|differ"),
        (lambda x: dt.scan(3, x), errors.DTypeError, "fn is 3; give a function"),
        (lambda x: dt.map_fn(lambda a: dt.to_int32(a), x, dt.float32), errors.DTypeError, "dtype says float32"),
        (lambda x: dt.map_fn(lambda a: a, x, dtype=(dt.float32,)), errors.InvalidArgumentError, "structures of dtype"),
        (lambda x: dt.map_fn(lambda a: a[0], (x, dt.zeros([3]))), errors.ShapeError, "first axes .* differ"),
        (lambda x: dt.foldl(lambda a, b: a, []), errors.InvalidArgumentError, "elems holds no tensors"),
    ],
)
def test_scans_say_what_does_not_fit(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as found:
        make(dt.placeholder(dt.float32, [2], name="x"))
    assert "test_loops.py:" in str(found.value)


# Gradients. ----------------------------------------------------------------------------------------------------------


def scan_of_three(x: Any, w: Any, c: Any) -> Any:
    return dt.scan(lambda a, v: dt.tanh(a * w + v) * c, x, initializer=w)


def reversed_scan(x: Any, w: Any) -> Any:
    return dt.scan(lambda a, v: dt.sin(a) * v + w, x, initializer=w, reverse=True)


def scan_without_initializer(x: Any) -> Any:
    return dt.scan(lambda a, v: a * v + dt.sin(a), x)


def while_of_sines(x: Any, w: Any) -> Any:
    return dt.while_loop(lambda i, a: i < 4, lambda i, a: [i + 1, dt.sin(a * w) + x], [0, x])[1]


def while_that_depends_on_values(x: Any, w: Any) -> Any:
    return dt.while_loop(lambda a: dt.reduce_sum(dt.abs(a)) < 20.0, lambda a: a * w * w + a, [x])


def scan_in_scan(x: Any, w: Any) -> Any:
    def outer(a: Any, v: Any) -> Any:
        return dt.scan(lambda b, u: dt.tanh(b * u * w) + v, dt.stack([a, v, a * v]), initializer=a)[-1]

    return dt.scan(outer, x, initializer=w)


def cond_in_while(x: Any, w: Any) -> Any:
    def body(i: Any, a: Any) -> Any:
        return i + 1, dt.cond(dt.equal(i % 2, 0), lambda: a * dt.sin(x), lambda: a + w * a)

    return dt.while_loop(lambda i, a: i < 5, body, [0, w])[1]


def while_in_cond(x: Any, w: Any) -> Any:
    return dt.cond(x[0] > 0.0, lambda: while_of_sines(x, w), lambda: x * w)


def while_in_scan(x: Any, w: Any) -> Any:
    return dt.scan(lambda a, v: while_of_sines(v, a), x, initializer=w)


def swapping(x: Any, w: Any) -> Any:
    return dt.add_n(dt.while_loop(lambda i, a, b: i < 3, lambda i, a, b: (i + 1, b * x, a), [0, x, w])[1:])


def unused_carry(x: Any, w: Any) -> Any:
    return dt.while_loop(lambda i, a, b: i < 3, lambda i, a, b: (i + 1, a * x, b + a), [0, w, x])[1]


def constant_results(x: Any) -> Any:
    return dt.map_fn(lambda v: dt.ones([2], dt.float64), x) * dt.reduce_sum(x)


def mapped(x: Any) -> Any:
    return dt.map_fn(lambda v: dt.exp(v) * v, x)


def folded(x: Any) -> Any:
    return dt.foldr(lambda a, v: a * v + dt.sin(a), x)


def the_index_matters(x: Any) -> Any:
    return dt.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * a * dt.cast(i + 1, dt.float64)), [0, x])[1]


@pytest.mark.parametrize(
    ("build", "shapes"),
    [
        (scan_of_three, [(4, 3), (3,), (3,)]),
        (reversed_scan, [(3, 2), (2,)]),
        (scan_without_initializer, [(4, 2)]),
        (while_of_sines, [(3,), (3,)]),
        (while_that_depends_on_values, [(2,), (2,)]),
        (scan_in_scan, [(3, 2), (2,)]),
        (cond_in_while, [(3,), (3,)]),
        (while_in_cond, [(2,), (2,)]),
        (while_in_scan, [(2, 2), (2,)]),
        (swapping, [(2,), (2,)]),
        (unused_carry, [(2,), (2,)]),
        (constant_results, [(3, 2)]),
        (mapped, [(3, 2)]),
        (folded, [(4, 2)]),
        (the_index_matters, [(2,)]),
    ],
)
def test_gradients_by_finite_differences(build: Callable[..., Any], shapes: Sequence[tuple[int, ...]]) -> None:
    rng = np.random.default_rng(len(build.__name__))
    check_gradients(build, *(rng.uniform(0.5, 1.5, size=shape) for shape in shapes))


def test_gradients_with_symbolic_sizes() -> None:
    rng = np.random.default_rng(0)
    check_gradients(scan_without_initializer, rng.normal(size=(3, 2)), symbolic=True)
    check_gradients(mapped, rng.normal(size=(3, 2)), symbolic=True)
    check_gradients(lambda x: while_of_sines(x, x * 2.0), rng.normal(size=(3,)), symbolic=True)


def test_gradients_of_loops_that_do_not_run() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    y = dt.while_loop(lambda i, a: i < 0, lambda i, a: (i + 1, a * a), [0, x])[1]
    assert run(dt.gradients(y, x), {x: [3.0, 4.0]})[0].tolist() == [1.0, 1.0]


def test_back_prop_false_stops_gradients() -> None:
    x = dt.placeholder(dt.float32, [], name="x")
    y = dt.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * a), [0, x], back_prop=False)[1]
    assert dt.gradients(y * x, x)[0] is not None
    assert dt.gradients(y, x) == [None]
    assert dt.gradients(dt.map_fn(lambda a: a * a, dt.stack([x]), back_prop=False), x) == [None]


def test_integer_loop_variables_have_no_gradient() -> None:
    n = dt.constant(3)
    x = dt.placeholder(dt.float32, [], name="x")
    y = dt.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a * x), [0, x])[1]
    assert dt.gradients(y, [x, n])[1] is None


def test_what_a_loop_does_not_depend_on_has_no_gradient() -> None:
    x, other = dt.placeholder(dt.float32, []), dt.placeholder(dt.float32, [])
    y = dt.while_loop(lambda i, a, b: i < dt.to_int32(other), lambda i, a, b: (i + 1, a * x, b + x), [0, x, other])
    assert dt.gradients(y[1], other) == [None]
    assert run(dt.gradients(y[2], [x, other]), {x: 1.0, other: 3.0}) == [3.0, 1.0]


def test_rows_gathered_in_a_loop() -> None:
    table = dt.Variable(np.arange(6, dtype=np.float32).reshape(3, 2), name="table")
    rows = dt.map_fn(lambda i: dt.gather(table, i) ** 2.0, dt.constant([0, 2, 2]), dtype=dt.float32)
    assert run(dt.gradients(rows, table))[0].tolist() == [[0.0, 2.0], [0.0, 0.0], [16.0, 20.0]]


def test_newton_as_in_the_manual() -> None:
    """The square root of TensorFlow 1 tutorials, with its derivative."""
    a = dt.placeholder(dt.float64, [], name="a")
    root = dt.while_loop(lambda x: dt.abs(x * x - a) > 1e-12, lambda x: 0.5 * (x + a / x), [a * 1.0])
    (slope,) = dt.gradients(root, a)
    assert run([root, slope], {a: 2.0}) == pytest.approx([math.sqrt(2.0), 0.5 / math.sqrt(2.0)], rel=1e-9)
