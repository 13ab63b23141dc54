"""Code for ARM: samples of every definition under an emulator, beside what this machine's code gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.extend import Op
from dovetail.kernels import Launch
from dovetail_backend_cpu.runtime.executable import NativeExecutable
from tests.backend_cpu import conformance, emulated
from tests.backend_cpu.conformance import Built

pytestmark = pytest.mark.skipif(bool(emulated.missing()), reason=f"not installed: {emulated.missing()}")
SHORT = 24


class Watch:
    """Every run of a native program: what ran, on what, and what it gave."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs: list[tuple[NativeExecutable, list[Any], Mapping[Any, int], list[Any]]] = []
        real = NativeExecutable.__call__

        def call(executable: NativeExecutable, inputs: Any, sizes: Any, *more: Any) -> Any:
            given = [np.array(one) for one in inputs]
            outputs, status = real(executable, inputs, sizes, *more)
            self.runs.append((executable, given, dict(sizes), [np.array(one) for one in outputs]))
            return outputs, status

        monkeypatch.setattr(NativeExecutable, "__call__", call)


def check(definition: type[Op], number: int, monkeypatch: pytest.MonkeyPatch, folder: Path) -> int:
    """Compare two samples of a definition and their gradients; returns how many programs could be run here."""
    samples = conformance.samples_of(definition)
    chosen = [samples[i] for i in sorted({0, len(samples) - 1})]
    mode = conformance.modes()[number * 3 % len(conformance.modes())]
    with dt.Graph().as_default(), monkeypatch.context() as patch:
        built = Built()
        for sample in chosen:
            built.add(sample, mode, np.random.default_rng(number), order=1)
        watch = Watch(patch)
        if built.fetches:
            conformance.run_all("cpu", built.fetches, built.feeds)
    compared = 0
    for place, (executable, inputs, sizes, wanted) in enumerate(watch.runs):
        schedule = executable.schedule
        if not schedule.steps or not all(isinstance(step, Launch) for step in schedule.steps):
            continue  # loops and branches are the runner's
        where = folder / str(place)
        where.mkdir()
        known = executable._learn(inputs, sizes)
        found = emulated.run(schedule, inputs, known, where)
        compared += 1
        for one, expected in zip(found, wanted, strict=True):
            # Both compute in the same order, but functions of the vector library may differ in the last place.
            text = conformance.difference(one.reshape(expected.shape), expected, max(built.allowed))
            assert text is None, f"{definition.__name__}, {mode}: {text}"
    return compared


def some() -> list[tuple[int, type[Op]]]:
    """Definitions from all over, with their numbers."""
    known = list(enumerate(conformance.definitions()))
    return known[:: max(1, len(known) // SHORT)]


def test_code_for_arm_gives_the_same_for_some_definitions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compared = 0
    for number, definition in some():
        folder = tmp_path / str(number)
        folder.mkdir()
        compared += check(definition, number, monkeypatch, folder)
    assert compared > SHORT // 2


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "definition"),
    [pytest.param(i, one, id=one.__name__) for i, one in enumerate(conformance.definitions())],
)
def test_code_for_arm_gives_the_same(
    number: int, definition: type[Op], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    check(definition, number, monkeypatch, tmp_path)
