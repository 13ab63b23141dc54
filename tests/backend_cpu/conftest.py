"""What tests of the CPU backend share."""

from __future__ import annotations

import pytest

from dovetail_backend_cpu.runtime import executable


class Together:
    """A pace that lets all threads take part in every step."""

    alone = False

    def __init__(self, threads: int) -> None:
        pass

    def note(self, seconds: float) -> None:
        pass


@pytest.fixture(autouse=True)
def everyone_takes_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads run what they are asked to, on a busy machine too."""
    monkeypatch.setattr(executable, "Pace", Together)
