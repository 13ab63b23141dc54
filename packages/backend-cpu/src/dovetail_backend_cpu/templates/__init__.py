"""Tuned products and convolutions: templates as LLVM text."""

from dovetail_backend_cpu.templates.dispatch import template_module, template_plan
from dovetail_backend_cpu.templates.plan import Phase, TemplatePlan

__all__ = ["Phase", "TemplatePlan", "template_module", "template_plan"]
