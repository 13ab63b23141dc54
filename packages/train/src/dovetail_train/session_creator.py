"""How a monitored session gets its session: the variables restored, or initialized."""

from __future__ import annotations

import os
from typing import final

import dovetail as dt
from dovetail.errors import InvalidArgumentError, UninitializedVariableError
from dovetail_train.scaffold import Scaffold

__all__ = ["ChiefSessionCreator", "SessionCreator"]


class SessionCreator:
    """Base of what makes a session for a `MonitoredSession`."""

    def create_session(self) -> dt.Session:
        """Return a session of the default graph whose variables have values.

        Raises:
            InvalidArgumentError: a subclass does not define it.
        """
        raise InvalidArgumentError(f"{type(self).__qualname__} does not define create_session().")


@final
class ChiefSessionCreator(SessionCreator):
    """Makes a session and restores the newest checkpoint, or initializes the variables where there is none.

    Args:
        scaffold: how variables get their values; the defaults of `Scaffold` unless given.
        master: has no effect; here for TensorFlow 1 programs.
        config: options of the session.
        checkpoint_dir: the folder of checkpoints, of which the newest is restored.
        checkpoint_filename_with_path: one checkpoint to restore, in place of a folder.

    Raises:
        InvalidArgumentError: both a folder and a checkpoint are given.
    """

    def __init__(
        self,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: dt.ConfigProto | None = None,
        checkpoint_dir: str | os.PathLike[str] | None = None,
        checkpoint_filename_with_path: str | os.PathLike[str] | None = None,
    ) -> None:
        """Remember what is given."""
        if checkpoint_dir is not None and checkpoint_filename_with_path is not None:
            raise InvalidArgumentError(
                "ChiefSessionCreator: checkpoint_dir and checkpoint_filename_with_path are given; give one of them."
            )
        self._scaffold = scaffold or Scaffold()
        self._config = config
        self._folder = checkpoint_dir
        self._file = checkpoint_filename_with_path

    def create_session(self) -> dt.Session:
        """Make the session.

        Raises:
            UninitializedVariableError: a variable has no value afterwards; the message names it.
        """
        scaffold = self._scaffold.finalize()
        session = dt.Session(graph=dt.get_default_graph(), config=self._config)
        try:
            self._fill(session, scaffold)
        except BaseException:
            session.close()
            raise
        return session

    def _fill(self, session: dt.Session, scaffold: Scaffold) -> None:
        latest = self._file
        if self._folder is not None:
            latest = dt.train.latest_checkpoint(self._folder)
        if latest is not None:
            scaffold.saver.restore(session, latest)
        else:
            session.run(scaffold.init_op, scaffold.init_feed_dict)
            if scaffold.init_fn is not None:
                scaffold.init_fn(scaffold, session)
        _check(session, scaffold.ready_for_local_init_op, latest)
        session.run(scaffold.local_init_op, scaffold.local_init_feed_dict)
        _check(session, scaffold.ready_op, latest)


def _check(session: dt.Session, ready_op: dt.Tensor, restored: object) -> None:
    """Make sure that every variable has a value.

    Raises:
        UninitializedVariableError: one has none.
    """
    lacking = [name.decode() for name in session.run(ready_op).tolist()]
    if lacking:
        why = "the initializers of the scaffold do not write them"
        if restored is not None:
            why = f'the checkpoint "{restored}", which was restored, does not hold them'
        raise UninitializedVariableError(
            f"variables have no value: {', '.join(lacking)}; {why}. Give the Scaffold an init_op, init_fn or "
            "local_init_op that does."
        )
