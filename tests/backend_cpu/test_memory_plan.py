"""Memory of native steps: as planned, never growing; variables written in place, never seen through fetches."""

from __future__ import annotations

import gc
import resource
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.kernels import plan_memory
from dovetail.types.dims import evaluate
from dovetail_backend_cpu.runtime.arena import arenas
from tests.backend_cpu.conformance import REFERENCE, assert_agree, session
from tests.backend_cpu.models import MODELS, Model

BACKEND = "cpu"


def momentum() -> Any:
    return dt.train.MomentumOptimizer(0.05, 0.9)


# The arena. ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_the_arena_is_as_large_as_planned(name: str) -> None:
    model = Model(name)
    step = model.minimize(momentum)
    arenas.clear()
    with session(BACKEND, graph=model.graph, num_threads=1) as opened:
        opened.run(model.initializer())
        feeds = {**model.feeds(256), model.training: True}
        opened.run([model.loss, step], feeds)
        (entry,) = [one for one in opened._plans.values() if one.fetch_count == 1]
        executable = entry.plan.segments[0].executable
        sizes = dict.fromkeys(executable._symbols, 256)
        planned = plan_memory(executable.schedule, sizes).total
        together = sum(evaluate(one.size, sizes) * one.dtype.size for one in executable.schedule.lifetimes)
        allocated = max(arena.size for arena in arenas._free)
        scratch = max(context.bound.scratch_bytes for one in executable._bindings.values() for context in one.contexts)
    assert planned <= allocated <= 1.05 * planned + scratch
    assert planned < 0.9 * together, "nothing takes the place of anything"


def test_what_is_computed_on_the_way_is_not_in_memory() -> None:
    """A chain is one kernel, and needs no room but for its result."""
    x = dt.placeholder(dt.float32, [None, 100])
    y = x
    for _ in range(10):
        y = dt.tanh(y * 2.0 + 1.0)
    arenas.clear()
    with session(BACKEND) as opened:
        opened.run(dt.reduce_sum(y, 1), {x: np.ones((1000, 100))})
        assert sum(arena.size for arena in arenas._free) < 100_000


# Leaks. --------------------------------------------------------------------------------------------------------------


def resident() -> int:
    """Peak resident memory in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def test_ten_thousand_steps_leak_nothing() -> None:
    model = Model("mlp")
    step = model.minimize(momentum)
    with session(BACKEND, graph=model.graph) as opened:
        opened.run(model.initializer())
        run = opened.make_callable([model.loss, step, model.output], [*model.inputs, model.training])
        values = [[*model.feeds(batch).values(), True] for batch in (8, 5)]
        for number in range(50):
            run(*values[number % 2])
        gc.collect()
        before = resident()
        tracemalloc.start()
        for number in range(500):
            run(*values[number % 2])
        gc.collect()
        first = tracemalloc.get_traced_memory()[0]
        for number in range(500):
            run(*values[number % 2])
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - first
        tracemalloc.stop()
        for number in range(9000):
            run(*values[number % 2])
        assert grown < 10_000
        assert resident() - before < 16 << 20


def test_closed_sessions_leave_nothing() -> None:
    x = dt.placeholder(dt.float32, [None, 50_000])
    y = dt.cumsum(dt.exp(x), 1) + 1.0

    def use() -> None:
        with session(BACKEND) as opened:
            opened.run(y, {x: np.ones((20, 50_000), np.float32)})

    for _ in range(3):
        use()
    gc.collect()
    before = resident()
    for _ in range(30):
        use()
    gc.collect()
    assert resident() - before < 32 << 20


# State. --------------------------------------------------------------------------------------------------------------


def test_variables_keep_their_arrays() -> None:
    model = Model("mlp")
    step = model.minimize(momentum)
    with session(BACKEND, graph=model.graph) as opened:
        opened.run(model.initializer())
        feeds = model.feeds(8)
        opened.run(step, feeds)
        arrays = {name: array for name, array in opened._variables.items() if np.ndim(array)}
        opened.run([model.loss, step], feeds)
        moved = [name for name, array in arrays.items() if opened._variables[name] is not array]
        assert not moved
        assert arrays


def test_fetches_share_no_memory_with_state() -> None:
    v = dt.Variable(np.arange(6.0).reshape(2, 3), name="v")
    step = v.assign_add(dt.ones_like(v))
    with session(BACKEND) as opened:
        opened.run(v.initializer)
        for fetches in (v, [v, v], step, [step, v], dt.reshape(v, [3, 2]), dt.identity(v)):
            found = opened.run(fetches)
            for one in found if isinstance(found, list) else [found]:
                assert not any(np.shares_memory(one, state) for state in opened._variables.values())
                one[...] = -100.0
        assert opened.run(v).min() >= 0.0


def steps(fetches: Any, variables: list[dt.Variable], count: int = 3) -> tuple[Any, Any]:
    """Run a step a few times on both backends; returns what was fetched and what is left in the variables."""
    results = []
    for backend in (BACKEND, REFERENCE):
        with session(backend) as opened:
            opened.run([one.initializer for one in variables])
            results.append([*(opened.run(fetches) for _ in range(count)), opened.run(variables)])
    return results[0], results[1]


def test_the_old_value_beside_an_update() -> None:
    v = dt.Variable([1.0, 2.0, 3.0])
    old = v.read_value()
    update = v.assign(dt.reverse(v, [0]) * 2.0)
    new = v.read_value()
    found, expected = steps([old, update, new, old + new], [v])
    assert found[0][0].tolist() == [1.0, 2.0, 3.0]
    assert found[0][1].tolist() == found[0][2].tolist() == [6.0, 4.0, 2.0]
    assert_agree(found, expected)


def test_two_variables_swap() -> None:
    a, b = dt.Variable([1.0, 2.0]), dt.Variable([3.0, 4.0])
    first, second = a.read_value(), b.read_value()
    swap = dt.group(a.assign(second), b.assign(first))
    found, expected = steps([swap, dt.no_op()], [a, b])
    assert [one.tolist() for one in found[-1]] == [[3.0, 4.0], [1.0, 2.0]]
    assert_agree(found[-1], expected[-1])


def test_three_variables_rotate_and_mix() -> None:
    a, b, c = (dt.Variable(np.arange(4.0) + i) for i in range(3))
    x, y, z = (one.read_value() for one in (a, b, c))
    updates = [a.assign(y + z), b.assign(dt.reverse(x, [0])), c.assign(dt.cumsum(x * y))]
    assert_agree(*steps([x, *updates, dt.reduce_sum(z)], [a, b, c]))


def test_assign_read_assign() -> None:
    v = dt.Variable([1.0, 2.0])
    first = v.assign(v * 3.0)
    between = v.read_value() + 0.5
    second = v.assign_sub(between)
    last = dt.identity(v.read_value())
    assert_agree(*steps([first, between, second, last], [v]))


def test_a_variable_is_read_by_what_runs_after_its_update() -> None:
    """A row that is gathered at once with the update of all rows, and a product with the old value."""
    table = dt.Variable(np.arange(12.0).reshape(4, 3))
    rows = dt.gather(table, [3, 0, 3])
    product = dt.matmul(table, table, transpose_b=True)
    update = table.assign_sub(dt.reduce_mean(product) * 0.01 * table + dt.reverse(table, [0]))
    assert_agree(*steps([rows, product, update, dt.gather(table, [1])], [table]))


def test_plans_that_look_for_nan_keep_old_arrays() -> None:
    v = dt.Variable([1.0, 2.0])
    update = v.assign(v * 2.0)
    with session(BACKEND, check_numerics=True) as opened:
        opened.run(v.initializer)
        opened.run(update)
        before = opened._variables["Variable"]
        opened.run(update)
        assert opened._variables["Variable"] is not before
        assert before.tolist() == [2.0, 4.0]


def test_state_within_loops_and_branches() -> None:
    v = dt.Variable(np.arange(5.0))
    x = v.read_value() + 1.0
    looped = dt.while_loop(lambda i, u: i < 3, lambda i, u: (i + 1, u * 0.5 + v), (0, x))[1]
    chosen = dt.cond(dt.reduce_sum(x) > 15.5, lambda: v + x, lambda: v - x)
    assert_agree(*steps([chosen, v.assign(looped + chosen), looped], [v]))
