"""``profile``: where the time of a run goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, final

from dovetail.compiler.backend import Executable, Status
from dovetail.compiler.plan import Segment
from dovetail.compiler.timing import Timing
from dovetail.session.session import Session
from dovetail.types.dims import Symbol

__all__ = ["Profile", "ProfileRow", "profile", "recording"]

_WIDEST = 56


@final
class ProfileRow:
    """A kernel, or an instruction of the reference backend, over all its runs.

    Attributes:
        label: what it computes.
        lines: the user's lines that it comes from.
        calls: how often it ran.
        nanoseconds: how long in all, from the first thread's beginning to the last one's end.
        share: of the time of all.
        flops, bytes: floating-point operations, and bytes of arrays read and written, of all runs.
    """

    __slots__ = ("bytes", "calls", "flops", "label", "lines", "nanoseconds", "share")

    def __init__(self, label: str, lines: Sequence[str]) -> None:
        """Begin with no runs."""
        self.label = label
        self.lines = list(lines)
        self.calls = 0
        self.nanoseconds = 0
        self.share = 0.0
        self.flops = 0
        self.bytes = 0

    @property
    def gflops(self) -> float:
        """Thousand millions of floating-point operations a second."""
        return self.flops / max(self.nanoseconds, 1)

    @property
    def gbytes(self) -> float:
        """Thousand millions of bytes a second."""
        return self.bytes / max(self.nanoseconds, 1)


@final
class Profile:
    """Where the time of a run went: print it for a table.

    Attributes:
        timings: every run of every part, on every thread.
        rows: kernels by the time that they took, the longest first.
        nanoseconds: from the beginning of the first part to the end of the last.
        results: what was fetched.
    """

    def __init__(self, timings: Sequence[Timing], results: Any) -> None:
        """Add the timings up."""
        self.timings = list(timings)
        self.results = results
        begin = min((one.begin_ns for one in self.timings), default=0)
        self.nanoseconds = max((one.end_ns for one in self.timings), default=begin) - begin
        self.rows = _rows(self.timings)
        total = sum(row.nanoseconds for row in self.rows)
        for row in self.rows:
            row.share = row.nanoseconds / total if total else 0.0

    def __str__(self) -> str:
        """Lay the figures out as a table."""
        cells = [("time", "share", "calls", "GFLOP/s", "GB/s", "kernel", "line")]
        for row in self.rows:
            label = row.label if len(row.label) <= _WIDEST else row.label[: _WIDEST - 1] + "…"
            rates = (f"{row.gflops:.1f}" if row.flops else "", f"{row.gbytes:.1f}" if row.bytes else "")
            share = f"{100 * row.share:.1f} %"
            cells.append((_duration(row.nanoseconds), share, str(row.calls), *rates, label, ", ".join(row.lines)))
        widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
        lines = []
        for line in cells:
            right = [cell.rjust(width) for cell, width in zip(line[:5], widths[:5], strict=True)]
            lines.append("  ".join([*right, line[5].ljust(widths[5]), line[6]]).rstrip())
        lines.insert(1, "  ".join("-" * width for width in widths))
        busy = sum(row.nanoseconds for row in self.rows)
        lines += ["", f"{_duration(self.nanoseconds)} in all, {_duration(busy)} of it in {len(self.rows)} kernels"]
        return "\n".join(lines)

    def trace(self, path: str | PathLike[str]) -> None:
        """Write the timings as a Chrome trace, which Perfetto (ui.perfetto.dev) opens."""
        import json

        begin = min((one.begin_ns for one in self.timings), default=0)
        threads = sorted({one.thread for one in self.timings})
        events: list[dict[str, Any]] = [
            {"ph": "M", "name": "thread_name", "pid": 0, "tid": number, "args": {"name": f"thread {number}"}}
            for number in threads
        ]
        events += [
            {
                "ph": "X",
                "name": one.label,
                "pid": 0,
                "tid": one.thread,
                "ts": (one.begin_ns - begin) / 1e3,
                "dur": (one.end_ns - one.begin_ns) / 1e3,
                "args": {"lines": _lines(one), "flops": one.flops, "bytes": one.bytes},
            }
            for one in self.timings
        ]
        Path(path).write_text(json.dumps({"traceEvents": events, "displayTimeUnit": "ns"}), encoding="utf-8")


def profile(session: Session, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> Profile:
    """Run ``fetches`` twice, and say where the time of the second run went.

    The first run compiles and warms up. Both are real runs: variables change twice. Nothing else should run in the
    session meanwhile, for it would be timed as well.

    Args:
        session: where to run.
        fetches: as for ``Session.run``.
        feed_dict: as for ``Session.run``.

    Returns:
        A profile: print it for a table, ``trace(path)`` for a file that Perfetto opens.

    Raises:
        DovetailError: what ``Session.run`` raises.

    Example:
        >>> session = dt.Session()
        >>> x = dt.constant([1.0, 2.0])
        >>> float(dt.profile(session, dt.reduce_sum(dt.exp(x))).results) > 10.0
        True
    """
    session.run(fetches, feed_dict)
    with recording(session) as timings:
        results = session.run(fetches, feed_dict)
    return Profile(timings, results)


@contextmanager
def recording(session: Session) -> Iterator[list[Timing]]:
    """Keep the timings of what a session runs in the context, of runs that it has a plan for: those it has made before.

    Example:
        >>> session, x = dt.Session(), dt.exp(dt.constant([1.0, 2.0]))
        >>> _ = session.run(x)
        >>> with recording(session) as timings:
        ...     _ = session.run(x)
        >>> len(timings) > 0
        True
    """
    timings: list[Timing] = []
    recorded: list[tuple[Segment, Executable]] = []
    for entry in list(session._plans.values()):
        for segment in entry.plan.segments:
            recorded.append((segment, segment.executable))
            segment.executable = _Recorder(segment.executable, timings)
    try:
        yield timings
    finally:
        for segment, executable in recorded:
            segment.executable = executable


@final
class _Recorder(Executable):
    """Runs an executable in its profiled form, and keeps the timings."""

    def __init__(self, executable: Executable, timings: list[Timing]) -> None:
        self._executable = executable
        self._timings = timings

    def __call__(
        self, inputs: Sequence[Any], sizes: Mapping[Symbol, int], version: int | None = None
    ) -> tuple[Sequence[Any], Status | None]:
        """Run."""
        outputs, status, timings = self._executable.profile(inputs, sizes, version)
        self._timings += timings
        return outputs, status


def _lines(timing: Timing) -> list[str]:
    return list(dict.fromkeys(str(one.origin.source) for one in timing.origins))


def _rows(timings: Sequence[Timing]) -> list[ProfileRow]:
    """Add up runs by what they compute; threads that share a run count once, from the first to the last."""
    runs: dict[tuple[Any, ...], list[Timing]] = {}
    for one in timings:
        key = (one.label, one.part, one.origins, one.occurrence)
        runs.setdefault(key, []).append(one)
    rows: dict[tuple[Any, ...], ProfileRow] = {}
    for key, shared in runs.items():
        row = rows.get(key[:3])
        if row is None:
            row = rows[key[:3]] = ProfileRow(shared[0].label, _lines(shared[0]))
        row.calls += 1
        row.nanoseconds += max(one.end_ns for one in shared) - min(one.begin_ns for one in shared)
        row.flops += shared[0].flops
        row.bytes += shared[0].bytes
    return sorted(rows.values(), key=lambda row: -row.nanoseconds)


def _duration(nanoseconds: int) -> str:
    if nanoseconds < 10_000:
        return f"{nanoseconds / 1e3:.2f} µs"
    if nanoseconds < 10_000_000:
        return f"{nanoseconds / 1e3:.0f} µs"
    return f"{nanoseconds / 1e6:.1f} ms"
