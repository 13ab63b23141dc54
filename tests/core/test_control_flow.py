"""Branches, and what branches and loops share: variables, random numbers, errors inside, saving."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import dovetail as dt
from dovetail import errors
from dovetail.compiler.program import verify
from dovetail.ops.control_flow import smart_cond
from dovetail.ops.graphdata import graph_from_data, graph_to_data


def run(fetches: Any, feed_dict: Any = None) -> Any:
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        return session.run(fetches, feed_dict)


def names(program: Any) -> list[str]:
    return [one.op.name for one in verify(program).instructions]


def program_of(fetches: Any, feed_dict: Any = None) -> Any:
    return verify(dt.Session().program(fetches, feed_dict))


class Pair(NamedTuple):
    low: Any
    high: Any


# cond. ---------------------------------------------------------------------------------------------------------------


def test_the_branch_that_the_predicate_chooses_runs() -> None:
    x = dt.placeholder(dt.float32, [], name="x")
    y = dt.cond(x > 0.0, lambda: x * 2.0, lambda: -x)
    with dt.Session() as session:
        assert session.run(y, {x: 3.0}) == 6.0
        assert session.run(y, {x: -3.0}) == 3.0


def test_only_one_branch_runs() -> None:
    x = dt.placeholder(dt.int32, [], name="x")
    y = dt.cond(x > 0, lambda: 10 // x, lambda: dt.constant(-1))
    assert run(y, {x: 5}) == 2
    assert run(y, {x: 0}) == -1


def test_branches_return_nested_structures() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")

    def branch(factor: float) -> Callable[[], Any]:
        return lambda: {"b": [x * factor, dt.constant(1)], "a": Pair(x + factor, (x,))}

    result = dt.cond(x[0] > 0.0, branch(2.0), branch(3.0))
    assert isinstance(result["a"], Pair)
    values = run(result, {x: [1.0, 2.0]})
    assert values["b"][0].tolist() == [2.0, 4.0]
    assert values["a"].low.tolist() == [3.0, 4.0]
    assert run(result, {x: [-1.0, 2.0]})["a"].low.tolist() == [2.0, 5.0]


def test_a_single_value_is_unpacked_unless_strict() -> None:
    p = dt.placeholder(dt.bool, [])
    assert isinstance(dt.cond(p, lambda: [dt.constant(1)], lambda: [dt.constant(2)]), dt.Tensor)
    assert isinstance(dt.cond(p, lambda: [dt.constant(1)], lambda: [dt.constant(2)], strict=True), list)


def test_a_python_truth_value_picks_a_branch() -> None:
    before = len(dt.get_default_graph().get_operations())
    y = dt.cond(True, lambda: 1.0, lambda: dt.constant(2.0))
    assert len(dt.get_default_graph().get_operations()) == before + 1
    assert run(y) == 1.0
    assert run(dt.cond(np.bool_(False), lambda: 1.0, lambda: dt.constant(2.0))) == 2.0
    assert smart_cond(1, lambda: "one", lambda: "none") == "one"
    assert smart_cond(False, lambda: "one", lambda: "none") == "none"
    p = dt.placeholder(dt.bool, [])
    assert run(smart_cond(p, lambda: dt.constant(1), lambda: dt.constant(2)), {p: False}) == 2


def test_older_argument_names() -> None:
    p = dt.placeholder(dt.bool, [])
    assert run(dt.cond(p, fn1=lambda: dt.constant(1), fn2=lambda: dt.constant(2)), {p: False}) == 2


def test_what_both_branches_capture_is_passed_once() -> None:
    x, y = dt.placeholder(dt.float32, []), dt.placeholder(dt.float32, [])
    z = dt.cond(x > 0.0, lambda: x * y, lambda: x + dt.cond(y > 0.0, lambda: y, lambda: x))
    assert len(z.op.inputs) == 3
    assert run(z, {x: -1.0, y: 5.0}) == 4.0


def test_names_lie_in_the_scope() -> None:
    p = dt.placeholder(dt.bool, [])
    with dt.name_scope("outer"):
        y = dt.cond(p, lambda: dt.identity(dt.constant(1.0, name="one")), lambda: dt.constant(2.0), name="choice")
    assert y.op.name == "outer/choice/Cond"
    body = y.op.get_attr("then_body")
    assert [op.name for op in body.graph.get_operations()] == ["outer/choice/then/one", "outer/choice/then/Identity"]


def test_operations_as_results_run_and_become_true() -> None:
    v = dt.Variable(1.0)
    p = dt.placeholder(dt.bool, [1])
    done = dt.cond(p[0], lambda: v.assign(5.0).op, dt.no_op)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert session.run(done, {p: [False]})
        assert session.run(v) == 1.0
        assert session.run(done, {p: [True]})
        assert session.run(v) == 5.0


def test_sizes_in_which_branches_differ_are_known_when_it_runs() -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    p = dt.placeholder(dt.bool, [1], name="p")
    y = dt.cond(p[0], lambda: x * 2.0, lambda: dt.concat([x, x * x], 0))
    assert y.shape.rank == 1
    total = dt.reduce_sum(y * y) + dt.reduce_sum(dt.zeros_like(y))
    (gradient,) = dt.gradients(total, x)
    with dt.Session() as session:
        for flag, value, slope in ((True, [2.0, 4.0], [8.0, 16.0]), (False, [1.0, 2.0, 1.0, 4.0], [6.0, 36.0])):
            feeds = {x: [1.0, 2.0], p: [flag]}
            assert [one.tolist() for one in session.run([y, gradient], feeds)] == [value, slope]
            assert session.run(dt.shape(y), feeds).tolist() == [len(value)]


def test_ranks_may_differ_where_a_flag_decides() -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    flag = dt.placeholder(dt.bool, [], name="flag")
    y = dt.cond(flag, lambda: x * 2.0, lambda: dt.reduce_sum(x))
    gradients = dt.gradients(y, x)
    assert run(y, {x: [1.0, 2.0], flag: True}).tolist() == [2.0, 4.0]
    assert run(y, {x: [1.0, 2.0], flag: False}) == 3.0
    assert run(gradients, {x: [1.0, 2.0], flag: False})[0].tolist() == [1.0, 1.0]
    z = dt.cond(x[0] > 0.0, lambda: x * 2.0, lambda: dt.reduce_sum(x))
    with pytest.raises(
        errors.UnsupportedOperationError, match=r"output 0 is float32\[x.0\] and float32\[\] in the two"
    ):
        run(z, {x: [1.0]})


@pytest.mark.parametrize(
    ("true_fn", "false_fn", "error", "message"),
    [
        (lambda x: x, lambda x: (x, x), errors.InvalidArgumentError, "differ: a single value and 2 values"),
        (
            lambda x: {"a": x, "b": [x, x]},
            lambda x: {"a": x, "b": [x]},
            errors.InvalidArgumentError,
            r"differ at \['b'\]: 2 values in a list or tuple and 1 values",
        ),
        (lambda x: {"a": x}, lambda x: {"c": x}, errors.InvalidArgumentError, r"keys \['a'\] and keys \['c'\]"),
        (
            lambda x: [x, x],
            lambda x: [x, 1],
            errors.DTypeError,
            r"output\[1\] is float32\[\] from true_fn .* and int32\[\] from false_fn .* Make the dtypes equal",
        ),
        (lambda x: None, lambda x: x, errors.InvalidArgumentError, "true_fn .* returns None"),
    ],
)
def test_branches_must_agree(true_fn: Any, false_fn: Any, error: Any, message: str) -> None:
    x = dt.placeholder(dt.float32, [], name="x")
    with pytest.raises(error, match=f"^cond: .*{message}.*") as found:
        dt.cond(x > 0.0, lambda: true_fn(x), lambda: false_fn(x))
    assert "test_control_flow.py:" in str(found.value)


def test_predicates_are_single_truth_values() -> None:
    x = dt.placeholder(dt.float32, [], name="x")
    with pytest.raises(errors.DTypeError, match=r'predicate is float32\[\].*node "x".*test_control_flow'):
        dt.cond(x, lambda: x, lambda: x)
    with pytest.raises(errors.ShapeError, match=r"predicate is bool\[2\]; give a single one, by dt.reduce_all"):
        dt.cond(dt.constant([True, False]), lambda: x, lambda: x)
    with pytest.raises(errors.DTypeError, match="true_fn is .* give a function without arguments"):
        dt.cond(x > 0.0, x, lambda: x)


# case and Assert. ----------------------------------------------------------------------------------------------------


def test_case_takes_the_first_true_predicate() -> None:
    x = dt.placeholder(dt.int32, [], name="x")
    y = dt.case([(x < 0, lambda: -1), (x > 10, lambda: 2), (x > 0, lambda: 1)], default=lambda: 0)
    assert [int(run(y, {x: value})) for value in (-5, 50, 5, 0)] == [-1, 2, 1, 0]


def test_case_checks_what_it_is_asked_to() -> None:
    x = dt.placeholder(dt.int32, [], name="x")
    exclusive = dt.case([(x > 10, lambda: 2), (x > 0, lambda: 1)], default=lambda: 0, exclusive=True)
    complete = dt.case({x < 0: lambda: -1, x > 0: lambda: 1})
    assert run(exclusive, {x: 5}) == 1
    assert run(complete, {x: 5}) == 1
    with pytest.raises(errors.OperationError, match="more than one predicate is true. True True"):
        run(exclusive, {x: 50})
    with pytest.raises(errors.OperationError, match="none of the predicates is true"):
        run(complete, {x: 0})
    with pytest.raises(errors.InvalidArgumentError, match="no list of pairs"):
        dt.case([])


def test_an_assertion_in_a_branch_fails_when_the_branch_runs() -> None:
    x = dt.placeholder(dt.float32, [], name="x")

    def small() -> Any:
        dt.Assert(x < 10.0, ["x is", x])
        return x * 1.0

    y = dt.cond(x > 5.0, small, lambda: x)
    assert run(y, {x: 7.0}) == 7.0
    assert run(y, {x: -7.0}) == -7.0
    with pytest.raises(
        errors.OperationError, match=r'does not hold. x is; 70.0 .*node "cond/then/Assert" made at .*:\d+'
    ):
        run(y, {x: 70.0})


# Gradients of cond. --------------------------------------------------------------------------------------------------


def test_gradients_of_cond_are_those_of_the_branch() -> None:
    x, y, z = (dt.placeholder(dt.float64, [], name=name) for name in "xyz")
    value = dt.cond(x > 0.0, lambda: x * x * y, lambda: dt.sin(y))
    gradients = dt.gradients(value, [x, y, z])
    assert gradients[2] is None
    np.testing.assert_allclose(run(gradients[:2], {x: 3.0, y: 5.0}), [30.0, 9.0])
    np.testing.assert_allclose(run(gradients[:2], {x: -3.0, y: 5.0}), [0.0, np.cos(5.0)])
    second = dt.gradients(gradients[0], [x, y])
    np.testing.assert_allclose(run(second, {x: 3.0, y: 5.0}), [10.0, 6.0])
    np.testing.assert_allclose(run(second, {x: -3.0, y: 5.0}), [0.0, 0.0])


def test_what_has_no_gradient_only_matters_on_the_way() -> None:
    x = dt.placeholder(dt.float32, [3], name="x")
    y = dt.placeholder(dt.float32, [3], name="y")
    value = dt.cond(y[0] > 0.0, lambda: x + dt.cast(dt.argmax(y), dt.float32), lambda: x)
    (gradient,) = dt.gradients(value, x)
    assert run(gradient, {x: [1.0] * 3, y: [1.0] * 3}).tolist() == [1.0] * 3


def test_gradients_of_unknown_rank() -> None:
    x = dt.placeholder(dt.float32, None, name="x")
    y = dt.cond(dt.reduce_sum(x) > 0.0, lambda: x * x, lambda: -x)
    (gradient,) = dt.gradients(y, x)
    assert run(gradient, {x: [[1.0, 2.0]]}).tolist() == [[2.0, 4.0]]
    assert run(gradient, {x: -2.0}) == -1.0


# Flags. --------------------------------------------------------------------------------------------------------------


def test_flags_are_folded_wherever_they_flow() -> None:
    flag = dt.placeholder(dt.bool, [], name="flag")
    x = dt.placeholder(dt.float32, [None, 3], name="x")
    off = dt.logical_not(flag)
    y = dt.cond(off, lambda: x, lambda: x * dt.random_uniform([3]))
    z = dt.scan(lambda a, row: dt.cond(off, lambda: a + row, lambda: a * row), x, initializer=dt.zeros([3]))
    feeds = {x: np.ones((2, 3), np.float32)}
    without = program_of([y, z], {**feeds, flag: False})
    assert names(without) == ["Constant", "Scan"]
    assert [one.kind for one in without.inputs] == ["feed"]
    assert names(without.instructions[1].op.body) == ["Add"]
    with_flag = program_of([y, z], {**feeds, flag: True})
    assert [one.kind for one in with_flag.inputs] == ["feed", "key", "counter"]
    assert "Cond" not in names(with_flag)
    assert names(with_flag.instructions[-1].op.body) == ["Mul"]


def test_a_random_operation_counts_only_in_plans_that_keep_it() -> None:
    flag = dt.placeholder(dt.bool, [], name="flag")
    y = dt.cond(flag, lambda: dt.random_uniform([2]), lambda: dt.zeros([2]))
    with dt.Session() as session:
        session.run(y, {flag: False})
        assert session.random_state()["counters"] == {}
        session.run(y, {flag: True})
        assert session.random_state()["counters"] == {"cond/then/random_uniform/RandomBits": 1}


def test_a_branch_that_a_flag_rules_out_needs_no_variable() -> None:
    flag = dt.placeholder(dt.bool, [], name="flag")
    v = dt.Variable(1.0, name="v")
    y = dt.cond(flag, lambda: v * 2.0, lambda: dt.constant(0.0))
    with dt.Session() as session:
        assert session.run(y, {flag: False}) == 0.0
        with pytest.raises(errors.UninitializedVariableError, match='variable "v"'):
            session.run(y, {flag: True})


def test_a_branch_that_does_not_run_wants_nothing_of_the_sizes() -> None:
    x = dt.placeholder(dt.float32, ["n"], name="x")
    w = dt.constant(np.ones((4, 2), np.float32))
    y = dt.cond(dt.equal(dt.shape(x)[0], 4), lambda: dt.reduce_sum(dt.matmul([x], w)), lambda: dt.reduce_sum(x))
    assert run(y, {x: [1.0] * 4}) == 8.0
    assert run(y, {x: [1.0] * 3}) == 3.0


# Variables. ----------------------------------------------------------------------------------------------------------


def test_writes_in_a_branch_happen_when_it_runs_and_are_seen_after() -> None:
    v = dt.Variable(1.0, name="v")
    p = dt.placeholder(dt.bool, [1], name="p")
    before = dt.identity(v)
    y = dt.cond(p[0], lambda: v.assign_add(2.0), lambda: v * 10.0)
    after = dt.identity(v)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert session.run([before, y, after], {p: [True]}) == [1.0, 3.0, 3.0]
        assert session.run([before, y, after], {p: [False]}) == [3.0, 30.0, 3.0]
        assert session.run(v) == 3.0


def test_every_effect_of_a_body_happens() -> None:
    v = dt.Variable(0, name="v")

    def body(i: Any) -> Any:
        dt.cond(dt.equal(i % 2, 0), lambda: v.assign_add(i), lambda: v.assign_sub(1))
        return i + 1

    last = dt.while_loop(lambda i: i < 5, body, [0])
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert session.run(last) == 5
        assert session.run(v) == 0 - 1 + 2 - 1 + 4


def test_a_loop_sees_what_it_wrote_before() -> None:
    v = dt.Variable(1.0, name="v")

    def body(i: Any, total: Any) -> Any:
        old = v * 1.0
        v.assign(old * 2.0)
        return i + 1, total + old + v

    result = dt.while_loop(lambda i, total: dt.logical_and(i < 10, v < 16.0), body, [0, 0.0])
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert session.run([result, v.value()]) == [[4, 1 + 2 + 2 + 4 + 4 + 8 + 8 + 16], 16.0]


def test_a_scan_carries_the_variables_it_writes() -> None:
    v = dt.Variable([0.0, 0.0], name="v")
    rows = dt.placeholder(dt.float32, [None, 2], name="rows")
    y = dt.map_fn(lambda row: v.assign_add(row) * 1.0, rows)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert session.run(y, {rows: [[1.0, 2.0], [3.0, 4.0]]}).tolist() == [[1.0, 2.0], [4.0, 6.0]]
        assert session.run(v).tolist() == [4.0, 6.0]


def test_a_variable_that_is_only_read_is_read_around_the_body() -> None:
    v = dt.Variable([1.0, 2.0], name="v")
    x = dt.placeholder(dt.float32, [2], name="x")
    read = dt.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * v), [0, x])[1]
    v.assign([7.0, 7.0])
    gradients = dt.gradients(read, [v, x])
    assert [one.tolist() for one in run(gradients, {x: [1.0, 1.0]})] == [[3.0, 12.0], [1.0, 8.0]]


def test_gradients_through_what_is_written_are_refused() -> None:
    v = dt.Variable(1.0, name="v")
    x = dt.placeholder(dt.float32, [], name="x")
    y = dt.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * v.assign(v * 2.0)), [0, x])[1]
    with pytest.raises(
        errors.GradientError, match=r"uses a variable that the same branch or loop body writes.*made at"
    ):
        dt.gradients(y, x)


def test_gradients_pass_by_writes_that_they_do_not_need() -> None:
    moving = dt.Variable(0.0, trainable=False, name="moving")
    x = dt.placeholder(dt.float32, [2], name="x")

    def training() -> Any:
        mean = dt.reduce_mean(x)
        moving.assign(0.5 * moving + 0.5 * mean)
        return x - mean

    p = dt.placeholder(dt.bool, [1], name="p")
    y = dt.cond(p[0], training, lambda: x - moving)
    (gradient,) = dt.gradients(dt.reduce_sum(y * y), x)
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        np.testing.assert_allclose(session.run(gradient, {x: [1.0, 3.0], p: [True]}), [-2.0, 2.0])
        assert session.run(moving) == 1.0
        np.testing.assert_allclose(session.run([gradient, y], {x: [1.0, 3.0], p: [False]}), [[0.0, 4.0], [0.0, 2.0]])
        assert session.run(moving) == 1.0


def test_an_optimizer_in_a_branch_and_in_a_loop() -> None:
    v = dt.Variable([1.0, 2.0], name="v")
    loss = dt.reduce_sum(dt.square(v))
    p = dt.placeholder(dt.bool, [1], name="p")
    sgd = dt.train.GradientDescentOptimizer(0.1)
    once = dt.cond(p[0], lambda: sgd.minimize(loss), dt.no_op)
    momentum = dt.train.MomentumOptimizer(0.1, 0.9)

    def body(i: Any) -> Any:
        with dt.control_dependencies([momentum.minimize(dt.reduce_sum(dt.square(v)))]):
            return i + 1

    thrice = dt.while_loop(lambda i: i < 3, body, [0])
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        session.run(once, {p: [False]})
        assert session.run(v).tolist() == [1.0, 2.0]
        session.run(once, {p: [True]})
        np.testing.assert_allclose(session.run(v), [0.8, 1.6])
        session.run(thrice)
        expected, velocity = np.array([0.8, 1.6]), np.zeros(2)
        for _ in range(3):
            velocity = 0.9 * velocity + 2 * expected
            expected = expected - 0.1 * velocity
        np.testing.assert_allclose(session.run(v), expected, rtol=1e-5)


def test_gradients_inside_a_body_reach_what_is_outside() -> None:
    w = dt.Variable(2.0, name="w")
    x = dt.constant(3.0)

    def body(i: Any, a: Any) -> Any:
        outer, inner = dt.gradients(dt.square(w * x) * a, [w, a])
        return i + 1, a + 0.0 * outer + inner

    assert run(dt.while_loop(lambda i, a: i < 2, body, [0, 1.0])) == [2, 73.0]


def test_control_dependencies_on_operations_around() -> None:
    v = dt.Variable(0.0, name="v")
    write = v.assign_add(1.0)
    p = dt.placeholder(dt.bool, [1], name="p")

    def after() -> Any:
        with dt.control_dependencies([write]):
            return dt.identity(v.read_value())

    y = dt.cond(p[0], after, lambda: dt.constant(-1.0))
    assert run(y, {p: [True]}) == 1.0


# Random numbers. -----------------------------------------------------------------------------------------------------


def test_each_iteration_draws_numbers_of_its_own() -> None:
    dt.set_random_seed(4)
    once = dt.map_fn(lambda x: dt.random_uniform([]), dt.zeros([5]))
    nested = dt.map_fn(lambda x: dt.map_fn(lambda y: dt.random_uniform([]), x), dt.zeros([2, 3]))
    results = []
    for _ in range(2):
        with dt.Session() as session:
            first, again, both = session.run(once), session.run(once), session.run(nested)
            assert len(set(first) | set(again)) == 10
            assert len(set(both.reshape(-1))) == 6
            results.append(np.concatenate([first, again, both.reshape(-1)]))
    np.testing.assert_array_equal(*results)


def test_gradients_see_the_numbers_that_were_drawn() -> None:
    x = dt.ones([4])
    y = dt.map_fn(lambda one: one * dt.random_uniform([], seed=7), x)
    z = dt.cond(dt.reduce_sum(x) > 0.0, lambda: x * dt.random_uniform([4]), lambda: x)
    with dt.Session() as session:
        session.run(y)
        for _ in range(2):
            drawn, slope = session.run([y, dt.gradients(y, x)[0]])
            np.testing.assert_array_equal(drawn, slope)
            drawn, slope = session.run([z, dt.gradients(z, x)[0]])
            np.testing.assert_array_equal(drawn, slope)


# Errors inside. ------------------------------------------------------------------------------------------------------


def test_a_failure_names_the_operation_inside_and_changes_nothing() -> None:
    v = dt.Variable(0.0, name="v")
    x = dt.placeholder(dt.int32, [], name="x")

    def body(i: Any) -> Any:
        v.assign_add(1.0)
        return i + 1 + 0 * (10 // (x - i))

    result = dt.while_loop(lambda i: i < 5, body, [0])
    with dt.Session() as session:
        session.run(dt.global_variables_initializer())
        assert session.run(result, {x: 100}) == 5
        message = (
            r'FloorDiv: .*zero.*No variable has changed. \(node "while/body/floordiv" made at .*test_control_flow.py'
        )
        with pytest.raises(errors.OperationError, match=message):
            session.run(result, {x: 3})
        assert session.run(v) == 5.0


def test_a_failure_deep_inside_names_its_node() -> None:
    x = dt.placeholder(dt.int32, [], name="x")
    y = dt.map_fn(
        lambda one: dt.cond(one > 1, lambda: 10 // (x - one), lambda: one),
        dt.constant([1, 2, 3]),
    )
    with pytest.raises(errors.OperationError, match='node "map/body/cond/then/floordiv" made at'):
        run(y, {x: 2})


def test_the_numerics_check_looks_into_bodies() -> None:
    x = dt.placeholder(dt.float32, [None], name="x")
    y = dt.map_fn(lambda one: dt.log(one) * 2.0, x)
    with dt.Session(check_numerics=True) as session:
        session.run(y, {x: [1.0, 2.0]})
        with pytest.raises(errors.NumericsError, match='Log made 1 infinite.*node "map/body/Log"'):
            session.run(y, {x: [1.0, 0.0]})


def test_lines_inside_are_the_users() -> None:
    x = dt.placeholder(dt.float32, [2], name="x")
    with pytest.raises(errors.ShapeError, match=r"shapes do not broadcast.*node \"cond/then/add\" made at .*:\d+"):
        dt.cond(x[0] > 0.0, lambda: x + dt.zeros([3]), lambda: x)
    assert dt.get_default_graph().get_name_scope() == ""


def test_a_tensor_of_a_body_is_of_no_use_outside() -> None:
    leaked: list[Any] = []
    x = dt.placeholder(dt.float32, [], name="x")

    def branch() -> Any:
        leaked.append(x * 2.0)
        return x

    dt.cond(x > 0.0, branch, lambda: x)
    with pytest.raises(errors.GraphError, match="belongs to another graph"):
        dt.identity(leaked[0])


# Saving. -------------------------------------------------------------------------------------------------------------


def test_bodies_are_saved_with_the_graph() -> None:
    dt.set_random_seed(3)
    v = dt.Variable(1.0, name="v")
    x = dt.placeholder(dt.float32, [None, 2], name="x")

    def step(a: Any, row: Any) -> Any:
        return dt.cond(dt.reduce_sum(row) > 0.0, lambda: a + row * v, lambda: a * dt.random_uniform([2], seed=3))

    dt.identity(dt.scan(step, x, initializer=dt.zeros([2])), name="y")
    dt.identity(dt.while_loop(lambda i: i < 3, lambda i: (v.assign_add(1.0), i + 1)[1], [0]), name="t")
    feeds = [[1.0, 2.0], [-1.0, -1.0], [0.0, 1.0]]
    data = json.loads(json.dumps(graph_to_data(dt.get_default_graph())))
    gradients = dt.gradients(dt.get_default_graph().get_tensor_by_name("y:0"), [x, v])

    def results(fetches: Any, prefix: str = "") -> list[Any]:
        with dt.Session() as session:
            session.run(dt.global_variables_initializer())
            first = session.run([f"{prefix}y:0", *fetches], {f"{prefix}x:0": feeds})
            session.run(f"{prefix}t:0")
            return [*first, session.run(f"{prefix}v:0")]

    expected = results(gradients)
    with dt.Graph().as_default() as graph:
        graph_from_data(data, graph)
        again = dt.gradients(graph.get_tensor_by_name("y:0"), [graph.get_tensor_by_name("x:0"), *dt.global_variables()])
        for one, other in zip(expected, results(again), strict=True):
            np.testing.assert_array_equal(one, other)
        graph_from_data(data, graph, import_scope="again")
        np.testing.assert_array_equal(results([], "again/")[0][0], [1.0, 2.0])


def test_switch_case() -> None:
    which = dt.placeholder(dt.int32, [])
    x = dt.constant(3.0)
    functions = [lambda: x * 1.0, lambda: x * x, lambda: x * x * x]
    by_place = dt.switch_case(which, functions)
    by_number = dt.switch_case(which, {7: functions[1], -1: functions[2]}, default=lambda: -x)
    by_pairs = dt.switch_case(which, [(4, functions[0]), (2, functions[1])])
    with dt.Session() as session:
        for number, expected in ((0, [3.0, -3.0, 3.0]), (2, [27.0, -3.0, 9.0]), (7, [27.0, 9.0, 3.0])):
            assert session.run([by_place, by_number, by_pairs], {which: number}) == expected
        assert session.run(dt.gradients(by_place, x)[0], {which: 1}) == 6.0
    with pytest.raises(dt.errors.InvalidArgumentError, match="^switch_case: there are no functions; give"):
        dt.switch_case(which, [])
