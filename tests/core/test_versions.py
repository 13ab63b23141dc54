"""What executables are told of variables: which inputs they are, and whether they are what they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.compiler.plan import divide, optimize
from dovetail.compiler.reference import ReferenceExecutable


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """The versions that calls are made with."""
    found: list[int | None] = []
    original = ReferenceExecutable.__call__

    def call(self: ReferenceExecutable, inputs: Sequence[Any], sizes: Any, version: int | None = None) -> Any:
        found.append(version)
        return original(self, inputs, sizes, version)

    monkeypatch.setattr(ReferenceExecutable, "__call__", call)
    return found


def opened() -> dt.Session:
    return dt.Session(config=dt.ConfigProto(backends={"CPU": "reference"}))


def test_versions_change_with_the_variables(versions: list[int | None]) -> None:
    x = dt.placeholder(dt.float32, [])
    variable = dt.Variable(1.0)
    assign, read = variable.assign(x + 0.5), variable * x
    with opened() as session, opened() as other:
        for one in (session, other):
            one.run(variable.initializer)
        versions.clear()
        for value in (1.0, 2.0):
            for one in (session, session, other):
                one.run(read, {x: value})
            session.run(assign, {x: value})
        session.run(read, {x: 3.0})
    first, again, elsewhere, assigned, second, later, unchanged, _, third = versions
    assert first == again
    assert elsewhere == unchanged
    assert assigned is None
    assert second == later
    assert len({first, second, third, elsewhere}) == 4


def test_random_numbers_change_no_version(versions: list[int | None]) -> None:
    variable = dt.Variable(np.zeros(3, np.float32))
    noisy = variable + dt.random_uniform([3])
    with opened() as session:
        session.run(variable.initializer)
        versions.clear()
        assert (session.run(noisy) != session.run(noisy)).any()
    assert versions[0] == versions[1] is not None


def kinds(fetch: dt.Tensor, targets: dt.Operation | None = None) -> list[set[str]]:
    """Return the kinds of inputs that a run's parts have."""
    with opened() as session:
        program = session.program([fetch, targets] if targets is not None else fetch)
        return [{given.kind for given in part.inputs} for _, part in divide(optimize(program), session.devices)]


def test_variables_are_states_where_none_is_written() -> None:
    one, other = dt.Variable(np.ones(3, np.float32)), dt.Variable(np.ones(3, np.float32))
    assert kinds(one * other) == [{"state"}]
    # What stays the same in a step that writes others is an argument like any; who reads "state" may write it.
    assert kinds(one * 2.0, other.assign_add(one).op) == [{"state", "argument"}]
