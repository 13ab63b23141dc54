"""Which routine writes a template."""

from __future__ import annotations

from typing import TypeAlias

from dovetail.kernels import Conv, ConvFilterGrad, ConvInputGrad, MatMul, Template
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Module
from dovetail_backend_cpu.templates.convolution import Convolution
from dovetail_backend_cpu.templates.filter_gradient import FilterGradient
from dovetail_backend_cpu.templates.plain import plain_module, plain_plan
from dovetail_backend_cpu.templates.plan import TemplatePlan
from dovetail_backend_cpu.templates.product import Product

__all__ = ["template_module", "template_plan"]

_Routine: TypeAlias = Product | Convolution | FilterGradient


def template_module(template: Template, name: str, machine: Machine) -> tuple[Module, TemplatePlan]:
    """Write a template as functions ``@name_0``, ``@name_1``, …, one for each phase of its plan."""
    routine = _routine(template, name, machine)
    if routine is None:
        return plain_module(template, name, machine), plain_plan(name)
    return routine.module(), routine.plan()


def template_plan(template: Template, name: str, machine: Machine) -> TemplatePlan:
    """Return the plan of a template without writing it."""
    routine = _routine(template, name, machine)
    return plain_plan(name) if routine is None else routine.plan()


def _routine(template: Template, name: str, machine: Machine) -> _Routine | None:
    if isinstance(template.op, MatMul):
        return Product(template, name, machine)
    if isinstance(template.op, Conv | ConvInputGrad):
        return Convolution.of(template, name, machine)
    if isinstance(template.op, ConvFilterGrad):
        return FilterGradient.of(template, name, machine)
    return None
