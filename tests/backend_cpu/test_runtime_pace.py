"""Whether steps run on all threads is decided by what they take; on a clock that the tests set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dovetail_backend_cpu.runtime import division, executable
from dovetail_backend_cpu.runtime.pace import Pace
from tests.backend_cpu import native_kernels as k
from tests.backend_cpu.native_kernels import build

STALL = 0.004
"""Seconds that a thread is kept from its core, of every twice as many."""


class Steps:
    """Steps of a program on some threads, one of which may be kept from its core."""

    def __init__(self, threads: int, seconds: float) -> None:
        self.pace = Pace(threads)
        self.threads, self.seconds = threads, seconds
        self.since = 0.0

    def run(self, seconds: float, *, stalls: bool) -> tuple[float, float]:
        """Run for some seconds; returns the mean time of a step, and the share of steps that ran alone."""
        spent, count, alone = 0.0, 0, 0
        while spent < seconds:
            taken = self.seconds * (self.threads if self.pace.alone else 1)
            if stalls and not self.pace.alone:
                self.since += taken
                taken += STALL * (self.since // STALL)
                self.since %= STALL
            alone += self.pace.alone
            self.pace.note(taken)
            spent += taken
            count += 1
        return spent / count, alone / count


lengths = pytest.mark.parametrize("seconds", [3e-5, 1e-3, 2e-2])


@lengths
@pytest.mark.parametrize("threads", [2, 16])
def test_all_threads_take_part_where_that_is_faster(seconds: float, threads: int) -> None:
    steps = Steps(threads, seconds)
    steps.run(5, stalls=False)
    mean, alone = steps.run(20, stalls=False)
    assert mean < 1.025 * seconds
    assert alone < 0.01


def test_one_thread_runs_where_the_others_are_in_the_way() -> None:
    pace = Pace(2)
    taken = 0
    for _ in range(20_000):
        taken += not pace.alone
        pace.note(1e-4 if pace.alone else 5e-4)
    assert taken < 2_000


@lengths
def test_the_choice_follows_what_happens(seconds: float) -> None:
    steps = Steps(2, seconds)
    steps.run(10, stalls=False)
    found = []
    for stalls in (True, False):
        steps.run(20, stalls=stalls)
        found.append(steps.run(10, stalls=stalls)[0])
    # Half of the time is lost to stalls, and so it would be on one thread.
    assert found[0] < 2.2 * seconds
    assert found[1] < 1.05 * seconds


def test_a_single_long_step_changes_nothing_for_long() -> None:
    steps = Steps(2, 1e-4)
    steps.run(5, stalls=False)
    steps.pace.note(3.0)
    steps.run(5, stalls=False)
    assert steps.run(5, stalls=False)[0] < 1.02e-4


@pytest.mark.parametrize("choice", [lambda count: False, lambda count: True, lambda count: count % 3 == 0])
def test_results_do_not_depend_on_it(choice: Callable[[int], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    class Given:
        def __init__(self, threads: int) -> None:
            self.count = 0
            self.alone = choice(0)

        def note(self, seconds: float) -> None:
            assert seconds > 0.0
            self.count += 1
            self.alone = choice(self.count)

    monkeypatch.setattr(executable, "Pace", Given)
    monkeypatch.setattr(division, "TASK_WORK", 2)
    monkeypatch.setattr(division, "STEP_WORK", 2)
    n = 500
    x, t, out = k.storage(n, "input"), k.storage(n), k.storage(n, "output")
    run = build([x], [out], [k.DOUBLE(n, x, t), k.REVERSE(n, t, out)], 2)
    for turn in range(30):
        (found,), status = run([np.arange(n) + float(turn)], {})
        assert status is None
        np.testing.assert_array_equal(found, 2 * (np.arange(n) + float(turn))[::-1])
    assert run._only is not None
    assert run._only.pace.count == 30
