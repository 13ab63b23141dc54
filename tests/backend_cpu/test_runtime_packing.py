"""Packed copies of weights: once before a loop, and once between changes of the variables."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.compiler.kernels.schedule import Repeat, launches
from dovetail.compiler.plan import Plan
from dovetail_backend_cpu.runtime import division, packing
from dovetail_backend_cpu.runtime.bind import bind
from dovetail_backend_cpu.runtime.executable import NativeExecutable
from dovetail_backend_cpu.runtime.opcodes import OPERANDS, Opcode
from dovetail_backend_cpu.runtime.packing import PackedCopies
from tests.backend_cpu.conformance import REFERENCE, session

INPUTS, OUTPUTS = 48, 40


@pytest.fixture(autouse=True)
def eager_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tasks are divided too."""
    monkeypatch.setattr(division, "TASK_WORK", 2)
    monkeypatch.setattr(division, "STEP_WORK", 2)


threads = pytest.mark.parametrize("threads", [1, 2])


class Dense:
    """A product with a variable, whose value can be set."""

    def __init__(self) -> None:
        self.graph = dt.Graph()
        with self.graph.as_default():
            dt.set_random_seed(5)
            self.x = dt.placeholder(dt.float32, [None, INPUTS], name="x")
            self.weights = dt.Variable(dt.random_normal([INPUTS, OUTPUTS]), name="weights")
            self.y = dt.matmul(self.x, self.weights)
            self.given = dt.placeholder(dt.float32, [INPUTS, OUTPUTS])
            self.assign = self.weights.assign(self.given)
            self.initialize = dt.global_variables_initializer()


def rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, INPUTS)).astype(np.float32)


def compiled(graph: dt.Graph, fetch: dt.Tensor, threads: int = 1) -> NativeExecutable:
    """Compile what a session would."""
    with session("cpu", graph=graph) as opened:
        plan = Plan(opened.program(fetch), opened.devices, num_threads=threads, in_place=True)
    (segment,) = plan.segments
    assert isinstance(segment.executable, NativeExecutable)
    return segment.executable


# Between runs. -------------------------------------------------------------------------------------------------------


@threads
@pytest.mark.parametrize("batches", [(3, 3, 3), (32, 1, 32), (7, 64, 2)])
def test_predictions_follow_the_variables(threads: int, batches: tuple[int, ...]) -> None:
    model = Dense()
    with session("cpu", graph=model.graph, num_threads=threads) as opened:
        opened.run(model.initialize)
        for turn in range(4):
            value = np.random.default_rng(turn).standard_normal((INPUTS, OUTPUTS)).astype(np.float32)
            opened.run(model.assign, {model.given: value})
            for count in batches * 2:
                found = opened.run(model.y, {model.x: rows(count)})
                np.testing.assert_allclose(found, rows(count) @ value, rtol=1e-3, atol=1e-4)


@threads
def test_copies_last_while_the_version_does(threads: int) -> None:
    model = Dense()
    run = compiled(model.graph, model.y, threads)
    places = {given.kind: place for place, given in enumerate(run.program.inputs)}
    first, second = (
        np.random.default_rng(seed).standard_normal((INPUTS, OUTPUTS)).astype(np.float32) for seed in (1, 2)
    )
    weights = first.copy()

    def predict(version: int | None, count: int = 5) -> np.ndarray:
        arguments: list[Any] = [None, None]
        arguments[places["state"]], arguments[1 - places["state"]] = weights, rows(count)
        (found,), status = run(arguments, {}, version)
        assert status is None
        return np.asarray(found)

    old, new = ((rows(5) @ value) for value in (first, second))
    np.testing.assert_allclose(predict(1), old, rtol=1e-3, atol=1e-4)
    weights[:] = second  # behind the back of who promised that nothing changes
    np.testing.assert_allclose(predict(1), old, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(predict(1, count=9)[:5], old, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(predict(2), new, rtol=1e-3, atol=1e-4)
    weights[:] = first
    for _ in range(3):
        np.testing.assert_allclose(predict(None), old, rtol=1e-3, atol=1e-4)
        weights[:] = second
        np.testing.assert_allclose(predict(None), new, rtol=1e-3, atol=1e-4)
        weights[:] = first
    np.testing.assert_allclose(predict(2), old, rtol=1e-3, atol=1e-4)


def test_sessions_have_copies_of_their_own() -> None:
    model = Dense()
    values = [np.full((INPUTS, OUTPUTS), value, np.float32) for value in (1.0, 2.0)]
    opened = [session("cpu", graph=model.graph) for _ in values]
    for one, value in zip(opened, values, strict=True):
        one.run(model.assign, {model.given: value})
    x = np.ones((6, INPUTS), np.float32)
    for _ in range(3):
        for one, value in zip(opened, values, strict=True):
            np.testing.assert_array_equal(one.run(model.y, {model.x: x}), x @ value)
    for one in opened:
        one.close()


def test_threads_predict_while_another_assigns() -> None:
    """A prediction is of one value of the variable, and never of an older one than was seen before."""
    model = Dense()
    errors: list[BaseException] = []
    done = threading.Event()
    with session("cpu", graph=model.graph) as opened:
        opened.run(model.assign, {model.given: np.zeros((INPUTS, OUTPUTS), np.float32)})

        def predict(count: int) -> None:
            try:
                x, last = np.ones((count, INPUTS), np.float32), 0.0
                while not done.is_set():
                    found = opened.run(model.y, {model.x: x})
                    assert (found == found[0, 0]).all()
                    assert found[0, 0] >= last
                    last = found[0, 0]
            except BaseException as error:  # noqa: BLE001 - told by the main thread
                errors.append(error)

        runners = [threading.Thread(target=predict, args=(count,)) for count in (5, 5, 12)]
        for one in runners:
            one.start()
        for turn in range(60):
            opened.run(model.assign, {model.given: np.full((INPUTS, OUTPUTS), turn, np.float32)})
            found = opened.run(model.y, {model.x: np.ones((2, INPUTS), np.float32)})
            assert (found == INPUTS * turn).all()
        done.set()
        for one in runners:
            one.join()
    assert not errors


def test_a_step_that_writes_packs_nothing_for_later() -> None:
    model = Dense()
    with model.graph.as_default():
        loss = dt.reduce_sum(dt.square(model.y))
        train = dt.train.GradientDescentOptimizer(1e-3).minimize(loss)
    feed = {model.x: rows(4)}
    found = []
    for backend in ("cpu", REFERENCE):
        with session(backend, graph=model.graph) as opened:
            opened.run(model.assign, {model.given: np.ones((INPUTS, OUTPUTS), np.float32)})
            losses = []
            for _ in range(3):
                opened.run(train, feed)
                losses.append(opened.run(loss, feed))
            found.append(losses)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)


def test_the_memory_goes_with_the_executable(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[Any]] = []

    class Copy(packing.PackedCopy):  # type: ignore[misc]
        __slots__ = ("__weakref__",)

        def __init__(self, size: int) -> None:
            super().__init__(size)
            made.append(weakref.ref(self))

    monkeypatch.setattr(packing, "PackedCopy", Copy)
    model = Dense()
    with session("cpu", graph=model.graph) as opened:
        opened.run(model.initialize)
        for turn in range(5):
            opened.run(model.assign, {model.given: np.full((INPUTS, OUTPUTS), turn, np.float32)})
            for count in (2, 20, 200):
                opened.run(model.y, {model.x: rows(count)})
        assert len(made) == 1  # for all sizes and versions
    gc.collect()
    assert made[0]() is None


def test_runs_at_one_time_get_what_fits_their_version() -> None:
    copies = PackedCopies(64)
    first, fills = copies.take(1)
    assert fills
    other, fills = copies.take(1)
    assert fills  # the first is not yet filled
    assert other is not first
    copies.give(other, 1, filled=True)
    copies.give(first, 1, filled=True)
    same, fills = copies.take(1)
    assert not fills
    newer, fills = copies.take(2)
    assert fills
    assert newer is not same  # which is being read
    copies.give(newer, 2, filled=True)
    copies.give(same, 1, filled=False)
    assert copies.take(2) == (newer, False)
    copies.give(newer, 2, filled=False)
    again, fills = copies.take(3)
    assert fills
    assert again is newer  # nobody reads it any more
    copies.give(again, 3, filled=False)
    assert copies.take(3)[1]  # the run that should have filled it failed


# In loops. -----------------------------------------------------------------------------------------------------------


def scanned(reverse: bool = False) -> tuple[dt.Graph, dt.Tensor, dt.Tensor, dt.Tensor]:
    """Return the inputs and the states of a recurrence whose weights are computed before the loop."""
    graph = dt.Graph()
    with graph.as_default():
        x = dt.placeholder(dt.float32, [None, 6, OUTPUTS])
        square = dt.placeholder(dt.float32, [OUTPUTS, OUTPUTS])
        weights = dt.tanh(square) + 0.01
        steps = dt.transpose(x, [1, 0, 2])
        states = dt.scan(
            lambda state, row: dt.tanh(dt.matmul(state, weights) + row),
            steps,
            initializer=dt.zeros_like(x[:, 0]),
            reverse=reverse,
        )
    return graph, x, square, states


@threads
@pytest.mark.parametrize("reverse", [False, True])
def test_loops_agree_with_the_reference(threads: int, reverse: bool) -> None:
    graph, x, square, states = scanned(reverse)
    found: dict[str, list[Any]] = {"cpu": [], REFERENCE: []}
    for backend, results in found.items():
        with session(backend, graph=graph, num_threads=threads) as opened:
            for count in (8, 1, 8, 0, 70):
                rng = np.random.default_rng(count)
                feeds = {
                    x: rng.standard_normal((count, 6, OUTPUTS), np.float32),
                    square: rng.standard_normal((OUTPUTS, OUTPUTS), np.float32) / 10,
                }
                results.append(opened.run(states, feeds))
    for one, other in zip(found["cpu"], found[REFERENCE], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@threads
def test_constant_phases_run_before_the_loop(threads: int) -> None:
    graph, _, _, states = scanned()
    run = compiled(graph, states, threads)
    constant = {
        address
        for launch in launches(run.schedule.steps)
        for phase, address in zip(run._tasks[launch.task].plan.phases, run._tasks[launch.task].addresses, strict=True)
        if phase.constant
    }
    assert constant
    assert any(isinstance(step, Repeat) for step in run.schedule.steps)
    bound = bind(run.schedule, dict.fromkeys(run._symbols, 8), run._tasks, threads, lasting=run._lasting)
    code = _instructions(bound.code.tolist())
    back = max(place for place, opcode, _ in code if opcode == Opcode.JUMP)
    head = next(operands[0] for place, _, operands in code if place == back)
    called = [place for place, opcode, operands in code if opcode in _CALLS and operands[0] in constant]
    assert called
    assert max(called) < head < back


_CALLS = (Opcode.CALL, Opcode.CALL_ONE)


def _instructions(code: list[int]) -> list[tuple[int, Opcode, list[int]]]:
    found = []
    place = 0
    while place < len(code):
        opcode = Opcode(code[place])
        found.append((place, opcode, code[place + 1 : place + 1 + OPERANDS[opcode]]))
        place += 1 + OPERANDS[opcode]
    return found


@threads
@pytest.mark.parametrize("layer", [dt.layers.lstm, dt.layers.gru])
def test_recurrent_layers_predict_after_each_step(layer: Callable[..., Any], threads: int) -> None:
    """Weights of loops are variables: packed in each training step, kept between predictions."""
    graph = dt.Graph()
    with graph.as_default():
        dt.set_random_seed(3)
        x = dt.placeholder(dt.float32, [None, 5, 8])
        outputs = layer(x, 24)
        loss = dt.reduce_mean(dt.square(outputs[0] if isinstance(outputs, tuple) else outputs))
        train = dt.train.GradientDescentOptimizer(0.5).minimize(loss)
        initialize = dt.global_variables_initializer()
    found = {}
    feeds = [np.random.default_rng(count).standard_normal((count, 5, 8), np.float32) for count in (4, 9, 4)]
    for backend in ("cpu", REFERENCE):
        with session(backend, graph=graph, num_threads=threads) as opened:
            opened.run(initialize)
            losses = []
            for _ in range(3):
                opened.run(train, {x: feeds[0]})
                losses += [opened.run(loss, {x: feed}) for feed in feeds]
            found[backend] = losses
    np.testing.assert_allclose(found["cpu"], found[REFERENCE], rtol=1e-4)
