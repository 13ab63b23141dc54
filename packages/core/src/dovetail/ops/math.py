"""Elementwise mathematics: the names of the modules that hold it, in one place."""

from dovetail.ops import arithmetic, casting, comparison, elementary, passing, selection
from dovetail.ops.arithmetic import *
from dovetail.ops.casting import *
from dovetail.ops.comparison import *
from dovetail.ops.elementary import *
from dovetail.ops.passing import *
from dovetail.ops.selection import *

__all__ = [
    *arithmetic.__all__,
    *casting.__all__,
    *comparison.__all__,
    *elementary.__all__,
    *passing.__all__,
    *selection.__all__,
]
