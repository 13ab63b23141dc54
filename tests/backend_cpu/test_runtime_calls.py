"""What goes into a native step and comes out: arrays of every kind, sizes, states, failures."""

from __future__ import annotations

import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest

from dovetail.compiler.backend import Status
from dovetail.compiler.kernels.schedule import View
from dovetail.compiler.reference import ReferenceExecutable
from dovetail.types.dims import Symbol
from dovetail_backend_cpu.runtime import division, pyobjects
from dovetail_backend_cpu.runtime import executable as executable_module
from dovetail_backend_cpu.runtime.arena import arenas
from dovetail_backend_cpu.runtime.executable import NativeExecutable
from tests.backend_cpu import native_kernels as k
from tests.backend_cpu.native_kernels import build

MACOS = sys.platform == "darwin"


@pytest.fixture(autouse=True, params=[1, 1 << 20], ids=["in parts", "at once"])
def eager_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tasks are divided too, each part taken by whoever is free or each thread having its own."""
    monkeypatch.setattr(division, "TASK_WORK", 2)
    monkeypatch.setattr(division, "PART_WORK", request.param)
    monkeypatch.setattr(division, "STEP_WORK", 2)


@pytest.fixture(params=[True, False], ids=["by layout", "by asking"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses are read from the objects, and asked for in Python."""
    if not request.param:
        real = executable_module.runner()

        class Asking:
            reads_arrays = False

            def run(self, job: int) -> int:
                return real.run(job)

        monkeypatch.setattr(executable_module, "runner", Asking)


def adder(n: int = 4) -> NativeExecutable:
    x, y, out = k.storage(n, "input"), k.storage(n, "input"), k.storage(n, "output")
    return build([x, y], [out], [k.ADD(n, x, y, out)])


def test_objects_are_laid_out_as_expected_here() -> None:
    assert pyobjects.matches()


def test_an_unknown_layout_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pyobjects.ARRAY, "data", 24)
    assert not pyobjects.matches.__wrapped__()


def test_the_file_names_what_the_array_is() -> None:
    assert id(np.ndarray) == pyobjects.ARRAY_TYPE


@pytest.mark.parametrize(
    "make",
    [
        lambda a: a,
        lambda a: np.repeat(a, 2)[::2],
        lambda a: a[::-1].copy()[::-1],
        lambda a: a.astype(">f8"),
        lambda a: np.frombuffer(b"\0" + a.tobytes(), np.uint8)[1:].view(np.float64),
        lambda a: a.view(np.matrix).A1.view(type("Mine", (np.ndarray,), {})),
        lambda a: np.frombuffer(a.tobytes()),
    ],
    ids=["plain", "strided", "backwards", "other byte order", "unaligned", "subclass", "read-only"],
)
def test_any_array_can_be_fed(make: Any, way: None) -> None:
    run = adder()
    a = np.arange(4.0)
    for _ in range(2):
        (result,), status = run([make(a), a], {})
        assert status is None
        np.testing.assert_array_equal(result, 2 * a)
        assert type(result) is np.ndarray


def test_scalars_are_read_in_place(way: None) -> None:
    x, out, t = k.storage(1, "input"), k.storage(1, "output"), k.storage(1)
    run = build([x], [out], [k.DOUBLE_ONE(1, x, t), k.DOUBLE_ONE(1, t, out)], shapes={x: [], out: []})
    for value in (np.float64(1.5), np.array(1.5), 1.5):
        (result,), _ = run([value], {})
        assert result.shape == ()
        assert result == 6.0


def test_an_array_of_another_shape_than_promised_is_refused() -> None:
    with pytest.raises(ValueError, match=r"an input has shape \(3,\) where \(4,\) was promised"):
        adder()([np.ones(4), np.ones(3)], {})


def test_results_of_runs_share_no_memory(way: None) -> None:
    run = adder()
    first = run([np.ones(4), np.ones(4)], {})[0][0]
    second = run([np.zeros(4), np.ones(4)], {})[0][0]
    np.testing.assert_array_equal(first, 2.0)
    np.testing.assert_array_equal(second, 1.0)


def test_sizes_are_given_or_learned() -> None:
    n = Symbol("n")
    x, t, out = k.storage(n, "input"), k.storage(n), k.storage(n, "output")
    run = build([x], [out], [k.DOUBLE(n, x, t), k.REVERSE(n, t, out)], 2)
    for count in (1, 33, 0, 7, 64, 1000, 7):
        a = np.arange(float(count))
        for sizes in ({n: count}, {}):
            (result,), _ = run([a], sizes)
            np.testing.assert_array_equal(result, 2 * a[::-1])


def test_many_sizes_are_forgotten_in_turn() -> None:
    n = Symbol("n")
    x, out = k.storage(n, "input"), k.storage(n, "output")
    run = build([x], [out], [k.DOUBLE(n, x, out)])
    for count in range(200):
        (result,), _ = run([np.ones(count)], {n: count})
        assert result.sum() == 2 * count
    assert len(run._bindings) <= 64


def test_constants_are_read(rng: np.random.Generator) -> None:
    n = 100
    values = rng.standard_normal((n, 2))[:, 0]
    x, c, out = k.storage(n, "input"), k.storage(n, "constant", array=values), k.storage(n, "output")
    (result,), _ = build([x], [out], [k.ADD(n, x, c, out)])([np.ones(n)], {})
    np.testing.assert_array_equal(result, values + 1)


def test_offsets_reach_into_storages() -> None:
    x, t, out = k.storage(8, "input"), k.storage(8), k.storage(8, "output")
    steps = [
        k.DOUBLE(8, x, t),
        k.REVERSE(4, View(t, 4), View(out, 0)),
        k.ADD(4, View(x, 2), View(t, 1), View(out, 4)),
    ]
    (result,), _ = build([x], [out], steps, 2)([np.arange(8.0)], {})
    np.testing.assert_array_equal(result, [14, 12, 10, 8, 4, 7, 10, 13])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_state_is_written_in_place(threads: int, way: None) -> None:
    n = 50
    state, x, mean = k.storage(n, "state"), k.storage(n, "input"), k.storage(1, "output")
    run = build([x, state], [mean, state], [k.ACCUMULATE(n, x, state), k.SMALL(n, state, mean)], threads)
    weights = np.zeros(n)
    for i in range(5):
        (first_and_last, after), _ = run([np.arange(n) + 0.0, weights], {})
        assert after is weights
        assert first_and_last[0] == (i + 1) * (n - 1)
    np.testing.assert_array_equal(weights, 5.0 * np.arange(n))


def test_a_state_that_cannot_be_written_in_place_is_copied(way: None) -> None:
    n = 8
    state, x = k.storage(n, "state"), k.storage(n, "input")
    run = build([x, state], [state], [k.ACCUMULATE(n, x, state)])
    frozen = np.ones(n)
    frozen.flags.writeable = False
    strided = np.ones(2 * n)[::2]
    for given in (frozen, strided):
        (after,), _ = run([np.ones(n), given], {})
        np.testing.assert_array_equal(after, 2.0)
        np.testing.assert_array_equal(given, 1.0)


def failing(threads: int) -> tuple[NativeExecutable, list[Any]]:
    """Adds to a state unless the first element of x is more than 10."""
    n = 100
    state, x, t = k.storage(n, "state"), k.storage(n, "input"), k.storage(n)
    steps = [k.DOUBLE(n, x, t), k.FAIL_ABOVE(20, t), k.ACCUMULATE(n, t, state)]
    return build([x, state], [state], steps, threads, commit=2), [np.zeros(n)]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_failing_check_leaves_the_state_alone(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run, (weights,) = failing(threads)
    status = Status(0, "it failed")
    monkeypatch.setattr(ReferenceExecutable, "__call__", lambda self, inputs, sizes: ((), status))
    assert run([np.ones(100), weights], {})[1] is None
    for _ in range(20):
        assert run([np.full(100, 11.0), weights], {})[1] is status
        np.testing.assert_array_equal(weights, 2.0)
    assert run([np.full(100, 10.0), weights], {})[1] is None
    np.testing.assert_array_equal(weights, 22.0)


def test_the_reference_says_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def replay(self: ReferenceExecutable, inputs: Any, sizes: Any) -> Any:
        asked.append((self.program, inputs, sizes))
        return [], None

    monkeypatch.setattr(ReferenceExecutable, "__call__", replay)
    run, (weights,) = failing(1)
    inputs = [np.full(100, 30.0), weights]
    run(inputs, {})
    assert asked == [(run.program, inputs, {})]


def test_runs_take_turns_with_one_arena() -> None:
    arenas.clear()
    n = 1 << 16
    x, t, out = k.storage(n, "input"), k.storage(n), k.storage(n, "output")
    runs = [build([x], [out], [k.DOUBLE(n, x, t), k.REVERSE(n, t, out)]) for _ in range(10)]
    for run in runs:
        run([np.ones(n)], {})
    assert len(arenas._free) == 1
    assert arenas._free[0].size == 8 * n + 64


@pytest.mark.parametrize("threads", [1, 2])
def test_thousands_of_runs_leave_nothing_behind(threads: int) -> None:
    n = Symbol("n")
    x, t, out, total = k.storage(n, "input"), k.storage(n), k.storage(n, "output"), k.storage(1, "output")
    run = build([x], [out, total], [k.DOUBLE(n, x, t), k.REVERSE(n, t, out), k.SMALL(n, t, total)], threads)

    def some(count: int) -> None:
        for i in range(count):
            size = (100, 33, 7)[i % 3]
            run([np.ones(size)], {n: size})
            run([np.ones(2 * size)[::2]], {n: size})

    some(30)
    tracemalloc.start()
    some(100)
    before, _ = tracemalloc.get_traced_memory()
    some(1500)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 20_000


def test_a_program_without_steps_gives_its_state() -> None:
    state = k.storage(3, "state")
    weights = np.ones(3)
    (after,), status = build([state], [state], [])([weights], {})
    assert status is None
    assert after is weights


@pytest.mark.parametrize("threads", [1, 2])
def test_memory_that_python_does_not_count_does_not_grow(threads: int) -> None:
    resource = pytest.importorskip("resource")
    n = 1 << 17
    x, t, out = k.storage(n, "input"), k.storage(n), k.storage(n, "output")
    run = build([x], [out], [k.DOUBLE(n, x, t), k.REVERSE(n, t, out)], threads)
    array = np.ones(n)
    for _ in range(10):
        run([array], {})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(200):
        run([array], {})
    # A megabyte for each run would be 200; the unit is a kibibyte, on macOS a byte.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024 * (1024 if MACOS else 1)
