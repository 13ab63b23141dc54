"""The hooks: each is an empty function whose docstring is the contract.

A plugin implements those that it wants, with `hookimpl`, and takes of the arguments only those that it names. Hooks
observe; they return nothing and change nothing that they are given. They run in the thread that caused them, the one
that was registered last first.
"""

from __future__ import annotations

import os
from typing import Any

import pluggy

__all__ = ["PROJECT", "checkpoint_saved", "format_chosen", "hookimpl", "hookspec", "plan_compiled", "step_run"]

PROJECT = "dovetail"

hookspec = pluggy.HookspecMarker(PROJECT)
"""Marks a function of this module as a hook."""

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a plugin's function as the implementation of the hook of the same name."""


@hookspec
def plan_compiled(session: Any, program: Any) -> None:
    """A session has compiled a plan for a new combination of fetches and feeds.

    Called once a plan, before it first runs.

    Args:
        session: The `dovetail.Session`.
        program: The program after all passes; `str` of it is its text form.
    """


@hookspec
def step_run(session: Any, fetches: Any, seconds: float) -> None:
    """A call of `Session.run`, or of a prepared callable, has succeeded and its state is committed.

    Args:
        session: The `dovetail.Session`.
        fetches: What was asked for, as it was given to ``run`` or ``make_callable``.
        seconds: The wall time of the call, feeds and fetches included, compilation too where there was one.
    """


@hookspec
def checkpoint_saved(path: str | os.PathLike[str], step: int | None) -> None:
    """A checkpoint is complete and in its final place.

    Args:
        path: What restores it.
        step: The global step it was saved under; None where it was saved without one.
    """


@hookspec
def format_chosen(path: str | os.PathLike[str], format: str) -> None:
    """A format has been chosen for a file that is about to be read or written.

    Args:
        path: The file.
        format: The format's name, as in the group ``dovetail.formats``.
    """
