"""``Format``: the base of file formats, and the registry by which ``save`` and ``load`` choose one."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
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
        suffixes: endings of files, with the dot; ``"/"`` for folders. Of several formats the longest ending counts.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def save(self, what: Any, path: Path, **options: Any) -> Any:
        """Write ``what`` to ``path``; nothing is left behind when it fails.

        Raises:
            InvalidArgumentError: the format does not hold such objects.
        """

    @classmethod
    def recognizes(cls, path: Path) -> bool:
        """Whether what is at ``path`` is of this format though its ending does not tell, as of a folder."""
        return False

    def load(self, path: Path, **options: Any) -> Any:
        """Read ``path``.

        Raises:
            FormatError: the file is not of this format, or damaged.
            InvalidArgumentError: the format is only written.
        """
        raise InvalidArgumentError(f"the format {self.name!r} is only written, not read.")


def _formats() -> Iterator[tuple[str, Any]]:
    for name in manager.names(_GROUP):
        try:
            yield name, manager.get(_GROUP, name)
        except PluginError:
            continue


def _by_ending(path: str) -> str:
    """Return the name of the format that has the longest ending of ``path``."""
    found: dict[str, str] = {}
    for name, provided in _formats():
        for suffix in provided.suffixes:
            if path.endswith(suffix) and path != suffix:
                found[name] = max(suffix, found.get(name, ""), key=len)
    longest = max(map(len, found.values()), default=0)
    names = [name for name, suffix in found.items() if len(suffix) == longest]
    if not names:
        known = ", ".join(manager.names(_GROUP)) or "none: install dovetail-io"
        raise FormatError(f"no format is known for {path!r} by its ending; pass format= (there are: {known}).")
    if len(names) > 1:
        raise FormatError(
            f"{path!r} may be of the format {' or '.join(map(repr, names))}, which share its ending; pass format= to "
            "say which."
        )
    return names[0]


def _get(format: str, path: Path) -> Format:
    provided = manager.get(_GROUP, format)
    chosen: Format = provided() if isinstance(provided, type) else provided
    if hook.format_chosen_active:
        hook.format_chosen(path, format)
    return chosen


def save(what: Any, path: str | os.PathLike[str], *, format: str | None = None, **options: Any) -> Any:
    """Write ``what`` to a file or folder, in the format that its ending or ``format`` names.

    Args:
        what: what the format holds: a session, a graph, a dict of arrays.
        path: where to.
        format: name of the format, where the ending does not tell.
        options: passed to the format.

    Raises:
        FormatError: no format fits the ending, or several do.
        PluginNotFoundError: there is no format of that name.
    """
    target = Path(path)
    return _get(format or _by_ending(os.fspath(path)), target).save(what, target, **options)


def load(path: str | os.PathLike[str], *, format: str | None = None, **options: Any) -> Any:
    """Read a file or folder, in the format that its ending or ``format`` names, or that recognizes it.

    Args:
        path: the file or folder.
        format: name of the format, where neither its ending nor its content tells.
        options: passed to the format.

    Raises:
        NotFoundError: there is no such file.
        FormatError: no format fits the ending, or the file is damaged.
        PluginNotFoundError: there is no format of that name.
    """
    source = Path(path)
    recognizing = [name for name, provided in _formats() if format in (None, name) and provided.recognizes(source)]
    if not recognizing and not source.exists():
        raise NotFoundError(f"there is no file {str(source)!r}.")
    chosen = format or next(iter(recognizing), None) or _by_ending(f"{source}/" if source.is_dir() else str(source))
    return _get(chosen, source).load(source, **options)
