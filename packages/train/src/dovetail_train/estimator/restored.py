"""Sessions that evaluate and predict with the values of a checkpoint, kept while their input stays of one kind."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, final

import dovetail as dt
from dovetail.errors import InvalidArgumentError, NotFoundError
from dovetail_train.estimator.batches import Batch, Batches, NoPosition
from dovetail_train.estimator.mode_keys import ModeKeys
from dovetail_train.estimator.model import Model
from dovetail_train.estimator.prediction import chosen_predictions
from dovetail_train.estimator.run_config import RunConfig
from dovetail_train.estimator.training import fitting
from dovetail_train.monitored_session import SingularMonitoredSession
from dovetail_train.session_run_hook import SessionRunHook

__all__ = ["CheckpointFound", "Checkpoints", "Restored"]

_FRESH: Final = 0.05
"""For so many seconds it is not looked again whether another process has saved: single predictions take less time."""


class CheckpointFound(NamedTuple):
    """A checkpoint.

    Attributes:
        path: its path.
        stamp: what changes when it is written anew.
    """

    path: str
    stamp: Any


@final
class Checkpoints:
    """The checkpoints of a folder: the newest is looked for again when the list of them has changed.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: str) -> None:
        """Remember the folder."""
        self.folder = folder
        self._list = Path(folder) / "checkpoint"
        self._latest: CheckpointFound | None = None
        self._looked = 0.0

    def changed(self) -> None:
        """Look at the next call for the newest, which this process has written."""
        self._looked = 0.0

    def find(self, path: str | os.PathLike[str] | None, who: str) -> CheckpointFound:
        """Return the checkpoint of that path, or the newest of the folder.

        Raises:
            NotFoundError: there is none.
        """
        if path is not None:
            prefix = os.fspath(path)
            if not dt.train.checkpoint_exists(prefix):
                raise NotFoundError(
                    f'{who}: there is no checkpoint "{prefix}"; see dt.train.latest_checkpoint(folder).'
                )
            return CheckpointFound(prefix, _stamp(f"{prefix}.json"))
        now = time.monotonic()
        if self._latest is not None and now < self._looked + _FRESH:
            return self._latest
        self._looked = now
        stamp = _stamp(self._list)
        if self._latest is None or stamp is None or self._latest.stamp != stamp:
            latest = dt.train.latest_checkpoint(self.folder) if Path(self.folder).is_dir() else None
            if latest is None:
                raise NotFoundError(
                    f'{who}: there is no checkpoint in "{self.folder}"; call train first, or give checkpoint_path.'
                )
            self._latest = CheckpointFound(latest, stamp)
        return self._latest


def _stamp(path: str | Path) -> Any:
    try:
        found = os.stat(path)  # noqa: PTH116 - the fastest way
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@final
class Restored:
    """A model in a session with the values of a checkpoint.

    Args:
        model: to evaluate or predict.
        checkpoint: the checkpoint.
        config: options of the session.
        hooks: hooks besides the model's.
    """

    def __init__(
        self, model: Model, checkpoint: CheckpointFound, config: RunConfig, hooks: Sequence[SessionRunHook]
    ) -> None:
        """Make the session in the default graph, which is the model's."""
        self._model = model
        self._checkpoint = checkpoint
        spec = model.spec
        own = spec.evaluation_hooks if model.mode == ModeKeys.EVAL else spec.prediction_hooks
        every = [*hooks, *own]
        self.has_hooks = bool(every)
        self._updates = dt.group(*(update for _, update in model.metrics.values()))
        self._values = {name: dt.convert_to_tensor(value) for name, (value, _) in model.metrics.items()}
        self._step = model.global_step.value()
        self._calls: dict[Any, Callable[..., Any]] = {}
        dt.add_to_collection(dt.GraphKeys.SAVEABLE_OBJECTS, NoPosition())
        folder = Path(checkpoint.path).parent
        with fitting(folder):
            self._session = SingularMonitoredSession(
                every,
                spec.scaffold,
                config=config.session_config,
                checkpoint_filename_with_path=checkpoint.path,
            )

    def restore(self, checkpoint: CheckpointFound) -> None:
        """Take the values of another checkpoint, unless they are there already."""
        if checkpoint is self._checkpoint or checkpoint == self._checkpoint:
            return
        with fitting(Path(checkpoint.path).parent):
            self._model.spec.scaffold.saver.restore(self._session.raw_session(), checkpoint.path)
        self._checkpoint = checkpoint

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    def evaluate(self, batches: Iterable[Batch | None]) -> dict[str, Any]:
        """Return the metrics over batches."""
        session, model = self._session, self._model
        scaffold = model.spec.scaffold
        session.raw_session().run(scaffold.local_init_op, scaffold.local_init_feed_dict)
        count = 0
        for batch in batches:
            if session.should_stop():
                break
            session.run(self._updates, model.feed(batch))
            count += 1
        if not count:
            raise InvalidArgumentError("evaluate: a hook ended it before the first batch; there are no metrics.")
        values, step = session.raw_session().run((self._values, self._step))
        if self.has_hooks:
            session.close()
        return {**values, "global_step": int(step)}

    def predictions(self, keys: Sequence[str] | str | None, batches: Batches | None) -> Iterator[Any]:
        """Return an iterator over the predictions of batches; of tensors there is one batch.

        Raises:
            NotFoundError: there is no such prediction.
        """
        call = self.callable_for(keys)
        if batches is None:
            return iter((call(),))
        return (call(*batch.arrays) for batch in batches)

    def callable_for(self, keys: Sequence[str] | str | None) -> Callable[..., Any]:
        """Return a function of the arrays of a batch that gives predictions.

        Raises:
            NotFoundError: there is no such prediction.
        """
        wanted = None if keys is None else (keys,) if isinstance(keys, str) else tuple(keys)
        call = self._calls.get(wanted)
        if call is None:
            fetches = chosen_predictions(self._model.spec.predictions, wanted)
            call = self._calls[wanted] = self._callable(fetches)
        return call

    def _callable(self, fetches: Any) -> Callable[..., Any]:
        feeds = self._model.feeds
        if not self.has_hooks:
            return self._session.raw_session().make_callable(fetches, feeds)
        return lambda *values: self._session.run(fetches, dict(zip(feeds, values, strict=True)))
