"""``dt.app``: starting a program as TensorFlow 1's tutorials do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["run"]

if not TYPE_CHECKING:  # for a type checker there is no such attribute
    from dovetail.plugins.absent import attributes_of

    __getattr__ = attributes_of(__name__)


def run(main: Callable[[Sequence[str]], Any] | None = None, argv: Sequence[str] | None = None) -> NoReturn:
    """Call a program's main function with its arguments, and end with what it returns as exit status.

    Args:
        main: the function; that of the name ``main`` in the module that is run by default.
        argv: the arguments, the program's name first; those of the process by default. Use ``argparse`` to read them.

    Example:
        >>> try:
        ...     dt.app.run(lambda arguments: print(arguments[1:]), ["program", "--steps=3"])
        ... except SystemExit as end:
        ...     print(end.code)
        ['--steps=3']
        None
    """
    function = main or sys.modules["__main__"].__dict__["main"]
    sys.exit(function(list(sys.argv if argv is None else argv)))
