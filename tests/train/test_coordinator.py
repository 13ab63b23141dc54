"""Threads that end together."""

from __future__ import annotations

import sys
import threading

import pytest

import dovetail as dt
from dovetail.errors import OutOfRangeError


def test_all_threads_end_when_one_asks() -> None:
    coordinator = dt.train.Coordinator()
    ended = []

    def wait(name: int) -> None:
        coordinator.wait_for_stop(60)
        ended.append(name)

    threads = [threading.Thread(target=wait, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    assert not coordinator.should_stop()
    assert not coordinator.joined
    coordinator.request_stop()
    coordinator.join(threads)
    assert coordinator.should_stop()
    assert coordinator.joined
    assert sorted(ended) == [0, 1, 2]
    coordinator.request_stop()
    coordinator.clear_stop()
    assert not coordinator.should_stop()
    assert not coordinator.wait_for_stop(0.0)


def test_join_raises_what_a_thread_raised() -> None:
    coordinator = dt.train.Coordinator()

    def fail() -> None:
        with coordinator.stop_on_exception():
            raise ValueError("first")

    thread = threading.Thread(target=fail)
    coordinator.register_thread(thread)
    thread.start()
    with pytest.raises(ValueError, match="^first$"):
        coordinator.join()
    with pytest.raises(KeyError, match="late"):
        coordinator.request_stop(KeyError("late"))


def test_what_exc_info_gives_is_a_reason() -> None:
    coordinator = dt.train.Coordinator()
    try:
        raise ValueError("told")
    except ValueError:
        coordinator.request_stop(sys.exc_info())
    coordinator.request_stop(KeyError("second"))
    with pytest.raises(ValueError, match="^told$"):
        coordinator.raise_requested_exception()


def test_the_end_of_the_data_is_no_error() -> None:
    coordinator = dt.train.Coordinator()
    coordinator.request_stop(OutOfRangeError("no more"))
    coordinator.join()
    other = dt.train.Coordinator(clean_stop_exception_types=(KeyError,))
    other.request_stop(KeyError("fine"))
    other.join()


def test_threads_that_do_not_end_are_named() -> None:
    coordinator, release = dt.train.Coordinator(), threading.Event()
    thread = threading.Thread(target=release.wait, args=(60,), name="slow")
    thread.start()
    try:
        coordinator.request_stop()
        with pytest.raises(RuntimeError, match=r"have not ended 0 seconds after they were asked to: slow\. Let them"):
            coordinator.join([thread], stop_grace_period_secs=0)
        coordinator.join([thread], stop_grace_period_secs=0, ignore_live_threads=True)
    finally:
        release.set()
        thread.join()


def test_a_looper_calls_again_and_again() -> None:
    coordinator = dt.train.Coordinator()

    class Looper(dt.train.LooperThread):
        calls = 0
        events: tuple[str, ...] = ()

        def start_loop(self) -> None:
            self.events += ("start",)

        def run_loop(self) -> None:
            self.calls += 1
            if self.calls == 3:
                coordinator.request_stop()

        def stop_loop(self) -> None:
            self.events += ("stop",)

    looper = Looper(coordinator, 0.001)
    looper.start()
    coordinator.join()
    assert (looper.calls, looper.events) == (3, ("start", "stop"))
    seen: list[tuple[int, int]] = []

    def look(a: int, b: int) -> None:
        seen.append((a, b))
        raise ValueError("enough")

    other = dt.train.Coordinator()
    dt.train.LooperThread.loop(other, None, look, args=(1,), kwargs={"b": 2})
    with pytest.raises(ValueError, match="^enough$"):
        other.join()
    assert seen == [(1, 2)]
