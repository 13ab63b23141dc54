"""The static memory plan: no two temporaries in use at once share memory, and little is wasted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dovetail.compiler.kernels.memory import ALIGNMENT, peak, place, plan_memory
from dovetail.compiler.kernels.schedule import Launch, Schedule, Storage
from dovetail.errors import ShapeError
from dovetail.kernels import Kernel
from dovetail.types.dims import Symbol
from dovetail.types.dtypes import as_dtype

F32 = as_dtype(np.float32)
blocks = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 12), st.integers(0, 6)).map(
        lambda one: (one[0] * ALIGNMENT, (one[1], one[1] + one[2]))
    ),
    max_size=30,
)


@given(blocks)
def test_blocks_in_use_at_once_lie_apart(some: list[tuple[int, tuple[int, int]]]) -> None:
    lengths, spans = [one[0] for one in some], [one[1] for one in some]
    offsets, total = place(lengths, spans)
    for i, (start, length, (first, last)) in enumerate(zip(offsets, lengths, spans, strict=True)):
        assert start % ALIGNMENT == 0
        assert start >= 0
        assert start + length <= total
        for j in range(i):
            if first <= spans[j][1] and spans[j][0] <= last and length and lengths[j]:
                assert start + length <= offsets[j] or offsets[j] + lengths[j] <= start
    assert place(lengths, spans) == (offsets, total)


@given(blocks)
def test_the_arena_is_between_the_peak_and_the_sum(some: list[tuple[int, tuple[int, int]]]) -> None:
    schedule = scheduled([(length // 4, span) for length, span in some])
    total = plan_memory(schedule, {}).total
    assert peak(schedule, {}) <= total <= sum(length for length, _ in some)


def scheduled(some: list[tuple[object, tuple[int, int]]]) -> Schedule:
    """A schedule of nothing but temporaries: elements of float32, first and last step."""
    lifetimes = {Storage(F32, size, "temporary"): span for size, span in some}  # type: ignore[arg-type]
    steps = [Launch(Kernel([], [], []), [], [])] * (1 + max([0, *(last for _, (_, last) in some)]))
    return Schedule([], [], steps, len(steps), lifetimes)


def test_activations_kept_for_the_way_back_fit_as_tightly_as_they_can() -> None:
    """The first kept longest, as in training: the plan is no larger than what is in use at once."""
    n = 30
    schedule = scheduled([(1000 * (1 + i % 7), (i, 2 * n - i)) for i in range(n)] + [(500, (i, i)) for i in range(n)])
    assert plan_memory(schedule, {}).total == peak(schedule, {})


def test_places_follow_the_sizes() -> None:
    n = Symbol("n")
    schedule = scheduled([(n, (0, 1)), (2 * n, (1, 2)), (n, (2, 3))])
    assert plan_memory(schedule, {n: 16}).total == 192
    assert plan_memory(schedule, {n: 17}).total == 128 + 192
    assert plan_memory(schedule, {n: 0}).total == 0
    with pytest.raises(ShapeError, match="n has no value"):
        plan_memory(schedule, {})
