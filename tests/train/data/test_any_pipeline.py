"""Pipelines of any stages in any order: lengths, threads and positions agree with reading them through."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import dovetail as dt
from dovetail.extend import nest

Step = Callable[[dt.data.Dataset, int], dt.data.Dataset]

counts = st.integers(1, 6)
seeds = st.integers(0, 3)

steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda n, s, e: lambda d, t: d.shuffle(n, s, e), st.one_of(st.none(), counts), seeds, st.booleans()),
    st.builds(lambda n: lambda d, t: d.take(n * 3), counts),
    st.builds(lambda n: lambda d, t: d.skip(n), counts),
    st.builds(lambda n, i: lambda d, t: d.shard(n, i % n), counts, st.integers(0, 5)),
    st.builds(lambda n: lambda d, t: d.repeat(n % 3 + 1), counts),
    st.builds(lambda n: lambda d, t: d.prefetch(n), counts),
    st.builds(lambda n: lambda d, t: d.map(lambda x: x * 3 + n, threads=t), counts),
    st.builds(lambda s: lambda d, t: d.random_map(lambda x, rng: x + int(rng.random() * 50), s, threads=t), seeds),
    st.builds(lambda n: lambda d, t: d.filter(lambda x: x % (n + 1) != 0), counts),
    st.builds(lambda n: lambda d, t: d.batch(n).shuffle(2, seed=n).unbatch(), counts),
    st.builds(lambda n: lambda d, t: d.batch(n, drop_remainder=True).unbatch(), counts),
    st.builds(lambda n: lambda d, t: d.flat_map(lambda x: dt.data.range(x, x + n)), st.integers(0, 3)),
    st.builds(
        lambda n, c, b: lambda d, t: d.interleave(lambda x: dt.data.range(x, x + n), c, b), counts, counts, counts
    ),
    st.builds(lambda n: lambda d, t: d.concatenate(dt.data.range(n)), counts),
    st.builds(lambda n: lambda d, t: dt.data.zip((d, d.skip(n))).map(lambda x, y: x + y), counts),
    st.builds(lambda s: lambda d, t: d.cache().shuffle(seed=s), seeds),
    st.builds(lambda n: lambda d, t: d.enumerate(n).map(lambda i, x: i + x), counts),
)
sources = st.one_of(
    st.builds(lambda n: lambda: dt.data.range(n), st.integers(0, 15)),
    st.builds(lambda n: lambda: dt.data.from_arrays(np.arange(n) * 2), st.integers(1, 15)),
    st.builds(lambda n: lambda: dt.data.from_generator(lambda: range(n), dt.int64, []), st.integers(0, 15)),
)
ends: st.SearchStrategy[Step] = st.one_of(
    st.just(lambda d, t: d),
    st.builds(lambda n: lambda d, t: d.batch(n).prefetch(2), counts),
    st.builds(lambda n: lambda d, t: d.map(lambda x: np.ones(x % 3)).pad_batch(n), counts),
)


def values(element: Any) -> Any:
    return nest.map_structure(lambda leaf: np.asarray(leaf).tolist(), element)


@given(sources, st.lists(steps, max_size=4), ends, st.integers(0, 40), st.integers(0, 1))
def test_a_pipeline_is_the_same_from_anywhere(
    source: Callable[[], dt.data.Dataset], middle: list[Step], end: Step, cut: int, passes: int
) -> None:
    def make(threads: int) -> dt.data.Dataset:
        dataset = source()
        for step in middle:
            dataset = step(dataset, threads)
        return end(dataset, threads).take(60)

    dataset = make(1)
    for _ in range(passes):
        list(dataset)
    whole = [values(one) for one in dataset]
    known = dataset.cardinality()
    assert known in (-2, len(whole))

    threaded = make(3)
    for _ in range(passes):
        list(threaded)
    iterator = iter(threaded)
    cut = min(cut, len(whole))
    assert [values(next(iterator)) for _ in range(cut)] == whole[:cut]
    state = json.loads(json.dumps(iterator.state()))
    iterator.close()
    other = iter(make(2))
    other.restore(state)
    assert [values(one) for one in other] == whole[cut:]
    other.close()
