"""Which routine writes a template."""

from __future__ import annotations

from dovetail.compiler.kernels.ir import Template
from dovetail.ops.linear import MatMul
from dovetail_backend_cpu.llvm.machine import Machine
from dovetail_backend_cpu.llvm.text import Module
from dovetail_backend_cpu.templates.plain import plain_module, plain_plan
from dovetail_backend_cpu.templates.plan import TemplatePlan
from dovetail_backend_cpu.templates.product import Product

__all__ = ["template_module", "template_plan"]


def template_module(template: Template, name: str, machine: Machine) -> tuple[Module, TemplatePlan]:
    """Write a template as functions ``@name_0``, ``@name_1``, …, one for each phase of its plan."""
    if isinstance(template.op, MatMul):
        product = Product(template, name, machine)
        return product.module(), product.plan()
    return plain_module(template, name, machine), plain_plan(name)


def template_plan(template: Template, name: str, machine: Machine) -> TemplatePlan:
    """Return the plan of a template without writing it."""
    if isinstance(template.op, MatMul):
        return Product(template, name, machine).plan()
    return plain_plan(name)
