"""A position brings back the elements that would have followed, in a pipeline made anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import InvalidArgumentError
from dovetail.extend import nest


def base() -> dt.data.Dataset:
    return dt.data.range(23)


def stream() -> dt.data.Dataset:
    return base().filter(lambda n: n % 7 != 2)


def noise(n: Any, rng: np.random.Generator) -> Any:
    return {"n": n, "noise": rng.random()}


PIPELINES: dict[str, Callable[[], dt.data.Dataset]] = {
    "arrays": lambda: dt.data.from_arrays({"a": np.arange(9.0), "b": np.arange(18).reshape(9, 2)}),
    "once": lambda: dt.data.Dataset.from_tensors(np.arange(3)).repeat(4),
    "batch": lambda: base().batch(4),
    "repeat": lambda: base().repeat(3).batch(10),
    "nested repeat": lambda: base().shuffle(seed=1).repeat(2).shuffle(5, seed=2).repeat(2),
    "shuffle whole": lambda: base().shuffle(seed=1).repeat(2).batch(5),
    "shuffle buffer": lambda: base().shuffle(6, seed=1).repeat(2).batch(5),
    "shuffle stream": lambda: stream().shuffle(6, seed=1).repeat(2),
    "shuffle small": lambda: stream().shuffle(100, seed=1).repeat(2),
    "shuffle in memory": lambda: stream().shuffle(seed=1).repeat(2),
    "shuffle twice": lambda: stream().shuffle(4, seed=1).shuffle(9, seed=1).repeat(2),
    "generator": lambda: dt.data.from_generator(lambda: ({"n": n} for n in range(9))).repeat(2),
    "map": lambda: base().map(lambda n: n * 2),
    "threads": lambda: base().map(lambda n: n * 2, threads=3).repeat(2),
    "random": lambda: base().shuffle(seed=1).random_map(noise, seed=2, threads=2).repeat(2).batch(4),
    "slices": lambda: base().skip(2).shard(3, 1),
    "stream slices": lambda: stream().skip(2).shard(3, 1).concatenate(stream().take(2)),
    "zip": lambda: dt.data.zip((base().shuffle(5, seed=1), {"b": stream().batch(2)})).repeat(3),
    "flat": lambda: base().flat_map(lambda n: dt.data.range(n % 3).shuffle(seed=1)).enumerate(),
    "interleave": lambda: base().interleave(lambda n: dt.data.range(n, n + n % 5).shuffle(3, seed=1), 3, 2).repeat(2),
    "unbatch": lambda: base().batch(4).shuffle(3, seed=1).unbatch().batch(3),
    "padded": lambda: base().map(lambda n: np.ones(n % 4)).pad_batch(4),
    "cache": lambda: stream().shuffle(seed=1).cache().shuffle(seed=2).repeat(2),
    "cache in a file": lambda: stream().shuffle(seed=1).cache("cached").shuffle(seed=2).repeat(2),
    "prefetch": lambda: base().shuffle(7, seed=1).prefetch(3).map(lambda n: n + 1).batch(4).prefetch(2),
    "everything": lambda: (
        dt.data.from_arrays((np.arange(40), np.arange(40.0)))
        .shard(2, 1)
        .shuffle(8, seed=1)
        .random_map(lambda n, x, rng: (n, x + rng.random()), seed=3, threads=2)
        .filter(lambda n, x: n % 5 != 0)
        .repeat(3)
        .prefetch(4)
        .batch(7)
        .map(lambda n, x: {"n": n, "x": x}, threads=2)
        .prefetch(2)
    ),
}


def values(element: Any) -> Any:
    return nest.map_structure(lambda leaf: np.asarray(leaf).tolist(), element)


@pytest.mark.parametrize("name", PIPELINES)
def test_every_position_goes_on_exactly(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make = PIPELINES[name]
    dataset = make()
    whole = [[values(one) for one in dataset] for _ in range(2)]
    assert len(whole[0]) > 2
    for number in range(2):
        dataset = make()
        for _ in range(number):
            list(dataset)
        iterator = iter(dataset)
        for at in range(len(whole[number]) + 1):
            state = json.loads(json.dumps(iterator.state()))
            iterator.close()
            other = make()
            iterator = iter(other)
            if at % 2:
                next(iterator)  # a position is gone to from anywhere
            iterator.restore(state)
            if at % 5 == 3:
                assert [values(one) for one in iterator] == whole[number][at:]
                assert list(iterator) == []
                iterator.restore(state)
            if at < len(whole[number]):
                assert values(next(iterator)) == whole[number][at]
        assert next(iterator, None) is None
        iterator.restore(json.loads(json.dumps(iterator.state())))
        assert next(iterator, None) is None
        if number == 0:
            assert [values(one) for one in other] == whole[1]  # the next pass is the second one


def test_a_state_is_small() -> None:
    x = np.zeros((100_000, 8))
    dataset = dt.data.from_arrays(x).shuffle(20_000, seed=1).repeat().batch(256).prefetch(4)
    iterator = iter(dataset)
    for _ in range(150):
        next(iterator)
    assert len(json.dumps(iterator.state())) < 500


def test_a_seed_drawn_by_chance_is_part_of_the_position() -> None:
    def make() -> dt.data.Dataset:
        return base().shuffle().random_map(noise).repeat().batch(5)

    first = iter(make())
    next(first)
    second = iter(make())
    second.restore(first.state())
    for _ in range(12):
        assert values(next(first)) == values(next(second))


def test_other_positions_are_refused() -> None:
    iterator = iter(base().shuffle(seed=1).batch(4).prefetch())
    next(iterator)
    with pytest.raises(InvalidArgumentError, match=r"shuffle\(seed=1\) > batch\(4\) > prefetch, but this is"):
        iter(base().shuffle(seed=1).batch(5).prefetch()).restore(iterator.state())
    with pytest.raises(InvalidArgumentError, match="restore: 5 is no position of a dataset"):
        iterator.restore(5)
    with pytest.raises(InvalidArgumentError, match="is damaged"):
        iterator.restore({**iterator.state(), "position": "x"})
    assert len(list(iterator)) == 5  # a position that is refused changes nothing
    iterator.close()
    with pytest.raises(InvalidArgumentError, match="the iterator is closed"):
        iterator.state()
    shorter = iter(dt.data.from_generator(lambda: range(5)).shuffle(3, seed=1))
    longer = iter(dt.data.from_generator(lambda: range(9)).shuffle(3, seed=1))
    for _ in range(6):
        next(longer)
    with pytest.raises(InvalidArgumentError, match="shuffle had read 9 elements, but now there are 5. The data have"):
        shorter.restore(longer.state())
