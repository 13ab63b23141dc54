"""``RunConfig``: how an estimator runs."""

from __future__ import annotations

import difflib
import os
from typing import Any, Final, Self, final

import dovetail as dt
from dovetail.errors import ConfigurationError, InvalidArgumentError, UnsupportedOperationError

__all__ = ["RunConfig"]

_UNSET: Final[Any] = object()
_REPLACEABLE = (
    "model_dir",
    "tf_random_seed",
    "save_summary_steps",
    "save_checkpoints_steps",
    "save_checkpoints_secs",
    "session_config",
    "keep_checkpoint_max",
    "keep_checkpoint_every_n_hours",
    "log_step_count_steps",
    "restore_input",
    "progress",
)
_POSITIVE = ("save_checkpoints_steps", "save_checkpoints_secs", "log_step_count_steps", "save_summary_steps")


@final
class RunConfig:
    """How an estimator runs: where it saves, how often, with which seed.

    Args:
        model_dir: the folder of checkpoints and logs.
        tf_random_seed: the graph's seed; drawn once, and saved, unless given.
        save_summary_steps: write summaries after so many steps; ``None`` or 0 for never.
        save_checkpoints_steps: save after so many steps; ``None`` for never.
        save_checkpoints_secs: save after so many seconds; 600 unless ``save_checkpoints_steps`` is given. ``None`` for
            never but at the beginning and the end.
        session_config: options of the sessions.
        keep_checkpoint_max: how many checkpoints stay; ``None`` or 0 for all.
        keep_checkpoint_every_n_hours: of those that would go, one is kept for ever in that time.
        log_step_count_steps: tell loss and steps a second after so many steps; ``None`` or 0 for never.
        train_distribute, device_fn, protocol, eval_distribute, experimental_distribute: must be ``None``: training
            runs in one process.
        experimental_max_worker_delay_secs, session_creation_timeout_secs: have no effect; here for TensorFlow 1
            programs.
        restore_input: whether training goes on where the checkpoint stood in its input, not at the input's beginning.
        progress: whether training shows a bar with loss, samples a second and the time that is left, as
            ``dt.train.ProgressBarHook`` does.

    Raises:
        InvalidArgumentError: both ways to say when to save are given, or a number is negative.
        UnsupportedOperationError: something asks for several processes.

    Example:
        >>> config = dt.estimator.RunConfig(tf_random_seed=7, save_checkpoints_steps=500)
        >>> config.replace(keep_checkpoint_max=2).keep_checkpoint_max
        2
    """

    def __init__(
        self,
        model_dir: str | os.PathLike[str] | None = None,
        tf_random_seed: int | None = None,
        save_summary_steps: int | None = 100,
        save_checkpoints_steps: int | None = _UNSET,
        save_checkpoints_secs: float | None = _UNSET,
        session_config: dt.ConfigProto | None = None,
        keep_checkpoint_max: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000,
        log_step_count_steps: int | None = 100,
        train_distribute: None = None,
        device_fn: None = None,
        protocol: None = None,
        eval_distribute: None = None,
        experimental_distribute: None = None,
        experimental_max_worker_delay_secs: float | None = None,
        session_creation_timeout_secs: float = 7200,
        *,
        restore_input: bool = True,
        progress: bool = False,
    ) -> None:
        """Check and remember."""
        asked = {
            "train_distribute": train_distribute,
            "device_fn": device_fn,
            "protocol": protocol,
            "eval_distribute": eval_distribute,
            "experimental_distribute": experimental_distribute,
        }
        for name, value in asked.items():
            if value is not None:
                raise UnsupportedOperationError(
                    f"RunConfig: {name} is {value!r}, but an estimator runs in one process; leave it out."
                )
        if save_checkpoints_steps is _UNSET and save_checkpoints_secs is _UNSET:
            save_checkpoints_secs = 600
        self.model_dir = None if model_dir is None else os.fspath(model_dir)
        self.tf_random_seed = tf_random_seed
        self.save_summary_steps = save_summary_steps
        self.save_checkpoints_steps = None if save_checkpoints_steps is _UNSET else save_checkpoints_steps
        self.save_checkpoints_secs = None if save_checkpoints_secs is _UNSET else save_checkpoints_secs
        self.session_config = session_config
        self.keep_checkpoint_max = keep_checkpoint_max
        self.keep_checkpoint_every_n_hours = keep_checkpoint_every_n_hours
        self.log_step_count_steps = log_step_count_steps
        self.restore_input = restore_input
        self.progress = progress
        self._check()

    def _check(self) -> None:
        if self.save_checkpoints_steps and self.save_checkpoints_secs:
            raise InvalidArgumentError(
                f"RunConfig: save_checkpoints_steps is {self.save_checkpoints_steps}, save_checkpoints_secs "
                f"{self.save_checkpoints_secs}; give one of them."
            )
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and value < 0:
                raise InvalidArgumentError(f"RunConfig: {name} is {value}; give a positive number, or None for never.")

    def replace(self, **kwargs: Any) -> Self:
        """Return one that differs.

        Raises:
            ConfigurationError: there is no such option.
        """
        for name in kwargs:
            if name not in _REPLACEABLE:
                near = difflib.get_close_matches(name, _REPLACEABLE, 1)
                hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(_REPLACEABLE)}."
                raise ConfigurationError(f"RunConfig.replace: {name!r} is no option that can be replaced.{hint}")
        given = {name: getattr(self, name) for name in _REPLACEABLE}
        if "save_checkpoints_steps" in kwargs and "save_checkpoints_secs" not in kwargs:
            given["save_checkpoints_secs"] = None
        if "save_checkpoints_secs" in kwargs and "save_checkpoints_steps" not in kwargs:
            given["save_checkpoints_steps"] = None
        return type(self)(**{**given, **kwargs})

    # What TensorFlow 1 programs ask; there is one process. -----------------------------------------------------------

    @property
    def is_chief(self) -> bool:
        """True: there is one process."""
        return True

    @property
    def master(self) -> str:
        """Empty: the session runs here."""
        return ""

    @property
    def num_worker_replicas(self) -> int:
        """One."""
        return 1

    @property
    def num_ps_replicas(self) -> int:
        """None."""
        return 0

    @property
    def task_type(self) -> str:
        """``"worker"``."""
        return "worker"

    @property
    def task_id(self) -> int:
        """Zero."""
        return 0
