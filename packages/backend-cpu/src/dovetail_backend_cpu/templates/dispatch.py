"""Which routine writes a template."""

from __future__ import annotations

from dovetail.compiler.kernels.ir import Template
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Module
from dovetail_backend_cpu.templates.plain import plain_module, plain_plan
from dovetail_backend_cpu.templates.plan import TemplatePlan

__all__ = ["template_module", "template_plan"]


def template_module(template: Template, name: str, machine: Machine) -> tuple[Module, TemplatePlan]:
    """Write a template as functions ``@name_0``, ``@name_1``, …, one for each phase of its plan."""
    return plain_module(template, name, machine), template_plan(template, name, machine)


def template_plan(template: Template, name: str, machine: Machine) -> TemplatePlan:
    """Return the plan of a template without writing it."""
    return plain_plan(name)
