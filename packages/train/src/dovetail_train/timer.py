"""``SecondOrStepTimer``: what is done every few steps, or every few seconds."""

from __future__ import annotations

import time
from typing import final

from dovetail.errors import InvalidArgumentError

__all__ = ["SecondOrStepTimer", "every"]


@final
class SecondOrStepTimer:
    """Says at which steps something is due.

    Args:
        every_secs: after so many seconds.
        every_steps: after so many steps.

    Raises:
        InvalidArgumentError: none or both are given.

    Example:
        >>> timer = dt.train.SecondOrStepTimer(every_steps=3)
        >>> due = []
        >>> for step in range(8):
        ...     if timer.should_trigger_for_step(step):
        ...         _ = timer.update_last_triggered_step(step)
        ...         due.append(step)
        >>> due
        [0, 3, 6]
    """

    def __init__(self, every_secs: float | None = None, every_steps: int | None = None) -> None:
        """Set the rhythm."""
        if (every_secs is None) == (every_steps is None):
            raise InvalidArgumentError(
                f"SecondOrStepTimer: every_secs is {every_secs}, every_steps {every_steps}; give one of them."
            )
        self._every_secs = every_secs
        self._every_steps = every_steps
        self.reset()

    def reset(self) -> None:
        """Begin anew: the next step is due."""
        self._last_step: int | None = None
        self._last_time: float | None = None

    def should_trigger_for_step(self, step: int) -> bool:
        """Say whether something is due at a step; never twice at the same."""
        if self._last_step is None or self._last_time is None:
            return True
        if self._last_step == step:
            return False
        if self._every_steps is not None:
            return step >= self._last_step + self._every_steps
        return time.monotonic() >= self._last_time + (self._every_secs or 0.0)

    def update_last_triggered_step(self, step: int) -> tuple[float | None, int | None]:
        """Note that it was done at a step; returns seconds and steps since the time before, ``None`` at the first."""
        now = time.monotonic()
        seconds = None if self._last_time is None else now - self._last_time
        steps = None if self._last_step is None else step - self._last_step
        self._last_time, self._last_step = now, step
        return seconds, steps

    def last_triggered_step(self) -> int | None:
        """Return the step at which it was last done."""
        return self._last_step


def every(what: str, seconds: float | None, steps: int | None, names: tuple[str, str]) -> SecondOrStepTimer:
    """Make the timer of a hook that takes one of two rhythms.

    Raises:
        InvalidArgumentError: none or both are given, or one is not positive.
    """
    if (seconds is None) == (steps is None):
        raise InvalidArgumentError(
            f"{what}: {names[0]} is {seconds}, {names[1]} {steps}; give one of them, and None for the other."
        )
    if (seconds is not None and seconds <= 0) or (steps is not None and steps <= 0):
        raise InvalidArgumentError(f"{what}: {names[0]} is {seconds}, {names[1]} {steps}; give a positive number.")
    return SecondOrStepTimer(seconds, steps)
