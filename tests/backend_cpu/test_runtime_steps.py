"""Schedules of hand-written kernels on the step runner."""

from __future__ import annotations

import numpy as np
import pytest

from dovetail.compiler.backend import Status
from dovetail.compiler.kernels.schedule import Branch, Repeat, View
from dovetail.compiler.reference import ReferenceExecutable
from dovetail.types.dims import Symbol, dim_max, dim_min, floor_div
from dovetail_backend_cpu.runtime import division
from tests.backend_cpu import native_kernels as k
from tests.backend_cpu.native_kernels import build


@pytest.fixture(autouse=True, params=[1, 1 << 20], ids=["in parts", "at once"])
def eager_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tasks are divided too, each part taken by whoever is free or each thread having its own."""
    monkeypatch.setattr(division, "TASK_WORK", 2)
    monkeypatch.setattr(division, "PART_WORK", request.param)
    monkeypatch.setattr(division, "STEP_WORK", 2)


threads = pytest.mark.parametrize("threads", [1, 2, 3])


@threads
def test_a_chain_gives_its_values(threads: int, rng: np.random.Generator) -> None:
    n = 1000
    x, y, out = k.storage(n, "input"), k.storage(n, "input"), k.storage(n, "output")
    t, u = k.storage(n), k.storage(n)
    run = build([x, y], [out], [k.ADD(n, x, y, t), k.REVERSE(n, t, u), k.DOUBLE(n, u, out)], threads)
    a, b = rng.standard_normal((2, n))
    for _ in range(20):
        (result,), status = run([a, b], {})
        assert status is None
        np.testing.assert_array_equal(result, (a + b)[::-1] * 2)


@threads
def test_one_thread_runs_what_is_small(threads: int) -> None:
    n = 500
    x, t, u, s, out = k.storage(n, "input"), k.storage(n), k.storage(n), k.storage(1), k.storage(1, "output")
    steps = [k.DOUBLE(n, x, t), k.REVERSE(n, t, u), k.SMALL(n, u, s), k.SMALL(1, s, out)]
    run = build([x], [out], steps, threads)
    for i in range(50):
        (result,), _ = run([np.arange(n) + float(i)], {})
        assert result[0] == 2 * (2 * (n - 1 + 2 * i))


@threads
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("body", ["divided", "small"])
def test_a_loop_goes_through_rows(threads: int, reverse: bool, body: str, rng: np.random.Generator) -> None:
    """Running sums of rows, with a state that trades places."""
    rows, n = 7, 64 if body == "divided" else 1
    i = Symbol("i")
    xs, init = k.storage(rows * n, "input"), k.storage(n, "input")
    old, new, out, last = k.storage(n), k.storage(n), k.storage(rows * n, "output"), k.storage(n, "output")
    add = k.ADD if body == "divided" else k.ADD_ONE
    double = k.DOUBLE if body == "divided" else k.DOUBLE_ONE
    steps = [
        double(n, init, old),
        Repeat(
            i, rows, [add(n, View(xs, i * n), old, new), double(n, new, View(out, i * n))], swaps=[(old, new)],
            reverse=reverse,
        ),
        double(n, old, last),
    ]  # fmt: skip
    run = build([xs, init], [out, last], steps, threads)
    for _ in range(20):
        a, b = rng.standard_normal((rows, n)), rng.standard_normal(n)
        (sums, end), status = run([a.reshape(-1), b], {})
        assert status is None
        ordered = a[::-1] if reverse else a
        state, wanted = 2 * b, []
        for row in ordered:
            state = row + state
            wanted.append(2 * state)
        np.testing.assert_array_equal(sums.reshape(rows, n), wanted[::-1] if reverse else wanted)
        np.testing.assert_array_equal(end, 2 * state)


@threads
def test_a_loop_of_no_turns_changes_nothing(threads: int) -> None:
    n, rows, i = 8, Symbol("rows"), Symbol("i")
    xs, init, old, new, out = (
        k.storage(rows * n, "input"), k.storage(n, "input"), k.storage(n), k.storage(n), k.storage(n, "output"),
    )  # fmt: skip
    loop = Repeat(i, rows, [k.ADD(n, View(xs, i * n), old, new)], swaps=[(old, new)])
    steps = [k.DOUBLE(n, init, old), loop, k.DOUBLE(n, old, out)]
    run = build([xs, init], [out], steps, threads, shapes={xs: [rows, n]})
    for count in (0, 3, 0, 2):
        (result,), _ = run([np.ones((count, n)), np.ones(n)], {})
        np.testing.assert_array_equal(result, np.full(n, 2.0 * (2 + count)))


@threads
@pytest.mark.parametrize("n", [64, 1])
def test_a_loop_ends_by_its_condition(threads: int, n: int) -> None:
    """Doubles until the first element reaches 64, and counts the turns."""
    divided = n > 1
    i = Symbol("i")
    double = k.DOUBLE if divided else k.DOUBLE_ONE
    x, old, new, go, out = (
        k.storage(n, "input"), k.storage(n), k.storage(n), k.storage(1, dtype=k.BOOL), k.storage(n, "output"),
    )  # fmt: skip
    index, counted = k.storage(1, dtype=k.I64), k.storage(1, "output", k.I64)
    loop = Repeat(
        i, None, [double(n, old, new), k.COPY_WORD(1, index, counted)], swaps=[(old, new)],
        before=[k.BELOW(64, old, go)], condition=View(go), index=index,
    )  # fmt: skip
    run = build([x], [out, counted], [double(n, x, old), loop, double(n, old, out)], threads)
    for start in (1.0, 3.0, 16.0, 31.0):
        (result, turns), status = run([np.full(n, start)], {})
        assert status is None
        value, count = 2 * start, 0
        while value < 64:
            value, count = value * 2, count + 1
        np.testing.assert_array_equal(result, np.full(n, 2 * value))
        assert turns[0] == count - 1


@threads
@pytest.mark.parametrize("n", [64, 1])
def test_a_branch_takes_one_side(threads: int, n: int) -> None:
    add, double = (k.ADD, k.DOUBLE) if n > 1 else (k.ADD_ONE, k.DOUBLE_ONE)
    x, t, chosen = k.storage(n, "input"), k.storage(n), k.storage(n)
    predicate, out = k.storage(1, dtype=k.BOOL), k.storage(n, "output")
    steps = [
        double(n, x, t),
        k.BELOW(10, t, predicate),
        Branch(View(predicate), [double(n, t, chosen)], [add(n, x, t, chosen)]),
        double(n, chosen, out),
    ]
    run = build([x], [out], steps, threads)
    for value in (1.0, 9.0, 2.0, 8.0) * 5:
        (result,), _ = run([np.full(n, value)], {})
        np.testing.assert_array_equal(result, np.full(n, 2 * (4 * value if 2 * value < 10 else 3 * value)))


@threads
def test_loops_nest(threads: int, rng: np.random.Generator) -> None:
    """Sums of a row's neighbours into each row: offsets of two counters."""
    n, i, j = 32, Symbol("i"), Symbol("j")
    xs, out = k.storage(4 * 3 * n, "input"), k.storage(4 * n, "output")
    total = k.storage(n)
    inner = Repeat(j, 3, [k.ACCUMULATE(n, View(xs, (i * 3 + j) * n), total)])
    outer = Repeat(i, 4, [k.ZERO(n, total), inner, k.DOUBLE(n, total, View(out, i * n))])
    run = build([xs], [out], [outer], threads)
    a = rng.standard_normal((4, 3, n))
    (result,), _ = run([a.reshape(-1)], {})
    np.testing.assert_allclose(result.reshape(4, n), 2 * a.sum(1), rtol=1e-12)


@threads
def test_offsets_divide_and_compare_counters(threads: int) -> None:
    n, i = 16, Symbol("i")
    xs, out = k.storage(4 * n, "input"), k.storage(6 * n, "output")
    place = dim_min(dim_max(floor_div(i * 3 - 4, 2), 0), 3)
    loop = Repeat(i, 6, [k.DOUBLE(n, View(xs, place * n), View(out, i * n))])
    run = build([xs], [out], [loop], threads)
    (result,), _ = run([np.repeat(np.arange(4.0), n)], {})
    wanted = [2.0 * min(max((i * 3 - 4) // 2, 0), 3) for i in range(6)]
    np.testing.assert_array_equal(result.reshape(6, n), np.repeat(wanted, n).reshape(6, n))


@threads
@pytest.mark.parametrize("n", [64, 1])
def test_a_failure_ends_a_loop_whose_condition_holds_for_ever(
    threads: int, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = Status(0, "it failed")
    monkeypatch.setattr(ReferenceExecutable, "__call__", lambda self, inputs, sizes: ((), status))
    double = k.DOUBLE if n > 1 else k.DOUBLE_ONE
    x, old, new, go = k.storage(n, "input"), k.storage(n), k.storage(n), k.storage(1, dtype=k.BOOL)
    state = k.storage(n, "state")
    loop = Repeat(
        Symbol("i"), None, [double(n, old, new), k.FAIL_ABOVE(1000, new)], swaps=[(old, new)],
        before=[k.BELOW(1 << 40, x, go)], condition=View(go),
    )  # fmt: skip
    run = build([x, state], [state], [double(n, x, old), loop, double(n, old, state)], threads, commit=2)
    before = np.zeros(n)
    for _ in range(20):
        assert run([np.ones(n), before], {})[1] is status
        np.testing.assert_array_equal(before, 0.0)
