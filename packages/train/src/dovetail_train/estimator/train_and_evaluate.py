"""``train_and_evaluate``, and what it is told to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, final

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail_train.estimator.estimator import Estimator
from dovetail_train.estimator.exporters import Exporter
from dovetail_train.hooks.checkpoint_saver import CheckpointSaverListener
from dovetail_train.session_run_hook import SessionRunHook

__all__ = ["EvalSpec", "TrainSpec", "train_and_evaluate"]


class _Training(NamedTuple):
    input_fn: Callable[..., Any]
    max_steps: int | None
    hooks: tuple[SessionRunHook, ...]
    saving_listeners: tuple[CheckpointSaverListener, ...]


class TrainSpec(_Training):
    """How to train.

    Args:
        input_fn: gives features and labels.
        max_steps: the global step to end at; where the input ends by default.
        hooks: called around each step.
        saving_listeners: what is told of checkpoints.

    Raises:
        InvalidArgumentError: ``max_steps`` is not positive, or ``input_fn`` no function.
    """

    __slots__ = ()

    def __new__(
        cls,
        input_fn: Callable[..., Any],
        max_steps: int | None = None,
        hooks: Iterable[SessionRunHook] | None = None,
        saving_listeners: Iterable[CheckpointSaverListener] | None = None,
    ) -> Self:
        """Check what is given."""
        _check("TrainSpec", input_fn, max_steps=max_steps)
        return super().__new__(cls, input_fn, max_steps, tuple(hooks or ()), tuple(saving_listeners or ()))


class _Evaluation(NamedTuple):
    input_fn: Callable[..., Any]
    steps: int | None
    name: str | None
    hooks: tuple[SessionRunHook, ...]
    exporters: tuple[Exporter, ...]
    start_delay_secs: float
    throttle_secs: float


class EvalSpec(_Evaluation):
    """How to evaluate.

    Args:
        input_fn: gives features and labels.
        steps: how many batches to take at most; ``None`` for all.
        name: of this evaluation, where there are several.
        hooks: called around each step.
        exporters: an `Exporter`, or several.
        start_delay_secs: has no effect: the first checkpoint is not waited for; here for TensorFlow 1 programs.
        throttle_secs: the least time between two evaluations, but for the last.

    Raises:
        InvalidArgumentError: a number is out of range, two exporters have one name, or ``input_fn`` is no function.
        DTypeError: an exporter is none.
    """

    __slots__ = ()

    def __new__(
        cls,
        input_fn: Callable[..., Any],
        steps: int | None = 100,
        name: str | None = None,
        hooks: Sequence[SessionRunHook] | None = None,
        exporters: Exporter | Iterable[Exporter] | None = None,
        start_delay_secs: float = 120,
        throttle_secs: float = 600,
    ) -> Self:
        """Check what is given."""
        _check("EvalSpec", input_fn, steps=steps)
        if throttle_secs < 0:
            raise InvalidArgumentError(f"EvalSpec: throttle_secs is {throttle_secs}; it must not be negative.")
        given = (exporters,) if isinstance(exporters, Exporter) else tuple(exporters or ())
        for one in given:
            if not isinstance(one, Exporter):
                raise DTypeError(f"EvalSpec: exporters holds {one!r}; give dt.estimator.BestExporter or its like.")
        names = [one.name for one in given]
        if len(set(names)) < len(names):
            raise InvalidArgumentError(f"EvalSpec: two exporters have one name: {', '.join(names)}.")
        return super().__new__(
            cls, input_fn, steps, name, tuple(hooks or ()), given, float(start_delay_secs), float(throttle_secs)
        )


def _check(who: str, input_fn: Any, **numbers: int | None) -> None:
    if not callable(input_fn):
        raise InvalidArgumentError(f"{who}: input_fn is a {type(input_fn).__name__}; give a function that returns it.")
    for name, number in numbers.items():
        if number is not None and number <= 0:
            raise InvalidArgumentError(f"{who}: {name} is {number}; it must be positive, or None.")


def train_and_evaluate(
    estimator: Estimator, train_spec: TrainSpec, eval_spec: EvalSpec
) -> tuple[dict[str, Any] | None, list[str | None]]:
    """Train, and evaluate and export after checkpoints and at the end.

    Checkpoints are saved as the estimator's ``config`` says; between two evaluations lie ``throttle_secs`` at least.

    Args:
        estimator: the estimator.
        train_spec: how to train.
        eval_spec: how to evaluate, and what to export.

    Returns:
        The metrics of the last evaluation, and for each exporter the folder of its last export; ``None`` and nothing
        where no step was left to make.

    Raises:
        DTypeError: a specification is none.

    Example:
        >>> x = np.array([[0.0], [1.0], [2.0], [3.0]], np.float32)
        >>> columns = [dt.feature_column.numeric_column("x")]
        >>> estimator = dt.estimator.LinearRegressor(columns, "slope", optimizer=dt.train.AdamOptimizer(0.1))
        >>> data = lambda: ({"x": x}, 3 * x)
        >>> train = dt.estimator.TrainSpec(data, max_steps=100)
        >>> metrics, _ = dt.estimator.train_and_evaluate(estimator, train, dt.estimator.EvalSpec(data))
        >>> int(metrics["global_step"])
        100
    """
    for what, one, kind in (("train_spec", train_spec, TrainSpec), ("eval_spec", eval_spec, EvalSpec)):
        if not isinstance(one, kind):
            raise DTypeError(f"train_and_evaluate: {what} is {one!r}; give a dt.estimator.{kind.__name__}.")
    listener = _Evaluator(estimator, eval_spec)
    estimator.train(
        train_spec.input_fn,
        train_spec.hooks,
        max_steps=train_spec.max_steps,
        saving_listeners=[*train_spec.saving_listeners, listener],
    )
    if listener.trained:
        listener.evaluate(final=True)
    return listener.result, listener.exported


@final
class _Evaluator(CheckpointSaverListener):
    """Evaluates after checkpoints."""

    def __init__(self, estimator: Estimator, spec: EvalSpec) -> None:
        self.result: dict[str, Any] | None = None
        self.exported: list[str | None] = []
        self.trained = False
        self._estimator = estimator
        self._spec = spec

    def begin(self) -> None:
        self._last = time.monotonic()
        self._first = True
        self.trained = True

    def after_save(self, session: dt.Session, global_step_value: int) -> bool | None:
        if self._first:  # the checkpoint that training begins with
            self._first = False
        elif time.monotonic() >= self._last + self._spec.throttle_secs:
            self.evaluate(final=False)
            self._last = time.monotonic()
        return None

    def evaluate(self, *, final: bool) -> None:
        """Evaluate the newest checkpoint, and let it be exported."""
        spec, estimator = self._spec, self._estimator
        checkpoint = estimator.latest_checkpoint()
        if checkpoint is None:
            raise InvalidArgumentError(
                "train_and_evaluate: no checkpoint was saved; let the estimator's config save, by "
                "save_checkpoints_secs or save_checkpoints_steps."
            )
        self.result = estimator.evaluate(spec.input_fn, spec.steps, spec.hooks, checkpoint, spec.name)
        self.exported = [
            one.export(
                estimator, str(Path(estimator.model_dir) / "export" / one.name), checkpoint, dict(self.result), final
            )
            for one in spec.exporters
        ]
