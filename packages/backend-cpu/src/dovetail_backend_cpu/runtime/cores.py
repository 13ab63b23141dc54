"""How many threads run a step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from dovetail.errors import InvalidArgumentError

__all__ = ["MOST_THREADS", "default_threads", "usable_cores"]

_VARIABLE: Final = "DOVETAIL_NUM_THREADS"
MOST_THREADS: Final = 256
"""How many threads a step may have."""


_QUOTAS: Final = (Path("/sys/fs/cgroup/cpu.max"),)
_OLD_QUOTAS: Final = (Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us"))


def usable_cores() -> int:
    """Return how many cores this process may use: those that it may run on, or fewer where a container has a quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(min(count or 1, _quota()), 1)


def _quota() -> int:
    """Return how many cores' time the process gets, rounded up; many where nothing limits it."""
    for files in (_QUOTAS, _OLD_QUOTAS):
        try:
            quota, period = " ".join(file.read_text() for file in files).split()
            if int(quota) > 0 and int(period) > 0:
                return -(-int(quota) // int(period))
        except (OSError, ValueError):  # there is none, or it is "max"
            continue
    return MOST_THREADS


def default_threads() -> int:
    """Return how many threads run a step: ``DOVETAIL_NUM_THREADS``, else one for each usable core.

    Raises:
        InvalidArgumentError: the variable is no positive number.
    """
    text = os.environ.get(_VARIABLE, "").strip()
    if not text:
        return min(usable_cores(), MOST_THREADS)
    if not text.isdecimal() or int(text) < 1:
        raise InvalidArgumentError(f"{_VARIABLE} is {text!r}; set it to how many threads may run a step, such as 4.")
    return min(int(text), MOST_THREADS)
