"""Threads: what they raise, and that they end."""

from __future__ import annotations

import gc
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

import dovetail as dt
from dovetail.errors import DataError


def ours() -> list[str]:
    """Return the threads of pipelines; a backend's stay for later steps."""
    names = ("dovetail-prefetch", "dovetail-map", "dovetail-read")
    return [one.name for one in threading.enumerate() if one.name.startswith(names)]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    gc.collect()
    for _ in range(500):
        if not ours():
            break
        time.sleep(0.01)
    assert ours() == []


def pipeline() -> dt.data.Dataset:
    return dt.data.range(1000).map(lambda n: n + 1, threads=3).batch(4).prefetch(2).repeat().prefetch(3)


def test_threads_end_when_an_iterator_is_dropped() -> None:
    iterator = iter(pipeline())
    for _ in range(300):
        next(iterator)
    assert ours()
    del iterator


def test_threads_end_when_an_iterator_is_closed() -> None:
    with iter(pipeline()) as iterator:
        next(iterator)
    assert ours() == []
    assert list(iterator) == []


def test_threads_end_with_the_data_and_with_a_loop_that_is_left() -> None:
    assert len(list(dt.data.range(9).map(abs, threads=2).prefetch())) == 9
    for one in pipeline():
        if one[0] > 8:
            break


def test_an_iterator_that_was_never_read_starts_none() -> None:
    iterator = iter(pipeline())
    assert ours() == []
    del iterator


def test_what_a_thread_raises_comes_out_with_its_traceback() -> None:
    def break_down(n: Any) -> Any:
        return 1 // (3 - int(n))

    dataset = dt.data.range(6).map(break_down).prefetch(2)
    iterator = iter(dataset)
    assert [int(next(iterator)) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(DataError, match="break_down raised ZeroDivisionError at element 3") as caught:
        next(iterator)
    text = "".join(traceback.format_exception(caught.value))
    assert "return 1 // (3 - int(n))" in text
    assert "read_ahead" in text


def test_a_thread_reads_ahead_and_no_further() -> None:
    seen = []
    dataset = dt.data.range(100).map(lambda n: seen.append(n) or n).prefetch(4)
    iterator = iter(dataset)
    next(iterator)
    for _ in range(500):
        if len(seen) == 5:
            break
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(seen) == 5


def test_threads_may_share_an_iterator() -> None:
    iterator = iter(dt.data.range(400).map(lambda n: n + 1).shuffle(10, seed=1))
    found: list[list[int]] = [[] for _ in range(4)]

    def take(mine: list[int]) -> None:
        for n in iterator:
            mine.append(int(n))
            assert iterator.state()["read"] > 0

    threads = [threading.Thread(target=take, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(n for mine in found for n in mine) == list(range(1, 401))


def test_functions_run_at_the_same_time() -> None:
    barrier = threading.Barrier(3, timeout=60)

    def wait(n: Any) -> Any:
        if n > 0:  # the first element is alone: it shows what the function does
            barrier.wait()
        return n

    assert [int(n) for n in dt.data.range(7).map(wait, threads=3)] == list(range(7))
