"""Schedules of hand-written kernels on the step runner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from dovetail.compiler.kernels.schedule import Branch, Repeat, Schedule, Storage
from dovetail.compiler.program import Output, Program, ProgramInput, Value
from dovetail.types.shapes import Shape, TensorType
from dovetail_backend_cpu.llvm.machine import host
from dovetail_backend_cpu.runtime import bind as bind_module
from dovetail_backend_cpu.runtime.executable import NativeExecutable
from tests.backend_cpu import native_kernels as k


@pytest.fixture(autouse=True)
def eager_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tasks are divided too."""
    monkeypatch.setattr(bind_module, "TASK_WORK", 2)
    monkeypatch.setattr(bind_module, "STEP_WORK", 2)


def build(
    inputs: Sequence[Storage],
    outputs: Sequence[Storage],
    steps: Sequence[Any],
    threads: int = 1,
    commit: int | None = None,
    shapes: dict[Storage, Any] | None = None,
) -> NativeExecutable:
    """Make an executable; temporaries live from the first to the last step that has them."""

    def value(storage: Storage) -> Value:
        return Value(TensorType(storage.dtype, Shape((shapes or {}).get(storage, [storage.size]))))

    values = {one: value(one) for one in (*inputs, *outputs)}
    program = Program(
        [ProgramInput(values[one], "argument", i) for i, one in enumerate(inputs)],
        [],
        [Output(values[one], "result", i) for i, one in enumerate(outputs)],
    )
    lifetimes: dict[Storage, tuple[int, int]] = {}
    for i, step in enumerate(steps):
        for one in used([step]):
            if one.role == "temporary":
                lifetimes[one] = (lifetimes.get(one, (i, i))[0], i)
    schedule = Schedule(inputs, outputs, steps, len(steps) if commit is None else commit, lifetimes)
    return NativeExecutable(program, schedule, host(), threads, k.PRINTERS)


def used(steps: Sequence[Any]) -> list[Storage]:
    """All storages of steps."""
    found: list[Storage] = []
    for step in steps:
        if isinstance(step, Repeat):
            found += used([*step.before, *step.steps]) + [one for pair in step.swaps for one in pair]
            found += [step.condition.storage] if step.condition else []
            found += [step.index] if step.index else []
        elif isinstance(step, Branch):
            found += [step.predicate.storage, *used([*step.then, *step.otherwise])]
        else:
            found += [view.storage for view in step.buffers if view is not None]
    return found


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
