"""``TemplatePlan``: what a runtime must know to run the phases of a template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from dovetail.kernels import Dim

__all__ = ["Phase", "TemplatePlan"]


@final
class Phase:
    """One function of a template.

    Attributes:
        name: of the function.
        parallel: whether all threads run it together; else one does.
        constant: whether it only fills the constant part of the workspace, from operands that are marked as packed: it
            may be left out as long as these operands and that part are what they were.
    """

    __slots__ = ("constant", "name", "parallel")

    def __init__(self, name: str, *, parallel: bool = True, constant: bool = False) -> None:
        """Describe a function."""
        self.name = name
        self.parallel = parallel
        self.constant = constant

    def __repr__(self) -> str:
        """Show the name and what is special."""
        marks = ("" if self.parallel else ", serial") + (", constant" if self.constant else "")
        return f"<Phase {self.name}{marks}>"


@final
class TemplatePlan:
    """The phases of a template and the memory they need.

    Attributes:
        phases: run in order, with a barrier between.
        scratch: bytes of private memory for each thread.
        workspace: bytes of memory that the threads share, 64-byte aligned; 0 if there is none.
        constant: how many of the workspace's bytes, from its start, are written by constant phases alone.
    """

    __slots__ = ("constant", "phases", "scratch", "workspace")

    def __init__(self, phases: Sequence[Phase], scratch: Dim = 0, workspace: Dim = 0, constant: Dim = 0) -> None:
        """Describe a template."""
        self.phases = tuple(phases)
        self.scratch = scratch
        self.workspace = workspace
        self.constant = constant

    def __repr__(self) -> str:
        """Show phases and sizes."""
        return f"<TemplatePlan {list(self.phases)}: scratch {self.scratch}, workspace {self.workspace}>"
