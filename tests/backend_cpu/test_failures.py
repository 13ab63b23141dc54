"""Steps that fail: the error is the reference's, and no variable has changed, whatever the step had done by then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DovetailError, NumericsError
from tests.backend_cpu.conformance import REFERENCE, session

BACKEND = "cpu"

FAILURES: dict[str, tuple[Callable[[Any, Any], Any], Any, Any]] = {
    "gather": (lambda x, i: dt.gather(x, i), [0, 2, 1], [0, 3, 1]),
    "gather below 0": (lambda x, i: dt.gather(x, i, axis=1), [0, 1, 1], [0, -1, 1]),
    "gather_nd": (lambda x, i: dt.gather_nd(x, dt.expand_dims(i, -1)), [0, 1, 2], [0, 1, 7]),
    "scatter_nd": (lambda x, i: dt.scatter_nd(dt.expand_dims(i, -1), x, [3, 3]), [0, 1, 2], [0, 1, 3]),
    "scatter_add_rows": (lambda x, i: dt.scatter_add_rows(x, i, x), [0, 1, 2], [0, 1, 3]),
    "division": (lambda x, i: dt.cast(6 // i, dt.float32), [1, 2, 3], [1, 0, 3]),
    "remainder": (lambda x, i: x * dt.cast(7 % i, dt.float32), [1, 2, 3], [1, 2, 0]),
    "power": (lambda x, i: dt.cast(dt.pow(2, i), dt.float32), [1, 2, 3], [1, -2, 3]),
    "assertion": (lambda x, i: checked(x, i), [1, 2, 3], [1, 2, 9]),
    "in a loop": (lambda x, i: dt.map_fn(lambda k: dt.gather(x, k), i, dtype=dt.float32), [0, 1, 2], [0, 5, 2]),
    "remainder in a loop": (
        lambda x, i: x * dt.map_fn(lambda k: dt.cast(7 % k, dt.float32), i, dtype=dt.float32),
        [1, 2, 3],
        [1, 0, 3],
    ),
    "in a branch": (
        lambda x, i: dt.cond(i[0] > 0, lambda: dt.gather(x, i), lambda: dt.identity(x)),
        [0, 5, 5],
        [1, 5, 5],
    ),
}


def checked(x: Any, i: Any) -> Any:
    with dt.control_dependencies([dt.Assert(dt.reduce_all(i < 5), [i])]):
        return dt.identity(x)


@pytest.mark.parametrize("name", FAILURES)
def test_a_failing_step_changes_nothing(name: str) -> None:
    make, right, wrong = FAILURES[name]
    i = dt.placeholder(dt.int32, [3])
    first = np.arange(9, dtype=np.float32).reshape(3, 3) + 1.0
    counter, table = dt.Variable(0.0), dt.Variable(first)
    early = counter.assign_add(1.0)
    loss = dt.reduce_sum(dt.square(make(table, i)))
    step = dt.group(table.assign_sub(0.1 * dt.ones_like(table)), early, counter.assign_add(10.0))
    messages = []
    for backend in (BACKEND, REFERENCE):
        with session(backend) as opened:
            opened.run(dt.global_variables_initializer())
            opened.run([loss, step], {i: right})
            before = opened.run([counter, table])
            with pytest.raises(DovetailError) as caught:
                opened.run([loss, step], {i: wrong})
            messages.append((type(caught.value), str(caught.value)))
            after = opened.run([counter, table])
            assert before[0] == after[0] == 11.0
            np.testing.assert_array_equal(after[1], before[1])
            opened.run([loss, step], {i: right})
            assert opened.run(counter) == 22.0
    assert messages[0] == messages[1]


def test_the_greatest_of_nothing() -> None:
    x = dt.placeholder(dt.float32, [None, None])
    w = dt.Variable([1.0, 2.0])
    fetches = [dt.reduce_max(x, 1), w.assign_add([1.0, 1.0])]
    for function in (dt.reduce_max, dt.reduce_min, dt.argmax):
        messages = []
        for backend in (BACKEND, REFERENCE):
            with session(backend) as opened:
                opened.run(w.initializer)
                with pytest.raises(DovetailError) as caught:
                    opened.run([function(x, 1), fetches[1]], {x: np.ones((2, 0))})
                messages.append(str(caught.value).split("(node")[0])
                assert opened.run(w).tolist() == [1.0, 2.0]
        assert messages[0] == messages[1]


def test_a_step_that_looks_for_nan_changes_nothing_when_it_finds_one() -> None:
    x = dt.placeholder(dt.float32, [2])
    w = dt.Variable([4.0, 1.0])
    step = w.assign(dt.log(x) + w)
    messages = []
    for backend in (BACKEND, REFERENCE):
        with session(backend, check_numerics=True) as opened:
            opened.run(w.initializer)
            opened.run(step, {x: [1.0, 1.0]})
            with pytest.raises(NumericsError) as caught:
                opened.run(step, {x: [1.0, -1.0]})
            messages.append(str(caught.value))
            assert opened.run(w).tolist() == [4.0, 1.0]
    assert messages[0] == messages[1]


def test_sizes_that_only_the_run_tells_are_looked_at_before_code_relies_on_them() -> None:
    graph = dt.Graph()
    with graph.as_default():
        x, kept = dt.placeholder(dt.float32, [4], name="x"), dt.placeholder(dt.bool, [4], name="kept")
        total = dt.get_variable("total", [3], initializer=dt.zeros_initializer())
        y = dt.identity(dt.boolean_mask(x, kept) + dt.constant([1.0, 2.0, 3.0]), name="y")
        step = dt.assign_add(total, y)
        initialize = dt.global_variables_initializer()
    with session(BACKEND, graph=graph) as opened:
        opened.run(initialize)

        def run(*mask: int) -> Any:
            return opened.run([y, step], {x: [1.0, 2.0, 3.0, 4.0], kept: np.array(mask, bool)})

        np.testing.assert_array_equal(run(1, 1, 1, 0)[0], [2.0, 4.0, 6.0])
        np.testing.assert_array_equal(run(1, 0, 0, 0)[1], [4.0, 7.0, 10.0])  # one element goes with each
        for mask in ((1, 0, 1, 0), (1, 1, 1, 1), (0, 0, 0, 0)):
            with pytest.raises(dt.errors.OperationError, match=r"shapes \(\d,\) \(3,\).*No variable has changed"):
                run(*mask)
        np.testing.assert_array_equal(opened.run(total), [4.0, 7.0, 10.0])
        np.testing.assert_array_equal(run(0, 1, 1, 1)[1], [7.0, 12.0, 17.0])


@pytest.mark.parametrize("wrong", [0, 1])
def test_no_table_changes_where_an_index_of_one_of_them_is_out_of_range(wrong: int) -> None:
    indices = [dt.placeholder(dt.int32, [None]) for _ in range(2)]
    rows = dt.placeholder(dt.float32, [None, 130])
    tables = [dt.Variable(np.ones((50, 130), np.float32)) for _ in range(2)]
    steps = [dt.scatter_add(tables[0], indices[0], rows).op, dt.scatter_update(tables[1], indices[1], rows).op]
    given = np.arange(3 * 130, dtype=np.float32).reshape(3, 130)
    feeds = {indices[0]: [1, 49, 1], indices[1]: [0, 1, 0], rows: given}
    with session(BACKEND) as opened:
        opened.run(dt.global_variables_initializer())
        opened.run(steps, feeds)
        before = opened.run(tables)
        expected = np.ones((50, 130), np.float32)
        np.add.at(expected, [1, 49, 1], given)
        np.testing.assert_array_equal(before[0], expected)
        np.testing.assert_array_equal(before[1][:2], given[[2, 1]])
        with pytest.raises(DovetailError, match=r"index 50 at \[2\] is out of range"):
            opened.run(steps, {**feeds, indices[wrong]: [0, 1, 50]})
        after = opened.run(tables)
    np.testing.assert_array_equal(before, after)
