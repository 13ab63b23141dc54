"""``FileWriter``: what writes summaries and graphs for TensorBoard."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, final

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail_train.summary.event_file import EventFile, wall_time
from dovetail_train.summary.graph_def import graph_def_of
from dovetail_train.summary.protobufs import parsed, protobuf
from dovetail_train.summary.run_metadata import run_metadata_of

__all__ = ["FileWriter", "FileWriterCache"]


@final
class FileWriter:
    """Writes summaries, graphs and more to a new event file of a folder, from where TensorBoard shows them.

    Records are handed to a thread, so that training does not wait for the disk; each is in the file after
    ``flush_secs``, after ``flush`` and ``close``, and when the program ends. As a context it closes itself.

    Args:
        logdir: the folder, which is made if needed. TensorBoard shows each folder as a run.
        graph: a graph to write at once.
        max_queue: how many records may wait for the thread.
        flush_secs: after how many seconds at most a record is in the file.
        graph_def: a message ``GraphDef`` to write at once, in place of ``graph``.
        filename_suffix: the end of the file's name.
        session: has no effect; here for TensorFlow 1 programs.

    Attributes:
        path: the event file.

    Raises:
        StorageError: the file system refuses; also from the methods.
        PluginError: tensorboard is not installed.

    Example:
        >>> loss = dt.placeholder(dt.float32, [], name="loss")
        >>> summary = dt.summary.scalar("loss", loss)
        >>> with dt.summary.FileWriter("logs", dt.get_default_graph()) as writer, dt.Session() as session:
        ...     for step in range(3):
        ...         writer.add_summary(session.run(summary, {loss: 1.0 / (step + 1)}), step)
        >>> [event.step for event in dt.train.summary_iterator(writer.path) if event.HasField("summary")]
        [0, 1, 2]
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        graph: dt.Graph | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        graph_def: Any = None,
        filename_suffix: str | None = None,
        session: dt.Session | None = None,
    ) -> None:
        """Make the event file."""
        if not isinstance(logdir, (str, os.PathLike)):
            raise DTypeError(f"FileWriter: logdir is {logdir!r}; give the name of a folder.")
        if flush_secs <= 0:
            raise InvalidArgumentError(f"FileWriter: flush_secs is {flush_secs}; give a positive number.")
        self._logdir = Path(logdir)
        self._settings: Final = (max_queue, flush_secs, filename_suffix or "")
        self._told: set[str] = set()
        self._closed = False
        self._file = EventFile(self._logdir, *self._settings)
        if graph is not None or graph_def is not None:
            self.add_graph(graph, graph_def=graph_def)

    @property
    def path(self) -> str:
        """The event file."""
        return str(self._file.path)

    @property
    def failed(self) -> bool:
        """Whether the file system has refused a record; nothing is written any more then."""
        return self._file.failed

    def get_logdir(self) -> str:
        """Return the folder."""
        return str(self._logdir)

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Write a summary.

        Args:
            summary: what a run gave for a summary of the graph; or a message ``Summary``.
            global_step: the step at which TensorBoard shows it.

        Raises:
            DTypeError: it is something else.
            InvalidArgumentError: its bytes are no message ``Summary``.
        """
        message = _as_summary(summary)
        for value in message.value:
            if value.HasField("metadata"):
                # TensorBoard wants the metadata once in a file, as TensorFlow writes them.
                if value.tag in self._told:
                    value.ClearField("metadata")
                self._told.add(value.tag)
        self._add(global_step, summary=message)

    def add_event(self, event: Any) -> None:
        """Write a message ``Event`` as it is.

        Raises:
            DTypeError: it is something else.
        """
        if not isinstance(event, protobuf("event").Event):
            raise DTypeError(f"FileWriter.add_event: {event!r} is no dt.Event.")
        if self._open():
            self._file.add(event)

    def add_graph(self, graph: Any = None, global_step: Any = None, graph_def: Any = None) -> None:
        """Write a graph, which TensorBoard draws with scopes, shapes and devices, bodies of control flow in scopes.

        Args:
            graph: a graph, or a session, whose graph is meant.
            global_step: the step.
            graph_def: a message ``GraphDef``, in place of ``graph``.

        Raises:
            DTypeError: neither is given.
        """
        if isinstance(graph, dt.Session):
            graph = graph.graph
        if isinstance(graph, dt.Graph):
            graph_def = graph_def_of(graph)
        elif graph is not None or not hasattr(graph_def, "SerializeToString"):
            raise DTypeError(
                f"FileWriter.add_graph: {graph if graph is not None else graph_def!r} is no graph; give a dt.Graph, or "
                "the graph of a session."
            )
        self._add(global_step, graph_def=graph_def.SerializeToString())

    def add_session_log(self, session_log: Any, global_step: Any = None) -> None:
        """Write a message ``SessionLog``: where training begins, saves and ends."""
        self._add(global_step, session_log=session_log)

    def add_run_metadata(self, run_metadata: Any, tag: str, global_step: Any = None) -> None:
        """Write what was measured of a run, with which TensorBoard colours the graph by the time that nodes take.

        Args:
            run_metadata: what ``dt.profile`` returned; or a message ``RunMetadata``.
            tag: what to call it; no two of a writer have the same.
            global_step: the step.

        Raises:
            InvalidArgumentError: the tag was used before.
        """
        key = f"\0{tag}"
        if key in self._told:
            raise InvalidArgumentError(f"FileWriter.add_run_metadata: the tag {tag!r} was used before; give another.")
        self._told.add(key)
        if not hasattr(run_metadata, "SerializeToString"):
            run_metadata = run_metadata_of(run_metadata)
        tagged = protobuf("event").TaggedRunMetadata(tag=tag, run_metadata=run_metadata.SerializeToString())
        self._add(global_step, tagged_run_metadata=tagged)

    def flush(self) -> None:
        """Wait until all that was added is in the file."""
        if self._open():
            self._file.flush()

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._closed = True
        self._file.close()

    def reopen(self) -> None:
        """Begin another event file, if the writer was closed; without effect else."""
        if self._closed:
            self._file = EventFile(self._logdir, *self._settings)
            self._told.clear()
            self._closed = False

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _add(self, step: Any, **what: Any) -> None:
        event = protobuf("event").Event(wall_time=wall_time(), **what)
        if step is not None:
            event.step = _as_step(step)
        if self._open():
            self._file.add(event)

    def _open(self) -> bool:
        if self._closed:
            dt.logging.warning(
                "FileWriter: the writer of %r is closed, so that nothing is written; reopen() begins another file.",
                str(self._logdir),
            )
        return not self._closed


def _as_step(step: Any) -> int:
    try:
        return int(step)
    except (TypeError, ValueError) as error:
        raise DTypeError(
            f"FileWriter: global_step is {step!r}; give a number, such as session.run(global_step) returns."
        ) from error


def _as_summary(summary: Any) -> Any:
    message = protobuf("summary").Summary
    if isinstance(summary, message):
        copy = message()
        copy.CopyFrom(summary)
        return copy
    if isinstance(summary, bytes):
        found = parsed(message, summary)
        if found is None:
            raise InvalidArgumentError(
                f"FileWriter.add_summary: {summary[:40]!r} is no summary; give what session.run returned for one."
            )
        return found
    why = "the graph has no summaries where merge_all() returns None" if summary is None else "run it in a session"
    raise DTypeError(
        f"FileWriter.add_summary: {summary!r} is no summary; give what session.run returned for one ({why})."
    )


class FileWriterCache:
    """Writers by folder, so that hooks which write to one folder share a file."""

    _writers: Final[dict[str, FileWriter]] = {}
    _lock: Final = threading.RLock()

    @staticmethod
    def get(logdir: str | os.PathLike[str]) -> FileWriter:
        """Return the writer of a folder, made with the default graph; anew where the one before has failed."""
        with FileWriterCache._lock:
            key = str(Path(logdir).absolute())
            writer = FileWriterCache._writers.get(key)
            if writer is None or writer.failed:
                writer = FileWriterCache._writers[key] = FileWriter(logdir, graph=dt.get_default_graph())
            return writer

    @staticmethod
    def clear() -> None:
        """Close all writers, and forget them."""
        with FileWriterCache._lock:
            writers = list(FileWriterCache._writers.values())
            FileWriterCache._writers.clear()
            for writer in writers:
                writer.close()
