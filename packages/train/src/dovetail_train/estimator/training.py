"""The loop that trains: from the newest checkpoint, with hooks, saving what was reached whatever happens."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, final

import dovetail as dt
from dovetail.errors import DTypeError, FeedError, NotFoundError, OperationError, ShapeError, UninitializedVariableError
from dovetail_train.estimator.batches import Batches
from dovetail_train.estimator.model import Model
from dovetail_train.estimator.run_config import RunConfig
from dovetail_train.hooks.checkpoint_saver import CheckpointSaverHook, CheckpointSaverListener
from dovetail_train.hooks.logging_tensor import LoggingTensorHook
from dovetail_train.hooks.nan_tensor import NanTensorHook
from dovetail_train.hooks.progress_bar import ProgressBarHook
from dovetail_train.monitored_session import MonitoredSession
from dovetail_train.monitored_training_session import MonitoredTrainingSession
from dovetail_train.scaffold import Scaffold
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook

__all__ = ["BASENAME", "fitting", "run_training"]

BASENAME = "model.ckpt"

Fill = Callable[[dt.Session], None]


def run_training(
    model: Model,
    batches: Batches | None,
    config: RunConfig,
    hooks: Sequence[SessionRunHook],
    listeners: Iterable[CheckpointSaverListener],
    warm_start: Fill | None,
    last_step: int | None = None,
) -> Any:
    """Train in the default graph, which is the model's.

    Args:
        model: of the mode to train.
        batches: what to feed; ``None`` where the input is made of tensors.
        config: where and how often to save.
        hooks: hooks besides those that the model and ``config`` want; one of them ends the loop, or the input does.
        listeners: what is told of checkpoints.
        warm_start: gives variables other first values, where there is no checkpoint.
        last_step: the step at which it ends, where that is known, for the bar.

    Returns:
        The loss of the last step, or ``None`` where none was made.
    """
    folder = Path(os.fspath(config.model_dir or "."))
    spec = model.spec
    scaffold = _with_saver(spec.scaffold, config)
    if batches is not None and config.restore_input:
        dt.add_to_collection(dt.GraphKeys.SAVEABLE_OBJECTS, batches)
    if warm_start is not None:
        scaffold.init_fn = _after(scaffold.init_fn, warm_start)
    every = config.log_step_count_steps or None
    feeding = [] if batches is None else [_InputHook(model, batches)]
    chosen: list[SessionRunHook] = [*feeding, *hooks, NanTensorHook(spec.loss)]
    if every:
        tensors = {"loss": spec.loss, "step": model.global_step.value()}
        chosen.append(LoggingTensorHook(tensors, every_n_iter=every))
    if config.progress:
        samples = model.feeds[0] if model.feeds else None
        chosen.append(ProgressBarHook(last_step, {"loss": spec.loss}, samples))
    chosen.extend(spec.training_hooks)
    chief = list(spec.training_chief_hooks)
    seconds = config.save_checkpoints_secs or None
    steps = config.save_checkpoints_steps or (None if seconds else sys.maxsize)  # else at the beginning and the end
    chief.append(
        CheckpointSaverHook(
            folder, seconds, steps, checkpoint_basename=BASENAME, scaffold=scaffold, listeners=listeners
        )
    )
    with fitting(folder):
        session = MonitoredTrainingSession(
            checkpoint_dir=folder,
            scaffold=scaffold,
            hooks=chosen,
            chief_only_hooks=chief,
            save_checkpoint_secs=None,
            save_summaries_steps=config.save_summary_steps,
            config=config.session_config,
            log_step_count_steps=every,
        )
    with session:
        return _loop(session, model, batches, lambda raw: _save_end(raw, scaffold, folder, model))


@final
class _InputHook(SessionRunHook):
    """Feeds each step; so that Ctrl-C waits for its batch too, and no batch is lost."""

    def __init__(self, model: Model, batches: Batches) -> None:
        self._model = model
        self._batches = batches

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        return SessionRunArgs(None, self._model.feed(next(self._batches)))


def _loop(session: MonitoredSession, model: Model, batches: Batches | None, save_end: Fill) -> Any:
    fetches = (model.spec.train_op, model.spec.loss)
    loss: Any = None
    while not session.should_stop():
        try:
            _, loss = session.run(fetches)
        except StopIteration:
            session.run_step_fn(lambda context: save_end(context.session))
            break
        except (FeedError, OperationError) as error:
            if batches is not None:
                error.add_note(f"It was the step of batch {batches.count} of the input.")
            raise
    return loss


def _save_end(session: dt.Session, scaffold: Scaffold, folder: Path, model: Model) -> None:
    """Where the last step is saved already, save it anew: the next training begins the input anew, which has ended."""
    step = int(session.run(model.global_step))
    if dt.train.latest_checkpoint(folder) == str(folder / f"{BASENAME}-{step}"):
        scaffold.saver.save(session, folder / BASENAME, global_step=step)


def _with_saver(scaffold: Scaffold, config: RunConfig) -> Scaffold:
    """Give the scaffold a saver that keeps as many checkpoints as is wanted, unless it or the graph has one."""
    if scaffold.saver is None and not dt.get_collection(dt.GraphKeys.SAVERS):
        scaffold.saver = dt.train.Saver(
            max_to_keep=config.keep_checkpoint_max,
            keep_checkpoint_every_n_hours=config.keep_checkpoint_every_n_hours,
            defer_build=True,
        )
        dt.add_to_collection(dt.GraphKeys.SAVERS, scaffold.saver)
    return scaffold


def _after(first: Any, then: Fill) -> Any:
    def init(scaffold: Scaffold, session: dt.Session) -> None:
        if first is not None:
            first(scaffold, session)
        then(session)

    return init


class fitting:  # noqa: N801 - a context, used like a function
    """A context that says of a checkpoint that does not fit which folder it is in, and what to do.

    Args:
        folder: the folder of the model.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Remember the folder."""
        self._folder = folder

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Add to the error, if it is one."""
        misfits = (NotFoundError, ShapeError, DTypeError, UninitializedVariableError)
        if isinstance(error, misfits) and dt.train.latest_checkpoint(self._folder) is not None:
            error.add_note(
                f'The folder "{self._folder}" holds the checkpoints of another model. Give an empty or new model_dir, '
                "or the model that was trained there; warm_start_from takes those variables that fit."
            )
