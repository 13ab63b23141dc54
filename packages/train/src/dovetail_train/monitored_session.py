"""Sessions that call hooks around each step."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, final

import dovetail as dt
from dovetail.errors import ClosedSessionError, InvalidArgumentError, OutOfRangeError
from dovetail_train.coordinator import Coordinator
from dovetail_train.scaffold import Scaffold
from dovetail_train.session_creator import ChiefSessionCreator, SessionCreator
from dovetail_train.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues

__all__ = ["MonitoredSession", "SingularMonitoredSession", "StepContext"]

_CLEAN = (OutOfRangeError, StopIteration)


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
        self._hooks = list(hooks)
        self._grace_seconds = grace_seconds
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
        feeds = dict(feed_dict or {})
        wanted: dict[SessionRunHook, Any] = {}
        for hook in self._hooks:
            asked = hook.before_run(context)
            if asked is None:
                continue
            if asked.fetches is not None:
                wanted[hook] = asked.fetches
            for key, value in (asked.feed_dict or {}).items():
                if key in feeds:
                    raise InvalidArgumentError(
                        f"{type(hook).__name__}: the hook feeds {key!r}, which the step or another hook feeds as well."
                    )
                feeds[key] = value
        given, results = session.run((fetches, tuple(wanted.values())), feeds)
        found = dict(zip(wanted, results, strict=True))
        for hook in self._hooks:
            hook.after_run(context, SessionRunValues(found.get(hook)))
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
        """Close it; the end of the data is no error."""
        if kind is not None and issubclass(kind, _CLEAN):
            kind = None
        self._close(kind)
        return kind is None

    def _opened(self) -> dt.Session:
        if self._session is None:
            raise ClosedSessionError("the monitored session is closed; look at should_stop() before each step.")
        return self._session

    def _close(self, kind: type[BaseException] | None) -> None:
        session = self._session
        if session is None:
            return
        self._session = None
        try:
            if kind is None:
                for hook in self._hooks:
                    hook.end(session)
        finally:
            try:
                self._coordinator.request_stop()
                self._coordinator.join(stop_grace_period_secs=self._grace_seconds, ignore_live_threads=True)
            finally:
                session.close()


@final
class MonitoredSession(_Monitored):
    """A session whose variables have values, and whose hooks are called around each step.

    As a context it ends quietly where the data end (``dt.errors.OutOfRangeError``), and calls ``end`` of the hooks but
    where an error leaves it.

    Args:
        session_creator: makes the session; a `ChiefSessionCreator` by default.
        hooks: called in this order.
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
        hooks: called in this order.
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
