"""Ctrl-C and SIGTERM while something is trained: a step is finished and saved before they end the program."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Final, final

__all__ = ["Interrupts"]

_DEFAULTS: Final[dict[signal.Signals, Any]] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}


@final
class Interrupts:
    """Takes Ctrl-C and SIGTERM from where it is made until ``restore``.

    The first one that comes while it is held waits for ``release``; every other is raised at once, as
    ``KeyboardInterrupt`` or, for SIGTERM, as ``SystemExit``. A signal for which a program has a handler of its own is
    left to that, and so are all signals in threads other than the main one, which gets none.
    """

    def __init__(self) -> None:
        """Take the signals."""
        self._holding = False
        self._received: int | None = None
        self._raised = False
        self._taken: list[signal.Signals] = []
        if threading.current_thread() is threading.main_thread():
            for one, default in _DEFAULTS.items():
                if signal.getsignal(one) is default:
                    signal.signal(one, self._handle)
                    self._taken.append(one)

    def hold(self) -> None:
        """Let the first signal wait."""
        self._holding = True

    def release(self) -> None:
        """Raise what has come meanwhile.

        Raises:
            KeyboardInterrupt: Ctrl-C.
            SystemExit: SIGTERM; the status is 143, as without Python's help.
        """
        waited = self._holding and self._received is not None and not self._raised
        self._holding = False
        if waited:
            self._raise(self._received or 0)

    def drop(self) -> None:
        """Hold no longer, where an error ends what was held; a signal that came meanwhile is forgotten over it."""
        self._holding = False

    def restore(self) -> None:
        """Give the signals back."""
        for one in self._taken:
            if signal.getsignal(one) == self._handle:
                signal.signal(one, _DEFAULTS[one])
        self._taken.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        first = self._received is None
        self._received = number
        if not (first and self._holding):
            self._raise(number)

    def _raise(self, number: int) -> None:
        self._raised = True
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)
