# What weights must keep after an optimizer's update.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail_layers.constraints import MaxNorm as MaxNorm
from dovetail_layers.constraints import MinMaxNorm as MinMaxNorm
from dovetail_layers.constraints import NonNeg as NonNeg
from dovetail_layers.constraints import UnitNorm as UnitNorm
from dovetail_layers.constraints import max_norm as max_norm
from dovetail_layers.constraints import min_max_norm as min_max_norm
from dovetail_layers.constraints import non_neg as non_neg
from dovetail_layers.constraints import unit_norm as unit_norm

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
