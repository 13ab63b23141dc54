"""``Printers`` and ``NativeTask``: how tasks become LLVM text, and what the runner knows of them once they are code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

from dovetail.extend import Dim
from dovetail.kernels import Kernel, Loop, Template, task_text
from dovetail_backend_cpu.llvm.machine import Machine

__all__ = ["NativeTask", "Phase", "Printers", "Task", "TaskPlan", "standard_printers"]

Task = Kernel | Template


@final
class Phase:
    """A function of a task; the phases of one run in order.

    Attributes:
        name: of the function.
        parallel: whether all threads may call it; else one does.
        constant: whether it only packs operands that are marked so into the constant part of the workspace.
    """

    __slots__ = ("constant", "name", "parallel")

    def __init__(self, name: str, parallel: bool, constant: bool = False) -> None:
        """Describe a function."""
        self.name = name
        self.parallel = parallel
        self.constant = constant


@final
class TaskPlan:
    """What is known of a task's code without printing it.

    Attributes:
        phases: its functions, in order.
        scratch: bytes of memory that each thread needs for itself.
        workspace: bytes of memory that the phases share.
        constant: how many of these, the first, only constant phases write.
    """

    __slots__ = ("constant", "phases", "scratch", "workspace")

    def __init__(self, phases: Sequence[Phase], scratch: Dim = 0, workspace: Dim = 0, constant: Dim = 0) -> None:
        """Describe a task's code."""
        self.phases = tuple(phases)
        self.scratch = scratch
        self.workspace = workspace
        self.constant = constant


class Printers(ABC):
    """Turns tasks into LLVM text."""

    @abstractmethod
    def key(self, task: Task) -> str:
        """Return text that is equal for tasks whose code is equal."""

    @abstractmethod
    def plan(self, task: Task, name: str, machine: Machine) -> TaskPlan:
        """Describe the code of a task, cheaply."""

    @abstractmethod
    def text(self, task: Task, name: str, machine: Machine) -> str:
        """Print the functions of a task, whose names begin with ``name``."""


@final
class _StandardPrinters(Printers):
    """The printers of kernels and templates."""

    def key(self, task: Task) -> str:
        return task_text(task)

    def plan(self, task: Task, name: str, machine: Machine) -> TaskPlan:
        if isinstance(task, Kernel):
            from dovetail_backend_cpu.emit.kernels import kernel_scratch

            return TaskPlan([Phase(name, is_parallel(task))], kernel_scratch(task))
        from dovetail_backend_cpu.templates import template_plan

        plan = template_plan(task, name, machine)
        phases = [Phase(one.name, one.parallel, one.constant) for one in plan.phases]
        return TaskPlan(phases, plan.scratch, plan.workspace, plan.constant)

    def text(self, task: Task, name: str, machine: Machine) -> str:
        if isinstance(task, Kernel):
            from dovetail_backend_cpu.emit.kernels import kernel_module

            return str(kernel_module(task, name, machine))
        from dovetail_backend_cpu.templates import template_module

        return str(template_module(task, name, machine)[0])


def is_parallel(kernel: Kernel) -> bool:
    """Return whether a kernel divides its work among threads."""
    return len(kernel.body) == 1 and isinstance(kernel.body[0], Loop) and kernel.body[0].kind == "parallel"


def standard_printers() -> Printers:
    """Return the printers of kernels and templates."""
    return _StandardPrinters()


@final
class NativeTask:
    """A task that is in memory.

    Attributes:
        plan: what is known of its code.
        addresses: of the phases' functions.
    """

    __slots__ = ("addresses", "plan")

    def __init__(self, plan: TaskPlan, addresses: Sequence[int]) -> None:
        """Describe code in memory."""
        self.plan = plan
        self.addresses = tuple(addresses)
