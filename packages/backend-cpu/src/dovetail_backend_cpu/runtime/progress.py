"""``Progress``: tells on the terminal how far compilation is, when it takes long."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Final, Self, final

__all__ = ["Progress"]

_PATIENCE_SECONDS: Final = 2.0


@final
class Progress:
    """Counts to ``total``; after two seconds a bar shows it, on a terminal and where there is tqdm, else a line."""

    def __init__(self, total: int) -> None:
        """Begin the clock."""
        self._total = total
        self._count = 0
        self._begin = time.monotonic()
        self._shown = False
        self._bar: Any = None

    def step(self) -> None:
        """Count one more."""
        self._count += 1
        if self._shown:
            if self._bar is not None:
                self._bar.update(1)
        elif time.monotonic() - self._begin > _PATIENCE_SECONDS and self._count < self._total:
            self._shown = True
            self._show()

    def _show(self) -> None:
        if sys.stderr is None:
            return
        if sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                pass
            else:
                self._bar = tqdm(
                    total=self._total, initial=self._count, desc="dovetail: compiling", unit=" kernels", leave=False
                )
                return
        sys.stderr.write(f"dovetail: compiling; {self._count} of {self._total} kernels are done.\n")

    def __enter__(self) -> Self:
        """Count from here."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
