"""Elements read ahead by a thread."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from typing import Any, final

from dovetail_train.data.spec import ElementSpec, Leaves
from dovetail_train.data.stage import Cursor, Stage, State, Turn

__all__ = ["Prefetch"]


@final
class Prefetch(Stage):
    """The stage before, so many elements ahead of who reads."""

    def __init__(self, before: Stage, size: int) -> None:
        """Keep how many."""
        super().__init__(before)
        self.size = size

    @property
    def spec(self) -> ElementSpec:
        """As before."""
        return self.inputs[0].spec

    def cardinality(self) -> int:
        """As before."""
        return self.inputs[0].cardinality()

    def open(self, turn: Turn) -> Cursor:
        """Begin a pass; the thread starts when the first element is asked for."""
        return _PrefetchCursor(self.inputs[0].open(turn), self.size)

    def title(self) -> str:
        """Name the stage; how many it reads ahead changes nothing."""
        return "prefetch"


@final
class _Shared:
    """What the thread and the reader share. The thread holds nothing else, so that a dropped reader is noticed."""

    def __init__(self, cursor: Cursor, size: int) -> None:
        self.cursor = cursor
        self.size = size
        self.ready: deque[tuple[Leaves, Any, State]] = deque()
        self.changed = threading.Condition()
        self.stopped = False
        self.end: BaseException | None = None

    def stop(self) -> None:
        with self.changed:
            self.stopped = True
            self.changed.notify_all()

    def read_ahead(self) -> None:
        """Read until the end, an error, or until nobody wants more."""
        cursor = self.cursor
        while True:
            with self.changed:
                while len(self.ready) >= self.size and not self.stopped:
                    self.changed.wait()
                if self.stopped:
                    return
            try:
                item = (cursor.next(), cursor.token, cursor.state())
            except BaseException as error:  # noqa: BLE001 - raised where the elements are read, with its traceback
                with self.changed:
                    self.end = error
                    self.changed.notify_all()
                return
            with self.changed:
                self.ready.append(item)
                self.changed.notify_all()


@final
class _PrefetchCursor(Cursor):
    def __init__(self, before: Cursor, size: int) -> None:
        self._before = before
        self._size = size
        self._begin()

    def _begin(self) -> None:
        self._state = self._before.state()
        self._token: Any = None
        self._thread: threading.Thread | None = None
        self._shared = _Shared(self._before, self._size)
        self._stop_when_dropped = weakref.finalize(self, self._shared.stop)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._shared.read_ahead, name="dovetail-prefetch", daemon=True)
        self._thread.start()

    def next(self) -> Leaves:
        if self._thread is None:
            self._start()
        shared = self._shared
        with shared.changed:
            while not shared.ready and shared.end is None and not shared.stopped:
                shared.changed.wait()
            if not shared.ready:
                if isinstance(shared.end, StopIteration) or shared.end is None:
                    raise StopIteration
                raise shared.end
            leaves, self._token, self._state = shared.ready.popleft()
            shared.changed.notify_all()
        return leaves

    @property
    def token(self) -> Any:
        return self._token

    def state(self) -> State:
        return self._state

    def restore(self, state: State) -> None:
        self._stop()
        self._before.restore(state)
        self._begin()

    def _stop(self) -> None:
        self._stop_when_dropped()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        self._stop()
        self._before.close()
