"""``dt.logging``: messages of programs and of Dovetail itself, under TensorFlow 1's names.

They go to the logger ``dovetail`` of Python's ``logging``: handlers and levels set there count. Where a program has set
up no handler, the first message is given one that writes ``LEVEL:dovetail:message`` to the standard error.
"""

from __future__ import annotations

import logging as _logging
import sys as _sys
import threading as _threading
from typing import Any, Final

__all__ = [
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "WARN",
    "debug",
    "error",
    "fatal",
    "flush",
    "get_verbosity",
    "info",
    "log",
    "log_every_n",
    "log_first_n",
    "log_if",
    "set_verbosity",
    "vlog",
    "warn",
    "warning",
]

DEBUG: Final = _logging.DEBUG
INFO: Final = _logging.INFO
WARN: Final = _logging.WARNING
ERROR: Final = _logging.ERROR
FATAL: Final = _logging.CRITICAL

_LEVELS: Final = {"DEBUG": DEBUG, "INFO": INFO, "WARN": WARN, "WARNING": WARN, "ERROR": ERROR, "FATAL": FATAL}
_LOGGER: Final = _logging.getLogger("dovetail")
_counts: dict[tuple[str, int], int] = {}
_lock: Final = _threading.Lock()


class _ToStandardError(_logging.StreamHandler[Any]):
    """Writes to the standard error as it is when a message comes, which notebooks and tests replace."""

    def emit(self, record: _logging.LogRecord) -> None:
        self.stream = _sys.stderr
        super().emit(record)


def _logger() -> _logging.Logger:
    with _lock:
        if not _LOGGER.hasHandlers():
            handler = _ToStandardError()
            handler.setFormatter(_logging.Formatter(_logging.BASIC_FORMAT))
            _LOGGER.addHandler(handler)
    return _LOGGER


def set_verbosity(v: int | str) -> None:
    """Say what is shown: messages of this level and above.

    Args:
        v: ``DEBUG``, ``INFO``, ``WARN``, ``ERROR``, ``FATAL``, or the name of one of them.

    Raises:
        KeyError: there is no level of that name.

    Example:
        >>> before = dt.logging.get_verbosity()
        >>> dt.logging.set_verbosity(dt.logging.INFO)
        >>> dt.logging.get_verbosity() == dt.logging.INFO
        True
        >>> dt.logging.set_verbosity(before)
    """
    _LOGGER.setLevel(_LEVELS[v.upper()] if isinstance(v, str) else v)


def get_verbosity() -> int:
    """Return the level from which messages are shown; ``WARN`` unless set."""
    return _LOGGER.getEffectiveLevel()


def log(level: int, msg: Any, *args: Any, **kwargs: Any) -> None:
    """Give a message of any level; ``args`` are put in for ``%s`` and the like in ``msg``."""
    kwargs.setdefault("stacklevel", 2)
    _logger().log(level, msg, *args, **kwargs)


def debug(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Give a message for those who look for an error."""
    _logger().debug(msg, *args, stacklevel=2, **kwargs)


def info(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Give a message on how things go."""
    _logger().info(msg, *args, stacklevel=2, **kwargs)


def warning(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Give a message on what may be wrong."""
    _logger().warning(msg, *args, stacklevel=2, **kwargs)


warn = warning


def error(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Give a message on what is wrong."""
    _logger().error(msg, *args, stacklevel=2, **kwargs)


def fatal(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Give a message on what cannot be mended; the program goes on all the same."""
    _logger().critical(msg, *args, stacklevel=2, **kwargs)


def vlog(level: int, msg: Any, *args: Any, **kwargs: Any) -> None:
    """Give a message of any level, as ``log`` does."""
    log(level, msg, *args, stacklevel=3, **kwargs)


def log_if(level: int, msg: Any, condition: Any, *args: Any) -> None:
    """Give a message if a condition holds."""
    if condition:
        log(level, msg, *args, stacklevel=3)


def log_every_n(level: int, msg: Any, n: int, *args: Any) -> None:
    """Give a message at the first of every ``n`` calls from the same line."""
    log_if(level, msg, _count() % n == 0, *args)


def log_first_n(level: int, msg: Any, n: int, *args: Any) -> None:
    """Give a message at the first ``n`` calls from the same line."""
    log_if(level, msg, _count() < n, *args)


def flush() -> None:
    """Write out what handlers still hold."""
    for handler in _LOGGER.handlers:
        handler.flush()


def _count() -> int:
    """How often the line that called the caller has done so before."""
    frame = _sys._getframe(2)
    key = (frame.f_code.co_filename, frame.f_lineno)
    with _lock:
        count = _counts.get(key, 0)
        _counts[key] = count + 1
    return count
