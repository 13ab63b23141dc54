"""Passes: functions from ``Program`` to ``Program``."""

from dovetail.compiler.passes.dead_outputs import drop_dead
from dovetail.compiler.passes.decompose import decompose_composites
from dovetail.compiler.passes.fold import fold
from dovetail.compiler.passes.share import share
from dovetail.compiler.passes.simplify import simplify

__all__ = ["decompose_composites", "drop_dead", "fold", "share", "simplify"]
