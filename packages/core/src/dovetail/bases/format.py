"""``Format``: the base of file formats, and the registry by which ``save`` and ``load`` choose one."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from dovetail.errors import FormatError, InvalidArgumentError, NotFoundError, PluginError
from dovetail.plugins import hook, manager

__all__ = ["Format", "load", "save"]

_GROUP = "dovetail.formats"


class Format(ABC):
    """A file format, provided by an entry point of the group ``dovetail.formats`` under its name.

    Class attributes:
        name: the entry point's name, as in ``save(..., format="npz")``.
        suffixes: endings of files, with the dot.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def save(self, what: Any, path: Path, **options: Any) -> Any:
        """Write ``what`` to ``path``; nothing is left behind when it fails.

        Raises:
            InvalidArgumentError: the format does not hold such objects.
        """

    def load(self, path: Path, **options: Any) -> Any:
        """Read ``path``.

        Raises:
            FormatError: the file is not of this format, or damaged.
            InvalidArgumentError: the format is only written.
        """
        raise InvalidArgumentError(f"the format {self.name!r} is only written, not read.")


def _choose(path: Path, format: str | None) -> Format:
    if format is None:
        for name in manager.names(_GROUP):
            try:
                provided = manager.get(_GROUP, name)
            except PluginError:
                continue
            if any(path.name.endswith(suffix) for suffix in provided.suffixes):
                format = name
                break
        else:
            known = ", ".join(manager.names(_GROUP)) or "none: install dovetail-io"
            raise FormatError(f"no format is known for {str(path)!r} by its ending; pass format= (there are: {known}).")
    provided = manager.get(_GROUP, format)
    chosen: Format = provided() if isinstance(provided, type) else provided
    if hook.format_chosen_active:
        hook.format_chosen(path, format)
    return chosen


def save(what: Any, path: str | os.PathLike[str], *, format: str | None = None, **options: Any) -> Any:
    """Write ``what`` to a file, in the format that its ending or ``format`` names.

    Args:
        what: what the format holds: a session, a graph, a dict of arrays.
        path: where to.
        format: name of the format, where the ending does not tell.
        options: passed to the format.

    Raises:
        FormatError: no format fits the ending.
        PluginNotFoundError: there is no format of that name.
    """
    target = Path(path)
    return _choose(target, format).save(what, target, **options)


def load(path: str | os.PathLike[str], *, format: str | None = None, **options: Any) -> Any:
    """Read a file, in the format that its ending or ``format`` names.

    Raises:
        NotFoundError: there is no such file.
        FormatError: no format fits the ending, or the file is damaged.
    """
    source = Path(path)
    if not source.exists():
        raise NotFoundError(f"there is no file {str(source)!r}.")
    return _choose(source, format).load(source, **options)
