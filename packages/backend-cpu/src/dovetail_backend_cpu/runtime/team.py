"""The threads that run steps: one team a process, parked between steps."""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import Final, final

from dovetail_backend_cpu.runtime.blocks import address_of, aligned_words
from dovetail_backend_cpu.runtime.cores import MOST_THREADS, usable_cores
from dovetail_backend_cpu.runtime.layout import PAD_WORDS, Flag, Team
from dovetail_backend_cpu.runtime.native import FUTEX, runner

__all__ = ["ThreadTeam", "team"]

_BARRIER_MICROSECONDS: Final = 50
_IDLE_MICROSECONDS: Final = 150
"""How long a thread that has nothing to do stays awake: training steps follow one another faster than that, and waking
a thread takes tens of microseconds."""
_EXIT_SECONDS: Final = 1.0


@final
class ThreadTeam:
    """Threads with numbers from 1; number 0 is whoever hands out a step.

    Attributes:
        address: of the team's words.
        lock: held while a step of several threads runs; who does not get it runs the step alone.
    """

    def __init__(self) -> None:
        """Make a team of nobody."""
        self._words = aligned_words(Team.BOXES + MOST_THREADS * PAD_WORDS)
        self._words[Team.FUTEX] = FUTEX
        self._wakers: list[threading.Event] = []
        self._threads: list[threading.Thread] = []
        self._grow_lock = threading.Lock()
        self._turn = 0.0
        self.address = address_of(self._words)
        self.lock = threading.Lock()
        self.hands_itself = FUTEX == 0

    def grow(self, threads: int) -> int:
        """Make sure that ``threads`` can take part, the caller among them; returns how many can."""
        wanted = min(threads, MOST_THREADS)
        if len(self._threads) + 1 >= wanted:
            return wanted
        with self._grow_lock:
            self._set_patience(wanted)
            while len(self._threads) + 1 < wanted:
                number = len(self._threads) + 1
                self._wakers.append(threading.Event())
                thread = threading.Thread(target=self._live, args=(number,), name=f"dovetail-{number}", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # there may be no more threads; the step runs on those that there are
                    self._wakers.pop()
                    break
                self._threads.append(thread)
            return len(self._threads) + 1

    def _set_patience(self, threads: int) -> None:
        """Decide how long threads spin; hardly, where there are fewer cores than threads."""
        if not self._turn:
            count = 1000
            begin = time.perf_counter()
            runner().spin(count)
            self._turn = max((time.perf_counter() - begin) / count * 1e6, 1e-3)
        crowded = threads > usable_cores()
        self._words[Team.SPINS_BARRIER] = 100 if crowded else 100 + int(_BARRIER_MICROSECONDS / self._turn)
        self._words[Team.SPINS_IDLE] = 100 if crowded else int(_IDLE_MICROSECONDS / self._turn)

    def _live(self, number: int) -> None:
        work, waker = runner().work, self._wakers[number - 1]
        while work(self.address, number):
            waker.wait()
            waker.clear()

    def hand(self, job: int, threads: int) -> None:
        """Hand a job to the workers from Python, where the kernel cannot wake them by address."""
        for number in range(1, threads):
            if runner().put(self.address, number, job) == Flag.PARKED:
                self._wakers[number - 1].set()

    def stop(self) -> None:
        """End the threads, unless a step is running."""
        if not self.lock.acquire(timeout=_EXIT_SECONDS):
            return
        threads, self._threads = self._threads, []
        self.hand(int(Flag.STOP), len(threads) + 1)
        for thread in threads:
            thread.join(_EXIT_SECONDS)


_team: ThreadTeam | None = None
_team_lock = threading.Lock()


def team() -> ThreadTeam:
    """Return this process's team."""
    global _team
    found = _team
    if found is None:
        with _team_lock:
            found = _team
            if found is None:
                found = _team = ThreadTeam()
    return found


def _begin_anew() -> None:
    """A forked process has none of its parent's threads."""
    global _team, _team_lock
    _team = None
    _team_lock = threading.Lock()


@atexit.register
def _stop() -> None:
    if _team is not None:
        _team.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
