"""What is random: the same for a seed everywhere, different from pass to pass."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import dovetail as dt


def numbers(dataset: Any) -> list[int]:
    return [int(one) for one in dataset]


def test_the_order_of_a_seed_is_this_one_everywhere() -> None:
    assert numbers(dt.data.range(10).shuffle(seed=7)) == [3, 9, 1, 6, 2, 5, 4, 8, 0, 7]
    assert numbers(dt.data.range(10).shuffle(4, seed=7)) == [2, 3, 0, 5, 6, 1, 7, 9, 4, 8]


@pytest.mark.parametrize("buffer", [None, 1, 7, 50, 1000])
@pytest.mark.parametrize("stream", [False, True])
def test_a_shuffle_is_a_permutation(buffer: int | None, stream: bool) -> None:
    data = dt.data.range(101)
    if stream:
        data = data.filter(lambda n: n >= 0)
    shuffled = data.shuffle(buffer, seed=1)
    first, second = numbers(shuffled), numbers(shuffled)
    assert sorted(first) == list(range(101))
    assert sorted(second) == list(range(101))
    assert (first == list(range(101))) == (buffer == 1)
    assert (first == second) == (buffer == 1)
    again = data.shuffle(buffer, seed=1)
    assert numbers(again) == first
    assert numbers(again) == second
    if buffer is not None and buffer < 101:
        assert all(n <= at + buffer for at, n in enumerate(first))


def test_three_loops_are_three_repetitions() -> None:
    data = dt.data.range(20).shuffle(seed=4).random_map(lambda n, rng: n + rng.random(), seed=2)
    loops = [float(one) for _ in range(3) for one in data]
    fresh = dt.data.range(20).shuffle(seed=4).random_map(lambda n, rng: n + rng.random(), seed=2)
    assert [float(one) for one in fresh.repeat(3)] == loops
    endless = dt.data.range(20).shuffle(seed=4).random_map(lambda n, rng: n + rng.random(), seed=2).repeat()
    assert [float(one) for one in endless.take(60)] == loops
    assert len(set(loops)) == 60


def test_an_order_can_be_kept() -> None:
    for buffer in (None, 5):
        data = dt.data.range(20).shuffle(buffer, seed=4, reshuffle_each_iteration=False)
        assert numbers(data) == numbers(data)
        assert numbers(data.repeat(2)) == numbers(data) * 2


def test_every_order_comes_as_often() -> None:
    whole = Counter(tuple(numbers(one.shuffle(seed=seed))) for seed in range(1200) for one in [dt.data.range(3)])
    assert len(whole) == 6
    assert all(140 < count < 260 for count in whole.values())


def test_random_functions_do_not_depend_on_threads() -> None:
    def draw(n: Any, rng: np.random.Generator) -> Any:
        return n + rng.normal(size=3)

    data = dt.data.range(40)
    one = np.stack(list(data.random_map(draw, seed=3)))
    four = np.stack(list(data.random_map(draw, seed=3, threads=4)))
    assert (one == four).all()
    assert (one != np.stack(list(data.random_map(draw, seed=4)))).all()
    both = data.random_map(lambda n, rng: rng.random(), seed=3).random_map(lambda x, rng: x - rng.random(), seed=3)
    assert all(float(x) != 0 for x in both)


def test_a_seed_that_is_not_given() -> None:
    def orders() -> list[list[int]]:
        return [numbers(dt.data.range(50).shuffle()) for _ in range(2)]

    first, second = orders()
    assert first != second
    dt.set_random_seed(5)
    assert orders()[0] == orders()[1]
