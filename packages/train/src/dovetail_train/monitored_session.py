"""Sessions that call hooks around each step."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, final

import dovetail as dt
from dovetail.errors import (
    ClosedSessionError,
    DovetailError,
    InvalidArgumentError,
    NanLossDuringTrainingError,
    OutOfRangeError,
)
from dovetail_train.coordinator import Coordinator
from dovetail_train.hooks.checkpoint_saver import CheckpointSaverHook
from dovetail_train.interrupts import Interrupts
from dovetail_train.scaffold import Scaffold
from dovetail_train.session_creator import ChiefSessionCreator, SessionCreator
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues

__all__ = ["MonitoredSession", "SingularMonitoredSession", "StepContext"]

_CLEAN: Final = (OutOfRangeError, StopIteration)
_NOTHING: Final = SessionRunValues(None)


@final
class StepContext:
    """What ``run_step_fn`` gives a function.

    Attributes:
        session: the session, whose runs call no hook.
    """

    def __init__(self, session: dt.Session, run_with_hooks: Callable[..., Any]) -> None:
        """Begin a step."""
        self.session = session
        self._run_with_hooks = run_with_hooks

    def run_with_hooks(self, *args: Any, **kwargs: Any) -> Any:
        """Run as ``MonitoredSession.run`` does."""
        return self._run_with_hooks(*args, **kwargs)

    def request_stop(self) -> None:
        """Let the loop end.

        Raises:
            StopIteration: always; the session takes it as the end.
        """
        raise StopIteration("a step asked to stop")


class _Monitored:
    """What sessions with hooks have in common."""

    def __init__(self, creator: SessionCreator, hooks: Sequence[SessionRunHook], grace_seconds: float) -> None:
        self._graph = dt.get_default_graph()
        # Checkpoints come last, so that they hold what the other hooks have seen and done.
        self._hooks = sorted(hooks, key=lambda one: isinstance(one, CheckpointSaverHook))
        self._grace_seconds = grace_seconds
        self._savers = [hook for hook in self._hooks if isinstance(hook, CheckpointSaverHook)]
        self._coordinator = Coordinator(clean_stop_exception_types=_CLEAN)
        for hook in self._hooks:
            hook.begin()
        self._session: dt.Session | None = creator.create_session()
        try:
            for hook in self._hooks:
                hook.after_create_session(self._session, self._coordinator)
        except BaseException:
            self._session.close()
            raise
        # Where nothing is saved there is nothing to wait for.
        self._interrupts = Interrupts() if self._savers else None

    @property
    def graph(self) -> dt.Graph:
        """The graph that it runs."""
        return self._graph

    def should_stop(self) -> bool:
        """Say whether the loop should end: a hook or a thread wants it to, or the session is closed."""
        return self._session is None or self._coordinator.should_stop()

    def run(
        self,
        fetches: Any,
        feed_dict: Mapping[Any, Any] | None = None,
        options: Any = None,
        run_metadata: Any = None,
    ) -> Any:
        """Make a step: compute ``fetches`` and what the hooks want besides, in one run.

        Where a hook saves checkpoints, Ctrl-C and SIGTERM wait for the end of the step.

        Args:
            fetches: as for ``Session.run``.
            feed_dict: as for ``Session.run``.
            options: has no effect; here for TensorFlow 1 programs.
            run_metadata: has no effect; here for TensorFlow 1 programs.

        Raises:
            InvalidArgumentError: a hook feeds a tensor that is fed already.
            ClosedSessionError: the session is closed.
        """
        session = self._opened()
        context = SessionRunContext(SessionRunArgs(fetches, feed_dict, options), session)
        interrupts = self._interrupts
        if interrupts is None:
            return self._step(session, context)
        interrupts.hold()
        try:
            given = self._step(session, context)
        except BaseException:
            interrupts.drop()
            raise
        interrupts.release()
        return given

    def _step(self, session: dt.Session, context: SessionRunContext) -> Any:
        feeds = context.original_args.feed_dict
        wanted, owners = [context.original_args.fetches], []
        for hook in self._hooks:
            asked = hook.before_run(context)
            if asked is None:
                continue
            if asked.fetches is not None:
                owners.append(hook)
                wanted.append(asked.fetches)
            if asked.feed_dict:
                feeds = _joined(feeds, asked.feed_dict, hook)
        given, *results = session.run(tuple(wanted), feeds) if owners else [session.run(wanted[0], feeds)]
        found = iter(results)
        waiting = iter(owners)
        owner = next(waiting, None)
        for hook in self._hooks:
            if hook is owner:
                hook.after_run(context, SessionRunValues(next(found)))
                owner = next(waiting, None)
            else:
                hook.after_run(context, _NOTHING)
        if context.stop_requested:
            self._coordinator.request_stop()
        self._coordinator.raise_requested_exception()
        return given

    def run_step_fn(self, step_fn: Callable[..., Any]) -> Any:
        """Make a step by a function.

        Args:
            step_fn: takes a context: ``context.run_with_hooks`` runs as ``run`` does, ``context.session`` calls no
                hook, ``context.request_stop()`` ends the loop.

        Returns:
            What the function returns; ``None`` where it asked to stop.
        """
        try:
            return step_fn(StepContext(self._opened(), self.run))
        except StopIteration:
            self._coordinator.request_stop()
            return None

    def close(self) -> None:
        """Call ``end`` of the hooks, and close the session."""
        self._close(None)

    def __enter__(self) -> Self:
        """Return the session."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Close it; the end of the data is no error. Where there is one, the last step is saved all the same."""
        if isinstance(error, _CLEAN):
            error = None
        self._close(error)
        return error is None

    def _opened(self) -> dt.Session:
        if self._session is None:
            raise ClosedSessionError("the monitored session is closed; look at should_stop() before each step.")
        return self._session

    def _close(self, error: BaseException | None) -> None:
        session, interrupts = self._session, self._interrupts
        if session is None:
            return
        self._session = None
        if interrupts is not None:
            interrupts.hold()
        try:
            if error is None:
                self._end(session)
            else:
                self._rescue(session, error)
        finally:
            try:
                self._coordinator.request_stop()
                self._coordinator.join(stop_grace_period_secs=self._grace_seconds, ignore_live_threads=True)
            finally:
                session.close()
                if interrupts is not None:
                    interrupts.restore()
        if interrupts is not None and error is None:
            interrupts.release()

    def _end(self, session: dt.Session) -> None:
        try:
            for hook in self._hooks:
                hook.end(session)
        except BaseException as error:
            self._rescue(session, error)
            raise

    def _rescue(self, session: dt.Session, error: BaseException) -> None:
        """Save what has been trained before an error leaves; a loss that is NaN has spoiled it."""
        if isinstance(error, NanLossDuringTrainingError):
            return
        for hook in self._savers:
            try:
                told = hook.save_last(session)
            except DovetailError as failure:
                told = f"The last step could not be saved: {failure}"
            if isinstance(error, Exception):
                error.add_note(told)
            else:
                dt.logging.warning("Interrupted. %s", told)


def _joined(feeds: Mapping[Any, Any] | None, more: Mapping[Any, Any], hook: SessionRunHook) -> Mapping[Any, Any]:
    """Return what a step and a hook feed.

    Raises:
        InvalidArgumentError: both feed one tensor.
    """
    joined = dict(feeds or {})
    for key, value in more.items():
        if key in joined:
            raise InvalidArgumentError(
                f"{type(hook).__name__}: the hook feeds {key!r}, which the step or another hook feeds as well."
            )
        joined[key] = value
    return joined


@final
class MonitoredSession(_Monitored):
    """A session whose variables have values, and whose hooks are called around each step.

    As a context it ends quietly where the data end (``dt.errors.OutOfRangeError``), and calls ``end`` of the hooks but
    where an error leaves it.

    Args:
        session_creator: makes the session; a `ChiefSessionCreator` by default.
        hooks: called in this order, but those that save checkpoints last.
        stop_grace_period_secs: how long to wait for threads of its coordinator at the end.

    Example:
        >>> w = dt.Variable(1.0, name="w")
        >>> step = dt.train.get_or_create_global_step()
        >>> train = dt.train.GradientDescentOptimizer(0.1).minimize(w * w, global_step=step)
        >>> with dt.train.MonitoredSession(hooks=[dt.train.StopAtStepHook(last_step=3)]) as session:
        ...     while not session.should_stop():
        ...         _ = session.run(train)
    """

    def __init__(
        self,
        session_creator: SessionCreator | None = None,
        hooks: Iterable[SessionRunHook] | None = None,
        stop_grace_period_secs: float = 120,
    ) -> None:
        """Call ``begin`` of the hooks, finalize the graph, and make the session."""
        super().__init__(session_creator or ChiefSessionCreator(), list(hooks or ()), stop_grace_period_secs)


@final
class SingularMonitoredSession(_Monitored):
    """What `MonitoredSession` is, with the session itself for savers: ``raw_session()``.

    Args:
        hooks: called in this order, but those that save checkpoints last.
        scaffold: how variables get their values.
        master: has no effect; here for TensorFlow 1 programs.
        config: options of the session.
        checkpoint_dir: the folder of checkpoints, of which the newest is restored.
        stop_grace_period_secs: how long to wait for threads of its coordinator at the end.
        checkpoint_filename_with_path: one checkpoint to restore, in place of a folder.

    Example:
        >>> v = dt.Variable(2.0, name="v")
        >>> with dt.train.SingularMonitoredSession() as session:
        ...     session.raw_session().run(v)
        np.float32(2.0)
    """

    def __init__(
        self,
        hooks: Iterable[SessionRunHook] | None = None,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: dt.ConfigProto | None = None,
        checkpoint_dir: str | os.PathLike[str] | None = None,
        stop_grace_period_secs: float = 120,
        checkpoint_filename_with_path: str | os.PathLike[str] | None = None,
    ) -> None:
        """Call ``begin`` of the hooks, finalize the graph, and make the session."""
        creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir, checkpoint_filename_with_path)
        super().__init__(creator, list(hooks or ()), stop_grace_period_secs)

    def raw_session(self) -> dt.Session:
        """Return the session itself.

        Raises:
            ClosedSessionError: the session is closed.
        """
        return self._opened()
