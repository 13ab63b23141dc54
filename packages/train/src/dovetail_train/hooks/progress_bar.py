"""``ProgressBarHook``."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Mapping
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import InvalidArgumentError, PluginError
from dovetail_train.hooks._global_step import global_step_of
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues

__all__ = ["ProgressBarHook"]

_REFRESH: Final = 0.1  # seconds between two pictures of the bar
_SMOOTH: Final = 0.3


@final
class ProgressBarHook(SessionRunHook):
    """Shows how far training is: a bar with loss, metrics, samples a second and the time that is left.

    Where the standard error is no terminal there is no bar, but a message now and then, by ``dt.logging.info``.

    Args:
        steps: at which global step training will be done; the bar has no end where that is not known.
        metrics: numbers to show, such as the loss: tensors or their names in a dictionary by what they are called, in a
            list, or alone. They are computed in steps that show them only.
        samples: how many samples a step takes: a number, or a tensor with as many rows, such as a batch of labels.
        description: what stands before the bar.
        log_every_n_secs: after so many seconds a message is given, where there is no bar; ``None`` for never.
        bar: whether to show a bar; by default where the standard error is a terminal.

    Raises:
        InvalidArgumentError: a number is not positive.
        NotFoundError: at the beginning of a session, if the graph has no global step.
        PluginError: at the beginning of a session, if there is to be a bar and tqdm is not installed.

    Example:
        >>> x = dt.Variable(4.0, name="x")
        >>> loss, step = x * x, dt.train.get_or_create_global_step()
        >>> train = dt.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
        >>> hooks = [dt.train.StopAtStepHook(50), dt.train.ProgressBarHook(50, {"loss": loss}, samples=32)]
        >>> with dt.train.MonitoredSession(hooks=hooks) as session:
        ...     while not session.should_stop():
        ...         _ = session.run(train)
    """

    def __init__(
        self,
        steps: int | None = None,
        metrics: Mapping[str, Any] | list[Any] | tuple[Any, ...] | Any = (),
        samples: int | Any = None,
        description: str | None = None,
        log_every_n_secs: float | None = 10.0,
        bar: bool | None = None,
    ) -> None:
        """Set what to show."""
        for name, number in (("steps", steps), ("log_every_n_secs", log_every_n_secs)):
            if number is not None and number <= 0:
                raise InvalidArgumentError(f"ProgressBarHook: {name} is {number}; give a positive number, or None.")
        self._steps = steps
        self._metrics = metrics
        self._samples = samples
        self._description = description
        self._seconds = log_every_n_secs
        self._wanted = bar

    def begin(self) -> None:
        """Find what to show."""
        graph = dt.get_default_graph()
        self._step = global_step_of(self)
        given = self._metrics if isinstance(self._metrics, (Mapping, list, tuple)) else [self._metrics]
        if not isinstance(given, Mapping):
            given = {(one if isinstance(one, str) else one.name).removesuffix(":0"): one for one in given}
        self._shown = {name: graph.as_graph_element(one) for name, one in given.items()}
        self._count: Any = self._samples
        if self._samples is not None and not isinstance(self._samples, (int, np.integer)):
            self._count = dt.shape(graph.as_graph_element(self._samples))[0]
        self._draws = sys.stderr.isatty() if self._wanted is None else self._wanted
        self._tqdm = _tqdm() if self._draws else None

    def after_create_session(self, session: dt.Session, coord: Any) -> None:
        """Begin the bar, where training goes on."""
        self._first = self._last = int(session.run(self._step))
        self._seen = self._seen_shown = 0
        self._begin = self._shown_at = time.monotonic()
        self._rate: float | None = None
        self._bar: Any = None
        if self._tqdm is not None:
            self._bar = self._tqdm(
                total=self._steps, initial=self._first, desc=self._description, unit="step", dynamic_ncols=True
            )

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Ask for the step, the samples, and now and then for the metrics."""
        pause = _REFRESH if self._draws else self._seconds
        self._due = pause is not None and time.monotonic() - self._shown_at >= pause
        counts = isinstance(self._count, dt.Tensor)
        if not (self._due or counts):
            return None
        return SessionRunArgs((self._count if counts else (), (self._step, self._shown) if self._due else ()))

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Count, and show."""
        if isinstance(self._count, dt.Tensor):
            self._seen += int(run_values.results[0])
        elif self._count is not None:
            self._seen += self._count
        if self._due:
            step, values = run_values.results[1]
            self._show(int(step), values)

    def end(self, session: dt.Session) -> None:
        """Show the last step."""
        step = int(session.run(self._step))
        if self._bar is not None:
            self._bar.update(step - self._last)
            self._bar.close()
        elif self._seconds is not None and step != self._last:
            seconds = time.monotonic() - self._begin
            dt.logging.info("%s", self._line(step, {}, self._seen / seconds if self._seen and seconds else None))

    def _show(self, step: int, values: dict[str, Any]) -> None:
        now = time.monotonic()
        if self._seen and now > self._shown_at:
            rate = (self._seen - self._seen_shown) / (now - self._shown_at)
            self._rate = rate if self._rate is None else _SMOOTH * rate + (1.0 - _SMOOTH) * self._rate
        self._shown_at, self._seen_shown = now, self._seen
        if self._bar is None:
            dt.logging.info("%s", self._line(step, values, self._rate))
        else:
            shown = {name: _text(value) for name, value in values.items()}
            if self._rate is not None:
                shown["samples/s"] = f"{self._rate:.0f}"
            self._bar.set_postfix(shown, refresh=False)
            self._bar.update(step - self._last)
        self._last = step

    def _line(self, step: int, values: dict[str, Any], rate: float | None) -> str:
        parts = [f"step {step}" if self._steps is None else f"step {step} of {self._steps}"]
        parts += [f"{name} {_text(value)}" for name, value in values.items()]
        if rate is not None:
            parts.append(f"{rate:.0f} samples/s")
        if self._steps is not None and step > self._first:
            left = (time.monotonic() - self._begin) / (step - self._first) * max(self._steps - step, 0)
            parts.append(f"{_duration(left)} left")
        return f"{self._description}: {', '.join(parts)}" if self._description else ", ".join(parts)


def _tqdm() -> Any:
    try:
        return importlib.import_module("tqdm.auto").tqdm
    except ImportError as error:
        raise PluginError(
            f"ProgressBarHook needs the package tqdm, which cannot be imported ({error}). "
            f"Install it: pip install 'dovetail-train[progress]'; or give bar=False."
        ) from error


def _text(value: Any) -> str:
    array = np.asarray(value)
    return f"{array.item():.4g}" if array.size == 1 and array.dtype.kind in "fiu" else str(value)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
