"""``summary_iterator``: the events of a file, one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dovetail.errors import FormatError, NotFoundError, StorageError
from dovetail_train.summary.protobufs import load_tensorboard, parsed, protobuf

__all__ = ["summary_iterator"]


def summary_iterator(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Return an iterator over the events of an event file: messages ``Event``.

    Args:
        path: the event file; ``FileWriter.path`` names it.

    Raises:
        NotFoundError: there is no such file.
        StorageError: it cannot be read.
        FormatError: while iterating: a record is damaged, or the last one is not whole; those before it were given.

    Example:
        >>> with dt.summary.FileWriter("logs") as writer:
        ...     writer.add_summary(dt.Summary(value=[dt.Summary.Value(tag="loss", simple_value=0.5)]), 7)
        >>> for event in dt.train.summary_iterator(writer.path):
        ...     for value in event.summary.value:
        ...         print(event.step, value.tag, value.simple_value)
        7 loss 0.5
    """
    where = Path(path)
    if not where.exists():
        raise NotFoundError(f"summary_iterator: there is no file {str(where)!r}; FileWriter.path names the event file.")
    try:
        with where.open("rb"):
            pass
    except OSError as error:
        raise StorageError(f"summary_iterator: {str(where)!r} cannot be read: {error.strerror or error}.") from error
    return _events(where)


def _events(path: Path) -> Iterator[Any]:
    event = protobuf("event").Event
    stub = load_tensorboard("compat.tensorflow_stub")
    reader = load_tensorboard("compat.tensorflow_stub.pywrap_tensorflow").PyRecordReader_New(str(path))
    number = 0
    while True:
        try:
            reader.GetNext()
        except stub.errors.OutOfRangeError:
            return
        except stub.errors.OpError as error:
            raise _damaged(path, number, str(error)) from error
        found = parsed(event, reader.record())
        if found is None:
            raise _damaged(path, number, "it is no message Event")
        yield found
        number += 1


def _damaged(path: Path, number: int, why: str) -> FormatError:
    return FormatError(
        f"{str(path)!r}: record {number} of the event file is damaged or not whole ({why}); the {number} before it are "
        "good."
    )
