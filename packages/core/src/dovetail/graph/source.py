"""Where in the user's program a node was made."""

from __future__ import annotations

import os
import sys
from typing import Final, final

__all__ = ["Source", "user_source"]

_FIRST_PARTY: Final = frozenset(
    {
        "dovetail",
        "dovetail_layers",
        "dovetail_optim",
        "dovetail_io",
        "dovetail_train",
        "dovetail_backend_cpu",
        "dovetail_backend_cuda",
        "dovetail_testkit",
    }
)


@final
class Source:
    """A line of the user's program: file, line number and function."""

    __slots__ = ("file", "function", "line")

    def __init__(self, file: str, line: int, function: str = "") -> None:
        """Name a line; ``file`` is absolute, or relative where a graph was read from a file."""
        self.file = file
        self.line = line
        self.function = function

    def __str__(self) -> str:
        """Give ``file:line``, the file relative to the working directory where it lies below it."""
        return f"{self.relative_file()}:{self.line}"

    def __repr__(self) -> str:
        """Give the line in a form that a debugger shows well."""
        return f"Source({self})"

    def __eq__(self, other: object) -> bool:
        """Compare file and line."""
        return isinstance(other, Source) and (self.file, self.line) == (other.file, other.line)

    def __hash__(self) -> int:
        """Hash file and line."""
        return hash((self.file, self.line))

    def relative_file(self) -> str:
        """The file, relative to the working directory if below it, else its last two parts."""
        if not os.path.isabs(self.file):
            return self.file
        try:
            relative = os.path.relpath(self.file)
        except (ValueError, OSError):
            return os.path.basename(self.file)
        if relative.startswith(".."):
            return os.path.join(*self.file.split(os.sep)[-2:])
        return relative


def user_source() -> Source:
    """Find the innermost frame outside Dovetail's own packages."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] not in _FIRST_PARTY:
            break
        frame = frame.f_back
    code = frame.f_code
    return Source(code.co_filename, frame.f_lineno, code.co_name)
