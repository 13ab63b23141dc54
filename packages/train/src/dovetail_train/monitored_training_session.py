"""``MonitoredTrainingSession``: a monitored session that saves, restores and tells how fast it goes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import dovetail as dt
from dovetail.errors import InvalidArgumentError
from dovetail_train.hooks.checkpoint_saver import CheckpointSaverHook
from dovetail_train.hooks.early_stopping import EarlyStoppingHook
from dovetail_train.hooks.step_counter import StepCounterHook
from dovetail_train.hooks.summary_saver import SummarySaverHook
from dovetail_train.monitored_session import MonitoredSession
from dovetail_train.scaffold import Scaffold
from dovetail_train.session_creator import ChiefSessionCreator
from dovetail_train.session_run_hook import SessionRunHook

__all__ = ["MonitoredTrainingSession"]

_UNSET: Final[Any] = object()


def MonitoredTrainingSession(  # noqa: N802 - TensorFlow 1's name
    master: str = "",
    is_chief: bool = True,
    checkpoint_dir: str | os.PathLike[str] | None = None,
    scaffold: Scaffold | None = None,
    hooks: Iterable[SessionRunHook] | None = None,
    chief_only_hooks: Iterable[SessionRunHook] | None = None,
    save_checkpoint_secs: float | None = _UNSET,
    save_summaries_steps: int | None = _UNSET,
    save_summaries_secs: float | None = _UNSET,
    config: dt.ConfigProto | None = None,
    stop_grace_period_secs: float = 120,
    log_step_count_steps: int | None = 100,
    max_wait_secs: float = 7200,
    save_checkpoint_steps: int | None = _UNSET,
    summary_dir: str | os.PathLike[str] | None = None,
    save_graph_def: bool = True,
) -> MonitoredSession:
    """Return a monitored session that goes on from the newest checkpoint of a folder, and saves there.

    Args:
        master: has no effect; here for TensorFlow 1 programs.
        is_chief: must be true: training runs in one process.
        checkpoint_dir: the folder of the checkpoints; without it nothing is restored or saved.
        scaffold: how variables get their values.
        hooks: called around each step.
        chief_only_hooks: called before the others.
        save_checkpoint_secs: save after so many seconds; 600 unless ``save_checkpoint_steps`` is given. ``None`` or 0
            for never.
        save_summaries_steps: write the graph's summaries after so many steps; 100 unless ``save_summaries_secs`` is
            given. ``None`` or 0 for never.
        save_summaries_secs: write them after so many seconds; ``None`` or 0 for never.
        config: options of the session.
        stop_grace_period_secs: how long to wait for threads of its coordinator at the end.
        log_step_count_steps: tell the steps a second after so many steps; ``None`` or 0 for never.
        max_wait_secs: has no effect; here for TensorFlow 1 programs.
        save_checkpoint_steps: save after so many steps; ``None`` or 0 for never.
        summary_dir: the folder of the event file, which TensorBoard shows; ``checkpoint_dir`` by default, where
            tensorboard is installed.
        save_graph_def: whether to write the graph to ``graph.pbtxt`` in the folder.

    Raises:
        InvalidArgumentError: ``is_chief`` is false, or both ways to say when to save or to write are given.
        PluginError: ``summary_dir`` is given, and tensorboard is not installed.

    Example:
        >>> w = dt.Variable(1.0, name="w")
        >>> step = dt.train.get_or_create_global_step()
        >>> train = dt.train.GradientDescentOptimizer(0.1).minimize(w * w, global_step=step)
        >>> hooks = [dt.train.StopAtStepHook(last_step=5)]
        >>> with dt.train.MonitoredTrainingSession(checkpoint_dir="run", hooks=hooks) as session:
        ...     while not session.should_stop():
        ...         _ = session.run(train)
        >>> dt.train.latest_checkpoint("run")
        'run/model.ckpt-5'
    """
    if not is_chief:
        raise InvalidArgumentError(
            "MonitoredTrainingSession: is_chief is false, but training runs in one process, which is the chief."
        )
    seconds, steps = _rhythm("save_checkpoint", save_checkpoint_secs, save_checkpoint_steps, (600, None))
    summary_seconds, summary_steps = _rhythm("save_summaries", save_summaries_secs, save_summaries_steps, (None, 100))
    scaffold = scaffold or Scaffold()
    chosen = list(chief_only_hooks or ())
    logs = summary_dir
    if logs is None and find_spec("tensorboard") is not None:
        logs = checkpoint_dir
    if log_step_count_steps and (logs or checkpoint_dir) is not None:
        chosen.append(StepCounterHook(every_n_steps=log_step_count_steps, output_dir=logs))
    if logs is not None and (summary_seconds or summary_steps):
        chosen.append(
            SummarySaverHook(summary_steps or None, summary_seconds or None, output_dir=logs, scaffold=scaffold)
        )
    if checkpoint_dir is not None and (seconds or steps):
        chosen.append(
            CheckpointSaverHook(
                checkpoint_dir, seconds or None, steps or None, scaffold=scaffold, save_graph_def=save_graph_def
            )
        )
    chosen.extend(hooks or ())
    if checkpoint_dir is not None:
        for hook in chosen:
            if isinstance(hook, EarlyStoppingHook):
                hook.keep_in(Path(checkpoint_dir) / "best")
    creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir)
    return MonitoredSession(creator, chosen, stop_grace_period_secs)


def _rhythm(
    what: str, seconds: float | None, steps: int | None, default: tuple[float | None, int | None]
) -> tuple[float | None, int | None]:
    """Return after how many seconds or steps something is done.

    Raises:
        InvalidArgumentError: both are given.
    """
    if seconds is _UNSET and steps is _UNSET:
        return default
    seconds = None if seconds is _UNSET else seconds
    steps = None if steps is _UNSET else steps
    if seconds and steps:
        raise InvalidArgumentError(
            f"MonitoredTrainingSession: {what}_secs is {seconds}, {what}_steps {steps}; give one of them."
        )
    return seconds, steps
