"""Branches and loops: the names of the modules that hold them, in one place."""

from dovetail.ops.assertions import Assert
from dovetail.ops.branches import Cond, case, cond, smart_cond, switch_case
from dovetail.ops.loop_functions import while_loop
from dovetail.ops.loops import Scan, While
from dovetail.ops.scan_functions import foldl, foldr, map_fn, scan

__all__ = [
    "Assert",
    "Cond",
    "Scan",
    "While",
    "case",
    "cond",
    "foldl",
    "foldr",
    "map_fn",
    "scan",
    "smart_cond",
    "switch_case",
    "while_loop",
]
