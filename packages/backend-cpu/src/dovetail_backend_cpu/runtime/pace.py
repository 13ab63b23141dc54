"""``Pace``: whether all threads run a step or one does, by what each has taken.

Threads that meet wait for the last. Where another process has the core of one of them, that is as long as a turn of the
system's scheduler, and the step may take several times as long as on one thread. So the other way is tried now and
then, for a small share of the time, and the faster is taken. Results do not depend on it.
"""

from __future__ import annotations

from typing import Final, final

__all__ = ["Pace"]

_WINDOW_SECONDS: Final = 0.02
_WINDOW_STEPS: Final = 3
"""How long times are added up before they are compared: some turns of the scheduler."""
_MARGIN: Final = 1.05
"""How many times as long the chosen way must take as the other for a change."""
_FIRST_CREDIT: Final = 0.02
"""Seconds that trials may lose from the start."""
_SHARES: Final = (0.02, 0.0025)
"""The share of the time that trials may lose: after a change, and when nothing has changed for long."""


@final
class Pace:
    """The choice for one bound program.

    Attributes:
        alone: whether the next step is to run on one thread.
    """

    __slots__ = ("_costs", "_credit", "_seconds", "_share", "_steps", "_threads", "_trial", "_warm", "alone")

    def __init__(self, threads: int) -> None:
        """Begin with all of ``threads``."""
        self.alone = False
        self._threads = threads
        # Seconds a step, together and alone; 0 where not yet known.
        self._costs = [0.0, 0.0]
        self._credit = _FIRST_CREDIT
        self._share = _SHARES[0]
        self._trial = False
        self._warm = False
        self._steps = 0
        self._seconds = 0.0

    def note(self, seconds: float) -> None:
        """Take notice of how long a step took in the way that ``alone`` says; changes it for the next."""
        self._steps += 1
        self._seconds += seconds
        if self._seconds < _WINDOW_SECONDS or self._steps < _WINDOW_STEPS:
            return
        steps, spent = self._steps, self._seconds
        self._steps, self._seconds = 0, 0.0
        if not self._warm:  # threads and memory were new
            self._warm = True
            return
        mine, other = spent / steps, self._costs[not self.alone]
        self._costs[self.alone] = mine
        if self._trial:
            self._trial = False
            self._credit -= max(spent - steps * other, 0.0)
            if mine * _MARGIN < other:
                self._share = _SHARES[0]
            else:
                self.alone = not self.alone
                self._share = max(self._share / 2, _SHARES[1])
            return
        self._credit += self._share * spent
        if 0.0 < other * _MARGIN < mine:
            self.alone = not self.alone
            self._share = _SHARES[0]
        elif self._credit >= self._loss(mine, other):
            self.alone = not self.alone
            self._trial = True

    def _loss(self, mine: float, other: float) -> float:
        """Return how many seconds a trial of the other way may lose."""
        if not other:
            other = mine * self._threads
        return max(_WINDOW_SECONDS / other, _WINDOW_STEPS) * max(other - mine, 0.0)
